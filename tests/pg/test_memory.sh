#!/bin/sh
# Memory runs out in a run: for one allocation of it, or for all from one on, spread over the run; and under a limit of the shell's.
# It ends with exit status 3 and says what it lacked, or goes on without; it never crashes, and the same command afterwards ends
# in the store of a run that nobody disturbed.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
store=$PGDATABASE-store
finish() {
    trap - EXIT
    psql -Xq -d postgres -c "DROP DATABASE IF EXISTS \"$store\" WITH (FORCE)" >/dev/null 2>&1 || :
}
trap finish EXIT
trap 'exit 129' HUP INT TERM

ask -d postgres -c "CREATE DATABASE \"$store\""
psql -Xq -v rows=300 -f "$SAMPLES/payment/legacy.sql"
ask -c '\copy (SELECT * FROM payments ORDER BY id) TO payments.csv CSV HEADER'
source=dbname=$PGDATABASE
points=12
[ "${BACKSTORY_DRILL-}" != long ] || points=100

fresh() {
    ask -d "$store" -c 'SET client_min_messages = warning' -c 'DROP SCHEMA IF EXISTS backstory CASCADE'
}
migrate() {
    "$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from "$source" --to "dbname=$store" --chunk-rows 100 --jobs 2 \
        --stall-timeout 2s --retry-timeout 2s --quarantine q.jsonl --quiet >out.txt 2>err.txt
}
fingerprint() {
    ask -d "$store" <<'SQL'
SELECT key, plan, first_version, data FROM backstory.segment ORDER BY key, first_version;
SELECT plan, signature FROM backstory.plan ORDER BY plan;
SELECT key, code, line FROM backstory.quarantine ORDER BY key NULLS FIRST, line;
SELECT kind, histories, events FROM backstory.run;
SELECT count(*) FROM backstory.event;
SQL
}
# ended STATUS: what has just ended so is fine or says what it lacked, and can be gone on with.
ended() {
    case $1 in
    0) ;;
    3) grep -q '^error: .*out of memory' err.txt || { cat err.txt; fail "$what: it does not say what it lacked"; } ;;
    *) cat err.txt; fail "$what: exit status $1" ;;
    esac
    [ "$1" = 0 ] || migrate || { cat err.txt; fail "$what: the same command fails"; }
    fingerprint >store.txt
    cmp -s calm.txt store.txt || { diff calm.txt store.txt | head; fail "$what: the store is another one"; }
}

# Those before main() are of libraries that are being loaded.
NOMEM_COUNT=count LD_PRELOAD=$NOMEM "$BACKSTORY" --version >/dev/null
first=$(cat count)

# sweep: from $source
sweep() {
    fresh
    # Not for psql: only where backstory itself is started.
    NOMEM_COUNT=$PWD/count LD_PRELOAD=$NOMEM migrate || { cat err.txt; fail 'the calm run fails'; }
    last=$(cat count)
    fingerprint >calm.txt
    [ "$last" -gt $((first + 2000)) ] || fail "only $((last - first)) allocations are seen"
    refused=0
    step=0
    while [ $step -lt $points ]; do
        from=$((first + (last - first) * (2 * step + 1) / (2 * points)))
        for until in 0 $((from + 1)); do
            what="allocation $from of $last from $source, until $until"
            fresh
            status=0
            NOMEM_FROM=$from NOMEM_UNTIL=$until LD_PRELOAD=$NOMEM migrate || status=$?
            [ $status = 0 ] || refused=$((refused + 1))
            ended $status
        done
        step=$((step + 1))
    done
    [ $refused -ge $points ] || fail "only $refused of $((2 * points)) runs were ended"
}
say 'a run from a server'
sweep
say 'under a limit of the shell, from one that lets nothing begin to one that lets it end'
refused=0
kilobytes=20000
status=3
until [ $status = 0 ]; do
    what="$kilobytes kilobytes"
    fresh
    status=0
    (
        # shellcheck disable=SC3045 # dash and bash have it
        ulimit -v $kilobytes
        migrate
    ) || status=$?
    if [ $status = 127 ]; then
        grep -q 'error while loading shared libraries' err.txt || { cat err.txt; fail "$what"; }
    else
        [ $status = 0 ] || refused=$((refused + 1))
        ended $status
    fi
    kilobytes=$((kilobytes + 8000))
    [ $kilobytes -lt 2000000 ] || fail "$what are not enough"
done
[ $refused -ge 1 ] || fail 'no limit ended a run in the middle'
say "$refused limits ended it, $what are enough"

say 'a run from a file'
source=payments.csv
sweep
