/* Folds a store's lines, one event each, and prints where each entity comes to stand. */
#include <stdio.h>
#include <string.h>

#include "payment_json.h"

static void print(const char *entity, const struct payment *payment) {
    printf("%s %s", entity, payment_state_name(payment->state));
    if (payment->has_failure_reason) {
        printf(" %.*s", (int)payment->failure_reason.len, payment->failure_reason.ptr);
    }
    printf("\n");
}

int main(void) {
    static char line[1 << 16], entity[100] = "";
    struct payment payment;
    json_t *keep = json_array();

    while (fgets(line, sizeof line, stdin)) {
        struct payment_event event;
        struct backstory_json_error error;
        json_t *json = json_loads(line, 0, NULL);
        const char *key = json_string_value(json_object_get(json, "entity"));
        if (!payment_event_from_json(json, keep, &event, &error)) {
            printf("%s: %s %s\n", key, error.field ? error.field : "it", error.reason);
            return 1;
        }
        if (json_integer_value(json_object_get(json, "version")) == 1) {
            if (*entity) {
                print(entity, &payment);
            }
            payment_init(&payment);
            snprintf(entity, sizeof entity, "%s", key);
        }
        if (payment_apply(&payment, &event) != PAYMENT_APPLY_OK) {
            printf("%s: %s cannot follow\n", key, payment_event_name(event.type));
            return 1;
        }
        json_array_append(keep, json);
        json_decref(json);
    }
    print(entity, &payment);
    json_decref(keep);
    return 0;
}
