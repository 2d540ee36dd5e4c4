#!/bin/sh
# Columns that get other values without a change of a row: the log has nothing of it, and following stops before a history is
# wrong. What leaves the values as they are stops nothing.
set -eu

mapping=thing.legacy.json
from='' to='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

cat >thing.fsm.json <<'JSON'
{ "id": "thing", "fields": { "amount": "decimal(12,2)" },
  "events": { "ThingCreated": { "fields": { "amount": "decimal(12,2)" } },
              "ThingMended": { "builtin": "reconcile", "fields": { "amount": "decimal(12,2)?" } } },
  "initial": "open",
  "states": { "open": { "on": { "lock": "locked" } }, "locked": { "on": { "unlock": "open" } } } }
JSON
cat >$mapping <<'JSON'
{ "machine": "thing.fsm.json", "source": { "table": "public.things", "key": "id" },
  "state": { "column": "st", "values": { "o": "open", "l": "locked", "closed": "locked" } },
  "fields": { "amount": "amount" }, "evidence": [{ "creation": "made_at" }] }
JSON
source_sql -q <<'SQL'
CREATE TYPE stage AS ENUM ('o', 'l');
CREATE TABLE things (id integer PRIMARY KEY, st stage, amount numeric(12,2), made_at timestamptz, note varchar(10), nobody integer);
INSERT INTO things SELECT i, 'o', i, '2024-01-01Z', 'n', i FROM generate_series(1, 9) AS i;
SQL
catch_up

alter() {
    source_sql -q -c 'BEGIN' -c "$1" -c 'COMMIT'
}
lock() {
    source_sql -q -c "UPDATE things SET st = 'l' WHERE id = $1"
}
# Following ends by itself, and says which column.
stops_at() {
    is 'exit status' 1 "$1"
    grep -q "$2.*columns-changed" follow.txt || fail "it does not say: $2"
    grep -q 'go on with --snapshot-again' follow.txt || fail 'it does not say how to go on'
    got=0
    follow --check || got=$?
    is 'exit status of the preflight' 1 $got
    grep -q "$2.*columns-changed" follow.txt || fail "the preflight does not say: $2"
}
stops() {
    got=0
    follow || got=$?
    stops_at $got "$1"
}
goes_on() {
    catch_up --snapshot-again
    old_and_new_agree
}
stored_events() {
    stored "SELECT count(*) FROM backstory.event"
}

say 'what leaves the values as they are: nothing'
lock 1
catch_up
for sql in 'ALTER TABLE things ALTER amount SET NOT NULL, ALTER amount SET DEFAULT 1' 'ALTER TABLE things ALTER nobody TYPE text USING nobody + 1' \
    'ALTER TABLE things ADD stamp uuid DEFAULT gen_random_uuid(), ALTER note TYPE varchar(20)' 'ALTER TABLE things DROP nobody, ADD nobody text' \
    "ALTER TYPE stage ADD VALUE 'x'"; do
    source_sql -q -c "$sql"
    catch_up
done
source_sql -q -c 'VACUUM FULL things' -c 'ANALYZE things'
source_sql -q -c "UPDATE things SET st = 'o' WHERE id = 1"
catch_up
is 'events' 'ThingCreated recorded, ThingLocked recorded, ThingUnlocked recorded' "$(events_of 1 | sed 's/lock /ThingLocked /; s/unlock /ThingUnlocked /')"
events=$(stored_events)

say 'a column is dropped and added again while nobody follows'
alter 'ALTER TABLE things DROP amount, ADD amount numeric(12,2) NOT NULL DEFAULT 7'
stops 'column "amount" is another one than before'
is 'events' "$events" "$(stored_events)"
stops 'column "amount" is another one than before' # it does not get used to it
lock 2
stops 'column "amount" is another one than before'
is 'events' "$events" "$(stored_events)"
goes_on
is 'of one that was changed meanwhile' 'ThingCreated recorded, lock implied, ThingMended correction' "$(events_of 2 | sed 's/ThingLocked/lock/')"

say 'another column takes the name of one, and back'
alter 'ALTER TABLE things ADD cents numeric(12,2)'
source_sql -q -c 'UPDATE things SET cents = amount * 100'
catch_up
alter 'ALTER TABLE things RENAME amount TO before'
alter 'ALTER TABLE things RENAME cents TO amount'
stops 'column "amount" is another one than before'
goes_on

# while_following SQL: a follower runs, has followed what came before, and ends when this is done.
while_following() {
    "$BACKSTORY" follow "$mapping" --from "$from" --to "$to" >follow.txt 2>&1 &
    following=$!
    lock 3
    until [ "$(stored "SELECT state FROM backstory.entity WHERE entity = '3'")" = locked ]; do kill -0 $following || fail 'it has ended'; done
    events=$(stored_events)
    source_sql -q -c BEGIN -c "$1" -c COMMIT
    got=0
    wait $following || got=$?
    is 'events' "$events" "$(stored_events)"
}
say 'TYPE ... USING under a follower, and a change in the same transaction'
while_following "ALTER TABLE things ALTER amount TYPE numeric(12,2) USING amount / 100; UPDATE things SET st = 'l' WHERE id = 4"
stops_at $got 'column "amount" was altered (numeric(12,2) now), and the table has been rewritten'
goes_on

say 'and without any change: it is seen all the same'
source_sql -q -c "UPDATE things SET st = 'o' WHERE id = 3"
catch_up
while_following 'ALTER TABLE things ALTER amount TYPE numeric(14,2) USING amount + 1'
stops_at $got 'column "amount" was altered (numeric(12,2) before, numeric(14,2) now)'
goes_on

say 'a label of an enum gets another name'
source_sql -q -c "ALTER TYPE stage RENAME VALUE 'l' TO 'closed'"
stops 'column "st" has labels that were renamed'
goes_on

say 'a slot that was followed before anything was kept of its columns: from now on'
store_sql -q -c 'UPDATE backstory.follow SET columns = NULL'
catch_up
alter 'ALTER TABLE things ALTER amount TYPE numeric(12,2) USING amount * 2'
stops 'column "amount" was altered'
goes_on
"$BACKSTORY" slots drop backstory_thing --from "$from" --quiet

say 'a table with partitions: one of them stands for all'
source_sql -q <<'SQL'
DROP TABLE things;
CREATE TABLE things (id integer PRIMARY KEY, st stage, amount numeric(12,2), made_at timestamptz) PARTITION BY RANGE (id);
CREATE TABLE things_1 PARTITION OF things FOR VALUES FROM (1) TO (5);
CREATE TABLE things_2 PARTITION OF things FOR VALUES FROM (5) TO (100);
INSERT INTO things SELECT i, 'o', i, '2024-01-01Z' FROM generate_series(1, 9) AS i;
SQL
store_sql -q -c 'SET client_min_messages = warning' -c 'DROP SCHEMA backstory CASCADE'
catch_up
source_sql -q -c 'CREATE TABLE things_3 PARTITION OF things FOR VALUES FROM (100) TO (200)' -c 'ALTER TABLE things ALTER amount SET NOT NULL'
source_sql -q -c "INSERT INTO things VALUES (101, 'o', 1, '2024-01-01Z')"
catch_up
is 'events' 'ThingCreated recorded' "$(events_of 101)"
source_sql -q -c 'VACUUM FULL things_1'
catch_up
source_sql -q -c 'ALTER TABLE things ALTER amount TYPE numeric(12,2) USING amount * 2'
stops 'column "amount" was altered'
goes_on
"$BACKSTORY" slots drop backstory_thing --from "$from" --quiet
