-- A legacy payments table, as such tables are: integer status codes, a timestamp column for most steps, one of them added
-- late, money in two notations, a soft delete, and a few hundred rows that cannot be true.
--
--   psql -v rows=120000 -f legacy.sql
--
-- Every value is a function of the row's number and :seed alone, so the same call gives the same table on every server.
\if :{?rows}
\else
    \set rows 120000
\endif
\if :{?seed}
\else
    \set seed 1
\endif
\set ON_ERROR_STOP on

CREATE TABLE public.payments (
    id              bigint UNIQUE,            -- not a primary key: nobody declared NOT NULL
    reference       text NOT NULL,
    status          smallint NOT NULL,        -- 0 new, 5 challenged, 10 authorized, 20 captured, 30 refunded,
                                              -- 40 failed, 50 voided, 60 expired, 70 canceled
    amount          numeric(12,2) NOT NULL,
    currency        char(3),
    captured_cents  bigint,
    refunded_amount numeric(12,2),
    refund_count    integer NOT NULL DEFAULT 0,
    failure_reason  text,
    created_at      timestamptz NOT NULL,
    challenged_at   timestamptz,              -- since July 2023 only
    authorized_at   timestamptz,
    captured_at     timestamptz,
    refunded_at     timestamptz,
    closed_at       timestamptz,              -- failed, voided, expired or canceled
    updated_at      timestamptz NOT NULL,
    deleted_at      timestamptz
);

-- Uniform in [0, 1), from the row's number and the name of what is drawn.
CREATE FUNCTION pg_temp.draw(n bigint, what text) RETURNS double precision
LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x0' || substr(md5(current_setting('sample.seed') || ':' || n || ':' || what), 1, 7))::bit(32)::int / 268435456.0
$$;
SET sample.seed = :seed;
SET timezone = 'UTC';

WITH drawn AS MATERIALIZED (
    SELECT n,
           pg_temp.draw(n, 'path') AS path,
           pg_temp.draw(n, 'end') AS ending,
           pg_temp.draw(n, 'amount') AS size,
           pg_temp.draw(n, 'currency') AS money,
           pg_temp.draw(n, 'part') AS part,
           pg_temp.draw(n, 'delay') AS delay,
           pg_temp.draw(n, 'touched') AS touched,
           pg_temp.draw(n, 'deleted') AS deleted,
           timestamptz '2022-01-01 00:00:00+00' + (n::double precision / :rows * 1000) * interval '1 day'
               + pg_temp.draw(n, 'second') * interval '1 hour' AS created
    FROM generate_series(1, :rows) AS n
), walked AS MATERIALIZED (
    SELECT *,
           path < 0.14 AS challenged,
           CASE WHEN path >= 0.02 AND path < 0.04 THEN 40      -- failed the challenge
                WHEN path < 0.02 THEN CASE WHEN ending < 0.6 THEN 60 ELSE 5 END
                WHEN path >= 0.93 AND path < 0.97 THEN 40
                WHEN path >= 0.97 AND path < 0.985 THEN 70
                WHEN path >= 0.985 THEN 0
                WHEN ending < 0.05 THEN 50
                WHEN ending < 0.08 THEN 60
                WHEN ending < 0.13 THEN 10
                WHEN ending < 0.17 THEN 30
                ELSE 20 END::smallint AS status,
           ending >= 0.17 AND ending < 0.21 AS refunded_in_part,
           CASE WHEN money < 0.55 THEN 'EUR' WHEN money < 0.80 THEN 'USD' WHEN money < 0.92 THEN 'GBP'
                WHEN money < 0.97 THEN 'DKK' ELSE 'JPY' END AS currency
    FROM drawn
), priced AS MATERIALIZED (
    SELECT *,
           CASE WHEN currency = 'JPY' THEN round((100 + 50000 * size ^ 3)::numeric, 0)
                ELSE round((1 + 900 * size ^ 3)::numeric, 2) END AS amount,
           status IN (10, 20, 30, 50) OR (status = 60 AND path >= 0.04) AS authorized,
           status IN (20, 30) AS captured
    FROM walked
), timed AS MATERIALIZED (
    SELECT *,
           CASE WHEN challenged THEN created + (5 + 60 * delay) * interval '1 second' END AS challenged_time,
           CASE WHEN authorized THEN created + (80 + 240 * delay) * interval '1 second' END AS authorized_time,
           CASE WHEN captured THEN created + (600 + 86400 * delay) * interval '1 second' END AS captured_time,
           CASE WHEN status = 30 OR (status = 20 AND refunded_in_part)
                THEN created + (2 + 30 * delay) * interval '1 day' END AS refunded_time,
           CASE WHEN status IN (40, 50, 60, 70)
                THEN created + CASE status WHEN 40 THEN (400 + 100 * delay) * interval '1 second'
                                           WHEN 60 THEN interval '7 days'
                                           ELSE (1 + 40 * delay) * interval '1 hour' END END AS closed_time
    FROM priced
)
INSERT INTO public.payments
SELECT n,
       'PAY-' || lpad(n::text, 9, '0'),
       status,
       amount,
       currency,
       CASE WHEN captured THEN (CASE WHEN part < 0.1 AND currency <> 'JPY' THEN round(amount * 0.8, 2) ELSE amount END * 100)::bigint END,
       CASE WHEN status = 30 THEN CASE WHEN part < 0.1 AND currency <> 'JPY' THEN round(amount * 0.8, 2) ELSE amount END
            WHEN refunded_time IS NOT NULL THEN round(amount * 0.25, CASE WHEN currency = 'JPY' THEN 0 ELSE 2 END) END,
       (refunded_time IS NOT NULL)::int,
       CASE WHEN status = 40 THEN (ARRAY['card_declined', 'insufficient_funds', 'do_not_honor', 'expired_card'])[1 + floor(4 * part)] END,
       created,
       CASE WHEN created >= '2023-07-01 00:00:00+00' THEN challenged_time END,
       authorized_time,
       captured_time,
       refunded_time,
       closed_time,
       GREATEST(created, challenged_time, authorized_time, captured_time, refunded_time, closed_time)
           + CASE WHEN touched < 0.2 THEN touched * interval '100 days' ELSE interval '0' END,
       CASE WHEN deleted < 0.004 THEN created + interval '400 days' END
FROM timed
ORDER BY n;

-- What years of hand-written UPDATE statements leave behind.
UPDATE public.payments SET status = 77 WHERE id % 997 = 5;                                             -- a code nobody remembers
UPDATE public.payments SET captured_at = created_at + (authorized_at - created_at) / 2 WHERE id % 1499 = 7 AND status = 20; -- a clock that was wrong
UPDATE public.payments SET authorized_at = 'infinity' WHERE id % 2999 = 11 AND status IN (10, 20);      -- a sentinel
UPDATE public.payments SET captured_cents = captured_cents * 100 WHERE id % 1999 = 13 AND status = 20;  -- cents taken for euros
UPDATE public.payments SET currency = NULL WHERE id % 3499 = 17;                                        -- never filled
UPDATE public.payments SET refunded_at = NULL WHERE id % 499 = 19 AND status = 30;                      -- refunded, nobody knows when
UPDATE public.payments SET created_at = created_at + interval '30 days' WHERE id % 2503 = 23 AND status = 20;    -- imported later
UPDATE public.payments SET id = NULL WHERE id % 9973 = 29;                                              -- lost in a merge
ANALYZE public.payments;
