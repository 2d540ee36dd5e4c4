#!/bin/sh
# check-circles.sh OBJECT...: arrows point one way. Inside a room no file needs another one that needs it, through however many
# others; and no two rooms need each other, whatever their headers say. Objects of one folder are a room. Asked of them: who
# uses what whom defines. tsort names the files, or the folders, of a circle.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# `user owner` of all that a file wants of another one of its folder, and a folder of another one.
nm -A -g "$@" | awk '
    {
        file = $0
        sub(/:.*/, "", file)
        folder = file
        sub(/[^\/]*$/, "", folder)
        type = $(NF - 1)
        sub(/.*:/, "", type)
        if (type == "U") wanted[file, folder, $NF] = 1
        else {
            owner[folder, $NF] = file
            home[$NF] = folder
        }
    }
    END {
        for (want in wanted) {
            split(want, of, SUBSEP)
            from = owner[of[2], of[3]]
            if (from != "" && from != of[1]) print of[1], from
            else if (from == "" && of[3] in home) print of[2] ".", home[of[3]] "."
        }
    }' | sort -u >"$scratch/arrows"
if ! tsort <"$scratch/arrows" >/dev/null 2>"$scratch/circles"; then
    cat "$scratch/circles" >&2
    exit 1
fi
