#!/bin/sh
# Comparing while the old system writes and a follower brings the store along: what has only not arrived yet is no
# difference, what really differs is one, and what the follower has set aside is known.
set -eu

mapping=$SAMPLES/payment/payment.legacy.json
from='' to='' here='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

compare() {
    "$BACKSTORY" compare "$mapping" --from "$from" --to "$to" --quiet --differences found.jsonl "$@" >compared.txt 2>&1
}

source_sql -q -v rows=500 -f "$SAMPLES/payment/legacy.sql"
source_sql -q -c "DELETE FROM payments WHERE id IS NULL" \
    -c "DELETE FROM payments a USING payments b WHERE a.id = b.id AND a.ctid > b.ctid" \
    -c "DELETE FROM payments WHERE id < 30" -c "ALTER TABLE payments ADD PRIMARY KEY (id)"
say 'nobody follows: nothing to wait for'
"$BACKSTORY" migrate "$mapping" --from "$from" --to "$to" --quiet --quarantine q.jsonl
got=0
compare --recheck 3 || got=$?
is 'exit status' 1 "$got"
grep -q 'not-followed' compared.txt || fail 'does not say that nobody follows'
store_sql -qc 'DROP SCHEMA backstory CASCADE'

say 'while it writes'
catch_up
"$BACKSTORY" follow "$mapping" --from "$from" --to "$to" >running.txt 2>&1 &
follower=$!
trap 'kill "$follower" 2>/dev/null || :; "$SOURCE_DIR/tests/support/pg-cluster.sh" stop "$here/source"' EXIT
while [ "$(source_sql -Atc "SELECT count(*) FROM pg_replication_slots WHERE active")" = 0 ]; do
    kill -0 "$follower" || { cat running.txt; fail 'the follower has ended'; }
done
n=9001
while [ $n -lt 9041 ]; do
    source_sql -q -c "INSERT INTO payments (id, reference, status, amount, currency, created_at, updated_at)
                      VALUES ($n, 'r$n', 0, 100, 'EUR', now(), now())" \
        -c "UPDATE payments SET status = 10, authorized_at = now() WHERE id = $n"
    n=$((n + 1))
done
compare --recheck 5 || { cat compared.txt; fail 'differs, although the follower has come as far'; }

say 'a real difference is one, and the only one'
store_sql -q <<'SQL'
ALTER TABLE backstory.segment DISABLE TRIGGER append_only;
UPDATE backstory.segment SET data = replace(data, '"amount":"', '"amount":"1') WHERE key = '9007';
SQL
got=0
compare --recheck 3 || got=$?
is 'exit status' 1 "$got"
is 'differences' 1 "$(wc -l <found.jsonl)"
grep -q '"key":"9007"' found.jsonl || fail 'another one was found'
store_sql -qc "UPDATE backstory.segment SET data = replace(data, '\"amount\":\"1', '\"amount\":\"') WHERE key = '9007'"

say 'what the follower has set aside is in quarantine'
source_sql -q -c "UPDATE payments SET status = 30, refunded_amount = 100, refund_count = 1 WHERE id = 9010"
compare --recheck 3 --format json || { cat compared.txt; fail 'what is set aside counts as a difference'; }
is 'set aside' 1 "$(stored "SELECT count(DISTINCT key) FROM backstory.follow_quarantine WHERE released_lsn IS NULL AND key = '9010'")"

say 'and is listed and shown with what migrate has put aside'
reason=$(stored "SELECT reason FROM backstory.follow_quarantine WHERE released_lsn IS NULL AND key = '9010'")
"$BACKSTORY" quarantine list --from "$to" --code "$reason" >listed.txt
grep -q "^9010  $reason: ." listed.txt || { cat listed.txt; fail 'it is not listed'; }
"$BACKSTORY" quarantine show 9010 --from "$to" >shown.txt
grep -q '^    status: 30$' shown.txt || { cat shown.txt; fail 'the row is not shown'; }
"$BACKSTORY" quarantine list --from "$to" --machine another --limit 0 >listed.txt
grep -q 'no row is put aside' listed.txt || { cat listed.txt; fail 'rows of another machine are listed'; }
