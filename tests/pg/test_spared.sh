#!/bin/sh
# A run spares its source (which may be the server and the database of its store, too): while it stands in the middle of its
# chunks it holds ACCESS SHARE on the table, its partitions and their indexes, and nothing else that is anybody's; and in the end
# nothing was written there, not even a temporary file.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/gate.sh"
shop=$PGDATABASE
store=$PGDATABASE-store
createdb "$store"
finish() {
    trap - EXIT
    [ -z "${run-}" ] || kill -9 "$run" 2>/dev/null || :
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS \"$store\" WITH (FORCE)" -c "DROP DATABASE \"$shop\" WITH (FORCE)" \
        -c 'DROP ROLE IF EXISTS spared_reader' >/dev/null 2>&1 || :
}
trap finish EXIT
trap 'exit 129' HUP INT TERM

cat >bill.fsm.json <<'JSON'
{ "id": "bill", "initial": "new", "events": { "BillCreated": {}, "BillDone": {} },
  "states": { "new": { "on": { "do": { "target": "done", "event": "BillDone" } } }, "done": { "type": "final" } } }
JSON
cat >bill.legacy.json <<'JSON'
{ "machine": "bill.fsm.json", "source": { "table": "bills", "key": "id" },
  "state": { "sql": "public.status_of(id, status)", "values": { "N": "new", "D": "done" } },
  "evidence": [ { "creation": "created" } ] }
