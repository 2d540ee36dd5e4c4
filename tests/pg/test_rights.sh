#!/bin/sh
# No superuser anywhere: a role that may read one table, one that may make a store, one that may append to it, one that may read
# it; and none of them can change what has happened.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
# refused DATABASE ROLE SQLSTATE SQL
refused() {
    if psql -XqAt "dbname=$1 user=$2" -v VERBOSITY=verbose -c "$4" >out.txt 2>&1; then
        fail "$2 may: $4"
    fi
    grep -q "ERROR:  $3:" out.txt || { cat out.txt; fail "$2 is not refused with $3: $4"; }
}
mapping=$SAMPLES/payment/payment.legacy.json
psql -Xq -v rows=2000 -f "$SAMPLES/payment/legacy.sql"
psql -Xq -v ON_ERROR_STOP=1 <<SQL 2>made.txt
DROP ROLE IF EXISTS rights_source, rights_owner, rights_loader, rights_reader;
CREATE ROLE rights_source LOGIN;
CREATE ROLE rights_owner LOGIN CREATEROLE;
CREATE ROLE rights_loader LOGIN;
CREATE ROLE rights_reader LOGIN;
GRANT SELECT ON payments TO rights_source;
ALTER ROLE rights_source SET default_transaction_read_only = on;
DROP DATABASE IF EXISTS rights_store;
CREATE DATABASE rights_store;
GRANT CREATE ON DATABASE rights_store TO rights_owner;
SQL
source="dbname=$PGDATABASE user=rights_source"

say 'plan, migrate, verify and compare with these roles alone'
"$BACKSTORY" plan "$mapping" --from "$source" --quiet >plan.txt
"$BACKSTORY" migrate "$mapping" --from "$source" --to "dbname=rights_store user=rights_owner" --jobs 2 --verify --quarantine q.jsonl \
    >out.txt
grep -q '^verified: ' out.txt || { cat out.txt; fail 'not verified'; }
psql -Xq "dbname=rights_store user=rights_owner" -c 'GRANT backstory_appender TO rights_loader' \
    -c 'GRANT backstory_reader TO rights_reader' 2>grant.txt || psql -Xq -d rights_store \
    -c 'GRANT backstory_appender TO rights_loader' -c 'GRANT backstory_reader TO rights_reader'
"$BACKSTORY" compare "$mapping" --from "$source" --to "dbname=rights_store user=rights_reader" --quarantine q.jsonl --quiet >out.txt

say 'a loader who does not own the store'
sed 's/"id": "payment"/"id": "remittance"/; s/"Payment/"Remittance/g' "$SAMPLES/payment/payment.fsm.json" >remittance.fsm.json
sed 's/payment.fsm.json/remittance.fsm.json/; s/"Payment/"Remittance/g' "$mapping" >remittance.legacy.json
"$BACKSTORY" migrate remittance.legacy.json --from "$source" --to "dbname=rights_store user=rights_loader" --verify --quarantine r.jsonl \
    >out.txt
grep -q '^verified: ' out.txt || { cat out.txt; fail 'not verified'; }

say 'nobody changes what has happened'
for table in segment plan run machine machine_version manifest; do
    for role in rights_loader rights_reader; do
        refused rights_store $role 42501 "DELETE FROM backstory.$table"
        refused rights_store $role 42501 "TRUNCATE backstory.$table CASCADE"
        refused rights_store $role 42501 "UPDATE backstory.$table SET $(psql -XAtqd rights_store -c "SELECT attname || ' = NULL'
            FROM pg_attribute WHERE attrelid = 'backstory.$table'::regclass AND attnum = (SELECT relnatts FROM pg_class WHERE oid = attrelid)")"
    done
    refused rights_store rights_owner BST02 "DELETE FROM backstory.$table"
    refused rights_store rights_owner BST02 "TRUNCATE backstory.$table CASCADE"
done
refused rights_store rights_owner BST02 "UPDATE backstory.segment SET data = '[]'"
refused rights_store rights_loader 42501 "UPDATE backstory.segment SET data = '[]'"
refused rights_store rights_loader 42501 'DELETE FROM backstory.load'
for table in load chunk snapshot quarantine; do
    for role in rights_owner "$PGUSER"; do
        refused rights_store "$role" BST02 "DELETE FROM backstory.$table"
        refused rights_store "$role" BST02 "UPDATE backstory.$table SET run_id = run_id"
        refused rights_store "$role" BST02 "TRUNCATE backstory.$table CASCADE"
    done
