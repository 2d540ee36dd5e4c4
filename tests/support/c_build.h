/* Generated C, compiled by each compiler that there is, strictly, and loaded. */
#ifndef BACKSTORY_TESTS_C_BUILD_H
#define BACKSTORY_TESTS_C_BUILD_H

#include <dlfcn.h>

#include "eventgen_fixture.h"

#define C_STRICT "-Wall -Wextra -Wconversion -Wshadow -Werror"

typedef struct c_compiler {
    const char *variable, *otherwise; /* NULL variable: the program itself, when it is there */
    const char *flags;
} c_compiler;

static const c_compiler c_compilers[] = {
    {"CC", "cc", "-x c -std=c11 -O2 -Wmissing-prototypes"},
    {"CC", "cc", "-x c -std=c11 -O0 -Wmissing-prototypes -DBACKSTORY_PLAIN_C"},
    /* no runtime to link: what is undefined stops the program */
    {"CC", "cc", "-x c -std=c11 -O1 -fsanitize=undefined -fsanitize-undefined-trap-on-error"},
    {"CXX", "c++", "-x c++ -std=c++17 -O2 -fno-exceptions"},
    {NULL, "clang", "-x c -std=c11 -O2 -Wmissing-prototypes"},
    {NULL, "clang++", "-x c++ -std=c++17 -O1 -fno-exceptions -DBACKSTORY_PLAIN_C"},
};
enum { C_COMPILERS = sizeof c_compilers / sizeof c_compilers[0] };

/* <folder>/lib<n>.so of the adapter and the machine's files with these suffixes (NULL ends them);
 * false when there is no such compiler. */
static inline bool c_build(const bst_machine *machine, const char *folder,
                           const char *const *suffixes, int number) {
    const c_compiler *with = &c_compilers[number];
    const char *program =
        with->variable ? eventgen_env(with->variable, with->otherwise) : with->otherwise;
    const char *root = eventgen_env("SOURCE_DIR", ".");
    if (!eventgen_has_program(program)) {
        ck_assert_msg(!with->variable, "%s is not there", program);
        fprintf(stderr, "SKIPPED: %s is not installed\n", program);
        return false;
    }
    bst_strbuf command = BST_STRBUF_INIT, objects = BST_STRBUF_INIT;
    for (; *suffixes; suffixes++) {
        bst_strbuf_clear(&command);
        bst_strbuf_addf(&command,
                        "cd '%s' && %s %s " C_STRICT " -fPIC -c '%s%s.c' -o machine%s%d.o", folder,
                        program, with->flags, machine->id, *suffixes, *suffixes, number);
        ck_assert_msg(eventgen_run(command.text) == 0, "%s", command.text);
        bst_strbuf_addf(&objects, " machine%s%d.o", *suffixes, number);
    }
    bst_strbuf_clear(&command);
    bst_strbuf_addf(&command,
                    "cd '%s' && %s -std=c11 -O1 -fPIC -shared -I'%s/base/include' "
                    "-I'%s/fsm/include' adapter.c%s -o lib%d.so -ljansson",
                    folder, eventgen_env("CC", "cc"), root, root, objects.text, number);
    ck_assert_msg(eventgen_run(command.text) == 0, "%s", command.text);
    bst_strbuf_release(&command);
    bst_strbuf_release(&objects);
    return true;
}

static inline void *c_open(const char *folder, int number) {
    bst_strbuf path = BST_STRBUF_INIT;
    bst_strbuf_addf(&path, "%s/lib%d.so", folder, number);
    void *library = dlopen(path.text, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(library != NULL, "%s", dlerror());
    bst_strbuf_release(&path);
    return library;
}

static inline void c_symbol(void *library, const char *name, void *ret_function, size_t size) {
    void *symbol = dlsym(library, name);
    ck_assert_ptr_nonnull(symbol);
    memcpy(ret_function, &symbol, size);
}

/* ---- values ---- */

static inline bst_value *c_new_values(uint32_t count) {
    bst_value *values = calloc(count + 1, sizeof *values);
    ck_assert_ptr_nonnull(values);
    return values;
}

static inline void c_check_values(const char *what, const bst_field *fields, uint32_t count,
                                  const bst_value *expected, const bst_value *got) {
    for (uint32_t i = 0; i < count; i++) {
        bst_strbuf text = BST_STRBUF_INIT;
        if (!bst_value_equal(&fields[i].type, &expected[i], &got[i])) {
            bst_value_to_json(&fields[i].type, &expected[i], &text);
            bst_strbuf_adds(&text, ", but generated code has ");
            bst_value_to_json(&fields[i].type, &got[i], &text);
            ck_abort_msg("%s.%s is %s", what, fields[i].name, text.text);
        }
        bst_strbuf_release(&text);
    }
}

#endif
