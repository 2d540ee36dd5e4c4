#!/bin/sh
# Recorded commands for an old system with known faults and for the machine: each fault is found, shrunk to the commands
# that show it, told from noise; and nothing stays changed in the old system.
set -eu

# shellcheck source=/dev/null
. "$SOURCE_DIR/tests/support/say.sh"

cat >account.fsm.json <<'JSON'
{ "id": "account",
  "fields": { "balance": { "type": "decimal(12,2)", "default": "0.00" }, "owner": "text", "ticket": "text?" },
  "events": { "AccountOpened": { "fields": { "owner": "text" } },
              "AccountDeposited": { "fields": { "amount": "decimal(12,2)" }, "apply": { "balance": "balance + event.amount" } },
              "AccountWithdrawn": { "fields": { "amount": "decimal(12,2)" }, "apply": { "balance": "balance - event.amount" } },
              "AccountFrozen": {} },
  "guards": { "covered": "command.amount <= balance" },
  "creates": [ { "command": "open", "event": "AccountOpened", "target": "open" } ],
  "initial": "open",
  "states": { "open": { "on": { "deposit": {}, "withdraw": { "guard": "covered" }, "freeze": "frozen" } },
              "frozen": { "on": { "deposit": {} } } } }
JSON
cat >account.legacy.json <<'JSON'
{ "machine": "account.fsm.json",
  "source": { "table": "bank.accounts", "key": "id" },
  "state": { "column": "status", "values": { "O": "open", "F": "frozen" } },
  "fields": { "balance": "balance", "owner": "owner", "ticket": "ticket" },
  "commands": { "open": { "function": "bank.open", "arguments": [ "command.owner" ] },
                "deposit": "bank.deposit", "withdraw": "bank.withdraw",
                "freeze": { "function": "bank.freeze", "arguments": [ "entity" ] } } }
JSON
# Faults: a frozen account takes no deposits; bob may overdraw by 10; every third deposit of one account costs a cent.
# Names are looked for on the role's own search_path, as a live system does.
psql -Xq -v ON_ERROR_STOP=1 <<'SQL'
CREATE SCHEMA bank;
CREATE TABLE bank.accounts (id serial PRIMARY KEY, status char(1) NOT NULL, balance numeric(12,2) NOT NULL DEFAULT 0,
    owner text NOT NULL, ticket text, deposits int NOT NULL DEFAULT 0);
ALTER DATABASE :DBNAME SET search_path = bank;
SET search_path = bank;
CREATE FUNCTION open(who text) RETURNS int LANGUAGE sql AS
    $$INSERT INTO accounts (status, owner) VALUES ('O', who) RETURNING id$$;
CREATE FUNCTION deposit(account int, amount numeric) RETURNS void LANGUAGE plpgsql AS $$BEGIN
    IF (SELECT status FROM accounts WHERE id = account) = 'F' THEN RAISE 'account % is frozen', account; END IF;
    UPDATE accounts SET deposits = deposits + 1,
        balance = balance + amount - CASE WHEN deposits % 3 = 2 THEN 0.01 ELSE 0 END WHERE id = account;
END$$;
CREATE FUNCTION withdraw(account int, amount numeric) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN
    UPDATE accounts SET balance = balance - amount, ticket = NULL WHERE id = account AND status = 'O'
        AND balance + CASE WHEN owner = 'bob' THEN 10 ELSE 0 END >= amount;
    RETURN FOUND;
END$$;
CREATE FUNCTION freeze(account int) RETURNS void LANGUAGE sql AS
    $$UPDATE accounts SET status = 'F', ticket = md5(clock_timestamp()::text) WHERE id = account$$;
INSERT INTO accounts (status, owner, balance) VALUES ('O', 'ann', 50), ('O', 'bob', 5);
SQL
psql -Xqc '\copy (SELECT * FROM bank.accounts ORDER BY id) TO before.csv CSV'

