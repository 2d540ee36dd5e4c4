/* Machine files with mistakes: what is found, and where. Each mistake gives one finding; each
 * case that is all right gives none. Machines are written with ' for ".
 */
#include "fsm_findings.h"

typedef struct machine_case {
    const char *text, *findings;
} machine_case;

#define STATES                                                                                     \
    "'initial': 'open', 'states': { 'open': { 'on': { 'close': 'closed' } }, "                     \
    "'closed': { 'type': 'final' } } }"

#define X40 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* clang-format off */
static const machine_case keys_cases[] = {
    /* a key nobody knows */
    {"{ 'id': 'door',\n"
     "  'desription': 'x',\n"
     STATES,
     "error unknown-key 2:3\n"},
    /* a key of one's own in no object */
    {"{ 'id': 'door',\n"
     "  'description': 'x', '$schema': 'y', 'version': '1', 'label': 'z', 'meta': { 'any': [1] },\n"
     STATES,
     ""},
    /* a key that is far from all */
    {"{ 'id': 'door',\n"
     "  'zzzzzz': 1,\n"
     STATES,
     "error unknown-key 2:3\n"},
    /* keys of XState at the root */
    {"{ 'id': 'door',\n"
     "  'context': {}, 'onDone': {}, 'tags': {},\n"
     "  'entry': [], 'exit': [], 'invoke': {}, 'actions': [],\n"
     STATES,
     "error unsupported-key 2:3\n"
     "error unsupported-key 2:18\n"
     "error unsupported-key 2:32\n"
     "error unsupported-key 3:3\n"
     "error unsupported-key 3:16\n"
     "error unsupported-key 3:28\n"
     "error unsupported-key 3:42\n"},
    /* keys of XState in a state */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': {\n"
     "    'entry': [], 'onDone': {}, 'initial': 'x', 'after': {}, 'tags': [] } } }",
     "error unsupported-key 3:5\n"
     "error unsupported-key 3:18\n"
     "error unsupported-key 3:32\n"
     "error unsupported-key 3:61\n"},
    /* keys of XState in a transition */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': {\n"
     "    'target': 'open', 'actions': [], 'cond': 'x' } } } } }",
     "error unsupported-key 3:23\n"
     "error unsupported-key 3:38\n"},
    /* unknown keys everywhere */
    {"{ 'id': 'door',\n"
     "  'fields': { 'a': { 'type': 'text?', 'labl': 'x' } },\n"
     "  'events': { 'DoorClosed': { 'feilds': {} } },\n"
     "  'commands': { 'close': { 'field': {} } },\n"
     "  'guards': { 'g': { 'cel': 'true', 'descr': 'x' } },\n"
     "  'creates': [ { 'comand': 'create' } ],\n"
     "  'initial': 'open', 'states': { 'open': { 'ON': {}, 'on': { 'close': { 'targt': 'open', "
     "'guard': 'g' } } } } }",
     "error unknown-key 2:39\n"
     "error unknown-key 3:31\n"
     "error unknown-key 4:28\n"
     "error unknown-key 5:37\n"
     "error unknown-key 6:18\n"
     "error unknown-key 7:44\n"
     "error unknown-key 7:73\n"},
    /* a default for a payload field */
    {"{ 'id': 'door',\n"
     "  'events': { 'DoorClosed': { 'fields': { 'a': { 'type': 'text?', 'default': 'x' } } } },\n"
     STATES,
     "error unsupported-key 2:67\n"},
    /* a guard that an expression decides, and a C function too; a C function that cannot be one */
    {"{ 'id': 'door',\n"
     "  'guards': { 'g': { 'cel': 'true', 'c': 'f' }, 'h': { 'c': 'while' },\n"
     "    'i': { 'c': 'a-b' }, 'j': { 'c': 7 } },\n"
     STATES,
     "error unsupported-key 2:37\n"
     "error reserved-name 2:61\n"
     "error bad-name 3:17\n"
     "error wrong-type 3:38\n"},
    /* an upcast where no event is */
    {"{ 'id': 'door',\n"
     "  'commands': { 'close': { 'upcast': {} } },\n"
     STATES,
     "error unsupported-key 2:28\n"},
    /* a key twice */
    {"{ 'id': 'door',\n"
     "  'label': 'a',\n"
     "  'label': 'b',\n"
     STATES,
     "error duplicate-key 3:3 also 2:3\n"},
    /* no JSON */
    {"{ 'id': 'door',\n"
     "  label: 1 }",
     "error json-syntax 2:3\n"},
};

