/* There and back: a machine exported as XState or SCXML and imported again is the same machine,
 * table by table; whether it is a random one, one of a real system, or one of nested states with
 * all that these can have.
 *
 * BACKSTORY_CASES: how many random machines (300), BACKSTORY_SEED: that of the first.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/emit.h"
#include "backstory/import.h"
#include "random_machine.h"

static const char *const formats[] = {"xstate", "scxml"};

static void fail(const char *what, const char *format, const char *text) {
    fprintf(stderr, "%s, by %s:\n%s\n", what, format, text);
    exit(1);
}

static void add_expr(bst_strbuf *out, const bst_machine *m, uint32_t guard) {
    if (guard != BST_NONE) {
        bst_strbuf_addf(out, " [%s ", m->guards[guard].name ? m->guards[guard].name : "");
        bst_expr_format(m->guards[guard].expr, out);
        bst_strbuf_addc(out, ']');
    }
}

static void add_fields(bst_strbuf *out, const bst_field *fields, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf_addf(out, " %s:", fields[i].name);
        bst_type_format(&fields[i].type, out);
        bst_strbuf_addf(out, "%s", fields[i].label ? fields[i].label : "");
        bst_value_to_json(&fields[i].type, &fields[i].default_value, out);
    }
    bst_strbuf_addc(out, '\n');
}

static void add_events(bst_strbuf *out, const bst_machine *m) {
    for (uint32_t i = 0; i < m->event_count; i++) {
        const bst_event_type *e = &m->events[i];
        bst_strbuf_addf(out, "event %s", e->name);
        for (uint32_t a = 0; a < e->assignment_count; a++) {
            bst_strbuf_addf(out, " %s=", m->fields[e->assignments[a].field].name);
            if (e->assignments[a].expr) {
                bst_expr_format(e->assignments[a].expr, out);
            }
        }
        add_fields(out, e->fields, e->field_count);
    }
}

/* All that a machine is when it runs, and what people read beside it. */
static char *dump(const bst_machine *m) {
    bst_strbuf out = BST_STRBUF_INIT;
    bst_strbuf_addf(&out, "%s %s %s\n%s\n", m->id, m->version ? m->version : "-",
                    m->label ? m->label : "-", m->description ? m->description : "-");
    add_fields(&out, m->fields, m->field_count);
    add_events(&out, m);
    for (uint32_t i = 0; i < m->command_count; i++) {
        const bst_command *c = &m->commands[i];
        bst_strbuf_addf(&out, "command %s %s", c->name, c->label ? c->label : "");
        add_fields(&out, c->fields, c->field_count);
    }
    for (uint32_t i = 0; i < m->node_count; i++) {
        const bst_node *n = &m->nodes[i];
        bst_strbuf_addf(&out, "node %s %d %d %s %s\n", n->path, (int)n->kind, (int)n->deep,
                        n->label ? n->label : "", n->description ? n->description : "");
    }
    for (uint32_t i = 0; i < m->state_count; i++) {
        bst_strbuf_addf(&out, "state %s %d\n", m->states[i].name, (int)m->states[i].final);
    }
    for (uint32_t i = 0; i < m->transition_count; i++) {
        const bst_transition *t = &m->transitions[i];
        bst_strbuf_addf(&out, "%s -%s-> %s / %s %d %lld",
                        t->from == BST_NONE ? "" : m->states[t->from].name,
                        m->commands[t->command].name, m->states[t->to].name,
                        m->events[t->event].name, (int)t->targetless, (long long)t->after_us);
        add_expr(&out, m, t->guard);
        bst_strbuf_addc(&out, '\n');
    }
    return bst_strbuf_detach(&out);
}

static bst_machine *parse(const char *text, size_t len, const char *format) {
    bst_diags *diags = bst_diags_new();
    bst_machine *machine = NULL;
    if (bst_machine_parse("m", text, len, &machine, diags) != BST_OK) {
        fprintf(stderr, "%u: %s\n", (unsigned)bst_diags_at(diags, 0)->line,
                bst_diags_at(diags, 0)->message);
        fail("is no machine", format, text);
    }
    bst_diags_free(diags);
    return machine;
}

static void check(const char *text, size_t len) {
    bst_machine *before = parse(text, len, "nobody");
    char *expected = dump(before);
    for (int i = 0; i < 2; i++) {
        bst_emit_files files;
        bst_strbuf imported = BST_STRBUF_INIT;
        bst_diags *diags = bst_diags_new();
        bst_emit_files_init(&files);
        if (bst_emit(before, formats[i], NULL, &files, diags) != BST_OK ||
            bst_import("m", files.file[0].text.text, files.file[0].text.len, BST_IMPORT_ANY,
                       &imported, diags) != BST_OK ||
            bst_diags_count(diags) > 0) {
            fprintf(stderr, "%s\n", bst_diags_at(diags, 0)->message);
            fail("not without a word", formats[i], files.file[0].text.text);
        }
        bst_machine *after = parse(imported.text, imported.len, formats[i]);
        char *got = dump(after);
        if (strcmp(expected, got) != 0) {
            fprintf(stderr, "%s\n---- is now\n%s\n", expected, got);
            fail("another machine", formats[i], files.file[0].text.text);
        }
        free(got);
        bst_machine_free(after);
        bst_emit_files_release(&files);
        bst_strbuf_release(&imported);
        bst_diags_free(diags);
    }
    free(expected);
    bst_machine_free(before);
}

static size_t check_files(const char *pattern) {
    const char *root = getenv("SOURCE_DIR");
    glob_t found;
    bst_strbuf path = BST_STRBUF_INIT;
    bst_strbuf_addf(&path, "%s/%s", root ? root : ".", pattern);
    const size_t count = glob(path.text, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    for (size_t i = 0; i < count; i++) {
        char *text;
        size_t len;
        if (bst_file_read(found.gl_pathv[i], 1u << 20, &text, &len, NULL) != BST_OK) {
            fail("cannot be read", "nobody", found.gl_pathv[i]);
        }
        check(text, len);
        free(text);
    }
    if (count > 0) {
        globfree(&found);
    }
    bst_strbuf_release(&path);
    return count;
}

int main(void) {
    const uint64_t count = random_setting("BACKSTORY_CASES", 300);
    const uint64_t seed = random_setting("BACKSTORY_SEED", 1);
    for (uint64_t i = seed; i < seed + count; i++) {
        char *text = random_machine(i);
        check(text, strlen(text));
        free(text);
    }
    const size_t files =
        check_files("tests/machines/*.fsm.json") + check_files("tests/eventgen/*.fsm.json") +
        check_files("samples/*/*.fsm.json") + check_files("tests/golden/export_nested/*.fsm.json");
    printf("%llu random machines, %zu files\n", (unsigned long long)count, files);
    return files < 21;
}
