/* Ops that look at a batch as a whole, in double: NT-Xent against a direct computation
 * and by what must not change it; batch norm's statistics against PyTorch's numbers. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/op/op.h"

typedef struct Matrix {
    Tensor x;
    real *grad;
} Matrix;

static Matrix *matrix(size_t rows, size_t columns, uint64_t seed) {
    Matrix *m = mem_zalloc(sizeof *m);
    tensor_set_shape(&m->x, 2, (size_t[]){rows, columns});
    m->x.value = mem_alloc(2 * m->x.size * sizeof(real));
    m->x.grad = m->grad = m->x.value + m->x.size;
    m->x.needs_grad = m->x.is_param = true;
    Rng rng = rng_make(seed, 0, 0);
    for (size_t i = 0; i < m->x.size; i++) m->x.value[i] = (real)rng_normal(rng, i);
    return m;
}

static void matrix_free(Matrix *m) {
    mem_free(m->x.value);
    mem_free(m);
}

/* Loss, and the gradient in m->grad. */
static double nt_xent(Matrix *m, double temperature, NtXentStats *stats) {
    Tape *tape = tape_new();
    tape_begin(tape, (TapeMode){.gradients = true, .training = true});
    m->x.grad_written = false;
    NtXentArgs args = {.temperature = temperature, .stats = stats};
    Tensor *loss = op_nt_xent(tape, &m->x, &args);
    tape_backward(tape, loss);
    double value = (double)loss->value[0];
    tape_free(tape);
    return value;
}

/* ---- directly ---- */

static double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* By the definition, pair by pair: loss and dloss/dh. */
static double direct(const Matrix *m, double t, double *dh) {
    size_t rows = m->x.shape[0], d = m->x.shape[1];
    double *z = malloc(2 * rows * d * sizeof *z), *dz = z + rows * d, loss = 0;
    double *s = malloc(rows * sizeof *s), *length = malloc(rows * sizeof *length);
    memset(dz, 0, rows * d * sizeof *dz);
    for (size_t i = 0; i < rows; i++) {
        const double *h = m->x.value + i * d;
        length[i] = sqrt(dot(h, h, d));
        for (size_t j = 0; j < d; j++) z[i * d + j] = h[j] / length[i];
    }
    for (size_t i = 0; i < rows; i++) {
        size_t p = (i + rows / 2) % rows;
        double sum = 0;
        for (size_t k = 0; k < rows; k++) s[k] = dot(z + i * d, z + k * d, d) / t;
        for (size_t k = 0; k < rows; k++) sum += k == i ? 0 : exp(s[k] - s[p]);
        loss += log(sum) / (double)rows;
        for (size_t k = 0; k < rows; k++) {
            if (k == i) continue;
            double g = (exp(s[k] - s[p]) / sum - (k == p)) / t / (double)rows;
            for (size_t j = 0; j < d; j++) {
                dz[i * d + j] += g * z[k * d + j];
                dz[k * d + j] += g * z[i * d + j];
            }
        }
    }
    for (size_t i = 0; i < rows; i++) {
        double along = dot(z + i * d, dz + i * d, d);
        for (size_t j = 0; j < d; j++)
            dh[i * d + j] = (dz[i * d + j] - along * z[i * d + j]) / length[i];
    }
    free(z), free(s), free(length);
    return loss;
}

/* 330 rows are several blocks, of which the last is not full. */
static void nt_xent_is_its_definition(void **state) {
    (void)state;
    static const size_t ROWS[] = {4, 30, 330};
    static const double TEMPERATURES[] = {1, 0.1, 0.05};
    for (size_t r = 0; r < COUNT(ROWS); r++)
        for (size_t k = 0; k < COUNT(TEMPERATURES); k++) {
            Matrix *m = matrix(ROWS[r], 7, r);
            double *dh = malloc(m->x.size * sizeof *dh), largest = 0;
            double wanted = direct(m, TEMPERATURES[k], dh);
            assert_true(fabs(nt_xent(m, TEMPERATURES[k], NULL) - wanted) < 1e-10);
            for (size_t i = 0; i < m->x.size; i++) largest = fmax(largest, fabs(dh[i]));
            for (size_t i = 0; i < m->x.size; i++)
                assert_true(fabs(m->grad[i] - dh[i]) < 1e-10 * largest);
            free(dh);
            matrix_free(m);
        }
}

/* ---- what changes nothing ---- */

