/* What is wrong with a text that is not JSON?
 *
 * jansson says where it gave up; a person wants to know what to change. So the text is read once
 * more, by a reader that knows the grammar and the usual mistakes: a comma too many, a comma too
 * few, comments, single quotes, words of other languages. It stops at the first mistake. Should it
 * find none (a number too large for jansson), jansson's own words are passed on.
 */
#include "json_private.h"

#include <stdarg.h>
#include <string.h>

#include "digits_private.h"

#define SHOWN_BYTES_MAX 40 /* of a wrong token in a message */

/* What the grammar allows next. */
typedef enum want {
    WANT_VALUE,
    WANT_ELEMENT_OR_END, /* after [ */
    WANT_KEY_OR_END,     /* after { */
    WANT_KEY,            /* after a comma in an object */
    WANT_COLON,
    WANT_COMMA_OR_END,
    WANT_END_OF_FILE
} want;

/* `kind` is the bracket, comma or colon itself; '"' a string, 'a' a word or number, 0 the end of
 * the file, '?' anything else. */
typedef struct token {
    char kind;
    size_t at, len;
} token;

typedef struct reader {
    const char *file, *text;
    size_t len, at;
    bst_diags *diags;
    want want;
    token before; /* the token read last */
    size_t depth;
    size_t opened[BST_JSON_DEPTH_MAX + 1]; /* where the brackets around are */
} reader;

static bst_loc loc_at(const reader *r, size_t at) {
    const bst__json_place place = bst__json_place_of(r->text, at);
    return (bst_loc){r->file, place.line, place.column};
}

/* Reports a mistake; false, for "there is nothing more to read". */
static bool mistake(const reader *r, size_t at, const char *hint, const char *format, ...)
    BST_PRINTF(4, 5);

static bool mistake(const reader *r, size_t at, const char *hint, const char *format, ...) {
    const bst_loc where = loc_at(r, at);
    bst_strbuf message = BST_STRBUF_INIT;
    va_list args;
    va_start(args, format);
    bst_strbuf_vaddf(&message, format, args);
    va_end(args);
    bst_diag_add(r->diags, BST_INVALID, BST_ERROR, "json-syntax", &where, "%s", message.text);
    if (hint)
        bst_diag_hint(r->diags, "%s", hint);
    bst_strbuf_release(&message);
    return false;
}

static bool is_word(char c) {
    return bst__is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '+' || c == '.' || c == '$' || (c & 0x80);
}

/* Whether \uXXXX stands here; the text ends in NUL, so looking at it stops in time. */
static bool is_unit(const char *at) {
    return at[0] == '\\' && at[1] == 'u' && strspn(at + 2, "0123456789abcdefABCDEF") >= 4;
}

/* Whether a \uXXXX is the first (89ab) or second (cdef) half of a surrogate pair. */
static bool is_half(const char *at, const char *digits) {
    return is_unit(at) && (at[2] | 0x20) == 'd' && strchr(digits, at[3]);
}

/* How many bytes the escape at `at` takes; 0 after a mistake. */
static size_t escape_size(const reader *r, size_t at) {
    const char *const text = r->text + at;
    if (text[1] != 'u') {
        if (text[1] != '\0' && strchr("\"\\/bfnrt", text[1]))
            return 2;
        mistake(r, at, "For a backslash itself write \\\\.", "unknown escape in a string");
        return 0;
    }
    const bool first = is_half(text, "89abAB");
    if (first && is_half(text + 6, "cdefCDEF"))
        return 12;
    if (!is_unit(text))
        mistake(r, at, NULL, "\\u must be followed by four hexadecimal digits");
    else if (first || is_half(text, "cdefCDEF"))
        mistake(r, at, NULL, "%.6s is half of a surrogate pair", text);
    else if (strncmp(text + 2, "0000", 4) == 0)
        mistake(r, at, NULL, "a string cannot hold the character \\u0000");
    else
        return 6;
    return 0;
}

/* Reads a string from its opening quote. */
static bool read_string(reader *r, token *ret) {
    const size_t start = r->at++;
    while (r->at < r->len && r->text[r->at] != '"') {
        const char c = r->text[r->at];
        if (c == '\n' || c == '\r')
            return mistake(r, start,
                           "Close it with a double quote; a line break in a string is written \\n.",
                           "string is not closed on its line");
        if ((unsigned char)c < 0x20)
            return mistake(r, r->at, c == '\t' ? "Write \\t." : "Write it as \\u00XX.",
                           "control character in a string");
        const size_t size = c == '\\' ? escape_size(r, r->at) : 1;
        if (size == 0)
            return false;
        r->at += size;
    }
    if (r->at >= r->len)
        return mistake(r, start, "Close it with a double quote.", "string is not closed");
    r->at++;
    *ret = (token){'"', start, r->at - start};
    return true;
}

