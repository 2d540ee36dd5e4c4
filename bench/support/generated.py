"""What bench/generated.sh prints: rows with labelled dirt, and what became of them.

A dirty row migrates *silently* when it becomes a history that no policy marked: not in quarantine, no genesis, no reconciliation,
no ignored column. Of some kinds (times in another zone, truncated times, columns that lost their value) that is no fault: they
are consistent, or the mapping cannot know better. Of others it is: a status nobody knows, two rows with one key, columns that
contradict each other, dates that stand for something else.
"""
import collections
import csv
import json
import os
import subprocess
import sys
import tempfile

BACKSTORY = os.environ["BACKSTORY"]
FOLDER = os.path.join(os.environ["SOURCE_DIR"], "bench", "generated")
ROWS = int(os.environ.get("BACKSTORY_PAYMENTS_ROWS", "100000"))
NEVER_SILENT = ("unknown_status", "duplicate", "contradiction", "sentinel")

# name, policy
POLICIES = {
    "quarantine": {},
    "genesis": {"contradiction": "genesis", "residual": "genesis", "too_ambiguous": "genesis"},
    "relax": {"contradiction": "relax"},
    "reconcile": {"residual": "reconcile"},
    "everything": {"contradiction": ["relax", "genesis"], "residual": ["reconcile", "genesis"], "too_ambiguous": "genesis"},
}
# Columns of evidence that a mapping leaves out.
FEWER = {
    "no counters": ("attempts", "version"),
    "no version": ("version",),
    "five times": ("attempts", "version", "submitted_at", "authorized_at", "failed_at"),
    "two times": ("attempts", "version", "submitted_at", "authorized_at", "captured_at", "settled_at", "failed_at", "disputed_at"),
}


def run(*arguments, statuses=(0,)):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode not in statuses:
        sys.exit(f"{arguments}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def figure(name, value, unit, limit=None):
    """`limit`: what the value itself must be, ">=0.97" or "<=0"."""
    holds = limit is None or (value >= float(limit[2:]) if limit[0] == ">" else value <= float(limit[2:]))
    verdict = "" if limit is None else f" ({limit}: {'holds' if holds else 'DOES NOT HOLD'})"
    print(f"{name:52} {value:>12.6g} {unit}{verdict}", flush=True)
    with open(os.environ["BENCH_JSONL"], "a") as file:
        against = {"against": "itself", "ratio": value} if limit else {"against": None, "ratio": None}
        json.dump({"name": name, "value": value, "unit": unit, **against, "limit": limit, "holds": holds}, file)
        file.write("\n")


def read_truth(folder):
    truth = collections.defaultdict(list)
    with open(f"{folder}/truth.csv") as file:
        for row in csv.DictReader(file):
            truth[row["entity_id"]].append(row["activity"])
    with open(f"{folder}/dirt.csv") as file:
        dirt = {row["entity_id"]: row["kind"] for row in csv.DictReader(file)}
    return truth, dirt


def write_mapping(folder, policy, without):
    with open(f"{FOLDER}/payment.legacy.json") as file:
        mapping = json.load(file)
    mapping["machine"] = f"{FOLDER}/payment.fsm.json"
    mapping["policy"] = policy
    mapping["evidence"] = [item for item in mapping["evidence"] if not set(without) & set(map(str, item.values()))]
    path = f"{folder}/run.legacy.json"
    with open(path, "w") as file:
        json.dump(mapping, file)
    return path


def read_histories(path):
    """By entity: the states entered, and whether an event says that a policy wrote it or that a column is ignored."""
    states, marked = collections.defaultdict(list), set()
    with open(path) as file:
        for line in file:
            event = json.loads(line)
            states[event["entity"]].append(event["state"])
            if event["confidence"] == 0 or (event["source"] or "").endswith("(ignored)"):
                marked.add(event["entity"])
    return states, marked


def judge(label, folder, truth, dirt, policy, without, limits):
    mapping = write_mapping(folder, policy, without)
    events, aside = f"{folder}/events.jsonl", f"{folder}/aside.jsonl"
    plan = json.loads(run(BACKSTORY, "plan", mapping, "--from", folder, "--format", "json"))
    run(BACKSTORY, "migrate", mapping, "--from", folder, "--to", events, "--quarantine", aside, "--quiet")
    # exit status 0: every history, folded, is its row; sums by state and currency are equal on both sides
    run(BACKSTORY, "compare", mapping, "--from", folder, "--to", events, "--quarantine", aside)
    states, marked = read_histories(events)
    clean = [entity for entity in truth if entity not in dirt]
    exact = sum(states.get(entity) == truth[entity] for entity in clean)
    figure(f"generated.{label}.exact_clean", exact / len(clean), "share", ">=0.97" if limits else None)
    figure(f"generated.{label}.refused_clean", sum(entity not in states for entity in clean), "rows")
    balance = plan["read"] - plan["migrated"] - plan["quarantined"] - plan["out_of_scope"]
    figure(f"generated.{label}.unbalanced", abs(balance) + abs(plan["migrated"] - len(states)), "rows", "<=0")
    for remedy in ("relaxed", "reconciled", "genesis"):
        if plan.get(remedy):
            figure(f"generated.{label}.{remedy}", plan[remedy], "rows")
    silent = collections.Counter(kind for entity, kind in dirt.items() if entity in states and entity not in marked)
    right = collections.Counter(kind for entity, kind in dirt.items() if states.get(entity) == truth[entity])
    total = collections.Counter(dirt.values())
    for kind in sorted(total):
        strict = kind in NEVER_SILENT and limits
        figure(f"generated.{label}.silent.{kind}", silent[kind], f"of {total[kind]}, {right[kind]} exact", "<=0" if strict else None)


def main():
    generator = sys.argv[1]
    sets = [(1, 0.05), (2, 0.05), (3, 0.2)]
    with tempfile.TemporaryDirectory() as work:
        for seed, dirty in sets:
            folder = f"{work}/{seed}"
            run(sys.executable, generator, "--out", folder, "--n", str(ROWS), "--seed", str(seed), "--dirty", str(dirty))
            truth, dirt = read_truth(folder)
            label = f"seed{seed}.dirt{dirty:g}"
            figure(f"generated.{label}.entities", len(truth), f"entities, {len(dirt)} dirty")
            for name, policy in POLICIES.items():
                judge(f"{label}.{name}", folder, truth, dirt, policy, (), True)
            if seed == 1:
                for name, without in FEWER.items():
                    judge(f"{label}.{name.replace(' ', '_')}", folder, truth, dirt, {}, without, False)


main()
