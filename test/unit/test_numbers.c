/* The built-in texts: numbers in two languages, sentences of a grammar. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/file/stringmap.h"
#include "data/file/utf8.h"
#include "data/text/grammar.h"
#include "data/text/numbers.h"
#include "engine/core/base.h"

/* ---- numbers ---- */

static void expect_words(size_t n, const char *german, const char *english) {
    TextBuffer words = {0};
    numbers_german(n, &words);
    assert_string_equal(words.text, german);
    text_clear(&words);
    numbers_english(n, &words);
    assert_string_equal(words.text, english);
    text_free(&words);
}

static void numbers_are_said_as_people_say_them(void **state) {
    (void)state;
    expect_words(0, "null", "zero");
    expect_words(1, "eins", "one");
    expect_words(10, "zehn", "ten");
    expect_words(11, "elf", "eleven");
    expect_words(17, "siebzehn", "seventeen");
    expect_words(20, "zwanzig", "twenty");
    expect_words(21, "ein und zwanzig", "twenty one");
    expect_words(30, "dreißig", "thirty");
    expect_words(100, "ein hundert", "one hundred");
    expect_words(101, "ein hundert eins", "one hundred one");
    expect_words(345, "drei hundert fünf und vierzig", "three hundred forty five");
    expect_words(1000, "ein tausend", "one thousand");
    expect_words(1001, "ein tausend eins", "one thousand one");
    expect_words(21012, "ein und zwanzig tausend zwölf", "twenty one thousand twelve");
    expect_words(101016, "ein hundert ein tausend sechzehn",
                 "one hundred one thousand sixteen");
    expect_words(999999,
                 "neun hundert neun und neunzig tausend neun hundert neun und neunzig",
                 "nine hundred ninety nine thousand nine hundred ninety nine");
}

typedef struct Meaning {
    const char *word;
    size_t value;
} Meaning;

static const Meaning MEANINGS[] = {
    {"null", 0},      {"ein", 1},       {"eins", 1},       {"zwei", 2},
    {"drei", 3},      {"vier", 4},      {"fünf", 5},       {"sechs", 6},
    {"sieben", 7},    {"acht", 8},      {"neun", 9},       {"zehn", 10},
    {"elf", 11},      {"zwölf", 12},    {"dreizehn", 13},  {"vierzehn", 14},
    {"fünfzehn", 15}, {"sechzehn", 16}, {"siebzehn", 17},  {"achtzehn", 18},
    {"neunzehn", 19}, {"zwanzig", 20},  {"dreißig", 30},   {"vierzig", 40},
    {"fünfzig", 50},  {"sechzig", 60},  {"siebzig", 70},   {"achtzig", 80},
    {"neunzig", 90},  {"zero", 0},      {"one", 1},        {"two", 2},
    {"three", 3},     {"four", 4},      {"five", 5},       {"six", 6},
    {"seven", 7},     {"eight", 8},     {"nine", 9},       {"ten", 10},
    {"eleven", 11},   {"twelve", 12},   {"thirteen", 13},  {"fourteen", 14},
    {"fifteen", 15},  {"sixteen", 16},  {"seventeen", 17}, {"eighteen", 18},
    {"nineteen", 19}, {"twenty", 20},   {"thirty", 30},    {"forty", 40},
    {"fifty", 50},    {"sixty", 60},    {"seventy", 70},   {"eighty", 80},
    {"ninety", 90},
};

static size_t meaning_of(const char *word) {
    for (size_t i = 0; i < COUNT(MEANINGS); i++)
        if (!strcmp(MEANINGS[i].word, word)) return MEANINGS[i].value;
    fail_msg("\"%s\" is no number", word);
    return 0;
}

/* What either language's words add up to; takes `words` apart. */
static size_t value_of(char *words) {
    size_t all = 0, part = 0;
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
        if (!strcmp(word, "hundert") || !strcmp(word, "hundred")) part *= 100;
        else if (!strcmp(word, "tausend") || !strcmp(word, "thousand"))
            all = 1000 * part, part = 0;
        else if (strcmp(word, "und")) part += meaning_of(word);
    }
    return all + part;
}

static void words_mean_their_number(void **state) {
    (void)state;
    TextBuffer words = {0};
    for (size_t n = 0; n < NUMBERS_END; n += n < 20000 ? 1 : 97) {
        text_clear(&words);
        numbers_german(n, &words);
        assert_int_equal(value_of(words.text), n);
        text_clear(&words);
        numbers_english(n, &words);
        assert_int_equal(value_of(words.text), n);
    }
    text_free(&words);
}

