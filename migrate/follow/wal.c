/* Takes the messages of pgoutput apart. Numbers are most significant byte first, names end in NUL.
 *
 *     B  lsn(8) time(8) xid(4)              C  flags(1) lsn(8) end(8) time(8)
 *     R  oid(4) schema table identity(1) count(2) [flags(1) name type(4) modifier(4)]...
 *     I  oid(4) N tuple                     U  oid(4) [K|O tuple] N tuple
 *     D  oid(4) K|O tuple                   T  count(4) options(1) oid(4)...
 *     tuple = count(2) [n | u | t len(4) bytes | b len(4) bytes]...
 *
 * Nothing is trusted: every read is checked against the end, and what is left over is an error.
 */
#include "backstory/wal.h"

#include <string.h>

#include "backstory/source.h"

typedef struct cursor {
    const char *at, *end;
    bst_arena *arena;
    bool short_of_bytes, short_of_memory;
} cursor;

static uint64_t take_number(cursor *c, int bytes) {
    uint64_t value = 0;
    if (c->end - c->at < bytes) {
        c->short_of_bytes = true;
        return 0;
    }
    for (int i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)*c->at++;
    return value;
}

static const char *take_name(cursor *c) {
    const char *const start = c->at;
    const char *const nul = memchr(start, '\0', (size_t)(c->end - start));
    if (!nul) {
        c->short_of_bytes = true;
        return "";
    }
    c->at = nul + 1;
    const char *const copy = bst_arena_strndup(c->arena, start, (size_t)(nul - start));
    c->short_of_memory = c->short_of_memory || !copy;
    return copy ? copy : "";
}

static void *take_array(cursor *c, size_t count, size_t size) {
    void *const array = bst_arena_array(c->arena, count, size);
    c->short_of_memory = c->short_of_memory || !array;
    return array;
}

static bool failed(const cursor *c) {
    return c->short_of_bytes || c->short_of_memory;
}

static void take_value(cursor *c, bst_wal_value *ret) {
    const char form = (char)take_number(c, 1);
    *ret = (bst_wal_value){.form = (bst_wal_form)form};
    if (form == BST_WAL_TEXT || form == BST_WAL_BINARY) {
        ret->len = (uint32_t)take_number(c, 4);
        ret->text = c->at;
        if (failed(c) || (size_t)(c->end - c->at) < ret->len)
            c->short_of_bytes = true;
        else
            c->at += ret->len;
    } else if (form != BST_WAL_NULL && form != BST_WAL_UNCHANGED) {
        c->short_of_bytes = true;
    }
}

static bst_wal_tuple take_tuple(cursor *c) {
    const uint16_t count = (uint16_t)take_number(c, 2);
    if (failed(c) || count > BST_COLUMNS_MAX || (size_t)(c->end - c->at) < count) {
        c->short_of_bytes = true;
        return (bst_wal_tuple){0, NULL};
    }
    bst_wal_value *const values = take_array(c, count, sizeof *values);
    for (uint16_t i = 0; i < count && !failed(c); i++)
        take_value(c, &values[i]);
    return (bst_wal_tuple){count, values};
}

static void take_relation(cursor *c, bst_wal_message *ret) {
    ret->relation = (uint32_t)take_number(c, 4);
    ret->schema = take_name(c);
    ret->table = take_name(c);
    ret->identity = (char)take_number(c, 1);
    ret->column_count = (uint16_t)take_number(c, 2);
    if (failed(c) || ret->column_count > BST_COLUMNS_MAX) {
        c->short_of_bytes = true;
        return;
    }
    bst_wal_column *const columns = take_array(c, ret->column_count, sizeof *columns);
    for (uint16_t i = 0; i < ret->column_count && !failed(c); i++) {
        columns[i].in_key = take_number(c, 1) & 1;
        columns[i].name = take_name(c);
        columns[i].type_oid = (uint32_t)take_number(c, 4);
        columns[i].modifier = (int32_t)(uint32_t)take_number(c, 4);
    }
    ret->columns = columns;
}

/* `kinds`: the marks that may stand before a tuple here. */
static char take_mark(cursor *c, const char *kinds) {
    const char mark = (char)take_number(c, 1);
    if (mark == '\0' || !strchr(kinds, mark))
        c->short_of_bytes = true;
    return mark;
}

static void take_row(cursor *c, bst_wal_message *ret) {
    ret->relation = (uint32_t)take_number(c, 4);
    const char *const kinds = ret->kind == BST_WAL_INSERT   ? "N"
                              : ret->kind == BST_WAL_DELETE ? "KO"
                                                            : "KON";
    char mark = take_mark(c, kinds);
    if (!failed(c) && mark != 'N') {
        ret->old_kind = mark;
        ret->old_row = take_tuple(c);
        if (ret->kind == BST_WAL_DELETE)
            return;
        mark = take_mark(c, "N");
    }
    if (!failed(c))
        ret->new_row = take_tuple(c);
}

static void take_truncate(cursor *c, bst_wal_message *ret) {
    ret->relation_count = (uint32_t)take_number(c, 4);
    take_number(c, 1); /* cascade, restart identity: of no account to rows */
    if (failed(c) || (size_t)(c->end - c->at) / 4 < ret->relation_count) {
        c->short_of_bytes = true;
        return;
    }
    uint32_t *const relations = take_array(c, ret->relation_count, sizeof *relations);
    for (uint32_t i = 0; i < ret->relation_count && !failed(c); i++)
        relations[i] = (uint32_t)take_number(c, 4);
    ret->relations = relations;
}

static void take_begin(cursor *c, bst_wal_message *ret) {
    ret->lsn = take_number(c, 8);
    ret->time = (int64_t)take_number(c, 8);
    ret->xid = (uint32_t)take_number(c, 4);
}

static void take_commit(cursor *c, bst_wal_message *ret) {
    take_number(c, 1);
    ret->lsn = take_number(c, 8);
    ret->end_lsn = take_number(c, 8);
    ret->time = (int64_t)take_number(c, 8);
}

static void take_body(cursor *c, char kind, bst_wal_message *ret) {
    switch (kind) {
    case 'B':
        ret->kind = BST_WAL_BEGIN;
        take_begin(c, ret);
        break;
    case 'C':
        ret->kind = BST_WAL_COMMIT;
        take_commit(c, ret);
        break;
    case 'R':
        ret->kind = BST_WAL_RELATION;
        take_relation(c, ret);
        break;
    case 'I':
    case 'U':
    case 'D':
        ret->kind = kind == 'I' ? BST_WAL_INSERT : kind == 'U' ? BST_WAL_UPDATE : BST_WAL_DELETE;
        take_row(c, ret);
        break;
    case 'T':
        ret->kind = BST_WAL_TRUNCATE;
        take_truncate(c, ret);
        break;
    case 'O': /* origin */
    case 'Y': /* type */
    case 'M': /* message */
        ret->kind = BST_WAL_OTHER;
        c->at = c->end;
        break;
    default:
        c->short_of_bytes = true;
    }
}

bst_wal_result bst_wal_parse(const char *bytes, size_t len, bst_arena *arena,
                             bst_wal_message *ret) {
    cursor c = {bytes, bytes + len, arena, false, false};
    bst_wal_message message = {.kind = BST_WAL_OTHER};
    const char kind = (char)take_number(&c, 1);
    if (!failed(&c))
        take_body(&c, kind, &message);
    if (c.short_of_memory)
        return BST_WAL_NOMEM;
    if (c.short_of_bytes || c.at != c.end)
        return BST_WAL_MALFORMED;
    *ret = message;
    return BST_WAL_OK;
}
