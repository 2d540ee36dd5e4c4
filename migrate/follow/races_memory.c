/* What is remembered of writers across starts.
 *
 * A race has two halves, and a follower may be killed between them. So the last writers of the
 * entities that were written last go into the store, in the transaction that moves the place: the
 * next start knows them exactly as this one did. Their number is limited: it is written with every
 * commit, and the second half of a race comes soon.
 *
 *     {"ledger":"balance","entities":[{"key":"1","xid":741,"newest":741,"version_by":741,
 *      "state":"open","fields":{"balance":"950.00"},"writers":[[740,"970.00"],[741,"950.00"]]}]}
 */
#include "follow_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* An entity that was written; the first of the hash is the one that has waited longest. */
typedef struct recent {
    size_t key_len;
    bool lost;
    UT_hash_handle hh;
    char key[];
} recent;

struct bst__memory {
    const bst_machine *machine;
    uint32_t ledger_field; /* BST_NONE: no ledger */
    recent *all;
    bool changed;
};

bst__memory *bst__memory_new(const bst_machine *machine, uint32_t ledger_field) {
    bst__memory *const m = calloc(1, sizeof *m);
    if (m)
        *m = (bst__memory){.machine = machine, .ledger_field = ledger_field};
    return m;
}

static void forget(bst__memory *m, recent *r) {
    HASH_DEL(m->all, r);
    free(r);
}

bst__memory *bst__memory_free(bst__memory *m) {
    while (m && m->all)
        forget(m, m->all);
    free(m);
    return NULL;
}

bool bst__memory_touch(bst__memory *m, const char *key, size_t len) {
    recent *r;
    HASH_FIND(hh, m->all, key, len, r);
    m->changed = true;
    if (r) {
        HASH_DEL(m->all, r);
    } else {
        r = calloc(1, sizeof *r + len);
        if (!r)
            return false;
        memcpy(r->key, key, len);
        r->key_len = len;
    }
    HASH_ADD_KEYPTR(hh, m->all, r->key, r->key_len, r);
    if (r->lost) {
        free(r);
        return false;
    }
    if (HASH_COUNT(m->all) > BST__MEMORY_ENTITIES)
        forget(m, m->all);
    return true;
}

/* ---- writing */

static void add_fields(const bst__memory *m, const bst__trace *trace, bst_strbuf *out) {
    bst_strbuf_adds(out, ",\"fields\":{");
    const char *comma = "";
    for (uint32_t f = 0; f < m->machine->field_count; f++) {
        const bst_field *const field = &m->machine->fields[f];
        if (!trace->fields[f].present)
            continue;
        bst_strbuf_adds(out, comma);
        bst_strbuf_add_json(out, field->name, strlen(field->name));
        bst_strbuf_addc(out, ':');
        bst_value_to_json(&field->type, &trace->fields[f], out);
        comma = ",";
    }
    bst_strbuf_addc(out, '}');
}

static void add_writers(const bst__memory *m, const bst__trace *trace, bst_strbuf *out) {
    bst_strbuf_adds(out, ",\"writers\":[");
    for (uint32_t i = 0; m->ledger_field != BST_NONE && i < trace->writer_count; i++) {
        const bst_value found = {.present = true, .u.i = trace->found[i]};
        bst_strbuf_addf(out, "%s[%" PRIu32 ",", i > 0 ? "," : "", trace->writers[i]);
        bst_value_to_json(&m->machine->fields[m->ledger_field].type, &found, out);
        bst_strbuf_addc(out, ']');
    }
    bst_strbuf_addc(out, ']');
}

static void add_entity(const bst__memory *m, const bst__known *known, bst_strbuf *out) {
    const bst__trace *const trace = known->trace;
    bst_strbuf_adds(out, "{\"key\":");
    bst_strbuf_add_json(out, known->key, known->key_len);
    bst_strbuf_addf(out, ",\"xid\":%" PRIu32 ",\"newest\":%" PRIu32, trace->xid, trace->newest);
    if (trace->version_by != 0)
        bst_strbuf_addf(out, ",\"version_by\":%" PRIu32, trace->version_by);
    if (trace->state != BST_NONE) {
        const char *const state = m->machine->states[trace->state].name;
        bst_strbuf_adds(out, ",\"state\":");
        bst_strbuf_add_json(out, state, strlen(state));
    }
    add_fields(m, trace, out);
    add_writers(m, trace, out);
    bst_strbuf_addc(out, '}');
}

