/* decide and apply, on the payment machine and on machines made for one question each. */
#include "fsm_findings.h"
#include "fsm_payment.h"

#include "backstory/step.h"

#define ROOM 8

typedef struct play {
    bst_machine *machine;
    bst_entity entity;
    bst_value fields[ROOM];
    bst_event event;
    bst_value event_fields[ROOM];
} play;

static void begin(play *p, const char *text) {
    p->machine = fsm_machine(text);
    p->entity.fields = p->fields;
    p->event.fields = p->event_fields;
    ck_assert_uint_le(p->machine->field_count, ROOM);
    ck_assert_uint_le(bst_machine_payload_max(p->machine), ROOM);
    bst_entity_clear(p->machine, &p->entity);
}

static void end(play *p) {
    bst_machine_free(p->machine);
}

static bst_value number(int64_t i) {
    return (bst_value){.present = true, .u.i = i};
}

static bst_value text(const char *t) {
    return (bst_value){.present = true, .len = (uint32_t)strlen(t), .u.text = t};
}

static bst_decision ask(play *p, const char *command, const bst_value *payload) {
    const uint32_t number_of = bst_machine_command(p->machine, command);
    ck_assert_uint_ne(number_of, BST_NONE);
    return bst_decide(p->machine, &p->entity, number_of, payload, &p->event);
}

/* Decides and applies; the machine must accept. */
static void run(play *p, const char *command, const bst_value *payload) {
    ck_assert_int_eq(ask(p, command, payload).verdict, BST_ACCEPTED);
    ck_assert_int_eq(bst_apply(p->machine, &p->entity, &p->event), BST_APPLY_OK);
}

static void assert_state(const play *p, const char *name) {
    ck_assert_str_eq(p->machine->states[p->entity.state].name, name);
}

static void begin_payment(play *p, int64_t amount) {
    begin(p, FSM_PAYMENT);
    run(p, "create", (bst_value[]){number(amount), text("EUR")});
    run(p, "authorize", (bst_value[]){BST_ABSENT});
    assert_state(p, "authorized");
}

START_TEST(test_a_whole_life) {
    play p;
    begin_payment(&p, 10000);
    ck_assert_int_eq(p.fields[0].u.i, 10000);
    ck_assert_uint_eq(p.fields[1].len, 3);
    ck_assert(p.fields[2].present && p.fields[2].u.i == 0);
    ck_assert(!p.fields[4].present);
    run(&p, "capture", (bst_value[]){number(8000)});
    assert_state(&p, "captured");
    ck_assert_int_eq(p.fields[0].u.i, 10000);
    ck_assert_int_eq(p.fields[2].u.i, 8000);
    run(&p, "refund", (bst_value[]){number(3000)});
    assert_state(&p, "captured");
    run(&p, "refund", (bst_value[]){number(5000)});
    assert_state(&p, "refunded");
    ck_assert_int_eq(p.fields[3].u.i, 8000);
    end(&p);
}
END_TEST

START_TEST(test_refusals) {
    play p;
    begin_payment(&p, 10000);
    bst_decision d = ask(&p, "refund", (bst_value[]){number(1)});
    ck_assert_int_eq(d.verdict, BST_NO_TRANSITION);
    ck_assert_uint_eq(d.transition, BST_NONE);

    d = ask(&p, "capture", (bst_value[]){number(10001)});
    ck_assert_int_eq(d.verdict, BST_GUARD_REFUSED);
    ck_assert_str_eq(p.machine->guards[d.guard].name, "within_authorization");

    d = ask(&p, "capture", (bst_value[]){BST_ABSENT});
    ck_assert_int_eq(d.verdict, BST_INVALID_PAYLOAD);
    ck_assert_uint_eq(d.field, 0);

    d = ask(&p, "capture", (bst_value[]){number(INT64_MAX)});
    ck_assert_int_eq(d.verdict, BST_OVERFLOW);
    ck_assert_uint_eq(d.guard, 0);
    assert_state(&p, "authorized");

    /* it exists already */
    d = ask(&p, "create", (bst_value[]){number(1), text("EUR")});
    ck_assert_int_eq(d.verdict, BST_NO_TRANSITION);
    end(&p);
}
END_TEST

#define COUNTER(apply)                                                                             \
    "{ 'id': 'counter', 'fields': { 'n': { 'type': 'int2', 'default': 1 },\n"                      \
    "    'm': { 'type': 'int2', 'default': 2 } },\n"                                               \
    "  'events': { 'CounterTurned': { 'fields': { 'by': 'int2' }, 'apply': " apply " } },\n"       \
    "  'initial': 's', 'states': { 's': { 'on': { 'turn': {} } } } }"

START_TEST(test_assignments_read_the_entity_before) {
    play p;
    begin(&p, COUNTER("{ 'n': 'm', 'm': 'n' }"));
    run(&p, "create", NULL);
    run(&p, "turn", (bst_value[]){number(0)});
    ck_assert_int_eq(p.fields[0].u.i, 2);
    ck_assert_int_eq(p.fields[1].u.i, 1);
    end(&p);
}
END_TEST

