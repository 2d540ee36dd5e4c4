#!/bin/sh
# A badly set up old system, mended step by step by what the preflight itself says: each finding is provoked, its hint's
# statement is carried out as it stands, and then the finding is gone. Two servers.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
mapping=$SAMPLES/payment/payment.legacy.json
here=$(pwd)
store="host=$PGHOST user=backstory dbname=$PGDATABASE"
cluster=$SOURCE_DIR/tests/support/pg-cluster.sh
trap '"$cluster" stop "$here/old"' EXIT
trap 'exit 129' HUP INT TERM
"$cluster" start "$here/old" --while $$ >/dev/null # as a server is by default for a test: no log, no senders
old=$(cat old/cluster)
from="host=$old user=follower dbname=postgres"

fail() {
    echo "check: $*" >&2
    cat check.txt >&2
    exit 1
}
old_sql() {
    psql -Xq -v ON_ERROR_STOP=1 -h "$old" -d postgres -At "$@"
}
restart() {
    old_sql -c CHECKPOINT
    "$cluster" crash "$here/old"
}
# check [OPTIONS...]: as the role that follows.
check() {
    "$BACKSTORY" follow "$mapping" --from "$from" --check "$@" >check.txt 2>&1
}
# found CODE [OPTIONS...]: the preflight says so, and changes nothing.
found() {
    code=$1
    shift
    check "$@" && fail "the preflight says nothing of $code"
    grep -q "\[$code\]" check.txt || fail "the preflight says nothing of $code"
}
# mended CODE [OPTIONS...]: what the hint says is done, as the owner of everything, and the finding is gone.
mended() {
    found "$@"
    grep -A1 "\[$1\]" check.txt | sed -n 's/^  hint: \(.*;\)[^;]*$/\1/p' >mend.sql
    [ -s mend.sql ] || fail "the hint of $1 has no statement"
    old_sql -f mend.sql || fail "the hint of $1 is wrong: $(cat mend.sql)"
    ! grep -A1 "\[$1\]" check.txt | grep -q 'restart the server' || restart
    shift
    check "$@" || :
    ! grep -q "\[$code\]" check.txt || fail "$code is still there after: $(cat mend.sql)"
}
fine() {
    check "$@" || fail 'something is still missing'
}

old_sql -v rows=200 -f "$SAMPLES/payment/legacy.sql"
old_sql -c 'DELETE FROM payments WHERE id IS NULL' \
    -c 'DELETE FROM payments a USING payments b WHERE a.id = b.id AND a.ctid > b.ctid' \
    -c 'CREATE ROLE follower LOGIN' -c 'REVOKE ALL ON SCHEMA public FROM public'
cp "$SAMPLES/payment/payment.fsm.json" .

say 'all that is missing is said at once'
for code in wal-level no-free-walsender may-not-replicate may-not-publish may-not-read replica-identity; do
    found $code
done

say 'the server: its log, its senders, its slots, the role'
mended wal-level
mended no-free-walsender
mended may-not-replicate
for slots in 0 1; do
    old_sql -c "ALTER SYSTEM SET max_replication_slots = $slots"
    restart
    mended no-free-slot
done

say 'the table: rights to it, and all of its rows'
mended may-not-read
old_sql -c 'ALTER TABLE payments ENABLE ROW LEVEL SECURITY'
mended row-security

say 'the table: each replica identity'
mended replica-identity # there is no primary key, as the sample is
old_sql -c 'ALTER TABLE payments REPLICA IDENTITY NOTHING'
mended replica-identity
old_sql -c 'CREATE UNIQUE INDEX by_reference ON payments (reference)' -c 'ALTER TABLE payments REPLICA IDENTITY USING INDEX by_reference'
mended replica-identity
old_sql -c 'ALTER TABLE payments ALTER id SET NOT NULL' -c 'ALTER TABLE payments REPLICA IDENTITY USING INDEX payments_id_key'
check || :
! grep -q '\[replica-identity\]' check.txt || fail 'an index on the key is not enough'
old_sql -c 'ALTER TABLE payments REPLICA IDENTITY DEFAULT'
found replica-identity
old_sql -c 'ALTER TABLE payments ADD PRIMARY KEY (id)' # the other way that it names
check || :
! grep -q '\[replica-identity\]' check.txt || fail 'a primary key is not enough'
grep -q 'no-old-images' check.txt || fail 'it does not say what is not seen without old images'
mended no-old-images --version-column refund_count
old_sql -c 'ALTER TABLE payments SET UNLOGGED'
mended not-in-the-log

say 'the table: its columns'
old_sql -c 'ALTER TABLE payments RENAME amount TO total'
found unknown-column
old_sql -c 'ALTER TABLE payments RENAME total TO amount' -c 'ALTER TABLE payments DROP currency' \
    -c "ALTER TABLE payments ADD currency char(3) GENERATED ALWAYS AS ('EUR') STORED"
mended generated-column
old_sql -c 'ALTER TABLE payments ALTER created_at TYPE timestamp'
check && fail 'a time without a zone is not noticed'
grep -q 'zone' check.txt || fail 'it does not say that the zone is missing'
old_sql -c 'ALTER TABLE payments ALTER created_at TYPE timestamptz'

say 'the publication'
mended may-not-publish
old_sql -c 'ALTER PUBLICATION backstory_payment DROP TABLE payments' -c "ALTER PUBLICATION backstory_payment SET (publish = 'insert')"
mended other-publication
old_sql -c 'ALTER PUBLICATION backstory_payment SET TABLE payments WHERE (status > 0)'
mended other-publication

