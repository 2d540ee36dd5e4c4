#!/bin/sh
# No part of a password is shown, however it is mistyped.
set -eu

for from in 'postgresql://u:SECRET@PW3@127.0.0.1:1/x' 'postgresql://u:SEC/RETPW@127.0.0.1:1/x' \
    'dbname=postgresql://u:SECRETPW@127.0.0.1:1/x' 'postgresql://u:SECRETPW@127.0.0.1:1/x' \
    "host=$PGHOST user=nobody password=SECRETPW dbname=nowhere" 'postgresql://u:SECRETPW@nowhere.invalid/x'; do
    got=0
    "$BACKSTORY" plan "$SAMPLES/payment/payment.legacy.json" --from "$from" --quiet >out.txt 2>&1 || got=$?
    [ "$got" = 2 ] || [ "$got" = 3 ] || { cat out.txt; echo "secrets: exit status $got" >&2; exit 1; }
    if grep -qE 'SEC|RET|PW' out.txt; then
        cat out.txt
        echo "secrets: a part of a password is shown" >&2
        exit 1
    fi
done

# Nor can it be read beside the program's name. The file of rows is a pipe: it is opened when the command line has been read.
mkfifo rows.csv
for to in "host=$PGHOST user=$PGUSER dbname=$PGDATABASE password=SECRETPW" "host=$PGHOST password = 'SEC\\'RET PW' dbname=$PGDATABASE" \
    "postgresql://$PGUSER:SECRETPW@/$PGDATABASE?host=$PGHOST" "postgresql:///$PGDATABASE?host=$PGHOST&password=SECRETPW"; do
    "$BACKSTORY" migrate "$SAMPLES/payment/payment.legacy.json" --from rows.csv --to "$to" --quarantine password=SECRETPW >out.txt 2>&1 &
    exec 3>rows.csv
    tr '\0' '\n' <"/proc/$!/cmdline" >line.txt
    exec 3>&-
    wait $! && exit 1 # the file is empty
    if grep -qE 'SEC|RET|PW' line.txt; then
        cat line.txt
        echo "secrets: a password stands on the command line of the program" >&2
        exit 1
    fi
    grep -qF "***" line.txt
    grep -qF "$SAMPLES/payment/payment.legacy.json" line.txt
done
[ ! -e 'password=********' ]

# What is no connection string stays what it is.
got=0
"$BACKSTORY" quarantine show 'a password=12' --from none.jsonl >out.txt 2>&1 || got=$?
[ "$got" = 3 ]
echo '{"key":"a password=12","code":"bad-value","reason":"r","row":{}}' >none.jsonl
"$BACKSTORY" quarantine show 'a password=12' --from none.jsonl >out.txt
