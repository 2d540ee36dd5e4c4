/* The names of generated SQL, and what is known of fields before anything is written.
 *
 * A machine has a schema of its own, so machines do not meet. Within it the fixed names come first,
 * then those of the file in its order; whoever comes second gets an underscore at its end.
 */
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "backstory/words.h"
#include "emit_sql_private.h"

#define NAME_BYTES 63 /* PostgreSQL cuts what is longer */

struct bst__sql_taken {
    UT_hash_handle hh;
    char name[NAME_BYTES + 1];
};

static void *new_array(bst__sql *sql, size_t count, size_t size) {
    void *array = bst_arena_array(sql->arena, count + 1, size);
    sql->failed = sql->failed || !array;
    return array;
}

/* False when it is taken, or there is no memory. */
static bool take(bst__sql *sql, bst__sql_taken **set, const char *name) {
    bst__sql_taken *found = NULL;
    HASH_FIND_STR(*set, name, found);
    if (found) {
        return false;
    }
    bst__sql_taken *entry = bst_arena_alloc(sql->arena, sizeof *entry);
    if (!entry) {
        sql->failed = true;
        return false;
    }
    memcpy(entry->name, name, strlen(name) + 1);
    HASH_ADD_STR(*set, name, entry);
    sql->failed = sql->failed || entry->hh.tbl == NULL;
    return true;
}

static const char *identifier(bst__sql *sql, const char *name) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst__sql_name(name, &text);
    const char *copy = text.failed ? NULL : bst_arena_strdup(sql->arena, text.text);
    bst_strbuf_release(&text);
    sql->failed = sql->failed || !copy;
    return copy ? copy : "";
}

const char *bst__sql_claim(bst__sql *sql, bst__sql_taken **set, const char *name) {
    char text[NAME_BYTES + 1];
    for (size_t tail = 0; tail <= NAME_BYTES; tail++) {
        const size_t room = NAME_BYTES - tail, len = strlen(name);
        const size_t kept = len < room ? len : room; /* names are ASCII */
        memcpy(text, name, kept);
        memset(text + kept, '_', tail);
        text[kept + tail] = '\0';
        if (sql->failed || take(sql, set, text)) {
            break;
        }
    }
    return identifier(sql, text);
}

void bst__sql_claim_all(bst__sql *sql, bst__sql_taken **set, const char *const *names) {
    for (size_t i = 0; names[i]; i++) {
        (void)take(sql, set, names[i]);
    }
}

void bst__sql_taken_free(bst__sql_taken **set) {
    HASH_CLEAR(hh, *set); /* the entries are the arena's */
}

static const char *snake(bst__sql *sql, const char *name) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_snake_case(name, &text);
    const char *copy = text.failed ? NULL : bst_arena_strdup(sql->arena, text.text);
    bst_strbuf_release(&text);
    sql->failed = sql->failed || !copy;
    return copy ? copy : "";
}

static void name_schema(bst__sql *sql, const bst_emit_options *options) {
    static const char *const others[] = {"backstory", "public", "information_schema", NULL};
    bst__sql_taken *set = NULL;
    const char *name = snake(sql, options->prefix ? options->prefix : sql->machine->id);
    bst__sql_claim_all(sql, &set, others);
    if (strncmp(name, "pg_", 3) == 0) { /* the server's own */
        const char *other = bst_arena_printf(sql->arena, "machine_%s", name);
        sql->failed = sql->failed || !other;
        name = other ? other : "";
    }
    sql->schema = bst__sql_claim(sql, &set, name);
    bst__sql_taken_free(&set);
}

static const char **name_fields(bst__sql *sql, const bst_field *fields, uint32_t count,
                                const char *const *fixed) {
    bst__sql_taken *set = NULL;
    const char **names = new_array(sql, count, sizeof *names);
    bst__sql_claim_all(sql, &set, fixed);
    for (uint32_t i = 0; !sql->failed && i < count; i++) {
        names[i] = bst__sql_claim(sql, &set, fields[i].name);
    }
    bst__sql_taken_free(&set);
    return names;
}

