#!/bin/sh
# Each lint tool must pass a good small tree and must name the file and line of a fault planted in it.
set -eu

tools=$SOURCE_DIR/tools
scratch=$(mktemp -d "${TMPDIR:-/tmp}/bst-lint.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP INT TERM
cd "$scratch"
failures=0

fail() {
    echo "planted: $*" >&2
    failures=$((failures + 1))
}

# A tree of two rooms without fault.
plant() {
    rm -rf tree
    mkdir -p tree/base/include/backstory tree/store/include/backstory tree/cli tree/migrate
    cp "$SOURCE_DIR/.clang-format" tree/
    cat >tree/base/include/backstory/low.h <<'EOF'
#ifndef LOW_H
#define LOW_H
int bst_low(void);
#endif
EOF
    cat >tree/store/include/backstory/high.h <<'EOF'
#ifndef HIGH_H
#define HIGH_H
#include "backstory/low.h"
#endif
EOF
    echo '#include "backstory/low.h"' >tree/base/low.c
    cat >tree/store/pg.c <<'EOF'
#include <libpq-fe.h>

#include "backstory/high.h"

/* Here PQexec() is at home; strcpy() is only spoken of. */
const char *bst_text = "sprintf(PQexec(";
int bst_high(PGconn *conn);
int bst_high(PGconn *conn) {
    return PQstatus(conn) == CONNECTION_OK;
}
EOF
}

# expect TOOL PATTERN: the tool refuses the tree and says PATTERN.
expect() {
    if "$tools/$1" tree >out 2>&1; then
        fail "$1 did not see: $2"
    elif ! grep -q -e "$2" out; then
        fail "$1 said something else than: $2"
        cat out >&2
    fi
}

plant
for tool in layers headers calls format size; do
    "$tools/check-$tool.sh" tree >out 2>&1 || { fail "check-$tool.sh refuses a good tree"; cat out >&2; }
done

echo '#include "backstory/high.h"' >>tree/base/low.c
expect check-layers.sh 'base/low.c:2: base may not include "backstory/high.h"'
plant
echo '#include <libpq-fe.h>' >tree/migrate/run.c
expect check-layers.sh 'migrate/run.c:1: <libpq-fe.h> belongs to store'
plant
mkdir -p tree/migrate/infer tree/migrate/mapping
touch tree/migrate/mapping/mapping_private.h
echo '#include "mapping/mapping_private.h"' >tree/migrate/infer/infer.c
expect check-layers.sh 'migrate/infer/infer.c:1: migrate/infer may not include "mapping/mapping_private.h"'
plant
echo '#include "../store/pg_private.h"' >tree/cli/main.c
expect check-layers.sh 'cli/main.c:1: "../store/pg_private.h" '
plant
echo 'unknown_type bst_oops(void);' >>tree/base/include/backstory/low.h
expect check-headers.sh unknown_type
plant
echo 'int class(void);' >>tree/base/include/backstory/low.h
expect check-headers.sh class
plant
printf 'void f(char *a, char *b);\nvoid f(char *a, char *b) {\n    /* two\n       lines */ strcpy(a, b);\n}\n' >tree/base/copy.c
expect check-calls.sh 'base/copy.c:4: .*strcpy(a, b)'
plant
printf 'int x = PQntuples(r);\n' >tree/migrate/source_pg.c
expect check-calls.sh 'migrate/source_pg.c:1: .*PQntuples'
plant
printf 'void f(void) {\n    printf("%%s", key);\n    cli_printf("%%s", key);\n}\n' >tree/cli/keys.c
expect check-calls.sh 'cli/keys.c:2: .*printf'
plant
printf 'int   x;\n' >tree/base/low.c
if command -v clang-format >/dev/null; then
    expect check-format.sh 'base/low.c:1:'
fi
plant
printf '// no\n' >tree/base/low.c
expect check-format.sh 'base/low.c:1: a // comment'
plant
{
    printf 'int f(int x) {\n'
    i=0
    while [ "$i" -lt 69 ]; do
        echo '    x++;'
        i=$((i + 1))
    done
    echo '}'
} >>tree/base/low.c
expect check-size.sh 'base/low.c:2: 71 lines in a function'

# The same for what the objects say.
printf '#include <stdio.h>\nvoid f(void);\nvoid f(void) { fprintf(stderr, "x"); }\n' >bad.c
printf 'int g(int x);\nint g(int x) { return x; }\n' >good.c
${CC:-cc} -c bad.c good.c
ar rc good.a good.o
ar rc bad.a good.o bad.o
"$tools/check-symbols.sh" good.a || fail "check-symbols.sh refuses a good library"
if "$tools/check-symbols.sh" good.a bad.a >out 2>&1; then
    fail "check-symbols.sh did not see stderr"
fi
grep -q 'bad.o.*stderr' out || fail "check-symbols.sh did not name bad.o"

# Two files that need each other, and a third one that only one of them needs.
printf 'int g(int x);\nint h(int x);\nint f(int x);\nint f(int x) { return x ? g(x - 1) : h(x); }\n' >one.c
printf 'int f(int x);\nint g(int x);\nint g(int x) { return x ? f(x - 1) : 1; }\n' >two.c
printf 'int h(int x);\nint h(int x) { return x; }\n' >three.c
${CC:-cc} -c one.c two.c three.c
mkdir elsewhere
cp three.o elsewhere/
"$tools/check-circles.sh" one.o elsewhere/three.o || fail "check-circles.sh refuses straight rooms"
cp two.o elsewhere/
if "$tools/check-circles.sh" one.o elsewhere/two.o >out 2>&1; then
    fail "check-circles.sh did not see two rooms that need each other"
fi
grep -q 'elsewhere' out || fail "check-circles.sh did not name the rooms"
if "$tools/check-circles.sh" one.o two.o three.o >out 2>&1; then
    fail "check-circles.sh did not see the circle"
fi
if ! grep -q 'one.o' out || ! grep -q 'two.o' out || grep -q 'three.o' out; then
    fail "check-circles.sh did not name the circle's files"
fi

# A function that no other file uses, unless a public header, a test or a file that is not built does.
plant
cp one.c three.c tree/base/
"$tools/check-static.sh" tree one.o two.o three.o || fail "check-static.sh refuses what others use"
if "$tools/check-static.sh" tree one.o three.o >out 2>&1; then
    fail "check-static.sh did not see a function that no other file uses"
fi
grep -q '^base/one.c: .* uses f:' out || fail "check-static.sh did not name base/one.c"
if grep -q ' h:' out; then fail "check-static.sh complains of a function that is used"; fi
echo 'int f(int x);' >>tree/base/include/backstory/low.h
"$tools/check-static.sh" tree one.o three.o || fail "check-static.sh complains of a public function"

# And the runner of golden tests, for each of the three things it compares.
golden() {
    rm -rf golden
    mkdir golden
    # shellcheck disable=SC2016 # for the command's own shell
    echo 'echo "$SAMPLES"; echo talk >&2; exit 3' >golden/cmd
    echo ../samples >golden/stdout
    echo talk >golden/stderr
    echo 3 >golden/status
}
golden
"$SOURCE_DIR/tests/support/golden.sh" golden || fail "golden.sh refuses what is as expected"
for stream in stdout stderr status; do
    golden
    echo more >>"golden/$stream"
    if env BACKSTORY_UPDATE_GOLDEN=0 "$SOURCE_DIR/tests/support/golden.sh" golden >out 2>&1; then
        fail "golden.sh did not see a difference in $stream"
    fi
done

exit "$failures"
