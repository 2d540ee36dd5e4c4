/* What each column is by its name: the key, a creation, a change, a plan; and what is left is a
 * field of the entity. Plans (`due_at`) are fields: what was meant to happen proves nothing.
 */
#include "draft_private.h"

#include <string.h>
#include <strings.h>

#include "backstory/value.h"
#include "backstory/words.h"

static bool is_word(const draft_words *w, const char *const *list) {
    return w->count == 1 && bst__draft_has_word(w, list);
}

/* ---- the key */

static bst_status key_given(draft *d) {
    d->key_count = 0;
    for (const char *at = d->options->key; *at;) {
        const size_t len = strcspn(at, ", ");
        uint32_t i = 0;
        while (i < d->column_count &&
               (strlen(d->columns[i].name) != len || strncmp(d->columns[i].name, at, len) != 0))
            i++;
        if (len > 0 && (i == d->column_count || d->key_count == 16))
            return bst_diag_add(d->diags, BST_INVALID, BST_ERROR, "unknown-column", NULL,
                                "table \"%s\" has no column \"%.*s\" for its key", d->table,
                                (int)len, at);
        if (len > 0)
            d->key[d->key_count++] = i;
        at += len + (at[len] != '\0');
    }
    return d->key_count > 0 ? BST_OK
                            : bst_diag_add(d->diags, BST_INVALID, BST_ERROR, "no-key", NULL,
                                           "--key names no column");
}

bst_status bst__draft_find_key(draft *d) {
    if (d->options->key) {
        const bst_status status = key_given(d);
        if (status != BST_OK)
            return status;
    }
    for (uint32_t i = 0; i < d->column_count && d->key_count == 0; i++) {
        static const char *const names[] = {"id", "uuid", "guid", "key", "ref", "reference"};
        for (size_t n = 0; n < sizeof names / sizeof *names && d->key_count == 0; n++) {
            if (strcmp(d->columns[i].name, names[n]) == 0) {
                d->key[d->key_count++] = i;
                bst__draft_note(d,
                                "Column \"%s\" is taken for the key, though nothing keeps it "
                                "unique.",
                                names[n]);
            }
        }
    }
    if (d->key_count == 0) {
        bst_diag_add(d->diags, BST_INVALID, BST_ERROR, "no-key", NULL,
                     "table \"%s\" has no primary or unique key", d->table);
        bst_diag_hint(d->diags, "Name the columns that tell one entity from another: --key id, or "
                                "--key tenant,number.");
        return BST_INVALID;
    }
    for (size_t i = 0; i < d->key_count; i++)
        d->columns[d->key[i]].role = ROLE_KEY;
    return BST_OK;
}

/* ---- roles by name */

static const char *const created_words[] = {"created", "creation", "create", "inserted",
                                            "insert",  "added",    "entry",  NULL};
static const char *const changed_words[] = {"updated", "update", "modified", "changed", "change",
                                            "touched", "edited", "mtime",    NULL};
static const char *const plan_words[] = {
    "due",       "expected", "expect",  "scheduled", "schedule", "planned",  "plan",
    "until",     "valid",    "expires", "deadline",  "eta",      "promised", "target",
    "estimated", "next",     "remind",  "eligible",  NULL};
static const char *const deleted_words[] = {"deleted", "discarded", NULL};

static bool time_left(const draft *d, const draft_column *column) {
    return column->time && column->role == ROLE_FIELD && column->nulls < d->rows;
}

/* The first column with such a name, complete ones first. */
static uint32_t find_time(const draft *d, const char *const *words, bool complete) {
    for (uint32_t i = 0; i < d->column_count; i++) {
        draft_words w;
        bst__draft_telling_words(d, d->columns[i].name, &w, NULL);
        if (time_left(d, &d->columns[i]) && is_word(&w, words) &&
            (!complete || d->columns[i].nulls == 0))
            return i;
    }
    return complete ? find_time(d, words, false) : DRAFT_NONE;
}

