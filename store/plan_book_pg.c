/* The plans that a run has used, and how they get into the store: as JSON, a thousand at a time,
 * unpacked by the server. */
#include "sink_pg_private.h"

#include <stdlib.h>
#include <string.h>

#include "backstory/hash.h"

#define HASH_NONFATAL_OOM             1
#define uthash_nonfatal_oom(entry)    (void)((entry)->number = 0)
#define HASH_FUNCTION(key, len, hash) ((hash) = bst_hash(key, len))
#include <uthash.h>

#include "backstory/digest.h"
#include "confidence_private.h"

#define PLANS_AT_ONCE 1000u

struct bst__plan_entry {
    const bst_plan *plan;
    int64_t number; /* 0: could not be entered */
    UT_hash_handle hh;
};

void bst__plan_book_release(bst__plan_book *book) {
    bst__plan_entry *entry, *next;
    HASH_ITER (hh, book->entries, entry, next) {
        HASH_DEL(book->entries, entry);
        free(entry);
    }
}

static void add_confidence(bst_strbuf *out, double confidence) {
    char text[BST__CONFIDENCE_TEXT];
    const size_t len = bst__confidence_format(confidence, text);
    bst_strbuf_add(out, text, len);
}

static void add_text(bst_strbuf *out, const char *text) {
    if (text)
        bst_strbuf_add_json(out, text, strlen(text));
    else
        bst_strbuf_adds(out, "null");
}

/* What a plan says of each of its events, as the columns of backstory.plan. */
typedef void add_item(const bst_machine *machine, const bst_plan_event *step, bst_strbuf *out);

static void add_type(const bst_machine *machine, const bst_plan_event *step, bst_strbuf *out) {
    add_text(out, machine->events[step->type].name);
}

static void add_type_version(const bst_machine *machine, const bst_plan_event *step,
                             bst_strbuf *out) {
    bst_strbuf_add_int(out, machine->events[step->type].version);
}

static void add_state(const bst_machine *machine, const bst_plan_event *step, bst_strbuf *out) {
    add_text(out, machine->states[step->state].name);
}

static void add_command(const bst_machine *machine, const bst_plan_event *step, bst_strbuf *out) {
    add_text(out, step->command == BST_NONE ? NULL : machine->commands[step->command].name);
}

static void add_basis(const bst_machine *machine, const bst_plan_event *step, bst_strbuf *out) {
    (void)machine;
    add_text(out, bst_basis_text(step->basis));
}

static void add_event_confidence(const bst_machine *machine, const bst_plan_event *step,
                                 bst_strbuf *out) {
    (void)machine;
    add_confidence(out, step->confidence);
}

static void add_source(const bst_machine *machine, const bst_plan_event *step, bst_strbuf *out) {
    (void)machine;
    add_text(out, step->source);
}

static const struct {
    const char *key;
    add_item *add;
} columns[] = {
    {",\"type\":", add_type},     {",\"type_version\":", add_type_version},
    {",\"state\":", add_state},   {",\"command\":", add_command},
    {",\"basis\":", add_basis},   {",\"event_confidence\":", add_event_confidence},
    {",\"source\":", add_source},
};

/* All that a plan says, as members of an object. */
static void add_content(const bst_machine *machine, const bst_plan *plan, bst_strbuf *out) {
    bst_strbuf_adds(out, "\"signature\":");
    add_text(out, plan->signature);
    bst_strbuf_adds(out, ",\"confidence\":");
    add_confidence(out, plan->confidence);
    bst_strbuf_adds(out, plan->certain ? ",\"certain\":true" : ",\"certain\":false");
    for (size_t column = 0; column < sizeof columns / sizeof *columns; column++) {
        bst_strbuf_adds(out, columns[column].key);
        for (uint32_t i = 0; i < plan->event_count; i++) {
            bst_strbuf_addc(out, i == 0 ? '[' : ',');
            columns[column].add(machine, &plan->events[i], out);
        }
        bst_strbuf_addc(out, ']');
    }
}

static void add_plan(const bst_machine *machine, const bst__plan_entry *entry, bst_strbuf *out) {
    bst_strbuf_adds(out, "{\"plan\":");
    bst_strbuf_add_int(out, entry->number);
    bst_strbuf_addc(out, ',');
    add_content(machine, entry->plan, out);
    bst_strbuf_addc(out, '}');
}

