/* Properties of sigma-reparametrisation, spectral norm and weight norm. */
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kern/reduce.h"
#include "engine/reparam/reparam.h"
#include "engine/reparam/spectral.h"
#include "tree.h"

/* LAPACK's singular values, the judge of ours. */
#ifdef STEADY_DOUBLE
#define GESVD dgesvd_
#else
#define GESVD sgesvd_
#endif
void GESVD(const char *jobu, const char *jobvt, const int *m, const int *n, real *a,
           const int *lda, real *s, real *u, const int *ldu, real *vt, const int *ldvt,
           real *work, const int *lwork, int *info);

static double lapack_norm(const real *w, size_t rows, size_t columns) {
    int m = (int)columns, n = (int)rows, one = 1, lwork = 40 * (m + n), info;
    real *copy = mem_alloc(rows * columns * sizeof(real)), *work;
    real *values = mem_alloc(MIN(rows, columns) * sizeof(real));
    work = mem_alloc((size_t)lwork * sizeof(real));
    memcpy(copy, w, rows * columns * sizeof(real));
    GESVD("N", "N", &m, &n, copy, &m, values, NULL, &one, NULL, &one, work, &lwork,
          &info);
    assert_int_equal(info, 0);
    double norm = (double)values[0];
    mem_free(copy);
    mem_free(work);
    mem_free(values);
    return norm;
}

typedef struct Layer {
    ParamSet *params;
    Param *w;
    Reparam *r;
} Layer;

static Layer layer_new(ReparamMethod method, size_t rows, size_t columns, double std) {
    Layer l = {.params = params_new()};
    l.w =
        params_add(l.params, PARAM_MATRIX, 2, (size_t[]){rows, columns}, "layer.weight");
    l.r = reparam_new(l.params, l.w, method);
    params_finish(l.params);
    Rng rng = rng_make(7, 0, 0);
    for (size_t i = 0; i < l.w->tensor.size; i++)
        l.w->tensor.value[i] = (real)(std * rng_normal(rng, i));
    return l;
}

static void layer_free(Layer *l) {
    reparam_free(l->r);
    params_free(l->params);
}

/* A gradient with respect to W_hat, then the fold. */
static void give_gradient(Layer *l, uint64_t seed) {
    Rng rng = rng_make(seed, 1, 0);
    params_clear_grads(l->params);
    for (size_t i = 0; i < l->w->tensor.size; i++)
        l->w->tensor.grad[i] = (real)rng_normal(rng, i);
    l->w->tensor.grad_written = true;
    params_settle_grads(l->params);
    reparam_fold(l->r);
}

static double effective_norm(const Layer *l) {
    real *w = mem_alloc(l->w->tensor.size * sizeof(real));
    reparam_effective(l->r, w);
    size_t rows = l->w->tensor.shape[0];
    double norm = lapack_norm(w, rows, l->w->tensor.size / rows);
    mem_free(w);
    return norm;
}

static const size_t SHAPES[][2] = {{64, 64}, {192, 64}, {64, 256},
                                   {10, 64}, {1, 8},    {8, 1}};

static void sigma_agrees_with_lapack_after_fifty_steps_from_a_random_start(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(SHAPES); i++) {
        size_t rows = SHAPES[i][0], columns = SHAPES[i][1];
        Layer l = layer_new(REPARAM_SIGMA, rows, columns, 0.02);
        Rng rng = rng_make(5, 0, 0);
        for (size_t j = 0; j < columns; j++)
            l.r->u->tensor.value[j] = (real)(rng_normal(rng, j) / sqrt((double)columns));
        for (int step = 0; step < 50; step++) reparam_refresh(l.r);
        double wanted = lapack_norm(l.w->tensor.value, rows, columns);
        assert_true(fabs((double)l.r->sigma - wanted) < 1e-3 * wanted);
        layer_free(&l);
    }
}

/* Half of the identity, less a multiple of 11^T: all singular values but one are equal,
 * and LAPACK, asked for the largest, found none at some of these sizes. */
static void equal_singular_values_have_a_norm_too(void **state) {
    (void)state;
    enum { MOST = 330 };
    real *w = mem_alloc(MOST * MOST * sizeof(real)), u[MOST], v[MOST];
    for (size_t n = 2; n <= MOST; n += n < 70 ? 1 : 37)
        for (size_t ones = 0; ones < 3; ones++) {
            for (size_t i = 0; i < n * n; i++)
                w[i] = (real)(0.5 * (i % (n + 1) == 0) - 0.5 * (double)ones / (double)n);
            double sigma = (double)spectral_norm(w, n, n, u, v);
            assert_true(fabs(sigma - 0.5) < 1e-5);
            assert_true(fabs((double)spectral_form(w, n, n, u, v) - 0.5) < 1e-5);
        }
    mem_free(w);
}

