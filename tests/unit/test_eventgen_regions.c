/* Generated C of regions with tables of their own, held against the interpreter: random machines,
 * random commands, and events bent out of shape.
 */
#include "backstory/regions.h"
#include "c_build.h"
#include "random_regions.h"

#define MACHINES 4
#define STEPS    3000

/* The machine is m.h; what it does is reached through these. */
static const char adapter[] =
    "#include \"m.h\"\n"
    "static struct m entity;\n"
    "static struct m_event event;\n"
    "void adapter_begin(void) { m_init(&entity); }\n"
    "unsigned long adapter_name(char *text, unsigned long size) {\n"
    "    const int born = entity.state != M_STATE_NONE;\n"
    "    return born ? m_place_name(entity.state, entity.parts, text, size) : 0;\n"
    "}\n"
    "int adapter_n(void) { return entity.n; }\n"
    "int adapter_decide(int command, int k, int *ret_event) {\n"
    "    struct m_command c;\n"
    "    c.type = (enum m_command_type)command;\n"
    "    c.c0.k = (int16_t)k;\n"
    "    const struct m_decision d = m_decide(&entity, &c, &event);\n"
    "    *ret_event = (int)event.type;\n"
    "    return (int)d.verdict;\n"
    "}\n"
    "int adapter_apply(void) { return (int)m_apply(&entity, &event); }\n"
    "int adapter_try(int type, int k, int state, const unsigned *parts) {\n"
    "    struct m copy = entity;\n"
    "    struct m_event e;\n"
    "    e.type = (enum m_event_type)type;\n"
    "    e.state = (enum m_state)state;\n"
    "    for (int i = 0; i < M_REGION_COUNT; i++) {\n"
    "        e.parts[i] = (enum m_state)parts[i];\n"
    "    }\n"
    "    e.e0.k = (int16_t)k;\n"
    "    return (int)m_apply(&copy, &e);\n"
    "}\n";

