#!/bin/sh
# Comparing both sides at one place in the log while writers write at full speed and a follower brings the store along:
# clean each time, though no side is ever at rest; a difference that was planted is found, and only it; whoever compares
# keeps nobody waiting, also when he is killed.
set -eu

mapping=$SAMPLES/payment/payment.legacy.json
from='' to='' here='' source_root='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

compare() {
    "$BACKSTORY" compare "$mapping" --from "$from" --to "$to" --differences found.jsonl "$@" >compared.txt 2>&1
}
clean() {
    compare "$@" || { cat compared.txt; fail "differs: $*"; }
    grep -q '^exact at LSN [0-9A-F]*/[0-9A-F]* ' compared.txt || { cat compared.txt; fail "does not say that it is exact: $*"; }
}
place() {
    stored "SELECT lsn FROM backstory.follow"
}
passing_slots() {
    source_sql -Atc "SELECT count(*) FROM pg_replication_slots WHERE temporary"
}

source_sql -q -v rows=3000 -f "$SAMPLES/payment/legacy.sql"
source_sql -q -c "DELETE FROM payments WHERE id IS NULL" \
    -c "DELETE FROM payments a USING payments b WHERE a.id = b.id AND a.ctid > b.ctid" \
    -c "DELETE FROM payments WHERE id < 30" -c "ALTER TABLE payments ADD PRIMARY KEY (id)" \
    -c "ALTER TABLE payments ALTER failure_reason SET STORAGE EXTERNAL" \
    -c "CREATE SEQUENCE next START 100001" \
    -c "UPDATE payments SET failure_reason = repeat('long ', 1000) WHERE id % 10 = 0 AND status = 60"

say 'at rest each side is of a moment of its own'
catch_up
compare || { cat compared.txt; fail 'differs at rest'; }
! grep -q 'exact at' compared.txt || fail 'nobody runs, and it says that it is exact'
source_sql -q -c "INSERT INTO payments (id, reference, status, amount, currency, created_at, updated_at)
    VALUES (6000001, 'late', 0, 100, 'EUR', now(), now())"
got=0
compare || got=$?
is 'exit status when the store is behind' 1 "$got"
grep -q '^the follower of slot backstory_payment does not run: it is at ' compared.txt ||
    { cat compared.txt; fail 'does not say why it may differ'; }
got=0
compare --at now --wait 1 || got=$?
is 'exit status without a follower' 4 "$got"
grep -q 'it is not running \[follower-lags\]' compared.txt || { cat compared.txt; fail 'does not say that nobody runs'; }

# Lives from creation to refund, in one transaction and in several; rows that get another key, are deleted, are inserted
# and deleted at once; a large value that is not sent again.
cat >life.sql <<'SQL'
SELECT nextval('next') AS id \gset
INSERT INTO payments (id, reference, status, amount, currency, created_at, updated_at)
    VALUES (:id, 'r' || :id, 0, 100, 'EUR', now(), now());
UPDATE payments SET status = 10, authorized_at = now(), updated_at = now() WHERE id = :id;
BEGIN;
UPDATE payments SET status = 20, captured_cents = 9000, captured_at = now(), updated_at = now() WHERE id = :id;
UPDATE payments SET refunded_amount = 10, refund_count = 1, refunded_at = now(), updated_at = now() WHERE id = :id;
COMMIT;
\set fate random(1, 4)
\if :fate = 1
DELETE FROM payments WHERE id = :id;
\elif :fate = 2
UPDATE payments SET id = -id WHERE id = :id;
\elif :fate = 3
BEGIN;
INSERT INTO payments (id, reference, status, amount, currency, created_at, updated_at)
    VALUES (1000000 + :id, 'r' || (1000000 + :id), 0, 100, 'EUR', now(), now());
DELETE FROM payments WHERE id = 1000000 + :id;
COMMIT;
\endif
SQL
cat >touch.sql <<'SQL'
\set id random(30, 1000)
UPDATE payments SET updated_at = now() WHERE id = :id;
SQL
"$BACKSTORY" follow "$mapping" --from "$from" --to "$to" --quiet >follow.txt 2>&1 &
following=$!
pgbench -h "$source_root" -n -f life.sql@9 -f touch.sql@1 -c 2 -T 3600 shop >pgbench.txt 2>&1 &
writing=$!
trap 'kill $writing 2>/dev/null || :; kill -CONT $following 2>/dev/null || :; kill $following 2>/dev/null || :
      "$SOURCE_DIR/tests/support/pg-cluster.sh" stop "$here/source"' EXIT
