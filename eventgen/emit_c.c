/* The C emitter: a header and a source file that need nothing but a freestanding C11 or C++17
 * compiler.
 *
 * Data and a small runtime: enums, one const table, a function for each guard and for what each
 * event does, and around them the same few lines for every machine. See docs/generated-c.md for
 * what users are told, emit_c_private.h for the parts. The text is made for review: order of the
 * machine file, no date, no path, stable under small changes.
 */
#include "emit_c_private.h"

bst_status bst__emit_c(const bst_machine *machine, const bst_emit_options *options,
                       bst_emit_files *files, bst_diags *diags) {
    bst__c c = {
        .machine = machine, .regions = bst_machine_regions(machine), .arena = bst_arena_new()};
    if (!c.arena) {
        return bst_diag_nomem(diags);
    }
    bst__c_name_all(&c, options);
    if (!c.failed) {
        bst__c_pack_table(&c);
    }
    if (!c.failed) {
        bst__c_add_header(&c, &files->file[0].text);
        bst__c_add_source(&c, &files->file[1].text);
    }
    const bool failed = c.failed;
    bst__c_names_free(&c);
    bst_arena_free(c.arena);
    return failed ? bst_diag_nomem(diags) : BST_OK;
}
