#!/bin/sh
# What proves a lost update, and what only looks like it: versions of rows that go back, stay, or begin anew.
set -eu

# shellcheck disable=SC2034 # follow.sh has these
mapping=$SAMPLES/race/account.legacy.json
# shellcheck disable=SC2034
from='' to='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

source_sql -q -f "$SAMPLES/race/accounts.sql"
source_sql -q -c 'ALTER TABLE accounts ADD version integer NOT NULL DEFAULT 0'
follow_all() {
    catch_up --version-column version
}
# A transaction of the old system for each argument.
transactions() {
    for sql in "$@"; do
        source_sql -q -1 -c "$sql"
    done
}
# What is told of an entity, with how many transactions it undid.
told() {
    stored "SELECT string_agg(concat_ws(' ', kind, proof, field, seen, found, wrote, lost, 'undid', cardinality(overwrote)), ', ' ORDER BY lsn, field)
            FROM backstory.follow_race WHERE key = '$1'"
}
source_sql -q -c 'INSERT INTO accounts (id, balance) SELECT i, 10 FROM generate_series(2, 60) AS i'
follow_all

say 'a version that goes back is a lost update'
transactions 'UPDATE accounts SET balance = 11, version = 1 WHERE id = 2' 'UPDATE accounts SET balance = 12, version = 2 WHERE id = 2' \
    'UPDATE accounts SET balance = 5, version = 1 WHERE id = 2'
for version in 1 2 3; do
    transactions "UPDATE accounts SET version = $version WHERE id = 3"
done
transactions 'UPDATE accounts SET balance = 9 WHERE id = 3; UPDATE accounts SET version = 2 WHERE id = 3; UPDATE accounts SET version = 3 WHERE id = 3'
follow_all
is 'of 2' 'lost-update version (version) 0 2 1 undid 1' "$(told 2)"
is 'of 3' 'lost-update version (version) 1 3 2 undid 1' "$(told 3)"

say 'a version that another start saw set'
transactions 'UPDATE accounts SET balance = 12, version = 2 WHERE id = 4'
follow_all
transactions "UPDATE accounts SET balance = 13 WHERE id = 4" # leaves it alone: it is not whose work is lost
transactions 'UPDATE accounts SET balance = 14, version = 1 WHERE id = 4'
follow_all
is 'of 4' 'lost-update version (version) 0 2 1 undid 1' "$(told 4)"
setter=$(stored "SELECT overwrote[1] FROM backstory.follow_race WHERE key = '4'")
is 'how far the setter is behind' 2 "$(stored "SELECT xid - $setter FROM backstory.follow_race WHERE key = '4'")"

say 'what proves nothing: a version that stays, jumps, or begins anew, and what a transaction does to its own work'
transactions 'UPDATE accounts SET balance = 11 WHERE id = 5' 'UPDATE accounts SET balance = 12, version = 1 WHERE id = 5' \
    'UPDATE accounts SET balance = 13 WHERE id = 5' 'UPDATE accounts SET balance = 14, version = 1 WHERE id = 5'
transactions 'UPDATE accounts SET balance = 11, version = version + 2 WHERE id = 6'
transactions 'UPDATE accounts SET version = 7 WHERE id = 7' 'UPDATE accounts SET version = 0 WHERE id = 7'
transactions 'UPDATE accounts SET balance = 11, version = version + 1 WHERE id = 8; UPDATE accounts SET balance = 12 WHERE id = 8' \
    'UPDATE accounts SET balance = 13, version = version + 2 WHERE id = 8; UPDATE accounts SET version = version - 1 WHERE id = 8'
follow_all
for id in 5 6 7 8; do
    is "of $id" '' "$(told $id)"
done