JSON
make_gate "$shop"
ask <<'SQL'
CREATE ROLE spared_reader LOGIN;
CREATE TABLE bills (id int PRIMARY KEY, status text, created timestamptz) PARTITION BY RANGE (id);
CREATE TABLE bills_1 PARTITION OF bills FOR VALUES FROM (0) TO (2000) WITH (autovacuum_enabled = off); -- it locks more than we do
CREATE TABLE bills_2 PARTITION OF bills FOR VALUES FROM (2000) TO (9000) WITH (autovacuum_enabled = off);
INSERT INTO bills SELECT n, CASE WHEN n % 500 = 0 THEN '?' WHEN n % 3 = 0 THEN 'D' ELSE 'N' END, timestamptz '2021-06-01' + n * interval '1 minute'
FROM generate_series(1, 4000) AS n;
CREATE INDEX ON bills (created);
ANALYZE bills;
CREATE FUNCTION public.status_of(id int, status text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF id = 2450 THEN PERFORM public.wait_at_gate(); END IF;
    RETURN status;
END
$$;
GRANT SELECT ON bills TO spared_reader;
SQL
# counters: what the sessions that have ended did; who is gone has told it
counters() {
    until [ "$(ask -c 'SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()')" = 1 ]; do :; done
    ask -c 'SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del) FROM pg_stat_user_tables' \
        -c 'SELECT temp_files, temp_bytes FROM pg_stat_database WHERE datname = current_database()'
}
before=$(counters)

close_gate "$shop"
"$BACKSTORY" migrate bill.legacy.json --from "dbname=$shop user=spared_reader application_name=spared" --to "dbname=$store" --jobs 3 \
    --chunk-rows 200 --verify --quiet >out.txt 2>&1 &
run=$!
wait_at_gate $run || { cat out.txt; fail 'the run did not come to the gate'; }
say 'what it holds in the middle'
ours="(SELECT pid FROM pg_stat_activity WHERE application_name = 'spared' AND datname = current_database())"
ask >held.txt <<SQL
SELECT DISTINCT CASE WHEN relname LIKE 'bills%' THEN 'bills' ELSE relname END, mode
FROM pg_locks LEFT JOIN pg_class c ON c.oid = relation WHERE pid IN $ours AND locktype = 'relation'
AND relnamespace IS DISTINCT FROM 'pg_catalog'::regnamespace ORDER BY 1;
SELECT DISTINCT locktype, mode FROM pg_locks WHERE pid IN $ours AND locktype NOT IN ('relation', 'advisory') ORDER BY 1;
SELECT DISTINCT mode FROM pg_locks WHERE pid IN $ours AND locktype = 'relation';
SELECT count(*) > 2, count(backend_xid) FROM pg_stat_activity WHERE pid IN $ours;
SQL
diff - held.txt <<'EOT' || fail 'it holds something else'
bills|AccessShareLock
virtualxid|ExclusiveLock
AccessShareLock
t|0
EOT
say 'what goes with nothing but ACCESS SHARE, goes'
ask -c 'BEGIN' -c 'LOCK TABLE bills IN EXCLUSIVE MODE NOWAIT' -c 'ROLLBACK' || fail 'somebody else has to wait'
open_gate
got=0
wait $run || got=$?
run=
[ "$got" = 0 ] || { cat out.txt; fail "exit status $got"; }

say 'nothing was written'
after=$(counters)
[ "$before" = "$after" ] || fail "before: $before, after: $after"

say 'what lies elsewhere in a later snapshot is not read there (--no-resume)'
ask -d "$store" -c 'SET client_min_messages = error' -c 'DROP SCHEMA backstory CASCADE'
close_gate "$shop"
"$BACKSTORY" migrate bill.legacy.json --from "dbname=$shop application_name=spared" --to "dbname=$store" --chunk-rows 200 --no-resume \
    --quiet >out.txt 2>&1 &
run=$!
wait_at_gate $run || { cat out.txt; fail 'the run did not come to the gate'; }
ask -c "SELECT pg_terminate_backend(pid) FROM $ours x" >/dev/null
open_gate
got=0
wait $run || got=$?
run=
[ "$got" = 3 ] || { cat out.txt; fail "exit status $got"; }
grep -q '\[snapshot-lost\]' out.txt || { cat out.txt; fail 'it does not say that the snapshot is lost'; }

say 'while the store builds its index nothing of the source is held; then it begins anew'
make_gate "$store"
ask -d "$store" <<'SQL'
CREATE FUNCTION public.wait_at_end() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM public.wait_at_gate(); RETURN NEW; END$$;
CREATE TRIGGER wait_at_end BEFORE INSERT ON backstory.run FOR EACH ROW EXECUTE FUNCTION public.wait_at_end();
SQL
close_gate "$store"
"$BACKSTORY" migrate bill.legacy.json --from "dbname=$shop application_name=spared" --to "dbname=$store" --chunk-rows 200 --no-resume \
    --quiet >out.txt 2>&1 &
run=$!
wait_at_gate $run || { cat out.txt; fail 'the run did not come to its end'; }
tries=0
until [ -z "$(ask -c "SELECT FROM $ours x")" ]; do # it takes a session a moment to end
    tries=$((tries + 1))
    [ $tries -lt 500 ] || fail 'a session stays'
done
open_gate
wait $run || { cat out.txt; fail 'the run failed'; }
run=

say 'source and store in one database'
"$BACKSTORY" migrate bill.legacy.json --from "dbname=$shop" --to "dbname=$shop" --jobs 3 --chunk-rows 200 --verify --quiet >out.txt 2>&1 ||
    { cat out.txt; fail 'the run failed'; }
[ "$(ask -c "SELECT count(*) FROM backstory.entity")" = 3992 ] || fail 'other entities'

say 'a table on another server is read at one moment, too, whoever writes there'
ask <<SQL
SET client_min_messages = error;
DROP SCHEMA backstory CASCADE;
CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$PGHOST', port '$PGPORT', dbname '$shop');
CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user '$PGUSER');
CREATE FOREIGN TABLE far_bills (id int, status text, created timestamptz) SERVER far OPTIONS (table_name 'bills');
SQL
sed 's/"bills"/"far_bills"/' bill.legacy.json >far.legacy.json
close_gate "$shop"
"$BACKSTORY" migrate far.legacy.json --from "dbname=$shop application_name=spared" --to "dbname=$shop" --jobs 3 --chunk-rows 200 --quiet \
    >out.txt 2>&1 &
run=$!
wait_at_gate $run || { cat out.txt; fail 'the run did not come to the gate'; }
ask -c "UPDATE bills SET status = 'D' WHERE id = 3998" -c 'DELETE FROM bills WHERE id = 3997'
open_gate
wait $run || { cat out.txt; fail 'the run failed'; }
run=
[ "$(ask -c "SELECT entity, state FROM backstory.entity WHERE entity IN ('3997', '3998') ORDER BY 1")" = '3997|new
3998|new' ] || fail 'rows of another moment'
