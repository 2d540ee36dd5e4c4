#!/bin/sh
# consumer.sh BUILD: installs BUILD into a scratch folder, moves the folder, and builds a project against it through the CMake
# package and through pkg-config. Moving it shows that nothing has the path baked in. The project has a machine of its own,
# which is compiled when it changes, and then only.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bst-consumer.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP INT TERM

cmake --install "$1" --prefix "$scratch/first" >"$scratch/log"
mv "$scratch/first" "$scratch/moved"
cp -R "$here" "$scratch/project"

fail() {
    cat "$scratch/log" >&2
    echo "consumer: $*" >&2
    exit 1
}
build() {
    cmake --build "$scratch/build" >"$scratch/log" 2>&1
}
# Times of the compiled machine's files, to the nanosecond.
written() {
    find "$scratch/build" \( -name 'door*.[cho]' -o -name 'door*.md' -o -name 'gate*.o' \) -exec stat -c '%n %y' {} + | sort
}

cmake -S "$scratch/project" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/moved" -DCMAKE_C_COMPILER="$CC" >>"$scratch/log" ||
    fail "it does not configure"
build || fail "it does not build"
"$scratch/build/consumer"
"$scratch/build/gate" || fail "the generated machine does not do what it should"
"$scratch/build/hatch" || fail "under another name it does not do what it should"
grep -q '^# door' "$scratch/build/door.md" || fail "no page"

# Nothing has changed: nothing is done. A machine that is newer, but the same, is compiled, and nothing else is.
written >"$scratch/before"
touch "$scratch/project/door.fsm.json"
build || fail "it does not build again"
written | diff "$scratch/before" - || fail "files were written again, or built again, that are the same"
[ "$(grep -c . "$scratch/before")" -ge 8 ] || fail "too few files: $(cat "$scratch/before")"

# What is new in the machine is new in the program; a mistake stops the build, with its place.
sed -i 's/"opened + 1"/"opened + 2"/' "$scratch/project/door.fsm.json"
build || fail "it does not build when the machine changes"
! "$scratch/build/gate" >>"$scratch/log" || fail "the machine changed, and the program did not"
sed -i 's/"open": "open"/"open": "opne"/' "$scratch/project/door.fsm.json"
! build || fail "a mistake in the machine does not stop the build"
grep -q 'door.fsm.json:8:.*"opne"' "$scratch/log" || fail "the mistake is not named"

PKG_CONFIG_PATH=$(dirname "$(find "$scratch/moved" -name backstory-base.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046 # flags
"$CC" -o "$scratch/consumer" "$here/main.c" $(pkg-config --cflags --libs backstory-migrate backstory-eventgen)
"$scratch/consumer"
"$(pkg-config --variable=compiler backstory)" compile "$here/door.fsm.json" -o "$scratch" --emit c,c-json --quiet
# shellcheck disable=SC2046
"$CC" -o "$scratch/gate" -I"$scratch" "$here/gate.c" "$scratch/door.c" "$scratch/door_json.c" $(pkg-config --cflags --libs jansson)
"$scratch/gate"
