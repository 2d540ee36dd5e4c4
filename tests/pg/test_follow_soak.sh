#!/bin/sh
# The short form of the soak; bench/long/soak.sh has the long one.
set -eu
"$SOURCE_DIR/tests/support/soak.sh" 4 8 3
