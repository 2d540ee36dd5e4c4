#!/bin/sh
# check-scripts.sh [ROOT]: shellcheck finds nothing in any shell script of the tree.
set -eu
cd "${1:-$(dirname "$0")/..}"

if ! command -v shellcheck >/dev/null; then
    echo "SKIPPED: shellcheck is not installed"
    exit 0
fi
# `cmd` files of golden tests are single lines without a #! line; they are not meant.
find . -path ./build -prune -o -path ./.git -prune -o -type f -exec grep -lE '^#!/bin/(ba)?sh|^#!/usr/bin/env bash' {} + |
    sort | xargs shellcheck
