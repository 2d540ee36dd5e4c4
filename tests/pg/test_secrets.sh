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
