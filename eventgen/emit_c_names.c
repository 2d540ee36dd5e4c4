/* Every identifier of the generated C, chosen before a line is written.
 *
 * All of them start with the machine's prefix, so machines do not meet; what is left are clashes
 * inside one machine (an event called `type` wants `payment_event_type`, which is an enum) and
 * words that C, C++ or a common header claim. Whoever comes second gets an underscore at its end.
 * The fixed names come first, then the file's in its order: a name changes only when something
 * before it does.
 *
 * C++ has one name space where C has two (tags, the rest), and macros know no scope at all: one set
 * serves all names of file scope, another one each struct and union.
 */
#include <ctype.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "backstory/words.h"
#include "emit_c_private.h"

typedef struct taken {
    UT_hash_handle hh;
    unsigned counted; /* the last number behind it that is taken, too; 0: none */
    uint32_t scope;
    char name[]; /* the key: with the scope before it */
} taken;

typedef struct reserved {
    UT_hash_handle hh; /* the key: a word of the list below */
} reserved;

struct bst__c_names {
    taken *set;
    reserved *words;
    uint32_t scope_count;
};

enum { FILE_SCOPE = 0 };

/* Keywords of C up to C23 and C++ up to C++20, macros and types of the headers that generated text
 * includes, and macros that compilers, <errno.h> and <stdio.h> define in small letters. */
static const char reserved_words[] =
    "alignas alignof and and_eq asm assert auto bitand bitor bool break case catch char "
    "char16_t char32_t char8_t class co_await co_return co_yield compl complex concept "
    "const const_cast consteval constexpr constinit continue decltype default delete do "
    "double dynamic_cast else enum errno explicit export extern false final float for "
    "fortran friend goto i386 if imaginary inline int int16_t int32_t int64_t int8_t "
    "intmax_t intptr_t linux long main max_align_t memcmp memcpy mutable namespace new "
    "noexcept noreturn not not_eq nullptr nullptr_t offsetof operator or or_eq override "
    "private protected ptrdiff_t public register reinterpret_cast requires restrict return "
    "short signed size_t sizeof static static_assert static_cast stderr stdin stdout "
    "strcmp struct switch template this thread_local throw true try typedef typeid "
    "typename typeof typeof_unqual uint16_t uint32_t uint64_t uint8_t uintmax_t uintptr_t "
    "union unix unsigned using virtual void volatile wchar_t while xor xor_eq ";

static void add_reserved_words(bst__c *c) {
    size_t len;
    for (const char *word = reserved_words; *word; word += len + 1) {
        reserved *item = bst__c_array(c, 1, sizeof *item);
        len = strcspn(word, " ");
        if (!item) {
            return;
        }
        HASH_ADD_KEYPTR(hh, c->names->words, word, len, item);
        c->failed = c->failed || !item->hh.tbl; /* how uthash says that it had no memory */
    }
}

/* ---- what is taken ---- */

static bool is_reserved(const bst__c *c, const char *name, size_t len) {
    const reserved *found = NULL;
    HASH_FIND(hh, c->names->words, name, len, found);
    return found != NULL;
}

/* One that could be taken, not in the set; NULL when out of memory. */
static taken *new_taken(bst__c *c, uint32_t scope, const char *name) {
    const size_t len = strlen(name);
    taken *item = bst__c_array(c, 1, sizeof *item + len + 1);
    if (item) {
        item->scope = scope;
        memcpy(item->name, name, len);
    }
    return item;
}

/* Who has the name; NULL: nobody. */
static taken *find_taken(const bst__c *c, const taken *like) {
    const size_t key_size = sizeof like->scope + strlen(like->name);
    taken *found = NULL;
    HASH_FIND(hh, c->names->set, &like->scope, key_size, found);
    return found;
}

