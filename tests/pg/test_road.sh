#!/bin/sh
# The whole road on PostgreSQL: the same events as from files, one changed amount found, and what goes wrong said well.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"

mapping=$SAMPLES/payment/payment.legacy.json
machine=$SAMPLES/payment/payment.fsm.json
source=dbname=$PGDATABASE
psql -Xq -v rows=2000 -f "$SAMPLES/payment/legacy.sql"

say 'from PostgreSQL and from its CSV come the same events, and the same rows are put aside'
psql -Xqc '\copy (SELECT * FROM payments ORDER BY random()) TO payments.csv CSV HEADER'
"$BACKSTORY" migrate "$mapping" --from "$source" --to pg.jsonl --quiet
"$BACKSTORY" migrate "$mapping" --from payments.csv --to csv.jsonl --quiet
cmp pg.jsonl csv.jsonl
aside='s/.*"key":\([^,]*\),"code":\("[^"]*"\).*/\1 \2/'
sed "$aside" pg.quarantine.jsonl | sort >pg.aside
sed "$aside" csv.quarantine.jsonl | sort >csv.aside
cmp pg.aside csv.aside
[ "$(wc -l <pg.aside)" -gt 5 ] || fail 'the sample has too few dirty rows for this test'

say 'the sample of the tree is what its script makes'
psql -Xqc '\copy (SELECT * FROM payments ORDER BY id NULLS FIRST) TO sample.csv CSV HEADER'
cmp sample.csv "$SAMPLES/payment/payments.csv"

say 'into PostgreSQL go the same events'
createdb "$PGDATABASE-events"
trap 'dropdb "$PGDATABASE-events"' EXIT
sink="dbname=$PGDATABASE-events"
"$BACKSTORY" migrate "$mapping" --from "$source" --to "$sink" --quiet --quarantine aside.jsonl
psql -X -d "$PGDATABASE-events" -At >store.txt <<'EOF'
SELECT id, machine, entity, version, type, data::jsonb, state, command, occurred_at,
       lower(occurred_between), upper(occurred_between), basis, confidence, source
FROM backstory.event ORDER BY entity COLLATE "C", version
EOF
psql -X -d "$PGDATABASE-events" -Atc 'CREATE TEMP TABLE line (n serial, j jsonb)' \
    -c "\\copy line (j) FROM pg.jsonl WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')" \
    -c "SELECT j->>'id', j->>'machine', j->>'entity', j->>'version', j->>'type', j->'data', j->>'state', j->>'command',
        (j->>'occurred_at')::timestamptz, (j->'occurred_between'->>0)::timestamptz, (j->'occurred_between'->>1)::timestamptz,
        j->>'basis', j->>'confidence', j->>'source' FROM line ORDER BY n" | grep '|' >file.txt
diff file.txt store.txt >differences.txt || { head differences.txt; fail 'the store holds other events than the file'; }
[ "$(wc -l <store.txt)" -gt 5000 ] || fail 'there are too few events'

say 'comparing finds them equal, with the rows put aside known'
expect 0 '0 different' "$BACKSTORY" compare "$mapping" --from "$source" --to "$sink" --quarantine aside.jsonl
expect 0 '8 quarantined' "$BACKSTORY" compare "$mapping" --from "$source" --to "$sink" --quarantine none.jsonl # the store knows

say 'a second run adds nothing'
expect 0 'nothing was done' "$BACKSTORY" migrate "$mapping" --from "$source" --to "$sink" --quarantine aside2.jsonl
[ "$(psql -X -d "$PGDATABASE-events" -Atc 'SELECT count(*) FROM backstory.event')" = "$(wc -l <pg.jsonl)" ] ||
    fail 'the second run left something behind'
cmp aside.jsonl aside2.jsonl

say 'one amount changed behind our back is found, and only that'
psql -Xqc "UPDATE payments SET amount = amount + 0.01 WHERE id = 1001"
expect 1 '1001  amount:' "$BACKSTORY" compare "$mapping" --from "$source" --to "$sink" --quarantine aside.jsonl
grep -q ' 1 different' out.txt || fail 'not exactly one difference'
[ "$(grep -c 'in the row' out.txt)" = 1 ] || fail 'not exactly one field'
psql -Xqc "UPDATE payments SET amount = amount - 0.01 WHERE id = 1001"

say 'history answers from the store'
expect 0 'payment 42 is captured' "$BACKSTORY" history "$machine" 42 --from "$sink"
expect 1 'no history' "$BACKSTORY" history "$machine" nobody --from "$sink"

