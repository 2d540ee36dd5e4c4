#!/bin/sh
# What becomes of generated rows with labelled dirt: exact histories on clean rows, what happens to each kind of dirty row, the
# balance and `compare`, under every policy, with other seeds, more dirt and fewer columns. BACKSTORY_PAYMENTS names the generator:
# a Python program that writes payments.csv, truth.csv (entity_id,seq,activity,timestamp) and dirt.csv (entity_id,kind,detail)
# given --out DIR --n ROWS --seed N --dirty SHARE. BACKSTORY_PAYMENTS_ROWS: how many entities (100000).
#
# Without it there is nothing to measure.
set -eu
# shellcheck source=bench/support/figure.sh disable=SC1091
. "$SOURCE_DIR/bench/support/figure.sh"
if [ -z "${BACKSTORY_PAYMENTS-}" ]; then
    echo "bench generated: BACKSTORY_PAYMENTS names no generator: skipped" >&2
    figure generated.entities 0 entities
    exit 0
fi
exec python3 "$SOURCE_DIR/bench/support/generated.py" "$BACKSTORY_PAYMENTS"
