/* TypeScript: declarations of events and commands as JSON carries them. Unions are told apart by
 * `type`. Nothing is there at run time: a file of types costs its readers nothing.
 *
 * Decimals and int8 are strings; template literal types (`${number}`) keep other strings out.
 */
#include <string.h>

#include "emit_emissions_private.h"
#include "emit_names_private.h"
#include "emit_private.h"

#define ALTERNATIVES_WIDTH 80 /* of them on one line */

typedef struct writer {
    const bst_machine *machine;
    const bst__emission *emissions;
    bst_arena *arena;
    const char *prefix; /* "Payment" */
    const bst__payload *payloads;
    uint32_t payload_count;
    const char **events;   /* their interfaces, by payload */
    const char **commands; /* their interfaces */
    uint32_t kinds;        /* that occur, by bit */
    bst_strbuf *out;
    bool failed; /* out of memory */
} writer;

/* Names that TypeScript gives no interface, and ours. (Words of the language are no interface's
 * name either; those that do not begin with a capital letter are out of the way: events keep
 * theirs.) */
static const char *const reserved[] = {
    "any",          "as",         "async",     "await",    "bigint",    "boolean",    "break",
    "case",         "catch",      "class",     "const",    "continue",  "debugger",   "declare",
    "default",      "delete",     "do",        "else",     "enum",      "export",     "extends",
    "false",        "finally",    "for",       "function", "if",        "implements", "import",
    "in",           "instanceof", "interface", "let",      "never",     "new",        "null",
    "number",       "object",     "package",   "private",  "protected", "public",     "return",
    "static",       "string",     "super",     "switch",   "symbol",    "this",       "throw",
    "true",         "try",        "type",      "typeof",   "undefined", "unknown",    "var",
    "void",         "while",      "with",      "yield",    "Decimal",   "Int8",       "Timestamp",
    "CalendarDate", "Uuid",       "Bytes",     "Json",     "Basis",     "Record",     NULL};

/* ---- text ---- */

static void add_string(bst_strbuf *out, const char *text) {
    bst_strbuf_add_json(out, text, strlen(text)); /* JSON's strings are TypeScript's */
}

/* A comment: what the file says of a thing, safe inside. */
static void add_comment(writer *w, const char *indent, const char *label, const char *description) {
    if (!label && !description) {
        return;
    }
    bst_strbuf_addf(w->out, "%s/** ", indent);
    const char *const parts[] = {label, label && description ? ": " : NULL, description};
    for (size_t i = 0; i < 3; i++) {
        for (const char *p = parts[i]; p && *p; p++) {
            const bool ends = *p == '/' && p > parts[i] && p[-1] == '*';
            bst_strbuf_adds(w->out, ends ? "\\" : "");
            bst_strbuf_addc(w->out, (unsigned char)*p < ' ' ? ' ' : *p);
        }
    }
    bst_strbuf_adds(w->out, " */\n");
}

/* `| "a"` a line each, behind "export type X =", where they do not fit on one. */
static void add_union(writer *w, const char *name, const char *const *members, uint32_t count,
                      bool quoted) {
    bst_strbuf line = BST_STRBUF_INIT;
    bst_strbuf_addf(&line, "export type %s =", name);
    const size_t head = line.len;
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf_adds(&line, i == 0 ? " " : " | ");
        if (quoted) {
            add_string(&line, members[i]);
        } else {
            bst_strbuf_adds(&line, members[i]);
        }
    }
    if (line.len <= 99) {
        bst_strbuf_addf(w->out, "%s;\n", line.text);
    } else {
        bst_strbuf_add(w->out, line.text, head);
        for (uint32_t i = 0; i < count; i++) {
            bst_strbuf_adds(w->out, "\n  | ");
            if (quoted) {
                add_string(w->out, members[i]);
            } else {
                bst_strbuf_adds(w->out, members[i]);
            }
        }
        bst_strbuf_adds(w->out, ";\n");
    }
    w->failed = w->failed || line.failed;
    bst_strbuf_release(&line);
}

/* ---- types ---- */

