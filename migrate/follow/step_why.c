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

/* "no event of state "captured" explains that refunded became 15.00, and was 25.00". */
static void add_change(bst__stepper *s) {
    const uint32_t f = bst__step_difference(s, s->known->fields, s->target.fields);
    bst_strbuf *const out = &s->message;
    if (s->known->version == 0 || f == BST_NONE) {
        add_move(s);
        bst_strbuf_adds(out, ", and no event of the machine leads to the values that it has");
        return;
    }
    const bst_field *const field = &s->machine->fields[f];
    bst_strbuf_addf(out, "no event of state \"%s\" explains that %s became ",
                    s->machine->states[s->known->state].name, field->name);
    bst_value_to_json(&field->type, &s->target.fields[f], out);
    bst_strbuf_adds(out, ", and was ");
    bst_value_to_json(&field->type, &s->known->fields[f], out);
}

static bst_status explain_guard(bst__stepper *s, bool moved, bst__verdict *ret) {
    const char *const name =
        s->refused_guard == BST_NONE ? NULL : s->machine->guards[s->refused_guard].name;
    if (moved)
        add_move(s);
    else
        add_change(s);
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
    if (s->guard_refused)
        return explain_guard(s, moved, ret);
    if (s->fields_differ || !moved) {
        add_change(s);
        return bst__step_refuse(s, "unexplained-change", ret);
    }
    add_move(s);
    bst_strbuf_adds(&s->message, ", and no events of the machine lead there");
    return bst__step_refuse(s, "illegal-transition", ret);
}
