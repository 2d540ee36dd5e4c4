#!/bin/sh
# check-layers.sh [ROOT]: includes point down only. The table is the one of docs/architecture: a room, the rooms whose
# headers it may include, and the outside headers that no other room may.
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
        [ -f "$room/$header" ] || complain "$place" "\"$header\" is not a private header of $room"
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
exit "$status"
