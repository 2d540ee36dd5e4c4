#!/bin/sh
# Rows that were put aside: listed from store and file, looked at, and tried again with a mended mapping.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
source=dbname=$PGDATABASE
psql -Xq -v rows=3000 -f "$SAMPLES/payment/legacy.sql"
cp "$SAMPLES/payment/payment.fsm.json" "$SAMPLES/payment/payment.legacy.json" .
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to "$source" --quarantine q.jsonl --quiet

say 'where no store is there is nothing to list, nothing to try again, and none is made'
psql -Xqc 'CREATE DATABASE empty'
for action in "list --from dbname=empty" "show 7 --from dbname=empty" "retry payment.legacy.json --from $source --to dbname=empty"; do
    got=0
    # shellcheck disable=SC2086
    "$BACKSTORY" quarantine $action --quiet >none.txt 2>&1 || got=$?
    [ "$got" = 3 ] || { cat none.txt; fail "exit status $got instead of 3: $action"; }
    grep -q 'no-store' none.txt || { cat none.txt; fail "it does not say that there is no store: $action"; }
done
[ -z "$(psql -XAtqd empty -c "SELECT to_regnamespace('backstory')")" ] || fail 'a store was made'

say 'the store and the file list the same'
"$BACKSTORY" quarantine list --from "$source" >store.txt
"$BACKSTORY" quarantine list --from q.jsonl >file.txt
cmp store.txt file.txt
[ "$(grep -c ': ' store.txt)" = "$(wc -l <q.jsonl)" ] || { cat store.txt; fail 'not every row is listed'; }
key=$(sed -n 's/^\([0-9]*\)  unknown-state: .*/\1/p' store.txt | head -n 1)
[ -n "$key" ] || fail 'no row has an unknown state: nothing to test with'

say 'one of them, whole'
"$BACKSTORY" quarantine show "$key" --from "$source" >row.txt
for column in status currency; do
    grep -q "^    $column: " row.txt || { cat row.txt; fail 'the row is not whole'; }
done
got=0
"$BACKSTORY" quarantine show nobody --from "$source" 2>err.txt || got=$?
[ "$got" = 1 ] || fail "exit status $got instead of 1"

say 'a mended mapping, for these rows alone'
before=$(psql -XAtqc 'SELECT count(*) FROM backstory.entity')
python3 - "$(sed -n 's/^    status: //p' row.txt | head -n 1)" <<'PY'
import json, sys
mapping = json.load(open("payment.legacy.json"))
mapping["state"]["values"][sys.argv[1]] = "captured"
json.dump(mapping, open("mended.legacy.json", "w"))
PY
psql -Xqc "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RAISE 'not now'; END\$\$" \
    -c 'CREATE TRIGGER refuse BEFORE INSERT ON backstory.run FOR EACH ROW EXECUTE FUNCTION refuse()'
got=0
"$BACKSTORY" quarantine retry mended.legacy.json --from "$source" --to "$source" >retry.txt 2>&1 || got=$?
[ "$got" = 3 ] || { cat retry.txt; fail "exit status $got instead of 3"; }
grep -q 'not now' retry.txt || { cat retry.txt; fail 'it does not say what failed'; }
grep -q 'nothing was changed: the same command begins anew' retry.txt || { cat retry.txt; fail 'it does not say how to go on'; }
[ "$(psql -XAtqc 'SELECT count(*) FROM backstory.entity')" = "$before" ] || fail 'a retry that failed has left something behind'
psql -Xqc 'DROP TRIGGER refuse ON backstory.run'
"$BACKSTORY" quarantine retry mended.legacy.json --from "$source" --to "$source" --manifest m.json --format json >retry.json
tried=$(sed -n 's/^  "read": \([0-9]*\),$/\1/p' retry.json)
new=$(sed -n 's/^  "migrated": \([0-9]*\),$/\1/p' retry.json)
if [ "$new" = 0 ] || [ "$tried" -gt 60 ]; then
    cat retry.json
    fail "$new of $tried rows were migrated"