static void four_numbers_in_five_are_for_training(void **state) {
    (void)state;
    double count[3] = {0};
    for (size_t n = 0; n < 100000; n++) count[numbers_split(n)]++;
    /* standard deviation sqrt(1e5 * 0.8 * 0.2) = 126 and less */
    assert_true(fabs(count[SPLIT_TRAIN] - 80000) < 700);
    assert_true(fabs(count[SPLIT_VAL] - 10000) < 700);
    assert_true(fabs(count[SPLIT_TEST] - 10000) < 700);
}

static size_t next_line(const TextBuffer *text, size_t at, char line[400]) {
    const char *end = strchr(text->text + at, '\n');
    assert_non_null(end);
    size_t length = (size_t)(end - text->text) - at;
    text_format(line, 400, "%.*s", (int)length, text->text + at);
    return at + length + 1;
}

static void each_split_has_numbers_of_its_own_of_all_lengths(void **state) {
    (void)state;
    enum { LINES = 3000 };
    for (int split = SPLIT_TRAIN; split <= SPLIT_TEST; split++) {
        TextBuffer german = {0}, english = {0};
        char line[400], other[400];
        size_t at = 0, place = 0, large = 0, small = 0;
        numbers_text(1, (Split)split, LINES, &german, &english);
        for (size_t i = 0; i < LINES; i++) {
            at = next_line(&german, at, line);
            place = next_line(&english, place, other);
            size_t n = value_of(line);
            assert_int_equal(value_of(other), n);
            assert_int_equal(numbers_split(n), split);
            large += n >= 100000, small += n < 1000;
        }
        assert_int_equal(at, german.length);
        assert_int_equal(place, english.length);
        assert_true(large > LINES / 10);
        assert_true(small > LINES / 4);
        text_free(&german), text_free(&english);
    }
}

static void expect_words_known(const TextBuffer *train, const TextBuffer *held_out) {
    StringMap known = {0};
    for (size_t at = 0, n; utf8_word(train->text, train->length, &at, &n);)
        stringmap_add(&known, train->text + at - n, n);
    for (size_t at = 0, n; utf8_word(held_out->text, held_out->length, &at, &n);)
        if (stringmap_find(&known, held_out->text + at - n, n) == SIZE_MAX)
            fail_msg("not in training: %.*s", (int)n, held_out->text + at - n);
    stringmap_free(&known);
}

static void every_word_of_a_held_out_split_is_in_training(void **state) {
    (void)state;
    for (int split = SPLIT_VAL; split <= SPLIT_TEST; split++) {
        TextBuffer train[2] = {{0}}, held_out[2] = {{0}};
        numbers_text(1, SPLIT_TRAIN, 2000, &train[0], &train[1]);
        numbers_text(1, (Split)split, 2000, &held_out[0], &held_out[1]);
        for (size_t s = 0; s < 2; s++) {
            expect_words_known(&train[s], &held_out[s]);
            text_free(&train[s]), text_free(&held_out[s]);
        }
    }
}

static void expect_numbers_depend_on_seed(uint64_t seed, bool equal) {
    TextBuffer a[2] = {{0}}, b[2] = {{0}};
    numbers_text(1, SPLIT_TRAIN, 50, &a[0], &a[1]);
    numbers_text(seed, SPLIT_TRAIN, 60, &b[0], &b[1]);
    assert_int_equal(!strncmp(a[0].text, b[0].text, a[0].length), equal);
    for (size_t i = 0; i < 2; i++) text_free(&a[i]), text_free(&b[i]);
}

static void line_i_is_a_function_of_seed_and_i(void **state) {
    (void)state;
    expect_numbers_depend_on_seed(1, true);
    expect_numbers_depend_on_seed(2, false);
    TextBuffer a = {0}, b = {0}, c = {0};
    grammar_text(1, SPLIT_TRAIN, 50, &a);
    grammar_text(1, SPLIT_TRAIN, 60, &b);
    grammar_text(1, SPLIT_VAL, 50, &c);
    assert_int_equal(strncmp(a.text, b.text, a.length), 0);
    assert_int_not_equal(strcmp(a.text, c.text), 0);
    text_free(&a), text_free(&b), text_free(&c);
}

/* ---- grammar ---- */