static bool read_token(reader *r, token *ret) {
    r->at += strspn(r->text + r->at, " \t\r\n");
    const char c = r->text[r->at];
    if (r->at >= r->len) {
        *ret = (token){0, r->len, 0};
        return true;
    }
    if (c == '"')
        return read_string(r, ret);
    if (strchr("{}[],:", c)) {
        *ret = (token){c, r->at++, 1};
        return true;
    }
    size_t len = 0;
    while (r->at + len < r->len && is_word(r->text[r->at + len]))
        len++;
    *ret = (token){len > 0 ? 'a' : '?', r->at, len > 0 ? len : 1};
    r->at += ret->len;
    return true;
}

/* The number of digits at `at`. */
static size_t digits(const char *at, const char *end) {
    size_t count = 0;
    while (at + count < end && bst__is_digit(at[count]))
        count++;
    return count;
}

static bool is_number(const char *at, const char *end) {
    at += at < end && *at == '-';
    const size_t whole = digits(at, end);
    if (whole == 0 || (whole > 1 && *at == '0'))
        return false;
    at += whole;
    if (at < end && *at == '.') {
        const size_t fraction = digits(at + 1, end);
        if (fraction == 0)
            return false;
        at += 1 + fraction;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '-' || *at == '+');
        const size_t exponent = digits(at, end);
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return at == end;
}

static bool is_text(const reader *r, token t, const char *text) {
    return strlen(text) == t.len && memcmp(r->text + t.at, text, t.len) == 0;
}

static int shown(token t) {
    return (int)(t.len < SHOWN_BYTES_MAX ? t.len : SHOWN_BYTES_MAX);
}

/* A word or number where a value belongs. */
static bool check_word(const reader *r, token t) {
    const char *const at = r->text + t.at;
    if (is_text(r, t, "true") || is_text(r, t, "false") || is_text(r, t, "null") ||
        is_number(at, at + t.len))
        return true;
    if (bst__is_digit(*at) || strchr("+-.", *at))
        return mistake(r, t.at,
                       "No leading zeros or plus signs, digits on both sides of the point; "
                       "text goes in double quotes.",
                       "\"%.*s\" is not a JSON number", shown(t), at);
    static const char *const words[] = {"True", "False", "None", "NULL",     "Null",
                                        "TRUE", "FALSE", "nil",  "undefined"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is_text(r, t, words[i]))
            return mistake(r, t.at, "JSON writes true, false and null.",
                           "\"%s\" is not a JSON value", words[i]);
    }
    return mistake(r, t.at, "Put text in double quotes.", "\"%.*s\" is not a JSON value", shown(t),
                   at);
}

/* Mistakes that are the same wherever they stand. */
static bool check_stray(const reader *r, token t) {
    const char c = r->text[t.at];
    if (t.kind != '?')
        return true;
    if (c == '\'')
        return mistake(r, t.at, "Use double quotes.", "string in single quotes");
    if (c == '`')
        return mistake(r, t.at, "Use double quotes.", "string in backquotes");
    if (c == '#' || (c == '/' && strchr("/*", r->text[t.at + 1]) && r->text[t.at + 1] != '\0'))
        return mistake(r, t.at, "JSON has no comments: remove it.", "comment in a JSON file");
    if (c == ';')
        return mistake(r, t.at, "Items are separated by commas.", "semicolon in a JSON file");
    if ((unsigned char)c < 0x20 || c == 0x7F)
        return mistake(r, t.at, "Remove it.", "control character in a JSON file");
    return mistake(r, t.at, NULL, "unexpected character \"%c\"", c);
}

/* What the bracket around is, for a message. */
static char opening(const reader *r) {
    return r->text[r->opened[r->depth]];
}

static bool check_not_ended(const reader *r, token t) {
    if (t.kind != 0)
        return true;
    if (r->depth == 0)
        return mistake(r, t.at, NULL,
                       r->before.kind == 0 ? "file is empty" : "file ends too early");
    const bool object = opening(r) == '{';
    const bst_loc where = loc_at(r, r->opened[r->depth]);
    mistake(r, t.at, object ? "Close the object with }." : "Close the array with ].",
            "file ends inside an %s", object ? "object" : "array");
    bst_diag_also(r->diags, &where, "opened here");
    return false;
}

static bool open_bracket(reader *r, token t) {
    if (r->depth == BST_JSON_DEPTH_MAX)
        return false;
    r->opened[++r->depth] = t.at;
    r->want = t.kind == '{' ? WANT_KEY_OR_END : WANT_ELEMENT_OR_END;
    return true;
}