/* v = W u / |W u|, u = W^T v / |W^T v|, sigma = v.W u, k times, in plain loops and
 * double. */
static double plain_iterations(const real *w, size_t rows, size_t columns, double *u,
                               double *v, size_t k) {
    double sigma = 0;
    for (size_t n = 0; n < k; n++) {
        double length = 0;
        for (size_t i = 0; i < rows; i++) {
            v[i] = 0;
            for (size_t j = 0; j < columns; j++)
                v[i] += (double)w[i * columns + j] * u[j];
            length += v[i] * v[i];
        }
        for (size_t i = 0; i < rows; i++) v[i] /= sqrt(length);
        sigma = 0;
        for (size_t j = 0; j < columns; j++) {
            u[j] = 0;
            for (size_t i = 0; i < rows; i++) u[j] += (double)w[i * columns + j] * v[i];
            sigma += u[j] * u[j];
        }
        sigma = sqrt(sigma);
        for (size_t j = 0; j < columns; j++) u[j] /= sigma;
    }
    return sigma;
}

static void steps_from_a_drawn_start_agree_with_plain_loops(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(SHAPES); i++)
        for (size_t k = 1; k <= 4; k++) {
            size_t rows = SHAPES[i][0], columns = SHAPES[i][1];
            double u[256], v[256], length = 0;
            Layer l = layer_new(REPARAM_SIGMA, rows, columns, 0.1);
            l.r->power_steps = k;
            reparam_draw(l.r, rng_make(11, 0, 0));
            for (size_t j = 0; j < columns; j++) {
                u[j] = (double)l.r->u->tensor.value[j];
                length += u[j] * u[j];
            }
            assert_true(fabs(length - 1) < 1e-5);
            reparam_start(l.r, false, (ReparamHave){.u = true});
            for (size_t step = 0; step < 3; step++) {
                double sigma =
                    plain_iterations(l.w->tensor.value, rows, columns, u, v, k);
                reparam_refresh(l.r);
                assert_true(fabs((double)l.r->sigma - sigma) < 1e-5 * sigma);
                assert_true(fabs((double)l.r->scale.value[0] * sigma - 1) < 1e-5);
            }
            for (size_t j = 0; j < columns; j++)
                assert_true(fabs((double)l.r->u->tensor.value[j] - u[j]) < 1e-4);
            for (size_t r = 0; r < rows; r++)
                assert_true(fabs((double)l.r->v->tensor.value[r] - v[r]) < 1e-4);
            layer_free(&l);
        }
}

/* sigma^2 after one step is tr(W W^T W W^T) / tr(W W^T) on average, 2 of sigma_1^2 = 4
 * where W is a large square Gaussian. */
static void the_first_sigma_of_a_drawn_start_is_too_small(void **state) {
    (void)state;
    size_t side = 512;
    Layer l = layer_new(REPARAM_SIGMA, side, side, 0.02);
    reparam_draw(l.r, rng_make(12, 0, 0));
    reparam_start(l.r, true, (ReparamHave){.u = true});
    double wanted = lapack_norm(l.w->tensor.value, side, side);
    assert_true(fabs((double)l.r->gamma->tensor.value[0] - wanted) < 1e-4 * wanted);
    double before = 0;
    for (int n = 1; n <= 200; n++) {
        reparam_refresh(l.r);
        double sigma = (double)l.r->sigma / wanted;
        if (n == 1) assert_true(fabs(sigma - sqrt(0.5)) < 0.05);
        assert_true(sigma > before - 1e-5 && sigma < 1 + 1e-5); /* grows to the norm */
        before = sigma;
    }
    assert_true(before > 0.99);
    layer_free(&l);
}

/* Adagrad's first step at a rate of 0.1: each number of W, of deviation 0.04, moves by
 * 0.1 against the sign of its gradient, a sum of `rank` outer products. */
static void take_large_step(real *w, size_t rows, size_t columns, size_t rank) {
    Rng left = rng_make(21, 0, 0), right = rng_make(22, 0, 0);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double g = 0;
            for (size_t k = 0; k < rank; k++)
                g += rng_normal(left, i * rank + k) * rng_normal(right, j * rank + k);
            w[i * columns + j] -= (real)(g > 0 ? 0.1 : -0.1);
        }
}

