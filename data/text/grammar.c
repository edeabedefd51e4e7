/* Drawing, accepting and measuring walk the same rules: each function below of one of the
 * three has its two counterparts.  Depth is bounded, in the rules themselves. */
#include "data/text/grammar.h"

#include <math.h>
#include <string.h>

#include "data/text/sources.h"
#include "engine/core/rng.h"

#define STREAM (RNG_SYNTHETIC + 32) /* beside those of glyphs and numbers */

enum { CLAUSE_DEPTH = 2, NOUN_DEPTH = 3 };

static const double BRACKETS = 0.1, ADJECTIVE = 0.3, RELATIVE = 0.25;

/* [one, many] */
static const char *const NOUNS[][2] = {{"dog", "dogs"},     {"cat", "cats"},
                                       {"bird", "birds"},   {"mouse", "mice"},
                                       {"fox", "foxes"},    {"wolf", "wolves"},
                                       {"horse", "horses"}, {"sheep-dog", "sheep-dogs"}};
static const char *const TRANSITIVE[][2] = {{"sees", "see"},   {"chases", "chase"},
                                            {"hears", "hear"}, {"follows", "follow"},
                                            {"likes", "like"}, {"fears", "fear"}};
static const char *const INTRANSITIVE[][2] = {{"sleeps", "sleep"}, {"sings", "sing"},
                                              {"runs", "run"},     {"hides", "hide"},
                                              {"waits", "wait"},   {"eats", "eat"}};
static const char *const ARTICLES[][2] = {{"the", "the"}, {"every", "many"}};
static const char *const ADJECTIVES[] = {"grey", "small", "young", "wild"};
static const char *const LINKS[] = {"and", "while"};

/* ---- drawing ---- */

typedef struct Writer {
    RngCursor dice;
    TextBuffer *text;
} Writer;

static void put(Writer *w, const char *word) {
    TextBuffer *t = w->text;
    if (t->length && t->text[t->length - 1] != '\n') text_append_byte(t, ' ');
    text_append(t, word, strlen(word));
}

static bool toss(Writer *w, double p) { return rng_next(&w->dice) < p; }

static size_t pick(Writer *w, size_t n) {
    return (size_t)(rng_next(&w->dice) * (double)n); /* below n: rng_next is below 1 */
}

static void put_verb_phrase(Writer *w, bool many, int depth);

static void put_noun_phrase(Writer *w, bool many, int depth) {
    put(w, ARTICLES[pick(w, COUNT(ARTICLES))][many]);
    if (toss(w, ADJECTIVE)) put(w, ADJECTIVES[pick(w, COUNT(ADJECTIVES))]);
    put(w, NOUNS[pick(w, COUNT(NOUNS))][many]);
    if (depth == NOUN_DEPTH || !toss(w, RELATIVE)) return;
    put(w, "that");
    if (toss(w, 0.5)) {
        put_verb_phrase(w, many, depth + 1);
        return;
    }
    bool others = toss(w, 0.5);
    put_noun_phrase(w, others, depth + 1);
    put(w, TRANSITIVE[pick(w, COUNT(TRANSITIVE))][others]);
}

static void put_verb_phrase(Writer *w, bool many, int depth) {
    if (toss(w, 0.5)) {
        put(w, INTRANSITIVE[pick(w, COUNT(INTRANSITIVE))][many]);
        return;
    }
    put(w, TRANSITIVE[pick(w, COUNT(TRANSITIVE))][many]);
    put_noun_phrase(w, toss(w, 0.5), depth);
}

static void put_clause(Writer *w, int depth) {
    if (depth < CLAUSE_DEPTH && toss(w, BRACKETS)) {
        put(w, "(");
        put_clause(w, depth + 1);
        put(w, ")");
        put(w, LINKS[pick(w, COUNT(LINKS))]);
        put_clause(w, depth + 1);
        return;
    }
    bool many = toss(w, 0.5);
    put_noun_phrase(w, many, 0);
    put_verb_phrase(w, many, 0);
}

void grammar_text(uint64_t seed, Split split, size_t count, TextBuffer *text) {
    for (size_t i = 0; i < count; i++) {
        Writer w = {{rng_make(seed, STREAM + (uint64_t)split, i), 0}, text};
        put_clause(&w, 0);
        put(&w, ".");
        text_append_byte(text, '\n');
    }
}

/* ---- accepting: one word ahead decides ---- */

typedef struct Parser {
    const char *word;
    size_t length;
} Parser;

static void skip_blanks(Parser *p) {
    while (*p->word == ' ') p->word++;
    p->length = strcspn(p->word, " ");
}

/* Takes the word where it is the next. */
static bool take(Parser *p, const char *word) {
    if (strlen(word) != p->length || memcmp(p->word, word, p->length)) return false;
    p->word += p->length;
    skip_blanks(p);
    return true;
}

static bool take_any(Parser *p, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (take(p, words[i])) return true;
    return false;
}