static const char *type_name(bst_kind kind) {
    switch (kind) {
    case BST_KIND_BOOL:
        return "boolean";
    case BST_KIND_INT2:
    case BST_KIND_INT4:
        return "number";
    case BST_KIND_INT8:
        return "Int8";
    case BST_KIND_DECIMAL:
        return "Decimal";
    case BST_KIND_UUID:
        return "Uuid";
    case BST_KIND_DATE:
        return "CalendarDate";
    case BST_KIND_TIMESTAMPTZ:
        return "Timestamp";
    case BST_KIND_BYTEA:
        return "Bytes";
    case BST_KIND_JSON:
        return "Json";
    default:
        return "string";
    }
}

/* `"a" | "b"`, or a line each where they are many. */
static void add_alternatives(writer *w, const char *const *names, uint32_t count) {
    const size_t start = w->out->len;
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf_adds(w->out, i == 0 ? "" : " | ");
        add_string(w->out, names[i]);
    }
    if (w->out->failed || w->out->len - start < ALTERNATIVES_WIDTH) {
        return;
    }
    w->out->len = start;
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf_adds(w->out, "\n      | ");
        add_string(w->out, names[i]);
    }
}

static void add_type(writer *w, const bst_type *type) {
    if (type->kind == BST_KIND_ENUM) {
        add_alternatives(w, type->members, type->member_count);
    } else {
        bst_strbuf_adds(w->out, type_name(type->kind));
    }
    bst_strbuf_adds(w->out, type->optional ? " | null" : "");
}

static void add_payload(writer *w, const bst_field *fields, uint32_t count) {
    if (count == 0) {
        bst_strbuf_adds(w->out, "  data: Record<string, never>;\n");
        return;
    }
    bst_strbuf_adds(w->out, "  data: {\n");
    for (uint32_t i = 0; i < count; i++) {
        add_comment(w, "    ", fields[i].label, fields[i].description);
        bst_strbuf_addf(w->out, "    %s%s: ", fields[i].name, fields[i].type.optional ? "?" : "");
        add_type(w, &fields[i].type);
        bst_strbuf_adds(w->out, ";\n");
    }
    bst_strbuf_adds(w->out, "  };\n");
}

static void look_at(writer *w, const bst_field *fields, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        w->kinds |= 1u << fields[i].type.kind;
    }
}

static void add_shared_types(writer *w) {
    static const struct {
        bst_kind kind;
        const char *text;
    } types[] = {
        {BST_KIND_DECIMAL, "/** An exact decimal, \"12.30\": a number would not hold it. */\n"
                           "export type Decimal = `${number}`;\n"},
        {BST_KIND_INT8, "/** A 64-bit integer, \"9007199254740993\": a number would not hold it. "
                        "*/\nexport type Int8 = `${bigint}`;\n"},
        {BST_KIND_TIMESTAMPTZ,
         "/** ISO 8601 in UTC, to the microsecond: \"2024-02-29T12:00:00.5Z\"; or \"infinity\", "
         "\"-infinity\". */\nexport type Timestamp = string;\n"},
        {BST_KIND_DATE, "/** \"2024-02-29\" */\nexport type CalendarDate = string;\n"},
        {BST_KIND_UUID, "/** In lower case. */\nexport type Uuid = string;\n"},
        {BST_KIND_BYTEA, "/** Bytes in hexadecimal: \"\\\\x00ff\". */\n"
                         "export type Bytes = string;\n"},
        {BST_KIND_JSON, "export type Json =\n"
                        "  string | number | boolean | (Json | null)[] | { [key: string]: Json | "
                        "null };\n"},
    };
    const bst_machine *m = w->machine;
    w->kinds = 1u << BST_KIND_TIMESTAMPTZ | 1u << BST_KIND_UUID; /* the envelope's */
    for (uint32_t i = 0; i < w->payload_count; i++) {
        look_at(w, w->payloads[i].fields, w->payloads[i].field_count);
    }
    for (uint32_t i = 0; i < m->command_count; i++) {
        look_at(w, m->commands[i].fields, m->commands[i].field_count);
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (w->kinds & 1u << types[i].kind) {
            bst_strbuf_adds(w->out, types[i].text);
        }
    }
}

