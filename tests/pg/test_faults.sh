#!/bin/sh
# Faults of servers and of the path, one by one, each while a run stands in the middle of a chunk: what it does then is what
# docs/faults.md says, its error is the server's and said once, and the same command afterwards ends in the store of a run that
# nobody disturbed. (Kills, restarts and full disks: tests/support/drill.sh.)
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/gate.sh"
shop=$PGDATABASE
storm=$PGDATABASE-storm
finish() {
    trap - EXIT
    [ -z "${run-}" ] || kill -9 "$run" 2>/dev/null || :
    [ -z "${between-}" ] || kill -9 "$between" 2>/dev/null || :
    [ -z "${stopped-}" ] || kill -CONT "$stopped" 2>/dev/null || :
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS \"$storm\" WITH (FORCE)" \
        -c "DROP DATABASE \"$shop\" WITH (FORCE)" -c 'DROP ROLE IF EXISTS faults_reader, faults_loader, faults_few' >/dev/null 2>&1 || :
}
trap finish EXIT
trap 'exit 129' HUP INT TERM

cat >bill.fsm.json <<'JSON'
{ "id": "bill", "fields": { "amount": "decimal(12,2)?" }, "initial": "new",
  "events": { "BillCreated": { "fields": { "amount": "decimal(12,2)?" } }, "BillDone": {} },
  "states": { "new": { "on": { "do": { "target": "done", "event": "BillDone" } } }, "done": { "type": "final" } } }
JSON
cat >bill.legacy.json <<'JSON'
{ "machine": "bill.fsm.json", "source": { "table": "bills", "key": "id" },
  "state": { "sql": "public.status_of(id, status)", "values": { "N": "new", "D": "done" } },
  "fields": { "amount": "amount" },
  "evidence": [ { "creation": "created" }, { "state": "done", "at": "done" } ] }
JSON
# Rows 451 and 452 lie in the middle of a chunk, and their status is told at the gate.
make_gate "$shop"
psql -Xq -v ON_ERROR_STOP=1 <<'SQL'
CREATE ROLE faults_reader LOGIN;
CREATE ROLE faults_loader LOGIN;
CREATE TABLE bills AS
SELECT n AS id, CASE WHEN n % 50 = 0 THEN '?' WHEN n % 3 = 0 THEN 'D' ELSE 'N' END AS status, (n / 100.0)::numeric(12,2) AS amount,
       repeat('x', 100) AS filler, timestamptz '2021-06-01' + n * interval '1 minute' AS created,
       CASE WHEN n % 3 = 0 THEN timestamptz '2021-07-01' + n * interval '1 second' END AS done
FROM generate_series(1, 4000) AS n;
ALTER TABLE bills ADD PRIMARY KEY (id);
ANALYZE bills;
GRANT SELECT ON bills TO faults_reader;
CREATE FUNCTION public.status_of(id int, status text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF id IN (451, 452) THEN PERFORM public.wait_at_gate(); END IF;
    RETURN status;
END
$$;
SQL

# What is stored of whom. The number of a chunk is no part of it: some runs below are cut otherwise.
fingerprint() {
    ask -d "$1" <<'SQL'
SELECT key, plan, first_version, data FROM backstory.segment ORDER BY key, first_version;
SELECT plan, signature FROM backstory.plan ORDER BY plan;
SELECT key, code, line FROM backstory.quarantine ORDER BY key;
SELECT kind, histories, events FROM backstory.run;
SELECT count(*) FROM backstory.event;
SQL
}
fresh() {
    ask -d "$storm" -c 'SET client_min_messages = error' -c 'DROP SCHEMA IF EXISTS backstory CASCADE' \
        -c 'DROP FUNCTION IF EXISTS public.refuse CASCADE'
}
with_store() {
    schema_sql | ask -d "$storm" -1 >/dev/null
}
from="dbname=$shop application_name=faults-source"
to="dbname=$storm application_name=faults-sink"

# A wait at the gate is one for a lock, so patience is short only where it has to end.
patience=60s jobs=2 chunk=200
start() {
    "$BACKSTORY" migrate bill.legacy.json --from "$from" --to "$to" --jobs "$jobs" --chunk-rows $chunk --stall-timeout $patience \
        --quarantine q.jsonl "$@" >out.txt 2>err.txt &
    run=$!
}
# begin [OPTION...]: a run into a new store, which stands at the gate.
begin() {
    fresh
    close_gate "$shop"
    start "$@"
    wait_at_gate $run || { cat err.txt; fail 'the run did not come to the gate'; }
}
# ended STATUS [TEXT [SIDE]]: the run ends so, and says so, once, and whose server it was: that of "source" or "store".
ended() {
    status=0
    wait $run || status=$?
    run=
    [ "$status" = "$1" ] || { cat out.txt err.txt; fail "$what: exit status $status instead of $1"; }
    [ -z "${2-}" ] || grep -q "$2" err.txt || { cat err.txt; fail "$what: it does not say $2"; }
    case ${3-} in
    source) grep -q "^error: source $shop@[^:]*:[0-9]*: " err.txt || { cat err.txt; fail "$what: not at which end"; } ;;
    store) grep -q "^error: store $storm@[^:]*:[0-9]*: " err.txt || { cat err.txt; fail "$what: not at which end"; } ;;
    esac
    [ "$status" = 0 ] || [ "$(grep -c '^error' err.txt)" = 1 ] || { cat err.txt; fail "$what: not one error"; }
}
same_store() {
    fingerprint "$storm" >storm.txt
    cmp -s calm.txt storm.txt || { diff calm.txt storm.txt | head -20; fail "$what: the store is another one"; }
}
# goes_on: the same command ends in the same store.
goes_on() {
    start
    ended 0
    same_store
}
sessions="SELECT pid FROM pg_stat_activity WHERE datname = '$shop' AND application_name = 'faults-source'"
at_gate="$sessions AND wait_event = 'advisory'"
each() {
    ask -d postgres -c "SELECT $1(pid) FROM ($2) s" >/dev/null
}

