/* Generated C, compiled and run.
 *
 * It has to compile without a warning as C11 and as C++17, with gcc and clang. Then it is held
 * against the interpreter: random commands on random entities, tens of thousands a machine, with
 * verdicts, guards, fields, events and entities equal at every step, refusals included; and events
 * bent out of shape, for apply() to refuse.
 */
#include "c_adapter.h"
#include "c_build.h"
#include "random.h"
#include "random_machine.h"
#include "random_value.h"

static const char *const core[] = {"", NULL};

/* ---- the loaded machine ---- */

typedef struct generated {
    void *library;
    adapter_decide_fn *decide;
    adapter_apply_fn *apply;
    adapter_next_fn *next;
    adapter_step_all_fn *step_all;
    adapter_names_fn *names;
    bool *linked;
} generated;

static generated load_generated(const char *folder, int number) {
    generated g;
    g.library = c_open(folder, number);
    c_symbol(g.library, "adapter_decide", &g.decide, sizeof g.decide);
    c_symbol(g.library, "adapter_apply", &g.apply, sizeof g.apply);
    c_symbol(g.library, "adapter_next", &g.next, sizeof g.next);
    c_symbol(g.library, "adapter_step_all", &g.step_all, sizeof g.step_all);
    c_symbol(g.library, "adapter_names", &g.names, sizeof g.names);
    c_symbol(g.library, "adapter_linked", &g.linked, sizeof g.linked);
    return g;
}

/* ---- one walk, side by side ---- */

typedef struct walk {
    const bst_machine *machine;
    generated code;
    uint64_t random;
    bst_entity entity, copy; /* interpreted, generated */
    bst_value *payload;
    bst_event event, made;
    uint32_t seen[BST_VERDICT_COUNT], applied[BST_APPLY_INVALID + 1];
    uint32_t *taken; /* by transition */
} walk;

static walk new_walk(const bst_machine *machine, generated code, uint64_t seed) {
    walk w = {.machine = machine, .code = code, .random = seed};
    const uint32_t most = bst_machine_payload_max(machine);
    uint32_t widest = 0;
    for (uint32_t i = 0; i < machine->command_count; i++) {
        const uint32_t count = machine->commands[i].field_count;
        widest = count > widest ? count : widest;
    }
    w.entity.fields = c_new_values(machine->field_count);
    w.copy.fields = c_new_values(machine->field_count);
    w.payload = c_new_values(widest);
    w.event.fields = c_new_values(most);
    w.made.fields = c_new_values(most);
    w.taken = calloc(machine->transition_count + 1, sizeof *w.taken);
    ck_assert_ptr_nonnull(w.taken);
    bst_entity_clear(machine, &w.entity);
    bst_entity_clear(machine, &w.copy);
    return w;
}

static void free_walk(walk *w) {
    free(w->entity.fields);
    free(w->copy.fields);
    free(w->payload);
    free(w->event.fields);
    free(w->made.fields);
    free(w->taken);
}

static uint32_t below(walk *w, uint32_t bound) {
    return (uint32_t)(random_next(&w->random) % bound);
}

/* Mostly one that the state knows. */
static uint32_t choose_command(walk *w) {
    const bst_machine *m = w->machine;
    uint32_t first = 0, count = m->transition_count;
    if (w->entity.state == BST_NONE) {
        count = m->creation_count;
    } else {
        first = m->states[w->entity.state].first_transition;
        count = m->states[w->entity.state].transition_count;
    }
    return count == 0 || below(w, 5) == 0 ? below(w, m->command_count)
                                          : m->transitions[first + below(w, count)].command;
}

static const char *field_name(const bst_field *fields, uint32_t field) {
    return field == BST_NONE ? NULL : fields[field].name;
}

/* What a linked C function says, to the interpreter. */
static bool ask_linked(void *context, uint32_t linked, const bst_entity *entity, uint32_t command,
                       const bst_value *payload) {
    const walk *w = context;
    (void)entity;
    (void)command;
    (void)payload;
    return w->code.linked[linked];
}

