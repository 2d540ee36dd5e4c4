/* decide and apply of generated C: the same few lines for every machine, around its table.
 *
 *     decide   choose() looks up the cell and asks guards; fill() takes the payload; misfit() tries
 *              the events that an entity may be unable to take
 *     apply    is_legal() looks for a transition that emits the event here; change() makes a
 *              changed copy, which is taken over
 *
 * What a machine has no use for is left out: no candidates, no guards to ask; no arithmetic,
 * nothing to try.
 */
#include <string.h>

#include "emit_c_step_private.h"

static void add_needs(bst__c_needs *all, bst__c_needs more) {
    all->entity = all->entity || more.entity;
    all->command = all->command || more.command;
    all->event = all->event || more.event;
    all->overflow = all->overflow || more.overflow;
    all->absent = all->absent || more.absent;
    all->linked = all->linked || more.linked;
}

void bst__c_find_needs(bst__c *c, bst__c_step *step) {
    const bst_machine *machine = c->machine;
    *step = (bst__c_step){.c = c};
    for (uint32_t i = 0; i < machine->guard_count; i++) {
        add_needs(&step->guards, bst__c_guard_needs(c, i));
    }
    for (uint32_t i = 0; i < machine->event_count; i++) {
        const bst__c_needs needs = bst__c_event_needs(c, i);
        add_needs(&step->events, needs);
        if (needs.overflow || needs.absent) {
            add_needs(&step->failing, needs);
        }
        step->events_change = step->events_change || bst__c_event_changes(c, i);
        step->payloads = step->payloads || c->events[i].count > 0;
    }
    for (uint32_t k = 0; k < c->table.emission_first[machine->event_count]; k++) {
        const bst__c_emission *emission = &c->table.emissions[k];
        const bst__c_record *event = &c->events[emission->event];
        for (uint32_t f = 0; f < event->count; f++) {
            const uint32_t from = emission->transition->payload_from[f];
            step->lacking = step->lacking || (!event->fields[f].has && from != BST_NONE &&
                                              c->commands[emission->command].fields[from].has);
        }
    }
}

/* ---- the entity before its first event ---- */

/* Lines of the initializer: one a member, two for the 16 bytes of a uuid. */
typedef struct initializer {
    bst__c *c;
    bst__c_line *lines;
    size_t count;
    bool wide; /* clang-format would lay it out worse */
} initializer;

static void add_default(initializer *init, const bst__c_field *f) {
    bst__c *c = init->c;
    bst__c_scope scope = {.c = c};
    const bst_value *initial = &f->field->default_value;
    bst_strbuf value = BST_STRBUF_INIT;
    if (f->has) {
        init->lines[init->count++] = (bst__c_line){initial->present ? "true," : "false,", f->has};
    }
    if (initial->present) {
        bst__c_constant(&scope, &f->field->type, initial, true, &value);
    } else {
        bst__c_zero(&scope, &f->field->type, true, &value);
    }
    const char *text = bst__c_text(c, "%s,", value.text);
    const size_t half = strlen("{{0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,");
    if (f->field->type.kind == BST_KIND_UUID && strlen(text) > half) {
        init->lines[init->count++] =
            (bst__c_line){bst__c_text(c, "%.*s", (int)half, text), f->member};
        text = bst__c_text(c, " %s", text + half);
        init->lines[init->count++] = (bst__c_line){text, NULL};
        init->wide = true;
    } else {
        init->wide = init->wide || bst__c_columns(text) + strlen(f->member) + 11 > BST__C_COLUMNS;
        init->lines[init->count++] = (bst__c_line){text, f->member};
    }
    c->failed = c->failed || value.failed;
    bst_strbuf_release(&value);
}

static void add_unborn(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    initializer init = {.c = c};
    init.lines = bst__c_array(c, 3 * (size_t)c->entity.count + 2, sizeof *init.lines);
    if (!init.lines) {
        return;
    }
    init.lines[init.count++] = (bst__c_line){bst__c_text(c, "%s,", c->states[0]), "state"};
    if (c->regions) {
        init.lines[init.count++] = (bst__c_line){bst__c_text(c, "{%s},", c->states[0]), "parts"};
    }
    for (uint32_t i = 0; i < c->entity.count; i++) {
        add_default(&init, &c->entity.fields[i]);
    }
    bst__c_comment(out, 0, "What the first event of an entity finds: the defaults.");
    bst_strbuf_adds(out, init.wide ? "/* clang-format off */\n" : "");
    bst_strbuf_addf(out, "static const struct %s unborn = {\n", c->entity.tag);
    bst__c_add_lines(out, 4, init.lines, init.count);
    bst_strbuf_adds(out, init.wide ? "};\n/* clang-format on */\n\n" : "};\n\n");
}

