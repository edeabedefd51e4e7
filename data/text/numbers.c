#include "data/text/numbers.h"

#include <string.h>

#include "data/text/sources.h"
#include "engine/core/rng.h"

static const char *const GERMAN[] = {"null",     "ein",      "zwei",     "drei",
                                     "vier",     "fünf",     "sechs",    "sieben",
                                     "acht",     "neun",     "zehn",     "elf",
                                     "zwölf",    "dreizehn", "vierzehn", "fünfzehn",
                                     "sechzehn", "siebzehn", "achtzehn", "neunzehn"};
static const char *const GERMAN_TENS[] = {"",        "",        "zwanzig", "dreißig",
                                          "vierzig", "fünfzig", "sechzig", "siebzig",
                                          "achtzig", "neunzig"};
static const char *const ENGLISH[] = {"zero",    "one",       "two",      "three",
                                      "four",    "five",      "six",      "seven",
                                      "eight",   "nine",      "ten",      "eleven",
                                      "twelve",  "thirteen",  "fourteen", "fifteen",
                                      "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const ENGLISH_TENS[] = {"",       "",      "twenty", "thirty",
                                           "forty",  "fifty", "sixty",  "seventy",
                                           "eighty", "ninety"};

static void add(TextBuffer *text, const char *word) {
    if (text->length && text->text[text->length - 1] != '\n') text_append_byte(text, ' ');
    text_append(text, word, strlen(word));
}

/* 1 ... 999 */
static void german_part(size_t n, bool last, TextBuffer *text) {
    if (n >= 100) {
        add(text, GERMAN[n / 100]);
        add(text, "hundert");
        n %= 100;
    }
    if (n >= 20) {
        if (n % 10) add(text, GERMAN[n % 10]), add(text, "und");
        add(text, GERMAN_TENS[n / 10]);
    } else if (n) {
        add(text, n == 1 && last ? "eins" : GERMAN[n]);
    }
}

void numbers_german(size_t n, TextBuffer *text) {
    CHECK(n < NUMBERS_END, "number %zu", n);
    if (n >= 1000) {
        german_part(n / 1000, false, text);
        add(text, "tausend");
    }
    german_part(n % 1000, true, text);
    if (!n) add(text, GERMAN[0]);
}

static void english_part(size_t n, TextBuffer *text) {
    if (n >= 100) {
        add(text, ENGLISH[n / 100]);
        add(text, "hundred");
        n %= 100;
    }
    if (n >= 20) {
        add(text, ENGLISH_TENS[n / 10]);
        n %= 10;
    }
    if (n) add(text, ENGLISH[n]);
}

void numbers_english(size_t n, TextBuffer *text) {
    CHECK(n < NUMBERS_END, "number %zu", n);
    if (n >= 1000) {
        english_part(n / 1000, text);
        add(text, "thousand");
    }
    english_part(n % 1000, text);
    if (!n) add(text, ENGLISH[0]);
}

Split numbers_split(size_t n) {
    if (!n) return SPLIT_TRAIN; /* else its word would be in no training sentence */
    size_t place = n * 2654435761u % 4294967296u / 429496730u;
    return place == 0 ? SPLIT_VAL : place == 1 ? SPLIT_TEST : SPLIT_TRAIN;
}

/* Few digits are as likely as many. */
static size_t draw(RngCursor *dice) {
    static const size_t ENDS[] = {10, 100, 1000, 10000, 100000, NUMBERS_END};
    size_t end = ENDS[(size_t)(rng_next(dice) * COUNT(ENDS))];
    return (size_t)(rng_next(dice) * (double)end);
}

void numbers_text(uint64_t seed, Split split, size_t count, TextBuffer *source,
                  TextBuffer *target) {
    RngCursor dice = {rng_make(seed, RNG_SYNTHETIC, split), 0};
    for (size_t i = 0; i < count;) {
        size_t n = draw(&dice);
        if (!n || numbers_split(n) != split) continue;
        numbers_german(n, source);
        numbers_english(n, target);
        text_append_byte(source, '\n');
        text_append_byte(target, '\n');
        i++;
    }
}

/* ---- the source ---- */

static Status read_numbers(const DataConfig *c, Split split, TextFile files[2],
                           Err *err) {
    (void)err;
    TextBuffer source = {0}, target = {0};
    numbers_text(SYNTHETIC_SEED, split, texts_synthetic_count(c, split), &source,
                 &target);
    textfile_of(&files[0], &source, source_name(c->source));
    textfile_of(&files[1], &target, "numbers.target");
    return OK;
}

const TextSource numbers_source = {read_numbers};
