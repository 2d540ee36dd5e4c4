/* State Chart XML 1.0 (W3C), for tools that draw, check or run it.
 *
 * A state's id is its path ("authorized-partial": with dots, "done.state.authorized" would mean the
 * states inside as well), a command an event, a timer a delayed <send> that is cancelled on the way
 * out. Conditions stay in the language that they are written in, CEL over the entity's fields: no
 * data model of the standard knows those, which a comment says.
 *
 * The standard lets a document carry foreign names. What it has no word for stands under our own
 * (`backstory:event`, and in <backstory:machine> fields, events and guards as JSON), from where an
 * import takes it again; so nothing is lost on the way there and back.
 */
#include "backstory/emit.h"

#include <stdlib.h>
#include <string.h>

#include "backstory/json_layout.h"
#include "backstory/timestamp.h"
#include "emit_private.h"
#include "emit_tree_private.h"

typedef struct writer {
    const bst_machine *machine;
    bst__tree tree;
    json_t *root; /* of the machine file; borrowed */
    bst_strbuf *out;
    bst_strbuf text; /* scratch */
    bool wrapped;    /* a state stands for the machine itself */
    bool failed;     /* out of memory */
} writer;

/* ---- XML ---- */

/* Characters with a meaning as references; those that XML cannot hold, even so, as U+FFFD. */
static void add_escaped(bst_strbuf *out, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '<' || *p == '>' || *p == '&' || *p == '"' || *p == '\n' || *p == '\t' ||
            *p == '\r') {
            bst_strbuf_addf(out, "&#%d;", *p);
        } else if (*p < ' ') {
            bst_strbuf_adds(out, "\xEF\xBF\xBD");
        } else if (p[0] == 0xEF && p[1] == 0xBF && p[2] >= 0xBE) {
            bst_strbuf_adds(out, "\xEF\xBF\xBD");
            p += 2;
        } else {
            bst_strbuf_addc(out, (char)*p);
        }
    }
}

static void add_attribute(writer *w, const char *name, const char *value) {
    bst_strbuf_addf(w->out, " %s=\"", name);
    add_escaped(w->out, value);
    bst_strbuf_addc(w->out, '"');
}

/* A comment must not hold "--". */
static void add_comment(writer *w, const char *text) {
    bst_strbuf_adds(w->out, "<!-- ");
    for (const char *p = text; *p; p++) {
        bst_strbuf_addc(w->out, *p == '-' && p > text && p[-1] == '-' ? '_' : *p);
    }
    bst_strbuf_adds(w->out, " -->\n");
}

static void add_indent(writer *w, uint32_t depth) {
    for (uint32_t i = 0; i < depth; i++) {
        bst_strbuf_adds(w->out, "  ");
    }
}

/* ---- what the standard has no word for ---- */

/* Texts become attributes of ours, the rest one attribute of JSON. Keys of `known` are said in
 * another way. */
static void add_extra(writer *w, json_t *object, const char *const *known) {
    json_t *more = json_object();
    json_t *value;
    const char *key;
    json_object_foreach (object, key, value) {
        const char *const *at = known;
        while (*at && strcmp(*at, key) != 0) {
            at++;
        }
        if (*at) {
            continue;
        }
        if (json_is_string(value)) {
            bst_strbuf_addf(w->out, " backstory:%s=\"", key);
            add_escaped(w->out, json_string_value(value));
            bst_strbuf_addc(w->out, '"');
        } else {
            w->failed = json_object_set(more, key, value) != 0 || w->failed;
        }
    }
    if (json_object_size(more) > 0) {
        char *text = json_dumps(more, JSON_COMPACT);
        add_attribute(w, "backstory:more", text ? text : "");
        w->failed = w->failed || !text;
        free(text);
    }
    json_decref(more);
}

/* ---- ids ---- */

#define ID_SEPARATOR '-'         /* names have none */
#define WRAPPER      "--machine" /* behind the machine's id: no path */
#define WRAPPER_END  "--end"

