/* What `compare` prints. */
#include "comparison.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLE_CONFIDENCE 0.95

static const char *const kinds[] = {[BST_DIFFERS] = "differs",
                                    [BST_MISSING_IN_STORE] = "missing-in-store",
                                    [BST_MISSING_IN_SOURCE] = "missing-in-source",
                                    [BST_NOT_REPLAYABLE] = "not-replayable"};
static const char *const extents[] = {[BST_EXTENT_STATE] = "state",
                                      [BST_EXTENT_FIELDS] = "fields",
                                      [BST_EXTENT_BOTH] = "both",
                                      [BST_EXTENT_CREATION] = "creation"};

/* ---- the file of differences ---- */

static bst_status file_trouble(const cli_comparison *c, const char *what) {
    const bst_loc where = {c->lines_path, 0, 0};
    return bst_diag_add(c->call->diags, BST_IO, BST_ERROR, "cannot-write", &where,
                        "could not %s: %s", what, strerror(errno));
}

static bst_status open_lines(cli_comparison *c) {
    const int fd = open(c->lines_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    struct stat st;

    /* A device or a FIFO keeps its rights. */
    if (fd >= 0 && fstat(fd, &st) == 0 &&
        (!S_ISREG(st.st_mode) || fchmod(fd, S_IRUSR | S_IWUSR) == 0))
        c->lines = fdopen(fd, "w");
    if (c->lines)
        return BST_OK;
    const bst_status status = file_trouble(c, "open the file");
    if (fd >= 0)
        close(fd);
    return status;
}

static bst_status close_lines(cli_comparison *c) {
    if (!c->lines)
        return BST_OK;
    const bool failed = ferror(c->lines) != 0;
    return fclose(c->lines) != 0 || failed ? file_trouble(c, "write the file") : BST_OK;
}

/* ---- differences ---- */

static const char *field_name(const bst_machine *machine, const bst_difference *d) {
    return d->creation            ? "(created)"
           : d->field == BST_NONE ? "(state)"
                                  : machine->fields[d->field].name;
}

json_t *cli_difference_as_json(const bst_machine *machine, const bst_difference *d) {
    json_t *object = json_object();
    json_object_set_new(object, "key", json_stringn(d->key, d->key_len));
    json_object_set_new(object, "kind", json_string(kinds[d->kind]));
    if (d->kind == BST_DIFFERS && !d->message) {
        json_object_set_new(object, "differs", json_string(extents[d->extent]));
        json_object_set_new(object, "field", json_string(field_name(machine, d)));
        json_object_set_new(object, "old", d->old_text ? json_string(d->old_text) : json_null());
        json_object_set_new(object, "new", d->new_text ? json_string(d->new_text) : json_null());
    }
    if (d->message)
        json_object_set_new(object, "message", json_string(d->message));
    return object;
}

/* As people tell nothing from an empty text. */
static const char *shown(const char *text) {
    return !text ? "null" : *text ? text : "\"\"";
}

static void print_as_text(const cli_comparison *c, const bst_difference *d) {
    cli_printf("%.*s  ", (int)d->key_len, d->key);
    if (d->message)
        cli_printf("%s%s\n", d->kind == BST_NOT_REPLAYABLE ? "cannot be replayed: " : "",
                   d->message);
    else if (d->kind == BST_DIFFERS)
        cli_printf("%s: %s in the row, %s in the history%s\n", field_name(c->machine, d),
                   shown(d->old_text), shown(d->new_text),
                   d->extent == BST_EXTENT_STATE ? "; all fields agree" : "");
    else if (d->kind == BST_MISSING_IN_STORE)
        puts("has a row and no history");
    else
        puts("has a history and no row");
}

bst_status cli_comparison_difference(void *context, const bst_difference *difference) {
    cli_comparison *c = context;
    json_t *object =
        c->lines || c->call->json ? cli_difference_as_json(c->machine, difference) : NULL;

    c->found++;
    if (c->lines) {
        cli_print_json(object, JSON_COMPACT, c->lines);
        fputc('\n', c->lines);
    }
    if (c->limit == 0 || c->found <= c->limit) {
        cli_progress_end(&c->progress);
        if (c->call->json) {
            fputs(c->found > 1 ? ",\n" : "\n", stdout);
            cli_print_json(object, JSON_COMPACT, stdout);
        } else {
            print_as_text(c, difference);
        }
    }
    json_decref(object);
    return BST_OK;
}

bst_status cli_comparison_progress(void *context, const bst_compare_figures *figures) {
    cli_comparison *c = context;
    char extra[80];

    snprintf(extra, sizeof extra, "%s different", cli_number(c->found).text);
    cli_progress_show(&c->progress, figures->progress, figures->rows, c->found > 0 ? extra : NULL);
    return BST_OK;
}

void cli_comparison_notice(void *context, const char *text) {
    cli_comparison *c = context;

    if (c->call->quiet)
        return;
    cli_progress_end(&c->progress);
    cli_fprintf(stderr, "compare: %s\n", text);
}

/* ---- the end ---- */

static uint64_t wrong(const bst_compare_figures *f) {
    return f->different + f->missing_in_store + f->missing_in_source;
}

static bool same_total(const bst_total *t) {
    return t->old_count == t->new_count && (!t->old_sum || strcmp(t->old_sum, t->new_sum) == 0);
}

/* A month is shown where its sides differ. */
static void print_totals(const cli_comparison *c, const bst_comparison *result) {
    cli_table *table = cli_table_new("lllrrrrl");

    cli_table_add(table, (const char *[]){"state", "", "", "rows", "histories", "sum of rows",
                                          "of histories", ""});
    for (size_t i = 0; i < result->total_count; i++) {
        const bst_total *t = &result->totals[i];
        const cli_text old_count = cli_number(t->old_count);
        const cli_text new_count = cli_number(t->new_count);
        if (t->month && same_total(t))
            continue;
        const char *month = !t->month ? NULL : *t->month ? t->month : "month unknown";
        cli_table_add(table, (const char *[]){c->machine->states[t->state].name, t->group, month,
                                              old_count.text, new_count.text, t->old_sum,
                                              t->new_sum, same_total(t) ? "=" : "differs"});
    }
    cli_table_print(table, stdout);
    cli_table_free(table);
}

static void print_left_out(const bst_comparison *result) {
    static const char *const what[] = {[BST_LEFT_FIELD] = "fields without a column",
                                       [BST_LEFT_EVIDENCE] = "columns that are evidence only",
                                       [BST_LEFT_COLUMN] =
                                           "columns that the mapping does not name"};

    for (int kind = 0; kind <= BST_LEFT_COLUMN; kind++) {
        bool first = true;
        for (size_t i = 0; i < result->left_out_count; i++) {
            if ((int)result->left_out[i].kind != kind)
                continue;
            if (first)
                cli_printf("not compared, %s: ", what[kind]);
            cli_printf("%s%s", first ? "" : ", ", result->left_out[i].name);
            first = false;
        }
        if (!first)
            putchar('\n');
    }
}

/* Entities that were looked at. */
static uint64_t sampled(const bst_compare_figures *f) {
    return f->equal + wrong(f);
}

static double sample_bound(const bst_compare_figures *f) {
    return bst_sample_bound(wrong(f), sampled(f), SAMPLE_CONFIDENCE);
}

static void print_sample(const bst_compare_figures *f) {
    if (sampled(f) == 0) {
        puts("the sample has no entity in it: it says nothing; give a larger share");
        return;
    }
    cli_printf(
        "a sample of %s entities, of which %s differ or are missing: with 95 %% confidence at "
        "most %.2g %% of all do\n",
        cli_number(sampled(f)).text, cli_number(wrong(f)).text, sample_bound(f) * 100);
}

/* Rows with a value that is none of its type, histories that break the rules. */
static uint64_t unclear(const bst_compare_figures *f) {
    uint64_t left = f->different;

    for (int i = 0; i < BST_EXTENT_COUNT; i++)
        left -= f->by_extent[i];
    return left;
}

static void print_extents(const bst_compare_figures *f) {
    cli_printf("different: %s in the state alone, %s in fields alone, %s in both",
               cli_number(f->by_extent[BST_EXTENT_STATE]).text,
               cli_number(f->by_extent[BST_EXTENT_FIELDS]).text,
               cli_number(f->by_extent[BST_EXTENT_BOTH]).text);
    if (f->by_extent[BST_EXTENT_CREATION] > 0)
        cli_printf(", %s in the time of creation alone",
                   cli_number(f->by_extent[BST_EXTENT_CREATION]).text);
    if (unclear(f) > 0)
        cli_printf(", %s that cannot be read or replayed", cli_number(unclear(f)).text);
    putchar('\n');
}

static void print_moment(const bst_comparison *result) {
    if (result->lsn)
        cli_printf(
            "exact at LSN %s of the old system's log: both sides are of that place (%s rows as "
            "the log has them, the others as they were just before)\n",
            result->lsn, cli_number(result->from_log).text);
    else if (result->standing && wrong(&result->figures) > 0)
        cli_printf("%s\n", result->standing);
}

static void print_text(const cli_comparison *c, const bst_comparison *result) {
    const bst_compare_figures *f = &result->figures;

    if (c->limit != 0 && c->found > c->limit)
        cli_printf("... and %s more; --limit 0 lists all\n", cli_number(c->found - c->limit).text);
    if (c->found > 0)
        putchar('\n');
    print_totals(c, result);
    cli_printf("\n%s rows and %s histories (%s events): %s equal, %s different\n",
               cli_number(f->rows).text, cli_number(f->histories).text, cli_number(f->events).text,
               cli_number(f->equal).text, cli_number(f->different).text);
    if (f->different > 0)
        print_extents(f);
    cli_printf(
        "%s missing in the store, %s missing in the source, %s quarantined, %s out of scope\n",
        cli_number(f->missing_in_store).text, cli_number(f->missing_in_source).text,
        cli_number(f->quarantined).text, cli_number(f->out_of_scope).text);
    print_moment(result);
    if (f->settled > 0)
        cli_printf(
            "%s differed at first and no more when they were looked at again; the totals are "
            "those of the first look\n",
            cli_number(f->settled).text);
    if (f->tolerated > 0)
        cli_printf("fields that differ within their tolerance, and count as equal: %s\n",
                   cli_number(f->tolerated).text);
    if (c->share > 0)
        print_sample(f);
    if (result->since)
        cli_printf(
            "%s of %s chunks were read; the others have not changed since %s, when they were "
            "equal\n",
            cli_number(result->chunks_read).text, cli_number(result->chunks).text, result->since);
    print_left_out(result);
}

static json_t *count(uint64_t n) {
    return json_integer((json_int_t)n);
}

json_t *cli_field_as_json(const bst_machine *machine, uint32_t field) {
    return field == BST_NONE ? json_null() : json_string(machine->fields[field].name);
}

static json_t *totals_as_json(const bst_machine *machine, const bst_comparison *result) {
    json_t *list = json_array();

    for (size_t i = 0; i < result->total_count; i++) {
        const bst_total *t = &result->totals[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s?, s:I, s:I, s:s?, s:s?}", "state",
                                              machine->states[t->state].name, "group", t->group,
                                              "month", t->month, "rows", (json_int_t)t->old_count,
                                              "histories", (json_int_t)t->new_count, "sum_of_rows",
                                              t->old_sum, "sum_of_histories", t->new_sum));
    }
    return list;
}

