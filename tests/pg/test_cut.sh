#!/bin/sh
# Tables of every shape, cut by three readers, killed in the middle and gone on with: each row is read just once, what is stored
# has the keys that the table has and the bytes of a run in one piece, and no chunk is much larger than it was asked to be.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
fail() {
    echo "cut: $shape: $*" >&2
    exit 1
}
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/gate.sh"
shop=$PGDATABASE
store=$PGDATABASE-store
createdb "$store"
finish() {
    trap - EXIT
    [ -z "${run-}" ] || kill -9 "$run" 2>/dev/null || :
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS \"$store\" WITH (FORCE)" -c "DROP DATABASE \"$shop\" WITH (FORCE)" \
        -c "DROP DATABASE IF EXISTS \"$shop-bytes\" WITH (FORCE)" \
        -c 'DROP ROLE IF EXISTS cut_reader' >/dev/null 2>&1 || :
}
trap finish EXIT
trap 'exit 129' HUP INT TERM
export PGOPTIONS='-c TimeZone=UTC -c IntervalStyle=iso_8601'

ask <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION citext;
CREATE EXTENSION postgres_fdw;
CREATE TYPE grade AS ENUM ('low', 'high', 'all');
CREATE DOMAIN code AS text;
CREATE DOMAIN number AS bigint;
CREATE DOMAIN positive AS number;
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');
CREATE TABLE plain AS
SELECT n AS id, CASE WHEN n % 300 = 7 THEN '?' WHEN n % 3 = 0 THEN 'D' ELSE 'N' END AS status, timestamptz '2021-06-01' + n * interval '1 minute' AS created
FROM generate_series(1, 1500) AS n;

-- make('name', 'expression of n', 'index over k'): a table of plain's rows with a key k of that expression
CREATE PROCEDURE make(name text, key text, index text DEFAULT 'UNIQUE (k)', kind text DEFAULT '') LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE %s TABLE %I AS SELECT %s AS k, n, status, created FROM plain, LATERAL (SELECT id AS n) x', kind, name, key);
    IF index LIKE 'UNIQUE (%' OR index LIKE 'PRIMARY KEY%' THEN EXECUTE format('ALTER TABLE %I ADD %s', name, index);
    ELSIF index <> '' THEN EXECUTE replace(index, '@', quote_ident(name));
    END IF;
