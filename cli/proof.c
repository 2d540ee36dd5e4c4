/* Proving a migration, and the manifest. */
#include "proof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/clock.h"
#include "backstory/output_file.h"
#include "backstory/output_path.h"
#include "backstory/proof.h"
#include "backstory/recount.h"

#include "chunks.h"
#include "comparison.h"
#include "figures.h"

/* ---- the pass over everything */

static bst_status on_difference(void *context, const bst_difference *difference) {
    cli_proof *proof = context;

    if (json_array_size(proof->differences) < CLI_PROOF_DIFFERENCES)
        json_array_append_new(proof->differences,
                              cli_difference_as_json(proof->mapping->machine, difference));
    return BST_OK;
}

/* What the store itself says; null for a file. */
static bst_status ask_store(cli_proof *proof, int32_t run_id) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_status status = BST_OK;

#if BACKSTORY_POSTGRES
    if (run_id)
        status = bst_store_prove(proof->run->to, run_id, &text, proof->call->diags);
#else
    (void)run_id;
#endif
    if (status == BST_OK && text.len > 0)
        proof->store = json_loads(text.text, 0, NULL);
    bst_strbuf_release(&text);
    return status;
}

/* The chunks whose digest is not the one of the run's first manifest. */
static const json_t *changed_chunks(const cli_proof *proof) {
    return json_object_get(json_object_get(proof->store, "first"), "changed");
}

static bool holds(const cli_proof *proof) {
    return proof->verdict == BST_OK && json_array_size(changed_chunks(proof)) == 0;
}

static bst_status on_progress(void *context, const bst_compare_figures *figures) {
    const cli_proof *proof = context;
    const bst_run_figures seen = {
        .read = figures->rows, .quarantined = figures->quarantined, .progress = figures->progress};
    return cli_watch_verify_progress(proof->watch, &seen);
}

static bst_status on_loaded(void *context, const bst_run_figures *figures, const char *moment) {
    cli_proof *proof = context;
    const double start = cli_now();
    const bool keeps_its_own = bst_is_connection_string(proof->run->to);
    const bst_compare_options options = {.from = proof->run->from,
                                         .store = proof->run->to,
                                         .quarantine_path =
                                             keeps_its_own ? NULL : proof->run->quarantine_path,
                                         .jobs = proof->run->jobs,
                                         .pace = proof->run->pace,
                                         .moment = moment,
                                         .sum_field = BST_NONE,
                                         .group_field = BST_NONE,
                                         .on_difference = on_difference,
                                         .on_progress = on_progress,
                                         .context = proof};

    proof->snapshots = figures->snapshots;
    proof->rows_of = !moment                  ? CLI_ROWS_OF_LOAD /* a file is what it was */
                     : figures->already       ? CLI_ROWS_OF_NOW
                     : figures->snapshots > 1 ? CLI_ROWS_OF_LAST
                                              : CLI_ROWS_OF_LOAD;
    cli_watch_verify(proof->watch);
    proof->verdict =
        bst_compare(proof->mapping, &options, proof->arena, &proof->result, proof->call->diags);
    cli_watch_verified(proof->watch);
    const bool compared = proof->verdict == BST_OK || proof->verdict == BST_DIFFERENT;
    const bst_status status = compared ? ask_store(proof, figures->run_id) : proof->verdict;
    proof->done = true;
    proof->seconds = cli_now() - start;
    return status;
}

static bst_status cannot_write(const cli_proof *proof) {
    const bst_loc where = {proof->manifest_path, 0, 0};
    return bst_diag_add(proof->call->diags, BST_IO, BST_ERROR, "cannot-write", &where,
                        "could not write the file: %s", strerror(errno));
}

bst_status cli_proof_begin(cli_proof *proof, cli_watch *watch, const bst_mapping *mapping,
                           bst_run_options *run, const char *manifest_path) {
    *proof = (cli_proof){.call = watch->call,
                         .watch = watch,
                         .mapping = mapping,
                         .run = run,
                         .manifest_path = manifest_path,
                         .arena = bst_arena_new(),
                         .differences = json_array()};
    if (!proof->arena || !proof->differences)
        return bst_diag_nomem(watch->call->diags);
    if (manifest_path && strcmp(manifest_path, "-") == 0)
        return cli_usage(watch->call, "--manifest is a file: standard output has the results");
    if (manifest_path && !bst_output_possible(manifest_path))
        return cannot_write(proof); /* not after hours of work */
    run->on_loaded = on_loaded;
    run->loaded_context = proof;
    return BST_OK;
}

