/* The JSON codec of generated C, compiled and run: what it writes is what the library reads, and
 * the other way round; each mistake of a document is named.
 */
#include "c_adapter_codec.h"
#include "c_build.h"
#include "random.h"
#include "random_value.h"

static const char *const files[] = {"", "_json", NULL};

typedef struct codec {
    bst_machine *machine;
    char *folder;
    void *library;
    adapter_event_json_fn *event_json;
    adapter_read_event_json_fn *read_event;
    adapter_command_json_fn *command_json;
    adapter_read_command_json_fn *read_command;
    bst_value *fields, *read;
    bst_arena *arena;
} codec;

/* False when there is no such compiler. */
static bool open_codec(codec *k, const char *name, int number) {
    *k = (codec){.machine = eventgen_load(name), .folder = eventgen_scratch()};
    eventgen_write(k->machine, k->folder, "c");
    eventgen_write(k->machine, k->folder, "c-json");
    adapter_write_with(k->machine, k->folder, adapter_add_json);
    uint32_t most = bst_machine_payload_max(k->machine);
    for (uint32_t i = 0; i < k->machine->command_count; i++) {
        const uint32_t count = k->machine->commands[i].field_count;
        most = count > most ? count : most;
    }
    k->fields = c_new_values(most);
    k->read = c_new_values(most);
    k->arena = bst_arena_new();
    ck_assert_ptr_nonnull(k->arena);
    if (!c_build(k->machine, k->folder, files, number)) {
        return false;
    }
    k->library = c_open(k->folder, number);
    c_symbol(k->library, "adapter_event_json", &k->event_json, sizeof k->event_json);
    c_symbol(k->library, "adapter_read_event_json", &k->read_event, sizeof k->read_event);
    c_symbol(k->library, "adapter_command_json", &k->command_json, sizeof k->command_json);
    c_symbol(k->library, "adapter_read_command_json", &k->read_command, sizeof k->read_command);
    return true;
}

static void close_codec(codec *k) {
    if (k->library) {
        dlclose(k->library);
    }
    bst_arena_free(k->arena);
    free(k->fields);
    free(k->read);
    eventgen_remove(k->folder);
    bst_machine_free(k->machine);
}

/* A json field that is the word null cannot be told from one that is not there. */
static void make_payload(uint64_t *random, const bst_field *fields, uint32_t count,
                         bst_value *ret) {
    for (uint32_t i = 0; i < count; i++) {
        do {
            ret[i] = random_value(random, &fields[i].type);
        } while ((!ret[i].present && !fields[i].type.optional) ||
                 (fields[i].type.kind == BST_KIND_JSON && ret[i].present && ret[i].len == 4));
    }
}

/* `{"type":...,"type_version":...,"state":...,"data":{...}}` as the library writes it; NULL: not
 * that key. */
static void write_document(const char *type, uint32_t version, const char *state,
                           const bst_field *fields, uint32_t count, const bst_value *values,
                           bst_strbuf *out) {
    bst_strbuf_addf(out, "{\"type\":\"%s\"", type);
    if (version > 1) {
        bst_strbuf_addf(out, ",\"type_version\":%u", version);
    }
    if (state) {
        bst_strbuf_addf(out, ",\"state\":\"%s\"", state);
    }
    bst_strbuf_adds(out, ",\"data\":{");
    bool first = true;
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].present) {
            bst_strbuf_addf(out, "%s\"%s\":", first ? "" : ",", fields[i].name);
            bst_value_to_json(&fields[i].type, &values[i], out);
            first = false;
        }
    }
    bst_strbuf_adds(out, "}}");
}

/* As JSON: key order and spacing do not matter. */
static void check_same_json(const char *expected, const char *got) {
    json_t *left = json_loads(expected, JSON_ALLOW_NUL, NULL);
    json_t *right = got ? json_loads(got, JSON_ALLOW_NUL, NULL) : NULL;
    ck_assert_ptr_nonnull(left);
    ck_assert_msg(right && json_equal(left, right), "expected %s\nbut got %s", expected,
                  got ? got : "nothing");
    json_decref(left);
    json_decref(right);
}

