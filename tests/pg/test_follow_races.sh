#!/bin/sh
# What proves a lost update, and what only looks like it: versions of rows that go back, stay, or begin anew; all that a
# transaction does to the old system's ledger.
set -eu

# shellcheck disable=SC2034 # follow.sh has these
mapping=$SAMPLES/race/account.legacy.json
# shellcheck disable=SC2034
from='' to='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

source_sql -q -f "$SAMPLES/race/accounts.sql"
source_sql -q -c 'ALTER TABLE accounts ADD version integer NOT NULL DEFAULT 0'
follow_versions() {
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
follow_versions

say 'a version that goes back is a lost update'
transactions 'UPDATE accounts SET balance = 11, version = 1 WHERE id = 2' 'UPDATE accounts SET balance = 12, version = 2 WHERE id = 2' \
    'UPDATE accounts SET balance = 5, version = 1 WHERE id = 2'
for version in 1 2 3; do
    transactions "UPDATE accounts SET version = $version WHERE id = 3"
done
transactions 'UPDATE accounts SET balance = 9 WHERE id = 3; UPDATE accounts SET version = 2 WHERE id = 3; UPDATE accounts SET version = 3 WHERE id = 3'
follow_versions
is 'of 2' 'lost-update version (version) 0 2 1 undid 1' "$(told 2)"
is 'of 3' 'lost-update version (version) 1 3 2 undid 1' "$(told 3)"

say 'a version that another start saw set'
transactions 'UPDATE accounts SET balance = 12, version = 2 WHERE id = 4'
follow_versions
transactions "UPDATE accounts SET balance = 13 WHERE id = 4" # leaves it alone: it is not whose work is lost
transactions 'UPDATE accounts SET balance = 14, version = 1 WHERE id = 4'
follow_versions
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
follow_versions
for id in 5 6 7 8; do
    is "of $id" '' "$(told $id)"
done

say 'a ledger: all that a transaction does to it counts, and not only what it inserts'
source_sql -q -c 'ALTER TABLE transfers REPLICA IDENTITY FULL'
follow_ledger() {
    catch_up --ledger public.transfers:account_id:amount:balance
}
# entry ID AMOUNT, and so on: SQL.
entry() {
    echo "INSERT INTO transfers (account_id, amount) VALUES ($1, $2);"
}
balance() {
    echo "UPDATE accounts SET balance = $2 WHERE id = $1;"
}
own() { # the transfers of ID and AMOUNT
    echo "account_id = $1 AND amount = $2"
}
follow_ledger # publishes it
# The log has not described the ledger yet when the first of these comes.
transactions "$(balance 20 12)" "$(entry 20 5) $(balance 20 17)"
transactions "$(entry 21 4) UPDATE transfers SET amount = 6 WHERE $(own 21 4); $(balance 21 16)" \
    "$(entry 22 4) $(entry 22 5) DELETE FROM transfers WHERE $(own 22 5); $(balance 22 14)" \
    "$(entry 23 4) $(entry 24 -4) $(balance 23 14) $(balance 24 6)" \
    "UPDATE transfers SET account_id = 24 WHERE $(own 23 4); $(balance 23 10) $(balance 24 10)" \
    "DELETE FROM transfers WHERE $(own 24 4); $(balance 24 6)" \
    "$(entry 25 4) DELETE FROM transfers WHERE account_id = 25; $(balance 25 99)" \
    "$(entry 26 4) TRUNCATE transfers; $(entry 26 5) $(balance 26 15)" \
    "INSERT INTO accounts (id, balance) VALUES (61, 100); $(entry 61 100) $(entry 61 50) $(balance 61 150)" \
    "$(entry 27 2) $(balance 27 12)" \
    "$(entry 27 4) $(balance 27 16) DELETE FROM transfers WHERE account_id = 27; DELETE FROM accounts WHERE id = 27" \
    "INSERT INTO accounts (id, balance) VALUES (62, 1); UPDATE accounts SET id = 63 WHERE id = 28; UPDATE accounts SET id = 28 WHERE id = 62;
     $(entry 28 3) $(balance 28 5)"
follow_ledger
is 'of those that lost nothing' '' "$(stored "SELECT string_agg(key, ', ') FROM backstory.follow_race WHERE proof = 'ledger'")"

say 'and what does not fit it is lost, each with its own sum'
transactions "$(entry 30 5) $(entry 31 -2) $(balance 30 15) $(balance 31 8)" \
    "$(entry 30 7) UPDATE transfers SET amount = 3 WHERE $(own 30 7); $(entry 31 -3) $(balance 30 13) $(balance 31 5)" \
    "DELETE FROM transfers WHERE $(own 31 -3); $(balance 31 11)"
follow_ledger
is 'of 30' 'lost-update ledger balance 10.00 15.00 13.00 5.00 undid 1' "$(told 30)"
is 'of 31' 'lost-update ledger balance 8.00 5.00 11.00 -3.00 undid 1' "$(told 31)"
is 'lost in all' 2.00 "$("$BACKSTORY" races --from "$to" | awk '$1 == "lost-update" && $3 == "ledger" { print $6 }')"

say 'without old images a changed entry proves nothing, nor does its transaction; one that only inserts still does'
source_sql -q -c 'ALTER TABLE transfers REPLICA IDENTITY DEFAULT'
transactions "$(entry 40 4) UPDATE transfers SET amount = 6 WHERE account_id = 40; $(balance 40 16)" \
    "$(entry 41 4) $(entry 41 5) DELETE FROM transfers WHERE $(own 41 5); $(balance 41 14)" \
    "$(entry 42 5) $(balance 42 15)" "$(entry 42 1) $(balance 42 11)"
follow_ledger
is 'of 40, 41' '' "$(told 40)$(told 41)"
is 'of 42' 'lost-update ledger balance 10.00 15.00 11.00 5.00 undid 1' "$(told 42)"
