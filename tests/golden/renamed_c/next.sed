# A state, an event and the field of a payload under new names.
s/"voided":   {/"void2":    { "was": "voided",/
s/:    "voided"/:    "void2"/
s/"PaymentFailed": { "fields": { "failure_reason": "text" } }/"PaymentDeclined": { "was": "PaymentFailed", "fields": { "reason": { "type": "text", "was": "failure_reason" } }, "apply": { "failure_reason": "event.reason" } }/
s/"fail":      "failed"/"fail": { "target": "failed", "event": "PaymentDeclined" }/
s/"machine": "payment.fsm.json"/"machine": "next.fsm.json"/
s/"50": "voided"/"50": "void2"/
s/"failed", "voided"/"failed", "void2"/
