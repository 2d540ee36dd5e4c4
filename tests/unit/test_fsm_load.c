/* What a machine file becomes: the tables, their order, the look-ups and the places. */
#include "fsm_findings.h"
#include "fsm_payment.h"

#include <stdio.h>

#include "backstory/step.h"

/* A transition as "from command/event>to", "*" for a creation. */
static void describe(const bst_machine *m, bst_strbuf *out) {
    for (uint32_t i = 0; i < m->transition_count; i++) {
        const bst_transition *t = &m->transitions[i];
        bst_strbuf_addf(
            out, "%s %s/%s>%s%s%s\n", t->from == BST_NONE ? "*" : m->states[t->from].name,
            m->commands[t->command].name, m->events[t->event].name, m->states[t->to].name,
            t->targetless ? " stays" : "", t->reenter ? " again" : "");
    }
}

static void assert_transitions(const bst_machine *m, const char *expected) {
    bst_strbuf found = BST_STRBUF_INIT;
    describe(m, &found);
    ck_assert_str_eq(found.text, expected);
    bst_strbuf_release(&found);
}

START_TEST(test_payment) {
    bst_machine *m = fsm_machine(FSM_PAYMENT);
    ck_assert_str_eq(m->id, "payment");
    ck_assert_str_eq(m->version, "1.0.0");
    ck_assert_ptr_null(m->label);
    ck_assert_uint_eq(strlen(m->sha256), 64);
    ck_assert_uint_eq(m->field_count, 5);
    ck_assert_uint_eq(m->state_count, 5);
    ck_assert_uint_eq(m->guard_count, 2);
    ck_assert_uint_eq(m->creation_count, 1);
    ck_assert_uint_eq(m->initial, 0);
    ck_assert(!m->states[2].final && m->states[3].final);
    ck_assert_int_eq(m->fields[2].default_value.u.i, 0);
    ck_assert(m->fields[2].default_value.present && !m->fields[0].default_value.present);
    assert_transitions(m, "* create/PaymentCreated>pending\n"
                          "pending authorize/PaymentAuthorized>authorized\n"
                          "pending fail/PaymentFailed>failed\n"
                          "authorized capture/PaymentCaptured>captured\n"
                          "authorized fail/PaymentFailed>failed\n"
                          "captured refund/PaymentRefunded>refunded\n"
                          "captured refund/PaymentRefunded>captured again\n");
    bst_machine_free(m);
}
END_TEST

START_TEST(test_lookups) {
    bst_machine *m = fsm_machine(FSM_PAYMENT);
    ck_assert_uint_eq(bst_machine_state(m, "captured"), 2);
    ck_assert_uint_eq(bst_machine_state(m, "capture"), BST_NONE);
    ck_assert_uint_eq(bst_machine_event(m, "PaymentFailed"), 4);
    ck_assert_uint_eq(bst_machine_event(m, "PaymentPaid"), BST_NONE);
    ck_assert_uint_eq(bst_machine_field(m, "currency"), 1);
    ck_assert_uint_eq(bst_machine_field(m, ""), BST_NONE);
    const uint32_t refund = bst_machine_command(m, "refund");
    ck_assert_uint_eq(bst_command_field(&m->commands[refund], "amount"), 0);
    ck_assert_uint_eq(bst_command_field(&m->commands[refund], "currency"), BST_NONE);
    ck_assert_uint_eq(bst_event_field(&m->events[0], "currency"), 1);
    uint32_t first = 77;
    ck_assert_uint_eq(bst_machine_candidates(m, 2, refund, &first), 2);
    ck_assert_uint_eq(first, 5);
    ck_assert_uint_eq(bst_machine_candidates(m, 0, refund, &first), 0);
    ck_assert_uint_eq(bst_machine_candidates(m, BST_NONE, bst_machine_command(m, "create"), &first),
                      1);
    ck_assert_uint_eq(first, 0);
    const uint32_t refunded = bst_machine_event(m, "PaymentRefunded");
    ck_assert_uint_eq(bst_machine_find_transition(m, 2, refunded, 2), 6);
    ck_assert_uint_eq(bst_machine_find_transition(m, 2, refunded, 1), BST_NONE);
    ck_assert_uint_eq(bst_machine_find_transition(m, BST_NONE, 0, 0), 0);
    bst_machine_free(m);
}
END_TEST

