#!/bin/sh
# Following: changes a second end to end, against what pg_recvlogical alone decodes of the same log; the lag behind a steady
# writer; and the memory that a transaction of a million changes takes. Two servers, as in life.
set -eu
# shellcheck source=/dev/null
. bench/support/figure.sh
rows=${BENCH_ROWS:-300000} large=${BENCH_LARGE:-1000000}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bst-follow.XXXXXX")
cluster=tests/support/pg-cluster.sh
trap '"$cluster" stop "$scratch/old"; "$cluster" stop "$scratch/new"; rm -rf "$scratch"' EXIT
trap 'exit 129' HUP INT TERM
"$cluster" start "$scratch/old" --while $$ --logical
"$cluster" start "$scratch/new" --while $$
old=$(cat "$scratch/old/cluster") new=$(cat "$scratch/new/cluster")
# shellcheck source=/dev/null
. "$scratch/old/env"
from="host=$old user=backstory dbname=postgres"
to="host=$new user=backstory dbname=postgres"
mapping=samples/payment/payment.legacy.json

old_sql() {
    psql -Xq -v ON_ERROR_STOP=1 -h "$old" -At "$@"
}
follow() {
    "$BACKSTORY" follow "$mapping" --from "$from" --to "$to" --quiet "$@" 2>"$scratch/follow.err" ||
        { cat "$scratch/follow.err" >&2; exit 1; }
}
# seconds COMMAND...: how long it takes
seconds() {
    start=$(date +%s.%N)
    "$@" >/dev/null
    awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { printf "%.3f", b - a }'
}
# per_second COUNT SECONDS
per_second() {
    awk -v n="$1" -v s="$2" 'BEGIN { printf "%d", n / s }'
}

old_sql -v rows=0 -f samples/payment/legacy.sql >/dev/null
old_sql -c 'DELETE FROM payments' -c 'ALTER TABLE payments ALTER reference DROP NOT NULL, ADD PRIMARY KEY (id)' \
    -c "INSERT INTO payments (id, status, amount, currency, created_at, updated_at)
        SELECT i, 0, 100, 'EUR', '2024-01-01', '2024-01-01' FROM generate_series(1, $large) AS i"
follow --until now
old_sql -c "SELECT pg_create_logical_replication_slot('alone', 'pgoutput')" >/dev/null

# 1. One-row transactions.
old_sql -c "DO \$\$ BEGIN FOR i IN 1..$rows LOOP
    UPDATE payments SET status = 10, authorized_at = now() WHERE id = i; COMMIT; END LOOP; END \$\$"
end=$(old_sql -c "SELECT pg_current_wal_lsn()")
old_sql -c "SELECT pg_logical_emit_message(false, 'end', '')" >/dev/null
alone=$(seconds pg_recvlogical -d postgres -h "$old" --slot alone --start -f /dev/null --no-loop -o proto_version=1 \
    -o publication_names=backstory_payment --endpos "$end")
whole=$(seconds follow --until "$end")
rate=$(per_second "$rows" "$whole")
figure follow.changes_per_s "$rate" 1/s 'pg_recvlogical alone' "$(per_second "$rows" "$alone")" '>=0.5'
figure follow.changes_per_s_absolute "$rate" 1/s '50,000 a second' 50000 '>=1'

# 2. The lag behind 4,000 updates a second, of sentinel rows: from the answer to their commit in the old system until they are
# seen in the store. What the follower itself says of the longest wait has to agree.
cat >"$scratch/update.sql" <<'SQL'
\set id random(1, 100000)
UPDATE payments SET refund_count = refund_count + 1, status = CASE WHEN status = 0 THEN 10 ELSE status END WHERE id = :id;
SQL
"$BACKSTORY" follow "$mapping" --from "$from" --to "$to" --format json >"$scratch/lag.json" 2>/dev/null &
following=$!
done=$(psql -Xq -h "$new" -Atc 'SELECT transactions FROM backstory.follow')
old_sql -c "UPDATE payments SET updated_at = now() WHERE id = 1" # when this has come it has caught up
until [ "$(psql -Xq -h "$new" -Atc 'SELECT transactions FROM backstory.follow')" -gt "$done" ]; do :; done
pgbench -h "$old" -n -f "$scratch/update.sql" -c 4 -R 4000 -T 20 postgres >"$scratch/pgbench.txt" 2>&1 &
writing=$!
"${BACKSTORY%/*/*}/bench/tool_lag" "$from" "$to" 15 \
    "INSERT INTO public.payments (id, status, amount, currency, created_at, updated_at)
     VALUES (-(\$1::bigint), 0, 100, 'EUR', now(), now())" \
    "SELECT 1 FROM backstory.segment WHERE key = (-(\$1::bigint))::text" >"$scratch/sentinels.txt"
