/* A random machine file: fields of many types, events that change them by expressions, guards over
 * the entity and the command, several candidates a command, unusual events, two ways to be born.
 * The same seed gives the same text on every machine.
 *
 * Command ci emits event Ei, or En, which carries nothing; both carry what "commands" and "events"
 * say, so a guard may read any field of its command.
 */
#ifndef BACKSTORY_TESTS_RANDOM_MACHINE_H
#define BACKSTORY_TESTS_RANDOM_MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "backstory/strbuf.h"
#include "random.h"

typedef struct random_field {
    char name[8];
    char group; /* what it compares with: n(umber) t(ext) b(ool) u(uid) e(num) d(ate) m(oment) */
    const char *type; /* without `?` */
    int scale, size;  /* of numbers: digits after the point, rank of the type */
    bool optional;
} random_field;

typedef struct random_spec {
    bool builtin; /* with a genesis and a reconciliation */
    uint64_t state;
    bst_strbuf out;
    random_field fields[8];
    uint32_t field_count;
    random_field payload[6][4]; /* by command */
    uint32_t payload_count[6];
    uint32_t command_count, state_count;
} random_spec;

static inline uint32_t random_pick(random_spec *r, uint32_t bound) {
    return (uint32_t)(random_next(&r->state) % bound);
}

static inline random_field random_new_field(random_spec *r, const char *prefix, uint32_t number) {
    static const random_field kinds[] = {
        {"", 'n', "int2", 0, 1, false},          {"", 'n', "int4", 0, 2, false},
        {"", 'n', "int8", 0, 3, false},          {"", 'n', "decimal(6,2)", 2, 1, false},
        {"", 'n', "decimal(18,4)", 4, 3, false}, {"", 't', "text", 0, 0, false},
        {"", 't', "varchar(12)", 0, 0, false},   {"", 't', "char(3)", 0, 0, false},
        {"", 'b', "bool", 0, 0, false},          {"", 'u', "uuid", 0, 0, false},
        {"", 'e', "enum(a,b,c)", 0, 0, false},   {"", 'd', "date", 0, 0, false},
        {"", 'm', "timestamptz", 0, 0, false}};
    random_field field = kinds[random_pick(r, sizeof kinds / sizeof kinds[0])];
    field.name[0] = prefix[0];
    field.name[1] = (char)('0' + number);
    field.optional = random_pick(r, 3) == 0;
    return field;
}

static inline const char *random_default(const random_field *field) {
    switch (field->group) {
    case 'n':
        return strncmp(field->type, "dec", 3) == 0 ? "\"1.5\"" : "7";
    case 't':
        return "\"abc\"";
    case 'b':
        return "true";
    case 'u':
        return "\"00000000-0000-0000-0000-00000000002a\"";
    case 'e':
        return "\"b\"";
    case 'd':
        return "\"2001-02-03\"";
    default:
        return "\"2020-01-01T00:00:00Z\"";
    }
}

/* A field that an expression reads: `f1` or `command.p0`. */
typedef struct random_operand {
    const random_field *field; /* NULL: there is none of that kind */
    const char *root;
} random_operand;

/* One of a group ('\0': any), among the entity's fields and the payload of a command. */
static inline random_operand random_operand_of(random_spec *r, uint32_t command, char group,
                                               const char *root) {
    random_operand found[12];
    uint32_t count = 0;
    for (uint32_t i = 0; i < r->field_count; i++) {
        if (group == '\0' || r->fields[i].group == group) {
            found[count++] = (random_operand){&r->fields[i], ""};
        }
    }
    for (uint32_t i = 0; i < r->payload_count[command]; i++) {
        if (group == '\0' || r->payload[command][i].group == group) {
            found[count++] = (random_operand){&r->payload[command][i], root};
        }
    }
    return count == 0 ? (random_operand){NULL, ""} : found[random_pick(r, count)];
}

/* `(has(f1) && ` for each optional one, so that the rest may use them. Returns how many to close.
 */
static inline int random_ask(random_spec *r, random_operand a, random_operand b) {
    int open = 0;
    if (a.field->optional) {
        bst_strbuf_addf(&r->out, "(has(%s%s) && ", a.root, a.field->name);
        open++;
    }
    if (b.field && b.field->optional) {
        bst_strbuf_addf(&r->out, "(has(%s%s) && ", b.root, b.field->name);
        open++;
    }
    return open;
}