static void assert_where(bst_loc where, uint32_t line, uint32_t column) {
    ck_assert_str_eq(where.file, "m.fsm.json");
    ck_assert_uint_eq(where.line, line);
    ck_assert_uint_eq(where.column, column);
}

START_TEST(test_former_names) {
    bst_machine *m =
        fsm_machine("{ 'id': 'm', 'initial': 'a', 'events': {"
                    "    'Went': { 'was': 'Gone', 'fields': {"
                    "        'x': { 'type': 'text', 'was': 'w' },"
                    "        'y': { 'type': 'text', 'was': 'y' } } } },"
                    "  'states': { 'a': { 'on': { 'go': [ { 'target': 'b', 'event': 'Went' } ] } },"
                    "    'b': { 'was': 'c' }, 'd': {}, 'e': { 'was': 'c' } } }");
    const bst_event_type *went = &m->events[bst_machine_event(m, "Went")];
    ck_assert_uint_eq(bst_machine_state_stored(m, "b"), bst_machine_state(m, "b"));
    ck_assert_uint_eq(bst_machine_state_stored(m, "c"), bst_machine_state(m, "b"));
    ck_assert_uint_eq(bst_machine_state_stored(m, "a"), bst_machine_state(m, "a"));
    ck_assert_uint_eq(bst_machine_state_stored(m, "f"), BST_NONE);
    ck_assert_uint_eq(bst_machine_state(m, "c"), BST_NONE);
    ck_assert_uint_eq(bst_machine_event_stored(m, "Gone"), bst_machine_event(m, "Went"));
    ck_assert_uint_eq(bst_machine_event_stored(m, "Stays"), BST_NONE);
    ck_assert_uint_eq(bst_field_stored(went->fields, went->field_count, "w"), 0);
    ck_assert_uint_eq(bst_field_stored(went->fields, went->field_count, "x"), 0);
    ck_assert_uint_eq(bst_field_stored(went->fields, went->field_count, "y"), 1);
    ck_assert_uint_eq(bst_field_stored(went->fields, went->field_count, "z"), BST_NONE);
    bst_machine_free(m);

    fsm_assert_findings(
        "{ 'id': 'm', 'initial': 'a', 'fields': {\n"
        "    'f': 'text?', 'g': { 'type': 'text?', 'was': 'f' } },\n"
        "  'events': { 'Left': {},\n"
        "    'Went': { 'was': 'Left' },\n"
        "    'Made': { 'fields': { 'x': { 'type': 'text', 'was': 'y' }, 'y': 'text' } } },\n"
        "  'creates': [ { 'event': 'Made' } ],\n"
        "  'states': { 'a': { 'on': { 'go': { 'target': 'b', 'event': 'Went' },\n"
        "      'leave': { 'target': 'b', 'event': 'Left' } } },\n"
        "    'b': { 'was': 'a' } } }",
        "error former-name-in-use 2:19\n"
        "error former-name-in-use 4:5\n"
        "error former-name-in-use 5:5\n"
        "error former-name-in-use 9:5\n");
}
END_TEST

