#!/bin/sh
# A server with TLS and passwords: a run over an encrypted connection, and each way in which it may not come about, told as the
# server or libpq tells it. It listens at an address of the loopback network that is its own, so no port is taken from anybody.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"
scratch=$PWD
cluster=$SOURCE_DIR/tests/support/pg-cluster.sh
trap '"$cluster" stop "$scratch/pg"' EXIT
trap 'exit 129' HUP INT TERM
"$cluster" start "$scratch/pg" --while $$
# shellcheck source=/dev/null
. "$scratch/pg/env"
as_server() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    else
        runuser -u "$(stat -c %U "$PGHOST/data")" -- "$@"
    fi
}
address=127.$(($$ / 65536 % 100 + 100)).$(($$ / 256 % 256)).$(($$ % 254 + 1))

# An authority of our own, and a certificate for the name "shop.test"; the address is not in it.
command -v openssl >/dev/null || fail 'openssl is missing: install it'
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=shop.test -keyout server.key -out server.csr 2>/dev/null
echo 'subjectAltName = DNS:shop.test' >names
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=stranger -keyout other.key -out other.crt 2>/dev/null
chmod 600 ./*.key
psql -Xq -v ON_ERROR_STOP=1 <<SQL
SET password_encryption = 'scram-sha-256';
CREATE ROLE tls_reader LOGIN PASSWORD 'right';
CREATE ROLE tls_barred LOGIN PASSWORD 'right';
CREATE DATABASE shop;
CREATE DATABASE events;
ALTER SYSTEM SET listen_addresses = '$address';
ALTER SYSTEM SET ssl = on;
SQL
psql -Xq -d shop -v rows=500 -f "$SAMPLES/payment/legacy.sql"
psql -Xq -d shop -c 'GRANT SELECT ON payments TO tls_reader' -c 'GRANT pg_read_all_data TO tls_barred'
for file in server.crt server.key; do
    as_server sh -c "umask 077; cat >'$PGHOST/data/$file'" <$file
done
printf 'local all all trust\nhostssl all tls_reader all scram-sha-256\n' | as_server sh -c "cat >'$PGHOST/data/pg_hba.conf'"
psql -Xqc CHECKPOINT
"$cluster" crash "$scratch/pg"

# refused TEXT CONNECTION: no second is lost and no password told
refused() {
    got=0
    "$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from "$2" --to dbname=events --quiet >out.txt 2>&1 || got=$?
    [ "$got" = 3 ] || { cat out.txt; fail "$2: exit status $got instead of 3"; }
    grep -qF "$1" out.txt || { cat out.txt; fail "$2: it does not say \"$1\""; }
    [ "$(grep -c '^error' out.txt)" = 1 ] || { cat out.txt; fail "$2: not one error"; }
    ! grep -q 'wrong-password' out.txt || { cat out.txt; fail 'a password is shown'; }
}
unset PGPASSWORD
base="dbname=shop port=5432 user=tls_reader"
tcp="$base hostaddr=$address host=shop.test"

say 'what is refused'
refused 'password authentication failed for user "tls_reader"' "$tcp password=wrong-password"
refused 'no password supplied' "$tcp passfile=/dev/null"
refused 'no encryption' "$tcp password=right sslmode=disable"
refused 'no pg_hba.conf entry' "dbname=shop hostaddr=$address host=shop.test port=5432 user=tls_barred password=right"
refused 'certificate verify failed' "$tcp password=right sslmode=verify-full sslrootcert=$scratch/other.crt"
refused 'root certificate file "/nowhere.crt" does not exist' "$tcp password=right sslmode=verify-ca sslrootcert=/nowhere.crt"
refused 'does not match host name "bank.test"' \
    "$base hostaddr=$address host=bank.test password=right sslmode=verify-full sslrootcert=$scratch/ca.crt"
refused 'database "nowhere" does not exist' 'dbname=nowhere'
refused 'role "nobody" does not exist' 'dbname=shop user=nobody'
refused 'No such file or directory. Is the server running' "dbname=shop host=$scratch"
refused 'Connection refused' "dbname=shop hostaddr=$address port=1"
[ -z "$(psql -XAtqd events -c "SELECT to_regnamespace('backstory')")" ] || fail 'a store was made for nothing'

say 'what is not: one snapshot, two readers, the proof, over TLS'
secure="$tcp password=right sslmode=verify-full sslrootcert=$scratch/ca.crt"
"$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from "$secure" --to dbname=events --jobs 2 --verify --quarantine q.jsonl >out.txt
grep -q '^verified: ' out.txt || { cat out.txt; fail 'not verified'; }
! grep -rq 'right' out.txt || fail 'the password is told'
[ "$(psql -XAtqd events -c "SELECT count(*) FROM backstory.load WHERE source_identity LIKE '%right%' OR source LIKE '%right%'")" = 0 ] ||
    fail 'the password stands in the store'

say 'a server that wants TLS and has none'
psql -Xq -c 'ALTER SYSTEM SET ssl = off' -c 'SELECT pg_reload_conf()' >/dev/null
until [ "$(psql -XAtqc 'SHOW ssl')" = off ]; do :; done
refused 'server does not support SSL, but SSL was required' "$tcp password=right sslmode=require"
