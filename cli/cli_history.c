/* backstory history: one entity, event by event: why is it in this state? */
#include <stdlib.h>
#include <string.h>

#include "backstory/reader.h"
#include "backstory/step.h"
#include "backstory/timestamp.h"

#include "cli.h"
#include "why.h"

typedef struct shown {
    cli_call *call;
    const bst_machine *machine;
    const char *key;
    bool has_at;
    int64_t at;
    bst_entity entity;
    bst_arena *arena; /* keeps the texts that the entity borrows */
    uint64_t count, later;
    json_t *events; /* as JSON */
} shown;

static void add_payload(const bst_machine *machine, const bst_stored_event *event,
                        bst_strbuf *out) {
    const bst_event_type *type = &machine->events[event->type];
    bool first = true;

    for (uint32_t i = 0; i < type->field_count; i++) {
        if (!event->fields[i].present)
            continue;
        bst_strbuf_addf(out, "%s%s ", first ? "" : ", ", type->fields[i].name);
        bst_value_to_text(&type->fields[i].type, &event->fields[i], out);
        first = false;
    }
}

static void print_event(const shown *s, const bst_stored_event *event) {
    bst_strbuf payload = BST_STRBUF_INIT;
    bst_strbuf known = BST_STRBUF_INIT;

    bst_strbuf_adds(&known, bst_basis_text(event->basis));
    if (event->confidence > 0 && event->confidence < 1)
        bst_strbuf_addf(&known, " %s", cli_confidence(event->confidence, false).text);
    if (event->source)
        bst_strbuf_addf(&known, ", %s", event->source);
    add_payload(s->machine, event, &payload);
    cli_printf("%3lld  %-27s  %-20s -> %s  (%s)\n", (long long)event->version,
               cli_time(event->occurred_at).text, s->machine->events[event->type].name,
               s->machine->states[event->state].name, known.text);
    if (event->interval)
        cli_printf("     the time is not recorded: between %s and %s\n",
                   cli_time(event->after).text, cli_time(event->before).text);
    if (payload.len > 0)
        cli_printf("     %s\n", payload.text);
    bst_strbuf_release(&payload);
    bst_strbuf_release(&known);
}

/* The entity keeps its texts beyond this event. */
static bst_status apply(shown *s, const bst_stored_event *event) {
    const bst_event_type *type = &s->machine->events[event->type];
    bst_value *fields = bst_arena_array(s->arena, type->field_count + 1, sizeof *fields);

    for (uint32_t i = 0; fields && i < type->field_count; i++) {
        if (!bst_value_copy(&type->fields[i].type, &event->fields[i], s->arena, &fields[i]))
            fields = NULL;
    }
    if (!fields)
        return bst_diag_nomem(s->call->diags);
    const bst_event plain = {event->type, event->state, fields};
    if (bst_apply(s->machine, &s->entity, &plain) == BST_APPLY_OK)
        return BST_OK;
    return bst_diag_add(s->call->diags, BST_INVALID, BST_ERROR, "not-replayable", NULL,
                        "event %lld of \"%s\", %s, cannot follow the ones before it",
                        (long long)event->version, s->key, type->name);
}

static bst_status take_event(shown *s, const bst_stored_event *event) {
    if (s->has_at && event->occurred_at > s->at) {
        s->later++;
        return BST_OK;
    }
    s->count++;
    if (s->call->json) {
        bst_strbuf line = BST_STRBUF_INIT;
        bst_event_line(s->machine, event, &line);
        json_t *object = line.failed ? NULL : json_loadb(line.text, line.len, 0, NULL);
        bst_strbuf_release(&line);
        if (!object || json_array_append_new(s->events, object) != 0)
            return bst_diag_nomem(s->call->diags);
    } else {
        print_event(s, event);
    }
    return apply(s, event);
}

static void print_end_text(const shown *s) {
    if (s->count == 0) {
        cli_printf("%s did not exist yet at %s; it has %llu later event%s\n", s->key,
                   cli_time(s->at).text, (unsigned long long)s->later, s->later == 1 ? "" : "s");
        return;
    }
    cli_printf("\n%s %s is %s", s->machine->id, s->key, s->machine->states[s->entity.state].name);
    if (s->has_at)
        cli_printf(" at %s", cli_time(s->at).text);
    putchar('\n');
    for (uint32_t i = 0; i < s->machine->field_count; i++) {
        bst_strbuf text = BST_STRBUF_INIT;
        bst_value_to_text(&s->machine->fields[i].type, &s->entity.fields[i], &text);
        cli_printf("  %s: %s\n", s->machine->fields[i].name,
                   s->entity.fields[i].present ? text.text : "-");
        bst_strbuf_release(&text);
    }
    if (s->later > 0)
        cli_printf("(%llu later event%s not shown)\n", (unsigned long long)s->later,
                   s->later == 1 ? "" : "s");
}

