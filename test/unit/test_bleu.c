/* BLEU and the tokenizer 13a. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "data/text/bleu.h"
#include "data/text/tok13a.h"
#include "files.h"

static json_t *read_json(const char *path) {
    json_error_t error;
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (!root) fail_msg("%s: %s", path, error.text);
    return root;
}

/* ---- the tokenizer ----------------------------------------------------------------------- */

static void tokens_are_those_of_the_regular_expressions(void **state) {
    (void)state;
    json_t *cases = read_json("test/golden/tok13a.json"), *pair;
    TextBuffer tokens = {0};
    size_t i;
    assert_true(json_array_size(cases) > 400);
    json_array_foreach(cases, i, pair) {
        const json_t *line = json_array_get(pair, 0), *expected = json_array_get(pair, 1);
        tok13a(json_string_value(line), json_string_length(line), &tokens);
        if (tokens.length != json_string_length(expected) ||
            memcmp(tokens.text, json_string_value(expected), tokens.length))
            fail_msg("%s becomes %s, not %s", json_string_value(line), tokens.text,
                     json_string_value(expected));
    }
    text_free(&tokens);
    json_decref(cases);
}

static void bytes_that_are_no_text_go_through_the_tokenizer(void **state) {
    (void)state;
    TextBuffer tokens = {0};
    tok13a("\xFF.\xC3,1\x80-\xE2\x82", 9, &tokens);
    assert_string_equal(tokens.text, "\xFF . \xC3 , 1\x80-\xE2\x82");
    tok13a(NULL, 0, &tokens);
    assert_string_equal(tokens.text, "");
    text_free(&tokens);
}

/* ---- small cases by hand ----------------------------------------------------------------- */

static void add(BleuCounts *counts, BleuMethod method, const char *ours,
                const char *theirs) {
    bleu_add(counts, method, ours, strlen(ours), theirs, strlen(theirs));
}

static BleuScore score_pair(BleuMethod method, const char *ours, const char *theirs) {
    BleuCounts counts = {0};
    add(&counts, method, ours, theirs);
    return bleu_score(&counts, method);
}

static void assert_near(double seen, double wanted, double tolerance, const char *what) {
    if (!(fabs(seen - wanted) <= tolerance))
        fail_msg("%s: %.9g, not %.9g", what, seen, wanted);
}

static const BleuMethod METHODS[] = {BLEU_TOKENS, BLEU_13A, BLEU_13A_LOWER};

static void a_text_that_is_its_reference_has_100(void **state) {
    (void)state;
    for (size_t m = 0; m < COUNT(METHODS); m++) {
        BleuScore score =
            score_pair(METHODS[m], "the cat sat down", " the cat\tsat  down ");
        assert_near(score.score, 100, 1e-9, "score");
        assert_near(score.brevity_penalty, 1, 0, "brevity penalty");
        for (size_t n = 0; n < BLEU_ORDER; n++)
            assert_near(score.precision[n], 100, 0, "precision");
    }
}

static void nothing_said_has_0(void **state) {
    (void)state;
    char line[BLEU_LINE];
    for (size_t m = 0; m < COUNT(METHODS); m++) {
        BleuScore score = score_pair(METHODS[m], "", "the cat sat down");
        assert_near(score.score, 0, 0, "score");
        assert_near(score.brevity_penalty, 0, 0, "brevity penalty");
        assert_string_equal(bleu_line(&score, line),
                            "BLEU = 0.00 0.0/0.0/0.0/0.0 (BP = 0.000 ratio = 0.000 "
                            "hyp_len = 0 ref_len = 4)");
        score = score_pair(METHODS[m], "", "");
        assert_near(score.score, 0, 0, "score of nothing");
        assert_non_null(strstr(bleu_line(&score, line), "ratio = 0.000"));
        score = score_pair(METHODS[m], "a b c d", "");
        assert_near(score.score, 0, 0, "score without a reference");
        assert_near(score.precision[0], 0, 0, "precision without a reference");
    }
}

static void an_empty_sentence_among_others_shortens_the_corpus(void **state) {
    (void)state;
    BleuCounts counts = {0};
    add(&counts, BLEU_TOKENS, "a b c d e", "a b c d e");
    add(&counts, BLEU_TOKENS, "", "f g h i j");
    BleuScore score = bleu_score(&counts, BLEU_TOKENS);
    assert_near(score.score, 100 * exp(-1), 1e-9, "score");
}

