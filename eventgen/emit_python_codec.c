/* Reading and writing in generated Python: a table of codecs, a few lines that go through it, and
 * the codecs of the types that occur.
 */

#include "emit_python_private.h"

#define BIT(kind) (1u << BST_KIND_##kind)
#define TEXTS     (BIT(TEXT) | BIT(VARCHAR) | BIT(CHAR))
#define INTS      (BIT(INT2) | BIT(INT4) | BIT(INT8))
/* What the envelopes are made of. */
#define ENVELOPE (BIT(TEXT) | BIT(UUID) | BIT(TIMESTAMPTZ) | BIT(ENUM))

static uint32_t kinds_of(const bst_field *fields, uint32_t count) {
    uint32_t kinds = 0;
    for (uint32_t i = 0; i < count; i++) {
        kinds |= 1u << fields[i].type.kind;
    }
    return kinds;
}

static uint32_t all_kinds(const bst__py *py) {
    const bst_machine *m = py->machine;
    uint32_t kinds = ENVELOPE;
    for (uint32_t i = 0; i < py->payload_count; i++) {
        kinds |= kinds_of(py->payloads[i].fields, py->payloads[i].field_count);
    }
    for (uint32_t i = 0; i < m->command_count; i++) {
        kinds |= kinds_of(m->commands[i].fields, m->commands[i].field_count);
    }
    return kinds;
}

void bst__py_add_imports(bst__py *py) {
    const uint32_t kinds = all_kinds(py);
    bst_strbuf_addf(py->out,
                    "import json\n"
                    "import re\n"
                    "from collections.abc import Callable\n"
                    "from dataclasses import dataclass\n"
                    "from datetime import UTC, %sdatetime\n%s"
                    "from typing import Any, Final, Literal, NamedTuple, TypeAlias, Union, "
                    "get_args\n"
                    "from uuid import UUID\n",
                    kinds & BIT(DATE) ? "date, " : "",
                    kinds & BIT(DECIMAL) ? "from decimal import Decimal\n" : "");
}

