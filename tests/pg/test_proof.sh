#!/bin/sh
# The proof of a migration: what was stored is held against the rows as they were; the manifest's queries and digests can be
# worked out again by others; a store that changes what it is given is found out.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
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
[ "$(value m.json verified sum) $(value m.json verified by)" = 'amount currency' ] || fail 'does not say of what the totals are'
for what in digest store source quarantine; do
    psql -XAtqc "$(value m.json recount $what)" >"$what.txt"
done
[ "$(cat digest.txt)" = "$(value m.json store digest all)" ] || fail 'the digest is another one'
cmp source.txt store.txt
[ "$(value m.json recount sum) $(value m.json recount by)" = 'amount currency' ] || fail 'other sums than those of money'
rows=$(awk -F '|' '{ n += $3 } END { print n }' source.txt)
[ "$rows" = $(($(value m.json run read) - $(value m.json run out_of_scope))) ] || fail "$rows rows in scope"
aside=$(awk -F '|' '{ n += $3 } END { print n }' quarantine.txt)
[ "$aside" = "$(value m.json run quarantined)" ] || fail "$aside rows were put aside"
[ "$(stat -c %a m.json)" = 600 ] || fail 'others may read the manifest'

say 'what cannot be written is said before the work'
psql -Xqc 'CREATE DATABASE unwritten'
got=0
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=unwritten --manifest - >out.txt 2>&1 || got=$?
[ "$got" = 2 ] || { cat out.txt; fail "exit status $got instead of 2"; }
for option in manifest quarantine; do
    got=0
    "$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=unwritten \
        --$option nowhere/file >out.txt 2>&1 || got=$?
    [ "$got" = 3 ] || { cat out.txt; fail "exit status $got instead of 3"; }
    grep -q 'nowhere/file: error: could not write the file: No such file' out.txt || { cat out.txt; fail 'does not say so'; }
    [ "$(psql -XAtqd unwritten -c "SELECT to_regnamespace('backstory') IS NULL")" = t ] || fail 'something was done'
done

say 'the digest by other means'
# hex SQL: a line a value, in hexadecimal digits
hex() {
    psql -XAtqc "SELECT encode(convert_to(v, 'UTF8'), 'hex') FROM ($1) AS t (v)"
}
run=$(value m.json run run)
hex "SELECT key || E'\\x1f' || first_version || E'\\x1f' || plan || E'\\x1f' || data
    FROM backstory.segment WHERE run_id = $run ORDER BY key, first_version" >segments.txt
hex "SELECT json_build_array(plan, signature, confidence, certain, type, type_version, state, command, basis,
    event_confidence, source)::text FROM backstory.plan WHERE run_id = $run ORDER BY plan.plan" >plans.txt
hex "SELECT line FROM backstory.quarantine WHERE run_id = $run ORDER BY key NULLS FIRST, line" >lines.txt
cat >digest.py <<'PY'
import hashlib
def items(name):
    return [bytes.fromhex(line) for line in open(name)]
def digest(items):
    return hashlib.sha256(b"".join(hashlib.sha256(item).digest() for item in items)).hexdigest()
chunks = {}
for segment in items("segments.txt"):
    chunks.setdefault(hashlib.md5(segment.split(b"\x1f")[0]).hexdigest()[:2], []).append(segment)
chunks["plans"] = items("plans.txt")
chunks["quarantine"] = items("lines.txt")
print(hashlib.sha256("".join(digest(chunks[c]) for c in sorted(chunks)).encode()).hexdigest())
PY
python3 digest.py >again.txt
cmp digest.txt again.txt
[ "$(wc -l <lines.txt)" = "$(value m.json run quarantined)" ] || fail 'the quarantine is not part of it'

