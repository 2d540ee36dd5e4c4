/* Python: a dataclass for the payload of each event and command, one for what surrounds them, and
 * functions that read and write them as JSON.
 *
 * Values are Python's exact ones: Decimal, int, datetime, date, UUID, bytes. What is read is
 * checked as strictly as the store does. The codecs stand in emit_python_codec.c; a file has those
 * that it uses.
 */
#include "emit_python_private.h"

#include "emit_names_private.h"
#include "emit_private.h"

/* What is a word of the language, and what annotations and codecs are made of: a field of such a
 * name would stand before it inside its class. */
static const char *const words[] = {
    "False",   "None",     "True",     "and",     "as",   "assert", "async",   "await",
    "break",   "class",    "continue", "def",     "del",  "elif",   "else",    "except",
    "finally", "for",      "from",     "global",  "if",   "import", "in",      "is",
    "lambda",  "nonlocal", "not",      "or",      "pass", "raise",  "return",  "try",
    "while",   "with",     "yield",    "bool",    "int",  "str",    "bytes",   "float",
    "tuple",   "date",     "datetime", "Decimal", "UUID", "Any",    "Literal", NULL};
/* What the module itself uses at its top. */
static const char *const globals[] = {
    "json",        "re",         "UTC",           "Union",        "TypeAlias",
    "Final",       "NamedTuple", "Callable",      "dataclass",    "dict",
    "list",        "isinstance", "object",        "property",     "type",
    "len",         "zip",        "frozenset",     "ValueError",   "InvalidMessage",
    "parse_event", "dump_event", "parse_command", "dump_command", NULL};

/* ---- text ---- */

/* Inside """ ... """. */
static void add_doc_text(bst_strbuf *out, const char *text) {
    for (const char *p = text; *p; p++) {
        if (*p == '\\' || *p == '"') {
            bst_strbuf_addc(out, '\\');
        }
        bst_strbuf_addc(out, (unsigned char)*p < ' ' ? ' ' : *p);
    }
}

static void add_docstring(bst__py *py, const char *label, const char *description) {
    bst_strbuf_adds(py->out, "    \"\"\"");
    add_doc_text(py->out, label ? label : description);
    if (label && description) {
        bst_strbuf_adds(py->out, ": ");
        add_doc_text(py->out, description);
    }
    bst_strbuf_adds(py->out, "\"\"\"\n");
}

/* `Name: TypeAlias = Kind["a", "b"]`, broken up where it is long. */
static void add_alias(bst__py *py, const char *name, const char *kind, const char *const *members,
                      uint32_t count, bool quoted) {
    bst_strbuf line = BST_STRBUF_INIT;
    bst_strbuf_addf(&line, "%s: TypeAlias = %s[", name, kind);
    const size_t head = line.len;
    for (int broken = 0; broken < 2; broken++) {
        for (uint32_t i = 0; i < count; i++) {
            bst_strbuf_adds(&line, broken ? "\n    " : i == 0 ? "" : ", ");
            if (quoted) {
                bst__py_string(&line, members[i]);
            } else {
                bst_strbuf_adds(&line, members[i]);
            }
            bst_strbuf_adds(&line, broken ? "," : "");
        }
        if (line.failed || broken || line.len < BST__PY_WIDTH) {
            bst_strbuf_addf(py->out, "%s%s]\n", line.text, broken ? "\n" : "");
            break;
        }
        line.len = head;
        line.text[head] = '\0';
    }
    py->failed = py->failed || line.failed;
    bst_strbuf_release(&line);
}

/* ---- types ---- */

static const char *type_name(bst_kind kind) {
    switch (kind) {
    case BST_KIND_BOOL:
        return "bool";
    case BST_KIND_INT2:
    case BST_KIND_INT4:
    case BST_KIND_INT8:
        return "int";
    case BST_KIND_DECIMAL:
        return "Decimal";
    case BST_KIND_UUID:
        return "UUID";
    case BST_KIND_DATE:
        return "date";
    case BST_KIND_TIMESTAMPTZ:
        return "datetime";
    case BST_KIND_BYTEA:
        return "bytes";
    case BST_KIND_JSON:
        return "Any";
    default:
        return "str";
    }
}

static void add_type(bst__py *py, const bst_type *type) {
    if (type->kind == BST_KIND_ENUM) {
        bst_strbuf_adds(py->out, "Literal[");
        bst__py_members(py->out, type, 4);
        bst_strbuf_addc(py->out, ']');
    } else {
        bst_strbuf_adds(py->out, type_name(type->kind));
    }
    bst_strbuf_adds(py->out, type->optional ? " | None = None" : "");
}

/* ---- classes ---- */