static const machine_case kinds_cases[] = {
    /* no id */
    {"{ " STATES,
     "error missing-key 1:1\n"},
    /* nothing at all */
    {"{}",
     "error missing-key 1:1\n"
     "error missing-key 1:1\n"
     "error missing-key 1:1\n"},
    /* no initial */
    {"{ 'id': 'door',\n"
     "  'states': { 'open': {} } }",
     "error missing-key 1:1\n"},
    /* no states inside */
    {"{ 'id': 'door',\n"
     "  'initial': 'open',\n"
     "  'states': {} }",
     "error missing-key 3:13\n"},
    /* numbers for strings */
    {"{ 'id': 7,\n"
     "  'version': 1, 'label': null, 'description': [],\n"
     STATES,
     "error wrong-type 1:9\n"
     "error wrong-type 2:14\n"
     "error wrong-type 2:26\n"
     "error wrong-type 2:47\n"},
    /* other things for objects */
    {"{ 'id': 'door',\n"
     "  'fields': [], 'events': 'x', 'commands': 1, 'guards': true,\n"
     "  'creates': {},\n"
     STATES,
     "error wrong-type 2:13\n"
     "error wrong-type 2:27\n"
     "error wrong-type 2:44\n"
     "error wrong-type 2:57\n"
     "error wrong-type 3:14\n"},
    /* what refers to a list that is no list is not blamed */
    {"{ 'id': 'door', 'fields': 1,\n"
     "  'events': 2, 'guards': 3,\n"
     "  'creates': [ { 'target': 'shut' } ], 'initial': 'open',\n"
     "  'states': [] }",
     "error wrong-type 1:27\n"
     "error wrong-type 2:13\n"
     "error wrong-type 2:26\n"
     "error wrong-type 4:13\n"},
    {"{ 'id': 'door', 'fields': 1,\n"
     "  'events': { 'DoorClosed': { 'fields': { 'a': 'text' }, 'apply': { 'n': 'n + 1' } } },\n"
     "  'guards': 3, 'initial': 'open', 'states': { 'open': { 'on': { 'close': [\n"
     "    { 'guard': 'few' }, { 'guard': { 'cel': 'n < 3' } } ] } } } }",
     "error wrong-type 1:27\n"
     "error wrong-type 3:13\n"},
    /* states as an array */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': [ 'open' ] }",
     "error wrong-type 2:32\n"},
    /* members of the wrong kind */
    {"{ 'id': 'door',\n"
     "  'fields': { 'a': 1, 'b': {}, 'c': { 'type': 7 } },\n"
     "  'events': { 'DoorClosed': [] }, 'commands': { 'close': 1 }, 'guards': { 'g': 1, 'h': {} "
     "},\n"
     "  'initial': 'open', 'states': { 'open': 1, 'closed': { 'on': [] } } }",
     "error wrong-type 2:20\n"
     "error missing-key 2:28\n"
     "error wrong-type 2:47\n"
     "error wrong-type 3:29\n"
     "error wrong-type 3:58\n"
     "error wrong-type 3:80\n"
     "error missing-key 3:88\n"
     "error wrong-type 4:42\n"
     "error wrong-type 4:63\n"},
    /* transitions of the wrong kind */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': {\n"
     "    'a': 1,\n"
     "    'b': [],\n"
     "    'c': [ 'open', 2 ],\n"
     "    'd': { 'target': 1 },\n"
     "    'e': { 'guard': 1 },\n"
     "    'f': { 'event': 1 },\n"
     "    'g': { 'reenter': 'yes', 'description': 1 } } } } }",
     "error wrong-type 3:10\n"
     "error missing-key 4:10\n"
     "error wrong-type 5:20\n"
     "error wrong-type 6:22\n"
     "error wrong-type 7:21\n"
     "error wrong-type 8:21\n"
     "error wrong-type 9:23\n"
     "error wrong-type 9:45\n"},
    /* versions of events */
    {"{ 'id': 'door',\n"
     "  'events': { 'DoorClosed': { 'version': 0 } },\n"
     STATES,
     "error wrong-type 2:42\n"},
    /* a version of an event */
    {"{ 'id': 'door',\n"
     "  'events': { 'DoorClosed': { 'version': 3, 'label': 'x', 'description': 'y' } },\n"
     STATES,
     ""},
    /* no creation */
    {"{ 'id': 'door',\n"
     "  'creates': [],\n"
     STATES,
     "error missing-key 2:14\n"},
    /* creations of the wrong kind */
    {"{ 'id': 'door',\n"
     "  'creates': [ 1, { 'command': 1 } ],\n"
     STATES,
     "error wrong-type 2:16\n"
     "error wrong-type 2:32\n"},
    /* a state type */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'type': 'atomic' },\n"
     "    'closed': { 'type': 'parallel' }, 'gone': { 'type': 'finl' } } }",
     "error missing-key 3:25\n"
     "error bad-state-type 3:57\n"},
};