/* "authorized-partial"; of the machine "payment--machine". */
static void add_id(writer *w, uint32_t node) {
    if (node == 0) {
        bst_strbuf_addf(w->out, "%s" WRAPPER, w->machine->id);
    } else {
        bst__tree_add_path(&w->tree, node, ID_SEPARATOR, w->out);
    }
}

static void add_ids(writer *w, uint32_t source, json_t *target) {
    const size_t count = json_is_array(target) ? json_array_size(target) : 1;
    for (size_t i = 0; i < count; i++) {
        json_t *item = json_is_array(target) ? json_array_get(target, i) : target;
        const uint32_t node = bst__tree_target(&w->tree, source, json_string_value(item));
        bst_strbuf_adds(w->out, i > 0 ? " " : "");
        if (node != BST_NONE) {
            add_id(w, node);
        }
    }
}

static void add_target(writer *w, uint32_t source, json_t *target) {
    bst_strbuf_adds(w->out, " target=\"");
    add_ids(w, source, target);
    bst_strbuf_addc(w->out, '"');
}

/* Whether all targets are the state itself or inside it. */
static bool stays_inside(writer *w, uint32_t source, json_t *target) {
    const size_t count = json_is_array(target) ? json_array_size(target) : 1;
    bool inside = target != NULL;
    for (size_t i = 0; inside && i < count; i++) {
        json_t *item = json_is_array(target) ? json_array_get(target, i) : target;
        const uint32_t node = bst__tree_target(&w->tree, source, json_string_value(item));
        inside = node != BST_NONE && bst__tree_is_inside(&w->tree, node, source);
    }
    return inside;
}

/* ---- transitions ---- */

static const char *text_of_guard(json_t *guard) {
    return json_string_value(json_is_object(guard) ? json_object_get(guard, "cel") : guard);
}

static void add_guard(writer *w, json_t *guard) {
    json_t *named = json_object_get(w->root, "guards");
    const char *name = json_string_value(guard);
    const char *text = text_of_guard(name ? json_object_get(named, name) : guard);
    if (text) {
        add_attribute(w, "cond", text);
    } else if (guard) { /* a function that the program links */
        json_t *object = name ? json_object_get(named, name) : guard;
        bst_strbuf_addf(w->out, " cond=\"%s()\"", json_string_value(json_object_get(object, "c")));
    }
    if (name) {
        add_attribute(w, "backstory:guard", name);
    }
}

/* `event`: NULL for one that happens by itself. */
static void add_transition(writer *w, uint32_t node, uint32_t depth, const char *event,
                           json_t *json) {
    static const char *const plain[] = {"target", "guard", "reenter", "command", NULL};
    static const char *const described[] = {"target", "reenter", "command", NULL};
    json_t *target = json_is_object(json) ? json_object_get(json, "target") : json;
    json_t *guard = json_object_get(json, "guard");
    const bool reenter = json_is_true(json_object_get(json, "reenter"));
    const bool only_text =
        !json_is_object(guard) || (json_object_size(guard) == 1 && json_object_get(guard, "cel"));
    add_indent(w, depth);
    bst_strbuf_adds(w->out, "<transition");
    if (event) {
        add_attribute(w, "event", event);
    }
    add_guard(w, guard);
    if (target) {
        add_target(w, node, target);
    }
    if (!reenter && stays_inside(w, node, target)) {
        add_attribute(w, "type", "internal");
    }
    if (reenter) {
        add_attribute(w, "backstory:reenter", "true");
    }
    if (json_is_object(json)) {
        add_extra(w, json, only_text ? plain : described);
    }
    bst_strbuf_adds(w->out, "/>\n");
}

static void add_transitions(writer *w, uint32_t node, uint32_t depth, const char *event,
                            json_t *json) {
    json_t *item;
    size_t i;
    if (!json_is_array(json) && json) {
        add_transition(w, node, depth, event, json);
    }
    json_array_foreach (json, i, item) {
        add_transition(w, node, depth, event, item);
    }
}

