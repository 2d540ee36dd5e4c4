/* Nesting, regions, history, "always", "onDone" and timers: short machines, each with commands and
 * the configurations that follow. The rules are SCXML's in the order of XState v5; the cases are of
 * the kinds that the SCXML tests of SCION have.
 *
 * A script is `command>configuration`, separated by spaces; `-` stands for "refused", `!` for an
 * end. It begins with what creation leads to.
 */
#include "fsm_findings.h"

#include "backstory/step.h"

#define ROOM 8

typedef struct play_case {
    const char *machine;
    const char *script;
} play_case;

#define CHANGES                                                                                    \
    "'fields': { 'n': { 'type': 'int4', 'default': 0 } },\n"                                       \
    "'events': { 'MAdded': { 'fields': { 'by': 'int4' }, "                                         \
    "'apply': { 'n': 'n + event.by' } } },\n"

static const play_case cases[] = {
    /* hierarchy: a parent's transition serves its children, the child's own comes first */
    {"{ 'id': 'm', 'initial': 'a', 'states': {\n"
     "  'a': { 'initial': 'x', 'on': { 'go': 'b', 'stop': 'c' }, 'states': {\n"
     "    'x': { 'on': { 'go': 'y' } }, 'y': {} } },\n"
     "  'b': {}, 'c': {} } }",
     "create>a.x go>a.y go>b go>-"},
    /* of two, the first in the document whose guard holds */
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'initial': 'x', 'on': { 'go': '.y' }, "
     "'states': {\n"
     "  'x': { 'on': { 'go': [ { 'target': 'z', 'guard': { 'cel': 'false' } },\n"
     "                          { 'target': 'w', 'guard': { 'cel': '1 == 2' } } ] } },\n"
     "  'y': {}, 'z': {}, 'w': {} } } } }",
     "create>a.x go>a.y"},
    /* the machine's own transitions serve all states */
    {"{ 'id': 'm', 'initial': 'a', 'on': { 'reset': '.a' }, 'states': { 'a': { 'on': { 'go': 'b' "
     "} }, 'b': {} } }",
     "create>a go>b reset>a"},
    /* initial descends */
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'initial': 'b', 'states': { 'b': {\n"
     "  'initial': 'c', 'states': { 'c': {}, 'd': {} } } } } } }",
     "create>a.b.c"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'initial': 'b.d', 'states': { 'b': {\n"
     "  'initial': 'c', 'states': { 'c': {}, 'd': {} } } } } } }",
     "create>a.b.d"},
    /* all forms of targets */
    {"{ 'id': 'm', 'initial': 'a', 'states': {\n"
     "  'a': { 'initial': 'x', 'on': { 'inner': '.y' }, 'states': { 'x': { 'on': {\n"
     "    'sibling': 'y', 'absolute': '#m.b.q', 'id': '#there', 'deep_id': '#b2.q',\n"
     "    'anywhere': 'q' } }, 'y': {} } },\n"
     "  'b': { 'id': 'b2', 'initial': 'p', 'on': { 'back': 'a.x' }, 'states': { 'p': {},\n"
     "    'q': { 'id': 'there' } } } } }",
     "create>a.x sibling>a.y inner>a.y"},
    {"{ 'id': 'm', 'initial': 'a', 'states': {\n"
     "  'a': { 'initial': 'x', 'states': { 'x': { 'on': {\n"
     "    'absolute': '#m.b.q', 'id': '#there', 'deep_id': '#b2.q', 'anywhere': 'q' } } } },\n"
     "  'b': { 'id': 'b2', 'initial': 'p', 'on': { 'back': 'a.x' }, 'states': { 'p': {},\n"
     "    'q': { 'id': 'there' } } } } }",
     "create>a.x absolute>b.q back>a.x id>b.q back>a.x deep_id>b.q back>a.x anywhere>b.q"},
    /* regions: one command, all that know it */
    {"{ 'id': 'm', 'type': 'parallel', 'states': {\n"
     "  'a': { 'initial': 'x', 'states': { 'x': { 'on': { 'go': 'y' } }, 'y': {} } },\n"
     "  'b': { 'initial': 'p', 'states': { 'p': { 'on': { 'go': 'q', 'only': 'q' } }, 'q': {} } } "
     "} }",
     "create>a.x+b.p go>a.y+b.q go>-"},
    {"{ 'id': 'm', 'type': 'parallel', 'states': {\n"
     "  'a': { 'initial': 'x', 'states': { 'x': { 'on': { 'go': 'y' } }, 'y': {} } },\n"
     "  'b': { 'initial': 'p', 'states': { 'p': { 'on': { 'go': 'q', 'only': 'q' } }, 'q': {} } } "
     "} }",
     "create>a.x+b.p only>a.x+b.q go>a.y+b.q"},
    /* interrupts: what leaves both regions in one, what stays in the other: the first wins */
    {"{ 'id': 'm', 'initial': 'p', 'states': { 'p': { 'type': 'parallel', 'states': {\n"
     "  'a': { 'initial': 'x', 'states': { 'x': { 'on': { 'go': '#m.out' } } } },\n"
     "  'b': { 'initial': 'y', 'states': { 'y': { 'on': { 'go': 'z' } }, 'z': {} } } } },\n"
     "  'out': {} } }",
     "create>p.a.x+p.b.y go>out"},
    {"{ 'id': 'm', 'initial': 'p', 'states': { 'p': { 'type': 'parallel', 'states': {\n"
     "  'a': { 'initial': 'x', 'states': { 'x': { 'on': { 'go': 'z' } }, 'z': {} } },\n"
     "  'b': { 'initial': 'y', 'states': { 'y': { 'on': { 'go': '#m.out' } } } } } },\n"
     "  'out': {} } }",
     "create>p.a.x+p.b.y go>p.a.z+p.b.y go>out"},
    /* a region's own comes before that of the state around it */
    {"{ 'id': 'm', 'initial': 'p', 'states': { 'p': { 'type': 'parallel', 'on': { 'go': 'out' },\n"
     "  'states': { 'a': { 'initial': 'x', 'states': { 'x': { 'on': { 'go': 'z' } }, 'z': {} } },\n"
     "    'b': {} } }, 'out': {} } }",
     "create>p.a.x+p.b go>p.a.z+p.b go>out"},
    /* several targets */
    {"{ 'id': 'm', 'initial': 'o', 'states': { 'o': { 'on': { 'go': [ { 'target': ['#m.p.a.y', "
     "'#m.p.b.q'] } ] } },\n"
     "  'p': { 'type': 'parallel', 'states': {\n"
     "    'a': { 'initial': 'x', 'states': { 'x': {}, 'y': {} } },\n"
     "    'b': { 'initial': 'p', 'states': { 'p': {}, 'q': {} } },\n"
     "    'c': { 'initial': 'r', 'states': { 'r': {} } } } } } }",
     "create>o go>p.a.y+p.b.q+p.c.r"},
    /* a target in one region enters the others as they begin */
    {"{ 'id': 'm', 'initial': 'o', 'states': { 'o': { 'on': { 'go': '#m.p.b.q' } },\n"
     "  'p': { 'type': 'parallel', 'states': {\n"
     "    'a': { 'initial': 'x', 'states': { 'x': {}, 'y': {} } },\n"
     "    'b': { 'initial': 'p', 'states': { 'p': {}, 'q': {} } } } } } }",
     "create>o go>p.a.x+p.b.q"},
    /* internal: stays inside its source; external: leaves it, and with it the other regions */
    {"{ 'id': 'm', 'type': 'parallel', 'states': {\n"
     "  'a': { 'initial': 'x', 'on': { 'in': '.x', 'out': { 'target': '.x', 'reenter': true } },\n"
     "    'states': { 'x': { 'on': { 'go': 'y' } }, 'y': {} } },\n"
     "  'b': { 'initial': 'p', 'states': { 'p': { 'on': { 'go': 'q' } }, 'q': {} } } } }",
     "create>a.x+b.p go>a.y+b.q in>a.x+b.q out>a.x+b.p"},
    /* history: shallow remembers the child, deep the leaf */
    {"{ 'id': 'm', 'initial': 'w', 'states': {\n"
     "  'w': { 'initial': 'a', 'on': { 'pause': 'off' }, 'states': {\n"
     "    'h': { 'type': 'history' }, 'a': { 'on': { 'next': 'b' } },\n"
     "    'b': { 'initial': 'b1', 'states': { 'b1': { 'on': { 'next': 'b2' } }, 'b2': {} } } } },\n"
     "  'off': { 'on': { 'resume': 'w.h' } } } }",
     "create>w.a pause>off resume>w.a next>w.b.b1 next>w.b.b2 pause>off~w.b resume>w.b.b1"},
    {"{ 'id': 'm', 'initial': 'w', 'states': {\n"
     "  'w': { 'initial': 'a', 'on': { 'pause': 'off' }, 'states': {\n"
     "    'h': { 'type': 'history', 'history': 'deep' }, 'a': { 'on': { 'next': 'b' } },\n"
     "    'b': { 'initial': 'b1', 'states': { 'b1': { 'on': { 'next': 'b2' } }, 'b2': {} } } } },\n"
     "  'off': { 'on': { 'resume': 'w.h' } } } }",
     "create>w.a next>w.b.b1 next>w.b.b2 pause>off~w.b.b2 resume>w.b.b2"},
    /* ... its own target the first time */
    {"{ 'id': 'm', 'initial': 'off', 'states': {\n"
     "  'w': { 'initial': 'a', 'on': { 'pause': 'off' }, 'states': {\n"
     "    'h': { 'type': 'history', 'target': 'b' }, 'a': {}, 'b': { 'on': { 'next': 'a' } } } },\n"
     "  'off': { 'on': { 'resume': 'w.h' } } } }",
     "create>off resume>w.b next>w.a pause>off~w.a resume>w.a"},
    /* ... deep, over regions */
    {"{ 'id': 'm', 'initial': 'p', 'states': {\n"
     "  'p': { 'type': 'parallel', 'on': { 'pause': 'off' }, 'states': {\n"
     "    'h': { 'type': 'history', 'history': 'deep' },\n"
     "    'a': { 'initial': 'x', 'states': { 'x': { 'on': { 'go': 'y' } }, 'y': {} } },\n"
     "    'b': { 'initial': 'q', 'states': { 'q': {} } } } },\n"
     "  'off': { 'on': { 'resume': 'p.h', 'restart': 'p' } } } }",
     "create>p.a.x+p.b.q pause>off resume>p.a.x+p.b.q go>p.a.y+p.b.q pause>off~p.a.y~p.b.q "
     "resume>p.a.y+p.b.q"},
    /* always: once a step has led there, and on and on */
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'on': { 'go': 'b' } },\n"
     "  'b': { 'always': 'c' }, 'c': { 'always': [ { 'target': 'd' } ] }, 'd': {} } }",
     "create>a go>d"},
    /* ... at creation */
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'always': 'b' }, 'b': {} } }", "create>b"},
    /* ... asks the fields as the event leaves them */
    {"{ 'id': 'm', " CHANGES "'initial': 'low', 'states': { 'low': {\n"
     "  'always': { 'target': 'high', 'guard': { 'cel': 'n >= 10' } },\n"
     "  'on': { 'add': { 'event': 'MAdded' } } },\n"
     "  'high': { 'always': { 'target': 'low', 'guard': { 'cel': 'n < 10' } },\n"
     "  'on': { 'add': { 'event': 'MAdded' } } } } }",
     "create>low add=4>low add=6>high add=1>high add=-5>low"},
    /* ... and other regions */
    {"{ 'id': 'm', 'type': 'parallel', 'states': {\n"
     "  'pay': { 'initial': 'open', 'states': { 'open': { 'on': { 'pay': 'paid' } }, 'paid': {} } "
     "},\n"
     "  'ship': { 'initial': 'held', 'states': {\n"
     "    'held': { 'always': { 'target': 'free',\n"
     "      'guard': { 'cel': 'state_in(\\\"paid\\\")' } } },\n"
     "    'free': {} } } } }",
     "create>pay.open+ship.held pay>pay.paid+ship.free"},
    /* a guard asks another region */
    {"{ 'id': 'm', 'type': 'parallel', 'states': {\n"
     "  'pay': { 'initial': 'open', 'states': { 'open': { 'on': { 'pay': 'paid' } }, 'paid': {} } "
     "},\n"
     "  'ship': { 'initial': 'held', 'states': {\n"
     "    'held': { 'on': { 'ship': { 'target': 'gone', 'guard': { 'cel': "
     "'state_in(\\\"pay.paid\\\")' } } } },\n"
     "    'gone': {} } } } }",
     "create>pay.open+ship.held ship>- pay>pay.paid+ship.held ship>pay.paid+ship.gone"},
    /* ... by as much of its path as tells it apart */
    {"{ 'id': 'm', 'initial': 'p', 'states': { 'p': { 'type': 'parallel', 'states': {\n"
     "  'a': { 'initial': 'x', 'states': { 'x': { 'on': { 'one': 'y' } }, 'y': {} } },\n"
     "  'b': { 'initial': 'x', 'states': { 'x': { 'on': { 'two': { 'target': 'y',\n"
     "    'guard': { 'cel': 'state_in(\\\"a.y\\\")' } } } }, 'y': {} } } } } } }",
     "create>p.a.x+p.b.x two>- one>p.a.y+p.b.x two>p.a.y+p.b.y"},
    /* done: of a compound, of all regions */
    {"{ 'id': 'm', 'initial': 'a', 'states': {\n"
     "  'a': { 'initial': 'x', 'onDone': 'b', 'states': { 'x': { 'on': { 'go': 'y' } },\n"
     "    'y': { 'type': 'final' } } }, 'b': {} } }",
     "create>a.x go>b"},
    {"{ 'id': 'm', 'initial': 'p', 'states': {\n"
     "  'p': { 'type': 'parallel', 'onDone': { 'target': 'end' }, 'states': {\n"
     "    'a': { 'initial': 'x', 'states': { 'x': { 'on': { 'one': 'y' } }, 'y': { 'type': "
     "'final' } } },\n"
     "    'b': { 'initial': 'x', 'states': { 'x': { 'on': { 'two': 'y' } }, 'y': { 'type': "
     "'final' } } } } },\n"
     "  'end': { 'type': 'final' } } }",
     "create>p.a.x+p.b.x two>p.a.x+p.b.y one>end!"},
    /* a machine of regions ends when all of them have */
    {"{ 'id': 'm', 'type': 'parallel', 'on': { 'again': '.a' }, 'states': {\n"
     "  'a': { 'initial': 'x', 'states': { 'x': { 'on': { 'one': 'y' } }, 'y': { 'type': 'final' "
     "} } },\n"
     "  'b': { 'initial': 'x', 'states': { 'x': { 'on': { 'two': 'y' } }, 'y': { 'type': 'final' "
     "} } } } }",
     "create>a.x+b.x one>a.y+b.x two>a.y+b.y! again>-"},
    /* a timer is a command */
    {"{ 'id': 'm', 'initial': 'a', 'states': {\n"
     "  'a': { 'after': { 'P7D': 'b', 'PT1H': { 'target': 'c', 'command': 'remind' } } },\n"
     "  'b': {}, 'c': { 'on': { 'back': 'a' } } } }",
     "create>a remind>c back>a time_out_a>b"},
    /* several creations, into any state */
    {"{ 'id': 'm', 'initial': 'a', 'creates': [ { 'command': 'begin' },\n"
     "  { 'command': 'import', 'target': '#m.p.b.y', 'event': 'MImported' } ],\n"
     "  'events': { 'MImported': {} }, 'states': { 'a': {},\n"
     "  'p': { 'type': 'parallel', 'states': {\n"
     "    'a': {}, 'b': { 'initial': 'x', 'states': { 'x': {}, 'y': {} } } } } } }",
     "import>p.a+p.b.y"},
    /* guards of regions are independent */
    {"{ 'id': 'm', " CHANGES "'type': 'parallel', 'states': {\n"
     "  'a': { 'initial': 'x', 'states': { 'x': { 'on': { 'add': { 'event': 'MAdded', 'target': "
     "'y',\n"
     "    'guard': { 'cel': 'command.by > 1' } } } }, 'y': { 'on': { 'add': { 'event': 'MAdded',\n"
     "    'target': 'x' } } } } },\n"
     "  'b': { 'initial': 'p', 'states': { 'p': { 'on': { 'add': { 'event': 'MAdded', 'target': "
     "'q',\n"
     "    'guard': { 'cel': 'command.by > 2' } } } }, 'q': {} } } } }",
     "create>a.x+b.p add=1>- add=2>a.y+b.p add=3>a.x+b.q add=9>a.y+b.q"},
};

