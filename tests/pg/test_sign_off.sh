#!/bin/sh
# The commands of docs/sign-off.md do what the page says: all its blocks of shell, in their order, with roles that are no superusers.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
cp "$SAMPLES/payment/payment.fsm.json" "$SAMPLES/payment/payment.legacy.json" .
psql -Xq -v rows=6000 -f "$SAMPLES/payment/legacy.sql"
psql -Xq -v ON_ERROR_STOP=1 <<SQL 2>made.txt
DROP ROLE IF EXISTS sign_source, sign_owner, sign_loader, sign_auditor;
CREATE ROLE sign_source LOGIN;
CREATE ROLE sign_owner LOGIN CREATEROLE;
CREATE ROLE sign_loader LOGIN;
CREATE ROLE sign_auditor LOGIN;
GRANT SELECT ON payments TO sign_source;
ALTER ROLE sign_source SET default_transaction_read_only = on;
DROP DATABASE IF EXISTS sign_store;
DROP DATABASE IF EXISTS sign_rehearsal;
CREATE DATABASE sign_store;
CREATE DATABASE sign_rehearsal;
GRANT CREATE ON DATABASE sign_store, sign_rehearsal TO sign_owner;
SQL
schema_sql | psql -Xq -v ON_ERROR_STOP=1 -1 'dbname=sign_store user=sign_owner' -f - >installed.txt 2>&1
psql -Xq -d sign_store -c 'GRANT backstory_appender TO sign_loader' -c 'GRANT backstory_reader TO sign_auditor'

mkdir bin
ln -s "$BACKSTORY" bin/backstory
command -v jq >jq.txt || { # what the page asks of it: a path, -e, -r
    cat >bin/jq <<'PY'
#!/usr/bin/python3
import json, re, sys
*options, program, name = sys.argv[1:]
def at(path):
    value = json.load(open(name))
    for key in path.strip(".").split("."):
        value = value[key]
    return value
if "-e" in options:
    value = eval(re.sub(r"\.[a-z_.]+", lambda m: f"at({m[0]!r})", program.replace("true", "True")))
    print(json.dumps(value))
    sys.exit(not value)
value = at(program)
print(value if "-r" in options else json.dumps(value))
PY
    chmod +x bin/jq
}
awk '/^...sh$/ { on = 1; next } /^`/ { on = 0 } on' "$SOURCE_DIR/docs/sign-off.md" >commands.sh
[ "$(grep -c 'backstory migrate' commands.sh)" -ge 5 ] || fail 'the page has no commands'
PATH=$PWD/bin:$PATH SOURCE="dbname=$PGDATABASE user=sign_source" STORE='dbname=sign_store user=sign_loader' \
    AUDIT='dbname=sign_store user=sign_auditor' REHEARSAL='dbname=sign_rehearsal user=sign_owner' \
    sh -eu commands.sh >said.txt 2>errors.txt || { cat said.txt errors.txt; fail 'a command of docs/sign-off.md fails'; }

grep -q '^verified: ' said.txt || { cat said.txt; fail 'nothing was verified'; }
[ "$(grep -c 'permission denied for table' refused.txt)" = 2 ] || { cat refused.txt; fail 'nothing was refused'; }
grep -q 'contradiction' exceptions.json || fail 'no exception is listed'
[ "$(grep -c 'is [a-z]*$' sample-histories.txt)" = 25 ] || { cat sample-histories.txt; fail 'the sample is another one'; }
[ -s intervals.txt ] || fail 'no event has an interval'
[ "$(awk -F '|' '{ n += $3 } END { print n }' source.txt)" -gt 5900 ] || { cat source.txt; fail 'rows are missing'; }
# A rehearsal and the run itself, with other readers, of the same rows.
python3 - <<'PY'
import json
of = {name: json.load(open(name + ".json")) for name in ("rehearsal", "manifest", "drill", "again")}
assert len({manifest["store"]["digest"]["all"] for manifest in of.values()}) == 1, of
PY

psql -Xq -c 'DROP DATABASE sign_store' -c 'DROP DATABASE sign_rehearsal' -c 'DROP OWNED BY sign_source' \
    -c 'DROP ROLE sign_source, sign_owner, sign_loader, sign_auditor'
