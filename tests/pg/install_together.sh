# Event stores are installed in four databases of one server at the same moment: their roles belong to all databases, and
# only one of them can make them. A server of its own, because roles that other tests' databases use cannot be dropped.
set -eu
cluster=$SOURCE_DIR/tests/support/pg-cluster.sh
trap '"$cluster" stop "$PWD/own"' EXIT
trap 'exit 129' HUP INT TERM
"$cluster" start "$PWD/own" --with-parent
# shellcheck source=/dev/null
. "$PWD/own/env"

for database in a b c d; do
    psql -Xqc "CREATE DATABASE $database"
done
pids=
for database in a b c d; do
    "$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from "$SAMPLES/payment" --to "dbname=$database" \
        --quarantine "$database.jsonl" --quiet >"$database.out" 2>&1 &
    pids="$pids $!"
done
for pid in $pids; do
    wait "$pid" || { cat ./*.out; exit 1; }
done
