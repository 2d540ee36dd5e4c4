/* SCXML into an outline, by libxml2.
 *
 * The document is read without network, without entities and without a document type: a file that
 * has one is refused where it begins, so nothing in it can grow or fetch. What the export of ours
 * wrote under its own names is taken as it stands; a timer is a delayed <send> on entry whose event
 * the same state waits for.
 */
#include "import_private.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCXML_NAMESPACE "http://www.w3.org/2005/07/scxml"
#define OUR_NAMESPACE   "urn:backstory:machine"

typedef struct reader {
    bst__outline *o;
    bool ours; /* conditions are CEL: the document was exported by us */
} reader;

static bst_loc place_of(const reader *r, const xmlNode *element) {
    const long line = xmlGetLineNo(element);
    return (bst_loc){r->o->file, line > 0 ? (uint32_t)line : 0, 0};
}

static bool is_ours(const xmlNs *ns) {
    return ns && strcmp((const char *)ns->href, OUR_NAMESPACE) == 0;
}

/* An element of the standard; documents without any namespace are taken for it as well. */
static bool is(const xmlNode *node, const char *name) {
    return node->type == XML_ELEMENT_NODE &&
           (!node->ns || strcmp((const char *)node->ns->href, SCXML_NAMESPACE) == 0) &&
           strcmp((const char *)node->name, name) == 0;
}

static bool is_state(const xmlNode *node) {
    return is(node, "state") || is(node, "parallel") || is(node, "final") || is(node, "history");
}

/* An attribute without a namespace, or in ours; NULL when it is not there. */
static const char *attribute(const reader *r, const xmlNode *element, const char *ns,
                             const char *name) {
    const xmlAttr *a = element->properties;
    while (a &&
           (strcmp((const char *)a->name, name) != 0 || (ns ? !is_ours(a->ns) : a->ns != NULL))) {
        a = a->next;
    }
    if (!a) {
        return NULL;
    }
    xmlChar *value = xmlNodeListGetString(element->doc, a->children, 1);
    const char *text = value ? (const char *)value : "";
    text = bst__outline_text(r->o, text, strlen(text));
    xmlFree(value);
    return text;
}

static const char *plain(const reader *r, const xmlNode *element, const char *name) {
    return attribute(r, element, NULL, name);
}

static void lose(reader *r, bst__loss loss, const xmlNode *element) {
    const bst_loc where = place_of(r, element);
    bst__outline_loss(r->o, loss, &where, "<%.200s> is not carried over",
                      (const char *)element->name);
}

/* Elements and attributes of other tools (an editor's coordinates, say) are told of once a name. */
static void lose_foreign(reader *r, const xmlNode *element, const char *name) {
    if (bst__outline_first(r->o, "foreign", name)) {
        const bst_loc where = place_of(r, element);
        bst__outline_loss(r->o, BST__LOSS_OTHER, &where, "\"%.200s\" is not carried over", name);
    }
}

/* An empty object is none. */
static json_t *keep_some(reader *r, json_t *extra) {
    if (extra && json_object_size(extra) == 0) {
        json_decref(extra);
        return NULL;
    }
    return bst__outline_keep(r->o, extra);
}

/* Our own attributes become keys, others that are not known a warning. */
static json_t *read_extra(reader *r, const xmlNode *element, const char *const *known) {
    const char *more = attribute(r, element, OUR_NAMESPACE, "more");
    json_t *extra = more ? json_loads(more, JSON_REJECT_DUPLICATES, NULL) : NULL;
    extra = json_is_object(extra) ? extra : (json_decref(extra), json_object());
    for (const xmlAttr *a = element->properties; a; a = a->next) {
        const char *name = (const char *)a->name;
        const char *const *at = known;
        if (is_ours(a->ns)) {
            const bool special = strcmp(name, "more") == 0 || strcmp(name, "guard") == 0 ||
                                 strcmp(name, "reenter") == 0;
            const char *value = attribute(r, element, OUR_NAMESPACE, name);
            if (!special && json_object_set_new(extra, name, json_string(value)) != 0) {
                bst__outline_nomem(r->o);
            }
            continue;
        }
        while (*at && (a->ns || strcmp(*at, name) != 0)) {
            at++;
        }
        if (!*at) {
            lose_foreign(r, element, name);
        }
    }
    return keep_some(r, extra);
}

