/* From the outline to a machine file: every name an identifier, every target a path that our reader
 * finds, wildcards written out for the commands that there are, and a description that says what is
 * left to do.
 */
#include "import_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/timestamp.h"
#include "backstory/words.h"

#define NAME_BYTES_MAX  120
#define PATHS_BYTES_MAX (64u << 20) /* of all targets that are written as paths */

typedef struct command {
    const char *written, *name;
} command;

typedef struct writer {
    bst__outline *o;
    json_t *used;      /* "scope/name_in_snake_case": names that are taken */
    json_t *names;     /* "scope/written" -> name, of commands and guards */
    json_t *root;      /* the machine file */
    json_t *guards;    /* its "guards" */
    command *commands; /* sorted as they are written */
    size_t command_count;
    size_t written_count; /* transitions so far */
    size_t path_bytes;
    bst_strbuf text; /* scratch */
} writer;

/* Takes over `value`. */
static void put(writer *w, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) != 0) {
        bst__outline_nomem(w->o);
    }
}

static bool failed(const writer *w) {
    return w->o->status != BST_OK;
}

/* ---- names ---- */

static const char *identifier(writer *w, const char *written) {
    char name[NAME_BYTES_MAX - 12]; /* a number may follow */
    size_t len = 0;
    if (isdigit((unsigned char)*written) || !*written) {
        name[len++] = '_';
    }
    for (const char *p = written; *p && len < sizeof name - 1; p++) {
        name[len++] = isalnum((unsigned char)*p) && !(*p & 0x80) ? *p : '_';
    }
    return bst__outline_text(w->o, name, len);
}

/* Marks a name as taken; false when it was, or one that would be the same identifier. */
static bool claim(writer *w, const char *scope, const char *name) {
    bst_strbuf_clear(&w->text);
    bst_strbuf_addf(&w->text, "%s/", scope);
    bst_snake_case(name, &w->text);
    if (json_object_get(w->used, w->text.text)) {
        return false;
    }
    put(w, w->used, w->text.text, json_integer(2));
    return true;
}

/* The number to try next behind a name that is taken. */
static int64_t next_number(writer *w, const char *scope, const char *name) {
    bst_strbuf_clear(&w->text);
    bst_strbuf_addf(&w->text, "%s/", scope);
    bst_snake_case(name, &w->text);
    json_t *last = json_object_get(w->used, w->text.text);
    const int64_t number = last ? json_integer_value(last) : 2;
    json_integer_set(last, number + 1);
    return number;
}

static const char *unique_name(writer *w, const char *scope, const char *written) {
    const char *plain = identifier(w, written);
    const char *name = plain;
    while (name && !failed(w) && !claim(w, scope, name)) {
        name = bst_arena_printf(w->o->arena, "%s_%lld", plain,
                                (long long)next_number(w, scope, plain));
    }
    if (!name || w->text.failed) {
        bst__outline_nomem(w->o);
    }
    return failed(w) ? "" : name;
}

static void name_states(writer *w) {
    char scope[16];
    int renamed = 0;
    for (uint32_t i = 1; i < w->o->count && !failed(w); i++) {
        bst__import_node *n = &w->o->nodes[i];
        snprintf(scope, sizeof scope, "%u", (unsigned)n->parent);
        n->name = unique_name(w, scope, n->written ? n->written : "state");
        if (n->written && strcmp(n->written, n->name) != 0 && ++renamed <= BST__LISTED_MAX) {
            bst_diag_add(w->o->diags, BST_OK, BST_NOTE, "renamed", &n->where,
                         "state \"%s\" is called \"%s\"", n->written, n->name);
        }
    }
}

/* Our name of a command or a guard; `scope` is "command" or "guard". */
static const char *name_of(writer *w, const char *scope, const char *written) {
    bst_strbuf_clear(&w->text);
    bst_strbuf_addf(&w->text, "%s/%s", scope, written);
    const char *known = json_string_value(json_object_get(w->names, w->text.text));
    if (known) {
        return known;
    }
    const char *name = unique_name(w, scope, written);
    bst_strbuf_clear(&w->text);
    bst_strbuf_addf(&w->text, "%s/%s", scope, written);
    put(w, w->names, w->text.text, json_string(name));
    return name;
}

static int compare_commands(const void *a, const void *b) {
    return strcmp(((const command *)a)->written, ((const command *)b)->written);
}

