#!/bin/sh
# A log in PostgreSQL as evidence: from the tables of each well-known library come the same histories.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
source=dbname=$PGDATABASE
psql -Xq <<'EOF2'
-- One line for each step: the state before, the state after.
CREATE VIEW steps AS SELECT i, k, w[k - 1] AS f, w[k] AS t, timestamptz '2024-01-01 00:00Z' + i * interval '1 hour' + k * interval '7 min' AS at
FROM (SELECT i, (ARRAY[ARRAY['new', 'active', 'done'], ARRAY['new', 'done', 'active'], ARRAY['new', 'done', 'new']])[1 + i % 3 : 1 + i % 3] AS m
    FROM generate_series(1, 30) i) x, LATERAL (SELECT ARRAY(SELECT unnest(m)) AS w) y, generate_series(1, 3) k;
CREATE TABLE bill AS SELECT i AS id, max(t) FILTER (WHERE k = 3) AS state, min(at) AS created_at FROM steps GROUP BY i;

CREATE SCHEMA other;
CREATE TABLE other.bill_transitions (id serial PRIMARY KEY, bill_id int, to_state text, sort_key int, most_recent bool, created_at timestamp);
INSERT INTO other.bill_transitions (bill_id, to_state, sort_key, created_at)
SELECT i, t, k * 10, at AT TIME ZONE 'UTC' FROM steps ORDER BY md5(i::text || k);
CREATE TABLE "Trail" (id serial PRIMARY KEY, bill_id bigint, namespace text, event text, "from" text, "to" text, created_at timestamp);
INSERT INTO "Trail" (bill_id, "to", created_at) SELECT i, t, at AT TIME ZONE 'UTC' FROM steps;
CREATE TABLE django_fsm_log_statelog (id serial, timestamp timestamptz, state text, transition text, content_type_id int, object_id int);
INSERT INTO django_fsm_log_statelog (timestamp, state, content_type_id, object_id) SELECT at, t, 7, i FROM steps
UNION ALL SELECT at, 'elsewhere', 8, i FROM steps;
CREATE TABLE app_historicalbill (id int, state text, history_id serial, history_date timestamptz, history_type char(1));
INSERT INTO app_historicalbill (id, state, history_date) SELECT i, t, at FROM steps ORDER BY i, k;
INSERT INTO app_historicalbill (id, state, history_date) SELECT id, state, '2024-02-02 00:00Z' FROM bill;
CREATE TABLE versions (id serial, item_type text, item_id varchar, event text, object text, object_changes text, created_at timestamp);
INSERT INTO versions (item_type, item_id, object_changes, created_at)
SELECT 'Bill', i, json_build_object('state', json_build_array(f, t))::text, at AT TIME ZONE 'UTC' FROM steps
UNION ALL SELECT 'Bill', i, '{"note": [null, "x"]}', at AT TIME ZONE 'UTC' FROM steps
UNION ALL SELECT 'Person', i, '{"state": [null, "x"]}', at AT TIME ZONE 'UTC' FROM steps;
CREATE EXTENSION hstore;
CREATE SCHEMA audit;
CREATE TABLE audit.logged_actions (event_id bigserial, action_tstamp_clk timestamptz, action text, row_data hstore, changed_fields hstore);
INSERT INTO audit.logged_actions (action_tstamp_clk, action, row_data, changed_fields)
SELECT at, CASE k WHEN 1 THEN 'I' ELSE 'U' END, hstore(ARRAY['id', i::text, 'state', coalesce(f, t)]),
    CASE WHEN k > 1 THEN hstore('state', t) END FROM steps ORDER BY i, k;