/* One decide() on both sides; whether the event was accepted. */
static bool step_decide(walk *w) {
    const bst_machine *m = w->machine;
    const uint32_t command = choose_command(w);
    const bst_command *type = &m->commands[command];
    adapter_answer answer;
    for (uint32_t i = 0; i < type->field_count; i++) {
        w->payload[i] = random_value(&w->random, &type->fields[i].type);
    }
    for (uint32_t i = 0; i < m->linked_count; i++) {
        w->code.linked[i] = below(w, 2) == 0;
    }
    const bst_linked linked = {ask_linked, w};
    const bst_decision d =
        bst_decide_linked(m, &w->entity, command, w->payload, &linked, &w->event);
    w->code.decide(&w->copy, command, w->payload, &w->made, &answer);
    /* Where an expression both overflows and lacks a value, C does not know which came first. */
    const bool both = d.verdict == BST_OVERFLOW && answer.verdict == BST_INVALID_ENTITY;
    ck_assert_msg((int)d.verdict == answer.verdict || both,
                  "command %s in state %s is %s, but generated code says %d", type->name,
                  w->entity.state == BST_NONE ? "-" : m->states[w->entity.state].name,
                  bst_verdict_text(d.verdict), answer.verdict);
    ck_assert_uint_eq(d.guard + 1, answer.guard);
    ck_assert_pstr_eq(
        field_name(d.verdict == BST_INVALID_PAYLOAD ? type->fields : m->fields, d.field),
        answer.field);
    w->seen[d.verdict]++;
    if (d.verdict != BST_ACCEPTED) {
        return false;
    }
    w->taken[d.transition]++;
    ck_assert_uint_eq(w->event.type, w->made.type);
    ck_assert_uint_eq(w->event.state, w->made.state);
    const bst_event_type *event = &m->events[w->event.type];
    c_check_values(event->name, event->fields, event->field_count, w->event.fields, w->made.fields);
    return true;
}

static void step_apply(walk *w) {
    const bst_machine *m = w->machine;
    const bst_apply_result expected = bst_apply(m, &w->entity, &w->event);
    const int got = w->code.apply(&w->copy, &w->event);
    ck_assert_int_eq((int)expected, got);
    ck_assert_uint_eq(w->entity.state, w->copy.state);
    w->applied[expected]++;
    if (w->entity.state != BST_NONE) {
        c_check_values(m->id, m->fields, m->field_count, w->entity.fields, w->copy.fields);
    }
}

/* An event that decide() would not have made here; of the same type, if there is one, or of any. */
static void bend_event(walk *w, bool accepted) {
    const bst_machine *m = w->machine;
    if (!accepted || below(w, 2) == 0) {
        w->event.type = below(w, m->event_count);
        w->event.state = below(w, m->state_count);
        const bool stays = m->events[w->event.type].builtin == BST_BUILTIN_RECONCILE;
        if (stays && w->entity.state != BST_NONE && below(w, 4) > 0) {
            w->event.state = w->entity.state;
        }
    }
    const bst_event_type *event = &m->events[w->event.type];
    for (uint32_t i = 0; i < event->field_count; i++) {
        w->event.fields[i] = random_value(&w->random, &event->fields[i].type);
    }
}

static void run_walk(walk *w, uint32_t steps) {
    for (uint32_t i = 0; i < steps; i++) {
        if (below(w, 60) == 0) {
            bst_entity_clear(w->machine, &w->entity);
            bst_entity_clear(w->machine, &w->copy);
        }
        const bool accepted = step_decide(w);
        const bool bent = below(w, 10) == 0;
        if (bent) {
            bend_event(w, accepted);
        }
        if (accepted || bent) {
            step_apply(w);
        }
    }
}

/* The table: 0 where the state does not know the command, the state where that is all there is to
 * know, COUNT or more where decide() has to be asked. */
static void check_next(const bst_machine *m, adapter_next_fn *next) {
    for (uint32_t from = 0; from <= m->state_count; from++) {
        for (uint32_t command = 0; command < m->command_count; command++) {
            uint32_t first = 0;
            const uint32_t state = from == m->state_count ? BST_NONE : from;
            const uint32_t count = bst_machine_candidates(m, state, command, &first);
            const unsigned cell = next(state, command);
            ck_assert((cell == 0) == (count == 0));
            if (cell > 0 && cell <= m->state_count) {
                ck_assert_uint_eq(count, 1);
                ck_assert_uint_eq(m->transitions[first].guard, BST_NONE);
                ck_assert_uint_eq(m->transitions[first].to, cell - 1);
            }
        }
    }
}