{
    echo '{"entity":"1","command":"deposit","data":{"amount":"10.00"}}'
    echo '{"entity":"2","command":"withdraw","data":{"amount":"5.00"}}'
    echo '{"entity":"1","command":"withdraw","data":{"amount":"500.00"}}'
    echo '{"entity":"new","command":"open","data":{"owner":"cat"}}'
    echo '{"entity":"1","command":"deposit","data":{"amount":"1.00"}}'
    echo '{"entity":"2","command":"withdraw","data":{"amount":"8.00"}}'
    echo '{"entity":"new","command":"deposit","data":{"amount":"7.50"}}'
    echo '{"entity":"1","command":"withdraw","data":{"amount":"2.00"}}'
    echo '{"entity":"1","command":"deposit","data":{"amount":"3.00"}}'
    echo '{"entity":"new","command":"withdraw","data":{"amount":"7.50"}}'
    echo '{"entity":"new","command":"freeze"}'
    echo '{"entity":"new","command":"deposit","data":{"amount":"1.00"}}'
} >commands.jsonl

say 'each fault is found and shrunk, noise is told apart'
got=0
"$BACKSTORY" replay-commands account.legacy.json commands.jsonl --from "dbname=$PGDATABASE" --quiet >out.txt || got=$?
[ "$got" = 1 ] || { cat out.txt; fail "exit status $got instead of 1"; }
sed "s/old: [0-9a-f]\{32\}/old: (a code)/" out.txt >shown.txt
cat >expected.txt <<'TEXT'
1  new-refused after "withdraw" in state "open"
    old: accepted
    new: guard-refused
    entity 2, line 6 shows it

1  field balance after "deposit" in state "open"
    old: 61.99
    new: 62.00
    entity 1, lines 1, 5, 9 show it

1  field ticket after "freeze" in state "open": noise, for the old side does not repeat itself
    old: (a code)
    new: null
    entity new, lines 4, 11 show it

1  old-refused after "deposit" in state "frozen"
    old: account 3 is frozen [sqlstate-P0001]
    new: accepted
    entity new, lines 4, 11, 12 show it

12 commands to 3 entities: 7 accepted by both, 1 refused by both
noise: field ticket differs between two runs of the old side after 2 commands
4 kinds of mismatch, 1 of them noise
TEXT
diff -u expected.txt shown.txt || fail 'another report'

say 'nothing stays changed'
psql -Xqc '\copy (SELECT * FROM bank.accounts ORDER BY id) TO after.csv CSV'
cmp before.csv after.csv

say 'where both agree the exit status is 0'
sed -n '1,5p' commands.jsonl | "$BACKSTORY" replay-commands account.legacy.json - --from "dbname=$PGDATABASE" --format json \
    --quiet >out.json
for figure in '"accepted": 4' '"refused": 1'; do
    grep -q "$figure" out.json || { cat out.json; fail "not $figure"; }
done

say 'mistakes of the log are all told, with their lines, before anything is done'
cat >bad.jsonl <<'JSON'
{"entity":"1","command":"depositt","data":{}}
{"entity":"1","command":"deposit","data":{"amount":"1.001"}}
not json

{"entity":"1","command":"deposit","dta":{}}
{"entity":1,"command":"deposit"}
{"entity":"1","command":"deposit","data":{"amuont":"1.00"}}
{"entity":"","command":"freeze"}
JSON
got=0
"$BACKSTORY" replay-commands account.legacy.json bad.jsonl --from "dbname=$PGDATABASE" --quiet >out.txt 2>&1 || got=$?
[ "$got" = 1 ] || { cat out.txt; fail "exit status $got instead of 1"; }
for line in 1 2 3 5 6 7 8; do
    grep -q "bad.jsonl:$line: error:" out.txt || { cat out.txt; fail "line $line is not told"; }
done

say 'an old system that cannot answer ends the replay: that is no refusal'
psql -Xqc 'DROP FUNCTION bank.freeze'
got=0
"$BACKSTORY" replay-commands account.legacy.json commands.jsonl --from "dbname=$PGDATABASE" --quiet >out.txt 2>&1 || got=$?
[ "$got" = 3 ] || { cat out.txt; fail "exit status $got instead of 3"; }
grep -q 'bank.freeze: function bank.freeze' out.txt || { cat out.txt; fail 'does not say which'; }
