#!/bin/sh
# The proof of a migration: what was stored is held against the rows as they were; the manifest's queries and digests can be
# worked out again by others; a store that changes what it is given is found out.
set -eu

say() {
    echo "proof: $*"
}
fail() {
    echo "proof: $*" >&2
    exit 1
}
# value FILE PATH...: of a JSON file
value() {
    python3 -c 'import json, sys
v = json.load(open(sys.argv[1]))
for k in sys.argv[2:]:
    v = v[k]
print(v)' "$@"
}

source=dbname=$PGDATABASE
psql -Xq -v rows=3000 -f "$SAMPLES/payment/legacy.sql"
cp "$SAMPLES/payment/payment.fsm.json" .
python3 - "$SAMPLES/payment/payment.legacy.json" >payment.legacy.json <<'PY'
import json, sys
mapping = json.load(open(sys.argv[1]))
mapping["source"]["where"] = "deleted_at IS NULL AND id > 0"  # SQL that only a server understands
json.dump(mapping, sys.stdout)
PY

say 'the run is verified, and the manifest says what can be recounted'
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to "$source" --jobs 2 --chunk-rows 500 --manifest m.json \
    --quarantine q.jsonl --format json >run.json
[ "$(value run.json verified holds)" = True ] || fail 'not verified'
[ "$(value m.json verified equal)" = "$(value m.json run migrated)" ] || fail 'not every history was looked at'
for what in digest store source; do
    psql -XAtqc "$(value m.json recount $what)" >"$what.txt"
done
[ "$(cat digest.txt)" = "$(value m.json store digest all)" ] || fail 'the digest is another one'
entities=$(awk -F '|' '{ n += $2 } END { print n }' store.txt)
[ "$entities" = "$(value m.json run migrated)" ] || fail "$entities entities in the store"
rows=$(awk -F '|' '{ n += $3 } END { print n }' source.txt)
[ "$rows" = $(($(value m.json run read) - $(value m.json run out_of_scope))) ] || fail "$rows rows in scope"

say 'the digest by other means'
psql -XAtqc "SELECT encode(convert_to(key || E'\\x1f' || first_version || E'\\x1f' || plan || E'\\x1f' || data, 'UTF8'), 'hex')
    FROM backstory.segment WHERE run_id = $(value m.json run run) ORDER BY key, first_version" >segments.txt
python3 - >again.txt <<'PY'
import hashlib
chunks = {}
for line in open("segments.txt"):
    segment = bytes.fromhex(line)
    key = segment.split(b"\x1f")[0]
    chunks.setdefault(hashlib.md5(key).hexdigest()[:2], []).append(hashlib.sha256(segment).digest())
print(hashlib.sha256("".join(hashlib.sha256(b"".join(chunks[c])).hexdigest() for c in sorted(chunks)).encode()).hexdigest())
PY
cmp digest.txt again.txt

say 'it stays in the store, for good'
psql -XAtqc "SELECT manifest FROM backstory.manifest" >kept.json
cmp m.json kept.json
! psql -Xqc "DELETE FROM backstory.manifest" 2>refused.txt || fail 'a manifest can be deleted'
grep -q 'history is append-only' refused.txt

[ "$(value m.json verified rows_of)" = load ] || fail 'the rows are not those of the load'

say 'killed after the load: the same command makes up for the proof, with the rows of now, and says so'
psql -Xqc 'CREATE DATABASE killed'
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=killed --quarantine q.jsonl --quiet # no proof, as if killed
[ "$(psql -XAtqd killed -c 'SELECT count(*) FROM backstory.manifest')" = 0 ] || fail 'there is a proof already'
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=killed --manifest late.json --quarantine q.jsonl >late.txt
grep -q 'the rows are those of now, not those that were loaded' late.txt || { cat late.txt; fail 'the rows are not said to be others'; }
grep -q '^verified: .* as they are now' late.txt || { cat late.txt; fail 'not verified'; }
[ "$(value late.json verified rows_of)" = now ] || fail 'the manifest does not say of when the rows are'
for what in holds equal totals; do
    [ "$(value late.json verified $what)" = "$(value m.json verified $what)" ] || fail "$what is another one"
done
[ "$(value late.json store digest all)" = "$(value m.json store digest all)" ] || fail 'the digest is another one'
psql -XAtqd killed -c 'SELECT manifest FROM backstory.manifest' | cmp - late.json

say 'a row that has changed since is a difference'
changed=$(psql -XAtqd killed -c 'SELECT entity FROM backstory.entity ORDER BY entity LIMIT 1')
psql -Xqc "UPDATE payments SET amount = amount + 1 WHERE id = $changed"
got=0
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=killed --verify --quarantine q.jsonl >late.txt || got=$?
[ "$got" = 1 ] || { cat late.txt; fail "exit status $got instead of 1"; }
grep -q '^NOT verified: 1 histories differ' late.txt || { cat late.txt; fail 'does not say how many'; }
grep -q 'the rows are those of now' late.txt || { cat late.txt; fail 'does not say of when the rows are'; }
psql -Xqc "UPDATE payments SET amount = amount - 1 WHERE id = $changed"

say 'from file to file'
psql -Xqc '\copy (SELECT * FROM payments) TO payments.csv CSV HEADER'
"$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from payments.csv --to out.jsonl --manifest file.json >out.txt
grep -q '^verified: ' out.txt
[ "$(value file.json store)" = None ] || fail 'a file has no store'

say 'a store that bends what it is given is found out'
psql -Xqc 'CREATE DATABASE bent'
psql -Xq -d bent -v ON_ERROR_STOP=1 <<SQL
$(cat "$SOURCE_DIR"/store/schema.sql "$SOURCE_DIR"/store/views.sql "$SOURCE_DIR"/store/append.sql "$SOURCE_DIR"/store/follow.sql \
    "$SOURCE_DIR"/store/rights.sql)
CREATE FUNCTION public.bend() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN
    IF NEW.key = '3' THEN NEW.data := regexp_replace(NEW.data, '"amount":"(\d+)\.', '"amount":"9\1.', 'g'); END IF;
    RETURN NEW;
END\$\$;
CREATE TRIGGER bend BEFORE INSERT ON backstory.segment FOR EACH ROW EXECUTE FUNCTION public.bend();
SQL
got=0
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=bent --verify --quarantine q.jsonl >out.txt || got=$?
[ "$got" = 1 ] || { cat out.txt; fail "exit status $got instead of 1"; }
grep -q '^NOT verified: 1 histories differ' out.txt || { cat out.txt; fail 'does not say how many'; }
grep -q '"key":"3","kind":"differs"' out.txt || { cat out.txt; fail 'does not say which'; }
