/* Takes the rows of a binary COPY apart: a head, then for each row a count of columns and each
 * column's length and bytes, all numbers most significant byte first; a row of -1 columns ends it.
 * The server sends the head together with the first row.
 */
#include "copy_row_private.h"

#include <assert.h>
#include <string.h>

static const char signature[11] = "PGCOPY\n\377\r\n";
#define HEAD_BYTES 19u /* signature, flags, length of an extension */

static uint64_t big_endian(const char *bytes, size_t len) {
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

static bst_status malformed(bst_diags *diags) {
    return bst_diag_add(diags, BST_DATABASE, BST_ERROR, "copy-malformed", NULL,
                        "the server sent a row that is not in the form asked for");
}

bst_status bst__copy_reader_start(bst__copy_reader *reader, bst_pg *pg, const char *sql,
                                  int columns, bst_diags *diags) {
    assert(columns <= BST__COPY_COLUMNS_MAX);
    *reader = (bst__copy_reader){.pg = pg, .columns = columns};
    return bst_pg_copy_out(pg, sql, diags);
}

static bool split(bst__copy_reader *reader, const char *at, const char *end) {
    for (int i = 0; i < reader->columns; i++) {
        if (end - at < 4)
            return false;
        const int32_t len = (int32_t)big_endian(at, 4);
        at += 4;
        reader->fields[i] = (bst__copy_field){len < 0 ? NULL : at, len < 0 ? 0 : (size_t)len};
        if (len < -1 || (len > 0 && end - at < len))
            return false;
        at += reader->fields[i].len;
    }
    return at == end;
}

bst_status bst__copy_reader_next(bst__copy_reader *reader, bool *ret_row, bst_diags *diags) {
    const char *bytes;
    size_t len;
    bst_status status;
    do { /* the head alone, or the trailer, is no row */
        status = bst_pg_copy_read(reader->pg, &bytes, &len, NULL, diags);
        if (status != BST_OK)
            return status;
        *ret_row = len > 0;
        if (len > 0 && !reader->begun) {
            if (len < HEAD_BYTES || memcmp(bytes, signature, sizeof signature) != 0 ||
                big_endian(bytes + 11, 8) != 0)
                return malformed(diags);
            reader->begun = true;
            bytes += HEAD_BYTES;
            len -= HEAD_BYTES;
        }
    } while (*ret_row && (len == 0 || (len == 2 && big_endian(bytes, 2) == UINT16_MAX)));
    if (!*ret_row)
        return BST_OK;
    if (len < 2 || big_endian(bytes, 2) != (uint64_t)reader->columns ||
        !split(reader, bytes + 2, bytes + len))
        return malformed(diags);
    return BST_OK;
}

int64_t bst__copy_int(const bst__copy_field *field) {
    if (!field->bytes)
        return 0;
    const uint64_t value = big_endian(field->bytes, field->len);
    if (field->len == 2)
        return (int16_t)value;
    if (field->len == 4)
        return (int32_t)value;
    assert(field->len == 8);
    return (int64_t)value;
}

double bst__copy_double(const bst__copy_field *field) {
    double value = 0;
    _Static_assert(sizeof value == sizeof(uint64_t), "a double has 8 bytes");
    const uint64_t bits = field->len == 8 ? big_endian(field->bytes, 8) : 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}
