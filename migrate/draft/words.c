/* English for drafts: from the words of a column or a status to those of a command.
 *
 * words.h makes participles of verbs; here it goes the other way, from "captured" to "capture". A
 * verb is found by trying: what is left without -ed, with an -e, without the doubled letter; only
 * what gives the same participle again counts, and English spelling decides between "captur" and
 * "capture". States that are no participle get a command that says where they lead:
 * `put_on_hold`, `start_processing`, `move_to_pending`. All of them are suggestions: a person
 * reads the draft.
 */
#include "draft_private.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "backstory/words.h"

void bst__draft_split(const char *text, draft_words *ret) {
    size_t len = 0;

    ret->count = 0;
    for (const char *at = text; *at; at++) {
        const unsigned char c = (unsigned char)*at;
        const bool hump = at > text && isupper(c) &&
                          (islower((unsigned char)at[-1]) || isdigit((unsigned char)at[-1]));
        if ((hump || !isalnum(c)) && len > 0) {
            ret->word[ret->count++][len] = '\0';
            len = 0;
        }
        if (ret->count == DRAFT_WORDS_MAX)
            return;
        if (isalnum(c) && len + 1 < sizeof ret->word[0])
            ret->word[ret->count][len++] = (char)tolower(c);
    }
    if (len > 0)
        ret->word[ret->count++][len] = '\0';
}

char *bst__draft_identifier(draft *d, const char *text, const char *empty) {
    bst_strbuf out = BST_STRBUF_INIT;
    draft_words words;

    bst__draft_split(text, &words);
    if (words.count == 0 || isdigit((unsigned char)words.word[0][0]))
        bst_strbuf_adds(&out, empty);
    for (size_t i = 0; i < words.count && out.len < 100; i++)
        bst_strbuf_addf(&out, "%s%s", out.len > 0 ? "_" : "", words.word[i]);
    char *name = bst__draft_text(d, "%.*s", 110, out.text);
    bst_strbuf_release(&out);
    return name;
}

static bool ends(const char *word, const char *end) {
    const size_t len = strlen(word), tail = strlen(end);
    return len > tail && strcmp(word + len - tail, end) == 0;
}

char *bst__draft_singular(draft *d, const char *name) {
    const size_t len = strlen(name);

    if (ends(name, "ies") && len > 4)
        return bst__draft_text(d, "%.*sy", (int)(len - 3), name);
    if (ends(name, "sses") || ends(name, "uses") || ends(name, "xes") || ends(name, "ches") ||
        ends(name, "shes"))
        return bst__draft_text(d, "%.*s", (int)(len - 2), name);
    if (ends(name, "s") && !ends(name, "ss") && !ends(name, "us") && !ends(name, "is"))
        return bst__draft_text(d, "%.*s", (int)(len - 1), name);
    return bst__draft_text(d, "%s", name);
}

bool bst__draft_has_word(const draft_words *words, const char *const *list) {
    for (size_t i = 0; i < words->count; i++) {
        for (const char *const *item = list; *item; item++) {
            if (strcmp(words->word[i], *item) == 0)
                return true;
        }
    }
    return false;
}

/* Words whose verb no rule finds. */
typedef struct word_pair {
    const char *word, *verb;
} word_pair;

static const word_pair known[] = {
    {"active", "activate"},
    {"approval", "approve"},
    {"began", "begin"},
    {"begun", "begin"},
    {"bound", "bind"},
    {"bought", "buy"},
    {"broken", "break"},
    {"built", "build"},
    {"cancellation", "cancel"},
    {"cancelled", "cancel"},
    {"caught", "catch"},
    {"chosen", "choose"},
    {"cited", "cite"},
    {"closure", "close"},
    {"completion", "complete"},
    {"created", "create"},
    {"creation", "create"},
    {"delivery", "deliver"},
    {"done", "finish"},
    {"drawn", "draw"},
    {"excited", "excite"},
    {"expiration", "expire"},
    {"expiry", "expire"},
    {"failure", "fail"},
    {"fulfilled", "fulfill"},
    {"found", "find"},
    {"frozen", "freeze"},
    {"given", "give"},
    {"held", "hold"},
    {"hidden", "hide"},
    {"inactive", "deactivate"},
    {"invalid", "invalidate"},
    {"invited", "invite"},
    {"kept", "keep"},
    {"left", "leave"},
    {"lost", "lose"},
    {"met", "meet"},
    {"paid", "pay"},
    {"payment", "pay"},
    {"processed", "process"},
    {"routed", "route"},
    {"sent", "send"},
    {"shipment", "ship"},
    {"shut", "shut"},
    {"sold", "sell"},
    {"spent", "spend"},
    {"split", "split"},
    {"stolen", "steal"},
    {"success", "succeed"},
    {"successful", "succeed"},
    {"taken", "take"},
    {"undone", "undo"},
    {"valid", "validate"},
    {"withdrawal", "withdraw"},
    {"withdrawn", "withdraw"},
    {"won", "win"},
    {"written", "write"},
    {"submission", "submit"},
    {"activation", "activate"},
    {"authorization", "authorize"},
};

