/* Generated C of a machine whose regions keep tables of their own: an entity has a state and, in
 * the split state, one of each region. Tables, guards and what events do are those of any machine;
 * what differs is which transitions a command takes, and which steps are legal. That is the
 * interpreter of fsm/step_regions.c, line for line, with the machine's names in it.
 *
 * The code is a text with names to be filled in: `$e` is the entity's struct, and so on.
 */
#include <string.h>

#include "emit_c_step_private.h"

static const char *name_of(bst__c *c, char letter) {
    const bst__c_fixed *f = &c->fixed;
    switch (letter) {
    case 'e':
        return c->entity.tag;
    case 'c':
        return f->command;
    case 'v':
        return f->event;
    case 'd':
        return f->decision;
    case 's':
        return f->state;
    case 't':
        return f->taken;
    case 'w':
        return f->candidate;
    case 'y':
        return f->event_type;
    case 'S':
        return f->state_count;
    case 'C':
        return f->command_count;
    case 'V':
        return f->event_count;
    case 'R':
        return f->region_count;
    case 'U':
        return c->upper;
    case 'G':
        return c->guards[0];
    case 'N':
        return c->states[0];
    case 'X':
        return c->states[c->regions->split + 1];
    case 'P':
        return f->place_name;
    case 'k':
        return bst__c_cell_text(c, "state", "command");
    default:
        return "$";
    }
}

static void fill_in(bst__c *c, const char *code, bst_strbuf *out) {
    for (const char *name; (name = strchr(code, '$')); code = name + 2) {
        bst_strbuf_add(out, code, (size_t)(name - code));
        bst_strbuf_adds(out, name_of(c, name[1]));
    }
    bst_strbuf_adds(out, code);
}

/* ---- the header ---- */

const char *bst__c_state_member(bst__c *c) {
    return c->regions
               ? bst__c_text(c, "enum %s state, parts[%s];", c->fixed.state, c->fixed.region_count)
               : bst__c_text(c, "enum %s state;", c->fixed.state);
}

void bst__c_copy_parts(bst__c *c, const char *to, const char *from, bst_strbuf *out) {
    if (c->regions) {
        bst_strbuf_addf(out,
                        "    for (unsigned i = 0; i < %s; i++) {\n"
                        "        %sparts[i] = %sparts[i];\n    }\n",
                        c->fixed.region_count, to, from);
    }
}

void bst__c_add_region_header(bst__c *c, bst_strbuf *out) {
    const bst_regions *r = c->regions;
    if (!r) {
        return;
    }
    bst_strbuf text = BST_STRBUF_INIT;
    bst_strbuf_addf(
        &text,
        "In %s each region stands in a state of its own, parts[region]; elsewhere these "
        "mean nothing. The regions are, from 0 on:",
        c->states[r->split + 1]);
    for (uint32_t i = 0; i < r->count; i++) {
        bst_strbuf_addf(&text, "%s %s", i > 0 ? "," : "",
                        c->machine->nodes[r->regions[i].node].path);
    }
    bst_strbuf_addc(&text, '.');
    bst__c_comment(out, 0, text.text);
    bst_strbuf_addf(out, "#define %s %u\n\n", c->fixed.region_count, (unsigned)r->count);
    bst_strbuf_release(&text);
}

static const char place_name_parameters[] = "enum $s state, const enum $s *parts, char *text, "
                                            "size_t size";

void bst__c_add_place_name_head(bst__c *c, bst_strbuf *out) {
    if (!c->regions) {
        return;
    }
    bst__c_comment(
        out, 0,
        "The name of a state with those of its regions, joined by \"+\". Writes what fits "
        "and a NUL; returns the length of all of it.");
    fill_in(c, "/* clang-format off */\nsize_t $P(", out);
    fill_in(c, place_name_parameters, out);
    bst_strbuf_adds(out, ");\n/* clang-format on */\n\n");
}

