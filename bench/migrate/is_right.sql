-- Is a payment what the events in segments.sql come to? What the migration makes sure of by replay, here by hand, for this table.
DROP TABLE IF EXISTS aside;
CREATE TABLE aside (id bigint);
CREATE OR REPLACE FUNCTION is_right(p payments) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN coalesce(p.captured_cents, 0) <> CASE WHEN p.status IN (20, 30) THEN p.amount * 100 ELSE 0 END
            OR coalesce(p.refunded_amount, 0) <> CASE p.status WHEN 30 THEN p.amount ELSE 0 END
            OR (p.failure_reason IS NOT NULL) <> (p.status = 40) THEN false
        WHEN p.status = 0 THEN coalesce(p.authorized_at, p.captured_at, p.refunded_at, p.closed_at) IS NULL
        WHEN p.status = 10 THEN p.created_at <= p.authorized_at AND coalesce(p.captured_at, p.refunded_at, p.closed_at) IS NULL
        WHEN p.status = 20 THEN p.created_at <= p.authorized_at AND p.authorized_at <= p.captured_at
            AND coalesce(p.refunded_at, p.closed_at) IS NULL
        WHEN p.status = 30 THEN p.created_at <= p.authorized_at AND p.authorized_at <= p.captured_at
            AND p.captured_at <= p.refunded_at AND p.closed_at IS NULL
        WHEN p.status = 40 THEN p.created_at <= p.closed_at AND coalesce(p.authorized_at, p.captured_at, p.refunded_at) IS NULL
        WHEN p.status = 50 THEN p.created_at <= p.authorized_at AND p.authorized_at <= p.closed_at
            AND coalesce(p.captured_at, p.refunded_at) IS NULL
    END
$$;
