// The same machines and the same walks in XState v5 and in the interpreter: after each command both must stand in the
// same configuration.
//
//     node agree.mjs WALK SCRATCH_DIR [MACHINES] [SEED]
//
// Machines are made at random: trees with regions, history, final states, onDone, always, timers, internal and external
// transitions, several targets. Guards ask the one field, which every event sets, or the state. The file that both open
// is the same; for XState its guards become functions, and every transition gets the action that sets the field.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { assign, createMachine, getInitialSnapshot, getMicrosteps, getNextSnapshot, stateIn } from "xstate";

const [walk, scratch, machines = "300", seedText = "1"] = process.argv.slice(2);
const COMMANDS = ["go", "turn", "stop", "jump"];
const WALKS = 6;
const STEPS = 25;

let seed;
function below(n) {
  // a linear congruential generator: the same machines everywhere
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return Math.floor((seed / 4294967296) * n);
}
const chance = (percent) => below(100) < percent;
const pick = (list) => list[below(list.length)];

// Trees.

function makeTree() {
  const nodes = [];
  const root = { name: "m", path: [], parent: null, children: [], kind: "compound" };
  const grow = (node, depth) => {
    const count = 2 + below(depth === 0 ? 3 : 2);
    for (let i = 0; i < count; i++) {
      const child = { name: `s${nodes.length}`, parent: node, children: [], kind: "atomic" };
      child.path = [...node.path, child.name];
      nodes.push(child);
      node.children.push(child);
      if (node.kind === "compound" && i > 0 && chance(15)) child.kind = "final";
      else if (depth < 3 && nodes.length < 14 && chance(55)) {
        child.kind = chance(35) ? "parallel" : "compound";
        grow(child, depth + 1);
      }
    }
    if (depth > 0 && chance(30)) {
      const history = { name: `h${nodes.length}`, parent: node, children: [], kind: "history", deep: chance(50) };
      history.path = [...node.path, history.name];
      nodes.push(history);
      node.children.push(history);
    }
  };
  if (chance(15)) root.kind = "parallel";
  grow(root, 0);
  return { root, nodes };
}

const isInside = (node, outer) => {
  for (let n = node.parent; n; n = n.parent) if (n === outer) return true;
  return false;
};

// A way to write a target of `source`; all mean the same node.
function targetText(source, target) {
  if (source.parent && target.parent === source.parent && chance(50)) return target.name;
  if (isInside(target, source) && chance(50)) return "." + target.path.slice(source.path.length).join(".");
  return "#m." + target.path.join(".");
}

function makeGuard(tree) {
  const n = below(5);
  const cel = pick([
    `n > ${n}`,
    `n <= ${n}`,
    `n == ${n}`,
    `!(n == ${n})`,
    `state_in("${pick(tree.nodes.filter((s) => s.kind !== "history")).path.join(".")}")`,
  ]);
  return { cel };
}

function makeTransition(tree, source, command) {
  const transition = {};
  const targets = tree.nodes;
  if (!command || chance(90)) {
    const first = pick(targets);
    transition.target = targetText(source, first);
    const region = first.parent;
    if (first.kind !== "history" && region?.parent?.kind === "parallel" && chance(40)) {
      // a target in another region as well
      const other = pick(region.parent.children);
      const second = other.children.length && pick(other.children);
      if (other !== region && second && second.kind !== "history" && other.kind !== "history")
        transition.target = [transition.target, "#m." + second.path.join(".")];
    }
    if (chance(25)) transition.reenter = true;
  }
  if (chance(command ? 35 : 85)) transition.guard = makeGuard(tree);
  if (command) transition.event = "MMoved";
  return transition;
}

function makeConfig(tree, node) {
  const config = {};
  const states = node.children.filter((c) => c.kind !== "history");
  if (node.kind === "history") {
    const beside = node.parent.children.filter((c) => c.kind !== "history");
    config.type = "history";
    if (node.deep) config.history = "deep";
    if (node.parent.kind === "parallel" || chance(40)) config.target = pick(beside).name;
    return config;
  }
  if (node.kind === "final" || node.kind === "parallel") config.type = node.kind;
  if (node.children.length) {
    config.states = Object.fromEntries(node.children.map((c) => [c.name, makeConfig(tree, c)]));
    if (node.kind === "compound") config.initial = pick(states).name;
  }
  if (node.kind === "final") return config;
  for (const command of COMMANDS)
    if (chance(node.children.length ? 25 : 50)) {
      config.on ??= {};
      const count = chance(30) ? 2 : 1;
      const list = Array.from({ length: count }, () => makeTransition(tree, node, command));
      config.on[command] = count === 1 ? list[0] : list;
    }
  if (chance(8)) config.always = makeTransition(tree, node, null);
  if (node.parent && node.children.length && chance(50)) config.onDone = makeTransition(tree, node, null);
  return config;
}

