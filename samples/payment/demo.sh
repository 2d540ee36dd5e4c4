#!/bin/sh
# The road from a status column to event histories, on a table of 120,000 payments in a private, throw-away PostgreSQL.
# `./dev demo` builds and runs it. BACKSTORY is the program; ROWS asks for another number of payments.
set -eu
cd "$(dirname "$0")/../.."

rows=${ROWS:-120000}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bst-demo.XXXXXX")
cluster() {
    tests/support/pg-cluster.sh "$@"
}
clean_up() {
    cluster stop "$scratch/pg" || :
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 129' HUP INT TERM

# Shows a command as one would type it, and runs it.
run() {
    printf '\n$ %s\n' "$*"
    "$@"
}
backstory() {
    "$BACKSTORY" "$@"
}
step() {
    printf '\n=== %s\n' "$*"
}
now() {
    date +%s
}

started=$(now)
step "A private PostgreSQL, and in it a legacy table: $rows payments, a status column, no history"
cluster start "$scratch/pg" --with-parent
# shellcheck source=/dev/null
. "$scratch/pg/env"
export PGHOST PGPORT PGUSER PGDATABASE
psql -Xqc 'CREATE DATABASE shop' -c 'CREATE DATABASE events'
psql -Xq -d shop -v rows="$rows" -f samples/payment/legacy.sql
psql -X -d shop -c "SELECT id, status, amount, currency, captured_cents, authorized_at, captured_at, closed_at FROM payments WHERE id IN (3, 50, 96) ORDER BY id"
loaded=$(now)

step '1. Check the machine, and what the mapping can recover'
run backstory check samples/payment/payment.fsm.json samples/payment/payment.legacy.json

step '2. Compile it: C and a diagram'
run backstory compile samples/payment/payment.fsm.json -o "$scratch/gen" --emit c,mermaid,dot

step '3. Plan: which histories would the rows get, and how sure are they?'
run backstory plan samples/payment/payment.legacy.json --from dbname=shop

step '4. Migrate: the histories go into an event store'
run backstory migrate samples/payment/payment.legacy.json --from dbname=shop --to dbname=events \
    --quarantine "$scratch/quarantine.jsonl" --verify
migrated=$(now)

step '5. Compare: fold every history and hold it against its row'
run backstory compare samples/payment/payment.legacy.json --from dbname=shop --to dbname=events \
    --quarantine "$scratch/quarantine.jsonl"

step '6. Why is this payment in this state?'
run backstory history samples/payment/payment.fsm.json 96 --from dbname=events

step '7. A row that has no possible history is not bent: it is put aside, with the reason'
head -n 1 "$scratch/quarantine.jsonl"

step 'Figures'
psql -X -d events -At -F ' ' <<'EOF'
SELECT 'histories', count(DISTINCT entity), 'events', count(*) FROM backstory.event;
SELECT 'store on disk', pg_size_pretty(pg_database_size(current_database()) - pg_database_size('template1'));
EOF
psql -X -d events -c "SELECT type, count(*) AS events, min(occurred_at)::date AS first, max(occurred_at)::date AS last,
       count(*) FILTER (WHERE basis = 'recorded') AS recorded, count(*) FILTER (WHERE basis = 'implied') AS implied,
       count(*) FILTER (WHERE basis = 'assumed') AS assumed FROM backstory.event GROUP BY type ORDER BY 2 DESC"
printf 'seconds: %s to make the table, %s from check to migrate, %s in all\n' \
    $((loaded - started)) $((migrated - loaded)) $(($(now) - started))
