#!/bin/sh
# The long form of the soak (tests/support/soak.sh): 20 kills and a crash of the store while three writers go at full speed,
# and old and new are compared at one place in the log.
set -eu
# shellcheck source=/dev/null
. bench/support/figure.sh
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bst-soak.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP INT TERM
soak=$PWD/tests/support/soak.sh
cd "$scratch"
"$soak" 20 60 3 >figures.json

figure soak.kills "$(sed 's/.*"kills":\([0-9]*\).*/\1/' figures.json)" 1
figure soak.events "$(sed 's/.*"events":\([0-9]*\).*/\1/' figures.json)" 1 changes \
    "$(sed 's/.*"changes":\([0-9]*\).*/\1/' figures.json)" '>=1'
figure soak.clean_comparisons "$(sed 's/.*"comparisons":\([0-9]*\).*/\1/' figures.json)" 1 one 1 '>=1'
