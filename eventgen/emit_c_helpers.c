/* The helpers that generated expressions call, as text. Each is written only where it is used; none
 * of them needs more than <stdint.h>, except that texts are compared with memcmp().
 *
 * Checked arithmetic takes the compiler's builtins where there are any. The other way is plain C;
 * define BACKSTORY_PLAIN_C to have it everywhere (our tests do, to run both).
 */
#include "emit_c_expr_private.h"

static const char add_text[] =
    "static inline int64_t add(int64_t a, int64_t b, bool *overflow) {\n"
    "    int64_t sum = 0;\n"
    "#ifdef USE_BUILTINS\n"
    "    const bool fits = !__builtin_add_overflow(a, b, &sum);\n"
    "#else\n"
    "    const bool fits = b >= 0 ? a <= INT64_MAX - b : a >= INT64_MIN - b;\n"
    "    if (fits) {\n"
    "        sum = a + b;\n"
    "    }\n"
    "#endif\n"
    "    if (!fits) {\n"
    "        *overflow = true;\n"
    "        return 0;\n"
    "    }\n"
    "    return sum;\n"
    "}\n";

static const char subtract_text[] =
    "static inline int64_t subtract(int64_t a, int64_t b, bool *overflow) {\n"
    "    int64_t difference = 0;\n"
    "#ifdef USE_BUILTINS\n"
    "    const bool fits = !__builtin_sub_overflow(a, b, &difference);\n"
    "#else\n"
    "    const bool fits = b >= 0 ? a >= INT64_MIN + b : a <= INT64_MAX + b;\n"
    "    if (fits) {\n"
    "        difference = a - b;\n"
    "    }\n"
    "#endif\n"
    "    if (!fits) {\n"
    "        *overflow = true;\n"
    "        return 0;\n"
    "    }\n"
    "    return difference;\n"
    "}\n";

static const char multiply_text[] =
    "static inline int64_t multiply(int64_t a, int64_t b, bool *overflow) {\n"
    "    int64_t product = 0;\n"
    "#ifdef USE_BUILTINS\n"
    "    const bool fits = !__builtin_mul_overflow(a, b, &product);\n"
    "#else\n"
    "    bool fits = true;\n"
    "    if (a > 0) {\n"
    "        fits = b > 0 ? a <= INT64_MAX / b : b >= INT64_MIN / a;\n"
    "    } else if (a < 0) {\n"
    "        fits = b > 0 ? a >= INT64_MIN / b : b >= INT64_MAX / a;\n"
    "    }\n"
    "    if (fits) {\n"
    "        product = a * b;\n"
    "    }\n"
    "#endif\n"
    "    if (!fits) {\n"
    "        *overflow = true;\n"
    "        return 0;\n"
    "    }\n"
    "    return product;\n"
    "}\n";

static const char within_text[] =
    "static inline int64_t within(int64_t value, int64_t min, int64_t max, bool *overflow) {\n"
    "    if (value < min || value > max) {\n"
    "        *overflow = true;\n"
    "        return 0;\n"
    "    }\n"
    "    return value;\n"
    "}\n";

static const char bounded_text[] =
    "static inline int64_t bounded(int64_t value, int64_t most, bool *overflow) {\n"
    "    if (value < -most || value > most) {\n"
    "        *overflow = true;\n"
    "        return 0;\n"
    "    }\n"
    "    return value;\n"
    "}\n";

/* The digits of a decimal, and of what is calculated with decimals. */
static const char add_decimal_text[] =
    "static inline int64_t add_decimal(int64_t a, int64_t b, bool *overflow) {\n"
    "    return bounded(add(a, b, overflow), INT64_C(999999999999999999), overflow);\n"
    "}\n";

static const char subtract_decimal_text[] =
    "static inline int64_t subtract_decimal(int64_t a, int64_t b, bool *overflow) {\n"
    "    return bounded(subtract(a, b, overflow), INT64_C(999999999999999999), overflow);\n"
    "}\n";

static const char multiply_decimal_text[] =
    "static inline int64_t multiply_decimal(int64_t a, int64_t b, bool *overflow) {\n"
    "    return bounded(multiply(a, b, overflow), INT64_C(999999999999999999), overflow);\n"
    "}\n";

static const char compare_scaled_text[] =
    "/* The sign of a * factor - b, where that product may not fit. */\n"
    "static inline int compare_scaled(int64_t a, int64_t factor, int64_t b) {\n"
    "    const int64_t whole = b / factor;\n"
    "    const int64_t rest = b % factor;\n"
    "    if (a != whole) {\n"
    "        return a < whole ? -1 : 1;\n"
    "    }\n"
    "    return (rest < 0) - (rest > 0);\n"
    "}\n";

