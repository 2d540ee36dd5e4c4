#!/bin/sh
# Following, decision by decision: what each kind of change in the old system becomes in the store, on two servers.
set -eu

mapping=$SAMPLES/payment/payment.legacy.json
source_root='' from='' to='' store_host='' store_db='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

payments 500

say 'the preflight names all that is missing at once, and changes nothing'
got=0
follow || got=$?
is 'exit status' 3 "$got"
grep -q 'replica-identity' follow.txt || fail 'a table without a key was followed'
source_sql -q -c 'CREATE ROLE nobody LOGIN'
got=0
"$BACKSTORY" follow "$mapping" --from "host=$source_root user=nobody dbname=shop" --check >follow.txt 2>&1 || got=$?
is 'exit status' 3 "$got"
for code in may-not-replicate may-not-publish may-not-read replica-identity slot-without-limit; do
    grep -q "\[$code\]" follow.txt || fail "the preflight says nothing of $code"
done
is 'slots' 0 "$(source_sql -Atc 'SELECT count(*) FROM pg_replication_slots')"
is 'a store' '' "$(stored "SELECT to_regclass('backstory.segment')")"
"$BACKSTORY" follow "$mapping" --from "$to" --check >follow.txt 2>&1 && fail 'a log that cannot be followed was not noticed'
grep -q 'wal-level' follow.txt || fail 'the preflight says nothing of wal_level'

source_sql -q -c 'ALTER TABLE payments ADD PRIMARY KEY (id)'

say 'the snapshot: every row has its history'
catch_up --check
catch_up
"$BACKSTORY" compare "$mapping" --from "$from" --to "$to" >compared.txt 2>&1 || { cat compared.txt; fail 'the snapshot differs'; }
is 'histories' "$(source_sql -Atc 'SELECT count(*) FROM payments WHERE deleted_at IS NULL')" \
    "$(stored 'SELECT count(*) FROM backstory.entity')"

is 'initial histories, which no subscriber is told of' 0 "$(stored 'SELECT max(position) FROM backstory.event')"
is 'how sure they are' 0 "$(stored 'SELECT count(*) FROM backstory.entity WHERE confidence IS NULL')"

say 'nothing new adds nothing'
before=$(stored 'SELECT count(*) FROM backstory.event')
catch_up
is 'events' "$before" "$(stored 'SELECT count(*) FROM backstory.event')"

say 'a life, step by step: each transaction is the event that the machine has for it'
new_payment 9001
source_sql -q -c "UPDATE payments SET status = 10, authorized_at = now() WHERE id = 9001"
source_sql -q -c "UPDATE payments SET status = 20, captured_cents = 8000, captured_at = now() WHERE id = 9001"
source_sql -q -c "UPDATE payments SET refunded_amount = 10, refund_count = 1, refunded_at = now() WHERE id = 9001"
source_sql -q -c "UPDATE payments SET refunded_amount = 25, refund_count = 2, refunded_at = now() WHERE id = 9001"
source_sql -q -c "UPDATE payments SET status = 30, refunded_amount = 80, refund_count = 3 WHERE id = 9001"
catch_up
is 'events' 'PaymentCreated recorded, PaymentAuthorized recorded, PaymentCaptured recorded, PaymentRefunded recorded, PaymentRefunded recorded, PaymentRefunded recorded' "$(events_of 9001)"
is 'amounts of refunds' '10.00 15.00 55.00' \
    "$(stored "SELECT string_agg(data->>'amount', ' ' ORDER BY version) FROM backstory.event WHERE entity = '9001' AND type = 'PaymentRefunded'")"
is 'the source of the last' 'wal:payments.status' \
    "$(stored "SELECT source FROM backstory.event WHERE entity = '9001' ORDER BY version DESC LIMIT 1")"

say 'several steps at once are bridged, and marked'
new_payment 9002
source_sql -q -c "UPDATE payments SET status = 20, captured_cents = 10000, captured_at = now() WHERE id = 9002"
catch_up
is 'events' 'PaymentCreated recorded, PaymentAuthorized implied, PaymentCaptured implied' "$(events_of 9002)"

