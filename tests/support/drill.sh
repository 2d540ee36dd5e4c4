#!/bin/sh
# drill.sh PROXY: everything that can happen to a migration run happens to it, in a cluster of its own. Each time the same
# command is given again until it ends well, and the store must then be the same, byte for byte, as one that nobody
# disturbed: segments, plans, quarantined rows, checkpoints and totals; all but the run's number, its times and its retries.
#
# BACKSTORY_DRILL=long: 100 kills and more instead of a few, and a larger table (./dev bench drill). What was survived is told
# at the end, on stdout as one JSON object.
# shellcheck disable=SC2039,SC3043
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
proxy=$1
scratch=$(mktemp -d /tmp/bst-drill.XXXXXX) # a socket's path may have 107 bytes
cluster=$SOURCE_DIR/tests/support/pg-cluster.sh
mapping=$SAMPLES/payment/payment.legacy.json
if [ "${BACKSTORY_DRILL-}" = long ]; then
    rows=60000 random_kills=100 boundary_step=1 others=10
else
    rows=8000 random_kills=5 boundary_step=7 others=1
fi
chunk_rows=$((rows / 16))

say() {
    echo "drill: $*" >&2
}
# count FAULT: one more was done to a run; told at the end
count() {
    echo "$1" >>"$scratch/survived"
}
finish() {
    trap - EXIT
    [ ! -e "$scratch/mounted" ] || umount "$scratch/tiny" 2>/dev/null || :
    "$cluster" stop "$scratch/pg"
    if [ -e "$scratch/full" ]; then
        full_data stop -m immediate >/dev/null 2>&1 || :
        umount "$(cat "$scratch/full/cluster")/data" 2>/dev/null || :
        "$cluster" stop "$scratch/full"
    fi
    [ ! -e "$scratch/mounted" ] || umount "$scratch/tiny" 2>/dev/null || :
    rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 129' HUP INT TERM

"$cluster" start "$scratch/pg" --while $$
# shellcheck source=/dev/null
. "$scratch/pg/env"
cd "$scratch"

as_server() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    else
        (cd "$PGHOST" && runuser -u "$(stat -c %U data)" -- "$@")
    fi
}

# ---- the store that nobody disturbed

# Everything but run_id, recorded_at, snapshots, times, and what it had to wait for.
fingerprint() {
    ask -d "$1" <<'SQL'
SELECT key, plan, first_version, position, data FROM backstory.segment ORDER BY key, first_version;
SELECT plan, signature, confidence, certain, type, type_version, state, command, basis, event_confidence, source
FROM backstory.plan ORDER BY plan;
SELECT chunk, number, key, code, line FROM backstory.quarantine ORDER BY chunk, number;
SELECT chunk, bounds, figures::jsonb - 'retries' - 'waited_for', histories, events, done_at IS NOT NULL FROM backstory.chunk ORDER BY chunk;
SELECT kind, histories, events, finished_at IS NOT NULL FROM backstory.run;
SELECT count(*), count(finished_at) FROM backstory.load;
SELECT indexdef FROM pg_indexes WHERE schemaname = 'backstory' ORDER BY indexname;
SELECT count(*), min(version), max(version) FROM backstory.event;
SQL
}

fresh() {
    ask -d postgres -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS storm' -c 'CREATE DATABASE storm'
    rm -f storm.jsonl
}

# migrate [OPTION...]: the command, into storm.
migrate() {
    "$BACKSTORY" migrate "$mapping" --from "${source:-dbname=shop}" --to "${sink:-dbname=storm}" \
        --jobs 2 --chunk-rows "$chunk_rows" --stall-timeout 2s --quarantine storm.jsonl --quiet "$@" >out.txt 2>&1
}

# until_done WHAT: the same command again until it ends well; then the store must be the calm one.
until_done() {
    tries=0
    until migrate; do
        tries=$((tries + 1))
        [ "$tries" -lt 10 ] || { cat out.txt; fail "$1: the same command does not end well"; }
    done
    fingerprint storm >storm.txt
    cmp -s calm.txt storm.txt || { diff calm.txt storm.txt | head -20; fail "$1: the store is another one"; }
    cmp -s calm.jsonl storm.jsonl || fail "$1: the quarantine file is another one"
    count same_store
}

