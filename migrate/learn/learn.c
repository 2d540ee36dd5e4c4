/* bst_learn(): reads the rows and the log beside them, and counts. What the counts are worth is for
 * fit.c.
 */
#include "learn_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct gatherer {
    bst__learner *learner;
    bst_synth *synth;
    uint32_t log_cell; /* BST_NONE: there is none */
    bst__log_rows log;
    bst__learn_steps steps;
    /* entities: by what their first row can be; without rows, where entities begin, or elsewhere */
    uint64_t begins[BST__BEGINS_COUNT], unlogged, unlogged_elsewhere;
    bool takes_unmoved;
} gatherer;

/* ---- the tables ---- */

static bst__learn_class *class_of(bst__learner *learner, bst_synth *synth, uint32_t state) {
    bst__learn_class *found = NULL;
    HASH_FIND(hh, learner->classes, synth->bytes, synth->bytes_len, found);
    if (found)
        return found;
    found = bst_arena_alloc(learner->arena, sizeof *found);
    uint8_t *const bytes = bst_arena_alloc(learner->arena, synth->bytes_len);
    size_t count = 0;
    const bst_claim *const claims = bst__claims_make(synth, BST_NONE, &count);
    bst_claim *const kept = bst_arena_array(learner->arena, count, sizeof *kept);
    bst_strbuf text = BST_STRBUF_INIT;
    bst__signature_text(synth, state, &text);
    const char *const shown = text.failed ? NULL : bst_arena_strdup(learner->arena, text.text);
    bst_strbuf_release(&text);
    if (!found || !bytes || !claims || !kept || !shown)
        return NULL;
    memcpy(bytes, synth->bytes, synth->bytes_len);
    if (count > 0)
        memcpy(kept, claims, count * sizeof *kept);
    *found = (bst__learn_class){.number = learner->class_count++,
                                .state = state,
                                .bytes = bytes,
                                .text = shown,
                                .claim_count = count,
                                .claims = kept};
    HASH_ADD_KEYPTR(hh, learner->classes, found->bytes, synth->bytes_len, found);
    return found->lost ? NULL : found;
}

static bst__learn_walk *walk_of(bst__learner *learner, const uint32_t *steps, uint32_t count) {
    const size_t len = count * sizeof *steps;
    bst__learn_walk *found = NULL;
    HASH_FIND(hh, learner->walks, steps, len, found);
    if (found)
        return found;
    found = bst_arena_alloc(learner->arena, sizeof *found);
    uint32_t *const kept = bst_arena_array(learner->arena, count, sizeof *kept);
    if (!found || !kept)
        return NULL;
    memcpy(kept, steps, len);
    *found = (bst__learn_walk){
        .number = learner->walk_count++, .step_count = count, .transitions = kept};
    HASH_ADD_KEYPTR(hh, learner->walks, found->transitions, len, found);
    return found->lost ? NULL : found;
}

static bst__learn_cell *cell_of(bst__learner *learner, uint32_t class, uint32_t walk) {
    const uint32_t key[2] = {class, walk};
    bst__learn_cell *found = NULL;
    HASH_FIND(hh, learner->cells, key, sizeof key, found);
    if (found)
        return found;
    found = bst_arena_alloc(learner->arena, sizeof *found);
    if (!found)
        return NULL;
    *found = (bst__learn_cell){.key = {class, walk}};
    HASH_ADD(hh, learner->cells, key, sizeof found->key, found);
    return found->lost ? NULL : found;
}

static bool add_span(bst__learner *learner, const uint32_t key[4], uint32_t fold) {
    bst__learn_span *found = NULL;
    HASH_FIND(hh, learner->spans, key, sizeof found->key, found);
    if (!found) {
        found = bst_arena_alloc(learner->arena, sizeof *found);
        if (!found)
            return false;
        *found = (bst__learn_span){.key = {key[0], key[1], key[2], key[3]}};
        HASH_ADD(hh, learner->spans, key, sizeof found->key, found);
    }
    found->times[fold]++;
    return !found->lost;
}

/* ---- one row ---- */

static uint32_t fold_of(const char *key, size_t len) {
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)key[i]) * UINT32_C(16777619);
    return (hash >> 8) % BST__FOLDS;
}

static bst_status add_history(gatherer *g, const bst_row *row, const bst__learn_class *class) {
    bst__learner *const learner = g->learner;
    const uint32_t fold = fold_of(row->key, row->key_len);
    bst__learn_walk *const walk = walk_of(learner, g->steps.steps, g->steps.count);
    bst__learn_cell *const cell =
        walk && class ? cell_of(learner, class->number, walk->number) : NULL;
    if (!walk || (class && !cell))
        return bst_diag_nomem(learner->diags);
    walk->times[fold]++;
    walk->total++;
    if (cell)
        cell->times[fold]++;
    for (uint32_t of = 0; cell && of < BST_SPAN_KINDS; of++) {
        const uint32_t span = bst__row_span(g->synth, (bst_span_of)of);
        const uint32_t key[] = {class->number, of, span, walk->number};
        if (!add_span(learner, key, fold))
            return bst_diag_nomem(learner->diags);
    }
    learner->figures.histories++;
    return BST_OK;
}