static inline void random_comparison(random_spec *r, uint32_t command) {
    static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">="};
    const random_operand a = random_operand_of(r, command, '\0', "command.");
    const random_operand b = random_operand_of(r, command, a.field->group, "command.");
    const bool ordered = strchr("ntdm", a.field->group) != NULL;
    const uint32_t op = random_pick(r, ordered ? 6 : 2);
    const bool sum = a.field->group == 'n' && random_pick(r, 3) == 0;
    const int open = op >= 2 || sum ? random_ask(r, a, b) : 0;
    bst_strbuf_addf(&r->out, "%s%s", a.root, a.field->name);
    if (sum) {
        bst_strbuf_addf(&r->out, " %s %s%s", random_pick(r, 2) ? "+" : "*", b.root, b.field->name);
    }
    bst_strbuf_addf(&r->out, " %s ", ops[op]);
    if (sum || (a.field->group == 'n' && random_pick(r, 3) == 0)) {
        bst_strbuf_addf(&r->out, "%d", (int)random_pick(r, 40));
    } else {
        bst_strbuf_addf(&r->out, "%s%s", b.root, b.field->name);
    }
    for (int i = 0; i < open; i++) {
        bst_strbuf_addc(&r->out, ')');
    }
}

static inline void random_guard(random_spec *r, uint32_t command, int depth) {
    switch (depth == 0 ? 4 : random_pick(r, 6)) {
    case 0:
    case 1:
        bst_strbuf_addc(&r->out, '(');
        random_guard(r, command, depth - 1);
        bst_strbuf_adds(&r->out, random_pick(r, 2) ? " && " : " || ");
        random_guard(r, command, depth - 1);
        bst_strbuf_addc(&r->out, ')');
        break;
    case 2:
        bst_strbuf_adds(&r->out, "!(");
        random_guard(r, command, depth - 1);
        bst_strbuf_addc(&r->out, ')');
        break;
    case 3:
        bst_strbuf_addc(&r->out, '(');
        random_guard(r, command, depth - 1);
        bst_strbuf_adds(&r->out, " ? ");
        random_guard(r, command, depth - 1);
        bst_strbuf_adds(&r->out, " : ");
        random_guard(r, command, depth - 1);
        bst_strbuf_addc(&r->out, ')');
        break;
    default:
        random_comparison(r, command);
    }
}

/* What an event does to one field of the entity; false when it is left alone. */
static inline bool random_apply(random_spec *r, uint32_t command, const random_field *f) {
    const char *name = f->name;
    const char *or_null = f->optional ? "null" : name;
    if (f->group == 'n') {
        const random_operand x = random_operand_of(r, command, 'n', "event.");
        if (x.field->scale > f->scale) {
            return false;
        }
        bst_strbuf_addf(&r->out, "\"%s\": \"", name);
        const int open = f->optional || x.field->optional;
        bst_strbuf_adds(&r->out, f->optional ? "has(" : "");
        bst_strbuf_addf(&r->out, "%s%s", f->optional ? name : "", f->optional ? ")" : "");
        bst_strbuf_adds(&r->out, f->optional && x.field->optional ? " && " : "");
        if (x.field->optional) {
            bst_strbuf_addf(&r->out, "has(%s%s)", x.root, x.field->name);
        }
        bst_strbuf_addf(&r->out, "%s%s %s %s%s", open ? " ? " : "", name,
                        random_pick(r, 2) ? "+" : "-", x.root, x.field->name);
        bst_strbuf_addf(&r->out, "%s%s\"", open ? " : " : "", open ? or_null : "");
        return true;
    }
    switch (f->group) {
    case 'b':
        bst_strbuf_addf(&r->out, "\"%s\": \"%s%s\"", name, f->optional ? "" : "!", name);
        return true;
    case 'e':
        bst_strbuf_addf(&r->out, "\"%s\": \"%s == 'a' ? 'b' : 'c'\"", name, name);
        return true;
    case 'm':
        bst_strbuf_addf(&r->out, "\"%s\": \"%s%s%s%s + duration('P%uD')%s\"", name,
                        f->optional ? "has(" : "", f->optional ? name : "",
                        f->optional ? ") ? " : "", name, (unsigned)random_pick(r, 50),
                        f->optional ? " : null" : "");
        return true;
    default:
        return false;
    }
}

static inline void random_field_list(random_spec *r, const random_field *fields, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf_addf(&r->out, "%s\"%s\": \"%s%s\"", i == 0 ? "" : ", ", fields[i].name,
                        fields[i].type, fields[i].optional ? "?" : "");
    }
}