static void add_class(bst__py *py, const char *name, const char *label, const char *description,
                      const bst_field *fields, const char *const *attributes, uint32_t count) {
    bst_strbuf_addf(py->out, "\n\n@dataclass(frozen=True, slots=True, kw_only=True)\nclass %s:\n",
                    name);
    if (label || description) {
        add_docstring(py, label, description);
        bst_strbuf_adds(py->out, count > 0 ? "\n" : "");
    } else if (count == 0) {
        bst_strbuf_adds(py->out, "    pass\n");
    }
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf_addf(py->out, "    %s: ", attributes[i]);
        add_type(py, &fields[i].type);
        bst_strbuf_addc(py->out, '\n');
        if (fields[i].label || fields[i].description) {
            add_docstring(py, fields[i].label, fields[i].description);
        }
    }
}

static void add_classes(bst__py *py) {
    const bst_machine *m = py->machine;
    for (uint32_t i = 0; i < py->payload_count; i++) {
        const bst__payload *p = &py->payloads[i];
        const bst_event_type *e = &m->events[p->event];
        add_class(py, py->events[i], e->label, e->description, p->fields, py->event_fields[i],
                  p->field_count);
    }
    bst_strbuf_adds(py->out, "\n\n");
    add_alias(py, py->event_data, "Union", py->events, py->payload_count, false);
    for (uint32_t i = 0; i < m->command_count; i++) {
        const bst_command *c = &m->commands[i];
        add_class(py, py->commands[i], c->label, c->description, c->fields, py->command_fields[i],
                  c->field_count);
    }
    bst_strbuf_adds(py->out, "\n\n");
    add_alias(py, py->command_data, "Union", py->commands, m->command_count, false);
}

static void add_envelopes(bst__py *py) {
    bst_strbuf_addf(py->out,
                    "\n\n@dataclass(frozen=True, slots=True, kw_only=True)\n"
                    "class %sEvent:\n"
                    "    \"\"\"An event, and what the store knows of it.\"\"\"\n\n"
                    "    id: UUID\n"
                    "    entity: str\n"
                    "    version: int\n"
                    "    data: %s\n"
                    "    state: %sState\n"
                    "    command: %sCommandName | None\n"
                    "    occurred_at: datetime\n"
                    "    occurred_between: tuple[datetime | None, datetime | None] | None\n"
                    "    \"\"\"Where the time is not recorded; None at an open end.\"\"\"\n"
                    "    recorded_at: datetime | None\n"
                    "    basis: %sBasis\n"
                    "    confidence: float\n"
                    "    source: str | None\n\n"
                    "    @property\n"
                    "    def type(self) -> str:\n"
                    "        return _EVENT_NAMES[type(self.data)].partition(\".v\")[0]\n\n"
                    "    @property\n"
                    "    def type_version(self) -> int:\n"
                    "        return int(_EVENT_NAMES[type(self.data)].partition(\".v\")[2] or 1)\n",
                    py->prefix, py->event_data, py->prefix, py->prefix, py->prefix);
    bst_strbuf_addf(
        py->out,
        "\n\n@dataclass(frozen=True, slots=True, kw_only=True)\n"
        "class %sCommand:\n"
        "    \"\"\"A wish: what an entity is asked to do.\"\"\"\n\n"
        "    entity: str\n"
        "    data: %s\n"
        "    id: str | None = None\n"
        "    \"\"\"The same command again has the same id, and changes nothing.\"\"\"\n"
        "    expected_version: int | None = None\n"
        "    \"\"\"The version of the entity that was decided on; 0: there is none yet.\"\"\"\n\n"
        "    @property\n"
        "    def type(self) -> str:\n"
        "        return _COMMAND_NAMES[type(self.data)]\n",
        py->prefix, py->command_data);
}

/* ---- names ---- */

static const char **name_fields(bst__py *py, const bst_field *fields, uint32_t count) {
    bst__names *names = NULL;
    const char **list = bst_arena_array(py->arena, (size_t)count + 1, sizeof *list);
    bool ok = list && bst__names_reserve(&names, py->arena, words);
    for (uint32_t i = 0; ok && i < count; i++) {
        list[i] = bst__names_claim(&names, py->arena, "%s", fields[i].name);
        ok = list[i] != NULL;
    }
    bst__names_free(&names);
    py->failed = py->failed || !ok;
    return list;
}

static const char *claim(bst__py *py, bst__names **names, const char *name, const char *tail) {
    const char *claimed =
        py->failed ? NULL : bst__names_claim(names, py->arena, "%s%s", name, tail);
    py->failed = py->failed || !claimed;
    return claimed ? claimed : "";
}