/* Whether there is a history to learn from. */
static bool count_logged(gatherer *g, bst_learn_left left) {
    bst_learn_figures *const figures = &g->learner->figures;
    figures->logged++;
    g->begins[g->steps.begins]++;
    if (left != BST_LEFT_NONE) {
        figures->left_out++;
        figures->left[left]++;
        return false;
    }
    figures->created += g->steps.created;
    figures->filled += g->steps.filled;
    return true;
}

static bool count_unlogged(gatherer *g, bst_learn_left left) {
    if (left != BST_LEFT_NONE)
        g->unlogged_elsewhere++;
    else
        g->unlogged++;
    if (left != BST_LEFT_NONE || !g->takes_unmoved)
        return false;
    g->learner->figures.unmoved++;
    return true;
}

static bst_status take_log(gatherer *g, const bst_row *row, uint32_t state,
                           const bst__learn_class *class) {
    bst__learner *const learner = g->learner;
    bst_learn_left left;
    bst__log_clear(&g->log);
    if (!bst__log_add(&g->log, learner->mapping, 0, &row->cells[g->log_cell]))
        return bst_diag_nomem(learner->diags);
    bst_arena_clear(learner->scratch);
    g->steps.scratch = learner->scratch;
    const bst_status status =
        bst__learn_walk_make(&g->steps, learner->mapping, &g->log, state, &left, learner->diags);
    if (status != BST_OK)
        return status;
    const bool taken = g->log.count > 0 ? count_logged(g, left) : count_unlogged(g, left);
    return taken ? add_history(g, row, class) : BST_OK;
}

static bst_status take_row(gatherer *g, const bst_row *row) {
    bst__learner *const learner = g->learner;
    bst_synth *const synth = g->synth;
    bool unclear = false;
    uint32_t state = BST_NONE;
    bst__synth_begin(synth, learner->diags);
    if (row->key_is_null || row->key_is_double || !bst__in_scope(synth, row, &unclear) ||
        !bst__read_state(synth, row, &state))
        return BST_OK;
    bst__learn_class *class = NULL;
    if (bst__say_row(synth, row, state)) {
        class = class_of(learner, synth, state);
        if (!class)
            return bst_diag_nomem(learner->diags);
        class->rows++;
        class->rows_in[fold_of(row->key, row->key_len)]++;
    }
    learner->figures.rows++;
    return g->log_cell != BST_NONE ? take_log(g, row, state, class) : BST_OK;
}

/* The columns of the mapping, and the log among them also where it is no evidence. */
static bst_status open_rows(gatherer *g, const char *from, bst_source_spec *spec,
                            bst_source **ret) {
    bst__learner *const learner = g->learner;
    const bst_mapping *const mapping = learner->mapping;
    /* several, or those of regions, are evidence only */
    const bst_log *const log = mapping->log_count == 1 && !mapping->regional ? mapping->log : NULL;
    *spec = learner->mapping->source;
    spec->ordered = true;
    g->log_cell = log ? log->cell : BST_NONE;
    learner->figures.has_log = mapping->log_count > 0;
    learner->figures.reads_log = log;
    if (log && !log->evidence) {
        bst_source_column *const columns =
            bst_arena_array(learner->arena, spec->column_count + 1, sizeof *columns);
        if (!columns)
            return bst_diag_nomem(learner->diags);
        if (spec->column_count > 0)
            memcpy(columns, spec->columns, spec->column_count * sizeof *columns);
        g->log_cell = (uint32_t)spec->column_count;
        columns[spec->column_count++] = log->joined;
        spec->columns = columns;
    }
    return bst_source_open(from, spec, ret, learner->diags);
}

static bst_status gather_all(gatherer *g, const char *from) {
    bst__learner *const learner = g->learner;
    bst_source *source = NULL;
    const bst_row *row = NULL;
    bst_source_spec spec;
    bst_status status = open_rows(g, from, &spec, &source);
    while (status == BST_OK) {
        status = bst_source_next(source, &row, learner->diags);
        if (status != BST_OK || !row)
            break;
        status = take_row(g, row);
    }
    bst_source_free(source);
    return status;
}

static void forget(bst__learner *learner) {
    HASH_CLEAR(hh, learner->classes);
    HASH_CLEAR(hh, learner->walks);
    HASH_CLEAR(hh, learner->cells);
    HASH_CLEAR(hh, learner->spans);
    learner->class_count = learner->walk_count = 0;
    learner->figures = (bst_learn_figures){0};
}

/* Whether a log writes creations is told by the entities whose first row can only be one, or only
 * follow one. Where most say that it does not, those that could be either are read anew; and where
 * the log has rows of all but 1 in 100 entities that must have moved, those without any have not.
 */
