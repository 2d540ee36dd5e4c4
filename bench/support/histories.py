"""What bench/histories.sh prints: exact histories and calibration, log by log, variant by variant.

Learned is from the entities whose crc32(id) is odd, scored is on the even ones; without learning all are scored. Entities whose
true history is no path of the machine (uncovered.txt) are counted in all figures but those that say "covered".

Baselines: `sql`, the times of the row's columns in order (what a hand-written UNION ALL gives), `path`, a shortest way through the
machine wherever a step of that is illegal, both computed here; `likely` and `2-fold` are taken from the log's README.md.
"""
import collections
import csv
import datetime
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
import zlib

BACKSTORY = os.environ["BACKSTORY"]
TOOL = os.path.join(os.path.dirname(BACKSTORY), "..", "bench", "tool_histories")
VARIANTS = ["poor", "legacy", "rich", "rich_first"]


def is_odd(entity):
    return zlib.crc32(entity.encode()) & 1


def read_truth(folder):
    truth = collections.defaultdict(list)
    with open(f"{folder}/truth.csv", newline="") as file:
        for row in csv.DictReader(file):
            truth[row["entity_id"]].append((float(row["seq"]), row["activity"]))
    return {entity: [name for _, name in sorted(events)] for entity, events in truth.items()}


# ---- the machine and the mappings ----


def targets(state):
    return [t["target"] if isinstance(t, dict) else t for t in (state.get("on") or {}).values()]


def make_machine(folder, work, counted=False):
    """As ours: what stands behind the pseudo state are creations. Returns states with their targets, and births. `counted`: the
    row has counters, which tell apart creations and steps, and re-openings."""
    mined = json.load(open(f"{folder}/machine.json"))
    states = {s: v for s, v in mined["states"].items() if not (v.get("meta") or {}).get("pseudo")}
    births = [mined["initial"]]
    if births[0] not in states:
        births = targets(mined["states"][births[0]])
    steps = {s: targets(v) for s, v in states.items()}
    names = [f"Entered_{s}" for s in steps] + ([f"Created_{b}" for b in births] + ["Reopened"] if counted else [])
    machine = {"id": mined["id"], "initial": births[0], "events": {name: {} for name in names}, "states": {}}
    for state, to in steps.items():
        machine["states"][state] = {"on": {
            f"{state}__{t}": {"target": t, "event": "Reopened" if counted and (state, t) == ("resolved", "active") else f"Entered_{t}"}
            for t in to}}
    machine["creates"] = [{"command": f"create__{b}", "event": f"{'Created' if counted else 'Entered'}_{b}", "target": b} for b in births]
    json.dump(machine, open(f"{work}/machine.fsm.json", "w"))
    return steps, births


def derived_mapping(header, steps, variant):
    occurrence = "first" if variant == "rich_first" else "last"
    evidence = [{"creation": "created_at"}, {"last_change": "updated_at", "exact": True}]
    for column in header:
        state = column[:-3] if column.endswith("_at") else None
        if state in steps:
            evidence.append({"state": state, "at": column, "occurrence": occurrence})
    return {"machine": "machine.fsm.json", "source": {"table": "rows", "key": "id"},
            "state": {"column": "status", "values": {s: s for s in steps}}, "evidence": evidence,
            "log": {"table": "log", "entity": "entity_id", "to": "activity", "order": "seq", "use": "learn"}}


