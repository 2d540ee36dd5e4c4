#!/bin/sh
# Logs of regions, of tables with a key of two columns: from PostgreSQL and from files the same histories. And a log without an
# index on its entity is said to be slow, with the index that mends it.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
source=dbname=$PGDATABASE
psql -Xq <<'EOF2'
CREATE TABLE orders (shop text, number int, payment_state text, shipment_state text, created_at timestamptz, PRIMARY KEY (shop, number));
-- A payment is due, then paid or void; a shipment pending, then ready, then shipped. Of some the log misses rows.
CREATE TABLE steps AS SELECT (ARRAY['north', 'south'])[1 + i % 2] AS shop, i AS number, r AS namespace, k,
    (CASE r WHEN 'payment' THEN ARRAY['due', 'paid'] ELSE ARRAY['pending', 'ready', 'shipped'] END)[k] AS "to",
    timestamptz '2024-01-01 00:00Z' + i * interval '1 day' + k * interval '1 hour' + (r = 'payment' AND k > 1 AND i % 3 = 0)::int * interval '30 min' AS at
FROM generate_series(1, 60) i, (VALUES ('payment'), ('shipment')) v (r), generate_series(1, 3) k WHERE k <= CASE r WHEN 'payment' THEN 1 + i % 2 ELSE 1 + i % 3 END;
INSERT INTO orders SELECT shop, number, (array_agg("to" ORDER BY k DESC) FILTER (WHERE namespace = 'payment'))[1],
    (array_agg("to" ORDER BY k DESC) FILTER (WHERE namespace = 'shipment'))[1], min(at) FROM steps GROUP BY shop, number;
CREATE TABLE trail (id serial PRIMARY KEY, shop text, order_number int, namespace text, event text, "to" text, created_at timestamptz);
INSERT INTO trail (shop, order_number, namespace, "to", created_at) SELECT shop, number, namespace, "to", at FROM steps WHERE (number + k) % 5 <> 0 ORDER BY at, shop, number, k, namespace;
CREATE TABLE payment_transitions AS SELECT id AS sort_key, shop, order_number, "to" AS to_state, created_at FROM trail WHERE namespace = 'payment';
CREATE TABLE shipment_transitions AS SELECT id AS sort_key, shop, order_number, "to" AS to_state, created_at FROM trail WHERE namespace = 'shipment';
EOF2
cat >order.fsm.json <<'EOF2'
{ "id": "order", "initial": "placed", "creates": [ { "command": "place", "event": "Placed", "target": "placed" } ],
  "events": { "Placed": {}, "Paid": {}, "Packed": {}, "Shipped": {} },
  "states": { "placed": { "type": "parallel", "states": {
    "payment": { "initial": "due", "states": { "due": { "on": { "pay": { "target": "paid", "event": "Paid" } } }, "paid": {} } },
    "shipment": { "initial": "pending", "states": { "pending": { "on": { "pack": { "target": "ready", "event": "Packed" } } },
      "ready": { "on": { "ship": { "target": "shipped", "event": "Shipped" } } }, "shipped": {} } } } } } }
EOF2
mapping() { # LOG
    cat <<EOF2
{ "machine": "order.fsm.json", "source": { "table": "orders", "key": ["shop", "number"] },
  "state": { "regions": {
    "payment": { "column": "payment_state", "values": { "due": "due", "paid": "paid" } },
    "shipment": { "column": "shipment_state", "values": { "pending": "pending", "ready": "ready", "shipped": "shipped" } } } },
  "evidence": [ { "creation": "created_at" } ], "log": $1 }
EOF2
}
each='"preset": "statesman", "entity": ["shop", "order_number"]'
mapping '{ "table": "trail", "preset": "state_machines-audit_trail", "entity": ["shop", "order_number"],
           "region": { "column": "namespace", "values": { "payment": "payment", "shipment": "shipment" } } }' >one.legacy.json