static inline void random_declarations(random_spec *r) {
    bst_strbuf_adds(&r->out, "\"fields\": {");
    for (uint32_t i = 0; i < r->field_count; i++) {
        const random_field *f = &r->fields[i];
        bst_strbuf_addf(&r->out, "%s\"%s\": {\"type\": \"%s%s\"", i == 0 ? "" : ",\n  ", f->name,
                        f->type, f->optional ? "?" : "");
        if (random_pick(r, 6) !=
            0) { /* without: a required field that some creation leaves unset */
            bst_strbuf_addf(&r->out, ", \"default\": %s", random_default(f));
        }
        bst_strbuf_adds(&r->out, "}");
    }
    bst_strbuf_adds(&r->out, "},\n\"events\": {\"En\": {}, \"Eb\": {\"fields\": {");
    random_field_list(r, r->fields, 2);
    bst_strbuf_adds(&r->out, "}}");
    for (uint32_t c = 0; c < r->command_count; c++) {
        bst_strbuf_addf(&r->out, ",\n  \"E%u\": {\"fields\": {", c);
        random_field_list(r, r->payload[c], r->payload_count[c]);
        bst_strbuf_adds(&r->out, "}, \"apply\": {");
        bool any = false;
        for (uint32_t i = 0; i < r->field_count; i++) {
            const size_t before = r->out.len;
            if (any) {
                bst_strbuf_adds(&r->out, ", ");
            }
            if (random_pick(r, 2) == 0 && random_apply(r, c, &r->fields[i])) {
                any = true;
            } else { /* the comma goes again */
                r->out.len = before;
                r->out.text[before] = '\0';
            }
        }
        bst_strbuf_adds(&r->out, "}}");
    }
    if (r->builtin) {
        bst_strbuf_adds(&r->out, ",\n  \"Eg\": {\"builtin\": \"genesis\"}, \"Er\": {\"builtin\": "
                                 "\"reconcile\"}");
    }
    bst_strbuf_adds(&r->out, "},\n\"commands\": {");
    for (uint32_t c = 0; c < r->command_count; c++) {
        bst_strbuf_addf(&r->out, "%s\"c%u\": {\"fields\": {", c == 0 ? "" : ", ", c);
        random_field_list(r, r->payload[c], r->payload_count[c]);
        bst_strbuf_adds(&r->out, "}}");
    }
    bst_strbuf_adds(&r->out,
                    "},\n\"creates\": [{\"command\": \"b\", \"event\": \"Eb\", \"target\": "
                    "\"s0\"}, {\"command\": \"n\", \"event\": \"En\", \"target\": \"s1\"}],\n");
}

static inline void random_state(random_spec *r, uint32_t state) {
    bool any = false;
    bst_strbuf_addf(&r->out, "  \"s%u\": {\"on\": {", state);
    for (uint32_t c = 0; c < r->command_count; c++) {
        const uint32_t count = random_pick(r, 4);
        for (uint32_t i = 0; i < count; i++) {
            bst_strbuf_adds(&r->out, i > 0 ? ", " : any ? ",\n    " : "");
            if (i == 0) {
                bst_strbuf_addf(&r->out, "\"c%u\": [", c);
            }
            if (random_pick(r, 5) == 0) {
                bst_strbuf_adds(&r->out, "{\"event\": \"En\"");
            } else {
                bst_strbuf_addf(&r->out, "{\"event\": \"E%u\"", c);
            }
            if (i + 1 < count || random_pick(r, 3) == 0) {
                bst_strbuf_adds(&r->out, ", \"guard\": {\"cel\": \"");
                random_guard(r, c, 3);
                bst_strbuf_adds(&r->out, "\"}");
            }
            bst_strbuf_addf(&r->out, ", \"target\": \"s%u\"}", random_pick(r, r->state_count));
            any = true;
        }
        bst_strbuf_adds(&r->out, count > 0 ? "]" : "");
    }
    bst_strbuf_adds(&r->out, "}}");
}

/* The caller frees it. */
static inline char *random_machine(uint64_t seed) {
    random_spec r = {.state = seed, .builtin = seed % 2 == 1, .out = BST_STRBUF_INIT};
    r.field_count = 4 + random_pick(&r, 5);
    r.command_count = 2 + random_pick(&r, 5);
    r.state_count = 3 + random_pick(&r, 6);
    for (uint32_t i = 0; i < r.field_count; i++) {
        r.fields[i] = random_new_field(&r, "f", i);
    }
    for (uint32_t c = 0; c < r.command_count; c++) {
        r.payload_count[c] = random_pick(&r, 5);
        for (uint32_t i = 0; i < r.payload_count[c]; i++) {
            r.payload[c][i] = random_new_field(&r, "p", i);
        }
    }
    bst_strbuf_adds(&r.out, "{\"id\": \"random\", \"initial\": \"s0\",\n");
    random_declarations(&r);
    bst_strbuf_adds(&r.out, "\"states\": {\n");
    for (uint32_t s = 0; s < r.state_count; s++) {
        random_state(&r, s);
        bst_strbuf_adds(&r.out, s + 1 < r.state_count ? ",\n" : "}}\n");
    }
    return bst_strbuf_detach(&r.out);
}

#endif
