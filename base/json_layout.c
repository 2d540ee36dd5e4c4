/* JSON laid out as a person would: a value stands on one line if there is room, else each of its
 * items has a line of its own, two columns further in.
 *
 * Whether there is room is found by trying, and a try ends where the line does. So each value costs
 * at most a line, however much is in it.
 */
#include "backstory/json_layout.h"

#include <string.h>

static void add_scalar(const json_t *json, bst_strbuf *out) {
    char number[64];
    switch (json_typeof(json)) {
    case JSON_STRING:
        bst_strbuf_add_json(out, json_string_value(json), json_string_length(json));
        break;
    case JSON_INTEGER:
        bst_strbuf_add_int(out, json_integer_value(json));
        break;
    case JSON_REAL: {
        const size_t len = json_dumpb(json, number, sizeof number, JSON_ENCODE_ANY);
        bst_strbuf_add(out, number, len <= sizeof number ? len : 0);
        break;
    }
    default:
        bst_strbuf_adds(out, json_is_true(json) ? "true" : json_is_false(json) ? "false" : "null");
    }
}

static void add_key(const char *key, bst_strbuf *out) {
    bst_strbuf_add_json(out, key, strlen(key));
    bst_strbuf_adds(out, ": ");
}

/* False, with `out` half filled, when the line is over. */
static bool add_line(json_t *json, size_t room, bst_strbuf *out) {
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_array(json)) {
        bst_strbuf_addc(out, '[');
        json_array_foreach (json, i, item) {
            bst_strbuf_adds(out, i > 0 ? ", " : "");
            if (!add_line(item, room, out)) {
                return false;
            }
        }
        bst_strbuf_addc(out, ']');
    } else if (json_is_object(json)) {
        const char *before = "{ ";
        json_object_foreach (json, key, item) {
            bst_strbuf_adds(out, before);
            add_key(key, out);
            if (!add_line(item, room, out)) {
                return false;
            }
            before = ", ";
        }
        bst_strbuf_adds(out, json_object_size(json) > 0 ? " }" : "{}");
    } else {
        add_scalar(json, out);
    }
    return out->len <= room && !out->failed;
}

static void add_break(size_t indent, bst_strbuf *out) {
    bst_strbuf_addc(out, '\n');
    for (size_t i = 0; i < indent; i++) {
        bst_strbuf_addc(out, ' ');
    }
}

/* `column`: where the value begins, or more when something follows it on its line. */
static void add_value(json_t *json, size_t indent, size_t column, bst_strbuf *line,
                      bst_strbuf *out) {
    const size_t room = column < BST_JSON_LAYOUT_WIDTH ? BST_JSON_LAYOUT_WIDTH - column : 0;
    const char *key;
    json_t *item;
    size_t i;
    bst_strbuf_clear(line);
    if (add_line(json, room, line) || !(json_is_array(json) || json_is_object(json))) {
        bst_strbuf_add(out, line->text, line->len);
        out->failed = out->failed || line->failed;
        return;
    }
    const char *before = "";
    bst_strbuf_addc(out, json_is_array(json) ? '[' : '{');
    json_array_foreach (json, i, item) {
        bst_strbuf_adds(out, before);
        add_break(indent + 2, out);
        add_value(item, indent + 2, indent + 3, line, out);
        before = ",";
    }
    json_object_foreach (json, key, item) {
        bst_strbuf_adds(out, before);
        add_break(indent + 2, out);
        const size_t start = out->len;
        add_key(key, out);
        add_value(item, indent + 2, indent + 3 + out->len - start, line, out);
        before = ",";
    }
    add_break(indent, out);
    bst_strbuf_addc(out, json_is_array(json) ? ']' : '}');
}

void bst_json_layout(const json_t *json, bst_strbuf *out) {
    bst_strbuf line = BST_STRBUF_INIT;
    /* The macros that walk an object take no const; they change nothing. */
    add_value((json_t *)json, 0, 0, &line, out);
    bst_strbuf_release(&line);
}
