#!/bin/sh
# pg-run.sh CLUSTER NAME COMMAND...: run a command against the cluster that pg-cluster.sh started in CLUSTER, in an empty
# scratch folder and with a new database NAME as its PGDATABASE.
set -eu

# shellcheck source=/dev/null
. "$1/env"
name=$2
shift 2

scratch=$(mktemp -d "${TMPDIR:-/tmp}/bst-pg-run.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP INT TERM
cd "$scratch"

psql -Xqc "DROP DATABASE IF EXISTS \"$name\"" -c "CREATE DATABASE \"$name\"" 2>/dev/null
PGDATABASE=$name
export PGDATABASE
"$@"