static const char time_text[] =
    "/* A time that can be calculated with: not infinite, and in the range of a timestamptz. */\n"
    "static inline int64_t finite(int64_t time, bool *overflow) {\n"
    "    if (time < -INT64_C(211813488000000000) || time >= INT64_C(9223371331200000000)) {\n"
    "        *overflow = true;\n"
    "        return 0;\n"
    "    }\n"
    "    return time;\n"
    "}\n";

static const char text_text[] =
    "static inline struct backstory_text text(const char *ptr, uint32_t len) {\n"
    "    struct backstory_text t;\n"
    "    t.ptr = ptr;\n"
    "    t.len = len;\n"
    "    return t;\n"
    "}\n";

static const char compare_text_text[] =
    "static inline int compare_text(struct backstory_text a, struct backstory_text b) {\n"
    "    const uint32_t len = a.len < b.len ? a.len : b.len;\n"
    "    const int order = len == 0 ? 0 : memcmp(a.ptr, b.ptr, len);\n"
    "    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);\n"
    "}\n";

static const char same_text_text[] =
    "static inline bool same_text(struct backstory_text a, struct backstory_text b) {\n"
    "    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);\n"
    "}\n";

static const char starts_with_text[] =
    "static inline bool starts_with(struct backstory_text t, struct backstory_text start) {\n"
    "    return start.len == 0 || "
    "(start.len <= t.len && memcmp(t.ptr, start.ptr, start.len) == 0);\n"
    "}\n";

static const char ends_with_text[] =
    "static inline bool ends_with(struct backstory_text t, struct backstory_text end) {\n"
    "    return end.len == 0 ||\n"
    "           (end.len <= t.len && memcmp(t.ptr + (t.len - end.len), end.ptr, end.len) == 0);\n"
    "}\n";

static const char contains_text[] =
    "static inline bool contains(struct backstory_text t, struct backstory_text part) {\n"
    "    for (uint32_t i = 0; part.len != 0 && i < t.len && part.len <= t.len - i; i++) {\n"
    "        if (memcmp(t.ptr + i, part.ptr, part.len) == 0) {\n"
    "            return true;\n"
    "        }\n"
    "    }\n"
    "    return part.len == 0;\n"
    "}\n";

static const char characters_text[] =
    "/* Of UTF-8: the bytes that start one. */\n"
    "static inline int64_t characters(struct backstory_text t) {\n"
    "    int64_t count = 0;\n"
    "    for (uint32_t i = 0; i < t.len; i++) {\n"
    "        count += ((unsigned char)t.ptr[i] & 0xc0) != 0x80;\n"
    "    }\n"
    "    return count;\n"
    "}\n";

static const char stripped_text[] =
    "static inline struct backstory_text stripped(struct backstory_text t) {\n"
    "    while (t.len > 0 && t.ptr[t.len - 1] == ' ') {\n"
    "        t.len--;\n"
    "    }\n"
    "    return t;\n"
    "}\n";

static const char at_most_text[] =
    "static inline struct backstory_text at_most(struct backstory_text t, int64_t length,\n"
    "                                            bool *overflow) {\n"
    "    if (characters(t) > length) {\n"
    "        *overflow = true;\n"
    "        t.len = 0;\n"
    "    }\n"
    "    return t;\n"
    "}\n";

static const char uuid_text[] = "static inline struct backstory_uuid uuid(const char *bytes) {\n"
                                "    struct backstory_uuid u;\n"
                                "    for (int i = 0; i < 16; i++) {\n"
                                "        u.bytes[i] = (uint8_t)bytes[i];\n"
                                "    }\n"
                                "    return u;\n"
                                "}\n";

static const char same_uuid_text[] =
    "static inline bool same_uuid(struct backstory_uuid a, struct backstory_uuid b) {\n"
    "    int differences = 0;\n"
    "    for (int i = 0; i < 16; i++) {\n"
    "        differences |= a.bytes[i] ^ b.bytes[i];\n"
    "    }\n"
    "    return differences == 0;\n"
    "}\n";

static const char same_optional_text[] =
    "static inline bool same_optional(bool has_a, int64_t a, int64_t factor, "
    "bool has_b, int64_t b) {\n"
    "    return has_a == has_b && (!has_a || compare_scaled(a, factor, b) == 0);\n"
    "}\n";

static const char same_optional_text_text[] =
    "static inline bool same_optional_text(bool has_a, struct backstory_text a, bool has_b,\n"
    "                                      struct backstory_text b) {\n"
    "    return has_a == has_b && (!has_a || same_text(a, b));\n"
    "}\n";

static const char same_optional_uuid_text[] =
    "static inline bool same_optional_uuid(bool has_a, struct backstory_uuid a, bool has_b,\n"
    "                                      struct backstory_uuid b) {\n"
    "    return has_a == has_b && (!has_a || same_uuid(a, b));\n"
    "}\n";

