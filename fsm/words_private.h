/* The word lists of words.c. */
#ifndef BACKSTORY_FSM_WORDS_PRIVATE_H
#define BACKSTORY_FSM_WORDS_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bst__verb {
    const char *base;
    const char *participle;
} bst__verb;

/* The participle of an irregular verb, with or without a prefix (`repay`, `withhold`); writes
 * the length of the prefix. NULL: the verb is regular. */
const char *bst__irregular(const char *verb, size_t *ret_prefix);
/* Whether the word is a participle of an irregular verb (paid, sent, put), with or without a
 * prefix. */
bool bst__is_irregular_participle(const char *word);
/* ... and nothing else: `paid` is, `put` (to put) and `found` (to found) may be meant as
 * commands. */
bool bst__is_plain_participle(const char *word);
/* What a word that is no verb at all gives when it is used as a command: success -> succeeded.
 * NULL: nothing special. Phrasal verbs written as one word have two: login -> logged_in. */
const char *bst__noun_participle(const char *word);
bool bst__doubles(const char *verb);             /* refer, submit: stress on the last syllable */
bool bst__is_false_participle(const char *word); /* need, hundred: end in -ed, but are not */
bool bst__is_particle(const char *word);         /* as, in, to, for ... */
bool bst__is_adverb_particle(const char *word);  /* off, up, back: `write_off_debt` */
bool bst__is_resultative(const char *word);      /* mark, set: `mark_ready` */
bool bst__is_adjective(const char *word); /* ready, active: what something may be marked as */

bool bst__is_verb_too(const char *adjective); /* open, complete */

#endif
