#!/bin/sh
# Old against new on a server: by several readers the same as by one; a sample is the same entities wherever they are kept.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
# compare STATUS OUT OPTION...: JSON figures to OUT.json, sorted differences to OUT.jsonl.
compare() {
    want=$1
    out=$2
    shift 2
    got=0
    "$BACKSTORY" compare "$SAMPLES/payment/payment.legacy.json" --quiet --format json --differences "$out.lines" "$@" \
        >"$out.json" 2>"$out.err" || got=$?
    [ "$got" = "$want" ] || { cat "$out.err" "$out.json"; fail "exit status $got instead of $want: $*"; }
    sort "$out.lines" >"$out.jsonl"
    sed -n '/"figures"/,$p' "$out.json" >"$out.figures"
}

source=dbname=$PGDATABASE
psql -Xq -v rows=20000 -f "$SAMPLES/payment/legacy.sql" -c 'ANALYZE payments'
"$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from "$source" --to "$source" --quarantine q.jsonl --quiet

say 'equal, by one reader and by three'
compare 0 one --from "$source" --to "$source" --quarantine q.jsonl
compare 0 three --from "$source" --to "$source" --quarantine q.jsonl --jobs 3
cmp one.figures three.figures

say 'a file of quarantined rows that lies here excuses nothing: the store has its own'
echo '{"key": "900001", "code": "unknown-state", "reason": "of another run"}' >payment.quarantine.jsonl
psql -Xqc "CREATE TEMP TABLE another AS SELECT * FROM payments WHERE id = 96" -c "UPDATE another SET id = 900001" \
    -c "INSERT INTO payments SELECT * FROM another"
compare 1 own --from "$source" --to "$source"
[ "$(sed 's/^{"key":"\([0-9]*\)","kind":"\([a-z-]*\)".*/\1 \2/' own.jsonl)" = '900001 missing-in-store' ] || {
    cat own.jsonl
    fail 'the row without a history was excused'
}
compare 0 told --from "$source" --to "$source" --quarantine payment.quarantine.jsonl
psql -Xqc "DELETE FROM payments WHERE id = 900001"
compare 0 own --from "$source" --to "$source"
rm payment.quarantine.jsonl

say 'what differs is found by three as by one'
psql -Xq <<'SQL'
UPDATE payments SET amount = amount + 0.01 WHERE id = 3;
UPDATE payments a SET amount = b.amount FROM payments b WHERE (a.id, b.id) IN ((101, 19801), (19801, 101));
DELETE FROM payments WHERE id = 4242;
CREATE TEMP TABLE another AS SELECT * FROM payments WHERE id = 96;
UPDATE another SET id = 900001;
INSERT INTO payments SELECT * FROM another;
SQL
compare 1 one --from "$source" --to "$source" --quarantine q.jsonl
compare 1 three --from "$source" --to "$source" --quarantine q.jsonl --jobs 3
cmp one.figures three.figures
cmp one.jsonl three.jsonl
sed 's/^{"key":"\([0-9]*\)","kind":"\([a-z-]*\)".*/\1 \2/' one.jsonl | tr '\n' ' ' >found
want='101 differs 19801 differs 3 differs 4242 missing-in-source 900001 missing-in-store '
[ "$(cat found)" = "$want" ] || { cat found; fail 'not those that were changed'; }

say 'a sample: the same entities from a server and from files, and what it says of all'
psql -Xqc '\copy (SELECT * FROM payments) TO payments.csv CSV HEADER'
"$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from "$source" --to store.jsonl --quarantine q2.jsonl --quiet
compare 0 server --from "$source" --to store.jsonl --quarantine q2.jsonl --sample 10%
compare 0 file --from payments.csv --to store.jsonl --quarantine q2.jsonl --sample 10%
cmp server.figures file.figures
compare 0 other --from payments.csv --to store.jsonl --quarantine q2.jsonl --sample 10% --seed 2
! cmp -s file.figures other.figures || fail 'another seed draws the same sample'
rows=$(sed -n 's/^  "rows": \([0-9]*\),$/\1/p' file.figures)
if [ "$rows" -lt 1800 ] || [ "$rows" -gt 2200 ]; then fail "a tenth of 20,000 rows is not $rows"; fi

