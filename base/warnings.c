/* The warnings' names and levels, and the options that speak of them. Who drops and raises
 * findings is the list itself, in diag.c.
 */
#include "backstory/warnings.h"

#include <string.h>

static const struct {
    const char *name;
    bst_warning_level level;
    const char *summary;
} warnings[BST_WARNING_COUNT] = {
#define X(name, code, level, summary) [BST_WARNING_##name] = {code, BST_LEVEL_##level, summary},
    BST_WARNING_LIST(X)
#undef X
};

bst_warning bst_warning_find(const char *name, size_t len) {
    for (size_t i = 0; i < BST_WARNING_COUNT; i++) {
        if (strncmp(warnings[i].name, name, len) == 0 && warnings[i].name[len] == '\0')
            return (bst_warning)i;
    }
    return BST_WARNING_COUNT;
}

const char *bst_warning_name(bst_warning warning) {
    return warnings[warning].name;
}

const char *bst_warning_summary(bst_warning warning) {
    return warnings[warning].summary;
}

bst_warning_level bst_warning_default(bst_warning warning) {
    return warnings[warning].level;
}

const char *bst_warning_nearest(const char *name) {
    const char *names[BST_WARNING_COUNT];
    for (size_t i = 0; i < BST_WARNING_COUNT; i++)
        names[i] = warnings[i].name;
    return bst_nearest_name(name, names, BST_WARNING_COUNT);
}

bst_warning_level bst_warning_level_of(const char *text) {
    return strcmp(text, "off") == 0       ? BST_LEVEL_OFF
           : strcmp(text, "warning") == 0 ? BST_LEVEL_ON
           : strcmp(text, "error") == 0   ? BST_LEVEL_ERROR
                                          : BST_LEVEL_UNSAID;
}

/* The rest of `text` after `start`, or NULL. */
static const char *after(const char *text, const char *start) {
    const size_t len = strlen(start);
    return strncmp(text, start, len) == 0 ? text + len : NULL;
}

static void set_all(bst_warnings *said, bst_warning_level level) {
    for (size_t i = 0; i < BST_WARNING_COUNT; i++)
        said->level[i] = (uint8_t)level;
}

bool bst_warnings_option(bst_warnings *said, const char *option, const char **ret_name) {
    const char *name = after(option, "-W");
    bst_warning_level level = BST_LEVEL_ON;
    const char *rest;

    *ret_name = option;
    if (!name)
        return false;
    if (strcmp(name, "error") == 0 || strcmp(name, "no-error") == 0) {
        said->all_errors = *name == 'e';
        return true;
    }
    if ((rest = after(name, "error="))) {
        level = BST_LEVEL_ERROR;
        name = rest;
    } else if ((rest = after(name, "no-error="))) {
        name = rest;
    } else if ((rest = after(name, "no-"))) {
        level = BST_LEVEL_OFF;
        name = rest;
    }
    *ret_name = name;
    if (strcmp(name, "all") == 0) {
        set_all(said, level);
        return true;
    }
    const bst_warning warning = bst_warning_find(name, strlen(name));
    if (warning == BST_WARNING_COUNT)
        return false;
    said->level[warning] = (uint8_t)level;
    return true;
}