static void check_event(codec *k, uint64_t *random, uint32_t type) {
    const bst_event_type *event = &k->machine->events[type];
    const bst_event made = {type, (uint32_t)(random_next(random) % k->machine->state_count),
                            k->fields};
    bst_event back = {0, 0, k->read};
    bst_strbuf expected = BST_STRBUF_INIT;
    make_payload(random, event->fields, event->field_count, k->fields);
    write_document(event->name, event->version, k->machine->states[made.state].name, event->fields,
                   event->field_count, k->fields, &expected);
    char *text = k->event_json(&made);
    check_same_json(expected.text, text);
    const char *wrong = k->read_event(text, &back);
    ck_assert_msg(!wrong, "%s: %s", text, wrong);
    ck_assert_uint_eq(back.type, made.type);
    ck_assert_uint_eq(back.state, made.state);
    c_check_values(event->name, event->fields, event->field_count, k->fields, k->read);
    free(text);
    bst_strbuf_release(&expected);
}

static void check_command(codec *k, uint64_t *random, uint32_t number) {
    const bst_command *command = &k->machine->commands[number];
    uint32_t back = BST_NONE;
    bst_strbuf expected = BST_STRBUF_INIT;
    make_payload(random, command->fields, command->field_count, k->fields);
    write_document(command->name, 1, NULL, command->fields, command->field_count, k->fields,
                   &expected);
    char *text = k->command_json(number, k->fields);
    check_same_json(expected.text, text);
    const char *wrong = k->read_command(text, &back, k->read);
    ck_assert_msg(!wrong, "%s: %s", text, wrong);
    ck_assert_uint_eq(back, number);
    c_check_values(command->name, command->fields, command->field_count, k->fields, k->read);
    free(text);
    bst_strbuf_release(&expected);
}

/* An event that an older version wrote, read as the interpreter reads it. */
static void check_older(codec *k, uint64_t *random, uint32_t type, uint32_t *seen) {
    const bst_event_type *event = &k->machine->events[type];
    const uint32_t version = (uint32_t)(random_next(random) % event->version);
    bst_event back = {0, 0, k->read};
    uint32_t count = 0;
    const char *field = NULL;
    const bst_field *fields = bst_event_fields_at(event, version, &count);
    bst_strbuf text = BST_STRBUF_INIT;
    make_payload(random, fields, count, k->fields);
    write_document(event->name, version, k->machine->states[0].name, fields, count, k->fields,
                   &text);
    if (version == 0) {
        bst_strbuf_clear(&text);
        bst_strbuf_addf(&text, "{\"type\":\"%s\",\"type_version\":0,\"state\":\"%s\",\"data\":{}}",
                        event->name, k->machine->states[0].name);
    }
    const char *wrong = k->read_event(text.text, &back);
    const bst_upcast_result result =
        bst_upcast_payload(event, version, k->fields, k->fields, &field);
    ck_assert_msg(!wrong == (result == BST_UPCAST_OK), "%s: %s", text.text, wrong);
    if (!wrong) {
        c_check_values(event->name, event->fields, event->field_count, k->fields, k->read);
    } else if (field) {
        ck_assert_msg(strncmp(wrong, field, strlen(field)) == 0, "%s: %s", text.text, wrong);
    }
    seen[result]++;
    bst_strbuf_release(&text);
}

/* Every function there is with every compiler, and every machine. */
static const struct {
    const char *machine;
    int compiler;
} runs[] = {{"everything", 0}, {"everything", 1}, {"everything", 2}, {"everything", 3},
            {"everything", 4}, {"everything", 5}, {"versions", 2},   {"versions", 3},
            {"payment", 0},    {"account", 0},    {"hostile", 0}};
enum { RUNS = sizeof runs / sizeof runs[0] };

START_TEST(test_there_and_back) {
    uint64_t random = 7u + (unsigned)_i;
    uint32_t older[BST_UPCAST_OVERFLOW + 1] = {0};
    codec k;
    if (open_codec(&k, runs[_i].machine, runs[_i].compiler)) {
        for (int round = 0; round < 300; round++) {
            for (uint32_t i = 0; i < k.machine->event_count; i++) {
                check_event(&k, &random, i);
                if (k.machine->events[i].version > 1) {
                    check_older(&k, &random, i, older);
                }
            }
            for (uint32_t i = 0; i < k.machine->command_count; i++) {
                check_command(&k, &random, i);
            }
        }
        if (older[BST_UPCAST_OK] > 0) {
            ck_assert_uint_gt(older[BST_UPCAST_UNKNOWN], 0);
            ck_assert_uint_gt(older[BST_UPCAST_OVERFLOW], 0);
        }
    }
    close_codec(&k);
}
END_TEST

