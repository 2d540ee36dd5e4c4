#!/bin/sh
# check-calls.sh [ROOT]: calls that have no place here. Some have none anywhere, libpq's only in store's pg files, printf
# none in cli. What a comment or a string says does not count: emitters may write such calls into other people's C.
set -eu
cd "${1:-$(dirname "$0")/..}"

banned='strcpy|stpcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|strtok_r|atoi|atol|atoll|atof|gets|gmtime|localtime|ctime|asctime|alloca'

# `file:line: text` of every line of code that matches, comments and literals taken out.
search() {
    pattern=$1
    shift
    awk -v pattern="$pattern" '
        FNR == 1 { comment = 0 }
        {
            rest = $0
            code = ""
            gsub(/\\./, "", rest)
            while (rest != "") {
                if (comment) {
                    end = index(rest, "*/")
                    comment = !end
                    rest = end ? substr(rest, end + 2) : ""
                } else if (match(rest, /"[^"]*"|\047[^\047]*\047|\/\*/)) {
                    comment = substr(rest, RSTART, RLENGTH) == "/*"
                    code = code substr(rest, 1, RSTART - 1) " "
                    rest = substr(rest, RSTART + RLENGTH)
                } else {
                    code = code rest
                    rest = ""
                }
            }
            if (code ~ pattern) { print FILENAME ":" FNR ": " $0; found = 1 }
        }
        END { exit found }' "$@" || status=1
}

status=0
# shellcheck disable=SC2046 # names of ours: no spaces
search "(^|[^A-Za-z0-9_])($banned)[ ]*\\(" \
    $(find base fsm eventgen import store migrate cli tests bench -name '*.[ch]' 2>/dev/null | sort)
# shellcheck disable=SC2046
search "(^|[^A-Za-z0-9_])PQ[a-z][A-Za-z]*[ ]*\\(" \
    $(find base fsm eventgen import store migrate cli -name '*.[ch]' 2>/dev/null | grep -v '^store/pg[^/]*\.[ch]$' | sort)
# What cli prints goes through cli/print.c, which keeps data from steering a terminal.
# shellcheck disable=SC2046
search "(^|[^A-Za-z0-9_])(v|f|vf|d)?printf[ ]*\\(|(^|[^A-Za-z0-9_])json_dump(f|fd)[ ]*\\(" \
    $(find cli -name '*.[ch]' 2>/dev/null | grep -v '^cli/print\.c$' | sort)
exit "$status"