/* A copy of the name, which is taken from now on; NULL when it is not to be had. */
static const char *try_claim(bst__c *c, uint32_t scope, const char *name) {
    const size_t len = strlen(name);
    taken *item = new_taken(c, scope, name);
    if (!item || is_reserved(c, name, len) || find_taken(c, item)) {
        return NULL;
    }
    HASH_ADD(hh, c->names->set, scope, sizeof scope + len, item);
    c->failed = c->failed || !item->hh.tbl;
    return item->name;
}

/* `name` with the first number behind it that makes it the only one. It counts on from the last: a
 * state with thousands of guards in place has as many names that begin alike. */
static const char *claim_counted(bst__c *c, uint32_t scope, const char *name) {
    taken *like = new_taken(c, scope, name);
    taken *first = like ? find_taken(c, like) : NULL;
    const char *free_name = NULL;
    unsigned number = first && first->counted ? first->counted : 1;
    while (!free_name && !c->failed) {
        free_name = try_claim(c, scope, bst__c_text(c, "%s_%u", name, ++number));
    }
    if (first) {
        first->counted = number;
    }
    return free_name ? free_name : "";
}

/* `name`, or with as many underscores behind it as it takes to be the only one. */
static const char *claim(bst__c *c, uint32_t scope, const char *name) {
    const char *free_name = try_claim(c, scope, name);
    while (!free_name && !c->failed) {
        name = bst__c_text(c, "%s_", name);
        free_name = try_claim(c, scope, name);
    }
    return free_name ? free_name : "";
}

static uint32_t new_scope(bst__c *c) {
    return ++c->names->scope_count;
}

/* ---- spellings ---- */

/* Members of enums may hold any character: one underscore each. */
static const char *snake(bst__c *c, const char *name) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_snake_case(name, &text);
    char *result = bst_arena_strdup(c->arena, text.len > 0 ? text.text : "_");
    c->failed = c->failed || text.failed || !result;
    bst_strbuf_release(&text);
    size_t len = 0;
    for (const char *p = result; p && *p; p++) {
        if ((*p & 0xc0) != 0x80) { /* not inside a character of UTF-8 */
            result[len++] = (*p & 0x80) || !isalnum((unsigned char)*p) ? '_' : *p;
        }
    }
    if (!result) {
        return "";
    }
    result[len] = '\0';
    return result;
}

static const char *upper(bst__c *c, const char *name) {
    char *text = bst_arena_strdup(c->arena, name);
    if (!text) {
        c->failed = true;
        return "";
    }
    for (char *p = text; *p; p++) {
        *p = (char)toupper((unsigned char)*p);
    }
    return text;
}

/* PAYMENT_STATE_CAPTURED */
static const char *claim_constant(bst__c *c, const char *kind, const char *name) {
    return claim(c, FILE_SCOPE,
                 upper(c, bst__c_text(c, "%s_%s_%s", c->prefix, kind, snake(c, name))));
}

static const char *claim_prefixed(bst__c *c, const char *name) {
    return claim(c, FILE_SCOPE, bst__c_text(c, "%s_%s", c->prefix, name));
}

static const char *claim_upper(bst__c *c, const char *name) {
    return claim(c, FILE_SCOPE, upper(c, bst__c_text(c, "%s_%s", c->prefix, name)));
}

const char *bst__c_claim(bst__c *c, const char *name) {
    return claim_prefixed(c, name);
}

/* "PaymentCaptured" of machine payment is `captured`: the prefix says the rest. */
static const char *without_prefix(bst__c *c, const char *name) {
    const size_t len = strlen(c->prefix);
    const bool has_it = strncmp(name, c->prefix, len) == 0 && name[len] == '_' &&
                        isalpha((unsigned char)name[len + 1]);
    return has_it ? name + len + 1 : name;
}

/* ---- the machine as a whole ---- */