/* ---- mistakes ---- */

typedef struct mistake {
    const char *text, *wrong;
} mistake;

#define SET(field, value)                                                                          \
    "{\"type\":\"EverythingSet\",\"state\":\"idle\",\"data\":{\"" field "\":" value "}}"

static const mistake mistakes[] = {
    {"[]", "type is not an event of everything"},
    {"{\"type\":7}", "type is not an event of everything"},
    {"{\"type\":\"EverythingLost\"}", "type is not an event of everything"},
    {"{\"type\":\"EverythingLate\"}", "state is not a state of everything"},
    {"{\"type\":\"EverythingLate\",\"state\":\"nowhere\"}", "state is not a state of everything"},
    {"{\"type\":\"EverythingLate\",\"state\":\"idle\"}", "late is missing"},
    {"{\"type\":\"EverythingLate\",\"state\":\"idle\",\"data\":{\"late\":null}}",
     "late is missing"},
    {"{\"type\":\"EverythingLate\",\"state\":\"idle\",\"data\":[1]}", "data is not an object"},
    {"{\"type\":\"EverythingLate\",\"state\":\"idle\",\"data\":{\"late\":1,\"more\":2}}",
     "more is not a field of it"},
    {"{\"type\":\"EverythingLate\",\"state\":\"idle\",\"type_version\":2,\"data\":{\"late\":1}}",
     "type_version is not known"},
    {"{\"type\":\"EverythingLate\",\"state\":\"idle\",\"data\":{\"late\":2147483648}}",
     "late is out of range"},
    {"{\"type\":\"EverythingLate\",\"state\":\"idle\",\"data\":{\"late\":\"1\"}}",
     "late is not a whole number"},
    {SET("flag", "1"), "flag is not true or false"},
    {"{\"type\":\"EverythingComputed\",\"state\":\"idle\",\"data\":{\"n\":1,\"m\":40000}}",
     "m is out of range"},
    {"{\"type\":\"EverythingComputed\",\"state\":\"idle\",\"data\":{\"n\":1,\"m\":1,\"d\":1.5}}",
     "d is not a number"},
    {"{\"type\":\"EverythingComputed\",\"state\":\"idle\",\"data\":{\"n\":1,\"m\":1,\"d\":"
     "\"1.0001\"}}",
     "d has too many digits behind the point"},
    {"{\"type\":\"EverythingComputed\",\"state\":\"idle\",\"data\":{\"n\":1,\"m\":1,\"d\":"
     "\"1000000\"}}",
     "d is out of range"},
    {"{\"type\":\"EverythingComputed\",\"state\":\"idle\",\"data\":{\"n\":1,\"m\":1,\"d\":\"1,5\"}"
     "}",
     "d is not a number"},
    {"{\"type\":\"EverythingComputed\",\"state\":\"idle\",\"data\":{\"n\":1,\"m\":1,\"d\":\"1.\"}}",
     "d is not a number"},
    {"{\"type\":\"EverythingComputed\",\"state\":\"idle\",\"data\":{\"n\":1,\"m\":1,\"d\":1,"
     "\"t\":\"2021-02-29T10:00:00Z\"}}",
     "t is not a timestamp with its zone"},
    {"{\"type\":\"EverythingComputed\",\"state\":\"idle\",\"data\":{\"n\":1,\"m\":1,\"d\":1,"
     "\"t\":\"2021-02-28T10:00:00\"}}",
     "t is not a timestamp with its zone"},
    {"{\"type\":\"EverythingComputed\",\"state\":\"idle\",\"data\":{\"n\":1,\"m\":1,\"d\":1,"
     "\"t\":\"294277-01-01T00:00:00Z\"}}",
     "t is out of range"},
    {"{\"type\":\"EverythingComputed\",\"state\":\"idle\",\"data\":{\"n\":1,\"m\":1,\"d\":1,"
     "\"t\":\"2021-02-28T10:00:00+01:30\",\"w\":\"too long a word\"}}",
     "w is too long"},
    {"{\"type\":\"EverythingComputed\",\"state\":\"idle\",\"data\":{\"n\":1,\"m\":1,\"d\":1,"
     "\"t\":\"2021-02-28T10:00:00Z\",\"w\":\"a\\u0000b\"}}",
     "w is not a text"},
};
enum { MISTAKES = sizeof mistakes / sizeof mistakes[0] };

