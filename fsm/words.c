/* English for names. A name is cut into lower-case words; a command is read as `verb object
 * tail`, an event written as `object participle tail`. The rules stand in words.h, the words
 * themselves in words_lists.c. It knows enough English to name things, not enough to understand
 * them: who does not like a name writes "event" beside the command.
 */
#include "backstory/words.h"

#include <ctype.h>
#include <string.h>

#include "words_private.h"

#define WORDS_MAX 32  /* of one name; what follows stays in the last one */
#define WORD_MAX  128 /* bytes of a word; BST_NAME_MAX is less */

typedef struct words {
    size_t count;
    bool failed; /* out of memory: what is in it is not the name */
    char word[WORDS_MAX][WORD_MAX];
} words;

/* Words. */

/* Whether a new word starts at text[i]: after a separator, at aB, and at the last capital of
 * ABc. */
static bool starts_word(const char *text, size_t i) {
    const unsigned char before = (unsigned char)text[i - 1];
    const unsigned char here = (unsigned char)text[i];
    if (!isupper(here)) {
        return false;
    }
    return !isupper(before) || islower((unsigned char)text[i + 1]);
}

static bool is_separator(char c) {
    return (unsigned char)c < 128 && !isalnum((unsigned char)c);
}

static void split(const char *text, words *out) {
    size_t len = 0;
    out->count = 0;
    for (size_t i = 0; text[i]; i++) {
        const bool room = out->count < WORDS_MAX;
        if (len && room && (is_separator(text[i]) || starts_word(text, i))) {
            out->word[out->count++][len] = '\0';
            len = 0;
        }
        if (!is_separator(text[i]) && out->count < WORDS_MAX && len < WORD_MAX - 1) {
            out->word[out->count][len++] = (char)tolower((unsigned char)text[i]);
        }
    }
    if (len && out->count < WORDS_MAX) {
        out->word[out->count++][len] = '\0';
    }
}

/* Of any length: the name of a configuration has the words of many names. */
void bst_snake_case(const char *name, bst_strbuf *out) {
    bool open = false; /* in a word */
    bool first = true;
    for (size_t i = 0; name[i]; i++) {
        if (is_separator(name[i])) {
            open = false;
            continue;
        }
        if (!first && (!open || starts_word(name, i))) {
            bst_strbuf_addc(out, '_');
        }
        bst_strbuf_addc(out, (char)tolower((unsigned char)name[i]));
        open = true;
        first = false;
    }
}

static void add_camel(const char *word, bst_strbuf *out) {
    for (bool capital = true; *word; word++) {
        if (*word == '_') {
            capital = true; /* "logged_in", from the list of nouns */
            continue;
        }
        bst_strbuf_addc(out, capital ? (char)toupper((unsigned char)*word) : *word);
        capital = false;
    }
}

void bst_camel_case(const char *name, bst_strbuf *out) {
    words list;
    split(name, &list);
    for (size_t i = 0; i < list.count; i++) {
        add_camel(list.word[i], out);
    }
}

/* Participles. */

static bool is_vowel(const char *word, size_t i) {
    return strchr("aeiou", word[i]) && !(word[i] == 'u' && i > 0 && word[i - 1] == 'q');
}

/* ship, plan, stop: one group of vowels, it is one vowel, and one consonant follows that
 * doubles. */
static bool is_short(const char *verb, size_t len) {
    if (len < 3 || is_vowel(verb, len - 1) || !is_vowel(verb, len - 2) || is_vowel(verb, len - 3) ||
        strchr("wxyh", verb[len - 1])) {
        return false;
    }
    for (size_t i = 0; i + 2 < len; i++) {
        if (is_vowel(verb, i) || verb[i] == 'y') {
            return false;
        }
    }
    return true;
}

/* With a prefix a short verb stays short, and a stressed syllable stressed: unplug, reship,
 * resubmit. */
static bool doubles(const char *verb) {
    static const char *const kept[] = {"un", "re", "out", "over", "pre", "mis", "de"};
    if (bst__doubles(verb) || is_short(verb, strlen(verb))) {
        return true;
    }
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const size_t len = strlen(kept[i]);
        const char *rest = verb + len;
        if (strncmp(verb, kept[i], len) == 0 && strlen(rest) > 3 &&
            (bst__doubles(rest) || is_short(rest, strlen(rest)))) {
            return true;
        }
    }
    return false;
}

