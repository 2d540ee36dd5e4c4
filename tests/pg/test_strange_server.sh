#!/bin/sh
# Servers that are set up as nobody expects: what a run comes to is the same, or it says what to do.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/gate.sh"
mapping=$SAMPLES/payment/payment.legacy.json
source=dbname=$PGDATABASE
psql -Xq -v rows=2000 -f "$SAMPLES/payment/legacy.sql"

# store NAME [OPTION...]: a new database
store() {
    name=$1
    shift
    psql -Xqc "DROP DATABASE IF EXISTS strange_$name" -c "CREATE DATABASE strange_$name $*" 2>dropped.txt
}
# load NAME [OPTION...]: into it, and its digest
load() {
    name=$1
    shift
    "$BACKSTORY" migrate "$mapping" --from "$source" --to "dbname=strange_$name" --chunk-rows 300 --quarantine q.jsonl --verify "$@" \
        >out.txt 2>&1 || return $?
    grep -q '^verified: ' out.txt || { cat out.txt; fail "$name is not verified"; }
    psql -XAtqd "strange_$name" -c 'SELECT backstory.digest_all(max(run_id)) FROM backstory.run' >"$name.digest"
}
store plain
load plain || { cat out.txt; fail 'a plain server'; }

say 'strings with escapes, identifiers with quotes'
store escapes
psql -Xqc 'ALTER DATABASE strange_escapes SET standard_conforming_strings = off' \
    -c 'ALTER DATABASE strange_escapes SET quote_all_identifiers = on'
load escapes || { cat out.txt; fail 'escapes'; }
cmp plain.digest escapes.digest

say 'public has a digest() of somebody'"'"'s own'
store digest
psql -Xqd strange_digest -c "CREATE FUNCTION public.digest(bytea, text) RETURNS bytea LANGUAGE sql RETURN '\\x00'::bytea"
load digest || { cat out.txt; fail 'digest'; }
for name in plain digest; do
    psql -XAtqd "strange_$name" -c 'SELECT id FROM backstory.event ORDER BY id' >"$name.ids"
done
cmp plain.ids digest.ids

say 'a store that does not hold every text says which one would'
store latin "ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
psql -Xqc "CREATE TABLE notes AS SELECT 1 AS id, 'p' AS status, '一' AS text, timestamptz '2024-01-01' AS created_at" \
    -c 'ALTER TABLE notes ADD PRIMARY KEY (id)'
cat >note.fsm.json <<'JSON'
{ "id": "note", "fields": { "text": "text" }, "events": { "NoteCreated": { "fields": { "text": "text" } } }, "initial": "new",
  "states": { "new": { "type": "final" } } }
JSON
cat >note.legacy.json <<'JSON'
{ "machine": "note.fsm.json", "source": { "table": "public.notes", "key": "id" },
  "state": { "column": "status", "values": { "p": "new" } }, "fields": { "text": "text" }, "evidence": [{ "creation": "created_at" }] }
JSON
got=0
"$BACKSTORY" migrate note.legacy.json --from "$source" --to dbname=strange_latin >out.txt 2>&1 || got=$?
[ "$got" = 3 ] || { cat out.txt; fail "exit status $got instead of 3"; }
grep -q "hint: Load into a database WITH ENCODING 'UTF8'" out.txt || { cat out.txt; fail 'no hint'; }

say 'a trigger that swallows rows is found out'
store trigger
{
    schema_sql
    cat <<'SQL'
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER swallow BEFORE INSERT ON backstory.segment FOR EACH ROW EXECUTE FUNCTION swallow();
SQL
} | ask -d strange_trigger -1 >made.txt 2>&1
got=0
load trigger || got=$?
[ "$got" = 3 ] || { cat out.txt; fail "exit status $got instead of 3"; }
grep -q 'hint: Look for a trigger' out.txt || { cat out.txt; fail 'no hint'; }

say 'two loads end in one store at the same moment: one builds the index, and the other waits for it'
store index
psql -Xqd strange_index -v ON_ERROR_STOP=1 -1 -f "$SOURCE_DIR/store/schema.sql" -c 'SELECT backstory.bulk_begin()' >made.txt 2>&1
make_gate strange_index
close_gate strange_index
ask -d strange_index -c 'BEGIN' -c 'SELECT backstory.index_streams()' -c 'SELECT public.wait_at_gate()' -c 'COMMIT' >first.txt 2>&1 9>&- &
first=$!
wait_at_gate $first || { cat first.txt; fail 'the first one'; }
ask -d strange_index -c 'SELECT backstory.index_streams()' >second.txt 2>&1 9>&- &
second=$!
until [ "$(ask -c "SELECT count(*) FROM pg_stat_activity WHERE datname = 'strange_index' AND wait_event_type = 'Lock'
    AND wait_event <> 'advisory'")" = 1 ]; do
    kill -0 $second 2>/dev/null || break
done
open_gate
wait $first || { cat first.txt; fail 'the first one'; }
wait $second || { cat second.txt; fail 'the second one'; }

say 'two machines begin in one new store at the same moment, and both come in'
sed 's/Payment/Refusal/g; s/"payment"/"refusal"/' "$SAMPLES/payment/payment.fsm.json" >refusal.fsm.json
sed 's/Payment/Refusal/g; s/payment.fsm.json/refusal.fsm.json/' "$mapping" >refusal.legacy.json
store both
pids=
for each in "$mapping" refusal.legacy.json; do
    "$BACKSTORY" migrate "$each" --from "$source" --to dbname=strange_both --quiet --quarantine "${each##*/}.q.jsonl" \
        >"${each##*/}.txt" 2>&1 &
    pids="$pids $!"
done
for pid in $pids; do
    wait "$pid" || { cat ./*.legacy.json.txt; fail 'one was refused'; }
done
psql -XAtqd strange_both -c 'SELECT machine, count(*) FROM backstory.entity GROUP BY 1 ORDER BY 1' >both.txt
[ "$(wc -l <both.txt)" = 2 ] || { cat both.txt; fail 'not two machines'; }

say 'names are written as they are'
psql -Xqc 'CREATE SCHEMA "a.b"' -c 'CREATE TABLE "a.b".notes (id int)' -c 'ALTER TABLE notes RENAME TO "no""te.s %s"'
# table NAME: in place of the one in note.legacy.json
table() {
    python3 -c 'import json, sys
mapping = json.load(open("note.legacy.json"))
mapping["source"]["table"] = sys.argv[1]
json.dump(mapping, open("named.legacy.json", "w"))' "$1"
    got=0
    "$BACKSTORY" plan named.legacy.json --from "$source" >out.txt 2>&1 || got=$?
}
table 'public.no"te.s %s'
[ "$got" = 0 ] || { cat out.txt; fail 'a table with a strange name is not found'; }
table '"public"."no""te.s %s"'
grep -q "hint: Names are written as they are, without SQL's quotes" out.txt || { cat out.txt; fail 'no hint at the quotes'; }
table a.b.notes
grep -q 'hint: The first dot ends the schema' out.txt || { cat out.txt; fail 'no hint at the dot'; }

for name in plain escapes digest latin trigger index both; do
    psql -Xqc "DROP DATABASE strange_$name"
done
