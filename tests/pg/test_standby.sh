#!/bin/sh
# A hot standby as the source: a run reads it like any server; where the primary's changes take its snapshot away (40001), it
# reads on in a new one. What a standby cannot do, it says.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
scratch=$PWD
cluster=$SOURCE_DIR/tests/support/pg-cluster.sh
store=$PGDATABASE store_host=$PGHOST
trap '"$cluster" stop "$scratch/standby"; "$cluster" stop "$scratch/pg"' EXIT
trap 'exit 129' HUP INT TERM
"$cluster" start "$scratch/pg" --while $$ --logical
"$cluster" start "$scratch/standby" --while $$ --standby-of "$scratch/pg"
standby=$(cat standby/cluster)
# shellcheck source=/dev/null
. "$scratch/pg/env"
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/gate.sh"
# caught_up: the standby has all that the primary has
caught_up() {
    lsn=$(ask -c 'SELECT pg_current_wal_lsn()')
    until [ "$(ask -h "$standby" -c "SELECT pg_last_wal_replay_lsn() >= '$lsn'")" = t ]; do :; done
}
cat >bill.fsm.json <<'JSON'
{ "id": "bill", "initial": "new", "events": { "BillCreated": {}, "BillDone": {} },
  "states": { "new": { "on": { "do": { "target": "done", "event": "BillDone" } } }, "done": { "type": "final" } } }
JSON
cat >bill.legacy.json <<'JSON'
{ "machine": "bill.fsm.json", "source": { "table": "bills", "key": "id" },
  "state": { "sql": "public.status_of(id, status)", "values": { "N": "new", "D": "done" } },
  "evidence": [ { "creation": "created" }, { "state": "done", "at": "done", "absent": "unknown" } ] }
JSON
ask -c 'CREATE DATABASE shop'
make_gate shop
ask -d shop <<'SQL'
CREATE TABLE bills (id int PRIMARY KEY, status text, created timestamptz, done timestamptz) WITH (autovacuum_enabled = off);
INSERT INTO bills SELECT n, 'N', '2021-06-01' FROM generate_series(1, 2000) AS n;
CREATE FUNCTION public.status_of(id int, status text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF id = 251 THEN PERFORM public.wait_at_gate(); END IF;
    RETURN status;
END
$$;
SQL
caught_up
from="host=$standby dbname=shop"
to="host=$store_host dbname=$store"
start() {
    "$BACKSTORY" migrate bill.legacy.json --from "$from" --to "$to" --jobs 2 --chunk-rows 100 --quarantine q.jsonl "$@" \
        >out.txt 2>err.txt &
    run=$!
}
ended() {
    status=0
    wait $run || status=$?
    [ "$status" = "$1" ] || { cat out.txt err.txt; fail "exit status $status instead of $1"; }
}

say 'it is read like any server, at one moment, by two readers, with its proof'
start --manifest m.json
ended 0
grep -q '^verified: 2,000 histories' out.txt || { cat out.txt; fail 'not verified'; }
grep -q '"lsn": "[0-9A-F]*/[0-9A-F]*"' m.json || { cat m.json; fail 'the place in its log is not told'; }

say 'a conflict with recovery (40001): the rest is read in a new snapshot'
ask -h "$store_host" -d "$store" -c 'DROP SCHEMA backstory CASCADE' 2>/dev/null
standby_host=$PGHOST PGHOST=$standby
close_gate shop
PGHOST=$standby_host
start
PGHOST=$standby
wait_at_gate $run || { cat err.txt; fail 'not at the gate'; }
PGHOST=$standby_host
ask -d shop -c "UPDATE bills SET status = 'D'" -c 'VACUUM bills'
caught_up # what was in the way is cancelled
open_gate
ended 0
grep -q 'sessions that were lost or refused' out.txt || { cat out.txt; fail 'nothing was in the way: nothing was tested'; }
grep -q 'the rows are not of one moment but of 2' out.txt || { cat out.txt; fail 'the moments are not told'; }
[ "$(ask -h "$store_host" -d "$store" -c "SELECT count(*), count(DISTINCT entity) FROM backstory.entity")" = '2000|2000' ] ||
    fail 'rows are lost or double'
[ "$(ask -h "$store_host" -d "$store" -c "SELECT count(*) FROM backstory.entity WHERE state = 'done'")" -ge 90 ] ||
    fail 'the rest is not of the new moment'

say 'it cannot be a store, and cannot be written to'
got=0
"$BACKSTORY" migrate bill.legacy.json --from "$from" --to "$from" --quiet >out.txt 2>&1 || got=$?
[ "$got" = 3 ] || { cat out.txt; fail "a standby as store: exit status $got"; }
grep -q 'during recovery' out.txt || { cat out.txt; fail 'it is not said that a standby cannot be written to'; }

say 'it gives no slot: neither to follow it nor to compare at one place of its log, and what to do instead is said'
sed -e 's/"sql": "public.status_of(id, status)"/"column": "status"/' bill.legacy.json >plain.legacy.json
"$BACKSTORY" follow plain.legacy.json --from "host=$PGHOST user=$PGUSER dbname=shop" --to "$to" --until now --quiet >out.txt 2>&1 ||
    { cat out.txt; fail 'the primary cannot be followed'; }
caught_up
for command in 'follow --check' 'follow --until now' 'compare --at now'; do
    got=0
    # shellcheck disable=SC2086
    "$BACKSTORY" $command plain.legacy.json --from "$from" --to "$to" >out.txt 2>&1 || got=$?
    [ "$got" = 3 ] || { cat out.txt; fail "$command at a standby: exit status $got"; }
    grep -q 'error: .*standby.*\[standby\]' out.txt || { cat out.txt; fail "$command does not say that it is a standby"; }
    grep -qi 'primary' out.txt || { cat out.txt; fail 'it does not say what to do'; }
done
[ "$(ask -c "SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'logical'")" = 1 ] || fail 'a slot was made'