static const machine_case names_cases[] = {
    /* ids and names */
    {"{ 'id': 'my door',\n"
     "  'fields': { 'a-b': 'text?' },\n"
     "  'events': { 'Door.Closed': {} }, 'commands': { 'close it': {} }, 'guards': { '1st': "
     "'true' },\n"
     "  'initial': 'a b', 'states': { 'a b': { 'on': { 'go!': 'a b' } } } }",
     "error bad-name 1:9\n"
     "error bad-name 2:15\n"
     "error bad-name 3:15\n"
     "error bad-name 3:50\n"
     "error bad-name 3:80\n"
     "error bad-name 4:33\n"
     "error bad-name 4:50\n"},
    /* a bad command in two states is one mistake */
    {"{ 'id': 'door',\n"
     "  'initial': 'a', 'states': { 'a': { 'on': {\n"
     "    'go on': 'b' } },\n"
     "    'b': { 'on': { 'go on': 'a' } } } }",
     "error bad-name 3:5\n"},
    /* names that may be */
    {"{ 'id': '_door2',\n"
     "  'initial': '_A1', 'states': { '_A1': { 'on': { 'int': '_A1' } } } }",
     ""},
    /* a long name: 121 bytes, and 120 */
    {"{ 'id': 'door',\n"
     "  'initial': 'a', 'states': { 'a': { 'on': {\n"
     "    '" X40 X40 X40 "x': 'a', '" X40 X40 X40 "': 'a' } } } }",
     "error limit 3:5\n"},
    /* words of C as fields */
    {"{ 'id': 'door',\n"
     "  'fields': { 'default': 'text?', 'class': 'text?', 'event': 'text?', 'in': 'text?', "
     "'defaults': 'text?' },\n"
     STATES,
     "error reserved-name 2:15\n"
     "error reserved-name 2:35\n"
     "error reserved-name 2:53\n"
     "error reserved-name 2:71\n"},
    /* states that differ in capitals */
    {"{ 'id': 'door',\n"
     "  'initial': 'paid', 'states': { 'paid': {},\n"
     "    'PAID': {}, 'Paid': {} } }",
     "error name-clash 3:5 also 2:34\n"
     "error name-clash 3:17 also 2:34\n"},
    /* states that differ in underscores */
    {"{ 'id': 'door',\n"
     "  'initial': 'inRoute', 'states': { 'inRoute': {},\n"
     "    'in_route': {} } }",
     "error name-clash 3:5 also 2:37\n"},
    /* states that differ in digits */
    {"{ 'id': 'door',\n"
     "  'initial': 's1_1', 'states': { 's1_1': { 'on': { 'go': 's11', 'Go2': 's11' } }, 's11': {} "
     "} }",
     ""},
    /* commands, events, guards, fields */
    {"{ 'id': 'door',\n"
     "  'fields': { 'a': 'text?',\n"
     "    'A': 'text?' },\n"
     "  'guards': { 'g': 'true',\n"
     "    'G': 'true' },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': {\n"
     "    'close': { 'target': 'open', 'guard': 'g' },\n"
     "    'CLOSE': { 'target': 'open', 'guard': 'G' } } } } }",
     "error name-clash 3:5 also 2:15\n"
     "error name-clash 5:5 also 4:15\n"
     "error name-clash 8:5 also 7:5\n"},
    /* a listed event beside a derived one */
    {"{ 'id': 'door',\n"
     "  'events': {\n"
     "    'door_closed': {} },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': {\n"
     "    'close': 'open' } } } }",
     "error name-clash 5:5 also 3:5\n"},
};

