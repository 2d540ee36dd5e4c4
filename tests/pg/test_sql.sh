#!/bin/sh
# The emitted SQL of the payment sample on a migrated store: it says what the store, the legacy rows and the interpreter say.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
# refused STATE SQL: the statement ends with this SQLSTATE.
refused() {
    psql -Xqv VERBOSITY=sqlstate -c "$2" >refused.txt 2>&1 && fail "is not refused: $2"
    grep -qF "$1" refused.txt || { cat refused.txt; fail "not refused with $1: $2"; }
}

machine=$SAMPLES/payment/payment.fsm.json
psql -Xq -v rows=2000 -f "$SAMPLES/payment/legacy.sql"
"$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from "dbname=$PGDATABASE" --to "dbname=$PGDATABASE" --quiet \
    --quarantine aside.jsonl
"$BACKSTORY" compile "$machine" -o . --emit sql --quiet
psql -Xq -v ON_ERROR_STOP=1 -1 -f payment.sql
psql -Xq -c "CREATE TABLE aside (line jsonb)" -c "\\copy aside FROM aside.jsonl WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')"

say 'the typed views hold the events of the store, with their amounts'
none 'a view has other events than the store' "
    WITH typed AS (
        SELECT 'PaymentCreated' AS type, count(*), sum(amount) FROM payment.payment_created
        UNION ALL SELECT 'PaymentChallenged', count(*), NULL FROM payment.payment_challenged
        UNION ALL SELECT 'PaymentAuthorized', count(*), NULL FROM payment.payment_authorized
        UNION ALL SELECT 'PaymentCaptured', count(*), sum(amount) FROM payment.payment_captured
        UNION ALL SELECT 'PaymentRefunded', count(*), sum(amount) FROM payment.payment_refunded
        UNION ALL SELECT 'PaymentFailed', count(*), NULL FROM payment.payment_failed
        UNION ALL SELECT 'PaymentCanceled', count(*), NULL FROM payment.payment_canceled
        UNION ALL SELECT 'PaymentExpired', count(*), NULL FROM payment.payment_expired
        UNION ALL SELECT 'PaymentVoided', count(*), NULL FROM payment.payment_voided)
    (TABLE typed EXCEPT SELECT type, count(*), sum((data->>'amount')::numeric) FROM backstory.event GROUP BY type)
    UNION ALL
    (SELECT type, count(*), sum((data->>'amount')::numeric) FROM backstory.event GROUP BY type EXCEPT TABLE typed)"
[ "$(psql -XAtc 'SELECT count(*) > 1000 FROM payment.payment_captured')" = t ] || fail 'there are too few events'
[ "$(psql -XAtc 'SELECT count(*) FROM payment.event_type')" = 9 ] || fail 'the catalogue lacks a type'

say 'current is the legacy table, state and every field, for every migrated key'
none 'a row and its history differ' "
    SELECT * FROM payments
        FULL JOIN payment.current ON current.entity = payments.id::text
    WHERE (current.entity IS NULL AND deleted_at IS NULL
           AND coalesce(id::text, 'null') NOT IN (SELECT coalesce(trim('\"' FROM line->>'key'), 'null') FROM aside))
       OR (current.entity IS NOT NULL AND (payments.id IS NULL
           OR current.state <> CASE status WHEN 0 THEN 'pending' WHEN 5 THEN 'challenged' WHEN 10 THEN 'authorized'
                WHEN 20 THEN 'captured' WHEN 30 THEN 'refunded' WHEN 40 THEN 'failed' WHEN 50 THEN 'voided'
                WHEN 60 THEN 'expired' WHEN 70 THEN 'canceled' END
           OR current.amount IS DISTINCT FROM payments.amount
           OR current.currency IS DISTINCT FROM rtrim(payments.currency)
           OR current.captured IS DISTINCT FROM coalesce(captured_cents, 0) / 100.0
           OR current.refunded IS DISTINCT FROM coalesce(refunded_amount, 0)
           OR current.failure_reason IS DISTINCT FROM payments.failure_reason))"
none 'current and the store differ' "
    SELECT entity, version, state FROM payment.current
    EXCEPT SELECT entity, version, state FROM backstory.entity WHERE machine = 'payment'"
