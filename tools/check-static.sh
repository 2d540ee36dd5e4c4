#!/bin/sh
# check-static.sh ROOT OBJECT...: what only its own file uses is static there, unless a public header promises it. Asked of
# the objects; the sources (and the tests) then have the last word, for a use may be in a file that this build leaves out.
set -eu

root=$1
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# `symbol object` of all that is defined for others and wanted by none of them.
nm -A -g "$@" | awk '
    {
        file = $0
        sub(/:.*/, "", file)
        type = $(NF - 1)
        sub(/.*:/, "", type)
        if (type == "U") wanted[$NF] = 1
        else if ($NF != "main") owner[$NF] = file
    }
    END { for (symbol in owner) if (!(symbol in wanted)) print symbol, owner[symbol] }' | sort >"$scratch/lonely"

cd "$root"
status=0
sources=$(find base fsm eventgen import store migrate cli tests bench -name '*.[ch]' 2>/dev/null | grep -v '_private\.h$')
while read -r symbol object; do
    # shellcheck disable=SC2086
    places=$(grep -lwF -e "$symbol" $sources || true)
    # What is made of a .sql or .text file is defined in no source of ours: one place uses it.
    home=$(basename "${object%.o}" .c).c
    if [ "$(echo "$places" | wc -l)" -eq 1 ] && [ "${places##*/}" = "$home" ]; then
        echo "${places:-$object}: only this file uses $symbol: let it be static" >&2
        status=1
    fi
done <"$scratch/lonely"
exit "$status"