enum { PICTURES = 60, WIDTH = 5 };

/* Row i of `to` is row place[i] of `from`. */
static void reorder(Matrix *to, const Matrix *from, const size_t *place) {
    for (size_t i = 0; i < (size_t)2 * PICTURES; i++)
        memcpy(to->x.value + i * WIDTH, from->x.value + place[i] * WIDTH,
               WIDTH * sizeof(real));
}

static void same_in_another_order(const size_t *place) {
    Matrix *a = matrix(2 * PICTURES, WIDTH, 1), *b = matrix(2 * PICTURES, WIDTH, 2);
    NtXentStats sa, sb;
    reorder(b, a, place);
    double loss = nt_xent(a, 0.1, &sa);
    assert_true(fabs(nt_xent(b, 0.1, &sb) - loss) < 1e-12 * loss);
    assert_true(fabs(sa.std - sb.std) < 1e-12 && sa.right == sb.right);
    for (size_t i = 0; i < (size_t)2 * PICTURES; i++)
        for (size_t j = 0; j < WIDTH; j++)
            assert_true(fabs(b->grad[i * WIDTH + j] - a->grad[place[i] * WIDTH + j]) <
                        1e-14);
    matrix_free(a), matrix_free(b);
}

static void permuted_pictures_and_exchanged_views_change_nothing(void **state) {
    (void)state;
    size_t place[2 * PICTURES];
    for (size_t i = 0; i < PICTURES; i++) { /* 7 and 60 have no common factor */
        place[i] = i * 7 % PICTURES;
        place[PICTURES + i] = PICTURES + place[i];
    }
    same_in_another_order(place);
    for (size_t i = 0; i < PICTURES; i++) { /* every third picture's views */
        place[i] = i % 3 ? i : PICTURES + i;
        place[PICTURES + i] = i % 3 ? PICTURES + i : i;
    }
    same_in_another_order(place);
}

static void a_longer_embedding_is_the_same_with_a_shorter_gradient(void **state) {
    (void)state;
    Matrix *a = matrix(20, WIDTH, 1), *b = matrix(20, WIDTH, 1);
    for (size_t i = 0; i < b->x.size; i++) b->x.value[i] *= 1000;
    assert_true(fabs(nt_xent(a, 0.2, NULL) - nt_xent(b, 0.2, NULL)) < 1e-13);
    for (size_t i = 0; i < a->x.size; i++)
        assert_true(fabs(a->grad[i] - 1000 * b->grad[i]) < 1e-13);
    matrix_free(a), matrix_free(b);
}

static void threads_change_no_bit(void **state) {
    (void)state;
    Matrix *a = matrix(700, 9, 1), *b = matrix(700, 9, 1);
    int threads = omp_get_max_threads();
    NtXentStats sa, sb;
    omp_set_num_threads(1);
    double one = nt_xent(a, 0.1, &sa);
    omp_set_num_threads(3);
    double three = nt_xent(b, 0.1, &sb);
    omp_set_num_threads(threads);
    assert_true(one == three && sa.std == sb.std && sa.right == sb.right);
    for (size_t i = 0; i < a->x.size; i++) assert_true(a->grad[i] == b->grad[i]);
    matrix_free(a), matrix_free(b);
}

/* ---- ends of the range ---- */

static bool grads_finite(const Matrix *m) {
    for (size_t i = 0; i < m->x.size; i++)
        if (!isfinite(m->grad[i])) return false;
    return true;
}

static void equal_embeddings_give_the_log_of_all_others(void **state) {
    (void)state;
    for (size_t n = 1; n <= 50; n += 7) {
        Matrix *m = matrix(2 * n, WIDTH, 1);
        NtXentStats stats;
        for (size_t i = WIDTH; i < m->x.size; i++) m->x.value[i] = m->x.value[i % WIDTH];
        double loss = nt_xent(m, 0.1, &stats);
        assert_true(fabs(loss - log((double)(2 * n - 1))) < 1e-12);
        assert_true(stats.std == 0 && stats.right == (n == 1 ? 2 : 0) && grads_finite(m));
        for (size_t i = 0; i < m->x.size; i++) assert_true(fabs(m->grad[i]) < 1e-12);
        matrix_free(m);
    }
}

/* One picture: its views have nothing to be told from. */
static void one_picture_has_nothing_to_learn(void **state) {
    (void)state;
    Matrix *m = matrix(2, WIDTH, 1);
    assert_true(nt_xent(m, 0.1, NULL) == 0);
    for (size_t i = 0; i < m->x.size; i++) assert_true(m->grad[i] == 0);
    matrix_free(m);
}

