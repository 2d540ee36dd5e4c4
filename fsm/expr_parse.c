/* Expressions, step two: tokens into a syntax tree.
 *
 * CEL's grammar, by precedence climbing:
 *
 *     expr     = or [ "?" or ":" expr ]
 *     or       = and { "||" and }              and = relation { "&&" relation }
 *     relation = sum { ( == != < <= > >= ) sum | "in" "[" expr { "," expr } "]" }
 *     sum      = product { ( + - ) product }   product = unary { "*" unary }
 *     unary    = { "!" | "-" } member
 *     member   = primary { "." name "(" arguments ")" }
 *     primary  = literal | name | name "." name | name "(" arguments ")" | "(" expr ")"
 *
 * Chains of && and || become balanced trees (both are associative, in value, order of evaluation
 * and what they prove present), so that a thousand alternatives are not a thousand levels. A
 * minus before a number is part of the number.
 *
 * What CEL has and this language has not is named as such. Where the parser knows how to go on
 * it does, with a poisoned part in the tree; a missing bracket ends it.
 */
#include "expr_private.h"

#include <string.h>

#include "backstory/decimal.h"

typedef struct parser {
    bst__job *job;
    const bst__token *token; /* the next one */
    uint32_t nesting;
} parser;

static const struct {
    bst__token_kind token;
    bst_expr_op op;
} binaries[] = {
    {BST__TOKEN_EQ, BST_EXPR_EQ},    {BST__TOKEN_NE, BST_EXPR_NE},
    {BST__TOKEN_LT, BST_EXPR_LT},    {BST__TOKEN_LE, BST_EXPR_LE},
    {BST__TOKEN_GT, BST_EXPR_GT},    {BST__TOKEN_GE, BST_EXPR_GE},
    {BST__TOKEN_AND, BST_EXPR_AND},  {BST__TOKEN_OR, BST_EXPR_OR},
    {BST__TOKEN_PLUS, BST_EXPR_ADD}, {BST__TOKEN_MINUS, BST_EXPR_SUB},
    {BST__TOKEN_STAR, BST_EXPR_MUL},
};

/* Counts a level of the parser's own recursion; the caller takes it back. */
static bool enter(parser *p) {
    if (p->nesting == BST_EXPR_DEPTH_MAX) {
        bst__job_error(p->job, p->token->offset, "limit", "expression is nested more than %d deep",
                       BST_EXPR_DEPTH_MAX);
        return false;
    }
    p->nesting++;
    return true;
}

/* ---- tokens ---- */

static bool at(const parser *p, bst__token_kind kind) {
    return p->token->kind == kind;
}

static bool take(parser *p, bst__token_kind kind) {
    if (!at(p, kind)) {
        return false;
    }
    p->token++;
    return true;
}

static const char *token_quoted(parser *p, const bst__token *token) {
    if (token->kind == BST__TOKEN_END) {
        return "the end of the expression";
    }
    const uint32_t end = token->start + token->len;
    const char *text = bst_arena_printf(p->job->scratch, "\"%.*s\"",
                                        (int)(end - token->offset < 40 ? end - token->offset : 40),
                                        p->job->text + token->offset);
    return text != NULL ? text : "a token";
}

static bool expect(parser *p, bst__token_kind kind, const char *after) {
    if (take(p, kind)) {
        return true;
    }
    bst__job_error(p->job, p->token->offset, "expr-syntax", "expected \"%s\" after %s, not %s",
                   bst__token_text(kind), after, token_quoted(p, p->token));
    return false;
}

static char *token_name(parser *p, const bst__token *token) {
    char *name = bst_arena_strndup(p->job->arena, p->job->text + token->start, token->len);
    if (name == NULL) {
        bst__job_nomem(p->job);
    }
    return name;
}

/* ---- lists ---- */

typedef struct list {
    bst__ast **items;
    uint32_t count, size;
} list;

static bool list_add(parser *p, list *l, bst__ast *item) {
    if (item == NULL) {
        return false;
    }
    if (l->count == l->size) {
        const uint32_t size = l->size == 0 ? 8 : l->size * 2;
        bst__ast **items = bst_arena_array(p->job->scratch, size, sizeof(bst__ast *));
        if (items == NULL) {
            bst__job_nomem(p->job);
            return false;
        }
        if (l->count > 0) {
            memcpy(items, l->items, l->count * sizeof(bst__ast *));
        }
        l->items = items;
        l->size = size;
    }
    l->items[l->count++] = item;
    return true;
}

static bst__ast *parse_expr(parser *p);
static bst__ast *parse_unary(parser *p);