static json_t *left_out_as_json(const bst_comparison *result) {
    static const char *const keys[] = {[BST_LEFT_FIELD] = "fields",
                                       [BST_LEFT_EVIDENCE] = "evidence_columns",
                                       [BST_LEFT_COLUMN] = "other_columns"};
    json_t *object = json_object();

    for (int kind = 0; kind <= BST_LEFT_COLUMN; kind++) {
        json_t *names = json_array();
        for (size_t i = 0; i < result->left_out_count; i++) {
            if ((int)result->left_out[i].kind == kind)
                json_array_append_new(names, json_string(result->left_out[i].name));
        }
        json_object_set_new(object, keys[kind], names);
    }
    return object;
}

void cli_comparison_to_json(const bst_machine *machine, const bst_comparison *result,
                            json_t *object) {
    const bst_compare_figures *f = &result->figures;

    json_object_set_new(object, "rows", count(f->rows));
    json_object_set_new(object, "histories", count(f->histories));
    json_object_set_new(object, "events", count(f->events));
    json_object_set_new(object, "equal", count(f->equal));
    json_object_set_new(object, "different", count(f->different));
    json_object_set_new(object, "different_in_state_alone", count(f->by_extent[BST_EXTENT_STATE]));
    json_object_set_new(object, "different_in_fields_alone",
                        count(f->by_extent[BST_EXTENT_FIELDS]));
    json_object_set_new(object, "different_in_both", count(f->by_extent[BST_EXTENT_BOTH]));
    json_object_set_new(object, "different_in_creation_alone",
                        count(f->by_extent[BST_EXTENT_CREATION]));
    json_object_set_new(object, "unreadable", count(unclear(f)));
    json_object_set_new(object, "missing_in_store", count(f->missing_in_store));
    json_object_set_new(object, "missing_in_source", count(f->missing_in_source));
    json_object_set_new(object, "quarantined", count(f->quarantined));
    json_object_set_new(object, "out_of_scope", count(f->out_of_scope));
    json_object_set_new(object, "tolerated", count(f->tolerated));
    json_object_set_new(object, "settled", count(f->settled));
    if (result->chunks > 0)
        json_object_set_new(object, "chunks",
                            json_pack("{s:I, s:I, s:s?}", "all", (json_int_t)result->chunks, "read",
                                      (json_int_t)result->chunks_read, "since", result->since));
    if (result->lsn)
        json_object_set_new(object, "at",
                            json_pack("{s:s, s:I}", "lsn", result->lsn, "rows_from_log",
                                      (json_int_t)result->from_log));
    if (result->standing)
        json_object_set_new(object, "standing", json_string(result->standing));
    json_object_set_new(object, "not_compared", left_out_as_json(result));
    json_object_set_new(object, "sum", cli_field_as_json(machine, result->sum_field));
    json_object_set_new(object, "by", cli_field_as_json(machine, result->group_field));
    json_object_set_new(object, "totals", totals_as_json(machine, result));
}