static void sentences_are_told_from_others(void **state) {
    (void)state;
    static const char *const GOOD[] = {
        "the dog sleeps .",
        "the dogs sleep .",
        "every small cat sees many mice .",
        "the dog that the cats see runs .",
        "the dogs that every cat that sings sees run .",
        "the fox that follows many wolves waits .",
        "( the dog sleeps ) and the cats sing .",
        "( ( the dog sleeps ) and the cats sing ) while the mice wait .",
        " the  dog sleeps . ",
    };
    static const char *const BAD[] = {
        "",
        ".",
        "the dog sleep .",
        "the dogs sleeps .",
        "every dogs sleep .",
        "many dog sleeps .",
        "the dog sleeps",
        "the dog sleeps . .",
        "the dog sees .",
        "the dog that the cats sees runs .",
        "the dog that the cats see run .",
        "the dogs that every cat sees runs .",
        "the dog that sees the many dogs see runs .",
        "the small young dog sleeps .",
        "the dog that that sleeps runs .",
        "( the dog sleeps and the cats sing .",
        "the dog sleeps ) and the cats sing .",
        "( the dog sleeps ) the cats sing .",
        "the dog sleeps .\n",
        "the unicorn sleeps .",
    };
    for (size_t i = 0; i < COUNT(GOOD); i++)
        if (!grammar_accepts(GOOD[i])) fail_msg("refused: %s", GOOD[i]);
    for (size_t i = 0; i < COUNT(BAD); i++)
        if (grammar_accepts(BAD[i])) fail_msg("accepted: %s", BAD[i]);
}

static void brackets_without_end_are_refused(void **state) {
    (void)state;
    enum { DEEP = 1000000 };
    char *line = mem_alloc(2 * DEEP + 1);
    for (size_t i = 0; i < DEEP; i++) memcpy(line + 2 * i, "( ", 2);
    line[2 * DEEP] = 0;
    assert_false(grammar_accepts(line));
    mem_free(line);
}

static const char *const VERBS[][2] = {{"sees", "see"},     {"chases", "chase"},
                                       {"hears", "hear"},   {"follows", "follow"},
                                       {"likes", "like"},   {"fears", "fear"},
                                       {"sleeps", "sleep"}, {"sings", "sing"},
                                       {"runs", "run"},     {"hides", "hide"},
                                       {"waits", "wait"},   {"eats", "eat"}};

/* The word's other number; NULL: no verb. */
static const char *other_number(const char *word) {
    for (size_t v = 0; v < COUNT(VERBS); v++)
        for (size_t m = 0; m < 2; m++)
            if (!strcmp(VERBS[v][m], word)) return VERBS[v][!m];
    return NULL;
}

/* Each of the line's verbs once in the wrong number. */
static size_t expect_no_verb_can_change(const char *line) {
    size_t verbs = 0;
    for (const char *at = line; *at; at += strspn(at, " ")) {
        char word[40], wrong[420];
        size_t length = strcspn(at, " ");
        text_format(word, sizeof word, "%.*s", (int)length, at);
        const char *other = other_number(word);
        if (other) {
            text_format(wrong, sizeof wrong, "%.*s%s%s", (int)(at - line), line, other,
                        at + length);
            if (grammar_accepts(wrong)) fail_msg("accepted: %s", wrong);
            verbs++;
        }
        at += length;
    }
    return verbs;
}

static void what_is_drawn_is_accepted_until_a_verb_changes_its_number(void **state) {
    (void)state;
    enum { LINES = 3000 };
    TextBuffer text = {0};
    char line[400];
    size_t at = 0, verbs = 0;
    grammar_text(5, SPLIT_TRAIN, LINES, &text);
    for (size_t i = 0; i < LINES; i++) {
        at = next_line(&text, at, line);
        if (!grammar_accepts(line)) fail_msg("refused: %s", line);
        verbs += expect_no_verb_can_change(line);
    }
    assert_int_equal(at, text.length);
    assert_true(verbs > LINES * 5 / 4);
    text_free(&text);
}

/* -ln p of a drawn sentence, from the rules written down once more.  `word` goes on. */
typedef struct Score {
    const char *at;
    char word[40];
    double nats;
    size_t words;
} Score;

static void advance(Score *s) {
    size_t length = strcspn(s->at, " ");
    text_format(s->word, sizeof s->word, "%.*s", (int)length, s->at);
    s->at += length + strspn(s->at + length, " ");
}

static void next(Score *s, double p) {
    s->nats -= log(p);
    s->words++;
    advance(s);
}

static bool is(const Score *s, const char *word) { return !strcmp(s->word, word); }

static bool is_verb(const Score *s, bool transitive) {
    for (size_t v = transitive ? 0 : 6; v < (transitive ? 6 : 12); v++)
        if (is(s, VERBS[v][0]) || is(s, VERBS[v][1])) return true;
    return false;
}

static void score_verb_phrase(Score *s, int depth);

static void score_noun_phrase(Score *s, int depth) {
    static const char *const ADJECTIVES[] = {"grey", "small", "young", "wild"};
    bool adjective = false;
    next(s, 0.5); /* the, or every / many */
    for (size_t i = 0; i < COUNT(ADJECTIVES); i++) adjective |= is(s, ADJECTIVES[i]);
    if (adjective) next(s, 0.3 / 4);
    if (!adjective) s->nats -= log(0.7);
    next(s, 1.0 / 8);
    if (depth == 3) return;
    s->nats -= log(is(s, "that") ? 0.25 : 0.75);
    if (!is(s, "that")) return;
    next(s, 0.5);
    if (is_verb(s, true) || is_verb(s, false)) {
        score_verb_phrase(s, depth + 1);
        return;
    }
    s->nats += log(2); /* one or many */
    score_noun_phrase(s, depth + 1);
    next(s, 1.0 / 6);
}

