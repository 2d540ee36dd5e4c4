#!/bin/sh
# Every code in the sources has its line in docs/diagnostics.md, and each warning a page of its own.
set -eu
cd "$(dirname "$0")/.."

index=docs/diagnostics.md
status=0

say() {
    echo "$index: $*"
    status=1
}

# The first text in kebab-case inside a call that reports.
codes=$(cat base/*.c fsm/*.c migrate/*/*.c eventgen/*.c import/*.c store/*.c cli/*.c | tr '\n' ' ' |
    grep -oE '\b(WARN|[a-z_]*(diag|error|fail|report|mistake)[a-z_]*)\([^;"]*"[a-z]+(-[a-z]+)+"' |
    grep -oE '"[a-z-]+"$' | tr -d '"' | sort -u)
[ "$(echo "$codes" | wc -l)" -gt 80 ] || say "too few codes were found in the sources"
for code in $codes; do
    grep -q "^| \[*\`$code\`" "$index" || say "nothing about \"$code\""
done

warnings=$(sed -n 's/^ *X([A-Z_]*, "\([a-z-]*\)",.*/\1/p' base/include/backstory/warnings.h)
[ "$(echo "$warnings" | wc -l)" -gt 20 ] || say "too few warnings were found"
for warning in $warnings; do
    grep -q "^| \[\`$warning\`\](diagnostics/$warning.md)" "$index" || say "no line for the warning \"$warning\""
    grep -q "^# $warning\$" "docs/diagnostics/$warning.md" 2>/dev/null || say "no page about \"$warning\""
    for schema in machine mapping; do
        grep -q "\"$warning\"" "docs/schema/$schema.schema.json" || say "$schema.schema.json lacks \"$warning\""
    done
done
for page in docs/diagnostics/*.md; do
    echo "$warnings" | grep -qx "$(basename "$page" .md)" || say "$page is about no warning"
done
exit "$status"