/* True norm over the sigma that is found behind such a step. */
static double true_over_sigma(void (*follow)(Reparam *), size_t power_steps,
                              size_t rank) {
    size_t rows = 192, columns = 256;
    Layer l = layer_new(REPARAM_SIGMA, rows, columns, 0.04);
    l.r->power_steps = power_steps;
    reparam_start(l.r, true, (ReparamHave){0});
    take_large_step(l.w->tensor.value, rows, columns, rank);
    follow(l.r);
    double over = lapack_norm(l.w->tensor.value, rows, columns) / (double)l.r->sigma;
    layer_free(&l);
    return over;
}

static void an_average_has_the_norm_of_its_own_weights(void **state) {
    (void)state;
    assert_true(fabs(true_over_sigma(reparam_settle, 1, 4) - 1) < 1e-5);
}

static void automatic_iterations_hold_sigma_where_w_has_moved_far(void **state) {
    (void)state;
    double most = 0;
    for (size_t rank = 1; rank <= 64; rank *= 2) {
        double one = true_over_sigma(reparam_refresh, 1, rank);
        double many = true_over_sigma(reparam_refresh, 0, rank);
        most = fmax(most, one);
        if (!(many <= 1.05 && many >= 1 - 1e-5))
            fail_msg("rank %zu: %g, with one iteration %g", rank, many, one);
    }
    assert_true(most > 1.05); /* or nothing was to be done */
}

/* u is nearly the second singular vector: sigma takes off slowly. */
static void automatic_iterations_leave_a_smaller_singular_value(void **state) {
    (void)state;
    size_t n = 64;
    Layer l = layer_new(REPARAM_SIGMA, n, n, 0.04);
    l.r->power_steps = POWER_STEPS_AUTO;
    reparam_start(l.r, true, (ReparamHave){0});
    memset(l.w->tensor.value, 0, n * n * sizeof(real));
    memset(l.r->u->tensor.value, 0, n * sizeof(real));
    l.w->tensor.value[0] = (real)1.2;
    l.w->tensor.value[n + 1] = 1;
    l.r->u->tensor.value[0] = (real)0.1;
    l.r->u->tensor.value[1] = (real)sqrt(0.99);
    reparam_refresh(l.r);
    assert_true((double)l.r->sigma > 1.2 / 1.05);
    layer_free(&l);
}

static void automatic_iterations_are_one_where_u_is_settled(void **state) {
    (void)state;
    Layer one = layer_new(REPARAM_SIGMA, 96, 80, 0.04);
    Layer many = layer_new(REPARAM_SIGMA, 96, 80, 0.04);
    many.r->power_steps = POWER_STEPS_AUTO;
    Layer *layers[] = {&one, &many};
    for (size_t i = 0; i < 2; i++) {
        reparam_start(layers[i]->r, true, (ReparamHave){0});
        for (size_t k = 0; k < 96 * 80; k++)
            layers[i]->w->tensor.value[k] += (real)(1e-5 * sin(0.3 * (double)k));
        reparam_refresh(layers[i]->r);
    }
    assert_true(one.r->sigma == many.r->sigma);
    assert_memory_equal(one.r->u->tensor.value, many.r->u->tensor.value,
                        80 * sizeof(real));
    layer_free(&one);
    layer_free(&many);
}

static void the_start_is_the_singular_vector_itself(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(SHAPES); i++) {
        size_t rows = SHAPES[i][0], columns = SHAPES[i][1];
        Layer l = layer_new(REPARAM_SIGMA, rows, columns, 0.3);
        reparam_start(l.r, true, (ReparamHave){0});
        double wanted = lapack_norm(l.w->tensor.value, rows, columns);
        assert_true(fabs((double)l.r->sigma - wanted) < 1e-5 * wanted);
        assert_true(fabs((double)l.r->gamma->tensor.value[0] - wanted) < 1e-5 * wanted);
        assert_true(fabs((double)l.r->scale.value[0] - 1) < 1e-5); /* gamma/sigma */
        layer_free(&l);
    }
}

static void a_large_matrix_is_followed_to_its_norm(void **state) {
    (void)state;
    size_t rows = 700, columns = 600;
    Layer l = layer_new(REPARAM_SIGMA, rows, columns, 0.02);
    real *u = mem_alloc((rows + columns) * sizeof(real));
    double found =
        (double)spectral_norm(l.w->tensor.value, rows, columns, u, u + columns);
    double wanted = lapack_norm(l.w->tensor.value, rows, columns);
    assert_true(fabs(found - wanted) < 1e-4 * wanted);
    mem_free(u);
    layer_free(&l);
}