/* What a name is called elsewhere is its label. */
static void label_command(writer *w, const command *c) {
    json_t *commands = json_object_get(w->root, "commands");
    if (strcmp(c->written, c->name) == 0) {
        return;
    }
    if (!commands) {
        put(w, w->root, "commands", json_object());
        commands = json_object_get(w->root, "commands");
    }
    if (!json_object_get(commands, c->name)) {
        put(w, commands, c->name, json_pack("{s:s}", "label", c->written));
    }
}

/* All commands that the document names, each once. */
static void name_commands(writer *w) {
    size_t room = 0;
    for (int pass = 0; pass < 2 && !failed(w); pass++) {
        for (uint32_t i = 0; i < w->o->count; i++) {
            for (bst__import_transition *t = w->o->nodes[i].transitions; t; t = t->next) {
                if (t->form != BST__FORM_ON || t->as_last || !*t->event) {
                    continue;
                }
                if (pass == 0) {
                    room++;
                } else {
                    w->commands[w->command_count++].written = t->event;
                }
            }
        }
        if (pass == 0) {
            w->commands = bst_arena_array(w->o->arena, room, sizeof *w->commands);
            if (!w->commands) {
                bst__outline_nomem(w->o);
            }
        }
    }
    /* In the order of the document, so that of two that clash the first keeps its name. */
    for (size_t i = 0; i < w->command_count && !failed(w); i++) {
        w->commands[i].name = name_of(w, "command", w->commands[i].written);
    }
    if (failed(w)) {
        return;
    }
    qsort(w->commands, w->command_count, sizeof *w->commands, compare_commands);
    size_t count = 0;
    for (size_t i = 0; i < w->command_count; i++) {
        if (count == 0 || compare_commands(&w->commands[count - 1], &w->commands[i]) != 0) {
            w->commands[count++] = w->commands[i];
            label_command(w, &w->commands[i]);
        }
    }
    w->command_count = count;
}

/* ---- targets ---- */

static json_t *target_text(writer *w, uint32_t source, uint32_t target) {
    const bst__outline *o = w->o;
    const uint32_t parent = o->nodes[source].parent;
    bst_strbuf_clear(&w->text);
    if (o->nodes[target].parent == parent && parent != BST__NO_NODE) {
        return json_string(o->nodes[target].name);
    }
    if (target != source && o->nodes[target].parent == source) {
        bst_strbuf_addf(&w->text, ".%s", o->nodes[target].name);
    } else {
        bst_strbuf_addf(&w->text, "#%s", json_string_value(json_object_get(w->root, "id")));
        bst_strbuf_adds(&w->text, target == 0 ? "" : ".");
        bst__outline_path(o, target, &w->text);
        w->path_bytes += w->text.len;
    }
    if (w->path_bytes > PATHS_BYTES_MAX) {
        w->o->status = bst_diag_add(o->diags, BST_LIMIT, BST_ERROR, "too-many", NULL,
                                    "targets are more than %u bytes of paths", PATHS_BYTES_MAX);
        return NULL;
    }
    return json_string(w->text.text);
}

static uint32_t find_target(writer *w, uint32_t source, const char *written, const bst_loc *where) {
    const uint32_t target = bst__outline_find(w->o, source, written);
    if (target == BST__NO_NODE) {
        w->o->status = bst_diag_add(w->o->diags, BST_INVALID, BST_ERROR, "unknown-state", where,
                                    "state \"%.200s\" is not declared", written);
    }
    return target;
}

/* One target, or a list of several. */
static json_t *targets_text(writer *w, uint32_t source, const char *const *targets, uint32_t count,
                            const bst_loc *where, bool *ret_inside) {
    json_t *list = json_array();
    *ret_inside = count > 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t target = find_target(w, source, targets[i], where);
        if (target == BST__NO_NODE) {
            continue;
        }
        *ret_inside = *ret_inside && bst__outline_is_inside(w->o, target, source);
        json_t *text = target_text(w, source, target);
        if (json_array_append_new(list, text) != 0) {
            bst__outline_nomem(w->o);
        }
    }
    json_t *result = json_incref(json_array_size(list) == 1 ? json_array_get(list, 0) : list);
    json_decref(list);
    return result;
}

/* ---- guards ---- */

/* A guard that refuses until somebody has written it: the other way round it would let everything
 * pass, unseen. */
static json_t *refusing(const char *why, const char *what) {
    return json_pack("{s:s, s:s++}", "cel", "false", "description", why, what,
                     "`. It refuses until it is written.");
}

