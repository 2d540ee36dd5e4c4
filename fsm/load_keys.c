/* The form of a machine file's objects: which keys there are, which kind a value has, what a
 * name may be. It knows JSON and names, not machines.
 */
#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "backstory/words.h"
#include "load_private.h"

/* Keys. */

static const char no_effects[] = "A machine has no side effects: say what an event changes in its "
                                 "\"apply\", and let readers of events act.";
static const char as_field[] = "Put the values into the fields of the last event.";

/* Keys that mean something, but not where they stand: XState's, and our own elsewhere. */
static const struct {
    const char *key, *advice;
} misplaced[] = {
    {"actions", no_effects},
    {"after", "Timers belong to a state."},
    {"always", "What happens by itself belongs to a state."},
    {"command", "The command is the key in \"on\"; only timers and creations name theirs."},
    {"cond", "Write \"guard\"."},
    {"context", "Declare the entity's data in \"fields\", each with a type."},
    {"default", "Only the entity's own \"fields\" have defaults; make this type optional with a "
                "\"?\" instead."},
    {"entry", no_effects},
    {"exit", no_effects},
    {"event", "Only the transition of a command emits an event; the state after it is where this "
              "one leads."},
    {"history", "A history is a state of its own, with \"type\": \"history\"."},
    {"in", "Ask state_in(\"...\") in the guard."},
    {"initial", "Only a state with states in it has one."},
    {"internal", "Leave \"target\" out to stay; \"reenter\": true enters the state again."},
    {"invoke", no_effects},
    {"on", "Write it into each state that it is meant for."},
    {"onDone", "A machine that is done has reached its end: nothing follows."},
    {"output", as_field},
    {"params", "Write the values into the expression."},
    {"reenter", "A creation enters its target for the first time."},
    {"states", "States stand in the machine, or in a state."},
    {"tags", "Put it into \"meta\"."},
    {"type", "States and fields have a type; a machine has none, and a guard only its name."},
    {"upcast", "An event has one, beside its \"version\"."},
};

static const char *advice_for(const char *key) {
    for (size_t i = 0; i < sizeof misplaced / sizeof *misplaced; i++) {
        if (strcmp(misplaced[i].key, key) == 0) {
            return misplaced[i].advice;
        }
    }
    return NULL;
}

int bst__key_number(bst__load *l, const bst__path *path, const char *const *keys, int count) {
    const char *known[24]; /* no object of ours has more keys */
    uint32_t known_count = 0;
    for (int i = 0; i < count; i++) {
        if (keys[i] && strcmp(keys[i], path->key) == 0) {
            return i;
        }
    }
    const bst_loc where = bst__key_at(l, path);
    const char *advice = advice_for(path->key);
    if (advice) {
        bst__error(l, &where, "unsupported-key", "key \"%s\" is not supported here", path->key);
        bst_diag_hint(l->diags, "%s", advice);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        if (keys[i]) {
            assert(known_count < sizeof known / sizeof *known);
            known[known_count++] = keys[i];
        }
    }
    const bst__names names = {known, sizeof *known};
    bst__error(l, &where, "unknown-key", "unknown key \"%s\"", path->key);
    bst__did_you_mean(l, path->key, &names, known_count,
                      "Remove it; text of your own can stand in \"description\".");
    return -1;
}

/* Kinds. */

bool bst__wrong_kind(bst__load *l, const bst__path *path, const char *wanted, const json_t *value) {
    const bst_loc where = bst__value_at(l, path);
    if (path->key) {
        bst__error(l, &where, "wrong-type", "\"%s\" must be %s, not %s", path->key, wanted,
                   bst_json_kind(value));
    } else {
        bst__error(l, &where, "wrong-type", "an item of \"%s\" must be %s, not %s", path->up->key,
                   wanted, bst_json_kind(value));
    }
    const char *hint = bst_json_kind_hint(wanted);
    if (hint) {
        bst_diag_hint(l->diags, "%s", hint);
    }
    return false;
}

const char *bst__string(bst__load *l, const bst__path *path, const json_t *value) {
    if (!json_is_string(value)) {
        bst__wrong_kind(l, path, "a string", value);
        return NULL;
    }
    return json_string_value(value);
}

bool bst__is_object(bst__load *l, const bst__path *path, const json_t *value) {
    return json_is_object(value) || bst__wrong_kind(l, path, "an object", value);
}

bool bst__is_broken(const bst__load *l, const char *list) {
    const json_t *json = json_object_get(l->root, list);
    return json && !json_is_object(json);
}

/* Names. */

bool bst__is_identifier(const char *name) {
    if (!isalpha((unsigned char)*name) && *name != '_') {
        return false;
    }
    for (const char *p = name; *p; p++) {
        if (!isalnum((unsigned char)*p) && *p != '_') {
            return false;
        }
    }
    return true;
}

bool bst__good_name(bst__load *l, const bst__path *path, bool key, const char *kind,
                    const char *name) {
    const bool long_name = strlen(name) > BST_NAME_MAX;
    if (!long_name && bst__is_identifier(name)) {
        return true;
    }
    const bst_loc where = key ? bst__key_at(l, path) : bst__value_at(l, path);
    if (long_name) {
        bst__error(l, &where, "limit", "%s name is longer than %u bytes", kind, BST_NAME_MAX);
        bst_diag_hint(l->diags, "Shorten it, and put the long text into \"label\".");
    } else {
        bst__error(l, &where, "bad-name", "%s name \"%s\" is not an identifier", kind, name);
        bst_diag_hint(l->diags, "A name is made of A-Z, a-z, 0-9 and _ and does not start with a "
                                "digit. Put any other text into \"label\".");
    }
    return false;
}

