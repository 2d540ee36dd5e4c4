# Sourced by bench/*.sh: one figure, printed and added to $BENCH_JSONL.
#
#   figure NAME VALUE UNIT [AGAINST OTHER LIMIT]
#   figure fold.events_per_s 2400000 1/s "plain C loop" 3000000 '>=0.5'
#
# The ratio is VALUE / OTHER; LIMIT is what it must be, `<=x` or `>=x`.
figure() {
    awk -v name="$1" -v value="$2" -v unit="$3" -v against="${4-}" -v other="${5-}" -v limit="${6-}" -v out="$BENCH_JSONL" '
        BEGIN {
            if (against == "") {
                printf "{\"name\":\"%s\",\"value\":%s,\"unit\":\"%s\",\"against\":null,\"ratio\":null,\"limit\":null,\"holds\":true}\n", name, value, unit >> out
                printf "%-36s %14s %s\n", name, value, unit
                exit
            }
            ratio = value / other
            bound = substr(limit, 3) + 0
            holds = (substr(limit, 1, 2) == "<=" ? ratio <= bound : ratio >= bound)
            printf "{\"name\":\"%s\",\"value\":%s,\"unit\":\"%s\",\"against\":\"%s\",\"ratio\":%.4f,\"limit\":\"%s\",\"holds\":%s}\n", name, value, unit, against, ratio, limit, holds ? "true" : "false" >> out
            printf "%-36s %14s %-6s %.2f x %s (%s: %s)\n", name, value, unit, ratio, against, limit, holds ? "holds" : "DOES NOT HOLD"
        }'
}
