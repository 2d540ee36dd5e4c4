/* What a segment says of each of its events, beside their plan: the time, and the payload. */
#include "segment_row_private.h"

#include "backstory/timestamp.h"
#include "copy_put_private.h"
#include "payload_private.h"
#include "sink_pg_private.h"

static void put_time(bst_strbuf *out, int64_t time) {
    if (time == BST_TIME_INFINITY || time == BST_TIME_MINUS_INFINITY)
        bst_strbuf_adds(out, "null"); /* open: which end it is tells the place */
    else
        bst_strbuf_add_int(out, time);
}

static void put_events(const bst_machine *machine, const bst_history *history, bst_strbuf *out) {
    for (uint32_t i = 0; i < history->plan->event_count; i++) {
        const bst_happening *const happening = &history->events[i];
        bst_strbuf_add(out, i == 0 ? "[[" : ",[", 2);
        bst_strbuf_add_int(out, happening->occurred_at);
        bst_strbuf_addc(out, ',');
        if (happening->interval) {
            put_time(out, happening->after);
            bst_strbuf_addc(out, ',');
            put_time(out, happening->before);
            bst_strbuf_addc(out, ',');
        }
        bst__payload_write(&machine->events[history->plan->events[i].type], happening->fields, out);
        bst_strbuf_addc(out, ']');
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
    for (int i = 0; i < 4; i++)
        out->text[length_at + (size_t)i] = (char)(len >> (8 * (3 - i)));
    return len <= BST__SEGMENT_BYTES_MAX;
}