static json_t *named_guard(writer *w, const bst__import_transition *t) {
    const char *written = json_string_value(t->guard);
    const char *name = json_object_get(w->guards, written) ? written : name_of(w, "guard", written);
    if (!json_object_get(w->guards, name)) {
        bst__outline_loss(w->o, BST__LOSS_GUARD, &t->where,
                          "guard \"%s\" is imported by its name only", written);
        bst_diag_hint(w->o->diags, "It refuses until its expression is written in \"guards\".");
        put(w, w->guards, name, refusing("Imported by its name only: `", written));
    }
    return json_string(name);
}

static json_t *guard_of(writer *w, uint32_t node, const bst__import_transition *t) {
    if (json_is_string(t->guard)) {
        return named_guard(w, t);
    }
    if (t->guard) {
        return json_incref(t->guard);
    }
    bst_strbuf text = BST_STRBUF_INIT;
    json_t *guard = NULL;
    if (bst__condition(w->o, node, t->cond, &text)) {
        guard = json_pack("{s:s}", "cel", text.text);
    } else {
        bst__outline_loss(w->o, BST__LOSS_GUARD, &t->where,
                          "condition `%.200s` is not in our language", t->cond);
        bst_diag_hint(w->o->diags, "The guard refuses until its expression is written.");
        guard = refusing("Was `", t->cond);
    }
    bst_strbuf_release(&text);
    return guard;
}

/* ---- transitions ---- */

static json_t *transition_of(writer *w, uint32_t node, const bst__import_transition *t) {
    json_t *out = json_object();
    bool inside = false;
    if (t->target_count > 0) {
        put(w, out, "target",
            targets_text(w, node, t->targets, t->target_count, &t->where, &inside));
    }
    if (t->guard || t->cond) {
        put(w, out, "guard", guard_of(w, node, t));
    }
    if (t->reenter || (t->external && inside)) {
        put(w, out, "reenter", json_true());
    }
    if (t->form == BST__FORM_AFTER && t->event) {
        const command timer = {t->event, name_of(w, "command", t->event)};
        put(w, out, "command", json_string(timer.name));
        label_command(w, &timer);
    }
    if (t->extra && json_object_update_missing(out, t->extra) != 0) {
        bst__outline_nomem(w->o);
    }
    return out;
}

/* Adds to "on" or "after": one transition stands alone, more are a list. */
static void add_to(writer *w, json_t *object, const char *key, json_t *transition) {
    json_t *before = json_object_get(object, key);
    if (++w->written_count > BST_IMPORT_TRANSITIONS_MAX && !failed(w)) {
        w->o->status = bst_diag_add(w->o->diags, BST_LIMIT, BST_ERROR, "too-many", NULL,
                                    "there are more than %u transitions, wildcards written out",
                                    BST_IMPORT_TRANSITIONS_MAX);
    }
    if (!before) {
        put(w, object, key, json_incref(transition));
    } else if (json_is_array(before)) {
        if (json_array_append(before, transition) != 0) {
            bst__outline_nomem(w->o);
        }
    } else {
        put(w, object, key, json_pack("[O, O]", before, transition));
    }
}