END
$$;
-- keys
CALL make('skewed', '(n::bigint * n * n * n)', 'PRIMARY KEY (k)');
CALL make('gaps', '((1600000000000 + n / 100 * 86400000000 + n) << 8)', 'PRIMARY KEY (k)');
CALL make('uuids', 'md5(n::text)::uuid', 'PRIMARY KEY (k)');
CALL make('prefix', $$repeat('https://example.org/', 10) || n$$, 'PRIMARY KEY (k)');
CALL make('tenants', '(n * 7919 % 3)', 'PRIMARY KEY (k, n)');
CALL make('numbers', $$CASE n WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity' WHEN 4 THEN 0.00 ELSE n / 7.0 - 100.001 END::numeric$$);
CALL make('floats', $$CASE n WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity' WHEN 4 THEN '-0' ELSE n / 7.0 - 100.001 END::float8$$);
CALL make('floats_bare', $$CASE n WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-0' WHEN 4 THEN '0' ELSE n / 7.0 - 100.001 END::float8$$, '');
CALL make('dates', $$CASE n WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' WHEN 3 THEN '0044-03-15 BC' ELSE date '2000-01-01' + n END::date$$);
CALL make('naive', $$CASE n WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE timestamp '2021-01-01' + n * interval '1.000001 s' END::timestamp$$);
CALL make('times', $$CASE n WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE timestamptz '2021-01-01' + n * interval '1.000001 s' END::timestamptz$$);
CALL make('spans', $$n * interval '1 hour'$$);
CALL make('enums', $$(ARRAY['low', 'high', 'all'])[1 + n % 3]::grade$$, 'PRIMARY KEY (k, n)');
CALL make('case_blind', $$(CASE WHEN n % 2 = 0 THEN 'Key' ELSE 'kEY' END || n)::citext$$, 'PRIMARY KEY (k)');
CALL make('domains', $$('c' || n)::code$$, 'PRIMARY KEY (k)');
CALL make('domain_of_domain', 'n::positive', 'PRIMARY KEY (k)');
ALTER DOMAIN code ADD CHECK (value = '') NOT VALID;
CALL make('octets', $$decode(md5(n::text), 'hex')$$);
CALL make('addresses', $$('10.0.0.0'::inet + n)$$);
CALL make('chars', $$('c' || n)::char(10)$$);
CALL make('nulls', 'CASE WHEN n % 20 > 0 THEN n END');
CALL make('accents', $$translate(n::text, '0123', 'aBcé') COLLATE blind$$);
CALL make('phonebook', $$translate(n::text, '0123', 'aÄBß') COLLATE german$$);
-- indexes
CALL make('down', 'n', 'CREATE UNIQUE INDEX ON @ (k DESC)');
CALL make('down_nulls', 'CASE WHEN n % 20 > 0 THEN n END', 'CREATE UNIQUE INDEX ON @ (k NULLS FIRST)');
CALL make('down_both', 'n % 3', 'CREATE UNIQUE INDEX ON @ (k DESC, n DESC NULLS LAST)');
CALL make('up_and_down', 'n % 3', 'CREATE UNIQUE INDEX ON @ (k, n DESC)');
CALL make('included', 'n', 'CREATE UNIQUE INDEX ON @ (k) INCLUDE (n, created)');
CALL make('deferred', 'n', 'UNIQUE (k) DEFERRABLE INITIALLY DEFERRED');
CALL make('partly', 'n / CASE WHEN n > 1000 THEN 2 ELSE 1 END', 'CREATE UNIQUE INDEX ON @ (k) WHERE n < 500');
CALL make('expressed', 'n / CASE WHEN n > 1450 THEN 2 ELSE 1 END', 'CREATE UNIQUE INDEX ON @ (k, (n + 0))');
CALL make('patterns', $$'t' || n$$, 'CREATE UNIQUE INDEX ON @ (k text_pattern_ops)');
-- kinds of table
CALL make('unlogged', 'n', 'PRIMARY KEY (k)', 'UNLOGGED');
CREATE MATERIALIZED VIEW matter AS SELECT n * n AS k, n, status, created FROM unlogged;
CREATE UNIQUE INDEX ON matter (k);
CREATE VIEW seen AS SELECT * FROM unlogged;
CREATE TABLE parts (k int, n int, status text, created timestamptz, PRIMARY KEY (k)) PARTITION BY RANGE (k);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES FROM (0) TO (500) PARTITION BY HASH (k);
CREATE TABLE parts_00 PARTITION OF parts_0 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts_01 PARTITION OF parts_0 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE parts_1 (gone int, created timestamptz, status text, n int, k int NOT NULL);
ALTER TABLE parts_1 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES FROM (500) TO (9999);
INSERT INTO parts SELECT * FROM unlogged;
CREATE TABLE family (k int PRIMARY KEY, n int, status text, created timestamptz);
CREATE TABLE family_1 (PRIMARY KEY (k)) INHERITS (family);
CREATE TABLE family_2 (more text) INHERITS (family_1);
CREATE INDEX ON family_2 (k);
INSERT INTO family_1 SELECT * FROM unlogged WHERE n % 4 > 0;
INSERT INTO family_2 SELECT * FROM unlogged WHERE n % 4 = 0 OR n < 5;
CREATE TABLE bare_family (LIKE family INCLUDING INDEXES);
CREATE TABLE bare_child () INHERITS (bare_family);
INSERT INTO bare_child SELECT * FROM unlogged;
DO $$
BEGIN
    EXECUTE format('CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)',
        split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database());
    EXECUTE format('CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user %L)', current_user);
END
$$;
CREATE FOREIGN TABLE far_away (k int, n int NOT NULL, status text, created timestamptz) SERVER far OPTIONS (table_name 'nulls');
CREATE FOREIGN TABLE far_text (k text, status text, created timestamptz) SERVER far OPTIONS (table_name 'prefix');
CREATE TABLE partly_far (k int, n int, status text, created timestamptz) PARTITION BY RANGE (k);
CREATE TABLE near PARTITION OF partly_far FOR VALUES FROM (0) TO (1000);
CREATE FOREIGN TABLE far_part PARTITION OF partly_far FOR VALUES FROM (1000) TO (9999) SERVER far OPTIONS (table_name 'farther');
CREATE TABLE farther AS SELECT * FROM unlogged WHERE k >= 1000;
INSERT INTO near SELECT * FROM unlogged WHERE k < 1000;
-- what the server knows of it
CALL make('fresh', 'n', 'PRIMARY KEY (k)');
ALTER TABLE fresh SET (autovacuum_enabled = off);
CREATE TABLE grown (LIKE fresh INCLUDING INDEXES) WITH (autovacuum_enabled = off);
INSERT INTO grown SELECT * FROM fresh WHERE n <= 150;
ANALYZE grown;
INSERT INTO grown SELECT * FROM fresh WHERE n > 150;
CREATE TABLE dead (LIKE fresh INCLUDING INDEXES) WITH (autovacuum_enabled = off);
INSERT INTO dead SELECT n + 1500 * x, n, status, created FROM fresh, generate_series(0, 9) x;
ANALYZE dead;
DELETE FROM dead WHERE k % 10 > 0;
CREATE TABLE nobody (LIKE fresh INCLUDING INDEXES);
CREATE TABLE single AS SELECT * FROM fresh LIMIT 1;
CREATE ROLE cut_reader LOGIN;
GRANT SELECT (k, status, created) ON uuids TO cut_reader;
SQL
ask -c "$(ask -c "SELECT string_agg(format('ANALYZE %I', relname), '; ') FROM pg_class WHERE relkind IN ('r', 'm', 'p')
    AND relnamespace = 'public'::regnamespace AND relname NOT IN ('fresh', 'grown', 'dead')")"

# The store, with a gate in the middle of each run: the chunk whose number is half of all.
make_gate "$store"
schema_sql | ask -d "$store" -1 >/dev/null
ask -d "$store" <<'SQL'
CREATE FUNCTION public.wait_in_the_middle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.chunk = (SELECT (count(*) + 1) / 2 FROM backstory.chunk WHERE run_id = NEW.run_id) THEN PERFORM public.wait_at_gate(); END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER wait_in_the_middle BEFORE UPDATE ON backstory.chunk FOR EACH ROW EXECUTE FUNCTION public.wait_in_the_middle();
SQL

# mapping MACHINE TABLE COLUMNS: and its machine
mapping() {
    cat >"$1.fsm.json" <<JSON
{ "id": "$1", "initial": "new", "events": { "Created": {}, "Done": {} },
  "states": { "new": { "on": { "do": { "target": "done", "event": "Done" } } }, "done": { "type": "final" } } }
JSON
    cat >"$1.legacy.json" <<JSON
{ "machine": "$1.fsm.json", "source": { "table": "$2", "key": [$(echo "$3" | sed 's/[^ ]*/"&"/g; s/ /, /g')] },
  "state": { "column": "status", "values": { "N": "new", "D": "done" } }, "evidence": [ { "creation": "created" } ] }
JSON
}
to="dbname=$store application_name=cut-sink"
# migrate MACHINE OPTION...
migrate() {
    machine=$1
    shift
    "$BACKSTORY" migrate "$machine.legacy.json" --from "dbname=$shop $as" --to "$to" --quiet "$@"
}
sessions="SELECT pid FROM pg_stat_activity WHERE application_name = 'cut-sink' AND datname = current_database()"
# Three readers, killed while one of them stands at the gate; what is left of their sessions is ended as well.
kill_in_the_middle() {
    close_gate "$store"
    "$BACKSTORY" migrate "$1.legacy.json" --from "dbname=$shop" --to "$to" --quiet --jobs 3 --chunk-rows 75 >out.txt 2>&1 &
    run=$!
    wait_at_gate $run || { cat out.txt; fail 'the run did not come to its middle'; }
    kill -9 $run
    wait $run 2>/dev/null || :
    run=
    ask -d "$store" -c 'SET client_min_messages = error' -c "SELECT pg_terminate_backend(pid) FROM ($sessions) x" >/dev/null
    until [ -z "$(ask -d "$store" -c "$sessions")" ]; do :; done
    open_gate
}
told="SELECT md5(string_agg(concat_ws('|', entity, version, state, occurred_at, data), E'\n' ORDER BY entity COLLATE \"C\", version))
    FROM backstory.event WHERE machine ="
aside="SELECT md5(string_agg(line, E'\n' ORDER BY key, line)) FROM backstory.quarantine JOIN backstory.load USING (run_id)
    JOIN backstory.machine USING (machine_id) WHERE name ="
done_by="backstory.chunk JOIN backstory.load USING (run_id) JOIN backstory.machine USING (machine_id) WHERE name ="

# check SHAPE COLUMNS CHUNKS PERCENT: at least so many chunks, the largest at most so many percent of the mean or of what is asked
# for, whichever is more.
check() {
    shape=$1 columns=$2 chunks=$3 percent=$4
    # Those before are not looked through again each time. (Nobody may do that but a superuser who says so.)
    ask -d "$store" -c 'SET session_replication_role = replica' -c 'TRUNCATE backstory.segment, backstory.plan, backstory.quarantine'
    mapping "$shape" "$shape" "$columns"
    mapping "calm_$shape" "$shape" "$columns"
    kill_in_the_middle "$shape"
    migrate "$shape" --jobs 3 --chunk-rows 75 >out.txt 2>err.txt || { cat out.txt err.txt; fail 'the run does not go on'; }
    migrate "calm_$shape" --chunk-rows 1000000 >calm.txt 2>&1 || { cat calm.txt; fail 'in one piece'; }
    key=$(echo "$columns" | sed "s/[^ ]*/&::text/g; s, , || '/' || ,g")
    ask -c "SELECT key FROM (SELECT ($key) COLLATE \"C\" AS key, status FROM public.$shape) x WHERE key IS NOT NULL
        GROUP BY key HAVING count(*) = 1 AND bool_and(status <> '?') ORDER BY key" >want.txt
    ask -d "$store" -c "SELECT DISTINCT entity COLLATE \"C\" FROM backstory.event WHERE machine = '$shape' ORDER BY 1" >got.txt
    diff want.txt got.txt >differences || { head -6 differences; fail 'other keys'; }
    rows=$(ask -c "SELECT count(*) FROM public.$shape")
    ask -d "$store" >found.txt <<SQL
SELECT sum(n) = $rows, count(*) >= $chunks AND max(n) <= greatest(avg(n), 75) * $percent / 100,
    count(*) || ' chunks, the largest ' || round(100 * max(n) / greatest(avg(n), 1)) || ' % of the mean'
    FROM (SELECT (figures::jsonb->>'read')::numeric AS n FROM $done_by '$shape') x;
SELECT ($told '$shape') IS NOT DISTINCT FROM ($told 'calm_$shape');
SELECT ($aside '$shape') IS NOT DISTINCT FROM ($aside 'calm_$shape');
SQL
    sizes=$(head -n 1 found.txt)
    case $sizes in f*) fail "not $rows rows were read" ;; esac
    [ "$(tail -n 2 found.txt | head -n 1)" = t ] || fail 'other events'
    [ "$(tail -n 1 found.txt)" = t ] || fail 'other rows are put aside'
    say "$shape: $rows rows, ${sizes##*|}"
    case $sizes in t\|f*) fail "that is not what was wanted: $chunks chunks, $percent %" ;; esac
}

as=
for shape in skewed gaps uuids prefix numbers floats dates naive times spans domains domain_of_domain octets addresses chars accents phonebook; do
    check $shape k 18 150
done
check tenants 'k n' 18 150
check enums 'k n' 18 150
check nulls k 18 150
for shape in down down_nulls included deferred; do
    check $shape k 18 150
done
check down_both 'n k' 18 150
for shape in unlogged matter parts fresh grown; do
    check $shape k 18 150
done
check dead k 18 250
check family k 18 150
for shape in floats_bare case_blind partly expressed patterns bare_family; do # a scan for each
    check $shape k 8 150
done
check up_and_down 'k n' 8 150
check nobody k 1 100
check single k 1 100
for shape in far_away partly_far; do
    check $shape k 8 250
    grep -q 'one reader worked, of 3: .*on another server' err.txt || { cat err.txt; fail 'it is not said that there was one reader'; }
done
check far_text k 1 10000
check seen k 1 10000
grep -q 'one reader worked, of 3: .* is a view' err.txt || { cat err.txt; fail 'it is not said that there was one reader'; }
# Bytes that are no text: what stands for one in a bound would lie before the keys that are texts.
shape=no_texts
createdb -T template0 -E SQL_ASCII --locale=C "$shop-bytes"
ask -d "$shop-bytes" -c "SET client_encoding = 'SQL_ASCII'" -c "CREATE TABLE no_texts (k text PRIMARY KEY, status text, created timestamptz)" \
    -c "INSERT INTO no_texts SELECT CASE WHEN n % 2 = 0 THEN E'\\xf0\\x90\\x80\\x80' ELSE E'\\xff' END || n, 'N', '2021-06-01'
        FROM generate_series(1, 1500) n"
mapping $shape $shape k
"$BACKSTORY" migrate $shape.legacy.json --from "dbname=$shop-bytes" --to "$to" --jobs 3 --chunk-rows 75 --quiet >out.txt 2>&1 ||
    { cat out.txt; fail 'the run'; }
[ "$(ask -d "$store" -c "SELECT count(*) >= 18, sum((figures::jsonb->>'read')::int), sum((figures::jsonb->>'migrated')::int)
    FROM $done_by '$shape'")" = 't|1500|750' ] || fail 'other rows'
say 'no_texts: 1500 rows, each read once'
as='user=cut_reader'
shape=uuids_by_column
mapping $shape uuids k
migrate $shape --jobs 3 --chunk-rows 75 >out.txt 2>&1 || { cat out.txt; fail 'the run'; }
[ "$(ask -d "$store" -c "SELECT count(*) >= 18 FROM $done_by '$shape'")" = t ] || fail 'who may read some columns only gets one chunk'
