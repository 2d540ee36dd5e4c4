/* Expressions, step one: text into tokens.
 *
 * The whole text is cut at once, so that the parser can look ahead as far as it likes. Operators
 * of other languages that can only mean one thing here (`=`, `<>`, `&`, `|`) become the tokens
 * that were meant, marked as slips: the parser reports them and goes on, so that what follows is
 * still checked.
 */
#include "expr_private.h"

#include <string.h>

static const char *const token_texts[] = {
#define X(name, text) text,
    BST__TOKEN_LIST(X)
#undef X
};
_Static_assert(sizeof token_texts / sizeof *token_texts == BST__TOKEN_COUNT, "a text a token");

/* The longest first. `slip`: not ours, but it is clear what was meant. */
static const struct {
    const char *text;
    bst__token_kind kind;
    bool slip;
} marks[] = {
    {"===", BST__TOKEN_EQ, true},          {"!==", BST__TOKEN_NE, true},
    {"==", BST__TOKEN_EQ, false},          {"!=", BST__TOKEN_NE, false},
    {"<=", BST__TOKEN_LE, false},          {">=", BST__TOKEN_GE, false},
    {"<>", BST__TOKEN_NE, true},           {"&&", BST__TOKEN_AND, false},
    {"||", BST__TOKEN_OR, false},          {"=", BST__TOKEN_EQ, true},
    {"&", BST__TOKEN_AND, true},           {"|", BST__TOKEN_OR, true},
    {"<", BST__TOKEN_LT, false},           {">", BST__TOKEN_GT, false},
    {"!", BST__TOKEN_NOT, false},          {"+", BST__TOKEN_PLUS, false},
    {"-", BST__TOKEN_MINUS, false},        {"*", BST__TOKEN_STAR, false},
    {"/", BST__TOKEN_SLASH, false},        {"%", BST__TOKEN_PERCENT, false},
    {"?", BST__TOKEN_QUESTION, false},     {":", BST__TOKEN_COLON, false},
    {",", BST__TOKEN_COMMA, false},        {".", BST__TOKEN_DOT, false},
    {"(", BST__TOKEN_LEFT_PAREN, false},   {")", BST__TOKEN_RIGHT_PAREN, false},
    {"[", BST__TOKEN_LEFT_BRACKET, false}, {"]", BST__TOKEN_RIGHT_BRACKET, false},
    {"{", BST__TOKEN_LEFT_BRACE, false},   {"}", BST__TOKEN_RIGHT_BRACE, false},
};

const char *bst__token_text(bst__token_kind kind) {
    return token_texts[kind];
}

