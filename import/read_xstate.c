/* XState's machine configs, of versions 5 and 4, into an outline.
 *
 * Version 4 is known by its words (`cond`, `internal`, `in` ...): there a transition to a state
 * inside leaves its own state, unless it says `internal` or its target begins with a dot. What our
 * own export wrote under "meta"."backstory" is taken as it stands.
 */
#include "import_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    bst__outline *o;
    bst_json_source *source;
    bst_strbuf at; /* JSON pointer of what is being read */
    bool old;      /* version 4 */
} reader;

static bst_loc here(const reader *r) {
    bst_loc where = bst_json_source_value(r->source, r->at.text);
    where.file = r->o->file; /* that of the source does not live as long */
    return where;
}

static size_t enter(reader *r, const char *key) {
    const size_t len = r->at.len;
    bst_json_pointer_add(&r->at, key);
    return len;
}

static size_t enter_item(reader *r, size_t index) {
    const size_t len = r->at.len;
    bst_json_pointer_add_index(&r->at, index);
    return len;
}

static void leave(reader *r, size_t len) {
    r->at.len = len;
    if (r->at.size > 0) {
        r->at.text[len] = '\0';
    }
}

static bool failed(const reader *r) {
    return r->o->status != BST_OK;
}

static void wrong(reader *r, const char *wanted) {
    const bst_loc where = here(r);
    r->o->status = bst_diag_add(r->o->diags, BST_INVALID, BST_ERROR, "wrong-type", &where,
                                "%s is wanted here", wanted);
}

static void lose(reader *r, bst__loss loss, const char *what, const char *name) {
    const bst_loc where = here(r);
    bst__outline_loss(r->o, loss, &where, "%s \"%.200s\" is not carried over", what, name);
}

/* The key of an object that has no place in our language: each with its own place and count. */
static void lose_key(reader *r, const char *key) {
    static const struct {
        const char *key;
        bst__loss loss;
    } known[] = {{"entry", BST__LOSS_ACTION},   {"exit", BST__LOSS_ACTION},
                 {"actions", BST__LOSS_ACTION}, {"activities", BST__LOSS_ACTION},
                 {"invoke", BST__LOSS_INVOKE},  {"context", BST__LOSS_DATA},
                 {"output", BST__LOSS_DATA},    {"data", BST__LOSS_DATA}};
    bst__loss loss = BST__LOSS_OTHER;
    const size_t mark = enter(r, key);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        loss = strcmp(key, known[i].key) == 0 ? known[i].loss : loss;
    }
    lose(r, loss, "key", key);
    leave(r, mark);
}

/* ---- meta ---- */

/* What an export put there comes back as keys; the user's own stays "meta". */
static json_t *take_meta(reader *r, const json_t *object) {
    json_t *meta = json_object_get(object, "meta");
    json_t *ours = json_object_get(meta, "backstory");
    json_t *extra = json_is_object(ours) ? json_deep_copy(ours) : json_object();
    if (json_is_object(ours)) {
        json_t *rest = json_copy(meta);
        (void)json_object_del(extra, "generated"); /* only the machine's has it */
        (void)json_object_del(rest, "backstory");
        if (json_object_size(rest) > 0 && json_object_set(extra, "meta", rest) != 0) {
            bst__outline_nomem(r->o);
        }
        json_decref(rest);
    } else if (meta && json_object_set(extra, "meta", meta) != 0) {
        bst__outline_nomem(r->o);
    }
    json_t *description = json_object_get(object, "description");
    if (description && json_object_set(extra, "description", description) != 0) {
        bst__outline_nomem(r->o);
    }
    return bst__outline_keep(r->o, extra);
}

/* ---- transitions ---- */

static bool read_targets(reader *r, json_t *target, const char *const **ret, uint32_t *ret_count) {
    const size_t count = json_is_array(target) ? json_array_size(target) : 1;
    const char **list = bst_arena_array(r->o->arena, count, sizeof *list);
    if (!list) {
        bst__outline_nomem(r->o);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_is_array(target) ? json_array_get(target, i) : target;
        if (!json_is_string(item)) {
            wrong(r, "the name of a state");
            return false;
        }
        list[i] = bst__outline_text(r->o, json_string_value(item), json_string_length(item));
    }
    *ret = list;
    *ret_count = (uint32_t)count;
    return !failed(r);
}

/* A name, or an object with one; the text of a guard of ours, or the C function that the program
 * links for it, stands in its parameters. */