/* "a b c" into a list. */
static const char *const *split(reader *r, const char *text, uint32_t *ret_count) {
    const size_t len = text ? strlen(text) : 0;
    const char **list = bst_arena_array(r->o->arena, len / 2 + 1, sizeof *list);
    uint32_t count = 0;
    for (size_t i = 0; list && i < len;) {
        i += strspn(text + i, " \t\r\n");
        const size_t part = strcspn(text + i, " \t\r\n");
        if (part > 0) {
            list[count++] = bst__outline_text(r->o, text + i, part);
        }
        i += part;
    }
    if (!list) {
        bst__outline_nomem(r->o);
    }
    *ret_count = count;
    return list;
}

/* ---- timers ---- */

/* "1.5s", "20ms". */
static bool read_delay(const char *text, int64_t *ret_us) {
    char *end;
    errno = 0;
    const double number = strtod(text, &end);
    const double factor = strcmp(end, "s") == 0 ? 1e6 : strcmp(end, "ms") == 0 ? 1e3 : 0;
    if (end == text || errno != 0 || factor == 0 || !(number >= 0) || number * factor > 9e17) {
        return false;
    }
    *ret_us = (int64_t)llround(number * factor);
    return true;
}

/* What a state sends itself on entry, and what it waits for: event -> microseconds, and a set. */
typedef struct timers {
    json_t *delays, *waited;
} timers;

static void put(reader *r, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) != 0) {
        bst__outline_nomem(r->o);
    }
}

static timers find_timers(reader *r, const xmlNode *state) {
    const timers found = {json_object(), json_object()};
    for (const xmlNode *child = state->children; child; child = child->next) {
        const char *event = is(child, "transition") ? plain(r, child, "event") : NULL;
        if (event) {
            put(r, found.waited, event, json_true());
        }
    }
    for (const xmlNode *block = state->children; block; block = block->next) {
        const xmlNode *send = is(block, "onentry") ? block->children : NULL;
        for (; send; send = send->next) {
            const char *event = is(send, "send") ? plain(r, send, "event") : NULL;
            const char *delay = event ? plain(r, send, "delay") : NULL;
            int64_t us;
            if (delay && read_delay(delay, &us) && json_object_get(found.waited, event) &&
                !json_object_get(found.delays, event)) {
                put(r, found.delays, event, json_integer(us));
            }
        }
    }
    return found;
}

static void free_timers(timers *found) {
    json_decref(found->delays);
    json_decref(found->waited);
}

/* What is done on entry or exit. Timers are read where their transition is; of two for one event
 * the second is an action like others. */
static void read_actions(reader *r, const xmlNode *block, const timers *found) {
    const bool entry = is(block, "onentry");
    for (const xmlNode *action = block->children; action; action = action->next) {
        const char *event = entry && is(action, "send") ? plain(r, action, "event") : NULL;
        const bool timer =
            event ? json_object_get(found->delays, event) != NULL
                  : !entry && is(action, "cancel") && json_object_size(found->delays) > 0;
        if (action->type == XML_ELEMENT_NODE && !timer) {
            lose(r, BST__LOSS_ACTION, action);
        }
    }
}

/* ---- transitions ---- */

static void read_condition(reader *r, const xmlNode *element, bst__import_transition *t) {
    const char *cond = plain(r, element, "cond");
    const char *name = attribute(r, element, OUR_NAMESPACE, "guard");
    json_t *whole = json_object_get(t->extra, "guard");
    if (r->ours && whole) {
        t->guard = whole;
    } else if (r->ours && name) {
        t->guard = bst__outline_keep(r->o, json_string(name));
    } else if (r->ours && cond) {
        t->guard = bst__outline_keep(r->o, json_pack("{s:s}", "cel", cond));
    } else {
        t->cond = cond;
    }
}

static void fill(reader *r, const xmlNode *element, bst__import_transition *t) {
    static const char *const known[] = {"event", "cond", "target", "type", NULL};
    const char *type = plain(r, element, "type");
    const char *reenter = attribute(r, element, OUR_NAMESPACE, "reenter");
    t->targets = split(r, plain(r, element, "target"), &t->target_count);
    t->external = !type || strcmp(type, "internal") != 0;
    t->reenter = reenter && strcmp(reenter, "true") == 0;
    t->extra = read_extra(r, element, known);
    read_condition(r, element, t);
}

