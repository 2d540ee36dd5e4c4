/* Time zones, for reading local time.
 *
 * A zone is a list of spans of time with one offset each: those that the zone file lists (RFC 8536,
 * the 64-bit part), and after the last of them those that the file's footer, a POSIX TZ rule, gives
 * for ever. A local time belongs to a span if it lies within it once the span's offset is taken
 * off. So the spans around are asked in turn: none is a gap, two are an overlap, and no table of
 * local times is needed.
 *
 * Counts are seconds since 2000-01-01 UTC; offsets are seconds east. Zones that count leap seconds
 * are refused, as in PostgreSQL. The POSIX rule is read in zone_rule.c.
 */
#include "backstory/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timestamp_private.h"
#include "zone_private.h"

#ifndef BST_ZONEINFO
#define BST_ZONEINFO "/usr/share/zoneinfo"
#endif

#define NAME_BYTES_MAX 255
#define FILE_BYTES_MAX 65536 /* the largest of 2025 has 4 KB */
#define HEADER_BYTES   44
#define TYPE_BYTES     6
#define OFFSET_MAX     (26 * 3600) /* RFC 8536 allows no more */
#define UNIX_EPOCH     (BST__UNIX_EPOCH_DAYS * (int64_t)BST__DAY_SECONDS)
#define FOREVER        INT64_MAX
#define SINCE_EVER     INT64_MIN

typedef struct change {
    int64_t at; /* from here on */
    int32_t offset;
} change;

struct bst_zone {
    int32_t first_offset; /* before the first change */
    int32_t least, most;  /* of all offsets, footer included */
    bool has_rule;
    bst__zone_rule rule;
    size_t count;
    change changes[];
};

/* A span of time, [start, end), with one offset. */
typedef struct span {
    int64_t start, end;
    int32_t offset;
} span;

/* One part of a zone file: its counts, and where its data starts. */
typedef struct part {
    size_t times, types, chars, leaps, isstd, isut;
    size_t time_bytes; /* 4 or 8 */
    const uint8_t *data;
    size_t bytes;
} part;

