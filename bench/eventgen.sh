#!/bin/sh
# Generated C against what one would use or write instead, side by side: a step through the table, with guards, in batches,
# as JSON, and what a large machine costs the compiler.
set -eu
# shellcheck source=/dev/null
. "$SOURCE_DIR/bench/support/figure.sh"
here=$SOURCE_DIR/bench/support/eventgen
dir=$(mktemp -d "${TMPDIR:-/tmp}/bst-eventgen.XXXXXX")
trap 'rm -rf "$dir"' EXIT
cd "$dir"
CC=${CC:-cc}

build() { # PROGRAM FLAGS SOURCE...
    program=$1 flags=$2
    shift 2
    # shellcheck disable=SC2086 # a list
    $CC $flags -I. -I"$here" -I"$here/.." "$@" -o "$program" $libs
}
libs=

"$BACKSTORY" compile "$here/payment.fsm.json" -o . --emit c --quiet
"$BACKSTORY" compile "$here/guarded.fsm.json" -o . --emit c --quiet

# One stream.
build make_rl -O2 "$here/ragel.c" payment.c
for style in G2 T0; do
    name=ragel_$(echo "$style" | tr GT gt)
    ./make_rl | sed "s/RUN(/$name(/" >"$name.rl"
    ragel -L "-$style" -o "$name.c" "$name.rl"
done
build steps -O2 "$here/steps.c" "$here/hand.c" "$here/generated.c" payment.c ragel_g2.c ragel_t0.c
./steps

# Guards on.
build guards -O2 "$here/guards.c" "$here/hand_guards.c" guarded.c
./guards

# Many entities, as compilers are told by default and as one would for speed.
build batch -O2 "$here/batch.c" payment.c
./batch O2
build batch '-O3 -march=native' "$here/batch.c" payment.c
./batch native

# Events as JSON.
mkdir sample
"$BACKSTORY" compile "$SAMPLES/payment/payment.fsm.json" -o sample --emit c,c-json --quiet
libs=-ljansson
build codec '-O2 -Isample' "$here/codec.c" sample/payment.c sample/payment_json.c
libs=
./codec

# A machine of 10,000 states against its bare table.
python3 - >order.fsm.json <<'END'
import random
random.seed(5)
print('{ "id": "order", "initial": "s0", "states": {')
for state in range(10000):
    ways = ", ".join(f'"c{c}": "s{random.randrange(10000)}"' for c in random.sample(range(20), 4))
    print(f'  "s{state}": {{ "on": {{ {ways} }} }},')
print('  "done": { "type": "final" } } }')
END
"$BACKSTORY" compile order.fsm.json -o . --emit c --quiet 2>warnings || { cat warnings >&2; exit 70; }
{
    echo '#include "order.h"'
    sed -n '/^const uint.*order_transitions\[/,/^};/p' order.c
} | sed 's/order_transitions/bare/; s/^const uint[0-9]*_t/extern const uint16_t bare[ORDER_COMMAND_COUNT][ORDER_STATE_COUNT];\
const uint16_t/' >bare.c
median_of() { # COMMAND...: user seconds, the median of 9
    for _ in 1 2 3 4 5 6 7 8 9; do
        python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime)' "$@"
    done | sort -n | sed -n 5p
}
figure eventgen.large_compile "$(median_of "$CC" -O2 -c order.c -o order.o)" s \
    "the bare table" "$(median_of "$CC" -O2 -c bare.c -o bare.o)" '<=1.5'
figure eventgen.large_object "$(size order.o | awk 'NR == 2 { print $4 }')" B \
    "the bare table" "$(size bare.o | awk 'NR == 2 { print $4 }')" '<=1.5'