static void print_json(const cli_comparison *c, const bst_comparison *result) {
    const bst_compare_figures *f = &result->figures;
    json_t *object = json_object();

    cli_comparison_to_json(c->machine, result, object);
    if (c->share > 0)
        json_object_set_new(object, "sample",
                            json_pack("{s:f, s:I, s:f, s:f}", "share", c->share / 4294967296.0,
                                      "entities", (json_int_t)sampled(f), "confidence",
                                      SAMPLE_CONFIDENCE, "at_most", sample_bound(f)));
    fputs("],\n\"figures\":", stdout);
    cli_print_json(object, JSON_INDENT(2), stdout);
    fputs("}\n", stdout);
    json_decref(object);
}

bst_status cli_comparison_begin(cli_comparison *c, cli_call *call, const bst_machine *machine,
                                const char *lines_path, uint64_t limit, uint32_t share) {
    *c = (cli_comparison){
        .call = call, .machine = machine, .lines_path = lines_path, .limit = limit, .share = share};
    const bst_status status = lines_path ? open_lines(c) : BST_OK;
    if (status == BST_OK) {
        cli_progress_begin(&c->progress, call, "compare");
        if (call->json)
            fputs("{\"differences\":[", stdout);
    }
    return status;
}

bst_status cli_comparison_end(cli_comparison *c, bst_status status, const bst_comparison *result) {
    cli_progress_end(&c->progress);
    if (status == BST_OK || status == BST_DIFFERENT) {
        if (c->call->json)
            print_json(c, result);
        else
            print_text(c, result);
    } else if (c->call->json) {
        fputs("]}\n", stdout);
    }
    const bst_status closed = close_lines(c);
    return closed != BST_OK ? closed : status;
}