/* 6 of 8 tokens: BP = exp(1 - 8/6); all n-grams match. */
static void a_short_text_pays_the_brevity_penalty(void **state) {
    (void)state;
    BleuScore score = score_pair(BLEU_TOKENS, "a b c d e f", "a b c d e f g h");
    assert_near(score.brevity_penalty, exp(1 - 8.0 / 6), 1e-12, "brevity penalty");
    assert_near(score.score, 100 * exp(1 - 8.0 / 6), 1e-9, "score");
    score = score_pair(BLEU_TOKENS, "a b c d e f g h", "a b c d e f");
    assert_near(score.brevity_penalty, 1, 0, "brevity penalty of a long text");
}

/* 1-grams: the is matched twice of four times, a once: 3 of 5; 2-grams: "the the" once of
 * three times, "the a" once: 2 of 4; 3-grams: "the the a": 1 of 3; 4-grams: none of 2. */
static void a_word_matches_as_often_as_the_reference_has_it(void **state) {
    (void)state;
    BleuCounts counts = {0};
    add(&counts, BLEU_TOKENS, "the the the the a", "x the the a y");
    static const size_t MATCHES[] = {3, 2, 1, 0}, TOTALS[] = {5, 4, 3, 2};
    for (size_t n = 0; n < BLEU_ORDER; n++) {
        assert_int_equal(counts.match[n], MATCHES[n]);
        assert_int_equal(counts.total[n], TOTALS[n]);
    }
    /* plain: an order without a match; smoothed: it counts half a match */
    assert_near(bleu_score(&counts, BLEU_TOKENS).score, 0, 0, "plain score");
    BleuScore smoothed = bleu_score(&counts, BLEU_13A);
    assert_near(smoothed.precision[3], 25, 1e-12, "smoothed precision");
    assert_near(smoothed.score, 100 * pow(0.6 * 0.5 * (1.0 / 3) * 0.25, 0.25), 1e-9,
                "score");
}

/* Two orders without a match: 1/2 of one 3-gram of 2, 1/4 of the 4-gram. */
static void each_order_without_a_match_counts_half_as_much(void **state) {
    (void)state;
    BleuScore score = score_pair(BLEU_13A, "a b x c", "a b y z");
    assert_near(score.precision[2], 25, 1e-12, "3-grams");
    assert_near(score.precision[3], 25, 1e-12, "4-grams");
    assert_near(score.score, 100 * pow(0.5 * (1.0 / 3) * 0.25 * 0.25, 0.25), 1e-9,
                "score");
    assert_near(score_pair(BLEU_13A, "p q r s", "a b c d").score, 0, 0,
                "no word in common");
    assert_near(score_pair(BLEU_13A, "a b c", "a b c").score, 0, 0, "no 4-gram at all");
}

/* "ab c" and "a bc" have the same letters, and "a b" is no word. */
static void words_are_not_glued_together(void **state) {
    (void)state;
    BleuCounts counts = {0};
    add(&counts, BLEU_TOKENS, "ab c d e", "a bc d e");
    assert_int_equal(counts.match[0], 2);
    assert_int_equal(counts.match[1], 1);
    assert_int_equal(counts.match[2], 0);
}

static void case_matters_but_to_the_lower_cased_score(void **state) {
    (void)state;
    const char *ours = "\xC3\x84 Cat Sat \xD0\x96 \xC4\xB0",
               *theirs = "\xC3\xA4 cat sat \xD0\xB6 i\xCC\x87";
    assert_near(score_pair(BLEU_13A, ours, theirs).score, 0, 0, "mixed");
    assert_near(score_pair(BLEU_13A_LOWER, ours, theirs).score, 100, 1e-9, "lower");
    assert_near(score_pair(BLEU_13A_LOWER, "\xC3 A b\xFF C", "\xC3 a B\xFF c").score, 100,
                1e-9, "bytes that are no text");
}

static void a_newline_at_the_end_joins_nothing(void **state) {
    (void)state;
    assert_near(score_pair(BLEU_13A, "a b c d-\n", "a b c d-").score, 100, 1e-9, "score");
}

static void parts_of_a_corpus_add_up(void **state) {
    (void)state;
    static const char *const OURS[] = {"a b c d e f", "the cat sat on a mat", "x y z"};
    static const char *const THEIRS[] = {"a b c e f g", "the cat sat on the mat",
                                         "x z y w"};
    BleuCounts forward = {0}, backward = {0};
    for (size_t i = 0; i < 3; i++) {
        add(&forward, BLEU_13A, OURS[i], THEIRS[i]);
        add(&backward, BLEU_13A, OURS[2 - i], THEIRS[2 - i]);
    }
    assert_memory_equal(&forward, &backward, sizeof forward);
    assert_int_equal(forward.hypothesis_length, 15);
    assert_int_equal(forward.total[3], 6);
}

