#!/bin/sh
# compile --mapping: the generated view says what the legacy table said, column by column, for every migrated row.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"

cp "$SAMPLES/payment/payment.fsm.json" .
# With its type declared the key is a number, as in the table.
sed 's/"columns": { "deleted_at": "timestamptz?" }/"columns": { "deleted_at": "timestamptz?", "id": "int8?" }/' \
    "$SAMPLES/payment/payment.legacy.json" >payment.legacy.json
grep -q '"id": "int8?"' payment.legacy.json || fail 'the sample is written otherwise now'
psql -Xq -v rows=2000 -f "$SAMPLES/payment/legacy.sql"
"$BACKSTORY" migrate payment.legacy.json --from "dbname=$PGDATABASE" --to "dbname=$PGDATABASE" --quiet --quarantine aside.jsonl
"$BACKSTORY" compile payment.fsm.json --mapping payment.legacy.json -o . --emit sql --depfile sql.d --quiet
grep -q 'payment.fsm.json payment.legacy.json$' sql.d || fail 'the dependency file lacks the mapping'
psql -Xq -v ON_ERROR_STOP=1 -1 -f payment.sql

[ "$(psql -XAtc 'SELECT count(*) FROM payment.payments')" = "$(psql -XAtc 'SELECT count(*) FROM backstory.entity')" ] ||
    fail 'the view has other rows than the store'
[ "$(psql -XAtc 'SELECT count(*) > 1500 FROM payment.payments JOIN public.payments USING (id)')" = t ] || fail 'too few rows'
none 'the view and the table differ' "
    SELECT new, old FROM payment.payments AS new LEFT JOIN public.payments AS old ON old.id = new.id
    WHERE old.id IS NULL OR new.status <> old.status
       OR new.amount <> old.amount OR new.currency <> rtrim(old.currency)
       OR new.captured_cents <> coalesce(old.captured_cents, 0) OR new.refunded_amount <> coalesce(old.refunded_amount, 0)
       OR new.failure_reason IS DISTINCT FROM old.failure_reason
       OR new.created_at <> old.created_at
       OR new.authorized_at <> old.authorized_at OR old.authorized_at IS NOT NULL AND new.authorized_at IS NULL
       OR new.captured_at IS DISTINCT FROM old.captured_at
       OR new.closed_at IS DISTINCT FROM old.closed_at
       OR new.refund_count <> coalesce(old.refund_count, 0)
       OR new.refunded_at IS DISTINCT FROM old.refunded_at"

# Who read the table reads the view: his search path decides.
[ "$(psql -XAtqc 'SET search_path = payment, public' -c "SELECT status FROM payments WHERE id = 42")" = \
    "$(psql -XAtc 'SELECT status FROM public.payments WHERE id = 42')" ] || fail 'another answer by the old name'

# A mapping of another machine is none.
sed 's/"version": "1.0.0"/"version": "1.0.1"/' payment.fsm.json >other.fsm.json
"$BACKSTORY" compile other.fsm.json --mapping payment.legacy.json -o . --emit sql --quiet 2>message.txt && fail 'another machine is taken'
grep -q 'other-machine' message.txt || { cat message.txt; fail 'it is not said'; }
