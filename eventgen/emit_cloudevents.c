/* Examples of the events of a machine as CloudEvents 1.0, one of each type and version: a batch in
 * JSON (application/cloudevents-batch+json). What is stored beside the payload goes into extension
 * attributes, whose names have lower-case letters and digits only.
 */
#include "emit_schema_private.h"

bst_status bst__emit_cloudevents(const bst_machine *machine, const bst_emit_options *options,
                                 bst_emit_files *files, bst_diags *diags) {
    (void)options;
    bst__schema s;
    json_t *batch = json_array();
    bst__schema_init(&s, machine, "");
    for (uint32_t i = 0; !s.failed && i < s.payload_count; i++) {
        bst__schema_add(&s, batch, bst__example_cloudevent(&s, &s.payloads[i]));
    }
    return bst__schema_finish(&s, batch, &files->file[0].text, diags);
}