void bst__c_add_place_name(bst__c *c, bst_strbuf *out) {
    if (!c->regions) {
        return;
    }
    fill_in(c, "/* clang-format off */\nsize_t $P(", out);
    fill_in(c, place_name_parameters, out);
    fill_in(c,
            ") {\n"
            "    const unsigned count = state == $X ? $R : 1u;\n"
            "    size_t len = 0;\n"
            "    for (unsigned i = 0; i < count; i++) {\n"
            "        const unsigned one = (unsigned)(state == $X ? parts[i] : state);\n"
            "        const char *name = one < $S ? state_names[one] : \"\";\n"
            "        if (i > 0 && len++ + 1u < size) {\n"
            "            text[len - 1u] = '+';\n"
            "        }\n"
            "        for (; *name != '\\0'; name++) {\n"
            "            if (len++ + 1u < size) {\n"
            "                text[len - 1u] = *name;\n"
            "            }\n"
            "        }\n"
            "    }\n"
            "    if (size > 0) {\n"
            "        text[len < size ? len : size - 1u] = '\\0';\n"
            "    }\n"
            "    return len;\n"
            "}\n/* clang-format on */\n\n",
            out);
}

/* ---- tables ---- */

static uint32_t region_of(const bst_regions *r, uint32_t state) {
    uint32_t i = 0;
    while (i < r->count && state - r->regions[i].first_state >= r->regions[i].state_count) {
        i++;
    }
    return i;
}

/* `static const TYPE name[SIZE] = {` and a line for each state. */
static void add_by_state(bst__c *c, const char *head, bool regions, bst_strbuf *out) {
    const bst_machine *machine = c->machine;
    bst__c_line *lines = bst__c_array(c, (size_t)machine->state_count + 1, sizeof *lines);
    bst_strbuf_addf(out, "static const %s[%s] = {\n", head, c->fixed.state_count);
    for (uint32_t s = 0; lines && s <= machine->state_count; s++) {
        const uint32_t region = s == 0 ? c->regions->count : region_of(c->regions, s - 1);
        const bool final = s > 0 && machine->states[s - 1].final;
        lines[s].code = regions ? bst__c_text(c, "%u,", (unsigned)region)
                        : final ? "true,"
                                : "false,";
        lines[s].comment = s == 0 ? "does not exist yet" : machine->states[s - 1].name;
    }
    bst__c_add_lines(out, 4, lines, lines ? (size_t)machine->state_count + 1 : 0);
    bst_strbuf_adds(out, "};\n\n");
}

static uint32_t entry_count(const bst__c *c) {
    const bst_regions *r = c->regions;
    uint32_t count = r->done_entry == BST_NONE ? 0 : r->done_entry + 1;
    for (uint32_t i = 0; i < c->machine->transition_count; i++) {
        if (r->entry[i] != BST_NONE && r->entry[i] >= count) {
            count = r->entry[i] + 1;
        }
    }
    return count;
}

void bst__c_add_region_tables(bst__c *c, bst_strbuf *out) {
    const bst_regions *r = c->regions;
    if (!r) {
        return;
    }
    bst__c_comment(out, 0, "The region that a state is of.");
    add_by_state(c, "uint16_t region_of", true, out);
    bst__c_comment(out, 0, "Whether it is an end, of its region or of all.");
    add_by_state(c, "bool is_final", false, out);
    bst__c_comment(out, 0, "Where the regions begin when something leads into all of them.");
    const char **items = bst__c_array(c, r->count, sizeof *items);
    const uint32_t count = entry_count(c);
    bst_strbuf_addf(out, "static const enum %s entries[%u][%s] = {\n", c->fixed.state,
                    (unsigned)count, c->fixed.region_count);
    for (uint32_t e = 0; items && e < count; e++) {
        for (uint32_t i = 0; i < r->count; i++) {
            items[i] = c->states[r->parts[(size_t)e * r->count + i] + 1];
        }
        bst__c_add_list(out, 4, "{", items, r->count, "},");
    }
    bst_strbuf_adds(out, "};\n\n");
}

/* ---- guards ---- */

