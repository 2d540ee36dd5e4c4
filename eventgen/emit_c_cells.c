/* The table of generated C: what each command leads to from each state, as data, in the form that
 * suits its size.
 *
 * Dense: [command][state]. In that order the state a command leads to is one load whose address
 * needs nothing but the state, once the command is known: `row = table[command]` stands outside of
 * the chain from state to state, which is then as short as a load can be.
 *
 * By state: for a machine of many states and many commands nearly all of that would be zeros, and
 * its text as long as the product. Then the commands of each state stand in order, and a look-up
 * is a binary search among those few. The text is as long as the machine has transitions.
 */
#include <stdlib.h>
#include <string.h>

#include "emit_c_private.h"

/* A table of up to so many cells is always dense; a larger one when it is at least so full. */
#define SMALL_CELLS    65536u
#define SPARSE_DIVISOR 16u

static bool is_dense(const bst__c *c) {
    const uint64_t cells = (uint64_t)c->machine->command_count * c->table.rows;
    return cells <= SMALL_CELLS || cells / SPARSE_DIVISOR <= c->table.cell_count;
}

const char *bst__c_cell_text(bst__c *c, const char *state, const char *command) {
    const bst__c_fixed *f = &c->fixed;
    return is_dense(c) ? bst__c_text(c, "%s[%s][%s]", f->transitions, command, state)
                       : bst__c_text(c, "%s((enum %s)%s, (enum %s)%s)", f->next, f->state, state,
                                     f->command_type, command);
}

/* ---- the header ---- */

void bst__c_add_cell_access(bst__c *c, bst_strbuf *out) {
    const bst__c_fixed *f = &c->fixed;
    const bool dense = is_dense(c);
    if (dense) {
        bst_strbuf_addf(out, "extern const %s %s[%s][%s];\n\n", bst__c_uint(c->table.cell_max),
                        f->transitions, f->command_count, f->state_count);
    }
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(&text,
                    "The state that a command leads to: %s when the state does not know it, %s or "
                    "more when that takes %s() to tell. %s; both must be in range.",
                    c->states[0], f->state_count, f->decide,
                    dense ? "One load" : "A search among the commands of the state");
    bst__c_comment(out, 0, text.text);
    bst_strbuf_release(&text);
    const char *const args[] = {bst__c_text(c, "enum %s state", f->state),
                                bst__c_text(c, "enum %s command", f->command_type)};
    bst__c_add_list(out, 0,
                    bst__c_text(c, "%sunsigned %s(", dense ? "static inline " : "", f->next), args,
                    2, dense ? ") {" : ");");
    if (dense) {
        bst_strbuf_addf(out, "    return %s[command][state];\n}\n", f->transitions);
    }
    bst_strbuf_addc(out, '\n');
}

/* ---- the source ---- */

static void add_meaning(bst__c *c, const char *head, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(&text, "%s: 0, nothing; below %s, that state, with the command's usual event",
                    head, c->fixed.state_count);
    if (c->table.candidate_count > 0) {
        bst_strbuf_addf(&text, "; from %s on, what the candidates from that number on decide",
                        c->fixed.state_count);
    }
    bst_strbuf_adds(&text, ".");
    bst__c_comment(out, 0, text.text);
    bst_strbuf_release(&text);
}

static size_t digits(uint32_t number) {
    size_t count = 1;
    for (; number >= 10; number /= 10) {
        count++;
    }
    return count;
}

/* Aligned in columns, the first behind what stands on the line already. */
static void add_numbers(bst_strbuf *out, const uint32_t *numbers, size_t count, size_t width,
                        size_t margin) {
    size_t line = out->len - margin;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && out->len - line + width + 3 > BST__C_COLUMNS) {
            bst_strbuf_adds(out, ",\n");
            line = out->len;
            bst_strbuf_add_spaces(out, margin);
        } else if (i > 0) {
            bst_strbuf_adds(out, ", ");
        }
        bst_strbuf_add_int_right(out, numbers[i], width);
    }
}