static const char either_text[] = "/* Both are evaluated, unlike with ||. */\n"
                                  "static inline bool either(bool a, bool b) {\n"
                                  "    return a || b;\n"
                                  "}\n";

static const char known_text[] = "static inline bool known(bool has, bool *absent) {\n"
                                 "    if (!has) {\n"
                                 "        *absent = true;\n"
                                 "    }\n"
                                 "    return has;\n"
                                 "}\n";

#define BIT(name) (UINT32_C(1) << BST__C_HELPER_##name)

static const struct {
    const char *text;
    uint32_t needs;
} helpers_of[] = {
    [BST__C_HELPER_ADD] = {add_text, 0},
    [BST__C_HELPER_SUBTRACT] = {subtract_text, 0},
    [BST__C_HELPER_MULTIPLY] = {multiply_text, 0},
    [BST__C_HELPER_WITHIN] = {within_text, 0},
    [BST__C_HELPER_BOUNDED] = {bounded_text, 0},
    [BST__C_HELPER_ADD_DECIMAL] = {add_decimal_text, BIT(ADD) | BIT(BOUNDED)},
    [BST__C_HELPER_SUBTRACT_DECIMAL] = {subtract_decimal_text, BIT(SUBTRACT) | BIT(BOUNDED)},
    [BST__C_HELPER_MULTIPLY_DECIMAL] = {multiply_decimal_text, BIT(MULTIPLY) | BIT(BOUNDED)},
    [BST__C_HELPER_COMPARE_SCALED] = {compare_scaled_text, 0},
    [BST__C_HELPER_TIME] = {time_text, 0},
    [BST__C_HELPER_TEXT] = {text_text, 0},
    [BST__C_HELPER_COMPARE_TEXT] = {compare_text_text, 0},
    [BST__C_HELPER_SAME_TEXT] = {same_text_text, 0},
    [BST__C_HELPER_STARTS_WITH] = {starts_with_text, 0},
    [BST__C_HELPER_ENDS_WITH] = {ends_with_text, 0},
    [BST__C_HELPER_CONTAINS] = {contains_text, 0},
    [BST__C_HELPER_CHARACTERS] = {characters_text, 0},
    [BST__C_HELPER_STRIPPED] = {stripped_text, 0},
    [BST__C_HELPER_AT_MOST] = {at_most_text, BIT(CHARACTERS)},
    [BST__C_HELPER_UUID] = {uuid_text, 0},
    [BST__C_HELPER_SAME_UUID] = {same_uuid_text, 0},
    [BST__C_HELPER_SAME_OPTIONAL] = {same_optional_text, BIT(COMPARE_SCALED)},
    [BST__C_HELPER_SAME_OPTIONAL_TEXT] = {same_optional_text_text, BIT(SAME_TEXT)},
    [BST__C_HELPER_SAME_OPTIONAL_UUID] = {same_optional_uuid_text, BIT(SAME_UUID)},
    [BST__C_HELPER_EITHER] = {either_text, 0},
    [BST__C_HELPER_KNOWN] = {known_text, 0},
};
_Static_assert(sizeof helpers_of / sizeof helpers_of[0] == BST__C_HELPER_COUNT, "a text a helper");

bool bst__c_needs_memcmp(uint32_t helpers) {
    return (helpers & (BIT(COMPARE_TEXT) | BIT(SAME_TEXT) | BIT(STARTS_WITH) | BIT(ENDS_WITH) |
                       BIT(CONTAINS) | BIT(SAME_OPTIONAL_TEXT))) != 0;
}

void bst__c_add_helpers(uint32_t helpers, bst_strbuf *out) {
    const uint32_t arithmetic = BIT(ADD) | BIT(SUBTRACT) | BIT(MULTIPLY);
    for (int h = 0; h < BST__C_HELPER_COUNT; h++) {
        if (helpers >> h & 1) {
            helpers |= helpers_of[h].needs;
        }
    }
    if (helpers & (arithmetic | BIT(WITHIN) | BIT(BOUNDED) | BIT(TIME) | BIT(AT_MOST))) {
        bst_strbuf_adds(out, "/* Results that do not fit set *overflow, and are 0 then. */\n\n");
    }
    if (helpers & arithmetic) {
        bst_strbuf_adds(out, "#if defined(__GNUC__) && !defined(BACKSTORY_PLAIN_C)\n"
                             "#define USE_BUILTINS\n#endif\n\n");
    }
    for (int h = 0; h < BST__C_HELPER_COUNT; h++) {
        if (helpers >> h & 1) {
            bst_strbuf_addf(out, "%s\n", helpers_of[h].text);
        }
    }
}
