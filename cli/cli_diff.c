/* backstory diff: two versions of a machine, and what the change means for what is stored. */
#include <stdlib.h>

#include "backstory/diff.h"
#include "backstory/reader.h"
#include "backstory/step.h"

#include "cli.h"

/* What a store holds of the old machine. */
typedef struct stock {
    uint64_t *into_state; /* events, by the state after them */
    uint64_t *of_event;   /* events, by type */
    uint64_t *by_command; /* events, by the command that led to them */
    uint64_t *took_step;  /* events, by the transition they are */
    uint64_t entities, events;
} stock;

static bool stock_new(stock *s, const bst_machine *machine) {
    *s = (stock){.into_state = calloc(machine->state_count + 1, sizeof(uint64_t)),
                 .of_event = calloc(machine->event_count + 1, sizeof(uint64_t)),
                 .by_command = calloc(machine->command_count + 1, sizeof(uint64_t)),
                 .took_step = calloc(machine->transition_count + 1, sizeof(uint64_t))};
    return s->into_state && s->of_event && s->by_command && s->took_step;
}

static void stock_release(stock *s) {
    free(s->into_state);
    free(s->of_event);
    free(s->by_command);
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
            state = BST_NONE;
        }
        if (status != BST_OK || !event)
            break;
        s->entities += event->version == 1;
        s->events++;
        s->of_event[event->type]++;
        s->into_state[event->state]++;
        if (event->command != BST_NONE)
            s->by_command[event->command]++;
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
    if (!s->into_state)
        return 1;
    if (change->old_state != BST_NONE)
        return s->into_state[change->old_state];
    if (change->old_event != BST_NONE)
        return s->of_event[change->old_event];
    if (change->old_command != BST_NONE)
        return s->by_command[change->old_command];
    if (change->old_transition != BST_NONE)
        return s->took_step[change->old_transition];
    return s->events;
}

/* The changes that matter to what is stored. */
typedef struct verdict {
    size_t breaking, folding; /* it would not replay; it would replay to other values */
} verdict;

static verdict judge(const stock *s, const bst_change *changes, size_t count) {
    verdict v = {0};
    for (size_t i = 0; i < count; i++) {
        const bool matters = affected(s, &changes[i]) > 0;
        v.breaking += matters && changes[i].effect >= BST_EFFECT_NEEDS_UPCAST;
        v.folding += matters && changes[i].effect == BST_EFFECT_CHANGES_FOLD;
    }
    return v;
}

static void print_text(const stock *s, const bst_change *changes, size_t count) {
    cli_table *table = cli_table_new("lrll");

    for (size_t i = 0; i < count; i++) {
        const bst_change *c = &changes[i];
        bst_strbuf what = BST_STRBUF_INIT;
        bst_strbuf_addf(&what, "%s %s", bst_changed_text(c->what), c->name);
        const cli_text number = cli_number(affected(s, c));
        bst_strbuf stored = BST_STRBUF_INIT;
        if (s->into_state && c->effect != BST_EFFECT_COMPATIBLE)
            bst_strbuf_addf(&stored, "%s events", number.text);
        cli_table_add(table, (const char *[]){bst_effect_text(c->effect), stored.text, what.text,
                                              c->message});
        bst_strbuf_release(&what);
        bst_strbuf_release(&stored);
    }
    cli_table_print(table, stdout);
    cli_table_free(table);
}

static void print_json(const stock *s, const bst_change *changes, size_t count, verdict v) {
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
        if (s->into_state)
            json_object_set_new(object, "stored", json_integer((json_int_t)affected(s, c)));
        json_array_append_new(list, object);
    }
    json_t *root = json_pack("{s:b, s:b, s:o}", "replays", (int)(v.breaking == 0), "same_values",
                             (int)(v.breaking + v.folding == 0), "changes", list);
    cli_print_json(root, JSON_INDENT(2), stdout);
    putchar('\n');
    json_decref(root);
}

static void print_verdict(verdict v, size_t count) {
    if (count == 0)
        puts("nothing changed that a history could notice");
    else if (v.breaking > 0)
        cli_printf("what is stored would not replay: %zu change%s\n", v.breaking,
                   v.breaking == 1 ? "" : "s");
    else if (v.folding > 0)
        cli_printf("what is stored would come to other values: %zu change%s\n", v.folding,
                   v.folding == 1 ? "" : "s");
    else
        puts("what is stored replays");
}

static bst_status compare(cli_call *call, const bst_machine *before, const bst_machine *after,
                          const stock *s) {
    bst_arena *arena = bst_arena_new();
    const bst_change *changes = NULL;
    size_t count = 0;

    if (!arena)
        return bst_diag_nomem(call->diags);
    bst_status status = bst_machine_diff(before, after, arena, &changes, &count, call->diags);
    const verdict v = judge(s, changes, count);
    if (status == BST_OK && call->json) {
        print_json(s, changes, count, v);
    } else if (status == BST_OK) {
        print_text(s, changes, count);
        if (s->into_state)
            cli_printf("%s entities and %s events are stored\n", cli_number(s->entities).text,
                       cli_number(s->events).text);
        print_verdict(v, count);
    }
    bst_arena_free(arena);
    return status == BST_OK && v.breaking + v.folding > 0 ? BST_INVALID : status;
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
    .name = "diff",
    .arguments = "OLD NEW",
    .summary = "two versions of a machine: what the change means for what is stored",
    .examples = "  backstory diff payment-1.fsm.json payment.fsm.json\n"
                "  backstory diff payment-1.fsm.json payment.fsm.json --store dbname=events\n",
    .run = diff,
};
