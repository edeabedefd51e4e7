#include "data/grammar.h"

#include <string.h>

#include "engine/core/rng.h"

/* Pairs: singular, plural. */
static const char *const NOUNS[][2] = {{"dog", "dogs"},   {"cat", "cats"},
                                       {"bird", "birds"}, {"child", "children"},
                                       {"man", "men"},    {"tree", "trees"},
                                       {"house", "houses"}, {"teacher", "teachers"}};
static const char *const TRANSITIVE[][2] = {{"sees", "see"},     {"likes", "like"},
                                            {"follows", "follow"}, {"hears", "hear"},
                                            {"finds", "find"},   {"knows", "know"}};
static const char *const INTRANSITIVE[][2] = {{"runs", "run"},   {"sleeps", "sleep"},
                                              {"waits", "wait"}, {"sings", "sing"},
                                              {"stands", "stand"}};

/* ---- making ---- */

enum { DEPTH_MOST = 3 }; /* of noun phrases within each other */
static const double NEAR = 0.25, THAT = 0.25, OBJECT = 0.5;

static void add(TextBuffer *line, const char *word) {
    if (line->length) text_append_byte(line, ' ');
    text_append(line, word, strlen(word));
}

#define PICK(dice, list, number)                                                         \
    (list)[(size_t)(rng_next(dice) * (double)COUNT(list))][number]

/* Returns the number of its noun: 0 singular, 1 plural. */
static size_t make_noun_phrase(RngCursor *dice, size_t depth, TextBuffer *line) {
    size_t number = rng_next(dice) < 0.5;
    add(line, "the");
    add(line, PICK(dice, NOUNS, number));
    double kind = rng_next(dice);
    if (depth >= DEPTH_MOST || kind >= NEAR + THAT) return number;
    add(line, kind < NEAR ? "near" : "that");
    size_t other = make_noun_phrase(dice, depth + 1, line);
    if (kind >= NEAR) add(line, PICK(dice, TRANSITIVE, other));
    return number;
}

static void make_sentence(RngCursor *dice, TextBuffer *line) {
    text_clear(line);
    size_t number = make_noun_phrase(dice, 1, line);
    if (rng_next(dice) < OBJECT) {
        add(line, PICK(dice, TRANSITIVE, number));
        make_noun_phrase(dice, 1, line);
    } else {
        add(line, PICK(dice, INTRANSITIVE, number));
    }
    add(line, ".");
}

/* One sentence in ten is val's, one in ten test's, by its letters. */
static Split split_of(const TextBuffer *line) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < line->length; i++)
        hash = (hash ^ (uint8_t)line->text[i]) * 16777619u;
    size_t place = hash / 429496730u;
    return place == 0 ? SPLIT_VAL : place == 1 ? SPLIT_TEST : SPLIT_TRAIN;
}

void grammar_text(uint64_t seed, Split split, size_t count, TextBuffer *text) {
    RngCursor dice = {rng_make(seed, RNG_SYNTHETIC, split), 0};
    TextBuffer line = {0};
    for (size_t i = 0; i < count;) {
        make_sentence(&dice, &line);
        if (split_of(&line) != split) continue;
        text_append(text, line.text, line.length);
        text_append_byte(text, '\n');
        i++;
    }
    text_free(&line);
}

/* ---- reading ---- */

typedef struct Reading {
    const char *at, *end;
} Reading;

/* Takes the next word where it is `word`. */
static bool take(Reading *r, const char *word) {
    size_t length = strlen(word), left = (size_t)(r->end - r->at);
    if (left < length || memcmp(r->at, word, length)) return false;
    if (left > length && r->at[length] != ' ') return false;
    r->at += left > length ? length + 1 : length;
    return true;
}

/* Takes a word of the list; *number is its column. */
static bool take_one(Reading *r, const char *const (*list)[2], size_t count,
                     size_t *number) {
    for (size_t i = 0; i < count; i++)
        for (*number = 0; *number < 2; ++*number)
            if (take(r, list[i][*number])) return true;
    return false;
}

#define TAKE(r, list, number) take_one(r, list, COUNT(list), number)

static bool read_noun_phrase(Reading *r, size_t depth, size_t *number) {
    size_t other, verb;
    if (depth > DEPTH_MOST || !take(r, "the") || !TAKE(r, NOUNS, number)) return false;
    if (take(r, "near")) return read_noun_phrase(r, depth + 1, &other);
    if (!take(r, "that")) return true;
    return read_noun_phrase(r, depth + 1, &other) && TAKE(r, TRANSITIVE, &verb) &&
           verb == other;
}

bool grammar_accepts(const char *line, size_t length) {
    Reading r = {line, line + length};
    size_t number, verb, other;
    if (!read_noun_phrase(&r, 1, &number)) return false;
    if (TAKE(&r, INTRANSITIVE, &verb)) {
        if (verb != number) return false;
    } else if (!TAKE(&r, TRANSITIVE, &verb) || verb != number ||
               !read_noun_phrase(&r, 1, &other)) {
        return false;
    }
    return take(&r, ".") && r.at == r.end;
}