static void read_descriptor(reader *r, const xmlNode *element, uint32_t node, const char *id,
                            const timers *found, const char *event) {
    const bst_loc where = place_of(r, element);
    const char *own = id ? bst_arena_printf(r->o->arena, "done.state.%s", id) : NULL;
    const json_t *delay = json_object_get(found->delays, event);
    size_t len = strlen(event);
    bst__form form = BST__FORM_ON;
    if (own && strcmp(event, own) == 0) {
        if (node == 0) {
            return; /* how our export says that the machine is done */
        }
        form = BST__FORM_DONE;
    } else if (strncmp(event, "done.", 5) == 0 || strncmp(event, "error.", 6) == 0) {
        bst__outline_loss(r->o, BST__LOSS_EVENT, &where, "event \"%.200s\" is not carried over",
                          event);
        return;
    } else if (delay) {
        form = BST__FORM_AFTER;
    } else if (strcmp(event, "*") == 0) {
        bst__outline_loss(r->o, BST__LOSS_WILDCARD, &where,
                          "wildcard \"*\" is written out for the commands there are");
        len = 0;
    } else if (len > 2 && strcmp(event + len - 2, ".*") == 0) {
        len -= 2;
    }
    bst__import_transition *t = bst__outline_transition(r->o, node, form, &where);
    if (t) {
        t->event = form == BST__FORM_DONE ? NULL : bst__outline_text(r->o, event, len);
        t->prefix = form == BST__FORM_ON;
        t->delay_us = json_integer_value(delay);
        fill(r, element, t);
    }
}

static void read_transition(reader *r, const xmlNode *element, uint32_t node, const char *id,
                            const timers *found) {
    const char *event = plain(r, element, "event");
    const bst_loc where = place_of(r, element);
    uint32_t count;
    const char *const *events = split(r, event, &count);
    for (uint32_t i = 0; events && i < count && r->o->status == BST_OK; i++) {
        read_descriptor(r, element, node, id, found, events[i]);
    }
    if (!event) {
        bst__import_transition *t = bst__outline_transition(r->o, node, BST__FORM_ALWAYS, &where);
        if (t) {
            fill(r, element, t);
        }
    }
    for (const xmlNode *action = element->children; action; action = action->next) {
        if (action->type == XML_ELEMENT_NODE) {
            lose(r, BST__LOSS_ACTION, action);
        }
    }
}

/* ---- states ---- */

/* An id without what it says of the state around it: "outer.inner" or "outer-inner" in "outer" is
 * "inner". */
static const char *last_part(const char *id, const char *outer) {
    const size_t len = outer ? strlen(outer) : 0;
    const bool inside = id && len > 0 && strncmp(id, outer, len) == 0 &&
                        (id[len] == '.' || id[len] == '-') && id[len + 1];
    return inside ? id + len + 1 : id;
}

static void set_initial(reader *r, const xmlNode *element, uint32_t node, const char *text) {
    uint32_t count;
    const char *const *list = split(r, text, &count);
    if (list && count > 1) {
        const bst_loc where = place_of(r, element);
        bst__outline_loss(r->o, BST__LOSS_INITIAL, &where,
                          "of several initial states only \"%.200s\" is carried over", list[0]);
    }
    if (list && count > 0) {
        r->o->nodes[node].initial = list[0];
    }
}

static void read_state(reader *r, const xmlNode *element, uint32_t parent, const char *outer);

static void read_child(reader *r, const xmlNode *child, uint32_t node, const char *id,
                       const timers *found) {
    if (is_state(child)) {
        read_state(r, child, node, id);
    } else if (is(child, "transition")) {
        if (r->o->nodes[node].kind == BST__KIND_HISTORY) {
            r->o->nodes[node].targets =
                split(r, plain(r, child, "target"), &r->o->nodes[node].target_count);
        } else {
            read_transition(r, child, node, id, found);
        }
    } else if (is(child, "initial")) {
        const xmlNode *t = child->children;
        while (t && !is(t, "transition")) {
            t = t->next;
        }
        set_initial(r, child, node, t ? plain(r, t, "target") : NULL);
    } else if (is(child, "onentry") || is(child, "onexit")) {
        read_actions(r, child, found);
    } else if (is(child, "datamodel") || is(child, "donedata") || is(child, "script")) {
        lose(r, BST__LOSS_DATA, child);
    } else if (is(child, "invoke")) {
        lose(r, BST__LOSS_INVOKE, child);
    } else if (child->type == XML_ELEMENT_NODE && !is_ours(child->ns)) {
        lose_foreign(r, child, (const char *)child->name);
    }
}

static void read_children(reader *r, const xmlNode *element, uint32_t node, const char *id) {
    timers found = find_timers(r, element);
    for (const xmlNode *child = element->children; child && r->o->status == BST_OK;
         child = child->next) {
        read_child(r, child, node, id, &found);
    }
    free_timers(&found);
}

