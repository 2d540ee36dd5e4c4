-- What most people write first: a LATERAL list of events a row, into the table as it stands, with its index.
DROP TABLE IF EXISTS event;
CREATE TABLE event (
    id uuid NOT NULL DEFAULT gen_random_uuid(), position bigint NOT NULL DEFAULT 0, stream text NOT NULL, version int NOT NULL,
    occurred_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL DEFAULT now(), occurred_between tstzrange,
    type text NOT NULL, type_version int NOT NULL DEFAULT 1, state text NOT NULL, command text, basis text NOT NULL,
    confidence float8 NOT NULL, source text, run_id int NOT NULL, data jsonb NOT NULL, UNIQUE (stream, version));
INSERT INTO event (stream, version, occurred_at, type, state, command, basis, confidence, source, run_id, data)
SELECT id::text, row_number() OVER (PARTITION BY id ORDER BY at, place), at, type, state, command, 'recorded', 1, source, 1, data
FROM payments CROSS JOIN LATERAL (VALUES
    (1, 'PaymentCreated', created_at, 'pending', NULL, 'payments.created_at',
        jsonb_build_object('amount', amount::text, 'currency', currency)),
    (2, 'PaymentAuthorized', authorized_at, 'authorized', 'authorize', 'payments.authorized_at', '{}'),
    (3, 'PaymentCaptured', captured_at, 'captured', 'capture', 'payments.captured_at',
        jsonb_build_object('amount', (captured_cents / 100.0)::numeric(12,2)::text)),
    (4, 'PaymentRefunded', refunded_at, 'refunded', 'refund', 'payments.refunded_at',
        jsonb_build_object('amount', refunded_amount::text)),
    (5, CASE status WHEN 40 THEN 'PaymentFailed' ELSE 'PaymentVoided' END, closed_at,
        CASE status WHEN 40 THEN 'failed' ELSE 'voided' END, CASE status WHEN 40 THEN 'fail' ELSE 'void' END,
        'payments.closed_at',
        CASE status WHEN 40 THEN jsonb_build_object('failure_reason', failure_reason) ELSE '{}' END)
) AS given (place, type, at, state, command, source, data)
WHERE at IS NOT NULL;
