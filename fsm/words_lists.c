/* The words that English does not form by rule, and those that our rules have to know by name.
 * Lists are in alphabetical order, so that one sees what is missing.
 */
#include <string.h>

#include "words_private.h"

/* clang-format off */
static const bst__verb irregular[] = {
    {"arise", "arisen"}, {"awake", "awoken"}, {"be", "been"}, {"bear", "borne"},
    {"beat", "beaten"}, {"become", "become"}, {"befall", "befallen"}, {"beget", "begotten"},
    {"begin", "begun"}, {"behold", "beheld"}, {"bend", "bent"}, {"bereave", "bereft"},
    {"beset", "beset"}, {"bet", "bet"}, {"bid", "bid"}, {"bind", "bound"}, {"bite", "bitten"},
    {"bleed", "bled"}, {"blow", "blown"}, {"break", "broken"}, {"breed", "bred"},
    {"bring", "brought"}, {"broadcast", "broadcast"}, {"build", "built"}, {"burst", "burst"},
    {"buy", "bought"}, {"cast", "cast"}, {"catch", "caught"}, {"choose", "chosen"},
    {"cling", "clung"}, {"come", "come"}, {"cost", "cost"}, {"creep", "crept"}, {"cut", "cut"},
    {"deal", "dealt"}, {"dig", "dug"}, {"do", "done"}, {"draw", "drawn"}, {"drink", "drunk"},
    {"drive", "driven"}, {"eat", "eaten"}, {"fall", "fallen"}, {"feed", "fed"}, {"feel", "felt"},
    {"fight", "fought"}, {"find", "found"}, {"fit", "fitted"}, {"flee", "fled"},
    {"fling", "flung"}, {"fly", "flown"}, {"forbid", "forbidden"}, {"forecast", "forecast"},
    {"forego", "foregone"}, {"foresee", "foreseen"}, {"forget", "forgotten"},
    {"forgive", "forgiven"}, {"forgo", "forgone"}, {"forsake", "forsaken"}, {"freeze", "frozen"},
    {"get", "gotten"}, {"give", "given"}, {"go", "gone"}, {"grind", "ground"}, {"grow", "grown"},
    {"hang", "hung"}, {"have", "had"}, {"hear", "heard"}, {"hide", "hidden"}, {"hit", "hit"},
    {"hold", "held"}, {"hurt", "hurt"}, {"input", "input"}, {"keep", "kept"}, {"kneel", "knelt"},
    {"know", "known"}, {"lay", "laid"}, {"lead", "led"}, {"leave", "left"}, {"lend", "lent"},
    {"let", "let"}, {"lie", "lain"}, {"light", "lit"}, {"lose", "lost"}, {"make", "made"},
    {"mean", "meant"}, {"meet", "met"}, {"mimic", "mimicked"}, {"mow", "mown"},
    {"output", "output"}, {"panic", "panicked"}, {"partake", "partaken"}, {"pay", "paid"},
    {"prove", "proven"}, {"put", "put"}, {"quit", "quit"}, {"read", "read"}, {"reset", "reset"},
    {"rid", "rid"}, {"ride", "ridden"}, {"ring", "rung"}, {"rise", "risen"}, {"run", "run"},
    {"saw", "sawn"}, {"say", "said"}, {"see", "seen"}, {"seek", "sought"}, {"sell", "sold"},
    {"send", "sent"}, {"set", "set"}, {"sew", "sewn"}, {"shake", "shaken"}, {"shed", "shed"},
    {"shine", "shone"}, {"shoot", "shot"}, {"show", "shown"}, {"shrink", "shrunk"},
    {"shut", "shut"}, {"sing", "sung"}, {"sink", "sunk"}, {"sit", "sat"}, {"sleep", "slept"},
    {"slide", "slid"}, {"sling", "slung"}, {"sow", "sown"}, {"speak", "spoken"},
    {"speed", "sped"}, {"spend", "spent"}, {"spin", "spun"}, {"split", "split"},
    {"spread", "spread"}, {"spring", "sprung"}, {"stand", "stood"}, {"steal", "stolen"},
    {"stick", "stuck"}, {"sting", "stung"}, {"stride", "stridden"}, {"strike", "struck"},
    {"string", "strung"}, {"strive", "striven"}, {"sublet", "sublet"}, {"swear", "sworn"},
    {"sweep", "swept"}, {"swell", "swollen"}, {"swim", "swum"}, {"swing", "swung"},
    {"take", "taken"}, {"teach", "taught"}, {"tear", "torn"}, {"telecast", "telecast"},
    {"tell", "told"}, {"think", "thought"}, {"throw", "thrown"}, {"thrust", "thrust"},
    {"traffic", "trafficked"}, {"tread", "trodden"}, {"typeset", "typeset"}, {"upset", "upset"},
    {"wake", "woken"}, {"wear", "worn"}, {"weave", "woven"}, {"wed", "wed"}, {"weep", "wept"},
    {"wet", "wet"}, {"win", "won"}, {"wind", "wound"}, {"withdraw", "withdrawn"},
    {"withhold", "withheld"}, {"withstand", "withstood"}, {"wring", "wrung"},
    {"write", "written"},
};
#define IRREGULAR_COUNT (sizeof irregular / sizeof *irregular)

