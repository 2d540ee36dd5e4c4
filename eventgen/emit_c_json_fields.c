/* One payload in generated code's JSON: a line to write each field, and one to read it.
 */
#include "emit_c_json_private.h"

#include <string.h>

/* "from_units(event->amount, PAYMENT_AMOUNT_SCALE)" */
static const char *writer(bst__c_json *j, const bst__c_field *f, const char *from) {
    bst__c *c = j->c;
    bst__c_runtime *rt = &j->runtime;
    const char *value = bst__c_text(c, "%s->%s", from, f->member);
    switch (f->field->type.kind) {
    case BST_KIND_BOOL:
        return bst__c_text(c, "json_boolean(%s)", value);
    case BST_KIND_INT2:
    case BST_KIND_INT4:
        return bst__c_text(c, "json_integer(%s)", value);
    case BST_KIND_INT8:
        return bst__c_text(c, "%s(%s, 0)", bst__c_use(rt, "from_units"), value);
    case BST_KIND_DECIMAL:
        return bst__c_text(c, "%s(%s, %s)", bst__c_use(rt, "from_units"), value, f->scale);
    case BST_KIND_UUID:
        return bst__c_text(c, "%s(%s)", bst__c_use(rt, "from_uuid"), value);
    case BST_KIND_DATE:
        return bst__c_text(c, "%s(%s)", bst__c_use(rt, "from_date"), value);
    case BST_KIND_TIMESTAMPTZ:
        return bst__c_text(c, "%s(%s)", bst__c_use(rt, "from_time"), value);
    case BST_KIND_BYTEA:
        return bst__c_text(c, "%s(%s)", bst__c_use(rt, "from_bytes"), value);
    case BST_KIND_JSON:
        return bst__c_text(c, "%s(%s)", bst__c_use(rt, "from_document"), value);
    case BST_KIND_ENUM:
        return bst__c_text(c, "%s(%s(%s))", bst__c_use(rt, "from_name"), f->enumeration->name,
                           value);
    default:
        return bst__c_text(c, "%s(%s)", bst__c_use(rt, "from_text"), value);
    }
}

void bst__c_json_add_write(bst__c_json *j, const char *kind, const bst__c_record *record,
                           bst_strbuf *out) {
    bst__c *c = j->c;
    const char *head = bst__c_text(c, "write_%s_%s(const struct %s *%s) {", kind, record->suffix,
                                   record->tag, kind);
    const bool is_long = strlen("static json_t *") + strlen(head) > BST__C_COLUMNS;
    bst_strbuf_addf(out, "static json_t *%s%s\n", is_long ? "\n" : "", head);
    bst_strbuf_adds(out, "    json_t *data = json_object();\n");
    for (uint32_t i = 0; i < record->count; i++) {
        const bst__c_field *f = &record->fields[i];
        const char *const call[] = {"&data", bst__c_text(c, "\"%s\"", f->field->name),
                                    writer(j, f, kind)};
        if (f->has) {
            bst_strbuf_addf(out, "    if (%s->%s) {\n", kind, f->has);
        }
        bst__c_add_list(out, f->has ? 8 : 4, bst__c_text(c, "%s(", bst__c_use(&j->runtime, "put")),
                        call, 3, ");");
        bst_strbuf_adds(out, f->has ? "    }\n" : "");
    }
    bst_strbuf_adds(out, "    return data;\n}\n\n");
}

/* ---- reading ---- */

static const char *number(bst__c *c, int64_t value) {
    return value > INT32_MAX ? bst__c_text(c, "INT64_C(%lld)", (long long)value)
                             : bst__c_text(c, "%lld", (long long)value);
}

static int64_t most_units(unsigned precision) {
    int64_t most = 0;
    for (unsigned i = 0; i < precision; i++) {
        most = most * 10 + 9;
    }
    return most;
}

/* What reads a field's value: `head` value `tail`. */
typedef struct reader {
    const char *head, *tail;
} reader;

