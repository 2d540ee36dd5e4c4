#!/bin/sh
# Log that nobody follows: how the server's patience with it ends, what is said on the way, and the way on when it is lost.
set -eu

mapping=$SAMPLES/payment/payment.legacy.json
from='' to='' # set by
# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/follow.sh"

# setting NAME VALUE ...
setting() {
    while [ $# -gt 0 ]; do
        source_sql -q -c "ALTER SYSTEM SET $1 = '$2'"
        shift 2
    done
    source_sql -q -c 'SELECT pg_reload_conf()' >/dev/null
}
# Until the session sees it: a server reads its settings when it gets to it.
has_setting() {
    until [ "$(source_sql -Atc "SELECT current_setting('$1') = '$2'")" = t ]; do :; done
}
# Segments of log, of 16 MiB each, in which nothing much stands.
fill_log() {
    for _ in 1 2 3 4 5; do
        source_sql -q -c "SELECT pg_logical_emit_message(false, 'fill', '')" -c 'SELECT pg_switch_wal()' >/dev/null
    done
}
# A slot needs what a decoder could need: it moves up when the server has said what is running, and that has been followed.
let_go_of_log() {
    for _ in 1 2 3; do
        source_sql -q -c CHECKPOINT
        new_payment "$((next = next + 1))"
        catch_up
    done
}
next=9100
# status_is WHAT: as the server and `slots list` have it.
status_is() {
    is 'wal_status' "$1" "$(source_sql -Atc "SELECT wal_status FROM pg_replication_slots WHERE slot_name = 'backstory_payment'")"
    "$BACKSTORY" slots list --from "$from" >slots.txt
    grep -q "^ *backstory_payment .* $1 " slots.txt || { cat slots.txt; fail "slots list does not say $1"; }
}

payments 200
source_sql -q -c 'ALTER TABLE payments ADD PRIMARY KEY (id)'
setting checkpoint_timeout 1d wal_keep_size 0 max_wal_size 32MB max_slot_wal_keep_size -1
catch_up
grep -q 'slot-without-limit' follow.txt || fail 'it does not say that nothing limits the slot'

say 'more than max_wal_size: told, and followed'
new_payment 9001
fill_log
status_is extended
catch_up
grep -q 'warning: the server keeps [0-9]* MiB of log for slot backstory_payment, more than max_wal_size' follow.txt ||
    fail 'it does not warn'
is 'events' 'PaymentCreated recorded' "$(events_of 9001)"
catch_up
! grep -q 'warning' follow.txt || fail 'it warns for nothing'

say 'more than a person wants to hear nothing of: told'
new_payment 9002
fill_log
catch_up --warn-retained 20
grep -q 'warning: the server keeps [0-9]* MiB of log' follow.txt || fail 'it does not warn'

say 'more than max_slot_wal_keep_size: in danger, and still followed'
let_go_of_log
setting max_wal_size 2GB max_slot_wal_keep_size 1MB
has_setting max_slot_wal_keep_size 1MB
new_payment 9003
fill_log
status_is unreserved
catch_up
grep -q 'more than max_slot_wal_keep_size: with the next checkpoint the slot may be lost' follow.txt || fail 'it does not warn'
! grep -q 'slot-without-limit' follow.txt || fail 'the limit is not seen'
is 'events' 'PaymentCreated recorded' "$(events_of 9003)"

say 'a checkpoint later it is lost: said, by the preflight too, and a new snapshot is the way on'
let_go_of_log
new_payment 9004
source_sql -q -c 'UPDATE payments SET status = 10, authorized_at = now() WHERE id = 9003'
fill_log
source_sql -q -c CHECKPOINT
status_is lost
for check in '' --check; do
    got=0
    # shellcheck disable=SC2086
    follow $check || got=$?
    is 'exit status' 3 "$got"
    grep -q 'the slot is lost: the server has removed log .*slot-lost' follow.txt || fail 'it does not say why'
    grep -q 'Start again with --snapshot-again' follow.txt || fail 'it does not say how to go on'
done
is 'what is in the store' '' "$(events_of 9004)"
catch_up --check --snapshot-again
catch_up --snapshot-again
is 'what was missed, by its columns' 'PaymentCreated recorded' "$(events_of 9004)"
is 'what was missed' 'PaymentCreated recorded, PaymentAuthorized implied' "$(events_of 9003)"
status_is reserved
old_and_new_agree

say 'lost under a follower that does not move: it ends, and says the same'
"$BACKSTORY" follow "$mapping" --from "$from" --to "$to" >follow.txt 2>&1 &
following=$!
until [ "$(source_sql -Atc 'SELECT active FROM pg_replication_slots')" = t ]; do :; done
kill -STOP $following
new_payment 9005
fill_log
source_sql -q -c CHECKPOINT
status_is lost
kill -CONT $following
got=0
wait $following || got=$?
is 'exit status' 3 "$got"
grep -q 'slot-lost' follow.txt || fail 'it does not say why'
catch_up --snapshot-again
is 'what was missed, by its columns' 'PaymentCreated recorded' "$(events_of 9005)"
"$BACKSTORY" slots drop backstory_payment --from "$from" --quiet
