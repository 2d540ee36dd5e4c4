#!/bin/sh
# A throw-away PostgreSQL: reached through a socket in a private folder only, trusting, and gone without a trace.
#
#   pg-cluster.sh start DIR [--with-parent | --while PID] [--logical | --standby-of DIR] [--durable]
#   pg-cluster.sh stop DIR
#   pg-cluster.sh crash DIR          and at once again, as after a cut of power
#
# DIR/env afterwards holds PGHOST, PGPORT, PGUSER and PGDATABASE to be sourced. The server's own files lie in a short
# folder under /tmp, because a socket's path may have 107 bytes. --while: stop as soon as process PID has ended, however
# it ended; --with-parent: the same with the process that called this script. --logical: its log can be followed.
# --standby-of: a hot standby of the cluster there, a --logical one; its replay waits for no query. --durable: nothing of it is
# faster than PostgreSQL ships it, for measuring; else it forgets everything with its machine. PostgreSQL refuses to run as root,
# so root runs it as another user.
set -eu

die() {
    echo "pg-cluster: $*" >&2
    exit 1
}

# The newest server of this machine: Debian keeps them side by side and off the PATH.
find_bin() {
    # shellcheck disable=SC2012 # a version number is all that varies in these names
    newest=$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)
    newest=${newest:-$(command -v initdb || :)}
    [ -n "$newest" ] || die "no PostgreSQL server is installed here"
    dirname "$newest"
}

as_server() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    else
        runuser -u "$owner" -- "$@"
    fi
}

configure() {
    cat <<EOF
listen_addresses = ''
unix_socket_directories = '$root'
port = 5432
$wal
$haste
max_connections = 50
timezone = 'UTC'
lc_messages = 'C'
EOF
}

# Reads DIR/cluster (the folder under /tmp), stops the server by the pid in it and removes both.
stop() {
    [ -f "$dir/cluster" ] || return 0
    root=$(cat "$dir/cluster")
    case $root in
    /tmp/bst-pg.*) ;;
    *) die "$dir/cluster does not name a cluster of ours: $root" ;;
    esac
    pid=$(head -n 1 "$root/data/postmaster.pid" 2>/dev/null || :)
    # The folder a process works in tells our server from a stranger who got its number later.
    while [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$root/data" ]; do
        kill -QUIT "$pid" 2>/dev/null || : # at once: nobody wants this data any more
        sleep 0.1
    done
    rm -rf "$root"
    rm -f "$dir/cluster" "$dir/env"
}

# Stops the cluster when process $1 is gone. Ends by itself soon after somebody else has stopped it.
watch() {
    (
        trap '' HUP INT TERM
        while kill -0 "$1" 2>/dev/null; do
            sleep 1
            [ "$(cat "$dir/cluster" 2>/dev/null)" = "$root" ] || exit 0
        done
        # Another one may have been started in the same folder meanwhile.
        [ "$(cat "$dir/cluster" 2>/dev/null)" = "$root" ] || exit 0
        stop
    ) </dev/null >/dev/null 2>&1 &
}

make_data() {
    if [ -n "$primary" ]; then
        as_server "$bin/pg_basebackup" -h "$(cat "$primary/cluster")" -p 5432 -U backstory -R -c fast -D data >initdb.log 2>&1 ||
            { cat initdb.log >&2; die "pg_basebackup failed"; }
    else
        as_server "$bin/initdb" -N -A trust -U backstory -E UTF8 --locale=C -D data >initdb.log 2>&1 ||
            { cat initdb.log >&2; die "initdb failed"; }
    fi
}

start() {
    mkdir -p "$dir"
    stop
    bin=$(find_bin)
    root=$(mktemp -d /tmp/bst-pg.XXXXXX)
    echo "$root" >"$dir/cluster"
    trap 'stop' EXIT
    trap 'exit 129' HUP INT TERM

    if [ "$(id -u)" = 0 ]; then
        owner=postgres
        id "$owner" >/dev/null 2>&1 || owner=nobody
        chown "$owner" "$root"
    fi
    # Nothing of the caller's own server may leak in.
    unset PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGDATA PGSERVICE PGOPTIONS PGPASSWORD PGSSLMODE
    cd "$root"
    make_data
    configure | as_server sh -c 'cat >>data/postgresql.conf'
    as_server "$bin/pg_ctl" -D data -l server.log -w -t 60 start >start.log 2>&1 ||
        { cat start.log server.log >&2; die "the server did not start"; }

    cat >"$dir/env" <<EOF
PGHOST=$root PGPORT=5432 PGUSER=backstory PGDATABASE=postgres PSQL_PAGER=cat PATH=$bin:\$PATH
export PGHOST PGPORT PGUSER PGDATABASE PSQL_PAGER PATH
EOF
    trap - EXIT
    if [ -n "$watched" ]; then
        watch "$watched"
    fi
}

# Every session dies without a word; the server replays its log.
crash() {
    root=$(cat "$dir/cluster")
    bin=$(find_bin)
    [ "$(id -u)" != 0 ] || owner=$(stat -c %U "$root/data")
    cd "$root"
    as_server "$bin/pg_ctl" -D data -l server.log -m immediate -w -t 60 restart >start.log 2>&1 ||
        { cat start.log server.log >&2; die "the server did not start again"; }
}

usage() {
    die "usage: pg-cluster.sh start DIR [--with-parent | --while PID] [--logical | --standby-of DIR] [--durable] | stop DIR | crash DIR"
}

[ $# -ge 2 ] || usage
command=$1
case $2 in
/*) dir=$2 ;;
*) dir=$(pwd)/$2 ;;
esac
watched=
primary=
wal='wal_level = minimal
max_wal_senders = 0'
haste='fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 4GB'
shift 2
while [ $# -gt 0 ]; do
    case $1 in
    --with-parent) watched=$PPID ;;
    --while) watched=$2 && shift ;;
    --logical) wal='wal_level = logical' ;;
    --standby-of) primary=$2 wal='wal_level = logical
max_standby_streaming_delay = 0' && shift ;;
    --durable) wal='' haste='' ;;
    *) usage ;;
    esac
    shift
done
case $command in
start | stop | crash) "$command" ;;
*) usage ;;
esac