/* Opposite views at temperature 0.01: exponents of 200, and a loss of nearly 200. */
static void a_small_temperature_is_finite(void **state) {
    (void)state;
    Matrix *m = matrix(40, WIDTH, 1);
    double *dh = malloc(m->x.size * sizeof *dh);
    for (size_t i = m->x.size / 2; i < m->x.size; i++)
        m->x.value[i] = -m->x.value[i - m->x.size / 2];
    double wanted = direct(m, 0.01, dh);
    assert_true(isfinite(wanted) && wanted > 100);
    assert_true(fabs(nt_xent(m, 0.01, NULL) - wanted) < 1e-10 && grads_finite(m));
    for (size_t i = 0; i < m->x.size; i++)
        assert_true(fabs(m->grad[i] - dh[i]) < 1e-10 * (1 + fabs(dh[i])));
    assert_true(isfinite(nt_xent(m, 1e-5, NULL)) && grads_finite(m));
    free(dh);
    matrix_free(m);
}

static void a_zero_embedding_has_no_gradient(void **state) {
    (void)state;
    Matrix *m = matrix(8, WIDTH, 1);
    memset(m->x.value + 3 * WIDTH, 0, WIDTH * sizeof(real));
    assert_true(isfinite(nt_xent(m, 0.1, NULL)) && grads_finite(m));
    for (size_t j = 0; j < WIDTH; j++) assert_true(m->grad[3 * WIDTH + j] == 0);
    assert_true(m->grad[2 * WIDTH] != 0);
    memset(m->x.value, 0, m->x.size * sizeof(real));
    assert_true(fabs(nt_xent(m, 0.1, NULL) - log(7)) < 1e-12 && grads_finite(m));
    matrix_free(m);
}

static void a_bad_number_reaches_the_loss(void **state) {
    (void)state;
    Matrix *m = matrix(8, WIDTH, 1);
    m->x.value[17] = NAN;
    assert_true(isnan(nt_xent(m, 0.1, NULL)));
    matrix_free(m);
}

static void what_is_seen_of_the_embeddings(void **state) {
    (void)state;
    Matrix *m = matrix(2000, 16, 1);
    NtXentStats stats;
    nt_xent(m, 0.1, &stats);
    assert_int_equal(stats.rows, 2000);
    assert_true(fabs(stats.std * 4 - 1) < 0.01); /* uniform on the sphere: 1 / sqrt(D) */
    assert_in_range(stats.right, 0, 10);         /* by chance, 1 in 1999 */
    for (size_t i = 0; i < m->x.size / 2; i++)
        m->x.value[m->x.size / 2 + i] = m->x.value[i] * (real)1.1;
    nt_xent(m, 0.1, &stats);
    assert_int_equal(stats.right, 2000);
    matrix_free(m);
}

/* ---- batch norm ---- */

typedef struct Norm {
    Matrix *x, *gain, *bias, *mean, *var;
    double y[12];
} Norm;

static void run_norm(Norm *n, bool training) {
    Tape *tape = tape_new();
    tape_begin(tape, (TapeMode){.training = training});
    BatchNormArgs args = {.x = &n->x->x, .gain = &n->gain->x, .bias = &n->bias->x};
    args.mean = &n->mean->x, args.var = &n->var->x, args.eps = 1e-5, args.momentum = 0.1;
    const Tensor *y = op_batch_norm(tape, &args);
    for (size_t i = 0; i < y->size; i++) n->y[i] = (double)y->value[i];
    tape_free(tape);
}

static Norm make_norm(size_t rows) {
    static const double VALUES[] = {0.5, -1, 3, 2, 0.25, 3, -1.5, 4, 3, 0, 1.75, 3};
    Norm n = {matrix(rows, 3, 1), matrix(1, 3, 1), matrix(1, 3, 1),
              matrix(1, 3, 1),    matrix(1, 3, 1), {0}};
    for (size_t i = 0; i < rows * 3; i++) n.x->x.value[i] = VALUES[i];
    for (size_t j = 0; j < 3; j++) {
        n.gain->x.value[j] = 1.5 - (double)j, n.bias->x.value[j] = 0.25 * (double)j;
        n.mean->x.value[j] = 0, n.var->x.value[j] = 1;
    }
    return n;
}