mapping "[ { \"table\": \"payment_transitions\", \"region\": \"payment\", $each },
           { \"table\": \"shipment_transitions\", \"region\": \"shipment\", $each } ]" >two.legacy.json
mkdir files
for table in orders trail payment_transitions shipment_transitions; do
    psql -Xq -c "SET TIME ZONE 'UTC'" -c "\\copy $table TO files/$table.csv CSV HEADER"
done
histories() { # NAME FROM OUT
    "$BACKSTORY" migrate "$1.legacy.json" --from "$2" --to - --quarantine "$3.out" --quiet >"$3.jsonl" 2>"$3.err" || fail "$1 from $2 fails"
    [ ! -s "$3.out" ] || { head -n 3 "$3.out"; fail "$1 from $2 refuses rows"; }
    sed 's/.*"entity":"\([a-z0-9/]*\)".*"type":"\([A-Za-z]*\)".*"occurred_at":"\([^"]*\)".*"basis":"\([a-z]*\)".*/\1 \2 \3 \4/' "$3.jsonl" >"$3.events"
}
for name in one two; do
    histories $name "$source" $name.pg
    histories $name files $name.csv
    cmp $name.pg.events $name.csv.events || fail "$name: other histories from files"
done
cmp one.pg.events two.pg.events || fail 'a log for all regions and one for each give other histories'
[ "$(grep -c . one.pg.events)" = 150 ] || fail "$(grep -c . one.pg.events) events"
[ "$(grep -c ' recorded$' one.pg.events)" -gt 120 ] || fail 'too little is recorded'
[ ! -s one.pg.err ] || { cat one.pg.err; fail 'a small log is said to be slow'; }

# Into a store, in chunks by several workers, and held against the rows again.
createdb "$PGDATABASE-events"
"$BACKSTORY" migrate two.legacy.json --from "$source" --to "dbname=$PGDATABASE-events" --quarantine store.out --jobs 2 --chunk-rows 7 --quiet >store.txt 2>&1 || { cat store.txt; fail 'no store'; }
"$BACKSTORY" compare two.legacy.json --from "$source" --to "dbname=$PGDATABASE-events" --quiet >compare.txt 2>&1 || { cat compare.txt; fail 'the store differs'; }
[ "$(psql -XAtq -d "$PGDATABASE-events" -c "SELECT count(*) FROM backstory.event")" = 150 ] || fail 'other events in the store'
dropdb "$PGDATABASE-events"

# A log that is larger is read by its index, or whole for each row.
psql -Xq <<'EOF2'
INSERT INTO trail (shop, order_number, namespace, "to", created_at) SELECT 'east', i, 'payment', 'due', '2024-01-01 00:00Z' FROM generate_series(1, 20000) i;
EOF2
index=$("$BACKSTORY" plan one.legacy.json --from "$source" --quiet 2>&1 | sed -n 's/^ *hint: \(CREATE INDEX .*\)/\1/p')
[ "$index" = 'CREATE INDEX ON "public"."trail" ("shop", "order_number");' ] || fail "the index that is missing is $index"
"$BACKSTORY" check order.fsm.json one.legacy.json --from "$source" >check.txt 2>&1 || fail 'check fails'
grep -q 'warning: no index of trail finds the rows of one entity.*\[log-without-index\]' check.txt || { cat check.txt; fail 'check says nothing of the log'; }
psql -Xq -c "$index" -c 'ANALYZE trail'
"$BACKSTORY" plan one.legacy.json --from "$source" --quiet >plan.txt 2>&1 || fail 'plan fails'
! grep -q log-without-index plan.txt || fail 'the index is not seen'
sed -i 's/\["shop", "order_number"\]/[{ "sql": "lower(shop)" }, { "sql": "order_number + 0" }]/' one.legacy.json
"$BACKSTORY" plan one.legacy.json --from "$source" --quiet 2>&1 | sed -n 's/^ *hint: \(CREATE INDEX .*\)/\1/p' >index.sql
psql -Xq -f index.sql -c 'ANALYZE trail'
[ -s index.sql ] || fail 'an index over expressions is not asked for'
! "$BACKSTORY" plan one.legacy.json --from "$source" --quiet 2>&1 | grep log-without-index || fail 'the index over expressions is not seen'