/* The first command from `event` on; a command's own place if it is there. */
static size_t lower_bound(const writer *w, const char *event) {
    size_t low = 0;
    size_t high = w->command_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(w->commands[middle].written, event) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void add_matches(writer *w, json_t *on, const bst__import_transition *t, const json_t *exact,
                        json_t *transition) {
    bst_strbuf prefix = BST_STRBUF_INIT;
    const size_t own = lower_bound(w, t->event);
    const bool all = *t->event == '\0';
    if (!all && own < w->command_count && strcmp(w->commands[own].written, t->event) == 0 &&
        !(t->as_last && json_object_get(exact, t->event))) {
        add_to(w, on, w->commands[own].name, transition);
    }
    bst_strbuf_addf(&prefix, "%s%s", t->event, all || !t->prefix ? "" : ".");
    size_t i = t->prefix ? lower_bound(w, prefix.text) : w->command_count;
    for (; i < w->command_count && !failed(w); i++) {
        const command *c = &w->commands[i];
        if (strncmp(c->written, prefix.text, prefix.len) != 0) {
            break;
        }
        if (!(t->as_last && json_object_get(exact, c->written))) {
            add_to(w, on, c->name, transition);
        }
    }
    if (prefix.failed) {
        bst__outline_nomem(w->o);
    }
    bst_strbuf_release(&prefix);
}

static void add_after(writer *w, json_t *after, const bst__import_transition *t,
                      json_t *transition) {
    char duration[BST_TIME_TEXT_MAX];
    bst_duration_format(t->delay_us, duration);
    add_to(w, after, duration, transition);
}

static void put_if_any(writer *w, json_t *out, const char *key, json_t *object) {
    if (json_object_size(object) > 0) {
        put(w, out, key, json_incref(object));
    }
    json_decref(object);
}

static void write_transitions(writer *w, uint32_t node, json_t *out) {
    json_t *on = json_object();
    json_t *after = json_object();
    json_t *exact = json_object();
    for (bst__import_transition *t = w->o->nodes[node].transitions; t; t = t->next) {
        if (t->form == BST__FORM_ON && !t->prefix) {
            put(w, exact, t->event, json_true());
        }
    }
    for (bst__import_transition *t = w->o->nodes[node].transitions; t && !failed(w); t = t->next) {
        json_t *transition = transition_of(w, node, t);
        if (t->form == BST__FORM_ON) {
            add_matches(w, on, t, exact, transition);
        } else if (t->form == BST__FORM_AFTER) {
            add_after(w, after, t, transition);
        } else {
            add_to(w, out, t->form == BST__FORM_ALWAYS ? "always" : "onDone", transition);
        }
        json_decref(transition);
    }
    put_if_any(w, out, "on", on);
    put_if_any(w, out, "after", after);
    json_decref(exact);
}

/* ---- states ---- */

static uint32_t first_state(const bst__outline *o, uint32_t node) {
    uint32_t child = o->nodes[node].first_child;
    while (child != BST__NO_NODE && o->nodes[child].kind == BST__KIND_HISTORY) {
        child = o->nodes[child].next_sibling;
    }
    return child;
}

/* SCXML enters the first state when nothing is said. */
static void write_initial(writer *w, uint32_t node, json_t *out) {
    const bst__import_node *n = &w->o->nodes[node];
    uint32_t initial = w->o->scxml ? first_state(w->o, node) : BST__NO_NODE;
    if (n->kind != BST__KIND_STATE || n->first_child == BST__NO_NODE) {
        return;
    }
    if (n->initial) {
        initial = find_target(w, n->first_child, n->initial, &n->where);
    }
    if (initial != BST__NO_NODE) {
        put(w, out, "initial", target_text(w, n->first_child, initial));
    }
}

static void write_type(writer *w, const bst__import_node *n, uint32_t node, json_t *out) {
    static const char *const types[] = {NULL, "parallel", "final", "history"};
    bool inside;
    if (n->kind != BST__KIND_STATE) {
        put(w, out, "type", json_string(types[n->kind]));
    }
    if (n->kind == BST__KIND_HISTORY && n->deep) {
        put(w, out, "history", json_string("deep"));
    }
    if (n->kind == BST__KIND_HISTORY && n->target_count > 0) {
        put(w, out, "target",
            targets_text(w, node, n->targets, n->target_count, &n->where, &inside));
    }
}

static json_t *write_state(writer *w, uint32_t node);

static void write_inside(writer *w, uint32_t node, json_t *out) {
    const bst__import_node *n = &w->o->nodes[node];
    write_type(w, n, node, out);
    write_initial(w, node, out);
    write_transitions(w, node, out);
    if (n->first_child != BST__NO_NODE) {
        json_t *states = json_object();
        for (uint32_t c = n->first_child; c != BST__NO_NODE && !failed(w);
             c = w->o->nodes[c].next_sibling) {
            put(w, states, w->o->nodes[c].name, write_state(w, c));
        }
        put(w, out, "states", states);
    }
}

static json_t *write_state(writer *w, uint32_t node) {
    const bst__import_node *n = &w->o->nodes[node];
    json_t *out = json_object();
    if (n->extra && json_object_update(out, n->extra) != 0) {
        bst__outline_nomem(w->o);
    }
    if (n->written && strcmp(n->written, n->name) != 0 && !json_object_get(out, "label")) {
        put(w, out, "label", json_string(n->written));
    }
    write_inside(w, node, out);
    return out;
}

/* ---- the machine ---- */

static void add_count(bst_strbuf *out, uint32_t count, const char *one, const char *many) {
    if (count > 0) {
        bst_strbuf_addf(out, " %u %s.", (unsigned)count, count == 1 ? one : many);
    }
}

/* What is left to do, where people look first. */
static void describe(writer *w, const char *before) {
    const uint32_t *n = w->o->losses;
    uint32_t all = 0;
    bst_strbuf text = BST_STRBUF_INIT;
    for (int i = 0; i < BST__LOSS_COUNT; i++) {
        all += n[i];
    }
    const char *slash = strrchr(w->o->file, '/');
    bst_strbuf_addf(&text, "%s%sImported from %s (%s).", before ? before : "", before ? "\n" : "",
                    slash ? slash + 1 : w->o->file, w->o->scxml ? "SCXML" : "XState");
    add_count(&text, n[BST__LOSS_GUARD], "guard is to be written; until then it refuses",
              "guards are to be written; until then they refuse");
    add_count(&text, n[BST__LOSS_DELAY], "delay is a command now, which a timer has to send",
              "delays are commands now, which timers have to send");
    add_count(&text, n[BST__LOSS_WILDCARD], "wildcard is written out for the commands there are",
              "wildcards are written out for the commands there are");
    add_count(&text, n[BST__LOSS_INITIAL], "initial state is simpler than it was",
              "initial states are simpler than they were");
    add_count(&text, n[BST__LOSS_ACTION], "action was left out", "actions were left out");
    add_count(&text, n[BST__LOSS_INVOKE], "invoked service was left out",
              "invoked services were left out");
    add_count(&text, n[BST__LOSS_DATA], "piece of data was left out",
              "pieces of data were left out");
    add_count(&text, n[BST__LOSS_EVENT], "transition of a tool's own event was left out",
              "transitions of a tool's own events were left out");
    add_count(&text, n[BST__LOSS_OTHER], "other thing was left out", "other things were left out");
    if (all > 0) {
        put(w, w->root, "description", json_string(text.text));
    }
    bst_strbuf_release(&text);
}

/* The name of the file up to its first dot. */
static const char *stem(writer *w) {
    const char *slash = strrchr(w->o->file, '/');
    const char *name = slash ? slash + 1 : w->o->file;
    const char *text = bst__outline_text(w->o, name, strcspn(name, "."));
    return text && *text && strcmp(text, "-") != 0 ? text : "machine";
}

/* Keys in the order in which people read them; the states behind all others. */
static json_t *in_order(writer *w) {
    static const char *const order[] = {
        "id",      "version", "label",   "description", "fields", "events", "commands", "guards",
        "creates", "type",    "initial", "on",          "after",  "always", "onDone",   "states"};
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        json_t *value = json_object_get(w->root, order[i]);
        if (value && json_object_set(out, order[i], value) != 0) {
            bst__outline_nomem(w->o);
        }
    }
    if (json_object_update_missing(out, w->root) != 0) {
        bst__outline_nomem(w->o);
    }
    return out;
}

