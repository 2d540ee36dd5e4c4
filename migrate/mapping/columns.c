/* The columns a mapping reads, each once for each type it is wanted as: a column of cents may be
 * read as an integer and, by an expression, as text. The type follows from the use, unless
 * "columns" declares it. An expression says nothing of types; so it waits until every other use is
 * known, and its names then mean the declared column, else the first use, else text that may be
 * NULL.
 */
#include "mapping_private.h"

#include <string.h>

void bst__map_declare(bst__map *map, const json_t *columns, const bst__map_path *path) {
    const char *name;
    json_t *json;
    map->declared = bst_arena_array(map->arena, json_object_size(columns), sizeof *map->declared);
    if (!map->declared) {
        bst__map_nomem(map);
        return;
    }
    json_object_foreach ((json_t *)(uintptr_t)columns, name, json) {
        bst__map_path here = {path, name, 0};
        if (!bst__map_is(map, json, &here, JSON_STRING)) {
            continue;
        }
        bst_type type;
        const char *reason = NULL;
        if (!bst_type_parse(json_string_value(json), map->arena, &type, &reason)) {
            bst_loc where = bst__map_value_at(map, &here);
            bst__map_error(map, &where, "bad-type", "type \"%s\" of column \"%s\": %s",
                           json_string_value(json), name, reason);
            size_t count = 0;
            const char *const *names = bst_type_names(&count);
            bst__map_did_you_mean(map, json_string_value(json), names, sizeof *names, count,
                                  "Types are PostgreSQL's: int4, decimal(12,2), text, timestamptz "
                                  "and so on; \"?\" after them for what may be NULL.");
            continue;
        }
        map->declared[map->declared_count++] = (bst__map_declared){name, type};
    }
}

static const bst_type *declared_type(const bst__map *map, const char *name) {
    for (size_t i = 0; i < map->declared_count; i++) {
        if (strcmp(map->declared[i].name, name) == 0) {
            return &map->declared[i].type;
        }
    }
    return NULL;
}

const bst_zone *bst__map_zone_of(bst__map *map, const json_t *object, const bst__map_path *path) {
    const json_t *json = bst__map_get(map, object, path, "zone", JSON_STRING);
    if (!json) {
        return map->zone;
    }
    const char *name = json_string_value(json);
    for (const bst__map_zone *z = map->whole->zones; z; z = z->next) {
        if (strcmp(z->name, name) == 0) {
            return z->zone;
        }
    }
    bst__map_zone *entry = bst_arena_alloc(map->arena, sizeof *entry);
    if (!entry) {
        bst__map_nomem(map);
        return NULL;
    }
    entry->name = name;
    entry->zone = bst_zone_new(name);
    if (!entry->zone) {
        bst__map_path here = {path, "zone", 0};
        bst_loc where = bst__map_value_at(map, &here);
        bst__map_error(map, &where, "unknown-zone", "time zone \"%s\" is not known", name);
        bst_diag_hint(map->diags, "Use \"UTC\", an offset like \"+02:00\", or a name from the "
                                  "system's zone files like \"Europe/Copenhagen\".");
    }
    /* An unknown zone is kept too: the same mistake is reported once. */
    entry->next = map->whole->zones;
    map->whole->zones = entry;
    return entry->zone;
}

static bool is_integer(const bst_type *type) {
    return type->kind == BST_KIND_INT2 || type->kind == BST_KIND_INT4 ||
           type->kind == BST_KIND_INT8;
}

static bool is_text(const bst_type *type) {
    return type->kind == BST_KIND_TEXT || type->kind == BST_KIND_VARCHAR ||
           type->kind == BST_KIND_CHAR;
}

bool bst__map_converts(const bst_type *from, const bst_type *to) {
    if (is_text(from) && is_text(to)) {
        return true;
    }
    if (is_integer(to)) {
        return is_integer(from);
    }
    if (to->kind == BST_KIND_DECIMAL) {
        return is_integer(from) || from->kind == BST_KIND_DECIMAL;
    }
    bst_type plain = *from;
    plain.optional = to->optional;
    return bst_type_equal(&plain, to);
}

