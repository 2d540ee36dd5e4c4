/* backstory replay-commands: the same commands for the old system and for the machine. */
#include <stdlib.h>

#include "backstory/replay.h"

#include "cli.h"

static bst_status on_progress(void *context, uint64_t steps, uint64_t of) {
    cli_progress_show(context, of ? (double)steps / (double)of : -1, steps, NULL);
    return BST_OK;
}

static const char *or_null(const char *text) {
    return text ? text : "null";
}

/* What went wrong, in a few words: "field amount", "old-refused". */
static cli_text what(const bst_machine *machine, bst_mismatch_kind kind, uint32_t field) {
    cli_text text;

    if (kind == BST_MISMATCH_FIELD)
        snprintf(text.text, sizeof text.text, "field %s", machine->fields[field].name);
    else
        snprintf(text.text, sizeof text.text, "%s", bst_mismatch_text(kind));
    return text;
}

static bool is_noise(const bst_mismatch *m) {
    return m->noise == m->steps;
}

static void print_mismatch(const bst_machine *machine, const bst_mismatch *m) {
    cli_printf("%s  %s after \"%s\" %s %s%s%s%s\n", cli_number(m->steps).text,
               what(machine, m->kind, m->field).text, machine->commands[m->command].name,
               m->state == BST_NONE ? "of a new entity" : "in state",
               m->state == BST_NONE ? "" : "\"",
               m->state == BST_NONE ? "" : machine->states[m->state].name,
               m->state == BST_NONE ? "" : "\"",
               is_noise(m) ? ": noise, for the old side does not repeat itself" : "");
    cli_printf("    old: %s\n    new: %s\n    entity %s, line%s", or_null(m->old_text),
               or_null(m->new_text), m->entity, m->line_count > 1 ? "s" : "");
    for (size_t i = 0; i < m->line_count; i++)
        cli_printf("%s%u", i ? ", " : " ", m->lines[i]);
    puts(!m->shrunk ? "" : m->line_count > 1 ? " show it" : " shows it");
}

static void print_text(const bst_machine *machine, const bst_replay_result *result) {
    for (size_t i = 0; i < result->mismatch_count; i++) {
        print_mismatch(machine, &result->mismatches[i]);
        putchar('\n');
    }
    cli_printf("%s commands to %s entities: %s accepted by both, %s refused by both\n",
               cli_number(result->steps).text, cli_number(result->entities).text,
               cli_number(result->accepted).text, cli_number(result->refused).text);
    if (result->skipped > 0)
        cli_printf("%s skipped: their row could not be read any more\n",
                   cli_number(result->skipped).text);
    for (size_t i = 0; i < result->noise_count; i++)
        cli_printf("noise: %s differs between two runs of the old side after %s commands\n",
                   result->noise[i].kind == BST_MISMATCH_OLD_REFUSED
                       ? "the answer"
                       : what(machine, result->noise[i].kind, result->noise[i].field).text,
                   cli_number(result->noise[i].steps).text);
    size_t real = 0;
    for (size_t i = 0; i < result->mismatch_count; i++)
        real += !is_noise(&result->mismatches[i]);
    cli_printf("%s kinds of mismatch, %s of them noise\n", cli_number(result->mismatch_count).text,
               cli_number(result->mismatch_count - real).text);
}

static json_t *mismatch_as_json(const bst_machine *machine, const bst_mismatch *m) {
    json_t *lines = json_array();
    for (size_t i = 0; i < m->line_count; i++)
        json_array_append_new(lines, json_integer(m->lines[i]));
    return json_pack("{s:s, s:s, s:s?, s:s?, s:I, s:I, s:s, s:s?, s:s?, s:o, s:b}", "kind",
                     bst_mismatch_text(m->kind), "command", machine->commands[m->command].name,
                     "state", m->state == BST_NONE ? NULL : machine->states[m->state].name, "field",
                     m->kind == BST_MISMATCH_FIELD ? machine->fields[m->field].name : NULL, "steps",
                     (json_int_t)m->steps, "noise", (json_int_t)m->noise, "entity", m->entity,
                     "old", m->old_text, "new", m->new_text, "lines", lines, "shrunk", m->shrunk);
}

static void print_json(const bst_machine *machine, const bst_replay_result *result) {
    json_t *mismatches = json_array();
    json_t *noise = json_array();

    for (size_t i = 0; i < result->mismatch_count; i++)
        json_array_append_new(mismatches, mismatch_as_json(machine, &result->mismatches[i]));
    for (size_t i = 0; i < result->noise_count; i++) {
        const bst_noise *n = &result->noise[i];
        json_array_append_new(
            noise,
            json_pack("{s:s, s:s?, s:I}", "kind",
                      n->kind == BST_MISMATCH_OLD_REFUSED ? "answer" : bst_mismatch_text(n->kind),
                      "field",
                      n->kind == BST_MISMATCH_FIELD ? machine->fields[n->field].name : NULL,
                      "steps", (json_int_t)n->steps));
    }
    json_t *all =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "commands", (json_int_t)result->steps,
                  "entities", (json_int_t)result->entities, "accepted",
                  (json_int_t)result->accepted, "refused", (json_int_t)result->refused, "skipped",
                  (json_int_t)result->skipped, "noise", noise, "mismatches", mismatches);
    cli_print_json(all, JSON_INDENT(2), stdout);
    putchar('\n');
    json_decref(all);
}

static bst_status run(cli_call *call, const char *from, bool no_noise) {
    bst_mapping *mapping = NULL;
    bst_replay_result result;
    cli_progress progress;
    bst_arena *arena = bst_arena_new();
    bst_status status = arena ? cli_load_mapping(call, call->argument[0], &mapping) : BST_NOMEM;

    if (status == BST_OK) {
        cli_progress_begin(&progress, call, "replay");
        const bst_replay_options options = {.from = from,
                                            .log = call->argument[1],
                                            .no_noise = no_noise,
                                            .on_progress = on_progress,
                                            .context = &progress};
        status = bst_replay(mapping, &options, arena, &result, call->diags);
        cli_progress_end(&progress);
    }
    if (mapping && (status == BST_OK || status == BST_DIFFERENT)) {
        if (call->json)
            print_json(mapping->machine, &result);
        else
            print_text(mapping->machine, &result);
    }
    bst_mapping_free(mapping);
    bst_arena_free(arena);
    return status;
}

static int replay_commands(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    char *from = NULL;
    int no_noise = 0;
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &from, 0,
         "the legacy database: a connection string; nothing stays changed in it", "SOURCE"},
        {"no-noise", 0, POPT_ARG_NONE, &no_noise, 0, "leave out the second run, old against old",
         NULL},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 2, 2, argc, argv, &exit_status))
        return exit_status;
    bst_status status = from ? BST_OK : cli_usage(&call, "--from is missing");
    if (status == BST_OK)
        status = run(&call, from, no_noise != 0);
    free(from);
    return cli_end(&call, status);
}

const cli_command cli_replay_commands = {
    .name = "replay-commands",
    .arguments = "MAPPING LOG",
    .summary =
        "give recorded commands to the old system and to the machine; exit 1 when they disagree",
    .examples =
        "  backstory replay-commands payment.legacy.json commands.jsonl --from postgresql:///shop\n"
        "  echo '{\"entity\":\"7\",\"command\":\"capture\",\"data\":{\"amount\":\"9.95\"}}' |\n"
        "      backstory replay-commands payment.legacy.json - --from postgresql:///shop\n",
    .run = replay_commands,
};