static const machine_case types_cases[] = {
    /* types */
    {"{ 'id': 'door',\n"
     "  'fields': { 'a': 'txt?',\n"
     "    'b': 'decimal(19,2)',\n"
     "    'c': 'decimal(2,3)', 'd': 'varchar(0)', 'e': 'enum()', 'f': 'duration?', 'g': '', 'h': "
     "'int', 'i': 'text ?' },\n"
     STATES,
     "error bad-type 2:20\n"
     "error bad-type 3:10\n"
     "error bad-type 4:10\n"
     "error bad-type 4:31\n"
     "error bad-type 4:50\n"
     "error bad-type 4:65\n"
     "error bad-type 4:83\n"
     "error bad-type 4:92\n"},
    /* all types */
    {"{ 'id': 'door',\n"
     "  'fields': { 'a': 'bool?', 'b': 'int2?', 'c': 'int4?', 'd': 'int8?', 'e': "
     "'decimal(18,18)?', 'f': 'text?', 'g': 'varchar(3)?', 'h': 'char(3)?', 'i': 'uuid?', 'j': "
     "'date?', 'k': 'timestamptz?', 'l': 'bytea?', 'm': 'json?', 'n': 'enum(a,b)?' },\n"
     STATES,
     ""},
    /* defaults */
    {"{ 'id': 'door',\n"
     "  'fields': { 'a': { 'type': 'decimal(12,2)', 'default': 0.10 },\n"
     "    'b': { 'type': 'decimal(12,2)', 'default': '0.105' },\n"
     "    'c': { 'type': 'int2', 'default': 40000 },\n"
     "    'd': { 'type': 'text', 'default': null },\n"
     "    'e': { 'type': 'enum(a,b)', 'default': 'c' },\n"
     "    'f': { 'type': 'char(3)', 'default': 'EURO' } },\n"
     STATES,
     "error bad-default 2:58\n"
     "error bad-default 3:48\n"
     "error bad-default 4:39\n"
     "error bad-default 5:39\n"
     "error bad-default 6:44\n"
     "error bad-default 7:42\n"},
    /* defaults that are right */
    {"{ 'id': 'door',\n"
     "  'fields': { 'a': { 'type': 'decimal(12,2)', 'default': '0.10' },\n"
     "    'b': { 'type': 'decimal(12,2)', 'default': 1 }, 'c': { 'type': 'int2', 'default': -3 }, "
     "'d': { 'type': 'text?', 'default': null },\n"
     "    'e': { 'type': 'enum(a,b)', 'default': 'b' }, 'f': { 'type': 'bool', 'default': false } "
     "},\n"
     STATES,
     ""},
};

static const machine_case references_cases[] = {
    /* a target */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': {\n"
     "    'close': 'clsed',\n"
     "    'slam': { 'target': 'shut' } } },\n"
     "    'closed': {} } }",
     "error unknown-state 3:14\n"
     "error unknown-state 4:25\n"},
    /* an initial state */
    {"{ 'id': 'door',\n"
     "  'initial': 'opn', 'states': { 'open': {} } }",
     "error unknown-state 2:14\n"},
    /* a guard */
    {"{ 'id': 'door',\n"
     "  'guards': { 'locked': 'true' },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': {\n"
     "    'close': [ { 'guard': 'lockd' },\n"
     "      { 'guard': 'amount > 0' },\n"
     "      { 'guard': 'locked' } ] } } } }",
     "error unknown-guard 4:27\n"
     "error unknown-guard 5:18\n"},
    /* an event */
    {"{ 'id': 'door',\n"
     "  'events': { 'DoorSlammed': {} },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': {\n"
     "    'close': { 'event': 'DoorSlamed' }, 'slam': {} } } } }",
     "error unknown-event 4:25\n"},
    /* an event that only another command gives rise to */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': {\n"
     "    'shut': { 'event': 'DoorClosed' }, 'close': {} } } } }",
     ""},
    /* a field in apply */
    {"{ 'id': 'door',\n"
     "  'fields': { 'count': { 'type': 'int4', 'default': 0 } },\n"
     "  'events': { 'DoorClosed': { 'apply': { 'cuont': 'count + 1' } } },\n"
     STATES,
     "error unknown-field 3:42\n"},
    /* creations */
    {"{ 'id': 'door',\n"
     "  'creates': [ { 'target': 'opn' },\n"
     "    { 'event': 'DoorHung' },\n"
     "    { 'guard': 'g' } ],\n"
     STATES,
     "error unknown-state 2:28\n"
     "error unknown-event 3:16\n"
     "error unknown-guard 4:16\n"},
    /* no guess when nothing is near */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': {\n"
     "    'close': '#door.closed' } } } }",
     "error unknown-state 3:14\n"},
};