/* States that are named like the command that leads there. */
static const char *const bare[] = {
    "approve", "cancel", "capture", "close", "complete", "confirm",  "deliver",
    "expire",  "fail",   "finish",  "open",  "pay",      "refund",   "reject",
    "resume",  "return", "ship",    "skip",  "void",     "writeoff", NULL};

static const char *known_verb(const char *word) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(word, known[i].word) == 0)
            return known[i].verb;
    }
    return NULL;
}

static bool vowel(char c) {
    return c != '\0' && strchr("aeiou", c) != NULL;
}

/* Whether a verb whose participle is `stem` + "ed" is written with an -e at its end. */
static bool takes_e(const char *stem) {
    static const char *const with[] = {"v",  "c",  "z",  "u",  "dg", "ng", "rg", "lg", "ns", "rs",
                                       "ls", "ps", "bl", "tl", "dl", "gl", "pl", "fl", "kl", NULL};
    static const char *const without[] = {"ss", "er", "el", "en", "on", "it",  "om",  "ow", "ew",
                                          "aw", "ay", "oy", "ey", "x",  "ish", "ird", NULL};
    const size_t len = strlen(stem);

    if (len < 2)
        return true;
    if (stem[len - 1] == 'e') /* agreed */
        return true;
    for (const char *const *end = without; *end; end++) {
        if (ends(stem, *end))
            return false;
    }
    for (const char *const *end = with; *end; end++) {
        if (ends(stem, *end))
            return true;
    }
    if (!vowel(stem[len - 2])) /* block, reject, dispatch */
        return false;
    if (stem[len - 1] == 's') /* close, pause, raise */
        return true;
    /* "validate", but "fail" and "repeat"; "evaluate" and "initiate" have a vowel of their own. */
    const bool pair = len > 2 && vowel(stem[len - 3]);
    return !pair || ends(stem, "iat") || ends(stem, "uat") || ends(stem, "quir");
}

static bool gives(const char *verb, const char *participle) {
    bst_strbuf text = BST_STRBUF_INIT;
    bst_past_participle(verb, &text);
    const bool same = strcmp(text.text, participle) == 0;
    bst_strbuf_release(&text);
    return same;
}

/* The verb of a participle, or false. */
static bool unwind(const char *word, char ret[40]) {
    const size_t len = strlen(word);
    char stem[40];

    const char *listed = known_verb(word);
    if (listed) {
        snprintf(ret, 40, "%s", listed);
        return true;
    }
    if (len < 4 || len >= sizeof stem || !ends(word, "ed"))
        return false;
    snprintf(stem, sizeof stem, "%.*s", (int)(len - 2), word);
    const size_t last = len - 3;
    if (stem[last] == 'i') { /* retried */
        snprintf(ret, 40, "%.*sy", (int)last, stem);
        return gives(ret, word);
    }
    if (last > 0 && stem[last] == stem[last - 1]) { /* shipped */
        snprintf(ret, 40, "%.*s", (int)last, stem);
        if (gives(ret, word))
            return true;
    }
    snprintf(ret, 40, "%.38s%s", stem, takes_e(stem) ? "e" : "");
    if (gives(ret, word))
        return true;
    snprintf(ret, 40, "%.38s%s", stem, takes_e(stem) ? "" : "e");
    return gives(ret, word);
}

void bst__draft_stem(const char *word, char ret[40]) {
    if (unwind(word, ret))
        return;
    if (ends(word, "ing") && strlen(word) > 5) { /* processing: as "process" */
        snprintf(ret, 40, "%.*s", (int)(strlen(word) - 3), word);
        return;
    }
    snprintf(ret, 40, "%s", word);
}

