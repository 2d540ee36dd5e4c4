/* history --why: one legacy row, made a history once more, in words: each event, what proves it,
 * and what else would have been possible. It asks the legacy row, not the store: what the store
 * keeps is the outcome, what the row says is the reason.
 */
#include "why.h"

#include "path.h"

#include <string.h>

#include "backstory/mapping.h"
#include "backstory/synth.h"

#define ALTERNATIVES_SHOWN 5

typedef struct why {
    cli_call *call;
    const bst_mapping *mapping;
    const char *key;
    bst_history history;
    const bst_refusal *refusal; /* with a history: what a policy remedies; NULL: nothing */
    bool told;                  /* there is a history */
    size_t alternative_count;
    bst_alternative alternatives[ALTERNATIVES_SHOWN];
} why;

static void print_time(const bst_happening *at) {
    if (!at->interval)
        cli_printf("at %s", cli_time(at->occurred_at).text);
    else if (at->after == BST_TIME_MINUS_INFINITY)
        cli_printf("not after %s", cli_time(at->before).text);
    else if (at->before == BST_TIME_INFINITY)
        cli_printf("not before %s", cli_time(at->after).text);
    else if (at->after == at->before)
        cli_printf("at %s, as what is around it", cli_time(at->after).text);
    else
        cli_printf("between %s and %s", cli_time(at->after).text, cli_time(at->before).text);
}

static void print_proof(const bst_plan_event *event) {
    if (event->basis == BST_BASIS_CORRECTION) {
        cli_printf("what the events before it leave unexplained of %s; nobody knows what happened",
                   event->source);
    } else if (event->basis == BST_BASIS_ASSUMED && !(event->confidence > 0)) {
        cli_printf("carries the row of %s as it is; nothing is claimed about its past",
                   event->source);
    } else if (event->basis == BST_BASIS_RECORDED) {
        cli_printf("%s says so", event->source ? event->source : "a column");
        if (event->confidence < 1)
            cli_printf(", though in other possible histories it speaks of another event (sure %s)",
                       cli_confidence(event->confidence, false).text);
    } else if (event->basis == BST_BASIS_IMPLIED) {
        cli_printf("no column says so, but every possible history has it");
    } else {
        cli_printf("a choice (sure %s): not every possible history has it%s%s",
                   cli_confidence(event->confidence, false).text, event->source ? "; " : "",
                   event->source ? event->source : "");
    }
}

static void print_path(const bst_machine *machine, const bst_plan *plan, const bst_plan *chosen) {
    bst_strbuf path = BST_STRBUF_INIT;

    cli_add_path(&path, machine, plan, chosen, false);
    cli_printf("%s\n", path.text);
    bst_strbuf_release(&path);
}

/* Of a history by policy: which, and what it remedies. */
static void print_remedy(const why *w) {
    cli_printf("\n%s", bst_remedy_text(w->history.plan->remedy));
    if (w->refusal)
        cli_printf(", for without it: %s: %s", bst_reason_text(w->refusal->reason),
                   w->refusal->message.text);
    putchar('\n');
    if (w->refusal && w->refusal->repair.len > 0)
        cli_printf("  %s\n", w->refusal->repair.text);
}

static void print_history(const why *w) {
    const bst_machine *machine = w->mapping->machine;
    const bst_plan *plan = w->history.plan;

    for (uint32_t i = 0; i < plan->event_count; i++) {
        const bst_plan_event *event = &plan->events[i];
        cli_printf("%3u  %s -> %s, ", i + 1, machine->events[event->type].name,
                   machine->states[event->state].name);
        print_time(&w->history.events[i]);
        fputs("\n     ", stdout);
        print_proof(event);
        putchar('\n');
        if (event->tied)
            puts("     its order among the events of this time is not known");
    }
    if (plan->certain) {
        puts("\ncertain: no other history agrees with the row");
        return;
    }
    if (plan->remedy != BST_REMEDY_NONE)
        print_remedy(w);
    if (!(plan->confidence > 0))
        return;
    cli_printf("\nthe likeliest history, sure %s%s%s\n", plan->at_least ? "at least " : "",
               cli_confidence(plan->confidence, false).text,
               w->alternative_count > 0 ? "; what else agrees with the row:" : "");
    for (size_t i = 0; i < w->alternative_count; i++) {
        cli_printf("  %s  ", cli_confidence(w->alternatives[i].confidence, false).text);
        print_path(machine, w->alternatives[i].plan, plan);
    }
}

static void print_refusal(const why *w) {
    cli_printf("%s \"%s\" has no history: %s: %s\n", w->mapping->machine->id, w->key,
               bst_reason_text(w->refusal->reason), w->refusal->message.text);
    if (w->refusal->repair.len > 0)
        cli_printf("  %s\n", w->refusal->repair.text);
}

static json_t *time_to_json(int64_t time) {
    return bst_time_is_finite(time) ? json_string(cli_time(time).text) : json_null();
}

