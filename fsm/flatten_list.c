/* A list of numbers that grows, in scratch memory. */
#include <string.h>

#include "flatten_private.h"

bool bst__list_add(bst__flat *f, bst__list *list, uint32_t item) {
    if (list->count == list->room) {
        const uint32_t room = bst__next_room(list->room);
        uint32_t *items = bst_arena_array(f->scratch, room, sizeof *items);
        if (!items) {
            return bst__nomem(f->l);
        }
        if (list->count) {
            memcpy(items, list->items, list->count * sizeof *items);
        }
        list->items = items;
        list->room = room;
    }
    list->items[list->count++] = item;
    return true;
}