/* Batches of all lengths, on and off the strides, against one step at a time. */
static void check_step_all(const bst_machine *m, const generated *code, uint64_t random) {
    static uint32_t states[20000], commands[20000], expected[20000];
    static const size_t counts[] = {0, 1, 63, 64, 1000, 20000};
    for (size_t n = 0; n < sizeof counts / sizeof counts[0]; n++) {
        size_t stayed = 0;
        for (size_t i = 0; i < counts[n]; i++) {
            states[i] = (uint32_t)(random_next(&random) % (m->state_count + 1));
            commands[i] = (uint32_t)(random_next(&random) % m->command_count);
            const unsigned cell = code->next(states[i] - 1, commands[i]);
            const bool moves = cell > 0 && cell <= m->state_count;
            expected[i] = moves ? cell : states[i];
            stayed += !moves;
        }
        ck_assert_uint_eq(code->step_all(states, commands, counts[n]), stayed);
        ck_assert(memcmp(states, expected, counts[n] * sizeof *states) == 0);
    }
}

/* ---- tests ---- */

/* Verdicts and refusals of apply() that a machine can bring about, by bit. */
typedef struct expectation {
    const char *machine;
    unsigned verdicts, results;
} expectation;

#define V(name) (1u << BST_##name)
#define ALWAYS  (V(ACCEPTED) | V(NO_TRANSITION) | V(GUARD_REFUSED))
#define LEGAL   (1u << BST_APPLY_OK | 1u << BST_APPLY_ILLEGAL)

static const expectation expectations[] = {
    {"payment", ALWAYS | V(OVERFLOW), LEGAL | 1u << BST_APPLY_OVERFLOW},
    {"account", ALWAYS | V(OVERFLOW) | V(INVALID_PAYLOAD), LEGAL | 1u << BST_APPLY_OVERFLOW},
    {"hostile", ALWAYS | V(OVERFLOW), LEGAL | 1u << BST_APPLY_OVERFLOW},
    {"everything", ALWAYS | V(OVERFLOW) | V(INVALID_ENTITY), LEGAL | 1u << BST_APPLY_OVERFLOW},
    {"versions", V(ACCEPTED) | V(NO_TRANSITION), LEGAL},
    {"linked", ALWAYS, LEGAL},
};
enum { EXPECTATIONS = sizeof expectations / sizeof expectations[0] };
_Static_assert((int)EXPECTATIONS > (int)EVENTGEN_MACHINES, "all of them, and one to be linked");

/* tests/machines/ */
static const char *const real_machines[] = {"gitlab_build",
                                            "medusa_order",
                                            "ofbiz_inventory_transfer",
                                            "ofbiz_invoice",
                                            "ofbiz_order",
                                            "ofbiz_order_item",
                                            "ofbiz_quote",
                                            "ofbiz_return",
                                            "ofbiz_shipment",
                                            "solidus_order",
                                            "solidus_payment",
                                            "solidus_return_item_acceptance",
                                            "solidus_return_item_reception",
                                            "solidus_shipment",
                                            "temporal_workflow"};
enum { REAL_MACHINES = sizeof real_machines / sizeof real_machines[0] };

static unsigned seen_bits(const uint32_t *counts, size_t count) {
    unsigned bits = 0;
    for (size_t i = 0; i < count; i++) {
        bits |= counts[i] > 0 ? 1u << i : 0;
    }
    return bits;
}

/* Loop: machine, compiler. */
START_TEST(test_against_interpreter) {
    const expectation *e = &expectations[_i / C_COMPILERS];
    const int number = _i % C_COMPILERS;
    bst_machine *machine = eventgen_load(e->machine);
    char *folder = eventgen_scratch();
    eventgen_write(machine, folder, "c");
    adapter_write(machine, folder);
    if (c_build(machine, folder, core, number)) {
        walk w = new_walk(machine, load_generated(folder, number), 2026u + (unsigned)_i);
        ck_assert_int_eq(w.code.names(machine), 0);
        check_next(machine, w.code.next);
        check_step_all(machine, &w.code, 1);
        run_walk(&w, 30000);
        ck_assert_uint_eq(seen_bits(w.seen, BST_VERDICT_COUNT), e->verdicts);
        ck_assert_uint_eq(seen_bits(w.applied, BST_APPLY_INVALID + 1), e->results);
        for (uint32_t t = 0; t < machine->transition_count; t++) {
            ck_assert_msg(w.taken[t] > 0, "no walk took transition %u", t);
        }
        dlclose(w.code.library);
        free_walk(&w);
    }
    eventgen_remove(folder);
    bst_machine_free(machine);
}
END_TEST