done
refused rights_store rights_loader BST02 'UPDATE backstory.load SET finished_at = now()'
refused rights_store rights_loader BST02 "UPDATE backstory.chunk SET figures = '{}'"
refused rights_store rights_loader 42501 'DELETE FROM backstory.quarantine'
refused rights_store rights_reader 42501 'SELECT backstory.withdraw_load(max(run_id)) FROM backstory.load'
refused rights_store rights_loader 42501 'ALTER TABLE backstory.segment DISABLE TRIGGER append_only'
refused rights_store rights_reader 42501 "INSERT INTO backstory.machine (name) VALUES ('x')"
refused rights_store rights_reader 42501 "SELECT backstory.append('payment', '1', NULL, NULL, '[{\"type\": \"X\", \"state\": \"y\"}]')"
refused "$PGDATABASE" rights_source 25006 "DELETE FROM payments"

say 'a role that may read the columns of the mapping, and no others'
psql -Xq -c 'CREATE ROLE rights_columns LOGIN' -c 'GRANT SELECT (id, status, amount, currency, captured_cents, refunded_amount,
    refund_count, failure_reason, created_at, challenged_at, authorized_at, captured_at, refunded_at, closed_at, updated_at,
    deleted_at) ON payments TO rights_columns'
for turn in first second; do
    "$BACKSTORY" compare "$mapping" --from "dbname=$PGDATABASE user=rights_columns" --to "dbname=rights_store user=rights_reader" \
        --quarantine q.jsonl --since "$PWD/since.json" --quiet >"$turn.txt" 2>&1 || { cat "$turn.txt"; fail "cannot compare: $turn"; }
done
grep -q '^0 of [0-9,]* chunks were read' second.txt || { cat second.txt; fail 'what has not changed was read'; }

say 'what this role may not read is nowhere, not even in quarantine'
psql -Xq -c 'DROP DATABASE IF EXISTS rights_few' -c 'CREATE DATABASE rights_few' 2>made.txt
"$BACKSTORY" migrate "$mapping" --from "dbname=$PGDATABASE user=rights_columns" --to dbname=rights_few --manifest m.json \
    --quarantine few.jsonl --quiet
[ "$(psql -XAtqd rights_few -c 'SELECT count(*) > 0 FROM backstory.quarantine')" = t ] || fail 'nothing was put aside'
psql -XAtqd rights_few -c 'SELECT line FROM backstory.quarantine' | cat - few.jsonl >lines.txt
grep -q '"currency":' lines.txt || { cat lines.txt; fail 'the row is not there'; }
! grep -q '"reference"' lines.txt || { cat lines.txt; fail 'a column that may not be read is in quarantine'; }
python3 -c 'import json; print(json.load(open("m.json"))["recount"]["source"])' >source.sql
psql -XAtq "dbname=$PGDATABASE user=rights_columns" -v ON_ERROR_STOP=1 -f source.sql >source.txt
[ -s source.txt ] || fail 'this role cannot recount'
psql -Xq -c 'DROP DATABASE rights_few'

say 'a role that may not read says so, and what to do'
got=0
"$BACKSTORY" status --from 'dbname=rights_store user=rights_source' >out.txt 2>&1 || got=$?
[ "$got" = 3 ] || { cat out.txt; fail "exit status $got instead of 3"; }
grep -q 'hint: Grant this role backstory_reader' out.txt || { cat out.txt; fail 'does not say what to do'; }
got=0
"$BACKSTORY" plan "$mapping" --from "dbname=$PGDATABASE user=rights_reader" --quiet >out.txt 2>&1 || got=$?
[ "$got" = 3 ] || { cat out.txt; fail "exit status $got instead of 3"; }
grep -q 'permission denied' out.txt || { cat out.txt; fail 'does not say why'; }

psql -Xq -c 'DROP DATABASE rights_store' -c 'DROP OWNED BY rights_source, rights_columns' -c 'DROP ROLE rights_columns, rights_source, rights_loader, rights_reader, rights_owner'