START_TEST(test_mistakes) {
    codec k;
    ck_assert(open_codec(&k, "everything", 0));
    for (int i = 0; i < MISTAKES; i++) {
        bst_event event = {0, 0, k.read};
        ck_assert_pstr_eq(k.read_event(mistakes[i].text, &event), mistakes[i].wrong);
    }
    uint32_t command;
    ck_assert_str_eq(k.read_command("{\"type\":\"dance\"}", &command, k.read),
                     "type is not a command of everything");
    ck_assert_str_eq(k.read_command("{\"type\":\"set_late\",\"data\":{}}", &command, k.read),
                     "late is missing");
    close_codec(&k);
}
END_TEST

/* Each field of a whole document broken in turn: the field is named. */
START_TEST(test_each_field_is_named) {
    codec k;
    ck_assert(open_codec(&k, "everything", 0));
    const uint32_t type = bst_machine_event(k.machine, "EverythingSet");
    const bst_event_type *event = &k.machine->events[type];
    const bst_event made = {type, 0, k.fields};
    bst_event back = {0, 0, k.read};
    uint64_t random = 3;
    make_payload(&random, event->fields, event->field_count, k.fields);
    char *text = k.event_json(&made);
    json_t *json = json_loads(text, 0, NULL);
    for (uint32_t i = 0; i < event->field_count; i++) {
        const char *name = event->fields[i].name;
        json_t *data = json_object_get(json, "data");
        json_t *whole = json_deep_copy(data);
        /* nothing is wrong with any json */
        const bool any = event->fields[i].type.kind == BST_KIND_JSON;
        json_object_set_new(data, name, any ? json_null() : json_pack("{s:i}", "no", 1));
        char *broken = json_dumps(json, 0);
        const char *wrong = k.read_event(broken, &back);
        if (any && event->fields[i].type.optional) {
            ck_assert_ptr_null(wrong);
        } else {
            ck_assert_msg(wrong && strncmp(wrong, name, strlen(name)) == 0 &&
                              wrong[strlen(name)] == ' ',
                          "%s: %s", broken, wrong);
        }
        json_object_set_new(json, "data", whole);
        free(broken);
    }
    json_decref(json);
    free(text);
    close_codec(&k);
}
END_TEST

/* A text that is not UTF-8 or has a NUL in it, a json that is none, a state that is none: no
 * document. */
START_TEST(test_not_written) {
    codec k;
    ck_assert(open_codec(&k, "everything", 0));
    const uint32_t type = bst_machine_event(k.machine, "EverythingCleared");
    bst_event made = {type, 0, k.fields};
    static const char *const texts[] = {"\xff", "a\0b"};
    for (int i = 0; i < 2; i++) {
        k.fields[0] = (bst_value){.present = true, .len = i == 0 ? 1 : 3, .u.text = texts[i]};
        ck_assert_ptr_null(k.event_json(&made));
    }
    k.fields[0] = BST_ABSENT;
    made.state = k.machine->state_count;
    ck_assert_ptr_null(k.event_json(&made));
    made.state = 0;
    char *text = k.event_json(&made);
    ck_assert_ptr_nonnull(text);
    free(text);
    close_codec(&k);
}
END_TEST

/* ---- regions with tables of their own ---- */

