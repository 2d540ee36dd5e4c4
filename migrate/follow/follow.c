/* Following, where there is something to follow with. */
#include "backstory/follow.h"

#include <ctype.h>

#include "backstory/sink.h"

char *bst_follow_slot_name(const bst_machine *machine) {
    bst_strbuf name = BST_STRBUF_INIT;
    bst_strbuf_adds(&name, "backstory_");
    for (const char *at = machine->id; *at && name.len < 60; at++) {
        const unsigned char c = (unsigned char)*at;
        bst_strbuf_addc(&name, c < 128 && isalnum(c) ? (char)tolower(c) : '_');
    }
    return bst_strbuf_detach(&name);
}

#if !BACKSTORY_POSTGRES
bst_status bst_slots_list(const char *from,
                          bst_status (*on_slot)(void *context, const bst_slot *slot), void *context,
                          bst_diags *diags) {
    (void)from;
    (void)on_slot;
    (void)context;
    return bst_no_postgres(NULL, diags);
}

bst_status bst_races_list(const char *from, const char *slot, uint64_t limit,
                          const bst_races_visitor *visitor, bst_diags *diags) {
    (void)from;
    (void)slot;
    (void)limit;
    (void)visitor;
    return bst_no_postgres(NULL, diags);
}

bst_status bst_slots_drop(const char *from, const char *name, bst_diags *diags) {
    (void)from;
    (void)name;
    return bst_no_postgres(NULL, diags);
}

bst_status bst_follow(const bst_mapping *mapping, const bst_follow_options *options,
                      bst_follow_figures *ret_figures, bst_diags *diags) {
    (void)mapping;
    (void)options;
    *ret_figures = (bst_follow_figures){.lsn = 0};
    return bst_no_postgres(NULL, diags);
}
#endif