say 'again and again: only what has changed is read'
# read OUT: how many chunks were read of how many
chunks() {
    sed -n 's/^    "read": \([0-9]*\),*$/\1/p' "$1.figures"
}
psql -Xq -c 'CREATE DATABASE since'
"$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from "$source" --to dbname=since --quarantine q4.jsonl --quiet
mkdir kept
ln -s kept/since.json since.json # a link is followed, not replaced
compare 0 first --from "$source" --to dbname=since --since since.json --jobs 2
[ "$(stat -c %a kept/since.json)" = 600 ] || fail 'others may read the keys'
all=$(chunks first)
[ "$all" -gt 1 ] || { cat first.figures; fail 'there is one chunk alone'; }
[ -L since.json ] || fail 'the link was replaced'
compare 0 second --from "$source" --to dbname=since --since since.json
[ "$(chunks second)" = 0 ] || { cat second.figures; fail 'what has not changed was read'; }
psql -Xqc "UPDATE payments SET amount = amount + 0.01 WHERE id = 3"
compare 1 third --from "$source" --to dbname=since --since since.json
[ "$(chunks third)" = 1 ] || { cat third.figures; fail 'not one chunk was read'; }
grep -q '"key":"3","kind":"differs"' third.jsonl || fail 'the change was not found'
compare 1 fourth --from "$source" --to dbname=since --since since.json
[ "$(chunks fourth)" = 1 ] || fail 'what was different was not read again'
psql -Xqc "UPDATE payments SET amount = amount - 0.01 WHERE id = 3"
psql -Xqd since -v ON_ERROR_STOP=1 <<'SQL'
ALTER TABLE backstory.segment DISABLE TRIGGER append_only;
UPDATE backstory.segment SET data = replace(data, '"amount":"', '"amount":"1') WHERE key = (SELECT max(key) FROM backstory.segment);
SQL
compare 1 fifth --from "$source" --to dbname=since --since since.json --jobs 2
last=$(psql -XAtqd since -c 'SELECT max(key) FROM backstory.segment')
grep -q "\"key\":\"$last\"" fifth.jsonl || { cat fifth.figures; fail 'a change of the store was not found'; }
[ "$(wc -l <fifth.jsonl)" -le 3 ] || { cat fifth.jsonl; fail 'more than that was found'; }
psql -Xqd since -c "UPDATE backstory.segment SET data = replace(data, '\"amount\":\"1', '\"amount\":\"') WHERE key = '$last'"

say 'what is written without a trace in the values, and values that change without being written'
# since STATUS CHUNKS WHAT: compares once more; so many chunks must have been read, `all` of them or `some`
since() {
    compare "$1" again --from "$source" --to dbname=since --since since.json
    case $2 in
    some) [ "$(chunks again)" -gt 0 ] || { cat again.figures; fail "$3: nothing was read"; } ;;
    *) [ "$(chunks again)" = "$2" ] || { cat again.figures; fail "$3: $(chunks again) chunks were read, not $2"; } ;;
    esac
}
since 0 some 'all is equal again'
since 0 0 'at rest'
psql -Xqc 'VACUUM FREEZE payments'
since 0 0 'frozen'
psql -Xqc "UPDATE payments SET updated_at = updated_at WHERE id = 3"
since 0 1 'a row that was written as it was'
psql -Xqc "CREATE TABLE gone AS SELECT * FROM payments WHERE id = 77" -c "DELETE FROM payments WHERE id = 77"
since 1 1 'a row that was deleted'
grep -q '"key":"77","kind":"missing-in-source"' again.jsonl || fail 'a row that was deleted was not missed'
psql -Xqc "INSERT INTO payments SELECT * FROM gone"
since 0 1 'a row that was inserted again'
psql -Xqc 'VACUUM FULL payments'
since 0 0 'rewritten as it was'
psql -Xqd since -c "DELETE FROM backstory.segment WHERE key = '77'"
since 1 1 'a history that was deleted'
psql -Xqc "DELETE FROM payments WHERE id = 77"
since 0 1 'and its row'

