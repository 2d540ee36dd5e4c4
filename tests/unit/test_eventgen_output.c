/* The table of emitters, and files on disk: written once, left alone when nothing changed. */
#include <sys/stat.h>

#include "eventgen_fixture.h"

static const char small[] = "{\"id\": \"lamp\", \"initial\": \"off\", \"fields\": {}, \"states\": {"
                            "\"off\": {\"on\": {\"light\": {\"target\": \"on\"}}}, \"on\": {}}}";

START_TEST(test_table) {
    size_t count;
    const bst_emitter *emitters = bst_emitters(&count);
    ck_assert_uint_ge(count, 3);
    for (size_t i = 0; i < count; i++) {
        ck_assert_ptr_eq(bst_emitter_find(emitters[i].name), &emitters[i]);
        ck_assert_ptr_nonnull(emitters[i].suffixes[0]);
        ck_assert(i == 0 || strcmp(emitters[i - 1].name, emitters[i].name) < 0);
    }
    ck_assert_ptr_null(bst_emitter_find("cobol"));
}
END_TEST

START_TEST(test_unknown_emitter) {
    static const struct {
        const char *name, *hint;
    } cases[] = {{"mermaif", "Did you mean \"mermaid\"?"}, {"cobol", "These exist: "}};
    bst_machine *machine = eventgen_parse(small);
    bst_diags *diags = bst_diags_new();
    bst_emit_files files;
    bst_emit_files_init(&files);
    ck_assert_int_eq(bst_emit(machine, cases[_i].name, NULL, &files, diags), BST_USAGE);
    ck_assert_uint_eq(bst_diags_count(diags), 1);
    const bst_diag *diag = bst_diags_at(diags, 0);
    ck_assert_str_eq(diag->code, "unknown-emitter");
    ck_assert_int_eq(strncmp(diag->hint, cases[_i].hint, strlen(cases[_i].hint)), 0);
    bst_emit_files_release(&files);
    bst_diags_free(diags);
    bst_machine_free(machine);
}
END_TEST

START_TEST(test_options) {
    static const uint64_t some[] = {0, 1200300}; /* by transition: nobody was created */
    static const struct {
        const char *emitter;
        bst_emit_options options;
        const char *expected;
    } cases[] = {{"dot", {0}, "rankdir=LR;"},
                 {"dot", {.direction = "TB"}, "rankdir=TB;"},
                 {"dot", {.direction = "sideways"}, "rankdir=LR;"},
                 {"mermaid", {.direction = "BT"}, "    direction BT\n"},
                 {"c", {0}, "enum lamp_state {"},
                 {"c", {.prefix = "SmallLamp"}, "enum small_lamp_state {"},
                 {"dot", {.weights = some}, "<B>light</B>  \xc3\x97 1,200,300<BR/>"},
                 {"dot", {.weights = some}, " </FONT>>, penwidth=5.0];"},
                 {"dot", {.weights = some}, "style=dashed"},
                 {"mermaid", {.weights = some}, "s0 -- \"light \xc3\x97 1,200,300<br/>"}};
    bst_machine *machine = eventgen_parse(small);
    bst_emit_files files;
    bst_emit_files_init(&files);
    ck_assert_int_eq(bst_emit(machine, cases[_i].emitter, &cases[_i].options, &files, NULL),
                     BST_OK);
    ck_assert_ptr_nonnull(strstr(files.file[0].text.text, cases[_i].expected));
    bst_emit_files_release(&files);
    bst_machine_free(machine);
}
END_TEST

typedef struct folder {
    bst_machine *machine;
    char *path;
    bst_diags *diags;
    bst_strbuf name; /* of a file in it */
} folder;

static folder open_folder(void) {
    return (folder){eventgen_parse(small), eventgen_scratch(), bst_diags_new(), BST_STRBUF_INIT};
}

static void close_folder(folder *f) {
    eventgen_remove(f->path);
    bst_machine_free(f->machine);
    bst_diags_free(f->diags);
    bst_strbuf_release(&f->name);
}

static const char *in_folder(folder *f, const char *name) {
    bst_strbuf_clear(&f->name);
    bst_strbuf_addf(&f->name, "%s/%s", f->path, name);
    return f->name.text;
}

static ino_t inode_of(folder *f, const char *name) {
    struct stat status;
    ck_assert_int_eq(stat(in_folder(f, name), &status), 0);
    return status.st_ino;
}

