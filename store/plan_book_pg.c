/* The plans that a run has used, and how they get into the store: as JSON, a thousand at a time,
 * unpacked by the server. */
#include "sink_pg_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) (void)((entry)->number = 0)
#include <uthash.h>

#include "confidence_private.h"

#define PLANS_AT_ONCE 1000u

struct bst__plan_entry {
    const bst_plan *plan;
    int32_t number; /* 0: could not be entered */
    UT_hash_handle hh;
};

bool bst__plan_book_number(bst__plan_book *book, const bst_plan *plan, int32_t *ret) {
    if (plan != book->last) {
        bst__plan_entry *entry;
        HASH_FIND_PTR(book->entries, &plan, entry);
        if (!entry) {
            entry = malloc(sizeof *entry);
            if (!entry)
                return false;
            entry->plan = plan;
            entry->number = (int32_t)HASH_COUNT(book->entries) + 1;
            HASH_ADD_PTR(book->entries, plan, entry);
            if (entry->number == 0) {
                free(entry);
                return false;
            }
        }
        book->last = plan;
        book->last_number = entry->number;
    }
    *ret = book->last_number;
    return true;
}

void bst__plan_book_release(bst__plan_book *book) {
    bst__plan_entry *entry, *next;
    HASH_ITER (hh, book->entries, entry, next) {
        HASH_DEL(book->entries, entry);
        free(entry);
    }
}

static void add_text(bst_strbuf *out, const char *before, const char *text) {
    bst_strbuf_adds(out, before);
    if (text)
        bst_strbuf_add_json(out, text, strlen(text));
    else
        bst_strbuf_adds(out, "null");
}

static void add_confidence(bst_strbuf *out, double confidence) {
    char text[BST__CONFIDENCE_TEXT];
    const size_t len = bst__confidence_format(confidence, text);
    bst_strbuf_adds(out, ",\"confidence\":");
    bst_strbuf_add(out, text, len);
}

static void add_step(const bst_machine *machine, const bst_plan_event *step, bst_strbuf *out) {
    const bst_event_type *const type = &machine->events[step->type];
    add_text(out, "{\"type\":", type->name);
    bst_strbuf_adds(out, ",\"type_version\":");
    bst_strbuf_add_int(out, type->version);
    add_text(out, ",\"state\":", machine->states[step->state].name);
    add_text(out, ",\"command\":",
             step->command == BST_NONE ? NULL : machine->commands[step->command].name);
    add_text(out, ",\"basis\":", bst_basis_text(step->basis));
    add_confidence(out, step->confidence);
    add_text(out, ",\"source\":", step->source);
    bst_strbuf_addc(out, '}');
}

static void add_plan(const bst_machine *machine, const bst__plan_entry *entry, bst_strbuf *out) {
    const bst_plan *const plan = entry->plan;
    bst_strbuf_adds(out, "{\"plan\":");
    bst_strbuf_add_int(out, entry->number);
    bst_strbuf_adds(out, ",\"event_count\":");
    bst_strbuf_add_int(out, plan->event_count);
    add_text(out, ",\"signature\":", plan->signature);
    add_confidence(out, plan->confidence);
    bst_strbuf_adds(out, plan->certain ? ",\"certain\":true" : ",\"certain\":false");
    bst_strbuf_adds(out, ",\"steps\":[");
    for (uint32_t i = 0; i < plan->event_count; i++) {
        if (i > 0)
            bst_strbuf_addc(out, ',');
        add_step(machine, &plan->events[i], out);
    }
    bst_strbuf_adds(out, "]}");
}

static bst_status insert(bst_pg *pg, int32_t run_id, const bst_strbuf *plans, bst_diags *diags) {
    static const char *const statements[] = {
        "INSERT INTO backstory.plan (run_id, plan, event_count, signature, confidence, certain)"
        " SELECT $1, plan, event_count, signature, confidence, certain"
        " FROM jsonb_to_recordset($2) AS given (plan integer, event_count integer,"
        " signature text, confidence float8, certain boolean)",
        "INSERT INTO backstory.plan_step (run_id, plan, place, type, type_version, state, command,"
        " basis, confidence, source)"
        " SELECT $1, given.plan, step.place, type, type_version, state, command, basis,"
        " confidence, source FROM jsonb_to_recordset($2) AS given (plan integer, steps jsonb)"
        " CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(steps) AS (type text,"
        " type_version integer, state text, command text, basis text, confidence float8,"
        " source text)) WITH ORDINALITY AS step (type, type_version, state, command, basis,"
        " confidence, source, place)",
    };
    bst_strbuf run = BST_STRBUF_INIT;
    bst_strbuf_add_int(&run, run_id);
    bst_status status = run.failed || plans->failed ? bst_diag_nomem(diags) : BST_OK;
    const char *const params[] = {run.text, plans->text};
    for (size_t i = 0; status == BST_OK && i < sizeof statements / sizeof *statements; i++) {
        bst_pg_rows *rows = NULL;
        status = bst_pg_query(pg, statements[i], 2, params, &rows, diags);
        bst_pg_rows_free(rows);
    }
    bst_strbuf_release(&run);
    return status;
}

bst_status bst__plan_book_write(const bst__plan_book *book, bst_pg *pg, const bst_machine *machine,
                                int32_t run_id, bst_diags *diags) {
    bst_strbuf plans = BST_STRBUF_INIT;
    bst_status status = BST_OK;
    uint32_t count = 0;
    for (const bst__plan_entry *entry = book->entries; status == BST_OK && entry;
         entry = entry->hh.next) {
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

/* `... (machine_id, key, version)=(7, the key, 3) ...`: only the words around the brackets are
 * translated. A key may hold commas and brackets, so its end is looked for from the right: `,
 * <digits>)`. */
void bst__conflict_key(const char *detail, bst_strbuf *out) {
    static const char mark[] = "(machine_id, key, version)=(";
    const char *const found = strstr(detail, mark);
    const char *start = found ? strstr(found + sizeof mark - 1, ", ") : NULL;
    if (!start)
        return;
    start += 2;
    for (const char *end = strchr(start, '\0'); end > start + 1; end--) {
        const size_t digits = strspn(end, "0123456789");
        if (digits > 0 && end[digits] == ')' && end[-1] == ' ' && end[-2] == ',') {
            bst_strbuf_addf(out, " \"%.*s\"", (int)(end - 2 - start), start);
            return;
        }
    }
}
