/* Proving a migration, and the manifest. */
#include "proof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
                                         .context = proof};

    proof->rows_of_now = figures->already && moment; /* a file is what it was */
    proof->verdict =
        bst_compare(proof->mapping, &options, proof->arena, &proof->result, proof->call->diags);
    proof->done = true;
    proof->seconds = cli_now() - start;
    return proof->verdict == BST_DIFFERENT ? BST_OK : proof->verdict;
}

bst_status cli_proof_begin(cli_proof *proof, cli_call *call, const bst_mapping *mapping,
                           bst_run_options *run, const char *manifest_path) {
    *proof = (cli_proof){.call = call,
                         .mapping = mapping,
                         .run = run,
                         .manifest_path = manifest_path,
                         .arena = bst_arena_new(),
                         .differences = json_array()};
    if (!proof->arena || !proof->differences)
        return bst_diag_nomem(call->diags);
    run->on_loaded = on_loaded;
    run->loaded_context = proof;
    return BST_OK;
}

void cli_proof_release(cli_proof *proof) {
    bst_arena_free(proof->arena);
    json_decref(proof->differences);
    *proof = (cli_proof){0};
}

/* ---- what is said of it */

void cli_proof_print(const cli_proof *proof) {
    const bst_compare_figures *f = &proof->result.figures;
    size_t i;
    json_t *difference;

    if (!proof->done)
        return;
    if (proof->rows_of_now)
        puts("this had been loaded before: the rows are those of now, not those that were loaded");
    if (proof->verdict == BST_OK) {
        cli_printf("verified: %s histories fold to their rows as they %s, and all totals agree (in "
                   "%s)\n",
                   cli_number(f->equal).text, proof->rows_of_now ? "are now" : "were then",
                   cli_seconds(proof->seconds).text);
        return;
    }
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
    json_t *made = json_object();

    if (!proof->done) {
        json_decref(made);
        json_object_set_new(object, "verified", json_null());
        return;
    }
    json_object_set_new(made, "rows_of", json_string(proof->rows_of_now ? "now" : "load"));
    json_object_set_new(made, "holds", json_boolean(proof->verdict == BST_OK));
    json_object_set_new(made, "seconds", json_real(proof->seconds));
    cli_comparison_to_json(proof->mapping->machine, &proof->result, made);
    json_object_set(made, "differences", proof->differences);
    json_object_set_new(object, "verified", made);
}

/* ---- the manifest */

static json_t *text_or_null(const bst_strbuf *text) {
    return text->failed || text->len == 0 ? json_null() : json_string(text->text);
}

/* Queries for somebody who does not trust this program. */
static json_t *recount_as_json(const cli_proof *proof, const bst_run_figures *figures) {
    const bst_machine *machine = proof->mapping->machine;
    bst_strbuf source = BST_STRBUF_INIT;
    bst_strbuf store = BST_STRBUF_INIT;
    bst_strbuf digest = BST_STRBUF_INIT;
    uint32_t sum = BST_NONE;

    for (uint32_t f = 0; f < machine->field_count && sum == BST_NONE; f++)
        sum = machine->fields[f].type.kind == BST_KIND_DECIMAL &&
                      bst_compare_has_both(proof->mapping, f)
                  ? f
                  : BST_NONE;
    bst_recount_source(proof->mapping, sum, bst_machine_field(machine, "currency"), &source);
    bst_recount_store(proof->mapping, &store);
    bst_strbuf_addf(&digest, "SELECT backstory.digest_all(%d)", (int)figures->run_id);
    json_t *made = json_object();
    json_object_set_new(made, "source", text_or_null(&source));
    json_object_set_new(made, "store", figures->run_id ? text_or_null(&store) : json_null());
    json_object_set_new(made, "digest", figures->run_id ? text_or_null(&digest) : json_null());
    bst_strbuf_release(&source);
    bst_strbuf_release(&store);
    bst_strbuf_release(&digest);
    return made;
}

/* What the store itself says; null for a file. */
static bst_status prove_store(const cli_proof *proof, const bst_run_figures *figures,
                              json_t *object) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_status status = BST_OK;

#if BACKSTORY_POSTGRES
    if (figures->run_id)
        status = bst_store_prove(proof->run->to, figures->run_id, &text, proof->call->diags);
#else
    (void)proof;
    (void)figures;
#endif
    json_t *said = status == BST_OK && text.len > 0 ? json_loads(text.text, 0, NULL) : NULL;
    json_object_set_new(object, "store", said ? said : json_null());
    bst_strbuf_release(&text);
    return status;
}

static bst_status make_manifest(const cli_proof *proof, const bst_run_figures *figures,
                                char **ret) {
    const bst_mapping *mapping = proof->mapping;
    json_t *root = json_object();
    json_t *run = json_object();

    json_object_set_new(root, "manifest", json_integer(1));
    json_object_set_new(root, "tool", json_string("backstory " BACKSTORY_VERSION));
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
    const bst_status status = prove_store(proof, figures, root);
    json_object_set_new(root, "recount", recount_as_json(proof, figures));
    *ret = status == BST_OK ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    return status != BST_OK ? status : *ret ? BST_OK : bst_diag_nomem(proof->call->diags);
}

static bst_status write_manifest(const cli_proof *proof, const char *text) {
    FILE *file = fopen(proof->manifest_path, "w");

    const bool fine = file && fputs(text, file) >= 0 && putc('\n', file) != EOF;
    if ((file && fclose(file) != 0) || !fine) {
        const bst_loc where = {proof->manifest_path, 0, 0};
        return bst_diag_add(proof->call->diags, BST_IO, BST_ERROR, "cannot-write", &where,
                            "could not write the file: %s", strerror(errno));
    }
    return BST_OK;
}

bst_status cli_proof_end(cli_proof *proof, const bst_run_figures *figures) {
    char *text = NULL;
    bst_status status = BST_OK;

    if (!proof->done)
        return BST_OK;
    status = make_manifest(proof, figures, &text);
#if BACKSTORY_POSTGRES
    if (status == BST_OK && figures->run_id)
        status = bst_store_keep_manifest(proof->run->to, figures->run_id, text, proof->call->diags);
#endif
    if (status == BST_OK && proof->manifest_path)
        status = write_manifest(proof, text);
    free(text);
    return status == BST_OK ? proof->verdict : status;
}
