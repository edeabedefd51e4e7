#include "data/numbers.h"

#include <string.h>

#include "engine/core/rng.h"

/* Streams of their own beside those of glyphs. */
#define STREAM_DRAW (RNG_SYNTHETIC + 16)
#define STREAM_SPLIT (RNG_SYNTHETIC + 24)

static const char *const GERMAN[] = {
    "null",     "eins",     "zwei",     "drei",     "vier",     "fünf",     "sechs",
    "sieben",   "acht",     "neun",     "zehn",     "elf",      "zwölf",    "dreizehn",
    "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn",
};
static const char *const GERMAN_TENS[] = {"",        "",        "zwanzig", "dreißig",
                                          "vierzig", "fünfzig", "sechzig", "siebzig",
                                          "achtzig", "neunzig"};
static const char *const ENGLISH[] = {
    "zero",     "one",     "two",     "three",     "four",     "five",     "six",
    "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",   "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
};
static const char *const ENGLISH_TENS[] = {
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};

/* A line's words are parted by blanks; lines begin behind \n. */
static void say(TextBuffer *words, const char *word) {
    bool fresh = !words->length || words->text[words->length - 1] == '\n';
    if (!fresh) text_append_byte(words, ' ');
    text_append(words, word, strlen(word));
}

/* 1 ... 999.  `counts` something: ein hundert, ein tausend, but eins at the end. */
static void german_hundreds(size_t n, bool counts, TextBuffer *words) {
    if (n >= 100) {
        say(words, n / 100 == 1 ? "ein" : GERMAN[n / 100]);
        say(words, "hundert");
        n %= 100;
    }
    if (n >= 20 && n % 10) {
        say(words, n % 10 == 1 ? "ein" : GERMAN[n % 10]);
        say(words, "und");
    }
    if (n >= 20)
        say(words, GERMAN_TENS[n / 10]);
    else if (n)
        say(words, n == 1 && counts ? "ein" : GERMAN[n]);
}

void numbers_german(size_t n, TextBuffer *words) {
    CHECK(n < NUMBERS_END, "%zu has no words here", n);
    if (!n) say(words, GERMAN[0]);
    if (n >= 1000) {
        german_hundreds(n / 1000, true, words);
        say(words, "tausend");
    }
    german_hundreds(n % 1000, false, words);
}

static void english_hundreds(size_t n, TextBuffer *words) {
    if (n >= 100) {
        say(words, ENGLISH[n / 100]);
        say(words, "hundred");
        n %= 100;
    }
    if (n >= 20) say(words, ENGLISH_TENS[n / 10]);
    if (n >= 20) n %= 10;
    if (n) say(words, ENGLISH[n]);
}

void numbers_english(size_t n, TextBuffer *words) {
    CHECK(n < NUMBERS_END, "%zu has no words here", n);
    if (!n) say(words, ENGLISH[0]);
    if (n >= 1000) {
        english_hundreds(n / 1000, words);
        say(words, "thousand");
    }
    english_hundreds(n % 1000, words);
}

Split numbers_split(size_t n) {
    size_t lot = rng_below(rng_make(0, STREAM_SPLIT, 0), n, 10);
    return lot == 0 ? SPLIT_VAL : lot == 1 ? SPLIT_TEST : SPLIT_TRAIN;
}

/* Drawn again until it is one of the split's. */
static size_t draw_number(Rng rng, Split split) {
    enum { DIGITS_MOST = 6 };
    for (uint64_t k = 0;; k += 2) {
        size_t end = 10;
        for (size_t more = rng_below(rng, k, DIGITS_MOST); more; more--) end *= 10;
        size_t least = end > 10 ? end / 10 : 0;
        size_t n = least + rng_below(rng, k + 1, end - least);
        if (numbers_split(n) == split) return n;
    }
}

void numbers_text(uint64_t seed, Split split, size_t count, TextBuffer *source,
                  TextBuffer *target) {
    for (size_t i = 0; i < count; i++) {
        size_t n = draw_number(rng_make(seed, STREAM_DRAW + (uint64_t)split, i), split);
        numbers_german(n, source);
        numbers_english(n, target);
        text_append_byte(source, '\n');
        text_append_byte(target, '\n');
    }
}
