/* Test paths, done as they say: by the interpreter and by generated C. Every step comes out as
 * written, and together they take every transition that the document does not name as uncovered.
 */
#include <dlfcn.h>

#include "c_adapter.h"

/* What runs a machine: the interpreter, or a library made of generated C. */
typedef struct runner {
    adapter_decide_fn *decide;
    adapter_apply_fn *apply;
} runner;

static const bst_machine *interpreted;

static void interpreter_decide(const bst_entity *entity, uint32_t command, const bst_value *payload,
                               bst_event *event, adapter_answer *answer) {
    const bst_decision d = bst_decide(interpreted, entity, command, payload, event);
    answer->verdict = (int)d.verdict;
    answer->guard = d.guard + 1;
    answer->field = NULL;
}

static int interpreter_apply(bst_entity *entity, const bst_event *event) {
    return (int)bst_apply(interpreted, entity, event);
}

static runner compiled(const bst_machine *machine, const char *folder) {
    runner r;
    const char *root = eventgen_env("SOURCE_DIR", ".");
    bst_strbuf text = BST_STRBUF_INIT;
    eventgen_write(machine, folder, "c");
    adapter_write(machine, folder);
    bst_strbuf_addf(&text,
                    "cd '%s' && %s -std=c11 -O1 -fPIC -shared -I'%s/base/include' "
                    "-I'%s/fsm/include' adapter.c '%s.c' -o lib.so",
                    folder, eventgen_env("CC", "cc"), root, root, machine->id);
    ck_assert_int_eq(eventgen_run(text.text), 0);
    bst_strbuf_clear(&text);
    bst_strbuf_addf(&text, "%s/lib.so", folder);
    void *library = dlopen(text.text, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(library != NULL, "%s", dlerror());
    void *symbol = dlsym(library, "adapter_decide");
    memcpy(&r.decide, &symbol, sizeof symbol);
    symbol = dlsym(library, "adapter_apply");
    memcpy(&r.apply, &symbol, sizeof symbol);
    bst_strbuf_release(&text);
    return r;
}

/* ---- one walk ---- */

typedef struct walk {
    const bst_machine *machine;
    runner with;
    bst_arena *arena;
    bst_entity entity;
    bst_value payload[BST_FIELDS_MAX];
    bool *taken; /* by transition */
    unsigned accepted, refused;
} walk;

static void read_values(walk *w, const bst_field *fields, uint32_t count, const json_t *data,
                        bst_value *ret) {
    size_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        const json_t *item = json_object_get(data, fields[i].name);
        ret[i] = BST_ABSENT;
        found += item != NULL;
        ck_assert(!item ||
                  bst_value_from_json(&fields[i].type, item, w->arena, &ret[i]) == BST_VALUE_OK);
    }
    ck_assert_uint_eq(found, json_object_size(data));
}

static void check_values(walk *w, const bst_field *fields, uint32_t count, const json_t *expected,
                         const bst_value *got) {
    bst_value values[BST_FIELDS_MAX];
    read_values(w, fields, count, expected, values);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_msg(bst_value_equal(&fields[i].type, &values[i], &got[i]), "field %s",
                      fields[i].name);
    }
}

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static void check_refusal(walk *w, const json_t *expect, const adapter_answer *answer) {
    const char *guard = text_of(expect, "guard");
    ck_assert_str_eq(bst_verdict_text((bst_verdict)answer->verdict), text_of(expect, "refused"));
    ck_assert(!guard || strcmp(w->machine->guards[answer->guard - 1].name, guard) == 0);
    w->refused++;
}

static void check_event(walk *w, uint32_t command, const json_t *expect, const bst_event *event) {
    const bst_machine *m = w->machine;
    const bst_event_type *type = &m->events[event->type];
    ck_assert_str_eq(type->name, text_of(expect, "event"));
    ck_assert_str_eq(m->states[event->state].name, text_of(expect, "state"));
    check_values(w, type->fields, type->field_count, json_object_get(expect, "data"),
                 event->fields);
    /* Which transition it was, the interpreter knows. */
    bst_value ignored[BST_FIELDS_MAX];
    bst_event same = {.fields = ignored};
    const bst_decision d = bst_decide(m, &w->entity, command, w->payload, &same);
    w->taken[d.transition] = true;
    ck_assert_int_eq(w->with.apply(&w->entity, event), BST_APPLY_OK);
    check_values(w, m->fields, m->field_count, json_object_get(expect, "fields"), w->entity.fields);
    w->accepted++;
}

static void run_step(walk *w, const json_t *step) {
    const bst_machine *m = w->machine;
    const json_t *expect = json_object_get(step, "expect");
    const uint32_t command = bst_machine_command(m, text_of(step, "command"));
    bst_value fields[BST_FIELDS_MAX];
    bst_event event = {.fields = fields};
    adapter_answer answer;
    read_values(w, m->commands[command].fields, m->commands[command].field_count,
                json_object_get(step, "data"), w->payload);
    w->with.decide(&w->entity, command, w->payload, &event, &answer);
    if (json_object_get(expect, "refused")) {
        check_refusal(w, expect, &answer);
    } else {
        ck_assert_int_eq(answer.verdict, BST_ACCEPTED);
        check_event(w, command, expect, &event);
    }
}