START_TEST(test_places) {
    bst_machine *m = fsm_machine("{ 'id': 'door', 'guards': {\n"
                                 "    'g': 'true' }, 'fields': {\n"
                                 "    'n': 'int4?' }, 'events': {\n"
                                 "    'DoorHung': {} },\n"
                                 "  'creates': [ { 'command': 'hang', 'event': 'DoorHung' },\n"
                                 "    { 'command': 'buy' } ],\n"
                                 "  'initial': 'open', 'states': {\n"
                                 "    'open': { 'on': {\n"
                                 "      'close': 'open',\n"
                                 "      'slam': [ { 'guard': 'g' },\n"
                                 "        { 'guard': {\n"
                                 "            'cel': 'false' } } ] } } } }");
    assert_where(bst_machine_guard_where(m, 0), 2, 5);
    assert_where(bst_machine_guard_where(m, 1), 11, 20);
    assert_where(bst_machine_field_where(m, 0), 3, 5);
    assert_where(bst_machine_event_where(m, 0), 4, 5);
    assert_where(bst_machine_event_where(m, bst_machine_event(m, "DoorBought")), 6, 5);
    assert_where(bst_machine_event_where(m, bst_machine_event(m, "DoorSlammed")), 10, 7);
    assert_where(bst_machine_state_where(m, 0), 8, 5);
    assert_where(bst_machine_transition_where(m, 0), 5, 16);
    assert_where(bst_machine_transition_where(m, 1), 6, 5);
    assert_where(bst_machine_transition_where(m, 2), 9, 16);
    assert_where(bst_machine_transition_where(m, 3), 10, 17);
    assert_where(bst_machine_transition_where(m, 4), 11, 9);
    bst_machine_free(m);

    m = fsm_machine("{ 'id': 'door',\n"
                    "  'initial': 'open', 'states': { 'open': {} } }");
    assert_where(bst_machine_transition_where(m, 0), 2, 14);
    bst_machine_free(m);
}
END_TEST

START_TEST(test_creations_of_one_command_stand_together) {
    bst_machine *m = fsm_machine(
        "{ 'id': 'door', 'events': { 'DoorFound': {} },\n"
        "  'creates': [ { 'command': 'find' }, { 'command': 'buy', 'target': 'shut' },\n"
        "    { 'command': 'find', 'target': 'shut' }, {} ],\n"
        "  'initial': 'open', 'states': { 'open': { 'on': { 'lock': {}, 'shut': 'shut' } },\n"
        "    'shut': {} } }");
    assert_transitions(m, "* find/DoorFound>open\n"
                          "* find/DoorFound>shut\n"
                          "* buy/DoorBought>shut\n"
                          "* create/DoorCreated>open\n"
                          "open lock/DoorLocked>open stays\n"
                          "open shut/DoorShut>shut\n");
    ck_assert_uint_eq(m->transitions[1].place, 2);
    ck_assert(!m->events[0].derived);
    ck_assert(m->events[1].derived);
    bst_machine_free(m);
}
END_TEST

START_TEST(test_payload_is_the_union) {
    bst_machine *m = fsm_machine(
        "{ 'id': 'door', 'events': {\n"
        "    'DoorClosed': { 'fields': { 'hand': 'text', 'force': 'int4' } },\n"
        "    'DoorSlammed': { 'fields': { 'force': 'int4', 'reason': 'text' } } },\n"
        "  'initial': 'open', 'states': { 'open': { 'on': { 'close': [\n"
        "    { 'guard': { 'cel': 'command.force < 5' } }, { 'event': 'DoorSlammed' } ] } } } }");
    const bst_command *close = &m->commands[bst_machine_command(m, "close")];
    ck_assert_uint_eq(close->field_count, 3);
    ck_assert_str_eq(close->fields[0].name, "hand");
    ck_assert(close->fields[0].type.optional);
    ck_assert_str_eq(close->fields[1].name, "force");
    ck_assert(!close->fields[1].type.optional);
    ck_assert_str_eq(close->fields[2].name, "reason");
    const uint32_t *closed = m->transitions[1].payload_from;
    ck_assert_uint_eq(closed[0], 0);
    ck_assert_uint_eq(closed[1], 1);
    const uint32_t *slammed = m->transitions[2].payload_from;
    ck_assert_uint_eq(slammed[0], 1);
    ck_assert_uint_eq(slammed[1], 2);
    ck_assert_uint_eq(bst_machine_payload_max(m), 2);
    bst_machine_free(m);
}
END_TEST

