/* engine/kern/tile.h and panel.h: products and packing against the plain loops. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "engine/kern/panel.h"
#include "levels.h"

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

/* What C starts from. */
typedef enum {
    FROM_ZERO,
    FROM_ITSELF,
    FROM_BIAS,
    FROM_RESIDUAL,
    FROM_BOTH,
    STARTS
} Start;

static void check_panel(size_t m, size_t n, size_t k, PanelOrder order, Start start) {
    size_t ldb = (order == PANEL_PLAIN ? n : k) + SPARE, ldc = n + SPARE;
    real *a = numbers(m * k, 1), *b = numbers((order == PANEL_PLAIN ? k : n) * ldb, 2);
    real *c = numbers(m * ldc, 3), *before = numbers(m * ldc, 3), *bias = numbers(n, 7);
    real *packed = mem_alloc((panel_size(k, n) + 1) * sizeof(real));
    PanelProduct p = {.m = m, .n = n, .k = k, .alpha = (real)0.5, .a = {a, k, 1}};
    p.packed = packed, p.c = c, p.ldc = ldc, p.add = start == FROM_ITSELF;
    if (start == FROM_BIAS || start == FROM_BOTH) p.bias = bias, p.bias_factor = 3;
    if (start >= FROM_RESIDUAL) p.residual = before, p.residual_alpha = 2;
    panel_pack(packed, b, ldb, k, n, order);
    panel_product(&p);
    TileA columns = {b, 1, ldb}; /* B as A(j, l), so that plain() can read either order */
    if (order == PANEL_TRANSPOSED) columns = (TileA){b, ldb, 1};
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < ldc; j++) {
            double old = (double)before[i * ldc + j], wanted = p.add ? old : 0;
            for (size_t l = 0; j < n && l < k; l++)
                wanted += 0.5 * (double)a[i * k + l] *
                          (double)columns.a[j * columns.row + l * columns.column];
            if (p.bias && j < n) wanted += 3 * (double)bias[j];
            if (p.residual) wanted += 2 * old;
            if (j >= n) wanted = old; /* behind the row */
            assert_true(fabs((double)c[i * ldc + j] - wanted) <= 1e-5 * (3 + (double)k));
        }
    mem_free(a), mem_free(b), mem_free(c), mem_free(before), mem_free(bias);
    mem_free(packed);
}

static void panels_of_every_size(void **state) {
    (void)state;
    static const size_t rows[] = {1, 6, 50, 403}, columns[] = {1, 16, 63, 64, 130};
    static const size_t depths[] = {1, 65, 384, 400};
    for (size_t m = 0; m < COUNT(rows); m++)
        for (size_t n = 0; n < COUNT(columns); n++)
            for (size_t k = 0; k < COUNT(depths); k++)
                for (Start start = FROM_ZERO; start < STARTS; start++)
                    check_panel(rows[m], columns[n], depths[k],
                                start % 2 ? PANEL_PLAIN : PANEL_TRANSPOSED, start);
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
        cmocka_unit_test(panels_of_every_size),
        cmocka_unit_test(packing_pads_with_zeros),
        cmocka_unit_test(infinity_and_nan_come_through),
    };
    return RUN_AT_LEVELS("small products", tests);
}
