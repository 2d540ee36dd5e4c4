/* Passwords on the command line, which every user of the machine can read there (ps, /proc): they
 * are blotted out as soon as they are known. For a moment they stand there all the same, so the
 * manual speaks of a password file.
 */
#include <ctype.h>
#include <string.h>

#include "cli.h"

static const char key[] = "password"; /* sslpassword ends so, too */

static void blot(char *text, const char *end) {
    memset(text, '*', (size_t)(end - text));
}

/* key = value, key='va\'lue', ?key=value: to the end of the word, which in a URI hides more than it
 * must. */
static void hide_values(char *text) {
    while ((text = strstr(text, key))) {
        text += sizeof key - 1;
        text += strspn(text, " \t\n");
        if (*text != '=')
            continue;
        text++;
        text += strspn(text, " \t\n");
        const char *end = text;
        const bool quoted = *end == '\'';
        for (end += quoted; *end && (quoted ? *end != '\'' : !isspace((unsigned char)*end)); end++)
            end += *end == '\\' && end[1];
        blot(text, end);
        text = text + (end - text);
    }
}

/* scheme://user:password@host. A password with an "@" of its own is no URI, and is hidden, too. */
static void hide_in_uri(char *text) {
    char *const authority = strstr(text, "://");
    char *const at = authority ? strrchr(authority, '@') : NULL;
    char *const colon = authority ? strchr(authority + 3, ':') : NULL;

    if (at && colon && colon < at)
        blot(colon + 1, at);
}

static bool is_argument(const cli_call *call, const char *text) {
    for (size_t i = 0; i < call->count; i++) {
        if (call->argument[i] == text)
            return true;
    }
    return false;
}

void cli_hide_secrets(const cli_call *call, int argc, const char *const *argv) {
    for (int i = 1; i < argc; i++) {
        char *const text = (char *)(uintptr_t)argv[i]; /* main()'s own, which it may write to */
        if (is_argument(call, text))
            continue; /* still needed, and never a connection string */
        hide_in_uri(text);
        hide_values(text);
    }
}
