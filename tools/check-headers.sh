#!/bin/sh
# check-headers.sh [ROOT]: every public header compiles alone, as C11 and as C++17, without a warning. CC and CXX name the
# compilers.
set -eu
cd "${1:-$(dirname "$0")/..}"

warnings='-Wall -Wextra -Wconversion -Wshadow -Wformat=2 -Wpedantic -Werror -fsyntax-only'
flags=$(for room in base fsm eventgen import store migrate; do echo "-I$room/include"; done; pkg-config --cflags jansson)
status=0
for header in */include/backstory/*.h; do
    # shellcheck disable=SC2086 # lists of flags
    {
        echo "#include \"${header#*/include/}\"" | ${CC:-cc} -x c -std=c11 -Wstrict-prototypes $warnings $flags - || status=1
        echo "#include \"${header#*/include/}\"" | ${CXX:-c++} -x c++ -std=c++17 $warnings $flags - || status=1
    }
done
exit "$status"