/* ---- decide ---- */

static void add_refuse(bst__c *c, bst_strbuf *out) {
    const char *const args[] = {bst__c_text(c, "enum %s verdict", c->fixed.verdict),
                                "unsigned guard", "const char *field"};
    bst__c_add_list(out, 0, bst__c_text(c, "static struct %s verdict_of(", c->fixed.decision), args,
                    3, ") {");
    bst_strbuf_addf(out,
                    "    struct %s decision;\n"
                    "    decision.verdict = verdict;\n"
                    "    decision.guard = (enum %s)guard;\n"
                    "    decision.field = field;\n"
                    "    return decision;\n}\n\n",
                    c->fixed.decision, c->fixed.guard);
}

/* `return verdict_of(PAYMENT_VERDICT_NO_TRANSITION, PAYMENT_GUARD_NONE, NULL);` */
static void add_verdict(bst__c *c, unsigned indent, const char *verdict, const char *guard,
                        const char *field, bst_strbuf *out) {
    const char *const args[] = {bst__c_text(c, "%s_VERDICT_%s", c->upper, verdict),
                                guard ? guard : c->guards[0], field ? field : "NULL"};
    bst__c_add_list(out, indent, "return verdict_of(", args, 3, ");");
}

static void add_candidate_loop(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    const bst__c_needs *needs = &step->guards;
    bst_strbuf_adds(out, needs->overflow ? "    bool overflow = false;\n" : "");
    bst_strbuf_adds(out, needs->absent ? "    bool absent = false;\n" : "");
    bst_strbuf_addf(out, "    const struct %s *way = &candidates[cell - %s];\n", c->fixed.candidate,
                    c->fixed.state_count);
    const char *args[5] = {"way->guard"};
    size_t count = 1;
    if (needs->entity) {
        args[count++] = "entity";
    }
    if (needs->command || needs->linked) {
        args[count++] = "command";
    }
    if (needs->overflow) {
        args[count++] = "&overflow";
    }
    if (needs->absent) {
        args[count++] = "&absent";
    }
    if (needs->overflow || needs->absent) {
        bst_strbuf_adds(out, "    for (;; way++) {\n");
        bst__c_add_list(out, 8, "const bool held = holds(", args, count, ");");
        if (needs->absent) {
            bst_strbuf_adds(out, "        if (absent) {\n");
            add_verdict(c, 12, "INVALID_ENTITY", "way->guard", NULL, out);
            bst_strbuf_adds(out, "        }\n");
        }
        if (needs->overflow) {
            bst_strbuf_adds(out, "        if (overflow) {\n");
            add_verdict(c, 12, "OVERFLOW", "way->guard", NULL, out);
            bst_strbuf_adds(out, "        }\n");
        }
        bst_strbuf_adds(out, "        if (held) {\n            break;\n        }\n");
    } else {
        bst__c_add_list(out, 4, "for (; !holds(", args, count, "); way++) {");
    }
    bst_strbuf_adds(out, "        if (!way->more) {\n");
    add_verdict(c, 12, "GUARD_REFUSED", "way->guard", NULL, out);
    bst_strbuf_addf(out,
                    "        }\n    }\n"
                    "    event->type = (enum %s)way->event;\n"
                    "    event->state = (enum %s)way->to;\n",
                    c->fixed.event_type, c->fixed.state);
}

static bool has_guards(const bst__c *c) {
    for (uint32_t i = 0; i < c->machine->guard_count; i++) {
        if (c->guard_users[i]) {
            return true;
        }
    }
    return false;
}

