-- What most people write first: a LATERAL list of events a row, into the table as it stands, with its index.
DROP TABLE IF EXISTS event;
CREATE TABLE event (
    stream text NOT NULL, version int NOT NULL, type text NOT NULL, occurred_at timestamptz NOT NULL, state text NOT NULL,
    basis text NOT NULL, data jsonb NOT NULL, UNIQUE (stream, version));
INSERT INTO event
SELECT id::text, row_number() OVER (PARTITION BY id ORDER BY at, place), type, at, state, 'recorded', data
FROM payments CROSS JOIN LATERAL (VALUES
    (1, 'PaymentCreated', created_at, 'pending', jsonb_build_object('amount', amount::text, 'currency', currency)),
    (2, 'PaymentAuthorized', authorized_at, 'authorized', '{}'),
    (3, 'PaymentCaptured', captured_at, 'captured', jsonb_build_object('amount', (captured_cents / 100.0)::numeric(12,2)::text)),
    (4, 'PaymentRefunded', refunded_at, 'refunded', jsonb_build_object('amount', refunded_amount::text)),
    (5, CASE status WHEN 40 THEN 'PaymentFailed' ELSE 'PaymentVoided' END, closed_at,
        CASE status WHEN 40 THEN 'failed' ELSE 'voided' END,
        CASE status WHEN 40 THEN jsonb_build_object('failure_reason', failure_reason) ELSE '{}' END)
) AS given (place, type, at, state, data)
WHERE at IS NOT NULL;