START_TEST(test_payload_that_the_command_lists) {
    bst_machine *m =
        fsm_machine("{ 'id': 'door', 'commands': { 'close': { 'label': 'Close it', 'fields': {\n"
                    "    'who': 'text', 'force': { 'type': 'int4?', 'label': 'Force' } } } },\n"
                    "  'initial': 'open', 'states': { 'open': { 'on': { 'close': {} } } } }");
    const bst_event_type *closed = &m->events[bst_machine_event(m, "DoorClosed")];
    ck_assert(closed->derived);
    ck_assert_uint_eq(closed->field_count, 2);
    ck_assert_str_eq(closed->fields[1].label, "Force");
    ck_assert_str_eq(m->commands[0].label, "Close it");
    bst_machine_free(m);

    m = fsm_machine(
        "{ 'id': 'door', 'commands': { 'close': { 'fields': {\n"
        "    'extra': 'json?', 'who': 'text' } } },\n"
        "  'events': { 'DoorClosed': { 'fields': { 'force': 'int4?', 'who': 'text' } } },\n"
        "  'initial': 'open', 'states': { 'open': { 'on': { 'close': {} } } } }");
    ck_assert_uint_eq(m->transitions[1].payload_from[0], BST_NONE);
    ck_assert_uint_eq(m->transitions[1].payload_from[1], 1);
    bst_machine_free(m);
}
END_TEST

/* "captured + event.amount" speaks of event.amount, so the entity's own amount stays. */
START_TEST(test_assignments) {
    bst_machine *m = fsm_machine(FSM_PAYMENT);
    const bst_event_type *created = &m->events[0];
    ck_assert_uint_eq(created->assignment_count, 2);
    ck_assert_ptr_null(created->assignments[0].expr);
    ck_assert_uint_eq(created->assignments[1].field, 1);
    ck_assert_uint_eq(created->assignments[1].event_field, 1);
    const bst_event_type *captured = &m->events[2];
    ck_assert_uint_eq(captured->assignment_count, 1);
    ck_assert_uint_eq(captured->assignments[0].field, 2);
    ck_assert_ptr_nonnull(captured->assignments[0].expr);
    ck_assert_uint_eq(m->events[1].assignment_count, 0);
    bst_machine_free(m);
}
END_TEST

START_TEST(test_a_guard_for_each_payload) {
    bst_machine *m = fsm_machine(
        "{ 'id': 'door', 'guards': { 'few': 'command.n < 3', 'sure': 'n == n' },\n"
        "  'fields': { 'n': { 'type': 'int4', 'default': 0 } }, 'events': {\n"
        "    'DoorClosed': { 'fields': { 'n': 'int4' } },\n"
        "    'DoorOpened': { 'fields': { 'who': 'text?', 'n': 'int4' } } },\n"
        "  'initial': 'open', 'states': { 'open': { 'on': {\n"
        "    'close': { 'guard': 'few' },\n"
        "    'open': { 'guard': 'few' },\n"
        "    'lock': { 'guard': 'sure' },\n"
        "    'unlock': [ { 'guard': 'sure' }, { 'guard': { 'cel': 'n > 1' } } ] } } } }");
    ck_assert_uint_eq(m->guard_count, 4);
    const bst_guard *close = &m->guards[m->transitions[1].guard];
    const bst_guard *open = &m->guards[m->transitions[2].guard];
    ck_assert_ptr_eq(close, &m->guards[0]);
    ck_assert_ptr_eq(open, &m->guards[3]);
    ck_assert_str_eq(close->name, open->name);
    ck_assert_uint_eq(close->command, bst_machine_command(m, "close"));
    ck_assert_uint_eq(open->command, bst_machine_command(m, "open"));
    ck_assert_uint_eq(m->transitions[3].guard, m->transitions[4].guard);
    ck_assert_uint_eq(m->guards[1].command, BST_NONE);
    ck_assert_ptr_null(m->guards[m->transitions[5].guard].name);
    bst_machine_free(m);
}
END_TEST

