-- The best hand-written SQL that gives one jsonb row an event: every kind of event from its column, the index after.
DROP TABLE IF EXISTS event;
CREATE TABLE event AS
SELECT id::text AS stream, 1 AS version, 'PaymentCreated' AS type, created_at AS occurred_at, 'pending' AS state,
       'recorded' AS basis, jsonb_build_object('amount', amount::text, 'currency', currency) AS data FROM payments
UNION ALL
SELECT id::text, 2, 'PaymentAuthorized', authorized_at, 'authorized', 'recorded', '{}' FROM payments WHERE authorized_at IS NOT NULL
UNION ALL
SELECT id::text, 3, 'PaymentCaptured', captured_at, 'captured', 'recorded',
       jsonb_build_object('amount', (captured_cents / 100.0)::numeric(12,2)::text) FROM payments WHERE captured_at IS NOT NULL
UNION ALL
SELECT id::text, 4, 'PaymentRefunded', refunded_at, 'refunded', 'recorded',
       jsonb_build_object('amount', refunded_amount::text) FROM payments WHERE refunded_at IS NOT NULL
UNION ALL
SELECT id::text, 2, 'PaymentFailed', closed_at, 'failed', 'recorded',
       jsonb_build_object('failure_reason', failure_reason) FROM payments WHERE status = 40
UNION ALL
SELECT id::text, 3, 'PaymentVoided', closed_at, 'voided', 'recorded', '{}' FROM payments WHERE status = 50;
CREATE UNIQUE INDEX ON event (stream, version);