static void print_end_json(shown *s) {
    json_t *fields = json_object();

    for (uint32_t i = 0; i < s->machine->field_count; i++) {
        bst_strbuf text = BST_STRBUF_INIT;
        bst_value_to_json(&s->machine->fields[i].type, &s->entity.fields[i], &text);
        json_object_set_new(fields, s->machine->fields[i].name,
                            json_loads(text.text, JSON_DECODE_ANY, NULL));
        bst_strbuf_release(&text);
    }
    json_t *root =
        json_pack("{s:s, s:s, s:s?, s:O, s:I, s:O}", "machine", s->machine->id, "entity", s->key,
                  "state", s->count > 0 ? s->machine->states[s->entity.state].name : NULL, "fields",
                  fields, "later", (json_int_t)s->later, "events", s->events);
    cli_print_json(root, JSON_INDENT(2), stdout);
    putchar('\n');
    json_decref(root);
    json_decref(fields);
}

static bst_status show(shown *s, const char *store) {
    bst_reader *reader = NULL;
    const bst_stored_event *event = NULL;
    bst_status status = bst_reader_open(store, s->machine, s->key, &reader, s->call->diags);

    while (status == BST_OK) {
        status = bst_reader_next(reader, &event, s->call->diags);
        if (status != BST_OK || !event)
            break;
        status = take_event(s, event);
    }
    bst_reader_free(reader);
    if (status != BST_OK)
        return status;
    if (s->count + s->later == 0) {
        bst_diag_add(s->call->diags, BST_INVALID, BST_ERROR, "no-history", NULL,
                     "%s \"%s\" has no history in this store", s->machine->id, s->key);
        bst_diag_hint(s->call->diags,
                      "It may be in quarantine, or its key may be written otherwise.");
        return BST_INVALID;
    }
    if (s->call->json)
        print_end_json(s);
    else
        print_end_text(s);
    return BST_OK;
}

static bst_status read_at(cli_call *call, const char *text, shown *s) {
    if (!text)
        return BST_OK;
    s->has_at = true;
    if (bst_time_parse(text, strlen(text), NULL, &s->at) == BST_TIME_OK)
        return BST_OK;
    return cli_usage(call, "--at is a time with its zone, as 2024-07-01T12:00:00Z, not \"%s\"",
                     text);
}

/* One entity of a store. */
static bst_status show_stored(cli_call *call, const char *from, const char *at) {
    bst_machine *machine = NULL;
    shown s = {.call = call, .key = call->argument[1]};
    bst_status status = read_at(call, at, &s);

    if (status == BST_OK)
        status = cli_load_machine(call, call->argument[0], &machine);
    if (status == BST_OK) {
        s.machine = machine;
        s.arena = bst_arena_new();
        s.events = json_array();
        s.entity.fields = calloc(machine->field_count + 1, sizeof *s.entity.fields);
        if (s.arena && s.events && s.entity.fields) {
            bst_entity_clear(machine, &s.entity);
            status = show(&s, from);
        } else {
            status = bst_diag_nomem(call->diags);
        }
        free(s.entity.fields);
        json_decref(s.events);
        bst_arena_free(s.arena);
    }
    bst_machine_free(machine);
    return status;
}

static int history(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    char *from = NULL;
    char *at = NULL;
    int why = 0;
    int exit_status;
    struct poptOption options[] = {{"from", 0, POPT_ARG_STRING, &from, 0,
                                    "the store: a connection string or a .jsonl file; with --why "
                                    "the legacy rows",
                                    "STORE"},
                                   {"at", 0, POPT_ARG_STRING, &at, 0,
                                    "only what had happened by then, and the state at that time",
                                    "TIME"},
                                   {"why", 0, POPT_ARG_NONE, &why, 0,
                                    "from a mapping and the legacy rows: what proves each event, "
                                    "and what else would have been possible",
                                    NULL},
                                   POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 2, 2, argc, argv, &exit_status))
        return exit_status;
    bst_status status = BST_OK;
    if (!from)
        status =
            cli_usage(&call, why ? "--from is missing: where the legacy rows are"
                                 : "--from is missing: the store, or the legacy rows with --why");
    else if (why && at)
        status = cli_usage(&call, "--at asks a store, --why the legacy rows: one at a time");
    else if (why)
        status = cli_why(&call, from);
    else
        status = show_stored(&call, from, at);
    free(from);
    free(at);
    return cli_end(&call, status);
}

const cli_command cli_history = {
    .name = "history",
    .arguments = "MACHINE|MAPPING KEY",
    .summary = "one entity, event by event, and why it is in its state",
    .examples =
        "  backstory history payment.fsm.json 4711 --from payments.jsonl\n"
        "  backstory history payment.fsm.json 4711 --from dbname=events --at 2023-07-01T00:00:00Z\n"
        "  backstory history payment.legacy.json 4711 --why --from payments.csv\n",
    .run = history,
};
