/* One import: which reader, then the outline, then the machine file. */
#include "backstory/import.h"

#include <string.h>

#include "backstory/json_layout.h"
#include "import_private.h"

/* XML begins with "<", JSON with "{". */
static bst_import_from guess(const char *text, size_t len) {
    size_t i = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (i < len && strchr(" \t\r\n", text[i])) {
        i++;
    }
    return i < len && text[i] == '{' ? BST_IMPORT_XSTATE : BST_IMPORT_SCXML;
}

static bool start(bst__outline *o) {
    o->arena = bst_arena_new();
    o->places = json_object();
    o->seen = json_object();
    o->trash = json_array();
    return o->arena && o->places && o->seen && o->trash;
}

static void end(bst__outline *o) {
    json_decref(o->places);
    json_decref(o->seen);
    json_decref(o->trash);
    bst_arena_free(o->arena);
}

bst_status bst_import(const char *name, const char *text, size_t len, bst_import_from from,
                      bst_strbuf *out, bst_diags *diags) {
    bst__outline o = {.file = name, .diags = diags};
    const bst_loc file = {name, 0, 0};
    if (len > BST_IMPORT_BYTES_MAX) {
        return bst_diag_add(diags, BST_LIMIT, BST_ERROR, "too-large", &file,
                            "file has more than %u bytes", BST_IMPORT_BYTES_MAX);
    }
    if (from == BST_IMPORT_ANY) {
        from = guess(text, len);
    }
    o.scxml = from == BST_IMPORT_SCXML;
    if (!start(&o)) {
        bst__outline_nomem(&o);
    } else {
        o.status = o.scxml ? bst__read_scxml(&o, text, len) : bst__read_xstate(&o, text, len);
    }
    json_t *machine = o.status == BST_OK ? bst__write_machine(&o) : NULL;
    if (machine) {
        bst_json_layout(machine, out);
        bst_strbuf_addc(out, '\n');
    }
    bst__outline_unlisted(&o);
    if (o.status == BST_OK && out->failed) {
        bst__outline_nomem(&o);
    }
    json_decref(machine);
    end(&o);
    return o.status;
}