void cli_proof_release(cli_proof *proof) {
    bst_arena_free(proof->arena);
    json_decref(proof->differences);
    json_decref(proof->store);
    *proof = (cli_proof){0};
}

/* ---- what is said of it */

static void print_moment(const cli_proof *proof) {
    if (proof->rows_of == CLI_ROWS_OF_NOW)
        puts("this had been loaded before: the rows are those of now, not those that were loaded");
    if (proof->rows_of == CLI_ROWS_OF_LAST)
        cli_printf("the rows are those of the last of %u moments: what has changed since it was "
                   "loaded differs\n",
                   (unsigned)proof->snapshots);
}

/* Histories are append-only: somebody has got round that. */
static void print_changes(const cli_proof *proof) {
    const json_t *changed = changed_chunks(proof);
    const json_t *made_at = json_object_get(json_object_get(proof->store, "first"), "made_at");
    bst_strbuf names = BST_STRBUF_INIT;
    size_t i;
    json_t *name;

    json_array_foreach (changed, i, name) {
        if (i < CLI_PROOF_CHUNKS)
            bst_strbuf_addf(&names, "%s%s", i ? ", " : "", json_string_value(name));
    }
    cli_printf("NOT verified: what the run has written is no longer what its manifest of %s says: "
               "other digests of %s%s\n",
               json_string_value(made_at), names.failed ? "chunks" : names.text,
               i > CLI_PROOF_CHUNKS ? " and more" : "");
    bst_strbuf_release(&names);
}

void cli_proof_print(const cli_proof *proof) {
    static const char *const then[] = {[CLI_ROWS_OF_LOAD] = "were then",
                                       [CLI_ROWS_OF_LAST] = "were at the last moment",
                                       [CLI_ROWS_OF_NOW] = "are now"};
    const bst_compare_figures *f = &proof->result.figures;
    size_t i;
    json_t *difference;

    if (!proof->done)
        return;
    print_moment(proof);
    if (json_array_size(changed_chunks(proof)) > 0)
        print_changes(proof);
    if (holds(proof)) {
        cli_printf("verified: %s histories fold to their rows as they %s, and all totals agree (in "
                   "%s)\n",
                   cli_number(f->equal).text, then[proof->rows_of],
                   cli_seconds(proof->seconds).text);
    }
    if (proof->verdict == BST_OK)
        return;
    cli_printf(
        "NOT verified: %s histories differ from their rows, %s are missing in the store, %s in "
        "the source\n",
        cli_number(f->different).text, cli_number(f->missing_in_store).text,
        cli_number(f->missing_in_source).text);
    json_array_foreach (proof->differences, i, difference) {
        fputs("  ", stdout);
        cli_print_json(difference, JSON_COMPACT, stdout);
        putchar('\n');
    }
}

void cli_proof_to_json(const cli_proof *proof, json_t *object) {
    static const char *const names[] = {
        [CLI_ROWS_OF_LOAD] = "load", [CLI_ROWS_OF_LAST] = "last", [CLI_ROWS_OF_NOW] = "now"};
    json_t *made = json_object();

    if (!proof->done) {
        json_decref(made);
        json_object_set_new(object, "verified", json_null());
        return;
    }
    json_object_set_new(made, "rows_of", json_string(names[proof->rows_of]));
    json_object_set_new(made, "holds", json_boolean(holds(proof)));
    json_object_set_new(made, "seconds", json_real(proof->seconds));
    cli_comparison_to_json(proof->mapping->machine, &proof->result, made);
    json_object_set(made, "differences", proof->differences);
    json_object_set_new(object, "verified", made);
}

/* ---- the manifest */

/* Takes what `text` holds. */
static json_t *text_or_null(bst_strbuf *text) {
    json_t *made = text->failed || text->len == 0 ? json_null() : json_string(text->text);
    bst_strbuf_release(text);
    return made;
}