say 'what is not there is said, with a hint'
sed 's/public.payments/public.paymens/' "$mapping" >typo.legacy.json
cp "$machine" .
expect 3 'Did you mean "public.payments"?' "$BACKSTORY" plan typo.legacy.json --from "$source"
sed 's/"captured_at"/"captured_on"/' "$mapping" >typo.legacy.json
expect 1 'Did you mean "captured_at"?' "$BACKSTORY" plan typo.legacy.json --from "$source"
expect 3 'no_such_database' "$BACKSTORY" plan "$mapping" --from dbname=no_such_database

say 'naive timestamps want a zone'
psql -Xq -c "CREATE TABLE naive AS SELECT * FROM payments WHERE id <= 100" \
    -c "ALTER TABLE naive ALTER created_at TYPE timestamp"
sed 's/public.payments/public.naive/' "$mapping" >naive.legacy.json
expect 1 'naive-timestamp' "$BACKSTORY" plan naive.legacy.json --from "$source"
sed 's/"key": "id",/"key": "id", "zone": "UTC",/' naive.legacy.json >zoned.legacy.json
"$BACKSTORY" migrate zoned.legacy.json --from "$source" --to zoned.jsonl --quiet
grep -E '"entity":"([1-9]|[1-9][0-9]|100)",' pg.jsonl | sed 's/"source":"payments/"source":"naive/' | cmp - zoned.jsonl

say 'a table without a unique key: all rows of a key that repeats are put aside'
psql -Xq -c "INSERT INTO naive SELECT * FROM naive WHERE id = 3"
"$BACKSTORY" migrate zoned.legacy.json --from "$source" --to double.jsonl --quiet
[ "$(grep -c '"key":"3","code":"duplicate-key"' double.quarantine.jsonl)" = 2 ] || fail 'duplicates were not put aside'
! grep -q '"entity":"3",' double.jsonl || fail 'a duplicate was migrated'

say 'other types than the mapping asks for: text, enum, money, date, composite and uuid keys'
psql -Xq <<'EOF'
CREATE TYPE status AS ENUM ('NEW', 'DONE');
CREATE TABLE odd (
    tenant text, ref uuid, status status, amount money, created timestamp, done date, PRIMARY KEY (tenant, ref));
INSERT INTO odd VALUES ('a/b', '11111111-2222-3333-4444-555555555555', 'NEW', 12.5, '2024-01-01 10:00', NULL),
    ('100%', 'AAAAAAAA-2222-3333-4444-555555555555', 'DONE', 0.01, '2024-01-01 10:00', '2024-01-02');
EOF
cat >odd.fsm.json <<'EOF'
{ "id": "odd", "fields": { "amount": "decimal(12,2)" }, "initial": "new",
  "events": { "OddCreated": { "fields": { "amount": "decimal(12,2)" } }, "OddFinished": {} },
  "states": { "new": { "on": { "finish": "done" } }, "done": { "type": "final" } } }
EOF
cat >odd.legacy.json <<'EOF'
{ "machine": "odd.fsm.json", "source": { "table": "odd", "key": ["tenant", "ref"], "zone": "Europe/Copenhagen" },
  "state": { "column": "status", "values": { "NEW": "new", "DONE": "done" } }, "fields": { "amount": "amount" },
  "evidence": [ { "creation": "created" }, { "state": "done", "at": "done" } ] }
EOF
"$BACKSTORY" migrate odd.legacy.json --from "$source" --to odd.jsonl --quiet
grep -q '"entity":"a%2Fb/11111111-2222-3333-4444-555555555555",.*"amount":"12.50".*"occurred_at":"2024-01-01T09:00:00Z"' odd.jsonl ||
    { cat odd.jsonl; fail 'the odd table is not read right'; }
grep -q '"entity":"100%25/aaaaaaaa-2222-3333-4444-555555555555",.*"occurred_at":"2024-01-01T23:00:00Z"' odd.jsonl ||
    { cat odd.jsonl; fail 'a date is not read as midnight of its zone'; }
"$BACKSTORY" compare odd.legacy.json --from "$source" --to odd.jsonl --quiet >compared.txt || { cat compared.txt; fail 'odd differs'; }

say 'a role that may only read is enough; rows that row security would hide are an error'
psql -Xq -c "CREATE ROLE bst_reader LOGIN" -c "GRANT SELECT ON payments TO bst_reader" 2>/dev/null || :
"$BACKSTORY" plan "$mapping" --from "$source user=bst_reader" --quiet >plan.txt || { cat plan.txt; fail 'a read-only role is not enough'; }
psql -Xq -c "ALTER TABLE payments ENABLE ROW LEVEL SECURITY"
expect 3 'row-level security' "$BACKSTORY" plan "$mapping" --from "$source user=bst_reader"
psql -Xq -c "DROP OWNED BY bst_reader" -c "DROP ROLE bst_reader"
