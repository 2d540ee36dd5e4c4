#!/bin/sh
# One machine of a store comes from one source: a follower from another one is refused, unless it is said to take its place.
set -eu

mapping='' from='' to='' source_root='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

thing_files
psql -X -h "$source_root" -d postgres -qc 'CREATE DATABASE staging'
staging_sql() {
    psql -X -v ON_ERROR_STOP=1 -h "$source_root" -d staging "$@"
}
staging="host=$source_root user=backstory dbname=staging"
# from_staging STATUS ARGUMENTS...
from_staging() {
    wanted=$1
    shift
    got=0
    "$BACKSTORY" follow "$mapping" --from "$staging" --to "$to" --slot staging --until now "$@" >follow.txt 2>&1 || got=$?
    is "exit status ($*)" "$wanted" "$got"
}
table="CREATE TABLE things (id text PRIMARY KEY, st text, made_at timestamptz DEFAULT '2024-01-01Z')"
source_sql -q -c "$table" -c "INSERT INTO things VALUES ('k1', 'o'), ('k2', 'o')"
staging_sql -q -c "$table" -c "INSERT INTO things VALUES ('k1', 'l')"
catch_up

say 'refused, before anything is made'
from_staging 1 --check
grep -q 'slot "backstory_thing" brings the machine into this store from public.things of shop .*followed-by-another' follow.txt ||
    fail 'it does not say which'
from_staging 1
grep -q 'followed-by-another' follow.txt || fail 'it does not say why'
is 'slots and publications' '1 1' "$(kept_at_source)"
is 'of staging' 0 "$(staging_sql -Atc 'SELECT count(*) FROM pg_publication')"
is 'events' 2 "$(stored 'SELECT count(*) FROM backstory.event')"
is 'quarantine' 0 "$(stored 'SELECT count(*) FROM backstory.follow_quarantine')"

say 'two of them at once: one process a machine'
"$BACKSTORY" follow "$mapping" --from "$from" --to "$to" >first.txt 2>&1 &
first=$!
until [ "$(source_sql -Atc 'SELECT active FROM pg_replication_slots')" = t ]; do kill -0 $first || fail 'the first has ended'; done
shop="public.things of shop in cluster $(source_sql -Atc 'SELECT system_identifier FROM pg_control_system()')"
from_staging 4 --take-over "$shop"
grep -q 'already-followed' follow.txt || fail 'it does not say why'
kill -INT $first
wait $first || fail 'SIGINT does not end it well'

say 'one that takes its place: the one before may not go on'
source_sql -q -c "UPDATE things SET st = 'bogus' WHERE id = 'k1'"
catch_up
is 'quarantine' unknown-state "$(aside k1)"
from_staging 1 --snapshot-again # a repair, and of which is not said
from_staging 1 --take-over 'public.things of staging'
grep -q -- "--take-over '$shop'" follow.txt || fail 'it does not say how to take over'
from_staging 0 --check --take-over "$shop"
from_staging 0 --take-over "$shop"
from_staging 0 --take-over "$shop" # nothing is left to take over: it goes on
is 'quarantine' 'row-deleted' "$(aside k1)$(aside k2)"
is 'state' locked "$(stored "SELECT state FROM backstory.entity WHERE entity = 'k1'")"
from_staging 0
got=0
follow || got=$?
is 'exit status' 1 "$got"
grep -q 'slot "staging" brings the machine into this store' follow.txt || fail 'it does not say which'
"$BACKSTORY" slots drop backstory_thing --from "$from" --quiet
"$BACKSTORY" slots drop staging --from "$staging" --quiet

say 'histories that were migrated bind the machine as well'
store_sql -q -c 'SET client_min_messages = warning' -c 'DROP SCHEMA backstory CASCADE'
source_sql -q -c "UPDATE things SET st = 'o'"
"$BACKSTORY" migrate "$mapping" --from "$from" --to "$to" --quiet || fail 'migrate failed'
before=$(stored 'SELECT count(*) FROM backstory.event')
from_staging 1 --check
from_staging 1
number=$(source_sql -Atc 'SELECT system_identifier FROM pg_control_system()')
grep -q "were migrated from public.things of shop in cluster $number: .*followed-by-another" follow.txt || fail 'it does not say from where'
is 'of staging' 0 "$(staging_sql -Atc 'SELECT count(*) FROM pg_publication')"
is 'events' "$before" "$(stored 'SELECT count(*) FROM backstory.event')"
source_sql -q -c 'CREATE TABLE other_things (LIKE things INCLUDING ALL)'
sed 's/public.things/other_things/' "$mapping" >other.legacy.json
got=0
"$BACKSTORY" follow other.legacy.json --from "$from" --to "$to" --until now >follow.txt 2>&1 || got=$?
is 'exit status for another table' 1 "$got"
catch_up
catch_up
is 'events' "$before" "$(stored 'SELECT count(*) FROM backstory.event')"
"$BACKSTORY" slots drop backstory_thing --from "$from" --quiet

say 'also while nobody has a place, and until another one is said to take over'
store_sql -q -c 'UPDATE backstory.follow SET lsn = NULL' # a --snapshot-again that was killed
from_staging 1
from_staging 0 --take-over "$shop"
from_staging 0
is 'state' locked "$(stored "SELECT state FROM backstory.entity WHERE entity = 'k1'")"
"$BACKSTORY" slots drop staging --from "$staging" --quiet