static void add_regular(const char *verb, bst_strbuf *out) {
    const size_t len = strlen(verb);
    const char last = len ? verb[len - 1] : '\0';
    if (last == 'e') {
        bst_strbuf_adds(out, verb);
        bst_strbuf_addc(out, 'd');
    } else if (last == 'y' && len > 1 && !is_vowel(verb, len - 2)) {
        bst_strbuf_add(out, verb, len - 1);
        bst_strbuf_adds(out, "ied");
    } else {
        bst_strbuf_adds(out, verb);
        if (doubles(verb)) {
            bst_strbuf_addc(out, last);
        }
        bst_strbuf_adds(out, "ed");
    }
}

void bst_past_participle(const char *verb, bst_strbuf *out) {
    size_t prefix;
    const char *irregular = bst__irregular(verb, &prefix);
    if (irregular) {
        bst_strbuf_add(out, verb, prefix);
        bst_strbuf_adds(out, irregular);
    } else {
        add_regular(verb, out);
    }
}

/* Ends in -ed; in -eed only after verbs in -ee. */
static bool is_regular_participle(const char *word) {
    static const char *const ee[] = {"agreed", "decreed",    "disagreed",
                                     "freed",  "guaranteed", "refereed"};
    const size_t len = strlen(word);
    if (len < 3 || strcmp(word + len - 2, "ed") != 0 || bst__is_false_participle(word)) {
        return false;
    }
    for (size_t i = 0; i < sizeof ee / sizeof *ee; i++) {
        if (strcmp(word, ee[i]) == 0) {
            return true;
        }
    }
    return word[len - 3] != 'e';
}

static bool is_past(const char *word) {
    return is_regular_participle(word) || bst__is_irregular_participle(word);
}

/* Past tense and not at the same time a verb one could command. */
static bool is_plainly_past(const char *word) {
    return is_regular_participle(word) || bst__is_plain_participle(word);
}

bool bst_is_past_tense(const char *event_name) {
    words list;
    split(event_name, &list);
    for (size_t i = 0; i < list.count; i++) {
        if (is_past(list.word[i])) {
            return true;
        }
    }
    return false;
}

/* Event names. */

static void add_word(words *out, const char *word) {
    if (out->count < WORDS_MAX) {
        memcpy(out->word[out->count++], word, strlen(word) + 1);
    }
}

static void add_range(words *out, const words *from, size_t begin, size_t end) {
    for (size_t i = begin; i < end; i++) {
        add_word(out, from->word[i]);
    }
}

static void add_participle(words *out, const char *verb) {
    const char *special = bst__noun_participle(verb);
    bst_strbuf text = BST_STRBUF_INIT;
    if (special) {
        bst_strbuf_adds(&text, special);
    } else if (is_plainly_past(verb)) {
        bst_strbuf_adds(&text, verb);
    } else {
        bst_past_participle(verb, &text);
    }
    out->failed = out->failed || text.failed;
    add_word(out, text.len >= WORD_MAX ? verb : text.text);
    bst_strbuf_release(&text);
}

/* awaiting, processing; not bring or ping: a vowel stands before -ing. */
static bool is_gerund(const char *word) {
    const size_t len = strlen(word);
    if (len < 5 || strcmp(word + len - 3, "ing") != 0) {
        return false;
    }
    for (size_t i = 0; i + 3 < len; i++) {
        if (is_vowel(word, i)) {
            return true;
        }
    }
    return false;
}

static bool has_digit(const char *word) {
    return strpbrk(word, "0123456789") != NULL;
}

/* Whether the words from `verb` on are no command, but say already what is the case:
 * payment_failed, in_transit, awaiting_vendor. */
static bool is_said(const words *c, size_t verb) {
    const bool alone = c->count - verb == 1;
    const char *first = c->word[verb];
    const bool ends_past = !alone && is_plainly_past(c->word[c->count - 1]) &&
                           !bst__is_particle(c->word[c->count - 2]); /* mark_as_paid */
    return ends_past || bst__is_particle(first) || is_gerund(first);
}

/* mark_ready, set_order_active, flag_paid: the result stays behind the verb. */
static bool has_result(const words *c, size_t verb) {
    const char *first = c->word[verb];
    const char *last = c->word[c->count - 1];
    return c->count - verb > 1 && bst__is_resultative(first) &&
           !bst__is_particle(c->word[c->count - 2]) &&
           (bst__is_adjective(last) || is_plainly_past(last) ||
            (strcmp(first, "mark") == 0 && c->count - verb == 2));
}

