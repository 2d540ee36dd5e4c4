#!/bin/sh
# Large values that a change does not touch are not in the log: whatever becomes of an entity meanwhile, its history has the
# value of its row, or it stands in quarantine.
set -eu

mapping=thing.legacy.json
from='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

cat >thing.fsm.json <<'JSON'
{ "id": "thing", "fields": { "note": "text?", "tag": "text?", "raw": "bytea?" },
  "events": { "ThingCreated": { "fields": { "note": "text?", "tag": "text?", "raw": "bytea?" } }, "ThingMended": { "builtin": "reconcile" } },
  "initial": "open",
  "states": { "open": { "on": { "lock": "locked" } }, "locked": { "on": { "unlock": "open" } } } }
JSON
cat >$mapping <<'JSON'
{ "machine": "thing.fsm.json", "source": { "table": "public.things", "key": "id" },
  "state": { "column": "st", "values": { "o": "open", "l": "locked" } },
  "fields": { "note": "note", "tag": "tag", "raw": "raw" }, "evidence": [{ "creation": "made_at" }] }
JSON
source_sql -q <<'SQL'
CREATE TABLE things (id text PRIMARY KEY, st text, note text, tag text, raw bytea, made_at timestamptz);
ALTER TABLE things ALTER tag SET STORAGE EXTERNAL, ALTER raw SET STORAGE EXTERNAL, ALTER note SET STORAGE EXTERNAL;
INSERT INTO things SELECT 'k' || i, 'o', 'n', repeat('a', 5000), decode(repeat('00ff', 3000), 'hex'), '2024-01-01Z' FROM generate_series(1, 12) AS i;
INSERT INTO things VALUES ('first', 'bogus', 'n', repeat('f', 5000), NULL, '2024-01-01Z');
SQL
catch_up

# But for what stands in quarantine.
change() {
    source_sql -q -c "UPDATE things SET $2 WHERE id = '$1'"
}

say 'set aside with a new large value, and brought back: in one batch, over a start, in one transaction'
change k1 "tag = repeat('p', 9000), st = 'bogus'"
change k1 "st = 'o'"
change k2 "tag = repeat('p', 9000), st = 'bogus'"
catch_up
is 'quarantine' unknown-state "$(aside k2)"
change k2 "st = 'l'"
source_sql -q <<'SQL'
BEGIN;
UPDATE things SET tag = repeat('q', 8000) || E'"\\', st = 'bogus' WHERE id = 'k3';
UPDATE things SET st = 'o' WHERE id = 'k3';
COMMIT;
SQL
catch_up
is 'quarantine' '' "$(aside k1)$(aside k2)$(aside k3)"
old_and_new_agree

say 'more than one change while it is set aside: what an earlier one said still counts'
change k4 "tag = repeat('p', 9000), st = 'bogus'"
change k4 "raw = decode(repeat('0a', 6000), 'hex')"
catch_up
change k4 "note = 'other'"
catch_up
is 'the last image is whole' 9000 "$(stored "SELECT length(new_row->>'tag') FROM backstory.follow_quarantine WHERE key = 'k4' ORDER BY lsn DESC LIMIT 1")"
change k4 "st = 'o'"
change k5 "st = 'bogus'"
change k5 "tag = 'short'"
change k5 "st = 'o'"
catch_up
is 'quarantine' '' "$(aside k4)$(aside k5)"
old_and_new_agree

say 'a row that takes another key keeps its values, not those that had the key before'
change k6 "tag = repeat('p', 9000), st = 'bogus'"
source_sql -q -c "DELETE FROM things WHERE id = 'k7'" -c "UPDATE things SET id = 'k7', st = 'o' WHERE id = 'k6'" \
    -c "UPDATE things SET id = 'new' WHERE id = 'k8'"
source_sql -q <<'SQL'
UPDATE things SET tag = repeat('b', 5000) WHERE id = 'k11';
BEGIN;
UPDATE things SET id = 'aside' WHERE id = 'k10';
UPDATE things SET id = 'k10' WHERE id = 'k11';
UPDATE things SET id = 'k11' WHERE id = 'aside';
COMMIT;
SQL
catch_up
is 'quarantine' '' "$(aside k7)$(aside new)$(aside k10)$(aside k11)"
is 'quarantine' 'unknown-state, key-changed' "$(aside k6)"
old_and_new_agree

say 'where the value is not known, the entity stays in quarantine until it is written, or all is read again'
change k9 "tag = repeat('p', 9000), st = 'bogus'"
catch_up
store_sql -q -c "UPDATE backstory.follow_quarantine SET new_row = new_row - 'tag' WHERE key = 'k9'" # a store of an earlier version
change k9 "st = 'o'"
change first "st = 'o'"
catch_up
is 'quarantine' 'unknown-state, value-not-sent' "$(aside k9)"
is 'one of the first snapshot' 'unknown-state, value-not-sent' "$(aside first)"
change k9 "note = 'm'"
catch_up
is 'quarantine' 'unknown-state, value-not-sent, value-not-sent' "$(aside k9)"
change k9 "tag = repeat('z', 9000)"
catch_up
is 'quarantine' '' "$(aside k9)"
old_and_new_agree
catch_up --snapshot-again
is 'quarantine' '' "$(aside first)"
old_and_new_agree
"$BACKSTORY" slots drop backstory_thing --from "$from" --quiet