ask -d postgres -c "CREATE DATABASE \"$storm\""
what='the calm run'
start
ended 0
fingerprint "$storm" >calm.txt
events=$(ask -d "$storm" -c 'SELECT count(*) FROM backstory.event')
[ "$(ask -d "$storm" -c 'SELECT count(*) FROM backstory.chunk')" -ge 15 ] || fail 'too few chunks'

what='at which end it is'
say "$what"
# other_end SIDE COMMAND...: there is no such database, and it is said at which end.
other_end() {
    side=$1
    shift
    status=0
    "$BACKSTORY" "$@" --quiet >out.txt 2>&1 || status=$?
    [ $status = 3 ] || { cat out.txt; fail "$what: $1 ends with $status"; }
    grep -q "^error: $side nowhere@[^:]*:[0-9]*: .*database \"nowhere\" does not exist" out.txt || { cat out.txt; fail "$what: $1"; }
}
other_end source plan bill.legacy.json --from 'dbname=nowhere password=secret'
other_end source init --from dbname=nowhere --table bills
other_end source slots list --from dbname=nowhere
for command in migrate compare follow; do
    other_end source $command bill.legacy.json --from dbname=nowhere --to "$to"
    [ $command = follow ] || other_end store $command bill.legacy.json --from "$from" --to dbname=nowhere
done
other_end store status --from dbname=nowhere

what='a query of ours is cancelled (57014)'
say "$what"
begin
each pg_cancel_backend "$at_gate"
open_gate
ended 3 sqlstate-57014 source
goes_on

what='a reader is ended (57P01)'
say "$what"
begin
each pg_terminate_backend "$at_gate"
open_gate
ended 0
grep -q 'sessions that were lost or refused' out.txt || { cat out.txt; fail "$what: it is not told"; }
same_store

what='all readers are ended, and with them the snapshot'
say "$what"
begin
each pg_terminate_backend "$sessions"
open_gate
ended 0
same_store

what='the same, where one snapshot is a must'
say "$what"
begin --require-one-snapshot
each pg_terminate_backend "$sessions"
open_gate
ended 1 second-snapshot
goes_on

what='the snapshot of somebody else is gone (22023)'
say "$what"
fresh
start --snapshot 00000003-00000003-1
ended 3 sqlstate-22023 source
goes_on

what='a snapshot that is as old as it may be'
say "$what"
jobs=1
begin --max-snapshot-age 1s
jobs=2
ask -c 'SELECT pg_sleep(1.1)' >/dev/null # it grows old
open_gate
ended 0
grep -q 'not of one moment but of 2' out.txt || { cat out.txt; fail "$what: the moments are not told"; }
same_store

what='the right to read is taken away (42501)'
say "$what"
from="$from user=faults_reader"
begin
ask -c 'REVOKE SELECT ON bills FROM faults_reader'
open_gate
ended 3 sqlstate-42501 source
grep -q 'the same command goes on from there' err.txt || { cat err.txt; fail "$what: not how to go on"; }
ask -c 'GRANT SELECT ON bills TO faults_reader'
goes_on

