#!/bin/sh
# The sample: money is lost by read-modify-write, and every bit of it is found in the log.
set -eu
"$SOURCE_DIR/samples/race/race.sh" >race.txt 2>&1 || { cat race.txt; exit 1; }
grep -q 'lost-update' race.txt || { cat race.txt; exit 1; }
