# shellcheck shell=sh
# What tests in shell share, sourced: how they say what they try and how they fail, and questions to the server.
#
#   say, fail WORDS...              under the test's own name
#   expect STATUS TEXT COMMAND...   it ends with STATUS and says TEXT; output in out.txt
#   ask ARGUMENTS...                psql, values alone
#   none WORDS SQL                  the query gives no row
#   schema_sql                      the SQL that makes a store, to be run in one transaction

test_name=$(basename "$0" .sh)
test_name=${test_name#test_}

say() {
    echo "$test_name: $*"
}
fail() {
    echo "$test_name: $*" >&2
    exit 1
}
expect() {
    want=$1
    text=$2
    shift 2
    got=0
    "$@" >out.txt 2>&1 || got=$?
    [ "$got" = "$want" ] || { cat out.txt; fail "exit status $got instead of $want: $*"; }
    grep -qF -- "$text" out.txt || { cat out.txt; fail "does not say \"$text\": $*"; }
}
ask() {
    psql -XAtq -v ON_ERROR_STOP=1 "$@"
}
schema_sql() {
    cat "$SOURCE_DIR/store/schema.sql" "$SOURCE_DIR/store/views.sql" "$SOURCE_DIR/store/append.sql" "$SOURCE_DIR/store/follow.sql" \
        "$SOURCE_DIR/store/rights.sql"
}
none() {
    ask -c "$2" >rows.txt
    [ ! -s rows.txt ] || { head rows.txt; fail "$1"; }
}
