#!/bin/sh
# The interpreter and the real XState v5: random machines, those of real systems, nested ones. XState comes from npm, into
# the build folder; where it cannot be had the test is skipped, and says so.
#
#     xstate.sh WALK SOURCE_DIR SCRATCH_DIR [RANDOM_MACHINES] [SEED]

walk=$1
source=$2
scratch=$3
machines=${4:-200}
seed=${5:-1}

skip() {
    echo "######## SKIPPED: $1. Nothing was compared with XState. ########" >&2
    exit 77
}

command -v node >/dev/null 2>&1 || skip "node is not installed"
command -v npm >/dev/null 2>&1 || skip "npm is not installed"
here=$source/tests/neighbours
mkdir -p "$scratch" || exit 1
cp "$here/package.json" "$here/xstate.mjs" "$scratch" || exit 1
cd "$scratch" || exit 1
if ! [ -d node_modules/xstate ]; then
    npm install --silent --no-audit --no-fund --no-package-lock >npm.log 2>&1 || skip "npm cannot install xstate: $(tail -1 npm.log)"
fi
rm -f differs-*.fsm.json
python3 "$here/cases.py" "$machines" "$seed" "$source"/samples/*/*.fsm.json "$source"/tests/machines/*.fsm.json \
    "$source"/tests/golden/structure/*.fsm.json "$source"/tests/golden/regions/*.fsm.json \
    "$source"/tests/golden/export_nested/*.fsm.json >cases || exit 1
exec node xstate.mjs "$walk" "$scratch" <cases
