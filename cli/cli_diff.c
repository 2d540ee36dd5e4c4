/* backstory diff: two versions of a machine, and what the change means for what is stored. */
#include <stdlib.h>

#include "backstory/diff.h"
#include "backstory/reader.h"
#include "backstory/step.h"

#include "cli.h"

/* What a store holds of the old machine. */
typedef struct stock {
    uint64_t *in_state;  /* entities, by state they stand in now */
    uint64_t *of_event;  /* events, by type */
    uint64_t *took_step; /* events, by the transition they are */
    uint64_t entities, events;
} stock;

static bool stock_new(stock *s, const bst_machine *machine) {
    *s = (stock){.in_state = calloc(machine->state_count + 1, sizeof(uint64_t)),
                 .of_event = calloc(machine->event_count + 1, sizeof(uint64_t)),
                 .took_step = calloc(machine->transition_count + 1, sizeof(uint64_t))};
    return s->in_state && s->of_event && s->took_step;
}

static void stock_release(stock *s) {
    free(s->in_state);
    free(s->of_event);
    free(s->took_step);
}

/* Reads the whole store once. */
static bst_status take_stock(cli_call *call, const char *store, const bst_machine *machine,
                             stock *s) {
    bst_reader *reader = NULL;
    const bst_stored_event *event = NULL;
    uint32_t state = BST_NONE;
    cli_progress progress;
    bst_status status = bst_reader_open(store, machine, NULL, &reader, call->diags);

    cli_progress_begin(&progress, call, "diff");
    while (status == BST_OK) {
        status = bst_reader_next(reader, &event, call->diags);
        if (status != BST_OK || !event || event->version == 1) {
            if (state != BST_NONE)
                s->in_state[state]++;
            state = BST_NONE;
        }
        if (status != BST_OK || !event)
            break;
        s->entities += event->version == 1;
        s->events++;
        s->of_event[event->type]++;
        const uint32_t step =
            bst_machine_find_transition(machine, state, event->type, event->state);
        if (step != BST_NONE)
            s->took_step[step]++;
        state = event->state;
        cli_progress_show(&progress, -1, s->entities, NULL);
    }
    cli_progress_end(&progress);
    bst_reader_free(reader);
    return status;
}

/* How much of what is stored the change speaks of; without a store, or where it speaks of nothing
 * that can be counted, 1: it has to be reckoned with. */
static uint64_t affected(const stock *s, const bst_change *change) {
    if (!s->in_state)
        return 1;
    if (change->old_state != BST_NONE)
        return s->in_state[change->old_state];
    if (change->old_event != BST_NONE)
        return s->of_event[change->old_event];
    if (change->old_transition != BST_NONE)
        return s->took_step[change->old_transition];
    return s->events;
}

static bool breaks(const stock *s, const bst_change *change) {
    return change->effect >= BST_EFFECT_NEEDS_UPCAST && affected(s, change) > 0;
}

static void print_text(const stock *s, const bst_change *changes, size_t count) {
    cli_table *table = cli_table_new("lrll");

    for (size_t i = 0; i < count; i++) {
        const bst_change *c = &changes[i];
        bst_strbuf what = BST_STRBUF_INIT;
        bst_strbuf_addf(&what, "%s %s", bst_changed_text(c->what), c->name);
        const cli_text number = cli_number(affected(s, c));
        bst_strbuf stored = BST_STRBUF_INIT;
        if (s->in_state && c->effect != BST_EFFECT_COMPATIBLE)
            bst_strbuf_addf(&stored, "%s %s", number.text,
                            c->old_state != BST_NONE ? "entities" : "events");
        cli_table_add(table, (const char *[]){bst_effect_text(c->effect), stored.text, what.text,
                                              c->message});
        bst_strbuf_release(&what);
        bst_strbuf_release(&stored);
    }
    cli_table_print(table, stdout);
    cli_table_free(table);
}

static void print_json(const stock *s, const bst_change *changes, size_t count, bool replays) {
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const bst_change *c = &changes[i];
        json_t *object =
            json_pack("{s:s, s:s, s:s, s:s}", "what", bst_changed_text(c->what), "name", c->name,
                      "effect", bst_effect_text(c->effect), "message", c->message);
        if (c->where.file)
            json_object_set_new(object, "where",
                                json_pack("{s:s, s:i, s:i}", "file", c->where.file, "line",
                                          (int)c->where.line, "column", (int)c->where.column));
        if (s->in_state)
            json_object_set_new(object, "stored", json_integer((json_int_t)affected(s, c)));
        json_array_append_new(list, object);
    }
    json_t *root = json_pack("{s:b, s:o}", "replays", (int)replays, "changes", list);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static bst_status compare(cli_call *call, const bst_machine *before, const bst_machine *after,
                          const stock *s) {
    bst_arena *arena = bst_arena_new();
    const bst_change *changes = NULL;
    size_t count = 0;
    size_t breaking = 0;

    if (!arena)
        return bst_diag_nomem(call->diags);
    bst_status status = bst_machine_diff(before, after, arena, &changes, &count, call->diags);
    for (size_t i = 0; i < count; i++)
        breaking += breaks(s, &changes[i]);
    if (status == BST_OK && call->json) {
        print_json(s, changes, count, breaking == 0);
    } else if (status == BST_OK) {
        print_text(s, changes, count);
        if (s->in_state)
            printf("%s entities and %s events are stored\n", cli_number(s->entities).text,
                   cli_number(s->events).text);
        if (count == 0)
            puts("nothing changed that a history could notice");
        else if (breaking == 0)
            puts("what is stored replays");
        else
            printf("what is stored would not replay: %zu change%s\n", breaking,
                   breaking == 1 ? "" : "s");
    }
    bst_arena_free(arena);
    return status == BST_OK && breaking > 0 ? BST_INVALID : status;
}

static int diff(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    bst_machine *before = NULL;
    bst_machine *after = NULL;
    stock s = {0};
    char *store = NULL;
    int exit_status;
    struct poptOption options[] = {
        {"store", 0, POPT_ARG_STRING, &store, 0,
         "count what is stored: a connection string or a .jsonl file, written by OLD", "STORE"},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 2, 2, argc, argv, &exit_status))
        return exit_status;
    bst_status status = cli_load_machine(&call, call.argument[0], &before);
    if (status == BST_OK)
        status = cli_load_machine(&call, call.argument[1], &after);
    if (status == BST_OK && store) {
        status = stock_new(&s, before) ? take_stock(&call, store, before, &s)
                                       : bst_diag_nomem(call.diags);
    }
    if (status == BST_OK)
        status = compare(&call, before, after, &s);
    stock_release(&s);
    bst_machine_free(before);
    bst_machine_free(after);
    free(store);
    return cli_end(&call, status);
}

const cli_command cli_diff = {
    "diff", "OLD NEW", "two versions of a machine: what the change means for what is stored",
    "  backstory diff payment-1.fsm.json payment.fsm.json\n"
    "  backstory diff payment-1.fsm.json payment.fsm.json --store dbname=events\n",
    diff};