static void read_attributes(reader *r, const xmlNode *element, uint32_t node) {
    static const char *const known[] = {"id", "initial", "type", NULL};
    const char *type = plain(r, element, "type");
    bst__import_node *n = &r->o->nodes[node];
    n->kind = is(element, "parallel")  ? BST__KIND_PARALLEL
              : is(element, "final")   ? BST__KIND_FINAL
              : is(element, "history") ? BST__KIND_HISTORY
                                       : BST__KIND_STATE;
    n->deep = type && strcmp(type, "deep") == 0;
    set_initial(r, element, node, plain(r, element, "initial"));
    json_t *extra = read_extra(r, element, known);
    n->extra = extra;
}

static void read_state(reader *r, const xmlNode *element, uint32_t parent, const char *outer) {
    const bst_loc where = place_of(r, element);
    const char *id = plain(r, element, "id");
    if (!bst__outline_node(r->o, parent, last_part(id, outer), &where)) {
        return;
    }
    const uint32_t node = r->o->count - 1;
    if (!id || bst__outline_set_id(r->o, node, id)) {
        read_attributes(r, element, node);
        read_children(r, element, node, id);
    }
}

/* ---- the document ---- */

/* Our export puts the machine into a state of its own when it is more than a list of states, with a
 * final state beside it. */
static const xmlNode *find_wrapper(reader *r, const xmlNode *root, const char *name) {
    const char *wrapper = name ? bst_arena_printf(r->o->arena, "%s--machine", name) : NULL;
    for (const xmlNode *child = root->children; wrapper && child; child = child->next) {
        const char *id = is_state(child) ? plain(r, child, "id") : NULL;
        if (id && strcmp(id, wrapper) == 0) {
            return child;
        }
    }
    return NULL;
}

/* <backstory:machine>: what is no state, as JSON. */
static void read_declarations(reader *r, const xmlNode *root) {
    for (const xmlNode *child = root->children; child; child = child->next) {
        if (child->type != XML_ELEMENT_NODE || !is_ours(child->ns)) {
            continue;
        }
        xmlChar *text = xmlNodeGetContent(child);
        bst_json_source *source = NULL;
        if (text && bst_json_source_parse(r->o->file, (const char *)text, strlen((char *)text),
                                          &source, NULL) == BST_OK) {
            json_t *json = json_deep_copy(bst_json_source_root(source));
            r->o->nodes[0].extra = bst__outline_keep(r->o, json);
        } else {
            lose(r, BST__LOSS_OTHER, child);
        }
        bst_json_source_free(source);
        xmlFree(text);
    }
}

static void read_root(reader *r, const xmlNode *root) {
    static const char *const known[] = {"name", "initial", "version", "datamodel", "binding", NULL};
    const bst_loc where = place_of(r, root);
    const char *name = plain(r, root, "name");
    if (!bst__outline_node(r->o, BST__NO_NODE, name && *name ? name : NULL, &where)) {
        return;
    }
    for (const xmlNs *ns = root->nsDef; ns; ns = ns->next) {
        r->ours = r->ours || is_ours(ns);
    }
    const xmlNode *wrapper = r->ours ? find_wrapper(r, root, name) : NULL;
    r->o->nodes[0].extra = read_extra(r, root, known);
    if (r->ours) {
        read_declarations(r, root);
    }
    if (wrapper) {
        const char *id = plain(r, wrapper, "id");
        json_t *extra = r->o->nodes[0].extra;
        if (id && bst__outline_set_id(r->o, 0, id)) {
            read_attributes(r, wrapper, 0);
            r->o->nodes[0].extra = extra;
            read_children(r, wrapper, 0, id);
        }
    } else {
        set_initial(r, root, 0, plain(r, root, "initial"));
        read_children(r, root, 0, NULL);
    }
}

/* What stopped the parser, in its own words. */
typedef struct stopped {
    bool doctype;
    int line;
    char message[200];
} stopped;

static void on_doctype(void *context, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system) {
    xmlParserCtxtPtr parser = context;
    stopped *s = parser->_private;
    (void)name, (void)external, (void)system;
    s->doctype = true;
    s->line = parser->input ? parser->input->line : 0;
    xmlStopParser(parser);
}

static void on_error(void *context, xmlErrorPtr error) {
    xmlParserCtxtPtr parser = context;
    stopped *s = parser->_private;
    if (!s->message[0] && error->message && error->level >= XML_ERR_ERROR) {
        const size_t len = strcspn(error->message, "\r\n");
        const size_t kept = len < sizeof s->message ? len : sizeof s->message - 1;
        memcpy(s->message, error->message, kept);
        s->message[kept] = '\0';
        s->line = s->doctype ? s->line : error->line;
    }
}

