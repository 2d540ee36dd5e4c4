/* What a follower is told by its caller, and what it says to him, while it works.
 */
#include "follow_private.h"

#include <stdarg.h>

bool bst__follow_stops(const bst_follow_options *options) {
    return options->stop && *options->stop;
}

void bst__follow_say(const bst_follow_options *options, const char *format, ...) {
    if (!options->on_notice)
        return;
    bst_strbuf text = BST_STRBUF_INIT;
    va_list args;
    va_start(args, format);
    bst_strbuf_vaddf(&text, format, args);
    va_end(args);
    options->on_notice(options->context, text.text);
    bst_strbuf_release(&text);
}