static void free_norm(Norm *n) {
    matrix_free(n->x), matrix_free(n->gain), matrix_free(n->bias), matrix_free(n->mean),
        matrix_free(n->var);
}

static void same_numbers(const real *got, const double *wanted, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - wanted[i]) < 1e-12))
            fail_msg("number %zu is %.15g instead of %.15g", i, (double)got[i],
                     wanted[i]);
}

/* torch.nn.BatchNorm1d(3).double() with weight 1.5, 0.5, -0.5 and bias 0, .25, .5, given
 * [[.5, -1, 3], [2, .25, 3], [-1.5, 4, 3], [0, 1.75, 3]] twice: running_mean,
 * running_var, and the outputs of train() and eval(). */
static void running_statistics_are_pytorchs(void **state) {
    (void)state;
    Norm n = make_norm(4);
    static const double TRAIN[] = {0.29999904000460798,  -0.35403957900556793, 0.5,
                                   2.0999932800322556,   -0.01846203511358574, 0.5,
                                   -2.0999932800322556,  0.98827059656236083,  0.5,
                                   -0.29999904000460798, 0.3842310175567929,   0.5};
    static const double MEAN[] = {0.025000000000000001, 0.125, 0.30000000000000004};
    static const double VAR[] = {1.1083333333333334, 1.3625, 0.90000000000000002};
    static const double MEAN_2[] = {0.047500000000000001, 0.23749999999999999,
                                    0.57000000000000006};
    static const double VAR_2[] = {1.2058333333333335, 1.6887500000000002,
                                   0.81000000000000005};
    static const double EVAL[] = {0.6181080493600376,   -0.22613624771798393,
                                  -0.84999166674382631, 2.6670850085645821,
                                  0.2548094570476564,   -0.84999166674382631,
                                  -2.1138612295793551,  1.6976465713445774,
                                  -0.84999166674382631, -0.064884270374810579,
                                  0.83194430276642484,  -0.84999166674382631};
    run_norm(&n, true);
    same_numbers(n.y, TRAIN, 12);
    same_numbers(n.mean->x.value, MEAN, 3);
    same_numbers(n.var->x.value, VAR, 3);
    run_norm(&n, true);
    same_numbers(n.mean->x.value, MEAN_2, 3);
    same_numbers(n.var->x.value, VAR_2, 3);
    run_norm(&n, false);
    same_numbers(n.y, EVAL, 12);
    same_numbers(n.mean->x.value, MEAN_2, 3);
    free_norm(&n);
}

/* The third column is 3 throughout. */
static void a_constant_column_gives_the_bias(void **state) {
    (void)state;
    Norm n = make_norm(4);
    for (size_t i = 0; i < 4; i++) n.x->x.value[3 * i + 2] = 1e6 + 0.1;
    run_norm(&n, true);
    for (size_t i = 0; i < 4; i++) assert_true(n.y[3 * i + 2] == 0.5);
    free_norm(&n);
}

/* As PyTorch, which wants more than one value per channel. */
static void one_row_has_no_variance(void **state) {
    (void)state;
    int status;
    pid_t child = fork();
    if (!child) {
        Norm n = make_norm(1);
        if (!freopen("/dev/null", "w", stderr)) _exit(1);
        run_norm(&n, true);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    Norm n = make_norm(1);
    run_norm(&n, false);
    assert_true(fabs(n.y[0] - 0.75 / sqrt(1 + 1e-5)) < 1e-12);
    free_norm(&n);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(nt_xent_is_its_definition),
        cmocka_unit_test(permuted_pictures_and_exchanged_views_change_nothing),
        cmocka_unit_test(a_longer_embedding_is_the_same_with_a_shorter_gradient),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(equal_embeddings_give_the_log_of_all_others),
        cmocka_unit_test(one_picture_has_nothing_to_learn),
        cmocka_unit_test(a_small_temperature_is_finite),
        cmocka_unit_test(a_zero_embedding_has_no_gradient),
        cmocka_unit_test(a_bad_number_reaches_the_loss),
        cmocka_unit_test(what_is_seen_of_the_embeddings),
        cmocka_unit_test(running_statistics_are_pytorchs),
        cmocka_unit_test(a_constant_column_gives_the_bias),
        cmocka_unit_test(one_row_has_no_variance),
    };
    return cmocka_run_group_tests_name("joint ops", cases, NULL, NULL);
}
