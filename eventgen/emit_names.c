/* A set of names, and the way round a clash: an underscore behind. */
#include "emit_names_private.h"

#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "backstory/strbuf.h"
#include "backstory/words.h"

struct bst__names {
    UT_hash_handle hh;
    const char *name;
};

bool bst__names_has(bst__names *names, const char *name) {
    bst__names *found = NULL;
    HASH_FIND_STR(names, name, found);
    return found != NULL;
}

static bool take(bst__names **names, bst_arena *arena, const char *name) {
    bst__names *entry = bst_arena_alloc(arena, sizeof *entry);
    if (!entry) {
        return false;
    }
    entry->name = name;
    HASH_ADD_KEYPTR(hh, *names, entry->name, strlen(entry->name), entry);
    return entry->hh.tbl != NULL;
}

const char *bst__names_claim(bst__names **names, bst_arena *arena, const char *format, ...) {
    bst_strbuf text = BST_STRBUF_INIT;
    va_list args;
    va_start(args, format);
    bst_strbuf_vaddf(&text, format, args);
    va_end(args);
    while (!text.failed && bst__names_has(*names, text.text)) {
        bst_strbuf_addc(&text, '_');
    }
    const char *name = text.failed ? NULL : bst_arena_strdup(arena, text.text);
    bst_strbuf_release(&text);
    return name && take(names, arena, name) ? name : NULL;
}

const char *bst__names_claim_payload(bst__names **names, bst_arena *arena,
                                     const bst_machine *machine, const bst__payload *payload) {
    const char *name = machine->events[payload->event].name;
    return payload->current
               ? bst__names_claim(names, arena, "%s", name)
               : bst__names_claim(names, arena, "%sV%u", name, (unsigned)payload->version);
}

bool bst__names_reserve(bst__names **names, bst_arena *arena, const char *const *words) {
    for (size_t i = 0; words[i]; i++) {
        if (!bst__names_has(*names, words[i]) && !take(names, arena, words[i])) {
            return false;
        }
    }
    return true;
}

void bst__names_free(bst__names **names) {
    HASH_CLEAR(hh, *names); /* the entries are the arena's */
}

const char *bst__names_camel(bst_arena *arena, const char *name) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_camel_case(name, &text);
    const bool starts = text.len > 0 && !(text.text[0] >= '0' && text.text[0] <= '9');
    const char *copy =
        text.failed ? NULL : bst_arena_printf(arena, "%s%s", starts ? "" : "_", text.text);
    bst_strbuf_release(&text);
    return copy;
}
