#!/usr/bin/python3
"""The same machines and the same walks in Qt's interpreter of SCXML and in ours.

    scxml.py WALK SCRATCH_DIR < cases

cases.py says what the cases are. What we export as SCXML runs there, and what comes out when that is imported and exported
again. Its conditions, about a number, are script as they stand, and every transition that emits the event gets the
assignment that sets the field. After each command both must stand in the same configuration; at an end Qt has none any more.

Left out are random machines with regions, for Qt takes another one than the first when transitions of two regions exclude
each other (XState, like the standard's algorithm, takes the first; xstate.mjs has them all); an "always" of the whole machine,
which SCXML would take again and again at its end; and conditions about states, for which Qt's In() does not always know what is
active.
"""
import json
import subprocess
import sys
import xml.etree.ElementTree as tree

from PySide2.QtCore import QCoreApplication
from PySide2.QtScxml import QScxmlStateMachine

SCXML = "{http://www.w3.org/2005/07/scxml}"
OURS = "{urn:backstory:machine}"


def make_runnable(path):
    document = tree.parse(path)
    root = document.getroot()
    data = tree.SubElement(tree.SubElement(root, SCXML + "datamodel"), SCXML + "data")
    data.attrib.update(id="n", expr="0")
    for transition in root.iter(SCXML + "transition"):
        if OURS + "event" in transition.attrib:
            tree.SubElement(transition, SCXML + "assign").attrib.update(location="n", expr="_event.data.by")
    tree.register_namespace("", SCXML[1:-1])
    document.write(path, encoding="utf-8", xml_declaration=True)


def start(app, path):
    machine = QScxmlStateMachine.fromFile(path)
    if machine.parseErrors():
        raise SystemExit(f"{path}: " + "; ".join(e.toString() for e in machine.parseErrors()))
    machine.start()
    app.processEvents()
    return machine


def walk_theirs(app, path, script):
    """A configuration for each line; None behind an end."""
    machine = None
    for line in script:
        command, number = line.split()
        if command == "!":
            machine = start(app, path)
        elif machine.isRunning():
            machine.submitEvent(command, {"by": int(number)})
            app.processEvents()
        yield set(machine.activeStateNames(True)) if machine.isRunning() else None


def walk_ours(walk, paths, script):
    done = subprocess.run([walk, paths[0], "scxml", *paths[1:]], input="\n".join(script) + "\n", text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"walk failed: {done.stdout} {done.stderr}")
    return done.stdout.splitlines()


def difference(ours, theirs):
    """The first line where they differ, or None."""
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if (None if a.endswith(" !") else set(a.replace(".", "-").split())) != b:
            return i, b
    return None


def is_left_out(case):
    text = json.dumps(case["machine"])
    differs = "state_in" in text or '"parallel"' in text
    return "always" in case["machine"] or (differs and case["name"].startswith("random"))


def main():
    walk, scratch = sys.argv[1:]
    app = QCoreApplication([])
    paths = [f"{scratch}/{name}" for name in ("case.fsm.json", "there.scxml", "again.scxml")]
    cases = machines = steps = differences = left_out = 0
    refused = {}
    for case in map(json.loads, sys.stdin):
        if is_left_out(case):
            left_out += 1
            continue
        cases += 1
        with open(paths[0], "w", encoding="utf-8") as file:
            json.dump(case["machine"], file, indent=1)
        ours = walk_ours(walk, paths, case["script"])
        if ours[0].startswith("error "):
            code = ours[0].split()[1]
            refused[code] = refused.get(code, 0) + 1
            continue
        machines += 1
        for path in paths[1:]:
            make_runnable(path)
            found = difference(ours, walk_theirs(app, path, case["script"]))
            steps += len(ours)
            if found:
                differences += 1
                i, theirs = found
                print(f"{case['name']}, {path}, line {i + 1}: {case['script'][i]} in {ours[i - 1]}\n  qt        "
                      f"{' '.join(sorted(theirs or ['!']))}\n  backstory {ours[i]}", file=sys.stderr)
                with open(f"{scratch}/differs-{machines}.fsm.json", "w", encoding="utf-8") as file:
                    json.dump(case["machine"], file, indent=1)
                break
    print(f"{machines} machines, {steps} steps, {differences} differences; not run: {refused}; left out: {left_out}")
    sys.exit(1 if differences or machines < cases / 4 else 0)


main()