/* Simple past forms that differ from the participle: names such as "PaymentBegan" are past tense
 * too. */
static const char *const simple_past[] = {
    "arose", "ate", "became", "began", "bit", "blew", "bore", "broke", "came", "chose", "did",
    "drank", "drew", "drove", "fell", "flew", "froze", "gave", "got", "grew", "hid", "knew",
    "ran", "rang", "rode", "rose", "sang", "sank", "saw", "shook", "showed", "shrank", "spoke",
    "sprang", "stole", "strove", "swam", "swore", "threw", "took", "tore", "was", "went", "were",
    "woke", "wore", "wove", "wrote",
};

/* Verbs whose beginning looks like a prefix before an irregular verb, but is none: to relay is
 * not to lay again. */
static const char *const no_prefix[] = {
    "forgo", "outfit", "rebid", "rebut", "refit", "relay", "relight", "retread", "rewet",
    "subside", "underlie",
};

/* Longest first: `under` before `un`. */
static const char *const prefixes[] = {
    "counter", "inter", "under", "after", "fore", "over", "with", "back", "down", "auto", "mis",
    "out", "pre", "sub", "co", "re", "un", "up",
};

static const bst__verb nouns[] = {
    {"acceptance", "accepted"}, {"activation", "activated"},
    {"approval", "approved"}, {"assignment", "assigned"}, {"authorization", "authorized"},
    {"backup", "backed_up"}, {"cancellation", "canceled"}, {"chargeback", "charged_back"},
    {"checkin", "checked_in"}, {"checkout", "checked_out"}, {"completion", "completed"},
    {"confirmation", "confirmed"}, {"creation", "created"}, {"cutover", "cut_over"},
    {"deletion", "deleted"}, {"delivery", "delivered"}, {"denial", "denied"},
    {"expiration", "expired"}, {"expiry", "expired"}, {"failure", "failed"},
    {"handover", "handed_over"}, {"login", "logged_in"},
    {"logoff", "logged_off"}, {"logout", "logged_out"}, {"lookup", "looked_up"},
    {"next", "advanced"}, {"opt_in", "opted_in"}, {"payout", "paid_out"}, {"pickup", "picked_up"},
    {"prev", "stepped_back"}, {"previous", "stepped_back"}, {"receipt", "received"},
    {"refusal", "refused"}, {"rejection", "rejected"}, {"removal", "removed"},
    {"renewal", "renewed"}, {"rollback", "rolled_back"}, {"rollout", "rolled_out"},
    {"setup", "set_up"}, {"shutdown", "shut_down"}, {"signin", "signed_in"},
    {"signoff", "signed_off"}, {"signout", "signed_out"}, {"signup", "signed_up"},
    {"startup", "started_up"}, {"submission", "submitted"}, {"success", "succeeded"},
    {"takeover", "taken_over"}, {"termination", "terminated"}, {"timeout", "timed_out"},
    {"withdrawal", "withdrawn"}, {"writeoff", "written_off"},
};

/* More than one syllable and the stress on the last: refer -> referred. (One syllable goes by
 * rule.) */
static const char *const doubling[] = {
    "abet", "abhor", "acquit", "admit", "allot", "annul", "appal", "backlog", "befit", "co-opt",
    "commit", "compel", "concur", "confer", "control", "debug", "defer", "demur", "deter",
    "disbar", "dispel", "emit", "enrol", "entrap", "equip", "excel", "expel", "extol", "format",
    "fulfil", "handicap", "hotswap", "impel", "incur", "infer", "inter", "kidnap", "occur",
    "omit", "outfit", "overlap", "patrol", "permit", "prefer", "program", "propel", "rebel",
    "rebut", "recap", "recur", "refer", "refit", "regret", "remit", "repel", "snapshot", "submit",
    "transfer", "transmit", "transship", "unwrap",
};

static const char *const false_participles[] = {
    "bed", "biped", "bobsled", "breed", "deed", "embed", "exceed", "feed", "greed", "heed",
    "hotbed", "hundred", "imbed", "indeed", "kindred", "misdeed", "moped", "naked", "need",
    "nosebleed", "overfeed", "proceed", "red", "reed", "sacred", "screed", "shred", "med", "zed",
    "seabed", "seed",
    "sled", "speed", "steed", "succeed", "supersede", "ted", "testbed", "watershed", "weed",
    "wicked",
};