/* ---- events and commands ---- */

static void add_states(writer *w) {
    const bst_machine *m = w->machine;
    const char **names = bst_arena_array(w->arena, m->state_count, sizeof *names);
    w->failed = w->failed || !names;
    for (uint32_t i = 0; names && i < m->state_count; i++) {
        names[i] = m->states[i].name;
    }
    if (names) {
        const char *name = bst_arena_printf(w->arena, "%sState", w->prefix);
        add_union(w, name ? name : "", names, m->state_count, true);
        w->failed = w->failed || !name;
    }
}

static void add_envelopes(writer *w) {
    bst_strbuf_addf(w->out,
                    "\n/** What surrounds the payload of every event. */\n"
                    "export interface %sEventEnvelope {\n"
                    "  /** The same in every run and every store. */\n"
                    "  id: Uuid;\n"
                    "  machine: ",
                    w->prefix);
    add_string(w->out, w->machine->id);
    bst_strbuf_adds(w->out, ";\n"
                            "  entity: string;\n"
                            "  /** The how-manieth event of its entity, from 1. */\n"
                            "  version: number;\n"
                            "  occurred_at: Timestamp;\n"
                            "  /** Where the time is not recorded: it lies between the two. */\n"
                            "  occurred_between: [Timestamp, Timestamp] | null;\n"
                            "  /** When the store learnt of it. */\n"
                            "  recorded_at: Timestamp | null;\n"
                            "  basis: ");
    for (size_t i = 0; bst__basis_words[i]; i++) {
        bst_strbuf_adds(w->out, i == 0 ? "" : " | ");
        add_string(w->out, bst__basis_words[i]);
    }
    bst_strbuf_addf(
        w->out,
        ";\n"
        "  /** More than 0; 1 is certain. */\n"
        "  confidence: number;\n"
        "  source: string | null;\n"
        "}\n\n"
        "/** What surrounds the payload of every command. */\n"
        "export interface %sCommandEnvelope {\n"
        "  entity: string;\n"
        "  /** The same command again has the same id, and changes nothing. */\n"
        "  id?: string;\n"
        "  /** The version of the entity that was decided on; 0: there is none yet. */\n"
        "  expected_version?: number;\n"
        "}\n",
        w->prefix);
}

static void add_event(writer *w, uint32_t number) {
    const bst_machine *m = w->machine;
    const bst__payload *payload = &w->payloads[number];
    const bst_event_type *type = &m->events[payload->event];
    const bst__emission *emission = &w->emissions[payload->event];
    const uint32_t most = emission->state_count > emission->command_count ? emission->state_count
                                                                          : emission->command_count;
    const char **names = bst_arena_array(w->arena, most, sizeof *names);
    if (!names) {
        w->failed = true;
        return;
    }
    bst_strbuf_addc(w->out, '\n');
    add_comment(w, "", type->label, type->description);
    bst_strbuf_addf(w->out,
                    "export interface %s extends %sEventEnvelope {\n  type: ", w->events[number],
                    w->prefix);
    add_string(w->out, type->name);
    if (payload->version != 1 || type->version != 1) { /* 1 where it is not there */
        bst_strbuf_addf(w->out, ";\n  type_version%s: %u", payload->version == 1 ? "?" : "",
                        (unsigned)payload->version);
    }
    bst_strbuf_adds(w->out, ";\n  state: ");
    for (uint32_t i = 0; i < emission->state_count; i++) {
        names[i] = m->states[emission->states[i]].name;
    }
    add_alternatives(w, names, emission->state_count);
    if (emission->state_count == 0) { /* nothing emits it today */
        bst_strbuf_addf(w->out, "%sState", w->prefix);
    }
    bst_strbuf_adds(w->out, ";\n  command: ");
    for (uint32_t i = 0; i < emission->command_count; i++) {
        names[i] = m->commands[emission->commands[i]].name;
    }
    add_alternatives(w, names, emission->command_count);
    bst_strbuf_adds(w->out, emission->command_count == 0 ? "null;\n" : " | null;\n");
    add_payload(w, payload->fields, payload->field_count);
    bst_strbuf_adds(w->out, "}\n");
}