static void add_choose(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    const bst__c_fixed *f = &c->fixed;
    const bool candidates = c->table.candidate_count > 0;
    const char *const args[] = {bst__c_text(c, "const struct %s *entity", c->entity.tag),
                                bst__c_text(c, "const struct %s *command", f->command),
                                bst__c_text(c, "struct %s *event", f->event)};
    bst__c_comment(out, 0, "The event that the command makes here, without its payload.");
    bst__c_add_list(out, 0, bst__c_text(c, "static struct %s choose(", f->decision), args, 3,
                    ") {");
    bst__c_add_statement(out, 4, "const bool in_range = ",
                         bst__c_text(c,
                                     "(unsigned)entity->state < %s && (unsigned)command->type < %s",
                                     f->state_count, f->command_count));
    bst__c_add_statement(out, 4, "const unsigned cell = ",
                         bst__c_text(c, "in_range ? %s : 0u",
                                     bst__c_cell_text(c, "entity->state", "command->type")));
    bst_strbuf_adds(out, "    if (cell == 0) {\n");
    add_verdict(c, 8, "NO_TRANSITION", NULL, NULL, out);
    bst_strbuf_adds(out, "    }\n");
    if (candidates) {
        bst_strbuf_addf(out, "    if (cell < %s) {\n", f->state_count);
    }
    const unsigned indent = candidates ? 8 : 4;
    bst_strbuf_addf(out, "%*sevent->type = (enum %s)usual_event[command->type];\n", (int)indent, "",
                    f->event_type);
    bst_strbuf_addf(out, "%*sevent->state = (enum %s)cell;\n", (int)indent, "", f->state);
    if (candidates) {
        add_verdict(c, 8, "ACCEPTED", NULL, NULL, out);
        bst_strbuf_adds(out, "    }\n");
        if (has_guards(c)) {
            add_candidate_loop(step, out);
        } else {
            bst_strbuf_addf(out,
                            "    const struct %s *way = &candidates[cell - %s];\n"
                            "    event->type = (enum %s)way->event;\n"
                            "    event->state = (enum %s)way->to;\n",
                            f->candidate, f->state_count, f->event_type, f->state);
        }
    }
    add_verdict(c, 4, "ACCEPTED", NULL, NULL, out);
    bst_strbuf_adds(out, "}\n\n");
}

static void add_before(bst__c *c, bst_strbuf *out) {
    bst_strbuf_addf(out, "    const struct %s *before = entity->state == %s ? &unborn : entity;\n",
                    c->entity.tag, c->states[0]);
}

/* The copy that an event is applied to: `before`, when some event reads it, and `after`. */
static void add_copy(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    if (step->events.entity) {
        add_before(c, out);
        bst_strbuf_addf(out, "    struct %s after = *before;\n", c->entity.tag);
    } else {
        bst_strbuf_addf(out, "    struct %s after = entity->state == %s ? unborn : *entity;\n",
                        c->entity.tag, c->states[0]);
    }
}

static const char *change_call(bst__c_step *step, const char *event) {
    return bst__c_text(step->c, "change(%s%s, &after%s)", step->events.entity ? "before, " : "",
                       event, step->events.absent ? ", &absent" : "");
}

static void add_decide(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    const bst__c_fixed *f = &c->fixed;
    const char *const args[] = {bst__c_text(c, "const struct %s *entity", c->entity.tag),
                                bst__c_text(c, "const struct %s *command", f->command),
                                bst__c_text(c, "struct %s *event", f->event)};
    bst__c_add_list(out, 0, bst__c_text(c, "struct %s %s(", f->decision, f->decide), args, 3,
                    ") {");
    bst_strbuf_addf(out,
                    "    struct %s made;\n"
                    "    const struct %s decision = choose(entity, command, &made);\n"
                    "    if (decision.verdict != %s_VERDICT_ACCEPTED) {\n"
                    "        return decision;\n    }\n",
                    f->event, f->decision, c->upper);
    if (step->lacking) {
        bst_strbuf_adds(out,
                        "    const char *lacking = fill(command, &made);\n    if (lacking) {\n");
        add_verdict(c, 8, "INVALID_PAYLOAD", NULL, "lacking", out);
        bst_strbuf_adds(out, "    }\n");
    } else if (step->payloads) {
        bst_strbuf_adds(out, "    fill(command, &made);\n");
    }
    if (step->events.overflow || step->events.absent) {
        if (step->failing.entity) {
            add_before(c, out);
        }
        bst_strbuf_adds(out, step->events.absent ? "    bool absent = false;\n" : "");
        bst_strbuf_addf(out, "    const char *field = misfit(%s&made%s);\n",
                        step->failing.entity ? "before, " : "",
                        step->failing.absent ? ", &absent" : "");
        if (step->events.absent) {
            bst_strbuf_adds(out, "    if (absent) {\n");
            add_verdict(c, 8, "INVALID_ENTITY", NULL, "field", out);
            bst_strbuf_adds(out, "    }\n");
        }
        if (step->events.overflow) {
            bst_strbuf_adds(out, "    if (field) {\n");
            add_verdict(c, 8, "OVERFLOW", NULL, "field", out);
            bst_strbuf_adds(out, "    }\n");
        }
    }
    bst_strbuf_adds(out, "    *event = made;\n    return decision;\n}\n\n");
}

