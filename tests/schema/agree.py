#!/usr/bin/python3
"""The published JSON Schemas and the program agree.

Every machine and mapping of the tree, and thousands of damaged copies of them (a key misspelt, removed or doubled in
meaning, a value of another kind), are given to both. What the program accepts the schema must accept, or an editor
would underline what is right. What is wrong in form, which is all that a schema can see, both must refuse.

    agree.py BACKSTORY SOURCE_DIR
"""
import copy
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import jsonschema

# Findings about the form of the file. All others need to know what a name stands for.
FORM = {"unknown-key", "missing-key", "wrong-type", "unsupported-key", "bad-state-type", "unknown-word"}
# Damage that keeps the kind of the value changes meaning, not form.
OTHER_KINDS = [None, True, 7, "x", [], {}, [1], {"zzz": 1}, -1]


def walk(value, path=()):
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, path + (index,))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def damaged(document, rng):
    """One copy with one mistake, and what was done."""
    result = copy.deepcopy(document)
    path = rng.choice([p for p in walk(result) if p and p[0] not in ("$schema", "meta")])
    parent, last = at(result, path[:-1]), path[-1]
    how = rng.randrange(3)
    if how == 0:
        parent[last] = rng.choice(OTHER_KINDS)
    elif how == 1 and isinstance(parent, dict):
        parent[last + "q"] = parent.pop(last)
    else:
        del parent[last]
    return result, f"{('value', 'key', 'gone')[how]} at /{'/'.join(map(str, path))}"


def findings(program, arguments):
    done = subprocess.run([program, "check", "--format", "json", *arguments], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{arguments}: exit status {done.returncode}\n{done.stderr}")
    return [f["code"] for f in json.loads(done.stdout)["diagnostics"] if f["severity"] == "error"]


def main():
    program, source = sys.argv[1], pathlib.Path(sys.argv[2])
    schemas = {}
    for kind, name in (("fsm", "machine"), ("legacy", "mapping")):
        schema = json.loads((source / f"docs/schema/{name}.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        schemas[kind] = jsonschema.Draft202012Validator(schema)

    rng = random.Random(20261123)
    wrong = tried = refused = 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for file in sorted(source.glob("samples/*/*.json")) + sorted(source.glob("tests/machines/*.json")) + sorted(
                source.glob("tests/golden/*/*.json")):
            kind = file.name.split(".")[-2]
            if kind not in schemas:
                continue
            document = json.loads(file.read_text())
            machine = None
            if kind == "legacy":
                # The machine lies beside the mapping; golden cases find the samples through a link.
                machine = (file.parent / document.get("machine", "")).resolve()
                if not machine.is_file():
                    machine = (source / "samples" / str(document.get("machine", "")).split("samples/")[-1]).resolve()
                if not machine.is_file():
                    continue
                document["machine"] = "machine.fsm.json"
                (scratch / "machine.fsm.json").write_text(machine.read_text())
            copies = [(document, "as it is")] + [damaged(document, rng) for _ in range(40)]
            for number, (candidate, what) in enumerate(copies):
                target = scratch / f"candidate.{kind}.json"
                target.write_text(json.dumps(candidate))
                if kind == "fsm":
                    codes = findings(program, [str(target)])
                elif candidate.get("machine") == "machine.fsm.json":
                    codes = findings(program, [str(scratch / "machine.fsm.json"), str(target)])
                else:
                    continue
                valid = schemas[kind].is_valid(candidate)
                tried += 1
                refused += not valid
                if not codes and not valid:
                    error = next(schemas[kind].iter_errors(candidate))
                    print(f"{file} ({what}): accepted, but the schema says {error.message} at {list(error.path)}")
                    wrong += 1
                if valid and FORM & set(codes):
                    print(f"{file} ({what}): the schema accepts what the program calls {sorted(FORM & set(codes))}")
                    wrong += 1
    print(f"{tried} files, {refused} of them refused by a schema, {wrong} disagreements")
    if tried < 500 or refused < 100:
        sys.exit("too few files tried: does this test still find its inputs?")
    sys.exit(1 if wrong else 0)


main()
