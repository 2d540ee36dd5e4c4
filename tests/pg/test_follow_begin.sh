#!/bin/sh
# The beginning of following: the first snapshot by the run that `migrate` is, by several readers; killed at every place at
# which it can be, it is gone on with, and never leaves a slot behind that keeps log. On two servers.
set -eu

mapping=$SAMPLES/payment/payment.legacy.json
from='' to='' store_host='' store_db='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

payments 2000
source_sql -q -c 'ALTER TABLE payments ADD PRIMARY KEY (id), ALTER created_at DROP NOT NULL, ALTER updated_at DROP NOT NULL'
# One without any time, which a migration puts aside and a follower may take for new; and one of no known state.
source_sql -q -c "INSERT INTO payments (id, status, amount, currency) VALUES (9100, 0, 5, 'EUR'), (9101, 77, 5, 'EUR')"

# ---- kills

jobs=1
# A process of its own.
set_off() {
    "$BACKSTORY" follow "$mapping" --from "$from" --to "$to" --until now --jobs "$jobs" --chunk-rows 100 >follow.txt 2>&1 3>&- &
    following=$!
}
kill_it() {
    kill -9 "$following"
    wait "$following" 2>/dev/null || :
}
# The same question until it gives that answer.
until_it_is() {
    until [ "$("$2" -Atc "$3")" = "$1" ]; do :; done
}
mkfifo hold
# hold NAME_OF_SQL: a session of it takes what is asked for until it is let go.
hold() {
    "$1" -q -o /dev/null <hold &
    holding=$!
    exec 3>hold
    echo "$2" >&3
}
let_go() {
    exec 3>&-
    wait $holding
}
lock="SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = 1 AND"
# stands_at TABLE EVENT CONDITION: it is set off, and waits for the store, which stands still there.
stands_at() {
    store_sql -q <<SQL
CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN new; END';
CREATE TRIGGER here BEFORE $2 ON backstory.$1 FOR EACH ROW WHEN ($3) EXECUTE FUNCTION stand_still();
SQL
    hold store_sql 'SELECT pg_advisory_lock(1);'
    until_it_is t store_sql "$lock granted"
    set_off
    until_it_is t store_sql "$lock NOT granted"
}
go_on() {
    let_go
    store_sql -q -c 'SET client_min_messages = warning' -c 'DROP FUNCTION stand_still CASCADE'
}
killed_at() {
    stands_at "$@"
    kill_it
    go_on
    until_it_is 1 store_sql "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
}
no_slot_is_left() {
    until_it_is 0 source_sql 'SELECT count(*) FROM pg_replication_slots'
}
# The old system goes on: a row of each third of the keys moves, one is new, one is gone.
life_goes_on() {
    source_sql -q <<SQL
UPDATE payments SET status = 10, authorized_at = now(), challenged_at = NULL, updated_at = now()
    WHERE id IN (SELECT min(id) FROM payments WHERE status = 0 AND id < 9000 GROUP BY id % 3);
INSERT INTO payments (id, status, amount, currency, created_at, updated_at) VALUES ($1, 0, 5, 'EUR', now(), now());
SQL
}

say 'killed while it waits for its slot: the server takes the slot away'
hold source_sql "BEGIN; SELECT pg_current_xact_id();"
until_it_is 1 source_sql "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
set_off
until_it_is 1 source_sql 'SELECT count(*) FROM pg_replication_slots'
kill_it
grep -q 'waits for these transactions to end: .*pid' follow.txt || fail 'it does not say whom it waits for'
let_go
no_slot_is_left

# The store has been made by now, so that traps can be laid in it.
say 'a first snapshot that fails leaves nothing behind that keeps log'
store_sql -q -c "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RAISE EXCEPTION 'no chunk today'; END\$\$" \
    -c 'CREATE TRIGGER here BEFORE UPDATE ON backstory.chunk FOR EACH ROW EXECUTE FUNCTION fails()'
