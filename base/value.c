/* Values: read from text and from JSON, written as both, compared.
 *
 * Each kind has a reader of its own, chosen by a table; millions of values pass through here, so
 * the readers copy nothing that they can point at. What JSON needs beyond its text (is it valid,
 * are two the same) is json_value.c's.
 */
#include "backstory/value.h"

#include <string.h>

#include <unistr.h>

#include "backstory/decimal.h"
#include "backstory/digest.h"
#include "backstory/timestamp.h"
#include "digits_private.h"
#include "value_private.h"

static const char hex[] = "0123456789abcdef";

const char *bst_value_result_text(bst_value_result result) {
    switch (result) {
    case BST_VALUE_OK:
        return "is valid";
    case BST_VALUE_SYNTAX:
        return "does not have the form of its type";
    case BST_VALUE_RANGE:
        return "is out of range";
    case BST_VALUE_INEXACT:
        return "has more digits than its type can hold";
    case BST_VALUE_ZONE:
        return "names no time zone, and cannot be placed without one";
    case BST_VALUE_NULL:
        return "is null, and its type is not optional";
    case BST_VALUE_NOMEM:
        return "does not fit into memory";
    }
    return "is not valid";
}

/* A text that is being read as a value of some type. */
typedef struct input {
    const bst_type *type;
    const char *text;
    size_t len;
    bst_arena *arena;
} input;

static bst_value_result give_int(int64_t i, bst_value *ret) {
    *ret = (bst_value){.present = true, .u = {.i = i}};
    return BST_VALUE_OK;
}

