/* Why a change is no event: the machine forbids it, or does not explain it. */
#include "step_private.h"

bst_status bst__step_refuse(bst__stepper *s, const char *reason, bst__verdict *ret) {
    *ret = (bst__verdict){.kind = BST__STEP_ASIDE, .reason = reason, .message = s->message.text};
    return s->message.failed ? bst_diag_nomem(s->diags) : BST_OK;
}

bst_status bst__step_refuse_as_synth(bst__stepper *s, const bst_refusal *refusal,
                                     bst__verdict *ret) {
    bst_strbuf_add(&s->message, refusal->message.text, refusal->message.len);
    return bst__step_refuse(s, bst_reason_text(refusal->reason), ret);
}

static void add_move(bst__stepper *s) {
    const bst_state *const states = s->machine->states;
    if (s->known->version == 0)
        bst_strbuf_addf(&s->message, "the row came to be in state \"%s\"",
                        states[s->target.state].name);
    else
        bst_strbuf_addf(&s->message, "the row went from \"%s\" to \"%s\"",
                        states[s->known->state].name, states[s->target.state].name);
}

/* "refunded became 15.00, and was 25.00". */
static void add_field(bst__stepper *s, uint32_t f) {
    const bst_field *const field = &s->machine->fields[f];
    const bst_value *const was = &s->known->fields[f], *const is = &s->target.fields[f];
    const bool same = s->known->version == 0 || bst_value_equal(&field->type, was, is);
    bst_strbuf_addf(&s->message, "%s %s ", field->name,
                    s->known->version == 0 ? "is"
                    : same                 ? "stayed"
                                           : "became");
    bst_value_to_json(&field->type, is, &s->message);
    if (same)
        return;
    bst_strbuf_adds(&s->message, ", and was ");
    bst_value_to_json(&field->type, was, &s->message);
}

/* What remains unexplained: not all that changed, for an event may well explain a part of it. */
static void add_change(bst__stepper *s, bool moved) {
    bst_strbuf *const out = &s->message;
    if (moved)
        add_move(s);
    if (moved)
        bst_strbuf_adds(out, ", and no events that lead there explain that ");
    else
        bst_strbuf_addf(out, "no event of state \"%s\" explains that ",
                        s->machine->states[s->known->state].name);
    for (uint32_t i = 0; i < s->left_count && i < BST__LEFT_MAX; i++) {
        bst_strbuf_adds(out, i > 0 ? ", and that " : "");
        add_field(s, s->left[i]);
    }
    if (s->left_count > BST__LEFT_MAX)
        bst_strbuf_addf(out, ", nor %u more", s->left_count - BST__LEFT_MAX);
}

static bst_status explain_guard(bst__stepper *s, bool moved, bst__verdict *ret) {
    const char *const name =
        s->refused_guard == BST_NONE ? NULL : s->machine->guards[s->refused_guard].name;
    if (moved)
        add_move(s);
    else
        add_change(s, false);
    bst_strbuf_adds(&s->message, moved ? ", which " : "; ");
    if (name)
        bst_strbuf_addf(&s->message, "the guard \"%s\" forbids", name);
    else
        bst_strbuf_adds(&s->message, "a guard forbids");
    bst_strbuf_adds(&s->message, moved ? "" : " it");
    return bst__step_refuse(s, "guard-refused", ret);
}

bst_status bst__step_explain(bst__stepper *s, bst__verdict *ret) {
    const bool moved = s->known->version == 0 || s->known->state != s->target.state;
    if (s->forbidden_left_count < s->left_count)
        return explain_guard(s, moved, ret);
    if (s->left_count != BST_NONE) {
        add_change(s, moved);
        return bst__step_refuse(s, "unexplained-change", ret);
    }
    add_move(s);
    bst_strbuf_adds(&s->message, ", and no events of the machine lead there");
    return bst__step_refuse(s, "illegal-transition", ret);
}
