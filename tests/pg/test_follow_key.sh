#!/bin/sh
# Rows whose key can be none (empty, too long, NULL): in the log they are set aside as in a snapshot, under a name that stays
# the same, and following goes on.
set -eu

from='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

thing_files
source_sql -q <<'SQL'
CREATE TABLE things (id text PRIMARY KEY, st text, made_at timestamptz DEFAULT '2024-01-01Z');
-- Long, and nothing that can be made much shorter.
CREATE FUNCTION long(tail text) RETURNS text IMMUTABLE LANGUAGE sql
    AS $$ SELECT string_agg(md5(i::text), '' ORDER BY i) || 'ü' || tail FROM generate_series(1, 70) AS i $$;
INSERT INTO things VALUES ('k1', 'o'), ('k2', 'o'), ('', 'o'), (long('x'), 'o');
SQL
# What stands in quarantine of keys that can be none.
unusable() {
    stored "SELECT string_agg(reason || ': ' || message, ', ' ORDER BY lsn, place) FROM backstory.follow_quarantine
            WHERE released_lsn IS NULL AND (key = '' OR octet_length(key) > 2000)"
}
names() {
    stored "SELECT count(DISTINCT key) FROM backstory.follow_quarantine WHERE octet_length(key) > 2000"
}
empty='null-key: the key (id) is empty'
long='bad-value: the key (id) is longer than any key may be'

say 'in the first snapshot'
catch_up
is 'quarantine' "$empty, $long" "$(stored "SELECT string_agg(reason || ': ' || message, ', ' ORDER BY key = '' DESC)
    FROM backstory.follow_quarantine WHERE released_lsn IS NULL")"
source_sql -q -c "DELETE FROM things WHERE id = ''" -c "DELETE FROM things WHERE id = long('x')"
catch_up
is 'quarantine, of rows that are gone' '' "$(unusable)"

say 'in the log: set aside, and what comes behind it is followed'
source_sql -q -c "INSERT INTO things VALUES ('', 'o')" -c "INSERT INTO things VALUES (long('x'), 'o')" \
    -c "INSERT INTO things VALUES (long('y'), 'o')" -c "UPDATE things SET st = 'l' WHERE id = 'k1'"
catch_up
is 'quarantine' "$empty, $long, $long" "$(unusable)"
is 'names of long keys' 2 "$(names)"
is 'the row is there as it is' 2 "$(stored "SELECT count(DISTINCT new_row->>'id') FROM backstory.follow_quarantine
    WHERE new_row->>'id' IN ($(source_sql -Atc "SELECT quote_literal(long('x')) || ',' || quote_literal(long('y'))"))")"
is 'behind it' locked "$(stored "SELECT state FROM backstory.entity WHERE entity = 'k1'")"

say 'changed, and deleted'
source_sql -q -c "UPDATE things SET st = 'l' WHERE id = ''" -c "UPDATE things SET st = 'l' WHERE id = long('x')"
catch_up
is 'quarantine' "$empty, $long, $long, $empty, $long" "$(unusable)"
is 'names of long keys' 2 "$(names)"
source_sql -q -c "DELETE FROM things WHERE id = long('x')" -c "DELETE FROM things WHERE id = ''"
catch_up
is 'quarantine' "$long" "$(unusable)"
old_and_new_agree

say 'a key that becomes one, or none'
source_sql -q -c "UPDATE things SET id = 'k3' WHERE id = long('y')" -c "UPDATE things SET id = '' WHERE id = 'k2'"
catch_up
is 'quarantine' "$empty" "$(unusable)"
is 'events' 'ThingCreated recorded' "$(events_of k3)"
is 'the one that had it' key-changed "$(aside k2)"
source_sql -q -c "UPDATE things SET id = 'k2' WHERE id = ''"
catch_up
is 'quarantine' '' "$(unusable)$(aside k2)"
old_and_new_agree

say 'no key at all: such rows have no name, and none of them speaks for the others'
source_sql -q -c 'ALTER TABLE things DROP CONSTRAINT things_pkey, ALTER id DROP NOT NULL, REPLICA IDENTITY FULL' \
    -c "INSERT INTO things VALUES (NULL, 'o'), (NULL, 'l')"
none='null-key: the key (id) is NULL'
catch_up
is 'quarantine' "$none, $none" "$(unusable)"
source_sql -q -c "DELETE FROM things WHERE id IS NULL AND st = 'o'" -c "UPDATE things SET id = 'k4' WHERE id IS NULL"
catch_up
is 'quarantine' "$none, $none" "$(unusable)"
is 'the one that has a key now' locked "$(stored "SELECT state FROM backstory.entity WHERE entity = 'k4'")"
catch_up --snapshot-again
is 'quarantine, when all is read again' '' "$(unusable)"
old_and_new_agree
"$BACKSTORY" slots drop backstory_thing --from "$from" --quiet