static void a_score_is_printed_with_its_signature(void **state) {
    (void)state;
    char line[BLEU_LINE];
    BleuScore score = {.score = 34.123,
                       .precision = {65.12, 41, 27.25, 18.34},
                       .brevity_penalty = 0.9871,
                       .hypothesis_length = 12345,
                       .reference_length = 12500};
    assert_string_equal(bleu_line(&score, line),
                        "BLEU = 34.12 65.1/41.0/27.2/18.3 (BP = 0.987 ratio = 0.988 "
                        "hyp_len = 12345 ref_len = 12500)");
    assert_string_equal(
        bleu_signature(BLEU_13A),
        "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:steady-" STEADY_VERSION);
    assert_non_null(strstr(bleu_signature(BLEU_13A_LOWER), "case:lc"));
    assert_non_null(strstr(bleu_signature(BLEU_TOKENS), "tok:none|smooth:none"));
}

/* ---- sacreBLEU's own scores -------------------------------------------------------------- */

static double number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) fail_msg("no number %s", key);
    return json_number_value(value);
}

static BleuScore score_case(const json_t *one, BleuMethod method) {
    const json_t *ours = json_object_get(one, "hypotheses");
    const json_t *theirs = json_object_get(one, "references");
    BleuCounts counts = {0};
    assert_true(json_array_size(ours) > 0);
    assert_int_equal(json_array_size(ours), json_array_size(theirs));
    for (size_t i = 0; i < json_array_size(ours); i++) {
        const json_t *a = json_array_get(ours, i), *b = json_array_get(theirs, i);
        bleu_add(&counts, method, json_string_value(a), json_string_length(a),
                 json_string_value(b), json_string_length(b));
    }
    return bleu_score(&counts, method);
}

static void check_case(const json_t *one, BleuMethod method, const char *key) {
    const json_t *wanted = json_object_get(one, key);
    const json_t *precisions = json_object_get(wanted, "precisions");
    BleuScore score = score_case(one, method);
    char what[200];
    text_format(what, sizeof what, "%s, %s",
                json_string_value(json_object_get(one, "name")), key);
    /* the same arithmetic in the same precision, but for the order of sums */
    assert_near(score.score, number(wanted, "score"), 1e-9, what);
    if (!precisions) return;
    for (size_t n = 0; n < BLEU_ORDER; n++)
        assert_near(score.precision[n], json_number_value(json_array_get(precisions, n)),
                    1e-9, what);
    assert_near(score.brevity_penalty, number(wanted, "brevity_penalty"), 1e-12, what);
    assert_near((double)score.hypothesis_length, number(wanted, "hyp_len"), 0, what);
    assert_near((double)score.reference_length, number(wanted, "ref_len"), 0, what);
}

static void scores_are_sacrebleus(void **state) {
    (void)state;
    json_t *root = read_json(files_real("../golden/bleu.json")), *one;
    const json_t *cases = json_object_get(root, "cases");
    size_t i;
    assert_true(json_array_size(cases) >= 10);
    json_array_foreach(cases, i, one) {
        check_case(one, BLEU_TOKENS, "tokens_no_smoothing");
        check_case(one, BLEU_13A, "sacrebleu_13a");
        check_case(one, BLEU_13A_LOWER, "sacrebleu_13a_lowercase");
    }
    json_decref(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_those_of_the_regular_expressions),
        cmocka_unit_test(bytes_that_are_no_text_go_through_the_tokenizer),
        cmocka_unit_test(a_text_that_is_its_reference_has_100),
        cmocka_unit_test(nothing_said_has_0),
        cmocka_unit_test(an_empty_sentence_among_others_shortens_the_corpus),
        cmocka_unit_test(a_short_text_pays_the_brevity_penalty),
        cmocka_unit_test(a_word_matches_as_often_as_the_reference_has_it),
        cmocka_unit_test(each_order_without_a_match_counts_half_as_much),
        cmocka_unit_test(words_are_not_glued_together),
        cmocka_unit_test(case_matters_but_to_the_lower_cased_score),
        cmocka_unit_test(a_newline_at_the_end_joins_nothing),
        cmocka_unit_test(parts_of_a_corpus_add_up),
        cmocka_unit_test(a_score_is_printed_with_its_signature),
        cmocka_unit_test(scores_are_sacrebleus),
    };
    return cmocka_run_group_tests_name("bleu", tests, NULL, NULL);
}