START_TEST(test_files) {
    bst_diags *diags = bst_diags_new();
    bst_machine *m = NULL;
    ck_assert_int_eq(bst_machine_load("no/such/file.fsm.json", &m, diags), BST_IO);
    ck_assert_ptr_null(m);
    ck_assert_uint_eq(bst_diags_count(diags), 1);
    ck_assert_int_eq(bst_machine_parse("x", "{", 1, &m, NULL), BST_INVALID);
    ck_assert_int_eq(bst_machine_parse("x", "{}", 2, &m, NULL), BST_INVALID);
    ck_assert_ptr_null(bst_machine_free(NULL));
    bst_diags_free(diags);
}
END_TEST

/* More names than any first table has room for. */
START_TEST(test_many_states) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, "{ 'id': 'm', 'initial': 's0', 'states': { 's0': {}");
    for (int i = 1; i < 3000; i++) {
        bst_strbuf_addf(&text, ", 's%d': { 'on': { 'go%d': 's%d' } }", i, i, i - 1);
    }
    bst_strbuf_adds(&text, " } }");
    bst_machine *m = fsm_machine(text.text);
    bst_strbuf_release(&text);
    for (uint32_t i = 1; i < 3000; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "s%u", i);
        ck_assert_uint_eq(bst_machine_state(m, name), i);
        ck_assert_uint_eq(m->transitions[m->states[i].first_transition].to, i - 1);
        (void)snprintf(name, sizeof name, "go%u", i);
        uint32_t first = 0;
        ck_assert_uint_eq(bst_machine_candidates(m, i, bst_machine_command(m, name), &first), 1);
        ck_assert_uint_eq(first, m->states[i].first_transition);
    }
    bst_machine_free(m);
}
END_TEST

START_TEST(test_limits) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text, "{ 'id': 'm',\n  'fields': { 'f': 'int4?'");
    for (uint32_t i = 0; i < BST_FIELDS_MAX; i++) {
        bst_strbuf_addf(&text, ", 'f%u': 'int4?'", i);
    }
    bst_strbuf_adds(&text, " }, 'initial': 's', 'states': { 's': {} } }");
    fsm_assert_findings(text.text, "error limit 2:13\n");
    bst_strbuf_clear(&text);
    bst_strbuf_adds(&text, "{ 'id': 'm', 'initial': 's', 'states': { 's': { 'on': { 'go': 's'");
    for (uint32_t i = 0; i < BST_COMMANDS_MAX; i++) {
        bst_strbuf_addf(&text, ",\n'c%u': { 'event': 'Gone' }", i);
    }
    bst_strbuf_adds(&text, " } } }, 'events': { 'Gone': {} } }");
    fsm_assert_findings(text.text, "error limit 65000:1\n");
    bst_strbuf_release(&text);
}
END_TEST

Suite *test_fsm_load_suite(void);
Suite *test_fsm_load_suite(void) {
    Suite *suite = suite_create("fsm: load");
    TCase *tables = tcase_create("tables");
    tcase_add_test(tables, test_payment);
    tcase_add_test(tables, test_lookups);
    tcase_add_test(tables, test_former_names);
    tcase_add_test(tables, test_places);
    tcase_add_test(tables, test_creations_of_one_command_stand_together);
    tcase_add_test(tables, test_payload_is_the_union);
    tcase_add_test(tables, test_payload_that_the_command_lists);
    tcase_add_test(tables, test_assignments);
    tcase_add_test(tables, test_a_guard_for_each_payload);
    suite_add_tcase(suite, tables);
    TCase *edges = tcase_create("edges");
    tcase_add_test(edges, test_files);
    tcase_add_test(edges, test_many_states);
    tcase_add_test(edges, test_limits);
    suite_add_tcase(suite, edges);
    return suite;
}
