#!/usr/bin/python3
"""Machines and walks through them, for the interpreter and other tools to agree on.

    cases.py RANDOM_MACHINES SEED [MACHINE_FILE...]

prints a case a line: {"name", "machine", "script"}. Random machines are trees with regions, history, final states, onDone,
always, timers, internal and external transitions, several targets. Of a file the structure is taken: its states and who leads
where. Every command emits one event that sets the one field, and guards ask that field, or the state: so every tool can
evaluate them. A line of the script is `command number`, the number being the payload; `! 0` begins anew.
"""
import json
import pathlib
import random
import sys

COMMANDS = ["go", "turn", "stop", "jump"]
WALKS, STEPS = 6, 25


class Node:
    def __init__(self, name, parent):
        self.name, self.parent, self.children = name, parent, []
        self.kind = "atomic"
        self.path = parent.path + [name] if parent else []

    def is_inside(self, outer):
        return self.parent is not None and (self.parent is outer or self.parent.is_inside(outer))


class RandomMachine:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.nodes = []
        self.root = Node("m", None)
        self.root.kind = "parallel" if self.chance(15) else "compound"
        self.grow(self.root, 0)
        self.machine = with_data("m", self.node_config(self.root))

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def add(self, parent, letter):
        node = Node(f"{letter}{len(self.nodes)}", parent)
        self.nodes.append(node)
        parent.children.append(node)
        return node

    def grow(self, node, depth):
        for i in range(2 + self.random.randrange(3 if depth == 0 else 2)):
            child = self.add(node, "s")
            if node.kind == "compound" and i > 0 and self.chance(15):
                child.kind = "final"
            elif depth < 3 and len(self.nodes) < 14 and self.chance(55):
                child.kind = "parallel" if self.chance(35) else "compound"
                self.grow(child, depth + 1)
        if depth > 0 and self.chance(30):
            self.add(node, "h").kind = "history"

    def states_of(self, node):
        return [c for c in node.children if c.kind != "history"]

    def target_text(self, source, target):
        """A way to write it; all mean the same node."""
        if source.parent and target.parent is source.parent and self.chance(50):
            return target.name
        if target.is_inside(source) and self.chance(50):
            return "." + ".".join(target.path[len(source.path):])
        return "#m." + ".".join(target.path)

    def guard(self):
        if self.chance(20):
            state = self.random.choice([n for n in self.nodes if n.kind != "history"])
            return {"cel": f'state_in("{".".join(state.path)}")'}
        return number_guard(self.random)

    def targets(self, source):
        first = self.random.choice(self.nodes)
        text = self.target_text(source, first)
        region = first.parent
        if first.kind != "history" and region.parent and region.parent.kind == "parallel" and self.chance(40):
            other = self.random.choice(region.parent.children)
            second = self.random.choice(other.children) if other.children else None
            if other is not region and second and second.kind != "history":
                return [text, "#m." + ".".join(second.path)]
        return text

    def transition(self, source, silent=False):
        result = {}
        if silent or self.chance(90):
            result["target"] = self.targets(source)
            if self.chance(25):
                result["reenter"] = True
        if self.chance(85 if silent else 35):
            result["guard"] = self.guard()
        if not silent:
            result["event"] = "MMoved"
        return result

    def history_config(self, node):
        beside = self.states_of(node.parent)
        config = {"type": "history"}
        if self.chance(50):
            config["history"] = "deep"
        if node.parent.kind == "parallel" or self.chance(40):
            config["target"] = self.random.choice(beside).name
        return config

    def node_config(self, node):
        if node.kind == "history":
            return self.history_config(node)
        config = {"type": node.kind} if node.kind in ("final", "parallel") else {}
        if node.children:
            config["states"] = {c.name: self.node_config(c) for c in node.children}
            if node.kind == "compound":
                config["initial"] = self.random.choice(self.states_of(node)).name
        if node.kind == "final":
            return config
        for command in COMMANDS:
            if self.chance(25 if node.children else 50):
                several = [self.transition(node) for _ in range(2 if self.chance(30) else 1)]
                config.setdefault("on", {})[command] = several if len(several) > 1 else several[0]
        if node.parent and self.chance(10):
            config["after"] = {"P1D": self.transition(node)}
        if self.chance(8):
            config["always"] = self.transition(node, silent=True)
        if node.parent and node.children and self.chance(50):
            config["onDone"] = self.transition(node, silent=True)
        return config


def number_guard(rng):
    n = rng.randrange(5)
    return {"cel": rng.choice([f"n > {n}", f"n <= {n}", f"n == {n}", f"!(n == {n})"])}


def with_data(name, config):
    return {"id": name, "fields": {"n": {"type": "int4", "default": 0}},
            "events": {"MMoved": {"fields": {"by": "int4"}, "apply": {"n": "event.by"}}}, **config}


def bare_transition(value, rng, silent):
    value = {"target": value} if isinstance(value, str) else value
    result = {k: value[k] for k in ("target", "reenter", "command") if k in value}
    if "guard" in value:
        result["guard"] = number_guard(rng)
    if not silent:
        result["event"] = "MMoved"
    return result


def bare_list(value, rng, silent=False):
    return ([bare_transition(v, rng, silent) for v in value] if isinstance(value, list)
            else bare_transition(value, rng, silent))


def bare(node, rng):
    """The structure of a node of a file."""
    result = {k: node[k] for k in ("type", "initial", "history", "target", "id") if k in node}
    for key in ("on", "after"):
        if key in node:
            result[key] = {name: bare_list(v, rng) for name, v in node[key].items()}
    for key in ("always", "onDone"):
        if key in node:
            result[key] = bare_list(node[key], rng, silent=True)
    if "states" in node:
        result["states"] = {name: bare(child, rng) for name, child in node["states"].items()}
    return result


def commands_of(node, path=()):
    result = list(node.get("on", {}))
    for transitions in node.get("after", {}).values():
        for t in transitions if isinstance(transitions, list) else [transitions]:
            result.append(t.get("command", "_".join(("time_out",) + path)))
    for name, child in node.get("states", {}).items():
        result += commands_of(child, path + (name,))
    return result


def script_of(machine, rng):
    """Commands of the machine, those of many states more often."""
    commands = sorted(commands_of(machine)) or ["go"]
    lines = []
    for _ in range(WALKS):
        lines.append("! 0")
        lines += [f"{rng.choice(commands)} {rng.randrange(5)}" for _ in range(STEPS)]
    return lines


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    cases = [(f"random {i}", RandomMachine(seed * 100003 + i).machine) for i in range(count)]
    for path in sys.argv[3:]:
        config = json.loads(pathlib.Path(path).read_text())
        rng = random.Random(f"{seed} {path}")
        cases.append((path, with_data(config["id"], bare(config, rng))))
    for name, machine in cases:
        script = script_of(machine, random.Random(f"{seed} {name} walk"))
        print(json.dumps({"name": name, "machine": machine, "script": script}))


if __name__ == "__main__":
    main()