what='the table cannot be changed under the run (55P03)'
say "$what"
begin
! ask -c "SET lock_timeout = '10ms'" -c 'ALTER TABLE bills ADD COLUMN late int' 2>refused.txt || fail "$what"
grep -q 'lock timeout' refused.txt || { cat refused.txt; fail "$what"; }
open_gate
ended 0
same_store

what='who wants to change it, and a session of ours behind him'
say "$what"
patience=1s
begin
ask -c 'ALTER TABLE bills ADD COLUMN late int' &
alter=$!
until [ "$(ask -c "SELECT count(*) FROM pg_locks WHERE relation = 'bills'::regclass AND NOT granted")" -ge 1 ]; do :; done
# All but the one that holds the snapshot; they come back.
each pg_terminate_backend "$sessions AND backend_start > (SELECT min(backend_start) FROM pg_stat_activity
    WHERE datname = '$shop' AND application_name = 'faults-source')"
open_gate
ended 3 sqlstate-55P03 source
patience=60s
wait $alter
ask -c 'ALTER TABLE bills DROP COLUMN late'
goes_on

what='it is changed when the readers are ended'
say "$what"
begin
ask -c 'ALTER TABLE bills ADD COLUMN late int' &
alter=$!
until [ "$(ask -c "SELECT count(*) FROM pg_locks WHERE relation = 'bills'::regclass AND NOT granted")" -ge 1 ]; do :; done
each pg_terminate_backend "$sessions"
wait $alter
open_gate
ended 1 source-changed
grep -q 'late integer' err.txt || { cat err.txt; fail "$what: not what"; }
what='the same command on the changed table'
start
ended 1 run-differs
what='the table is gone'
ask -c 'ALTER TABLE bills RENAME TO bills_old'
start
ended 3 unknown-table
ask -c 'ALTER TABLE bills_old RENAME TO bills' -c 'ALTER TABLE bills DROP COLUMN late'
what='the table as it was'
goes_on
from="dbname=$shop application_name=faults-source"

what='a store whose rights are taken away (42501)'
say "$what"
fresh
with_store
to="$to user=faults_loader"
ask -d "$storm" -c 'GRANT backstory_appender TO faults_loader' 2>/dev/null
close_gate "$shop"
start
wait_at_gate $run || { cat err.txt; fail "$what: not at the gate"; }
ask -d "$storm" -c 'REVOKE backstory_appender FROM faults_loader'
open_gate
ended 3 sqlstate-42501 store
ask -d "$storm" -c 'GRANT backstory_appender TO faults_loader' 2>/dev/null
goes_on
to="dbname=$storm application_name=faults-sink"

what='an error at the first row of a chunk, which COPY tells late'
say "$what"
fresh
with_store
ask -d "$storm" <<'SQL'
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'no room for % today', NEW.key USING ERRCODE = '23514', HINT = 'Come again.';
END
$$;
CREATE TRIGGER refuse BEFORE INSERT ON backstory.segment FOR EACH ROW WHEN (NEW.key = '2001') EXECUTE FUNCTION public.refuse();
SQL
chunk=2000
start
chunk=200
ended 3 sqlstate-23514 store
for words in 'no room for 2001 today' 'COPY segment, line 1$' 'hint: Come again'; do
    grep -q "$words" err.txt || { cat err.txt; fail "$what: the server's words are lost"; }
done
ask -d "$storm" -c 'DROP TRIGGER refuse ON backstory.segment'
start
ended 0
[ "$(ask -d "$storm" -c 'SELECT count(*) FROM backstory.event')" = "$events" ] ||
    fail "$what: other events"

what='limits and settings of a role'
say "$what"
for role in faults_reader faults_loader; do
    for setting in "statement_timeout = '100ms'" "lock_timeout = '100ms'" "idle_in_transaction_session_timeout = '100ms'" \
        "idle_session_timeout = '100ms'" 'default_transaction_read_only = on' "default_transaction_isolation = 'serializable'" \
        "DateStyle = 'SQL, DMY'" "TimeZone = 'Asia/Kathmandu'" "IntervalStyle = 'sql_standard'" "bytea_output = 'escape'" \
        'standard_conforming_strings = off' "search_path = 'nowhere'" "client_encoding = 'LATIN1'" 'extra_float_digits = -10' \
        'enable_indexscan = off' 'transform_null_equals = on' "client_min_messages = 'debug1'"; do
        ask -c "ALTER ROLE $role SET $setting"
    done