follow && fail 'it did not fail: nothing was tested'
grep -q 'reading a snapshot' follow.txt || fail 'it failed before it had a slot: nothing was tested'
grep -q 'no chunk today' follow.txt || fail 'it does not say why'
is 'slots and publications' '0 1' "$(kept_at_source)" # the publication is the killed start's
store_sql -q -c 'SET client_min_messages = warning' -c 'DROP FUNCTION fails CASCADE'

say 'killed after some chunks'
killed_at chunk UPDATE 'old.done_at IS NULL AND new.done_at IS NOT NULL AND new.chunk = 4'
no_slot_is_left
some=$(stored 'SELECT count(*) FROM backstory.chunk WHERE done_at IS NOT NULL')
[ "$some" -gt 0 ] || fail 'nothing had been loaded: nothing was tested'
life_goes_on 9201

say 'another start goes on with them, and is stopped by a signal: nothing is left either'
stands_at chunk UPDATE 'old.done_at IS NULL AND new.done_at IS NOT NULL AND new.chunk = 8'
kill -INT $following
go_on
wait $following || fail 'SIGINT does not end it well'
grep -q 'the same command goes on from there' follow.txt || fail 'it does not say how to go on'
is 'slots and publications' '0 1' "$(kept_at_source)" # the publication is the killed start's
[ "$(stored 'SELECT count(*) FROM backstory.chunk WHERE done_at IS NOT NULL')" -gt "$some" ] || fail 'it did not go on'
grep -q 'nothing is followed yet' follow.txt || fail 'it was not stopped'
is 'places' 0 "$(stored 'SELECT count(*) FROM backstory.follow WHERE lsn IS NOT NULL')"
is 'finished loads' 0 "$(stored 'SELECT count(*) FROM backstory.run')"

say 'the preflight does not take what is half loaded for an obstacle; under another mapping it is one'
"$BACKSTORY" follow "$mapping" --from "$from" --to "$to" --check >follow.txt 2>&1 || fail 'it does'
cp "$SAMPLES/payment/payment.fsm.json" .
{ cat "$mapping"; echo; } >other.legacy.json
for check in --check '--until now'; do
    got=0
    # shellcheck disable=SC2086
    "$BACKSTORY" follow other.legacy.json --from "$from" --to "$to" $check >follow.txt 2>&1 || got=$?
    is "exit status ($check)" 4 "$got"
    grep -q 'load-unfinished' follow.txt || fail 'it does not say why'
done
life_goes_on 9202

say 'killed at the end of the load'
jobs=2
killed_at run INSERT true
no_slot_is_left
life_goes_on 9203

say 'killed when all is in the store and the slot is to stay'
killed_at follow UPDATE 'new.lsn IS NOT NULL'
is 'its slot' backstory_payment "$(source_sql -Atc 'SELECT slot_name FROM pg_replication_slots WHERE NOT temporary')"
life_goes_on 9204

say 'the same command ends it: what the killed starts had done was not done twice, and what changed meanwhile is there'
set_off
wait $following || fail "it ended with $?"
grep -q 'dropped slot backstory_payment, which could not be gone on from' follow.txt || fail 'the slot of the killed start is not spoken of'
is 'loads' 1 "$(stored 'SELECT count(*) FROM backstory.load WHERE finished_at IS NOT NULL')"
is 'the row without a time' 'PaymentCreated implied' "$(events_of 9100)"
is 'the row of no known state' unknown-state "$(aside 9101)"
is 'how often it is told' 1 "$("$BACKSTORY" quarantine list --from "$to" --limit 0 | grep -c '^9101 ')"
old_and_new_agree
is 'slots and publications' '1 1' "$(kept_at_source)"
is 'gaps or doubles in histories' 0 "$(stored "SELECT count(*) FROM (SELECT entity, count(*) AS events, max(version) AS last
    FROM backstory.event GROUP BY entity) AS e WHERE events <> last")"
