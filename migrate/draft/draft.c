/* A draft, from the first look at the table to the two texts.
 *
 * The order matters: the state column first, then its values, then what the names of the other
 * columns say, then one pass over the rows for each question that is left. No rule here knows
 * where the rows are: a source (PostgreSQL, CSV) answers through draft_ops.
 */
#include "draft_private.h"

#include <string.h>

#include "backstory/sink.h"

/* "public.order_headers" -> "order_header" */
static void name_machine(draft *d) {
    const char *dot = strrchr(d->options->table, '.');
    const char *name = dot ? dot + 1 : d->options->table;
    d->id = bst__draft_singular(d, bst__draft_identifier(d, name, "entity"));
}

/* A .csv file needs no --table: it is named after itself. */
static bst_status name_table(draft *d, bst_draft_options *options) {
    const char *from = options->from;
    const size_t len = strlen(from);
    const char *slash = strrchr(from, '/');
    const char *name = slash ? slash + 1 : from;

    if (options->table)
        return BST_OK;
    if (bst_is_connection_string(from) || len < 5 || strcmp(from + len - 4, ".csv") != 0)
        return bst_diag_add(d->diags, BST_USAGE, BST_ERROR, "no-table", NULL,
                            "--table is missing: which table is it?");
    options->table = bst__draft_text(d, "%.*s", (int)(strlen(name) - 4), name);
    return BST_OK;
}

/* A log's first step may leave the initial state without saying so. */
static void begin_log_steps(draft *d) {
    for (size_t i = 0; i < d->edge_count; i++) {
        draft_edge *edge = &d->edges[i];
        if (d->log_begins_with_steps && edge->from == DRAFT_NONE) {
            const draft_edge first = *edge;
            *edge = d->edges[--d->edge_count];
            i--;
            if (first.to != d->initial)
                bst__draft_edge(d, d->initial, first.to, first.event_of, first.count);
        }
    }
}

static bst_status find_states(draft *d) {
    bst_status status = d->ops->columns(d);

    if (status == BST_OK)
        status = bst__draft_find_key(d);
    if (status == BST_OK)
        status = bst__draft_find_state_column(d);
    if (status == BST_OK)
        status = d->ops->codes(d);
    if (status == BST_OK)
        status = bst__draft_name_states(d);
    return status;
}

/* States that no time tells of: the way there is only what is left of it. */
static void say_undated(draft *d) {
    bst_strbuf names = BST_STRBUF_INIT;

    for (uint32_t s = 0; s < d->state_count; s++) {
        bool dated = s == d->initial || d->states[s].rows == 0;
        for (size_t i = 0; i < d->column_count && !dated; i++)
            dated = d->columns[i].role == ROLE_EVIDENCE && d->columns[i].states[s];
        if (!dated)
            bst_strbuf_addf(&names, "%s%s", names.len ? ", " : "", d->states[s].name);
    }
    if (names.len > 0)
        bst__draft_note(d,
                        "No column tells when rows came to %s: they may have been elsewhere "
                        "before.",
                        names.text);
    bst_strbuf_release(&names);
}

static bst_status find_steps(draft *d) {
    bst_status status = BST_OK;

    d->noting_machine = true;
    if (d->ops->log)
        status = d->ops->log(d);
    if (status != BST_OK)
        return status;
    /* A log that begins with steps does not say where entities are born. */
    const size_t edge_count = d->edge_count;
    if (d->log_begins_with_steps)
        d->edge_count = 0;
    bst__draft_find_initial(d);
    d->edge_count = edge_count;
    begin_log_steps(d);
    d->noting_machine = false;
    bst__draft_match_states(d);
    status = d->log ? BST_OK : d->ops->paths(d);
    if (status != BST_OK)
        return status;
    d->noting_machine = true;
    if (!d->log) {
        bst__draft_note(d, "The transitions are proposed from the order of the times in the rows: "
                           "no log was found.");
        bst__draft_steps_from_paths(d);
        say_undated(d);
    }
    d->noting_machine = false;
    status = bst__draft_match_counts(d);
    d->noting_machine = true;
    bst__draft_mend_steps(d);
    d->noting_machine = false;
    return status;
}