/* Every state of a region is written and read; a place that is none is refused. */
static const char program[] =
    "#include \"plant_json.h\"\n#include <stdio.h>\n#include <string.h>\n"
    "static int read_state(const char *state, struct plant_event *event) {\n"
    "    struct backstory_json_error error;\n    json_t *keep = json_array();\n"
    "    json_t *json = json_pack(\"{s:s,s:s}\", \"type\", \"PlantStopped\", \"state\", state);\n"
    "    const bool read = plant_event_from_json(json, keep, event, &error);\n"
    "    if (!read) printf(\"%s %s\\n\", error.field, error.reason);\n"
    "    json_decref(json);\n    json_decref(keep);\n    return read;\n}\n"
    "int main(void) {\n"
    "    struct plant_event event, back;\n    char text[1000];\n"
    "    memset(&event, 0, sizeof event);\n    memset(&back, 0, sizeof back);\n"
    "    event.type = PLANT_EVENT_STOPPED;\n    event.state = PLANT_STATE_RUNNING;\n"
    "    for (unsigned i = 0; i < PLANT_REGION_COUNT; i++) {\n"
    "        snprintf(text, sizeof text, \"running.line%u.s%u\", i + 1, i % 4);\n"
    "        if (!plant_state_from_name(text, &event.parts[i])) return 1;\n    }\n"
    "    json_t *json = plant_event_to_json(&event);\n    if (!json) return 2;\n"
    "    const char *state = json_string_value(json_object_get(json, \"state\"));\n"
    "    plant_place_name(event.state, event.parts, text, sizeof text);\n"
    "    if (strcmp(state, text) != 0 || !strstr(state, \"+running.line8.s3\")) return 3;\n"
    "    if (!read_state(state, &back)) return 4;\n"
    "    if (back.state != event.state) return 5;\n"
    "    if (memcmp(back.parts, event.parts, sizeof back.parts) != 0) return 6;\n"
    "    json_decref(json);\n"
    "    if (!read_state(\"idle\", &back) || back.state != PLANT_STATE_IDLE) return 7;\n"
    "    if (read_state(\"running.line1.s0+running.line2.s0\", &back)) return 8;\n"
    "    strcat(text, \"+running.line1.s0\");\n    if (read_state(text, &back)) return 9;\n"
    "    if (read_state(\"running.line1.s0+nowhere\", &back)) return 10;\n    return 0;\n}\n";

START_TEST(test_regions_apart) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_adds(&text,
                    "{\"id\": \"plant\", \"initial\": \"idle\", \"states\": {\"idle\": {\"on\": "
                    "{\"start\": \"running\"}}, \"stopped\": {\"type\": \"final\"}, "
                    "\"running\": {\"type\": \"parallel\", \"on\": {\"stop\": \"stopped\"}, "
                    "\"states\": {");
    for (int i = 1; i <= 8; i++) {
        bst_strbuf_addf(&text, "%s\"line%d\": {\"initial\": \"s0\", \"states\": {",
                        i > 1 ? "," : "", i);
        for (int s = 0; s < 4; s++) {
            bst_strbuf_addf(&text, "%s\"s%d\": {\"on\": {\"move%d\": \"s%d\"}}", s ? "," : "", s, i,
                            (s + 1) % 4);
        }
        bst_strbuf_adds(&text, "}}");
    }
    bst_strbuf_adds(&text, "}}}}");
    bst_machine *machine = NULL;
    ck_assert_int_eq(bst_regions_parse("plant", text.text, text.len, 0, &machine, NULL), BST_OK);
    ck_assert_ptr_nonnull(bst_machine_regions(machine));
    char *folder = eventgen_scratch();
    eventgen_write(machine, folder, "c");
    eventgen_write(machine, folder, "c-json");
    bst_strbuf_clear(&text);
    bst_strbuf_addf(&text, "%s/main.c", folder);
    FILE *file = fopen(text.text, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(program, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    bst_strbuf_clear(&text);
    bst_strbuf_addf(&text,
                    "cd '%s' && %s -std=c11 " C_STRICT " -Wmissing-prototypes -c plant.c "
                    "plant_json.c && %s -std=c11 main.c plant.o plant_json.o -o main -ljansson && "
                    "./main >said",
                    folder, eventgen_env("CC", "cc"), eventgen_env("CC", "cc"));
    ck_assert_int_eq(eventgen_run(text.text), 0);
    bst_strbuf_release(&text);
    eventgen_remove(folder);
    bst_machine_free(machine);
}
END_TEST

Suite *test_eventgen_c_json_suite(void) {
    Suite *suite = suite_create("eventgen c-json");
    TCase *tcase = tcase_create("run");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, test_there_and_back, 0, RUNS);
    tcase_add_test(tcase, test_mistakes);
    tcase_add_test(tcase, test_each_field_is_named);
    tcase_add_test(tcase, test_not_written);
    tcase_add_test(tcase, test_regions_apart);
    suite_add_tcase(suite, tcase);
    return suite;
}