static void name_fixed(bst__c *c) {
    bst__c_fixed *f = &c->fixed;
    f->state = claim_prefixed(c, "state");
    f->command_type = claim_prefixed(c, "command_type");
    f->event_type = claim_prefixed(c, "event_type");
    f->guard = claim_prefixed(c, "guard");
    f->verdict = claim_prefixed(c, "verdict");
    f->apply_result = claim_prefixed(c, "apply_result");
    f->command = claim_prefixed(c, "command");
    f->event = claim_prefixed(c, "event");
    f->decision = claim_prefixed(c, "decision");
    f->candidate = claim_prefixed(c, "candidate");
    f->state_count = claim_upper(c, "state_count");
    f->command_count = claim_upper(c, "command_count");
    f->event_count = claim_upper(c, "event_count");
    f->guard_count = claim_upper(c, "guard_count");
    f->transitions = claim_prefixed(c, "transitions");
    f->next = claim_prefixed(c, "next");
    f->step_all = claim_prefixed(c, "step_all");
    f->init = claim_prefixed(c, "init");
    f->decide = claim_prefixed(c, "decide");
    f->apply = claim_prefixed(c, "apply");
    f->state_name = claim_prefixed(c, "state_name");
    f->command_name = claim_prefixed(c, "command_name");
    f->event_name = claim_prefixed(c, "event_name");
    f->guard_name = claim_prefixed(c, "guard_name");
    f->verdict_name = claim_prefixed(c, "verdict_name");
    f->state_from_name = claim_prefixed(c, "state_from_name");
    f->command_from_name = claim_prefixed(c, "command_from_name");
    f->event_from_name = claim_prefixed(c, "event_from_name");
    f->include_guard = claim_upper(c, "h");
    if (c->regions) {
        f->region_count = claim_upper(c, "region_count");
        f->taken = claim_prefixed(c, "taken");
        f->place_name = claim_prefixed(c, "place_name");
    }
    static const char *const spoken[] = {"VERDICT_ACCEPTED",
                                         "VERDICT_NO_TRANSITION",
                                         "VERDICT_GUARD_REFUSED",
                                         "VERDICT_INVALID_PAYLOAD",
                                         "VERDICT_INVALID_ENTITY",
                                         "VERDICT_OVERFLOW",
                                         "APPLY_OK",
                                         "APPLY_ILLEGAL",
                                         "APPLY_OVERFLOW",
                                         "APPLY_INVALID"};
    for (size_t i = 0; i < sizeof spoken / sizeof spoken[0]; i++) {
        claim_upper(c, spoken[i]);
    }
    for (uint32_t i = 0; i < c->machine->linked_count; i++) { /* the user's, as they are */
        try_claim(c, FILE_SCOPE, c->machine->linked[i]);
    }
    claim(c, FILE_SCOPE, "backstory_text");
    claim(c, FILE_SCOPE, "backstory_uuid");
    claim(c, FILE_SCOPE, "BACKSTORY_TEXT");
    claim(c, FILE_SCOPE, "BACKSTORY_UUID");
}

/* ---- records ---- */

static bst__c_enum *find_enum(bst__c *c, const bst_type *type) {
    for (uint32_t i = 0; i < c->enum_count; i++) {
        const bst_type *other = c->enums[i].type;
        bool same = other->member_count == type->member_count;
        for (uint32_t m = 0; same && m < type->member_count; m++) {
            same = strcmp(other->members[m], type->members[m]) == 0;
        }
        if (same) {
            return &c->enums[i];
        }
    }
    return NULL;
}

static const bst__c_enum *name_enum(bst__c *c, const bst_field *field) {
    bst__c_enum *known = find_enum(c, &field->type);
    if (known) {
        return known;
    }
    bst__c_enum *e = &c->enums[c->enum_count++];
    const char *name = snake(c, field->name);
    e->type = &field->type;
    e->tag = claim_prefixed(c, name);
    e->count = claim_upper(c, bst__c_text(c, "%s_COUNT", name));
    e->name = claim(c, FILE_SCOPE, bst__c_text(c, "%s_name", e->tag));
    e->from_name = claim(c, FILE_SCOPE, bst__c_text(c, "%s_from_name", e->tag));
    e->constants = bst__c_array(c, field->type.member_count, sizeof *e->constants);
    for (uint32_t i = 0; e->constants && i < field->type.member_count; i++) {
        e->constants[i] = claim_constant(c, name, field->type.members[i]);
    }
    return e;
}