/* Payloads of every older version, read by both. */
static void check_older(const bst_machine *m, adapter_upcast_fn *upcast, uint64_t *random) {
    bst_value *in = c_new_values(bst_machine_payload_max(m));
    bst_value *expected = c_new_values(bst_machine_payload_max(m));
    bst_value *got = c_new_values(bst_machine_payload_max(m));
    uint32_t seen[BST_UPCAST_OVERFLOW + 1] = {0};
    for (uint32_t n = 0; n < 40000; n++) {
        const uint32_t type = (uint32_t)(random_next(random) % m->event_count);
        const bst_event_type *event = &m->events[type];
        const uint32_t version = (uint32_t)(random_next(random) % event->version);
        uint32_t count = 0;
        const char *field = NULL, *said = NULL;
        const bst_field *fields = bst_event_fields_at(event, version, &count);
        for (uint32_t i = 0; i < count; i++) {
            do {
                in[i] = random_value(random, &fields[i].type);
            } while (!in[i].present && !fields[i].type.optional);
        }
        const bst_upcast_result result = bst_upcast_payload(event, version, in, expected, &field);
        const bool took = upcast(type, version, in, got, &said);
        ck_assert_msg(took == (result == BST_UPCAST_OK), "version %u of %s", version, event->name);
        ck_assert_pstr_eq(field, said);
        if (took) {
            c_check_values(event->name, event->fields, event->field_count, expected, got);
        }
        seen[result]++;
    }
    ck_assert(seen[BST_UPCAST_OK] > 0 && seen[BST_UPCAST_UNKNOWN] > 0);
    ck_assert_uint_gt(seen[BST_UPCAST_OVERFLOW], 0);
    free(in);
    free(expected);
    free(got);
}

/* Loop: compiler. */
START_TEST(test_older_events) {
    uint64_t random = 4;
    bst_machine *machine = eventgen_load("versions");
    char *folder = eventgen_scratch();
    eventgen_write(machine, folder, "c");
    adapter_write(machine, folder);
    if (c_build(machine, folder, core, _i)) {
        const generated g = load_generated(folder, _i);
        adapter_upcast_fn *upcast;
        c_symbol(g.library, "adapter_upcast", &upcast, sizeof upcast);
        check_older(machine, upcast, &random);
        dlclose(g.library);
    }
    eventgen_remove(folder);
    bst_machine_free(machine);
}
END_TEST

/* Those of real systems: each of their transitions is taken. */
START_TEST(test_machines_of_real_systems) {
    char *path = eventgen_path("tests/machines", real_machines[_i], ".fsm.json");
    char *folder = eventgen_scratch();
    bst_machine *machine = NULL;
    ck_assert_int_eq(bst_machine_load(path, &machine, NULL), BST_OK);
    ck_assert_str_eq(machine->id, real_machines[_i]);
    eventgen_write(machine, folder, "c");
    adapter_write(machine, folder);
    ck_assert(c_build(machine, folder, core, 0));
    walk w = new_walk(machine, load_generated(folder, 0), 2026u + (unsigned)_i);
    check_next(machine, w.code.next);
    check_step_all(machine, &w.code, 1);
    run_walk(&w, 20000);
    for (uint32_t t = 0; t < machine->transition_count; t++) {
        ck_assert_msg(w.taken[t] > 0, "no walk took transition %u", t);
    }
    dlclose(w.code.library);
    free_walk(&w);
    eventgen_remove(folder);
    bst_machine_free(machine);
    free(path);
}
END_TEST

/* Machines nobody thought of. The loop index is the seed. */
START_TEST(test_random_machines) {
    char *text = random_machine((uint64_t)_i);
    bst_machine *machine = eventgen_parse(text);
    char *folder = eventgen_scratch();
    eventgen_write(machine, folder, "c");
    adapter_write(machine, folder);
    const int number = _i % 4; /* those that are always there */
    ck_assert(c_build(machine, folder, core, number));
    walk w = new_walk(machine, load_generated(folder, number), (uint64_t)_i);
    check_next(machine, w.code.next);
    check_step_all(machine, &w.code, 1);
    run_walk(&w, 50000);
    ck_assert_uint_gt(w.seen[BST_ACCEPTED], 100);
    dlclose(w.code.library);
    free_walk(&w);
    eventgen_remove(folder);
    bst_machine_free(machine);
    free(text);
}
END_TEST

/* So many states and commands that the table is written by state. In a ring, so that a walk with
 * commands of the state it is in comes everywhere. */
