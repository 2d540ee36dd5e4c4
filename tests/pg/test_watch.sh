#!/bin/sh
# A run that is watched: robbed of its sessions, asked for a line, told to end, stopped by its own limit, and gone on with.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
mapping=$SAMPLES/payment/payment.legacy.json
source=dbname=$PGDATABASE
psql -Xq -v rows=20000 -f "$SAMPLES/payment/legacy.sql"
psql -Xqc 'CREATE DATABASE events' -c 'CREATE DATABASE other' -c 'CREATE DATABASE undisturbed'
# alive: nothing of what is waited for will come when the run has ended
alive() {
    kill -0 "$run" 2>/dev/null || { cat err.txt; fail 'the run has ended'; }
}
done_chunks() {
    psql -XAtqd events -c "SELECT count(*) FROM backstory.chunk WHERE done_at IS NOT NULL" 2>/dev/null || echo 0
}

say 'a line on SIGUSR1, an end on SIGINT after the chunks under way'
"$BACKSTORY" migrate "$mapping" --from "$source" --to dbname=events --chunk-rows 500 --max-rate 4000 --quarantine q.jsonl \
    --progress none >out.txt 2>err.txt &
run=$!
while [ "$(done_chunks)" -lt 2 ]; do
    alive
done
psql -XAtqd postgres -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'backstory'
    AND datname IN ('$PGDATABASE', 'events')" >killed.txt
until psql -XAtqd events -c 'SELECT figures FROM backstory.chunk' | grep -q '"retries"'; do # the next one tells what was waited for
    alive
done
kill -USR1 "$run"
while ! grep -q rows err.txt; do
    alive
done
grep -q ' quarantined' err.txt || { cat err.txt; fail 'the line says too little'; }
kill -INT "$run"
got=0
wait "$run" || got=$?
[ "$got" = 4 ] || { cat err.txt; fail "exit status $got instead of 4"; }
grep -q 'the same command goes on with the others' err.txt || { cat err.txt; fail 'does not say how to go on'; }
before=$(done_chunks)

say 'status tells of it from outside'
"$BACKSTORY" status --from dbname=events >status.txt
grep -q 'payment.*broken off' status.txt || { cat status.txt; fail 'status does not say that it was broken off'; }
grep -q 'run 1 lost [1-9].* up again; the last: .' status.txt ||
    { cat status.txt; fail 'status does not say what was waited for'; }
"$BACKSTORY" status --from dbname=events --format json | grep -q '"retries": [1-9]' || fail 'nor does its JSON'

say 'the same command goes on'
# so slowly that a line a second is to be seen
rows=$("$BACKSTORY" status --from dbname=events --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["rows"])')
"$BACKSTORY" migrate "$mapping" --from "$source" --to dbname=events --quarantine q.jsonl --format json --progress json \
    --max-rate $(((20000 - rows) / 2 + 1)) --verify >out.json 2>progress.json
grep -q '"resumed": [1-9]' out.json || { cat out.json; fail 'began anew'; }
[ "$before" -ge 2 ] || fail 'nothing was done before'
"$BACKSTORY" migrate "$mapping" --from "$source" --to dbname=undisturbed --quarantine q2.jsonl --quiet
for store in events undisturbed; do
    psql -XAtqd "$store" -c "SELECT md5(string_agg(e::text, E'\n' ORDER BY entity, version)) FROM (SELECT id, entity, version, type,
        data, state, occurred_at, basis, confidence, source FROM backstory.event) e" >"$store.md5"
done
cmp events.md5 undisturbed.md5
python3 - <<'PY'
import json
lines = [json.loads(line) for line in open("progress.json") if line.startswith("{")]
load = [line for line in lines if line["phase"] == "load"]
assert load and lines[-1]["phase"] == "end", lines
for line in load: # what was done before counts neither for the rate nor for the time left
    if line["seconds_left"] and line["rows_per_second"]:
        left = line["rows"] * (1 - line["share"]) / line["share"]
        assert abs(line["seconds_left"] * line["rows_per_second"] - left) <= 0.01 * left, line
assert any(line["seconds_left"] for line in load), load
assert lines[-1]["share"] == 1 and lines[-1]["rows"] == 20000, lines[-1]
assert lines and all(set(line) >= {"rows", "events", "bytes", "quarantined", "share", "snapshot_age"} for line in lines), lines
PY
"$BACKSTORY" status --from dbname=events >status.txt
grep -q 'payment.*done' status.txt || { cat status.txt; fail 'status does not say that it is done'; }

say 'the proof ends on SIGINT, too, and is made up for'
mkfifo gate
psql -Xqd events <gate >gate.txt 2>&1 &
exec 3>gate
echo 'BEGIN; LOCK TABLE backstory.segment;' >&3
until psql -XAtqd events -c "SELECT mode FROM pg_locks WHERE relation = 'backstory.segment'::regclass AND granted" |
    grep -q AccessExclusive; do
    :
done
"$BACKSTORY" migrate "$mapping" --from "$source" --to dbname=events --quarantine q.jsonl --verify >out.txt 2>err.txt &
run=$!
until [ -n "$(psql -XAtqd events -c "SELECT pid FROM pg_locks WHERE relation = 'backstory.segment'::regclass AND NOT granted")" ]; do
    alive
done
kill -INT "$run"
echo 'COMMIT;' >&3
exec 3>&-
got=0
wait "$run" || got=$?
[ "$got" = 4 ] || { cat out.txt err.txt; fail "exit status $got instead of 4"; }
grep -q 'the proof was told to end after' err.txt || { cat err.txt; fail 'does not say what ended'; }
grep -q 'What was loaded stays: the same command makes up for the proof' err.txt || { cat err.txt; fail 'does not say how to go on'; }
"$BACKSTORY" migrate "$mapping" --from "$source" --to dbname=events --quarantine q.jsonl --verify --progress json >out.txt 2>err.txt
grep -q '^verified: ' out.txt || { cat out.txt; fail 'not verified'; }

say 'a hopeless run ends early, and nobody sees any of it'
got=0
"$BACKSTORY" migrate "$mapping" --from "$source" --to dbname=other --max-quarantine 3 --quarantine q3.jsonl --quiet \
    >out.txt 2>err.txt || got=$?
[ "$got" = 1 ] || { cat err.txt; fail "exit status $got instead of 1"; }
grep -q 'too-much-quarantine' err.txt
[ "$(psql -XAtqd other -c 'SELECT count(*) FROM backstory.event')" = 0 ] || fail 'some of it is to be seen'
psql -Xqc '\copy (SELECT * FROM payments) TO payments.csv CSV HEADER'
got=0
"$BACKSTORY" migrate "$mapping" --from payments.csv --to out.jsonl --max-quarantine 0.01% --quiet 2>err.txt || got=$?
[ "$got" = 1 ] || { cat err.txt; fail "exit status $got instead of 1"; }
[ ! -e out.jsonl ] || fail 'a file was left'
