#!/bin/sh
# How good the histories are, on event logs whose truth is known: each variant of each log with and without learning, against
# baselines, with the calibration of what is claimed. BACKSTORY_LOGS names the folder of logs, one folder each:
#
#   truth.csv       entity_id,seq,activity,timestamp
#   machine.json    the machine, XState-like; a pseudo state `none` stands for "not created"
#   uncovered.txt   entities whose history is no path of that machine
#   legacy*.csv     one row an entity: id, status, created_at, updated_at, <state>_at
#
# Without it there is nothing to measure.
set -eu
# shellcheck source=bench/support/figure.sh disable=SC1091
. "$SOURCE_DIR/bench/support/figure.sh"
if [ -z "${BACKSTORY_LOGS-}" ]; then
    echo "bench histories: BACKSTORY_LOGS names no folder of logs: skipped" >&2
    figure histories.logs 0 logs
    exit 0
fi
exec python3 "$SOURCE_DIR/bench/support/histories.py" "$BACKSTORY_LOGS"
