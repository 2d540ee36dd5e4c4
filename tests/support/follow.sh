# shellcheck shell=sh
# For tests of `backstory follow`, sourced: a second server whose log can be followed, as the old system; the test's own
# server keeps the store. Two clusters, as in life.
#
#   source_sql, store_sql   psql on either side
#   $from, $to              the connection strings
#   follow ARGUMENTS...     until now, with the payment sample; output in follow.txt

say() {
    echo "follow: $*"
}
fail() {
    echo "follow: $*" >&2
    [ ! -f follow.txt ] || cat follow.txt >&2
    exit 1
}

store_host=$PGHOST
store_db=$PGDATABASE
here=$(pwd)
"$SOURCE_DIR/tests/support/pg-cluster.sh" start "$here/source" --while $$ --logical >/dev/null
trap '"$SOURCE_DIR/tests/support/pg-cluster.sh" stop "$here/source"' EXIT
source_root=$(cat "$here/source/cluster")
from="host=$source_root user=backstory dbname=shop"
to="host=$store_host user=backstory dbname=$store_db"

source_sql() {
    psql -X -v ON_ERROR_STOP=1 -h "$source_root" -d shop "$@"
}
store_sql() {
    psql -X -v ON_ERROR_STOP=1 -h "$store_host" -d "$store_db" "$@"
}
# One value of the store.
stored() {
    store_sql -Atc "$1"
}
psql -X -h "$source_root" -d postgres -qc 'CREATE DATABASE shop'

follow() {
    "$BACKSTORY" follow "$mapping" --from "$from" --to "$to" --until now "$@" >follow.txt 2>&1
}
# The same, that must work.
catch_up() {
    follow "$@" || fail "follow ended with $?"
}
# is WHAT EXPECTED ACTUAL
is() {
    [ "$2" = "$3" ] || fail "$1: \"$3\" instead of \"$2\""
}
