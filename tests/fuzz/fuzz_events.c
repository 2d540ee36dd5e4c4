/* Fuzz target: any bytes as a file of events. What is read is written again, and must read as the
 * same; what is not read must say why.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backstory/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char machine_text[] =
    "{\"id\":\"m\",\"events\":{\"MCreated\":{\"fields\":{\"a\":\"int8?\",\"d\":\"decimal(9,2)?\","
    "\"t\":\"text?\",\"j\":\"json?\",\"u\":\"uuid?\",\"w\":\"timestamptz?\",\"b\":\"bytea?\","
    "\"e\":\"enum(x,y)?\",\"f\":\"bool?\",\"y\":\"date?\"}}},"
    "\"initial\":\"s\",\"states\":{\"s\":{\"on\":{\"go\":{\"target\":\"t\"}}},"
    "\"t\":{\"type\":\"final\"}}}";

static bst_machine *machine;
static char folder[] = "/tmp/bst-fuzz.XXXXXX";
static char path[sizeof folder + 20];

static void clean_up(void) {
    unlink(path);
    rmdir(folder);
    bst_machine_free(machine);
}

static void start(void) {
    if (machine)
        return;
    if (bst_machine_parse("m", machine_text, sizeof machine_text - 1, &machine, NULL) != BST_OK ||
        !mkdtemp(folder))
        abort();
    snprintf(path, sizeof path, "%s/events.jsonl", folder);
    atexit(clean_up);
}

static void write_file(const void *bytes, size_t len) {
    FILE *const file = fopen(path, "w");
    if (!file || fwrite(bytes, 1, len, file) != len || fclose(file) != 0)
        abort();
}

/* False when the file is refused. */
static bool read_file(const char *key, bst_strbuf *lines) {
    bst_diags *const diags = bst_diags_new();
    const bst_stored_event *event = NULL;
    bst_reader *reader = NULL;
    bst_status status = bst_reader_open(path, machine, key, &reader, diags);
    do {
        if (status == BST_OK)
            status = bst_reader_next(reader, &event, diags);
        if (status == BST_OK && event)
            bst_event_line(machine, event, lines);
    } while (status == BST_OK && event);
    if ((status == BST_OK) != (bst_diags_count(diags) == 0))
        abort();
    bst_reader_free(reader);
    bst_diags_free(diags);
    return status == BST_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bst_strbuf first = BST_STRBUF_INIT, second = BST_STRBUF_INIT, one = BST_STRBUF_INIT;
    start();
    write_file(data, size);
    read_file("k", &one);
    if (read_file(NULL, &first)) {
        write_file(first.text, first.len);
        if (!read_file(NULL, &second) || strcmp(first.text, second.text) != 0)
            abort();
    }
    bst_strbuf_release(&first);
    bst_strbuf_release(&second);
    bst_strbuf_release(&one);
    return 0;
}