/* Expressions up to `close`, which is taken. */
static bool parse_list(parser *p, list *l, bst__token_kind close) {
    if (take(p, close)) {
        return true;
    }
    do {
        if (!list_add(p, l, parse_expr(p))) {
            return false;
        }
    } while (take(p, BST__TOKEN_COMMA));
    return expect(p, close, close == BST__TOKEN_RIGHT_PAREN ? "the arguments" : "the list");
}

/* Behind the opening bracket; `receiver` is x of x.name(...), or NULL. */
static bst__ast *parse_call(parser *p, const bst__token *name_token, bst__ast *receiver) {
    list args = {0};
    if ((receiver != NULL && !list_add(p, &args, receiver)) ||
        !parse_list(p, &args, BST__TOKEN_RIGHT_PAREN)) {
        return NULL;
    }
    const char *name = token_name(p, name_token);
    return name == NULL ? NULL
                        : bst__call(p->job, name, name_token->offset, receiver != NULL, args.count,
                                    args.items);
}

/* ---- primaries ---- */

static bst__ast *parse_literal(parser *p, bool negative) {
    const bst__token *token = p->token++;
    bst__ast *ast = bst__ast_make(p->job, BST__POISON, token->offset, 0, NULL);
    if (ast == NULL) {
        return NULL;
    }
    if (token->kind == BST__TOKEN_TEXT) {
        (void)bst__literal_text(p->job, token, ast); /* or it stays poisoned */
    } else if (token->kind != BST__TOKEN_BAD) {
        (void)bst__literal_number(p->job, token, negative, ast);
    }
    return ast;
}

static bst__ast *make_word(parser *p, const bst__token *token) {
    const bool truth = bst__token_is(p->job, token, "true");
    bst__ast *ast = bst__ast_make(p->job, BST_EXPR_LITERAL, token->offset, 0, NULL);
    if (ast != NULL && bst__token_is(p->job, token, "null")) {
        ast->op = BST_EXPR_NULL;
    } else if (ast != NULL) {
        ast->type.kind = BST_KIND_BOOL;
        ast->literal = (bst_value){.present = true, .u.i = truth};
    }
    return ast;
}

static bool is_name(const bst__token *token) {
    return token->kind == BST__TOKEN_NAME || token->kind == BST__TOKEN_QUOTED_NAME;
}

/* A name, `prefix.name` (unless that is a call), or the name of a function. */
static bst__ast *parse_name(parser *p) {
    const bst__token *first = p->token++;
    if (first->kind == BST__TOKEN_NAME && take(p, BST__TOKEN_LEFT_PAREN)) {
        return parse_call(p, first, NULL);
    }
    if (bst__token_is(p->job, first, "true") || bst__token_is(p->job, first, "false") ||
        bst__token_is(p->job, first, "null")) {
        return make_word(p, first);
    }
    bst__ast *ast = bst__ast_make(p->job, BST_EXPR_REF, first->offset, 0, NULL);
    if (ast == NULL) {
        return NULL;
    }
    ast->name = token_name(p, first);
    if (at(p, BST__TOKEN_DOT) && is_name(p->token + 1) &&
        !(p->token[1].kind == BST__TOKEN_NAME && p->token[2].kind == BST__TOKEN_LEFT_PAREN)) {
        ast->prefix = ast->name;
        ast->name = token_name(p, p->token + 1);
        p->token += 2;
    }
    return ast->name == NULL ? NULL : ast;
}

static bst__ast *parse_parens(parser *p) {
    p->token++;
    bst__ast *inner = parse_expr(p);
    return inner == NULL || !expect(p, BST__TOKEN_RIGHT_PAREN, "the bracketed expression") ? NULL
                                                                                           : inner;
}

static void report_no_value(parser *p) {
    const bst__token *token = p->token;
    if (at(p, BST__TOKEN_LEFT_BRACKET) || at(p, BST__TOKEN_LEFT_BRACE)) {
        bst__job_error(p->job, token->offset, "not-in-language",
                       "%s is not a value of the language",
                       at(p, BST__TOKEN_LEFT_BRACE) ? "a map or message" : "a list");
        if (at(p, BST__TOKEN_LEFT_BRACKET)) {
            bst_diag_hint(p->job->diags, "A list stands only after in: x in [1, 2].");
        }
        return;
    }
    bst__job_error(p->job, token->offset, "expr-syntax", "expected a value, not %s",
                   token_quoted(p, token));
    if (at(p, BST__TOKEN_DOT) && p->token[1].kind == BST__TOKEN_INT) {
        bst_diag_hint(p->job->diags, "Write 0.5, not .5.");
    }
}

