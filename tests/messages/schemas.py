#!/usr/bin/python3
"""Generated JSON Schemas, CloudEvents and AsyncAPI documents are what they say, and so are the messages.

Every machine of the tree: the schema is a schema; every event of random lives with extreme values, and every event of a
real migration, is valid; thousands of damaged copies are not; the examples are valid messages; the CloudEvents keep the
rules of CloudEvents 1.0.

    schemas.py BACKSTORY WALK SOURCE_DIR
"""
import copy
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from jsonschema import Draft7Validator, Draft202012Validator

EVENTS, COMMANDS, REAL = 20, 10, 100
# By type of the value that stands there: what may not stand there instead.
WRONG = {str: [7, 1.5, True, [], {"q": 1}], int: ["x", 1.5, True, []], float: ["x", None, {}], bool: ["true", 1, []],
         dict: [None, "x", []], list: ["x", {}, [1]], type(None): [7, {}, []]}
ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")


def check_paths(source, file, complain):
    """Only their form; test_eventgen_paths.c goes them."""
    validator = Draft202012Validator(json.loads((source / "docs/schema/paths.schema.json").read_text()))
    for error in validator.iter_errors(json.loads(file.read_text())):
        complain(f"paths: {error.message} at {list(error.path)}")


def compiled(program, machine, folder, emitters):
    subprocess.run([program, "compile", str(machine), "-o", str(folder), "--emit", emitters, "--quiet", "-Wno-all"], check=True)
    name = json.loads(machine.read_text())["id"]
    return [json.loads((folder / f"{name}.{kind}.json").read_text()) for kind in ("schema", "cloudevents", "asyncapi")]