say 'what the machine does not know is no event, and is counted'
source_sql -q -c "UPDATE payments SET updated_at = now(), reference = 'else' WHERE id = 9002"
catch_up
grep -q '1 without a meaning' follow.txt || fail 'not counted'

say 'a reconciliation, where the machine has one, puts right what no event explains'
sed 's/"PaymentFailed": {/"PaymentReconciled": { "builtin": "reconcile" }, &/' "$SAMPLES/payment/payment.fsm.json" >payment.fsm.json
cp "$mapping" payment.legacy.json
dropdb -h "$store_host" --if-exists "$store_db-mended"
createdb -h "$store_host" "$store_db-mended"
mended() {
    "$BACKSTORY" follow payment.legacy.json --from "$from" --to "host=$store_host user=backstory dbname=$store_db-mended" \
        --slot mended --until now >follow.txt 2>&1 || fail "mended: $?"
}
mended
new_payment 9005
source_sql -q -c "UPDATE payments SET status = 10, authorized_at = now() WHERE id = 9005"
source_sql -q -c "UPDATE payments SET status = 20, captured_cents = 10000, captured_at = now() WHERE id = 9005"
source_sql -q -c "UPDATE payments SET amount = amount + 1.5 WHERE id = 9005"
source_sql -q -c "UPDATE payments SET status = 30, refunded_amount = 100, refund_count = 1, amount = amount - 1.5 WHERE id = 9005"
mended
is 'events' 'PaymentReconciled correction {"amount": "1.50"}, PaymentRefunded recorded {"amount": "100.00"}, PaymentReconciled correction {"amount": "-1.50"}' \
    "$(psql -X -h "$store_host" -d "$store_db-mended" -Atc "SELECT string_agg(type || ' ' || basis || ' ' || data, ', ' ORDER BY version)
        FROM backstory.event WHERE entity = '9005' AND version > 3")"
dropdb -h "$store_host" "$store_db-mended"
source_sql -q -c "SELECT pg_drop_replication_slot('mended')" -c 'DROP PUBLICATION mended' >/dev/null

say 'what the machine forbids is set aside, with both images; every further change too'
source_sql -q -c "ALTER TABLE payments REPLICA IDENTITY FULL"
source_sql -q -c "UPDATE payments SET status = 0 WHERE id = 9002"
source_sql -q -c "UPDATE payments SET status = 5 WHERE id = 9002"
catch_up
is 'quarantine' 'illegal-transition, illegal-transition' "$(aside 9002)"
is 'images' '20 0' "$(stored "SELECT (old_row->>'status') || ' ' || (new_row->>'status') FROM backstory.follow_quarantine WHERE key = '9002' ORDER BY lsn LIMIT 1")"
is 'state kept' captured "$(stored "SELECT state FROM backstory.entity WHERE entity = '9002'")"
source_sql -q -c "UPDATE payments SET status = 30, refunded_amount = 100, refund_count = 1 WHERE id = 9002"
catch_up
is 'a way back releases it' '' "$(aside 9002)"
is 'state' refunded "$(stored "SELECT state FROM backstory.entity WHERE entity = '9002'")"

say 'a guard that forbids is as good as no transition'
new_payment 9003
source_sql -q -c "UPDATE payments SET status = 10, authorized_at = now() WHERE id = 9003"
source_sql -q -c "UPDATE payments SET status = 20, captured_cents = 20000, captured_at = now() WHERE id = 9003"
catch_up
is 'quarantine' 'guard-refused' "$(aside 9003)"

say 'an amount that a guard forbids is no event: a refund cannot be taken back'
new_payment 9007
source_sql -q -c "UPDATE payments SET status = 10, authorized_at = now() WHERE id = 9007"
source_sql -q -c "UPDATE payments SET status = 20, captured_cents = 8000, captured_at = now() WHERE id = 9007"
source_sql -q -c "UPDATE payments SET refunded_amount = 25, refund_count = 1, refunded_at = now() WHERE id = 9007"
source_sql -q -c "UPDATE payments SET refunded_amount = 15 WHERE id = 9007"
catch_up
is 'quarantine' 'guard-refused' "$(aside 9007)"
is 'why' 'no event of state "captured" explains that refunded became "15.00", and was "25.00"; the guard "in_part" forbids it' \
    "$(stored "SELECT message FROM backstory.follow_quarantine WHERE key = '9007'")"