static json_t *write_root(writer *w) {
    const bst__import_node *n = &w->o->nodes[0];
    if (n->extra && json_object_update(w->root, n->extra) != 0) {
        bst__outline_nomem(w->o);
    }
    const char *id = n->written ? n->written : stem(w);
    for (int i = 0; i < 2; i++) {
        const char *key = i == 0 ? "guards" : "commands";
        if (!json_is_object(json_object_get(w->root, key))) {
            (void)json_object_del(w->root, key); /* mostly, it is not there */
        }
    }
    put(w, w->root, "id", json_string(identifier(w, id ? id : "")));
    json_t *guards = json_object_get(w->root, "guards");
    w->guards = json_is_object(guards) ? json_incref(guards) : json_object();
    name_states(w);
    name_commands(w);
    if (!failed(w)) {
        write_inside(w, 0, w->root);
    }
    if (json_object_size(w->guards) > 0) {
        put(w, w->root, "guards", json_incref(w->guards));
    }
    json_decref(w->guards);
    describe(w, json_string_value(json_object_get(w->root, "description")));
    return failed(w) ? NULL : in_order(w);
}

json_t *bst__write_machine(bst__outline *o) {
    writer w = {.o = o, .used = json_object(), .names = json_object(), .root = json_object()};
    bst_strbuf_init(&w.text);
    json_t *machine = write_root(&w);
    json_decref(w.used);
    json_decref(w.names);
    json_decref(w.root);
    bst_strbuf_release(&w.text);
    if (o->status != BST_OK) {
        json_decref(machine);
        return NULL;
    }
    return machine;
}
