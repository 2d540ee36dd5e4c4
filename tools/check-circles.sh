#!/bin/sh
# check-circles.sh OBJECT...: inside a room, too, arrows point one way: no file needs another one that needs it, through
# however many others. Objects of one folder are a room. Asked of them: who uses what whom defines. tsort names the files of
# a circle.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# `user owner` of all that a file wants of another one of its folder.
nm -A -g "$@" | awk '
    {
        file = $0
        sub(/:.*/, "", file)
        folder = file
        sub(/[^\/]*$/, "", folder)
        type = $(NF - 1)
        sub(/.*:/, "", type)
        if (type == "U") wanted[file, folder, $NF] = 1
        else owner[folder, $NF] = file
    }
    END {
        for (want in wanted) {
            split(want, of, SUBSEP)
            from = owner[of[2], of[3]]
            if (from != "" && from != of[1]) print of[1], from
        }
    }' | sort -u >"$scratch/arrows"
if ! tsort <"$scratch/arrows" >/dev/null 2>"$scratch/circles"; then
    cat "$scratch/circles" >&2
    exit 1
fi
