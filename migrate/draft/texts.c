/* What every part of a draft makes: texts and arrays that live as long as it, and sentences about
 * what was guessed.
 */
#include "draft_private.h"

char *bst__draft_text(draft *d, const char *format, ...) {
    static char none[1];
    bst_strbuf out = BST_STRBUF_INIT;
    va_list args;

    va_start(args, format);
    bst_strbuf_vaddf(&out, format, args);
    va_end(args);
    char *text = out.failed ? NULL : bst_arena_strndup(d->arena, out.text, out.len);
    bst_strbuf_release(&out);
    d->failed = d->failed || !text;
    return text ? text : none;
}

void *bst__draft_array(draft *d, size_t count, size_t size) {
    void *array = bst_arena_array(d->arena, count, size);
    d->failed = d->failed || !array;
    return array;
}

void bst__draft_note(draft *d, const char *format, ...) {
    bst_strbuf out = BST_STRBUF_INIT;
    va_list args;

    va_start(args, format);
    bst_strbuf_vaddf(&out, format, args);
    va_end(args);
    if (d->note_count < DRAFT_NOTES_MAX) {
        d->of_machine[d->note_count] = d->noting_machine;
        d->notes[d->note_count++] = bst__draft_text(d, "%s", out.text);
    }
    bst_strbuf_release(&out);
}
