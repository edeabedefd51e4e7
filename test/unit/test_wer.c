/* Word and character errors. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/speech/wer.h"
#include "engine/core/rng.h"

static void expect_counts(const EditCount *c, size_t reference, size_t s, size_t i,
                          size_t d) {
    assert_int_equal(c->reference, reference);
    assert_int_equal(c->substitutions, s);
    assert_int_equal(c->insertions, i);
    assert_int_equal(c->deletions, d);
}

static void known_sentences_have_their_errors(void **state) {
    (void)state;
    static const struct Case {
        const char *reference, *hypothesis;
        size_t words[4], characters[4];
    } CASES[] = {
        {"one two", "one two", {2, 0, 0, 0}, {7, 0, 0, 0}},
        {"one two", "one too three", {2, 1, 1, 0}, {7, 1, 6, 0}},
        {"one two three", "two three", {3, 0, 0, 1}, {13, 0, 0, 4}},
        {"a b c", "", {3, 0, 0, 3}, {5, 0, 0, 5}},
        {"", "a b", {0, 0, 2, 0}, {0, 0, 3, 0}},
        {"", "", {0, 0, 0, 0}, {0, 0, 0, 0}},
        {"a b", "b a", {2, 2, 0, 0}, {3, 2, 0, 0}},
        {"  a   b ", "a b", {2, 0, 0, 0}, {3, 0, 0, 0}},
        {"kitten", "sitting", {1, 1, 0, 0}, {6, 2, 1, 0}},
        {"\xC3\xA4", "a", {1, 1, 0, 0}, {1, 1, 0, 0}},
    };
    for (size_t k = 0; k < COUNT(CASES); k++) {
        Wer wer = {0};
        const struct Case *c = &CASES[k];
        wer_add(&wer, c->reference, c->hypothesis);
        expect_counts(&wer.words, c->words[0], c->words[1], c->words[2], c->words[3]);
        expect_counts(&wer.characters, c->characters[0], c->characters[1],
                      c->characters[2], c->characters[3]);
        assert_int_equal(wer.wrong, wer_edits(&wer.words) > 0);
    }
}

static void rates_are_of_the_whole_split(void **state) {
    (void)state;
    Wer wer = {0}, other = {0};
    assert_true(isnan(wer_rate(&wer.words)));
    wer_add(&wer, "a", "b");
    wer_add(&other, "a b c", "a b c");
    wer_merge(&wer, &other);
    assert_true(wer_rate(&wer.words) == 0.25);
    assert_true(wer_rate(&wer.characters) == 1 / 6.0);
    assert_int_equal(wer.sentences, 2);
    assert_int_equal(wer.wrong, 1);
}

/* The definition, without a table. */
static size_t distance(const char *a, const char *b) {
    if (!*a || !*b) return strlen(a) + strlen(b);
    if (*a == *b) return distance(a + 1, b + 1);
    size_t change = distance(a + 1, b + 1), out = distance(a + 1, b),
           in = distance(a, b + 1);
    return 1 + MIN(change, MIN(out, in));
}

static void random_word(uint64_t trial, uint64_t side, char *word) {
    Rng dice = rng_make(trial, RNG_SYNTHETIC, side);
    size_t length = 1 + rng_below(dice, 0, 6);
    for (size_t i = 0; i < length; i++) word[i] = "abc"[rng_below(dice, i + 1, 3)];
    word[length] = 0;
}

static void edits_are_the_fewest_and_turn_around(void **state) {
    (void)state;
    for (uint64_t trial = 0; trial < 500; trial++) {
        char a[8], b[8];
        Wer there = {0}, back = {0};
        random_word(trial, 0, a);
        random_word(trial, 1, b);
        wer_add(&there, a, b);
        wer_add(&back, b, a);
        const EditCount *x = &there.characters, *y = &back.characters;
        assert_int_equal(wer_edits(x), distance(a, b));
        assert_int_equal(x->substitutions, y->substitutions);
        assert_int_equal(x->insertions, y->deletions);
        assert_int_equal(strlen(a) + x->insertions, strlen(b) + x->deletions);
    }
}

static void expect_lines(const char *reference, const char *hypothesis,
                         const char *lines) {
    TextBuffer text = {0};
    wer_align(reference, hypothesis, &text);
    assert_string_equal(text.text, lines);
    text_free(&text);
}

static void an_alignment_stands_in_columns(void **state) {
    (void)state;
    expect_lines("one two", "one too three",
                 "REF: one TWO *****\nHYP: one TOO THREE\n         S   I\n");
    expect_lines("nine one four", "one for",
                 "REF: NINE one FOUR\nHYP: **** one FOR\n"
                 "     D        S\n");
    expect_lines("a", "a", "REF: a\nHYP: a\n\n");
    expect_lines("", "", "REF:\nHYP:\n\n");
    expect_lines("\xC3\xA4x y", "a y", "REF: \xC3\xA4X y\nHYP: A  y\n     S\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_sentences_have_their_errors),
        cmocka_unit_test(rates_are_of_the_whole_split),
        cmocka_unit_test(edits_are_the_fewest_and_turn_around),
        cmocka_unit_test(an_alignment_stands_in_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