static bool must_read_again(gatherer *g) {
    if (g->begins[BST__BEGINS_LATER] <= g->begins[BST__BEGINS_CREATED])
        return false;
    const bst_learn_figures *const figures = &g->learner->figures;
    g->steps.unwritten = true;
    g->takes_unmoved = figures->histories > 0 && 100 * g->unlogged_elsewhere <= figures->logged;
    return g->begins[BST__BEGINS_EITHER] > 0 || (g->takes_unmoved && g->unlogged > 0);
}

static bst_status gather(bst__learner *learner, const char *from) {
    gatherer g = {.learner = learner};
    bst_status status = bst_synth_new(learner->mapping, &g.synth, learner->diags);
    if (status == BST_OK) {
        /* what is learned is for entities that have no log */
        g.synth->ignores_log = true;
        status = gather_all(&g, from);
    }
    if (status == BST_OK && must_read_again(&g)) {
        forget(learner);
        status = gather_all(&g, from);
    }
    bst__log_release(&g.log);
    bst_synth_free(g.synth);
    free(g.steps.steps);
    return status;
}

/* ---- all of it ---- */

static void count_steps(bst__learner *learner) {
    for (const bst__learn_walk *walk = learner->walks; walk; walk = walk->hh.next) {
        for (uint32_t i = 0; i < walk->step_count; i++)
            learner->counts[walk->transitions[i]] += walk->total;
        learner->stops[learner->machine->transitions[walk->transitions[walk->step_count - 1]].to] +=
            walk->total;
    }
}

/* A log that was named and gave nothing must not be taken for one that is not there. */
static void warn_of_log(const bst__learner *learner) {
    const bst_mapping *const mapping = learner->mapping;
    const bst_learn_figures *const figures = &learner->figures;
    bst_diags *const diags = learner->diags;
    if (mapping->log_count == 0 || figures->histories > 0)
        return;
    if (!figures->reads_log) {
        bst_diag_add(diags, BST_OK, BST_WARNING, "unused-log", NULL, "learn does not read %s",
                     mapping->log_count > 1 ? "several logs" : "the log of regions");
        bst_diag_hint(diags, "What it learns is estimated from the evidence of all rows.");
    } else if (figures->logged == 0) {
        bst_diag_add(diags, BST_OK, BST_WARNING, "unused-log", NULL,
                     "%s has no row of any of these entities", mapping->log->source.table);
        bst_diag_hint(diags, "Is \"entity\" the column that has the key of the rows?");
    } else {
        bst_learn_left most = BST_LEFT_UNKNOWN;
        for (bst_learn_left left = BST_LEFT_UNKNOWN; left < BST_LEFT_NONE; left++)
            most = figures->left[left] > figures->left[most] ? left : most;
        bst_diag_add(diags, BST_OK, BST_WARNING, "unused-log", NULL,
                     "nothing of %s could be used: all of its %" PRIu64
                     " entities are left out, %" PRIu64 " of them because %s",
                     mapping->log->source.table, figures->logged, figures->left[most],
                     bst_learn_left_text(most));
    }
}

static bst_status nothing_to_learn(const bst__learner *learner) {
    bst_diag_add(learner->diags, BST_INVALID, BST_ERROR, "nothing-to-learn", NULL,
                 "no row is in scope and has a state that the mapping knows");
    return BST_INVALID;
}

bst_status bst_learn(const bst_mapping *mapping, const char *from, bst_strbuf *out,
                     bst_learn_figures *ret, bst_diags *diags) {
    bst__learner learner = {.mapping = mapping, .machine = mapping->machine, .diags = diags};
    learner.arena = bst_arena_new();
    learner.scratch = bst_arena_new();
    bst_status status = learner.arena && learner.scratch ? BST_OK : bst_diag_nomem(diags);
    if (status == BST_OK) {
        learner.counts = bst_arena_array(learner.arena, learner.machine->transition_count,
                                         sizeof *learner.counts);
        learner.stops =
            bst_arena_array(learner.arena, learner.machine->state_count, sizeof *learner.stops);
        status = learner.counts && learner.stops ? gather(&learner, from) : bst_diag_nomem(diags);
    }
    if (status == BST_OK && learner.figures.rows == 0)
        status = nothing_to_learn(&learner);
    if (status == BST_OK)
        warn_of_log(&learner);
    learner.figures.signatures = learner.class_count;
    learner.figures.different = learner.walk_count;
    learner.figures.by_log = learner.figures.histories > 0;
    if (status == BST_OK && learner.figures.by_log) {
        count_steps(&learner);
        status = bst__learn_fit(&learner);
    } else if (status == BST_OK) {
        status = bst__learn_em(&learner);
    }
    if (status == BST_NOMEM)
        status = bst_diag_nomem(diags);
    if (status == BST_OK)
        status = bst__learn_write(&learner, out);
    *ret = learner.figures;
    for (bst__learn_class *class = learner.classes; class; class = class->hh.next)
        bst_arena_free(class->arena);
    forget(&learner);
    bst_arena_free(learner.scratch);
    bst_arena_free(learner.arena);
    return status;
}