done
from="$from user=faults_reader"
fresh
with_store
ask -d "$storm" -c 'GRANT backstory_appender TO faults_loader' 2>/dev/null
to="$to user=faults_loader"
close_gate "$shop"
start
wait_at_gate $run || { cat err.txt; fail "$what: not at the gate"; }
ask -c 'SELECT pg_sleep(0.3)' >/dev/null # what a limit of a tenth of a second would not survive
open_gate
ended 0
same_store
from="dbname=$shop application_name=faults-source"
to="dbname=$storm application_name=faults-sink"

what='too few connections (53300): the readers that have one do the work'
say "$what"
ask -c 'CREATE ROLE faults_few LOGIN CONNECTION LIMIT 4' -c 'GRANT SELECT ON bills TO faults_few'
from="$from user=faults_few"
fresh
jobs=4
start
jobs=2
ended 0
same_store
grep -q 'sessions that were lost or refused' out.txt || { cat out.txt; fail "$what: it is not told"; }
what='no connection at all'
ask -c 'ALTER ROLE faults_few CONNECTION LIMIT 0'
fresh
start
ended 3 'too many connections' source
from="dbname=$shop application_name=faults-source"

# ---- the path

# path WHICH MODE BYTES COUNT: the source or the sink behind the proxy.
path() {
    mkdir -p path
    : >ready
    "$PROXY" "$PWD/path/.s.PGSQL.5432" "$PGHOST/.s.PGSQL.5432" "$2" "$3" "$4" >ready &
    between=$!
    until grep -q ready ready; do
        kill -0 "$between" || fail 'the proxy does not start'
    done
    [ "$1" = sink ] || from="$from host=$PWD/path"
    [ "$1" = source ] || to="$to host=$PWD/path"
}
no_path() {
    kill "$between"
    wait "$between" 2>/dev/null || :
    between=
    from="dbname=$shop application_name=faults-source"
    to="dbname=$storm application_name=faults-sink"
}

what='the path to the source loses a row'
say "$what"
fresh
path source lose 60000 1
chunk=4000
start
chunk=200
ended 3 rows-lost
no_path
goes_on

what='the path to the store loses rows'
say "$what"
fresh
path sink lose 100000 1
chunk=4000
start
chunk=200
ended 3 copy-cut-short store
no_path
fresh
goes_on

what='a COMMIT is answered with ROLLBACK, each of a run in turn'
say "$what"
number=1
retried=0
while [ "$number" = 1 ] || [ "$undone" = 1 ]; do
    fresh
    path sink undo $number 1
    chunk=1000
    start
    chunk=200
    status=0
    wait $run || status=$?
    run=
    case $status in
    0) ;;
    3) grep -q '\[rolled-back\]' err.txt || { cat err.txt; fail "$what: another error"; } ;;
    *) cat err.txt; fail "$what: exit status $status" ;;
    esac
    no_path
    # A run that is not disturbed is the end.
    undone=0
    [ $status = 0 ] || undone=1
    if grep -q 'sessions that were lost or refused' out.txt; then
        undone=1
        retried=$((retried + 1))
    fi
    [ $status = 0 ] || { chunk=1000 && start && chunk=200 && ended 0; }
    same_store
    number=$((number + 1))
done
# Those of the chunks and of the end; the store itself and the beginning of the load are not tried again.
say "$((number - 2)) COMMITs, $retried tried again"
[ $retried -ge 5 ] || fail "$what: only $retried were tried again"

# ---- a server process that is stopped itself

