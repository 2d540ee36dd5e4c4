#!/bin/sh
# check-size.sh [ROOT]: no function of more than 70 lines, no file of more than 1,000, in C that is not generated. Relies on the layout that
# clang-format gives: a function's braces stand in the first column or end a line that starts there.
set -eu
cd "${1:-$(dirname "$0")/..}"

files=$(find base fsm eventgen import store migrate cli tests bench -name '*.[ch]' 2>/dev/null | sort)
[ -n "$files" ] || exit 0
# shellcheck disable=SC2086 # names of ours: no spaces
awk '
    function complain(line, what) { print FILENAME ":" line ": " what; found = 1 }
    FNR == 1 { start = 0; generated = FILENAME ~ /eventgen\/expected/ } # a line a field
    FNR == 1001 && !generated { complain(FNR, "more than 1,000 lines in a file") }
    /^[a-zA-Z_].*\($|^[a-zA-Z_].*\(.*[^;]$|^START_TEST/ { start = FNR }
    /^}$/ && start { if (FNR - start >= 70 && !generated) complain(start, FNR - start + 1 " lines in a function"); start = 0 }
    END { exit found }' $files >&2