/* ---- timers ---- */

/* The command that time sends: its own, or one made of the state's path. */
static const char *timer_command(writer *w, uint32_t node, json_t *transition) {
    const char *name = json_string_value(json_object_get(transition, "command"));
    if (!name) {
        bst_strbuf_clear(&w->text);
        bst_strbuf_adds(&w->text, node == 0 ? "time_out" : "time_out_");
        bst__tree_add_path(&w->tree, node, '_', &w->text);
        name = w->text.text;
    }
    return name;
}

static json_t *first_of(json_t *transitions) {
    return json_is_array(transitions) ? json_array_get(transitions, 0) : transitions;
}

static void add_delay(writer *w, const char *duration) {
    int64_t us = 0;
    (void)bst_duration_parse(duration, strlen(duration), &us); /* checked when it was loaded */
    if (us % 1000000 == 0) {
        bst_strbuf_addf(w->out, " delay=\"%llds\"", (long long)(us / 1000000));
    } else if (us % 1000 == 0) {
        bst_strbuf_addf(w->out, " delay=\"%lldms\"", (long long)(us / 1000));
    } else {
        bst_strbuf_addf(w->out, " delay=\"%lld.%03dms\"", (long long)(us / 1000), (int)(us % 1000));
    }
}

static void add_timer_id(writer *w, const char *key, uint32_t node, json_t *transitions) {
    bst_strbuf_addf(w->out, " %s=\"", key);
    add_id(w, node);
    bst_strbuf_addf(w->out, ".%s\"", timer_command(w, node, first_of(transitions)));
}

static void add_timers(writer *w, uint32_t node, uint32_t depth, json_t *after) {
    json_t *value;
    const char *key;
    add_indent(w, depth);
    bst_strbuf_adds(w->out, "<onentry>\n");
    json_object_foreach (after, key, value) {
        add_indent(w, depth + 1);
        bst_strbuf_adds(w->out, "<send");
        add_timer_id(w, "id", node, value);
        add_attribute(w, "event", timer_command(w, node, first_of(value)));
        add_delay(w, key);
        bst_strbuf_adds(w->out, "/>\n");
    }
    add_indent(w, depth);
    bst_strbuf_adds(w->out, "</onentry>\n");
    add_indent(w, depth);
    bst_strbuf_adds(w->out, "<onexit>\n");
    json_object_foreach (after, key, value) {
        add_indent(w, depth + 1);
        bst_strbuf_adds(w->out, "<cancel");
        add_timer_id(w, "sendid", node, value);
        bst_strbuf_adds(w->out, "/>\n");
    }
    add_indent(w, depth);
    bst_strbuf_adds(w->out, "</onexit>\n");
    json_object_foreach (after, key, value) {
        bst_strbuf command = BST_STRBUF_INIT;
        bst_strbuf_adds(&command, timer_command(w, node, first_of(value)));
        add_transitions(w, node, depth, command.text, value);
        w->failed = w->failed || command.failed;
        bst_strbuf_release(&command);
    }
}

/* ---- states ---- */

static void add_state(writer *w, uint32_t node, uint32_t depth);

static bool has_end(const writer *w) {
    for (uint32_t i = 1; i < w->tree.count; i++) {
        const char *type = json_string_value(json_object_get(w->tree.nodes[i].json, "type"));
        if (type && strcmp(type, "final") == 0) {
            return true;
        }
    }
    return false;
}

/* When the state that stands for the machine is done, so is the machine. */
static void add_end_transition(writer *w, uint32_t depth) {
    if (has_end(w)) {
        add_indent(w, depth);
        bst_strbuf_addf(w->out,
                        "<transition event=\"done.state.%s" WRAPPER "\" target=\"%s" WRAPPER_END
                        "\"/>\n",
                        w->machine->id, w->machine->id);
    }
}

static void add_end(writer *w) {
    if (has_end(w)) {
        bst_strbuf_addf(w->out, "  <final id=\"%s" WRAPPER_END "\"/>\n", w->machine->id);
    }
}

