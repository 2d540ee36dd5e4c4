-- The best hand-written SQL into the very layout that the event store has, row by row what the migration stores: rows with :low
-- <= id < :high. Two sessions run it side by side, and one builds the index after. It is given the numbers of the plans, which
-- somebody has to make first. With :checked it also makes sure that each row is what its events come to, as the migration does,
-- and puts the others aside; without, it takes the table on trust.
INSERT INTO segment (plan, first_version, run_id, machine_id, key, data)
SELECT CASE status WHEN 0 THEN :pending WHEN 10 THEN :authorized WHEN 20 THEN :captured WHEN 30 THEN :refunded WHEN 40 THEN :failed
                   WHEN 50 THEN :voided END::bigint, 1, 1, 1, id::text,
       '[[' || (date_part('epoch', created_at) * 1000000)::bigint - 946684800000000
       || ',{"amount":"' || amount || '","currency":"' || currency || '"}]'
       || CASE WHEN authorized_at IS NULL THEN ''
               ELSE ',[' || (date_part('epoch', authorized_at) * 1000000)::bigint - 946684800000000 || ',{}]' END
       || CASE WHEN captured_at IS NULL THEN ''
               ELSE ',[' || (date_part('epoch', captured_at) * 1000000)::bigint - 946684800000000 || ',{"amount":"'
                    || (captured_cents / 100.0)::numeric(12,2) || '"}]' END
       || CASE WHEN refunded_at IS NULL THEN ''
               ELSE ',[' || (date_part('epoch', refunded_at) * 1000000)::bigint - 946684800000000 || ',{"amount":"'
                    || refunded_amount || '"}]' END
       || CASE WHEN closed_at IS NULL THEN ''
               ELSE ',[' || (date_part('epoch', closed_at) * 1000000)::bigint - 946684800000000
                    || CASE status WHEN 40 THEN ',{"failure_reason":' || to_json(failure_reason) || '}]' ELSE ',{}]' END END
       || ']'
FROM payments WHERE id >= :low AND id < :high
\if :checked
    AND is_right(payments);
INSERT INTO aside SELECT id FROM payments WHERE id >= :low AND id < :high AND is_right(payments) IS NOT TRUE
\endif
;
