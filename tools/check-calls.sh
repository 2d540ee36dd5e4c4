#!/bin/sh
# check-calls.sh [ROOT]: calls that have no place here. Some have none anywhere, libpq's only in store's pg files. What a
# comment or a string says does not count: emitters may write such calls into other people's C.
set -eu
cd "${1:-$(dirname "$0")/..}"

banned='strcpy|stpcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|strtok_r|atoi|atol|atoll|atof|gets|gmtime|localtime|ctime|asctime|alloca'
status=0

# `file:line: text` of every line of code that matches, comments and strings taken out.
search() {
    pattern=$1
    shift
    for file; do
        ${CC:-cc} -fpreprocessed -dD -E -x c "$file" 2>/dev/null | awk -v file="$file" -v pattern="$pattern" '
            /^# [0-9]+ "/ { line = $2; next }
            {
                gsub(/\\./, "")
                gsub(/"[^"]*"/, "\"\"")
                if ($0 ~ pattern) { print file ":" line ": " $0; found = 1 }
                line++
            }
            END { exit found }' || status=1
    done
}

files=$(find base fsm eventgen store migrate cli tests bench -name '*.[ch]' 2>/dev/null | sort)
# shellcheck disable=SC2086 # names of ours: no spaces
search "(^|[^A-Za-z0-9_])($banned)[ ]*\\(" $files
# shellcheck disable=SC2046
search "(^|[^A-Za-z0-9_])PQ[a-z][A-Za-z]*[ ]*\\(" \
    $(find base fsm eventgen store migrate cli -name '*.[ch]' 2>/dev/null | grep -v '^store/pg[^/]*\.[ch]$' | sort)
exit "$status"
