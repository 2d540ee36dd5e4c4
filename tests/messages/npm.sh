#!/bin/sh
# npm.sh NAME SCRATCH_DIR ARGUMENT...: runs NAME.mjs with packages from npm, which go into SCRATCH_DIR. Where they cannot be
# had the test is skipped, and says so.
name=$1
scratch=$2
here=$(cd "$(dirname "$0")" && pwd)
shift 2

skip() {
    echo "######## SKIPPED: $1. $name.mjs was not run. ########" >&2
    exit 77
}

command -v node >/dev/null 2>&1 || skip "node is not installed"
command -v npm >/dev/null 2>&1 || skip "npm is not installed"
mkdir -p "$scratch" || exit 1
if ! cmp -s "$here/package.json" "$scratch/installed.json"; then
    cp "$here/package.json" "$scratch" || exit 1
    (cd "$scratch" && npm install --silent --no-audit --no-fund --no-package-lock >npm.log 2>&1) ||
        skip "npm cannot install: $(tail -1 "$scratch/npm.log")"
    cp "$here/package.json" "$scratch/installed.json" || exit 1
fi
cp "$here/$name.mjs" "$scratch" || exit 1
exec node "$scratch/$name.mjs" "$@"
