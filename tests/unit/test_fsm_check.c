/* The analyses: each is provoked once, and has a near miss that it must not speak of. Machines
 * are written with ' for ".
 */
#include "fsm_findings.h"

typedef struct machine_case {
    const char *text, *findings;
} machine_case;

#define STATES                                                                                     \
    "'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed' } }, "                     \
    "'closed': { 'type': 'final' } } }"

/* clang-format off */
static const machine_case analyses_cases[] = {
    /* unreachable */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed' } }, 'closed': { "
     "'type': 'final' },\n"
     "    'lost': { 'on': { 'find': 'open' } } } }",
     "warning unreachable-state 3:5\n"},
    /* reachable by a creation */
    {"{ 'id': 'door',\n"
     "  'creates': [ {}, { 'command': 'import', 'target': 'lost' } ],\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed' } }, 'closed': { "
     "'type': 'final' },\n"
     "    'lost': { 'on': { 'find': 'open' } } } }",
     ""},
    /* a dead end */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed', 'lose': 'lost' } }, "
     "'closed': { 'type': 'final' },\n"
     "    'lost': { 'on': { 'find': 'lost' } } } }",
     "warning dead-end 3:5\n"},
    /* no end at all is no dead end */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed' } }, 'closed': {} } }",
     ""},
    /* a circle without a way out */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed', 'lose': 'a' } }, "
     "'closed': { 'type': 'final' },\n"
     "    'a': { 'on': { 'go': 'b' } },\n"
     "    'b': { 'on': { 'go': 'a' } } } }",
     "warning cycle-without-exit 3:5\n"},
    /* two circles; one state stands before them, and a dead end is no circle */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed', 'lose': 'way', 'drop': "
     "'d' } }, 'closed': { 'type': 'final' },\n"
     "    'b': { 'on': { 'go': 'c' } }, 'way': { 'on': { 'go': 'b' } }, 'c': { 'on': { 'go': 'b', "
     "'open': 'c' } },\n"
     "    'd': { 'on': { 'go': 'e', 'drop': 'f' } },\n"
     "    'e': { 'on': { 'go': 'd' } },\n"
     "    'f': {} } }",
     "warning cycle-without-exit 3:5\n"
     "warning dead-end 6:5\n"},
    /* all that no final state follows, when asked for */
    {"{ 'id': 'door', 'warnings': { 'no-way-to-final': 'error', 'cycle-without-exit': 'off' },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed', 'lose': 'way' } }, "
     "'closed': { 'type': 'final' },\n"
     "    'b': { 'on': { 'go': 'c' } },\n"
     "    'c': { 'on': { 'go': 'b' } },\n"
     "    'way': { 'on': { 'go': 'b' } } } }",
     "error no-way-to-final 5:5\n"},
    /* what a state says nothing of; creations are not expected, nor is a final state */
    {"{ 'id': 'door', 'warnings': { 'unhandled-command': 'warning' },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed' } },\n"
     "    'closed': { 'on': { 'open': 'open', 'lock': 'locked' }, 'ignores': ['close'] },\n"
     "    'locked': { 'on': { 'unlock': 'closed', 'drop': 'gone' }, 'ignores': '*' },\n"
     "    'gone': { 'type': 'final' } } }",
     "warning unhandled-command 2:34\n"
     "warning unhandled-command 3:5\n"},
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed' } }, 'closed': {} } }",
     ""},
    /* a circle with a way out */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed', 'lose': 'a' } }, "
     "'closed': { 'type': 'final' },\n"
     "    'a': { 'on': { 'go': 'b' } },\n"
     "    'b': { 'on': { 'go': 'a', 'end': 'closed' } } } }",
     ""},
    /* a final state that goes on */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed' } }, 'closed': { "
     "'type': 'final',\n"
     "    'on': { 'open': 'open' } } } }",
     "warning final-with-exit 3:5\n"},
    /* shadows */
    {"{ 'id': 'door',\n"
     "  'fields': { 'n': { 'type': 'int4', 'default': 0 } }, 'guards': { 'few': 'n < 3', 'sure': "
     "'true' },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': {\n"
     "    'a': [ { 'target': 'open' },\n"
     "      { 'guard': 'few' } ],\n"
     "    'b': [ { 'guard': 'few' },\n"
     "      { 'guard': 'few' } ],\n"
     "    'c': [ { 'guard': 'sure' },\n"
     "      {} ],\n"
     "    'd': [ { 'guard': { 'cel': 'n<5' } },\n"
     "      { 'guard': { 'cel': 'n < 5' } } ],\n"
     "    'e': [ { 'guard': 'few' }, { 'guard': { 'cel': 'n < 5' } }, {} ] } } } }",
     "warning shadowed-transition 5:7 also 4:12\n"
     "warning not-past-tense 6:5\n"
     "warning shadowed-transition 7:7 also 6:12\n"
     "warning shadowed-transition 9:7 also 8:12\n"
     "warning shadowed-transition 11:7 also 10:12\n"
     "warning not-past-tense 12:5\n"},
    /* creations too */
    {"{ 'id': 'door',\n"
     "  'creates': [ {},\n"
     "    { 'command': 'import' },\n"
     "    { 'target': 'closed' } ],\n"
     STATES,
     "warning shadowed-transition 4:5 also 2:16\n"},
    /* unused */
    {"{ 'id': 'door',\n"
     "  'fields': { 'n': { 'type': 'int4', 'default': 0 } },\n"
     "  'guards': {\n"
     "    'few': 'n < 3' },\n"
     "  'commands': {\n"
     "    'slam': {}, 'close': {} },\n"
     "  'events': {\n"
     "    'DoorShut': {},\n"
     "    'DoorClsed': {}, 'DoorClosed': {} },\n"
     STATES,
     "warning unused-guard 4:5\n"
     "warning unused-command 6:5\n"
     "warning unused-event 8:5\n"
     "warning unused-event 9:5\n"},
    /* unset */
    {"{ 'id': 'door',\n"
     "  'fields': { 'a': 'text',\n"
     "    'b': 'text', 'c': 'text?', 'd': { 'type': 'text', 'default': '' } },\n"
     "  'events': { 'DoorCreated': { 'fields': { 'a': 'text' } } },\n"
     STATES,
     "warning unset-field 3:5 also 5:12\n"},
    /* set by each creation or not */
    {"{ 'id': 'door',\n"
     "  'fields': {\n"
     "    'a': 'text' },\n"
     "  'events': { 'DoorCreated': { 'fields': { 'a': 'text' } }, 'DoorImported': { 'apply': { "
     "'a': '\\'x\\'' } }, 'DoorFound': {} },\n"
     "  'creates': [ {}, { 'command': 'import' },\n"
     "    { 'command': 'find' } ],\n"
     STATES,
     "warning unset-field 3:5 also 6:5\n"},
    /* tenses */
    {"{ 'id': 'door',\n"
     "  'events': { 'CloseDoor': {},\n"
     "    'DoorSent': {}, 'DoorHung': {} },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': { 'event': 'CloseDoor' }, "
     "'send': {}, 'hang': {},\n"
     "    'in_transit': {} } } } }",
     "warning not-past-tense 2:15\n"
     "warning not-past-tense 5:5\n"},
    /* implementation */
    {"{ 'id': 'door',\n"
     "  'events': { 'RowUpdated': {}, 'DoorStatusChanged': {}, 'DoorsTableInserted': {}, "
     "'TableReserved': {} },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'a': { 'event': 'RowUpdated' }, 'b': { "
     "'event': 'DoorStatusChanged' }, 'c': { 'event': 'DoorsTableInserted' }, 'd': { 'event': "
     "'TableReserved' } } } } }",
     "warning leaks-implementation 2:15\n"
     "warning leaks-implementation 2:33\n"
     "warning leaks-implementation 2:58\n"},
};

/* clang-format on */

START_TEST(test_analyses) {
    fsm_assert_findings(analyses_cases[_i].text, analyses_cases[_i].findings);
}
END_TEST

Suite *test_fsm_check_suite(void);
Suite *test_fsm_check_suite(void) {
    Suite *suite = suite_create("fsm: analyses");
    TCase *tcase;
    tcase = tcase_create("analyses");
    tcase_add_loop_test(tcase, test_analyses, 0, sizeof analyses_cases / sizeof *analyses_cases);
    suite_add_tcase(suite, tcase);
    return suite;
}