/* PAYMENT_AMOUNT_SCALE; a payload's field of the same name and scale as an earlier one has the same
 * macro. */
static const char *name_scale(bst__c *c, const bst__c_record *record, const bst_field *field) {
    const char *name = snake(c, field->name);
    const char *macro = upper(c, bst__c_text(c, "%s_%s_SCALE", c->prefix, name));
    for (uint32_t i = 0; i < c->scale_count; i++) {
        if (strcmp(c->scales[i].macro, macro) == 0 && c->scales[i].scale == field->type.scale) {
            return c->scales[i].macro;
        }
    }
    const char *own = try_claim(c, FILE_SCOPE, macro);
    if (!own && record->tag) {
        own = claim(c, FILE_SCOPE, upper(c, bst__c_text(c, "%s_%s_SCALE", record->tag, name)));
    } else if (!own) {
        own = claim(c, FILE_SCOPE, macro);
    }
    c->scales[c->scale_count++] = (bst__c_scale){own, field->type.scale};
    return own;
}

/* `unsure` (NULL: none): required fields that may be without a value all the same. */
static void name_fields(bst__c *c, bst__c_record *record, const bst_field *fields, uint32_t count,
                        const bool *unsure, uint32_t scope) {
    record->fields = bst__c_array(c, count, sizeof *record->fields);
    record->count = record->fields ? count : 0;
    for (uint32_t i = 0; i < record->count; i++) {
        bst__c_field *f = &record->fields[i];
        const char *name = snake(c, fields[i].name);
        f->field = &fields[i];
        f->member = claim(c, scope, name);
        if (fields[i].type.optional || (unsure && unsure[i])) {
            f->has = claim(c, scope, bst__c_text(c, "has_%s", f->member));
        }
        if (fields[i].type.kind == BST_KIND_DECIMAL) {
            f->scale = name_scale(c, record, &fields[i]);
        }
        if (fields[i].type.kind == BST_KIND_ENUM) {
            f->enumeration = name_enum(c, &fields[i]);
        }
    }
}

/* An event or a command: its constant, its struct when it carries anything, its place in the union.
 */
