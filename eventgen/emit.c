/* The table of emitters.
 *
 * To add one: write emit_<name>.c with one function, declare it in emit_private.h, give it a line
 * here. Emitters know nothing of files on disk (output.c does) and share no state.
 */
#include "backstory/emit.h"

#include <string.h>

#include "backstory/regions.h"
#include "emit_private.h"

static const char *const asyncapi_suffixes[] = {".asyncapi.json", NULL};
static const char *const c_suffixes[] = {".h", ".c", NULL};
static const char *const c_row_suffixes[] = {"_row.h", "_row.c", NULL};
static const char *const c_json_suffixes[] = {"_json.h", "_json.c", NULL};
static const char *const cloudevents_suffixes[] = {".cloudevents.json", NULL};
static const char *const dot_suffixes[] = {".dot", NULL};
static const char *const jsonschema_suffixes[] = {".schema.json", NULL};
static const char *const markdown_suffixes[] = {".md", NULL};
static const char *const mermaid_suffixes[] = {".mmd", NULL};
static const char *const paths_suffixes[] = {".paths.json", NULL};
static const char *const python_suffixes[] = {".py", NULL};
static const char *const svg_suffixes[] = {".svg", NULL};
static const char *const typescript_suffixes[] = {".d.ts", NULL};
static const char *const xstate_suffixes[] = {".xstate.json", NULL};
static const char *const scxml_suffixes[] = {".scxml", NULL};
static const char *const sql_suffixes[] = {".sql", NULL};

static const bst_emitter emitters[] = {
    {"asyncapi", "AsyncAPI 3 document of the channels of events and commands", asyncapi_suffixes,
     bst__emit_asyncapi},
    {"c", "types, transition table, decide and apply, as C11 that is C++17 too", c_suffixes,
     bst__emit_c},
    {"c-json", "events and commands as JSON in C, beside c; takes jansson", c_json_suffixes,
     bst__emit_c_json},
    {"c-row", "entities and events as rows of COPY ... (FORMAT binary) in C, beside c",
     c_row_suffixes, bst__emit_c_row},
    {"cloudevents", "an example of each event as a CloudEvent 1.0", cloudevents_suffixes,
     bst__emit_cloudevents},
    {"dot", "state diagram for graphviz", dot_suffixes, bst__emit_dot},
    {"jsonschema", "JSON Schema 2020-12 of every event and command", jsonschema_suffixes,
     bst__emit_jsonschema},
    {"markdown", "documentation: states, commands, events, and conditions in words",
     markdown_suffixes, bst__emit_markdown},
    {"mermaid", "state diagram for Mermaid (GitHub, GitLab)", mermaid_suffixes, bst__emit_mermaid},
    {"paths", "commands that lead through every state, transition and refusal, for tests",
     paths_suffixes, bst__emit_paths},
    {"python", "dataclasses of events and commands, and functions that read and write them",
     python_suffixes, bst__emit_python},
    {"scxml", "State Chart XML 1.0, as the W3C has it", scxml_suffixes, bst__emit_scxml},
    {"sql", "typed events, checks, fold, read model and guards over the store, for PostgreSQL",
     sql_suffixes, bst__emit_sql},
    {"svg", "the dot diagram, drawn by graphviz", svg_suffixes, bst__emit_svg},
    {"typescript", "types of events and commands", typescript_suffixes, bst__emit_typescript},
    {"xstate", "machine config for XState 5 and its tools", xstate_suffixes, bst__emit_xstate},
};
enum { EMITTER_COUNT = sizeof emitters / sizeof emitters[0] };

const bst_emitter *bst_emitters(size_t *ret_count) {
    *ret_count = EMITTER_COUNT;
    return emitters;
}

const bst_emitter *bst_emitter_find(const char *name) {
    for (size_t i = 0; i < EMITTER_COUNT; i++) {
        if (strcmp(emitters[i].name, name) == 0) {
            return &emitters[i];
        }
    }
    return NULL;
}

bool bst_emitter_is_external(const bst_emitter *emitter) {
    return emitter->emit == bst__emit_svg;
}

static bst_status unknown_emitter(const char *name, bst_diags *diags) {
    const char *names[EMITTER_COUNT];
    for (size_t i = 0; i < EMITTER_COUNT; i++) {
        names[i] = emitters[i].name;
    }
    bst_diag_add(diags, BST_USAGE, BST_ERROR, "unknown-emitter", NULL,
                 "emitter \"%s\" does not exist", name);
    const char *meant = bst_nearest_name(name, names, EMITTER_COUNT);
    if (meant) {
        bst_diag_hint(diags, "Did you mean \"%s\"?", meant);
    } else {
        bst_strbuf list = BST_STRBUF_INIT;
        for (size_t i = 0; i < EMITTER_COUNT; i++) {
            bst_strbuf_addf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
        }
        bst_diag_hint(diags, "These exist: %s.", list.text);
        bst_strbuf_release(&list);
    }
    return BST_USAGE;
}

/* What is written from the tree of states, or knows of regions with tables of their own. */
static bool takes_regions(const char *name) {
    static const char *const names[] = {"c", "c-json", "dot", "mermaid", "scxml", "svg", "xstate"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bst_status needs_one_table(const bst_machine *machine, const char *name, bst_diags *diags) {
    const bst_loc where = bst_machine_node_where(machine, 0);
    bst_diag_add(diags, BST_INVALID, BST_ERROR, "needs-one-table", &where,
                 "emitter \"%s\" cannot write a machine whose regions keep tables of their own",
                 name);
    bst_diag_hint(diags,
                  "\"c\" and the diagrams can. Or make machines of their own of regions that "
                  "do not ask each other.");
    return BST_INVALID;
}

bst_status bst_emit(const bst_machine *machine, const char *name, const bst_emit_options *options,
                    bst_emit_files *files, bst_diags *diags) {
    static const bst_emit_options defaults;
    const bst_emitter *emitter = bst_emitter_find(name);
    if (!emitter) {
        return unknown_emitter(name, diags);
    }
    if (bst_machine_regions(machine) && !takes_regions(name)) {
        return needs_one_table(machine, name, diags);
    }
    while (emitter->suffixes[files->count]) {
        files->file[files->count].suffix = emitter->suffixes[files->count];
        files->count++;
    }
    const bst_status status = emitter->emit(machine, options ? options : &defaults, files, diags);
    if (status != BST_OK) {
        return status;
    }
    for (size_t i = 0; i < files->count; i++) {
        if (files->file[i].text.failed) {
            return bst_diag_nomem(diags);
        }
    }
    return BST_OK;
}