START_TEST(test_overflow_of_apply_is_refused) {
    play p;
    begin(&p, COUNTER("{ 'm': 'm + 1', 'n': 'n + event.by' }"));
    run(&p, "create", NULL);
    p.event.state = 77;
    const bst_decision d = ask(&p, "turn", (bst_value[]){number(32767)});
    ck_assert_int_eq(d.verdict, BST_OVERFLOW);
    ck_assert_uint_eq(d.field, 0);
    ck_assert_uint_eq(d.guard, BST_NONE);
    ck_assert_uint_eq(p.event.state, 77);

    /* The same from a history: the entity stays whole. */
    p.event.type = bst_machine_event(p.machine, "CounterTurned");
    p.event.state = 0;
    p.event_fields[0] = number(32767);
    ck_assert_int_eq(bst_apply(p.machine, &p.entity, &p.event), BST_APPLY_OVERFLOW);
    ck_assert_int_eq(p.fields[0].u.i, 1);
    ck_assert_int_eq(p.fields[1].u.i, 2);
    run(&p, "turn", (bst_value[]){number(32766)});
    ck_assert_int_eq(p.fields[0].u.i, 32767);
    end(&p);
}
END_TEST

START_TEST(test_apply_refuses_what_cannot_have_been) {
    play p;
    begin_payment(&p, 10000);
    const bst_machine *m = p.machine;
    p.event = (bst_event){bst_machine_event(m, "PaymentCaptured"), bst_machine_state(m, "refunded"),
                          p.event_fields};
    p.event_fields[0] = number(1);
    ck_assert_int_eq(bst_apply(m, &p.entity, &p.event), BST_APPLY_ILLEGAL);
    p.event.state = bst_machine_state(m, "captured");
    p.event_fields[0] = BST_ABSENT;
    ck_assert_int_eq(bst_apply(m, &p.entity, &p.event), BST_APPLY_INVALID);
    assert_state(&p, "authorized");
    ck_assert_int_eq(p.fields[2].u.i, 0);
    /* History does not ask guards: more was captured than authorized, and so it was. */
    p.event_fields[0] = number(20000);
    ck_assert_int_eq(bst_apply(m, &p.entity, &p.event), BST_APPLY_OK);
    ck_assert_int_eq(p.fields[2].u.i, 20000);
    end(&p);
}
END_TEST

START_TEST(test_the_first_guard_that_holds) {
    play p;
    begin(&p, "{ 'id': 'job', 'fields': { 'n': { 'type': 'int4', 'default': 5 } },\n"
              "  'commands': { 'go': { 'fields': { 'x': 'int4' } } },\n"
              "  'initial': 's', 'states': { 's': { 'on': { 'go': [\n"
              "    { 'target': 'a', 'guard': { 'cel': 'command.x > 10' } },\n"
              "    { 'target': 'b', 'guard': { 'cel': 'command.x > n' } },\n"
              "    { 'target': 'c', 'guard': { 'cel': 'command.x > 1' } } ] } },\n"
              "    'a': {}, 'b': {}, 'c': {} } }");
    run(&p, "create", NULL);
    static const char *const to[] = {NULL, NULL, "c", "c", "c", "c", "b", "b", "b", "b", "b", "a"};
    for (int x = 0; x < 12; x++) {
        const bst_decision d = ask(&p, "go", (bst_value[]){number(x)});
        ck_assert_int_eq(d.verdict, to[x] ? BST_ACCEPTED : BST_GUARD_REFUSED);
        if (to[x]) {
            ck_assert_str_eq(p.machine->states[p.event.state].name, to[x]);
        } else {
            ck_assert_uint_eq(d.guard, 2);
        }
    }
    end(&p);
}
END_TEST

START_TEST(test_what_the_chosen_event_needs) {
    play p;
    begin(&p,
          "{ 'id': 'door', 'events': {\n"
          "    'DoorClosed': { 'fields': { 'force': 'int4' } },\n"
          "    'DoorSlammed': { 'fields': { 'force': 'int4', 'reason': 'text' } } },\n"
          "  'initial': 'open', 'states': { 'open': { 'on': { 'close': [\n"
          "    { 'guard': { 'cel': 'command.force < 5' } }, { 'event': 'DoorSlammed' } ] } } } }");
    run(&p, "create", NULL);
    run(&p, "close", (bst_value[]){number(4), BST_ABSENT});
    const bst_decision d = ask(&p, "close", (bst_value[]){number(5), BST_ABSENT});
    ck_assert_int_eq(d.verdict, BST_INVALID_PAYLOAD);
    ck_assert_uint_eq(d.field, 1);
    run(&p, "close", (bst_value[]){number(5), text("wind")});
    end(&p);
}
END_TEST

/* A required field that the creation left unset is a warning of check; whoever reads it is
 * refused. */
