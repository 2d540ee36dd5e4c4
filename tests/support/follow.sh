# shellcheck shell=sh
# For tests of `backstory follow`, sourced: a second server whose log can be followed, as the old system; the test's own
# server keeps the store. Two clusters, as in life.
#
#   source_sql, store_sql   psql on either side
#   $from, $to              the connection strings
#   follow ARGUMENTS...     until now, with the payment sample; output in follow.txt

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
fail() {
    echo "$test_name: $*" >&2
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
kept_at_source() {
    source_sql -Atc "SELECT concat_ws(' ', (SELECT count(*) FROM pg_replication_slots), (SELECT count(*) FROM pg_publication))"
}

# Old and new are the same.
old_and_new_agree() {
    "$BACKSTORY" compare "$mapping" --from "$from" --to "$to" >compared.txt 2>&1 || { cat compared.txt; fail 'old and new differ'; }
}

# The files of a machine that locks and unlocks, of a table things (id, st, made_at); its mapping is the one to follow with.
thing_files() {
    mapping=thing.legacy.json
    cat >thing.fsm.json <<'JSON'
{ "id": "thing", "initial": "open", "events": { "ThingCreated": {} },
  "states": { "open": { "on": { "lock": "locked" } }, "locked": { "on": { "unlock": "open" } } } }
JSON
    cat >$mapping <<'JSON'
{ "machine": "thing.fsm.json", "source": { "table": "public.things", "key": "id" },
  "state": { "column": "st", "values": { "o": "open", "l": "locked" } }, "evidence": [{ "creation": "made_at" }] }
JSON
}

# ---- the payment sample

# The sample's rows, but for those that a table with a primary key cannot have.
payments() {
    source_sql -q -v rows="$1" -f "$SAMPLES/payment/legacy.sql"
    source_sql -q -c "DELETE FROM payments WHERE id IS NULL" \
        -c "DELETE FROM payments a USING payments b WHERE a.id = b.id AND a.ctid > b.ctid" \
        -c "DELETE FROM payments WHERE id < 30" -c "ALTER TABLE payments ALTER reference DROP NOT NULL" # the dirty ones
}
events_of() {
    stored "SELECT string_agg(type || ' ' || basis, ', ' ORDER BY version) FROM backstory.event WHERE entity = '$1'"
}
aside() {
    stored "SELECT string_agg(reason, ', ' ORDER BY lsn, place) FROM backstory.follow_quarantine
            WHERE key = '$1' AND released_lsn IS NULL"
}
new_payment() {
    source_sql -q -c "INSERT INTO payments (id, status, amount, currency, created_at, updated_at)
                      VALUES ($1, 0, 100, 'EUR', now(), now())"
}

# What differs must stand in quarantine.
differing_is_aside() {
    "$BACKSTORY" compare "$mapping" --from "$from" --to "$to" --limit 0 >compared.txt 2>&1 || :
    grep -E '^[0-9]+  ' compared.txt | sed 's/  .*//' | sort -u >differing.txt
    stored "SELECT DISTINCT key FROM backstory.follow_quarantine WHERE released_lsn IS NULL" | sort >aside.txt
    comm -23 differing.txt aside.txt >unknown.txt
    [ ! -s unknown.txt ] || { cat unknown.txt; fail 'these differ and do not stand in quarantine'; }
}