uint32_t bst__map_add_column(bst__map *map, const bst_source_column *column) {
    for (size_t i = 0; i < map->column_count; i++) {
        const bst_source_column *there = &map->columns[i];
        bool same_sql = (!there->sql && !column->sql) ||
                        (there->sql && column->sql && strcmp(there->sql, column->sql) == 0);
        bool same_name = column->sql || strcmp(there->name, column->name) == 0;
        if (same_sql && same_name && there->zone == column->zone &&
            bst_type_equal(&there->type, &column->type)) {
            return (uint32_t)i;
        }
    }
    if (map->column_count == map->column_room) {
        size_t room = map->column_room ? 2 * map->column_room : 16;
        bst_source_column *more = bst_arena_array(map->arena, room, sizeof *more);
        if (!more) {
            bst__map_nomem(map);
            return BST_NONE;
        }
        if (map->column_count > 0) {
            memcpy(more, map->columns, map->column_count * sizeof *more);
        }
        map->columns = more;
        map->column_room = room;
    }
    map->columns[map->column_count] = *column;
    map->columns[map->column_count].dates = map->dates;
    return (uint32_t)map->column_count++;
}

/* An expression of the user's database needs a name to be read under: the same for the same
 * text. */
static const char *sql_name(bst__map *map, const char *sql) {
    size_t number = 1;
    for (size_t i = 0; i < map->column_count; i++) {
        if (map->columns[i].sql && strcmp(map->columns[i].sql, sql) == 0) {
            return map->columns[i].name;
        }
        number += map->columns[i].sql != NULL;
    }
    return bst_arena_printf(map->arena, "sql_%zu", number);
}

uint32_t bst__map_column(bst__map *map, const bst__map_path *path, const char *name,
                         const char *sql, const bst_type *want, const bst_zone *zone) {
    bst_source_column column = {.name = name, .sql = sql, .type = *want};
    column.type.optional = true;
    const bst_type *declared = sql ? NULL : declared_type(map, name);
    if (declared && bst__map_converts(declared, want)) {
        column.type = *declared;
    } else if (declared) {
        bst_strbuf is = BST_STRBUF_INIT;
        bst_strbuf needed = BST_STRBUF_INIT;
        bst_type_format(declared, &is);
        bst_type_format(want, &needed);
        bst_loc where = bst__map_value_at(map, path);
        bst__map_error(map, &where, "type-mismatch",
                       "column \"%s\" is declared as %s, but %s is needed here", name, is.text,
                       needed.text);
        bst_strbuf_release(&is);
        bst_strbuf_release(&needed);
        return BST_NONE;
    }
    if (column.type.kind == BST_KIND_TIMESTAMPTZ) {
        column.zone = zone;
    }
    if (sql && !(column.name = sql_name(map, sql))) {
        bst__map_nomem(map);
        return BST_NONE;
    }
    return bst__map_add_column(map, &column);
}

uint32_t bst__map_state_column(bst__map *map, const bst__map_path *path, const char *name,
                               const char *sql) {
    static const bst_type text = {.kind = BST_KIND_TEXT};
    const bst_type *declared = sql ? NULL : declared_type(map, name);
    if (declared && !is_text(declared)) {
        bst_source_column column = {.name = name, .type = text};
        column.type.optional = true;
        return bst__map_add_column(map, &column);
    }
    return bst__map_column(map, path, name, sql, &text, NULL);
}

void bst__map_expression(bst__map *map, const bst__map_path *path, const char *text, size_t len,
                         const bst_type *want, const bst_expr **ret) {
    bst__map_pending *pending = bst_arena_alloc(map->arena, sizeof *pending);
    if (!pending) {
        bst__map_nomem(map);
        return;
    }
    *pending = (bst__map_pending){NULL, text, len, bst__map_pointer(map, path), want, ret};
    *map->pending_tail = pending;
    map->pending_tail = &pending->next;
}

/* ---- the names in an expression ---- */

static bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool in_name(char c) {
    return starts_name(c) || (c >= '0' && c <= '9');
}

