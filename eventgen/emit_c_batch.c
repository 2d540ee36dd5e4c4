/* Stepping many entities at once, in generated C: through the table alone, no guards, no events.
 *
 * Entities do not depend on each other, so what limits one stream, the time of a load, does not
 * count. The table is small but its cells are bytes, which vector instructions cannot gather; and
 * a cell that does not lead on has to leave the state as it is. So a batch that is long enough
 * makes itself a table of words that say it all, and goes in strides of simple loops that a
 * compiler turns into vector instructions where the processor has them. A large table is not worth
 * that, nor is a short batch: there it is one entity after the other.
 *
 * Where regions keep tables of their own, one table does not tell where an entity stands, and there
 * is no such function.
 */
#include "emit_c_step_private.h"

#define STEPS_MAX 4096u /* cells of the table of words: 16 kB on the stack */

static bool has_strides(const bst__c *c) {
    return (uint64_t)c->table.rows * c->machine->command_count <= STEPS_MAX;
}

void bst__c_add_batch_access(bst__c *c, bst_strbuf *out) {
    bst_strbuf text = BST_STRBUF_INIT;
    if (c->regions) {
        return;
    }
    bst_strbuf_addf(&text,
                    "Many entities at once, each by its own command: states[i] becomes the state "
                    "that commands[i] leads to. It stays where the command is refused, or where "
                    "that takes %s() to tell; how many those are is the result.",
                    c->fixed.decide);
    bst__c_comment(out, 0, text.text);
    bst_strbuf_release(&text);
    const char *const args[] = {
        bst__c_text(c, "%s *states", bst__c_uint(c->machine->state_count)),
        bst__c_text(c, "const %s *commands", bst__c_uint(c->machine->command_count - 1)),
        "size_t count"};
    bst__c_add_list(out, 0, bst__c_text(c, "size_t %s(", c->fixed.step_all), args, 3, ");");
    bst_strbuf_addc(out, '\n');
}

static void add_step_one(bst__c *c, bst_strbuf *out) {
    const bst__c_fixed *f = &c->fixed;
    bst_strbuf_addf(out,
                    "/* The state that follows; with STAYS in it, the same, because the table does "
                    "not tell. */\n"
                    "static inline uint32_t step_one(uint32_t state, uint32_t command) {\n"
                    "    const uint32_t cell = %s;\n"
                    "    return cell != 0 && cell < %s ? cell : state | STAYS;\n}\n\n",
                    bst__c_cell_text(c, "state", "command"), f->state_count);
}

static void add_stride(const bst__c *c, const char *state, const char *command, bst_strbuf *out) {
    bst_strbuf_addf(out,
                    "static size_t step_stride(%s *states, const %s *commands, const uint32_t "
                    "*steps) {\n"
                    "    uint32_t next[STRIDE];\n    uint32_t stayed = 0;\n"
                    "    for (int i = 0; i < STRIDE; i++) {\n"
                    "        next[i] = (uint32_t)commands[i] * %s + states[i];\n    }\n"
                    "    for (int i = 0; i < STRIDE; i++) {\n"
                    "        next[i] = steps[next[i]];\n    }\n"
                    "    for (int i = 0; i < STRIDE; i++) {\n"
                    "        stayed += next[i] / STAYS;\n    }\n"
                    "    for (int i = 0; i < STRIDE; i++) {\n"
                    "        states[i] = (%s)next[i];\n    }\n"
                    "    return stayed;\n}\n\n",
                    state, command, c->fixed.state_count, state);
}

static void add_strides(const bst__c *c, bst_strbuf *out) {
    const bst__c_fixed *f = &c->fixed;
    bst_strbuf_addf(
        out,
        "    if (count >= 4 * STEPS) {\n"
        "        uint32_t steps[STEPS];\n"
        "        for (uint32_t i = 0; i < STEPS; i++) {\n"
        "            steps[i] = step_one(i %% %s, i / %s);\n        }\n"
        "        for (; at + STRIDE <= count; at += STRIDE) {\n"
        "            stayed += step_stride(&states[at], &commands[at], steps);\n        }\n    }\n",
        f->state_count, f->state_count);
}

void bst__c_add_batch(bst__c *c, bst_strbuf *out) {
    const bst__c_fixed *f = &c->fixed;
    const char *state = bst__c_uint(c->machine->state_count);
    const char *command = bst__c_uint(c->machine->command_count - 1);
    const bool strides = has_strides(c);
    if (c->regions) {
        return;
    }
    bst_strbuf_addf(out, "#define STAYS %s0x%s\n", strides ? " " : "",
                    c->machine->state_count < 0x10000 ? "10000u" : "80000000u");
    if (strides) {
        bst_strbuf_addf(out, "#define STEPS  (%s * %s)\n#define STRIDE 64\n", f->command_count,
                        f->state_count);
    }
    bst_strbuf_addc(out, '\n');
    add_step_one(c, out);
    if (strides) {
        add_stride(c, state, command, out);
    }
    const char *const args[] = {bst__c_text(c, "%s *states", state),
                                bst__c_text(c, "const %s *commands", command), "size_t count"};
    bst__c_add_list(out, 0, bst__c_text(c, "size_t %s(", f->step_all), args, 3, ") {");
    bst_strbuf_adds(out, "    size_t stayed = 0, at = 0;\n");
    if (strides) {
        add_strides(c, out);
    }
    bst_strbuf_addf(out,
                    "    for (; at < count; at++) {\n"
                    "        const uint32_t next = step_one(states[at], commands[at]);\n"
                    "        states[at] = (%s)%s;\n"
                    "        stayed += next / STAYS;\n    }\n"
                    "    return stayed;\n}\n\n",
                    state, c->machine->state_count < 0x10000 ? "next" : "(next & (STAYS - 1))");
}
