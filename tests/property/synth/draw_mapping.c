/* A mapping for a machine that was drawn: evidence of every kind in random columns, logs,
 * policies. Its text only; what its columns then hold is the row's affair. */
#include "synth_case.h"

#define ITEMS_MAX 9u

/* Evidence names only what some transition does: anything else is an error. `index` is that of an
 * event, or of a node. */
static bool is_done(const bst_machine *of, bool by_event, uint32_t index) {
    for (uint32_t t = 0; t < of->transition_count; t++) {
        const bst_transition *at = &of->transitions[t];
        if (by_event ? at->event == index : bst_machine_enters(of, t, index)) {
            return true;
        }
    }
    return false;
}

static bool write_subject(const bst_machine *of, bst_strbuf *out) {
    bool by_event = roll(2) == 0;
    uint32_t index = by_event ? roll(of->event_count) : 1 + roll(of->node_count - 1);
    if (!is_done(of, by_event, index)) {
        return false;
    }
    if (by_event) {
        bst_strbuf_addf(out, "{\"event\":\"%s\"", of->events[index].name);
        return true;
    }
    bst_strbuf_addf(out, "{\"state\":[\"%s\"", of->nodes[index].name);
    uint32_t other = 1 + roll(of->node_count - 1);
    if (roll(3) == 0 && other != index && is_done(of, false, other)) {
        bst_strbuf_addf(out, ",\"%s\"", of->nodes[other].name);
    }
    bst_strbuf_addc(out, ']');
    return true;
}

static void write_item(const bst_machine *of, uint32_t i, bst_strbuf *out) {
    static const char *const relations[] = {"exact", "at_most", "at_least"};
    bst_strbuf item = BST_STRBUF_INIT;
    uint32_t kind = roll(6);
    if (kind < 2 && write_subject(of, &item)) {
        const bool only = roll(6) == 0;
        bst_strbuf_addf(&item, ",\"at\":\"t%u\",\"occurrence\":\"%s\",\"absent\":\"%s\"", i,
                        only      ? "only"
                        : roll(2) ? "first"
                                  : "last",
                        only || roll(2) ? "unknown" : "never");
    } else if (kind == 2 && write_subject(of, &item)) {
        bst_strbuf_addf(&item, ",\"count\":\"n%u\",\"relation\":\"%s\"", i, relations[roll(3)]);
    } else if (kind == 3) {
        bst_strbuf_addf(&item, "{\"event\":\"*\",\"count\":\"n%u\",\"relation\":\"%s\"", i,
                        relations[roll(3)]);
    } else if (kind == 4) {
        bst_strbuf_addf(&item, "{\"last_change\":\"t%u\",\"exact\":%s", i,
                        roll(2) ? "true" : "false");
    } else {
        bst_strbuf_addf(&item, "{\"creation\":\"t%u\"", i);
    }
    if (roll(4) == 0) {
        bst_strbuf_addf(&item, ",\"when\":\"f%u == 'y'\"", i);
    }
    bst_strbuf_addf(out, "%s%s}", i > 0 ? "," : "", item.text);
    bst_strbuf_release(&item);
}

/* Whose codes a log has: 3, the column "rg" says it of each row. */
static void write_one_log(uint32_t region, const char *kind, const char *order, bst_strbuf *out) {
    static const char *const regions[] = {"\"region\":\"m\",", "\"region\":\"r0\",",
                                          "\"region\":\"r1\",",
                                          "\"region\":{\"column\":\"rg\",\"values\":{\"m\":\"m\","
                                          "\"r0\":\"r0\",\"r1\":\"r1\",\"else\":null}},"};
    bst_strbuf_addf(out, "{\"table\":\"l%u\",\"entity\":\"e\",\"to\":\"to\",%s%s%s}", region,
                    shape.regional ? regions[region] : "", kind, order);
}

/* Some have a log: of changes, perhaps without gaps, or of versions. Regions have one for all or
 * one each. */