static void play_step(const bst_machine *m, bst_entity *entity, const char *command, int64_t by,
                      const char *expected, const char *script) {
    bst_value fields[ROOM];
    const bst_value payload[1] = {{.present = true, .u.i = by}};
    bst_event event = {.fields = fields};
    const uint32_t number = bst_machine_command(m, command);
    ck_assert_msg(number != BST_NONE, "no command %s in %s", command, script);
    const bst_decision decision = bst_decide(m, entity, number, payload, &event);
    if (strcmp(expected, "-") == 0) {
        ck_assert_msg(decision.verdict != BST_ACCEPTED, "%s is accepted in %s", command, script);
        return;
    }
    ck_assert_msg(decision.verdict == BST_ACCEPTED, "%s is refused in %s", command, script);
    ck_assert_int_eq(bst_apply(m, entity, &event), BST_APPLY_OK);
    const bst_state *state = &m->states[entity->state];
    char found[200];
    snprintf(found, sizeof found, "%s%s", state->name, state->final ? "!" : "");
    ck_assert_msg(strcmp(found, expected) == 0, "%s leads to %s in %s", command, found, script);
}

START_TEST(test_play) {
    const play_case *c = &cases[_i];
    bst_machine *m = fsm_machine(c->machine);
    bst_value fields[ROOM];
    bst_entity entity = {.fields = fields};
    char script[500];
    bst_entity_clear(m, &entity);
    snprintf(script, sizeof script, "%s", c->script);
    for (char *step = script, *next = NULL; step; step = next) {
        next = strchr(step, ' ');
        if (next) {
            *next++ = '\0';
        }
        char *arrow = strchr(step, '>');
        *arrow = '\0';
        char *equals = strchr(step, '=');
        if (equals) {
            *equals = '\0';
        }
        play_step(m, &entity, step, equals ? strtol(equals + 1, NULL, 10) : 0, arrow + 1,
                  c->script);
    }
    bst_machine_free(m);
}
END_TEST