static void the_size_of_w_does_not_matter(void **state) {
    (void)state;
    Layer a = layer_new(REPARAM_SIGMA, 12, 9, 1),
          b = layer_new(REPARAM_SIGMA, 12, 9, 1000);
    reparam_start(a.r, false, (ReparamHave){0});
    reparam_start(b.r, false, (ReparamHave){0});
    real wa[12 * 9], wb[12 * 9];
    reparam_effective(a.r, wa);
    reparam_effective(b.r, wb);
    for (size_t i = 0; i < COUNT(wa); i++)
        assert_true(fabs((double)(wa[i] - wb[i])) < 1e-5);
    give_gradient(&a, 3);
    give_gradient(&b, 3);
    for (size_t i = 0; i < COUNT(wa);
         i++) /* the gradient shrinks by as much as W grows */
        assert_true(fabs((double)(a.w->tensor.grad[i] - 1000 * b.w->tensor.grad[i])) <
                    1e-4);
    layer_free(&a);
    layer_free(&b);
}

static void the_folded_gradient_is_orthogonal_to_w(void **state) {
    (void)state;
    static const ReparamMethod METHODS[] = {REPARAM_SIGMA, REPARAM_SPECTRAL,
                                            REPARAM_WEIGHT};
    for (size_t m = 0; m < COUNT(METHODS); m++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            Layer l = layer_new(METHODS[m], 20, 30, 0.5);
            reparam_start(l.r, false, (ReparamHave){0});
            give_gradient(&l, seed);
            const Tensor *w = &l.w->tensor;
            double inner = reduce_dot(w->grad, w->value, w->size);
            double sizes = sqrt(reduce_sum_squares(w->grad, w->size) *
                                reduce_sum_squares(w->value, w->size));
            assert_true(fabs(inner) < 1e-6 * sizes);
            layer_free(&l);
        }
}

static void plain_descent_never_shrinks_w(void **state) {
    (void)state;
    Layer l = layer_new(REPARAM_SIGMA, 16, 16, 0.1);
    Tensor *w = &l.w->tensor;
    reparam_start(l.r, true, (ReparamHave){0});
    double before = reduce_sum_squares(w->value, w->size);
    for (uint64_t step = 1; step <= 30; step++) {
        reparam_refresh(l.r);
        give_gradient(&l, step);
        for (size_t i = 0; i < w->size; i++) w->value[i] -= (real)0.01 * w->grad[i];
        double after = reduce_sum_squares(w->value, w->size);
        assert_true(after >= before * (1 - 1e-6));
        before = after;
    }
    layer_free(&l);
}

static void the_effective_norm_is_gamma_once_converged(void **state) {
    (void)state;
    Layer l = layer_new(REPARAM_SIGMA, 40, 24, 0.7);
    reparam_start(l.r, true, (ReparamHave){0});
    l.r->gamma->tensor.value[0] = (real)2.5;
    reparam_refresh(l.r);
    assert_true(fabs(effective_norm(&l) - 2.5) < 1e-4);
    layer_free(&l);
    l = layer_new(REPARAM_SPECTRAL, 40, 24, 0.7);
    reparam_start(l.r, true, (ReparamHave){0});
    assert_true(fabs(effective_norm(&l) - 1) < 1e-4);
    layer_free(&l);
}

/* sigma_hat <= sigma_1, so the effective norm is never below gamma (facts of the
 * method). */
static void an_unconverged_sigma_lies_below_the_norm(void **state) {
    (void)state;
    Layer l = layer_new(REPARAM_SIGMA, 256, 256, 1);
    Rng rng = rng_make(9, 0, 0);
    for (size_t j = 0; j < 256; j++)
        l.r->u->tensor.value[j] = (real)(rng_normal(rng, j) / 16);
    l.r->gamma->tensor.value[0] = 1;
    reparam_refresh(l.r);
    double norm = lapack_norm(l.w->tensor.value, 256, 256);
    assert_true((double)l.r->sigma > 0.6 * norm && (double)l.r->sigma < 0.8 * norm);
    assert_true(effective_norm(&l) > 1.2);
    layer_free(&l);
}

static void weight_norm_starts_at_w_and_keeps_its_row_norms(void **state) {
    (void)state;
    Layer l = layer_new(REPARAM_WEIGHT, 6, 10, 0.4);
    reparam_start(l.r, false, (ReparamHave){0});
    real effective[60];
    reparam_effective(l.r, effective);
    for (size_t i = 0; i < 60; i++)
        assert_true(fabs((double)(effective[i] - l.w->tensor.value[i])) < 1e-6);
    for (size_t i = 0; i < 60; i++) l.w->tensor.value[i] *= 7;
    reparam_refresh(l.r);
    real again[60];
    reparam_effective(l.r, again);
    for (size_t i = 0; i < 60; i++)
        assert_true(fabs((double)(effective[i] - again[i])) < 1e-6);
    layer_free(&l);
}