static void read_guard(reader *r, json_t *guard, bst__import_transition *t) {
    json_t *type = json_is_object(guard) ? json_object_get(guard, "type") : guard;
    json_t *params = json_object_get(guard, "params");
    if (json_is_string(json_object_get(params, "cel")) ||
        json_is_string(json_object_get(params, "c"))) {
        t->guard = bst__outline_keep(r->o, json_incref(params));
    } else if (json_is_string(type)) {
        t->guard = bst__outline_keep(r->o, json_incref(type));
        if (params) {
            lose_key(r, "params");
        }
    } else {
        wrong(r, "the name of a guard");
    }
}

/* Version 4 asks another region's state with a key of its own. */
static void read_in(reader *r, json_t *in, bst__import_transition *t) {
    const char *name = json_string_value(in);
    if (!name || strpbrk(name, "'\"")) {
        wrong(r, "the name of a state");
    } else if (t->guard) {
        lose_key(r, "in");
        t->guard = NULL;
        t->cond = bst_arena_printf(r->o->arena, "in %s, and a guard", name);
    } else {
        t->cond = bst_arena_printf(r->o->arena, "In('%s')", name);
    }
}

static void read_key(reader *r, bst__import_transition *t, const char *key, json_t *value) {
    static const char *const read_elsewhere[] = {"meta", "description", "in", "internal"};
    const size_t mark = enter(r, key);
    if (strcmp(key, "target") == 0) {
        if (!json_is_null(value)) {
            read_targets(r, value, &t->targets, &t->target_count);
        }
    } else if (strcmp(key, "guard") == 0 || strcmp(key, "cond") == 0) {
        read_guard(r, value, t);
    } else if (strcmp(key, "reenter") == 0) {
        t->reenter = json_is_true(value);
    } else {
        bool known = false;
        for (size_t i = 0; i < sizeof read_elsewhere / sizeof read_elsewhere[0]; i++) {
            known = known || strcmp(key, read_elsewhere[i]) == 0;
        }
        leave(r, mark);
        if (!known) {
            lose_key(r, key);
        }
    }
    leave(r, mark);
}

static void read_object(reader *r, bst__import_transition *t, json_t *json) {
    json_t *value;
    const char *key;
    t->extra = take_meta(r, json);
    json_object_foreach (json, key, value) {
        read_key(r, t, key, value);
    }
    if (json_object_get(json, "in")) {
        read_in(r, json_object_get(json, "in"), t);
    }
    json_t *command = json_object_get(t->extra, "command"); /* of a timer that we exported */
    if (json_is_string(command) && t->form == BST__FORM_AFTER) {
        t->event = bst__outline_text(r->o, json_string_value(command), json_string_length(command));
    }
}

/* `like`: what all transitions of a list have in common. */
static void read_transition(reader *r, uint32_t node, const bst__import_transition *like,
                            json_t *json) {
    const bst_loc where = here(r);
    bst__import_transition *t = bst__outline_transition(r->o, node, like->form, &where);
    if (!t) {
        return;
    }
    t->event = like->event;
    t->prefix = like->prefix;
    t->as_last = like->as_last;
    t->delay_us = like->delay_us;
    if (json_is_string(json)) {
        read_targets(r, json, &t->targets, &t->target_count);
    } else if (json_is_object(json)) {
        read_object(r, t, json);
    } else if (!json_is_null(json)) {
        wrong(r, "a transition");
    }
    if (r->old && t->target_count > 0 && t->targets[0][0] != '.') {
        t->external = !json_is_true(json_object_get(json, "internal"));
    }
    t->reenter = t->reenter || (r->old && json_is_false(json_object_get(json, "internal")));
}

static void read_list(reader *r, uint32_t node, const bst__import_transition *like, json_t *json) {
    json_t *item;
    size_t i;
    if (!json_is_array(json)) {
        read_transition(r, node, like, json);
    }
    json_array_foreach (json, i, item) {
        const size_t mark = enter_item(r, i);
        read_transition(r, node, like, item);
        leave(r, mark);
    }
}