is 'refunds' 25.00 "$(stored "SELECT string_agg(data->>'amount', ' ') FROM backstory.event WHERE entity = '9007' AND type = 'PaymentRefunded'")"
source_sql -q -c "UPDATE payments SET refunded_amount = 25 WHERE id = 9007"
catch_up
is 'quarantine' '' "$(aside 9007)"

say 'what is told of a change is what no event explains, not what happens to come first'
why() {
    stored "SELECT message FROM backstory.follow_quarantine WHERE key = '$1' AND released_lsn IS NULL ORDER BY lsn DESC LIMIT 1"
}
source_sql -q -c "UPDATE payments SET captured_cents = 7000, refunded_amount = 30, refund_count = 2 WHERE id = 9007"
catch_up
is 'of a state that stays' 'no event of state "captured" explains that captured became "70.00", and was "80.00"' "$(why 9007)"
source_sql -q -c "UPDATE payments SET captured_cents = 8000, refunded_amount = 25, refund_count = 1 WHERE id = 9007"
new_payment 9008
source_sql -q -c "UPDATE payments SET status = 10, authorized_at = now() WHERE id = 9008"
source_sql -q -c "UPDATE payments SET status = 20, captured_cents = 8000, captured_at = now(), failure_reason = 'none' WHERE id = 9008"
catch_up
is 'of one that moves' 'the row went from "authorized" to "captured", and no events that lead there explain that failure_reason became "none", and was null' \
    "$(why 9008)"
source_sql -q -c "UPDATE payments SET failure_reason = NULL WHERE id = 9008"
catch_up
is 'quarantine' '' "$(aside 9007)$(aside 9008)"

say 'where no guard forbids it, a machine that can reconcile corrects; only else is it an event below zero'
dropdb -h "$store_host" --if-exists "$store_db-below" 2>/dev/null
createdb -h "$store_host" "$store_db-below"
cp "$mapping" payment.legacy.json
below_zero() {
    "$BACKSTORY" follow payment.legacy.json --from "$from" --to "host=$store_host user=backstory dbname=$store_db-below" \
        --slot below --until now >follow.txt 2>&1 || fail 'it failed'
    psql -X -h "$store_host" -d "$store_db-below" -Atc "SELECT type, basis, data FROM backstory.event
        WHERE entity = '9007' ORDER BY version DESC LIMIT 1"
}
source_sql -q -c "UPDATE payments SET updated_at = now() WHERE id = 9007" # a first snapshot believes its columns
for reconciles in true false; do
    python3 -c '
import json, sys
machine = json.load(open(sys.argv[1]))
for name in "in_full", "in_part":
    machine["guards"][name]["cel"] = machine["guards"][name]["cel"].replace("command.amount > 0.00 && ", "")
if sys.argv[2] == "true":
    machine["events"]["PaymentReconciled"] = { "builtin": "reconcile" }
json.dump(machine, open("payment.fsm.json", "w"))' "$SAMPLES/payment/payment.fsm.json" $reconciles
    below_zero >/dev/null
    source_sql -q -c "UPDATE payments SET refunded_amount = 15 WHERE id = 9007"
    below_zero >last.$reconciles
    source_sql -q -c "UPDATE payments SET refunded_amount = 25 WHERE id = 9007"
    "$BACKSTORY" slots drop below --from "$from" --quiet
    psql -Xq -h "$store_host" -d "$store_db-below" -c 'DROP SCHEMA backstory CASCADE' 2>/dev/null
done
is 'with a reconciliation' 'PaymentReconciled|correction|{"refunded": "-10.00"}' "$(cat last.true)"
is 'without one' 'PaymentRefunded|recorded|{"amount": "-10.00"}' "$(cat last.false)"
dropdb -h "$store_host" "$store_db-below"
catch_up