static void a_weight_of_zeros_gives_zero_not_nan(void **state) {
    (void)state;
    for (ReparamMethod m = REPARAM_SIGMA; m < REPARAM_METHODS; m++) {
        Layer l = layer_new(m, 4, 5, 0);
        reparam_start(l.r, true, (ReparamHave){0});
        reparam_refresh(l.r);
        give_gradient(&l, 1);
        assert_true(reduce_all_finite(l.params->grads, l.params->trained));
        assert_true(reduce_all_finite(l.r->scale.value, l.r->scale.count));
        layer_free(&l);
    }
}

static void evaluation_leaves_the_vectors_alone(void **state) {
    (void)state;
    Layer l = layer_new(REPARAM_SIGMA, 12, 12, 1);
    reparam_start(l.r, true, (ReparamHave){0});
    for (size_t i = 0; i < l.w->tensor.size; i++) l.w->tensor.value[i] += (real)(i % 5);
    real u[12];
    memcpy(u, l.r->u->tensor.value, sizeof u);
    reparam_freeze(l.r);
    assert_memory_equal(u, l.r->u->tensor.value, sizeof u);
    assert_true((double)l.r->sigma <=
                lapack_norm(l.w->tensor.value, 12, 12) * (1 + 1e-5));
    layer_free(&l);
}

static void a_method_that_sets_the_norm_sets_it_to_gamma_or_one(void **state) {
    (void)state;
    for (ReparamMethod m = REPARAM_NONE + 1; m < REPARAM_METHODS; m++) {
        Layer l = layer_new(m, 24, 16, 0.3);
        reparam_start(l.r, false, (ReparamHave){0}); /* gamma = 1 */
        double norm = effective_norm(&l);
        assert_true((fabs(norm - 1) < 1e-3) == reparam_sets_norm(m));
        layer_free(&l);
    }
    assert_false(reparam_sets_norm(REPARAM_NONE));
}

static void look_for_methods(void *context, const char *path) {
    FILE *file = fopen(path, "r");
    char line[400];
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        for (ReparamMethod m = REPARAM_NONE + 1; m < REPARAM_METHODS; m++) {
            char word[40] = "REPARAM_";
            for (const char *c = reparam_name(m); *c; c++)
                word[strlen(word)] = (char)toupper(*c);
            if (!strstr(line, word)) continue;
            print_error("%s: %s; ask engine/reparam/reparam.h for what it means\n", path,
                        word);
            ++*(size_t *)context;
        }
    fclose(file);
}

static void no_model_and_no_tool_names_a_method(void **state) {
    (void)state;
    size_t bad = 0;
    tree_each((const char *[]){"models", "tools", "include", "examples", NULL},
              look_for_methods, &bad);
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(sigma_agrees_with_lapack_after_fifty_steps_from_a_random_start),
        cmocka_unit_test(equal_singular_values_have_a_norm_too),
        cmocka_unit_test(steps_from_a_drawn_start_agree_with_plain_loops),
        cmocka_unit_test(the_first_sigma_of_a_drawn_start_is_too_small),
        cmocka_unit_test(an_average_has_the_norm_of_its_own_weights),
        cmocka_unit_test(automatic_iterations_hold_sigma_where_w_has_moved_far),
        cmocka_unit_test(automatic_iterations_leave_a_smaller_singular_value),
        cmocka_unit_test(automatic_iterations_are_one_where_u_is_settled),
        cmocka_unit_test(the_start_is_the_singular_vector_itself),
        cmocka_unit_test(a_large_matrix_is_followed_to_its_norm),
        cmocka_unit_test(the_size_of_w_does_not_matter),
        cmocka_unit_test(the_folded_gradient_is_orthogonal_to_w),
        cmocka_unit_test(plain_descent_never_shrinks_w),
        cmocka_unit_test(the_effective_norm_is_gamma_once_converged),
        cmocka_unit_test(an_unconverged_sigma_lies_below_the_norm),
        cmocka_unit_test(weight_norm_starts_at_w_and_keeps_its_row_norms),
        cmocka_unit_test(a_weight_of_zeros_gives_zero_not_nan),
        cmocka_unit_test(evaluation_leaves_the_vectors_alone),
        cmocka_unit_test(a_method_that_sets_the_norm_sets_it_to_gamma_or_one),
        cmocka_unit_test(no_model_and_no_tool_names_a_method),
    };
    return cmocka_run_group_tests_name("reparam", cases, NULL, NULL);
}