START_TEST(test_wide_machine) {
    enum { STATES = 300 };
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(
        &text, "{\"id\":\"ring\",\"fields\":{\"n\":{\"type\":\"int4\",\"default\":0}},"
               "\"guards\":{\"few\":\"n < 3\",\"many\":\"n > 3\"},\"initial\":\"s0\",\"states\":{");
    for (unsigned s = 0; s < STATES; s++) {
        bst_strbuf_addf(&text,
                        "%s\"s%u\":{\"on\":{\"turn_%u\":\"s%u\",\"back_%u\":"
                        "[{\"target\":\"s%u\",\"guard\":\"%s\"},\"s%u\"]}}",
                        s ? "," : "", s, STATES - s, (s + 1) % STATES, s / 2,
                        (s + STATES - 1) % STATES, s % 3 ? "few" : "many", (s + 7) % STATES);
    }
    bst_strbuf_adds(&text, "}}");
    bst_machine *machine = eventgen_parse(text.text);
    char *folder = eventgen_scratch();
    eventgen_write(machine, folder, "c");
    adapter_write(machine, folder);
    for (int number = 0; number < 4; number++) {
        ck_assert(c_build(machine, folder, core, number));
    }
    walk w = new_walk(machine, load_generated(folder, 0), 2026);
    check_next(machine, w.code.next);
    run_walk(&w, 20000);
    ck_assert_uint_gt(w.seen[BST_ACCEPTED], 10000);
    dlclose(w.code.library);
    free_walk(&w);
    eventgen_remove(folder);
    bst_machine_free(machine);
    bst_strbuf_release(&text);
}
END_TEST

/* The text between two lines of a page, from `*page` on. */
static char *take_block(const char **page, const char *open) {
    const char *start = strstr(*page, open);
    ck_assert_msg(start != NULL, "the page has no %s", open);
    start += strlen(open);
    const char *end = strstr(start, "\n```");
    ck_assert_ptr_nonnull(end);
    *page = end + 1;
    return strndup(start, (size_t)(end + 1 - start));
}

