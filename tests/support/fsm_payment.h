/* The payment machine of the language's description, written with ' for " (see fsm_findings.h). */
#ifndef FSM_PAYMENT_H
#define FSM_PAYMENT_H

#define FSM_PAYMENT                                                                                \
    "{ 'id': 'payment', 'version': '1.0.0', 'description': 'A card payment.',\n"                   \
    "  'fields': {\n"                                                                              \
    "    'amount': { 'type': 'decimal(12,2)' },\n"                                                 \
    "    'currency': { 'type': 'char(3)' },\n"                                                     \
    "    'captured': { 'type': 'decimal(12,2)', 'default': '0.00' },\n"                            \
    "    'refunded': { 'type': 'decimal(12,2)', 'default': '0.00' },\n"                            \
    "    'failure_reason': { 'type': 'text?' } },\n"                                               \
    "  'events': {\n"                                                                              \
    "    'PaymentCreated': { 'fields': { 'amount': 'decimal(12,2)', 'currency': 'char(3)' } },\n"  \
    "    'PaymentAuthorized': { 'fields': { 'authorization_code': 'text?' } },\n"                  \
    "    'PaymentCaptured': { 'fields': { 'amount': 'decimal(12,2)' },\n"                          \
    "                         'apply': { 'captured': 'captured + event.amount' } },\n"             \
    "    'PaymentRefunded': { 'fields': { 'amount': 'decimal(12,2)' },\n"                          \
    "                         'apply': { 'refunded': 'refunded + event.amount' } },\n"             \
    "    'PaymentFailed': { 'fields': { 'failure_reason': 'text' } } },\n"                         \
    "  'guards': {\n"                                                                              \
    "    'within_authorization': 'captured + command.amount <= amount',\n"                         \
    "    'in_full': 'refunded + command.amount == captured' },\n"                                  \
    "  'initial': 'pending',\n"                                                                    \
    "  'states': {\n"                                                                              \
    "    'pending': { 'on': {\n"                                                                   \
    "      'authorize': { 'target': 'authorized' },\n"                                             \
    "      'fail': { 'target': 'failed' } } },\n"                                                  \
    "    'authorized': { 'on': {\n"                                                                \
    "      'capture': { 'target': 'captured', 'guard': 'within_authorization' },\n"                \
    "      'fail': { 'target': 'failed' } } },\n"                                                  \
    "    'captured': { 'on': {\n"                                                                  \
    "      'refund': [ { 'target': 'refunded', 'guard': 'in_full' },\n"                            \
    "                  { 'target': 'captured', 'reenter': true } ] } },\n"                         \
    "    'refunded': { 'type': 'final' },\n"                                                       \
    "    'failed': { 'type': 'final' } } }"

#endif
