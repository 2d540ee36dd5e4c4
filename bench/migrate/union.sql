-- The best hand-written SQL that gives one jsonb row an event, with all that our events say: every kind of event from its
-- column, the index after.
DROP TABLE IF EXISTS event;
CREATE TABLE event AS
SELECT id::text AS stream, 1 AS version, created_at AS occurred_at, now() AS recorded_at, 'PaymentCreated' AS type,
       'pending' AS state, NULL AS command, 'recorded' AS basis, 1::real AS confidence, 'payments.created_at' AS source,
       jsonb_build_object('amount', amount::text, 'currency', currency) AS data FROM payments
UNION ALL
SELECT id::text, 2, authorized_at, now(), 'PaymentAuthorized', 'authorized', 'authorize', 'recorded', 1,
       'payments.authorized_at', '{}' FROM payments WHERE authorized_at IS NOT NULL
UNION ALL
SELECT id::text, 3, captured_at, now(), 'PaymentCaptured', 'captured', 'capture', 'recorded', 1, 'payments.captured_at',
       jsonb_build_object('amount', (captured_cents / 100.0)::numeric(12,2)::text) FROM payments WHERE captured_at IS NOT NULL
UNION ALL
SELECT id::text, 4, refunded_at, now(), 'PaymentRefunded', 'refunded', 'refund', 'recorded', 1, 'payments.refunded_at',
       jsonb_build_object('amount', refunded_amount::text) FROM payments WHERE refunded_at IS NOT NULL
UNION ALL
SELECT id::text, 2, closed_at, now(), 'PaymentFailed', 'failed', 'fail', 'recorded', 1, 'payments.closed_at',
       jsonb_build_object('failure_reason', failure_reason) FROM payments WHERE status = 40
UNION ALL
SELECT id::text, 3, closed_at, now(), 'PaymentVoided', 'voided', 'void', 'recorded', 1, 'payments.closed_at', '{}'
FROM payments WHERE status = 50;
CREATE UNIQUE INDEX ON event (stream, version);