void bst__c_add_asks(bst__c *c, bst_strbuf *out) {
    const bst_regions *r = c->regions;
    for (uint32_t a = 0; r && a < r->asked_count; a++) {
        const bst_node *node = &c->machine->nodes[r->asked[a]];
        uint32_t region = 0;
        while (!(r->asked[a] >= r->regions[region].node &&
                 r->asked[a] <= c->machine->nodes[r->regions[region].node].last)) {
            region++;
        }
        bst_strbuf_addf(out, "/* state_in(\"%s\") */\n", node->path);
        bst_strbuf_addf(out, "static bool asks_%u(", (unsigned)a);
        fill_in(c, "const struct $e *entity) {\n    if (entity->state != $X) {\n", out);
        bst_strbuf_adds(out, "        return false;\n    }\n");
        bst_strbuf_addf(out, "    switch (entity->parts[%u]) {\n", (unsigned)region);
        const bst_region *of = &r->regions[region];
        for (uint32_t s = of->first_state; s < of->first_state + of->state_count; s++) {
            if (bst_machine_is_active(c->machine, s, r->asked[a])) {
                bst_strbuf_addf(out, "    case %s:\n        return true;\n", c->states[s + 1]);
            }
        }
        bst_strbuf_adds(out, "    default:\n        return false;\n    }\n}\n\n");
    }
}

/* ---- decide ---- */

static const char ways[] =
    "/* A way that can be taken. */\n"
    "struct $t {\n"
    "    unsigned guard, event, to, entry;\n"
    "    bool moves;\n"
    "};\n\n"
    "/* The ways on from a state, in the order in which they are tried: `*at` begins as 0. */\n"
    "static bool next_way(unsigned state, unsigned command, unsigned *at, struct $t *way) {\n"
    "    const unsigned cell = $k;\n"
    "    if (cell == 0 || *at == UINT32_MAX) {\n"
    "        return false;\n"
    "    }\n"
    "    way->guard = 0;\n"
    "    way->event = usual_event[command];\n"
    "    way->to = cell;\n"
    "    way->entry = 0;\n"
    "    way->moves = true;\n"
    "    if (cell >= $S) {\n"
    "        const unsigned index = *at == 0 ? cell - $S : *at - 1u;\n"
    "        const struct $w *candidate = &candidates[index];\n"
    "        way->guard = candidate->guard;\n"
    "        way->event = candidate->event;\n"
    "        way->to = candidate->to;\n"
    "        way->entry = candidate->entry;\n"
    "        way->moves = candidate->moves;\n"
    "        *at = candidate->more ? index + 2u : UINT32_MAX;\n"
    "    } else {\n"
    "        *at = UINT32_MAX;\n"
    "    }\n"
    "    return true;\n"
    "}\n\n"
    "static bool all_final(const enum $s *parts) {\n"
    "    for (unsigned i = 0; i < $R; i++) {\n"
    "        if (!is_final[parts[i]]) {\n"
    "            return false;\n"
    "        }\n"
    "    }\n"
    "    return true;\n"
    "}\n\n"
    "static bool in_range(const struct $e *entity, unsigned command) {\n"
    "    bool good = (unsigned)entity->state < $S && command < $C;\n"
    "    for (unsigned i = 0; good && entity->state == $X && i < $R; i++) {\n"
    "        good = (unsigned)entity->parts[i] < $S && region_of[entity->parts[i]] == i;\n"
    "    }\n"
    "    return good;\n"
    "}\n\n"
    "static void lead_to(unsigned to, unsigned entry, struct $v *event) {\n"
    "    event->state = (enum $s)to;\n"
    "    for (unsigned i = 0; i < $R; i++) {\n"
    "        event->parts[i] = entry == 0 ? $N : entries[entry - 1u][i];\n"
    "    }\n"
    "}\n\n";

