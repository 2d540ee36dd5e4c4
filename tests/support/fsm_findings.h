/* Findings as text: what loading and checking a machine says, one line each, for tests that
 * compare it whole.
 *
 *     error unknown-state 4:16
 *     warning unused-event 3:13
 *     error name-clash 5:3 also 4:3
 *
 * Machines are written with ' for ", so that they can be read in C.
 */
#ifndef FSM_FINDINGS_H
#define FSM_FINDINGS_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/check.h"
#include "backstory/machine.h"

/* The text with " for ' as a new string. */
static inline char *fsm_quoted(const char *text) {
    char *json = strdup(text);
    ck_assert_ptr_nonnull(json);
    for (char *p = json; *p; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    return json;
}

static inline bst_machine *fsm_parse(const char *text, bst_diags *diags) {
    char *json = fsm_quoted(text);
    bst_machine *machine = NULL;
    const bst_status status = bst_machine_parse("m.fsm.json", json, strlen(json), &machine, diags);
    ck_assert_int_eq(status, machine ? BST_OK : BST_INVALID);
    free(json);
    return machine;
}

/* A machine without mistakes. */
static inline bst_machine *fsm_machine(const char *text) {
    bst_diags *diags = bst_diags_new();
    bst_machine *machine = fsm_parse(text, diags);
    for (size_t i = 0; i < bst_diags_count(diags); i++) {
        ck_abort_msg("%s", bst_diags_at(diags, i)->message);
    }
    bst_diags_free(diags);
    return machine;
}

static inline void fsm_assert_findings(const char *text, const char *expected) {
    static const char *const severities[] = {"error", "warning", "note"};
    bst_diags *diags = bst_diags_new();
    bst_machine *machine = fsm_parse(text, diags);
    if (machine) {
        ck_assert_int_eq(bst_machine_check(machine, diags), BST_OK);
    }
    bst_strbuf found = BST_STRBUF_INIT;
    bst_strbuf talk = BST_STRBUF_INIT;
    for (size_t i = 0; i < bst_diags_count(diags); i++) {
        const bst_diag *diag = bst_diags_at(diags, i);
        bst_strbuf_addf(&found, "%s %s %u:%u", severities[diag->severity], diag->code, diag->line,
                        diag->column);
        if (diag->also_line) {
            bst_strbuf_addf(&found, " also %u:%u", diag->also_line, diag->also_column);
        }
        bst_strbuf_addc(&found, '\n');
        bst_diag_format_text(diag, NULL, 0, &talk);
    }
    ck_assert_msg(strcmp(found.text, expected) == 0, "in %s\nexpected:\n%sfound:\n%s%s", text,
                  expected, found.text, talk.text);
    bst_strbuf_release(&found);
    bst_strbuf_release(&talk);
    bst_machine_free(machine);
    bst_diags_free(diags);
}

#endif