static bool close_bracket(reader *r, token t) {
    if (r->before.kind == ',')
        return mistake(r, r->before.at, "JSON allows no comma after the last item: remove it.",
                       "comma before a closing bracket");
    if (r->depth == 0)
        return mistake(r, t.at, "Remove it.", "\"%c\" closes nothing", t.kind);
    const char matching = opening(r) == '{' ? '}' : ']';
    if (t.kind != matching) {
        const bst_loc where = loc_at(r, r->opened[r->depth]);
        mistake(r, t.at, NULL, "\"%c\" where \"%c\" belongs", t.kind, matching);
        bst_diag_also(r->diags, &where, "\"%c\" was opened here", opening(r));
        return false;
    }
    r->depth--;
    r->want = r->depth > 0 ? WANT_COMMA_OR_END : WANT_END_OF_FILE;
    return true;
}

static bool take_value(reader *r, token t) {
    switch (t.kind) {
    case '{':
    case '[':
        return open_bracket(r, t);
    case '}':
    case ']': {
        if (r->want == WANT_VALUE && r->before.kind == ':')
            return mistake(r, t.at, "Write null where there is no value.",
                           "a value is missing after the colon");
        return close_bracket(r, t);
    }
    case ',':
        return mistake(r, t.at, NULL, "a value is missing before the comma");
    case ':':
        return mistake(r, t.at, NULL, "unexpected colon");
    case 'a':
        if (!check_word(r, t))
            return false;
        break;
    default:
        break;
    }
    r->want = r->depth > 0 ? WANT_COMMA_OR_END : WANT_END_OF_FILE;
    return true;
}

static bool take_key(reader *r, token t) {
    if (t.kind == '"') {
        r->want = WANT_COLON;
        return true;
    }
    if (t.kind == '}' || t.kind == ']')
        return close_bracket(r, t);
    if (t.kind == 'a')
        return mistake(r, t.at, "Put keys in double quotes.", "key \"%.*s\" is not in quotes",
                       shown(t), r->text + t.at);
    if (t.kind == ',')
        return mistake(r, t.at, "Remove one comma.", "a comma too many");
    return mistake(r, t.at, "An object holds \"key\": value pairs.", "a key is missing");
}

static bool take_comma(reader *r, token t) {
    if (t.kind == '}' || t.kind == ']')
        return close_bracket(r, t);
    if (t.kind == ',') {
        r->want = opening(r) == '{' ? WANT_KEY : WANT_VALUE;
        return true;
    }
    if (t.kind == ':' && opening(r) == '[')
        return mistake(r, t.at, "Use { } for \"key\": value pairs.", "colon in an array");
    return mistake(r, r->before.at + r->before.len, "Put a comma between the two items.",
                   "a comma is missing");
}

static bool take(reader *r, token t) {
    if (!check_stray(r, t))
        return false;
    if (r->want == WANT_END_OF_FILE) {
        if (t.kind == 0)
            return false;
        return mistake(r, t.at, "A file holds one JSON value.",
                       "text after the end of the JSON value");
    }
    if (!check_not_ended(r, t))
        return false;
    switch (r->want) {
    case WANT_KEY:
    case WANT_KEY_OR_END:
        return take_key(r, t);
    case WANT_COLON:
        if (t.kind != ':')
            return mistake(r, r->before.at + r->before.len, "Write \"key\": value.",
                           "a colon is missing after the key");
        r->want = WANT_VALUE;
        return true;
    case WANT_COMMA_OR_END:
        return take_comma(r, t);
    default:
        return take_value(r, t);
    }
}

void bst__json_explain(const char *file, const char *text, size_t len, const json_error_t *refused,
                       bst_diags *diags) {
    reader r = {.file = file, .text = text, .len = len, .diags = diags, .want = WANT_VALUE};
    const size_t known = bst_diags_count(diags) + bst_diags_dropped(diags);
    token next;
    while (read_token(&r, &next) && take(&r, next))
        r.before = next;
    if (diags && bst_diags_count(diags) + bst_diags_dropped(diags) > known)
        return;
    size_t at = refused->position > 0 ? (size_t)refused->position - 1 : 0;
    if (json_error_code(refused) != json_error_numeric_overflow) {
        mistake(&r, at < len ? at : len, NULL, "%s", refused->text);
        return;
    }
    while (at > 0 && is_word(text[at - 1]))
        at--;
    size_t size = 0;
    while (at + size < len && is_word(text[at + size]))
        size++;
    mistake(&r, at, "Write it as a string, in double quotes.", "number %.*s is too large",
            shown((token){'a', at, size}), text + at);
}