static void add_children(writer *w, uint32_t node, uint32_t depth) {
    json_t *states = json_object_get(w->tree.nodes[node].json, "states");
    json_t *json;
    const char *name;
    json_object_foreach (states, name, json) {
        add_state(w, bst__tree_child(&w->tree, node, name, strlen(name)), depth);
    }
}

static void add_inside(writer *w, uint32_t node, uint32_t depth) {
    json_t *json = w->tree.nodes[node].json;
    json_t *after = json_object_get(json, "after");
    json_t *value;
    const char *command;
    if (json_object_size(after) > 0) {
        add_timers(w, node, depth, after);
    }
    json_object_foreach (json_object_get(json, "on"), command, value) {
        add_transitions(w, node, depth, command, value);
    }
    add_transitions(w, node, depth, NULL, json_object_get(json, "always"));
    if (json_object_get(json, "onDone")) {
        bst_strbuf event = BST_STRBUF_INIT;
        bst_strbuf_adds(&event, "done.state.");
        bst__tree_add_path(&w->tree, node, ID_SEPARATOR, &event);
        add_transitions(w, node, depth, event.text, json_object_get(json, "onDone"));
        w->failed = w->failed || event.failed;
        bst_strbuf_release(&event);
    }
    if (node == 0) {
        add_end_transition(w, depth);
    }
    add_children(w, node, depth);
}

/* What a history stands for at first. The standard wants it said: else what is entered with the
 * state around it. */
static void add_history_default(writer *w, uint32_t node, uint32_t depth) {
    const uint32_t parent = w->tree.nodes[node].parent;
    json_t *json = w->tree.nodes[parent].json;
    json_t *target = json_object_get(w->tree.nodes[node].json, "target");
    json_t *initial = json_object_get(json, "initial");
    add_indent(w, depth);
    bst_strbuf_adds(w->out, "<transition target=\"");
    if (target || initial) {
        add_ids(w, node, target ? target : initial);
    } else {
        const char *before = "";
        json_t *child;
        const char *name;
        json_object_foreach (json_object_get(json, "states"), name, child) {
            const char *type = json_string_value(json_object_get(child, "type"));
            if (!type || strcmp(type, "history") != 0) {
                bst_strbuf_adds(w->out, before);
                add_id(w, bst__tree_child(&w->tree, parent, name, strlen(name)));
                before = " ";
            }
        }
    }
    bst_strbuf_adds(w->out, "\"/>\n");
}

static const char *element_of(json_t *json) {
    const char *type = json_string_value(json_object_get(json, "type"));
    return type && (strcmp(type, "final") == 0 || strcmp(type, "parallel") == 0 ||
                    strcmp(type, "history") == 0)
               ? type
               : "state";
}

static void add_state(writer *w, uint32_t node, uint32_t depth) {
    static const char *const known[] = {"type",   "initial", "history", "target", "id",      "on",
                                        "always", "after",   "onDone",  "states", "$schema", NULL};
    json_t *json = w->tree.nodes[node].json;
    const char *element = element_of(json);
    const bool history = strcmp(element, "history") == 0;
    json_t *initial = json_object_get(json, "initial");
    const char *deep = json_string_value(json_object_get(json, "history"));
    add_indent(w, depth);
    bst_strbuf_addf(w->out, "<%s id=\"", element);
    add_id(w, node);
    bst_strbuf_addc(w->out, '"');
    if (history) {
        add_attribute(w, "type", deep && strcmp(deep, "deep") == 0 ? "deep" : "shallow");
    }
    if (initial) {
        const uint32_t child = bst__tree_child(&w->tree, node, json_string_value(initial),
                                               strlen(json_string_value(initial)));
        bst_strbuf_adds(w->out, " initial=\"");
        add_id(w, child != BST_NONE ? child
                                    : bst__tree_target(&w->tree, node, json_string_value(initial)));
        bst_strbuf_addc(w->out, '"');
    }
    if (node != 0) {
        add_extra(w, json, known);
    }
    const size_t head = w->out->len;
    bst_strbuf_adds(w->out, ">\n");
    const size_t body = w->out->len;
    if (history) {
        add_history_default(w, node, depth + 1);
    } else {
        add_inside(w, node, depth + 1);
    }
    if (w->out->len == body && w->out->len > head) {
        w->out->len = head;
        bst_strbuf_adds(w->out, "/>\n");
        return;
    }
    add_indent(w, depth);
    bst_strbuf_addf(w->out, "</%s>\n", element);
}

