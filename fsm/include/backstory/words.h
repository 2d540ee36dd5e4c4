/* English for names: commands are imperative, events past tense. */
#ifndef BACKSTORY_WORDS_H
#define BACKSTORY_WORDS_H

#include <stdbool.h>

#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `payment` + `capture` -> `PaymentCaptured`; `withdraw` -> `...Withdrawn`; `send_reminder` ->
 * `...ReminderSent`; SCREAMING_CASE, snake_case and camelCase commands are understood. A command
 * that already is a participle stays. */
BST_API void bst_event_name(const char *machine_id, const char *command, bst_strbuf *out);
/* The past participle of one lower-case verb. */
BST_API void bst_past_participle(const char *verb, bst_strbuf *out);
/* Whether the event name (CamelCase, snake_case) ends or contains a word in the past tense. */
BST_API bool bst_is_past_tense(const char *event_name);
/* Words that speak of tables and rows, not of the business: "RowUpdated", "StatusChanged". */
BST_API bool bst_leaks_implementation(const char *event_name);
/* "payment_captured" and "PaymentCaptured" forms of any name. */
BST_API void bst_snake_case(const char *name, bst_strbuf *out);
BST_API void bst_camel_case(const char *name, bst_strbuf *out);

#ifdef __cplusplus
}
#endif
#endif