static void write_text(const char *folder, const char *name, const char *text) {
    bst_strbuf path = BST_STRBUF_INIT;
    bst_strbuf_addf(&path, "%s/%s", folder, name);
    FILE *file = fopen(path.text, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    bst_strbuf_release(&path);
}

/* The program in docs/generated-c.md does what the page says. */
START_TEST(test_documentation) {
    char *path = eventgen_path("docs", "generated-c", ".md");
    size_t len;
    char *page = eventgen_read(path, &len);
    ck_assert_ptr_nonnull(page);
    const char *rest = page;
    char *program = take_block(&rest, "```c\n");
    char *output = take_block(&rest, "```text\n");
    char *folder = eventgen_scratch();
    char *sample = eventgen_path("samples/payment", "payment", ".fsm.json");
    bst_machine *machine = NULL;
    ck_assert_int_eq(bst_machine_load(sample, &machine, NULL), BST_OK);
    eventgen_write(machine, folder, "c");
    write_text(folder, "program.c", program);
    write_text(folder, "expected", output);
    bst_strbuf command = BST_STRBUF_INIT;
    bst_strbuf_addf(&command,
                    "cd '%s' && %s -std=c11 " C_STRICT " program.c payment.c -o program && "
                    "./program >got && diff expected got",
                    folder, eventgen_env("CC", "cc"));
    ck_assert_int_eq(eventgen_run(command.text), 0);
    bst_strbuf_release(&command);
    bst_machine_free(machine);
    eventgen_remove(folder);
    free(sample);
    free(program);
    free(output);
    free(page);
    free(path);
}
END_TEST

/* Without texts nothing of libc is taken: a program without any of it decides and applies. */
START_TEST(test_freestanding) {
    static const char program[] =
        "#include \"gate.h\"\n"
        "static int run(void) {\n"
        "    struct gate gate;\n    struct gate_command command;\n    struct gate_event event;\n"
        "    gate_init(&gate);\n    command.type = GATE_COMMAND_CREATE;\n"
        "    command.create.most = 3;\n"
        "    if (gate_decide(&gate, &command, &event).verdict != GATE_VERDICT_ACCEPTED) return 1;\n"
        "    if (gate_apply(&gate, &event) != GATE_APPLY_OK) return 2;\n"
        "    command.type = GATE_COMMAND_PASS;\n    command.pass.count = 4;\n"
        "    if (gate_decide(&gate, &command, &event).verdict != GATE_VERDICT_GUARD_REFUSED) "
        "return 3;\n"
        "    command.pass.count = 2;\n"
        "    if (gate_decide(&gate, &command, &event).verdict != GATE_VERDICT_ACCEPTED) return 4;\n"
        "    if (gate_apply(&gate, &event) != GATE_APPLY_OK || gate.passed != 2) return 5;\n"
        "    return gate.state == GATE_STATE_OPEN ? 0 : 6;\n}\n"
        "void _start(void) {\n    const long code = run();\n"
        "#if defined(__x86_64__)\n"
        "    __asm__ volatile(\"syscall\" : : \"a\"(60L), \"D\"(code) : \"memory\");\n"
        "#elif defined(__aarch64__)\n"
        "    register long x0 __asm__(\"x0\") = code, x8 __asm__(\"x8\") = 93;\n"
        "    __asm__ volatile(\"svc 0\" : : \"r\"(x0), \"r\"(x8) : \"memory\");\n"
        "#else\n#error how does one leave here?\n#endif\n    for (;;) { }\n}\n";
    bst_machine *machine = eventgen_parse(
        "{\"id\": \"gate\", \"fields\": {\"most\": \"int4\", \"passed\": {\"type\": \"int4\", "
        "\"default\": 0}, \"fee\": \"decimal(9,2)?\", \"since\": \"timestamptz?\"},"
        " \"events\": {\"GateCreated\": {\"fields\": {\"most\": \"int4\"}}, \"GatePassed\": "
        "{\"fields\": {\"count\": \"int4\"}, \"apply\": {\"passed\": \"passed + event.count\"}}},"
        " \"initial\": \"open\", \"states\": {\"open\": {\"on\": {\"pass\": {\"guard\": "
        "{\"cel\": \"passed + command.count <= most\"}}, \"close\": \"closed\"}}, "
        "\"closed\": {\"type\": \"final\"}}}");
    char *folder = eventgen_scratch();
    bst_strbuf command = BST_STRBUF_INIT;
    eventgen_write(machine, folder, "c");
    write_text(folder, "main.c", program);
    bst_strbuf_addf(&command,
                    "cd '%s' && %s -std=c11 -O2 " C_STRICT " -ffreestanding -fno-stack-protector "
                    "-fno-pie -no-pie -nostdlib -static main.c gate.c -o gate && ./gate",
                    folder, eventgen_env("CC", "cc"));
    ck_assert_int_eq(eventgen_run(command.text), 0);
    bst_strbuf_release(&command);
    eventgen_remove(folder);
    bst_machine_free(machine);
}
END_TEST

/* Headers of several machines in one file, as C and as C++. */
START_TEST(test_headers_together) {
    bst_strbuf text = BST_STRBUF_INIT;
    char *folder = eventgen_scratch();
    for (int i = 0; i < EVENTGEN_MACHINES; i++) {
        bst_machine *machine = eventgen_load(eventgen_machines[i]);
        eventgen_write(machine, folder, "c");
        bst_strbuf_addf(&text, "#include \"%s.h\"\n#include \"%s.h\"\n", machine->id, machine->id);
        bst_machine_free(machine);
    }
    bst_strbuf_adds(&text, "int main(void) { return 0; }\n");
    write_text(folder, "all.c", text.text);
    bst_strbuf_clear(&text);
    bst_strbuf_addf(&text,
                    "cd '%s' && %s -x c -std=c11 " C_STRICT " -c all.c && "
                    "%s -x c++ -std=c++17 " C_STRICT " -c all.c",
                    folder, eventgen_env("CC", "cc"), eventgen_env("CXX", "c++"));
    ck_assert_int_eq(eventgen_run(text.text), 0);
    bst_strbuf_release(&text);
    eventgen_remove(folder);
}
END_TEST

Suite *test_eventgen_c_suite(void) {
    Suite *suite = suite_create("eventgen c");
    TCase *tcase = tcase_create("run");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, test_against_interpreter, 0, EXPECTATIONS * C_COMPILERS);
    tcase_add_loop_test(tcase, test_older_events, 0, C_COMPILERS);
    tcase_add_loop_test(tcase, test_machines_of_real_systems, 0, REAL_MACHINES);
    tcase_add_loop_test(tcase, test_random_machines, 0, 20);
    tcase_add_test(tcase, test_wide_machine);
    tcase_add_test(tcase, test_documentation);
    tcase_add_test(tcase, test_freestanding);
    tcase_add_test(tcase, test_headers_together);
    suite_add_tcase(suite, tcase);
    return suite;
}