static void name_all(bst__py *py, bst__names **names, const bst_emit_options *options) {
    static const char *const ours[] = {"State", "CommandName", "Basis", "Event", "Command"};
    const bst_machine *m = py->machine;
    py->payloads = bst__payloads(m, py->arena, &py->payload_count);
    py->prefix = bst__names_camel(py->arena, options->prefix ? options->prefix : m->id);
    py->events = bst_arena_array(py->arena, py->payload_count, sizeof *py->events);
    py->commands = bst_arena_array(py->arena, m->command_count, sizeof *py->commands);
    py->event_fields = bst_arena_array(py->arena, py->payload_count, sizeof *py->event_fields);
    py->command_fields = bst_arena_array(py->arena, m->command_count, sizeof *py->command_fields);
    py->failed = !py->payloads || !py->prefix || !py->events || !py->commands ||
                 !py->event_fields || !py->command_fields ||
                 !bst__names_reserve(names, py->arena, words) ||
                 !bst__names_reserve(names, py->arena, globals);
    for (size_t i = 0; !py->failed && i < sizeof ours / sizeof ours[0]; i++) {
        (void)claim(py, names, py->prefix, ours[i]);
    }
    for (uint32_t i = 0; !py->failed && i < py->payload_count; i++) {
        const bst__payload *p = &py->payloads[i];
        py->events[i] = bst__names_claim_payload(names, py->arena, m, p);
        py->failed = !py->events[i];
        py->event_fields[i] = name_fields(py, p->fields, p->field_count);
    }
    for (uint32_t i = 0; !py->failed && i < m->command_count; i++) {
        const char *camel = bst__names_camel(py->arena, m->commands[i].name);
        py->failed = !camel;
        py->commands[i] = claim(py, names, camel, "");
        py->command_fields[i] = name_fields(py, m->commands[i].fields, m->commands[i].field_count);
    }
    py->event_data = claim(py, names, py->prefix, "EventData");
    py->command_data = claim(py, names, py->prefix, "CommandData");
}

/* ---- the file ---- */

static void add_head(bst__py *py) {
    const bst_machine *m = py->machine;
    bst_strbuf_adds(py->out, "\"\"\"Events and commands of ");
    add_doc_text(py->out, m->label ? m->label : m->id);
    if (m->description) {
        bst_strbuf_adds(py->out, ".\n\n");
        add_doc_text(py->out, m->description);
        bst_strbuf_adds(py->out, "\n\n");
    } else {
        bst_strbuf_adds(py->out, ".\n\n");
    }
    bst__emit_notice(m, py->out);
    bst_strbuf_addf(py->out,
                    "\nIt is yours, under any terms you like. It needs Python 3.11.\n\n"
                    "    for line in open(\"events.jsonl\", encoding=\"utf-8\"):\n"
                    "        event = parse_event(line)\n"
                    "        match event.data:\n"
                    "            case %s():\n"
                    "                ...\n"
                    "\"\"\"\n\n",
                    py->events[0]);
}

static void add_literals(bst__py *py) {
    const bst_machine *m = py->machine;
    const uint32_t most = m->state_count > m->command_count ? m->state_count : m->command_count;
    const char **names = bst_arena_array(py->arena, most, sizeof *names);
    bst_strbuf name = BST_STRBUF_INIT;
    uint32_t bases = 0;
    if (!names) {
        py->failed = true;
        return;
    }
    bst_strbuf_addc(py->out, '\n');
    for (uint32_t i = 0; i < m->state_count; i++) {
        names[i] = m->states[i].name;
    }
    bst_strbuf_addf(&name, "%sState", py->prefix);
    add_alias(py, name.text, "Literal", names, m->state_count, true);
    for (uint32_t i = 0; i < m->command_count; i++) {
        names[i] = m->commands[i].name;
    }
    bst_strbuf_clear(&name);
    bst_strbuf_addf(&name, "%sCommandName", py->prefix);
    add_alias(py, name.text, "Literal", names, m->command_count, true);
    while (bst__basis_words[bases]) {
        bases++;
    }
    bst_strbuf_clear(&name);
    bst_strbuf_addf(&name, "%sBasis", py->prefix);
    add_alias(py, name.text, "Literal", bst__basis_words, bases, true);
    py->failed = py->failed || name.failed;
    bst_strbuf_release(&name);
}

bst_status bst__emit_python(const bst_machine *machine, const bst_emit_options *options,
                            bst_emit_files *files, bst_diags *diags) {
    bst__py py = {.machine = machine, .arena = bst_arena_new(), .out = &files->file[0].text};
    bst__names *names = NULL;
    py.failed = !py.arena;
    if (!py.failed) {
        name_all(&py, &names, options);
    }
    if (!py.failed) {
        add_head(&py);
        bst__py_add_imports(&py);
        add_literals(&py);
        add_classes(&py);
        add_envelopes(&py);
        bst__py_add_codecs(&py);
    }
    bst__names_free(&names);
    bst_arena_free(py.arena);
    return py.failed ? bst_diag_nomem(diags) : BST_OK;
}