static void write_log_key(bst_strbuf *out) {
    static const char *const orders[] = {"\"at\":\"at\"", "\"at\":\"at\",\"order\":\"o\"",
                                         "\"order\":\"o\""};
    static const char *const kinds[] = {"", "\"gaps\":false,", "\"rows\":\"versions\",",
                                        "\"event\":\"ev\","};
    if (roll(2) == 0) {
        return;
    }
    shape.log_kind = (enum log_kind)roll(4);
    const char *const order = orders[roll(3)];
    bst_strbuf_adds(out, "\"log\":");
    if (!shape.regional || roll(2)) {
        write_one_log(3, kinds[shape.log_kind], order, out);
    } else {
        for (uint32_t r = 0; r < 3; r++) {
            bst_strbuf_adds(out, r == 0 ? "[" : ",");
            write_one_log(r, kinds[shape.log_kind], order, out);
        }
        bst_strbuf_addc(out, ']');
    }
    bst_strbuf_addc(out, ',');
}

static void write_policy(bst_strbuf *out) {
    static const char *const contradiction[] = {"\"quarantine\"", "\"relax\"", "\"genesis\"",
                                                "[\"relax\",\"genesis\"]"};
    static const char *const residual[] = {"\"quarantine\"", "\"reconcile\"", "\"genesis\"",
                                           "[\"reconcile\",\"genesis\"]"};
    const uint32_t one = roll(4), other = roll(4);
    shape.wants_all = one >= 2 && other >= 2;
    bst_strbuf_addf(out,
                    "\"policy\":{\"ambiguous\":\"likeliest\",\"contradiction\":%s,"
                    "\"residual\":%s,\"too_ambiguous\":\"%s\"}",
                    contradiction[one], residual[other],
                    shape.wants_all ? "genesis" : "quarantine");
}

/* Of the machine's own column, and of those of its regions. */
static void write_values(const bst_machine *of, bst_strbuf *out) {
    for (uint32_t s = 0; s < (shape.regional ? shape.states : of->state_count); s++) {
        if (shape.regional) {
            bst_strbuf_addf(out, "%s\"%ss%u\":\"s%u\"", s > 0 ? "," : "",
                            s >= shape.nested_from ? "p." : "", s, s);
        } else {
            bst_strbuf_addf(out, "%s\"%s\":\"%s\"", s > 0 ? "," : "", of->states[s].name,
                            of->states[s].name);
        }
    }
    if (shape.regional) {
        bst_strbuf_adds(out, ",\"q\":\"q\"},\"regions\":{");
    }
    for (uint32_t r = 0; shape.regional && r < 2; r++) {
        bst_strbuf_addf(out, "%s\"r%u\":{\"column\":\"s_r%u\",", r > 0 ? "," : "", r, r);
        bst_strbuf_addf(out, "\"values\":{\"x%u\":\"x%u\",\"y%u\":\"y%u\"}}", r, r, r, r);
    }
    bst_strbuf_addc(out, '}');
}

void draw_mapping(const bst_machine *of, bst_strbuf *out) {
    bst_strbuf_adds(out, "{\"machine\":\"m.fsm.json\",\"source\":{\"table\":\"t\",\"key\":\"id\"},"
                         "\"state\":{\"column\":\"s\",\"values\":{");
    write_values(of, out);
    bst_strbuf_adds(out, "},\"fields\":{\"total\":\"total\",\"note\":\"note\"},\"evidence\":[");
    uint32_t items = 1 + roll(ITEMS_MAX);
    for (uint32_t i = 0; i < items; i++) {
        write_item(of, i, out);
    }
    /* Where amounts come from: a column for all, which is never NULL, so it says nothing of what
     * happened; or one for the last of them, or none. */
    for (uint32_t e = 0; e < of->event_count; e++) {
        if (of->events[e].field_count != 1 || bst_event_field(&of->events[e], "amount") != 0 ||
            !is_done(of, true, e) || (shape.sums && roll(2) == 0)) {
            continue;
        }
        bst_strbuf_addf(out, ",{\"event\":\"%s\",", of->events[e].name);
        bst_strbuf_addf(out, shape.sums ? "\"at\":\"u%u\"" : "\"count\":\"x\"", e);
        bst_strbuf_addf(out, ",\"fields\":{\"amount\":\"a%u\"}}", e);
    }
    bst_strbuf_adds(out, "],");
    write_log_key(out);
    write_policy(out);
    bst_strbuf_addc(out, '}');
}
