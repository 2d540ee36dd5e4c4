#!/bin/sh
# check-layers.sh [ROOT]: includes point down only. The tables are those of docs/ARCHITECTURE.md: a room, the rooms whose
# headers it may include, and the outside headers that no other room may; then the same for the rooms inside a large one.
set -eu
cd "${1:-$(dirname "$0")/..}"

table='
base
fsm:base
eventgen:base fsm
import:base fsm
store:base fsm
migrate:base fsm store
cli:base fsm eventgen import store migrate
'
inner='
migrate/source:
migrate/infer:
migrate/mapping:source infer
migrate/synth:source infer mapping
migrate/learn:source infer mapping synth
migrate/draft:source mapping
migrate/run:source mapping synth
migrate/follow:source infer mapping synth run
migrate/compare:source mapping synth run follow
migrate/replay:source mapping synth
'
# header owner: these libraries belong to one room.
owned='
libpq-fe.h store
libxml/parser.h import
libxml/tree.h import
popt.h cli
'
status=0

complain() {
    echo "$1: $2" >&2
    status=1
}

# Includes of one room, as `file:line header`.
includes() {
    find "$1" -name '*.[ch]' -exec grep -nHE '^[[:space:]]*#[[:space:]]*include' {} + |
        sed -E 's/^([^:]*:[0-9]+):[^"<]*["<]([^">]*)[">].*/\1 \2/' | sort
}

check_include() {
    place=$1 header=$2 room=$3 allowed=$4
    case $header in
    backstory/*)
        for owner in $room $allowed; do
            if [ -f "$owner/include/$header" ]; then
                return
            fi
        done
        complain "$place" "$room may not include \"$header\""
        ;;
    *_private.h)
        [ -f "$room/$header" ] || [ -f "$(dirname "$place")/$header" ] || complain "$place" "\"$header\" is not a private header of $room"
        ;;
    */../* | ../*)
        complain "$place" "\"$header\" leaves the room"
        ;;
    *)
        owner=$(echo "$owned" | sed -n "s|^$header ||p")
        [ -z "$owner" ] || [ "$owner" = "$room" ] || complain "$place" "<$header> belongs to $owner"
        ;;
    esac
}

found=$(mktemp)
trap 'rm -f "$found"' EXIT
for line in $(echo "$table" | tr ' ' '+'); do
    room=${line%%:*}
    allowed=$(echo "${line#"$room"}" | tr ':+' '  ')
    [ -d "$room" ] || continue
    includes "$room" >"$found"
    while read -r place header; do
        check_include "$place" "$header" "$room" "$allowed"
    done <"$found"
done

# The room inside $1 that a header belongs to: the folder it is in; that of its .c file where all rooms' headers are.
inner_room_of() {
    case $2 in
    backstory/*) [ ! -f "$1/include/$2" ] || basename "$(dirname "$(ls "$1"/*/"$(basename "$2" .h)".c)")" ;;
    */*) [ ! -d "$1/${2%/*}" ] || dirname "$2" ;;
    esac
}

for line in $(echo "$inner" | tr ' ' '+'); do
    folder=${line%%:*}
    allowed=$(echo "${line#"$folder"}" | tr ':+' '  ')
    [ -d "$folder" ] || continue
    includes "$folder" >"$found"
    while read -r place header; do
        owner=$(inner_room_of "${folder%/*}" "$header")
        case " $allowed ${folder#*/} " in
        *" ${owner:-${folder#*/}} "*) ;;
        *) complain "$place" "$folder may not include \"$header\"" ;;
        esac
    done <"$found"
done
exit "$status"