function makeMachine() {
  const tree = makeTree();
  return {
    id: "m",
    fields: { n: { type: "int4", default: 0 } },
    events: { MMoved: { fields: { by: "int4" }, apply: { n: "event.by" } } },
    ...makeConfig(tree, tree.root),
  };
}

// For XState.

function translateGuard({ cel }) {
  const state = /^state_in\("(.*)"\)$/.exec(cel);
  if (state) return stateIn(`#m.${state[1]}`);
  const holds = new Function("n", `return ${cel};`);
  return ({ context }) => holds(context.n);
}

function translate(value, set) {
  if (Array.isArray(value)) return value.map((item) => translate(item, set));
  if (typeof value !== "object" || value === null) return value;
  const result = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === "fields" || key === "events") continue;
    result[key] = key === "guard" ? translateGuard(item) : translate(item, set);
  }
  if ("event" in value) result.actions = set;
  return result;
}

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

const sorted = (line) => {
  const words = line.trim().split(" ");
  const end = words.at(-1) === "!" ? [words.pop()] : [];
  return [...words.sort(), ...end].join(" ");
};

// Agreement.

const counts = { machines: 0, steps: 0, moves: 0, illegal: 0, refused: {} };
let differences = 0;
for (let number = 0; number < Number(machines); number++) {
  seed = Number(seedText) * 100003 + number * 7919;
  const config = makeMachine();
  const file = `${scratch}/random.fsm.json`;
  const script = [];
  for (let w = 0; w < WALKS; w++) {
    script.push("! 0");
    for (let s = 0; s < STEPS; s++) script.push(`${pick(COMMANDS)} ${below(5)}`);
  }
  writeFileSync(file, JSON.stringify(config, null, 1));
  const done = spawnSync(walk, [file], { input: script.join("\n") + "\n", encoding: "utf8" });
  if (done.status !== 0) throw new Error(`machine ${number}: walk failed: ${done.stdout} ${done.stderr}`);
  const ours = done.stdout.trimEnd().split("\n");
  if (ours[0].startsWith("error ")) {
    const code = ours[0].split(" ")[1];
    counts.refused[code] = (counts.refused[code] ?? 0) + 1;
    continue;
  }
  counts.machines++;
  const set = assign({ n: ({ event }) => event.by });
  const machine = createMachine({ ...translate(config, set), context: { n: 0 } });
  let snapshot;
  let before = "";
  for (let i = 0; i < script.length; i++) {
    const [command, by] = script[i].split(" ");
    if (command === "!") snapshot = getInitialSnapshot(machine);
    else if (snapshot.status === "active") { // an actor that is done hears nothing
      const event = { type: command, by: Number(by) };
      if (!getMicrosteps(machine, snapshot, event).every(([step]) => isLegal(step))) {
        counts.illegal++;
        break;
      }
      snapshot = getNextSnapshot(machine, snapshot, event);
    }
    const theirs = configuration(snapshot);
    counts.steps++;
    counts.moves += theirs !== before;
    if (theirs !== sorted(ours[i])) {
      console.error(`machine ${number}, line ${i + 1}: ${script[i]} in ${before}\n  xstate    ${theirs}\n  backstory ${sorted(ours[i])}`);
      writeFileSync(`${scratch}/differs-${number}.fsm.json`, JSON.stringify(config, null, 1));
      differences++;
      break;
    }
    before = theirs;
  }
}
console.log(`${counts.machines} machines, ${counts.steps} steps, ${counts.moves} of them moves, ${differences} differences; ` +
            `${counts.illegal} walks cut where XState broke a configuration; ` +
            `not run: ${JSON.stringify(counts.refused)}`);
process.exit(differences || counts.machines < Number(machines) / 4 ? 1 : 0);
