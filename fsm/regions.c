/* Places of a machine whose regions keep tables of their own: names, and what is active. */
#include <string.h>

#include "machine_private.h"

static const bst_regions *regions_of(const bst_machine *machine) {
    return bst__machine_of(machine)->regions;
}

const bst_regions *bst_machine_regions(const bst_machine *machine) {
    return regions_of(machine);
}

uint64_t bst_regions_size(const bst_machine *machine) {
    const bst_regions *r = regions_of(machine);
    uint64_t size = 1;
    uint64_t outside = machine->state_count;
    if (!r) {
        return machine->state_count;
    }
    for (uint32_t i = 0; i < r->count; i++) {
        const uint64_t states = r->regions[i].state_count;
        size = states && size > UINT64_MAX / states ? UINT64_MAX : size * states;
        outside -= states;
    }
    outside--;
    return size > UINT64_MAX - outside ? UINT64_MAX : size + outside;
}

bool bst_place_equal(const bst_machine *machine, const bst_place *a, const bst_place *b) {
    const bst_regions *r = regions_of(machine);
    if (a->state != b->state) {
        return false;
    }
    return a->state == BST_NONE || !r || a->state != r->split ||
           memcmp(a->parts, b->parts, r->count * sizeof *a->parts) == 0;
}

bool bst_place_is_active(const bst_machine *machine, const bst_place *place, uint32_t node) {
    const bst_regions *r = regions_of(machine);
    if (place->state == BST_NONE) {
        return false;
    }
    bool active = bst_machine_is_active(machine, place->state, node);
    for (uint32_t i = 0; r && place->state == r->split && i < r->count && !active; i++) {
        active = bst_machine_is_active(machine, place->parts[i], node);
    }
    return active;
}

void bst_place_name(const bst_machine *machine, const bst_place *place, bst_strbuf *out) {
    const bst_regions *r = regions_of(machine);
    if (place->state == BST_NONE) {
        return;
    }
    if (!r || place->state != r->split) {
        bst_strbuf_adds(out, machine->states[place->state].name);
        return;
    }
    for (uint32_t i = 0; i < r->count; i++) {
        bst_strbuf_addf(out, "%s%s", i > 0 ? "+" : "", machine->states[place->parts[i]].name);
    }
}

/* The state of the region whose name `name` begins with, up to its end or a "+"; of several the
 * one with the longest name. Returns what follows, or NULL. */
static const char *find_part(const bst_machine *machine, const bst_region *region, const char *name,
                             uint32_t *ret) {
    size_t longest = 0;
    for (uint32_t s = region->first_state; s < region->first_state + region->state_count; s++) {
        const char *here = machine->states[s].name;
        const size_t len = strlen(here);
        if (len > longest && strncmp(name, here, len) == 0 &&
            (name[len] == '+' || name[len] == '\0')) {
            longest = len;
            *ret = s;
        }
    }
    return longest == 0 ? NULL : name + longest;
}

bool bst_place_find(const bst_machine *machine, const char *name, bst_place *ret) {
    const bst_regions *r = regions_of(machine);
    ret->state = bst_machine_state(machine, name);
    bool outside = ret->state != BST_NONE;
    for (uint32_t i = 0; r && outside && i < r->count; i++) {
        outside = ret->state - r->regions[i].first_state >= r->regions[i].state_count;
    }
    if (outside && (!r || ret->state != r->split)) {
        return true;
    }
    if (!r) {
        return false;
    }
    ret->state = r->split;
    for (uint32_t i = 0; i < r->count; i++) {
        name = i == 0 ? name : *name == '+' ? name + 1 : NULL;
        name = name ? find_part(machine, &r->regions[i], name, &ret->parts[i]) : NULL;
        if (!name) {
            return false;
        }
    }
    return *name == '\0';
}