static uint32_t read_u32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_i64(const uint8_t *at) {
    return (int64_t)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

/* Reads the header at `at`. False when the file is no zone file of version 2 or later, or is
 * cut. */
static bool read_part(const uint8_t *at, const uint8_t *end, size_t time_bytes, part *ret) {
    if (end - at < HEADER_BYTES || memcmp(at, "TZif", 4) != 0 || at[4] < '2')
        return false;
    uint32_t counts[6];
    for (size_t i = 0; i < 6; i++) {
        counts[i] = read_u32(at + 20 + 4 * i);
        if (counts[i] > FILE_BYTES_MAX)
            return false;
    }
    part found = {.isut = counts[0],
                  .isstd = counts[1],
                  .leaps = counts[2],
                  .times = counts[3],
                  .types = counts[4],
                  .chars = counts[5],
                  .time_bytes = time_bytes,
                  .data = at + HEADER_BYTES};
    found.bytes = found.times * (time_bytes + 1) + found.types * TYPE_BYTES + found.chars +
                  found.leaps * (time_bytes + 4) + found.isstd + found.isut;
    if (found.bytes > (size_t)(end - found.data))
        return false;
    *ret = found;
    return true;
}

static bool note_offset(bst_zone *zone, int32_t offset) {
    if (offset < -OFFSET_MAX || offset > OFFSET_MAX)
        return false;
    zone->least = offset < zone->least ? offset : zone->least;
    zone->most = offset > zone->most ? offset : zone->most;
    return true;
}

static int32_t offset_of_type(const part *from, size_t type) {
    const uint8_t *const types = from->data + from->times * (from->time_bytes + 1);
    return (int32_t)read_u32(types + TYPE_BYTES * type);
}

/* Times far before any clock ("the Big Bang" in old files) are drawn in, so that sums of them
 * cannot overflow. */
static int64_t from_unix(int64_t time) {
    const int64_t bound = INT64_C(1) << 59;
    if (time < -bound)
        return -bound;
    return time > bound ? bound : time - UNIX_EPOCH;
}

static bool fill_changes(bst_zone *zone, const part *from) {
    const uint8_t *const types = from->data + from->times * from->time_bytes;
    zone->first_offset = offset_of_type(from, 0);
    zone->least = zone->most = zone->first_offset;
    if (!note_offset(zone, zone->first_offset))
        return false;
    for (size_t i = 0; i < from->times; i++) {
        if (types[i] >= from->types)
            return false;
        change *const added = &zone->changes[i];
        *added = (change){from_unix(read_i64(from->data + 8 * i)), offset_of_type(from, types[i])};
        if (!note_offset(zone, added->offset) || (i > 0 && added->at <= added[-1].at))
            return false;
    }
    zone->count = from->times;
    return true;
}

/* The footer: the rule between two line feeds. An empty one says that nothing is known, and the
 * last offset stays. */
static bool read_footer(bst_zone *zone, const uint8_t *at, const uint8_t *end) {
    const char *const start = (const char *)at + 1;
    if (at >= end || *at != '\n')
        return false;
    const char *const feed = memchr(start, '\n', (size_t)(end - at - 1));
    if (!feed)
        return false;
    zone->has_rule = feed > start;
    return !zone->has_rule ||
           (bst__zone_rule_parse(start, feed, &zone->rule) &&
            note_offset(zone, zone->rule.standard) && note_offset(zone, zone->rule.daylight));
}

const bst_zone *bst__zone_parse(const uint8_t *bytes, size_t len) {
    const uint8_t *const end = bytes + len;
    part old, from;
    if (!read_part(bytes, end, 4, &old) || !read_part(old.data + old.bytes, end, 8, &from) ||
        from.types == 0 || from.leaps > 0)
        return NULL;
    bst_zone *zone = calloc(1, sizeof *zone + from.times * sizeof zone->changes[0]);
    if (zone && !(fill_changes(zone, &from) && read_footer(zone, from.data + from.bytes, end))) {
        free(zone);
        zone = NULL;
    }
    return zone;
}

/* Names that cannot leave the folder of zones. */
static bool is_zone_name(const char *name) {
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    const size_t len = strlen(name);
    return len > 0 && len <= NAME_BYTES_MAX && name[0] != '/' && strspn(name, allowed) == len;
}

static const bst_zone *read_zone(const char *name) {
    char path[sizeof BST_ZONEINFO + 1 + NAME_BYTES_MAX];
    uint8_t *const bytes = malloc(FILE_BYTES_MAX);
    const bst_zone *zone = NULL;
    snprintf(path, sizeof path, "%s/%s", BST_ZONEINFO, name);
    FILE *const file = bytes ? fopen(path, "rb") : NULL;
    if (file) {
        const size_t len = fread(bytes, 1, FILE_BYTES_MAX, file);
        if (!ferror(file) && len < FILE_BYTES_MAX)
            zone = bst__zone_parse(bytes, len);
        fclose(file);
    }
    free(bytes);
    return zone;
}

const bst_zone *bst_zone_new(const char *name) {
    int offset = 0;
    bst__cursor in = {name, name + strlen(name)};
    const bool fixed = bst__cursor_offset(&in, &offset) == BST_TIME_OK && in.at == in.end;
    if (fixed || strcmp(name, "UTC") == 0) {
        bst_zone *const zone = calloc(1, sizeof *zone);
        if (zone)
            zone->first_offset = zone->least = zone->most = offset;
        return zone;
    }
    return is_zone_name(name) ? read_zone(name) : NULL;
}

const bst_zone *bst_zone_free(const bst_zone *zone) {
    free((void *)(uintptr_t)zone);
    return NULL;
}

/* How many changes there are up to `time`. */
static size_t changes_until(const bst_zone *zone, int64_t time) {
    size_t low = 0, high = zone->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (zone->changes[middle].at <= time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The span after all listed changes that holds `time`: between two changes of the rule. */
static span span_of_rule(const bst_zone *zone, int64_t time) {
    const bst__zone_rule *const rule = &zone->rule;
    span found = {zone->count > 0 ? zone->changes[zone->count - 1].at : SINCE_EVER, FOREVER,
                  rule->standard};
    if (!rule->has_daylight)
        return found;
    const int64_t year = bst__zone_year(time);
    /* Daylight time that starts when it ended the moment before (all year round) must win: years in
     * order, and the end of one before the start of the next. */
    int64_t latest = SINCE_EVER;
    for (int64_t y = year - 1; y <= year + 1; y++) {
        const int64_t start = bst__zone_rule_start(rule, y), end = bst__zone_rule_end(rule, y);
        const change both[2] = {{start, rule->daylight}, {end, rule->standard}};
        const size_t first = start <= end ? 0 : 1;
        for (size_t i = 0; i < 2; i++) {
            const change *const next = &both[i ^ first];
            if (next->at <= time && next->at >= latest) {
                latest = next->at;
                found.offset = next->offset;
            } else if (next->at > time && next->at < found.end) {
                found.end = next->at;
            }
        }
    }
    found.start = latest > found.start ? latest : found.start;
    return found;
}

static span span_at(const bst_zone *zone, int64_t time) {
    const size_t count = changes_until(zone, time);
    if (count == zone->count && zone->has_rule)
        return span_of_rule(zone, time);
    return (span){count > 0 ? zone->changes[count - 1].at : SINCE_EVER,
                  count < zone->count ? zone->changes[count].at : FOREVER,
                  count > 0 ? zone->changes[count - 1].offset : zone->first_offset};
}

bst_time_result bst__zone_resolve(const bst_zone *zone, int64_t seconds, int64_t *ret_seconds) {
    const int64_t latest = seconds - zone->least;
    int found = 0;
    for (int64_t at = seconds - zone->most;;) {
        const span around = span_at(zone, at);
        const int64_t time = seconds - around.offset;
        if (time >= around.start && time < around.end) {
            found++;
            *ret_seconds = time;
        }
        if (around.end > latest)
            break;
        at = around.end;
    }
    if (found == 1)
        return BST_TIME_OK;
    return found == 0 ? BST_TIME_GAP : BST_TIME_OVERLAP;
}
