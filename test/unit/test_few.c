/* few: against plain sums in double, for sizes around those of the vectors and blocks. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "engine/kern/few.h"
#include "levels.h"

enum { ROWS_MAX = 13, COLUMNS_MAX = 70 };

typedef struct Problem {
    size_t rows, n;
    real w[ROWS_MAX * COLUMNS_MAX], x[FEW * COLUMNS_MAX], v[ROWS_MAX * FEW_BACK];
    real y[ROWS_MAX * FEW + 1], z[FEW_BACK * COLUMNS_MAX + 1];
} Problem;

static void fill(real *a, size_t count, uint64_t seed) {
    Rng rng = rng_make(seed, 0, 0);
    for (size_t i = 0; i < count; i++) a[i] = (real)rng_normal(rng, i);
}

static void expect(const Problem *p, const char *what, real seen, double wanted) {
    if (!(fabs((double)seen - wanted) < 3e-5))
        fail_msg("%s of %zu x %zu: %g, wanted %g", what, p->rows, p->n, (double)seen,
                 wanted);
}

static void check_forward(Problem *p) {
    p->y[p->rows * FEW] = 77;
    few_forward(p->rows, p->n, p->w, p->x, p->y);
    for (size_t r = 0; r < p->rows; r++)
        for (size_t k = 0; k < FEW; k++) {
            double sum = 0;
            for (size_t j = 0; j < p->n; j++)
                sum += (double)p->w[r * p->n + j] * (double)p->x[k * p->n + j];
            expect(p, "y", p->y[r * FEW + k], sum);
        }
    assert_true(p->y[p->rows * FEW] == 77);
}

static void check_back(Problem *p) {
    p->z[FEW_BACK * p->n] = 77;
    few_back(p->rows, p->n, p->w, p->v, p->z);
    for (size_t k = 0; k < FEW_BACK; k++)
        for (size_t j = 0; j < p->n; j++) {
            double sum = 0;
            for (size_t r = 0; r < p->rows; r++)
                sum += (double)p->v[r * FEW_BACK + k] * (double)p->w[r * p->n + j];
            expect(p, "z", p->z[k * p->n + j], sum);
        }
    assert_true(p->z[FEW_BACK * p->n] == 77);
}

static void products_of_all_sizes(void **state) {
    (void)state;
    Problem p = {0};
    fill(p.w, COUNT(p.w), 1);
    fill(p.x, COUNT(p.x), 2);
    fill(p.v, COUNT(p.v), 3);
    for (p.rows = 0; p.rows <= ROWS_MAX; p.rows++)
        for (p.n = 1; p.n <= COLUMNS_MAX; p.n++) {
            check_forward(&p);
            check_back(&p);
        }
}

int main(void) {
    const struct CMUnitTest cases[] = {cmocka_unit_test(products_of_all_sizes)};
    return RUN_AT_LEVELS("few", cases);
}