/* In the order in which they stand in the file. `kinds`: any of them wants it. */
static const struct {
    uint32_t kinds;
    const char *text;
} codecs[] = {
    {BIT(BOOL), "\n\n_BOOL: Final = _checked(lambda value: isinstance(value, bool), \"true or "
                "false\")\n"},
    {INTS, "\n\n"
           "def _int(bits: int) -> _Codec:\n"
           "    limit = 1 << bits - 1\n"
           "    return _checked(\n"
           "        lambda value: type(value) is int and -limit <= value < limit,\n"
           "        f\"an integer of {bits} bits\",\n"
           "    )\n"},
    {BIT(INT8), "\n\n"
                "def _read_int8(value: Any) -> int:\n"
                "    if isinstance(value, str) and re.fullmatch(\"-?[0-9]{1,19}\", value):\n"
                "        value = int(value)\n"
                "    number: int = _int(64).read(value)\n"
                "    return number\n"
                "\n\n"
                "_INT8: Final = _Codec(_read_int8, lambda value: str(_int(64).write(value)))\n"},
    {BIT(DECIMAL),
     "\n\n"
     "def _decimal(precision: int, scale: int) -> _Codec:\n"
     "    def check(value: Any) -> Decimal:\n"
     "        if not isinstance(value, Decimal) or not value.is_finite():\n"
     "            raise InvalidMessage(f\"{value!r} is not a decimal\")\n"
     "        numerator, denominator = value.as_integer_ratio()\n"
     "        units, rest = divmod(numerator * 10**scale, denominator)\n"
     "        if rest or abs(units) >= 10**precision:\n"
     "            raise InvalidMessage(f\"{value} is not a decimal({precision},{scale})\")\n"
     "        return Decimal(units).scaleb(-scale)\n"
     "\n"
     "    def read(value: Any) -> Decimal:\n"
     "        if type(value) is not int and not (\n"
     "            isinstance(value, str) and re.fullmatch(r\"-?[0-9]{1,40}(\\.[0-9]{1,40})?\", "
     "value)\n"
     "        ):\n"
     "            raise InvalidMessage(f\"{value!r} is not a decimal\")\n"
     "        return check(Decimal(value))\n"
     "\n"
     "    return _Codec(read, lambda value: f\"{check(value):f}\")\n"},
    {TEXTS,
     "\n\n"
     "def _text(length: int | None = None) -> _Codec:\n"
     "    return _checked(\n"
     "        lambda value: isinstance(value, str)\n"
     "        and \"\\0\" not in value\n"
     "        and (length is None or len(value) <= length),\n"
     "        \"a text\" if length is None else f\"a text of at most {length} characters\",\n"
     "    )\n"},
    {BIT(ENUM), "\n\n"
                "def _enum(*members: str) -> _Codec:\n"
                "    return _checked(\n"
                "        lambda value: isinstance(value, str) and value in members,\n"
                "        \"one of \" + \", \".join(members),\n"
                "    )\n"},
    {BIT(UUID), "\n\n"
                "def _read_uuid(value: Any) -> UUID:\n"
                "    if not isinstance(value, str) or not re.fullmatch(\n"
                "        \"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\", value\n"
                "    ):\n"
                "        raise InvalidMessage(f\"{value!r} is not a uuid\")\n"
                "    return UUID(value)\n"
                "\n\n"
                "_UUID: Final = _Codec(\n"
                "    _read_uuid, lambda value: str(_checked(lambda v: isinstance(v, UUID), \"a "
                "UUID\").write(value))\n"
                ")\n"},
    {BIT(DATE),
     "\n\n"
     "def _read_date(value: Any) -> date:\n"
     "    if not isinstance(value, str) or not re.fullmatch(\"[0-9]{4}(-[0-9]{2}){2}\", value):\n"
     "        raise InvalidMessage(f\"{value!r} is not a day that a date can hold\")\n"
     "    return date.fromisoformat(value)\n"
     "\n\n"
     "_DATE: Final = _Codec(\n"
     "    _read_date, lambda value: _checked(lambda v: type(v) is date, \"a "
     "date\").write(value).isoformat()\n"
     ")\n"},
    {BIT(TIMESTAMPTZ),
     "\n\n"
     "def _read_time(value: Any) -> datetime:\n"
     "    if not isinstance(value, str) or not re.fullmatch(\n"
     "        r\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?Z\", value\n"
     "    ):\n"
     "        raise InvalidMessage(f\"{value!r} is not a time that a datetime can hold\")\n"
     "    return datetime.fromisoformat(value)\n"
     "\n\n"
     "def _write_time(value: Any) -> str:\n"
     "    if not isinstance(value, datetime) or value.tzinfo is None:\n"
     "        raise InvalidMessage(f\"{value!r} is not a datetime with a time zone\")\n"
     "    text = value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=\"microseconds\")\n"
     "    return text.rstrip(\"0\").removesuffix(\".\") + \"Z\"\n"
     "\n\n"
     "_TIME: Final = _Codec(_read_time, _write_time)\n"},
    {BIT(BYTEA),
     "\n\n"
     "def _read_bytes(value: Any) -> bytes:\n"
     "    if not isinstance(value, str) or not re.fullmatch(r\"\\\\x([0-9a-fA-F]{2})*\", value):\n"
     "        raise InvalidMessage(f\"{value!r} is not bytes in hexadecimal\")\n"
     "    return bytes.fromhex(value[2:])\n"
     "\n\n"
     "_BYTES: Final = _Codec(_read_bytes, lambda value: \"\\\\x\" + bytes(value).hex())\n"},
    {BIT(JSON),
     "_JSON: Final = _checked(lambda value: value is not None, \"a JSON value other than "
     "null\")\n"},
};

static const char basics[] =
    "\n\n"
    "# Reading and writing.\n"
    "\n\n"
    "class InvalidMessage(ValueError):\n"
    "    \"\"\"A text that is no message of this machine, or a value that its type does not "
    "hold.\"\"\"\n"
    "\n\n"
    "class _Codec(NamedTuple):\n"
    "    \"\"\"How a value comes from JSON and goes there: checked both ways, and never "
    "rounded.\"\"\"\n"
    "\n"
    "    read: Callable[[Any], Any]\n"
    "    write: Callable[[Any], Any]\n"
    "\n\n"
    "def _checked(holds: Callable[[Any], bool], wanted: str) -> _Codec:\n"
    "    def check(value: Any) -> Any:\n"
    "        if not holds(value):\n"
    "            raise InvalidMessage(f\"{value!r} is not {wanted}\")\n"
    "        return value\n"
    "\n"
    "    return _Codec(check, check)\n"
    "\n\n"
    "def _optional(codec: _Codec) -> _Codec:\n"
    "    return _Codec(\n"
    "        lambda value: None if value is None else codec.read(value),\n"
    "        lambda value: None if value is None else codec.write(value),\n"
    "    )\n";

