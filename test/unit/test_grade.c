/* What the score of a task says that was learned, and what the verdict makes of it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tools/task/task.h"

/* Of a kind that is found by what it is judged by. */
static const TaskOps *judged_by(Metric metric) {
    for (int kind = 0; kind < TASK_KINDS; kind++)
        if (task_ops((TaskKind)kind)->best == metric) return task_ops((TaskKind)kind);
    return NULL;
}

static Grade grade(Metric metric, double chance, size_t count, double value) {
    Task task = {.chance = chance};
    Score score = {.count = count, .nll = NAN};
    for (size_t m = 0; m < METRIC_COUNT; m++) score.value[m] = NAN;
    score.value[metric] = value;
    return judged_by(metric)->grade(&task, &score);
}

static void pictures_are_judged_against_chance_and_what_few_of_them_scatter(void **s) {
    (void)s;
    assert_int_equal(grade(METRIC_TOP1, log(10), 10000, 0.10), GRADE_NOT);
    assert_int_equal(grade(METRIC_TOP1, log(10), 10000, 0.15), GRADE_HARDLY);
    assert_int_equal(grade(METRIC_TOP1, log(10), 10000, 0.20), GRADE_LEARNED);
    assert_int_equal(grade(METRIC_TOP1, log(10), 10000, 0.105), GRADE_NOT);
    assert_int_equal(grade(METRIC_TOP1, log(10), 20, 0.25), GRADE_FEW);
    assert_int_equal(grade(METRIC_TOP1, log(10), 20, 0.10), GRADE_NOT);
    assert_int_equal(grade(METRIC_TOP1, log(10), 20, 0.95), GRADE_LEARNED);
    assert_int_equal(grade(METRIC_TOP1, log(2), 24, 19.0 / 24), GRADE_FEW);
    assert_int_equal(grade(METRIC_TOP1, log(2), 24, 0.5), GRADE_NOT);
    assert_int_equal(grade(METRIC_TOP1, log(2), 24, 1), GRADE_LEARNED);
    assert_int_equal(grade(METRIC_TOP1, log(2), 4, 1), GRADE_FEW);
    assert_int_equal(grade(METRIC_TOP1, log(2), 2400, 0.53), GRADE_NOT);
    assert_int_equal(grade(METRIC_TOP1, log(1), 20, 1), GRADE_UNKNOWN);
    assert_int_equal(grade(METRIC_TOP1, log(10), 20, NAN), GRADE_UNKNOWN);
}

static void a_recogniser_that_hears_nothing_has_not_learned(void **s) {
    (void)s;
    assert_int_equal(grade(METRIC_WER, NAN, 100, 1.0), GRADE_NOT);
    assert_int_equal(grade(METRIC_WER, NAN, 100, 1.6), GRADE_NOT);
    assert_int_equal(grade(METRIC_WER, NAN, 100, 0.7), GRADE_HARDLY);
    assert_int_equal(grade(METRIC_WER, NAN, 100, 0.2), GRADE_LEARNED);
}

/* Texts are chosen by their loss: those with BLEU are translations. */
static void translations_are_judged_by_bleu_where_it_is_measured(void **s) {
    (void)s;
    size_t found = 0;
    for (int kind = 0; kind < TASK_KINDS; kind++) {
        const TaskOps *ops = task_ops((TaskKind)kind);
        if (!ops->grade || !task_is((TaskKind)kind, metrics[METRIC_BLEU].tasks)) continue;
        Task task = {.chance = 4};
        Score score = {.count = 9, .nll = 1};
        for (size_t m = 0; m < METRIC_COUNT; m++) score.value[m] = NAN;
        assert_int_equal(ops->grade(&task, &score), GRADE_UNKNOWN);
        score.value[METRIC_BLEU] = 0.4;
        assert_int_equal(ops->grade(&task, &score), GRADE_NOT);
        score.value[METRIC_BLEU] = 5;
        assert_int_equal(ops->grade(&task, &score), GRADE_HARDLY);
        score.value[METRIC_BLEU] = 25;
        assert_int_equal(ops->grade(&task, &score), GRADE_LEARNED);
        static const struct {
            size_t different[2];
            Grade grade;
        } VARIETY[] = {{{1, 500}, GRADE_NOT},      {{1, 2}, GRADE_NOT},
                       {{50, 500}, GRADE_NOT},     {{200, 500}, GRADE_HARDLY},
                       {{2, 4}, GRADE_HARDLY},     {{490, 500}, GRADE_LEARNED},
                       {{500, 80}, GRADE_LEARNED}, {{1, 1}, GRADE_LEARNED}};
        for (size_t i = 0; i < COUNT(VARIETY); i++) {
            memcpy(score.different, VARIETY[i].different, sizeof score.different);
            if (ops->grade(&task, &score) != VARIETY[i].grade)
                fail_msg("%zu of %zu", VARIETY[i].different[0], VARIETY[i].different[1]);
        }
        score.value[METRIC_BLEU] = 5; /* the worse of the two counts */
        assert_int_equal(ops->grade(&task, &score), GRADE_HARDLY);
        found++;
    }
    assert_int_equal(found, 1);
}

