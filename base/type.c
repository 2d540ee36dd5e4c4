/* The names of types: "decimal(12,2)", "text?", "enum(new,paid)". The reasons given here are whole
 * phrases, for a message that ends in them.
 */
#include "backstory/value.h"

#include <string.h>

#include <unistr.h>

#include "backstory/decimal.h"
#include "digits_private.h"

#define LENGTH_MAX 10485760 /* PostgreSQL's bound for varchar(n) and char(n) */

static const char *const names[] = {
#define X(name, text) text,
    BST_KIND_LIST(X)
#undef X
};

_Static_assert(sizeof names / sizeof *names == BST_KIND_COUNT, "a name for every kind");

/* What stands between the parentheses; `at` is NULL when there are none. */
typedef struct arguments {
    const char *at, *end;
} arguments;

static const char *skip_spaces(const char *at, const char *end) {
    while (at < end && *at == ' ')
        at++;
    return at;
}

static const char *trim_end(const char *at, const char *end) {
    while (end > at && end[-1] == ' ')
        end--;
    return end;
}

/* Reads a whole number up to `limit` with spaces around it; after it comes `stop` or the end. */
static bool read_number(arguments *from, char stop, uint32_t limit, uint32_t *ret) {
    uint32_t value = 0;
    const char *at = skip_spaces(from->at, from->end);
    const char *const start = at;
    for (; at < from->end && bst__is_digit(*at) && value <= limit; at++)
        value = value * 10 + (uint32_t)(*at - '0');
    if (at == start || value > limit)
        return false;
    at = skip_spaces(at, from->end);
    if (at < from->end && *at++ != stop)
        return false;
    from->at = at;
    *ret = value;
    return true;
}

static const char *read_decimal(arguments from, bst_type *type) {
    uint32_t precision, scale = 0;
    if (!from.at)
        return "decimal needs a precision, as in decimal(12,2)";
    if (!read_number(&from, ',', 1000, &precision) || precision < 1 ||
        precision > BST_DECIMAL_DIGITS_MAX)
        return "the precision of a decimal must be 1 to 18";
    if ((from.end[-1] == ',' || from.at < from.end) &&
        (!read_number(&from, '\0', 1000, &scale) || scale > precision))
        return "the scale of a decimal must be 0 to its precision";
    type->precision = (uint8_t)precision;
    type->scale = (uint8_t)scale;
    return NULL;
}

static const char *read_length(arguments from, bst_type *type) {
    if (!from.at) {
        type->length = type->kind == BST_KIND_CHAR ? 1 : 0;
        return NULL;
    }
    if (!read_number(&from, '\0', LENGTH_MAX, &type->length) || type->length < 1)
        return "the length must be 1 to 10485760";
    return NULL;
}

static const char *keep_member(const char *at, const char *end, bst_arena *arena, const char **list,
                               uint32_t *count) {
    at = skip_spaces(at, end);
    end = trim_end(at, end);
    if (at == end)
        return "an enum member must not be empty";
    if (u8_check((const uint8_t *)at, (size_t)(end - at)))
        return "an enum member must be UTF-8";
    const char *const name = bst_arena_strndup(arena, at, (size_t)(end - at));
    if (!name)
        return "out of memory";
    for (uint32_t i = 0; i < *count; i++) {
        if (strcmp(list[i], name) == 0)
            return "an enum member is named twice";
    }
    list[(*count)++] = name;
    return NULL;
}

static const char *read_members(arguments from, bst_arena *arena, bst_type *type) {
    if (!from.at)
        return "enum needs its members, as in enum(new,paid)";
    size_t most = 1;
    for (const char *at = from.at; at < from.end; at++)
        most += *at == ',';
    const char **const list = bst_arena_array(arena, most, sizeof *list);
    if (!list)
        return "out of memory";
    for (const char *at = from.at;;) {
        const char *comma = memchr(at, ',', (size_t)(from.end - at));
        const char *const end = comma ? comma : from.end;
        const char *const wrong = keep_member(at, end, arena, list, &type->member_count);
        if (wrong)
            return wrong;
        if (!comma)
            break;
        at = comma + 1;
    }
    type->members = list;
    return NULL;
}

static bool find_kind(const char *at, const char *end, bst_kind *ret) {
    for (size_t i = 0; i < BST_KIND_COUNT; i++) {
        if (strlen(names[i]) == (size_t)(end - at) && memcmp(names[i], at, strlen(names[i])) == 0) {
            *ret = (bst_kind)i;
            return true;
        }
    }
    return false;
}

static const char *read_arguments(arguments from, bst_arena *arena, bst_type *type) {
    switch (type->kind) {
    case BST_KIND_DECIMAL:
        return read_decimal(from, type);
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
        return read_length(from, type);
    case BST_KIND_ENUM:
        return read_members(from, arena, type);
    default:
        return from.at ? "this type takes nothing in parentheses" : NULL;
    }
}

bool bst_type_parse(const char *text, bst_arena *arena, bst_type *ret_type, const char **reterr) {
    const char *const start = skip_spaces(text, text + strlen(text));
    const char *end = trim_end(start, text + strlen(text));
    bst_type type = {0};
    if (end > start && end[-1] == '?') {
        type.optional = true;
        end = trim_end(start, end - 1);
    }
    arguments from = {NULL, NULL};
    const char *name_end = end;
    const char *const open = memchr(start, '(', (size_t)(end - start));
    if (open && end[-1] == ')') {
        from = (arguments){open + 1, end - 1};
        name_end = trim_end(start, open);
    }
    const char *wrong = open && !from.at ? "a parenthesis is not closed" : NULL;
    if (!wrong && !find_kind(start, name_end, &type.kind))
        wrong = "unknown type";
    if (!wrong)
        wrong = read_arguments(from, arena, &type);
    if (wrong) {
        *reterr = wrong;
        return false;
    }
    *ret_type = type;
    return true;
}

void bst_type_format(const bst_type *type, bst_strbuf *out) {
    bst_strbuf_adds(out, names[type->kind]);
    if (type->kind == BST_KIND_DECIMAL) {
        bst_strbuf_addf(out, "(%u,%u)", (unsigned)type->precision, (unsigned)type->scale);
    } else if (type->kind == BST_KIND_ENUM) {
        for (uint32_t i = 0; i < type->member_count; i++) {
            bst_strbuf_addc(out, i == 0 ? '(' : ',');
            bst_strbuf_adds(out, type->members[i]);
        }
        bst_strbuf_addc(out, ')');
    } else if (type->length > 0) {
        bst_strbuf_addf(out, "(%u)", (unsigned)type->length);
    }
    if (type->optional)
        bst_strbuf_addc(out, '?');
}

bool bst_type_equal(const bst_type *a, const bst_type *b) {
    if (a->kind != b->kind || a->optional != b->optional || a->precision != b->precision ||
        a->scale != b->scale || a->length != b->length || a->member_count != b->member_count)
        return false;
    for (uint32_t i = 0; i < a->member_count; i++) {
        if (strcmp(a->members[i], b->members[i]) != 0)
            return false;
    }
    return true;
}

const char *const *bst_type_names(size_t *ret_count) {
    *ret_count = BST_KIND_COUNT;
    return names;
}
