// The same machines and the same walks in XState v5 and in the interpreter: after each command both must stand in the
// same configuration.
//
//     node xstate.mjs WALK SCRATCH_DIR < cases
//
// cases.py says what the cases are. Each runs in XState three times: the machine file itself, which XState opens as it is
// (its guards become functions, its durations milliseconds) unless a target names a state that is not beside; what we export
// for XState; and what comes out when that is imported and exported again. Every transition that emits the event gets the
// action that sets the field.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { assign, createMachine, getInitialSnapshot, getMicrosteps, getNextSnapshot, stateIn } from "xstate";

const [walk, scratch] = process.argv.slice(2);
const set = assign({ n: ({ event }) => event.by });

// Guards and durations.

function guardOf(cel, id) {
  const state = /^state_in\("(.*)"\)$/.exec(cel);
  if (state) return stateIn(`#${id}.${state[1]}`);
  const holds = new Function("n", `return ${cel};`);
  return ({ context }) => holds(context.n);
}

function milliseconds(iso) {
  const [, w, d, h, m, s] = /^P(?:([\d.]+)W)?(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?$/.exec(iso);
  const seconds = [w, d, h, m, s].reduce((sum, part, i) => sum + Number(part ?? 0) * [604800, 86400, 3600, 60, 1][i], 0);
  return seconds * 1000;
}

// The three forms.

function fromFile(value, id) {
  if (Array.isArray(value)) return value.map((item) => fromFile(item, id));
  if (typeof value !== "object" || value === null) return value;
  const result = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === "fields" || key === "events") continue;
    if (key === "guard") result.guard = guardOf(item.cel, id);
    else if (key === "after")
      result.after = Object.fromEntries(Object.entries(item).map(([d, t]) => [milliseconds(d), fromFile(t, id)]));
    else result[key] = fromFile(item, id);
  }
  if ("event" in value) result.actions = set;
  return result;
}

// null: a target that only we understand.
function openFile(machine) {
  try {
    return createMachine({ ...fromFile(machine, machine.id), context: { n: 0 } });
  } catch (error) {
    if (/does not exist on/.test(error.message)) return null;
    throw error;
  }
}

function withActions(value) {
  if (Array.isArray(value)) return value.map(withActions);
  if (typeof value !== "object" || value === null) return value;
  const result = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withActions(item)]));
  if (value.meta?.backstory?.event) result.actions = set;
  return result;
}

function guardsOf(value, id, guards = {}) {
  if (typeof value !== "object" || value === null) return guards;
  if (value.guard) guards[value.guard.type] = guardOf(value.guard.params.cel, id);
  for (const item of Object.values(value)) guardsOf(item, id, guards);
  return guards;
}

function fromExport(config) {
  return createMachine({ ...withActions(config), context: { n: 0 } }).provide({ guards: guardsOf(config, config.id) });
}

// The event by which XState says that a timer has run out, by the command that it is for us.
function timersOf(node, id, path = [], timers = {}) {
  for (const [duration, value] of Object.entries(node.after ?? {}))
    for (const transition of [value].flat())
      timers[transition.command ?? ["time_out", ...path].join("_")] =
        `xstate.after.${milliseconds(duration)}.${node.id && path.length ? node.id : [id, ...path].join(".")}`;
  for (const [name, child] of Object.entries(node.states ?? {})) timersOf(child, id, [...path, name], timers);
  return timers;
}

// Configurations.

function configuration(snapshot) {
  const leaves = [];
  const descend = (value, path) => {
    if (typeof value === "string") leaves.push([...path, value].join("."));
    else if (Object.keys(value).length === 0) leaves.push(path.join("."));
    else for (const [key, inner] of Object.entries(value)) descend(inner, [...path, key]);
  };
  descend(snapshot.value, []);
  return leaves.sort().join(" ") + (snapshot.status === "done" ? " !" : "");
}

const sorted = (line) => {
  const words = line.trim().split(" ");
  const end = words.at(-1) === "!" ? [words.pop()] : [];
  return [...words.sort(), ...end].join(" ");
};

// XState can leave a region for good and enter a state in it by a history in the same step; what it says after that
// means nothing.
function isLegal(snapshot) {
  const active = new Set(snapshot._nodes);
  return snapshot._nodes.every((node) => {
    const children = Object.values(node.states).filter((c) => c.type !== "history");
    const count = children.filter((c) => active.has(c)).length;
    const wanted = node.type === "compound" ? 1 : node.type === "parallel" ? children.length : 0;
    return count === wanted && (!node.parent || active.has(node.parent));
  });
}

// Agreement.

const counts = { cases: 0, machines: 0, exports: 0, steps: 0, moves: 0, illegal: 0, differences: 0, refused: {}, unopened: [] };

function compare(name, form, machine, script, timers, ours) {
  let snapshot;
  let before = "";
  for (let i = 0; i < script.length; i++) {
    const [command, by] = script[i].split(" ");
    if (command === "!") snapshot = getInitialSnapshot(machine);
    else if (snapshot.status === "active") { // an actor that is done hears nothing
      const event = { type: timers[command] ?? command, by: Number(by) };
      if (!getMicrosteps(machine, snapshot, event).every(([step]) => isLegal(step))) {
        counts.illegal++;
        return;
      }
      snapshot = getNextSnapshot(machine, snapshot, event);
    }
    const theirs = configuration(snapshot);
    counts.steps++;
    counts.moves += theirs !== before;
    if (theirs !== sorted(ours[i])) {
      console.error(`${name}, ${form}, line ${i + 1}: ${script[i]} in ${before}\n` +
                    `  xstate    ${theirs}\n  backstory ${sorted(ours[i])}`);
      counts.differences++;
      return;
    }
    before = theirs;
  }
}

const paths = ["case.fsm.json", "there.xstate.json", "again.xstate.json"].map((name) => `${scratch}/${name}`);
for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const { name, machine, script } = JSON.parse(line);
  const differences = counts.differences;
  counts.cases++;
  writeFileSync(paths[0], JSON.stringify(machine, null, 1));
  const done = spawnSync(walk, [paths[0], "xstate", paths[1], paths[2]], { input: script.join("\n") + "\n", encoding: "utf8" });
  if (done.status !== 0) throw new Error(`${name}: walk failed: ${done.stdout} ${done.stderr}`);
  const ours = done.stdout.trimEnd().split("\n");
  if (ours[0].startsWith("error ")) {
    const code = ours[0].split(" ")[1];
    counts.refused[code] = (counts.refused[code] ?? 0) + 1;
    continue;
  }
  counts.machines++;
  const timers = timersOf(machine, machine.id);
  const opened = openFile(machine);
  if (opened) compare(name, "the file", opened, script, timers, ours);
  else counts.unopened.push(name.split("/").at(-1));
  for (const path of paths.slice(1)) {
    counts.exports++;
    compare(name, path, fromExport(JSON.parse(readFileSync(path, "utf8"))), script, timers, ours);
  }
  if (counts.differences > differences)
    writeFileSync(`${scratch}/differs-${counts.machines}.fsm.json`, JSON.stringify(machine, null, 1));
}
console.log(`${counts.machines} machines and ${counts.exports} exports, ${counts.steps} steps, ${counts.moves} of them moves, ` +
            `${counts.differences} differences; ${counts.illegal} walks cut where XState broke a configuration; ` +
            `not run: ${JSON.stringify(counts.refused)}; opened only as an export: ${counts.unopened.join(" ") || "none"}`);
process.exit(counts.differences || counts.machines < counts.cases / 4 ? 1 : 0);
