#!/bin/sh
# consumer.sh BUILD: installs BUILD into a scratch folder, moves the folder, and builds main.c against it through the CMake
# package and through pkg-config. Moving it shows that nothing has the path baked in.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bst-consumer.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP INT TERM

cmake --install "$1" --prefix "$scratch/first" >"$scratch/log"
mv "$scratch/first" "$scratch/moved"

cmake -S "$here" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/moved" -DCMAKE_C_COMPILER="$CC" >>"$scratch/log"
cmake --build "$scratch/build" >>"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
"$scratch/build/consumer"

PKG_CONFIG_PATH=$(dirname "$(find "$scratch/moved" -name backstory-base.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # flags
"$CC" -o "$scratch/consumer" "$here/main.c" $(pkg-config --cflags --libs backstory-migrate backstory-eventgen)
"$scratch/consumer"