static const char choose[] =
    "/* What all of it makes of the command, without the payload of the event: each region what\n"
    " * it can, or else the state around them. Of two that exclude each other the first wins. */\n"
    "static struct $d choose(const struct $e *entity, const struct $c *command,\n"
    "                        struct $v *event) {\n"
    "    struct $d last = verdict_of($U_VERDICT_NO_TRANSITION, $G, NULL);\n"
    "    struct $t way;\n"
    "    bool any = false, moves = false, far = false, completes = false;\n"
    "    if (!in_range(entity, (unsigned)command->type) || has_ended(entity)) {\n"
    "        return last;\n"
    "    }\n"
    "    event->state = entity->state;\n"
    "    for (unsigned i = 0; i < $R; i++) {\n"
    "        event->parts[i] = entity->parts[i];\n"
    "    }\n"
    "    for (unsigned i = 0; entity->state == $X && i < $R; i++) {\n"
    "        const struct $d one = ask(entity, command, (unsigned)entity->parts[i], &way);\n"
    "        if (one.verdict == $U_VERDICT_GUARD_REFUSED) {\n"
    "            last = one;\n"
    "        } else if (one.verdict == $U_VERDICT_ACCEPTED) {\n"
    "            const bool leaves = region_of[way.to] != i;\n"
    "            if ((way.moves && far) || (leaves && moves)) {\n"
    "                continue;\n"
    "            }\n"
    "            if (!any) {\n"
    "                event->type = (enum $y)way.event;\n"
    "            }\n"
    "            if (leaves) {\n"
    "                lead_to(way.to, way.entry, event);\n"
    "            } else if (!far) {\n"
    "                event->parts[i] = (enum $s)way.to;\n"
    "                completes = completes || (way.moves && is_final[way.to]);\n"
    "            }\n"
    "            any = true;\n"
    "            moves = moves || way.moves;\n"
    "            far = far || leaves;\n"
    "        } else if (one.verdict != $U_VERDICT_NO_TRANSITION) {\n"
    "            return one;\n"
    "        }\n"
    "    }\n"
    "    if (!any) {\n"
    "        const struct $d one = ask(entity, command, (unsigned)entity->state, &way);\n"
    "        if (one.verdict != $U_VERDICT_ACCEPTED) {\n"
    "            return one.verdict == $U_VERDICT_NO_TRANSITION ? last : one;\n"
    "        }\n"
    "        event->type = (enum $y)way.event;\n"
    "        if (way.moves) {\n"
    "            lead_to(way.to, way.entry, event);\n"
    "        }\n"
    "    } else if (completes && !far && done_to != 0 && all_final(event->parts)) {\n"
    "        lead_to(done_to, done_entry, event);\n"
    "    }\n"
    "    return verdict_of($U_VERDICT_ACCEPTED, $G, NULL);\n"
    "}\n\n";

/* What one state makes of the command. */
static void add_ask(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    const bst__c_needs *needs = &step->guards;
    bool guarded = false;
    for (uint32_t i = 0; i < c->machine->guard_count; i++) {
        guarded = guarded || c->guard_users[i];
    }
    fill_in(
        c,
        "/* What one state makes of the command. */\n"
        "static struct $d ask(const struct $e *entity, const struct $c *command, unsigned state,\n"
        "                     struct $t *way) {\n"
        "    struct $d answer = verdict_of($U_VERDICT_NO_TRANSITION, $G, NULL);\n"
        "    unsigned at = 0;\n",
        out);
    bst_strbuf_adds(out, guarded ? "" : "    (void)entity;\n");
    bst_strbuf_adds(out, "    while (next_way(state, (unsigned)command->type, &at, way)) {\n");
    bst_strbuf_adds(out, needs->overflow ? "        bool overflow = false;\n" : "");
    bst_strbuf_adds(out, needs->absent ? "        bool absent = false;\n" : "");
    if (guarded) {
        bst_strbuf_addf(out, "        const bool held = holds(way->guard%s%s%s%s);\n",
                        needs->entity ? ", entity" : "",
                        needs->command || needs->linked ? ", command" : "",
                        needs->overflow ? ", &overflow" : "", needs->absent ? ", &absent" : "");
    } else {
        bst_strbuf_adds(out, "        const bool held = true;\n");
    }
    if (needs->absent) {
        fill_in(c,
                "        if (absent) {\n"
                "            return verdict_of($U_VERDICT_INVALID_ENTITY, way->guard, NULL);\n"
                "        }\n",
                out);
    }
    if (needs->overflow) {
        fill_in(c,
                "        if (overflow) {\n"
                "            return verdict_of($U_VERDICT_OVERFLOW, way->guard, NULL);\n"
                "        }\n",
                out);
    }
    fill_in(c,
            "        if (held) {\n"
            "            return verdict_of($U_VERDICT_ACCEPTED, $G, NULL);\n"
            "        }\n"
            "        answer = verdict_of($U_VERDICT_GUARD_REFUSED, way->guard, NULL);\n"
            "    }\n"
            "    return answer;\n"
            "}\n\n",
            out);
}

