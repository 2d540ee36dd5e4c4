/* Each emitter, each machine of tests/eventgen/, byte for byte. BACKSTORY_UPDATE_GOLDEN=1 rewrites
 * what is expected; git diff shows what that changed. (lint_format looks at the same files, so
 * generated C is laid out as .clang-format says.)
 */
#include "eventgen_fixture.h"

static void check_file(const bst_machine *machine, const bst_emit_file *file) {
    char *path = eventgen_path("tests/eventgen/expected", machine->id, file->suffix);
    if (getenv("BACKSTORY_UPDATE_GOLDEN")) {
        FILE *out = fopen(path, "wb");
        ck_assert_ptr_nonnull(out);
        ck_assert_uint_eq(fwrite(file->text.text, 1, file->text.len, out), file->text.len);
        ck_assert_int_eq(fclose(out), 0);
    }
    size_t len = 0;
    char *expected = eventgen_read(path, &len);
    ck_assert_msg(expected != NULL, "%s is not there", path);
    ck_assert_msg(len == file->text.len && memcmp(expected, file->text.text, len) == 0,
                  "%s differs; look at it after BACKSTORY_UPDATE_GOLDEN=1", path);
    free(expected);
    free(path);
}

START_TEST(test_golden) {
    size_t emitter_count;
    const bst_emitter *emitters = bst_emitters(&emitter_count);
    bst_machine *machine = eventgen_load(eventgen_machines[_i]);
    for (size_t e = 0; e < emitter_count; e++) {
        if (bst_emitter_is_external(&emitters[e])) {
            continue;
        }
        bst_emit_files files;
        bst_emit_files_init(&files);
        ck_assert_int_eq(bst_emit(machine, emitters[e].name, NULL, &files, NULL), BST_OK);
        for (size_t f = 0; f < files.count; f++) {
            check_file(machine, &files.file[f]);
        }
        bst_emit_files_release(&files);
    }
    bst_machine_free(machine);
}
END_TEST

/* Loaded twice, emitted twice: the same bytes. */
START_TEST(test_twice) {
    size_t emitter_count;
    const bst_emitter *emitters = bst_emitters(&emitter_count);
    for (size_t e = 0; e < emitter_count; e++) {
        if (bst_emitter_is_external(&emitters[e])) {
            continue;
        }
        bst_emit_files files[2];
        for (int i = 0; i < 2; i++) {
            bst_machine *machine = eventgen_load(eventgen_machines[_i]);
            bst_emit_files_init(&files[i]);
            ck_assert_int_eq(bst_emit(machine, emitters[e].name, NULL, &files[i], NULL), BST_OK);
            bst_machine_free(machine);
        }
        ck_assert_uint_eq(files[0].count, files[1].count);
        for (size_t f = 0; f < files[0].count; f++) {
            ck_assert_str_eq(files[0].file[f].text.text, files[1].file[f].text.text);
        }
        bst_emit_files_release(&files[0]);
        bst_emit_files_release(&files[1]);
    }
}
END_TEST

/* Graphviz reads what is written for it. */
START_TEST(test_dot_is_read) {
    if (!eventgen_has_program("dot")) {
        fputs("SKIPPED: dot is not installed\n", stderr);
        return;
    }
    bst_machine *machine = eventgen_load(eventgen_machines[_i]);
    char *path = eventgen_path("tests/eventgen/expected", machine->id, ".dot");
    bst_strbuf command = BST_STRBUF_INIT;
    bst_strbuf_addf(&command, "dot -Tsvg '%s' >/dev/null", path);
    ck_assert_int_eq(eventgen_run(command.text), 0);
    bst_strbuf_release(&command);
    free(path);
    bst_machine_free(machine);
}
END_TEST

/* The picture has every state that has no label of its own. */
START_TEST(test_svg) {
    bst_machine *machine = eventgen_load("payment");
    bst_diags *diags = bst_diags_new();
    bst_emit_files files;
    bst_emit_files_init(&files);
    const bool has_dot = eventgen_has_program("dot");
    const bst_status status = bst_emit(machine, "svg", NULL, &files, diags);
    if (has_dot) {
        ck_assert_int_eq(status, BST_OK);
        for (uint32_t i = 0; i < machine->state_count; i++) {
            bst_strbuf text = BST_STRBUF_INIT;
            bst_strbuf_addf(&text, ">%s</text>", machine->states[i].name);
            ck_assert_ptr_nonnull(strstr(files.file[0].text.text, text.text));
            bst_strbuf_release(&text);
        }
        ck_assert_ptr_nonnull(strstr(files.file[0].text.text, "</svg>"));
    } else {
        ck_assert_int_eq(status, BST_IO);
        ck_assert_str_eq(bst_diags_at(diags, 0)->code, "no-drawing");
    }
    bst_emit_files_release(&files);
    bst_diags_free(diags);
    bst_machine_free(machine);
}
END_TEST

/* Without Graphviz it is said what to do. */
START_TEST(test_svg_without_dot) {
    bst_machine *machine = eventgen_load("payment");
    bst_diags *diags = bst_diags_new();
    bst_emit_files files;
    bst_emit_files_init(&files);
    ck_assert_int_eq(setenv("PATH", "/nonexistent", 1), 0); /* a process of its own */
    ck_assert_int_eq(bst_emit(machine, "svg", NULL, &files, diags), BST_IO);
    ck_assert_str_eq(bst_diags_at(diags, 0)->code, "no-drawing");
    ck_assert_ptr_nonnull(strstr(bst_diags_at(diags, 0)->hint, "graphviz"));
    bst_emit_files_release(&files);
    bst_diags_free(diags);
    bst_machine_free(machine);
}
END_TEST

Suite *test_eventgen_golden_suite(void) {
    Suite *suite = suite_create("eventgen golden");
    TCase *tcase = tcase_create("golden");
    tcase_add_loop_test(tcase, test_golden, 0, EVENTGEN_MACHINES);
    tcase_add_loop_test(tcase, test_twice, 0, EVENTGEN_MACHINES);
    tcase_add_loop_test(tcase, test_dot_is_read, 0, EVENTGEN_MACHINES);
    tcase_add_test(tcase, test_svg);
    tcase_add_test(tcase, test_svg_without_dot);
    suite_add_tcase(suite, tcase);
    return suite;
}