/* Above 0, in 63 bits. */
static bool digest(const bst_machine *machine, const bst_plan *plan, int64_t *ret) {
    bst_strbuf text = BST_STRBUF_INIT;
    char hex[BST_SHA256_HEX];
    add_content(machine, plan, &text);
    const bool made = !text.failed;
    bst_sha256_hex(text.text, text.len, hex);
    bst_strbuf_release(&text);
    hex[16] = '\0';
    *ret = (int64_t)(strtoull(hex, NULL, 16) >> 1);
    *ret += *ret == 0;
    return made;
}

static bst__plan_entry *enter(bst__plan_book *book, const bst_machine *machine,
                              const bst_plan *plan) {
    bst__plan_entry *const entry = malloc(sizeof *entry);
    if (!entry)
        return NULL;
    entry->plan = plan;
    if (digest(machine, plan, &entry->number)) {
        HASH_ADD_PTR(book->entries, plan, entry);
        if (entry->number != 0)
            return entry;
    }
    free(entry);
    return NULL;
}

bool bst__plan_book_number(bst__plan_book *book, const bst_machine *machine, const bst_plan *plan,
                           int64_t *ret) {
    if (plan != book->last) {
        bst__plan_entry *entry;
        HASH_FIND_PTR(book->entries, &plan, entry);
        if (!entry)
            entry = enter(book, machine, plan);
        if (!entry)
            return false;
        book->last = plan;
        book->last_number = entry->number;
    }
    *ret = book->last_number;
    return true;
}

void bst__plan_book_settle(bst__plan_book *book) {
    book->stored = HASH_COUNT(book->entries);
}

static bst_status insert(bst_pg *pg, int32_t run_id, const bst_strbuf *plans, bst_diags *diags) {
    bst_strbuf run = BST_STRBUF_INIT;
    bst_pg_rows *rows = NULL;
    bst_strbuf_add_int(&run, run_id);
    const char *const params[] = {run.text, plans->text};
    const bst_status status =
        run.failed || plans->failed
            ? bst_diag_nomem(diags)
            : bst_pg_query(
                  pg,
                  "INSERT INTO backstory.plan (run_id, plan, signature, confidence, certain,"
                  " type, type_version, state, command, basis, event_confidence, source)"
                  " SELECT $1, plan, signature, confidence, certain, type, type_version,"
                  " state, command, basis, event_confidence, source"
                  " FROM jsonb_to_recordset($2) AS given (plan bigint, signature text,"
                  " confidence float8, certain boolean, type text[],"
                  " type_version integer[], state text[], command text[], basis text[],"
                  " event_confidence float8[], source text[])"
                  /* In one order, so that no two workers wait for each other. */
                  " ORDER BY plan ON CONFLICT DO NOTHING",
                  2, params, &rows, diags);
    bst_pg_rows_free(rows);
    bst_strbuf_release(&run);
    return status;
}

bst_status bst__plan_book_write(const bst__plan_book *book, bst_pg *pg, const bst_machine *machine,
                                int32_t run_id, bst_diags *diags) {
    bst_strbuf plans = BST_STRBUF_INIT;
    bst_status status = BST_OK;
    uint32_t count = 0, place = 0;
    for (const bst__plan_entry *entry = book->entries; status == BST_OK && entry;
         entry = entry->hh.next) {
        if (place++ < book->stored)
            continue;
        bst_strbuf_adds(&plans, count == 0 ? "[" : ",");
        add_plan(machine, entry, &plans);
        if (++count < PLANS_AT_ONCE && entry->hh.next)
            continue;
        bst_strbuf_addc(&plans, ']');
        status = insert(pg, run_id, &plans, diags);
        bst_strbuf_clear(&plans);
        count = 0;
    }
    bst_strbuf_release(&plans);
    return status;
}

/* Past `, <digits>`; NULL: that is not what stands there. */
static const char *skip_number(const char *at) {
    const size_t digits = at[0] == ',' && at[1] == ' ' ? strspn(at + 2, "0123456789") : 0;
    return digits > 0 ? at + 2 + digits : NULL;
}

/* `... (key, machine_id, first_version)=(the key, 7, 3) ...`: only the words around the brackets
 * are translated. A key may hold commas and brackets, so its end is looked for from the right: `,
 * <digits>, <digits>)`. */
void bst__conflict_key(const char *detail, bst_strbuf *out) {
    static const char mark[] = "(key, machine_id, first_version)=(";
    const char *const found = strstr(detail, mark);
    const char *const start = found ? found + sizeof mark - 1 : NULL;
    for (const char *end = start ? strchr(start, '\0') : NULL; end > start; end--) {
        const char *const machine = skip_number(end);
        const char *const version = machine ? skip_number(machine) : NULL;
        if (version && *version == ')') {
            bst_strbuf_addf(out, " \"%.*s\"", (int)(end - start), start);
            return;
        }
    }
}