say 'a delete is set aside, and its history stays; the key again continues it only if the machine can'
source_sql -q -c "DELETE FROM payments WHERE id = 9001"
catch_up
is 'quarantine' 'row-deleted' "$(aside 9001)"
is 'history' 6 "$(stored "SELECT count(*) FROM backstory.event WHERE entity = '9001'")"
new_payment 9001
catch_up
is 'quarantine' 'row-deleted, illegal-transition' "$(aside 9001)"

say 'a row that leaves the scope, and comes back'
new_payment 9004
source_sql -q -c "UPDATE payments SET deleted_at = now() WHERE id = 9004"
catch_up
is 'quarantine' 'out-of-scope' "$(aside 9004)"
source_sql -q -c "UPDATE payments SET deleted_at = NULL WHERE id = 9004"
catch_up
is 'quarantine' '' "$(aside 9004)"

say 'a key that changes ends one entity and begins another'
for identity in DEFAULT FULL; do
    source_sql -q -c "ALTER TABLE payments REPLICA IDENTITY $identity"
    id=$([ $identity = FULL ] && echo 9010 || echo 9020)
    new_payment "$id"
    source_sql -q -c "UPDATE payments SET id = $id + 1 WHERE id = $id"
    catch_up
    is "quarantine ($identity)" 'key-changed' "$(aside "$id")"
    is "events ($identity)" 'PaymentCreated recorded' "$(events_of $((id + 1)))"
done

say 'a transaction is all or nothing, and its own changes are seen in order'
source_sql -q <<'SQL'
BEGIN;
INSERT INTO payments (id, reference, status, amount, currency, created_at, updated_at) VALUES (9030, 'n', 0, 5, 'EUR', now(), now());
UPDATE payments SET status = 10, authorized_at = now() WHERE id = 9030;
UPDATE payments SET status = 20, captured_cents = 500, captured_at = now() WHERE id = 9030;
COMMIT;
BEGIN;
INSERT INTO payments (id, reference, status, amount, currency, created_at, updated_at) VALUES (9031, 'n', 0, 5, 'EUR', now(), now());
ROLLBACK;
SQL
catch_up
is 'events' 'PaymentCreated recorded, PaymentAuthorized recorded, PaymentCaptured recorded' "$(events_of 9030)"
is 'what was rolled back' '' "$(events_of 9031)"

say 'a large value that was not touched is not sent, and not lost'
for identity in DEFAULT FULL; do
    source_sql -q -c "ALTER TABLE payments REPLICA IDENTITY $identity" -c "ALTER TABLE payments ALTER failure_reason SET STORAGE EXTERNAL"
    id=$([ $identity = FULL ] && echo 9040 || echo 9041)
    source_sql -q -c "INSERT INTO payments (id, reference, status, amount, currency, failure_reason, created_at, updated_at, closed_at)
                      VALUES ($id, 'n', 40, 5, 'EUR', repeat('no ', 3000), now(), now(), now())"
    source_sql -q -c "UPDATE payments SET updated_at = now() + interval '1 s' WHERE id = $id"
    source_sql -q -c "UPDATE payments SET amount = 6 WHERE id = $id"
    catch_up
    is "quarantine ($identity)" 'unexplained-change' "$(aside "$id")"
    source_sql -q -c "UPDATE payments SET amount = 5 WHERE id = $id"
    catch_up
    is "quarantine ($identity)" '' "$(aside "$id")"
    is "its length ($identity)" 9000 "$(stored "SELECT length(data->>'failure_reason') FROM backstory.event WHERE entity = '$id' AND type = 'PaymentFailed'")"
done