fi
[ "$(psql -XAtqc 'SELECT count(*) FROM backstory.entity')" = $((before + new)) ] || fail 'the store has other histories'
python3 - "$before" "$new" "$tried" <<'PY'
import json, sys
before, new, tried = map(int, sys.argv[1:])
manifest, said = json.load(open("m.json")), json.load(open("retry.json"))
assert said["verified"]["holds"] and said["run"] == manifest["run"]["run"] == 3, said
assert manifest["verified"]["equal"] == before + new, manifest["verified"]
assert manifest["run"]["read"] == tried and manifest["store"]["quarantined"] == tried - new, manifest
assert manifest["recount"]["source"] is None, manifest["recount"]
open("sql", "w").write(";".join(manifest["recount"][q] for q in ("digest", "store", "quarantine")))
PY
psql -XAtq -v ON_ERROR_STOP=1 -f sql >recount.txt
python3 - "$(head -n 1 recount.txt)" <<'PY'
import json, sys
assert sys.argv[1] == json.load(open("m.json"))["store"]["digest"]["all"]
PY
psql -XAtqc 'SELECT manifest FROM backstory.manifest WHERE run_id = 3' | cmp - m.json
"$BACKSTORY" quarantine list --from "$source" >after.txt
psql -XAtqc 'SELECT entity FROM backstory.entity' >entities.txt
! sed -n 's/^\([0-9]*\)  [a-z-]*: .*/\1/p' after.txt | grep -xFf entities.txt || fail 'a row that has a history is still listed'
[ "$(grep -c ': ' after.txt)" = $(($(grep -c ': ' store.txt) - new)) ] || { diff store.txt after.txt || :; fail 'the list is another one'; }

"$BACKSTORY" status --from "$source" >status.txt
grep -q "^  *3  payment  done  100.0 %  *$tried " status.txt || { cat status.txt; fail 'status does not list the retry'; }

say 'compare knows what the store has put aside'
"$BACKSTORY" compare mended.legacy.json --from "$source" --to "$source" --quarantine nowhere.jsonl --quiet >compare.txt || {
    cat compare.txt
    fail 'old and new differ'
}

say 'what is read is not written over, and list writes nothing'
for options in "retry mended.legacy.json --to $source --manifest mended.legacy.json" "list --verify"; do
    got=0
    # shellcheck disable=SC2086
    "$BACKSTORY" quarantine $options --from "$source" 2>err.txt || got=$?
    [ "$got" = 2 ] || { cat err.txt; fail "exit status $got instead of 2: $options"; }
done

say 'trying again changes nothing more'
"$BACKSTORY" quarantine retry mended.legacy.json --from "$source" --to "$source" --format json >retry.json
grep -q '^  "migrated": 0,$' retry.json || { cat retry.json; fail 'something was migrated twice'; }
"$BACKSTORY" quarantine list --from "$source" >again.txt
cmp after.txt again.txt

# In a database of its own; by the columns of its key, a list in JSON; and what is done to the table.
wide() {
    psql -Xqc "CREATE DATABASE $1"
    psql -Xqd "$1" -v rows=1000 -f "$SAMPLES/payment/legacy.sql"
    psql -Xqd "$1" -c 'ALTER TABLE payments ADD scan text' \
        -c "UPDATE payments SET reference = reference || E'/%\\'', status = 99,
            scan = repeat(md5(reference), CASE WHEN id % 40 = 0 THEN 9000 ELSE 3 END)" -c "$3"
    python3 - "$1" "$2" <<'PY'
import json, sys
mapping = json.load(open("payment.legacy.json"))
mapping["source"]["key"] = json.loads(sys.argv[2])
json.dump(mapping, open(sys.argv[1] + ".legacy.json", "w"))
PY
    "$BACKSTORY" migrate "$1.legacy.json" --from "dbname=$1" --to "dbname=$1" --quiet || [ $? = 1 ]
    psql -XAtqd "$1" -c "WITH held AS (SELECT (line::json->'row')::jsonb::text FROM backstory.quarantine),
        there AS (SELECT (SELECT jsonb_object_agg(key, value) FROM json_each_text(row_to_json(t)))::text FROM payments t)
        SELECT count(*) > 900 AND NOT EXISTS (SELECT * FROM held EXCEPT ALL SELECT * FROM there) FROM held" >same.txt
    [ "$(cat same.txt)" = t ] || fail "rows put aside in $1 are not as they were"
}
say 'whole rows are as the server has them, whatever they are found by and however large they are'
wide by_place '"id"' 'SELECT'
wide by_key '["reference", "id"]' 'DELETE FROM payments WHERE id IS NULL; ALTER TABLE payments ADD PRIMARY KEY (id, reference)'