static void write_adapter(const char *folder) {
    bst_strbuf path = BST_STRBUF_INIT;
    bst_strbuf_addf(&path, "%s/adapter.c", folder);
    FILE *file = fopen(path.text, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(adapter, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    bst_strbuf_release(&path);
}

typedef struct generated {
    void *library;
    void (*begin)(void);
    unsigned long (*name)(char *text, unsigned long size);
    int (*n)(void);
    int (*decide)(int command, int k, int *ret_event);
    int (*apply)(void);
    int (*try)(int type, int k, int state, const unsigned *parts);
} generated;

static generated load_generated(const char *folder, int number) {
    generated g;
    g.library = c_open(folder, number);
    c_symbol(g.library, "adapter_begin", &g.begin, sizeof g.begin);
    c_symbol(g.library, "adapter_name", &g.name, sizeof g.name);
    c_symbol(g.library, "adapter_n", &g.n, sizeof g.n);
    c_symbol(g.library, "adapter_decide", &g.decide, sizeof g.decide);
    c_symbol(g.library, "adapter_apply", &g.apply, sizeof g.apply);
    c_symbol(g.library, "adapter_try", &g.try, sizeof g.try);
    return g;
}

typedef struct walk {
    const bst_machine *machine;
    generated code;
    random_regions *random;
    bst_region_entity entity;
    bst_value n;
    unsigned accepted, legal;
} walk;

static void begin(walk *w) {
    w->n = BST_ABSENT;
    w->entity = (bst_region_entity){{.state = BST_NONE}, &w->n};
    w->code.begin();
}

static void check_entity(const walk *w) {
    char text[400] = "";
    bst_strbuf name = BST_STRBUF_INIT;
    bst_place_name(w->machine, &w->entity.at, &name);
    ck_assert_uint_eq(w->code.name(text, sizeof text), name.len);
    ck_assert_str_eq(text, name.text);
    if (w->entity.at.state != BST_NONE) {
        ck_assert_int_eq(w->code.n(), w->n.u.i);
    }
    bst_strbuf_release(&name);
}

static void step(walk *w) {
    const uint32_t command = regions_roll(w->random, w->machine->command_count);
    const bst_value payload = {
        .present = true,
        .u.i = regions_roll(w->random, 60) == 0 ? 32767 : (int64_t)regions_roll(w->random, 5) - 1};
    bst_value field;
    bst_region_event event = {.fields = &field};
    int type = 0;
    const bst_decision d = bst_regions_decide(w->machine, &w->entity, command, &payload, &event);
    ck_assert_int_eq(w->code.decide((int)command, (int)payload.u.i, &type), (int)d.verdict);
    if (d.verdict == BST_ACCEPTED) {
        ck_assert_int_eq(type, (int)event.type);
        ck_assert_int_eq(bst_regions_apply(w->machine, &w->entity, &event), BST_APPLY_OK);
        ck_assert_int_eq(w->code.apply(), BST_APPLY_OK);
        w->accepted++;
    }
    check_entity(w);
}

/* Any event into any place; often near to where it stands. */
static void try_event(walk *w) {
    const bst_regions *r = bst_machine_regions(w->machine);
    const bst_value payload = {.present = true, .u.i = 0};
    bst_value n = w->n;
    bst_value field = payload;
    unsigned parts[BST_REGIONS_MAX];
    bst_region_entity copy = {w->entity.at, &n};
    bst_region_event event = {.type = regions_roll(w->random, w->machine->event_count),
                              .at = w->entity.at,
                              .fields = &field};
    const bool stays = event.at.state == r->split && regions_roll(w->random, 4) > 0;
    if (!stays) {
        do {
            event.at.state = regions_roll(w->random, w->machine->state_count);
        } while (event.at.state > r->split); /* those of regions are behind it */
    }
    for (uint32_t i = 0; i < r->count; i++) {
        if (!stays || regions_roll(w->random, 3) == 0) {
            event.at.parts[i] =
                r->regions[i].first_state + regions_roll(w->random, r->regions[i].state_count);
        }
        parts[i] = event.at.parts[i] + 1;
    }
    const bst_apply_result result = bst_regions_apply(w->machine, &copy, &event);
    ck_assert_int_eq(w->code.try((int)event.type, 0, (int)event.at.state + 1, parts), result);
    w->legal += result == BST_APPLY_OK;
}

/* Loop: machine, compiler. */
START_TEST(test_against_interpreter) {
    const int number = _i % C_COMPILERS;
    static const char *const core[] = {"", NULL};
    random_regions random = {.state = (uint64_t)(_i / C_COMPILERS) * 1000};
    bst_machine *machine = NULL;
    bst_strbuf_init(&random.text);
    while (!machine || !bst_machine_regions(machine)) { /* some cannot be split */
        machine = bst_machine_free(machine);
        regions_write(&random);
        (void)!bst_regions_parse("m", random.text.text, random.text.len, 0, &machine, NULL);
    }
    char *folder = eventgen_scratch();
    eventgen_write(machine, folder, "c");
    write_adapter(folder);
    if (c_build(machine, folder, core, number)) {
        walk w = {.machine = machine, .code = load_generated(folder, number), .random = &random};
        for (unsigned i = 0; i < STEPS; i++) {
            if (i % 100 == 0) {
                begin(&w);
            }
            step(&w);
            try_event(&w);
        }
        ck_assert_uint_gt(w.accepted, 30);
        ck_assert_uint_gt(w.legal, 0);
        dlclose(w.code.library);
    }
    eventgen_remove(folder);
    bst_machine_free(machine);
    bst_strbuf_release(&random.text);
}
END_TEST

Suite *test_eventgen_regions_suite(void) {
    Suite *suite = suite_create("eventgen regions");
    TCase *tcase = tcase_create("run");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, test_against_interpreter, 0, MACHINES * C_COMPILERS);
    suite_add_tcase(suite, tcase);
    return suite;
}
