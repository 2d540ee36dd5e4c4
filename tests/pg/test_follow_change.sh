#!/bin/sh
# What changes under a follower: types of columns, the table's name, its publication; transactions larger than what is held at
# a time; two tables with a follower each, one store.
set -eu

mapping=$SAMPLES/payment/payment.legacy.json
from='' to='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

payments 100
source_sql -q -c 'ALTER TABLE payments ADD PRIMARY KEY (id)'
catch_up

say 'a column of another type: what still converts goes on, what does not is set aside'
new_payment 9001
catch_up
source_sql -q -c 'ALTER TABLE payments ALTER amount TYPE numeric(14,4), ALTER status TYPE text, ALTER captured_cents TYPE numeric'
source_sql -q -c "UPDATE payments SET status = '10', authorized_at = now() WHERE id = 9001"
! follow || fail 'a table that was rewritten is not noticed'
grep -q 'columns-changed' follow.txt || fail 'it does not say why'
catch_up --snapshot-again
is 'events' 'PaymentCreated recorded, PaymentAuthorized implied' "$(events_of 9001)"
source_sql -q -c 'UPDATE payments SET amount = 100.005 WHERE id = 9001'
catch_up
is 'quarantine' bad-value "$(aside 9001)"
source_sql -q -c 'UPDATE payments SET amount = 100 WHERE id = 9001'
catch_up
is 'quarantine' '' "$(aside 9001)"
source_sql -q -c 'ALTER TABLE payments ALTER amount TYPE numeric(12,2)' # rewritten, and nothing of it is a change
catch_up --snapshot-again
is 'events' 2 "$(stored "SELECT count(*) FROM backstory.event WHERE entity = '9001'")"
old_and_new_agree

say 'a transaction larger than what is held: one transaction of the store, or nothing of it'
cat >large.sql <<'SQL'
INSERT INTO payments (id, status, amount, currency, created_at, updated_at)
    SELECT i, '0', 5, 'EUR', now(), now() FROM generate_series(20001, 30000) AS i;
UPDATE payments SET status = '10', authorized_at = now() WHERE id > 20000;
SQL
{ echo 'BEGIN;'; cat large.sql; echo 'ROLLBACK;'; } | source_sql -q
catch_up
is 'of the one that was rolled back' 0 "$(stored "SELECT count(*) FROM backstory.segment WHERE key LIKE '2____'")"
{ echo 'BEGIN;'; cat large.sql; echo 'COMMIT;'; } | source_sql -q
store_sql -q -c "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RAISE EXCEPTION 'not this one'; END\$\$" \
    -c "CREATE TRIGGER here BEFORE INSERT ON backstory.segment FOR EACH ROW WHEN (new.key = '30000') EXECUTE FUNCTION fails()"
follow && fail 'it did not fail: nothing was tested'
is 'what is left of a failure' 0 "$(stored "SELECT count(*) FROM backstory.segment WHERE key LIKE '2____'")"
store_sql -q -c 'SET client_min_messages = warning' -c 'DROP FUNCTION fails CASCADE'
catch_up
is 'segments, transactions' '20000 1' "$(stored "SELECT count(*) || ' ' || count(DISTINCT xmin::text) FROM backstory.segment WHERE key ~ '^(2....|30000)\$'")"
is 'lives' 'PaymentCreated recorded, PaymentAuthorized recorded' "$(events_of 29999)"
old_and_new_agree

say 'two tables, a follower each, one store: both run, and neither disturbs the other'
source_sql -q -f "$SAMPLES/race/accounts.sql"
accounts=$SAMPLES/race/account.legacy.json
follow_accounts() {
    "$BACKSTORY" follow "$accounts" --from "$from" --to "$to" "$@" >accounts.txt 2>&1
}
follow_accounts --until now || { cat accounts.txt; fail 'the second table cannot be followed'; }
follow_accounts &
second=$!
"$BACKSTORY" follow "$mapping" --from "$from" --to "$to" >follow.txt 2>&1 &
first=$!
# both NUMBER: until each of them has brought so many events.
both() {
    until [ "$(stored "SELECT bool_and(events >= $1) FROM (SELECT count(event.entity) AS events FROM unnest(ARRAY['9002', '2']) AS k
        LEFT JOIN backstory.event ON entity = k GROUP BY k) AS e")" = t ]; do
        kill -0 $first || fail 'the first has ended'
        kill -0 $second || { cat accounts.txt; fail 'the second has ended'; }
    done
}
source_sql -q -c "BEGIN" -c "INSERT INTO payments (id, status, amount, currency, created_at, updated_at) VALUES (9002, '0', 5, 'EUR', now(), now())" \
    -c "INSERT INTO accounts (id, balance) VALUES (2, 10)" -c COMMIT
both 1
source_sql -q -c BEGIN -c "UPDATE payments SET status = '10', authorized_at = now() WHERE id = 9002" \
    -c 'UPDATE accounts SET balance = 15 WHERE id = 2' -c COMMIT
both 2
is 'of the account' 'AccountOpened recorded, MoneyDeposited recorded' "$(events_of 2)"
is 'of the payment' 'PaymentCreated recorded, PaymentAuthorized recorded' "$(events_of 9002)"
"$BACKSTORY" slots list --from "$from" >slots.txt
is 'slots that are followed' 2 "$(grep -c 'followed' slots.txt)"

say 'a table that is taken out of its publication under a follower: said, not taken for rest'
source_sql -q -c 'ALTER PUBLICATION backstory_account DROP TABLE accounts'
got=0
wait $second || got=$?
is 'exit status' 3 "$got"
grep -q 'other-publication' accounts.txt || { cat accounts.txt; fail 'it does not say why'; }
kill -0 $first || fail 'the other one has ended with it'
kill -INT $first
wait $first || fail 'SIGINT does not end it well'
"$BACKSTORY" slots drop backstory_account --from "$from" --quiet

say 'a table that gets another name: what came before is kept, and it is said'
"$BACKSTORY" follow "$mapping" --from "$from" --to "$to" >follow.txt 2>&1 &
first=$!
source_sql -q -c "UPDATE payments SET updated_at = now(), captured_cents = 500, status = '20', captured_at = now() WHERE id = 9002"
until [ "$(stored "SELECT count(*) FROM backstory.event WHERE entity = '9002'")" = 3 ]; do kill -0 $first || fail 'it has ended'; done
source_sql -q -c BEGIN -c 'ALTER TABLE payments RENAME TO payings' -c "UPDATE payings SET status = '50' WHERE id = 9001" -c COMMIT
got=0
wait $first || got=$?
is 'exit status' 1 "$got"
grep -q 'public.payments is called public.payings from here on .*table-renamed' follow.txt || fail 'it does not say why'
source_sql -q -c 'ALTER TABLE payings RENAME TO payments' -c "UPDATE payments SET closed_at = now() WHERE id = 9001"
catch_up --snapshot-again
is 'the step in between' 'PaymentCreated recorded, PaymentAuthorized implied, PaymentVoided implied' "$(events_of 9001)"
old_and_new_agree
"$BACKSTORY" slots drop backstory_payment --from "$from" --quiet