static void add_dense(bst__c *c, bst_strbuf *out) {
    const bst__c_table *table = &c->table;
    uint32_t *cells =
        bst__c_array(c, (size_t)c->machine->command_count * table->rows, sizeof *cells);
    for (uint32_t i = 0; cells && i < table->cell_count; i++) {
        const bst__c_cell *cell = &table->cells[i];
        cells[(size_t)cell->command * table->rows + cell->row] = cell->value;
    }
    add_meaning(c, "What a command leads to, by the state that it finds", out);
    bst_strbuf_addf(out, "/* clang-format off */\nconst %s %s[%s][%s] = {\n",
                    bst__c_uint(table->cell_max), c->fixed.transitions, c->fixed.command_count,
                    c->fixed.state_count);
    const size_t width = digits(table->cell_max);
    for (uint32_t i = 0; cells && i < c->machine->command_count; i++) {
        bst_strbuf_adds(out, "    {");
        add_numbers(out, &cells[(size_t)i * table->rows], table->rows, width, strlen("    {"));
        bst_strbuf_addf(out, "}, /* %s */\n", c->machine->commands[i].name);
    }
    bst_strbuf_adds(out, "};\n/* clang-format on */\n\n");
}

static int by_row_and_command(const void *left, const void *right) {
    const bst__c_cell *a = left;
    const bst__c_cell *b = right;
    if (a->row != b->row) {
        return a->row < b->row ? -1 : 1;
    }
    return (a->command > b->command) - (a->command < b->command);
}

static void add_array(bst_strbuf *out, const char *type, const char *name, const char *size,
                      const uint32_t *numbers, size_t count, uint32_t max) {
    bst_strbuf_addf(out, "static const %s %s[%s] = {\n    ", type, name, size);
    add_numbers(out, numbers, count, digits(max), 4);
    bst_strbuf_adds(out, "};\n");
}

static void add_search(bst__c *c, bst_strbuf *out) {
    const bst__c_fixed *f = &c->fixed;
    const char *const args[] = {bst__c_text(c, "enum %s state", f->state),
                                bst__c_text(c, "enum %s command", f->command_type)};
    bst__c_add_list(out, 0, bst__c_text(c, "unsigned %s(", f->next), args, 2, ") {");
    bst_strbuf_adds(out, "    const unsigned end = first_known[(unsigned)state + 1u];\n"
                         "    unsigned low = first_known[state], high = end;\n"
                         "    while (low < high) {\n"
                         "        const unsigned middle = low + (high - low) / 2u;\n"
                         "        if (known_command[middle] < (unsigned)command) {\n"
                         "            low = middle + 1u;\n"
                         "        } else {\n"
                         "            high = middle;\n"
                         "        }\n"
                         "    }\n"
                         "    return low < end && known_command[low] == (unsigned)command ? "
                         "known_cell[low] : 0u;\n"
                         "}\n\n");
}

static void add_by_state(bst__c *c, bst_strbuf *out) {
    const bst__c_table *table = &c->table;
    const uint32_t count = table->cell_count;
    uint32_t *first = bst__c_array(c, (size_t)table->rows + 1, sizeof *first);
    uint32_t *commands = bst__c_array(c, count, sizeof *commands);
    uint32_t *values = bst__c_array(c, count, sizeof *values);
    if (c->failed) {
        return;
    }
    qsort(table->cells, count, sizeof *table->cells, by_row_and_command);
    for (uint32_t i = 0; i < count; i++) {
        first[table->cells[i].row + 1]++;
        commands[i] = table->cells[i].command;
        values[i] = table->cells[i].value;
    }
    for (uint32_t row = 0; row < table->rows; row++) {
        first[row + 1] += first[row];
    }
    bst__c_comment(out, 0,
                   "The commands that a state knows, in order: those from first_known[state] to "
                   "first_known[state + 1].");
    const char *known = bst__c_text(c, "%u", (unsigned)count);
    bst_strbuf_adds(out, "/* clang-format off */\n");
    add_array(out, bst__c_uint(count), "first_known",
              bst__c_text(c, "%s + 1", c->fixed.state_count), first, (size_t)table->rows + 1,
              count);
    add_array(out, bst__c_uint(c->machine->command_count), "known_command", known, commands, count,
              c->machine->command_count);
    add_meaning(c, "What it leads to", out);
    add_array(out, bst__c_uint(table->cell_max), "known_cell", known, values, count,
              table->cell_max);
    bst_strbuf_adds(out, "/* clang-format on */\n\n");
    add_search(c, out);
}

void bst__c_add_cells(bst__c *c, bst_strbuf *out) {
    if (is_dense(c)) {
        add_dense(c, out);
    } else {
        add_by_state(c, out);
    }
}