def real_mapping(steps):
    """The row of the ServiceNow table as it really is: naive times with the day first, `?` for NULL; `resolved_at` is missing
    where it should not be and `sys_created_at` in every second row; `sys_mod_count` counts every edit after the creation."""
    entered = [f"Entered_{s}" for s in steps if any(s in to for to in steps.values())] + ["Reopened"]
    return {"machine": "machine.fsm.json",
            "source": {"table": "rows", "key": "number", "zone": "UTC", "dates": "DMY", "null": "?"},
            "state": {"column": "incident_state", "values": {s.replace("_", " ").title(): s for s in steps}},
            "evidence": [{"creation": "sys_created_at"}, {"last_change": "sys_updated_at"},
                         {"state": "resolved", "at": "resolved_at", "absent": "unknown"},
                         {"state": "closed", "at": "closed_at"},
                         {"event": entered, "count": "sys_mod_count", "relation": "at_most"},
                         {"event": "Reopened", "count": "reopen_count"}],
            "log": {"table": "log", "entity": "entity_id", "to": "activity", "order": "seq", "use": "learn"}}


# ---- baselines ----


def time_of(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def sql_history(row, births):
    """Every column with its time, in order, the status last among equals; the initial state where none has the time of
    `created_at`, and the status where it does not come last."""
    columns = [c for c in row if c.endswith("_at") and c not in ("created_at", "updated_at")]
    events = [(time_of(row[c]), c[:-3] == row["status"], i, c[:-3]) for i, c in enumerate(columns) if row[c]]
    created = time_of(row["created_at"])
    if all(event[0] != created for event in events):
        events.append((created, False, -1, births[0]))
    names = [event[-1] for event in sorted(events)]
    return names if names[-1] == row["status"] else names + [row["status"]]


def bridge(steps, starts, goal):
    """The shortest way from one of `starts` to `goal`, without the start; None: there is none."""
    seen, queue = set(), collections.deque((s, ()) for s in starts)
    while queue:
        state, way = queue.popleft()
        if state == goal and (way or len(starts) > 1):
            return way
        for to in steps.get(state, []):
            if to not in seen:
                seen.add(to)
                queue.append((to, way + (to,)))
    return None


def path_history(names, steps, births, cache):
    made = []
    for name in names:
        at = made[-1] if made else None
        if (at is None and name in births) or (at is not None and name in steps.get(at, [])):
            made.append(name)
            continue
        if (at, name) not in cache:
            if at is None:
                ways = [((b,) + (bridge(steps, [b], name) or ()), b) for b in births if bridge(steps, [b], name)]
                cache[at, name] = min((w for w, _ in ways), key=len) if ways else None
            else:
                cache[at, name] = bridge(steps, [at], name)
        made.extend(cache[at, name] or (name,))
    return made


def readme_baselines(folder):
    found = {}
    for line in open(f"{folder}/README.md"):
        cells = [c.strip() for c in line.split("|")]
        if len(cells) < 3:
            continue
        lookup = re.search(r"2-fold lookup ([0-9.]+)", line)
        name = cells[1].split(" ")[0]
        if lookup:
            found[name.replace("ceiling", "2-fold")] = float(lookup.group(1))
        elif re.fullmatch(r"[0-9.]+", cells[2]):
            found[name] = float(cells[2])
    return found


# ---- figures ----


def matched(truth, made):
    """Which of the events made are on a longest common subsequence."""
    n, m = len(truth), len(made)
    if truth == made:
        return [True] * m
    best = [[0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            best[i][j] = best[i + 1][j + 1] + 1 if truth[i] == made[j] else max(best[i + 1][j], best[i][j + 1])
    hit, i, j = [False] * m, 0, 0
    while i < n and j < m:
        if truth[i] == made[j] and best[i][j] == best[i + 1][j + 1] + 1:
            hit[j] = True
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return hit


class Calibration:
    """Expected calibration error: ten bins of confidence, the gap of each weighed by its size."""

    def __init__(self):
        self.bins = [[0, 0.0, 0, 0.0] for _ in range(10)]

    def add(self, confidence, right):
        cell = self.bins[min(9, int(confidence * 10))]
        cell[0] += 1
        cell[1] += confidence
        cell[2] += right
        cell[3] += confidence * (1 - confidence)

    def error(self):
        count = sum(b[0] for b in self.bins)
        return sum(abs(b[1] - b[2]) for b in self.bins) / count if count else 0.0

    def noise(self, draws=2000):
        """What the error would be by chance alone, if all that is claimed were right: its mean, and what 95 % stay below; and the
        standard error of the error itself. In each bin the number of the right ones is about normal."""
        chance = random.Random(1)
        count = max(self.count(), 1)
        spread = [math.sqrt(b[3]) for b in self.bins]
        claimed = sorted(sum(abs(chance.gauss(0, s)) for s in spread) / count for _ in range(draws))
        found = [sum(abs(chance.gauss(b[1] - b[2], s)) for b, s in zip(self.bins, spread)) / count for _ in range(draws)]
        mean = sum(found) / draws
        return sum(claimed) / draws, claimed[int(0.95 * draws)], math.sqrt(sum((f - mean) ** 2 for f in found) / draws)

    def count(self):
        return sum(b[0] for b in self.bins)

    def __str__(self):
        return "  ".join(f"{b[1] / b[0]:.2f}:{b[2] / b[0]:.2f} ({b[0]})" for b in self.bins if b[0])


def score(lines, truth, uncovered, wanted):
    """Of the entities `wanted`: figures of what tool_histories printed."""
    figures = {"right": {}, "n": 0, "exact": 0, "covered": 0, "covered_exact": 0, "certain": 0, "certain_right": 0, "refused": 0}
    histories, events = Calibration(), Calibration()
    made = {}
    for line in lines:
        parts = line.split("\t")
        if len(parts) > 2:
            made[parts[0]] = (float(parts[1]), parts[2] == "1", [p.rsplit("=", 1) for p in parts[3:]])
    for entity in wanted:
        confidence, certain, steps = made.get(entity, (0.0, False, []))
        names = [name for name, _ in steps]
        right = names == truth[entity]
        is_covered = entity not in uncovered
        figures["right"][entity] = right
        figures["n"] += 1
        figures["exact"] += right
        figures["covered"] += is_covered
        figures["covered_exact"] += right and is_covered
        figures["refused"] += not steps
        figures["certain"] += certain and is_covered
        figures["certain_right"] += certain and is_covered and right
        if steps:
            histories.add(confidence, right)
            for (_, sure), hit in zip(steps, matched(truth[entity], names)):
                events.add(float(sure), hit)
    figures["ece_histories"], figures["ece_events"] = histories.error(), events.error()
    figures["noise"] = histories.noise()
    figures["events"], figures["bins"] = events.count(), (str(histories), str(events))
    return figures


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def measure(work, mapping, rows, truth, uncovered):
    """Without learning on all, with learning on the even half, learned from the odd half and from the rows alone."""
    key = mapping["source"]["key"]
    codes = {state: code for code, state in mapping["state"]["values"].items()}
    odd = [row for row in rows if is_odd(row[key])]
    write_csv(f"{work}/rows.csv", rows)
    write_csv(f"{work}/odd/rows.csv", odd)
    with open(f"{work}/odd/log.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["entity_id", "seq", "activity"])
        for row in odd:
            for i, name in enumerate(truth[row[key]]):
                writer.writerow([row[key], i + 1, codes.get(name, name)])
    plain = {k: v for k, v in mapping.items() if k != "log"}
    results = {}
    everyone = [row[key] for row in rows]
    even = [entity for entity in everyone if not is_odd(entity)]
    for name, entities in (("plain", everyone), ("rows", everyone), ("learned", even)):
        used = dict(plain)
        if name != "plain":
            json.dump(mapping if name == "learned" else plain, open(f"{work}/learn.legacy.json", "w"))
            source = f"{work}/odd" if name == "learned" else f"{work}/rows.csv"
            run(BACKSTORY, "learn", f"{work}/learn.legacy.json", "--from", source, "-o", f"{work}/learned.json", "--quiet")
            used["probabilities"] = "learned.json"
        json.dump(used, open(f"{work}/use.legacy.json", "w"))
        lines = run(TOOL, f"{work}/use.legacy.json", f"{work}/rows.csv").splitlines()
        results[name] = score(lines, truth, uncovered, entities)
    return results


def write_csv(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def share(figures, part="exact", whole="n"):
    return figures[part] / figures[whole] if figures[whole] else 1.0


def report(name, value, against=None, other=None, slack=0.0, at_most=None):
    """A line of $BENCH_JSONL. `slack`: how far below the other figure it may be."""
    line = {"name": f"histories.{name}", "value": round(value, 6), "unit": "share", "against": against, "ratio": None,
            "limit": None, "holds": True}
    if against:
        line["ratio"] = round(value / other, 4) if other else None
        line["limit"] = f">={other:.4f}-{slack:g}"
        line["holds"] = value >= other - slack - 5e-5
    elif at_most is not None:
        line["limit"] = f"<={at_most:g}"
        line["holds"] = value <= at_most
    with open(os.environ["BENCH_JSONL"], "a") as file:
        file.write(json.dumps(line, separators=(",", ":")) + "\n")
    return line["holds"]


def show(log, variant, results, base):
    """One line of the table; what misses its bar is named after it."""
    plain, rows, learned = results["plain"], results["rows"], results["learned"]
    name = f"{log}.{variant}"
    p, q = share(plain), share(learned)
    best = max(base["sql"], base["path"])
    bars = [
        ("plain below sql/path", report(f"{name}.exact_plain", p, "sql and path", best)),
        ("plain below sql/path, covered", report(f"{name}.covered_exact_plain", share(plain, "covered_exact", "covered"),
                                                 "sql and path", base["covered"])),
        ("learned below likely", report(f"{name}.exact_learned", q, "likely", max(best, base["likely"]), 0.01)),
        ("learned below lookup", report(f"{name}.exact_learned", q, "2-fold lookup", base["2-fold"], 0.03)),
        ("events' ECE", report(f"{name}.ece_events_learned", learned["ece_events"], at_most=0.05)),
        ("histories' ECE", report(f"{name}.ece_histories_learned", learned["ece_histories"], at_most=0.05)),
        ("wrong though certain", report(f"{name}.certain_right", share(plain, "certain_right", "certain"), "all", 1.0))]
    error = math.sqrt(q * (1 - q) / learned["n"])
    print(f"{name:23s} {base['sql']:6.4f} {base['path']:6.4f} {base['likely']:6.4f} {base['2-fold']:6.4f} |"
          f" {p:6.4f} {share(plain, 'covered_exact', 'covered'):6.4f} {base['covered']:6.4f} {share(rows):6.4f} |"
          f" {q:6.4f} {error:6.4f} {share(learned, 'covered_exact', 'covered'):6.4f} |"
          f" {learned['ece_histories']:5.3f} {learned['ece_events']:5.3f} |"
          f" {plain['ece_histories']:5.3f} {plain['ece_events']:5.3f} | {rows['ece_histories']:5.3f} {rows['ece_events']:5.3f} |"
          f" {plain['certain']:5d} {plain['certain'] - plain['certain_right']:2d} {plain['refused']:4d}"
          + "".join(f"  << {what}" for what, holds in bars if not holds))
    if os.environ.get("BENCH_VERBOSE"):
        for how, figures in results.items():
            print(f"    claimed:right, {how}: histories {figures['bins'][0]}\n    {'':{len(how) + 14}s} events {figures['bins'][1]}")


def paired(mine, other):
    """How much more often one is right than the other on the same entities, and the standard error of that."""
    gaps = [mine[entity] - other[entity] for entity in mine]
    mean = sum(gaps) / len(gaps)
    return mean, math.sqrt(sum((gap - mean) ** 2 for gap in gaps)) / len(gaps)


def same_half(log, variant, results, base):
    """A line of the second table: everything on the half that learning has not seen."""
    learned, plain = results["learned"]["right"], results["plain"]["right"]
    chance, most, error = results["learned"]["noise"]
    line = f"{log + '.' + variant:23s} {len(learned):6d}"
    for other in (base["path_right"], plain):
        if not other:
            line += f" | {'':23s}"
            continue
        mean, spread = paired(learned, other)
        line += f" | {sum(other[e] for e in learned) / len(learned):6.4f} {mean:+7.4f} {spread:6.4f} "
    return line + f" | {results['learned']['ece_histories']:5.3f} {error:5.3f} | {chance:5.3f} {most:5.3f}"


def baselines(folder, variant, rows, truth, uncovered, steps, births):
    """sql and path are computed here, to have them for covered entities; the README has the other two."""
    known = readme_baselines(folder)
    sql = path = covered_sql = covered_path = covered = 0
    cache, path_right = {}, {}
    for row in rows:
        names = sql_history(row, births)
        right, bridged = names == truth[row["id"]], path_history(names, steps, births, cache) == truth[row["id"]]
        sql += right
        path += bridged
        path_right[row["id"]] = bridged
        if row["id"] not in uncovered:
            covered += 1
            covered_sql += right
            covered_path += bridged
    return {"sql": known.get(f"sql_{variant}", sql / len(rows)), "path": known.get(f"path_{variant}", path / len(rows)),
            "likely": known.get(f"likely_{variant}", 0.0), "2-fold": known.get(f"2-fold_{variant}", 0.0),
            "covered": max(covered_sql, covered_path) / covered, "own": (sql / len(rows), path / len(rows)), "path_right": path_right}


def read_rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def measure_log(folder, only):
    """Prints the first table; returns the lines of the second."""
    lines = []
    log = os.path.basename(folder)
    truth = read_truth(folder)
    uncovered = set(open(f"{folder}/uncovered.txt").read().split("\n"))
    with tempfile.TemporaryDirectory(prefix="bst-histories-") as work:
        os.mkdir(f"{work}/odd")
        steps, births = make_machine(folder, work)
        for variant in VARIANTS:
            path = f"{folder}/legacy{'' if variant == 'legacy' else '_' + variant}.csv"
            if not os.path.exists(path) or (only and only not in f"{log}.{variant}"):
                continue
            rows = read_rows(path)
            mapping = derived_mapping(rows[0].keys(), steps, variant)
            base = baselines(folder, variant, rows, truth, uncovered, steps, births)
            results = measure(work, mapping, rows, truth, uncovered)
            show(log, variant, results, base)
            lines.append(same_half(log, variant, results, base))
            if os.environ.get("BENCH_VERBOSE"):
                print(f"    sql and path as computed here: {base['own'][0]:.4f} {base['own'][1]:.4f}")
        path = f"{folder}/legacy_real.csv"
        if os.path.exists(path) and (not only or only in f"{log}.real"):
            rows = read_rows(path)
            make_machine(folder, work, counted=True)
            results = measure(work, real_mapping(steps), rows, truth, uncovered)
            base = {"sql": 0.25, "path": 0.25, "likely": 0.36, "2-fold": 0.42, "covered": 0.25, "path_right": None}
            show(log, "real", results, base)
            lines.append(same_half(log, "real", results, base))
    return lines


def main():
    only = os.environ.get("BENCH_ONLY", "")
    print("                                baselines                  | without learning        rows   |"
          " learned +-error covered |  ECE: learned |       plain |        rows | certain wrong refused")
    print("log.variant                sql   path likely 2-fold |  exact covered sql/path exact |")
    lines = []
    for entry in sorted(os.listdir(sys.argv[1])):
        folder = os.path.join(sys.argv[1], entry)
        if os.path.exists(f"{folder}/truth.csv"):
            lines += measure_log(folder, only)
    print("\nthe half not learned from      n |   path learned is above |  plain learned is above | ECE +-error | by chance, 95 % below")
    print("\n".join(lines))


main()