static void name_payload(bst__c *c, bst__c_record *record, const char *kind, const char *name,
                         const bst_field *fields, uint32_t count, uint32_t union_scope) {
    const char *full = snake(c, name);
    const char *base = without_prefix(c, full);
    record->constant =
        try_claim(c, FILE_SCOPE, upper(c, bst__c_text(c, "%s_%s_%s", c->prefix, kind, base)));
    if (!record->constant) {
        base = full;
        record->constant = claim_constant(c, kind, base);
    }
    /* unique, since the constant is */
    record->suffix = bst__c_text(c, "%s", record->constant + strlen(c->prefix) + strlen(kind) + 2);
    char *lower = bst_arena_strdup(c->arena, record->suffix);
    for (char *p = lower; p && *p; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    record->suffix = lower ? lower : "";
    if (count > 0) {
        record->tag =
            claim(c, FILE_SCOPE, bst__c_text(c, "%s_%s_%s", c->prefix, kind, record->suffix));
        record->member = claim(c, union_scope, record->suffix);
    }
    name_fields(c, record, fields, count, NULL, new_scope(c));
}

static uint32_t scope_with(bst__c *c, const char *first, const char *second) {
    const uint32_t scope = new_scope(c);
    claim(c, scope, first);
    if (second) {
        claim(c, scope, second);
    }
    return scope;
}

static void claim_parts(bst__c *c, uint32_t scope) {
    if (c->regions) {
        claim(c, scope, "parts");
    }
}

/* By field: some creation leaves it unset, and it has no default. */
static const bool *find_unsure(bst__c *c) {
    const bst_machine *machine = c->machine;
    bool *unsure = bst__c_array(c, machine->field_count, sizeof *unsure);
    uint32_t *set_by = bst__c_array(c, machine->field_count, sizeof *set_by); /* creation + 1 */
    for (uint32_t i = 0; !c->failed && i < machine->creation_count; i++) {
        const bst_event_type *event = &machine->events[machine->transitions[i].event];
        for (uint32_t a = 0; a < event->assignment_count; a++) {
            set_by[event->assignments[a].field] = i + 1;
        }
        for (uint32_t f = 0; f < machine->field_count; f++) {
            unsure[f] =
                unsure[f] || (set_by[f] != i + 1 && !machine->fields[f].default_value.present);
        }
    }
    return unsure;
}

/* Older versions of events: `payment_event_captured_v1`, and `captured_v1` in the union of all. */
static void name_older(bst__c *c) {
    const bst_machine *machine = c->machine;
    const uint32_t in_event = scope_with(c, "type", "state");
    claim(c, in_event, "version");
    claim_parts(c, in_event);
    c->first_older = bst__c_array(c, (size_t)machine->event_count + 1, sizeof *c->first_older);
    for (uint32_t i = 0; c->first_older && i < machine->event_count; i++) {
        c->older_count += machine->events[i].upcast_count;
        c->first_older[i + 1] = c->older_count;
    }
    c->older = bst__c_array(c, c->older_count, sizeof *c->older);
    if (c->failed || c->older_count == 0) {
        return;
    }
    c->fixed.older_event = claim_prefixed(c, "older_event");
    c->fixed.upcast = claim_prefixed(c, "upcast");
    for (uint32_t i = 0; i < machine->event_count; i++) {
        const bst_event_type *event = &machine->events[i];
        for (uint32_t k = 0; k < event->upcast_count; k++) {
            const bst_upcast *upcast = &event->upcasts[k];
            bst__c_record *record = &c->older[c->first_older[i] + k];
            record->constant = c->events[i].constant;
            record->suffix =
                bst__c_text(c, "%s_v%u", c->events[i].suffix, (unsigned)upcast->version);
            if (upcast->field_count > 0) {
                record->tag =
                    claim(c, FILE_SCOPE, bst__c_text(c, "%s_event_%s", c->prefix, record->suffix));
                record->member = claim(c, in_event, record->suffix);
            }
            name_fields(c, record, upcast->fields, upcast->field_count, NULL, new_scope(c));
        }
    }
}

static void name_records(bst__c *c) {
    const bst_machine *machine = c->machine;
    const uint32_t in_event = scope_with(c, "type", "state");
    const uint32_t in_entity = scope_with(c, "state", NULL);
    const uint32_t in_command = scope_with(c, "type", NULL);
    c->entity.tag = claim(c, FILE_SCOPE, c->prefix);
    claim_parts(c, in_event);
    claim_parts(c, in_entity);
    name_fields(c, &c->entity, machine->fields, machine->field_count, find_unsure(c), in_entity);
    c->commands = bst__c_array(c, machine->command_count, sizeof *c->commands);
    for (uint32_t i = 0; c->commands && i < machine->command_count; i++) {
        const bst_command *command = &machine->commands[i];
        name_payload(c, &c->commands[i], "command", command->name, command->fields,
                     command->field_count, in_command);
    }
    c->events = bst__c_array(c, machine->event_count, sizeof *c->events);
    for (uint32_t i = 0; c->events && i < machine->event_count; i++) {
        const bst_event_type *event = &machine->events[i];
        name_payload(c, &c->events[i], "event", event->name, event->fields, event->field_count,
                     in_event);
    }
    name_older(c);
}

/* ---- states and guards ---- */

static void name_states(bst__c *c) {
    const bst_machine *machine = c->machine;
    c->states = bst__c_array(c, (size_t)machine->state_count + 1, sizeof *c->states);
    if (!c->states) {
        return;
    }
    c->states[0] = claim_upper(c, "state_none");
    for (uint32_t i = 0; i < machine->state_count; i++) {
        c->states[i + 1] = claim_constant(c, "state", machine->states[i].name);
    }
}

/* A guard written in place is called after the first transition that asks it. */
static const char *guard_base_name(bst__c *c, uint32_t guard) {
    const bst_machine *machine = c->machine;
    const bst_transition *user = c->guard_users[guard];
    if (machine->guards[guard].name || !user) {
        return machine->guards[guard].name ? machine->guards[guard].name : "unused";
    }
    return bst__c_text(c, "%s_%s",
                       user->from == BST_NONE ? "new" : machine->states[user->from].name,
                       machine->commands[user->command].name);
}

/* A named guard that several commands ask is there once for each of them: the later ones say for
 * whom. Several guards in one place are counted. */
static void name_guard(bst__c *c, uint32_t guard, uint32_t scope) {
    const bst_transition *user = c->guard_users[guard];
    const char *base = bst__c_text(c, "guard_%s", snake(c, guard_base_name(c, guard)));
    const char *function = try_claim(c, scope, base);
    if (!function && user && c->machine->guards[guard].name) {
        const char *command = snake(c, c->machine->commands[user->command].name);
        function = claim(c, scope, bst__c_text(c, "%s_for_%s", base, command));
    }
    if (!function) {
        function = claim_counted(c, scope, base);
    }
    c->guard_suffixes[guard] = *function ? function + strlen("guard_") : "";
    c->guards[guard + 1] = claim_constant(c, "guard", c->guard_suffixes[guard]);
}

static void name_guards(bst__c *c) {
    const bst_machine *machine = c->machine;
    c->guards = bst__c_array(c, (size_t)machine->guard_count + 1, sizeof *c->guards);
    c->guard_suffixes = bst__c_array(c, machine->guard_count, sizeof *c->guard_suffixes);
    c->guard_users = bst__c_array(c, machine->guard_count, sizeof *c->guard_users);
    if (c->failed) {
        return;
    }
    for (uint32_t i = machine->transition_count; i-- > 0;) {
        if (machine->transitions[i].guard != BST_NONE) {
            c->guard_users[machine->transitions[i].guard] = &machine->transitions[i];
        }
    }
    const uint32_t scope = new_scope(c);
    c->guards[0] = claim_upper(c, "guard_none");
    for (uint32_t i = 0; i < machine->guard_count; i++) {
        name_guard(c, i, scope);
    }
}

static uint32_t field_total(const bst_machine *machine) {
    uint32_t total = machine->field_count;
    for (uint32_t i = 0; i < machine->event_count; i++) {
        total += machine->events[i].field_count;
        for (uint32_t k = 0; k < machine->events[i].upcast_count; k++) {
            total += machine->events[i].upcasts[k].field_count;
        }
    }
    for (uint32_t i = 0; i < machine->command_count; i++) {
        total += machine->commands[i].field_count;
    }
    return total;
}

void bst__c_name_all(bst__c *c, const bst_emit_options *options) {
    const uint32_t total = field_total(c->machine);
    c->names = bst__c_array(c, 1, sizeof *c->names);
    c->enums = bst__c_array(c, total, sizeof *c->enums);
    c->scales = bst__c_array(c, total, sizeof *c->scales);
    if (c->failed) {
        return;
    }
    add_reserved_words(c);
    c->prefix = snake(c, options->prefix ? options->prefix : c->machine->id);
    c->upper = upper(c, c->prefix);
    name_fixed(c);
    name_states(c);
    name_guards(c);
    name_records(c);
}

void bst__c_names_free(bst__c *c) {
    if (c->names) {
        HASH_CLEAR(hh, c->names->set);
        HASH_CLEAR(hh, c->names->words);
    }
}