static bst_value_result give_text(const char *text, size_t len, bst_value *ret) {
    if (len > UINT32_MAX)
        return BST_VALUE_RANGE;
    *ret = (bst_value){.present = true, .len = (uint32_t)len, .u = {.text = text}};
    return BST_VALUE_OK;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

static bst_value_result read_bool(const input *in, bst_value *ret) {
    /* PostgreSQL takes each of these words, and what they start with as long as it is clear. */
    static const struct word {
        const char *text;
        size_t least;
        int value;
    } words[] = {{"true", 1, 1}, {"false", 1, 0}, {"1", 1, 1},  {"0", 1, 0},
                 {"yes", 1, 1},  {"no", 1, 0},    {"on", 2, 1}, {"off", 2, 0}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *const word = words[i].text;
        size_t same = 0;
        while (same < in->len && word[same] != '\0' && lower(in->text[same]) == word[same])
            same++;
        if (same == in->len && same >= words[i].least)
            return give_int(words[i].value, ret);
    }
    return BST_VALUE_SYNTAX;
}

static bst_value_result read_int_within(const input *in, int64_t least, int64_t most,
                                        bst_value *ret) {
    const char *at = in->text;
    const char *const end = at + in->len;
    const bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (at == end)
        return BST_VALUE_SYNTAX;
    const uint64_t bound = negative ? bst__magnitude(least) : (uint64_t)most;
    uint64_t magnitude = 0;
    bool fits = true;
    for (; at < end; at++) {
        if (!bst__is_digit(*at))
            return BST_VALUE_SYNTAX;
        const uint64_t digit = (uint64_t)(*at - '0');
        fits = fits && magnitude <= (bound - digit) / 10;
        magnitude = magnitude * 10 + digit;
    }
    if (!fits)
        return BST_VALUE_RANGE;
    return give_int((int64_t)(negative ? 0 - magnitude : magnitude), ret);
}

static bst_value_result read_int2(const input *in, bst_value *ret) {
    return read_int_within(in, INT16_MIN, INT16_MAX, ret);
}

static bst_value_result read_int4(const input *in, bst_value *ret) {
    return read_int_within(in, INT32_MIN, INT32_MAX, ret);
}

static bst_value_result read_int8(const input *in, bst_value *ret) {
    return read_int_within(in, INT64_MIN, INT64_MAX, ret);
}

static bst_value_result of_decimal(bst_decimal_result result) {
    static const bst_value_result results[] = {[BST_DECIMAL_OK] = BST_VALUE_OK,
                                               [BST_DECIMAL_SYNTAX] = BST_VALUE_SYNTAX,
                                               [BST_DECIMAL_OVERFLOW] = BST_VALUE_RANGE,
                                               [BST_DECIMAL_INEXACT] = BST_VALUE_INEXACT};
    return results[result];
}

static bst_value_result of_time(bst_time_result result) {
    static const bst_value_result results[] = {
        [BST_TIME_OK] = BST_VALUE_OK,        [BST_TIME_SYNTAX] = BST_VALUE_SYNTAX,
        [BST_TIME_RANGE] = BST_VALUE_RANGE,  [BST_TIME_INEXACT] = BST_VALUE_INEXACT,
        [BST_TIME_NO_ZONE] = BST_VALUE_ZONE, [BST_TIME_GAP] = BST_VALUE_ZONE,
        [BST_TIME_OVERLAP] = BST_VALUE_ZONE};
    return results[result];
}

static bst_value_result read_decimal(const input *in, bst_value *ret) {
    int64_t units = 0;
    const bst_value_result result = of_decimal(
        bst_decimal_parse(in->text, in->len, in->type->precision, in->type->scale, &units));
    return result == BST_VALUE_OK ? give_int(units, ret) : result;
}

/* How many bytes at the start are ASCII, and not NUL: mostly all of them. */
static size_t ascii_len(const char *text, size_t len) {
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    size_t at = 0;
    for (uint64_t eight; len - at >= sizeof eight; at += sizeof eight) {
        memcpy(&eight, text + at, sizeof eight);
        if ((eight | (eight - ones)) & highs)
            break;
    }
    while (at < len && text[at] > 0 && (unsigned char)text[at] < 0x80)
        at++;
    return at;
}

bool bst_text_is_valid(const char *text, size_t len) {
    const size_t ascii = ascii_len(text, len);
    return ascii == len || (!memchr(text + ascii, '\0', len - ascii) &&
                            !u8_check((const uint8_t *)text + ascii, len - ascii));
}

static bst_value_result read_text(const input *in, bst_value *ret) {
    return bst_text_is_valid(in->text, in->len) ? give_text(in->text, in->len, ret)
                                                : BST_VALUE_SYNTAX;
}

/* A text with more bytes than the bound must have its characters counted; most have fewer. */
static bool is_too_long(const input *in, size_t len) {
    const uint32_t bound = in->type->length;
    return bound > 0 && len > bound && u8_mbsnlen((const uint8_t *)in->text, len) > bound;
}

static bst_value_result read_varchar(const input *in, bst_value *ret) {
    if (!bst_text_is_valid(in->text, in->len))
        return BST_VALUE_SYNTAX;
    return is_too_long(in, in->len) ? BST_VALUE_RANGE : give_text(in->text, in->len, ret);
}

static bst_value_result read_char(const input *in, bst_value *ret) {
    size_t len = in->len;
    while (len > 0 && in->text[len - 1] == ' ')
        len--;
    if (!bst_text_is_valid(in->text, len))
        return BST_VALUE_SYNTAX;
    return is_too_long(in, len) ? BST_VALUE_RANGE : give_text(in->text, len, ret);
}

static int hex_digit(char c) {
    if (bst__is_digit(c))
        return c - '0';
    const char letter = lower(c);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* As PostgreSQL: in braces or not, and a hyphen may follow each group of four digits. */
static bst_value_result read_uuid(const input *in, bst_value *ret) {
    const char *at = in->text;
    const char *end = at + in->len;
    if (in->len >= 2 && *at == '{') {
        if (end[-1] != '}')
            return BST_VALUE_SYNTAX;
        at++, end--;
    }
    bst_value value = {.present = true};
    for (int i = 0; i < 16; i++) {
        const int high = end - at >= 2 ? hex_digit(at[0]) : -1;
        const int low = high >= 0 ? hex_digit(at[1]) : -1;
        if (low < 0)
            return BST_VALUE_SYNTAX;
        value.u.uuid[i] = (uint8_t)(high << 4 | low);
        at += 2;
        if (i % 2 == 1 && i < 15 && at < end && *at == '-')
            at++;
    }
    if (at != end)
        return BST_VALUE_SYNTAX;
    *ret = value;
    return BST_VALUE_OK;
}

static bst_value_result read_date(const input *in, bst_value *ret) {
    int32_t days = 0;
    const bst_value_result result = of_time(bst_date_parse(in->text, in->len, &days));
    return result == BST_VALUE_OK ? give_int(days, ret) : result;
}

static bst_value_result read_timestamptz(const input *in, bst_value *ret) {
    int64_t time = 0;
    const bst_value_result result = of_time(bst_time_parse(in->text, in->len, NULL, &time));
    return result == BST_VALUE_OK ? give_int(time, ret) : result;
}

static bst_value_result read_duration(const input *in, bst_value *ret) {
    int64_t us = 0;
    const bst_value_result result = of_time(bst_duration_parse(in->text, in->len, &us));
    return result == BST_VALUE_OK ? give_int(us, ret) : result;
}

static bst_value_result read_bytea(const input *in, bst_value *ret) {
    if (in->len < 2 || in->len % 2 != 0 || memcmp(in->text, "\\x", 2) != 0)
        return BST_VALUE_SYNTAX;
    const size_t count = in->len / 2 - 1;
    const char *at = in->text + 2;
    uint8_t *const bytes = bst_arena_alloc(in->arena, count);
    if (!bytes)
        return BST_VALUE_NOMEM;
    for (size_t i = 0; i < count; i++, at += 2) {
        const int high = hex_digit(at[0]), low = hex_digit(at[1]);
        if (high < 0 || low < 0)
            return BST_VALUE_SYNTAX;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return give_text((const char *)bytes, count, ret);
}

static bst_value_result read_json(const input *in, bst_value *ret) {
    const bst_value_result result = bst__json_value_check(in->text, in->len);
    return result == BST_VALUE_OK ? give_text(in->text, in->len, ret) : result;
}

static bst_value_result read_enum(const input *in, bst_value *ret) {
    for (uint32_t i = 0; i < in->type->member_count; i++) {
        const char *const member = in->type->members[i];
        if (strncmp(member, in->text, in->len) == 0 && member[in->len] == '\0')
            return give_int(i, ret);
    }
    return BST_VALUE_RANGE;
}

static bst_value_result (*const readers[])(const input *in, bst_value *ret) = {
    [BST_KIND_BOOL] = read_bool,
    [BST_KIND_INT2] = read_int2,
    [BST_KIND_INT4] = read_int4,
    [BST_KIND_INT8] = read_int8,
    [BST_KIND_DECIMAL] = read_decimal,
    [BST_KIND_TEXT] = read_text,
    [BST_KIND_VARCHAR] = read_varchar,
    [BST_KIND_CHAR] = read_char,
    [BST_KIND_UUID] = read_uuid,
    [BST_KIND_DATE] = read_date,
    [BST_KIND_TIMESTAMPTZ] = read_timestamptz,
    [BST_KIND_DURATION] = read_duration,
    [BST_KIND_BYTEA] = read_bytea,
    [BST_KIND_JSON] = read_json,
    [BST_KIND_ENUM] = read_enum,
};

_Static_assert(sizeof readers / sizeof *readers == BST_KIND_COUNT, "a reader for every kind");

bst_value_result bst_value_parse(const bst_type *type, const char *text, size_t len,
                                 bst_arena *arena, bst_value *ret) {
    const input in = {type, text, len, arena};
    return readers[type->kind](&in, ret);
}

static bst_value_result int_from_json(const bst_type *type, const json_t *json, bst_value *ret) {
    const int64_t i = json_integer_value(json);
    switch (type->kind) {
    case BST_KIND_INT2:
        return i >= INT16_MIN && i <= INT16_MAX ? give_int(i, ret) : BST_VALUE_RANGE;
    case BST_KIND_INT4:
        return i >= INT32_MIN && i <= INT32_MAX ? give_int(i, ret) : BST_VALUE_RANGE;
    case BST_KIND_INT8:
        return give_int(i, ret);
    case BST_KIND_DECIMAL: {
        int64_t units = 0;
        const bst_value_result result =
            of_decimal(bst_decimal_rescale(i, 0, type->scale, type->precision, &units));
        return result == BST_VALUE_OK ? give_int(units, ret) : result;
    }
    default:
        return BST_VALUE_SYNTAX;
    }
}

bst_value_result bst_value_from_json(const bst_type *type, const json_t *json, bst_arena *arena,
                                     bst_value *ret) {
    if (json_is_null(json) && (type->optional || type->kind != BST_KIND_JSON)) {
        *ret = BST_ABSENT;
        return type->optional ? BST_VALUE_OK : BST_VALUE_NULL;
    }
    if (type->kind == BST_KIND_JSON) {
        size_t len = 0;
        const char *const text = bst__json_value_dump(json, arena, &len);
        return text ? give_text(text, len, ret) : BST_VALUE_NOMEM;
    }
    if (type->kind == BST_KIND_BOOL)
        return json_is_boolean(json) ? give_int(json_is_true(json), ret) : BST_VALUE_SYNTAX;
    if (json_is_integer(json))
        return int_from_json(type, json, ret);
    if (!json_is_string(json) || type->kind == BST_KIND_INT2 || type->kind == BST_KIND_INT4)
        return BST_VALUE_SYNTAX;
    return bst_value_parse(type, json_string_value(json), json_string_length(json), arena, ret);
}

static void add_hex(const bst_value *value, bst_strbuf *out) {
    for (uint32_t i = 0; i < value->len; i++) {
        const unsigned char byte = (unsigned char)value->u.text[i];
        const char pair[] = {hex[byte >> 4], hex[byte & 15]};
        bst_strbuf_add(out, pair, sizeof pair);
    }
}

_Static_assert(BST_TIME_TEXT_MAX >= BST_UUID_TEXT && BST_TIME_TEXT_MAX >= BST_DECIMAL_TEXT_MAX,
               "one buffer holds the text of every kind without text of its own");

/* Kinds whose text is short and made of harmless characters; 0 for the others. */
static size_t format_short(const bst_type *type, const bst_value *value,
                           char out[BST_TIME_TEXT_MAX]) {
    switch (type->kind) {
    case BST_KIND_DECIMAL:
        return bst_decimal_format(value->u.i, type->scale, out);
    case BST_KIND_UUID:
        bst_uuid_format(value->u.uuid, out);
        return BST_UUID_TEXT - 1;
    case BST_KIND_DATE:
        return bst_date_format((int32_t)value->u.i, out);
    case BST_KIND_TIMESTAMPTZ:
        return bst_time_format(value->u.i, out);
    case BST_KIND_DURATION:
        return bst_duration_format(value->u.i, out);
    default:
        return 0;
    }
}

static void add_short(const bst_type *type, const bst_value *value, bst_strbuf *out) {
    char *at = bst_strbuf_room(out, BST_TIME_TEXT_MAX + 2);
    if (!at)
        return;
    *at++ = '"';
    at += format_short(type, value, at);
    *at++ = '"';
    bst_strbuf_took(out, at);
}

void bst_value_to_json(const bst_type *type, const bst_value *value, bst_strbuf *out) {
    if (!value->present) {
        bst_strbuf_add(out, "null", 4);
        return;
    }
    switch (type->kind) {
    case BST_KIND_BOOL:
        bst_strbuf_adds(out, value->u.i ? "true" : "false");
        break;
    case BST_KIND_INT2:
    case BST_KIND_INT4:
        bst_strbuf_add_int(out, value->u.i);
        break;
    case BST_KIND_INT8:
        bst_strbuf_addc(out, '"');
        bst_strbuf_add_int(out, value->u.i);
        bst_strbuf_addc(out, '"');
        break;
    case BST_KIND_TEXT:
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
        bst_strbuf_add_json(out, value->u.text, value->len);
        break;
    case BST_KIND_BYTEA:
        bst_strbuf_adds(out, "\"\\\\x");
        add_hex(value, out);
        bst_strbuf_addc(out, '"');
        break;
    case BST_KIND_JSON:
        bst__json_value_add(value->u.text, value->len, out);
        break;
    case BST_KIND_ENUM: {
        const char *const member = type->members[value->u.i];
        bst_strbuf_add_json(out, member, strlen(member));
        break;
    }
    default:
        add_short(type, value, out);
        break;
    }
}

void bst_value_to_text(const bst_type *type, const bst_value *value, bst_strbuf *out) {
    char buffer[BST_TIME_TEXT_MAX];
    if (!value->present)
        return;
    switch (type->kind) {
    case BST_KIND_BOOL:
        bst_strbuf_adds(out, value->u.i ? "true" : "false");
        break;
    case BST_KIND_INT2:
    case BST_KIND_INT4:
    case BST_KIND_INT8:
        bst_strbuf_add_int(out, value->u.i);
        break;
    case BST_KIND_TEXT:
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
    case BST_KIND_JSON:
        bst_strbuf_add(out, value->u.text, value->len);
        break;
    case BST_KIND_BYTEA:
        bst_strbuf_adds(out, "\\x");
        add_hex(value, out);
        break;
    case BST_KIND_ENUM:
        bst_strbuf_adds(out, type->members[value->u.i]);
        break;
    default:
        bst_strbuf_add(out, buffer, format_short(type, value, buffer));
        break;
    }
}

static bool is_in_text(bst_kind kind) {
    const unsigned kinds = 1u << BST_KIND_TEXT | 1u << BST_KIND_VARCHAR | 1u << BST_KIND_CHAR |
                           1u << BST_KIND_BYTEA | 1u << BST_KIND_JSON;
    return kinds >> kind & 1;
}

static int compare_bytes(const void *a, size_t a_len, const void *b, size_t b_len) {
    const size_t len = a_len < b_len ? a_len : b_len;
    const int order = len > 0 ? memcmp(a, b, len) : 0;
    if (order != 0)
        return order < 0 ? -1 : 1;
    return (a_len > b_len) - (a_len < b_len);
}

int bst_value_compare(const bst_type *type, const bst_value *a, const bst_value *b) {
    if (is_in_text(type->kind))
        return compare_bytes(a->u.text, a->len, b->u.text, b->len);
    if (type->kind == BST_KIND_UUID)
        return compare_bytes(a->u.uuid, 16, b->u.uuid, 16);
    return (a->u.i > b->u.i) - (a->u.i < b->u.i);
}

static bool same_bytes(const bst_type *type, const bst_value *a, const bst_value *b) {
    if (bst_value_compare(type, a, b) == 0)
        return true;
    return type->kind == BST_KIND_JSON &&
           bst__json_value_equal(a->u.text, a->len, b->u.text, b->len);
}

bool bst_value_equal(const bst_type *type, const bst_value *a, const bst_value *b) {
    if (!a->present || !b->present)
        return a->present == b->present;
    return is_in_text(type->kind) || type->kind == BST_KIND_UUID ? same_bytes(type, a, b)
                                                                 : a->u.i == b->u.i;
}

bool bst_value_copy(const bst_type *type, const bst_value *value, bst_arena *arena,
                    bst_value *ret) {
    bst_value copy = *value;
    if (value->present && is_in_text(type->kind)) {
        copy.u.text = bst_arena_strndup(arena, value->u.text, value->len);
        if (!copy.u.text)
            return false;
    }
    *ret = copy;
    return true;
}