life_goes_on 9205
catch_up
old_and_new_agree

say 'a row that was put aside and is deleted is nobody'\''s business any more'
source_sql -q -c 'DELETE FROM payments WHERE id = 9101'
catch_up
is 'how often it is told' 0 "$("$BACKSTORY" quarantine list --from "$to" --limit 0 | grep -c '^9101 ' || :)"

say 'a migration into a store that is followed: the same adds nothing, another is refused'
before=$(stored 'SELECT count(*) FROM backstory.event')
"$BACKSTORY" migrate "$mapping" --from "$from" --to "$to" --quarantine migrate.jsonl >migrate.txt 2>&1 || fail 'the same is refused'
got=0
"$BACKSTORY" migrate other.legacy.json --from "$from" --to "$to" --quarantine migrate.jsonl >migrate.txt 2>&1 || got=$?
is 'exit status' 4 "$got"
is 'events' "$before" "$(stored 'SELECT count(*) FROM backstory.event')"

say 'undisturbed, by one reader and by two: the same histories, and each as a migration makes it'
fingerprint() {
    psql -X -h "$store_host" -d "$1" -Atc "SELECT entity, version, type, state, data, basis FROM backstory.event ORDER BY 1, 2"
}
for jobs in 1 2; do
    createdb -h "$store_host" "$store_db-$jobs"
    "$BACKSTORY" follow "$mapping" --from "$from" --to "host=$store_host user=backstory dbname=$store_db-$jobs" --until now \
        --slot "jobs_$jobs" --jobs $jobs --chunk-rows 100 >follow.txt 2>&1 || fail 'it failed'
    grep -q 'rows of the snapshot' follow.txt || fail 'it does not say how many rows it read'
    fingerprint "$store_db-$jobs" >histories.$jobs
    "$BACKSTORY" slots drop "jobs_$jobs" --from "$from" --quiet
done
[ -s histories.1 ] || fail 'there are none'
cmp histories.1 histories.2 || fail 'they are not'
createdb -h "$store_host" "$store_db-m"
"$BACKSTORY" migrate "$mapping" --from "$from" --to "host=$store_host user=backstory dbname=$store_db-m" --quarantine q.jsonl --quiet || :
fingerprint "$store_db-m" >histories.m
grep -v '^910[01]|' histories.1 | cmp - histories.m || fail 'they are not what migrate makes'

say 'every row again, by one reader and by several: the same events, and the same are set aside'
source_sql -q <<'SQL'
UPDATE payments SET status = 10, authorized_at = now(), challenged_at = NULL, updated_at = now() WHERE status = 0 AND id % 2 = 0;
UPDATE payments SET status = 77 WHERE id % 50 = 1;
DELETE FROM payments WHERE id % 40 = 7;
INSERT INTO payments (id, status, amount, currency, created_at, updated_at)
    SELECT i * 7 + 100000, 0, 5, 'EUR', now(), now() FROM generate_series(1, 200) AS i;
INSERT INTO payments (id, status, amount, currency, created_at, updated_at) -- more than one commit
    SELECT i + 200000, 0, 5, 'EUR', now(), now() FROM generate_series(1, 25000) AS i;
SQL
for jobs in 1 2; do
    "$BACKSTORY" follow "$mapping" --from "$from" --to "host=$store_host user=backstory dbname=$store_db-$jobs" --until now \
        --slot "jobs_$jobs" --jobs $((jobs * jobs)) --snapshot-again >follow.txt 2>&1 || fail 'it failed'
    fingerprint "$store_db-$jobs" >again.$jobs
    psql -X -h "$store_host" -d "$store_db-$jobs" -Atc "SELECT key, reason, version, new_row FROM backstory.follow_quarantine
        WHERE released_lsn IS NULL ORDER BY key" >aside.$jobs
    psql -X -h "$store_host" -d "$store_db-$jobs" -Atc 'SELECT events, quarantined FROM backstory.follow' >figures.$jobs
    psql -X -h "$store_host" -d "$store_db-$jobs" -Atc "SELECT (SELECT count(*) FROM backstory.event JOIN backstory.run USING (run_id)
        WHERE kind = 'follow'), (SELECT count(*) FROM backstory.follow_quarantine)" | cmp - figures.$jobs || fail 'they are counted otherwise'
    "$BACKSTORY" slots drop "jobs_$jobs" --from "$from" --quiet