/* Events that XState sends itself. */
static bool is_internal(const char *event) {
    static const char *const heads[] = {"xstate.",         "done.invoke.",
                                        "done.state.",     "error.platform.",
                                        "error.execution", "error.communication"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        if (strncmp(event, heads[i], strlen(heads[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_wildcard(const char *event) {
    const size_t len = strlen(event);
    return strcmp(event, "*") == 0 || (len > 2 && strcmp(event + len - 2, ".*") == 0);
}

static void read_event(reader *r, uint32_t node, const char *event, json_t *value) {
    bst__import_transition like = {.form = BST__FORM_ON};
    const size_t len = strlen(event);
    if (is_internal(event)) {
        lose(r, BST__LOSS_EVENT, "event", event);
        return;
    }
    if (is_wildcard(event)) {
        const bst_loc where = here(r);
        bst__outline_loss(r->o, BST__LOSS_WILDCARD, &where,
                          "wildcard \"%.200s\" is written out for the commands there are", event);
        like.prefix = like.as_last = true;
        like.event = bst__outline_text(r->o, event, len > 2 ? len - 2 : 0);
    } else if (len == 0) {
        like.form = BST__FORM_ALWAYS; /* as version 4 wrote it first */
    } else {
        like.event = bst__outline_text(r->o, event, len);
    }
    read_list(r, node, &like, value);
}

static int longest_first(const void *a, const void *b) {
    const size_t x = strlen(*(const char *const *)a);
    const size_t y = strlen(*(const char *const *)b);
    return (x < y) - (x > y);
}

/* Wildcards come last, the longest first. */
static void read_on(reader *r, uint32_t node, json_t *on) {
    const char **wildcards = bst_arena_array(r->o->arena, json_object_size(on), sizeof *wildcards);
    size_t count = 0;
    json_t *value;
    const char *event;
    if (!wildcards) {
        bst__outline_nomem(r->o);
        return;
    }
    json_object_foreach (on, event, value) {
        if (is_wildcard(event) && !is_internal(event)) {
            wildcards[count++] = event;
            continue;
        }
        const size_t mark = enter(r, event);
        read_event(r, node, event, value);
        leave(r, mark);
    }
    qsort(wildcards, count, sizeof *wildcards, longest_first);
    for (size_t i = 0; i < count; i++) {
        const size_t mark = enter(r, wildcards[i]);
        read_event(r, node, wildcards[i], json_object_get(on, wildcards[i]));
        leave(r, mark);
    }
}

/* A number of milliseconds; a name is left to a timer of the user's. */
static bool read_delay(const char *text, int64_t *ret_us) {
    char *end;
    errno = 0;
    const double ms = strtod(text, &end);
    if (*end || end == text || errno != 0 || !(ms >= 0) || ms > 1e15) {
        return false;
    }
    *ret_us = (int64_t)llround(ms * 1000);
    return true;
}

static void read_after_one(reader *r, uint32_t node, const char *key, json_t *value) {
    bst__import_transition like = {.form = BST__FORM_AFTER};
    if (!read_delay(key, &like.delay_us)) {
        const bst_loc where = here(r);
        bst__outline_loss(r->o, BST__LOSS_DELAY, &where,
                          "delay \"%.200s\" is known by its name only", key);
        bst_diag_hint(r->o->diags, "It became a command, which a timer of yours has to send.");
        like.form = BST__FORM_ON;
        like.event = bst_arena_printf(r->o->arena, "after_%s", key);
    }
    read_list(r, node, &like, value);
}

static void read_after(reader *r, uint32_t node, json_t *after) {
    json_t *value;
    const char *key;
    size_t i;
    json_object_foreach (after, key, value) {
        const size_t mark = enter(r, key);
        read_after_one(r, node, key, value);
        leave(r, mark);
    }
    json_array_foreach (after, i, value) { /* version 4 takes a list with "delay", too */
        const size_t mark = enter_item(r, i);
        lose(r, BST__LOSS_DELAY, "delayed transition", "after");
        leave(r, mark);
    }
}

/* ---- states ---- */

static void read_node(reader *r, uint32_t node, json_t *json);

static void read_states(reader *r, uint32_t node, json_t *states) {
    json_t *value;
    const char *name;
    if (!json_is_object(states)) {
        wrong(r, "an object of states");
        return;
    }
    json_object_foreach (states, name, value) {
        const size_t mark = enter(r, name);
        const bst_loc where = here(r);
        const char *written = bst__outline_text(r->o, name, strlen(name));
        if (!written || failed(r) || !bst__outline_node(r->o, node, written, &where)) {
            return;
        }
        read_node(r, r->o->count - 1, value);
        leave(r, mark);
    }
}

static void read_type(reader *r, uint32_t node, const json_t *json) {
    const char *type = json_string_value(json_object_get(json, "type"));
    const json_t *history = json_object_get(json, "history");
    const char *depth = json_string_value(history);
    bst__import_node *n = &r->o->nodes[node];
    if (json_is_true(history) || depth || (type && strcmp(type, "history") == 0)) {
        n->kind = BST__KIND_HISTORY;
        n->deep = depth && strcmp(depth, "deep") == 0;
    } else if (type) {
        n->kind = strcmp(type, "parallel") == 0 ? BST__KIND_PARALLEL
                  : strcmp(type, "final") == 0  ? BST__KIND_FINAL
                                                : BST__KIND_STATE;
    }
}

static void read_initial(reader *r, uint32_t node, json_t *value) {
    const size_t mark = enter(r, "initial");
    json_t *target = json_is_object(value) ? json_object_get(value, "target") : value;
    target = json_is_array(target) ? json_array_get(target, 0) : target;
    if (json_is_object(value) && json_object_get(value, "actions")) {
        lose_key(r, "actions");
    }
    if (json_is_string(target)) {
        const char *text = json_string_value(target);
        r->o->nodes[node].initial = bst__outline_text(r->o, text, strlen(text));
    } else if (!json_is_null(value)) {
        wrong(r, "the name of a state");
    }
    leave(r, mark);
}

static void read_part(reader *r, uint32_t node, const char *key, json_t *value) {
    static const char *const elsewhere[] = {"meta", "description", "type", "history",
                                            "id",   "version",     "key",  "initial"};
    const size_t mark = enter(r, key);
    if (strcmp(key, "on") == 0) {
        read_on(r, node, value);
    } else if (strcmp(key, "after") == 0) {
        read_after(r, node, value);
    } else if (strcmp(key, "always") == 0) {
        read_list(r, node, &(bst__import_transition){.form = BST__FORM_ALWAYS}, value);
    } else if (strcmp(key, "onDone") == 0) {
        read_list(r, node, &(bst__import_transition){.form = BST__FORM_DONE}, value);
    } else if (strcmp(key, "states") == 0) {
        read_states(r, node, value);
    } else if (strcmp(key, "target") == 0) {
        read_targets(r, value, &r->o->nodes[node].targets, &r->o->nodes[node].target_count);
    } else {
        bool known = false;
        for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
            known = known || strcmp(key, elsewhere[i]) == 0;
        }
        leave(r, mark);
        if (!known) {
            lose_key(r, key);
        }
    }
    leave(r, mark);
}

static void read_node(reader *r, uint32_t node, json_t *json) {
    json_t *value;
    const char *key;
    if (!json_is_object(json)) {
        wrong(r, "an object");
        return;
    }
    json_t *extra = take_meta(r, json);
    r->o->nodes[node].extra = extra;
    read_type(r, node, json);
    const char *id = json_string_value(json_object_get(json, "id"));
    if (id && !bst__outline_set_id(r->o, node, id)) {
        return;
    }
    value = json_object_get(json, "initial");
    if (value) {
        read_initial(r, node, value);
    }
    json_object_foreach (json, key, value) {
        if (failed(r)) {
            return;
        }
        read_part(r, node, key, value);
    }
}

/* ---- the document ---- */

static bool is_old_word(const char *key) {
    static const char *const words[] = {"cond",       "internal", "predictableActionArguments",
                                        "activities", "strict",   "preserveActionOrder"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i], key) == 0) {
            return true;
        }
    }
    return false;
}

/* As deep as the file may be nested, which its reader limits. What is in "meta" does not count. */
static bool has_old_words(json_t *json) {
    json_t *value;
    const char *key;
    size_t i;
    json_object_foreach (json, key, value) {
        if (is_old_word(key) || (strcmp(key, "meta") != 0 && has_old_words(value))) {
            return true;
        }
    }
    json_array_foreach (json, i, value) {
        if (has_old_words(value)) {
            return true;
        }
    }
    return false;
}

static void read_machine(reader *r, json_t *json) {
    const char *id = json_string_value(json_object_get(json, "id"));
    const bst_loc where = here(r);
    const char *written = id ? bst__outline_text(r->o, id, strlen(id)) : NULL;
    bst__import_node *root = bst__outline_node(r->o, BST__NO_NODE, written, &where);
    if (!root) {
        return;
    }
    if (!id) {
        bst__outline_set_id(r->o, 0, "(machine)"); /* as XState calls it */
    }
    r->old = has_old_words(json);
    read_node(r, 0, json);
    json_t *version = json_object_get(json, "version");
    if (json_is_string(version) && r->o->nodes[0].extra &&
        json_object_set(r->o->nodes[0].extra, "version", version) != 0) {
        bst__outline_nomem(r->o);
    }
}

bst_status bst__read_xstate(bst__outline *o, const char *text, size_t len) {
    reader r = {.o = o};
    bst_strbuf_init(&r.at);
    bst_status status = bst_json_source_parse(o->file, text, len, &r.source, o->diags);
    if (status == BST_OK) {
        /* jansson's iterators take no const; nothing is changed. */
        json_t *root = (json_t *)bst_json_source_root(r.source);
        json_t *inner = json_object_get(root, "machine");
        if (json_is_object(inner) && !json_object_get(root, "states")) {
            json_t *value;
            const char *key;
            json_object_foreach (root, key, value) {
                if (value != inner) {
                    lose_key(&r, key);
                }
            }
            bst_json_pointer_add(&r.at, "machine");
            root = inner;
        }
        read_machine(&r, root);
        status = r.at.failed ? bst__outline_nomem(o) : o->status;
    }
    bst_json_source_free(r.source);
    bst_strbuf_release(&r.at);
    return status;
}