/* Mistakes, and near misses of them. */

static const play_case mistakes[] = {
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': {\n 'states': { 'x': {} } } } }",
     "error missing-key 1:42\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': {\n"
     " 'initial': 'y', 'states': { 'x': {} } } } }",
     "error unknown-state 2:13\n"},
    {"{ 'id': 'm', 'type': 'parallel',\n 'initial': 'a', 'states': { 'a': {} } }",
     "error unsupported-key 2:2\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'on': {\n 'go': 'x' } },\n"
     " 'b': { 'initial': 'x', 'states': { 'x': {} } }, 'c': { 'initial': 'x', 'states': { 'x': {} "
     "} } } }",
     "error ambiguous-state 2:8\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'id': 'i' }, 'b': {\n 'id': 'i' } } }",
     "error duplicate-id 2:8 also 1:42\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'on': { 'go': { 'target':\n [ 'b', 'c' ] } } "
     "}, 'b': {}, 'c': {} } }",
     "error targets-clash 2:9\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'after': {\n 'P1M': 'b', 'PT0S': 'b' } }, "
     "'b': {} } }",
     "error bad-duration 2:2\nerror bad-duration 2:14\nerror duplicate-command 2:22 also 2:9\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'on': { 'go': 'b' },\n"
     " 'after': { 'P1D': { 'command': 'go', 'target': 'b' } } }, 'b': {} } }",
     "error duplicate-command 2:20 also 1:63\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'on': { 'go': 'b' } },\n"
     " 'b': { 'always': 'c' },\n 'c': { 'always': 'b' } } }",
     "error always-loop 3:19\n"},
    /* an opposite guard is seen as one */
    {"{ 'id': 'm', 'fields': { 'n': { 'type': 'int4', 'default': 0 } }, 'initial': 'a',\n"
     " 'states': { 'a': { 'on': { 'go': 'b' } },\n"
     " 'b': { 'always': { 'target': 'c', 'guard': { 'cel': 'n > 0' } } },\n"
     " 'c': { 'always': { 'target': 'b', 'guard': { 'cel': 'n <= 0' } } } } }",
     ""},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'always':\n {} } } }",
     "error missing-key 2:2\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'always': { 'target': 'b',\n"
     " 'event': 'X' } }, 'b': {} } }",
     "error unsupported-key 2:2\n"},
    /* what happens by itself has no command to read */
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'always': { 'target': 'b',\n"
     " 'guard': { 'cel': 'command.x > 1' } } }, 'b': {} } }",
     "error unknown-name 2:21\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'initial': 'h', 'states': {\n"
     " 'h': { 'type': 'history' }, 'x': {} } } } }",
     "error bad-history 2:2\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'initial': 'x', 'states': {\n"
     " 'h': { 'type': 'history', 'target': '#m.b' }, 'x': {} } }, 'b': {} } }",
     "error bad-history 2:38\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'initial': 'x', 'states': {\n"
     " 'h': { 'history': 'wide' }, 'x': {} } } } }",
     "error bad-history 2:20\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'initial': 'x', 'states': {\n"
     " 'h': { 'type': 'history', 'on': {} }, 'x': {} } } } }",
     "error unsupported-key 2:28\n"},
    /* one command, one event */
    {"{ 'id': 'm', 'type': 'parallel', 'events': { 'MGone': {}, 'MLeft': {} }, 'states': {\n"
     " 'a': { 'initial': 'x', 'states': { 'x': { 'on': { 'go': { 'event': 'MGone' } } } } },\n"
     " 'b': { 'initial': 'x', 'states': { 'x': { 'on': { 'go': { 'event': 'MLeft' } } } } } } }",
     "error event-clash 3:58 also 2:58\n"},
    /* the same in states that are never active together */
    {"{ 'id': 'm', 'initial': 'a', 'events': { 'MGone': {}, 'MLeft': {} }, 'states': {\n"
     " 'a': { 'on': { 'go': { 'event': 'MGone', 'target': 'b' } } },\n"
     " 'b': { 'on': { 'go': { 'event': 'MLeft', 'target': 'a' } } } } }",
     ""},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'on': { 'go': { 'guard': {\n"
     " 'cel': 'state_in(\\\"b\\\") || state_in(\\\"aa\\\")' } } } } } }",
     "error unknown-state 2:10\nerror unknown-state 2:29\n"},
    {"{ 'id': 'm', 'fields': { 'f': { 'type': 'bool', 'default': false } },\n"
     " 'events': { 'MGone': { 'apply': { 'f':\n 'state_in(\\\"a\\\")' } } },\n"
     " 'initial': 'a', 'states': { 'a': { 'on': { 'go': { 'event': 'MGone' } } } } }",
     "error not-in-language 3:3\n"},
    /* names that are the same in C */
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'initial': 'b', 'on': { 'go': 'a_b' }, "
     "'states': {\n 'b': {} } },\n 'a_b': { 'on': { 'back': 'a' } } } }",
     "error name-clash 3:2 also 2:2\n"},
    /* warnings about nodes */
    {"{ 'id': 'm', 'type': 'parallel', 'states': {\n"
     " 'a': { 'initial': 'x', 'states': { 'x': {},\n 'y': {} } }, 'b': {} } }",
     "warning unreachable-state 3:2\n"},
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'initial': 'x', 'states': {\n"
     " 'x': { 'on': { 'go': [ 'y',\n 'x' ] } }, 'y': { 'on': { 'go': 'x' } } } } } }",
     "warning shadowed-transition 3:2 also 2:25\n"},
    /* a child that hides its parent's transition means to */
    {"{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'initial': 'x', 'on': { 'go': '.x' }, "
     "'states': {\n 'x': { 'on': { 'go': 'y' } }, 'y': {} } } } }",
     ""},
};