/* A word of either number; of one of them, if `known`. */
static bool take_number(Parser *p, const char *const (*words)[2], size_t count,
                        bool known, bool *many) {
    for (size_t i = 0; i < count; i++)
        for (int m = 0; m < 2; m++)
            if ((!known || *many == m) && take(p, words[i][m])) {
                *many = m;
                return true;
            }
    return false;
}

static bool take_verb_phrase(Parser *p, bool many, int depth);

static bool take_noun_phrase(Parser *p, bool *many, int depth) {
    bool neutral = take(p, "the");
    if (!neutral && !take_number(p, ARTICLES, COUNT(ARTICLES), false, many)) return false;
    take_any(p, ADJECTIVES, COUNT(ADJECTIVES));
    if (!take_number(p, NOUNS, COUNT(NOUNS), !neutral, many)) return false;
    if (depth == NOUN_DEPTH || !take(p, "that")) return true;
    Parser here = *p;
    if (take_verb_phrase(p, *many, depth + 1)) return true;
    *p = here;
    bool others;
    return take_noun_phrase(p, &others, depth + 1) &&
           take_number(p, TRANSITIVE, COUNT(TRANSITIVE), true, &others);
}

static bool take_verb_phrase(Parser *p, bool many, int depth) {
    bool object;
    if (take_number(p, INTRANSITIVE, COUNT(INTRANSITIVE), true, &many)) return true;
    return take_number(p, TRANSITIVE, COUNT(TRANSITIVE), true, &many) &&
           take_noun_phrase(p, &object, depth);
}

static bool take_clause(Parser *p, int depth) {
    if (depth < CLAUSE_DEPTH && take(p, "("))
        return take_clause(p, depth + 1) && take(p, ")") &&
               take_any(p, LINKS, COUNT(LINKS)) && take_clause(p, depth + 1);
    bool many;
    return take_noun_phrase(p, &many, 0) && take_verb_phrase(p, many, 0);
}

bool grammar_accepts(const char *line) {
    Parser p = {line, 0};
    skip_blanks(&p);
    return take_clause(&p, 0) && take(&p, ".") && !*p.word;
}

/* ---- measuring: entropy and words of what a rule gives ---- */

typedef struct Measure {
    double nats, words;
} Measure;

static Measure plus(Measure a, Measure b, double share) {
    return (Measure){a.nats + share * b.nats, a.words + share * b.words};
}

static Measure one_of(size_t n) { return (Measure){log((double)n), 1}; }

static double coin(double p) { return -p * log(p) - (1 - p) * log(1 - p); }

static Measure of_verb_phrase(int depth);

static Measure of_noun_phrase(int depth) {
    Measure sum = plus(one_of(COUNT(ARTICLES)), one_of(COUNT(NOUNS)), 1);
    sum = plus(sum, one_of(COUNT(ADJECTIVES)), ADJECTIVE);
    sum.nats += coin(ADJECTIVE);
    if (depth == NOUN_DEPTH) return sum;
    Measure object = plus(of_noun_phrase(depth + 1), one_of(COUNT(TRANSITIVE)), 1);
    object.nats += log(2); /* one or many */
    Measure relative = {log(2), 1};
    relative = plus(relative, of_verb_phrase(depth + 1), 0.5);
    relative = plus(relative, object, 0.5);
    sum.nats += coin(RELATIVE);
    return plus(sum, relative, RELATIVE);
}

static Measure of_verb_phrase(int depth) {
    Measure object = plus(one_of(COUNT(TRANSITIVE)), of_noun_phrase(depth), 1);
    object.nats += log(2);
    Measure sum = plus((Measure){log(2), 0}, one_of(COUNT(INTRANSITIVE)), 0.5);
    return plus(sum, object, 0.5);
}

static Measure of_clause(int depth) {
    Measure plain = plus((Measure){log(2), 0}, of_noun_phrase(0), 1);
    plain = plus(plain, of_verb_phrase(0), 1);
    if (depth == CLAUSE_DEPTH) return plain;
    Measure linked = plus((Measure){0, 2}, one_of(COUNT(LINKS)), 1);
    linked = plus(linked, of_clause(depth + 1), 2);
    Measure sum = plus((Measure){coin(BRACKETS), 0}, linked, BRACKETS);
    return plus(sum, plain, 1 - BRACKETS);
}

double grammar_entropy(double *tokens) {
    Measure sentence = of_clause(0);
    if (tokens) *tokens = sentence.words + 2; /* the full stop and </s> */
    return sentence.nats;
}

/* ---- the source ---- */

static Status read_grammar(const DataConfig *c, Split split, TextFile files[2],
                           Err *err) {
    (void)err;
    TextBuffer text = {0};
    grammar_text(SYNTHETIC_SEED, split, texts_synthetic_count(c, split), &text);
    textfile_of(&files[0], &text, source_name(c->source));
    return OK;
}

const TextSource grammar_source = {read_grammar};
