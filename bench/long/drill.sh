#!/bin/sh
# The long form of the crash drill (tests/support/drill.sh): 100 kills at random instants and one at each boundary of a chunk,
# sessions ended, servers stopped, backends killed, paths cut and frozen, full disks (as root), a writer beside the run. Some minutes.
set -eu
# shellcheck source=/dev/null
. bench/support/figure.sh
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bst-drill-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP INT TERM
cc -O2 -o "$scratch/proxy" tests/support/proxy.c
BACKSTORY_DRILL=long tests/support/drill.sh "$scratch/proxy" >"$scratch/survived.json"

tr ',' '\n' <"$scratch/survived.json" | sed -n 's/.*"\([a-z_]*\)": \([0-9]*\).*/\1 \2/p' | while read -r fault times; do
    figure "drill.$fault" "$times" 1
done
