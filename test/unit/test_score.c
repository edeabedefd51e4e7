/* scores: sums of several ranks, the row and the line, what schedule and
 * best checkpoint go by. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/task/score.h"

/* What score_reduce does where two ranks have these parts. */
static Score both(const Score *a, const Score *b) {
    double sum[SCORE_SUMS], other[SCORE_SUMS];
    Score whole = *a;
    score_sums(a, sum);
    score_sums(b, other);
    for (size_t i = 0; i < SCORE_SUMS; i++) sum[i] += other[i];
    score_of_sums(&whole, sum);
    return whole;
}

static void a_mean_is_over_the_examples_of_all_ranks(void **state) {
    (void)state;
    Score a = score_begin(SPLIT_VAL, TASK_CLASSIFY), b = a;
    a.count = 3, a.skipped = 1, a.nll = 3, a.value[METRIC_LOSS] = 6;
    a.value[METRIC_TOP1] = 2;
    b.count = 1, b.nll = 2, b.value[METRIC_LOSS] = 2, b.value[METRIC_TOP1] = 1;
    Score whole = both(&a, &b);
    assert_true(whole.count == 4 && whole.skipped == 1 && whole.nll == 1.25);
    assert_true(whole.value[METRIC_LOSS] == 2 && whole.value[METRIC_TOP1] == 0.75);
    assert_true(whole.value[METRIC_TOP5] == 0 && isnan(whole.value[METRIC_WER]));
}

static void a_ratio_is_of_the_sums_of_all_ranks(void **state) {
    (void)state;
    Score a = score_begin(SPLIT_TEST, TASK_TRANSCRIBE), b = a;
    a.value[METRIC_WER] = 2, a.whole[METRIC_WER] = 4;
    a.words = (EditCount){.reference = 4, .insertions = 2};
    b.value[METRIC_WER] = 1, b.whole[METRIC_WER] = 8;
    b.words = (EditCount){.reference = 8, .deletions = 1};
    Score whole = both(&a, &b);
    assert_true(whole.value[METRIC_WER] == 0.25);
    assert_true(whole.words.reference == 12 && whole.words.insertions == 2);
    assert_true(whole.words.deletions == 1 && whole.words.substitutions == 0);
    assert_true(isnan(whole.value[METRIC_CER])); /* no reference had a character */
    assert_true(isnan(whole.value[METRIC_TOP1]));
}

static void perplexity_is_of_the_mean_loss_of_all_ranks(void **state) {
    (void)state;
    Score a = score_begin(SPLIT_TEST, TASK_TRANSLATE), b = a;
    a.count = 2, a.nll = 4;
    b.count = 6, b.nll = 0;
    a.value[METRIC_BLEU] = b.value[METRIC_BLEU] = 30; /* every rank has it: not 60 */
    Score whole = both(&a, &b);
    assert_true(whole.value[METRIC_PPL] == exp(0.5));
    assert_true(whole.value[METRIC_BLEU] == 30 && isnan(whole.value[METRIC_BLEU_TOKENS]));
}

static void no_number_of_one_rank_is_one_of_all(void **state) {
    (void)state;
    Score a = score_begin(SPLIT_VAL, TASK_CLASSIFY), b = a;
    a.count = b.count = 1;
    a.value[METRIC_LOSS] = NAN, b.value[METRIC_LOSS] = 1;
    assert_true(isnan(both(&a, &b).value[METRIC_LOSS]));
    b.count = a.count = 0;
    b.value[METRIC_LOSS] = a.value[METRIC_LOSS] = 0;
    assert_true(both(&a, &b).value[METRIC_LOSS] == 0); /* an empty split */
}

static void one_process_is_all_ranks(void **state) {
    (void)state;
    Score score = score_begin(SPLIT_VAL, TASK_CLASSIFY);
    score.count = 4, score.value[METRIC_TOP5] = 3;
    score_reduce(&score, NULL);
    assert_true(score.value[METRIC_TOP5] == 0.75);
}

static void less_of_what_is_watched_is_better(void **state) {
    (void)state;
    Score s = score_begin(SPLIT_VAL, TASK_CLASSIFY);
    for (size_t m = 0; m < METRIC_COUNT; m++) s.value[m] = 2 + (double)m;
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        double sign = metrics[m].better == BETTER_HIGH ? -1 : 1;
        assert_true(score_watched(&s, (Metric)m) == sign * s.value[m]);
    }
    s.nll = 1; /* which smoothing makes another than the loss */
    assert_true(score_goodness(&s, METRIC_LOSS) == -1);
    assert_true(score_goodness(&s, METRIC_TOP1) == s.value[METRIC_TOP1]);
    assert_true(score_goodness(&s, METRIC_WER) == -s.value[METRIC_WER]);
}

static void what_is_not_measured_is_not_a_number(void **state) {
    (void)state;
    Score s = score_begin(SPLIT_TEST, TASK_LANGUAGE);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
        bool summed = m == METRIC_LOSS || m == METRIC_PPL;
        assert_true(isnan(score_watched(&s, (Metric)m)) == !summed);
    }
}

static void forget(Score *s) {
    for (size_t m = 0; m < METRIC_COUNT; m++) s->value[m] = NAN;
}

/* "val loss 1.2500  top-1 61.20%", and all metrics at once fit the line of the
 * trainer. */
static void a_line_names_what_was_measured(void **state) {
    (void)state;
    char text[SCORE_TEXT];
    Score s = score_begin(SPLIT_VAL, TASK_CLASSIFY);
    forget(&s);
    s.value[METRIC_LOSS] = 1.25, s.value[METRIC_TOP1] = 0.612;
    score_text(&s, text, sizeof text);
    assert_string_equal(text, "val loss 1.2500  top-1 61.20%");
    for (size_t m = 0; m < METRIC_COUNT; m++) s.value[m] = 12345.678;
    score_text(&s, text, sizeof text);
    assert_true(strlen(text) < sizeof text - 20 * METRIC_COUNT); /* nothing is cut */
    assert_non_null(strstr(text, "  BLEU 12345.68  WER 1234567.80%  CER 1234567.80%"));
}

static void a_row_has_the_loss_always_and_averages_of_some(void **state) {
    (void)state;
    Score s = score_begin(SPLIT_VAL, TASK_CLASSIFY);
    forget(&s);
    s.value[METRIC_TOP1] = 0.5, s.value[METRIC_TOP5] = 0, s.nll = 1, s.count = 8;
    json_t *row = score_row(&s, 7);
    score_add_average(row, &s);
    char *text = json_dumps(row, JSON_COMPACT);
    assert_string_equal(text, "{\"step\":7,\"split\":\"val\",\"loss\":null,\"top1\":0.5,"
                              "\"top5\":0.0,\"count\":8,\"nll\":1.0,\"ema_loss\":null,"
                              "\"ema_top1\":0.5}");
    free(text);
    json_decref(row);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mean_is_over_the_examples_of_all_ranks),
        cmocka_unit_test(a_ratio_is_of_the_sums_of_all_ranks),
        cmocka_unit_test(perplexity_is_of_the_mean_loss_of_all_ranks),
        cmocka_unit_test(no_number_of_one_rank_is_one_of_all),
        cmocka_unit_test(one_process_is_all_ranks),
        cmocka_unit_test(less_of_what_is_watched_is_better),
        cmocka_unit_test(what_is_not_measured_is_not_a_number),
        cmocka_unit_test(a_line_names_what_was_measured),
        cmocka_unit_test(a_row_has_the_loss_always_and_averages_of_some),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
