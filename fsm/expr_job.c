/* What every step of compiling an expression needs: to say what is wrong and where, to make a node,
 * and to know which types are of one kind.
 */
#include "expr_private.h"

#include <stdarg.h>

#include "backstory/json_source.h"

/* ---- messages ---- */

static bst_loc where(const bst__job *job, uint32_t offset) {
    const bst_expr_place *place = job->place;
    if (place != NULL && place->source != NULL) {
        return bst_json_source_inside(place->source, place->pointer, offset);
    }
    bst_loc loc = {.file = "expression", .line = 1, .column = 1};
    for (uint32_t i = 0; i < offset && i < job->len; i++) {
        if (job->text[i] == '\n') {
            loc.line++;
            loc.column = 1;
        } else if (i + 1 == job->len || (job->text[i + 1] & 0xc0) != 0x80) {
            loc.column++;
        }
    }
    return loc;
}

void bst__job_error(bst__job *job, uint32_t offset, const char *code, const char *format, ...) {
    bst_strbuf message = BST_STRBUF_INIT;
    va_list args;
    va_start(args, format);
    bst_strbuf_vaddf(&message, format, args);
    va_end(args);
    const bst_loc loc = where(job, offset);
    bst_diag_add(job->diags, BST_INVALID, BST_ERROR, code, &loc, "%s", message.text);
    if (job->status == BST_OK) {
        job->status = BST_INVALID;
    }
    bst_strbuf_release(&message);
}

void bst__job_nomem(bst__job *job) {
    if (job->status != BST_NOMEM) {
        job->status = bst_diag_nomem(job->diags);
    }
}

const char *bst__job_type_text(bst__job *job, const bst_type *type) {
    bst_strbuf sb = BST_STRBUF_INIT;
    bst_type required = *type;
    required.optional = false;
    bst_type_format(&required, &sb);
    const char *text = sb.len <= 60 ? bst_arena_strdup(job->scratch, sb.text)
                                    : bst_arena_printf(job->scratch, "%.57s...", sb.text);
    bst_strbuf_release(&sb);
    return text != NULL ? text : "a type";
}

/* ---- types ---- */

bst_kind bst__group(bst_kind kind) {
    switch (kind) {
    case BST_KIND_INT2:
    case BST_KIND_INT4:
    case BST_KIND_INT8:
        return BST_KIND_DECIMAL;
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
        return BST_KIND_TEXT;
    default:
        return kind;
    }
}

int bst__scale(const bst_type *type) {
    return type->kind == BST_KIND_DECIMAL ? type->scale : 0;
}

/* ---- nodes ---- */

bst__ast *bst__ast_make(bst__job *job, bst_expr_op op, uint32_t offset, uint32_t arg_count,
                        bst__ast *const *args) {
    bst__ast *ast = bst_arena_alloc(job->scratch, sizeof *ast);
    bst__ast **copy = bst_arena_array(job->scratch, arg_count, sizeof(bst__ast *));
    if (ast == NULL || copy == NULL) {
        bst__job_nomem(job);
        return NULL;
    }
    uint32_t depth = 0;
    for (uint32_t i = 0; i < arg_count; i++) {
        copy[i] = args[i];
        depth = args[i]->depth > depth ? args[i]->depth : depth;
    }
    *ast = (bst__ast){
        .op = op, .offset = offset, .depth = depth + 1, .arg_count = arg_count, .args = copy};
    if (ast->depth > BST_EXPR_DEPTH_MAX) {
        bst__job_error(job, offset, "limit", "expression is more than %d levels deep",
                       BST_EXPR_DEPTH_MAX);
        return NULL;
    }
    return ast;
}