START_TEST(test_unchanged_is_untouched) {
    static const char *const names[] = {"c", "dot"};
    folder f = open_folder();
    bst_emit_outputs outputs;
    ck_assert_int_eq(bst_emit_write(f.path, f.machine, names, 2, NULL, NULL, &outputs, f.diags),
                     BST_OK);
    ck_assert_uint_eq(outputs.count, 3);
    ck_assert_str_eq(outputs.output[0].path, in_folder(&f, "lamp.h"));
    ck_assert_str_eq(outputs.output[1].path, in_folder(&f, "lamp.c"));
    ck_assert_str_eq(outputs.output[2].path, in_folder(&f, "lamp.dot"));
    for (size_t i = 0; i < outputs.count; i++) {
        ck_assert(outputs.output[i].changed);
    }
    bst_emit_outputs_release(&outputs);
    /* Another byte, one byte less, one byte more: only that file is written again. */
    static const char *const spoil[] = {
        "printf X | dd of=\"$f\" bs=1 seek=5 conv=notrunc 2>/dev/null", "truncate -s -1 \"$f\"",
        "printf X >>\"$f\""};
    bst_strbuf command = BST_STRBUF_INIT;
    for (int i = 0; i < 3; i++) {
        bst_strbuf_clear(&command);
        bst_strbuf_addf(&command, "f='%s'; %s", in_folder(&f, "lamp.c"), spoil[i]);
        ck_assert_int_eq(eventgen_run(command.text), 0);
        const ino_t header = inode_of(&f, "lamp.h"), source = inode_of(&f, "lamp.c");
        ck_assert_int_eq(bst_emit_write(f.path, f.machine, names, 2, NULL, NULL, &outputs, f.diags),
                         BST_OK);
        ck_assert(!outputs.output[0].changed && outputs.output[1].changed);
        ck_assert(!outputs.output[2].changed);
        ck_assert_uint_eq(inode_of(&f, "lamp.h"), header);
        ck_assert_uint_ne(inode_of(&f, "lamp.c"), source); /* a new file took its place */
        bst_emit_outputs_release(&outputs);
    }
    bst_strbuf_release(&command);
    close_folder(&f);
}
END_TEST

START_TEST(test_makes_its_folder_and_depfile) {
    static const char *const names[] = {"mermaid", "c"};
    folder f = open_folder();
    bst_strbuf dir = BST_STRBUF_INIT;
    bst_strbuf depfile = BST_STRBUF_INIT;
    bst_strbuf expected = BST_STRBUF_INIT;
    bst_strbuf_addf(&dir, "%s/a b$c#d", f.path);
    bst_strbuf_addf(&depfile, "%s/lamp.d", f.path);
    bst_strbuf_addf(&expected,
                    "%s/a\\ b$$c\\#d/lamp.mmd %s/a\\ b$$c\\#d/lamp.h %s/a\\ b$$c\\#d/lamp.c: "
                    "test.fsm.json\n",
                    f.path, f.path, f.path);
    ck_assert_int_eq(
        bst_emit_write(dir.text, f.machine, names, 2, NULL, depfile.text, NULL, f.diags), BST_OK);
    size_t len;
    char *rule = eventgen_read(depfile.text, &len);
    ck_assert_str_eq(rule, expected.text);
    free(rule);
    bst_strbuf_release(&dir);
    bst_strbuf_release(&depfile);
    bst_strbuf_release(&expected);
    close_folder(&f);
}
END_TEST

START_TEST(test_failures) {
    static const char *const unknown[] = {"dot", "cobol"};
    static const char *const known[] = {"dot"};
    folder f = open_folder();
    bst_strbuf deep = BST_STRBUF_INIT;
    /* One emitter does not exist: nothing is written, not even by the other. */
    ck_assert_int_eq(bst_emit_write(f.path, f.machine, unknown, 2, NULL, NULL, NULL, f.diags),
                     BST_USAGE);
    ck_assert_int_ne(access(in_folder(&f, "lamp.dot"), F_OK), 0);
    /* The parent of the folder does not exist. */
    bst_strbuf_addf(&deep, "%s/no/such", f.path);
    ck_assert_int_eq(bst_emit_write(deep.text, f.machine, known, 1, NULL, NULL, NULL, f.diags),
                     BST_IO);
    /* A folder stands where the file should go; no temporary file stays behind. */
    bst_strbuf_clear(&deep);
    bst_strbuf_addf(&deep, "mkdir '%s/lamp.dot'", f.path);
    ck_assert_int_eq(eventgen_run(deep.text), 0);
    ck_assert_int_eq(bst_emit_write(f.path, f.machine, known, 1, NULL, NULL, NULL, f.diags),
                     BST_IO);
    ck_assert_str_eq(bst_diags_at(f.diags, 2)->code, "write-failed");
    bst_strbuf_clear(&deep);
    bst_strbuf_addf(&deep, "test \"$(ls -A '%s')\" = lamp.dot", f.path);
    ck_assert_int_eq(eventgen_run(deep.text), 0);
    bst_strbuf_release(&deep);
    close_folder(&f);
}
END_TEST

Suite *test_eventgen_output_suite(void) {
    Suite *suite = suite_create("eventgen output");
    TCase *tcase = tcase_create("output");
    tcase_add_test(tcase, test_table);
    tcase_add_loop_test(tcase, test_unknown_emitter, 0, 2);
    tcase_add_loop_test(tcase, test_options, 0, 10);
    tcase_add_test(tcase, test_unchanged_is_untouched);
    tcase_add_test(tcase, test_makes_its_folder_and_depfile);
    tcase_add_test(tcase, test_failures);
    suite_add_tcase(suite, tcase);
    return suite;
}