static bool one_of(const char *word, const char *const *list) {
    for (; *list; list++) {
        if (strcmp(word, *list) == 0)
            return true;
    }
    return false;
}

/* `payment_failed` -> `fail_payment`, `written_off` -> `write_off`. False: no participle in it. */
static bool command_of_participle(const draft_words *w, bst_strbuf *out) {
    static const char *const negations[] = {"not", "un", "non", "never", "no", "re", NULL};
    char verb[40];
    size_t at = 0;

    if (bst__draft_has_word(w, negations))
        return false;
    /* Among several words a noun is an object: payment_failed. */
    while (at < w->count &&
           (!unwind(w->word[at], verb) || (w->count > 1 && !bst_is_past_tense(w->word[at]))))
        at++;
    if (at == w->count)
        return false;
    bst_strbuf_adds(out, verb);
    for (size_t i = at + 1; i < w->count; i++)
        bst_strbuf_addf(out, "_%s", w->word[i]);
    for (size_t i = 0; i < at; i++)
        bst_strbuf_addf(out, "_%s", w->word[i]);
    return true;
}

static bool event_is_past(const char *command) {
    bst_strbuf event = BST_STRBUF_INIT;
    bst_event_name("x", command, &event);
    const bool past = bst_is_past_tense(event.text);
    bst_strbuf_release(&event);
    return past;
}

char *bst__draft_verb(draft *d, const char *state) {
    static const char *const places[] = {"in", "on", "at", "under", NULL};
    bst_strbuf out = BST_STRBUF_INIT;
    draft_words words;

    bst__draft_split(state, &words);
    const char *first = words.count ? words.word[0] : "";
    if (words.count == 1 && one_of(first, bare)) {
        bst_strbuf_adds(&out, first);
    } else if (words.count > 0 && one_of(first, places)) {
        bst_strbuf_addf(&out, "put_%s", state);
    } else if (ends(first, "ing") && strlen(first) > 5 && strcmp(first, "pending") != 0) {
        bst_strbuf_addf(&out, "start_%s", state);
    } else if (!command_of_participle(&words, &out) || !event_is_past(out.text) ||
               strcmp(out.text, "create") == 0) { /* that is how entities are born */
        bst_strbuf_clear(&out);
        bst_strbuf_addf(&out, "move_to_%s", state);
    }
    char *verb = bst__draft_text(d, "%s", out.text);
    bst_strbuf_release(&out);
    return verb;
}

/* The words of a column that say what it is about: without "at", "date", "last" and the entity's
 * own name. */
void bst__draft_telling_words(const draft *d, const char *name, draft_words *ret, bool *ret_first) {
    static const char *const empty[] = {"at",   "on",    "date", "time",  "timestamp", "datetime",
                                        "dt",   "ts",    "utc",  "when",  "was",       "is",
                                        "last", "first", "tx",   "stamp", "tstamp",    NULL};
    draft_words all, own;
    size_t begin = 0;

    bst__draft_split(name, &all);
    bst__draft_split(d->id, &own);
    if (all.count > own.count) {
        while (begin < own.count && strcmp(all.word[begin], own.word[begin]) == 0)
            begin++;
        if (begin < own.count)
            begin = 0;
    }
    ret->count = 0;
    if (ret_first)
        *ret_first = bst__draft_has_word(&all, (const char *const[]){"first", NULL});
    for (size_t i = begin; i < all.count; i++) {
        const draft_words one = {.count = 1, .word = {{0}}};
        draft_words word = one;
        memcpy(word.word[0], all.word[i], sizeof word.word[0]);
        if (!bst__draft_has_word(&word, empty))
            memcpy(ret->word[ret->count++], all.word[i], sizeof all.word[i]);
    }
}

/* Whether words of a column and of a state mean the same: "date_paid", "payment" and paid. */
bool bst__draft_same_meaning(const draft_words *column, const char *state) {
    draft_words s;
    char a[40], b[40];

    bst__draft_split(state, &s);
    if (column->count == 0 || column->count != s.count)
        return false;
    for (size_t i = 0; i < s.count; i++) {
        bst__draft_stem(column->word[i], a);
        bst__draft_stem(s.word[i], b);
        if (strcmp(a, b) != 0 && strcmp(column->word[i], s.word[i]) != 0)
            return false;
    }
    return true;
}
