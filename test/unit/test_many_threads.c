/* More threads than processors: what kernels make is what one thread
 * makes, to the bit where their headers promise it, else within the rounding of sums; and
 * what that costs.  Steps of each task: test/cli/threads.sh. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "engine/kern/bf16_panel.h"
#include "engine/kern/gemm.h"
#include "engine/kern/mask.h"
#include "engine/kern/norm.h"
#include "engine/kern/panel.h"
#include "engine/kern/reduce.h"
#include "engine/kern/rows.h"
#include "toy_models.h"

/* M rows of what N outputs are made of K inputs; none is a multiple of a block. */
enum { M = 331, N = 197, K = 150, SIZE = M * N };

static real a[M * K], b[N * K], x[M * N], y[M * N], gain[N], scratch[1 << 20];

static void fill(real *to, size_t count, uint64_t seed) {
    Rng rng = rng_make(seed, 0, 0);
    for (size_t i = 0; i < count; i++) to[i] = (real)rng_normal(rng, i);
}

static int set_up(void **state) {
    (void)state;
    fill(a, M * K, 1), fill(b, N * K, 2), fill(x, M * N, 3), fill(y, M * N, 4);
    fill(gain, N, 5);
    return 0;
}

/* ---- kernels: each fills out [SIZE] ---- */

static void product_nt(real *out) { gemm_nt(M, N, K, 1, a, K, b, K, 0, out, N); }

static void product_nn(real *out) { gemm_nn(M, N, K, 1, a, K, b, N, 0, out, N); }

/* Wider than long, so that it is columns that are shared out. */
static void product_tn(real *out) { gemm_tn(K, N, M, 1, a, K, x, N, 0, out, N); }

static void product_panel(real *out) {
    real *packed = mem_array(panel_size(K, N), sizeof *packed);
    panel_pack(packed, b, K, K, N, PANEL_TRANSPOSED);
    panel_product(&(PanelProduct){.m = M,
                                  .n = N,
                                  .k = K,
                                  .alpha = 1,
                                  .a = {a, K, 1},
                                  .packed = packed,
                                  .bias = gain,
                                  .bias_factor = 1,
                                  .c = out,
                                  .ldc = N});
    mem_free(packed);
}

static void normed_rows(real *out) {
    real *mean = scratch, *rstd = scratch + M;
    norm_rows(out, NULL, x, gain, gain, (real)1e-5, M, N, mean, rstd);
}

static void normed_rows_backward(real *out) {
    real *mean = scratch, *rstd = scratch + M, *spare = scratch + 2 * M;
    assert_true(norm_scratch(M, N) + 2 * M + M * N <= COUNT(scratch));
    norm_rows(spare, NULL, x, gain, gain, (real)1e-5, M, N, mean, rstd);
    norm_rows_backward(&(NormBackward){.rows = M,
                                       .n = N,
                                       .dy = y,
                                       .x = x,
                                       .gain = gain,
                                       .bias = gain,
                                       .mean = mean,
                                       .rstd = rstd,
                                       .dgain = out,
                                       .dbias = out + N,
                                       .scratch = spare + M * N});
}

static void sums(real *out) {
    columns_sum(out, 0, 1, x, M, N);
    out[N] = (real)reduce_sum_squares(x, M * N);
    out[N + 1] = (real)reduce_dot(x, y, M * N);
    out[N + 2] = (real)reduce_max_abs(x, M * N);
}

static void masks(real *out) {
    Mask mask = mask_make(rng_make(7, 0, 0), 0.25);
    MaskedExamples examples = {.count = M, .size = N};
    mask_examples(&mask, &examples, out, 0, NULL, x);
}