INSERT INTO audit.logged_actions (action_tstamp_clk, action, row_data, changed_fields)
SELECT '2024-02-02 00:00Z', 'U', hstore(ARRAY['id', id::text, 'state', state]), 'note=>x' FROM bill;
CREATE TABLE audit.record_version (id bigserial, record_id uuid, op text, ts timestamptz, record jsonb, old_record jsonb);
INSERT INTO audit.record_version (op, ts, record) SELECT 'UPDATE', at, jsonb_build_object('id', i, 'state', t) FROM steps ORDER BY i, k;
CREATE TABLE bill_history AS SELECT i AS id, t AS state, tstzrange(at, at + interval '1 min') AS sys_period FROM steps WHERE k < 3;
EOF2
cat >bill.fsm.json <<'EOF2'
{ "id": "bill", "events": { "Opened": {}, "Started": {}, "Finished": {}, "Reset": {} }, "initial": "new",
  "creates": [ { "command": "open", "event": "Opened", "target": "new" } ],
  "states": { "new": { "on": { "start": { "target": "active", "event": "Started" }, "finish": { "target": "done", "event": "Finished" } } },
              "active": { "on": { "finish": { "target": "done", "event": "Finished" } } },
              "done": { "on": { "start": { "target": "active", "event": "Started" }, "reset": { "target": "new", "event": "Reset" } } } } }
EOF2
# try NAME LOG: the histories, in NAME.events; those of the first are what the others must have.
try() {
    cat >"$1.legacy.json" <<EOF2
{ "machine": "bill.fsm.json", "source": { "table": "bill", "key": "id", "zone": "UTC" },
  "state": { "column": "state", "values": { "new": "new", "active": "active", "done": "done" } },
  "evidence": [ { "creation": "created_at" } ], "log": { "gaps": false, $2 } }
EOF2
    "$BACKSTORY" migrate "$1.legacy.json" --from "$source" --to - --quarantine "$1.out" --quiet >"$1.jsonl" || fail "$1 fails"
    [ ! -s "$1.out" ] || { cat "$1.out"; fail "$1 refuses rows"; }
    sed 's/.*"entity":"\([0-9]*\)".*"type":"\([A-Za-z]*\)".*"occurred_at":"\([^"]*\)".*"basis":"\([a-z]*\)".*/\1 \2 \3 \4/' "$1.jsonl" >"$1.events"
    cmp statesman.events "$1.events" || { diff statesman.events "$1.events" | head; fail "$1 gives other histories"; }
}
try statesman '"table": "other.bill_transitions", "preset": "statesman", "entity": "bill_id"'
[ "$(grep -c ' recorded$' statesman.events)" = 90 ] || { head statesman.events; fail 'not every event is recorded'; }
try audit_trail '"table": "Trail", "preset": "state_machines-audit_trail", "entity": "bill_id"'
try fsm_log '"table": "django_fsm_log_statelog", "preset": "django-fsm-log", "where": "content_type_id = 7"'
try simple_history '"table": "app_historicalbill", "preset": "django-simple-history"'
try paper_trail '"table": "versions", "preset": "paper_trail", "entity": { "sql": "item_id" }, "where": "item_type = '"'Bill'"'"'
try audit_trigger '"table": "audit.logged_actions", "preset": "audit_trigger"'
try supa_audit '"table": "audit.record_version", "preset": "supa_audit"'
try by_order '"table": "other.bill_transitions", "preset": "statesman", "entity": "bill_id", "order": ["sort_key", "id"]'

# The table of the past has no row of the present: the last step is known, its time is not.
sed -i 's/"gaps": false, .*/"table": "bill_history", "preset": "temporal" } }/' by_order.legacy.json
"$BACKSTORY" migrate by_order.legacy.json --from "$source" --to - --quarantine temporal.out --quiet >temporal.jsonl
[ ! -s temporal.out ] || fail 'temporal refuses rows'
[ "$(grep -c '"basis":"recorded"' temporal.jsonl)" = 60 ] || fail 'temporal does not record what is past'

# learn reads the same logs, and leaves them out of what it learns for entities without one.
"$BACKSTORY" learn paper_trail.legacy.json --from "$source" -o learned.json >learn.txt
grep -q '30 histories in the log' learn.txt || { cat learn.txt; fail 'learn does not read the log'; }
! grep -q 'log:' learned.json || fail 'what is learned speaks of the log'

# A log that cannot be compared with the key says so, and nothing is migrated.
sed 's/"entity": { "sql": "item_id" }/"entity": "item_id"/' paper_trail.legacy.json >bad.legacy.json
! "$BACKSTORY" plan bad.legacy.json --from "$source" >bad.txt 2>&1 || fail 'text equals a number'
grep -q 'operator does not exist' bad.txt || { cat bad.txt; fail 'no reason is given'; }