static void name_events(bst__sql *sql) {
    static const char *const relations[] = {"state",  "event_type", "event_field", "transition",
                                            "entity", "current",    NULL};
    static const char *const columns[] = {"entity",      "version", "state",      "occurred_at",
                                          "recorded_at", "basis",   "confidence", NULL};
    const bst_machine *machine = sql->machine;
    bst__sql_taken *set = NULL;
    bst__sql_claim_all(sql, &set, relations);
    if (bst__sql_renames(sql)) {
        bst__sql_claim(sql, &set, "event");
    }
    sql->events = new_array(sql, machine->event_count, sizeof *sql->events);
    sql->payloads = new_array(sql, machine->event_count, sizeof *sql->payloads);
    for (uint32_t i = 0; !sql->failed && i < machine->event_count; i++) {
        const bst_event_type *event = &machine->events[i];
        sql->events[i] = bst__sql_claim(sql, &set, snake(sql, event->name));
        sql->payloads[i] = name_fields(sql, event->fields, event->field_count, columns);
    }
    bst__sql_taken_free(&set);
}

/* A guard without a name is called after the first command that asks it; one that exists for
 * several commands has their names behind its own, but for the first. */
static const char *name_guard(bst__sql *sql, bst__sql_taken **set, const bst_transition *t) {
    const char *command = sql->machine->commands[t->command].name;
    const char *name = sql->machine->guards[t->guard].name;
    bst__sql_taken *found = NULL;
    if (name) {
        HASH_FIND_STR(*set, name, found);
    }
    if (!name || found) {
        name = bst_arena_printf(sql->arena, "%s_%s", name ? name : "may", command);
    }
    sql->failed = sql->failed || !name;
    return bst__sql_claim(sql, set, name ? name : "");
}

static void name_guards(bst__sql *sql) {
    static const char *const functions[] = {
        "overflow",    "required", "at_most",  "microseconds",   "time_at",
        "is_complete", "is_valid", "has_form", "refuse_invalid", "refuse_invalid_events",
        "is_step",     "apply",    "fold",     "state_at",       NULL};
    const bst_machine *machine = sql->machine;
    bst__sql_taken *set = NULL;
    bst__sql_claim_all(sql, &set, functions);
    sql->guards = new_array(sql, machine->guard_count, sizeof *sql->guards);
    for (uint32_t i = 0; !sql->failed && i < machine->transition_count; i++) {
        const bst_transition *t = &machine->transitions[i];
        if (t->guard == BST_NONE || sql->guards[t->guard]) {
            continue;
        }
        sql->guards[t->guard] = name_guard(sql, &set, t);
    }
    bst__sql_taken_free(&set);
}

static void look_at_creations(bst__sql *sql) {
    const bst_machine *machine = sql->machine;
    bool *unsure = new_array(sql, machine->field_count, sizeof *unsure);
    bool *creating = new_array(sql, machine->event_count, sizeof *creating);
    uint32_t *set_by = new_array(sql, machine->field_count, sizeof *set_by); /* creation + 1 */
    for (uint32_t e = 0; !sql->failed && e < machine->event_count; e++) {
        creating[e] = machine->events[e].builtin == BST_BUILTIN_GENESIS;
    }
    for (uint32_t i = 0; !sql->failed && i < machine->creation_count; i++) {
        const bst_event_type *event = &machine->events[machine->transitions[i].event];
        creating[machine->transitions[i].event] = true;
        for (uint32_t a = 0; a < event->assignment_count; a++) {
            set_by[event->assignments[a].field] = i + 1;
        }
        for (uint32_t f = 0; f < machine->field_count; f++) {
            const bst_field *field = &machine->fields[f];
            unsure[f] = unsure[f] || (set_by[f] != i + 1 && !field->type.optional &&
                                      !field->default_value.present);
        }
    }
    sql->unsure = unsure;
    sql->creating = creating;
}

void bst__sql_name_all(bst__sql *sql, const bst_emit_options *options) {
    static const char *const columns[] = {"entity", "version", "changed_at", "state", NULL};
    name_schema(sql, options);
    sql->fields = name_fields(sql, sql->machine->fields, sql->machine->field_count, columns);
    name_events(sql);
    name_guards(sql);
    look_at_creations(sql);
}
