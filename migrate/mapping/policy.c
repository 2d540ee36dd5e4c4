/* "policy": what becomes of rows whose history is not plain. Two of the choices write events of
 * their own, which the machine has to have.
 */
#include "mapping_private.h"

#include <string.h>

#include "backstory/words.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The event's name that nobody has yet: "PaymentImported" in the machine "payment". */
static void suggest(const bst_machine *machine, bst_builtin builtin, bst_strbuf *out) {
    const char *const commands[] = {builtin == BST_BUILTIN_GENESIS ? "import" : "reconcile",
                                    builtin == BST_BUILTIN_GENESIS ? "take_over" : "adjust"};
    for (size_t i = 0; i < COUNT(commands); i++) {
        bst_strbuf_clear(out);
        bst_event_name(machine->id, commands[i], out);
        if (bst_machine_event(machine, out->text) == BST_NONE) {
            return;
        }
    }
}

/* A policy that writes an event needs one. */
static void need_event(bst__map *map, const bst__map_path *path, const char *word,
                       bst_builtin builtin) {
    const bst_machine *machine = map->mapping->machine;
    if (!machine || bst_machine_builtin(machine, builtin) != BST_NONE) {
        return;
    }
    bst_strbuf name = BST_STRBUF_INIT;
    suggest(machine, builtin, &name);
    bst_loc where = bst__map_value_at(map, path);
    bst__map_error(map, &where, "missing-event",
                   "policy \"%s\" needs an event that the machine does not have", word);
    bst_diag_hint(map->diags, "Add to \"events\" of %s: \"%s\": { \"builtin\": \"%s\" }",
                  machine->file, name.text, word);
    bst_strbuf_release(&name);
}

static void choose(bst__map *map, const bst__map_path *path, bst_policy_choice choice,
                   bst_policy *policy, bool residual) {
    switch (choice) {
    case BST_POLICY_RELAX:
        policy->relax = true;
        return;
    case BST_POLICY_RECONCILE:
        policy->reconcile = true;
        need_event(map, path, "reconcile", BST_BUILTIN_RECONCILE);
        return;
    case BST_POLICY_GENESIS:
        *(residual ? &policy->residual_genesis : &policy->contradiction_genesis) = true;
        need_event(map, path, "genesis", BST_BUILTIN_GENESIS);
        return;
    case BST_POLICY_QUARANTINE:
    case BST_POLICY_LIKELIEST:
        return;
    }
}

/* One word, or a list of them: what is tried, in this order. */
static void read_remedies(bst__map *map, const json_t *json, const bst__map_path *up,
                          const char *key, bst_policy *policy) {
    static const char *const words[] = {"quarantine", "relax", "genesis"};
    static const char *const residual_words[] = {"quarantine", "reconcile", "genesis"};
    const bool residual = strcmp(key, "residual") == 0;
    const bst_policy_choice choices[] = {BST_POLICY_QUARANTINE,
                                         residual ? BST_POLICY_RECONCILE : BST_POLICY_RELAX,
                                         BST_POLICY_GENESIS};
    const json_t *value = json_object_get(json, key);
    const bst__map_path path = {up, key, 0};
    const size_t count = json_is_array(value) ? json_array_size(value) : value ? 1 : 0;
    size_t last = 0;
    for (size_t i = 0; i < count; i++) {
        const bst__map_path item = {&path, NULL, i};
        const bst__map_path *here = json_is_array(value) ? &item : &path;
        const json_t *word = json_is_array(value) ? json_array_get(value, i) : value;
        const size_t chosen =
            bst__map_word(map, word, here, key, residual ? residual_words : words, COUNT(words));
        if (chosen < COUNT(choices)) {
            choose(map, here, choices[chosen], policy, residual);
        }
        if (i > 0 && chosen < COUNT(choices) && chosen <= last) {
            const bst_loc where = bst__map_value_at(map, here);
            bst__map_error(map, &where, "bad-policy", "\"%s\" cannot come after \"%s\"",
                           (residual ? residual_words : words)[chosen],
                           (residual ? residual_words : words)[last]);
            bst_diag_hint(map->diags, "The order is %s.",
                          residual ? "reconcile, genesis" : "relax, genesis");
        }
        last = chosen < COUNT(choices) ? chosen : last;
    }
}

static bst_policy_choice read_choice(bst__map *map, const json_t *policy, const bst__map_path *up,
                                     const char *key, const char *const *words,
                                     const bst_policy_choice *choices, size_t count) {
    const int chosen = bst__map_choice(map, policy, up, key, words, count, 0);
    const bst__map_path path = {up, key, 0};
    if (choices[chosen] == BST_POLICY_GENESIS) {
        need_event(map, &path, "genesis", BST_BUILTIN_GENESIS);
    }
    return choices[chosen];
}

void bst__map_policy(bst__map *map, const json_t *root) {
    static const char *const keys[] = {"ambiguous", "too_ambiguous", "contradiction", "residual",
                                       "description"};
    static const char *const ambiguous[] = {"likeliest", "quarantine", "genesis"};
    static const bst_policy_choice choices[] = {BST_POLICY_LIKELIEST, BST_POLICY_QUARANTINE,
                                                BST_POLICY_GENESIS};
    bst_policy *policy = &map->mapping->policy;
    policy->ambiguous = BST_POLICY_LIKELIEST;
    const json_t *json = bst__map_get(map, root, NULL, "policy", JSON_OBJECT);
    const bst__map_path path = {NULL, "policy", 0};
    if (!json) {
        return;
    }
    bst__map_keys(map, json, &path, keys, COUNT(keys));
    policy->ambiguous =
        read_choice(map, json, &path, "ambiguous", ambiguous, choices, COUNT(choices));
    policy->too_ambiguous = read_choice(map, json, &path, "too_ambiguous", ambiguous + 1,
                                        choices + 1, COUNT(choices) - 1);
    read_remedies(map, json, &path, "contradiction", policy);
    read_remedies(map, json, &path, "residual", policy);
}