/* ---- apply ---- */

/* Built-in events stand in no transition. */
static void add_builtin_steps(bst__c *c, bst_strbuf *out) {
    for (uint32_t e = 0; e < c->machine->event_count; e++) {
        const bst_builtin builtin = c->machine->events[e].builtin;
        if (builtin != BST_BUILTIN_NONE) {
            bst_strbuf_addf(
                out, "    if (type == %s) {\n        return %s%s;\n    }\n", c->events[e].constant,
                builtin == BST_BUILTIN_GENESIS ? "from == 0 && to < " : "from != 0 && from == to",
                builtin == BST_BUILTIN_GENESIS ? c->fixed.state_count : "");
        }
    }
}

static void add_is_legal(bst__c *c, bst_strbuf *out) {
    const bst__c_fixed *f = &c->fixed;
    bst__c_comment(out, 0, "Whether some transition emits this event here, into that state.");
    bst_strbuf_addf(out,
                    "static bool is_legal(unsigned from, unsigned type, unsigned to) {\n"
                    "    if (from >= %s || type >= %s || to == 0) {\n"
                    "        return false;\n    }\n",
                    f->state_count, f->event_count);
    add_builtin_steps(c, out);
    bst_strbuf_addf(
        out,
        "    for (unsigned i = first_emitter[type]; i < first_emitter[type + 1u]; i++) {\n"
        "        const unsigned command = emitters[i];\n"
        "        const unsigned cell = %s;\n"
        "        if (cell == to && usual_event[command] == type) {\n"
        "            return true;\n        }\n",
        bst__c_cell_text(c, "from", "command"));
    if (c->table.candidate_count > 0) {
        bst_strbuf_addf(out,
                        "        if (cell >= %s) {\n"
                        "            const struct %s *way = &candidates[cell - %s];\n"
                        "            while (way->more && (way->event != type || way->to != to)) {\n"
                        "                way++;\n            }\n"
                        "            if (way->event == type && way->to == to) {\n"
                        "                return true;\n            }\n        }\n",
                        f->state_count, f->candidate, f->state_count);
    }
    bst_strbuf_adds(out, "    }\n    return false;\n}\n\n");
}

static void add_apply(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    const bst__c_fixed *f = &c->fixed;
    const char *const args[] = {bst__c_text(c, "struct %s *entity", c->entity.tag),
                                bst__c_text(c, "const struct %s *event", f->event)};
    bst__c_add_list(out, 0, bst__c_text(c, "enum %s %s(", f->apply_result, f->apply), args, 2,
                    ") {");
    bst_strbuf_addf(out,
                    "    if (!is_legal(%s)) {\n"
                    "        return %s_APPLY_ILLEGAL;\n    }\n",
                    c->regions ? "entity, event" : "entity->state, event->type, event->state",
                    c->upper);
    add_copy(step, out);
    bst_strbuf_adds(out, step->events.absent ? "    bool absent = false;\n" : "");
    if (step->events.overflow || step->events.absent) {
        bst_strbuf_addf(out, "    if (%s) {\n        return ", change_call(step, "event"));
        if (step->events.absent) {
            bst_strbuf_addf(
                out, step->events.overflow ? "absent ? %s_APPLY_INVALID : " : "%s_APPLY_INVALID",
                c->upper);
        }
        if (step->events.overflow)
            bst_strbuf_addf(out, "%s_APPLY_OVERFLOW", c->upper);
        bst_strbuf_adds(out, ";\n    }\n");
    } else if (step->events_change) {
        bst_strbuf_addf(out, "    %s;\n", change_call(step, "event"));
    }
    bst_strbuf_adds(out, "    after.state = event->state;\n");
    bst__c_copy_parts(c, "after.", "event->", out);
    bst_strbuf_addf(out, "    *entity = after;\n    return %s_APPLY_OK;\n}\n\n", c->upper);
}

void bst__c_add_step(bst__c_step *step, bst_strbuf *out) {
    bst__c *c = step->c;
    add_unborn(step, out);
    bst_strbuf_addf(out, "void %s(struct %s *entity) {\n    *entity = unborn;\n}\n\n",
                    c->fixed.init, c->entity.tag);
    add_refuse(c, out);
    if (c->regions) {
        bst__c_add_region_choose(step, out);
    } else {
        add_choose(step, out);
    }
    add_decide(step, out);
    if (c->regions) {
        bst__c_add_region_legal(step, out);
    } else {
        add_is_legal(c, out);
    }
    add_apply(step, out);
}
