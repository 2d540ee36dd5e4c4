/* Events that are built in: what they carry, where they can stand, what they do. */
#include "fsm_findings.h"

#include "backstory/step.h"

#define DOOR                                                                                       \
    "{ 'id': 'door', 'fields': { 'n': { 'type': 'int4', 'default': 1 }, 'note': 'text?' },\n"      \
    "  'events': { 'DoorImported': { 'builtin': 'genesis' },\n"                                    \
    "              'DoorReconciled': { 'builtin': 'reconcile' } },\n"                              \
    "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'shut' } }, 'shut': {} } }"

static bst_value number(int64_t i) {
    return (bst_value){.present = true, .u.i = i};
}

START_TEST(test_a_genesis_carries_everything_into_any_state) {
    bst_machine *m = fsm_machine(DOOR);
    bst_value fields[2];
    bst_entity door = {BST_NONE, fields};
    const uint32_t imported = bst_machine_builtin(m, BST_BUILTIN_GENESIS);
    ck_assert_str_eq(m->events[imported].name, "DoorImported");
    ck_assert_uint_eq(m->events[imported].field_count, 2);
    ck_assert(!m->events[imported].fields[0].type.optional);
    ck_assert(m->events[imported].fields[1].type.optional);
    bst_entity_clear(m, &door);
    bst_value payload[2] = {number(7), BST_ABSENT};
    bst_event event = {imported, 1, payload};
    ck_assert_int_eq(bst_apply(m, &door, &event), BST_APPLY_OK);
    ck_assert_uint_eq(door.state, 1);
    ck_assert_int_eq(fields[0].u.i, 7);
    ck_assert(!fields[1].present);
    /* never twice, and not into what is no state */
    ck_assert_int_eq(bst_apply(m, &door, &event), BST_APPLY_ILLEGAL);
    ck_assert(!bst_machine_allows(m, BST_NONE, imported, m->state_count));
    bst_machine_free(m);
}
END_TEST

START_TEST(test_a_reconciliation_adds_to_numbers_and_sets_the_rest) {
    bst_machine *m = fsm_machine(DOOR);
    bst_value fields[2];
    bst_entity door = {BST_NONE, fields};
    const uint32_t reconciled = bst_machine_builtin(m, BST_BUILTIN_RECONCILE);
    bst_entity_clear(m, &door);
    bst_value payload[2] = {number(-3), {.present = true, .len = 1, .u.text = "x"}};
    bst_event event = {reconciled, 0, payload};
    ck_assert_int_eq(bst_apply(m, &door, &event), BST_APPLY_ILLEGAL); /* it does not create */
    const bst_event created = {m->transitions[0].event, 0, NULL};
    ck_assert_int_eq(bst_apply(m, &door, &created), BST_APPLY_OK);
    ck_assert_int_eq(bst_apply(m, &door, &event), BST_APPLY_OK);
    ck_assert_int_eq(fields[0].u.i, -2);
    ck_assert(fields[1].present);
    payload[0] = payload[1] = BST_ABSENT; /* what it does not carry stays */
    ck_assert_int_eq(bst_apply(m, &door, &event), BST_APPLY_OK);
    ck_assert_int_eq(fields[0].u.i, -2);
    ck_assert(fields[1].present);
    payload[0] = number(INT32_MIN);
    ck_assert_int_eq(bst_apply(m, &door, &event), BST_APPLY_OVERFLOW);
    event.state = 1; /* it leads nowhere */
    ck_assert_int_eq(bst_apply(m, &door, &event), BST_APPLY_ILLEGAL);
    bst_machine_free(m);
}
END_TEST

START_TEST(test_a_machine_without_them) {
    bst_machine *m = fsm_machine("{ 'id': 'door', 'initial': 'open', 'states': { 'open': {} } }");
    ck_assert_uint_eq(bst_machine_builtin(m, BST_BUILTIN_GENESIS), BST_NONE);
    bst_machine_free(m);
}
END_TEST

/* clang-format off */
static const struct { const char *text, *findings; } cases[] = {
    {DOOR, ""},
    /* a reconciliation may be limited to some fields */
    {"{ 'id': 'door', 'fields': { 'n': { 'type': 'int4', 'default': 1 }, 'm': 'text?' },\n"
     "  'events': { 'DoorReconciled': { 'builtin': 'reconcile', 'fields': { 'n': 'int4?' } } },\n"
     "  'initial': 'open', 'states': { 'open': {} } }", ""},
    /* to fields that there are, of their type */
    {"{ 'id': 'door', 'fields': { 'n': { 'type': 'int4', 'default': 1 }, 'm': 'text?' },\n"
     "  'events': { 'DoorReconciled': { 'builtin': 'reconcile', 'fields': {\n"
     "    'n': 'int4',\n"
     "    'nn': 'int4?', 'm': 'varchar(3)?' } } },\n"
     "  'initial': 'open', 'states': { 'open': {} } }",
     "error shared-type 3:10\n"
     "error unknown-field 4:5\n"
     "error shared-type 4:25\n"},
    /* a word that is none, twice, a payload and an apply of its own */
    {"{ 'id': 'door', 'fields': { 'n': { 'type': 'int4', 'default': 1 } }, 'events': {\n"
     "  'DoorMoved': { 'builtin': 'move' },\n"
     "  'DoorImported': { 'builtin': 'genesis', 'fields': { 'n': 'int4' } },\n"
     "  'DoorCarried': { 'builtin': 'genesis', 'apply': { 'n': '3' } } },\n"
     "  'initial': 'open', 'states': { 'open': {} } }",
     "error unknown-word 2:29\n"
     "error unsupported-key 3:43\n"
     "error builtin-twice 4:3 also 3:3\n"
     "error unsupported-key 4:42\n"},
    /* no transition emits one, neither by name nor by the name of its command */
    {"{ 'id': 'door', 'events': { 'DoorImported': { 'builtin': 'genesis' } },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': {\n"
     "    'import': 'open',\n"
     "    'close': { 'event': 'DoorImported' } } } } }",
     "error builtin-emitted 3:15\n"
     "error builtin-emitted 4:14\n"},
};
/* clang-format on */

START_TEST(test_findings) {
    fsm_assert_findings(cases[_i].text, cases[_i].findings);
}
END_TEST

Suite *test_fsm_builtin_suite(void);
Suite *test_fsm_builtin_suite(void) {
    Suite *suite = suite_create("fsm: builtin");
    TCase *tcase = tcase_create("builtin");
    tcase_add_test(tcase, test_a_genesis_carries_everything_into_any_state);
    tcase_add_test(tcase, test_a_reconciliation_adds_to_numbers_and_sets_the_rest);
    tcase_add_test(tcase, test_a_machine_without_them);
    tcase_add_loop_test(tcase, test_findings, 0, sizeof cases / sizeof *cases);
    suite_add_tcase(suite, tcase);
    return suite;
}
