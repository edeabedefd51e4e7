/* The k-nearest-neighbour classifier of linear probes. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "tools/probe/neighbours.h"

/* More than one block of either. */
enum { TRAIN = 2300, TEST = 150, WIDTH = 9, CLASSES = 5 };

static Features draw(size_t count, uint64_t seed) {
    Features f = {.count = count, .width = WIDTH, .classes = CLASSES};
    Rng noise = rng_make(seed, RNG_SYNTHETIC, 0), centre = rng_make(9, RNG_SYNTHETIC, 0);
    f.x = mem_array(count * WIDTH, sizeof *f.x);
    f.label = mem_array(count, sizeof *f.label);
    for (size_t i = 0; i < count; i++) {
        f.label[i] = rng_below(noise, 1000000 + i, CLASSES);
        for (size_t d = 0; d < WIDTH; d++)
            f.x[i * WIDTH + d] = (real)(0.7 * rng_normal(centre, f.label[i] * WIDTH + d) +
                                        rng_normal(noise, i * WIDTH + d));
    }
    return f;
}

/* ---- the same in double, by sorting all ---- */

typedef struct Pair {
    double like;
    size_t label;
} Pair;

static int more_alike(const void *a, const void *b) {
    double x = ((const Pair *)a)->like, y = ((const Pair *)b)->like;
    return (x < y) - (x > y);
}

static double cosine(const real *a, const real *b) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t d = 0; d < WIDTH; d++) {
        ab += (double)a[d] * (double)b[d];
        aa += (double)a[d] * (double)a[d];
        bb += (double)b[d] * (double)b[d];
    }
    return ab / sqrt(aa * bb);
}

static double by_sorting(const Features *train, const Features *test, size_t k,
                         double temperature) {
    static Pair pair[TRAIN];
    size_t right = 0;
    for (size_t i = 0; i < test->count; i++) {
        double votes[CLASSES] = {0};
        size_t best = 0;
        for (size_t j = 0; j < train->count; j++)
            pair[j] = (Pair){cosine(test->x + i * WIDTH, train->x + j * WIDTH),
                             train->label[j]};
        qsort(pair, train->count, sizeof *pair, more_alike);
        for (size_t j = 0; j < k; j++)
            votes[pair[j].label] += exp(pair[j].like / temperature);
        for (size_t c = 1; c < CLASSES; c++)
            if (votes[c] > votes[best]) best = c;
        right += best == test->label[i];
    }
    return (double)right / (double)test->count;
}

static void the_share_is_that_of_sorting_all_rows(void **state) {
    (void)state;
    static const struct {
        size_t k;
        double temperature;
    } CASES[] = {{1, 0.07}, {20, 0.07}, {20, 10}, {300, 0.07}, {TRAIN, 0.5}};
    Features train = draw(TRAIN, 1), test = draw(TEST, 2);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        size_t k = CASES[i].k;
        double t = CASES[i].temperature, share = neighbours_top1(&train, &test, k, t);
        if (fabs(share - by_sorting(&train, &test, k, t)) > 1e-9)
            fail_msg("%zu neighbours: %g, by sorting %g", k, share,
                     by_sorting(&train, &test, k, t));
        assert_true(share > 0.3 && share < 1);
    }
    features_free(&train);
    features_free(&test);
}

static void lengths_of_features_and_threads_do_not_matter(void **state) {
    (void)state;
    Features train = draw(TRAIN, 1), test = draw(TEST, 2);
    int before = omp_get_max_threads();
    double share = neighbours_top1(&train, &test, 20, 0.07);
    for (size_t i = 0; i < TRAIN * WIDTH; i++) /* by powers of two: without rounding */
        train.x[i] = (real)ldexp((double)train.x[i], (int)(i / WIDTH % 9) - 4);
    assert_true(neighbours_top1(&train, &test, 20, 0.07) == share);
    omp_set_num_threads(before == 1 ? 3 : 1);
    assert_true(neighbours_top1(&train, &test, 20, 0.07) == share);
    omp_set_num_threads(before);
    features_free(&train);
    features_free(&test);
}

static void a_picture_is_its_own_nearest_and_zeros_are_near_to_none(void **state) {
    (void)state;
    Features train = draw(40, 1);
    assert_true(neighbours_top1(&train, &train, 1, 0.07) == 1);
    assert_true(neighbours_top1(&train, &train, 1000, 0.07) < 1.1); /* k is cut */
    Features zeros = draw(1, 3);
    memset(zeros.x, 0, WIDTH * sizeof *zeros.x);
    zeros.label[0] = train.label[0]; /* all are as near: the first row counts */
    assert_true(neighbours_top1(&train, &zeros, 1, 0.07) == 1);
    features_free(&train);
    features_free(&zeros);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_is_that_of_sorting_all_rows),
        cmocka_unit_test(lengths_of_features_and_threads_do_not_matter),
        cmocka_unit_test(a_picture_is_its_own_nearest_and_zeros_are_near_to_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