/* By the loss without smoothing against its guess, whatever the objective is; nothing is
 * said where the guess is not known. */
static void texts_are_judged_without_label_smoothing(void **s) {
    (void)s;
    size_t found = 0;
    for (int kind = 0; kind < TASK_KINDS; kind++) {
        const TaskOps *ops = task_ops((TaskKind)kind);
        if (!ops->grade || ops->best != METRIC_LOSS ||
            task_is((TaskKind)kind, metrics[METRIC_BLEU].tasks))
            continue;
        static const struct {
            double nll;
            Grade grade;
        } CASES[] = {{2.7, GRADE_NOT}, {2.5, GRADE_HARDLY}, {2.3, GRADE_LEARNED}};
        for (size_t i = 0; i < COUNT(CASES); i++) {
            Score score = {.count = 9, .nll = CASES[i].nll};
            Task smooth = {.chance = 3.9, .guess_nll = 2.7};
            Task unknown = {.chance = 3.9};
            assert_int_equal(ops->grade(&smooth, &score), CASES[i].grade);
            assert_int_equal(ops->grade(&unknown, &score), GRADE_UNKNOWN);
        }
        found++;
    }
    assert_int_equal(found, 1);
}

static Verdict verdict(Grade grade, size_t fell_step) {
    static double loss[100];
    for (size_t i = 0; i < COUNT(loss); i++) loss[i] = 2.3 - 0.01 * (double)i;
    VerdictInput input = {.loss = loss,
                          .count = COUNT(loss),
                          .chance = log(10),
                          .grade = grade,
                          .low = ENTROPY_LOW_NONE};
    input.low.fell_step = fell_step;
    return run_verdict(&input);
}

static void learned_is_not_said_of_a_score_of_guessing(void **s) {
    (void)s;
    assert_int_equal(verdict(GRADE_UNKNOWN, 0).kind, VERDICT_LEARNED);
    assert_int_equal(verdict(GRADE_LEARNED, 0).kind, VERDICT_LEARNED);
    Verdict not = verdict(GRADE_NOT, 0), hardly = verdict(GRADE_HARDLY, 0);
    assert_int_equal(not .kind, VERDICT_NOT_LEARNED);
    assert_false(not .diverged);
    assert_memory_equal(not .summary, "Not learned: ", 13);
    assert_int_equal(hardly.kind, VERDICT_HARDLY);
    assert_memory_equal(hardly.summary, "Hardly learned: ", 16);
    Verdict few = verdict(GRADE_FEW, 0);
    assert_int_equal(few.kind, VERDICT_FEW);
    assert_false(few.diverged);
    assert_memory_equal(few.summary, "Too few to judge: ", 18);
    Verdict fell = verdict(GRADE_HARDLY, 5); /* what happened outranks it */
    assert_int_equal(fell.kind, VERDICT_COLLAPSED);
    assert_memory_equal(fell.summary, "Hardly learned: ", 16);
}

static void a_grade_has_its_name_in_a_row_and_is_found_by_it(void **s) {
    (void)s;
    for (int g = GRADE_NOT; g < GRADES; g++)
        assert_int_equal(grade_find(grade_name((Grade)g)), g);
    assert_int_equal(grade_find(NULL), GRADE_UNKNOWN);
    assert_int_equal(grade_find("brilliant"), GRADE_UNKNOWN);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_are_judged_against_chance_and_what_few_of_them_scatter),
        cmocka_unit_test(a_recogniser_that_hears_nothing_has_not_learned),
        cmocka_unit_test(translations_are_judged_by_bleu_where_it_is_measured),
        cmocka_unit_test(texts_are_judged_without_label_smoothing),
        cmocka_unit_test(learned_is_not_said_of_a_score_of_guessing),
        cmocka_unit_test(a_grade_has_its_name_in_a_row_and_is_found_by_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