/* ---- tables ---- */

static void add_codec(bst_strbuf *out, const bst_type *type, int indent) {
    bst_strbuf_adds(out, type->optional ? "_optional(" : "");
    switch (type->kind) {
    case BST_KIND_BOOL:
        bst_strbuf_adds(out, "_BOOL");
        break;
    case BST_KIND_INT2:
        bst_strbuf_adds(out, "_int(16)");
        break;
    case BST_KIND_INT4:
        bst_strbuf_adds(out, "_int(32)");
        break;
    case BST_KIND_INT8:
        bst_strbuf_adds(out, "_INT8");
        break;
    case BST_KIND_DECIMAL:
        bst_strbuf_addf(out, "_decimal(%u, %u)", type->precision, type->scale);
        break;
    case BST_KIND_ENUM:
        bst_strbuf_adds(out, "_enum(");
        bst__py_members(out, type, indent);
        bst_strbuf_addc(out, ')');
        break;
    case BST_KIND_UUID:
        bst_strbuf_adds(out, "_UUID");
        break;
    case BST_KIND_DATE:
        bst_strbuf_adds(out, "_DATE");
        break;
    case BST_KIND_TIMESTAMPTZ:
        bst_strbuf_adds(out, "_TIME");
        break;
    case BST_KIND_BYTEA:
        bst_strbuf_adds(out, "_BYTES");
        break;
    case BST_KIND_JSON:
        bst_strbuf_adds(out, "_JSON");
        break;
    default:
        bst_strbuf_adds(out, "_text(");
        if (type->kind != BST_KIND_TEXT && type->length > 0) {
            bst_strbuf_addf(out, "%u", (unsigned)type->length);
        }
        bst_strbuf_addc(out, ')');
    }
    bst_strbuf_adds(out, type->optional ? ")" : "");
}

/* `"Name": (Class, { ... }),`: on a line, or a line for each field. */
static void add_row(bst__py *py, const char *name, const char *class, const bst_field *fields,
                    uint32_t count) {
    bst_strbuf row = BST_STRBUF_INIT;
    for (int broken = 0; broken < 2; broken++) {
        bst_strbuf_clear(&row);
        bst_strbuf_adds(&row, "    ");
        bst__py_string(&row, name);
        bst_strbuf_addf(&row, broken ? ": (\n        %s,\n        {" : ": (%s, {", class);
        for (uint32_t i = 0; i < count; i++) {
            bst_strbuf_adds(&row, broken ? "\n            " : i == 0 ? "" : ", ");
            bst__py_string(&row, fields[i].name);
            bst_strbuf_adds(&row, ": ");
            add_codec(&row, &fields[i].type, broken ? 12 : 0);
            bst_strbuf_adds(&row, broken ? "," : "");
        }
        bst_strbuf_adds(&row, broken ? "\n        },\n    ),\n" : "}),\n");
        if (row.len <= BST__PY_WIDTH + 1) {
            break;
        }
    }
    bst_strbuf_add(py->out, row.text, row.len);
    py->failed = py->failed || row.failed;
    bst_strbuf_release(&row);
}

static void add_tables(bst__py *py) {
    const bst_machine *m = py->machine;
    bst_strbuf key = BST_STRBUF_INIT;
    bst_strbuf_adds(py->out, "\n\n"
                             "_Table: TypeAlias = dict[str, tuple[type[Any], dict[str, _Codec]]]\n"
                             "\n"
                             "# Fields in the order of the class; by the name they have in JSON.\n"
                             "_EVENTS: Final[_Table] = {\n");
    for (uint32_t i = 0; i < py->payload_count; i++) {
        const bst__payload *p = &py->payloads[i];
        bst_strbuf_clear(&key);
        bst_strbuf_adds(&key, m->events[p->event].name);
        if (p->version != 1) {
            bst_strbuf_addf(&key, ".v%u", (unsigned)p->version);
        }
        add_row(py, key.text, py->events[i], p->fields, p->field_count);
    }
    py->failed = py->failed || key.failed;
    bst_strbuf_release(&key);
    bst_strbuf_adds(py->out, "}\n_COMMANDS: Final[_Table] = {\n");
    for (uint32_t i = 0; i < m->command_count; i++) {
        const bst_command *c = &m->commands[i];
        add_row(py, c->name, py->commands[i], c->fields, c->field_count);
    }
    bst_strbuf_adds(py->out,
                    "}\n"
                    "_EVENT_NAMES: Final = {kind: name for name, (kind, _) in _EVENTS.items()}\n"
                    "_COMMAND_NAMES: Final = {kind: name for name, (kind, _) in "
                    "_COMMANDS.items()}\n");
}