ask -d postgres -c 'CREATE DATABASE shop' -c 'CREATE DATABASE calm'
psql -Xq -d shop -v rows="$rows" -f "$SAMPLES/payment/legacy.sql"
sink=dbname=calm
migrate || { cat out.txt; fail 'the calm run fails'; }
sink=
mv storm.jsonl calm.jsonl
fingerprint calm >calm.txt
chunks=$(ask -d calm -c 'SELECT count(*) FROM backstory.chunk')
[ "$chunks" -ge 12 ] || fail "only $chunks chunks"
[ "$(wc -l <calm.jsonl)" -gt 10 ] || fail 'too few rows are quarantined'
say "$rows rows in $chunks chunks"

began=$(date +%s)
say 'a finished run is left alone'
ask -d postgres -c 'CREATE DATABASE storm TEMPLATE calm'
until_done 'second run'

# ---- kill -9

# start_run [OPTION...]: in the background, its number in $run.
start_run() {
    "$BACKSTORY" migrate "$mapping" --from "${source:-dbname=shop}" --to "${sink:-dbname=storm}" \
        --jobs 2 --chunk-rows "$chunk_rows" --quarantine storm.jsonl --quiet "$@" >run.txt 2>&1 &
    run=$!
}
kill_run() {
    kill -9 "$run" 2>/dev/null || :
    wait "$run" 2>/dev/null || :
}

say "killed at $random_kills instants"
fresh
seed=7
kills=0
while [ "$kills" -lt "$random_kills" ]; do
    # Some kills in one load, then it is finished and another begins.
    start_run
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    sleep "$(awk -v draw="$seed" 'BEGIN { printf "%.3f", draw / 2147483648 * 0.5 }')"
    kill_run
    count kill_at_random
    kills=$((kills + 1))
    if [ $((kills % 5)) = 0 ]; then
        until_done "killed, $kills"
        fresh
    fi
done
until_done 'killed'

# A trigger of the drill's waits for a lock that the drill holds: when the run stands there, it is killed, without any
# clock. It stands before the commit of chunk number k, or at the first segment after it.
install_store() {
    # shellcheck disable=SC2086
    cat $store_scripts | ask -d storm -1 >/dev/null
}
install_gate() {
    install_store
    ask -d storm >/dev/null <<'SQL'
CREATE TABLE public.gate (place text, after int);
CREATE FUNCTION public.wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM public.gate WHERE place = TG_TABLE_NAME
               AND after <= (SELECT count(*) FROM backstory.chunk WHERE done_at IS NOT NULL)) THEN
        PERFORM pg_advisory_lock_shared(4711);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER gate AFTER UPDATE ON backstory.chunk EXECUTE FUNCTION public.wait_at_gate();
CREATE TRIGGER gate BEFORE INSERT ON backstory.segment EXECUTE FUNCTION public.wait_at_gate();
SQL
}