/* Queries for somebody who does not trust this program. */
static json_t *recount_as_json(const cli_proof *proof, const bst_run_figures *figures) {
    const bst_machine *machine = proof->mapping->machine;
    const bst_recount recount =
        bst_recount_of(proof->mapping, BST_NONE, bst_machine_field(machine, "currency"));
    bst_strbuf source = BST_STRBUF_INIT;
    bst_strbuf store = BST_STRBUF_INIT;
    bst_strbuf quarantine = BST_STRBUF_INIT;
    bst_strbuf digest = BST_STRBUF_INIT;

    if (bst_is_connection_string(proof->run->from) && !proof->run->only_aside)
        bst_recount_source(&recount, &source);
    if (figures->run_id) {
        bst_recount_store(&recount, figures->run_id, &store);
        bst_recount_quarantine(&recount, figures->run_id, &quarantine);
        bst_strbuf_addf(&digest, "SELECT backstory.digest_all(%d)", (int)figures->run_id);
    }
    json_t *made = json_object();
    json_object_set_new(made, "sum", cli_field_as_json(machine, recount.sum));
    json_object_set_new(made, "by", cli_field_as_json(machine, recount.by));
    json_object_set_new(made, "source", text_or_null(&source));
    json_object_set_new(made, "store", text_or_null(&store));
    json_object_set_new(made, "quarantine", text_or_null(&quarantine));
    json_object_set_new(made, "digest", text_or_null(&digest));
    return made;
}

static json_t *make_manifest(const cli_proof *proof, const bst_run_figures *figures) {
    const bst_mapping *mapping = proof->mapping;
    json_t *root = json_object();
    json_t *run = json_object();

    json_object_set_new(root, "manifest", json_integer(1));
    json_object_set_new(root, "tool", json_string("backstory " BACKSTORY_VERSION));
    json_object_set_new(root, "made_at", json_string(cli_time(bst_clock_now()).text));
    json_object_set_new(root, "machine", json_string(mapping->machine->id));
    json_object_set_new(root, "machine_version",
                        mapping->machine->version ? json_string(mapping->machine->version)
                                                  : json_null());
    json_object_set_new(root, "machine_sha256", json_string(mapping->machine->sha256));
    json_object_set_new(root, "mapping_sha256", json_string(mapping->sha256));
    cli_figures_to_json(figures, run);
    cli_chunks_to_json(figures, run);
    json_object_set_new(root, "run", run);
    cli_proof_to_json(proof, root);
    json_object_set(root, "store", proof->store ? proof->store : json_null());
    json_object_set_new(root, "recount", recount_as_json(proof, figures));
    return root;
}

static bst_status write_manifest(const cli_proof *proof, const char *text) {
    bst_output_file output;

    if (!bst_output_file_open(&output, proof->manifest_path) || fputs(text, output.file) < 0 ||
        putc('\n', output.file) == EOF) {
        const bst_status status = cannot_write(proof);
        bst_output_file_drop(&output);
        return status;
    }
    return bst_output_file_keep(&output) ? BST_OK : cannot_write(proof);
}

/* Who may only read the store may verify, too. */
static bst_status keep_manifest(const cli_proof *proof, const bst_run_figures *figures,
                                const char *text, bool *ret_kept) {
    bst_status status = BST_OK;
    *ret_kept = false;
#if BACKSTORY_POSTGRES
    if (figures->run_id)
        status = bst_store_keep_manifest(proof->run->to, figures->run_id, text, ret_kept,
                                         proof->call->diags);
    if (status == BST_OK && figures->run_id && !*ret_kept)
        bst_diag_add(proof->call->diags, BST_OK, BST_NOTE, "manifest-not-kept", NULL,
                     "the store does not keep this manifest: the role may only read there");
#else
    (void)proof;
    (void)figures;
    (void)text;
#endif
    return status;
}

static void print_manifest(const cli_proof *proof, const json_t *manifest, bool kept) {
    const json_t *digest = json_object_get(json_object_get(manifest, "store"), "digest");
    const char *all = json_string_value(json_object_get(digest, "all"));
    const char *file = proof->manifest_path;

    if (proof->call->json || proof->call->quiet)
        return;
    if (file || kept)
        cli_printf("the manifest is in %s%s%s\n", file ? file : "", file && kept ? " and " : "",
                   kept ? "the store" : "");
    if (all)
        cli_printf("all that the run has written has the digest %s\n", all);
}

bst_status cli_proof_end(cli_proof *proof, const bst_run_figures *figures) {
    bool kept = false;

    if (!proof->done)
        return BST_OK;
    json_t *const manifest = make_manifest(proof, figures);
    char *const text = json_dumps(manifest, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    bst_status status = text ? BST_OK : bst_diag_nomem(proof->call->diags);
    if (status == BST_OK)
        status = keep_manifest(proof, figures, text, &kept);
    if (status == BST_OK && proof->manifest_path)
        status = write_manifest(proof, text);
    if (status == BST_OK)
        print_manifest(proof, manifest, kept);
    free(text);
    json_decref(manifest);
    return status != BST_OK ? status : holds(proof) ? BST_OK : BST_DIFFERENT;
}