START_TEST(test_a_field_that_was_never_set) {
    play p;
    begin(&p, "{ 'id': 'door', 'fields': { 'n': 'int4' },\n"
              "  'events': { 'DoorOpened': { 'apply': { 'n': 'n + 1' } } },\n"
              "  'initial': 's', 'states': { 's': { 'on': { 'open': {},\n"
              "    'close': { 'guard': { 'cel': 'n > 1' } } } } } }");
    run(&p, "create", NULL);
    bst_decision d = ask(&p, "open", NULL);
    ck_assert_int_eq(d.verdict, BST_INVALID_ENTITY);
    ck_assert_uint_eq(d.field, 0);
    d = ask(&p, "close", NULL);
    ck_assert_int_eq(d.verdict, BST_INVALID_ENTITY);
    ck_assert_uint_eq(d.guard, 0);
    end(&p);
}
END_TEST

START_TEST(test_creation_takes_defaults_first) {
    play p;
    begin(&p, "{ 'id': 'door', 'fields': { 'n': { 'type': 'int4', 'default': 7 }, 'm': 'int4?' },\n"
              "  'events': { 'DoorCreated': { 'apply': { 'm': 'n + 1' } } },\n"
              "  'creates': [ { 'target': 'shut' } ],\n"
              "  'initial': 's', 'states': { 's': {}, 'shut': {} } }");
    run(&p, "create", NULL);
    assert_state(&p, "shut");
    ck_assert_int_eq(p.fields[0].u.i, 7);
    ck_assert_int_eq(p.fields[1].u.i, 8);
    end(&p);
}
END_TEST

START_TEST(test_verdict_texts) {
    ck_assert_str_eq(bst_verdict_text(BST_ACCEPTED), "accepted");
    ck_assert_str_eq(bst_verdict_text(BST_INVALID_ENTITY), "invalid-entity");
    ck_assert_str_eq(bst_verdict_text(BST_VERDICT_COUNT), "unknown");
}
END_TEST

static bool say(void *context, uint32_t linked, const bst_entity *entity, uint32_t command,
                const bst_value *payload) {
    ck_assert_uint_eq(entity->state, 0);
    ck_assert_uint_eq(command, 1);
    ck_assert_int_eq(payload[0].u.i, 7);
    return ((const bool *)context)[linked];
}

/* A guard in C: nothing is assumed of it, until somebody says what it says. */
START_TEST(test_a_c_function_decides) {
    play p;
    begin(&p, "{ 'id': 'door', 'guards': { 'free': { 'c': 'is_free' } },\n"
              "  'commands': { 'create': {}, 'close': { 'fields': { 'by': 'int4' } } },\n"
              "  'initial': 'open', 'states': {\n"
              "    'open': { 'on': { 'close': [ { 'target': 'shut', 'guard': 'free' },\n"
              "      { 'target': 'ajar', 'guard': { 'c': 'is_light' } } ] } },\n"
              "    'shut': { 'type': 'final' }, 'ajar': { 'type': 'final' } } }");
    ck_assert_uint_eq(p.machine->linked_count, 2);
    ck_assert_str_eq(p.machine->linked[0], "is_free");
    ck_assert_str_eq(p.machine->linked[1], "is_light");
    run(&p, "create", NULL);
    const bst_value by[] = {number(7)};
    const bst_decision unknown = ask(&p, "close", by);
    ck_assert_int_eq(unknown.verdict, BST_UNDECIDED);
    ck_assert_uint_eq(unknown.guard, 0);
    static const struct {
        bool free, light;
        bst_verdict verdict;
        const char *state;
    } cases[] = {{true, false, BST_ACCEPTED, "shut"},
                 {true, true, BST_ACCEPTED, "shut"},
                 {false, true, BST_ACCEPTED, "ajar"},
                 {false, false, BST_GUARD_REFUSED, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool answers[] = {cases[i].free, cases[i].light};
        const bst_linked linked = {say, answers};
        const bst_decision d = bst_decide_linked(p.machine, &p.entity, 1, by, &linked, &p.event);
        ck_assert_int_eq(d.verdict, cases[i].verdict);
        if (cases[i].state) {
            ck_assert_str_eq(p.machine->states[p.event.state].name, cases[i].state);
        }
    }
    end(&p);
}
END_TEST

Suite *test_fsm_step_suite(void);
Suite *test_fsm_step_suite(void) {
    Suite *suite = suite_create("fsm: step");
    TCase *tcase = tcase_create("step");
    tcase_add_test(tcase, test_a_whole_life);
    tcase_add_test(tcase, test_refusals);
    tcase_add_test(tcase, test_assignments_read_the_entity_before);
    tcase_add_test(tcase, test_overflow_of_apply_is_refused);
    tcase_add_test(tcase, test_apply_refuses_what_cannot_have_been);
    tcase_add_test(tcase, test_the_first_guard_that_holds);
    tcase_add_test(tcase, test_what_the_chosen_event_needs);
    tcase_add_test(tcase, test_a_field_that_was_never_set);
    tcase_add_test(tcase, test_creation_takes_defaults_first);
    tcase_add_test(tcase, test_verdict_texts);
    tcase_add_test(tcase, test_a_c_function_decides);
    suite_add_tcase(suite, tcase);
    return suite;
}