def lines(walk, machine, kind, count):
    done = subprocess.run([walk, str(machine), kind, str(count)], check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def migrated(program, source, folder):
    """The sample's events, and their number by type."""
    target = folder / "events.jsonl"
    sample = source / "samples/payment"
    subprocess.run([program, "migrate", str(sample / "payment.legacy.json"), "--from", str(sample / "payments.csv"),
                    "--to", str(target), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return [json.loads(line) for line in target.read_text().splitlines()]


def payload_of(schema, event):
    """The name of the schema of its payload."""
    name = f"data.{event['type']}"
    older = f"{name}.v{event.get('type_version', event.get('typeversion', 1))}"
    return older if older in schema["$defs"] else name


def is_free(schema, event, path):
    """A field of type json takes anything."""
    if path[0] != "data" or len(path) == 1:
        return False
    field = schema["$defs"][payload_of(schema, event)]["properties"][path[1]]
    return not {"type", "enum", "pattern", "$ref", "anyOf"} & set(field)


def may_be_absent(schema, event, path):
    return len(path) == 2 and path[0] == "data" and path[1] not in schema["$defs"][payload_of(schema, event)]["required"]


def damages(schema, event, rng):
    """Copies with one mistake each, and what was done."""
    # (Of another version an event may be right as well.)
    paths = [(key,) for key in event if key != "type_version"] + [("data", key) for key in event["data"]]
    for path in rng.sample(paths, min(3, len(paths))):
        if is_free(schema, event, path):
            continue
        for how in ("value", "key", "gone"):
            damaged = copy.deepcopy(event)
            parent = damaged if len(path) == 1 else damaged["data"]
            value = parent.pop(path[-1])
            if how == "value":
                parent[path[-1]] = rng.choice(WRONG[type(value)])
            elif how == "key":
                parent[path[-1] + "q"] = value
            elif may_be_absent(schema, event, path):
                continue
            yield f"{how} of {'.'.join(path)}", damaged
    key, wrong = rng.choice((("state", "nowhere"), ("type", "NothingHappened"), ("basis", "guessed"), ("version", 0),
                             ("occurred_at", "2024-02-30 12:00"), ("machine", "another"), ("id", event["id"].upper() + "0")))
    yield f"{key} {wrong}", {**event, key: wrong}


def check_schema(schema, events, rng, complain):
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    tried = 0
    for event in events:
        for error in validator.iter_errors(event):
            complain(f"{json.dumps(event)}: {min(error.context or [error], key=lambda e: -len(e.path)).message}")
        for what, damaged in damages(schema, event, rng):
            tried += 1
            if validator.is_valid(damaged):
                complain(f"a damaged event is valid ({what}): {json.dumps(damaged)}")
    return tried


def check_commands(schema, commands, complain):
    validator = Draft202012Validator({**schema, "oneOf": [{"$ref": "#/$defs/command"}]})
    for command in commands:
        if not validator.is_valid(command):
            complain(f"not a valid command: {json.dumps(command)}")
        for damaged in ({**command, "type": "nothing"}, {**command, "data": {**command["data"], "q": 1}},
                        {"type": command["type"], "data": command["data"]}, {**command, "expected_version": -1}):
            if validator.is_valid(damaged):
                complain(f"a damaged command is valid: {json.dumps(damaged)}")


def check_cloudevent(schema, event, complain):
    """CloudEvents 1.0.2, sections "Context Attributes" and "Type System"."""
    for key in ("specversion", "id", "source", "type"):
        if not isinstance(event.get(key), str) or not event[key]:
            complain(f"CloudEvent without {key}: {event}")
    if event["specversion"] != "1.0":
        complain("another specversion")
    for key, value in event.items():
        if key != "data" and (not ATTRIBUTE.fullmatch(key) or not isinstance(value, (str, int, bool))):
            complain(f"no attribute of a CloudEvent: {key}: {value}")
    data = {**schema, "oneOf": [{"$ref": f"#/$defs/{payload_of(schema, event)}"}]}
    for error in Draft202012Validator(data).iter_errors(event["data"]):
        complain(f"the example of {event['type']}: {error.message}")


def check_asyncapi(document, schema, complain):
    examples = []
    for name, message in document["components"]["messages"].items():
        payload = {**document, "$ref": f"#/components/messages/{name}/payload"}
        Draft7Validator.check_schema(message["payload"])
        for example in message["examples"]:
            if not Draft7Validator({"allOf": [{"$ref": payload["$ref"]}], "components": document["components"]}).is_valid(
                    example["payload"]):
                complain(f"AsyncAPI: the example of {name} is not valid")
            if name.startswith("command."):
                examples.append(example["payload"])
    check_commands(schema, examples, complain)
    if len(examples) != len(document["channels"]["commands"]["messages"]):
        complain("AsyncAPI: not every command has an example")


def main():
    program, walk, source = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    rng = random.Random(20261129)
    wrong = []
    tried = machines = 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        real = migrated(program, source, scratch)
        # An event that nothing emits any more.
        unused = scratch / "unused.fsm.json"
        unused.write_text('{"id": "idle", "events": {"IdleForgotten": {"fields": {"n": "int4"}}}, "initial": "a", "states": {"a": {}}}')
        for machine in [unused] + sorted(source.glob("samples/*/*.fsm.json")) + sorted(source.glob("tests/machines/*.fsm.json")) + sorted(
                source.glob("tests/eventgen/*.fsm.json")):
            def complain(what, name=machine.name):
                wrong.append(f"{name}: {what}")
            schema, cloudevents, asyncapi = compiled(program, machine, scratch, "jsonschema,cloudevents,asyncapi,paths")
            check_paths(source, scratch / f"{schema['$defs']['event_envelope']['properties']['machine']['const']}.paths.json",
                        complain)
            events = lines(walk, machine, "events", EVENTS)
            if machine.parent == source / "samples/payment":
                events += rng.sample(real, REAL)
            tried += check_schema(schema, events, rng, complain)
            check_commands(schema, lines(walk, machine, "commands", COMMANDS), complain)
            for event in cloudevents:
                check_cloudevent(schema, event, complain)
            messages = asyncapi["channels"]["events"]["messages"]
            if [event["type"] for event in cloudevents] != [name.split(".")[0] for name in messages]:
                complain("the CloudEvents are not one of each event")
            check_asyncapi(asyncapi, schema, complain)
            machines += 1
    print("\n".join(wrong[:20]))
    print(f"{machines} machines, {tried} damaged events, {len(wrong)} mistakes")
    if machines < 15 or tried < 1500:
        sys.exit("too little was tried: does this test still find its inputs?")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
