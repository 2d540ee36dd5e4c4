/* What people read: numbers, shares, times, tables. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "backstory/shown.h"
#include "backstory/words.h"

#include "cli.h"

cli_text cli_number(uint64_t number) {
    cli_text plain;
    cli_text out;
    size_t to = 0;

    snprintf(plain.text, sizeof plain.text, "%llu", (unsigned long long)number);
    const size_t len = strlen(plain.text);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            out.text[to++] = ',';
        out.text[to++] = plain.text[i];
    }
    out.text[to] = 0;
    return out;
}

cli_text cli_percent(uint64_t part, uint64_t whole) {
    cli_text out;
    const double share = whole == 0 ? 0 : (double)part / (double)whole * 100;

    /* What is not all must not be shown as all, nor what is something as nothing. */
    if (part != whole && share > 99.9)
        snprintf(out.text, sizeof out.text, ">99.9 %%");
    else if (part != 0 && share < 0.1)
        snprintf(out.text, sizeof out.text, "<0.1 %%");
    else
        snprintf(out.text, sizeof out.text, "%.1f %%", share);
    return out;
}

cli_text cli_confidence(double confidence, bool certain) {
    cli_text out;

    if (certain)
        snprintf(out.text, sizeof out.text, "certain");
    else if (confidence > 0.999)
        snprintf(out.text, sizeof out.text, ">0.999");
    else
        snprintf(out.text, sizeof out.text, "%.3f", confidence);
    return out;
}

cli_text cli_time(int64_t time) {
    char text[BST_TIME_TEXT_MAX];
    cli_text out;

    bst_time_format(time, text);
    snprintf(out.text, sizeof out.text, "%s", text);
    return out;
}

cli_text cli_seconds(double seconds) {
    cli_text out;

    if (seconds < 100)
        snprintf(out.text, sizeof out.text, "%.1f s", seconds);
    else if (seconds < 6000)
        snprintf(out.text, sizeof out.text, "%d min %02d s", (int)seconds / 60, (int)seconds % 60);
    else
        snprintf(out.text, sizeof out.text, "%d h %02d min", (int)(seconds / 3600),
                 (int)(seconds / 60) % 60);
    return out;
}

const char *cli_short_event(const bst_machine *machine, uint32_t event) {
    const char *name = machine->events[event].name;
    bst_strbuf prefix = BST_STRBUF_INIT;

    bst_camel_case(machine->id, &prefix);
    const bool has =
        !prefix.failed && strncmp(name, prefix.text, prefix.len) == 0 && name[prefix.len];
    const size_t skip = has ? prefix.len : 0;
    bst_strbuf_release(&prefix);
    return name + skip;
}

#define CLI_COLUMNS_MAX 16

/* A text as it is shown, and its columns. */
typedef struct cell {
    char *text; /* NULL: no memory, shown as empty */
    size_t width;
} cell;

struct cli_table {
    const char *columns;
    size_t width; /* cells a row */
    cell *cells;
    size_t count, room; /* cells */
};

cli_table *cli_table_new(const char *columns) {
    cli_table *table = calloc(1, sizeof *table);
    assert(strlen(columns) <= CLI_COLUMNS_MAX);
    if (table) {
        table->columns = columns;
        table->width = strlen(columns);
    }
    return table;
}

static cell shown_cell(const char *text) {
    bst_strbuf shown = BST_STRBUF_INIT;
    const size_t width = bst_strbuf_add_shown(&shown, text, strlen(text));

    return (cell){bst_strbuf_detach(&shown), width};
}

void cli_table_add(cli_table *table, const char *const *cells) {
    if (!table)
        return;
    if (table->count + table->width > table->room) {
        const size_t room = table->room ? table->room * 2 : 16 * table->width;
        cell *larger = realloc(table->cells, room * sizeof *larger);
        if (!larger)
            return;
        table->cells = larger;
        table->room = room;
    }
    for (size_t i = 0; i < table->width; i++)
        table->cells[table->count + i] = shown_cell(cells[i] ? cells[i] : "");
    table->count += table->width;
}

void cli_table_print(const cli_table *table, FILE *out) {
    size_t widest[CLI_COLUMNS_MAX] = {0};

    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++) {
        if (table->cells[i].width > widest[i % table->width])
            widest[i % table->width] = table->cells[i].width;
    }
    for (size_t row = 0; row < table->count; row += table->width) {
        for (size_t i = 0; i < table->width; i++) {
            const cell *c = &table->cells[row + i];
            const bool right = table->columns[i] == 'r', last = i + 1 == table->width;
            const int pad = (int)(widest[i] - c->width);
            cli_fprintf(out, "  %*s%s%*s", right ? pad : 0, "", c->text ? c->text : "",
                        right || last ? 0 : pad, "");
        }
        fputc('\n', out);
    }
}

cli_table *cli_table_free(cli_table *table) {
    if (!table)
        return NULL;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    free(table);
    return NULL;
}

char *cli_quarantine_path(const char *target, const bst_machine *machine) {
    bst_strbuf path = BST_STRBUF_INIT;
    const size_t len = strlen(target);

    if (len > 6 && strcmp(target + len - 6, ".jsonl") == 0 && !bst_is_connection_string(target))
        bst_strbuf_addf(&path, "%.*s.quarantine.jsonl", (int)(len - 6), target);
    else
        bst_strbuf_addf(&path, "%s.quarantine.jsonl", machine->id);
    return bst_strbuf_detach(&path);
}