static reader reader_of(bst__c_json *j, const bst__c_field *f) {
    bst__c *c = j->c;
    bst__c_runtime *rt = &j->runtime;
    const bst_type *type = &f->field->type;
    switch (type->kind) {
    case BST_KIND_BOOL:
        return (reader){bst__c_use(rt, "to_bool"), ")"};
    case BST_KIND_INT2:
        return (reader){bst__c_text(c, "(int16_t)%s", bst__c_use(rt, "to_int")),
                        ", INT16_MIN, INT16_MAX)"};
    case BST_KIND_INT4:
        return (reader){bst__c_text(c, "(int32_t)%s", bst__c_use(rt, "to_int")),
                        ", INT32_MIN, INT32_MAX)"};
    case BST_KIND_INT8:
        return (reader){bst__c_use(rt, "to_units"), ", 0, INT64_MAX)"};
    case BST_KIND_DECIMAL:
        return (reader){
            bst__c_use(rt, "to_units"),
            bst__c_text(c, ", %s, %s)", f->scale, number(c, most_units(type->precision)))};
    case BST_KIND_UUID:
        return (reader){bst__c_use(rt, "to_uuid"), ")"};
    case BST_KIND_DATE:
        return (reader){bst__c_use(rt, "to_date"), ")"};
    case BST_KIND_TIMESTAMPTZ:
        return (reader){bst__c_use(rt, "to_time"), ")"};
    case BST_KIND_BYTEA:
        return (reader){bst__c_use(rt, "to_bytes"), ", keep)"};
    case BST_KIND_JSON:
        return (reader){bst__c_use(rt, "to_document"), ", keep)"};
    case BST_KIND_ENUM:
        return (reader){bst__c_text(c, "to_%s", f->enumeration->tag), ")"};
    case BST_KIND_CHAR:
        return (reader){bst__c_use(rt, "to_char"), bst__c_text(c, ", %u)", (unsigned)type->length)};
    default:
        return (reader){bst__c_use(rt, "to_text"), bst__c_text(c, ", %u)", (unsigned)type->length)};
    }
}

bool bst__c_json_makes_texts(const bst__c_record *record) {
    bool makes = false;
    for (uint32_t i = 0; i < record->count; i++) {
        const bst_kind kind = record->fields[i].field->type.kind;
        makes = makes || kind == BST_KIND_BYTEA || kind == BST_KIND_JSON;
    }
    return makes;
}

/* What it is called in JSON, as C: a former name will do. */
static const char *stored_name(bst__c_json *j, const bst_field *field) {
    bst_strbuf was = BST_STRBUF_INIT;
    if (!field->was) {
        return bst__c_text(j->c, "\"%s\"", field->name);
    }
    bst__c_add_literal(&was, field->was, strlen(field->was), false);
    const char *name = bst__c_text(j->c, "%s(in, \"%s\", %s)", bst__c_use(&j->runtime, "stored"),
                                   field->name, was.text);
    j->c->failed = j->c->failed || was.failed;
    bst_strbuf_release(&was);
    return name;
}

void bst__c_json_add_read(bst__c_json *j, const char *kind, const bst__c_record *record,
                          bst_strbuf *out) {
    bst__c *c = j->c;
    const char *const args[] = {"struct reading *in", "json_t *keep",
                                bst__c_text(c, "struct %s *%s", record->tag, kind)};
    const bool makes = bst__c_json_makes_texts(record);
    const char *const short_args[] = {args[0], args[2]};
    bst__c_add_list(out, 0, bst__c_text(c, "static void read_%s_%s(", kind, record->suffix),
                    makes ? args : short_args, makes ? 3 : 2, ") {");
    for (uint32_t i = 0; i < record->count; i++) {
        const bst__c_field *f = &record->fields[i];
        const reader r = reader_of(j, f);
        const char *name = stored_name(j, f->field);
        const char *value =
            f->has ? bst__c_text(c, "%s(in, %s, &%s->%s)", bst__c_use(&j->runtime, "optional"),
                                 name, kind, f->has)
                   : bst__c_text(c, "%s(in, %s)", bst__c_use(&j->runtime, "required"), name);
        bst__c_add_statement(out, 4, bst__c_text(c, "%s->%s = ", kind, f->member),
                             bst__c_text(c, "%s(in, %s%s", r.head, value, r.tail));
    }
    bst_strbuf_adds(out, "}\n\n");
}

void bst__c_json_add_enums(bst__c_json *j, bst_strbuf *out) {
    bst__c *c = j->c;
    for (uint32_t i = 0; i < c->enum_count; i++) {
        const bst__c_enum *e = &c->enums[i];
        bst__c_use(&j->runtime, "wrong");
        bst_strbuf_addf(out,
                        "static enum %s to_%s(struct reading *in, const json_t *value) {\n"
                        "    enum %s member = %s;\n"
                        "    const char *name = json_string_value(value);\n"
                        "    if (value && !(name && %s(name, &member))) {\n"
                        "        wrong(in, \"is not a member of its enum\");\n    }\n"
                        "    return member;\n}\n\n",
                        e->tag, e->tag, e->tag, e->constants[0], e->from_name);
    }
}