static void score_verb_phrase(Score *s, int depth) {
    bool transitive = is_verb(s, true);
    next(s, 0.5 / 6);
    if (!transitive) return;
    s->nats += log(2);
    score_noun_phrase(s, depth);
}

static void score_clause(Score *s, int depth) {
    if (is(s, "(")) {
        next(s, 0.1);
        score_clause(s, depth + 1);
        next(s, 1);
        next(s, 0.5);
        score_clause(s, depth + 1);
        return;
    }
    s->nats += log(2) - (depth < 2 ? log(0.9) : 0);
    score_noun_phrase(s, 0);
    score_verb_phrase(s, 0);
}

static void the_entropy_is_the_mean_surprise_of_drawn_sentences(void **state) {
    (void)state;
    enum { LINES = 20000 };
    TextBuffer text = {0};
    char line[1000];
    double sum = 0, square = 0, words = 0, words_square = 0, tokens;
    grammar_text(9, SPLIT_TRAIN, LINES, &text);
    const char *at = text.text;
    for (size_t i = 0; i < LINES; i++, at = strchr(at, '\n') + 1) {
        Score s = {.at = line};
        text_format(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        advance(&s);
        score_clause(&s, 0);
        assert_string_equal(s.word, ".");
        double length = (double)s.words + 2;
        sum += s.nats, square += s.nats * s.nats;
        words += length, words_square += length * length;
    }
    double entropy = grammar_entropy(&tokens), n = LINES;
    double spread = sqrt((square / n - sum / n * sum / n) / n);
    double words_spread = sqrt((words_square / n - words / n * words / n) / n);
    /* 4 standard errors */
    if (fabs(sum / n - entropy) > 4 * spread)
        fail_msg("entropy %g, mean surprise %g +- %g", entropy, sum / n, spread);
    if (fabs(words / n - tokens) > 4 * words_spread)
        fail_msg("tokens %g, mean %g +- %g", tokens, words / n, words_spread);
    assert_true(spread < entropy / 100);
    assert_true(grammar_entropy(NULL) == entropy);
    text_free(&text);
}

/* How often the word stands in the text, parted by blanks and line ends. */
static double times(const char *text, const char *word) {
    size_t length = strlen(word), count = 0;
    for (const char *at = text; (at = strstr(at, word)); at += length)
        count += at > text && strchr(" \n", at[-1]) && strchr(" \n", at[length]);
    return (double)count;
}

static void words_of_a_kind_are_drawn_equally_often(void **state) {
    (void)state;
    static const char *const KINDS[][6] = {
        {"grey", "small", "young", "wild"},
        {"while", "and"},
        {"dog", "cat", "mouse", "wolves", "sheep-dog", "sheep-dogs"},
        {"sees", "chases", "hears", "follows", "likes", "fears"},
        {"sleep", "sing", "run", "hide", "wait", "eat"}};
    TextBuffer text = {0};
    grammar_text(3, SPLIT_TRAIN, 20000, &text);
    text_append_byte(&text, 0);
    for (size_t k = 0; k < COUNT(KINDS); k++) {
        size_t n = 0;
        double count[6], sum = 0;
        for (; n < 6 && KINDS[k][n]; n++) sum += count[n] = times(text.text, KINDS[k][n]);
        /* 5 standard deviations of a count: of one sentence's words few are of one
         * kind */
        for (size_t i = 0; i < n; i++)
            if (fabs(count[i] - sum / (double)n) > 5 * sqrt(sum / (double)n))
                fail_msg("%s: %g times, mean %g", KINDS[k][i], count[i], sum / (double)n);
    }
    text_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_said_as_people_say_them),
        cmocka_unit_test(words_mean_their_number),
        cmocka_unit_test(four_numbers_in_five_are_for_training),
        cmocka_unit_test(each_split_has_numbers_of_its_own_of_all_lengths),
        cmocka_unit_test(every_word_of_a_held_out_split_is_in_training),
        cmocka_unit_test(line_i_is_a_function_of_seed_and_i),
        cmocka_unit_test(sentences_are_told_from_others),
        cmocka_unit_test(brackets_without_end_are_refused),
        cmocka_unit_test(what_is_drawn_is_accepted_until_a_verb_changes_its_number),
        cmocka_unit_test(words_of_a_kind_are_drawn_equally_often),
        cmocka_unit_test(the_entropy_is_the_mean_surprise_of_drawn_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