static void add_envelopes(bst__py *py) {
    const char *p = py->prefix;
    bst_strbuf_addf(
        py->out,
        "\n\n"
        "def _read_interval(value: Any) -> tuple[datetime | None, datetime | None]:\n"
        "    if not isinstance(value, list) or len(value) != 2:\n"
        "        raise InvalidMessage(f\"{value!r} is not two times\")\n"
        "    low, high = value\n"
        "    return (\n"
        "        None if low == \"-infinity\" else _read_time(low),\n"
        "        None if high == \"infinity\" else _read_time(high),\n"
        "    )\n"
        "\n\n"
        "def _write_interval(value: Any) -> list[str]:\n"
        "    low, high = value\n"
        "    return [\n"
        "        \"-infinity\" if low is None else _write_time(low),\n"
        "        \"infinity\" if high is None else _write_time(high),\n"
        "    ]\n"
        "\n\n"
        "_EVENT_ENVELOPE: Final = {\n"
        "    \"id\": _UUID,\n"
        "    \"entity\": _text(),\n"
        "    \"version\": _checked(lambda value: type(value) is int and value >= 1, \"a "
        "version\"),\n"
        "    \"state\": _enum(*get_args(%sState)),\n"
        "    \"command\": _optional(_enum(*get_args(%sCommandName))),\n"
        "    \"occurred_at\": _TIME,\n"
        "    \"occurred_between\": _optional(_Codec(_read_interval, _write_interval)),\n"
        "    \"recorded_at\": _optional(_TIME),\n"
        "    \"basis\": _enum(*get_args(%sBasis)),\n"
        "    \"confidence\": _checked(\n"
        "        lambda value: type(value) in (int, float) and 0 <= value <= 1, \"a confidence\"\n"
        "    ),\n"
        "    \"source\": _optional(_text()),\n"
        "}\n"
        "_COMMAND_ENVELOPE: Final = {\n"
        "    \"entity\": _text(),\n"
        "    \"id\": _optional(_text()),\n"
        "    \"expected_version\": _optional(\n"
        "        _checked(lambda value: type(value) is int and value >= 0, \"a version\")\n"
        "    ),\n"
        "}\n",
        p, p, p);
}

/* ---- functions ---- */

static const char readers[] =
    "\n\n"
    "def _load(text: str | bytes) -> dict[str, Any]:\n"
    "    try:\n"
    "        message = json.loads(text)\n"
    "    except (ValueError, RecursionError) as error:\n"
    "        raise InvalidMessage(f\"no JSON: {error}\") from None\n"
    "    if not isinstance(message, dict):\n"
    "        raise InvalidMessage(\"a JSON object is wanted\")\n"
    "    return message\n"
    "\n\n"
    "def _read_fields(what: str, codecs: dict[str, _Codec], values: Any) -> list[Any]:\n"
    "    if not isinstance(values, dict):\n"
    "        raise InvalidMessage(f\"{what}: {values!r} is not an object\")\n"
    "    for key in values:\n"
    "        if key not in codecs:\n"
    "            raise InvalidMessage(f\"{what} has no {key!r}\")\n"
    "    fields = []\n"
    "    for key, codec in codecs.items():\n"
    "        try:\n"
    "            fields.append(codec.read(values.get(key)))\n"
    "        except ValueError as error:\n"
    "            raise InvalidMessage(f\"{key} of {what}: {error}\") from None\n"
    "    return fields\n"
    "\n\n"
    "def _key(name: Any, version: Any = 1) -> str:\n"
    "    if not isinstance(name, str) or not name.isidentifier() or type(version) is not int:\n"
    "        raise InvalidMessage(f\"type {name!r}, version {version!r} is not known\")\n"
    "    return name if version == 1 else f\"{name}.v{version}\"\n"
    "\n\n"
    "def _read_data(table: _Table, name: str, data: Any) -> Any:\n"
    "    if name not in table:\n"
    "        raise InvalidMessage(f\"type {name!r} is not known\")\n"
    "    kind, codecs = table[name]\n"
    "    return kind(**dict(zip(kind.__slots__, _read_fields(name, codecs, data), strict=True)))\n"
    "\n\n"
    "def _write_data(table: _Table, name: str, data: Any) -> dict[str, Any]:\n"
    "    kind, codecs = table[name]\n"
    "    fields = {}\n"
    "    for attribute, (key, codec) in zip(kind.__slots__, codecs.items(), strict=True):\n"
    "        value = codec.write(getattr(data, attribute))\n"
    "        if value is not None:\n"
    "            fields[key] = value\n"
    "    return fields\n"
    "\n\n"
    "def _dump(message: dict[str, Any]) -> str:\n"
    "    return json.dumps(message, ensure_ascii=False, allow_nan=False, separators=(\",\", "
    "\":\"))\n";

