/* English for names: commands are imperative, events past tense.
 *
 * A command is read as `verb object tail`; the event says `machine object participle tail`:
 *
 *     payment  capture                PaymentCaptured
 *     order    send_reminder          OrderReminderSent
 *     order    put_on_hold            OrderPutOnHold            a tail starts at a preposition
 *     loan     write_off_debt         LoanDebtWrittenOff        off, up, out ... stay with the verb
 *     order    print_and_send_label   OrderLabelPrintedAndSent
 *     invoice  mark_ready, mark_paid  InvoiceMarkedReady, InvoiceMarkedPaid
 *     build    success                BuildSucceeded            nouns that stand for a verb
 *     order    next                   OrderAdvanced
 *     task     overdue                TaskBecameOverdue         an adjective alone
 *
 * What is in the past tense already stays: `approved`, `payment_failed`; `STARTED_PROCESSING` is
 * turned (ProcessingStarted), for a fact names its object first. So does what is no command at all:
 * `in_transit`, `awaiting_vendor`. Words with digits in front (`T02_check_receipt`) stay in front.
 * When the result begins with the last words of the machine's name they are said once: in `order`,
 * `approve_order` is OrderApproved.
 *
 * Participles: irregular verbs by a list, also behind a prefix (repay, withhold, undo); else -ed,
 * with -y to -ied after a consonant, and the last consonant doubled after one short stressed vowel
 * (shipped, referred), American where that differs (canceled).
 */
#ifndef BACKSTORY_WORDS_H
#define BACKSTORY_WORDS_H

#include <stdbool.h>

#include "backstory/strbuf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The event that a command of a machine gives rise to; both names in any style. */
BST_API void bst_event_name(const char *machine_id, const char *command, bst_strbuf *out);
/* The past participle of one lower-case verb. */
BST_API void bst_past_participle(const char *verb, bst_strbuf *out);
/* Whether a word of the name is in the past tense. Generous: it is for warnings. */
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