/* `order_date` in a table of orders, `start_time`: a beginning by the look of it. */
static uint32_t find_beginning(const draft *d) {
    static const char *const beginnings[] = {"start",  "begin",    "opened",  "registered",
                                             "placed", "received", "ordered", NULL};
    for (uint32_t i = 0; i < d->column_count; i++) {
        draft_words w;
        bst__draft_telling_words(d, d->columns[i].name, &w, NULL);
        const bool own = w.count == 0 || (w.count == 1 && strcmp(w.word[0], d->id) == 0) ||
                         (w.count == 1 && strncmp(w.word[0], d->id, strlen(w.word[0])) == 0);
        if (time_left(d, &d->columns[i]) && d->columns[i].nulls == 0 &&
            (own || is_word(&w, beginnings)))
            return i;
    }
    return DRAFT_NONE;
}

static bool is_state_word(const draft *d, const draft_words *w) {
    for (size_t i = 0; i < d->state_count; i++) {
        draft_words state;
        bst__draft_split(d->states[i].name, &state);
        if (w->count == 1 && state.count == 1 && strcmp(w->word[0], state.word[0]) == 0)
            return true;
    }
    return false;
}

/* Columns of which a trial has shown that they mean something else. */
static void leave_doubted(draft *d) {
    for (size_t k = 0; d->options->doubted && d->options->doubted[k]; k++) {
        for (uint32_t i = 0; i < d->column_count; i++) {
            draft_column *column = &d->columns[i];
            if (column->role != ROLE_FIELD || strcmp(column->name, d->options->doubted[k]) != 0)
                continue;
            column->role = ROLE_DOUBTED;
            bst__draft_note(d,
                            "Column \"%s\" is a field: taken for evidence it contradicted the "
                            "others in so many rows that it must mean something else.",
                            column->name);
        }
    }
}

void bst__draft_name_roles(draft *d) {
    leave_doubted(d);
    d->creation = find_time(d, created_words, true);
    if (d->creation == DRAFT_NONE) {
        d->creation = find_beginning(d);
        if (d->creation != DRAFT_NONE)
            bst__draft_note(d, "Column \"%s\" is taken for the time of creation.",
                            d->columns[d->creation].name);
    }
    if (d->creation != DRAFT_NONE)
        d->columns[d->creation].role = ROLE_CREATION;
    d->last_change = find_time(d, changed_words, true);
    if (d->last_change != DRAFT_NONE)
        d->columns[d->last_change].role = ROLE_LAST_CHANGE;
    for (uint32_t i = 0; i < d->column_count; i++) {
        draft_column *column = &d->columns[i];
        draft_words w;
        bst__draft_telling_words(d, column->name, &w, NULL);
        if (!column->time || column->role != ROLE_FIELD)
            continue;
        if (is_word(&w, deleted_words) && !is_state_word(d, &w) && d->deleted == DRAFT_NONE) {
            column->role = ROLE_DELETED;
            d->deleted = i;
            bst__draft_note(d,
                            "Rows whose \"%s\" is set are taken for deleted and left out of "
                            "scope.",
                            column->name);
        } else if (bst__draft_has_word(&w, plan_words) && !is_state_word(d, &w)) {
            column->role = ROLE_PLAN;
            bst__draft_note(d, "Column \"%s\" is a plan by its name, not evidence.", column->name);
        }
    }
}

/* ---- fields */

void bst__draft_fields(draft *d) {
    for (uint32_t i = 0; i < d->column_count && !d->failed; i++) {
        draft_column *column = &d->columns[i];
        if (column->role != ROLE_FIELD && column->role != ROLE_PLAN && column->role != ROLE_DOUBTED)
            continue;
        char *name = bst__draft_identifier(d, column->name, "field");
        const char *base = name;
        for (uint32_t j = 0, n = 2; j < i; j++) {
            if (d->columns[j].field && strcmp(d->columns[j].field, name) == 0) {
                name = bst__draft_text(d, "%s_%u", base, n++);
                j = UINT32_MAX; /* from the start */
            }
        }
        column->field = name;
    }
}
