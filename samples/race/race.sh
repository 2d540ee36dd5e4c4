#!/bin/sh
# Many clients deposit 15 and withdraw 20 at the same account, each by read, modify, write. Money is lost; nobody notices.
# Then `backstory follow` reads the log, and names the transactions that lost it. Two private, throw-away servers.
# BACKSTORY is the program; CLIENTS and ROUNDS ask for another number of clients, and of transactions of each.
set -eu
cd "$(dirname "$0")/../.."

clients=${CLIENTS:-8} rounds=${ROUNDS:-25}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bst-race.XXXXXX")
cluster() {
    tests/support/pg-cluster.sh "$@"
}
clean_up() {
    cluster stop "$scratch/old" || :
    cluster stop "$scratch/new" || :
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 129' HUP INT TERM
step() {
    printf '\n=== %s\n' "$*"
}

step 'An old system with one account of 1000.00, and a server for the store'
cluster start "$scratch/old" --while $$ --logical
cluster start "$scratch/new" --while $$
from="host=$(cat "$scratch/old/cluster") user=backstory dbname=postgres"
to="host=$(cat "$scratch/new/cluster") user=backstory dbname=postgres"
# shellcheck source=/dev/null
. "$scratch/old/env"
old() {
    psql -X -d "$from" "$@"
}
follow() {
    "$BACKSTORY" follow samples/race/account.legacy.json --from "$from" --to "$to" --until now \
        --ledger public.transfers:account_id:amount:balance
}
old -q -f samples/race/accounts.sql
follow

step "$clients clients, each $rounds times: +15 or -20"
pgbench -n -c "$clients" -t "$rounds" -f samples/race/deposit.sql -f samples/race/withdraw.sql 2>/dev/null |
    grep 'actually processed'
old -c "SELECT 1000 + sum(amount) AS expected, balance, 1000 + sum(amount) - balance AS lost
        FROM accounts JOIN transfers ON account_id = accounts.id GROUP BY balance"

step 'What the log shows'
follow
"$BACKSTORY" races --from "$to" --limit 5

step 'Is that all of it?'
expected=$(old -Atc "SELECT 1000 + sum(amount) - balance FROM accounts JOIN transfers ON account_id = accounts.id GROUP BY balance")
proved=$(psql -X -d "$to" -Atc "SELECT coalesce(sum(lost), 0) FROM backstory.follow_race WHERE proof = 'ledger'")
echo "missing in the account: $expected; lost by the transactions named: $proved"
[ "$expected" = "$proved" ] || exit 1
named=$(psql -X -d "$to" -Atc "SELECT count(*) FROM backstory.follow_race WHERE proof = 'ledger' AND overwrote <> '{}'")
"$BACKSTORY" compare samples/race/account.legacy.json --from "$from" --to "$to" --quiet >/dev/null || exit 1
[ "$named" -gt 0 ] || { echo 'no race has happened; try more clients'; exit 1; }