static bst__ast *parse_primary(parser *p) {
    switch (p->token->kind) {
    case BST__TOKEN_INT:
    case BST__TOKEN_DECIMAL:
    case BST__TOKEN_TEXT:
    case BST__TOKEN_BAD:
        return parse_literal(p, false);
    case BST__TOKEN_NAME:
        if (bst__token_is(p->job, p->token, "in")) {
            break;
        }
        return parse_name(p);
    case BST__TOKEN_QUOTED_NAME:
        return parse_name(p);
    case BST__TOKEN_LEFT_PAREN:
        return parse_parens(p);
    default:
        break;
    }
    report_no_value(p);
    return NULL;
}

static bst__ast *parse_member(parser *p) {
    bst__ast *ast = parse_primary(p);
    while (ast != NULL && (at(p, BST__TOKEN_DOT) || at(p, BST__TOKEN_LEFT_BRACKET))) {
        const bst__token *dot = p->token;
        if (dot->kind == BST__TOKEN_DOT && dot[1].kind == BST__TOKEN_NAME &&
            dot[2].kind == BST__TOKEN_LEFT_PAREN) {
            p->token += 3;
            ast = parse_call(p, dot + 1, ast);
            continue;
        }
        if (dot->kind == BST__TOKEN_DOT && !is_name(dot + 1)) {
            bst__job_error(p->job, dot[1].offset, "expr-syntax",
                           "expected a name after \".\", not %s", token_quoted(p, dot + 1));
        } else {
            bst__job_error(p->job, dot->offset, "not-in-language",
                           "a value has no parts to select");
            bst_diag_hint(p->job->diags, "Fields are read whole: by name, command.x or event.x.");
        }
        return NULL;
    }
    return ast;
}

/* -(5) is the number -5. The smallest integer has no such number. */
static bool negate(bst__ast *ast) {
    int64_t value = 0;
    if (ast->op != BST_EXPR_LITERAL || !bst__is_number(&ast->type) ||
        !bst_decimal_sub(0, ast->literal.u.i, &value)) {
        return false;
    }
    ast->literal.u.i = value;
    return true;
}

static bst__ast *parse_unary(parser *p) {
    const bst__token *token = p->token;
    if (token->kind != BST__TOKEN_NOT && token->kind != BST__TOKEN_MINUS) {
        return parse_member(p);
    }
    p->token++;
    const bool minus = token->kind == BST__TOKEN_MINUS;
    if (minus && (at(p, BST__TOKEN_INT) || at(p, BST__TOKEN_DECIMAL))) {
        bst__ast *literal = parse_literal(p, true);
        if (literal != NULL) {
            literal->offset = token->offset;
        }
        return literal;
    }
    if (!enter(p)) {
        return NULL;
    }
    bst__ast *operand = parse_unary(p);
    p->nesting--;
    if (operand == NULL || (minus && negate(operand))) {
        return operand;
    }
    return bst__ast_make(p->job, minus ? BST_EXPR_NEG : BST_EXPR_NOT, token->offset, 1, &operand);
}

/* ---- binaries ---- */

static const char *const division_reason =
    "A quotient would have to be rounded, and a divisor may be 0; here every value is exact.";

/* The operator the next token is, BST__POISON for one that is refused, BST_EXPR_REF (no
 * operator) for none. */
static bst_expr_op peek_binary(parser *p) {
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++) {
        if (at(p, binaries[i].token)) {
            return binaries[i].op;
        }
    }
    if (at(p, BST__TOKEN_SLASH) || at(p, BST__TOKEN_PERCENT)) {
        return BST__POISON;
    }
    return bst__token_is(p->job, p->token, "in")    ? BST_EXPR_IN
           : bst__token_is(p->job, p->token, "and") ? BST_EXPR_AND
           : bst__token_is(p->job, p->token, "or")  ? BST_EXPR_OR
                                                    : BST_EXPR_REF;
}

static void take_operator(parser *p, bst_expr_op op) {
    const bst__token *token = p->token++;
    if (op == BST__POISON) {
        bst__job_error(p->job, token->offset, "not-in-language",
                       "\"%s\" is not part of the language", bst__token_text(token->kind));
        bst_diag_hint(p->job->diags, "%s", division_reason);
    } else if (token->slip || (token->kind == BST__TOKEN_NAME && op != BST_EXPR_IN)) {
        bst__job_error(p->job, token->offset, "expr-syntax", "\"%.*s\" is not an operator",
                       (int)token->len, p->job->text + token->start);
        bst_diag_hint(p->job->diags, "Write \"%s\".", bst__op_text(op));
    }
}

static bst__ast *parse_binary(parser *p, int strength);

static bst__ast *balance(parser *p, bst_expr_op op, bst__ast *const *items, uint32_t count) {
    if (count == 1) {
        return items[0];
    }
    const uint32_t half = (count + 1) / 2;
    bst__ast *args[2] = {balance(p, op, items, half), balance(p, op, items + half, count - half)};
    return args[0] == NULL || args[1] == NULL
               ? NULL
               : bst__ast_make(p->job, op, items[0]->offset, 2, args);
}

