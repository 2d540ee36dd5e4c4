/* backstory races: what following has found of transactions that did not see one another. */
#include <stdlib.h>
#include <string.h>

#include "backstory/follow.h"

#include "cli.h"

typedef struct listing {
    cli_table *sums, *races, *stays;
    json_t *json_watches, *json_sums, *json_races, *json_stays;
    uint64_t found, shown, stay_count;
} listing;

static const char *or_empty(const char *text) {
    return text ? text : "";
}

static bst_status on_watch(void *context, const bst_races_watch *w) {
    listing *const l = context;

    json_array_append_new(l->json_watches,
                          json_pack("{s:s, s:s, s:I, s:s, s:s, s:s?}", "slot", w->slot, "since",
                                    w->since, "starts", (json_int_t)w->starts, "last_start",
                                    w->last_start, "last_start_lsn", w->last_lsn, "until",
                                    w->until));
    return BST_OK;
}

static bst_status on_sum(void *context, const bst_races_sum *s) {
    listing *const l = context;
    const cli_text count = cli_number(s->count);
    const cli_text entities = cli_number(s->entities);

    l->found += s->count;
    cli_table_add(l->sums, (const char *[]){s->kind, s->field, s->proof, count.text, entities.text,
                                            or_empty(s->lost)});
    json_array_append_new(l->json_sums,
                          json_pack("{s:s, s:s, s:s, s:I, s:I, s:s?}", "kind", s->kind, "field",
                                    s->field, "proof", s->proof, "count", (json_int_t)s->count,
                                    "entities", (json_int_t)s->entities, "lost", s->lost));
    return BST_OK;
}

static bst_status on_race(void *context, const bst_race *r) {
    listing *const l = context;

    l->shown++;
    cli_table_add(l->races, (const char *[]){r->kind, r->key, r->field, r->xid, r->overwrote,
                                             or_empty(r->seen), or_empty(r->found),
                                             or_empty(r->wrote), or_empty(r->lost)});
    json_array_append_new(
        l->json_races,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?}", "kind",
                  r->kind, "proof", r->proof, "field", r->field, "key", r->key, "lsn", r->lsn,
                  "xid", r->xid, "committed_at", r->committed_at, "overwrote", r->overwrote, "seen",
                  r->seen, "found", r->found, "wrote", r->wrote, "lost", r->lost));
    return BST_OK;
}

static cli_text seconds_of(const char *text) {
    return cli_seconds(text ? strtod(text, NULL) : 0);
}

static bst_status on_stay(void *context, const bst_stay *s) {
    listing *const l = context;
    const cli_text stays = cli_number(s->stays);
    const cli_text shortest = seconds_of(s->shortest), median = seconds_of(s->median);
    const cli_text mean = seconds_of(s->mean), longest = seconds_of(s->longest);

    l->stay_count++;
    cli_table_add(l->stays, (const char *[]){s->machine, s->state, stays.text, shortest.text,
                                             median.text, mean.text, longest.text});
    json_array_append_new(l->json_stays,
                          json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "machine", s->machine,
                                    "state", s->state, "stays", (json_int_t)s->stays,
                                    "shortest_seconds", s->shortest, "median_seconds", s->median,
                                    "mean_seconds", s->mean, "longest_seconds", s->longest));
    return BST_OK;
}

/* A race with a half on either side of a start may be missing: so they are spoken of. */
static void print_watches(const listing *l) {
    size_t i;
    json_t *watch;

    json_array_foreach (l->json_watches, i, watch) {
        const char *slot, *since, *last, *lsn;
        json_int_t starts;
        json_unpack(watch, "{s:s, s:s, s:I, s:s, s:s}", "slot", &slot, "since", &since, "starts",
                    &starts, "last_start", &last, "last_start_lsn", &lsn);
        cli_printf("%s: watched since %s, %s start%s", slot, since,
                   cli_number((uint64_t)starts).text, starts == 1 ? "" : "s");
        if (starts > 1)
            cli_printf(", the last one %s at %s", last, lsn);
        putchar('\n');
    }
    if (json_array_size(l->json_watches) > 0)
        putchar('\n');
}

static void print_text(const listing *l) {
    print_watches(l);
    if (l->found == 0) {
        puts("no races were found");
    } else {
        cli_table_print(l->sums, stdout);
        putchar('\n');
        cli_table_print(l->races, stdout);
    }
    if (l->found > l->shown)
        cli_printf("... and %s more; --limit 0 lists all\n", cli_number(l->found - l->shown).text);
    if (l->stay_count > 0) {
        puts("\ntime in each state:");
        cli_table_print(l->stays, stdout);
    }
}

static void begin(listing *l) {
    l->sums = cli_table_new("lllrrr");
    l->races = cli_table_new("lllrrrrrr");
    l->stays = cli_table_new("llrrrrr");
    l->json_watches = json_array();
    l->json_sums = json_array();
    l->json_races = json_array();
    l->json_stays = json_array();
    cli_table_add(l->sums,
                  (const char *[]){"kind", "field", "by", "count", "entities", "lost in all"});
    cli_table_add(l->races, (const char *[]){"kind", "entity", "field", "transaction", "overwrote",
                                             "saw", "found", "wrote", "lost"});
    cli_table_add(l->stays, (const char *[]){"machine", "state", "stays", "shortest", "median",
                                             "mean", "longest"});
}

static void end(listing *l) {
    cli_table_free(l->sums);
    cli_table_free(l->races);
    cli_table_free(l->stays);
}

static bst_status list_races(cli_call *call, const char *from, const char *slot, uint64_t limit) {
    listing l = {.found = 0};

    begin(&l);
    const bst_races_visitor visitor = {on_watch, on_sum, on_race, on_stay, &l};
    const bst_status status = bst_races_list(from, slot, limit, &visitor, call->diags);
    json_t *root = json_pack("{s:o, s:o, s:o, s:o}", "watched", l.json_watches, "sums", l.json_sums,
                             "races", l.json_races, "time_in_states", l.json_stays);
    if (status == BST_OK && call->json) {
        cli_print_json(root, JSON_INDENT(2), stdout);
        putchar('\n');
    } else if (status == BST_OK) {
        print_text(&l);
    }
    json_decref(root);
    end(&l);
    return status;
}

static int races(const cli_command *command, int argc, const char **argv) {
    cli_call call;
    char *from = NULL;
    char *slot = NULL;
    int limit = 20;
    int exit_status;
    struct poptOption options[] = {
        {"from", 0, POPT_ARG_STRING, &from, 0, "the store: a connection string", "STORE"},
        {"slot", 0, POPT_ARG_STRING, &slot, 0, "of this slot only", "NAME"},
        {"limit", 0, POPT_ARG_INT, &limit, 0, "list at most so many, 0: all (default: 20)", "N"},
        POPT_TABLEEND};

    if (!cli_begin(&call, command, options, 0, 0, argc, argv, &exit_status))
        return exit_status;
    const bst_status status = from ? list_races(&call, from, slot, limit > 0 ? (uint64_t)limit : 0)
                                   : cli_usage(&call, "--from is missing");
    free(from);
    free(slot);
    return cli_end(&call, status);
}

const cli_command cli_races = {
    .name = "races",
    .arguments = "",
    .summary = "lost updates and overtakings that following has found, and the time in each state",
    .examples = "  backstory races --from postgresql:///events\n"
                "  backstory races --from postgresql:///events --limit 0 --format json\n",
    .run = races,
};
