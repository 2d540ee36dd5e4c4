#!/bin/sh
# A CSV file into a store is a run like one from a server: in chunks, gone on with, known when it is done, proved; and refused
# when the file is another one. It comes to the same events as the table the file was written from.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
store=dbname=$PGDATABASE
psql -Xq -v rows=5000 -f "$SAMPLES/payment/legacy.sql"
ask -c '\copy (SELECT * FROM payments ORDER BY random()) TO payments.csv CSV HEADER'
cp "$SAMPLES/payment/payment.fsm.json" "$SAMPLES/payment/payment.legacy.json" .

# migrate STATUS [OPTION...]
migrate() {
    want=$1
    shift
    status=0
    "$BACKSTORY" migrate payment.legacy.json --from "${from-payments.csv}" --to "$store" --chunk-rows 500 --quarantine q.jsonl "$@" \
        >out.txt 2>err.txt || status=$?
    [ "$status" = "$want" ] || { cat out.txt err.txt; fail "exit status $status instead of $want: $*"; }
}
says() {
    cat out.txt err.txt | grep -qF -- "$1" || { cat out.txt err.txt; fail "it is not said that $1"; }
}
contents() {
    ask -c "SELECT id, entity, version, type, data, state, occurred_at, basis, confidence, source FROM backstory.event
        ORDER BY entity, version"
}

say 'the calm run'
"$BACKSTORY" migrate payment.legacy.json --from payments.csv --to calm.jsonl --quarantine calm.quarantine.jsonl --quiet
migrate 0 --verify --manifest m.json
says 'verified: '
cmp q.jsonl calm.quarantine.jsonl || fail 'other rows are put aside than from file to file'
contents >calm.txt
[ "$(wc -l <calm.txt)" = "$(wc -l <calm.jsonl)" ] || fail 'other events than from file to file'
[ "$(ask -c 'SELECT count(*) FROM backstory.chunk')" -ge 9 ] || fail 'not in chunks'

say 'the same command again, and the same file by another name'
migrate 0 --verify
says 'nothing was done'
says 'fold to their rows as they were then'
mkdir folder
cp payments.csv folder/payments.csv
from=folder
migrate 0
says 'nothing was done'
unset from
"$BACKSTORY" status --from "$store" >status.txt
grep -q 'payment  done  100.0 %  5,000 .* payments.csv' status.txt || { cat status.txt; fail 'status does not know it'; }

say 'from the table: the same events'
from=dbname=$PGDATABASE
ask -c 'DROP SCHEMA backstory CASCADE' 2>/dev/null
migrate 0 --jobs 2
unset from
contents >table.txt
diff calm.txt table.txt >differences || { head -5 differences; fail 'file and table differ'; }

say 'broken off in the middle, and gone on with'
ask -c 'DROP SCHEMA backstory CASCADE' 2>/dev/null
schema_sql | ask -1 >/dev/null
ask <<'SQL'
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no further'; END$$;
CREATE TRIGGER refuse BEFORE UPDATE ON backstory.chunk FOR EACH ROW WHEN (NEW.chunk = 6) EXECUTE FUNCTION public.refuse();
SQL
migrate 3
says 'the same command goes on from there'
[ "$(ask -c 'SELECT count(*) FROM backstory.event')" = 0 ] || fail 'some of it is seen'
ask -c 'DROP TRIGGER refuse ON backstory.chunk'

say 'a file that changes under the run'
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/gate.sh"
cp -r folder calm_folder
fresh_store() {
    ask -c 'DROP SCHEMA backstory CASCADE' 2>/dev/null
    schema_sql | ask -1 >/dev/null
}
make_gate "$PGDATABASE"
ask -c "CREATE FUNCTION public.stand() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM public.wait_at_gate(); RETURN NULL; END'"
# changed_under HOW TABLE STATUS: when the run comes to that table of the store the file is changed; it ends so.
changed_under() {
    fresh_store
    ask -c "CREATE TRIGGER stand BEFORE INSERT ON backstory.$2 FOR EACH STATEMENT EXECUTE FUNCTION public.stand()"
    close_gate "$PGDATABASE"
    "$BACKSTORY" migrate payment.legacy.json --from folder --to "$store" --chunk-rows 500 --quarantine q.jsonl >out.txt 2>err.txt &
    run=$!
    wait_at_gate $run || { cat err.txt; fail "not at the gate"; }
    $1
    open_gate
    status=0
    wait $run || status=$?
    [ $status = "$3" ] || { cat out.txt err.txt; fail "$1: exit status $status"; }
    ask -c "DROP TRIGGER stand ON backstory.$2"
}
in_place() {
    sed '1!s/EUR/CHF/' calm_folder/payments.csv >changed.csv
    cat changed.csv >folder/payments.csv
}
renamed() {
    sed '1!s/EUR/CHF/' calm_folder/payments.csv >changed.csv
    mv changed.csv folder/payments.csv
}
appended() {
    sed -n '2s/^[0-9]*/99999999/p' calm_folder/payments.csv >>folder/payments.csv
}
for how in in_place renamed appended; do
    changed_under $how snapshot 1
    says '[source-changed]'
    says 'the SHA-256 of payments.csv was "'
    [ "$(ask -c 'SELECT count(*) FROM backstory.load')" = 0 ] || fail "$how: something is left of it"
    cp calm_folder/payments.csv folder/payments.csv
done
# What is read is read: the rows are sorted by then.
changed_under in_place segment 0
contents | cmp - calm.txt || fail 'other events'
cp calm_folder/payments.csv folder/payments.csv

say 'broken off in the middle again'
fresh_store
ask -c "CREATE TRIGGER refuse BEFORE UPDATE ON backstory.chunk FOR EACH ROW WHEN (NEW.chunk = 6) EXECUTE FUNCTION public.refuse()"
migrate 3
ask -c 'DROP TRIGGER refuse ON backstory.chunk'

say 'but not with another file'
cp payments.csv kept.csv
sed '1!s/EUR/CHF/' kept.csv >payments.csv
migrate 1
says 'the SHA-256 of payments.csv was "'
cp kept.csv payments.csv
migrate 0 --require-one-snapshot --verify
says 'went on where it had been broken off, after 2,500 rows'
! grep -q 'not of one moment' out.txt || fail 'a file has one moment only'
contents | cmp - calm.txt || fail 'other events'
cmp q.jsonl calm.quarantine.jsonl || fail 'other rows are put aside'

say 'a file that cannot be read twice: all of it or nothing'
ask -c 'DROP SCHEMA backstory CASCADE' 2>/dev/null
mkfifo pipe.csv
cat payments.csv >pipe.csv &
from=pipe.csv
migrate 0
unset from
wait
contents | cmp - calm.txt || fail 'other events'

say 'what a file has not is not asked of it'
for option in --snapshot=0-1-1 --max-snapshot-age=1h; do
    migrate 2 $option
    says 'is for a source in PostgreSQL'
done
