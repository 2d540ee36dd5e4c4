/* The JSON codec of generated C against jansson alone: an event to text and back, and the same
 * object dumped and loaded. Figures are medians of events a second.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "figure.h"
#include "payment_json.h"
#include "timing.h"

enum { EVENTS = 20000, RUNS = 15 };

static struct payment_event made(int i) {
    struct payment_event event;
    event.type = PAYMENT_EVENT_CREATED;
    event.state = PAYMENT_STATE_PENDING;
    event.created.amount = 4990 + i;
    event.created.currency.ptr = "EUR";
    event.created.currency.len = 3;
    return event;
}

static void must(int yes) {
    if (!yes) {
        fprintf(stderr, "the codec fails\n");
        exit(70);
    }
}

static double encode(int generated, json_t *same) {
    const double start = now();
    for (int i = 0; i < EVENTS; i++) {
        const struct payment_event event = made(i);
        json_t *json = generated ? payment_event_to_json(&event) : json_incref(same);
        char *text = json_dumps(json, JSON_COMPACT);
        must(text != NULL);
        free(text);
        json_decref(json);
    }
    return EVENTS / (now() - start);
}

static double decode(int generated, const char *text) {
    const double start = now();
    for (int i = 0; i < EVENTS; i++) {
        json_t *json = json_loads(text, 0, NULL);
        if (generated) {
            struct payment_event event;
            struct backstory_json_error error;
            json_t *keep = json_array();
            must(payment_event_from_json(json, keep, &event, &error) &&
                 event.created.amount == 4990);
            json_decref(keep);
        }
        must(json != NULL);
        json_decref(json);
    }
    return EVENTS / (now() - start);
}

int main(void) {
    double rates[4][RUNS], middle[4];
    const struct payment_event event = made(0);
    json_t *same = payment_event_to_json(&event);
    char *text = json_dumps(same, JSON_COMPACT);
    for (int i = 0; i < RUNS; i++) {
        rates[0][i] = encode(0, same);
        rates[1][i] = encode(1, same);
        rates[2][i] = decode(0, text);
        rates[3][i] = decode(1, text);
    }
    for (int way = 0; way < 4; way++) {
        middle[way] = median(rates[way], RUNS);
    }
    const bench_limit dump = {"json_dumps alone", middle[0], false, 0.25};
    const bench_limit load = {"json_loads alone", middle[2], false, 0.5};
    bench_figure("eventgen.codec_dump", middle[0], "1/s", NULL);
    bench_figure("eventgen.codec_encode", middle[1], "1/s", &dump);
    bench_figure("eventgen.codec_load", middle[2], "1/s", NULL);
    bench_figure("eventgen.codec_decode", middle[3], "1/s", &load);
    free(text);
    json_decref(same);
    return 0;
}
