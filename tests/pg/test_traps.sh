#!/bin/sh
# What goes wrong in real tables, trap by trap, on real PostgreSQL types: docs/traps.md says what is done about each.
# Each trap has its table; what became of its rows is told as `key state amount [code]`, in the order of the keys.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
source=dbname=$PGDATABASE

cat >pay.fsm.json <<'EOF'
{ "id": "pay", "fields": { "amount": "decimal(12,2)" }, "initial": "new",
  "events": { "PayCreated": { "fields": { "amount": "decimal(12,2)" } }, "PayDone": {} },
  "states": { "new": { "on": { "finish": { "target": "done", "event": "PayDone" } } }, "done": { "type": "final" } } }
EOF

# mapping TABLE [SOURCE [STATE [AMOUNT]]]: TABLE.legacy.json
done_at=', { "state": "done", "at": "done_at", "absent": "unknown" }'
mapping() {
    cat >"$1.legacy.json" <<EOF
{ "machine": "pay.fsm.json",
  "source": { "table": "$1", "key": "id"${2:+, $2} },
  "state": { ${3:-"\"column\": \"status\""}, "values": { "NEW": "new", "DONE": "done" } },
  "fields": { "amount": ${4:-\"amount\"} },
  "evidence": [ { "creation": "created_at" }$done_at ] }
EOF
}

# fates TABLE: migrates the table and tells what became of its rows, once the events have been held against the rows.
fates() {
    rm -f "$1.jsonl" "$1.quarantine.jsonl"
    "$BACKSTORY" migrate "$1.legacy.json" --from "$source" --to "$1.jsonl" --quarantine "$1.quarantine.jsonl" --quiet >out.txt 2>&1 ||
        { cat out.txt; return 1; }
    "$BACKSTORY" compare "$1.legacy.json" --from "$source" --to "$1.jsonl" --quarantine "$1.quarantine.jsonl" --quiet >out.txt 2>&1 ||
        { cat out.txt; return 1; }
    python3 - "$1" <<'EOF'
import json, os, sys
ends = {}
for line in open(sys.argv[1] + ".jsonl"):
    event = json.loads(line)
    ends.setdefault(event["entity"], {}).update(event["data"], state=event["state"])
lines = [f"{key} {end['state']} {end['amount']}" for key, end in ends.items()]
if os.path.exists(sys.argv[1] + ".quarantine.jsonl"):
    for line in open(sys.argv[1] + ".quarantine.jsonl"):
        row = json.loads(line)
        lines.append(f"{row['key']} {row['code']}")
print("; ".join(sorted(lines, key=lambda line: line.encode())))
EOF
}

# is TABLE FATES: what became of its rows.
is() {
    got=$(fates "$1") || { echo "$got"; fail "$1 failed"; }
    [ "$got" = "$2" ] || fail "$1: $got
       instead of: $2"
}
# refuses TABLE STATUS TEXT: nothing is read at all, and it is said why.
refuses() {
    got=0
    "$BACKSTORY" plan "$1.legacy.json" --from "$source" --quiet >out.txt 2>&1 || got=$?
    [ "$got" = "$2" ] || { cat out.txt; fail "$1: exit status $got instead of $2"; }
    grep -qF -- "$3" out.txt || { cat out.txt; fail "$1 does not say \"$3\""; }
}
sql() {
    psql -Xq -v ON_ERROR_STOP=1
}

say '1: no event of a migration looks live, and it is told apart in the store'
sql <<'EOF'
CREATE TABLE quiet (id int PRIMARY KEY, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz);
INSERT INTO quiet VALUES (1, 'NEW', 1, '2024-01-01', NULL), (2, 'DONE', 2, '2024-01-01', '2024-01-02');
EOF
mapping quiet
is quiet '1 new 1.00; 2 done 2.00'
"$BACKSTORY" migrate quiet.legacy.json --from "$source" --to "$source" --quiet
[ "$(psql -XAtc "SELECT count(*) FROM backstory.event WHERE basis = 'live'")" = 0 ] || fail 'a migrated event says that it is live'
[ "$(psql -XAtc "SELECT count(*) FROM backstory.event")" = 3 ] || fail 'not all events arrived'

say '31: another mapping does not write into the same histories'
sed 's/"absent": "unknown"/"absent": "never"/' quiet.legacy.json >quiet2.legacy.json
got=0
"$BACKSTORY" migrate quiet2.legacy.json --from "$source" --to "$source" --quiet >out.txt 2>&1 || got=$?
[ "$got" != 0 ] || { cat out.txt; fail 'a changed mapping was taken for the same run'; }
[ "$(psql -XAtc "SELECT count(*) FROM backstory.event")" = 3 ] || fail 'the changed mapping left something behind'
psql -Xqc "DROP SCHEMA backstory CASCADE" 2>/dev/null

say '4, 18, 19: naive times over DST, infinities, BC, the last year, microseconds'
sql <<'EOF'
CREATE TABLE times (id text PRIMARY KEY, status text, amount numeric(12,2), created_at timestamp, done_at timestamp);
INSERT INTO times VALUES
    ('a-summer', 'NEW', 1, '2024-07-01 12:00', NULL),
    ('b-gap', 'NEW', 1, '2024-03-10 02:30', NULL),
    ('c-overlap', 'NEW', 1, '2024-11-03 01:30', NULL),
    ('d-infinity', 'NEW', 1, 'infinity', NULL),
    ('e-minus', 'DONE', 1, '2024-01-01', '-infinity'),
    ('f-bc', 'DONE', 1, '0044-03-15 12:00 BC', '2024-01-01'),
    ('g-first', 'NEW', 1, '4713-01-01 00:00 BC', NULL),
    ('h-last', 'NEW', 1, '294276-12-31 00:00', NULL),
    ('i-microsecond', 'DONE', 1, '2024-01-01 00:00:00.000001', '2024-01-01 00:00:00.000002'),
    ('j-tie', 'DONE', 1, '2024-01-01 00:00:00.0000014', '2024-01-01 00:00:00.0000006');
EOF
mapping times
refuses times 1 naive-timestamp
mapping times '"zone": "America/New_York"'
is times 'a-summer new 1.00; b-gap ambiguous-local-time; c-overlap ambiguous-local-time; d-infinity not-finite-time; e-minus not-finite-time; f-bc done 1.00; g-first new 1.00; h-last new 1.00; i-microsecond done 1.00; j-tie done 1.00'
grep -q '"entity":"a-summer",.*"occurred_at":"2024-07-01T16:00:00Z"' times.jsonl || fail 'the zone is not heeded'
grep '"entity":"j-tie"' times.jsonl | grep -c '"occurred_at":"2024-01-01T05:00:00.000001Z"' | grep -qx 2 || fail 'a tie is not one time'
grep -q '"entity":"f-bc","version":1,.*"occurred_at":"-\?[0-9]*0*4[34]-03-15T[^"]*\( BC\)\?"' times.jsonl || { grep f-bc times.jsonl; fail 'BC'; }

say '19: the same with a zone of their own, in the store'
sql <<'EOF'
CREATE TABLE zoned AS SELECT id, status, amount, created_at AT TIME ZONE 'UTC' AS created_at, done_at AT TIME ZONE 'UTC' AS done_at
    FROM times WHERE id IN ('f-bc', 'g-first', 'h-last', 'd-infinity', 'i-microsecond');
EOF
mapping zoned
is zoned 'd-infinity not-finite-time; f-bc done 1.00; g-first new 1.00; h-last new 1.00; i-microsecond done 1.00'
"$BACKSTORY" migrate zoned.legacy.json --from "$source" --to "$source" --quarantine z.jsonl --quiet
psql -XAtc "SELECT e.entity FROM backstory.event e JOIN zoned z ON z.id = e.entity
            WHERE e.version = 1 AND e.occurred_at = z.created_at ORDER BY 1" | tr '\n' ' ' | grep -qx 'f-bc g-first h-last i-microsecond ' ||
    fail 'a time is another one in the store'
psql -Xqc "DROP SCHEMA backstory CASCADE" 2>/dev/null

say '11, 12, 14: status codes: case, spaces, empty, NULL; int, enum, CHAR(n), a lookup table'
sql <<'EOF'
CREATE TABLE codes (id text PRIMARY KEY, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz);
INSERT INTO codes VALUES ('a', 'NEW', 1, '2024-01-01'), ('b', 'new', 1, '2024-01-01'), ('c', 'NEW ', 1, '2024-01-01'),
    ('d', '', 1, '2024-01-01'), ('e', NULL, 1, '2024-01-01'), ('f', 'RETIRED', 1, '2024-01-01');
CREATE TYPE mood AS ENUM ('NEW', 'DONE', 'GONE');
CREATE TABLE moods (id text PRIMARY KEY, status mood, amount numeric(12,2), created_at timestamptz, done_at timestamptz);
INSERT INTO moods VALUES ('a', 'NEW', 1, '2024-01-01', NULL), ('b', 'GONE', 1, '2024-01-01', NULL), ('c', 'DONE', 1, '2024-01-01', '2024-01-01');
CREATE DOMAIN mode AS text CHECK (value ~ '^[A-Z]+$');
CREATE DOMAIN price AS numeric(12,2) CHECK (value >= 0);
CREATE TABLE domains (id text PRIMARY KEY, status mode, amount price, created_at timestamptz, done_at timestamptz);
INSERT INTO domains VALUES ('a', 'NEW', 1, '2024-01-01', NULL), ('b', 'GONE', 1.5, '2024-01-01', NULL), ('c', 'DONE', 2.25, '2024-01-01', '2024-01-01');
CREATE TABLE padded (id char(6) PRIMARY KEY, status char(8), amount numeric(12,2), created_at timestamptz, done_at timestamptz);
INSERT INTO padded VALUES ('a', 'NEW', 1, '2024-01-01', NULL), ('bb', 'DONE', 1, '2024-01-01', '2024-01-02');
CREATE TABLE status_codes (code smallint PRIMARY KEY, name text);
INSERT INTO status_codes VALUES (1, 'NEW'), (2, 'DONE');
CREATE TABLE looked_up (id int PRIMARY KEY, status_id smallint REFERENCES status_codes, amount numeric(12,2), created_at timestamptz, done_at timestamptz);
INSERT INTO looked_up VALUES (1, 1, 1, '2024-01-01', NULL), (2, 2, 1, '2024-01-01', '2024-01-02'), (3, NULL, 1, '2024-01-01', NULL);
CREATE TABLE numbered (id int PRIMARY KEY, status smallint, amount numeric(12,2), created_at timestamptz, done_at timestamptz);
INSERT INTO numbered VALUES (1, 0, 1, '2024-01-01', NULL), (2, 10, 1, '2024-01-01', '2024-01-02'), (3, 99, 1, '2024-01-01', NULL), (4, -1, 1, '2024-01-01', NULL);
CREATE TABLE farthest (id bigint PRIMARY KEY, status int, amount int, created_at timestamptz DEFAULT '2024-01-01', done_at timestamptz);
INSERT INTO farthest VALUES (-9223372036854775808, -2147483648, -7), (-1, 2147483647, 0), (0, -2147483648, 2147483647),
    (9223372036854775807, 0, 1);
CREATE TABLE narrow (id smallint, status char(6), amount smallint, created_at timestamptz DEFAULT '2024-01-01', done_at timestamptz);
INSERT INTO narrow VALUES (-32768, 'NEW', -32768), (7, ' NEW', 1), (7, 'NEW', 1), (NULL, 'NEW', 1), (32767, 'NEW', 32767);
EOF
mapping codes
is codes 'a new 1.00; b unknown-state; c unknown-state; d unknown-state; e unknown-state; f unknown-state'
mapping moods
is moods 'a new 1.00; b unknown-state; c done 1.00'
mapping domains
is domains 'a new 1.00; b unknown-state; c done 2.25'
mapping padded
is padded 'a new 1.00; bb done 1.00'
mapping looked_up '' '"sql": "(SELECT name FROM public.status_codes WHERE code = status_id)"'
is looked_up '1 new 1.00; 2 done 1.00; 3 unknown-state'
mapping numbered
sed -i 's/"NEW"/"0"/; s/"DONE"/"10"/' numbered.legacy.json
is numbered '1 new 1.00; 2 done 1.00; 3 unknown-state; 4 unknown-state'
mapping farthest
sed -i 's/"NEW"/"-2147483648"/; s/"DONE"/"2147483647"/' farthest.legacy.json
is farthest '-1 done 0.00; -9223372036854775808 new -7.00; 0 new 2147483647.00; 9223372036854775807 unknown-state'
mapping narrow
is narrow '-32768 new -32768.00; 32767 new 32767.00; 7 duplicate-key; 7 duplicate-key; None null-key'

say '15, 16, 17, 32: money, scales, NaN, infinities, floats'
sql <<'EOF'
CREATE TABLE cash (id int PRIMARY KEY, status text DEFAULT 'NEW', amount money, created_at timestamptz DEFAULT '2024-01-01', done_at timestamptz);
INSERT INTO cash (id, amount) VALUES (1, 1234.5), (2, -0.01), (3, 92233720368547758.07);
CREATE TABLE scales (id int PRIMARY KEY, status text DEFAULT 'NEW', amount numeric, created_at timestamptz DEFAULT '2024-01-01', done_at timestamptz);
INSERT INTO scales (id, amount) VALUES (1, 1), (2, 1.0), (3, 1.00), (4, 1.000000), (5, 1.005), (6, 'NaN'), (7, 'Infinity'), (8, '-Infinity'),
    (9, 9999999999.99), (10, 10000000000.00), (11, 1e-20), (12, -0.0);
CREATE TABLE floats (id int PRIMARY KEY, status text DEFAULT 'NEW', amount float8, created_at timestamptz DEFAULT '2024-01-01', done_at timestamptz);
INSERT INTO floats (id, amount) VALUES (1, 0.5), (2, 0.1::float8 + 0.2::float8), (3, '-0'), (4, 'NaN'), (5, 'Infinity'), (6, 0.1), (7, 1e300);
EOF
mapping cash
is cash '1 new 1234.50; 2 new -0.01; 3 bad-value'
mapping scales
is scales '1 new 1.00; 10 bad-value; 11 bad-value; 12 new 0.00; 2 new 1.00; 3 new 1.00; 4 new 1.00; 5 bad-value; 6 bad-value; 7 bad-value; 8 bad-value; 9 new 9999999999.99'
grep '"entity":"[1234]"' scales.jsonl | sed 's/"id":"[^"]*"//; s/"entity":"."//' | sort -u | wc -l | grep -qx 1 || fail '1.0 and 1.00 give other events'
mapping floats
is floats '1 new 0.50; 2 bad-value; 3 new 0.00; 4 bad-value; 5 bad-value; 6 new 0.10; 7 bad-value'

say '20: minor units by currency'
sql <<'EOF'
CREATE TABLE units (id int PRIMARY KEY, status text DEFAULT 'NEW', minor bigint, currency char(3), created_at timestamptz DEFAULT '2024-01-01', done_at timestamptz);
INSERT INTO units (id, minor, currency) VALUES (1, 1234, 'EUR'), (2, 1234, 'JPY'), (3, 1230, 'KWD'), (4, 1234, 'KWD');
EOF
mapping units '"columns": { "minor": "int8", "currency": "char(3)" }' '' \
    '{ "sql": "CASE currency WHEN '"'JPY'"' THEN minor WHEN '"'KWD'"' THEN minor / 1000.0 ELSE minor / 100.0 END" }'
is units '1 new 12.34; 2 new 1234.00; 3 new 1.23; 4 bad-value'

say '8, 23: what hides rows is an error: row security, column privileges'
sql <<'EOF'
CREATE TABLE hidden (id int PRIMARY KEY, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz, secret text);
INSERT INTO hidden SELECT n, 'NEW', 1, '2024-01-01' FROM generate_series(1, 4) n;
CREATE ROLE bst_traps LOGIN;
GRANT SELECT ON hidden TO bst_traps;
ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON hidden FOR SELECT TO bst_traps USING (id < 3);
EOF
mapping hidden
source="dbname=$PGDATABASE user=bst_traps"
refuses hidden 3 'row-level security'
psql -Xqc 'ALTER TABLE hidden DISABLE ROW LEVEL SECURITY' -c 'REVOKE SELECT ON hidden FROM bst_traps' \
    -c 'GRANT SELECT (id, status, amount, created_at, done_at) ON hidden TO bst_traps'
is hidden '1 new 1.00; 2 new 1.00; 3 new 1.00; 4 new 1.00'
psql -Xqc 'REVOKE SELECT (amount) ON hidden FROM bst_traps'
refuses hidden 3 'permission denied'
source=dbname=$PGDATABASE
psql -Xq -c 'DROP OWNED BY bst_traps' -c 'DROP ROLE bst_traps'

say '10: rows deleted softly are out of scope, and counted'
sql <<'EOF'
CREATE TABLE soft (id int PRIMARY KEY, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz, deleted_at timestamptz);
INSERT INTO soft VALUES (1, 'NEW', 1, '2024-01-01', NULL, NULL), (2, '?', 1, '2024-01-01', NULL, '2024-02-01');
EOF
mapping soft '"where": "deleted_at IS NULL"'
is soft '1 new 1.00'
"$BACKSTORY" plan soft.legacy.json --from "$source" --format json --quiet | grep -q '"out_of_scope": 1' || fail 'what is out of scope is not counted'

say '9: an id that is used again needs its incarnation'
sql <<'EOF'
CREATE TABLE again (id int, incarnation int, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz);
INSERT INTO again VALUES (7, 1, 'DONE', 1, '2023-01-01', '2023-01-02'), (7, 2, 'NEW', 2, '2024-01-01', NULL), (8, 1, 'NEW', 3, '2024-01-01', NULL);
EOF
mapping again
is again '7 duplicate-key; 7 duplicate-key; 8 new 3.00'
sed -i 's/"key": "id"/"key": ["id", "incarnation"]/' again.legacy.json
is again '7/1 done 1.00; 7/2 new 2.00; 8/1 new 3.00'

say '24, 25: views, partitions, inheritance, generated columns, unlogged tables'
sql <<'EOF'
CREATE TABLE parts (id int, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM (10) TO (20);
INSERT INTO parts SELECT n, 'NEW', n, '2024-01-01' FROM generate_series(9, 11) n;
CREATE VIEW seen AS SELECT * FROM parts WHERE id > 9;
CREATE TABLE parent (id int, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz);
CREATE TABLE child (note text) INHERITS (parent);
INSERT INTO parent VALUES (1, 'NEW', 1, '2024-01-01');
INSERT INTO child VALUES (2, 'NEW', 1, '2024-01-01', NULL, 'x');
CREATE UNLOGGED TABLE made (id int PRIMARY KEY, status text, cents bigint, amount numeric(12,2) GENERATED ALWAYS AS (cents / 100.0) STORED,
    created_at timestamptz, done_at timestamptz);
INSERT INTO made (id, status, cents, created_at) VALUES (1, 'NEW', 1250, '2024-01-01');
CREATE MATERIALIZED VIEW kept AS SELECT * FROM parts;
CREATE EXTENSION postgres_fdw;
EOF
sql <<EOF
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$PGHOST', dbname '$PGDATABASE');
CREATE USER MAPPING FOR CURRENT_USER SERVER elsewhere OPTIONS (user '$PGUSER');
CREATE FOREIGN TABLE abroad (id int, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz)
    SERVER elsewhere OPTIONS (table_name 'parts');
CREATE TABLE mixed (LIKE parts) PARTITION BY RANGE (id);
CREATE TABLE mixed_here PARTITION OF mixed FOR VALUES FROM (20) TO (30);
CREATE FOREIGN TABLE mixed_abroad PARTITION OF mixed FOR VALUES FROM (0) TO (20) SERVER elsewhere OPTIONS (table_name 'parts');
INSERT INTO mixed_here VALUES (20, 'NEW', 20, '2024-01-01');
EOF
for table in parts seen parent made kept abroad mixed; do
    mapping $table
done
is parts '10 new 10.00; 11 new 11.00; 9 new 9.00'
is seen '10 new 10.00; 11 new 11.00'
is parent '1 new 1.00; 2 new 1.00'
mapping parent "\"where\": \"tableoid = 'public.parent'::regclass\""
is parent '1 new 1.00'
is abroad '10 new 10.00; 11 new 11.00; 9 new 9.00'
is mixed '10 new 10.00; 11 new 11.00; 20 new 20.00; 9 new 9.00'
is made '1 new 12.50'
is kept '10 new 10.00; 11 new 11.00; 9 new 9.00'

say '22: NULL and the empty text are told apart, in the event and in quarantine'
sql <<'EOF'
CREATE TABLE empties (id text PRIMARY KEY, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz, note text);
INSERT INTO empties VALUES ('a', 'NEW', 1, '2024-01-01', NULL, ''), ('b', 'NEW', 1, '2024-01-01', NULL, NULL),
    ('c', '?', 1, '2024-01-01', NULL, ''), ('d', '?', 1, '2024-01-01', NULL, NULL), ('', 'NEW', 1, '2024-01-01', NULL, 'x');
EOF
sed 's/"fields": { "amount": "decimal(12,2)" }, "initial"/"fields": { "amount": "decimal(12,2)", "note": "text?" }, "initial"/
     s/"PayCreated": { "fields": { "amount": "decimal(12,2)" }/"PayCreated": { "fields": { "amount": "decimal(12,2)", "note": "text?" }/' pay.fsm.json >noted.fsm.json
mapping empties
sed -i 's/pay.fsm.json/noted.fsm.json/; s/"fields": { /"fields": { "note": "note", /' empties.legacy.json
got=$(fates empties) || { echo "$got"; fail 'empties failed'; }
grep -q '"entity":"a",.*"note":""' empties.jsonl || fail 'an empty text is lost'
! grep '"entity":"b",' empties.jsonl | grep -q '"note"' || fail 'NULL became a text'
grep '"key":"c"' empties.quarantine.jsonl | grep -q '"note":""' || fail 'quarantine loses an empty text'
grep '"key":"d"' empties.quarantine.jsonl | grep -q '"note":null' || fail 'quarantine loses NULL'
echo "$got" | grep -q 'null-key' || fail "an empty key became an entity: $got"

say '26: keys and values beyond 2^53'
sql <<'EOF'
CREATE TABLE wide (id bigint PRIMARY KEY, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz);
INSERT INTO wide VALUES (9007199254740993, 'NEW', 1, '2024-01-01'), (9223372036854775807, 'NEW', 1, '2024-01-01'), (-9223372036854775808, 'NEW', 1, '2024-01-01');
EOF
mapping wide
is wide '-9223372036854775808 new 1.00; 9007199254740993 new 1.00; 9223372036854775807 new 1.00'

say '30: text keys in another collation'
sql <<'EOF'
CREATE TABLE sorted (id text PRIMARY KEY, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz);
INSERT INTO sorted SELECT k, 'NEW', 1, '2024-01-01' FROM unnest(ARRAY['a', 'B', 'Z', 'é', 'e', '_', '10', '9', 'a b', 'ab']) k;
EOF
mapping sorted
is sorted '10 new 1.00; 9 new 1.00; B new 1.00; Z new 1.00; _ new 1.00; a b new 1.00; a new 1.00; ab new 1.00; e new 1.00; é new 1.00'
psql -Xqc '\copy sorted TO sorted.csv CSV HEADER'
"$BACKSTORY" migrate sorted.legacy.json --from sorted.csv --to file.jsonl --quiet
cmp sorted.jsonl file.jsonl || fail 'the table and its file give other events'

say '27: a database in SQL_ASCII with bytes that are no UTF-8'
createdb -T template0 -E SQL_ASCII --locale C "$PGDATABASE-ascii"
trap 'dropdb --if-exists "$PGDATABASE-ascii"' EXIT
printf "CREATE TABLE bytes (id text PRIMARY KEY, status text, amount numeric(12,2), created_at timestamptz, done_at timestamptz);
INSERT INTO bytes VALUES ('a', 'NEW', 1, '2024-01-01'), ('b\\351', 'NEW', 1, '2024-01-01'), ('c', 'N\\351W', 1, '2024-01-01'), ('d', 'N\\303\\251W', 1, '2024-01-01');\n" |
    psql -Xq -v ON_ERROR_STOP=1 -d "$PGDATABASE-ascii"
mapping bytes
source="dbname=$PGDATABASE-ascii"
is bytes 'a new 1.00; b� bad-value; c bad-value; d unknown-state'
# In chunks, whose bounds are such bytes as well.
psql -Xq -v ON_ERROR_STOP=1 -d "$PGDATABASE-ascii" <<'EOF'
CREATE TABLE many AS SELECT convert_from(CASE WHEN n % 2 = 0 THEN '\xe9'::bytea ELSE '' END || n::text::bytea, 'SQL_ASCII') AS id,
    'NEW'::text AS status, 1::numeric(12,2) AS amount, timestamptz '2024-01-01' AS created_at, NULL::timestamptz AS done_at
FROM generate_series(1000, 1999) n;
ALTER TABLE many ADD PRIMARY KEY (id);
ANALYZE many;
EOF
mapping many
"$BACKSTORY" migrate many.legacy.json --from "$source" --to "dbname=$PGDATABASE" --jobs 2 --chunk-rows 100 --quarantine m.jsonl --quiet
[ "$(psql -XAtc "SELECT count(*) || ' ' || (SELECT count(*) FROM backstory.chunk) FROM backstory.entity")" = '500 10' ] ||
    fail "keys of bytes, in chunks: $(psql -XAtc 'SELECT count(*) FROM backstory.entity')"
[ "$(grep -c '"code":"bad-value"' m.jsonl)" = 500 ] || fail 'keys that are no text are not put aside'
psql -Xqc "DROP SCHEMA backstory CASCADE" 2>/dev/null
source=dbname=$PGDATABASE

say 'all of them, as a table of texts comes to what the file of tests/golden/traps comes to'
cp "$SOURCE_DIR"/tests/golden/traps/pay* .
psql -Xq -v ON_ERROR_STOP=1 -d "$PGDATABASE-ascii" -c "CREATE TABLE pays ($(head -n 1 pays.csv | sed 's/,/ text, /g') text)" \
    -c '\copy pays FROM pays.csv CSV HEADER'
for from in pays.csv "dbname=$PGDATABASE-ascii"; do
    "$BACKSTORY" migrate pay.legacy.json --from "$from" --to pays.jsonl --quarantine aside.jsonl --quiet
    mv pays.jsonl "pays.${from%%[.=]*}.jsonl"
    sed 's/,"row":.*//' aside.jsonl >"aside.${from%%[.=]*}.jsonl"
done
[ "$(wc -l <aside.pays.jsonl)" -ge 20 ] || fail 'too few rows are put aside'
diff pays.pays.jsonl pays.dbname.jsonl >differences || { cut -c1-300 differences | head -4; fail 'the table gives other events'; }
diff aside.pays.jsonl aside.dbname.jsonl >differences || { cut -c1-300 differences | head -4; fail 'other rows are put aside'; }

say '28: only its owner may read the rows put aside'
[ "$(stat -c %a codes.quarantine.jsonl)" = 600 ] || fail 'the quarantine file is not private'