START_TEST(test_mistakes) {
    fsm_assert_findings(mistakes[_i].machine, mistakes[_i].script);
}
END_TEST

/* Limits. */

static void add_regions(bst_strbuf *out, unsigned regions, unsigned states) {
    bst_strbuf_adds(out, "{ 'id': 'm', 'type': 'parallel', 'states': {");
    for (unsigned r = 0; r < regions; r++) {
        bst_strbuf_addf(out, "%s\n'r%u': { 'initial': 's0', 'states': {", r ? "," : "", r);
        for (unsigned s = 0; s < states; s++) {
            bst_strbuf_addf(out, "%s's%u': { 'on': { 'next_%u': 's%u' } }", s ? ", " : "", s, r,
                            (s + 1) % states);
        }
        bst_strbuf_adds(out, "} }");
    }
    bst_strbuf_adds(out, "} }");
}

START_TEST(test_regions_multiply) {
    bst_strbuf text = BST_STRBUF_INIT;
    add_regions(&text, 3, 10);
    bst_machine *m = fsm_machine(text.text);
    ck_assert_uint_eq(m->state_count, 1000);
    ck_assert_uint_eq(m->transition_count, 3001);
    ck_assert_str_eq(m->states[0].name, "r0.s0+r1.s0+r2.s0");
    ck_assert_str_eq(m->states[1].name, "r0.s0+r1.s0+r2.s1");
    ck_assert_uint_eq(m->initial, 0);
    bst_machine_free(m);
    bst_strbuf_clear(&text);
    add_regions(&text, 5, 10);
    fsm_assert_findings(text.text, "error too-many-configurations 1:1\n");
    bst_strbuf_release(&text);
}
END_TEST