static json_t *event_to_json(const bst_machine *machine, const bst_plan_event *event,
                             const bst_happening *at) {
    json_t *object = json_pack(
        "{s:s, s:s, s:o, s:s, s:f, s:s?}", "type", machine->events[event->type].name, "state",
        machine->states[event->state].name, "occurred_at", time_to_json(at->occurred_at), "basis",
        bst_basis_text(event->basis), "confidence", event->confidence, "source", event->source);
    json_object_set_new(object, "occurred_between",
                        at->interval
                            ? json_pack("[o, o]", time_to_json(at->after), time_to_json(at->before))
                            : json_null());
    if (event->tied)
        json_object_set_new(object, "tied", json_true());
    return object;
}

static void refusal_to_json(const why *w, json_t *root) {
    json_t *columns = json_array();

    for (uint32_t i = 0; i < w->refusal->evidence_count; i++)
        json_array_append_new(
            columns, json_string(w->mapping->source.columns[w->refusal->evidence[i]].name));
    json_object_set_new(root, "reason", json_string(bst_reason_text(w->refusal->reason)));
    json_object_set_new(root, "message", json_string(w->refusal->message.text));
    json_object_set_new(root, "columns", columns);
    if (w->refusal->repair.len > 0)
        json_object_set_new(root, "repair", json_string(w->refusal->repair.text));
}

static void print_json(const why *w) {
    const bst_machine *machine = w->mapping->machine;
    json_t *root = json_pack("{s:s, s:s}", "machine", machine->id, "entity", w->key);

    if (w->refusal)
        refusal_to_json(w, root);
    if (w->told) {
        const bst_plan *plan = w->history.plan;
        json_t *events = json_array();
        json_t *others = json_array();
        for (uint32_t i = 0; i < plan->event_count; i++)
            json_array_append_new(events,
                                  event_to_json(machine, &plan->events[i], &w->history.events[i]));
        for (size_t i = 0; i < w->alternative_count; i++) {
            json_t *const other = json_pack("{s:f}", "confidence", w->alternatives[i].confidence);
            cli_path_to_json(other, machine, w->alternatives[i].plan);
            json_array_append_new(others, other);
        }
        if (plan->remedy != BST_REMEDY_NONE)
            json_object_set_new(root, "remedy", json_string(bst_remedy_text(plan->remedy)));
        json_object_set_new(root, "confidence", json_real(plan->confidence));
        if (plan->at_least)
            json_object_set_new(root, "at_least", json_true());
        json_object_set_new(root, "certain", json_boolean(plan->certain));
        json_object_set_new(root, "events", events);
        json_object_set_new(root, "alternatives", others);
    }
    cli_print_json(root, JSON_INDENT(2), stdout);
    putchar('\n');
    json_decref(root);
}

/* *ret is NULL when no row has the key. */
static bst_status find_row(const why *w, bst_source *source, const bst_row **ret) {
    const size_t len = strlen(w->key);
    bst_status status;

    while ((status = bst_source_next(source, ret, w->call->diags)) == BST_OK && *ret) {
        if (!(*ret)->key_is_null && (*ret)->key_len == len && memcmp((*ret)->key, w->key, len) == 0)
            return BST_OK;
    }
    return status;
}

static bst_status tell(why *w, bst_synth *synth, const bst_row *row) {
    bst_fate fate = BST_OUT_OF_SCOPE;
    bst_status status = bst_synth_row(synth, row, &fate, &w->history, &w->refusal, w->call->diags);

    if (status != BST_OK)
        return status;
    if (fate == BST_OUT_OF_SCOPE) {
        bst_diag_add(w->call->diags, BST_INVALID, BST_ERROR, "out-of-scope", NULL,
                     "the row \"%s\" is out of scope: the mapping's \"where\" leaves it out",
                     w->key);
        return BST_INVALID;
    }
    w->told = fate == BST_MIGRATED;
    w->alternative_count = bst_synth_alternatives(synth, w->alternatives, ALTERNATIVES_SHOWN);
    if (w->call->json)
        print_json(w);
    else if (w->told)
        print_history(w);
    else
        print_refusal(w);
    return BST_OK;
}

bst_status cli_why(cli_call *call, const char *from) {
    why w = {.call = call, .key = call->argument[1]};
    bst_mapping *mapping = NULL;
    bst_synth *synth = NULL;
    bst_source *source = NULL;
    const bst_row *row = NULL;

    bst_status status = cli_load_mapping(call, call->argument[0], &mapping);
    if (status == BST_OK)
        status = bst_synth_new(mapping, &synth, call->diags);
    if (status == BST_OK)
        bst_synth_explain(synth);
    if (status == BST_OK)
        status = bst_source_open(from, &mapping->source, &source, call->diags);
    w.mapping = mapping;
    if (status == BST_OK)
        status = find_row(&w, source, &row);
    if (status == BST_OK && row) {
        status = tell(&w, synth, row);
    } else if (status == BST_OK) {
        bst_diag_add(call->diags, BST_INVALID, BST_ERROR, "no-row", NULL,
                     "no row has the key \"%s\"", w.key);
        bst_diag_hint(call->diags, "The parts of a composite key are joined by \"/\".");
        status = BST_INVALID;
    }
    bst_source_free(source);
    bst_synth_free(synth);
    bst_mapping_free(mapping);
    return status;
}