say 'a new column is nobody'\''s business; a column that the mapping reads must stay'
source_sql -q -c "ALTER TABLE payments ADD note text, DROP reference"
source_sql -q -c "INSERT INTO payments (id, status, amount, currency, created_at, updated_at, note) VALUES (9050, 0, 5, 'EUR', now(), now(), 'x')"
catch_up
is 'events' 'PaymentCreated recorded' "$(events_of 9050)"
source_sql -q -c "INSERT INTO payments (id, status, amount, currency, created_at, updated_at, note) VALUES (9051, 0, 5, 'EUR', now(), now(), 'x')"
source_sql -q -c "ALTER TABLE payments RENAME amount TO total"
source_sql -q -c "UPDATE payments SET status = 10, authorized_at = now() WHERE id = 9051"
got=0
follow || got=$?
is 'exit status' 1 "$got"
grep -q 'no column "amount"' follow.txt || fail 'it does not say what is missing'
is 'what came before is kept' 'PaymentCreated recorded' "$(events_of 9051)"
source_sql -q -c "ALTER TABLE payments RENAME total TO amount"
cp "$SAMPLES/payment/payment.fsm.json" .
cp "$mapping" other.legacy.json
echo >>other.legacy.json
"$BACKSTORY" follow other.legacy.json --from "$from" --to "$to" --until now >follow.txt 2>&1 && fail 'another mapping was taken'
grep -q 'other-mapping' follow.txt || fail 'it does not say that the mapping is another'
catch_up --snapshot-again
is 'the step in between' 'PaymentCreated recorded, PaymentAuthorized implied' "$(events_of 9051)"

say 'truncate sets every entity aside'
source_sql -q -c 'TRUNCATE payments'
catch_up
is 'left' 0 "$(stored "SELECT count(*) FROM backstory.entity WHERE NOT EXISTS (SELECT FROM backstory.follow_quarantine q
    WHERE q.key = entity.entity AND reason = 'table-truncated')")"
new_payment 9060
catch_up
is 'events' 'PaymentCreated recorded' "$(events_of 9060)"

say 'a slot that is gone is said, and a new snapshot mends it'
source_sql -q -c "SELECT pg_drop_replication_slot('backstory_payment')" >/dev/null
source_sql -q -c "UPDATE payments SET status = 10, authorized_at = now() WHERE id = 9060"
got=0
follow || got=$?
is 'exit status' 3 "$got"
grep -q 'slot-missing' follow.txt || fail 'it does not say that the slot is gone'
catch_up --snapshot-again
is 'events' 'PaymentCreated recorded, PaymentAuthorized implied' "$(events_of 9060)"

say 'races: a version that goes back, and who overtook; also where a start comes between the two'
source_sql -q -c 'ALTER TABLE payments ADD version integer NOT NULL DEFAULT 1, REPLICA IDENTITY FULL'
mkfifo first second
# What is sent is done when the session holds the lock of that number.
in_session() {
    echo "$2; SELECT pg_advisory_lock($3);" >&"$1"
    until [ "$(source_sql -Atc "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $3 AND granted")" = 1 ]; do :; done
}
# race ID COMMAND: the second to begin writes first; COMMAND comes between the two.
race() {
    new_payment "$1"
    catch_up --version-column version
    psql -Xq -h "$source_root" -d shop <first >/dev/null &
    psql -Xq -h "$source_root" -d shop <second >/dev/null &
    exec 3>first 4>second
    in_session 3 "BEGIN; SELECT pg_current_xact_id()" 1 # the first to begin
    in_session 4 "UPDATE payments SET note = 'seen', version = 2 WHERE id = $1" 2
    in_session 4 "UPDATE payments SET status = 5, challenged_at = now(), version = 3 WHERE id = $1" 4
    $2
    in_session 3 "UPDATE payments SET status = 10, authorized_at = now(), version = 2 WHERE id = $1; COMMIT" 3
    exec 3>&- 4>&-
    wait
    catch_up --version-column version
}
race 9070 :
race 9071 'catch_up --version-column version'
is 'races' '9070 (state) overtook, 9070 (version) lost-update, 9071 (state) overtook, 9071 (version) lost-update' \
    "$(stored "SELECT string_agg(concat_ws(' ', key, field, kind), ', ' ORDER BY key, field) FROM backstory.follow_race")"
is 'races that do not say whom' 0 "$(stored "SELECT count(*) FROM backstory.follow_race WHERE overwrote = '{}'")"
"$BACKSTORY" races --from "$to" >races.txt
grep -q 'overtook' races.txt || { cat races.txt; fail 'races does not tell'; }
grep -q 'authorized' races.txt || { cat races.txt; fail 'the time in states is not told'; }
grep -q "watched since .*, $(stored 'SELECT count(*) FROM backstory.follow_start') starts" races.txt ||
    { cat races.txt; fail 'it does not say since when, and how often it began anew'; }