say 'the ledger and the version column'
found unknown-table --ledger public.nothing:a:b:refunded
old_sql -c 'CREATE UNLOGGED TABLE ledger (payment bigint, amount numeric)'
found unknown-column --ledger public.ledger:payment:sum:refunded
mended not-in-the-log --ledger public.ledger:payment:amount:refunded
mended replica-identity --ledger public.ledger:payment:amount:refunded
mended other-publication --ledger public.ledger:payment:amount:refunded
found unknown-column --version-column nothing

say 'a slot of the name that is another kind'
old_sql -c "SELECT pg_create_physical_replication_slot('backstory_payment')" >/dev/null
found other-slot
old_sql -c "SELECT pg_drop_replication_slot('backstory_payment')" >/dev/null

say 'nothing is missing any more: and that is true'
fine --to "$store"
"$BACKSTORY" follow "$mapping" --from "$from" --to "$store" --until now >check.txt 2>&1 || fail 'it cannot follow'
old_sql -c "INSERT INTO payments (id, reference, status, amount, currency, created_at, updated_at)
    VALUES (901, 'n', 0, 5, 'EUR', now(), now())"
"$BACKSTORY" follow "$mapping" --from "$from" --to "$store" --until now >check.txt 2>&1 || fail 'it cannot follow'
grep -q '1 transactions with 1 changes: 1 events' check.txt || fail 'it has not followed'

say 'what the store knows of the slot'
{ cat "$mapping"; echo; } >other.legacy.json
mapping=other.legacy.json
found other-mapping --to "$store"
mapping=$SAMPLES/payment/payment.legacy.json
lsn=$(psql -XAtqc "SELECT lsn FROM backstory.follow")
psql -Xqc 'UPDATE backstory.follow SET lsn = lsn - 8'
found store-behind --to "$store"
psql -Xqc "UPDATE backstory.follow SET lsn = '$lsn'"
old_sql -c "SELECT pg_drop_replication_slot('backstory_payment')" >/dev/null
found slot-missing --to "$store"
fine --to "$store" --snapshot-again

# ---- other kinds of tables, each with a mapping and a slot of its own
of_table() {
    sed "s/public\.payments/public.$1/" "$SAMPLES/payment/payment.legacy.json" >"$1.legacy.json"
    mapping=$1.legacy.json
}
say 'partitions: each of them counts'
old_sql -c 'CREATE TABLE parted (LIKE payments INCLUDING DEFAULTS) PARTITION BY HASH (id)' \
    -c 'CREATE TABLE part_1 PARTITION OF parted FOR VALUES WITH (modulus 2, remainder 0)' \
    -c 'CREATE UNLOGGED TABLE "Part 2" PARTITION OF parted FOR VALUES WITH (modulus 2, remainder 1)' \
    -c 'ALTER TABLE parted ADD PRIMARY KEY (id)' -c 'ALTER TABLE part_1 REPLICA IDENTITY NOTHING' \
    -c 'GRANT SELECT ON parted TO follower'
of_table parted
mended not-in-the-log --slot parted
mended replica-identity --slot parted
old_sql -c 'CREATE PUBLICATION parted FOR TABLE parted'
mended other-publication --slot parted
fine --slot parted

say 'inheritance, a view, no table at all, SQL in the mapping'
old_sql -c 'CREATE TABLE heirless (LIKE payments INCLUDING ALL)' -c 'CREATE TABLE heir () INHERITS (heirless)' \
    -c 'CREATE VIEW seen AS SELECT * FROM payments' -c 'GRANT SELECT ON heirless, seen TO follower'
of_table heirless
found not-in-the-log --slot heirless
grep -A1 not-in-the-log check.txt | grep -q 'partitions' || fail 'it does not say what to do'
of_table seen
found not-in-the-log --slot seen
grep -A1 not-in-the-log check.txt | grep -q 'table behind it' || fail 'it does not say what to do'
of_table nothing
found unknown-table --slot nothing
sed 's/"failure_reason": "failure_reason"/"failure_reason": { "sql": "left(failure_reason, 9)" }/' \
    "$SAMPLES/payment/payment.legacy.json" >sql.legacy.json
mapping=sql.legacy.json
found sql-in-mapping
grep -q 'left(failure_reason, 9)' check.txt || fail 'it does not say which expression'

say 'a log as evidence: migrated with it, followed without it'
old_sql -c 'CREATE TABLE steps (payment bigint, to_state text, at timestamptz, n int)' -c 'GRANT SELECT ON steps TO follower'
sed 's/^  "probabilities": {/  "log": { "table": "public.steps", "entity": "payment", "to": "to_state", "at": "at", "order": "n" },\n&/' \
    "$SAMPLES/payment/payment.legacy.json" >log.legacy.json
mapping=log.legacy.json
found sql-in-mapping
grep -A1 sql-in-mapping check.txt | grep -q 'no "log": its first snapshot goes on' || fail 'it does not say what to do'
psql -Xqc 'DROP SCHEMA backstory CASCADE' 2>/dev/null
"$BACKSTORY" migrate "$mapping" --from "$from" --to "$store" --quarantine q.jsonl --quiet >check.txt 2>&1 || :
mapping=$SAMPLES/payment/payment.legacy.json
"$BACKSTORY" follow "$mapping" --from "$from" --to "$store" --until now >check.txt 2>&1 || fail 'it cannot go on from there'
[ "$(psql -XAtqc 'SELECT count(*) > 0 AND max(kind) = min(kind) FROM backstory.run')" = t ] || fail 'histories were told again'
is_left=$(old_sql -c 'SELECT string_agg(slot_name, $$ $$) FROM pg_replication_slots')
[ "$is_left" = backstory_payment ] || fail "the checks have left slots: $is_left"