#ifndef STEADY_DOUBLE
static void product_bf16(real *out) {
    bf16 *a16 = mem_array(M * K, sizeof *a16);
    bf16 *room = mem_array(bf16_panel_room(K, N), sizeof *room);
    bf16_round(a16, a, M * K);
    bf16_panel_product(&(Bf16PanelProduct){.m = M,
                                           .n = N,
                                           .k = K,
                                           .alpha = 1,
                                           .a = a16,
                                           .lda = K,
                                           .b = {.wide = b, .ld = K},
                                           .order = PANEL_TRANSPOSED,
                                           .room = room,
                                           .c = out,
                                           .ldc = N});
    mem_free(a16);
    mem_free(room);
}
#endif

static const struct {
    const char *name;
    void (*run)(real *out);
    double tolerance; /* of the largest number; 0: to the bit */
} kernels[] = {
    {"gemm_nt", product_nt, 1e-6},
    {"gemm_nn", product_nn, 1e-6},
    {"gemm_tn", product_tn, 1e-6},
    {"panel", product_panel, 1e-6},
    {"norm", normed_rows, 0},
    {"norm backward", normed_rows_backward, 0},
    {"sums", sums, 0},
    {"masks", masks, 0},
#ifndef STEADY_DOUBLE
    {"bf16 panel", product_bf16, 1e-6},
#endif
};

static const int crowds[] = {3, 8, 17, 32};

static void kernels_make_what_one_thread_makes(void **state) {
    (void)state;
    static real one[SIZE], many[SIZE];
    int before = omp_get_max_threads();
    for (size_t k = 0; k < COUNT(kernels); k++) {
        memset(one, 0, sizeof one);
        omp_set_num_threads(1);
        kernels[k].run(one);
        for (size_t c = 0; c < COUNT(crowds); c++) {
            memset(many, 0, sizeof many);
            omp_set_num_threads(crowds[c]);
            kernels[k].run(many);
            double apart = toy_apart(many, one, SIZE);
            if (kernels[k].tolerance == 0 ? memcmp(many, one, sizeof one) != 0
                                          : !(apart <= kernels[k].tolerance))
                fail_msg("%s with %d threads: %g apart", kernels[k].name, crowds[c],
                         apart);
        }
    }
    omp_set_num_threads(before);
}

/* A team that calls a kernel must not get a team in each of its threads. */
static void kernels_in_a_parallel_region_stay_on_their_thread(void **state) {
    (void)state;
    static real one[SIZE];
    enum { TEAM = 8 };
    real *out = mem_array(TEAM * SIZE, sizeof *out);
    int levels[TEAM];
    product_nt(one);
#pragma omp parallel for num_threads(TEAM)
    for (size_t i = 0; i < TEAM; i++) {
        product_nt(out + i * SIZE);
        levels[i] = omp_get_active_level();
    }
    for (size_t i = 0; i < TEAM; i++) {
        assert_int_equal(levels[i], 1);
        assert_true(toy_apart(out + i * SIZE, one, SIZE) <= 1e-6);
    }
    assert_true(omp_get_max_active_levels() == 1);
    mem_free(out);
}

/* ---- time ---- */

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds_of(int threads) {
    static real out[SIZE];
    omp_set_num_threads(threads);
    product_nt(out); /* starts the team */
    double start = processor_seconds();
    for (int i = 0; i < 100; i++) product_nt(out), normed_rows(out);
    return processor_seconds() - start;
}

/* Waking 32 threads for a loop of 0.1 ms costs several times that loop; threads that wait
 * for each other in a loop of sched_yield, or have teams of their own, cost hundreds. */
static void a_crowd_does_not_burn_the_processor(void **state) {
    (void)state;
    int before = omp_get_max_threads();
    double one = seconds_of(1), many = seconds_of(32);
    omp_set_num_threads(before);
    if (many > 40 * one + 1) fail_msg("%.3f s by one thread, %.3f s by 32", one, many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_make_what_one_thread_makes),
        cmocka_unit_test(kernels_in_a_parallel_region_stay_on_their_thread),
        cmocka_unit_test(a_crowd_does_not_burn_the_processor),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