static const machine_case payloads_cases[] = {
    /* two events of one command disagree */
    {"{ 'id': 'door',\n"
     "  'events': { 'DoorClosed': { 'fields': { 'by': 'text' } },\n"
     "    'DoorSlammed': { 'fields': { 'by': 'int4' } } },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': [ { 'guard': { 'cel': "
     "'command.by == command.by' } }, { 'event': 'DoorSlammed' } ] } } } }",
     "error payload-clash 3:40 also 2:49\n"},
    /* two events of one command agree but for the question mark */
    {"{ 'id': 'door',\n"
     "  'events': { 'DoorClosed': { 'fields': { 'by': 'text' } },\n"
     "    'DoorSlammed': { 'fields': { 'by': 'text?', 'force': 'int4' } } },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': [ { 'guard': { 'cel': "
     "'has(command.by)' } }, { 'event': 'DoorSlammed' } ] } } } }",
     ""},
    /* a command that lacks what its event requires */
    {"{ 'id': 'door',\n"
     "  'events': { 'DoorClosed': { 'fields': {\n"
     "    'hand': 'text', 'foot': 'text?' } } },\n"
     "  'commands': { 'close': { 'fields': {\n"
     "    'hnd': 'text' } } },\n"
     STATES,
     "error missing-payload 4:28 also 3:13\n"},
    /* a command that has it otherwise */
    {"{ 'id': 'door',\n"
     "  'events': { 'DoorClosed': { 'fields': {\n"
     "    'hand': 'text' } } },\n"
     "  'commands': { 'close': { 'fields': {\n"
     "    'hand': 'int4' } } },\n"
     STATES,
     "error payload-clash 5:13 also 3:13\n"},
    /* a command whose event is implied */
    {"{ 'id': 'door',\n"
     "  'guards': { 'strong': 'command.force > 3' },\n"
     "  'commands': { 'close': { 'label': 'Close', 'fields': { 'force': 'int4' } } },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': { 'guard': 'strong' } } } } }",
     ""},
};