/* The end of the string literal that opens at `at`. */
static size_t skip_literal(const char *text, size_t len, size_t at) {
    char quote = text[at++];
    while (at < len && text[at] != quote) {
        at += text[at] == '\\' ? 2 : 1;
    }
    return at < len ? at + 1 : len;
}

static bool is_keyword(const char *name, size_t len) {
    static const char *const words[] = {"true", "false", "null", "in", "has", "event", "command"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) == len && memcmp(words[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

/* The column that a bare name means in an expression; makes it when nothing else reads it. */
static void want_name(bst__map *map, const char *name) {
    const bst_type *declared = declared_type(map, name);
    for (size_t i = 0; i < map->column_count && !declared; i++) {
        if (!map->columns[i].sql && strcmp(map->columns[i].name, name) == 0) {
            return;
        }
    }
    bst_source_column column = {.name = name, .type = {.kind = BST_KIND_TEXT, .optional = true}};
    if (declared) {
        column.type = *declared;
    }
    if (column.type.kind == BST_KIND_TIMESTAMPTZ) {
        column.zone = map->zone;
    }
    bst__map_add_column(map, &column);
}

static void want_part(bst__map *map, const char *text, size_t len) {
    char *name = bst_arena_strndup(map->arena, text, len);
    if (name) {
        want_name(map, name);
    } else {
        bst__map_nomem(map);
    }
}

/* A plain name at `at`, unless it is a member, a call or a word of the language. Returns its
 * end. */
static size_t want_plain(bst__map *map, const char *text, size_t len, size_t at) {
    size_t start = at;
    while (at < len && in_name(text[at])) {
        at++;
    }
    bool member = start > 0 && text[start - 1] == '.';
    bool call = at < len && text[at] == '(';
    if (starts_name(text[start]) && !member && !call && !is_keyword(text + start, at - start)) {
        want_part(map, text + start, at - start);
    }
    return at;
}

static void want_names(bst__map *map, const char *text, size_t len) {
    size_t at = 0;
    while (at < len && map->status != BST_NOMEM) {
        if (text[at] == '"' || text[at] == '\'') {
            at = skip_literal(text, len, at);
        } else if (text[at] == '`') {
            size_t start = ++at;
            while (at < len && text[at] != '`') {
                at++;
            }
            want_part(map, text + start, at - start);
            at++;
        } else if (in_name(text[at])) {
            at = want_plain(map, text, len, at);
        } else {
            at++;
        }
    }
}

/* Index of a field = index of its column, so that the row is the record. A column that a bare name
 * does not mean gets a name that nobody can write. */
static bst_scope_field *make_scope(bst__map *map) {
    bst_scope_field *fields = bst_arena_array(map->arena, map->column_count, sizeof *fields);
    if (!fields) {
        bst__map_nomem(map);
        return NULL;
    }
    for (size_t i = 0; i < map->column_count; i++) {
        const bst_source_column *column = &map->columns[i];
        const bst_type *declared = declared_type(map, column->name);
        bool meant = !column->sql && (!declared || bst_type_equal(declared, &column->type));
        for (size_t k = 0; k < i && meant; k++) {
            meant = strcmp(fields[k].name, column->name) != 0;
        }
        fields[i] = (bst_scope_field){meant ? column->name : "", column->type};
    }
    return fields;
}

void bst__map_compile(bst__map *map) {
    static const bst_type boolean = {.kind = BST_KIND_BOOL};
    for (const bst__map_pending *p = map->pending; p; p = p->next) {
        want_names(map, p->text, p->len);
    }
    bst_scope_field *fields = make_scope(map);
    if (!fields) {
        return;
    }
    bst_scope scope = {{{0}}};
    scope.root[BST_ROOT_ROW].known = true;
    scope.root[BST_ROOT_ROW].count = map->column_count;
    scope.root[BST_ROOT_ROW].fields = fields;
    for (const bst__map_pending *p = map->pending; p; p = p->next) {
        bst_expr_place place = {map->json, p->pointer};
        bst_status status = bst_expr_compile(p->text, p->len, &scope, p->want ? p->want : &boolean,
                                             &place, map->arena, p->ret, map->diags);
        if (status != BST_OK && map->status != BST_NOMEM) {
            map->status = status;
        }
    }
}
