-- Two million payments of 12 columns (psql -v rows=2000000 -f legacy.sql), clean, about 3.1 events each: what a migration at
-- full speed is measured on. Every value is a function of the row's number.
\set ON_ERROR_STOP on
CREATE TABLE public.payments (
    id              bigint PRIMARY KEY,
    status          smallint NOT NULL, -- 0 new, 10 authorized, 20 captured, 30 refunded, 40 failed, 50 voided
    amount          numeric(12,2) NOT NULL,
    currency        char(3) NOT NULL,
    captured_cents  bigint,
    refunded_amount numeric(12,2),
    failure_reason  text,
    created_at      timestamptz NOT NULL,
    authorized_at   timestamptz,
    captured_at     timestamptz,
    refunded_at     timestamptz,
    closed_at       timestamptz
);
INSERT INTO public.payments
SELECT n, status, amount, (ARRAY['EUR', 'USD', 'GBP', 'DKK'])[1 + n % 4],
       CASE WHEN status IN (20, 30) THEN (amount * 100)::bigint END,
       CASE WHEN status = 30 THEN amount END,
       CASE WHEN status = 40 THEN (ARRAY['card_declined', 'insufficient_funds', 'do_not_honor'])[1 + n % 3] END,
       created,
       CASE WHEN status NOT IN (0, 40) THEN created + (80 + draw % 240) * interval '1 second' END,
       CASE WHEN status IN (20, 30) THEN created + (600 + draw % 86400) * interval '1 second' END,
       CASE WHEN status = 30 THEN created + (2 + draw % 30) * interval '1 day' END,
       CASE WHEN status IN (40, 50) THEN created + (4 + draw % 40) * interval '1 hour' END
FROM (
    SELECT n, draw, (100 + draw % 90000) / 100.0 AS amount,
           timestamptz '2021-01-01 00:00:00+00' + n * interval '47.123457 seconds' AS created,
           CASE WHEN draw % 100 < 5 THEN 40 WHEN draw % 100 < 10 THEN 0 WHEN draw % 100 < 15 THEN 10
                WHEN draw % 100 < 20 THEN 50 WHEN draw % 100 < 70 THEN 20 ELSE 30 END AS status
    FROM (SELECT n, n * 2654435761 % 4294967296 / 7 AS draw FROM generate_series(1, :rows) AS n) AS numbered
) AS drawn
ORDER BY n;
VACUUM ANALYZE public.payments;