/* a && b && c ...: `first` is a, the next token is the first operator. */
static bst__ast *parse_chain(parser *p, bst_expr_op op, bst__ast *first) {
    list items = {0};
    if (!list_add(p, &items, first)) {
        return NULL;
    }
    while (peek_binary(p) == op) {
        take_operator(p, op);
        if (!list_add(p, &items, parse_binary(p, bst__precedence(op) + 1))) {
            return NULL;
        }
    }
    return balance(p, op, items.items, items.count);
}

static bst__ast *parse_in(parser *p, uint32_t offset, bst__ast *left) {
    list args = {0};
    if (!list_add(p, &args, left)) {
        return NULL;
    }
    if (!at(p, BST__TOKEN_LEFT_BRACKET)) {
        bst__job_error(p->job, p->token->offset, "expr-syntax", "expected \"[\" after in, not %s",
                       token_quoted(p, p->token));
        bst_diag_hint(p->job->diags, "Write x in [1, 2, 3].");
        return NULL;
    }
    p->token++;
    if (!parse_list(p, &args, BST__TOKEN_RIGHT_BRACKET)) {
        return NULL;
    }
    if (args.count == 1) {
        bst__job_error(p->job, offset, "expr-syntax", "the list after in is empty");
        return bst__ast_make(p->job, BST__POISON, offset, args.count, args.items);
    }
    return bst__ast_make(p->job, BST_EXPR_IN, offset, args.count, args.items);
}

/* Operators that bind at least as strongly as `strength`; 2 takes them all. */
static bst__ast *parse_binary(parser *p, int strength) {
    bst__ast *left = parse_unary(p);
    while (left != NULL) {
        const bst_expr_op op = peek_binary(p);
        const int binds = op == BST__POISON ? bst__precedence(BST_EXPR_MUL) : bst__precedence(op);
        if (op == BST_EXPR_REF || binds < strength) {
            break;
        }
        if (op == BST_EXPR_AND || op == BST_EXPR_OR) {
            left = parse_chain(p, op, left);
            continue;
        }
        const uint32_t offset = p->token->offset;
        take_operator(p, op);
        if (op == BST_EXPR_IN) {
            left = parse_in(p, offset, left);
            continue;
        }
        bst__ast *args[2] = {left, parse_binary(p, binds + 1)};
        left = args[1] == NULL ? NULL : bst__ast_make(p->job, op, offset, 2, args);
    }
    return left;
}

static bst__ast *parse_cond(parser *p, bst__ast *test) {
    const uint32_t offset = p->token->offset;
    p->token++;
    bst__ast *args[3] = {test, NULL, NULL};
    args[1] = parse_binary(p, bst__precedence(BST_EXPR_OR));
    if (args[1] == NULL || !expect(p, BST__TOKEN_COLON, "\"?\" and its value")) {
        return NULL;
    }
    args[2] = parse_expr(p);
    return args[2] == NULL ? NULL : bst__ast_make(p->job, BST_EXPR_COND, offset, 3, args);
}

static bst__ast *parse_expr(parser *p) {
    if (!enter(p)) {
        return NULL;
    }
    bst__ast *ast = parse_binary(p, bst__precedence(BST_EXPR_OR));
    if (ast != NULL && at(p, BST__TOKEN_QUESTION)) {
        ast = parse_cond(p, ast);
    }
    p->nesting--;
    return ast;
}

/* SQL's operators that are words. */
static const char *word_hint(const parser *p) {
    static const struct {
        const char *word, *hint;
    } words[] = {
        {"is", "Write x == null or x != null."},
        {"not", "Write !(x in [1, 2])."},
        {"like", "Write x.startsWith(\"...\"), x.endsWith(\"...\") or x.contains(\"...\")."},
        {"between", "Write x >= 1 && x <= 9."},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (bst__token_is(p->job, p->token, words[i].word)) {
            return words[i].hint;
        }
    }
    return NULL;
}

bst__ast *bst__parse(bst__job *job, const bst__token *tokens) {
    parser p = {.job = job, .token = tokens};
    if (at(&p, BST__TOKEN_END)) {
        bst__job_error(job, 0, "expr-syntax", "expression is empty");
        return NULL;
    }
    bst__ast *ast = parse_expr(&p);
    if (ast == NULL || at(&p, BST__TOKEN_END)) {
        return ast;
    }
    bst__job_error(job, p.token->offset, "expr-syntax", "expected an operator, not %s",
                   token_quoted(&p, p.token));
    const char *hint =
        p.token > tokens && bst__token_is(job, p.token - 1, "not") ? "Write !x." : word_hint(&p);
    if (hint != NULL) {
        bst_diag_hint(job->diags, "%s", hint);
    }
    return NULL;
}
