/* Fuzz target: any bytes as a machine of another tool. What is imported is JSON, and the reader of
 * machine files takes it or says why not; what is not imported must say why.
 */
#include <stdint.h>
#include <stdlib.h>

#include "backstory/import.h"
#include "backstory/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth) {
    if (!truth) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bst_diags *diags = bst_diags_new();
    bst_strbuf out = BST_STRBUF_INIT;
    const bst_status status =
        bst_import("m", (const char *)data, size, BST_IMPORT_ANY, &out, diags);
    require((bst_diags_count_of(diags, BST_ERROR) > 0) == (status != BST_OK));
    if (status == BST_OK) {
        bst_machine *machine = NULL;
        json_t *json = json_loadb(out.text, out.len, JSON_REJECT_DUPLICATES, NULL);
        require(json != NULL);
        json_decref(json);
        bst_diags_clear(diags);
        const bst_status loaded = bst_machine_parse("m", out.text, out.len, &machine, diags);
        require(loaded == BST_OK || bst_diags_count_of(diags, BST_ERROR) > 0);
        bst_machine_free(machine);
    }
    bst_strbuf_release(&out);
    bst_diags_free(diags);
    return 0;
}
