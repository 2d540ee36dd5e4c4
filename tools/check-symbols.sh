#!/bin/sh
# check-symbols.sh LIBRARY...: the libraries of the rooms below cli do not print, exit or abort. Asked of the objects, not of
# the source, because macros of others can do it too (uthash exits when memory runs out, unless told otherwise).
set -eu

forbidden='printf|vprintf|puts|putchar|perror|dprintf|stdout|stderr|exit|_exit|_Exit|quick_exit|abort|syslog'
status=0
for library; do
    if [ ! -s "$library" ]; then
        echo "$library: no such library" >&2
        exit 2
    fi
    if nm -A -u "$library" | sed 's/@.*//' | grep -E "[: ]U ($forbidden)\$" >&2; then
        status=1
    fi
done
exit "$status"
