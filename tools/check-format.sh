#!/bin/sh
# check-format.sh [--fix] [ROOT]: the layout of the C files: clang-format, at most 100 columns, no tab, no trailing space,
# no // comment. --fix lets clang-format mend what it can.
set -eu
fix=
if [ "${1-}" = --fix ]; then
    fix=yes
    shift
fi
cd "${1:-$(dirname "$0")/..}"

files=$(find base fsm eventgen import store migrate cli tests bench -name '*.[ch]' 2>/dev/null | sort)
[ -n "$files" ] || exit 0
status=0
if command -v clang-format >/dev/null; then
    # shellcheck disable=SC2086 # names of ours: no spaces
    if [ -n "$fix" ]; then
        clang-format -i $files
    elif clang-format --dry-run --Werror $files 2>&1 | grep ': error:' | sed 's/ \[-W.*//' | grep . >&2; then
        status=1
    fi
else
    echo "SKIPPED: clang-format is not installed; only the rest was checked"
fi
complain() {
    # shellcheck disable=SC2086
    if LC_ALL=C.UTF-8 grep -nHE "$1" $files | sed "s|^\([^:]*:[0-9]*\):.*|\1: $2|" | grep . >&2; then
        status=1
    fi
}
complain '^.{101}' 'more than 100 columns'
complain "$(printf '\t')" 'a tab'
complain ' $' 'a space at the end'
complain '^ *//|[;{}] *// ' 'a // comment'
exit "$status"