say 'whoever forges a store changes its digest, whatever he forges'
forged() {
    psql -XAtq -v ON_ERROR_STOP=1 >forged.txt <<SQL
BEGIN;
ALTER TABLE backstory.$1 DISABLE TRIGGER USER;
$2;
SELECT backstory.digest_all($run);
ROLLBACK;
SQL
    [ -s forged.txt ] || fail "not forged: $2"
    ! cmp -s digest.txt forged.txt || fail "the digest is the same after: $2"
}
forged segment "UPDATE backstory.segment SET data = replace(data, '1', '2') WHERE key = '$(psql -XAtqc \
    "SELECT min(key) FROM backstory.segment WHERE data LIKE '%1%'")'"
forged plan "UPDATE backstory.plan SET source[1] = 'nothing' WHERE plan = (SELECT min(plan) FROM backstory.plan)"
forged plan "UPDATE backstory.plan SET certain = NOT certain WHERE plan = (SELECT min(plan) FROM backstory.plan)"
forged quarantine "DELETE FROM backstory.quarantine WHERE key = (SELECT min(key) FROM backstory.quarantine)"
forged quarantine "INSERT INTO backstory.quarantine VALUES ($run, 1, 0, 'x', 'contradiction', '{\"key\":\"x\"}')"

say 'the scope in CEL, as SQL'
"$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from "$source" --to dbname=unwritten --manifest cel.json --quarantine q.jsonl \
    --quiet
psql -XAtqc "$(value cel.json recount source)" >cel.txt
[ -s cel.txt ] || fail 'nothing is in scope'
psql -XAtqd unwritten -c "$(value cel.json recount store)" | cmp - cel.txt

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

say 'whoever may only read verifies as well'
psql -Xq -d killed -c 'CREATE ROLE proof_auditor LOGIN' -c 'GRANT backstory_reader TO proof_auditor'
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to 'dbname=killed user=proof_auditor' --verify --quarantine q.jsonl \
    >out.txt 2>note.txt
grep -q '^verified: ' out.txt || { cat out.txt; fail 'not verified'; }
grep -q 'manifest-not-kept' note.txt || { cat note.txt; fail 'does not say that the store keeps nothing'; }
psql -Xq -d killed -c 'DROP OWNED BY proof_auditor' -c 'DROP ROLE proof_auditor'

say 'a store that was changed behind its back is no longer what its first manifest says'
psql -Xq -v ON_ERROR_STOP=1 -d killed <<'SQL'
ALTER TABLE backstory.segment DISABLE TRIGGER USER;
CREATE TABLE kept AS SELECT * FROM backstory.segment WHERE data LIKE '%{}]]' ORDER BY key LIMIT 1;
UPDATE backstory.segment SET data = regexp_replace(segment.data, '\d+,\{\}\]\]$', '999999999999999999,{}]]') FROM kept
WHERE segment.key = kept.key; -- the time of an event that no field of the row tells
ALTER TABLE backstory.segment ENABLE TRIGGER USER;
SQL
got=0
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=killed --manifest forged.json --quarantine q.jsonl >late.txt || got=$?
[ "$got" = 1 ] || { cat late.txt; fail "exit status $got instead of 1"; }
chunk=$(psql -XAtqd killed -c "SELECT substr(md5(key), 1, 2) FROM kept")
grep -q "^NOT verified: what the run has written is no longer what its manifest of .* says: other digests of $chunk\$" late.txt ||
    { cat late.txt; fail 'does not say what is forged'; }
! grep -q '^verified' late.txt || { cat late.txt; fail 'verified all the same'; }
[ "$(value forged.json verified holds)" = False ] || fail 'the manifest says that all is well'
[ "$(value forged.json store first changed)" = "['$chunk']" ] || fail 'the manifest does not name the chunk'
psql -Xq -v ON_ERROR_STOP=1 -d killed <<'SQL'
ALTER TABLE backstory.segment DISABLE TRIGGER USER;
UPDATE backstory.segment SET data = kept.data FROM kept WHERE segment.key = kept.key;
ALTER TABLE backstory.segment ENABLE TRIGGER USER;
SQL
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=killed --verify --quarantine q.jsonl >late.txt ||
    { cat late.txt; fail 'not verified again'; }

