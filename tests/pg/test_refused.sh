#!/bin/sh
# A run that another one's histories refuse, or that fails before its first chunk is done, stands in nobody's way: the finished
# run is known as before, and no unfinished one is left, but where the right to take it back is missing.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
source=dbname=$PGDATABASE
psql -Xq -v rows=1000 -f "$SAMPLES/payment/legacy.sql"
cp "$SAMPLES/payment/payment.fsm.json" .
cp "$SAMPLES/payment/payment.legacy.json" first.json
sed 's/"cancel": 0.02/"cancel": 0.01/' first.json >other.json
! cmp -s first.json other.json || fail 'the other mapping is the same'

# migrate STATUS MAPPING [OPTION...]
migrate() {
    want=$1 mapping=$2
    shift 2
    status=0
    "$BACKSTORY" migrate "$mapping" --from "${from-$source}" --to "${to-$source}" --chunk-rows 100 --quarantine q.jsonl \
        "$@" >out.txt 2>&1 || status=$?
    [ "$status" = "$want" ] || { cat out.txt; fail "migrate $mapping $*: exit status $status instead of $want"; }
}
says() {
    grep -qF "$1" out.txt || { cat out.txt; fail "it is not said that $1"; }
}
alone() {
    [ "$(ask -c 'SELECT count(*), count(finished_at) FROM backstory.load')" = '1|1' ] || fail "$1: something is left"
    migrate 0 first.json
    says 'nothing was done'
}

migrate 0 first.json
ask -c 'SELECT key, data FROM backstory.segment WHERE machine_id = 1 ORDER BY key' >before.txt

say 'another mapping'
for option in '' --restart --no-resume --jobs=3; do
    # shellcheck disable=SC2086
    migrate 4 other.json $option
    says '[history-exists]'
    says "run $(ask -c 'SELECT run_id FROM backstory.run') has loaded machine \"payment\""
    says 'the mapping file is another one'
    alone "another mapping $option"
done

say 'another source'
psql -Xq -d postgres -c "CREATE DATABASE refused_copy TEMPLATE \"$PGDATABASE\""
psql -Xq -d refused_copy -c 'DROP SCHEMA backstory CASCADE'
from=dbname=refused_copy
migrate 4 first.json
says 'and is now "refused_copy"'
unset from
alone 'another source'

say 'who may append only takes back what no history is in, and no more'
ask -c "CREATE ROLE refused_loader LOGIN IN ROLE backstory_appender" -c "GRANT SELECT ON payments TO refused_loader"
to="$source user=refused_loader"
migrate 4 other.json
says '[history-exists]'
alone 'an appender'
ask -c "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RAISE 'not now'; END\$\$" \
    -c 'CREATE TRIGGER refuse BEFORE UPDATE ON backstory.chunk FOR EACH ROW WHEN (NEW.chunk = 3) EXECUTE FUNCTION public.refuse()'
sed 's/"payment.fsm.json"/"remittance.fsm.json"/; s/"Payment/"Remittance/g' first.json >remittance.json
sed 's/"id": "payment"/"id": "remittance"/; s/"Payment/"Remittance/g' payment.fsm.json >remittance.fsm.json
sed 's/"cancel": 0.02/"cancel": 0.01/' remittance.json >remittance2.json
migrate 3 remittance.json
says 'the same command goes on from there'
ask -c 'DROP TRIGGER refuse ON backstory.chunk'
migrate 1 remittance2.json
says '[run-differs]'
migrate 1 remittance.json --recorded-at 2024-07-01T12:00:00Z
says '[run-differs]'
says ', and are now at 2024-07-01T12:00:00Z'
migrate 3 remittance2.json --restart
says 'sqlstate-42501'
says 'Only the owner of the store may take back'
! ask -d "$PGDATABASE" -U refused_loader -c 'SELECT backstory.withdraw_load(max(run_id)) FROM backstory.load' | grep -q t ||
    fail 'an appender has taken back history'
migrate 0 remittance.json --recorded-at now
unset to
ask -c 'SELECT key, data FROM backstory.segment WHERE machine_id = 1 ORDER BY key' >after.txt
cmp before.txt after.txt

say 'a failure before the first chunk of an empty store: the index is back, and another command may begin'
psql -Xq -d refused_copy -v ON_ERROR_STOP=1 <<SQL
$(schema_sql)
CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RAISE 'not now'; END\$\$;
CREATE TRIGGER refuse BEFORE UPDATE ON backstory.chunk FOR EACH ROW EXECUTE FUNCTION public.refuse();
SQL
to=dbname=refused_copy
migrate 3 first.json
says 'not now'
[ "$(ask -d refused_copy -c "SELECT to_regclass('backstory.segment_stream') IS NOT NULL, count(*) FROM backstory.load")" = 't|0' ] ||
    fail 'the store is not as it was'
ask -d refused_copy -c 'DROP TRIGGER refuse ON backstory.chunk' -c 'CREATE TRIGGER refuse BEFORE UPDATE ON backstory.chunk
    FOR EACH ROW WHEN (NEW.chunk = 3) EXECUTE FUNCTION public.refuse()'
migrate 3 other.json --recorded-at 2024-07-01T12:00:00Z
migrate 1 other.json --recorded-at 2024-07-01T12:00:01Z
says '[run-differs]'
ask -d refused_copy -c 'DROP TRIGGER refuse ON backstory.chunk'
migrate 0 other.json --recorded-at 2024-07-01T12:00:00Z
[ "$(ask -d refused_copy -c 'SELECT DISTINCT recorded_at FROM backstory.event')" = '2024-07-01 12:00:00+00' ] ||
    fail 'the events are recorded at another time'

ask -c 'DROP OWNED BY refused_loader' -c 'DROP ROLE refused_loader'
ask -d postgres -c 'DROP DATABASE refused_copy'
