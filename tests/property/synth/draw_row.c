/* A walk through the machine, drawn at random: the truth. Then the row that such a life leaves
 * behind, which may be spoiled. */
#include <stdio.h>
#include <string.h>

#include "synth_case.h"

bst_cell cells[CELLS_MAX];
bst_entity claimed;

static bst_value claimed_fields[FIELDS];

/* ---- truths ---- */

static void step(uint32_t command) {
    bst_value payload[2];
    bst_value fields[2];
    bst_event event = {.fields = fields};
    uint32_t before = now.entity.state;
    const bst_command *of = &machine->commands[command];
    uint32_t first = 0;
    if (bst_machine_candidates(machine, before, command, &first) == 0) {
        return;
    }
    const bst_value next = {true, 0, {(int64_t)roll(2000)}};
    const bst_value paid = shape.sums ? next : now.amounts[machine->transitions[first].event];
    for (uint32_t f = 0; f < of->field_count; f++) {
        bool amount = strcmp(of->fields[f].name, "amount") == 0;
        payload[f] = amount ? paid : now.note;
    }
    bst_decision decision = bst_decide(machine, &now.entity, command, payload, &event);
    if (decision.verdict == BST_ACCEPTED) {
        EXPECT(bst_apply(machine, &now.entity, &event) == BST_APPLY_OK);
        now.times[now.count] =
            now.count == 0 ? NOON : now.times[now.count - 1] + (int64_t)roll(4) * 10;
        now.amounts[event.type] = paid;
        now.paid[now.count] = paid;
        now.transitions[now.count++] = decision.transition;
    }
}

void truth_live(void) {
    static const char note[] = "noted";
    now.count = 0;
    now.entity.fields = now.fields;
    now.note = roll(2) ? (bst_value){true, sizeof note - 1, {.text = note}} : BST_ABSENT;
    for (uint32_t e = 0; e < machine->event_count; e++) {
        now.amounts[e] = (bst_value){true, 0, {(int64_t)roll(2000)}};
    }
    bst_entity_clear(machine, &now.entity);
    while (now.count == 0) {
        step(roll(machine->command_count));
    }
    for (uint32_t tries = roll(3 * STEPS_MAX); tries > 0 && now.count < STEPS_MAX; tries--) {
        step(roll(machine->command_count));
    }
}

/* ---- rows ---- */

static bst_value *cell(uint32_t column) {
    cells[column].result = BST_VALUE_OK;
    return &cells[column].value;
}

static uint32_t column_named(const char *name) {
    for (uint32_t c = 0; c < mapping->source.column_count; c++) {
        if (strcmp(mapping->source.columns[c].name, name) == 0) {
            return c;
        }
    }
    return BST_NONE;
}

static bst_value integer(int64_t value) {
    return (bst_value){true, 0, {value}};
}

static bst_value time_of(const bst_evidence *evidence) {
    uint32_t found = BST_NONE;
    uint32_t count = 0;
    for (uint32_t i = 0; i < now.count; i++) {
        bool first = evidence->occurrence == BST_OCCURRENCE_FIRST;
        count += evidence->transitions[now.transitions[i]];
        if (evidence->transitions[now.transitions[i]] && !(first && found != BST_NONE)) {
            found = i;
        }
    }
    /* "only" is said where it happened once */
    bool lost = (!evidence->absent_is_never && roll(5) == 0) ||
                (evidence->occurrence == BST_OCCURRENCE_ONLY && count > 1);
    return found == BST_NONE || lost ? BST_ABSENT : integer(now.times[found]);
}

static bst_value count_of(const bst_evidence *evidence) {
    int64_t count = 0;
    for (uint32_t i = 0; i < now.count; i++) {
        count += evidence->transitions[now.transitions[i]];
    }
    if (evidence->relation == BST_AT_MOST) {
        count += roll(2);
    } else if (evidence->relation == BST_AT_LEAST && count > 0) {
        count -= roll(2);
    }
    return roll(6) == 0 ? BST_ABSENT : integer(count);
}

static bst_value last_change_of(const bst_evidence *evidence) {
    int64_t last = now.times[now.count - 1];
    return roll(6) == 0 ? BST_ABSENT : integer(evidence->exact ? last : last + roll(3) * 10);
}

static void write_evidence(uint32_t i) {
    const bst_evidence *evidence = &mapping->evidence[i];
    bst_value *value = cell(evidence->column);
    char flag[16];
    snprintf(flag, sizeof flag, "f%u", i);
    uint32_t flag_column = column_named(flag);
    if (evidence->when && roll(3) == 0) { /* it does not apply, and what stands there is a lie */
        *cell(flag_column) = (bst_value){true, 1, {.text = "n"}};
        *value =
            roll(2) ? integer(evidence->kind == BST_EVIDENCE_COUNT ? 3 : NOON - 5) : BST_ABSENT;
        return;
    }
    if (evidence->when) {
        *cell(flag_column) = (bst_value){true, 1, {.text = "y"}};
    }
    switch (evidence->kind) {
    case BST_EVIDENCE_EVENT:
    case BST_EVIDENCE_STATE:
        *value = time_of(evidence);
        break;
    case BST_EVIDENCE_COUNT:
        *value = count_of(evidence);
        break;
    case BST_EVIDENCE_CREATION:
        *value = roll(10) == 0 ? BST_ABSENT : integer(now.times[0]);
        break;
    case BST_EVIDENCE_LAST_CHANGE:
        *value = last_change_of(evidence);
        break;
    }
}