say 'two followers of one slot: the second is told'
"$BACKSTORY" follow "$mapping" --from "$from" --to "$to" >first.txt 2>&1 &
first=$!
until [ "$(source_sql -Atc 'SELECT active FROM pg_replication_slots')" = t ]; do :; done
got=0
follow || got=$?
is 'exit status' 4 "$got"
grep -q 'already-followed' follow.txt || fail 'it does not say why'
kill -INT $first
wait $first || { cat first.txt; fail 'SIGINT does not end it well'; }
grep -q 'the same command goes on from there' first.txt || fail 'it does not say how to go on'

say 'another slot for the same table and store is refused, before anything is made'
before=$(stored 'SELECT count(*) FROM backstory.event')
sed 's/"table": "public.payments"/"table": "payments"/' "$mapping" >unqualified.legacy.json
! cmp -s "$mapping" unqualified.legacy.json || fail 'the sample names its table otherwise: nothing to test with'
for other in "$mapping --check" "$mapping" unqualified.legacy.json; do
    got=0
    # shellcheck disable=SC2086
    "$BACKSTORY" follow $other --from "$from" --to "$to" --slot another --until now >follow.txt 2>&1 || got=$?
    is "exit status ($other)" 1 "$got"
    grep -q 'followed-by-another' follow.txt || fail 'it does not say why'
    grep -q -- '--slot backstory_payment' follow.txt || fail 'it does not say which slot to go on with'
done
is 'slots and publications' '1 1' "$(kept_at_source)"
is 'events' "$before" "$(stored 'SELECT count(*) FROM backstory.event')"

say 'slots are listed, and dropped by name'
"$BACKSTORY" slots list --from "$from" >slots.txt
grep -q '^ *backstory_payment  *idle .* reserved  *yes' slots.txt || { cat slots.txt; fail 'it is not listed'; }
"$BACKSTORY" slots list --from "$from" --format json | grep -q '"retained_bytes": [0-9]' || fail 'not as JSON'
got=0
"$BACKSTORY" slots drop nothing --from "$from" >slots.txt 2>&1 || got=$?
is 'exit status' 3 "$got"
grep -q slot-missing slots.txt || fail 'it does not say that there is none'

say 'a store that lost what it had committed is noticed'
lsn=$(stored 'SELECT lsn FROM backstory.follow')
store_sql -q -c "UPDATE backstory.follow SET lsn = lsn - 8"
got=0
follow || got=$?
is 'exit status' 3 "$got"
grep -q 'store-behind' follow.txt || fail 'it was not'
store_sql -q -c "UPDATE backstory.follow SET lsn = '$lsn'"

say 'after every transaction: the fold is the row, or the entity stands in quarantine'
source_sql -q -c "UPDATE payments SET status = 50, closed_at = now() WHERE id = 9060"
catch_up
differing_is_aside

"$BACKSTORY" slots drop backstory_payment --from "$from" --quiet
is 'what is left at the source' 0 "$(source_sql -Atc 'SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT count(*) FROM pg_publication)')"

say 'after a slot that was dropped another one may go on: histories are reconciled, not told again'
before=$(stored 'SELECT count(*) FROM backstory.event')
catch_up --slot another
is 'events' "$before" "$(stored 'SELECT count(*) FROM backstory.event')"
new_payment 9080
catch_up --slot another
is 'events' 'PaymentCreated recorded' "$(events_of 9080)"
is 'what is left of the slot before' 0 "$(stored "SELECT count(*) FROM backstory.follow_quarantine
    WHERE slot <> 'another' AND released_lsn IS NULL")"
is 'slots with a place' another "$(stored 'SELECT string_agg(slot, $$ $$) FROM backstory.follow WHERE lsn IS NOT NULL')"
differing_is_aside
"$BACKSTORY" slots drop another --from "$from" --quiet
