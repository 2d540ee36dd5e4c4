/* Constants as C. */
#include "emit_c_expr_private.h"

#include <string.h>

void bst__c_put_int(int64_t value, bst_strbuf *out) {
    if (value == INT64_MIN) {
        bst_strbuf_adds(out, "INT64_MIN");
    } else if (value > INT32_MAX || value < -INT32_MAX) {
        bst_strbuf_adds(out, value < 0 ? "-INT64_C(" : "INT64_C(");
        bst_strbuf_add_int(out, value < 0 ? -value : value);
        bst_strbuf_addc(out, ')');
    } else {
        bst_strbuf_add_int(out, value);
    }
}

int64_t bst__c_power_of_ten(int exponent) {
    int64_t power = 1;
    for (int i = 0; i < exponent; i++) {
        power *= 10;
    }
    return power;
}

static void put_uuid(bst__c_scope *s, const uint8_t bytes[16], bool initializer, bst_strbuf *out) {
    static const uint8_t zero[16];
    if (initializer && memcmp(bytes, zero, sizeof zero) == 0) {
        bst_strbuf_adds(out, "{{0}}");
        return;
    }
    if (initializer) {
        bst_strbuf_adds(out, "{{");
        for (int i = 0; i < 16; i++) {
            bst_strbuf_addf(out, "%s0x%02x", i == 0 ? "" : ", ", (unsigned)bytes[i]);
        }
        bst_strbuf_adds(out, "}}");
        return;
    }
    bst_strbuf_addf(out, "%s(\"", bst__c_use_helper(s, BST__C_HELPER_UUID));
    for (int i = 0; i < 16; i++) {
        bst_strbuf_addf(out, "\\x%02x", (unsigned)bytes[i]);
    }
    bst_strbuf_adds(out, "\")");
}

static const bst__c_enum *enum_of(const bst__c *c, const bst_type *type) {
    for (uint32_t i = 0; i < c->enum_count; i++) {
        bst_type known = *c->enums[i].type;
        known.optional = type->optional;
        if (bst_type_equal(&known, type)) {
            return &c->enums[i];
        }
    }
    return NULL;
}

void bst__c_constant(bst__c_scope *s, const bst_type *type, const bst_value *value,
                     bool initializer, bst_strbuf *out) {
    const bst__c_enum *enumeration = NULL;
    switch (type->kind) {
    case BST_KIND_BOOL:
        bst_strbuf_adds(out, value->u.i != 0 ? "true" : "false");
        return;
    case BST_KIND_ENUM:
        enumeration = enum_of(s->c, type);
        bst_strbuf_adds(out, enumeration ? enumeration->constants[value->u.i] : "0");
        return;
    case BST_KIND_UUID:
        put_uuid(s, value->u.uuid, initializer, out);
        return;
    case BST_KIND_TEXT:
    case BST_KIND_VARCHAR:
    case BST_KIND_CHAR:
    case BST_KIND_BYTEA:
    case BST_KIND_JSON:
        bst_strbuf_adds(out, initializer ? "{" : bst__c_use_helper(s, BST__C_HELPER_TEXT));
        bst_strbuf_adds(out, initializer ? "" : "(");
        bst__c_add_literal(out, value->u.text, value->len, type->kind == BST_KIND_BYTEA);
        bst_strbuf_addf(out, ", %u%s", (unsigned)value->len, initializer ? "}" : ")");
        return;
    default:
        bst__c_put_int(value->u.i, out);
        return;
    }
}

void bst__c_zero(bst__c_scope *s, const bst_type *type, bool initializer, bst_strbuf *out) {
    const bst_value zero = {.present = true};
    const bst_value nothing = {.present = true, .u.text = ""};
    bst__c_constant(s, type, bst__c_is_text(type->kind) ? &nothing : &zero, initializer, out);
}