# stop_at_gate DATABASE: the server process that stands at the gate there.
stop_at_gate() {
    stopped=$(ask -d postgres -c "SELECT pid FROM pg_stat_activity WHERE datname = '$1' AND wait_event = 'advisory'
        AND application_name LIKE 'faults-%'")
    kill -STOP "$stopped"
    until grep -q '^State:.T' "/proc/$stopped/status"; do :; done
    open_gate
}
# gone_on: it goes on, and so ends: it was told to.
gone_on() {
    kill -CONT "$stopped"
    until [ "$(ask -d postgres -c "SELECT count(*) FROM pg_stat_activity WHERE pid = $stopped")" = 0 ]; do :; done
    stopped=
}

what='a process of the source is stopped (SIGSTOP) at work'
say "$what"
patience=1s
begin --hang-timeout 5s
stop_at_gate "$shop"
ended 0
grep -q "^warning: source $shop@.*: server process $stopped has not moved for .*server-still" err.txt ||
    { cat err.txt; fail "$what: no warning"; }
grep -q "kill -CONT" err.txt || { cat err.txt; fail "$what: not what to do"; }
grep -q 'sessions that were lost or refused' out.txt || { cat out.txt; fail "$what: it is not told"; }
same_store
gone_on

what='a process of the store is stopped, and holds its chunk'
say "$what"
make_gate "$storm"
fresh
with_store
ask -d "$storm" <<'SQL'
CREATE FUNCTION public.stand() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM public.wait_at_gate(); RETURN NEW; END';
CREATE TRIGGER stand BEFORE INSERT ON backstory.segment FOR EACH ROW WHEN (NEW.key = '2001') EXECUTE FUNCTION public.stand();
SQL
close_gate "$storm"
start --hang-timeout 5s --progress json
wait_at_gate $run || { cat err.txt; fail "$what: not at the gate"; }
status=0
"$BACKSTORY" migrate bill.legacy.json --from "$from" --to "$to" --quarantine q.jsonl >out2.txt 2>err2.txt || status=$?
holder=$(ask -d "$storm" -c "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted")
[ $status = 4 ] || { cat err2.txt; fail "$what: a second run ends with $status"; }
grep -q "It is process $holder of that server" err2.txt || { cat err2.txt; fail "$what: who holds the machine"; }
stop_at_gate "$storm"
ended 3 lock-held store
grep -q "waits for a lock of process $stopped, and neither has moved" err.txt || { cat err.txt; fail "$what: whose lock"; }
grep -q "^{\"warning\":\"store $storm@.*: server process $stopped has not moved.*\"server-still\"" err.txt ||
    { cat err.txt; fail "$what: no warning"; }
[ "$(ask -d "$storm" -c 'SELECT count(*) FROM backstory.chunk WHERE done_at IS NULL')" = 1 ] || fail "$what: not all others are done"
gone_on
ask -d "$storm" -c 'DROP TRIGGER stand ON backstory.segment'
patience=60s
goes_on

what='the source cannot be reached: who asks hears of it'
say "$what"
path source freeze 1000000000 1
begin --retry-timeout 60s --progress json
kill "$between"
wait "$between" 2>/dev/null || :
between=
open_gate
until "$BACKSTORY" status --from "$to" >status.txt && grep -q "waits since 20.*: source $shop@.*; it tries again at 20" status.txt; do
    kill -0 $run || { cat err.txt; fail "$what: the run has ended"; }
done
"$BACKSTORY" status --from "$to" --format json >status.json
grep -q '"state": "running"' status.json || { cat status.json; fail "$what: it does not run"; }
until grep -q "\"waiting\":{\"why\":\"source $shop@.*\"seconds\":[0-9]*,\"again_seconds\":[0-9]" err.txt; do
    kill -0 $run || { cat err.txt; fail "$what: the run has ended"; }
done
path source freeze 1000000000 1
ended 0
same_store
tail -1 err.txt | grep -q '"waiting":null' || { cat err.txt; fail "$what: it waits still"; }
"$BACKSTORY" status --from "$to" >status.txt
! grep -q 'waits since' status.txt || { cat status.txt; fail "$what: it waits still"; }
no_path
what='the store cannot be reached: that is what is said'
status=0
"$BACKSTORY" status --from "$to host=$PWD/path" >status.txt 2>&1 || status=$?
[ $status = 3 ] || fail "$what: $status"
grep -q "^error: store $storm@.*\[connect\]" status.txt || { cat status.txt; fail "$what"; }
grep -q 'hint: A run that is under way waits for its store' status.txt || { cat status.txt; fail "$what"; }

what='the path is stopped (SIGSTOP), and its sessions with it'
say "$what"
patience=5s
path source freeze 1000000000 1
begin
# signal_sessions SIGNAL: to the processes that the proxy has made for its connections; one that has just ended needs none
signal_sessions() {
    grep -lx "PPid:	$between" /proc/[0-9]*/status 2>/dev/null | cut -d/ -f3 | while read -r session; do
        kill "-$1" "$session" 2>/dev/null || [ ! -e "/proc/$session" ]
    done
}
signal_sessions STOP
open_gate
ended 0
grep -q 'sessions that were lost or refused' out.txt || { cat out.txt; fail "$what: it is not told"; }
same_store
signal_sessions KILL

what='the path is stopped as a whole, and goes on'
say "$what"
begin --progress json
kill -STOP "$between"
signal_sessions STOP
open_gate
until grep -q '"retries":[1-9]' err.txt; do
    kill -0 $run 2>/dev/null || { cat err.txt; fail "$what: the run has ended"; }
done
kill -CONT "$between"
signal_sessions CONT
ended 0
same_store
no_path
say 'nothing lost, nothing double'