say 'a row that has changed since is a difference'
changed=$(psql -XAtqd killed -c 'SELECT entity FROM backstory.entity ORDER BY entity LIMIT 1')
psql -Xqc "UPDATE payments SET amount = amount + 1 WHERE id = $changed"
got=0
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=killed --verify --quarantine q.jsonl >late.txt || got=$?
[ "$got" = 1 ] || { cat late.txt; fail "exit status $got instead of 1"; }
grep -q '^NOT verified: 1 histories differ' late.txt || { cat late.txt; fail 'does not say how many'; }
grep -q 'the rows are those of now' late.txt || { cat late.txt; fail 'does not say of when the rows are'; }
psql -Xqc "UPDATE payments SET amount = amount - 1 WHERE id = $changed"

say 'rows of several moments are held against those of the last, and that is said'
half_a_run() { # in a database of its own, "moments"
    psql -Xq -c 'DROP DATABASE IF EXISTS moments' -c 'CREATE DATABASE moments' 2>dropped.txt
    schema_sql | psql -Xq -v ON_ERROR_STOP=1 -1 -d moments -f - >installed.txt 2>&1
    psql -Xq -v ON_ERROR_STOP=1 -d moments <<'SQL'
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no further'; END$$;
CREATE TRIGGER refuse BEFORE UPDATE ON backstory.chunk FOR EACH ROW WHEN (NEW.chunk = 4) EXECUTE FUNCTION public.refuse();
SQL
    got=0
    "$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=moments --chunk-rows 200 --jobs 1 --quarantine q.jsonl \
        --quiet 2>broken.txt || got=$?
    [ "$got" = 3 ] || { cat broken.txt; fail "exit status $got instead of 3"; }
    [ "$(psql -XAtqd moments -c 'SELECT count(*) > 0 FROM backstory.chunk WHERE done_at IS NOT NULL')" = t ] || fail 'nothing was done'
    psql -Xqd moments -c 'DROP TRIGGER refuse ON backstory.chunk'
}
half_a_run
first=$(psql -XAtqd moments -c "SELECT min(key::bigint) FROM backstory.segment JOIN backstory.plan USING (run_id, plan)
    WHERE state[cardinality(state)] <> 'captured'")
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=moments --chunk-rows 200 --manifest last.json --quarantine q.jsonl \
    >last.txt
grep -q 'the rows are those of the last of 2 moments' last.txt || { cat last.txt; fail 'the moments are not spoken of'; }
grep -q '^verified: .* as they were at the last moment' last.txt || { cat last.txt; fail 'not verified'; }
[ "$(value last.json verified rows_of) $(value last.json run snapshots)" = 'last 2' ] || fail 'the manifest does not say so'
[ "$(value last.json store digest all)" = "$(value m.json store digest all)" ] || fail 'the digest is another one'
half_a_run
psql -Xqc "UPDATE payments SET amount = amount + 1 WHERE id = $first"
got=0
"$BACKSTORY" migrate payment.legacy.json --from "$source" --to dbname=moments --chunk-rows 200 --verify --quarantine q.jsonl >last.txt || got=$?
[ "$got" = 1 ] || { cat last.txt; fail "exit status $got instead of 1"; }
grep -q "\"key\":\"$first\",\"kind\":\"differs\"" last.txt || { cat last.txt; fail 'what changed between is no difference'; }
psql -Xqc "UPDATE payments SET amount = amount - 1 WHERE id = $first"

say 'from file to file'
psql -Xqc '\copy (SELECT * FROM payments) TO payments.csv CSV HEADER'
"$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from payments.csv --to out.jsonl --manifest file.json >out.txt
grep -q '^verified: ' out.txt
[ "$(value file.json store)" = None ] || fail 'a file has no store'

say 'a store that bends what it is given is found out'
psql -Xqc 'CREATE DATABASE bent'
psql -Xq -d bent -v ON_ERROR_STOP=1 <<SQL
$(schema_sql)
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