static void add_functions(bst__py *py) {
    const char *p = py->prefix;
    bst_strbuf_adds(py->out, readers);
    bst_strbuf_addf(
        py->out,
        "\n\n"
        "def parse_event(line: str | bytes) -> %sEvent:\n"
        "    \"\"\"An event from a line of JSON Lines; InvalidMessage when it is "
        "none.\"\"\"\n"
        "    message = _load(line)\n"
        "    key = _key(message.pop(\"type\", None), message.pop(\"type_version\", 1))\n"
        "    machine, data = (message.pop(key, None) for key in (\"machine\", \"data\"))\n"
        "    if machine != ",
        p);
    bst__py_string(py->out, py->machine->id);
    bst_strbuf_addf(
        py->out,
        ":\n"
        "        raise InvalidMessage(f\"an event of machine {machine!r}\")\n"
        "    values = zip(_EVENT_ENVELOPE, _read_fields(\"the event\", _EVENT_ENVELOPE, message))\n"
        "    return %sEvent(data=_read_data(_EVENTS, key, data), **dict(values))\n"
        "\n\n"
        "def dump_event(event: %sEvent) -> str:\n"
        "    \"\"\"The line that parse_event() reads.\"\"\"\n"
        "    values = {key: codec.write(getattr(event, key)) for key, codec in "
        "_EVENT_ENVELOPE.items()}\n"
        "    head = {\"id\": values.pop(\"id\"), \"machine\": ",
        p, p);
    bst__py_string(py->out, py->machine->id);
    bst_strbuf_addf(
        py->out,
        "}\n"
        "    head |= {key: values.pop(key) for key in (\"entity\", \"version\")}\n"
        "    head[\"type\"] = event.type\n"
        "    if event.type_version != 1:\n"
        "        head[\"type_version\"] = event.type_version\n"
        "    data = _write_data(_EVENTS, _key(event.type, event.type_version), event.data)\n"
        "    return _dump(head | {\"data\": data} | values)\n"
        "\n\n"
        "def parse_command(text: str | bytes) -> %sCommand:\n"
        "    \"\"\"A command from JSON; InvalidMessage when it is none.\"\"\"\n"
        "    message = _load(text)\n"
        "    name, data = (message.pop(key, None) for key in (\"type\", \"data\"))\n"
        "    values = zip(_COMMAND_ENVELOPE, _read_fields(\"the command\", _COMMAND_ENVELOPE, "
        "message))\n"
        "    return %sCommand(data=_read_data(_COMMANDS, _key(name), data), **dict(values))\n"
        "\n\n"
        "def dump_command(command: %sCommand) -> str:\n"
        "    \"\"\"The text that parse_command() reads.\"\"\"\n"
        "    values = {key: codec.write(getattr(command, key)) for key, codec in "
        "_COMMAND_ENVELOPE.items()}\n"
        "    known = {key: value for key, value in values.items() if value is not None}\n"
        "    data = _write_data(_COMMANDS, command.type, command.data)\n"
        "    return _dump({\"type\": command.type} | known | {\"data\": data})\n",
        p, p, p);
}

void bst__py_add_codecs(bst__py *py) {
    const uint32_t kinds = all_kinds(py);
    bst_strbuf_adds(py->out, basics);
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        if (kinds & codecs[i].kinds) {
            bst_strbuf_adds(py->out, codecs[i].text);
        }
    }
    add_tables(py);
    add_envelopes(py);
    add_functions(py);
}