done
cmp again.1 again.2 || fail 'the events are not'
cmp aside.1 aside.2 || fail 'what is set aside is not'
cmp figures.1 figures.2 || fail 'the figures are not'
[ "$(wc -l <again.1)" -gt "$(wc -l <histories.1)" ] || fail 'no event was new: nothing was tested'
[ "$(wc -l <aside.1)" -gt 20 ] || fail 'nothing was set aside: nothing was tested'
source_sql -q -c 'DELETE FROM payments WHERE id > 200000'

say 'a migration of another machine that is not finished is waited for'
source_sql -q -f "$SAMPLES/race/accounts.sql"
source_sql -q -c "INSERT INTO accounts (id, status, balance) VALUES (7, 'odd', 1)"
createdb -h "$store_host" "$store_db-half"
half="host=$store_host user=backstory dbname=$store_db-half"
"$BACKSTORY" migrate "$SAMPLES/race/account.legacy.json" --from "$from" --to "$half" --quarantine q.jsonl --max-quarantine 0 \
    --quiet >half.txt 2>&1 && fail 'the migration was not broken off: nothing to test with'
for check in --check '--until now'; do
    got=0
    # shellcheck disable=SC2086
    "$BACKSTORY" follow "$mapping" --from "$from" --to "$half" --slot half $check >follow.txt 2>&1 || got=$?
    is "exit status ($check)" 4 "$got"
    grep -q 'run 1, a migration of machine "account" .*load-unfinished' follow.txt || fail 'it does not say which run'
done
is 'slots and publications' '1 1' "$(kept_at_source)"
"$BACKSTORY" slots drop backstory_payment --from "$from" --quiet

main_db=$store_db
lost() { # TABLE OPERATION CONDITION OF_NEW: the run stands there when the session that holds the snapshot is ended
    store_db=$main_db-lost-$1
    to="host=$store_host user=backstory dbname=$store_db"
    createdb -h "$store_host" "$store_db"
    "$BACKSTORY" migrate "$SAMPLES/race/account.legacy.json" --from "$from" --to "$to" --quarantine q.jsonl --quiet >half.txt 2>&1 || : # makes the store
    stands_at "$1" "$2" "$3"
    is 'sessions that were ended' t "$(source_sql -Atc 'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE temporary')"
    no_slot_is_left
    life_goes_on "$4"
    go_on
    wait $following || { cat follow.txt; fail "it ended with $?"; }
    grep -q 'interrupted: .*snapshot .*; trying again' follow.txt ||
        fail 'it does not say what was lost'
    is 'slots and publications' '1 1' "$(kept_at_source)"
    is 'loads of payments' 1 "$(stored "SELECT count(*) FROM backstory.load JOIN backstory.machine USING (machine_id) WHERE name = 'payment'")"
    "$BACKSTORY" compare "$mapping" --from "$from" --to "$to" >compared.txt 2>&1 || { cat compared.txt; fail 'old and new differ'; }
    "$BACKSTORY" slots drop backstory_payment --from "$from" --quiet
    store_db=$main_db
}
say 'the snapshot is lost with its session: a new one goes on with what has been loaded, without being asked'
lost chunk UPDATE 'old.done_at IS NULL AND new.done_at IS NOT NULL AND new.chunk = 4' 9206
say 'the same when all is loaded, and what was quarantined is looked at once more'
lost run INSERT true 9207
for name in 1 2 m half lost-chunk lost-run; do
    dropdb -h "$store_host" "$store_db-$name"
done