/* The end of `verb`, `verb and verb`, `verb off`: the particle belongs to the verb when it can
 * (`write_off_debt`), and opens a phrase otherwise (`put_on_hold`). */
static size_t verb_end(const words *c, size_t verb) {
    size_t end = verb + 1;
    while (end + 1 < c->count &&
           (strcmp(c->word[end], "and") == 0 || strcmp(c->word[end], "or") == 0)) {
        end += 2;
    }
    return end < c->count && bst__is_adverb_particle(c->word[end]) ? end + 1 : end;
}

static void add_verbs(words *out, const words *c, size_t verb, size_t end) {
    add_participle(out, c->word[verb]);
    for (size_t i = verb + 1; i < end; i++) {
        const bool joins = bst__is_particle(c->word[i]) || strcmp(c->word[i], "and") == 0 ||
                           strcmp(c->word[i], "or") == 0;
        if (joins) {
            add_word(out, c->word[i]);
        } else {
            add_participle(out, c->word[i]);
        }
    }
}

/* What happened, without the machine's name. */
static void name_fact(const words *c, words *out) {
    const size_t count = c->count;
    size_t verb = 0;
    while (verb + 1 < count && has_digit(c->word[verb])) {
        verb++; /* T02_check_receipt: a number is no verb */
    }
    add_range(out, c, 0, verb);
    if (is_said(c, verb) && !has_result(c, verb)) {
        add_range(out, c, verb, count);
        return;
    }
    if (verb + 1 == count && bst__is_adjective(c->word[verb]) && !bst__is_verb_too(c->word[verb])) {
        add_word(out, "became"); /* overdue */
        add_word(out, c->word[verb]);
        return;
    }
    if (has_result(c, verb)) {
        add_range(out, c, verb + 1, count - 1);
        add_participle(out, c->word[verb]);
        add_word(out, c->word[count - 1]);
        return;
    }
    const size_t object = verb_end(c, verb);
    size_t tail = object;
    while (tail < count && !bst__is_particle(c->word[tail])) {
        tail++;
    }
    add_range(out, c, object, tail);
    add_verbs(out, c, verb, object);
    add_range(out, c, tail, count);
}

/* How many words at the end of the machine's name the fact begins with: of `order`,
 * `order_approved` is OrderApproved. */
static size_t overlap(const words *id, const words *fact) {
    for (size_t len = id->count; len > 0; len--) {
        size_t same = 0;
        while (same < len && same < fact->count &&
               strcmp(id->word[id->count - len + same], fact->word[same]) == 0) {
            same++;
        }
        if (same == len) {
            return len;
        }
    }
    return 0;
}

void bst_event_name(const char *machine_id, const char *command, bst_strbuf *out) {
    words id;
    words c;
    words fact;
    split(machine_id, &id);
    split(command, &c);
    fact.count = 0;
    fact.failed = false;
    if (c.count) {
        name_fact(&c, &fact);
    }
    out->failed = out->failed || fact.failed;
    for (size_t i = 0; i < id.count; i++) {
        add_camel(id.word[i], out);
    }
    for (size_t i = overlap(&id, &fact); i < fact.count; i++) {
        add_camel(fact.word[i], out);
    }
}

/* Implementation words. */

static bool is_one_of(const char *word, const char *const *list) {
    for (; *list; list++) {
        if (strcmp(word, *list) == 0) {
            return true;
        }
    }
    return false;
}

bool bst_leaks_implementation(const char *event_name) {
    static const char *const always[] = {"crud", "database", "db",    "dto",      "inserted",
                                         "orm",  "sql",      "tuple", "upserted", NULL};
    static const char *const things[] = {"column", "columns", "field", "fields", "flag",
                                         "row",    "rows",    "state", "status", "table",
                                         "tables", "value",   NULL};
    static const char *const changes[] = {"altered", "changed", "deleted", "edited",  "modified",
                                          "saved",   "touched", "updated", "written", NULL};
    words list;
    split(event_name, &list);
    for (size_t i = 0; i < list.count; i++) {
        if (is_one_of(list.word[i], always)) {
            return true;
        }
        if (i + 1 < list.count && is_one_of(list.word[i], things) &&
            is_one_of(list.word[i + 1], changes)) {
            return true;
        }
    }
    return list.count == 2 && strcmp(list.word[0], "record") == 0 &&
           is_one_of(list.word[1], changes);
}
