/* JSON as a person would lay it out: what fits on a line and is not deep stands on one line. */
#include "draft_private.h"

#include <string.h>

#define LINE_MAX_BYTES 100u

static void compact(const json_t *json, bst_strbuf *out) {
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_object(json)) {
        bst_strbuf_adds(out, "{");
        const char *separator = " ";
        json_object_foreach ((json_t *)json, key, value) {
            bst_strbuf_adds(out, separator);
            bst_strbuf_add_json(out, key, strlen(key));
            bst_strbuf_adds(out, ": ");
            compact(value, out);
            separator = ", ";
        }
        bst_strbuf_adds(out, json_object_size(json) ? " }" : "}");
    } else if (json_is_array(json)) {
        bst_strbuf_adds(out, "[");
        json_array_foreach (json, i, value) {
            bst_strbuf_adds(out, i ? ", " : "");
            compact(value, out);
        }
        bst_strbuf_adds(out, "]");
    } else if (json_is_string(json)) {
        bst_strbuf_add_json(out, json_string_value(json), json_string_length(json));
    } else if (json_is_integer(json)) {
        bst_strbuf_add_int(out, json_integer_value(json));
    } else {
        bst_strbuf_adds(out, json_is_true(json) ? "true" : json_is_false(json) ? "false" : "null");
    }
}

static unsigned depth_of(const json_t *json) {
    const char *key;
    json_t *value;
    unsigned depth = 0;
    size_t i;

    if (json_is_object(json)) {
        json_object_foreach ((json_t *)json, key, value)
            depth = depth_of(value) > depth ? depth_of(value) : depth;
        return depth + 1;
    }
    if (json_is_array(json)) {
        json_array_foreach (json, i, value)
            depth = depth_of(value) > depth ? depth_of(value) : depth;
        return depth + 1;
    }
    return 0;
}

static void new_line(bst_strbuf *out, unsigned indent) {
    bst_strbuf_addf(out, "\n%*s", (int)indent, "");
}

static void spread(const json_t *json, unsigned indent, size_t used, bst_strbuf *out) {
    bst_strbuf line = BST_STRBUF_INIT;
    const char *key;
    json_t *value;
    size_t i;

    compact(json, &line);
    const bool fits = used + line.len < LINE_MAX_BYTES && depth_of(json) < 3 && indent > 0;
    if (fits || depth_of(json) == 0) {
        bst_strbuf_add(out, line.text, line.len);
    } else if (json_is_object(json)) {
        const char *separator = "{";
        json_object_foreach ((json_t *)json, key, value) {
            bst_strbuf_adds(out, separator);
            new_line(out, indent + 2);
            bst_strbuf_add_json(out, key, strlen(key));
            bst_strbuf_adds(out, ": ");
            spread(value, indent + 2, indent + 6 + strlen(key), out);
            separator = ",";
        }
        new_line(out, indent);
        bst_strbuf_adds(out, "}");
    } else {
        json_array_foreach (json, i, value) {
            bst_strbuf_adds(out, i ? "," : "[");
            new_line(out, indent + 2);
            spread(value, indent + 2, indent + 2, out);
        }
        new_line(out, indent);
        bst_strbuf_adds(out, "]");
    }
    bst_strbuf_release(&line);
}

void bst__draft_layout(const json_t *json, bst_strbuf *out) {
    spread(json, 0, 0, out);
    bst_strbuf_addc(out, '\n');
}