/* Words of C11 and C++20, and those that mean something in an expression. Sorted. */
static const char *const reserved[] = {
    "alignas",     "alignof",      "and",          "and_eq",
    "asm",         "auto",         "bitand",       "bitor",
    "bool",        "break",        "case",         "catch",
    "char",        "char16_t",     "char32_t",     "char8_t",
    "class",       "co_await",     "co_return",    "co_yield",
    "command",     "compl",        "concept",      "const",
    "const_cast",  "consteval",    "constexpr",    "constinit",
    "continue",    "decltype",     "default",      "delete",
    "do",          "double",       "dynamic_cast", "else",
    "enum",        "event",        "explicit",     "export",
    "extern",      "false",        "float",        "for",
    "friend",      "goto",         "has",          "if",
    "in",          "inline",       "int",          "long",
    "mutable",     "namespace",    "new",          "noexcept",
    "not",         "not_eq",       "null",         "nullptr",
    "operator",    "or",           "or_eq",        "private",
    "protected",   "public",       "register",     "reinterpret_cast",
    "requires",    "restrict",     "return",       "short",
    "signed",      "sizeof",       "static",       "static_assert",
    "static_cast", "struct",       "switch",       "template",
    "this",        "thread_local", "throw",        "true",
    "try",         "typedef",      "typeid",       "typename",
    "union",       "unsigned",     "using",        "virtual",
    "void",        "volatile",     "wchar_t",      "while",
    "xor",         "xor_eq",
};

bool bst__is_reserved(const char *name) {
    size_t low = 0;
    size_t high = sizeof reserved / sizeof *reserved;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(name, reserved[middle]);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}

bool bst__good_field_name(bst__load *l, const bst__path *path, const char *name) {
    if (!bst__good_name(l, path, true, "field", name)) {
        return false;
    }
    if (!bst__is_reserved(name)) {
        return true;
    }
    const bst_loc where = bst__key_at(l, path);
    bst__error(l, &where, "reserved-name",
               "field name \"%s\" is a word of C, C++ or of expressions", name);
    bst_diag_hint(l->diags,
                  "Name it otherwise, such as \"%s_value\", and keep \"%s\" as its \"label\".",
                  name, name);
    return false;
}

/* Clashes. Generated identifiers are made by changing case, so names must stay apart both when
 * their case is folded and when their words are joined by underscores. A list without capitals, and
 * without states that are made of several, cannot clash: its names are both forms already. */

#define MADE_OF ".+~" /* between the names of nodes in the name of a configuration */

static bool is_mixed(const bst__names *names, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        for (const char *p = bst__name_at(names, i); *p; p++) {
            if (isupper((unsigned char)*p) || strchr(MADE_OF, *p)) {
                return true;
            }
        }
    }
    return false;
}

static char *folded(bst__load *l, const char *name) {
    char *copy = bst_arena_strdup(l->arena, name);
    for (char *p = copy; p && *p; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    return copy;
}

static char *snake(bst__load *l, const char *name) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_snake_case(name, &text);
    char *copy = text.failed ? NULL : bst_arena_strndup(l->arena, text.text, text.len);
    bst_strbuf_release(&text);
    return copy;
}

/* The number of the first name with the same form; adds this one when it is the first. False: no
 * memory. */
static bool first_with_form(bst__load *l, bst__index *index, const char **forms, uint32_t number,
                            uint32_t *ret_first) {
    const bst__names names = {forms, sizeof *forms};
    if (!forms[number]) {
        return bst__nomem(l);
    }
    *ret_first = bst__name_find(index, l->m->seed, &names, forms[number]);
    if (*ret_first == BST_NONE) {
        const uint32_t hash = bst__name_hash(l->m->seed, forms[number]);
        return bst__index_add(index, l->arena, hash, number) || bst__nomem(l);
    }
    return true;
}

static void report_clash(bst__load *l, const char *kind, const bst__names *names, uint32_t first,
                         uint32_t second, bst__where *where) {
    const bst_machine *table = &l->m->table;
    const bst_loc here = where(table, second);
    const bst_loc there = where(table, first);
    const char *name = bst__name_at(names, second);
    bst__error(l, &here, "name-clash",
               "%s \"%s\" and %s \"%s\" are the same name in generated code", kind, name, kind,
               bst__name_at(names, first));
    bst_diag_hint(l->diags,
                  "Rename one of them; capitals and underscores alone do not tell names apart.");
    bst_diag_also(l->diags, &there, "\"%s\" is here", bst__name_at(names, first));
}

bool bst__check_clashes(bst__load *l, const char *kind, const bst__names *names, uint32_t count,
                        bst__where *where) {
    if (!is_mixed(names, count)) {
        return true;
    }
    bst__index by_fold = {0};
    bst__index by_snake = {0};
    const char **folds = bst_arena_array(l->arena, count, sizeof *folds);
    const char **snakes = bst_arena_array(l->arena, count, sizeof *snakes);
    if (!folds || !snakes) {
        return bst__nomem(l);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t same_fold;
        uint32_t same_snake;
        const char *name = bst__name_at(names, i);
        if (!bst__is_identifier(name) && !strpbrk(name, MADE_OF)) {
            continue; /* reported already */
        }
        folds[i] = folded(l, bst__name_at(names, i));
        snakes[i] = snake(l, bst__name_at(names, i));
        if (!first_with_form(l, &by_fold, folds, i, &same_fold) ||
            !first_with_form(l, &by_snake, snakes, i, &same_snake)) {
            return false;
        }
        const uint32_t first = same_fold != BST_NONE ? same_fold : same_snake;
        if (first != BST_NONE) {
            report_clash(l, kind, names, first, i, where);
        }
    }
    return true;
}
