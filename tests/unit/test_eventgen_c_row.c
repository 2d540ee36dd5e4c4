/* The row codec of generated C, compiled and run: what is written is read, and a row that is cut
 * off anywhere, or bent, is refused. (That PostgreSQL reads and writes the same is tested with a
 * server: tests/pg/test_generated_c.c.)
 */
#include "c_adapter_codec.h"
#include "c_build.h"
#include "random.h"
#include "random_value.h"

#define ROOM 4000

static const struct {
    const char *machine;
    int compiler;
} runs[] = {{"everything", 0}, {"everything", 1}, {"everything", 2}, {"everything", 3},
            {"everything", 4}, {"everything", 5}, {"payment", 0},    {"account", 0},
            {"hostile", 2},    {"versions", 2}};
enum { RUNS = sizeof runs / sizeof runs[0] };

typedef struct rows {
    adapter_write_event_fn *write_event;
    adapter_read_event_fn *read_event;
    adapter_write_entity_fn *write_entity;
    adapter_read_entity_fn *read_entity;
} rows;

static void make_values(uint64_t *random, const bst_field *fields, uint32_t count, bst_value *ret) {
    for (uint32_t i = 0; i < count; i++) {
        ret[i] = random_value(random, &fields[i].type);
    }
}

static void check_event(const rows *r, const bst_machine *m, uint64_t *random, uint32_t type,
                        bst_value *given, bst_value *read) {
    unsigned char bytes[ROOM];
    const char *wrong = NULL;
    const bst_event event = {type, (uint32_t)(random_next(random) % m->state_count), given};
    bst_event back = {0, 0, read};
    make_values(random, m->events[type].fields, m->events[type].field_count, given);
    const size_t size = r->write_event(&event, bytes, sizeof bytes);
    ck_assert(size > 0 && size <= sizeof bytes);
    ck_assert_uint_eq(r->write_event(&event, NULL, 0), size); /* only asks */
    ck_assert_uint_eq(r->read_event(bytes, size, &back, &wrong), size);
    ck_assert_ptr_null(wrong);
    ck_assert(back.type == type && back.state == event.state);
    c_check_values(m->events[type].name, m->events[type].fields, m->events[type].field_count, given,
                   read);
    for (size_t len = 0; len < size; len++) {
        ck_assert_uint_eq(r->read_event(bytes, len, &back, &wrong), 0);
        ck_assert_ptr_nonnull(wrong);
    }
    bytes[random_next(random) % size] ^= (unsigned char)(1u << random_next(random) % 8);
    r->read_event(bytes, size, &back, &wrong); /* whatever that is, it ends */
}

static void check_entity(const rows *r, const bst_machine *m, uint64_t *random, bst_value *given,
                         bst_value *read) {
    unsigned char bytes[ROOM];
    const char *wrong = NULL;
    const bst_entity entity = {(uint32_t)(random_next(random) % m->state_count), given};
    bst_entity back = {0, read};
    make_values(random, m->fields, m->field_count, given);
    const size_t size = r->write_entity(&entity, bytes, sizeof bytes);
    ck_assert(size > 0 && size <= sizeof bytes);
    ck_assert_uint_eq(r->read_entity(bytes, size, &back, &wrong), size);
    ck_assert_ptr_null(wrong);
    ck_assert_uint_eq(back.state, entity.state);
    c_check_values(m->id, m->fields, m->field_count, given, read);
    bytes[1]++; /* a column more */
    ck_assert_uint_eq(r->read_entity(bytes, size, &back, &wrong), 0);
    ck_assert_str_eq(wrong, "it has another number of columns");
}

START_TEST(test_there_and_back) {
    static const char *const files[] = {"", "_row", NULL};
    uint64_t random = 11u + (unsigned)_i;
    bst_machine *m = eventgen_load(runs[_i].machine);
    char *folder = eventgen_scratch();
    eventgen_write(m, folder, "c");
    eventgen_write(m, folder, "c-row");
    adapter_write_with(m, folder, adapter_add_rows);
    if (c_build(m, folder, files, runs[_i].compiler)) {
        void *library = c_open(folder, runs[_i].compiler);
        rows r;
        c_symbol(library, "adapter_write_event", &r.write_event, sizeof r.write_event);
        c_symbol(library, "adapter_read_event", &r.read_event, sizeof r.read_event);
        c_symbol(library, "adapter_write_entity", &r.write_entity, sizeof r.write_entity);
        c_symbol(library, "adapter_read_entity", &r.read_entity, sizeof r.read_entity);
        const uint32_t payload = bst_machine_payload_max(m);
        const uint32_t most = payload > m->field_count ? payload : m->field_count;
        bst_value *given = c_new_values(most), *read = c_new_values(most);
        for (int round = 0; round < 100; round++) {
            for (uint32_t type = 0; type < m->event_count; type++) {
                check_event(&r, m, &random, type, given, read);
            }
            check_entity(&r, m, &random, given, read);
        }
        free(given);
        free(read);
        dlclose(library);
    }
    eventgen_remove(folder);
    bst_machine_free(m);
}
END_TEST

Suite *test_eventgen_c_row_suite(void) {
    Suite *suite = suite_create("eventgen c-row");
    TCase *tcase = tcase_create("run");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, test_there_and_back, 0, RUNS);
    suite_add_tcase(suite, tcase);
    return suite;
}