[ "$(psql -XAtc 'SELECT count(*) FROM payment.current')" = "$(psql -XAtc 'SELECT count(*) FROM backstory.entity')" ] ||
    fail 'current lacks an entity'

say 'state_at is what history says of the time'
compared=0
for key in 1 7 42 99 500; do
    for at in 2021-06-01 2022-01-22T00:05:00Z 2022-07-01 2023-08-15 2030-01-01; do
        at=$(psql -XAtc "SELECT to_char('$at'::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")
        "$BACKSTORY" history "$machine" $key --from "dbname=$PGDATABASE" --at "$at" --format json >history.json || continue
        psql -XAtq -v history="$(cat history.json)" -v key=$key -v at="$at" >answer.txt <<'SQL'
SELECT (:'history'::jsonb->>'state' IS NULL AND now IS NULL)
    OR (to_jsonb(now) - '{amount,captured,refunded}'::text[] =
        (:'history'::jsonb->'fields') - '{amount,captured,refunded}'::text[] || jsonb_build_object('state', :'history'::jsonb->'state')
        AND (now).amount::text = :'history'::jsonb->'fields'->>'amount'
        AND (now).captured::text = :'history'::jsonb->'fields'->>'captured'
        AND (now).refunded::text = :'history'::jsonb->'fields'->>'refunded')
FROM payment.state_at(:'key', :'at') AS now;
SQL
        [ "$(cat answer.txt)" = t ] || { cat history.json answer.txt; fail "payment $key at $at is another"; }
        compared=$((compared + 1))
    done
done
[ $compared -ge 20 ] || fail "only $compared times were compared"

say 'guards: how many captured payments could be refunded in full'
[ "$(psql -XAtc "SELECT count(*) FROM payment.current WHERE state = 'captured' AND payment.in_full(current, captured - refunded)")" = \
    "$(psql -XAtc "SELECT count(*) FROM payments, payment.current WHERE id::text = entity AND status = 20")" ] ||
    fail 'a guard says something else'
none 'a payment may be captured beyond its amount' "
    SELECT FROM payment.current WHERE payment.within_authorization(current, amount - captured + 0.01)"
refused 22004 'SELECT payment.in_full(current, NULL) FROM payment.current'

say 'what cannot be folded is refused'
refused 22000 "SELECT payment.apply(NULL, 'PaymentCaptured', '{\"amount\": \"1.00\"}', 'captured')"
refused 22004 "SELECT payment.apply(NULL, 'PaymentCreated', '{\"amount\": \"1.00\"}', 'pending')"
refused 22003 "SELECT payment.apply(ROW('captured', 1, 'EUR', 1, 9999999999.99, NULL), 'PaymentRefunded',
    '{\"amount\": \"0.01\"}', 'captured')"

say 'the queries of the page'
awk '/^```sql/ { on = 1; next } /^```/ { on = 0 } on' "$SOURCE_DIR/docs/generated-sql.md" >page.sql
grep -q refuse_invalid_events page.sql || fail 'the page says other things than this test expects'
psql -Xq -v ON_ERROR_STOP=1 -f page.sql >page.txt

say 'a store that refuses invalid events'
append() {
    echo "SELECT backstory.append('payment', 'new', $1, NULL,
        '[{\"type\": \"PaymentCreated\", \"state\": \"pending\", \"command\": \"create\", \"data\": $2}]')"
}
refused 23514 "$(append 0 '{"amount": "1.00"}')"
refused 23514 "$(append 0 '{"amount": "1.001", "currency": "EUR"}')"
refused 23514 "$(append 0 '{"amount": "1.00", "currency": "EURO"}')"
refused 23514 "$(append 0 '{"amount": "1.00", "currency": "EUR", "more": 1}')"
psql -Xqc "$(append 0 '{"amount": "1.00", "currency": "EUR"}')" >/dev/null
none 'the store has other invalid events' "SELECT FROM backstory.event WHERE NOT payment.is_valid(type, data)"

say 'and it can be removed'
psql -Xqc 'DROP SCHEMA payment CASCADE' 2>/dev/null
psql -Xqc "$(append 0 '{}' | sed "s/'new'/'newer'/")" >/dev/null
