#!/bin/sh
# Chunks of tables of every kind, by three readers, give the same histories as one reader from end to end: keys of one and
# of several columns, integers, text, UUIDs, enums, domains; nullable, repeated, scattered, without an index; partitions,
# children, views. And the values that legacy tables are known for.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
source=dbname=$PGDATABASE
createdb "$PGDATABASE-events"
trap 'dropdb "$PGDATABASE-events"' EXIT
events() {
    psql -XAtq -v ON_ERROR_STOP=1 -d "$PGDATABASE-events" "$@"
}

cat >thing.fsm.json <<'JSON'
{ "id": "thing", "fields": { "amount": "decimal(12,2)?", "note": "text?" }, "initial": "new",
  "events": { "ThingCreated": { "fields": { "amount": "decimal(12,2)?", "note": "text?" } }, "ThingDone": {} },
  "states": { "new": { "on": { "do": { "target": "done", "emits": "ThingDone" } } }, "done": { "type": "final" } } }
JSON
sed 's/, "emits": "ThingDone"//; s/{ "target": "done" }/"done"/' thing.fsm.json >t && mv t thing.fsm.json

# mapping TABLE KEY: "key" is JSON.
mapping() {
    cat >"thing.legacy.json" <<JSON
{ "machine": "thing.fsm.json", "source": { "table": "$1", "key": $2, "zone": "America/New_York" },
  "state": { "column": "status", "values": { "N": "new", "D": "done" } },
  "fields": { "amount": "amount", "note": "note" },
  "evidence": [ { "creation": "created" }, { "state": "done", "at": "done" } ] }
JSON
}

view='SELECT id, machine, entity, version, type, data::jsonb, state, command, occurred_at, lower(occurred_between),
    upper(occurred_between), basis, confidence, source FROM backstory.event ORDER BY entity COLLATE "C", version'

