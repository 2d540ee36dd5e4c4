#!/bin/sh
# check-circles.sh LIBRARY...: inside a room, too, arrows point one way: no file needs another one that needs it, through
# however many others. Asked of the objects: who uses what whom defines. tsort names the files of a circle.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0
for library; do
    if [ ! -s "$library" ]; then
        echo "$library: no such library" >&2
        exit 2
    fi
    nm -A -g "$library" | awk '
        {
            split($0, part, ":") # library:member.o:[address] type symbol
            file = part[2]
            symbol = $NF
            type = $(NF - 1)
            sub(/.*:/, "", type)
            if (type == "U") wanted[file " " symbol] = 1
            else owner[symbol] = file
        }
        END {
            for (pair in wanted) {
                split(pair, of, " ")
                if (of[2] in owner && owner[of[2]] != of[1]) print of[1], owner[of[2]]
            }
        }' | sort -u >"$scratch/arrows"
    if ! tsort <"$scratch/arrows" >/dev/null 2>"$scratch/circles"; then
        { echo "$library:" && cat "$scratch/circles"; } >&2
        status=1
    fi
done
exit "$status"
