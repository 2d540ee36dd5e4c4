/* Sections of C text: found by name, marked, closed under what they need, written in their order.
 */
#include "emit_c_runtime_private.h"

#include <assert.h>
#include <string.h>

static const char mark[] = "@@ ";

/* Whether `text` begins with `name`, and no letter of a name follows. */
static bool is_word(const char *text, const char *name, size_t len) {
    return strncmp(text, name, len) == 0 && strcspn(text, " :\n") == len;
}

void bst__c_runtime_init(bst__c_runtime *runtime, const char *text) {
    runtime->count = 0;
    for (const char *at = strstr(text, mark); at;) {
        assert(runtime->count < BST__C_SECTIONS_MAX);
        const char *name = at + strlen(mark);
        const char *body = strchr(name, '\n') + 1;
        const char *next = strstr(body, mark);
        size_t len = next ? (size_t)(next - body) : strlen(body);
        while (len > 0 && body[len - 1] == '\n') {
            len--;
        }
        runtime->sections[runtime->count++] =
            (bst__c_section){name, name + strcspn(name, ":\n"), body, len, false};
        at = next;
    }
}

static bst__c_section *find(const bst__c_runtime *runtime, const char *name, size_t len) {
    for (uint32_t i = 0; i < runtime->count; i++) {
        if (is_word(runtime->sections[i].name, name, len)) {
            return (bst__c_section *)&runtime->sections[i];
        }
    }
    assert(false && "a section of this name");
    return NULL;
}

const char *bst__c_use(bst__c_runtime *runtime, const char *name) {
    find(runtime, name, strlen(name))->used = true;
    return name;
}

bool bst__c_is_used(const bst__c_runtime *runtime, const char *name) {
    return find(runtime, name, strlen(name))->used;
}

void bst__c_runtime_close(bst__c_runtime *runtime) {
    for (uint32_t i = runtime->count; i-- > 0;) {
        const char *at = runtime->sections[i].needs;
        while (runtime->sections[i].used && *at != '\n') {
            at += strspn(at, ": ");
            const size_t len = strcspn(at, " \n");
            if (len > 0) {
                find(runtime, at, len)->used = true;
            }
            at += len;
        }
    }
}

void bst__c_add_runtime(const bst__c_runtime *runtime, bst_strbuf *out) {
    for (uint32_t i = 0; i < runtime->count; i++) {
        const bst__c_section *section = &runtime->sections[i];
        if (section->used) {
            bst_strbuf_add(out, section->text, section->len);
            bst_strbuf_adds(out, "\n\n");
        }
    }
}