wait $writing
kill -INT $following
wait $following
read -r sentinels p50 p99 max <"$scratch/sentinels.txt"
figure follow.lag_writers "$(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$scratch/pgbench.txt")" 1/s '4,000 a second' 4000 '>=0.9'
figure follow.lag_sentinels "$sentinels" rows '50 rows' 50 '>=1'
figure follow.lag_p50 "$p50" s
figure follow.lag_p99 "$p99" s
figure follow.lag_max "$max" s '1 second' 1 '<=1'
figure follow.lag_max_as_told "$(python3 -c 'import json, sys; print(json.load(sys.stdin)["lag_seconds_max"])' <"$scratch/lag.json")" s \
    '1 second' 1 '<=1'

# 3. Comparing at one place in the log while 1,000 updates a second come, against comparing at rest.
"$BACKSTORY" follow "$mapping" --from "$from" --to "$to" --quiet 2>/dev/null &
following=$!
pgbench -h "$old" -n -f "$scratch/update.sql" -c 2 -R 1000 -T 3600 postgres >"$scratch/pgbench.txt" 2>&1 &
writing=$!
compare() {
    "$BACKSTORY" compare "$mapping" --from "$from" --to "$to" --quiet "$@" >"$scratch/compared.txt" 2>&1 ||
        { tail -3 "$scratch/compared.txt" >&2; exit 1; }
}
moving=$(seconds compare --at now)
grep -q '^exact at LSN' "$scratch/compared.txt"
kill $writing
wait $writing || :
kill -INT $following
wait $following
follow --until now
figure follow.compare_at_one_place "$moving" s 'comparing at rest' "$(seconds compare --at rest)" '<=3'

# 4. One transaction of a million changes; then one whose changes are all set aside, against as many that become events.
million() {
    python3 -c '
import resource, subprocess, sys, time
began = time.monotonic()
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, "%.3f" % (time.monotonic() - began))' \
        "$BACKSTORY" follow "$mapping" --from "$from" --to "$to" --quiet --until now
}
old_sql -c "UPDATE payments SET status = 70, closed_at = now() WHERE status = 0"
old_sql -c "BEGIN" -c "INSERT INTO payments (id, status, amount, currency, created_at, updated_at)
    SELECT $large + i, 0, 100, 'EUR', now(), now() FROM generate_series(1, $large / 2) AS i" \
    -c "UPDATE payments SET status = 10, authorized_at = now() WHERE id > $large" -c COMMIT
million >"$scratch/million.txt"
read -r mib _ <"$scratch/million.txt"
figure follow.memory_of_a_million "$mib" MiB '200 MiB' 200 '<=1'
compare --at rest
old_sql -c "UPDATE payments SET status = 70, closed_at = now() WHERE id > $large"
million >"$scratch/million.txt"
read -r _ voided <"$scratch/million.txt"
old_sql -c "UPDATE payments SET status = 0 WHERE id > $large"
million >"$scratch/million.txt"
read -r mib aside <"$scratch/million.txt"
figure follow.memory_set_aside "$mib" MiB '200 MiB' 200 '<=1'
figure follow.set_aside_per_s "$(per_second $((large / 2)) "$aside")" 1/s 'changes that become events' \
    "$(per_second $((large / 2)) "$voided")" '>=0.2'
