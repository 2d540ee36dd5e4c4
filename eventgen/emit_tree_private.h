/* The states of a machine file as the tree that they are, for emitters whose language has nesting,
 * too. What a machine is when it runs is its table (backstory/machine.h); this is what its author
 * wrote.
 */
#ifndef BACKSTORY_EMIT_TREE_PRIVATE_H
#define BACKSTORY_EMIT_TREE_PRIVATE_H

#include "backstory/machine.h"
#include "backstory/strbuf.h"

/* In document order, parents first. Node 0 is the machine. */
typedef struct bst__tree_node {
    const char *name;
    const char *id; /* its "id"; of node 0 and mostly: NULL */
    json_t *json;
    uint32_t parent; /* of node 0: BST_NONE */
} bst__tree_node;

typedef struct bst__tree {
    const char *machine_id;
    bst__tree_node *nodes;
    uint32_t count, room;
    uint32_t *by_name; /* sorted by name, then parent */
    uint32_t *by_id;   /* those that have one, sorted */
    uint32_t id_count;
    bst_arena *arena;
} bst__tree;

/* Reads the file of a machine, which was checked when it was loaded. False: out of memory. */
bool bst__tree_read(const bst_machine *machine, bst_arena *arena, bst__tree *ret);

/* BST_NONE when there is no such child. */
uint32_t bst__tree_child(const bst__tree *tree, uint32_t parent, const char *name, size_t len);
/* The node that a "target" names which is written in `source`; BST_NONE when there is none. */
uint32_t bst__tree_target(const bst__tree *tree, uint32_t source, const char *text);
bool bst__tree_is_inside(const bst__tree *tree, uint32_t node, uint32_t outer);
/* Appends "outer.inner"; of node 0 nothing. `separator` stands for the dot. */
void bst__tree_add_path(const bst__tree *tree, uint32_t node, char separator, bst_strbuf *out);

#endif
