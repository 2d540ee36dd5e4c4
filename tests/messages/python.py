#!/usr/bin/python3
"""Generated Python reads and writes the messages of every machine of the tree, exactly.

Every event of random lives with extreme values and of a real migration is the same after it was read and written; where a
datetime cannot hold a time, that is said. A damaged event is refused, or means a valid one that was written otherwise.
The same for commands. Then mypy --strict reads all of it, and a program that uses it rightly and wrongly.

    python.py BACKSTORY WALK SOURCE_DIR
"""
import importlib.util
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

from jsonschema import Draft202012Validator

from schemas import damages, lines, migrated

EVENTS, COMMANDS, REAL = 60, 60, 1000
# Times that only PostgreSQL can hold.
BEYOND = re.compile(r'"(-?infinity|[0-9]{5,}-[^"]*|[^"]* BC|0000-[^"]*)"')

USE = '''
from decimal import Decimal
from typing import assert_never

from payment import *


def captured(line: str) -> Decimal:
    event = parse_event(line)
    match event.data:
        case PaymentCaptured(amount=amount):
            return amount
        case PaymentCreated() | PaymentChallenged() | PaymentAuthorized() | PaymentRefunded() | PaymentFailed():
            return Decimal(0)
        case PaymentCanceled() | PaymentExpired() | PaymentVoided():
            return Decimal(0)
        case _:
            assert_never(event.data)


state: PaymentState = "pending"
order = PaymentCommand(entity="1042", data=Capture(amount=Decimal("12.50")), expected_version=2)
PaymentCaptured(amount=12.5)  # type: ignore[arg-type]
PaymentCaptured()  # type: ignore[call-arg]
PaymentCaptured(amount=Decimal(1)).amount = Decimal(2)  # type: ignore[misc]
state = "paid"  # type: ignore[assignment]
PaymentCommand(entity="1042", data=PaymentVoided())  # type: ignore[arg-type]
'''


def load(path):
    spec = importlib.util.spec_from_file_location(f"generated_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def outcome(read, write, message):
    """What it is after it was read and written; or None when it is refused."""
    from_text = read.__globals__["InvalidMessage"]
    try:
        return json.loads(write(read(json.dumps(message))))
    except from_text:
        return None


def same(one, other):
    """As JSON, and in the same order of keys; but what is null is left out of a payload."""
    one = {**one, "data": {key: value for key, value in one["data"].items() if value is not None}}
    return json.dumps(one).replace(": 1.0,", ": 1,") == json.dumps(other).replace(": 1.0,", ": 1,")


def check_machine(module, schema, events, commands, rng, complain):
    events_schema = Draft202012Validator(schema)
    beyond = refused = 0
    for event in events:
        again = outcome(module.parse_event, module.dump_event, event)
        times = {**event, "occurred_between": None, "source": None}
        if BEYOND.search(json.dumps(times)):
            beyond += 1
        elif again is None or not same(event, again):
            complain(f"{json.dumps(event)} became {json.dumps(again)}")
        for what, damaged in damages(schema, event, rng):
            again = outcome(module.parse_event, module.dump_event, damaged)
            refused += again is None
            if again is not None and not events_schema.is_valid(again):
                complain(f"{what}: {json.dumps(damaged)} became {json.dumps(again)}")
    for command in commands:
        again = outcome(module.parse_command, module.dump_command, command)
        if not BEYOND.search(json.dumps(command)) and (again is None or not same(command, again)):
            complain(f"{json.dumps(command)} became {json.dumps(again)}")
        for damaged in ({**command, "type": "nothing"}, {**command, "data": {**command["data"], "q": 1}}, {**command, "id": 7},
                        {"type": command["type"], "data": command["data"]}, {**command, "expected_version": -1}, []):
            if outcome(module.parse_command, module.dump_command, damaged) is not None:
                complain(f"a damaged command is read: {json.dumps(damaged)}")
    return beyond, refused


def check_values(module, complain):
    """What a program may not write: nothing is rounded, cut or guessed."""
    decimal, datetime = module.Decimal, module.datetime
    wrong = [module.Capture(amount=decimal("12.345")), module.Capture(amount=decimal("NaN")), module.Capture(amount=12.5),
             module.Capture(amount=decimal("1e10")), module.Create(amount=decimal(1), currency="EURO")]
    for data in wrong:
        try:
            complain(f"written: {module.dump_command(module.PaymentCommand(entity='1', data=data))}")
        except module.InvalidMessage:
            pass
    text = module.dump_command(module.PaymentCommand(entity="1", data=module.Capture(amount=decimal("1.5e1"))))
    if json.loads(text)["data"] != {"amount": "15.00"}:
        complain(f"1.5e1 became {text}")
    event = module.PaymentEvent(
        id=module.UUID(int=7), entity="1", version=2, data=module.PaymentVoided(), state="voided", command=None,
        occurred_at=datetime.fromisoformat("2024-02-29T13:00:00.500000+01:00"), occurred_between=None, recorded_at=None,
        basis="live", confidence=1, source=None)
    if json.loads(module.dump_event(event))["occurred_at"] != "2024-02-29T12:00:00.5Z":
        complain(f"another time: {module.dump_event(event)}")


def main():
    program, walk, source = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    rng = random.Random(20261129)
    wrong = []
    machines = beyond = refused = 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        real = migrated(program, source, scratch)
        for machine in sorted(source.glob("tests/eventgen/*.fsm.json")) + sorted(source.glob("tests/machines/*.fsm.json")) + sorted(
                source.glob("samples/*/*.fsm.json")):
            def complain(what, name=machine.name):
                wrong.append(f"{name}: {what}")
            subprocess.run([program, "compile", str(machine), "-o", str(scratch), "--emit", "python,jsonschema", "--quiet",
                            "-Wno-all"], check=True)
            name = json.loads(machine.read_text())["id"]
            module = load(scratch / f"{name}.py")
            schema = json.loads((scratch / f"{name}.schema.json").read_text())
            events = lines(walk, machine, "events", EVENTS)
            if machine.parent == source / "samples/payment":
                events += rng.sample(real, REAL)
                check_values(module, complain)
            counts = check_machine(module, schema, events, lines(walk, machine, "commands", COMMANDS), rng, complain)
            beyond, refused, machines = beyond + counts[0], refused + counts[1], machines + 1
        print("\n".join(wrong[:20]))
        print(f"{machines} machines, {beyond} events with times beyond Python, {refused} damaged ones refused, "
              f"{len(wrong)} mistakes")
        if machines < 15 or beyond < 5 or refused < 2000:
            sys.exit("too little was tried: does this test still find its inputs?")
        if shutil.which("mypy"):
            (scratch / "use.py").write_text(USE)
            done = subprocess.run(["mypy", "--strict", "--no-error-summary", "--cache-dir", str(scratch / "cache"), "."],
                                  cwd=scratch, check=False)
            if done.returncode:
                wrong.append("mypy")
        else:
            print("######## SKIPPED: mypy is not installed. ########", file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()
