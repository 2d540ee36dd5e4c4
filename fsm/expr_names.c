/* Expressions: what a name refers to in its scope, and what to say when it refers to nothing.
 *
 * A bare name is a field of the entity or a column of the row, whichever the place knows;
 * command.x and event.x name their record. A name that is wrong in one way is reported once,
 * however often it stands there.
 */
#include "expr_private.h"

#include <string.h>

const char *bst__prefix(bst_root root) {
    return root == BST_ROOT_COMMAND ? "command." : root == BST_ROOT_EVENT ? "event." : "";
}

static int find_field(const bst_scope *scope, bst_root root, const char *name) {
    for (size_t i = 0; scope->root[root].known && i < scope->root[root].count; i++) {
        if (strcmp(scope->root[root].fields[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static bst_root bare_root(const bst_scope *scope) {
    return scope->root[BST_ROOT_ROW].known ? BST_ROOT_ROW : BST_ROOT_ENTITY;
}

static const char *readable_roots(const bst_scope *scope) {
    static const char *const texts[] = {
        "Here an expression reads no names at all.",
        "Here an expression reads command.x.",
        "Here an expression reads event.x.",
        "Here an expression reads command.x and event.x.",
        "Here an expression reads fields of the entity by name.",
        "Here an expression reads fields of the entity by name, and command.x.",
        "Here an expression reads fields of the entity by name, and event.x.",
        "Here an expression reads fields of the entity by name, command.x and event.x.",
        "Here an expression reads columns of the row by name.",
    };
    return scope->root[BST_ROOT_ROW].known ? texts[8]
                                           : texts[(scope->root[BST_ROOT_ENTITY].known ? 4 : 0) +
                                                   (scope->root[BST_ROOT_EVENT].known ? 2 : 0) +
                                                   (scope->root[BST_ROOT_COMMAND].known ? 1 : 0)];
}

/* The field probably meant by `name` under `root`, as it is to be written; NULL when none is
 * near. */
static const char *nearest_field(bst__job *job, bst_root root, const char *name) {
    const bst_scope *scope = job->scope;
    const size_t count = scope->root[root].known ? scope->root[root].count : 0;
    const char **names = bst_arena_array(job->scratch, count, sizeof *names);
    for (size_t i = 0; names != NULL && i < count; i++) {
        names[i] = scope->root[root].fields[i].name;
    }
    const char *near = names == NULL ? NULL : bst_nearest_name(name, names, count);
    return near == NULL ? NULL : bst_arena_printf(job->scratch, "%s%s", bst__prefix(root), near);
}

/* Nearest under the root that was written; failing that the very name under another root. */
static const char *probably_meant(bst__job *job, bst_root root, const char *name) {
    static const bst_root roots[] = {BST_ROOT_COMMAND, BST_ROOT_EVENT, BST_ROOT_ENTITY,
                                     BST_ROOT_ROW};
    const char *near = root == BST_ROOT_COUNT ? NULL : nearest_field(job, root, name);
    for (size_t i = 0; near == NULL && i < sizeof roots / sizeof *roots; i++) {
        if (find_field(job->scope, roots[i], name) >= 0) {
            near = nearest_field(job, roots[i], name);
        }
    }
    return near;
}

static bool already_reported(bst__job *job, const bst__ast *ast) {
    for (uint32_t i = 0; i < job->unknown_count; i++) {
        const bst__ast *known = job->unknown[i];
        if (strcmp(known->name, ast->name) == 0 &&
            strcmp(known->prefix ? known->prefix : "", ast->prefix ? ast->prefix : "") == 0) {
            return true;
        }
    }
    if (job->unknown_count < sizeof job->unknown / sizeof *job->unknown) {
        job->unknown[job->unknown_count++] = ast;
    }
    return false;
}

static void report_unknown(bst__job *job, const bst__ast *ast, bst_root root) {
    static const char *const kinds[] = {"field", "command field", "event field", "column"};
    if (already_reported(job, ast)) {
        return;
    }
    const bool readable = root != BST_ROOT_COUNT && job->scope->root[root].known;
    if (readable) {
        bst__job_error(job, ast->offset, "unknown-name", "%s \"%.60s\" is not declared",
                       kinds[root], ast->name);
    } else {
        bst__job_error(job, ast->offset, "unknown-name", "\"%.60s\" cannot be read here",
                       ast->prefix ? ast->prefix : ast->name);
    }
    const char *meant = probably_meant(job, root, ast->name);
    const char *roots = readable_roots(job->scope);
    if (meant != NULL) {
        bst_diag_hint(job->diags, "Did you mean \"%s\"?%s%s", meant, readable ? "" : " ",
                      readable ? "" : roots);
    } else {
        bst_diag_hint(job->diags, "%s", roots);
    }
}

/* The root that is written: BST_ROOT_COUNT for a prefix that is none. */
static bst_root written_root(const bst__job *job, const bst__ast *ast) {
    return ast->prefix == NULL                      ? bare_root(job->scope)
           : strcmp(ast->prefix, "command") == 0    ? BST_ROOT_COMMAND
           : strcmp(ast->prefix, "event") == 0      ? BST_ROOT_EVENT
           : strcmp(ast->prefix, "state_in()") == 0 ? BST_ROOT_STATE
                                                    : BST_ROOT_COUNT;
}

static bool ends_in(const char *path, const char *name) {
    const size_t path_len = strlen(path);
    const size_t len = strlen(name);
    return path_len > len && path[path_len - len - 1] == '.' &&
           strcmp(path + path_len - len, name) == 0;
}

/* A node by its path, or by the end of it where only one node has that: -1 for none, -2 for
 * several. */
static int find_state(const bst_scope *scope, const char *name) {
    const size_t count = scope->root[BST_ROOT_STATE].known ? scope->root[BST_ROOT_STATE].count : 0;
    int found = find_field(scope, BST_ROOT_STATE, name);
    for (size_t i = 0; found < 0 && i < count; i++) {
        if (ends_in(scope->root[BST_ROOT_STATE].fields[i].name, name)) {
            found = (int)i;
            for (size_t k = i + 1; k < count; k++) {
                if (ends_in(scope->root[BST_ROOT_STATE].fields[k].name, name)) {
                    return -2;
                }
            }
        }
    }
    return *name ? found : -1;
}

static void report_state(bst__job *job, const bst__ast *ast, bool several) {
    if (!job->scope->root[BST_ROOT_STATE].known) {
        bst__job_error(job, ast->offset, "not-in-language", "state_in() cannot be asked here");
        bst_diag_hint(job->diags, "Guards of transitions can ask it, nothing else.");
    } else if (several) {
        bst__job_error(job, ast->offset, "ambiguous-state", "several states are called \"%.60s\"",
                       ast->name);
        bst_diag_hint(job->diags, "Write its path: \"outer.inner\".");
    } else {
        const char *near = nearest_field(job, BST_ROOT_STATE, ast->name);
        bst__job_error(job, ast->offset, "unknown-state", "state \"%.60s\" is not declared",
                       ast->name);
        if (near != NULL) {
            bst_diag_hint(job->diags, "Did you mean \"%s\"?", near);
        } else {
            bst_diag_hint(job->diags, "Write its path as it stands in the file: outer.inner.");
        }
    }
}

static bool resolve_state(bst__job *job, const bst__ast *ast, bst_expr *ret_ref) {
    const int index = find_state(job->scope, ast->name);
    if (index < 0 && !already_reported(job, ast)) {
        report_state(job, ast, index == -2);
    }
    if (index >= 0) {
        *ret_ref = (bst_expr){.op = BST_EXPR_REF,
                              .type = job->scope->root[BST_ROOT_STATE].fields[index].type,
                              .offset = ast->offset,
                              .root = BST_ROOT_STATE,
                              .index = (uint32_t)index,
                              .name = job->scope->root[BST_ROOT_STATE].fields[index].name};
    }
    return index >= 0;
}

bool bst__resolve(bst__job *job, const bst__ast *ast, bst_expr *ret_ref) {
    const bst_root root = written_root(job, ast);
    if (root == BST_ROOT_STATE) {
        return resolve_state(job, ast, ret_ref);
    }
    if (root == BST_ROOT_COUNT && find_field(job->scope, bare_root(job->scope), ast->prefix) >= 0) {
        bst__job_error(job, ast->offset, "not-in-language",
                       "field \"%.60s\" has no parts to select", ast->prefix);
        bst_diag_hint(job->diags, "Fields are read whole: by name, command.x or event.x.");
        return false;
    }
    const int index = root == BST_ROOT_COUNT ? -1 : find_field(job->scope, root, ast->name);
    if (index < 0) {
        report_unknown(job, ast, root);
        return false;
    }
    *ret_ref = (bst_expr){.op = BST_EXPR_REF,
                          .type = job->scope->root[root].fields[index].type,
                          .offset = ast->offset,
                          .root = root,
                          .index = (uint32_t)index,
                          .name = ast->name};
    return true;
}