mkfifo open.sql
psql -Xq -f open.sql >/dev/null &
open=$!
exec 3>open.sql
echo "BEGIN; UPDATE payments SET amount = amount + 0.01 WHERE id = 3; \\! touch written" >&3
until [ -f written ]; do :; done
since 0 0 'a transaction is open'
echo "COMMIT;" >&3
exec 3>&-
wait $open
since 1 1 'a transaction that was open then'
grep -q '"key":"3","kind":"differs"' again.jsonl || fail 'what was open then was not found'
psql -Xqc "UPDATE payments SET amount = amount - 0.01 WHERE id = 3"
since 0 1 'and back'
psql -Xqc "UPDATE payments SET created_at = created_at - interval '40 days' WHERE id = 101"
since 1 1 'a time of creation that was changed'
[ "$(sed 's/,"old".*//' again.jsonl)" = '{"key":"101","kind":"differs","differs":"creation","field":"(created)"' ] || fail 'the creation was not named'
since 1 1 'which stays'
psql -Xqc "UPDATE payments SET created_at = created_at + interval '40 days' WHERE id = 101"
since 0 1 'and is mended'

psql -Xqc "ALTER TABLE payments DROP failure_reason" -c "ALTER TABLE payments ADD failure_reason text DEFAULT 'none'"
since 1 "$all" 'another column of the same name'
since 1 "$all" 'which differs everywhere'
sed -i --follow-symlinks 's/"old_stamp": "[0-9]* /"old_stamp": "999999999 /; s/"equal": false/"equal": true/' since.json
since 1 "$all" 'numbers of transactions from elsewhere'
psql -Xqc "ALTER TABLE payments RENAME TO kept" -c "CREATE VIEW public.payments AS SELECT * FROM kept"
since 1 "$all" 'a view has no transactions'
sed -i --follow-symlinks 's/"equal": false/"equal": true/' since.json
since 0 0 'but digests'
psql -Xqc "UPDATE kept SET amount = amount + 0.01 WHERE id = 3"
since 1 1 'which tell a change'
psql -Xqc "UPDATE kept SET amount = amount - 0.01 WHERE id = 3" -c "DROP VIEW public.payments" \
    -c "CREATE TABLE public.payments (LIKE kept) PARTITION BY HASH (id)" \
    -c "CREATE TABLE even PARTITION OF public.payments FOR VALUES WITH (MODULUS 2, REMAINDER 0)" \
    -c "CREATE TABLE odd PARTITION OF public.payments FOR VALUES WITH (MODULUS 2, REMAINDER 1)" \
    -c "INSERT INTO public.payments SELECT * FROM kept" -c "ANALYZE public.payments"
since 1 "$all" 'partitions have transactions'
sed -i --follow-symlinks 's/"equal": false/"equal": true/' since.json
since 0 0 'and no digests'
grep -q '"old_stamp": "' kept/since.json || fail 'partitions have no stamp'
psql -Xqc "UPDATE public.payments SET amount = amount + 0.01 WHERE id = 3"
since 1 1 'of each row'
psql -Xqc "ALTER TABLE public.payments DETACH PARTITION odd" -c "CREATE TABLE odder (LIKE odd)" -c "INSERT INTO odder SELECT * FROM odd" \
    -c "ALTER TABLE public.payments ATTACH PARTITION odder FOR VALUES WITH (MODULUS 2, REMAINDER 1)"
since 1 "$all" 'another partition'

say 'another comparison is refused'
sed 's/"compare": 3/"compare": 2/' since.json >before.json
compare 1 older --from "$source" --to dbname=since --since before.json
grep -q "an older program's" older.err || { cat older.err; fail 'a file of an older program is not refused'; }
compare 2 sixth --from payments.csv --to dbname=since --since other.json
sed -i --follow-symlinks 's/"mapping_sha256": "./"mapping_sha256": "x/' since.json
compare 1 seventh --from "$source" --to dbname=since --since since.json
grep -q 'another mapping' seventh.err || { cat seventh.err; fail 'another mapping is not refused'; }