static bst_status make(draft *d) {
    bst_status status = find_states(d);

    if (status != BST_OK)
        return status;
    bst__draft_name_roles(d);
    status = d->ops->matrix(d);
    if (status == BST_OK)
        status = find_steps(d);
    if (status != BST_OK)
        return status;
    bst__draft_fields(d);
    if (d->without_state > 0)
        bst__draft_note(d, "%llu rows have no state and will go to quarantine.",
                        (unsigned long long)d->without_state);
    return d->failed ? bst_diag_nomem(d->diags) : BST_OK;
}

static const char *as_text(draft *d, json_t *json) {
    bst_strbuf out = BST_STRBUF_INIT;

    if (json)
        bst__draft_layout(json, &out);
    else
        d->failed = true;
    json_decref(json);
    const char *text = bst__draft_text(d, "%s", out.text);
    bst_strbuf_release(&out);
    return text;
}

static void fill(draft *d, bst_draft *ret) {
    bst_draft_state *states = bst__draft_array(d, d->state_count + 1, sizeof *states);
    bst_draft_step *steps = bst__draft_array(d, d->edge_count + 1, sizeof *steps);
    const char **notes = bst__draft_array(d, d->note_count + 1, sizeof *notes);

    if (d->failed)
        return;
    for (uint32_t i = 0; i < d->state_count; i++) {
        const draft_state *s = &d->states[i];
        states[i] = (bst_draft_state){.name = s->name,
                                      .code = s->name,
                                      .rows = s->rows,
                                      .initial = i == d->initial,
                                      .final = s->exits == 0};
    }
    for (size_t i = d->code_count; i-- > 0;)
        states[d->codes[i].state].code = d->codes[i].text;
    for (size_t i = 0; i < d->edge_count; i++) {
        const draft_edge *e = &d->edges[i];
        if (e->taken && e->from != DRAFT_NONE)
            steps[ret->step_count++] = (bst_draft_step){
                d->states[e->from].name, d->states[e->to].name, e->command, e->count, e->guess};
    }
    for (size_t i = 0; i < d->note_count; i++)
        notes[i] = d->notes[i];
    ret->states = states;
    ret->state_count = d->state_count;
    ret->steps = steps;
    ret->notes = notes;
    ret->note_count = d->note_count;
    ret->id = d->id;
    ret->table = d->table;
    ret->log = d->log;
    ret->rows = d->rows;
    ret->state_column = d->columns[d->state_column].name;
}

static bst_status open_source(draft *d) {
    if (!bst_is_connection_string(d->options->from))
        return bst__draft_open_csv(d);
#if BACKSTORY_POSTGRES
    return bst__draft_open_pg(d);
#else
    return bst_no_postgres("a .csv file", d->diags);
#endif
}

bst_status bst__draft_one(const bst_draft_options *options, bst_draft *ret, bst_diags *diags) {
    bst_draft_options wishes = *options;
    draft d = {.options = &wishes,
               .diags = diags,
               .arena = bst_arena_new(),
               .creation = DRAFT_NONE,
               .last_change = DRAFT_NONE,
               .deleted = DRAFT_NONE};

    *ret = (bst_draft){.arena = d.arena};
    if (!d.arena)
        return bst_diag_nomem(diags);
    bst_status status = name_table(&d, &wishes);
    if (status == BST_OK) {
        name_machine(&d);
        status = open_source(&d);
    }
    if (status == BST_OK)
        status = make(&d);
    if (status == BST_OK) {
        ret->machine = as_text(&d, bst__draft_machine(&d));
        ret->mapping = as_text(&d, bst__draft_mapping(&d));
        if (bst__draft_wants_zone(&d)) /* in the mapping it stands beside the zone */
            bst__draft_note(&d, "Times without a zone are read as UTC: a guess. Ask whoever wrote "
                                "them.");
        fill(&d, ret);
        status = d.failed ? bst_diag_nomem(diags) : BST_OK;
    }
    if (d.ops)
        d.ops->close(&d);
    if (status != BST_OK)
        bst_draft_release(ret);
    return status;
}

void bst_draft_release(bst_draft *made) {
    bst_arena_free(made->arena);
    *made = (bst_draft){0};
}
