#!/bin/sh
# Poolers between us and the servers: one that lends a session to a connection does no harm; one that lends it for a statement or a
# transaction is refused, before anything is set in a session that somebody else gets next.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
command -v python3 >/dev/null || fail 'python3 is missing: install it'
server=$PGHOST/.s.PGSQL.$PGPORT
createdb "$PGDATABASE-events"
sockets=$(mktemp -d /tmp/bst-pool.XXXXXX) # a socket's path may have 107 bytes
trap 'exec 8>&- 7>&-; rm -rf "$sockets"; dropdb --force "$PGDATABASE-events"' EXIT
psql -Xq -v rows=500 -f "$SAMPLES/payment/legacy.sql"

# start FOLDER FD [shared]: a pooler that listens there, until FD is closed
start() {
    mkdir "$sockets/$1"
    mkfifo "$1.alive"
    : >"$1.told"
    python3 "$SOURCE_DIR/tests/support/pooler.py" "$sockets/$1/.s.PGSQL.6432" "$server" ${3+"$3"} <"$1.alive" >"$1.told" &
    eval "exec $2>$1.alive"
    until grep -q ready "$1.told"; do kill -0 $! || fail 'the pooler did not start'; done
}
start session 8
start shared 7 shared
# migrate SOURCE'S-HOST STORE'S-HOST [OPTION...]
migrate() {
    from=$1 to=$2
    shift 2
    got=0
    "$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from "dbname=$PGDATABASE port=${from##*:} host=${from%:*}" \
        --to "dbname=$PGDATABASE-events port=${to##*:} host=${to%:*}" --quiet "$@" >out.txt 2>&1 || got=$?
}

say 'a session for a connection'
migrate "$sockets/session:6432" "$sockets/session:6432" --jobs 3 --chunk-rows 50 --verify
[ "$got" = 0 ] || { cat out.txt; fail "exit status $got"; }

say 'a session for a statement'
for ends in "$sockets/shared:6432 $PGHOST:$PGPORT" "$PGHOST:$PGPORT $sockets/shared:6432"; do
    # shellcheck disable=SC2086 # two words
    migrate $ends
    [ "$got" = 3 ] || { cat out.txt; fail "exit status $got"; }
    grep -q '\[shared-session\]' out.txt || { cat out.txt; fail 'it does not say why'; }
done
[ "$(psql -XAtq -d "host=$sockets/shared port=6432" -c 'SHOW search_path')" != '""' ] || fail 'something was set in a shared session'
