/* The file of rows that have no history: one JSON object a line, in the order in which the rows
 * were read.
 *
 *     {"key","code","reason","repair","evidence":{column: text},"row":{column: text},"line"}
 */
#ifndef BACKSTORY_QUARANTINE_PRIVATE_H
#define BACKSTORY_QUARANTINE_PRIVATE_H

#include "backstory/synth.h"

typedef struct bst__quarantine bst__quarantine;

/* The file itself is made with the first row, beside its final
 * place, readable by its owner only: rows of a bank stand in it. */
bst_status bst__quarantine_new(const char *path, bst__quarantine **ret,
                               bst_diags *diags) BST_MUST_USE;
/* One line, without its line feed. */
bst_status bst__quarantine_add(bst__quarantine *quarantine, const char *line, size_t len,
                               bst_diags *diags) BST_MUST_USE;
/* Puts the file in its place; without a row, an old file there is removed. */
bst_status bst__quarantine_finish(bst__quarantine *quarantine, bst_diags *diags) BST_MUST_USE;
/* Without finish nothing remains. */
bst__quarantine *bst__quarantine_free(bst__quarantine *quarantine);

/* What the line says of a row, up to the row itself; and the rest, for which `number` is the row's,
 * 0: not to be told. Texts are appended. */
void bst__quarantine_begin(const bst_mapping *mapping, const bst_row *row,
                           const bst_refusal *refusal, bst_strbuf *out);
void bst__quarantine_end(const char *original, uint64_t number, bst_strbuf *out);

/* The keys of such a file, to look up. An absent file has none. */
typedef struct bst__key_set bst__key_set;
bst_status bst__key_set_read(const char *path, bst__key_set **ret, bst_diags *diags) BST_MUST_USE;
/* The keys of the rows that a store in PostgreSQL has put aside: those that have no history yet, or
 * those with one that a follower could not go on with. `moment`: of a reader of the store, or
 * NULL. */
typedef enum bst__aside_kind { BST__ASIDE_WITHOUT_HISTORY, BST__ASIDE_BY_FOLLOWER } bst__aside_kind;
bst_status bst__key_set_of_store(const char *store, const char *machine, bst__aside_kind kind,
                                 const char *moment, bst__key_set **ret,
                                 bst_diags *diags) BST_MUST_USE;
bool bst__key_set_has(const bst__key_set *set, const char *key, size_t len);
bst__key_set *bst__key_set_free(bst__key_set *set);

#endif
