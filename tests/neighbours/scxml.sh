#!/bin/sh
# The interpreter and Qt's interpreter of SCXML (Debian's python3-pyside2.qtscxml): random machines, those of real systems,
# nested ones. Without it the test is skipped, and says so.
#
#     scxml.sh WALK SOURCE_DIR SCRATCH_DIR [RANDOM_MACHINES] [SEED]

walk=$1
source=$2
scratch=$3
machines=${4:-300}
seed=${5:-1}
here=$source/tests/neighbours

if ! /usr/bin/python3 -c 'import PySide2.QtScxml' 2>/dev/null; then
    echo "######## SKIPPED: python3-pyside2.qtscxml is not installed. Nothing was compared with SCXML. ########" >&2
    exit 77
fi
mkdir -p "$scratch" || exit 1
/usr/bin/python3 "$here/cases.py" "$machines" "$seed" "$source"/samples/*/*.fsm.json "$source"/tests/machines/*.fsm.json \
    "$source"/tests/golden/structure/*.fsm.json "$source"/tests/golden/regions/*.fsm.json \
    "$source"/tests/golden/export_nested/*.fsm.json >"$scratch/cases" || exit 1
exec /usr/bin/python3 "$here/scxml.py" "$walk" "$scratch" <"$scratch/cases"
