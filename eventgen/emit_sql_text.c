/* SQL as text: names, texts and types. */
#include "emit_sql_expr_private.h"

#include <string.h>

/* Words that cannot be a name everywhere without quotes, in PostgreSQL 14 to 18 and its plpgsql. */
static const char reserved[] =
    " all analyse analyze and any array as asc asymmetric authorization between bigint "
    "binary bit boolean both case cast char character check coalesce collate collation "
    "column concurrently constraint create cross current_catalog current_date "
    "current_role current_schema current_time current_timestamp current_user dec decimal "
    "default deferrable desc distinct do else end except exists extract false fetch "
    "float for foreign freeze from full grant greatest group grouping having ilike in "
    "initially inner inout int integer intersect interval into is isnull join json "
    "json_array json_arrayagg json_exists json_object json_objectagg json_query "
    "json_scalar json_serialize json_table json_value lateral leading least left like "
    "limit localtime localtimestamp merge_action national natural nchar none normalize "
    "not notnull null nullif numeric offset on only or order out outer overlaps overlay "
    "placing position precision primary real references returning right row select "
    "session_user setof similar smallint some substring symmetric system_user table "
    "tablesample then time timestamp to trailing treat trim true union unique user using "
    "values varchar variadic verbose when where window with xmlattributes xmlconcat "
    "xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize "
    "xmltable begin by declare execute foreach if loop strict while ";

static bool is_reserved(const char *name) {
    const size_t len = strlen(name);
    for (const char *p = strstr(reserved, name); p != NULL; p = strstr(p + 1, name)) {
        if (p[-1] == ' ' && p[len] == ' ') {
            return true;
        }
    }
    return false;
}

static bool is_plain_name(const char *name) {
    const char first = name[0];
    return ((first >= 'a' && first <= 'z') || first == '_') &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0' &&
           !is_reserved(name);
}

void bst__sql_name(const char *name, bst_strbuf *out) {
    if (is_plain_name(name)) {
        bst_strbuf_adds(out, name);
        return;
    }
    bst_strbuf_addc(out, '"');
    for (const char *p = name; *p != '\0'; p++) {
        bst_strbuf_adds(out, *p == '"' ? "\"" : "");
        bst_strbuf_addc(out, *p);
    }
    bst_strbuf_addc(out, '"');
}

/* A backslash means something in E'' only, whatever the server's settings. */
void bst__sql_text(const char *text, size_t len, bst_strbuf *out) {
    bst_strbuf_adds(out, len > 0 && memchr(text, '\\', len) != NULL ? "E'" : "'");
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\'' || text[i] == '\\') {
            bst_strbuf_addc(out, text[i]);
        }
        bst_strbuf_addc(out, text[i]);
    }
    bst_strbuf_addc(out, '\'');
}

void bst__sql_type(const bst_type *type, bst_strbuf *out) {
    static const char *const names[BST_KIND_COUNT] = {
        [BST_KIND_BOOL] = "boolean",    [BST_KIND_INT2] = "smallint",
        [BST_KIND_INT4] = "integer",    [BST_KIND_INT8] = "bigint",
        [BST_KIND_TEXT] = "text",       [BST_KIND_VARCHAR] = "text",
        [BST_KIND_CHAR] = "text",       [BST_KIND_UUID] = "uuid",
        [BST_KIND_DATE] = "date",       [BST_KIND_TIMESTAMPTZ] = "timestamptz",
        [BST_KIND_DURATION] = "bigint", [BST_KIND_BYTEA] = "bytea",
        [BST_KIND_JSON] = "jsonb",      [BST_KIND_ENUM] = "text",
    };
    if (type->kind == BST_KIND_DECIMAL) {
        bst_strbuf_addf(out, "numeric(%d,%d)", type->precision, type->scale);
    } else {
        bst_strbuf_adds(out, names[type->kind]);
    }
}
