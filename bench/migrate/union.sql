-- The best hand-written SQL that gives one jsonb row an event, with what the event store's view `event` says of each: every kind
-- of event from its column, the index after. In one session, which PostgreSQL may help with parallel workers. The id is :id;
-- gen_random_uuid() is the cheapest there is (ids derived from the key, as the store has them, cost the same by md5() or
-- uuid_generate_v5()). The position is 0, which costs nothing: these histories come before all that is appended later.
SET maintenance_work_mem = '256MB';
DROP TABLE IF EXISTS event;
CREATE TABLE event AS
SELECT :id AS id, 0::bigint AS position, id::text AS stream, 1 AS version, created_at AS occurred_at, now() AS recorded_at,
       NULL::tstzrange AS occurred_between, 'PaymentCreated' AS type, 1 AS type_version, 'pending' AS state, NULL AS command,
       'recorded' AS basis, 1::float8 AS confidence, 'payments.created_at' AS source, 1 AS run_id,
       jsonb_build_object('amount', amount::text, 'currency', currency) AS data FROM payments
UNION ALL
SELECT :id, 0, id::text, 2, authorized_at, now(), NULL, 'PaymentAuthorized', 1, 'authorized', 'authorize', 'recorded', 1,
       'payments.authorized_at', 1, '{}' FROM payments WHERE authorized_at IS NOT NULL
UNION ALL
SELECT :id, 0, id::text, 3, captured_at, now(), NULL, 'PaymentCaptured', 1, 'captured', 'capture', 'recorded', 1,
       'payments.captured_at', 1, jsonb_build_object('amount', (captured_cents / 100.0)::numeric(12,2)::text)
FROM payments WHERE captured_at IS NOT NULL
UNION ALL
SELECT :id, 0, id::text, 4, refunded_at, now(), NULL, 'PaymentRefunded', 1, 'refunded', 'refund', 'recorded', 1,
       'payments.refunded_at', 1, jsonb_build_object('amount', refunded_amount::text) FROM payments WHERE refunded_at IS NOT NULL
UNION ALL
SELECT :id, 0, id::text, 2, closed_at, now(), NULL, 'PaymentFailed', 1, 'failed', 'fail', 'recorded', 1,
       'payments.closed_at', 1, jsonb_build_object('failure_reason', failure_reason) FROM payments WHERE status = 40
UNION ALL
SELECT :id, 0, id::text, 3, closed_at, now(), NULL, 'PaymentVoided', 1, 'voided', 'void', 'recorded', 1,
       'payments.closed_at', 1, '{}' FROM payments WHERE status = 50;
CREATE UNIQUE INDEX ON event (stream, version);