static bst_status report(bst__outline *o, const stopped *s) {
    const bst_loc where = {o->file, s->line > 0 ? (uint32_t)s->line : 0, 0};
    if (s->doctype) {
        o->status = bst_diag_add(o->diags, BST_INVALID, BST_ERROR, "doctype", &where,
                                 "file has a document type, which is not read");
        bst_diag_hint(o->diags, "SCXML needs none: remove the <!DOCTYPE>.");
        return o->status;
    }
    o->status = bst_diag_add(o->diags, BST_INVALID, BST_ERROR, "xml-syntax", &where,
                             "file is not well-formed XML");
    if (s->message[0]) {
        bst_diag_detail(o->diags, "%s.", s->message);
    }
    return o->status;
}

/* libxml2 holds every attribute of a tag against all others. Attributes are what has a "=" outside
 * quotes; comments, character data and instructions are no tags. */
#define ATTRIBUTES_MAX 200

/* Behind the construct that begins here, if it is one without attributes; else where it begins. */
static const char *skip_text(const char *p, const char *end) {
    static const char *const pairs[][2] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}, {"<?", "?>"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const size_t open = strlen(pairs[i][0]);
        const size_t close = strlen(pairs[i][1]);
        if ((size_t)(end - p) < open || memcmp(p, pairs[i][0], open) != 0) {
            continue;
        }
        p += open;
        while ((size_t)(end - p) >= close && memcmp(p, pairs[i][1], close) != 0) {
            p++;
        }
        return (size_t)(end - p) < close ? end : p + close;
    }
    return p;
}

static bool has_wide_tag(const char *text, size_t len, size_t *ret_offset) {
    const char *const end = text + len;
    int count = 0;
    char quote = 0;
    bool tag = false;
    for (const char *p = text; p < end; p++) {
        if (!tag && *p == '<') {
            const char *behind = skip_text(p, end);
            tag = behind == p;
            p = tag ? p : behind - 1;
            count = 0;
        } else if (tag && quote) {
            quote = *p == quote ? 0 : quote;
        } else if (tag && (*p == '"' || *p == '\'')) {
            quote = *p;
        } else if (tag && *p == '>') {
            tag = false;
        } else if (tag && *p == '=' && ++count > ATTRIBUTES_MAX) {
            *ret_offset = (size_t)(p - text);
            return true;
        }
    }
    return false;
}

static bst_status report_wide_tag(bst__outline *o, const char *text, size_t offset) {
    bst_loc where = {o->file, 1, 0};
    for (size_t i = 0; i < offset; i++) {
        where.line += text[i] == '\n';
    }
    return o->status = bst_diag_add(o->diags, BST_LIMIT, BST_ERROR, "too-many", &where,
                                    "a tag has more than %d attributes", ATTRIBUTES_MAX);
}

static bst_status read_document(bst__outline *o, xmlDocPtr doc) {
    const xmlNode *root = xmlDocGetRootElement(doc);
    reader r = {.o = o};
    if (!root || !is(root, "scxml")) {
        const bst_loc where = {o->file, root ? (uint32_t)xmlGetLineNo(root) : 0, 0};
        o->status = bst_diag_add(o->diags, BST_INVALID, BST_ERROR, "not-scxml", &where,
                                 "file is XML, but not SCXML");
        bst_diag_hint(o->diags, "Its outermost element is <scxml xmlns=\"" SCXML_NAMESPACE "\">.");
        return o->status;
    }
    read_root(&r, root);
    return o->status;
}

bst_status bst__read_scxml(bst__outline *o, const char *text, size_t len) {
    size_t offset;
    if (has_wide_tag(text, len, &offset)) {
        return report_wide_tag(o, text, offset);
    }
    const int options = XML_PARSE_NONET | XML_PARSE_NOWARNING | XML_PARSE_COMPACT |
                        XML_PARSE_BIG_LINES | XML_PARSE_NOCDATA;
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    stopped s = {0};
    if (!parser || !parser->sax) {
        xmlFreeParserCtxt(parser);
        return bst__outline_nomem(o);
    }
    parser->_private = &s;
    parser->sax->internalSubset = on_doctype;
    parser->sax->serror = on_error;
    xmlDocPtr doc = xmlCtxtReadMemory(parser, text, (int)len, NULL, "UTF-8", options);
    const bst_status status = doc && !s.doctype ? read_document(o, doc) : report(o, &s);
    xmlFreeDoc(doc);
    xmlFreeParserCtxt(parser);
    return status;
}
