/* Fuzz target: any bytes as a mapping file, beside a machine that is sound. A file that is refused
 * must say why; one that loads is checked, and gives a row of NULLs a history or a reason why not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backstory/mapping.h"
#include "backstory/synth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With ' for ", to be read by people. */
static const char machine[] =
    "{'id':'m','fields':{'amount':'decimal(12,2)','captured':{'type':'decimal(12,2)',"
    "'default':'0.00'},'refunded':'decimal(12,2)?','currency':'char(3)','failure_reason':'text?'},"
    "'events':{'PaymentCreated':{'fields':{'amount':'decimal(12,2)','currency':'char(3)'}},"
    "'PaymentChallenged':{},'PaymentAuthorized':{},"
    "'PaymentCaptured':{'fields':{'amount':'decimal(12,2)'},"
    "'apply':{'amount':'amount','captured':'captured + event.amount'}},"
    "'PaymentRefunded':{'fields':{'amount':'decimal(12,2)'},"
    "'apply':{'amount':'amount','refunded':'event.amount'}},"
    "'PaymentImported':{'builtin':'genesis'},'PaymentReconciled':{'builtin':'reconcile'}},"
    "'creates':[{'command':'create','event':'PaymentCreated','target':'pending'}],"
    "'initial':'pending','states':{"
    "'pending':{'on':{'challenge':{'target':'challenged','event':'PaymentChallenged'},"
    "'authorize':{'target':'authorized','event':'PaymentAuthorized'},"
    "'fail':'failed','cancel':'canceled'}},"
    "'challenged':{'on':{'authorize':{'target':'authorized','event':'PaymentAuthorized'},"
    "'expire':'expired'}},"
    "'authorized':{'on':{'capture':{'target':'captured','event':'PaymentCaptured'},"
    "'void':'voided'}},"
    "'captured':{'on':{'refund':[{'target':'refunded','event':'PaymentRefunded',"
    "'guard':{'cel':'command.amount == captured'}},{'event':'PaymentRefunded'}],"
    "'fulfil':'fulfilment'}},"
    "'fulfilment':{'type':'parallel','states':{"
    "'parcel':{'initial':'packed','states':{'packed':{'on':{'ship':'shipped'}},'shipped':{}}},"
    "'bill':{'initial':'due','states':{'due':{'on':{'settle':'settled'}},'settled':{}}}}},"
    "'refunded':{},'failed':{},'voided':{},'expired':{},'canceled':{}}}";

#define CODES_TRIED 12u

static char name[64];

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

/* The machine lies in a folder of this process, and goes with it. */
static void clean_up(void) {
    char path[96];
    snprintf(path, sizeof path, "%.*s/m.fsm.json", (int)(strrchr(name, '/') - name), name);
    unlink(path);
    *strrchr(path, '/') = '\0';
    rmdir(path);
}

static void make_machine(void) {
    char folder[] = "/tmp/bst-fuzz-XXXXXX", path[96];
    require(mkdtemp(folder) != NULL);
    snprintf(name, sizeof name, "%s/f.legacy.json", folder);
    snprintf(path, sizeof path, "%s/m.fsm.json", folder);
    FILE *file = fopen(path, "w");
    require(file != NULL);
    for (const char *c = machine; *c; c++) {
        fputc(*c == '\'' ? '"' : *c, file);
    }
    require(fclose(file) == 0);
    atexit(clean_up);
}

static void try_row(const bst_mapping *mapping, bst_diags *diags) {
    bst_synth *synth = NULL;
    bst_cell *cells = calloc(mapping->source.column_count + 1, sizeof *cells);
    const bst_row row = {.key = "1", .key_len = 1, .in_scope = true, .number = 1, .cells = cells};
    bst_fate fate;
    bst_history history;
    const bst_refusal *refusal = NULL;
    require(cells != NULL && bst_synth_new(mapping, &synth, diags) == BST_OK);
    for (uint32_t i = 0; i < CODES_TRIED; i++) {
        /* at first all are NULL */
        for (uint32_t c = 0; i > 0 && c < mapping->state_column_count; c++) {
            const bst_state_column *column = &mapping->state_columns[c];
            const char *code = column->codes[i % column->code_count].text;
            cells[column->column].value =
                (bst_value){.present = true, .len = (uint32_t)strlen(code), .u.text = code};
        }
        const bst_status status = bst_synth_row(synth, &row, &fate, &history, &refusal, diags);
        require(status == BST_OK || bst_diags_count(diags) > 0);
        require(status != BST_OK || fate != BST_QUARANTINED || refusal->message.len > 0);
    }
    bst_synth_free(synth);
    free(cells);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bst_mapping *mapping = NULL;
    bst_diags *diags = bst_diags_new();
    if (!name[0]) {
        make_machine();
    }
    require(diags != NULL);
    const bst_status status = bst_mapping_parse(name, (const char *)data, size, &mapping, diags);
    if (status != BST_OK) {
        require(bst_diags_count_of(diags, BST_ERROR) > 0);
    } else {
        require(bst_mapping_check(mapping, diags) == BST_OK);
        try_row(mapping, diags);
    }
    bst_mapping_free(mapping);
    bst_diags_free(diags);
    return 0;
}