# stand PLACE AFTER [OPTION...]: a run stands there; its keeper has file 9.
stand() {
    place=$1 after=$2
    shift 2
    fresh
    install_gate
    ask -d storm -c "INSERT INTO gate VALUES ('$place', $after)"
    mkfifo gate
    psql -XAtq -d storm <gate >/dev/null &
    keeper=$!
    exec 9>gate
    rm gate
    echo 'SELECT pg_advisory_lock(4711);' >&9
    until [ "$(ask -d storm -c "SELECT count(*) FROM pg_locks WHERE objid = 4711 AND granted")" = 1 ]; do :; done
    start_run "$@"
    until [ "$(ask -d storm -c "SELECT count(*) FROM pg_locks WHERE objid = 4711 AND NOT granted")" -ge 1 ]; do
        kill -0 "$run" 2>/dev/null || { cat run.txt; fail "the run did not come to the gate at $place $after"; }
    done
}
# break_off PLACE AFTER
break_off() {
    stand "$1" "$2"
    locks=$(ask -d shop -c "SELECT string_agg(DISTINCT mode, ' ') FROM pg_locks
        WHERE database = (SELECT oid FROM pg_database WHERE datname = 'shop') AND relation = 'payments'::regclass")
    [ "$locks" = AccessShareLock ] || fail "the source is locked: $locks"
    kill_run
    count kill_at_boundary
    ask -d storm -c 'DELETE FROM gate'
    exec 9>&-
    wait "$keeper"
}

store_scripts="$SOURCE_DIR/store/schema.sql $SOURCE_DIR/store/views.sql $SOURCE_DIR/store/append.sql
    $SOURCE_DIR/store/follow.sql $SOURCE_DIR/store/rights.sql"
say 'killed before and after the commit of a chunk'
boundary=1
while [ "$boundary" -lt "$chunks" ]; do
    break_off chunk "$boundary"
    until_done "killed before commit $boundary"
    if [ "$boundary" -lt $((chunks - 3)) ]; then # later no chunk with a segment need be left
        break_off segment "$boundary"
        until_done "killed after commit $boundary"
    fi
    boundary=$((boundary + boundary_step))
done

# ---- the server's side

say 'sessions ended'
turn=0
while [ "$turn" -lt "$others" ]; do
    fresh
    start_run
    while kill -0 "$run" 2>/dev/null; do
        ask -d postgres -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'backstory' ORDER BY random() LIMIT 1" >ended.txt
        [ ! -s ended.txt ] || count session_ended
        sleep 0.2
    done
    wait "$run" || :
    until_done 'sessions ended'
    turn=$((turn + 1))
done

say 'a backend killed, and with it all sessions; the server stopped at once'
restart_server() {
    as_server "$(dirname "$(command -v initdb)")/pg_ctl" -D "$PGHOST/data" -m immediate -s stop
    as_server "$(dirname "$(command -v initdb)")/pg_ctl" -D "$PGHOST/data" -l "$PGHOST/server.log" -w -s start
}
turn=0
while [ "$turn" -lt "$others" ]; do
    fresh
    start_run
    sleep 0.2
    restart_server
    count server_stopped
    wait "$run" || :
    until_done 'server stopped'
    fresh
    start_run
    sleep 0.2
    victim=$(ask -d postgres -c "SELECT min(pid) FROM pg_stat_activity WHERE application_name = 'backstory'")
    if [ -n "$victim" ] && as_server kill -9 "$victim"; then # it may just have ended
        count backend_killed
    fi
    wait "$run" || :
    until [ "$(psql -XAtq -d postgres -c 'SELECT 1' 2>/dev/null)" = 1 ]; do sleep 0.1; done
    until_done 'backend killed'
    turn=$((turn + 1))
done

# ---- the path between

# spoil WHICH MODE BYTES COUNT: the source or the sink behind the proxy.
spoil() {
    fresh
    mkdir -p path
    : >ready
    "$proxy" "$scratch/path/.s.PGSQL.5432" "$PGHOST/.s.PGSQL.5432" "$2" "$3" "$4" >ready &
    between=$!
    until grep -q ready ready; do
        kill -0 "$between" || fail 'the proxy does not start'
    done
    source=dbname=shop
    sink=dbname=storm
    [ "$1" = source ] && source="dbname=shop host=$scratch/path"
    [ "$1" = sink ] && sink="dbname=storm host=$scratch/path"
    migrate || :
    until_done "$1 $2"
    count "path_$2"
    kill "$between" || :
    wait "$between" 2>/dev/null || :
    source=
    sink=
}
for which in source sink; do
    say "the path to the $which cut, and frozen"
    spoil $which cut 100000 3
    spoil $which freeze 100000 1
done
if [ "${BACKSTORY_DRILL-}" = long ]; then
    for bytes in 1000 5000 20000 300000 1000000; do
        for which in source sink; do
            spoil $which cut $bytes 5
            spoil $which freeze $bytes 2
        done
    done
fi

# ---- the disk

if [ "$(id -u)" = 0 ] && mkdir tiny && mount -t tmpfs -o size=2M tmpfs tiny 2>/dev/null; then
    : >mounted
    say 'the disk is full'
    chmod 755 "$scratch"
    chown "$(stat -c %U "$PGHOST/data")" tiny
    fresh
    ask -d postgres -c "CREATE TABLESPACE tiny LOCATION '$scratch/tiny'" -c 'ALTER DATABASE storm SET default_tablespace = tiny'
    status=0
    migrate || status=$?
    [ "$status" = 3 ] || { cat out.txt; fail "a full disk ends with $status"; }
    grep -q 'sqlstate-53100' out.txt || { cat out.txt; fail 'a full disk is not said'; }
    [ "$(grep -c '^error' out.txt)" = 1 ] || { cat out.txt; fail 'a full disk is not said once'; }
    mount -o remount,size=400M tiny
    until_done 'disk full'
    count disk_full
    ask -d postgres -c 'DROP DATABASE storm'

    say 'the disk is full when the index is built'
    mount -o remount,size=100k tiny
    fresh
    install_store
    ask -d postgres -c 'ALTER DATABASE storm SET default_tablespace = tiny'
    status=0
    migrate || status=$?
    [ "$status" = 3 ] || { cat out.txt; fail "a full disk at the end ends with $status"; }
    grep -q 'sqlstate-53100' out.txt || { cat out.txt; fail 'a full disk is not said'; }
    [ "$(ask -d storm -c 'SELECT count(*) - count(done_at) FROM backstory.chunk')" = 0 ] || fail 'not all chunks are kept'
    [ "$(ask -d storm -c 'SELECT count(*) FROM backstory.event')" = 0 ] || fail 'some of it is seen already'
    mount -o remount,size=400M tiny
    until_done 'disk full at the end'
    count disk_full
    ask -d postgres -c 'DROP DATABASE storm' -c 'DROP TABLESPACE tiny'

    # The store is a server of its own, whose whole disk is full: it cannot even begin.
    say 'the disk is so full that the server cannot start'
    shop_host=$PGHOST
    "$cluster" start "$scratch/full" --while $$
    PGHOST=$(cat "$scratch/full/cluster")
    export PGHOST
    full_data() {
        (cd "$(cat "$scratch/full/cluster")" && runuser -u "$(stat -c %U data)" -- "$(dirname "$(command -v initdb)")/pg_ctl" \
            -D "$PWD/data" -l "$PWD/server.log" -w "$@")
    }
    full_data stop -m fast >/dev/null
    mv "$PGHOST/data" "$PGHOST/kept"
    mkdir "$PGHOST/data"
    mount -t tmpfs -o "size=250M,mode=700,uid=$(stat -c %u "$PGHOST/kept"),gid=$(stat -c %g "$PGHOST/kept")" tmpfs "$PGHOST/data"
    cp -a "$PGHOST/kept/." "$PGHOST/data/"
    rm -r "$PGHOST/kept"
    full_data start >/dev/null
    source="host=$shop_host dbname=shop"
    # It stops at once in the middle of a run, and its disk is full by then.
    fill_disk() {
        stand chunk 3 "$@"
        full_data stop -m immediate >/dev/null
        echo '\q' >&9 # the run has the FIFO open as well
        exec 9>&-
        wait "$keeper" || :
        dd if=/dev/zero of="$PGHOST/data/ballast" bs=64k >/dev/null 2>&1 || :
        ! full_data start >/dev/null 2>&1 || fail 'the server starts on a full disk'
        grep -q 'No space left on device' "$PGHOST/server.log" || { tail -5 "$PGHOST/server.log"; fail 'the server fails for another reason'; }
    }
    make_room() {
        rm "$PGHOST/data/ballast"
        full_data start >/dev/null
    }
    fill_disk
    kill -0 "$run" || { cat run.txt; fail 'the run does not wait'; }
    make_room
    wait "$run" || { cat run.txt; fail 'the run does not go on when there is room again'; }
    until_done 'a server that could not start, in time'
    fill_disk --retry-timeout 2s
    status=0
    wait "$run" || status=$?
    [ "$status" = 3 ] || { cat run.txt; fail "a server that cannot start ends with $status"; }
    grep -q '^error: store .*\[connect\]' run.txt || { cat run.txt; fail 'it is not said that the store is gone'; }
    [ "$(grep -c '^error' run.txt)" = 1 ] || { cat run.txt; fail 'it is not said once'; }
    make_room
    until_done 'a server that could not start, too late'
    count server_without_disk
    full_data stop -m fast >/dev/null
    umount "$PGHOST/data"
    PGHOST=$shop_host
    source=
    "$cluster" stop "$scratch/full"
    rm -r "$scratch/full"
else
    echo 'drill: SKIPPED: a full disk needs root and a tmpfs that may be mounted' >&2
fi

# ---- a source that lives

say 'a source that changes under the run: what is loaded is the snapshot'
fresh
mkfifo gate
psql -XAtq -d shop <gate >snapshot.txt &
keeper=$!
exec 9>gate
rm gate
cat >&9 <<SQL
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
\\copy (SELECT * FROM payments ORDER BY id NULLS FIRST) TO '$scratch/payments.csv' CSV HEADER
SELECT pg_export_snapshot();
SQL
until [ -s snapshot.txt ]; do :; done
(
    while [ ! -e enough ]; do
        ask -d shop -c "UPDATE payments SET amount = amount + 1, status = 40 WHERE id % 7 = 3" \
            -c "DELETE FROM payments WHERE id % 11 = 5" \
            -c "INSERT INTO payments SELECT 1000000 + (random() * 1e9)::int, reference, status, amount, currency,
                captured_cents, refunded_amount, refund_count, failure_reason, created_at, challenged_at, authorized_at,
                captured_at, refunded_at, closed_at, updated_at, deleted_at FROM payments LIMIT 100"
    done
) &
writer=$!
migrate --snapshot "$(cat snapshot.txt)" || { cat out.txt; : >enough; fail 'the run beside a writer fails'; }
: >enough
wait "$writer"
exec 9>&-
wait "$keeper"
"$BACKSTORY" compare "$mapping" --from payments.csv --to dbname=storm --quarantine storm.jsonl --quiet >compared.txt ||
    { tail -5 compared.txt; fail 'what is loaded is not the snapshot'; }
# Where chunks are cut is told by a sample of pages, and the writer has changed those: so the contents alone.
for store in calm storm; do
    ask -d $store -c "SELECT key, plan, first_version, data FROM backstory.segment ORDER BY key, first_version" \
        -c "SELECT plan, signature FROM backstory.plan ORDER BY plan" \
        -c "SELECT key, code, line FROM backstory.quarantine ORDER BY key NULLS FIRST, line" >$store.content
done
cmp -s calm.content storm.content || fail 'what is loaded is not what the calm run has loaded'
count writer_beside

# ---- another command

expect_refusal() {
    [ "$status" = 1 ] || { cat out.txt; fail "another command ends with $status"; }
    grep -qF "$1" out.txt || { cat out.txt; fail "it is not said that $1"; }
}
say 'another command is refused, and --restart begins anew'
ask -d postgres -c 'CREATE DATABASE other TEMPLATE shop'
break_off chunk 3
status=0
source=dbname=other
migrate || status=$?
source=
expect_refusal 'the database was "shop" and is now "other"'
cp "$SAMPLES/payment/payment.fsm.json" .
sed 's/"cancel": 0.02/"cancel": 0.01/' "$mapping" >payment.legacy.json
mapping=$scratch/payment.legacy.json
status=0
migrate || status=$?
expect_refusal 'the mapping file is another one'
status=0
migrate --require-one-snapshot || status=$?
expect_refusal 'the mapping file is another one'
migrate --restart || { cat out.txt; fail '--restart does not begin anew'; }
[ "$(ask -d storm -c 'SELECT count(*) FROM backstory.run')" = 1 ] || fail '--restart leaves two runs'
[ "$(ask -d storm -c 'SELECT count(DISTINCT run_id) FROM backstory.segment')" = 1 ] || fail '--restart leaves segments'
say 'nothing lost, nothing double'
sort survived | uniq -c | awk -v seconds="$(($(date +%s) - began))" -v rows="$rows" '
    { printf "%s\"%s\": %d", NR == 1 ? "{ " : ", ", $2, $1 }
    END { printf ", \"rows\": %d, \"seconds\": %d }\n", rows, seconds }'