static void add_log_row(const bst_log *log, uint32_t i, const char *region, const char *to,
                        bst_strbuf *out) {
    char time[BST_TIME_TEXT_MAX];
    const bst_transition *t = &machine->transitions[now.transitions[i]];
    bst_time_format(now.times[i], time);
    bst_strbuf_addf(out, "%s[", out->len == 0 ? "[" : ",");
    if (shape.log_kind == EVENTS && roll(2)) {
        bst_strbuf_adds(out, "null");
    } else {
        bst_strbuf_addf(out, "\"%s\"", to);
    }
    bst_strbuf_addf(out, log->at == BST_NONE ? ",null" : ",\"%s\"", time);
    bst_strbuf_addf(out, shape.log_kind == EVENTS ? ",\"%s\"" : ",null",
                    machine->events[t->event].name);
    bst_strbuf_addf(out, region ? ",\"%s\"]" : "]", region);
    if (region && roll(6) == 0) {
        bst_strbuf_adds(out, ",[\"zzz\",null,null,\"else\"]");
    }
}

/* The rows that step `i` leaves in a log: one, or one for each region where something is
 * entered. Of versions, where something is. */
static void add_log_rows(const bst_log *log, uint32_t i, bst_strbuf *out) {
    const uint32_t step = now.transitions[i];
    uint32_t codes[BST_STATE_COLUMNS_MAX];
    if (!shape.regional) {
        add_log_row(log, i, NULL, machine->states[machine->transitions[step].to].name, out);
        return;
    }
    EXPECT(bst_mapping_codes_of(mapping, machine->transitions[step].to, codes));
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        const bst_state_column *column = &mapping->state_columns[c];
        const bst_state_code *code = codes[c] == BST_NONE ? NULL : &column->codes[codes[c]];
        const bool meant = log->region != BST_NONE || log->state_column == c;
        if (code && meant &&
            (shape.log_kind == VERSIONS || bst_machine_enters(machine, step, code->node))) {
            add_log_row(log, i,
                        log->region == BST_NONE ? NULL
                        : column->region_key    ? column->region_key
                                                : "m",
                        code->text, out);
        }
    }
}

/* What a log may hold of the truth. Of versions: all since some time. */
static void write_log(const bst_log *log, bst_strbuf *out) {
    const uint32_t from = shape.log_kind == VERSIONS ? roll(now.count + 1) : 0;
    const bool with_creation = shape.log_kind != WHOLE || roll(2);
    bst_strbuf_clear(out);
    for (uint32_t i = from; i < now.count; i++) {
        const bool step = !machine->transitions[now.transitions[i]].targetless;
        const bool wanted =
            shape.log_kind == VERSIONS || (step && (shape.log_kind == WHOLE || roll(3) > 0));
        if (wanted && (i > 0 || with_creation)) {
            add_log_rows(log, i, out);
        }
    }
    if (out->len > 0) {
        bst_strbuf_addc(out, ']');
        *cell(log->cell) = (bst_value){true, (uint32_t)out->len, {.text = out->text}};
        tally.logged++;
        tally.parted += shape.regional;
    }
}

void row_write(bst_row *row) {
    static bst_strbuf logs[BST_LOGS_MAX];
    uint32_t codes[BST_STATE_COLUMNS_MAX];
    memset(cells, 0, sizeof cells);
    EXPECT(mapping->source.column_count <= CELLS_MAX);
    EXPECT(bst_mapping_codes_of(mapping, now.entity.state, codes));
    for (uint32_t c = 0; c < mapping->state_column_count; c++) {
        const bst_state_column *column = &mapping->state_columns[c];
        const char *text = codes[c] == BST_NONE ? NULL : column->codes[codes[c]].text;
        if (text) {
            *cell(column->column) = (bst_value){true, (uint32_t)strlen(text), {.text = text}};
        }
    }
    memcpy(claimed_fields, now.fields, sizeof claimed_fields);
    claimed = (bst_entity){now.entity.state, claimed_fields};
    *cell(mapping->fields[0].column) = now.entity.fields[0];
    *cell(mapping->fields[1].column) = now.entity.fields[1];
    for (uint32_t i = 0; i < mapping->evidence_count; i++) {
        if (mapping->evidence[i].payload_count > 0) { /* the column "x" is always NULL */
            const bst_payload_from *from = mapping->evidence[i].payload;
            *cell(from->from.column) = now.amounts[from->event];
            if (shape.sums) {
                *cell(mapping->evidence[i].column) = time_of(&mapping->evidence[i]);
            }
        } else {
            write_evidence(i);
        }
    }
    for (uint32_t l = 0; l < mapping->log_count; l++) {
        write_log(&mapping->log[l], &logs[l]);
    }
    *row = (bst_row){.key = "k", .key_len = 1, .in_scope = true, .number = 1, .cells = cells};
}

/* A field, or an item of evidence, that is not what it was. False: nothing was there to spoil. */
bool row_spoil(void) {
    const uint32_t i = roll(mapping->evidence_count + 2);
    if (i >= mapping->evidence_count) {
        const uint32_t field = i - mapping->evidence_count;
        static const char note[] = "spoiled";
        claimed_fields[field] = field == 0 ? integer(now.fields[0].u.i + (int64_t)roll(900) - 450)
                                : roll(2)  ? BST_ABSENT
                                           : (bst_value){true, sizeof note - 1, {.text = note}};
        *cell(mapping->fields[field].column) = claimed_fields[field];
        return true;
    }
    bst_value *value = cell(mapping->evidence[i].column);
    if (!value->present || mapping->evidence[i].payload_count > 0) {
        return false;
    }
    if (mapping->evidence[i].kind == BST_EVIDENCE_COUNT) {
        value->u.i += 1 + roll(3);
    } else {
        *value = roll(3) == 0 ? BST_ABSENT : integer(value->u.i + ((int64_t)roll(9) - 4) * 10);
    }
    return true;
}
