/* What a segment says of each of its events, beside their plan: the time, and the payload. */
#include "segment_row_private.h"

#include <string.h>

#include "backstory/decimal.h"
#include "backstory/timestamp.h"
#include "copy_put_private.h"
#include "payload_private.h"
#include "sink_pg_private.h"

static char *put_time(char *at, int64_t time) {
    static const char open[] = "null"; /* which end it is tells the place */
    if (bst_time_is_finite(time))
        return at + bst_decimal_format(time, 0, at);
    memcpy(at, open, sizeof open);
    return at + sizeof open - 1;
}

/* `[at,` or `[at,after,before,` */
static void put_times(char before, const bst_happening *happening, bst_strbuf *out) {
    char *at = bst_strbuf_room(out, 3 * (BST_DECIMAL_TEXT_MAX + 1) + 2);
    if (!at)
        return;
    *at++ = before;
    *at++ = '[';
    at = put_time(at, happening->occurred_at);
    *at++ = ',';
    if (happening->interval) {
        at = put_time(at, happening->after);
        *at++ = ',';
        at = put_time(at, happening->before);
        *at++ = ',';
    }
    bst_strbuf_took(out, at);
}

static void put_events(const bst_machine *machine, const bst_history *history, bst_strbuf *out) {
    char before = '[';
    for (uint32_t i = 0; i < history->plan->event_count; i++) {
        const bst_happening *const happening = &history->events[i];
        put_times(before, happening, out);
        bst__payload_write(&machine->events[history->plan->events[i].type], happening->fields, out);
        bst_strbuf_addc(out, ']');
        before = ',';
    }
    bst_strbuf_addc(out, ']');
}

bool bst__segment_put_data(bst_strbuf *out, const bst_machine *machine,
                           const bst_history *history) {
    const size_t length_at = out->len;
    bst__copy_put_be(out, 0, 4);
    put_events(machine, history, out);
    if (out->failed)
        return true;
    const size_t len = out->len - length_at - 4;
    bst__copy_set_be(out->text + length_at, len, 4);
    return len <= BST__SEGMENT_BYTES_MAX;
}