static const machine_case apply_cases[] = {
    /* a shared name of another type */
    {"{ 'id': 'door',\n"
     "  'fields': { 'by': 'text?' },\n"
     "  'events': { 'DoorClosed': { 'fields': {\n"
     "    'by': 'int4' } } },\n"
     STATES,
     "error shared-type 4:11 also 2:21\n"},
    /* a shared name that may be absent */
    {"{ 'id': 'door',\n"
     "  'fields': { 'by': { 'type': 'text', 'default': 'x' } },\n"
     "  'events': { 'DoorClosed': { 'fields': {\n"
     "    'by': 'text?' } } },\n"
     STATES,
     "error optional-to-required 4:11 also 2:21\n"},
    /* shared names that fit, or that apply speaks of */
    {"{ 'id': 'door',\n"
     "  'fields': { 'by': 'text?', 'n': { 'type': 'int4', 'default': 0 }, 'sum': { 'type': "
     "'int4', 'default': 0 } },\n"
     "  'events': { 'DoorClosed': { 'fields': { 'by': 'text', 'n': 'int2' }, 'apply': { 'sum': "
     "'sum + event.n' } } },\n"
     STATES,
     ""},
    /* the creation reads what is not there yet */
    {"{ 'id': 'door',\n"
     "  'fields': { 'n': 'int4', 'm': { 'type': 'int4', 'default': 1 } },\n"
     "  'events': { 'DoorCreated': { 'apply': {\n"
     "    'n': 'n + 1',\n"
     "    'm': 'm + 1' } } },\n"
     STATES,
     "error may-be-null 4:11\n"},
    /* apply is no expression */
    {"{ 'id': 'door',\n"
     "  'fields': { 'n': { 'type': 'int4', 'default': 0 } },\n"
     "  'events': { 'DoorClosed': { 'apply': {\n"
     "    'n': 1 } }, 'DoorCreated': { 'apply': 'x' } },\n"
     STATES,
     "error wrong-type 4:10\n"
     "error wrong-type 4:43\n"},
    /* expressions with mistakes */
    {"{ 'id': 'door',\n"
     "  'fields': { 'n': { 'type': 'int4', 'default': 0 } },\n"
     "  'events': { 'DoorClosed': { 'fields': { 'by': 'int4' }, 'apply': {\n"
     "    'n': 'n + event.bye' } } },\n"
     "  'guards': { 'few': 'n <' },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': { 'guard': 'few' } } } } }",
     "error unknown-name 4:15\n"
     "error expr-syntax 5:26\n"},
    /* no second finding from a name that is shared with it */
    {"{ 'id': 'door',\n"
     "  'fields': { 'n': 'itn4' },\n"
     "  'events': { 'DoorClosed': { 'fields': { 'n': 'int4?' } } },\n" STATES,
     "error bad-type 2:20\n"},
    /* one mistake in a field is one finding */
    {"{ 'id': 'door',\n"
     "  'fields': { 'n': 'itn4' },\n"
     "  'events': { 'DoorClosed': { 'fields': { 'n': 'int4' }, 'apply': { 'n': 'n + event.n' } } "
     "},\n"
     "  'guards': { 'few': 'n < 3' },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': { 'guard': 'few' } } } } }",
     "error bad-type 2:20\n"},
};

static const machine_case guards_cases[] = {
    /* a guard of a creation reads the entity */
    {"{ 'id': 'door',\n"
     "  'fields': { 'n': { 'type': 'int4', 'default': 0 } }, 'guards': { 'few': 'n < 3' },\n"
     "  'creates': [ { 'guard': 'few' },\n"
     "    { 'guard': { 'cel': 'n < 4' } } ],\n"
     STATES,
     "error creation-guard 3:16\n"
     "error creation-guard 4:5\n"},
    /* a guard of a creation reads the command */
    {"{ 'id': 'door',\n"
     "  'events': { 'DoorCreated': { 'fields': { 'n': 'int4' } } }, 'guards': { 'few': 'command.n "
     "< 3' },\n"
     "  'creates': [ { 'guard': 'few' } ],\n"
     STATES,
     ""},
    /* a guard of two commands, one of which lacks the field */
    {"{ 'id': 'door',\n"
     "  'events': { 'DoorClosed': { 'fields': { 'n': 'int4' } } },\n"
     "  'guards': {\n"
     "    'few': 'command.n < 3' },\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': { 'guard': 'few' },\n"
     "    'slam': { 'guard': 'few' } } } } }",
     "error unknown-name 4:13 also 6:13\n"},
    /* a guard in place */
    {"{ 'id': 'door',\n"
     "  'initial': 'open', 'states': { 'open': { 'on': { 'close': [ { 'target': 'open' },\n"
     "    { 'guard': { 'cel': 'amont > 0' } },\n"
     "    { 'guard': { 'cel': 1 } }, { 'guard': { 'type': 'x' } } ] } } } }",
     "error unknown-name 3:26\n"
     "error wrong-type 4:25\n"
     "error missing-key 4:43\n"
     "error unsupported-key 4:45\n"},
    /* a guard that nobody asks is read all the same */
    {"{ 'id': 'door',\n"
     "  'events': { 'DoorClosed': { 'fields': { 'n': 'int4' } } },\n"
     "  'guards': { 'few': 'command.n < 3',\n"
     "    'many': 'command.m > 3' },\n"
     STATES,
     "error unknown-name 4:14\n"},
};

