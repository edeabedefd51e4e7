/* engine/kern/tile.h: small products and packing against the plain loops. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "engine/kern/tile.h"

enum { SPARE = 3 }; /* rows are a little longer than they need be */

static real *numbers(size_t n, uint64_t seed) {
    real *x = mem_alloc((n + 1) * sizeof(real));
    Rng rng = rng_make(seed, 0, 0);
    for (size_t i = 0; i < n; i++) x[i] = (real)rng_normal(rng, i);
    return x;
}

static double plain(TileA a, const real *b, size_t ldb, size_t k, size_t i, size_t j) {
    double sum = 0;
    for (size_t l = 0; l < k; l++)
        sum += (double)a.a[i * a.row + l * a.column] * (double)b[l * ldb + j];
    return sum;
}

static void check_product(size_t m, size_t n, size_t k, bool transposed, bool add) {
    size_t width = tile_padded(n), lda = (transposed ? m : k) + SPARE, ldc = n + SPARE;
    real *a = numbers((transposed ? k : m) * lda, 1), *b = numbers(k * width, 2);
    real *c = numbers(m * ldc, 3), *before = numbers(m * ldc, 3);
    real *scratch = mem_alloc((m * width + 1) * sizeof(real));
    TileA from = {a, transposed ? 1 : lda, transposed ? lda : 1};
    tile_product_into(m, n, k, (real)0.5, from, b, add, c, ldc, scratch);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < ldc; j++) {
            double old = (double)before[i * ldc + j], wanted = old;
            if (j < n) wanted = 0.5 * plain(from, b, width, k, i, j) + (add ? old : 0);
            assert_true(fabs((double)c[i * ldc + j] - wanted) <= 1e-5 * (1 + (double)k));
        }
    mem_free(a), mem_free(b), mem_free(c), mem_free(before), mem_free(scratch);
}

static void products_of_every_size(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 5, 6, 7, 16, 33, 64, 70, 145},
                        depths[] = {0, 1, 64, 300};
    for (size_t m = 0; m < COUNT(sizes); m++)
        for (size_t n = 0; n < COUNT(sizes); n++)
            for (size_t k = 0; k < COUNT(depths); k++)
                for (int way = 0; way < 4; way++)
                    check_product(sizes[m], sizes[n], depths[k], way & 1, way & 2);
}

static void packing_pads_with_zeros(void **state) {
    (void)state;
    for (size_t rows = 1; rows < 40; rows += 3)
        for (size_t columns = 1; columns < 70; columns++) {
            size_t ld = columns + SPARE, wide = tile_padded(columns),
                   tall = tile_padded(rows);
            real *x = numbers(rows * ld, 4), *p = numbers(rows * wide, 5);
            real *t = numbers(columns * tall, 6);
            tile_pack(p, x, ld, rows, columns);
            tile_pack_transposed(t, x, ld, rows, columns);
            for (size_t i = 0; i < tall; i++)
                for (size_t j = 0; j < wide; j++) {
                    bool inside = i < rows && j < columns;
                    real wanted = inside ? x[i * ld + j] : 0;
                    if (i < rows) assert_true(p[i * wide + j] == wanted);
                    if (j < columns) assert_true(t[j * tall + i] == wanted);
                }
            mem_free(x), mem_free(p), mem_free(t);
        }
}

static void infinity_and_nan_come_through(void **state) {
    (void)state;
    real a[2] = {INFINITY, 1}, b[2 * TILE_LANES] = {1, 2}, c[2 * TILE_LANES];
    b[TILE_LANES] = NAN;
    tile_product(2, TILE_LANES, 1, 1, (TileA){a, 1, 1}, b, TILE_LANES, false, c,
                 TILE_LANES);
    assert_true(isinf(c[0]) && c[TILE_LANES + 1] == 2);
    tile_product(1, TILE_LANES, 2, 1, (TileA){a, 2, 1}, b, TILE_LANES, false, c,
                 TILE_LANES);
    assert_true(isnan(c[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_of_every_size),
        cmocka_unit_test(packing_pads_with_zeros),
        cmocka_unit_test(infinity_and_nan_come_through),
    };
    return cmocka_run_group_tests_name("small products", tests, NULL, NULL);
}
