/* SQL as text: names, texts, types and comments. */
#define _GNU_SOURCE /* memmem */
#include "emit_sql_private.h"

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

/* A backslash means something in E'' only, whatever the server's settings. Two dollars would end
 * the body of a function, so the second is written by its number. */
void bst__sql_text(const char *text, size_t len, bst_strbuf *out) {
    const bool escapes =
        len > 0 && (memchr(text, '\\', len) != NULL || memmem(text, len, "$$", 2) != NULL);
    bst_strbuf_adds(out, escapes ? "E'" : "'");
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '$' && i > 0 && text[i - 1] == '$') {
            bst_strbuf_adds(out, "\\x24");
            continue;
        }
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

void bst__sql_literal(const char *text, bst_strbuf *out) {
    bst__sql_text(text, strlen(text), out);
}

#define COLUMNS 100

/* The length of a word; a space between quotes is part of it. */
static size_t word_length(const char *text) {
    size_t len = 0;
    char quote = '\0';
    for (; text[len] != '\0' && (quote != '\0' || text[len] != ' '); len++) {
        if (quote != '\0') {
            quote = text[len] == quote ? '\0' : quote;
        } else if (text[len] == '\'' || text[len] == '"') {
            quote = text[len];
        }
    }
    return len;
}

void bst__sql_wrap(const char *text, int indent, bst_strbuf *out) {
    size_t column = strspn(text, " ");
    bst_strbuf_add(out, text, column);
    text += column;
    for (bool first = true; *text != '\0'; first = false) {
        const size_t word = word_length(text);
        if (!first && column + 1 + word > COLUMNS) {
            bst_strbuf_addf(out, "\n%*s", indent, "");
            column = (size_t)indent;
        } else if (!first) {
            bst_strbuf_addc(out, ' ');
            column++;
        }
        bst_strbuf_add(out, text, word);
        column += word;
        text += word;
        text += *text == ' ';
    }
}

void bst__sql_comment(const char *text, bst_strbuf *out) {
    size_t column = 0;
    while (*text != '\0') {
        const size_t word = strcspn(text, " \t\r\n");
        if (column > 0 && column + 1 + word > COLUMNS) {
            bst_strbuf_addc(out, '\n');
            column = 0;
        }
        bst_strbuf_adds(out, column == 0 ? "-- " : " ");
        bst_strbuf_add(out, text, word);
        column += word + (column == 0 ? 3 : 1);
        text += word;
        text += strspn(text, " \t\r\n");
    }
    bst_strbuf_adds(out, column > 0 ? "\n" : "");
}