static void run_all(walk *w, const json_t *document) {
    size_t p;
    size_t s;
    json_t *path;
    json_t *step;
    json_array_foreach (json_object_get(document, "paths"), p, path) {
        bst_entity_clear(w->machine, &w->entity);
        json_array_foreach (json_object_get(path, "steps"), s, step) {
            run_step(w, step);
        }
    }
}

static size_t covered(const json_t *document, const char *what) {
    return (size_t)json_integer_value(json_object_get(json_object_get(document, "covers"), what));
}

/* The figures of the document are those of its steps. */
static void check_covers(const walk *w, const json_t *document) {
    const json_t *covers = json_object_get(document, "covers");
    size_t taken = 0;
    for (uint32_t t = 0; t < w->machine->transition_count; t++) {
        taken += w->taken[t];
    }
    ck_assert_uint_eq(taken, covered(document, "transitions"));
    ck_assert_uint_eq(taken + json_array_size(json_object_get(covers, "uncovered")),
                      w->machine->transition_count);
    ck_assert_uint_eq(w->refused,
                      covered(document, "guard_refusals") + covered(document, "unknown_commands"));
    ck_assert_uint_ge(w->accepted, taken);
}

static json_t *paths_of(const bst_machine *machine) {
    bst_emit_files files;
    bst_emit_files_init(&files);
    ck_assert_int_eq(bst_emit(machine, "paths", NULL, &files, NULL), BST_OK);
    json_t *document = json_loadb(files.file[0].text.text, files.file[0].text.len, 0, NULL);
    ck_assert_ptr_nonnull(document);
    bst_emit_files_release(&files);
    return document;
}

static void run_with(const bst_machine *machine, const json_t *document, runner with) {
    walk w = {.machine = machine, .with = with, .arena = bst_arena_new()};
    bst_value fields[BST_FIELDS_MAX];
    w.entity.fields = fields;
    w.taken = calloc(machine->transition_count + 1, sizeof *w.taken);
    ck_assert(w.arena && w.taken);
    run_all(&w, document);
    check_covers(&w, document);
    bst_arena_free(w.arena);
    free(w.taken);
}

START_TEST(test_paths) {
    bst_machine *machine = eventgen_load(eventgen_machines[_i]);
    json_t *document = paths_of(machine);
    char *folder = eventgen_scratch();
    interpreted = machine;
    run_with(machine, document, (runner){interpreter_decide, interpreter_apply});
    run_with(machine, document, compiled(machine, folder));
    eventgen_remove(folder);
    json_decref(document);
    bst_machine_free(machine);
}
END_TEST

/* ---- coverage ---- */

/* A counter has to be brought up, an amount has to be hit exactly, a state is out of reach. */
static const char demanding[] =
    "{\"id\": \"job\", \"fields\": {\"tries\": {\"type\": \"int4\", \"default\": 0}, \"sum\": "
    "{\"type\": \"decimal(9,2)\", \"default\": \"0.00\"}},"
    " \"events\": {\"JobTried\": {\"fields\": {}, \"apply\": {\"tries\": \"tries + 1\"}},"
    "  \"JobPaid\": {\"fields\": {\"sum\": \"decimal(9,2)\"}}, \"JobGivenUp\": {}},"
    " \"guards\": {\"again\": \"tries < 3\", \"enough\": \"tries >= 3\","
    "  \"exact\": \"command.sum * 3 == 10.05\", \"never\": \"tries < 0 && tries > 0\"},"
    " \"initial\": \"new\", \"states\": {"
    "  \"new\": {\"on\": {\"try\": {\"guard\": \"again\", \"event\": \"JobTried\"},"
    "   \"give_up\": {\"guard\": \"enough\", \"event\": \"JobGivenUp\", \"target\": \"over\"},"
    "   \"pay\": {\"guard\": \"exact\", \"event\": \"JobPaid\", \"target\": \"paid\"},"
    "   \"skip\": {\"guard\": \"never\", \"target\": \"lost\"}}},"
    "  \"over\": {\"type\": \"final\"}, \"paid\": {\"type\": \"final\"},"
    "  \"lost\": {\"on\": {\"find\": \"new\"}}}}";

START_TEST(test_demanding) {
    bst_machine *machine = eventgen_parse(demanding);
    json_t *document = paths_of(machine);
    interpreted = machine;
    run_with(machine, document, (runner){interpreter_decide, interpreter_apply});
    ck_assert_uint_eq(covered(document, "transitions"), 4); /* create, try, give_up, pay */
    ck_assert_uint_eq(covered(document, "states"), 3);
    ck_assert_uint_eq(covered(document, "guard_refusals"), 4);
    json_decref(document);
    bst_machine_free(machine);
}
END_TEST

Suite *test_eventgen_paths_suite(void) {
    Suite *suite = suite_create("eventgen paths");
    TCase *tcase = tcase_create("paths");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, test_paths, 0, EVENTGEN_MACHINES);
    tcase_add_test(tcase, test_demanding);
    suite_add_tcase(suite, tcase);
    return suite;
}