void bst__c_add_region_choose(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    const bst_regions *r = c->regions;
    const bool whole = c->machine->states[r->split].nodes[0] == 0;
    bst_strbuf_adds(out, "/* clang-format off */\n");
    fill_in(c, ways, out);
    bst__c_comment(out, 0, "Where it leads that all regions are final; 0: nowhere.");
    bst_strbuf_addf(out, "static const unsigned done_to = %u, done_entry = %u;\n\n",
                    r->done_state == BST_NONE ? 0 : (unsigned)r->done_state + 1,
                    r->done_entry == BST_NONE ? 0 : (unsigned)r->done_entry + 1);
    fill_in(c, "static bool has_ended(const struct $e *entity) {\n", out);
    fill_in(c,
            whole ? "    return entity->state == $X && all_final(entity->parts);\n}\n\n"
                  : "    (void)entity;\n    return false;\n}\n\n",
            out);
    add_ask(step, out);
    fill_in(c, choose, out);
    bst_strbuf_adds(out, "/* clang-format on */\n\n");
}

/* ---- apply ---- */

static const char legal[] =
    "static bool same_place(const struct $v *a, const struct $v *b) {\n"
    "    bool same = a->state == b->state;\n"
    "    for (unsigned i = 0; same && a->state == $X && i < $R; i++) {\n"
    "        same = a->parts[i] == b->parts[i];\n"
    "    }\n"
    "    return same;\n"
    "}\n\n"
    "/* Whether one way from the state, out of region `of` if it is in one, leads there alone. */\n"
    "static bool one_leads(const struct $v *from, const struct $v *event, unsigned state,\n"
    "                      unsigned of) {\n"
    "    for (unsigned i = first_emitter[event->type]; i < first_emitter[event->type + 1]; i++) {\n"
    "        struct $t way;\n"
    "        unsigned at = 0;\n"
    "        while (next_way(state, emitters[i], &at, &way)) {\n"
    "            struct $v there = *from;\n"
    "            if (way.moves) {\n"
    "                lead_to(way.to, way.entry, &there);\n"
    "            }\n"
    "            const bool near = of < $R && region_of[way.to] == of;\n"
    "            if (!near && way.event == (unsigned)event->type && same_place(&there, event)) {\n"
    "                return true;\n"
    "            }\n"
    "        }\n"
    "    }\n"
    "    return false;\n"
    "}\n\n"
    "/* Whether a region can go from one of its states to another. It may stay when nothing makes\n"
    " * it move. */\n"
    "static bool region_can(unsigned region, unsigned from, unsigned to, unsigned command,\n"
    "                       unsigned type, bool *taken) {\n"
    "    struct $t way;\n"
    "    unsigned at = 0;\n"
    "    bool must = false, may_give_way = false;\n"
    "    *taken = false;\n"
    "    while (next_way(from, command, &at, &way)) {\n"
    "        may_give_way = may_give_way || region_of[way.to] != region;\n"
    "        must = must || (way.guard == 0 && !may_give_way);\n"
    "        *taken = *taken || (way.event == type && way.to == to);\n"
    "    }\n"
    "    return *taken || (from == to && !must);\n"
    "}\n\n"
    "/* Whether all regions can go where they are then, or to an end when `ends`. */\n"
    "static bool regions_can(const struct $v *from, const struct $v *event, unsigned command,\n"
    "                        bool ends) {\n"
    "    bool any = false;\n"
    "    for (unsigned i = 0; i < $R; i++) {\n"
    "        bool can = false, taken = false;\n"
    "        for (unsigned to = 1; to < $S && !can; to++) {\n"
    "            const bool wanted = ends ? is_final[to] : to == (unsigned)event->parts[i];\n"
    "            can = wanted && region_of[to] == i &&\n"
    "                  region_can(i, (unsigned)from->parts[i], to, command,\n"
    "                             (unsigned)event->type, &taken);\n"
    "        }\n"
    "        if (!can) {\n"
    "            return false;\n"
    "        }\n"
    "        any = any || taken;\n"
    "    }\n"
    "    return any;\n"
    "}\n\n"
    "static bool is_place(const struct $v *event) {\n"
    "    bool good = (unsigned)event->state < $S && (unsigned)event->state != 0;\n"
    "    for (unsigned i = 0; good && event->state == $X && i < $R; i++) {\n"
    "        good = (unsigned)event->parts[i] < $S && region_of[event->parts[i]] == i;\n"
    "    }\n"
    "    return good && region_of[event->state] == $R;\n"
    "}\n\n"
    "/* Whether the event can happen here, and lead there. */\n"
    "static bool is_legal(const struct $e *entity, const struct $v *event) {\n"
    "    struct $v from;\n"
    "    struct $v done = *event;\n"
    "    if ((unsigned)event->type >= $V || !in_range(entity, 0) || !is_place(event)) {\n"
    "        return false;\n"
    "    }\n"
    "    from.type = event->type;\n"
    "    from.state = entity->state;\n"
    "    for (unsigned i = 0; i < $R; i++) {\n"
    "        from.parts[i] = entity->parts[i];\n"
    "    }\n";