until [ "$(source_sql -Atc "SELECT count(*) FROM pg_replication_slots WHERE active")" = 1 ]; do
    kill -0 $following || fail 'the follower has ended'
done

say 'while they write'
before=$(place)
for options in '' '--jobs 2' '--at now' '--jobs 3 --at now' '--sample 30%' '--since since.json' '--since since.json'; do
    # shellcheck disable=SC2086
    clean $options
done
compare --format json || { cat compared.txt; fail 'differs: --format json'; }
grep -q '"rows_from_log": [0-9]' compared.txt || { cat compared.txt; fail 'the figures do not say where both sides are'; }
[ "$(place)" != "$before" ] || fail 'nothing was written meanwhile'
until [ "$(passing_slots)" = 0 ]; do :; done # it ends with its session

say 'a difference that was planted is found, and only that'
store_sql -q <<'SQL'
ALTER TABLE backstory.segment DISABLE TRIGGER append_only;
UPDATE backstory.segment SET data = replace(data, '"amount":"', '"amount":"1') WHERE key = '2007';
SQL
got=0
compare --jobs 2 || got=$?
is 'exit status' 1 "$got"
grep -q '"key":"2007".*"field":"amount"' found.jsonl || { cat found.jsonl compared.txt; fail 'it was not found'; }
is 'entities that differ' 1 "$(sed 's/.*"key":"\([^"]*\)".*/\1/' found.jsonl | sort -u | wc -l)"
grep -q '^exact at LSN' compared.txt || fail 'does not say that it is exact'
store_sql -qc "UPDATE backstory.segment SET data = replace(data, '\"amount\":\"1', '\"amount\":\"') WHERE key = '2007'"

say 'whoever is killed while he waits leaves nothing'
kill -STOP $following
"$BACKSTORY" compare "$mapping" --from "$from" --to "$to" --at now >killed.txt 2>&1 &
comparing=$!
until [ "$(passing_slots)" = 1 ] && grep -q 'waits for the follower to come to' killed.txt; do
    kill -0 $comparing || { cat killed.txt; fail 'it did not wait'; }
done
kill -9 $comparing
wait $comparing 2>/dev/null || :
until [ "$(passing_slots)" = 0 ]; do :; done
kill -CONT $following
clean --jobs 2

say 'a follower that is restarted is waited for'
kill $following
wait $following || fail 'the follower could not be stopped'
"$BACKSTORY" compare "$mapping" --from "$from" --to "$to" --at now >waited.txt 2>&1 &
comparing=$!
until grep -q 'and not running' waited.txt; do
    kill -0 $comparing || { cat waited.txt; fail 'it did not wait'; }
done
"$BACKSTORY" follow "$mapping" --from "$from" --to "$to" --quiet >follow.txt 2>&1 &
following=$!
wait $comparing || { cat waited.txt; fail 'differs after the follower was restarted'; }
grep -q '^exact at LSN' waited.txt || fail 'does not say that it is exact'

say 'a transaction that is open is named, and not waited for longer than was asked'
kill $writing
wait $writing || :
mkfifo open.sql
psql -Xq -h "$source_root" -d shop -f open.sql >/dev/null 2>&1 &
holding=$!
exec 3>open.sql
echo "BEGIN; UPDATE payments SET updated_at = now() WHERE id = 31;" >&3
until [ "$(source_sql -Atc "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND backend_xid IS NOT NULL")" = 1 ]; do :; done
got=0
compare --wait 1 || got=$?
is 'exit status while a transaction is open' 4 "$got"
grep -q 'waits for these transactions of the old system to end: backstory (pid' compared.txt || { cat compared.txt; fail 'does not name it'; }
grep -q 'still-open' compared.txt || { cat compared.txt; fail 'does not say why it gave up'; }
exec 3>&-
wait $holding || :
clean

say 'a time of creation that is set later is named, and so is a key that comes back as another row'
source_sql -q -c "UPDATE payments SET created_at = created_at - interval '40 days' WHERE id = 31" \
    -c "CREATE TABLE another AS SELECT * FROM payments WHERE id = 2007" \
    -c "UPDATE another SET created_at = created_at - interval '1 second'" \
    -c "BEGIN; DELETE FROM payments WHERE id = 2007; INSERT INTO payments SELECT * FROM another; COMMIT"
got=0
compare || got=$?
is 'exit status' 1 "$got"
is 'what differs' '2007 (created) 31 (created) ' \
    "$(sed 's/.*"key":"\([^"]*\)".*"differs":"creation".*"field":"\([^"]*\)".*/\1 \2/' found.jsonl | sort | tr '\n' ' ')"
is 'of them in quarantine' '' "$(stored "SELECT key FROM backstory.follow_quarantine WHERE key IN ('31', '2007') AND released_lsn IS NULL")"
clean --tolerance created_at=P50D
source_sql -q -c "UPDATE payments SET created_at = created_at + interval '40 days' WHERE id = 31" \
    -c "UPDATE payments SET created_at = created_at + interval '1 second' WHERE id = 2007"
clean

say 'the table was emptied'
source_sql -q -c "TRUNCATE payments" -c "INSERT INTO payments (id, reference, status, amount, currency, created_at, updated_at)
    VALUES (7000001, 'again', 0, 100, 'EUR', now(), now())"
clean

say 'a role that may not replicate hears of it, and of another way'
source_sql -q -c "CREATE ROLE looks LOGIN" -c "GRANT SELECT ON payments TO looks"
got=0
"$BACKSTORY" compare "$mapping" --from "host=$source_root user=looks dbname=shop" --to "$to" >compared.txt 2>&1 || got=$?
is 'exit status of a role that may not' 3 "$got"
grep -q 'may-not-replicate' compared.txt || { cat compared.txt; fail 'does not say what is missing'; }
grep -q -- '--recheck' compared.txt || fail 'does not name the other way'
"$BACKSTORY" compare "$mapping" --from "host=$source_root user=looks dbname=shop" --to "$to" --recheck 3 >compared.txt 2>&1 ||
    { cat compared.txt; fail 'the other way does not work'; }

say 'more was changed between the two places than is held: nothing is wrong, and it can be tried again'
kill $following
wait $following || fail 'the follower could not be stopped'
source_sql -q -c 'ALTER TABLE payments ADD note text' -c 'ALTER TABLE payments ALTER note SET STORAGE EXTERNAL' \
    -c "INSERT INTO payments (id, reference, status, amount, currency, created_at, updated_at)
        SELECT 7100000 + i, 'much ' || i, 0, 100, 'EUR', now(), now() FROM generate_series(1, 60) AS i"
catch_up
"$BACKSTORY" compare "$mapping" --from "$from" --to "$to" --at now >waited.txt 2>&1 &
comparing=$!
until grep -q 'and not running' waited.txt; do
    kill -0 $comparing || { cat waited.txt; fail 'it did not wait'; }
done
source_sql -q -c "UPDATE payments SET note = repeat('x', 1000000)"
catch_up
got=0
wait $comparing || got=$?
is 'exit status when too much was changed' 4 "$got"
grep -q 'more than 48 MiB of rows were changed between them .*too-much-changed' waited.txt || { cat waited.txt; fail 'does not say why'; }
compare || { cat compared.txt; fail 'differs at rest'; }

say 'a session of the old system crashes, and its server recovers by itself: what was written may be gone, and all is read'
# read_again CHUNKS WHAT: of --since
read_again() {
    "$BACKSTORY" compare "$mapping" --from "$from" --to "$to" --since since.json --at rest --format json >figures.json 2>&1 ||
        { cat figures.json; fail "differs: $2"; }
    is "chunks that are read, $2" "$1" "$(sed -n 's/^    "read": \([0-9]*\),*$/\1/p' figures.json)"
}
rm -f since.json
"$BACKSTORY" compare "$mapping" --from "$from" --to "$to" --since since.json --at rest --format json >figures.json 2>&1 || fail 'differs'
chunks=$(sed -n 's/^    "read": \([0-9]*\),*$/\1/p' figures.json)
[ "$chunks" -gt 0 ] || fail 'nothing was read at first'
read_again 0 'at rest'
psql -Xq -h "$source_root" -d shop -c 'SELECT pg_sleep(1000)' >/dev/null 2>&1 &
sleeping=$!
pid=''
until [ -n "$pid" ]; do pid=$(source_sql -Atc "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(1000)'"); done
checkpointer() {
    source_sql -Atc "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'" 2>/dev/null || :
}
before=$(checkpointer)
kill -9 "$pid"
wait $sleeping || :
after=''
until [ -n "$after" ] && [ "$after" != "$before" ]; do after=$(checkpointer); done
read_again "$chunks" 'after the crash'
read_again 0 'at rest again'