static const machine_case many_cases[] = {
    /* six different mistakes, six findings */
    {"{\n"
     "  'id': 'payment',\n"
     "  'fields': {\n"
     "    'amount': 'decimal(12,2)',\n"
     "    'refunded': { 'type': 'decimal(12,2)', 'default': 0.5 },\n"
     "    'note': 'texd?'\n"
     "  },\n"
     "  'events': {\n"
     "    'PaymentCreated': { 'fields': { 'amount': 'decimal(12,2)' } },\n"
     "    'PaymentRefunded': { 'fields': { 'amount': 'decimal(12,2)' }, 'apply': { 'refunded': "
     "'refunded + event.amont', 'note': '\\'x\\'' } }\n"
     "  },\n"
     "  'guards': { 'small': 'amount < refunded + command.amount && note != null' },\n"
     "  'initial': 'pending',\n"
     "  'states': {\n"
     "    'pending': { 'on': { 'capture': { 'target': 'captrued' } } },\n"
     "    'captured': { 'onn': {}, 'on': { 'refund': [ { 'target': 'refunded', 'guard': 'smal' }, "
     "{ 'guard': 'small' } ] } },\n"
     "    'refunded': { 'type': 'final' }\n"
     "  }\n"
     "}",
     "error bad-default 5:55\n"
     "error bad-type 6:13\n"
     "error unknown-name 10:102\n"
     "error unknown-state 15:49\n"
     "error unknown-key 16:19\n"
     "error unknown-guard 16:83\n"},
};

/* clang-format on */

START_TEST(test_keys) {
    fsm_assert_findings(keys_cases[_i].text, keys_cases[_i].findings);
}
END_TEST

START_TEST(test_kinds) {
    fsm_assert_findings(kinds_cases[_i].text, kinds_cases[_i].findings);
}
END_TEST

START_TEST(test_names) {
    fsm_assert_findings(names_cases[_i].text, names_cases[_i].findings);
}
END_TEST

START_TEST(test_types) {
    fsm_assert_findings(types_cases[_i].text, types_cases[_i].findings);
}
END_TEST

START_TEST(test_references) {
    fsm_assert_findings(references_cases[_i].text, references_cases[_i].findings);
}
END_TEST

START_TEST(test_payloads) {
    fsm_assert_findings(payloads_cases[_i].text, payloads_cases[_i].findings);
}
END_TEST

START_TEST(test_apply) {
    fsm_assert_findings(apply_cases[_i].text, apply_cases[_i].findings);
}
END_TEST

START_TEST(test_guards) {
    fsm_assert_findings(guards_cases[_i].text, guards_cases[_i].findings);
}
END_TEST

START_TEST(test_many) {
    fsm_assert_findings(many_cases[_i].text, many_cases[_i].findings);
}
END_TEST

Suite *test_fsm_mistakes_suite(void);
Suite *test_fsm_mistakes_suite(void) {
    Suite *suite = suite_create("fsm: mistakes");
    TCase *tcase;
    tcase = tcase_create("keys");
    tcase_add_loop_test(tcase, test_keys, 0, sizeof keys_cases / sizeof *keys_cases);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("kinds");
    tcase_add_loop_test(tcase, test_kinds, 0, sizeof kinds_cases / sizeof *kinds_cases);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("names");
    tcase_add_loop_test(tcase, test_names, 0, sizeof names_cases / sizeof *names_cases);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("types");
    tcase_add_loop_test(tcase, test_types, 0, sizeof types_cases / sizeof *types_cases);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("references");
    tcase_add_loop_test(tcase, test_references, 0,
                        sizeof references_cases / sizeof *references_cases);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("payloads");
    tcase_add_loop_test(tcase, test_payloads, 0, sizeof payloads_cases / sizeof *payloads_cases);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("apply");
    tcase_add_loop_test(tcase, test_apply, 0, sizeof apply_cases / sizeof *apply_cases);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("guards");
    tcase_add_loop_test(tcase, test_guards, 0, sizeof guards_cases / sizeof *guards_cases);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("many");
    tcase_add_loop_test(tcase, test_many, 0, sizeof many_cases / sizeof *many_cases);
    suite_add_tcase(suite, tcase);
    return suite;
}