START_TEST(test_nesting_has_a_limit) {
    for (unsigned levels = BST_NESTING_MAX; levels <= BST_NESTING_MAX + 1; levels++) {
        bst_strbuf text = BST_STRBUF_INIT;
        bst_strbuf_adds(&text, "{ 'id': 'm'");
        for (unsigned i = 0; i < levels; i++) {
            bst_strbuf_addf(&text, ", 'initial': 'a', 'states': { 'a': { 'label': 'l'");
        }
        for (unsigned i = 0; i < levels; i++) {
            bst_strbuf_adds(&text, " } }");
        }
        bst_strbuf_adds(&text, "}");
        bst_diags *diags = bst_diags_new();
        bst_machine *m = fsm_parse(text.text, diags);
        ck_assert_int_eq(m != NULL, levels == BST_NESTING_MAX);
        if (!m) {
            ck_assert_uint_eq(bst_diags_count(diags), 1);
            ck_assert_str_eq(bst_diags_at(diags, 0)->code, "limit");
        }
        bst_machine_free(m);
        bst_diags_free(diags);
        bst_strbuf_release(&text);
    }
}
END_TEST

START_TEST(test_nodes) {
    bst_machine *m = fsm_machine(
        "{ 'id': 'm', 'initial': 'a', 'states': { 'a': { 'initial': 'x', 'states': { 'x': {},\n"
        "  'y': { 'label': 'Why', 'type': 'final' } }, 'on': { 'go': '.y' },\n"
        "  'after': { 'PT1S': '#m.b' } }, 'b': {} } }");
    ck_assert_uint_eq(m->node_count, 5);
    const uint32_t y = bst_machine_node(m, "a.y");
    ck_assert_uint_eq(y, bst_machine_node(m, "y"));
    ck_assert_uint_eq(bst_machine_node(m, "z"), BST_NONE);
    ck_assert_str_eq(m->nodes[y].path, "a.y");
    ck_assert_str_eq(m->nodes[y].label, "Why");
    ck_assert_int_eq(m->nodes[y].kind, BST_NODE_FINAL);
    ck_assert_uint_eq(m->nodes[m->nodes[y].parent].last, y);
    const uint32_t state = bst_machine_state(m, "a.y");
    ck_assert(bst_machine_is_active(m, state, y));
    ck_assert(bst_machine_is_active(m, state, m->nodes[y].parent));
    ck_assert(!bst_machine_is_active(m, state, bst_machine_node(m, "b")));
    ck_assert(!m->states[state].final); /* it ends the state around it only */
    ck_assert_uint_eq(bst_machine_state_where(m, state).line, 2);
    uint32_t first;
    const uint32_t timer = bst_machine_command(m, "time_out_a");
    ck_assert_uint_eq(bst_machine_candidates(m, state, timer, &first), 1);
    ck_assert_int_eq(m->transitions[first].after_us, 1000000);
    bst_machine_free(m);
}
END_TEST

Suite *test_fsm_structure_suite(void);
Suite *test_fsm_structure_suite(void) {
    Suite *suite = suite_create("fsm: structure");
    TCase *tcase = tcase_create("structure");
    tcase_add_loop_test(tcase, test_play, 0, sizeof cases / sizeof *cases);
    tcase_add_loop_test(tcase, test_mistakes, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_test(tcase, test_regions_multiply);
    tcase_add_test(tcase, test_nesting_has_a_limit);
    tcase_add_test(tcase, test_nodes);
    suite_add_tcase(suite, tcase);
    return suite;
}