static const char legal_end[] =
    "    if (has_ended(entity)) {\n"
    "        return false;\n"
    "    }\n"
    "    if (one_leads(&from, event, (unsigned)from.state, $R)) {\n"
    "        return true;\n"
    "    }\n"
    "    for (unsigned i = 0; from.state == $X && i < $R; i++) {\n"
    "        if (one_leads(&from, event, (unsigned)from.parts[i], i)) {\n"
    "            return true;\n"
    "        }\n"
    "    }\n"
    "    lead_to(done_to, done_entry, &done);\n"
    "    const unsigned end = first_emitter[event->type + 1];\n"
    "    for (unsigned i = first_emitter[event->type]; from.state == $X && i < end; i++) {\n"
    "        if ((event->state == $X && regions_can(&from, event, emitters[i], false)) ||\n"
    "            (done_to != 0 && same_place(&done, event) &&\n"
    "             regions_can(&from, event, emitters[i], true))) {\n"
    "            return true;\n"
    "        }\n"
    "    }\n"
    "    return false;\n"
    "}\n\n";

void bst__c_add_region_legal(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    bst_strbuf_adds(out, "/* clang-format off */\n");
    fill_in(c, legal, out);
    for (uint32_t e = 0; e < c->machine->event_count; e++) {
        const bst_builtin builtin = c->machine->events[e].builtin;
        if (builtin != BST_BUILTIN_NONE) {
            bst_strbuf_addf(out, "    if (event->type == %s) {\n", c->events[e].constant);
            fill_in(c,
                    builtin == BST_BUILTIN_GENESIS
                        ? "        return from.state == $N;\n    }\n"
                        : "        return from.state != $N && same_place(&from, event);\n    }\n",
                    out);
        }
    }
    fill_in(c, legal_end, out);
    bst_strbuf_adds(out, "/* clang-format on */\n\n");
}
