/* The parts of the Python emitter. */
#ifndef BACKSTORY_EMIT_PYTHON_PRIVATE_H
#define BACKSTORY_EMIT_PYTHON_PRIVATE_H

#include "backstory/arena.h"
#include "backstory/machine.h"
#include "backstory/strbuf.h"
#include "emit_emissions_private.h"

#define BST__PY_WIDTH   100 /* of a line */
#define BST__PY_MEMBERS 70  /* of them, the members of an enum */

/* One machine on its way to Python. */
typedef struct bst__py {
    const bst_machine *machine;
    bst_arena *arena;
    const char *prefix; /* "Payment" */
    const bst__payload *payloads;
    uint32_t payload_count;
    const char *event_data, *command_data;         /* unions of all payloads */
    const char **events, **commands;               /* classes of payloads, by payload and command */
    const char ***event_fields, ***command_fields; /* their attributes */
    bst_strbuf *out;
    bool failed; /* out of memory */
} bst__py;

void bst__py_string(bst_strbuf *out, const char *text);
/* The members of an enum, between brackets that the caller writes; a line each when they are many,
 * four columns further in than `indent`. */
void bst__py_members(bst_strbuf *out, const bst_type *type, int indent);

/* emit_python_codec.c: what the file imports; how values are read and written. */
void bst__py_add_imports(bst__py *py);
void bst__py_add_codecs(bst__py *py);

#endif