static void add_command(writer *w, uint32_t command) {
    const bst_command *type = &w->machine->commands[command];
    bst_strbuf_addc(w->out, '\n');
    add_comment(w, "", type->label, type->description);
    bst_strbuf_addf(w->out, "export interface %s extends %sCommandEnvelope {\n  type: ",
                    w->commands[command], w->prefix);
    add_string(w->out, type->name);
    bst_strbuf_adds(w->out, ";\n");
    add_payload(w, type->fields, type->field_count);
    bst_strbuf_adds(w->out, "}\n");
}

/* ---- the file ---- */

static bool name_all(writer *w, bst__names **names, const bst_emit_options *options) {
    static const char *const ours[] = {"State", "Event", "EventEnvelope", "Command",
                                       "CommandEnvelope"};
    const bst_machine *m = w->machine;
    w->prefix = bst__names_camel(w->arena, options->prefix ? options->prefix : m->id);
    w->events = bst_arena_array(w->arena, w->payload_count, sizeof *w->events);
    w->commands = bst_arena_array(w->arena, m->command_count, sizeof *w->commands);
    bool ok =
        w->prefix && w->events && w->commands && bst__names_reserve(names, w->arena, reserved);
    for (size_t i = 0; ok && i < sizeof ours / sizeof ours[0]; i++) {
        ok = bst__names_claim(names, w->arena, "%s%s", w->prefix, ours[i]) != NULL;
    }
    for (uint32_t i = 0; ok && i < w->payload_count; i++) {
        w->events[i] = bst__names_claim_payload(names, w->arena, m, &w->payloads[i]);
        ok = w->events[i] != NULL;
    }
    for (uint32_t i = 0; ok && i < m->command_count; i++) {
        const char *camel = bst__names_camel(w->arena, m->commands[i].name);
        w->commands[i] = camel ? bst__names_claim(names, w->arena, "%sCommand", camel) : NULL;
        ok = w->commands[i] != NULL;
    }
    return ok;
}

static void add_file(writer *w) {
    const bst_machine *m = w->machine;
    bst_strbuf_adds(w->out, "/*\n * ");
    bst__emit_notice(m, w->out);
    bst_strbuf_adds(w->out, "\n * It is yours, under any terms you like.\n */\n\n");
    add_shared_types(w);
    bst_strbuf_addc(w->out, '\n');
    add_states(w);
    add_envelopes(w);
    for (uint32_t i = 0; i < w->payload_count; i++) {
        add_event(w, i);
    }
    bst_strbuf_addc(w->out, '\n');
    const char *name = bst_arena_printf(w->arena, "%sEvent", w->prefix);
    add_union(w, name ? name : "", w->events, w->payload_count, false);
    for (uint32_t i = 0; i < m->command_count; i++) {
        add_command(w, i);
    }
    bst_strbuf_addc(w->out, '\n');
    name = bst_arena_printf(w->arena, "%sCommand", w->prefix);
    add_union(w, name ? name : "", w->commands, m->command_count, false);
}

bst_status bst__emit_typescript(const bst_machine *machine, const bst_emit_options *options,
                                bst_emit_files *files, bst_diags *diags) {
    writer w = {.machine = machine, .arena = bst_arena_new(), .out = &files->file[0].text};
    bst__names *names = NULL;
    w.emissions = w.arena ? bst__emissions(machine, w.arena) : NULL;
    w.payloads = w.arena ? bst__payloads(machine, w.arena, &w.payload_count) : NULL;
    w.failed = !w.emissions || !w.payloads || !name_all(&w, &names, options);
    if (!w.failed) {
        add_file(&w);
    }
    bst__names_free(&names);
    bst_arena_free(w.arena);
    return w.failed ? bst_diag_nomem(diags) : BST_OK;
}