bool bst__memory_write(bst__memory *m, bst__cache *cache, bst_strbuf *out) {
    const char *const ledger =
        m->ledger_field == BST_NONE ? "" : m->machine->fields[m->ledger_field].name;
    const char *comma = "";
    if (!m->changed)
        return false;
    m->changed = false;
    bst_strbuf_adds(out, "{\"ledger\":");
    bst_strbuf_add_json(out, ledger, strlen(ledger));
    bst_strbuf_adds(out, ",\"entities\":[");
    for (const recent *r = m->all; r; r = r->hh.next) {
        const bst__known *const known = bst__cache_find(cache, r->key, r->key_len);
        if (!known || !known->trace)
            continue;
        bst_strbuf_adds(out, comma);
        add_entity(m, known, out);
        comma = ",";
    }
    bst_strbuf_adds(out, "]}");
    return true;
}

/* ---- reading: what does not fit the machine any more is not remembered */

static bool read_fields(const bst__memory *m, const json_t *object, bst_arena *arena,
                        bst_value *ret) {
    for (uint32_t f = 0; f < m->machine->field_count; f++) {
        const bst_field *const field = &m->machine->fields[f];
        const json_t *const value = json_object_get(object, field->name);
        ret[f] = BST_ABSENT;
        if (value && bst_value_from_json(&field->type, value, arena, &ret[f]) != BST_VALUE_OK)
            return false;
    }
    return true;
}

static void read_writers(const bst__memory *m, const json_t *list, bst_arena *arena,
                         bst__trace *trace) {
    const bst_type *const type = &m->machine->fields[m->ledger_field].type;
    const size_t count = json_array_size(list);
    for (size_t i = 0; i < count && trace->writer_count < BST_RACE_WRITERS_MAX; i++) {
        const json_t *const pair = json_array_get(list, i);
        bst_value found;
        if (bst_value_from_json(type, json_array_get(pair, 1), arena, &found) != BST_VALUE_OK)
            continue;
        trace->writers[trace->writer_count] = (uint32_t)json_integer_value(json_array_get(pair, 0));
        trace->found[trace->writer_count++] = found.u.i;
    }
}

static bool read_trace(const bst__memory *m, const json_t *entity, bool ledger, bst_arena *arena,
                       bst__trace *trace) {
    bst_value *const fields = bst_arena_array(arena, m->machine->field_count, sizeof *fields);
    const char *const state = json_string_value(json_object_get(entity, "state"));
    size_t size;
    trace->xid = (uint32_t)json_integer_value(json_object_get(entity, "xid"));
    trace->newest = (uint32_t)json_integer_value(json_object_get(entity, "newest"));
    trace->version_by = (uint32_t)json_integer_value(json_object_get(entity, "version_by"));
    trace->state = state ? bst_machine_state(m->machine, state) : BST_NONE;
    if (!fields || (state && trace->state == BST_NONE) ||
        !read_fields(m, json_object_get(entity, "fields"), arena, fields) ||
        !bst__cache_copy(m->machine, fields, trace->fields, &trace->block, &size))
        return false;
    if (ledger)
        read_writers(m, json_object_get(entity, "writers"), arena, trace);
    return true;
}

static bst_status read_entity(bst__memory *m, const json_t *entity, bool ledger, bst_arena *arena,
                              const bst__memory_visitor *visitor, bst_diags *diags) {
    const json_t *const key = json_object_get(entity, "key");
    bst__trace *const trace = bst__trace_new(m->machine);
    if (!trace)
        return bst_diag_nomem(diags);
    if (!json_is_string(key) || !read_trace(m, entity, ledger, arena, trace)) {
        bst__trace_free(trace);
        return BST_OK;
    }
    if (!bst__memory_touch(m, json_string_value(key), json_string_length(key))) {
        bst__trace_free(trace);
        return bst_diag_nomem(diags);
    }
    return visitor->on_trace(visitor->context, json_string_value(key), json_string_length(key),
                             trace);
}

bst_status bst__memory_read(bst__memory *m, const char *text, const bst__memory_visitor *visitor,
                            bst_diags *diags) {
    json_t *const root = json_loads(text, JSON_ALLOW_NUL, NULL);
    const json_t *const entities = json_object_get(root, "entities");
    const char *const named = json_string_value(json_object_get(root, "ledger"));
    const bool ledger = m->ledger_field != BST_NONE && named &&
                        strcmp(named, m->machine->fields[m->ledger_field].name) == 0;
    bst_arena *const arena = bst_arena_new();
    bst_status status = arena ? BST_OK : bst_diag_nomem(diags);
    for (size_t i = 0; status == BST_OK && i < json_array_size(entities); i++)
        status = read_entity(m, json_array_get(entities, i), ledger, arena, visitor, diags);
    m->changed = false;
    bst_arena_free(arena);
    json_decref(root);
    return status;
}