/* ---- the document ---- */

/* Everything of the machine that is no state. */
static void add_declarations(writer *w) {
    static const char *const states[] = {"$schema", "id",    "type",   "initial", "states",
                                         "on",      "after", "always", "onDone"};
    json_t *rest = json_copy(w->root);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        (void)json_object_del(rest, states[i]); /* not every machine has each */
    }
    w->failed = w->failed || !rest;
    if (json_object_size(rest) > 0) {
        bst_strbuf_clear(&w->text);
        bst_json_layout(rest, &w->text);
        bst_strbuf_adds(w->out, "  <backstory:machine>");
        for (const char *p = w->text.text; *p; p++) {
            switch (*p) {
            case '<':
                bst_strbuf_adds(w->out, "&lt;");
                break;
            case '>':
                bst_strbuf_adds(w->out, "&gt;");
                break;
            case '&':
                bst_strbuf_adds(w->out, "&amp;");
                break;
            default:
                bst_strbuf_addc(w->out, *p);
            }
        }
        bst_strbuf_adds(w->out, "</backstory:machine>\n");
    }
    json_decref(rest);
}

static bool has_guards(const bst_machine *machine) {
    return machine->guard_count > 0;
}

static void add_document(writer *w) {
    bst_strbuf_adds(w->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    bst__emit_notice(w->machine, &w->text);
    add_comment(w, w->text.text);
    if (has_guards(w->machine)) {
        add_comment(w, "Conditions (cond) are CEL over the entity's fields and the command's.");
    }
    bst_strbuf_adds(w->out, "<scxml xmlns=\"http://www.w3.org/2005/07/scxml\"\n"
                            "       xmlns:backstory=\"urn:backstory:machine\" version=\"1.0\"");
    add_attribute(w, "name", w->machine->id);
    add_attribute(w, "datamodel", has_guards(w->machine) ? "ecmascript" : "null");
    if (w->wrapped) {
        bst_strbuf_addf(w->out, " initial=\"%s" WRAPPER "\"", w->machine->id);
    } else {
        const char *initial = json_string_value(json_object_get(w->root, "initial"));
        bst_strbuf_adds(w->out, " initial=\"");
        add_id(w, bst__tree_target(&w->tree, 0, initial));
        bst_strbuf_addc(w->out, '"');
    }
    bst_strbuf_adds(w->out, ">\n");
    add_declarations(w);
    if (w->wrapped) {
        add_state(w, 0, 1);
        add_end(w);
    } else {
        add_children(w, 0, 1);
    }
    bst_strbuf_adds(w->out, "</scxml>\n");
}

bst_status bst__emit_scxml(const bst_machine *machine, const bst_emit_options *options,
                           bst_emit_files *files, bst_diags *diags) {
    (void)options;
    bst_arena *arena = bst_arena_new();
    writer w = {.machine = machine, .out = &files->file[0].text};
    bst_strbuf_init(&w.text);
    const bool read = arena && bst__tree_read(machine, arena, &w.tree);
    if (read) {
        w.root = w.tree.nodes[0].json;
        w.wrapped = json_object_get(w.root, "on") || json_object_get(w.root, "after") ||
                    json_object_get(w.root, "always") || json_object_get(w.root, "type");
        add_document(&w);
    }
    const bool failed = !read || w.failed || w.text.failed;
    bst_strbuf_release(&w.text);
    bst_arena_free(arena);
    return failed ? bst_diag_nomem(diags) : BST_OK;
}
