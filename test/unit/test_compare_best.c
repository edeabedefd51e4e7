/* Which learning rate is a method's best (tools/sweep/compare.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep_words.h"
#include "tools/sweep/compare.h"

#define CHANCE 2.302585

enum { SEEDS = 4 };

static void end_cell(SweepCell *cell, double loss) {
    if (isnan(loss)) return; /* it has not ended */
    cell->exit = isinf(loss) ? FAIL_DIVERGED : OK;
    cell->result.nonfinite = cell->result.diverged = isinf(loss);
    cell->result.metric = "top1";
    text_format(cell->result.split, sizeof cell->result.split, "test");
    cell->result.scores[METRIC_LOSS] = isinf(loss) ? 0.5 : loss;
    cell->result.score = 0.5;
    cell->result.chance = cell->result.guess_nll = CHANCE;
    cell->result.verdict = "learned";
}

/* Of a method with these losses at 0.01, 0.02, ...; NAN: has not ended, INFINITY: became
 * non-finite.  0: it has none.  `line` is in what is printed, or NULL for none that tells
 * of a rate passed over. */
static double best_of(size_t rates, const double (*loss)[SEEDS], const char *line) {
    static const char *const WORDS[] = {"", "", "optim.lr=0.01,0.02",
                                        "optim.lr=0.01,0.02,0.03"};
    Sweep sweep;
    Pool pool;
    OPEN(&sweep, "demo", WORDS[rates], "train.seed=0,1,2,3");
    for (size_t c = 0; c < sweep.cell_count; c++)
        end_cell(&sweep.cells[c], loss[c / SEEDS][c % SEEDS]);
    assert_int_equal(pool_open(&pool, &sweep, 1, &(SweepChoice){NULL, NULL}, NULL), OK);
    Comparison comparison = compare_new(&pool);
    const CompareCurve *curve = comparison.curves;
    double best = curve->best < SIZE_MAX ? pool.rate[curve->best] : 0;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    compare_print(&pool, &comparison, out);
    fclose(out);
    if (line ? !strstr(text, line) : strstr(text, "passed over") != NULL)
        fail_msg("wanted %s:\n%s", line ? line : "no rate passed over", text);
    free(text);
    compare_free(&comparison);
    pool_close(&pool);
    sweep_close(&sweep);
    return best;
}

#define BEST(line, ...)                                                                  \
    best_of(sizeof((double[][SEEDS]){__VA_ARGS__}) / sizeof(double[SEEDS]),              \
            (const double[][SEEDS]){__VA_ARGS__}, line)
#define IS(wanted, got) assert_float_equal(wanted, got, 1e-9)
#define PASSED "a learning rate with a lower mean test loss is passed over"

static void it_has_the_lowest_mean(void **state) {
    (void)state;
    IS(0.02, BEST(NULL, {2, 2, 2, 2}, {1, 2, 1, 2}, {2, 2, 2, 1}));
    IS(0.01, BEST(NULL, {1, 1, 1, 1}, {1, 1, 1, 1})); /* the lower one of equals */
}

/* Three seeds learn at 0.01; at 0.02 four stay at guessing. */
static void more_seeds_do_not_make_a_rate_the_best(void **state) {
    (void)state;
    IS(0.01, BEST(NULL, {1, 1, 1, NAN}, {CHANCE, CHANCE, CHANCE, CHANCE}));
    IS(0.01, BEST(NULL, {1, NAN, 1, NAN}, {3, 3, 3, NAN}));
}

/* The one seed that is left has the lowest loss of all, by chance. */
static void a_rate_with_few_of_the_seeds_is_not_the_best(void **state) {
    (void)state;
    IS(0.02, BEST(PASSED, {0.125, NAN, NAN, NAN}, {1, 2, 1.5, 1.75}));
    IS(0.02, BEST(PASSED, {0.125, 0.5, NAN, NAN}, {1, 2, 1.5, 1.75})); /* half of them */
    IS(0.01, BEST(NULL, {0.125, NAN, NAN, NAN}, {NAN, 1, NAN, NAN}));
}

/* On the seeds in common 0.02 is better; the fourth, which 0.01 lacks, is a bad one. */
static void a_further_seed_at_one_rate_moves_nothing(void **state) {
    (void)state;
    IS(0.02, BEST(NULL, {2, 2, 2, NAN}, {1, 1, 1, NAN}));
    IS(0.02, BEST(PASSED, {2, 2, 2, NAN}, {1, 1, 1, 9}));
    IS(0.01, BEST(NULL, {1, 1, 1, NAN}, {1.25, 1.25, 1.25, NAN}));
    IS(0.01, BEST(PASSED, {1, 1, 1, NAN}, {1.25, 1.25, 1.25, 0}));
    IS(0.02, BEST(NULL, {2, 2, NAN, NAN}, {NAN, NAN, 1, 1})); /* none in common */
}

/* Worse than guessing at 0.02, and broken off, all or one, at 0.01. */
static void a_rate_where_runs_break_off_is_not_the_best(void **state) {
    (void)state;
    const double no = INFINITY;
    IS(0.02, BEST(NULL, {no, no, no, no}, {3, 3, 3, 3}));
    IS(0.02, BEST(PASSED, {2.75, 2.75, 2.75, no}, {3, 3, 3, 3}));
    IS(0.02, BEST(PASSED, {1, 1, 1, no}, {3, 3, 3, NAN})); /* shares, not numbers */
    IS(0.01, BEST(NULL, {1, 1, no, NAN}, {no, 3, 3, no}));
    IS(0, best_of(2, (const double[][SEEDS]){{no, no, no, no}, {no, no, no, no}}, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_the_lowest_mean),
        cmocka_unit_test(more_seeds_do_not_make_a_rate_the_best),
        cmocka_unit_test(a_rate_with_few_of_the_seeds_is_not_the_best),
        cmocka_unit_test(a_further_seed_at_one_rate_moves_nothing),
        cmocka_unit_test(a_rate_where_runs_break_off_is_not_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
