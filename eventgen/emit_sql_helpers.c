/* The small SQL functions that generated expressions call; see emit_sql_expr.c.
 *
 * What they refuse is an error of SQLSTATE class 22, as the server's own: 22001 a text is too long,
 * 22003 out of range, 22004 absent, 22008 a time out of range. In plpgsql, which is the fastest for
 * what the planner cannot put in place of the call.
 */
#include "emit_sql_expr_private.h"

/* The schema's name stands between the two. */
typedef struct helper {
    const char *before, *after;
} helper;

static const helper helpers[BST__SQL_HELPER_COUNT] = {
    [BST__SQL_HELPER_OVERFLOW] =
        {"-- Refuses; of the type that stands in its place. Volatile, so that it is not called\n"
         "-- when a statement is planned.\n"
         "CREATE FUNCTION ",
         ".overflow(anyelement) RETURNS anyelement\n"
         "LANGUAGE plpgsql VOLATILE PARALLEL SAFE AS $$\n"
         "BEGIN\n"
         "    RAISE numeric_value_out_of_range USING MESSAGE = 'value out of range';\n"
         "END\n"
         "$$;\n"},
    [BST__SQL_HELPER_REQUIRED] =
        {"-- The value, which must be there.\n"
         "CREATE FUNCTION ",
         ".required(value anyelement) RETURNS anyelement\n"
         "LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$\n"
         "BEGIN\n"
         "    IF value IS NULL THEN\n"
         "        RAISE null_value_not_allowed USING MESSAGE = 'required value is absent';\n"
         "    END IF;\n"
         "    RETURN value;\n"
         "END\n"
         "$$;\n"},
    [BST__SQL_HELPER_AT_MOST] =
        {"-- The text, of so many characters at most.\n"
         "CREATE FUNCTION ",
         ".at_most(value text, most integer) RETURNS text\n"
         "LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$\n"
         "BEGIN\n"
         "    IF char_length(value) > most THEN\n"
         "        RAISE string_data_right_truncation\n"
         "            USING MESSAGE = format('text is longer than %s characters', most);\n"
         "    END IF;\n"
         "    RETURN value;\n"
         "END\n"
         "$$;\n"},
    [BST__SQL_HELPER_MICROSECONDS] =
        {"-- A time in microseconds from 2000-01-01 UTC; infinity has none. Through an interval,\n"
         "-- for the server computes the epoch of the last years with fewer digits.\n"
         "CREATE FUNCTION ",
         ".microseconds(at timestamptz) RETURNS bigint\n"
         "LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$\n"
         "BEGIN\n"
         "    IF NOT isfinite(at) THEN\n"
         "        RAISE datetime_field_overflow\n"
         "            USING MESSAGE = 'infinity cannot be computed with';\n"
         "    END IF;\n"
         "    RETURN extract(epoch FROM at AT TIME ZONE 'UTC' - timestamp '2000-01-01')\n"
         "           * 1000000;\n"
         "END\n"
         "$$;\n"},
    [BST__SQL_HELPER_TIME_AT] =
        {"-- The other way. In two steps, for an interval times a number goes through a double.\n"
         "CREATE FUNCTION ",
         ".time_at(us bigint) RETURNS timestamptz\n"
         "LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$\n"
         "BEGIN\n"
         "    RETURN (timestamp '2000-01-01' + (us / 86400000000) * interval '1 day'\n"
         "            + (us % 86400000000) * interval '1 microsecond') AT TIME ZONE 'UTC';\n"
         "END\n"
         "$$;\n"},
};

void bst__sql_add_helpers(uint32_t used, const char *schema, bst_strbuf *out) {
    for (size_t i = 0; i < BST__SQL_HELPER_COUNT; i++) {
        if ((used >> i & 1) != 0) {
            bst_strbuf_addf(out, "%s%s%s\n", helpers[i].before, schema, helpers[i].after);
        }
    }
}
