#!/usr/bin/python3
"""The published JSON Schemas and the program agree.

Every machine and mapping of the tree, and thousands of damaged copies of them (a key misspelt, removed or doubled in
meaning, a value of another kind), are given to both. What the program accepts the schema must accept, or an editor
would underline what is right. What is wrong in form, which is all that a schema can see, both must refuse.

    agree.py VERDICTS SOURCE_DIR

The program is asked for all of them at once (verdicts.c): a process a file would take ten times as long.
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


def validator(path):
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def candidates(source, kinds, scratch):
    """Every file and its damaged copies: its path, what was done, its kind, the document."""
    rng = random.Random(20261123)
    for number, file in enumerate(sorted(source.glob("samples/*/*.json")) + sorted(source.glob("tests/machines/*.json"))
                                  + sorted(source.glob("tests/golden/*/*.json"))):
        kind = file.name.split(".")[-2]
        if kind not in kinds:
            continue
        document = json.loads(file.read_text())
        machine_name = f"machine{number}.fsm.json"
        if kind == "legacy":
            # The machine lies beside the mapping; golden cases find the samples through a link.
            machine = (file.parent / document.get("machine", "")).resolve()
            if not machine.is_file():
                machine = (source / "samples" / str(document.get("machine", "")).split("samples/")[-1]).resolve()
            if not machine.is_file():
                continue
            document["machine"] = machine_name
            (scratch / machine_name).write_text(machine.read_text())
        copies = [(document, "as it is")] + [damaged(document, rng) for _ in range(40)]
        for candidate, what in copies:
            if kind == "fsm" or candidate.get("machine") == machine_name:
                yield file, what, kind, candidate


def verdicts(program, tried, scratch):
    """The codes of the errors that the program finds in each."""
    lines = "".join(f"{kind} {json.dumps(candidate)}\n" for _, _, kind, candidate in tried)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=False, cwd=scratch)
    answers = done.stdout.splitlines()
    if done.returncode != 0 or len(answers) != len(tried):
        sys.exit(f"{program}: exit status {done.returncode} after {len(answers)} of {len(tried)}\n{done.stderr}")
    return [set(answer.split()) for answer in answers]


def main():
    program, source = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    schemas = {kind: validator(source / f"docs/schema/{name}.schema.json")
               for kind, name in (("fsm", "machine"), ("legacy", "mapping"))}
    wrong = refused = 0
    with tempfile.TemporaryDirectory() as scratch:
        tried = list(candidates(source, schemas, pathlib.Path(scratch)))
        answers = verdicts(program, tried, scratch)
    for (file, what, kind, candidate), codes in zip(tried, answers):
        error = next(schemas[kind].iter_errors(candidate), None)
        refused += error is not None
        if not codes and error:
            print(f"{file} ({what}): accepted, but the schema says {error.message} at {list(error.path)}")
            wrong += 1
        if not error and FORM & codes:
            print(f"{file} ({what}): the schema accepts what the program calls {sorted(FORM & codes)}")
            wrong += 1
    print(f"{len(tried)} files, {refused} of them refused by a schema, {wrong} disagreements")
    if len(tried) < 500 or refused < 100:
        sys.exit("too few files tried: does this test still find its inputs?")
    sys.exit(1 if wrong else 0)


main()