# same NAME TABLE KEY CHUNKS [OPTION...]: at least CHUNKS of them, and the same as from end to end.
same() {
    name=$1 want=$4
    mapping "$2" "$3"
    shift 4
    "$BACKSTORY" migrate thing.legacy.json --from "$source" --to whole.jsonl --quiet || fail "$name: end to end"
    events -c 'DROP SCHEMA IF EXISTS backstory CASCADE' 2>/dev/null
    "$BACKSTORY" migrate thing.legacy.json --from "$source" --to "dbname=$PGDATABASE-events" --jobs 3 --chunk-rows 100 \
        --quarantine chunks.quarantine.jsonl --format json --quiet "$@" >out.json || { cat out.json; fail "$name: in chunks"; }
    events -c "$view" >chunks.txt
    events -c 'CREATE TEMP TABLE line (n serial, j jsonb)' \
        -c "\\copy line (j) FROM whole.jsonl WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')" \
        -c "SELECT j->>'id', j->>'machine', j->>'entity', j->>'version', j->>'type', j->'data', j->>'state', j->>'command',
            (j->>'occurred_at')::timestamptz, (j->'occurred_between'->>0)::timestamptz,
            (j->'occurred_between'->>1)::timestamptz, j->>'basis', j->>'confidence', j->>'source' FROM line ORDER BY n" >whole.txt
    diff whole.txt chunks.txt >differences || { head -6 differences; fail "$name: other events"; }
    aside='s/.*"key":\([^,]*\),"code":\("[^"]*"\).*/\1 \2/'
    for file in whole chunks; do
        touch $file.quarantine.jsonl
        sed "$aside" $file.quarantine.jsonl | sort >$file.aside
    done
    diff whole.aside chunks.aside >differences || { head -6 differences; fail "$name: other rows are put aside"; }
    rm -f ./*.quarantine.jsonl
    got=$(events -c 'SELECT count(*) FROM backstory.chunk')
    [ "$got" -ge "$want" ] || fail "$name: $got chunks"
    [ "$(wc -l <chunks.txt)" -gt 100 ] || fail "$name: too few events"
    say "$name, $got chunks, $(wc -l <chunks.aside) rows put aside"
}

psql -Xq -v ON_ERROR_STOP=1 <<'SQL'
SET client_min_messages = warning;
CREATE TYPE status AS ENUM ('N', 'D');
CREATE TYPE grade AS ENUM ('low', 'high', 'all');
CREATE DOMAIN code AS text CHECK (value <> '');
CREATE TABLE plain AS
SELECT n AS id, CASE WHEN n % 3 = 0 THEN 'D' ELSE 'N' END::char(2) AS status, (n * 7 % 1000 / 100.0)::numeric(12,2) AS amount,
       'note ' || n AS note, timestamp '2021-06-01' + n * interval '1 minute' AS created,
       CASE WHEN n % 3 = 0 THEN timestamptz '2021-07-01' + n * interval '1 second' END AS done
FROM generate_series(1, 1500) AS n;
ALTER TABLE plain ADD PRIMARY KEY (id);
CREATE TABLE texts AS SELECT CASE WHEN id % 2 = 0 THEN 'ä' ELSE 'Z' END || id % 40 || '-é/' || id AS code, plain.* FROM plain;
ALTER TABLE texts ADD PRIMARY KEY (code);
CREATE TABLE icu AS SELECT * FROM texts;
ALTER TABLE icu ALTER code TYPE text COLLATE "und-x-icu", ADD PRIMARY KEY (code);
CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE TABLE loose AS SELECT translate(code, 'aZ', 'AZ') AS code, id, status, amount, note, created, done FROM texts;
ALTER TABLE loose ALTER code TYPE text COLLATE blind, ADD PRIMARY KEY (code);
CREATE TABLE alike AS SELECT (ARRAY['Müller', 'MÜLLER', 'muller', 'Muller', 'mueller'])[1 + id % 5] || id / 5 AS code, plain.* FROM plain;
ALTER TABLE alike ALTER code TYPE text COLLATE blind;
CREATE UNIQUE INDEX ON alike (code COLLATE "C");
CREATE TABLE alike_index AS SELECT * FROM alike;
CREATE INDEX ON alike_index (code);
CREATE TABLE alike_bare AS SELECT * FROM alike;
CREATE COLLATION replaced (provider = icu, locale = 'und');
CREATE TABLE rotten AS SELECT CASE id % 3 WHEN 0 THEN id || 'x' WHEN 1 THEN 'x' || id ELSE 'X' || id || 'é' END AS code, plain.* FROM plain;
ALTER TABLE rotten ALTER code TYPE text COLLATE replaced, ADD PRIMARY KEY (code);
UPDATE pg_collation SET colliculocale = 'und-u-kr-latn-digit', collversion = '1' WHERE collname = 'replaced'; -- as a new library would
CREATE TABLE uuids AS SELECT md5(id::text)::uuid AS ref, plain.* FROM plain;
ALTER TABLE uuids ADD PRIMARY KEY (ref);
CREATE TABLE several AS SELECT (ARRAY['low', 'high', 'all'])[1 + id % 3]::grade AS grade, ('c' || id % 7)::code AS code,
    (id * 10000000000)::bigint AS number, plain.* FROM plain;
ALTER TABLE several ADD PRIMARY KEY (code, grade, number);
CREATE TABLE nullable AS SELECT CASE WHEN id % 100 > 0 THEN id % 30 END AS a, CASE WHEN id % 77 > 0 THEN id END AS b, plain.* FROM plain;
CREATE UNIQUE INDEX ON nullable (b, a);
CREATE TABLE repeated AS SELECT id / 2 * (id % 11 / 10) + id * 100 * (1 - id % 11 / 10) AS ref, plain.* FROM plain;
CREATE TABLE repeated_index AS SELECT * FROM repeated;
CREATE INDEX ON repeated_index (ref);
CREATE TABLE parted (LIKE plain INCLUDING ALL) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (700);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (700) TO (5000);
INSERT INTO parted SELECT * FROM plain;
CREATE TABLE parent (LIKE plain INCLUDING ALL);
CREATE TABLE child (LIKE plain) INHERITS (parent);
INSERT INTO parent SELECT * FROM plain WHERE id <= 900;
INSERT INTO child SELECT * FROM plain WHERE id > 890;
CREATE VIEW seen AS SELECT * FROM plain;
CREATE MATERIALIZED VIEW kept AS SELECT * FROM plain;
ANALYZE;
SQL

same 'an integer key' plain '"id"' 10
same 'by place' plain '"id"' 8 --no-resume
same 'a text key' texts '"code"' 10
same 'a text key in a collation of ICU' icu '"code"' 10
same 'a text key in a collation that takes some texts for equal' loose '"code"' 10
same 'keys that their column takes for equal, with an index of bytes' alike '"code"' 10
same 'the same with an index that takes them for equal' alike_index '"code"' 10
same 'the same without an index' alike_bare '"code"' 5
same 'an index that a new version of its collation has put out of order' rotten '"code"' 5
same 'a UUID' uuids '"ref"' 10
same 'an enum, a domain and a bigint' several '["grade", "code", "number"]' 10
same 'a key with NULLs in it' nullable '["a", "b"]' 10
same 'a key that repeats' repeated '"ref"' 5
same 'a key that repeats, with an index' repeated_index '"ref"' 10
same 'partitions' parted '"id"' 10
same 'partitions by place' parted '"id"' 10 --no-resume
same 'a table with children, which may repeat a key' parent '"id"' 5
same 'a view' seen '"id"' 1
same 'a materialized view' kept '"id"' 5

say 'the same, when the collation changes in the middle: the run does not go on'
events -c 'DROP SCHEMA IF EXISTS backstory CASCADE' 2>/dev/null
mapping loose '"code"'
# go WANT: the exit status
go() {
    status=0
    "$BACKSTORY" migrate thing.legacy.json --from "$source" --to "dbname=$PGDATABASE-events" --chunk-rows 100 --quiet >out.txt 2>&1 ||
        status=$?
    [ "$status" = "$1" ] || { cat out.txt; fail "exit status $status instead of $1"; }
}
schema_sql | events -1 >/dev/null
events <<'SQL'
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no further'; END$$;
CREATE TRIGGER refuse BEFORE UPDATE ON backstory.chunk FOR EACH ROW WHEN (NEW.chunk = 4) EXECUTE FUNCTION public.refuse();
SQL
go 3
events -c 'DROP TRIGGER refuse ON backstory.chunk'
psql -Xqc "UPDATE pg_collation SET collversion = '1' WHERE collname = 'blind'"
go 1
grep -q 'the collation of the key was "blind' out.txt || { cat out.txt; fail 'it is not said that the collation is another one'; }
psql -Xqc 'ALTER COLLATION blind REFRESH VERSION' 2>/dev/null
go 0
events -c "$view" >chunks.txt
[ "$(wc -l <chunks.txt)" = 2000 ] || fail 'other events'

say 'what legacy values are known for'
psql -Xq -v ON_ERROR_STOP=1 <<'SQL'
SET client_min_messages = warning;
CREATE TABLE odd (id bigint PRIMARY KEY, status char(4), amount numeric, note text, created timestamp, done timestamptz);
INSERT INTO odd SELECT n, 'N', 1, 'fill', '2021-06-01', NULL FROM generate_series(1000, 1400) AS n;
INSERT INTO odd VALUES
    (1, 'D', 1.0, 'scale', '2021-01-01', '2021-01-02'),      (2, 'D', 1.000, 'scale', '2021-01-01', '2021-01-02'),
    (3, 'N', 'NaN', 'NaN', '2021-01-01', NULL),              (4, 'N', 'Infinity', 'inf', '2021-01-01', NULL),
    (5, 'N', 1.005, 'inexact', '2021-01-01', NULL),          (6, 'N', 9999999999.99, 'large', '2021-01-01', NULL),
    (7, 'N', NULL, '', '2021-01-01', NULL),                  (8, 'N', 1, NULL, '2021-01-01', NULL),
    (9, 'N', 1, 'gap', '2021-03-14 02:30', NULL),            (10, 'N', 1, 'overlap', '2021-11-07 01:30', NULL),
    (11, 'N', 1, 'infinity', 'infinity', NULL),              (12, 'D', 1, 'infinity', '2021-01-01', '-infinity'),
    (13, 'N', 1, 'before Christ', '0044-03-15 BC', NULL),    (14, 'N', 1, 'far', '294276-12-31', NULL),
    (15, 'n', 1, 'case', '2021-01-01', NULL),                (16, '', 1, 'empty', '2021-01-01', NULL),
    (17, NULL, 1, 'no state', '2021-01-01', NULL),           (9007199254740993, 'N', 1, 'above 2^53', '2021-01-01', NULL),
    (18, 'D', 1, 'same time', '2021-01-01', '2021-01-01 05:00Z'), (19, 'D', 1, 'out of order', '2021-01-02', '2021-01-01'),
    (20, 'N', 1, E'tab\tquote" \\ line\nend', '2021-01-01', NULL), (21, 'N', 0.00, 'done later', '2021-01-01', '2021-02-01');
ANALYZE odd;
SQL
same 'odd values' odd '"id"' 2
events -c "SELECT key, code FROM backstory.quarantine ORDER BY key::bigint" >odd.txt
cat >odd.want <<'EOT'
3|bad-value
4|bad-value
5|bad-value
9|ambiguous-local-time
10|ambiguous-local-time
11|not-finite-time
12|not-finite-time
15|unknown-state
16|unknown-state
17|unknown-state
19|before-creation
21|contradiction
EOT
diff odd.want odd.txt || fail 'odd values have another fate'
[ "$(events -c "SELECT data->>'note' FROM backstory.event WHERE entity = '9007199254740993'")" = 'above 2^53' ] || fail '2^53'
[ "$(events -c "SELECT count(DISTINCT data->>'amount') FROM backstory.event WHERE entity IN ('1', '2') AND version = 1")" = 1 ] ||
    fail '1.0 and 1.000 differ'
[ "$(events -c "SELECT (data ? 'note') || ' ' || coalesce(data->>'note', 'NULL') FROM backstory.event WHERE entity = '7'")" = 'true ' ] ||
    fail 'the empty text is lost'
[ "$(events -c "SELECT data ? 'note' FROM backstory.event WHERE entity = '8'")" = f ] || fail 'NULL became a text'

say 'rows that row security would hide are an error, in chunks as well'
psql -Xq -c "CREATE ROLE chunk_reader LOGIN" -c "GRANT SELECT ON plain TO chunk_reader" -c "ALTER TABLE plain ENABLE ROW LEVEL SECURITY"
mapping plain '"id"'
events -c 'DROP SCHEMA backstory CASCADE' 2>/dev/null
status=0
"$BACKSTORY" migrate thing.legacy.json --from "$source user=chunk_reader" --to "dbname=$PGDATABASE-events" --quiet 2>out.txt || status=$?
[ "$status" = 3 ] || fail "hidden rows: exit status $status"
grep -q "row-level security" out.txt || { cat out.txt; fail "hidden rows are not told"; }
psql -Xq -c "DROP OWNED BY chunk_reader" -c "DROP ROLE chunk_reader"