bool bst__token_is(const bst__job *job, const bst__token *token, const char *name) {
    return token->kind == BST__TOKEN_NAME && strlen(name) == token->len &&
           memcmp(job->text + token->start, name, token->len) == 0;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The byte at `at`, NUL past the end (the text itself has none: see bst_expr_compile). */
static char peek(const bst__job *job, uint32_t at) {
    return at < job->len ? job->text[at] : '\0';
}

static uint32_t skip_digits(const bst__job *job, uint32_t at) {
    while (is_digit(peek(job, at))) {
        at++;
    }
    return at;
}

static uint32_t skip_name(const bst__job *job, uint32_t at) {
    while (is_name_start(peek(job, at)) || is_digit(peek(job, at))) {
        at++;
    }
    return at;
}

/* Each lexes one kind of token at `token->start` and returns where it ends; 0: given up. */

static uint32_t lex_number(bst__job *job, bst__token *token) {
    uint32_t end = skip_digits(job, token->start);
    token->kind = BST__TOKEN_INT;
    if (peek(job, end) == '.' && is_digit(peek(job, end + 1))) {
        token->kind = BST__TOKEN_DECIMAL;
        end = skip_digits(job, end + 1);
    }
    token->len = end - token->start;
    if (is_name_start(peek(job, end))) {
        end = skip_name(job, end);
        bst__job_error(job, token->offset, "not-in-language",
                       "number \"%.*s\" has a form that is not part of the language",
                       (int)(end - token->start < 40 ? end - token->start : 40),
                       job->text + token->start);
        bst_diag_hint(job->diags, "Numbers are written 12 or 12.50: no exponent, no suffix, no "
                                  "hexadecimal digits.");
        token->kind = BST__TOKEN_BAD;
    }
    return end;
}

static uint32_t lex_quoted(bst__job *job, bst__token *token) {
    const char quote = peek(job, token->start);
    uint32_t at = token->start + 1;
    while (at < job->len && job->text[at] != quote && job->text[at] != '\n') {
        at += quote != '`' && job->text[at] == '\\' ? 2 : 1;
    }
    if (peek(job, at) != quote) {
        bst__job_error(job, token->offset, "expr-syntax", "%s is not closed",
                       quote == '`' ? "quoted name" : "text");
        bst_diag_hint(job->diags, "End it with %c%s.", quote,
                      quote == '`' ? "" : "; a line feed inside a text is written \\n");
        return 0;
    }
    token->kind = quote == '`' ? BST__TOKEN_QUOTED_NAME : BST__TOKEN_TEXT;
    token->start++;
    token->len = at - token->start;
    return at + 1;
}

static uint32_t lex_name(bst__job *job, bst__token *token) {
    const uint32_t end = skip_name(job, token->start);
    const char next = peek(job, end);
    token->kind = BST__TOKEN_NAME;
    token->len = end - token->start;
    if (next == '"' || next == '\'') {
        bst__job_error(job, token->offset, "not-in-language",
                       "prefix \"%.*s\" of a text is not part of the language",
                       (int)(token->len < 40 ? token->len : 40), job->text + token->start);
        bst_diag_hint(job->diags, "Texts are written \"...\" or '...'.");
        token->start = end;
        const uint32_t text_end = lex_quoted(job, token);
        token->kind = BST__TOKEN_BAD;
        return text_end;
    }
    return end;
}

static uint32_t lex_mark(bst__job *job, bst__token *token) {
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const uint32_t len = (uint32_t)strlen(marks[i].text);
        if (len > job->len - token->start ||
            memcmp(job->text + token->start, marks[i].text, len) != 0) {
            continue;
        }
        token->kind = marks[i].kind;
        token->len = len;
        token->slip = marks[i].slip;
        return token->start + len;
    }
    uint32_t end = token->start + 1; /* a whole UTF-8 character */
    while ((peek(job, end) & 0xc0) == 0x80) {
        end++;
    }
    bst__job_error(job, token->offset, "expr-syntax", "character \"%.*s\" has no meaning here",
                   (int)(end - token->start), job->text + token->start);
    if ((job->text[token->start] & 0x80) != 0) {
        bst_diag_hint(job->diags,
                      "A name with other characters than a-z, A-Z, 0-9 and _ is written in "
                      "backticks: `gr\xc3\xb6\xc3\x9f"
                      "e`.");
    }
    return 0;
}

static uint32_t lex_one(bst__job *job, bst__token *token) {
    const char c = peek(job, token->start);
    if (is_digit(c)) {
        return lex_number(job, token);
    }
    if (is_name_start(c)) {
        return lex_name(job, token);
    }
    if (c == '"' || c == '\'' || c == '`') {
        return lex_quoted(job, token);
    }
    return lex_mark(job, token);
}

static uint32_t skip_spaces(const bst__job *job, uint32_t at) {
    while (at < job->len && strchr(" \t\r\n", job->text[at]) != NULL) {
        at++;
    }
    return at;
}

const bst__token *bst__lex(bst__job *job) {
    bst__token *tokens = bst_arena_array(job->scratch, (size_t)job->len + 1, sizeof *tokens);
    if (tokens == NULL) {
        bst__job_nomem(job);
        return NULL;
    }
    bst__token *token = tokens;
    for (uint32_t at = skip_spaces(job, 0); at < job->len; at = skip_spaces(job, at)) {
        token->offset = at;
        token->start = at;
        at = lex_one(job, token);
        if (at == 0) {
            return NULL;
        }
        token++;
    }
    *token = (bst__token){.kind = BST__TOKEN_END, .offset = job->len, .start = job->len};
    return tokens;
}
