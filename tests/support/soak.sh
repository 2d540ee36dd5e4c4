#!/bin/sh
# soak.sh KILLS SECONDS WRITERS: writers at full speed in the old system; whoever follows them is killed KILLS times, each
# time after some of it has come into the store, and the store's server crashes half-way. From then on old and new are compared
# at one place in the log, all the while. At the end every change is one event, none twice, none missing, and every fold is its
# row. Two clusters. Prints the figures as JSON.
set -eu

kills=$1 seconds=$2 writers=$3
mapping=$SAMPLES/payment/payment.legacy.json
here=$(pwd)
cluster=$SOURCE_DIR/tests/support/pg-cluster.sh
trap '"$cluster" stop "$here/old"; "$cluster" stop "$here/new"' EXIT
trap 'exit 129' HUP INT TERM
"$cluster" start "$here/old" --while $$ --logical >/dev/null
"$cluster" start "$here/new" --while $$ >/dev/null
old=$(cat old/cluster) new=$(cat new/cluster)
# shellcheck source=/dev/null
. "$here/new/env"
from="host=$old user=backstory dbname=postgres"
to="host=$new user=backstory dbname=postgres"

fail() {
    echo "soak: $*" >&2
    cat follow.txt >&2
    exit 1
}
old_sql() {
    psql -Xq -v ON_ERROR_STOP=1 -h "$old" -At "$@"
}
stored() {
    psql -Xq -h "$new" -Atc "$1" 2>/dev/null
}

old_sql -v rows=0 -f "$SAMPLES/payment/legacy.sql" >/dev/null
old_sql -c 'DELETE FROM payments' -c 'ALTER TABLE payments ALTER reference DROP NOT NULL, ADD PRIMARY KEY (id)' \
    -c 'CREATE SEQUENCE next'
# Six transactions, six changes, six events: a life from creation to the last refund. Now and then two in one transaction.
cat >life.sql <<'SQL'
SELECT nextval('next') AS id \gset
INSERT INTO payments (id, status, amount, currency, created_at, updated_at) VALUES (:id, 0, 100, 'EUR', now(), now());
BEGIN;
UPDATE payments SET status = 5, challenged_at = now(), updated_at = now() WHERE id = :id;
UPDATE payments SET status = 10, authorized_at = now(), updated_at = now() WHERE id = :id;
COMMIT;
UPDATE payments SET status = 20, captured_cents = 9000, captured_at = now(), updated_at = now() WHERE id = :id;
UPDATE payments SET refunded_amount = 10, refund_count = 1, refunded_at = now(), updated_at = now() WHERE id = :id;
UPDATE payments SET status = 30, refunded_amount = 90, refund_count = 2, refunded_at = now(), updated_at = now() WHERE id = :id;
SQL

follow() {
    "$BACKSTORY" follow "$mapping" --from "$from" --to "$to" --quiet "$@" >follow.txt 2>&1
}
follow --until now || fail 'cannot begin'
pgbench -h "$old" -n -f life.sql -c "$writers" -T "$seconds" postgres >pgbench.txt 2>&1 &
writing=$!

compare() {
    "$BACKSTORY" compare "$mapping" --from "$from" --to "$to" "$@"
}
# Again and again while they write, whatever happens to the follower meanwhile; when he is killed too often to come so far
# that is no finding (4).
: >clean.txt
compare_all_the_while() {
    while kill -0 $writing 2>/dev/null; do
        got=0
        compare --at now --quiet >comparing.txt 2>&1 || got=$?
        case $got in
        0) grep '^exact at LSN' comparing.txt >>clean.txt ;;
        4) ;;
        *) cp comparing.txt differing.txt ;;
        esac
    done
}

# A process of its own, not a shell's child: what is killed is the follower.
set_off() {
    "$BACKSTORY" follow "$mapping" --from "$from" --to "$to" --quiet >follow.txt 2>&1 &
    following=$!
}
events() {
    stored 'SELECT sum(events) FROM backstory.follow'
}
# Until some of what is written has come into the store, or all is written.
moved() {
    before=$(events || :)
    until [ -n "$before" ]; do before=$(events || :); done
    now=$before
    while [ "$now" = "$before" ] && kill -0 $writing 2>/dev/null; do
        kill -0 "$following" 2>/dev/null || fail "the follower has ended"
        now=$(events || echo "$before")
    done
}
end_it() {
    kill -9 "$following"
    wait "$following" 2>/dev/null || :
}
done=0
crashed=0
while [ $done -lt "$kills" ] && kill -0 $writing 2>/dev/null; do
    set_off
    moved
    if [ $done -eq $((kills / 2)) ]; then
        "$cluster" crash "$here/new" # this one lives through it
        moved
        crashed=1
        compare_all_the_while &
        comparing=$!
    fi
    end_it
    done=$((done + 1))
done
[ $crashed = 1 ] || fail "all was written before the store had crashed"
wait $writing || { cat pgbench.txt >&2; fail 'the writers failed'; }
wait "$comparing"
[ ! -f differing.txt ] || { cat differing.txt >&2; fail 'old and new differed at one place in the log'; }
set_off
compare --at now --wait 600 >compared.txt 2>&1 || { cat compared.txt >&2; fail 'old and new differ at one place in the log'; }
grep -q '^exact at LSN' compared.txt || { cat compared.txt >&2; fail 'does not say that it is exact'; }
end_it
follow --until now || fail 'cannot catch up'

lives=$(old_sql -c 'SELECT last_value FROM next')
found=$(stored "SELECT count(*) FROM backstory.event")
[ "$found" = $((6 * lives)) ] || fail "$found events instead of $((6 * lives))"
sums=$(stored "SELECT changes = events AND unchanged = 0 AND quarantined = 0 AND changes = 6 * $lives FROM backstory.follow")
[ "$sums" = t ] || { stored 'SELECT * FROM backstory.follow' >&2; fail 'the count of events is not that of changes'; }
compare >compared.txt 2>&1 || { cat compared.txt >&2; fail 'old and new differ'; }
echo "{\"kills\":$done,\"crashes\":$crashed,\"comparisons\":$(wc -l <clean.txt),\"changes\":$((6 * lives)),\"events\":$found}"