static const char *const particles[] = {
    "about", "after", "again", "against", "as", "aside", "at", "away", "back", "before", "by",
    "down", "for", "from", "in", "into", "off", "on", "onto", "out", "over", "past", "per",
    "through", "to", "under", "until", "up", "upon", "via", "with", "within", "without",
};

static const char *const adverb_particles[] = {
    "aside", "away", "back", "down", "off", "out", "over", "through", "up",
};

static const char *const resultatives[] = {
    "declare", "flag", "keep", "leave", "make", "mark", "report", "set",
};

static const char *const adjectives[] = {
    "active", "available", "clean", "complete", "current", "defective", "dirty", "done", "due",
    "duplicate", "eligible", "empty", "final", "fraudulent", "free", "full", "inactive",
    "ineligible", "invalid", "late", "missing", "new", "obsolete", "offline", "ok", "old",
    "online", "open", "overdue", "pending", "primary", "private", "public", "ready", "safe",
    "spam", "stale", "unavailable", "valid", "visible",
};
/* clang-format on */

/* Lists are short; a look at the first letter spares nearly all comparisons. */
static bool same(const char *a, const char *b) {
    return a[0] == b[0] && strcmp(a, b) == 0;
}

static bool is_in(const char *word, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (same(word, list[i])) {
            return true;
        }
    }
    return false;
}
#define IS_IN(word, list) is_in(word, list, sizeof(list) / sizeof *(list))

static const bst__verb *find_base(const char *verb) {
    for (size_t i = 0; i < IRREGULAR_COUNT; i++) {
        if (same(irregular[i].base, verb)) {
            return &irregular[i];
        }
    }
    return NULL;
}

/* The length of the n-th prefix when `word` starts with it and goes on after it, else 0. */
static size_t prefix_len(const char *word, size_t n) {
    if (word[0] != prefixes[n][0]) {
        return 0;
    }
    const size_t len = strlen(prefixes[n]);
    return strncmp(word, prefixes[n], len) == 0 && word[len] ? len : 0;
}
#define PREFIX_COUNT (sizeof prefixes / sizeof *prefixes)

const char *bst__irregular(const char *verb, size_t *ret_prefix) {
    const bst__verb *found = find_base(verb);
    *ret_prefix = 0;
    if (found) {
        return found->participle;
    }
    if (IS_IN(verb, no_prefix)) {
        return NULL;
    }
    for (size_t i = 0; i < PREFIX_COUNT; i++) {
        const size_t len = prefix_len(verb, i);
        found = len ? find_base(verb + len) : NULL;
        if (found) {
            *ret_prefix = len;
            return found->participle;
        }
    }
    return NULL;
}

static bool is_participle(const char *word) {
    for (size_t i = 0; i < IRREGULAR_COUNT; i++) {
        if (same(irregular[i].participle, word)) {
            return true;
        }
    }
    return IS_IN(word, simple_past);
}

bool bst__is_irregular_participle(const char *word) {
    if (is_participle(word)) {
        return true;
    }
    for (size_t i = 0; i < PREFIX_COUNT; i++) {
        const size_t len = prefix_len(word, i);
        if (len && is_participle(word + len)) {
            return true;
        }
    }
    return false;
}

bool bst__is_plain_participle(const char *word) {
    static const char *const verbs_too[] = {
        "bound", "fell", "felt", "found", "ground", "lay", "left", "saw", "wound",
    };
    size_t prefix;
    return bst__is_irregular_participle(word) && !bst__irregular(word, &prefix) &&
           !IS_IN(word, verbs_too);
}

const char *bst__noun_participle(const char *word) {
    for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++) {
        if (same(nouns[i].base, word)) {
            return nouns[i].participle;
        }
    }
    return NULL;
}

bool bst__doubles(const char *verb) {
    return IS_IN(verb, doubling);
}

bool bst__is_false_participle(const char *word) {
    return IS_IN(word, false_participles);
}

bool bst__is_particle(const char *word) {
    return IS_IN(word, particles);
}

bool bst__is_adverb_particle(const char *word) {
    return IS_IN(word, adverb_particles);
}

bool bst__is_resultative(const char *word) {
    return IS_IN(word, resultatives);
}

bool bst__is_adjective(const char *word) {
    return IS_IN(word, adjectives);
}

bool bst__is_verb_too(const char *adjective) {
    static const char *const verbs[] = {
        "clean", "complete", "dirty", "duplicate", "empty", "free", "ok", "open", "ready", "spam",
    };
    return IS_IN(adjective, verbs);
}
