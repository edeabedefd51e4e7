/* engine/kern/bf16.h, bf16_panel.h and bf16_tile.h: rounding and packing bit by bit,
 * products against plain loops in double over operands that are rounded alike. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/core/rng.h"
#include "engine/kern/bf16_block.h"
#include "engine/kern/bf16_tile.h"
#include "levels.h"

enum { SPARE = 3 }; /* rows are a little longer than they need be */

static real *numbers(size_t n, uint64_t seed) {
    real *x = mem_alloc((n + 1) * sizeof(real));
    Rng rng = rng_make(seed, 0, 0);
    for (size_t i = 0; i < n; i++) x[i] = (real)rng_normal(rng, i);
    return x;
}

static bf16 *narrow(const real *x, size_t n) {
    bf16 *y = mem_alloc((n + 1) * sizeof(bf16));
    bf16_round(y, x, n);
    return y;
}

/* ---- rounding ---- */

static float from_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* From the definition: the nearest of the neighbours, the even one of two. */
static bf16 by_definition(float x, uint32_t bits) {
    bf16 down = (bf16)(bits >> 16), up = (bf16)(down + 1);
    if (isnan(x)) return (bf16)(down | 0x40);
    if (fabsf(x) < 1.17549435e-38f) return (bf16)(down & 0x8000);
    if (isinf(x)) return down;
    double step = ldexp(1, (int)(bits >> 23 & 255) - 127 - 7);
    double off = fabs((double)x - (double)bf16_float(down));
    if (off < step / 2) return down;
    return off > step / 2 || down % 2 ? up : down;
}

static void rounding_is_to_the_nearest_even(void **state) {
    (void)state;
    enum { N = 1 << 12 };
    static const uint32_t low[] = {0,      1,      0x7fff, 0x8000, 0x8001,
                                   0xffff, 0x4000, 0xc000, 0x1234};
    real *x = mem_alloc(COUNT(low) * sizeof(real) * N);
    bf16 *y = mem_alloc(COUNT(low) * sizeof(bf16) * N);
    for (uint32_t first = 0; first < 1 << 16; first += N) {
        for (uint32_t i = 0; i < COUNT(low) * N; i++)
            x[i] = (real)from_bits((first + i / COUNT(low)) << 16 | low[i % COUNT(low)]);
        bf16_round(y, x, COUNT(low) * N);
        for (uint32_t i = 0; i < COUNT(low) * N; i++) {
            uint32_t bits = (first + i / COUNT(low)) << 16 | low[i % COUNT(low)];
            assert_int_equal(y[i], by_definition(from_bits(bits), bits));
            assert_int_equal(y[i], bf16_of(x[i]));
        }
    }
    mem_free(x), mem_free(y);
}

static void widening_is_exact(void **state) {
    (void)state;
    enum { N = 1 << 16 };
    bf16 *x = mem_alloc(sizeof(bf16) * N), *again = mem_alloc(sizeof(bf16) * N);
    real *y = mem_alloc(sizeof(real) * N);
    for (size_t i = 0; i < N; i++) x[i] = (bf16)i;
    bf16_widen(y, x, N);
    bf16_round(again, y, N);
    for (size_t i = 0; i < N; i++) {
        float value = bf16_float((bf16)i);
        if (isnan(value)) assert_true(isnan(y[i]));
        else assert_true(y[i] == value);
        if (isnormal(value) || isinf(value) || value == 0) assert_true(again[i] == i);
    }
    mem_free(x), mem_free(y), mem_free(again);
}

static void rows_of_any_length_are_rounded(void **state) {
    (void)state;
    for (size_t n = 0; n < 70; n++) {
        real *x = numbers(n, n), back[80];
        bf16 y[80];
        memset(y, 0x55, sizeof y);
        bf16_round(y, x, n);
        bf16_widen(back, y, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(y[i], bf16_of(x[i]));
            assert_true(fabs((double)back[i] - (double)x[i]) <= fabs((double)x[i]) / 256);
        }
        assert_int_equal(y[n], 0x5555);
        mem_free(x);
    }
}

/* ---- products ---- */

/* What C starts from. */
typedef enum {
    FROM_ZERO,
    FROM_ITSELF,
    FROM_BIAS,
    FROM_RESIDUAL,
    FROM_BOTH,
    STARTS
} Start;

/* Who packs B, and who multiplies. */
typedef enum { PACKED, ON_THE_WAY, TILE, FORMS } Form;

/* How the operands are given. */
typedef struct Case {
    Bf16Way way;
    size_t m, n, k;
    PanelOrder order;
    bool strips, from_narrow, to_narrow;
    bool on_the_way; /* strips */
    Start start;
    Form form;
} Case;

/* Operands of one case; C with `before` what it held. */
typedef struct Work {
    real *a, *b, *bias, *residual, *c, *before;
    bf16 *a16, *b16, *c16, *packed, *strips, *room;
    size_t lda, ldb, ldc;
} Work;

static Work make_work(const Case *t) {
    size_t across = t->order == PANEL_PLAIN ? t->n : t->k;
    size_t down = t->order == PANEL_PLAIN ? t->k : t->n;
    Work w = {.lda = (t->strips ? t->m : t->k) + SPARE,
              .ldb = across + SPARE,
              .ldc = t->n + SPARE};
    size_t size_a = (t->strips ? t->k : t->m) * w.lda, size_b = down * w.ldb;
    w.a = numbers(size_a, 1), w.b = numbers(size_b, 2);
    w.a16 = narrow(w.a, size_a), w.b16 = narrow(w.b, size_b);
    w.before = numbers(t->m * w.ldc, 3), w.c = numbers(t->m * w.ldc, 3);
    w.c16 = narrow(w.c, t->m * w.ldc);
    if (t->to_narrow) bf16_widen(w.before, w.c16, t->m * w.ldc);
    w.bias = numbers(t->n, 4), w.residual = numbers(t->m * w.ldc, 5);
    w.packed = mem_alloc((bf16_panel_size(t->k, t->n) + 1) * sizeof(bf16));
    w.strips = mem_alloc((bf16_strips_size(t->k, t->m) + 1) * sizeof(bf16));
    w.room = mem_alloc(bf16_panel_room(t->k, t->n) * sizeof(bf16));
    return w;
}

static void free_work(Work *w) {
    mem_free(w->a), mem_free(w->b), mem_free(w->bias), mem_free(w->residual);
    mem_free(w->c), mem_free(w->before), mem_free(w->a16), mem_free(w->b16);
    mem_free(w->c16), mem_free(w->packed), mem_free(w->strips);
    mem_free(w->room);
}

/* Numbers of a matrix in either type that must not be read. */
static Bf16Matrix matrix(const Case *t, const real *wide, const bf16 *narrowed,
                         size_t ld) {
    return t->from_narrow ? (Bf16Matrix){.narrow = narrowed, .ld = ld}
                          : (Bf16Matrix){.wide = wide, .ld = ld};
}

static void multiply(const Case *t, const Work *w) {
    Bf16PanelProduct p = {.way = t->way,
                          .m = t->m,
                          .n = t->n,
                          .k = t->k,
                          .alpha = (real)0.5,
                          .a = w->a16,
                          .lda = w->lda,
                          .packed = t->form == ON_THE_WAY ? NULL : w->packed,
                          .b = matrix(t, w->b, w->b16, w->ldb),
                          .order = t->order,
                          .room = w->room,
                          .add = t->start == FROM_ITSELF,
                          .ldc = w->ldc};
    bool tile = t->form == TILE;
    (tile ? bf16_tile_pack : bf16_panel_pack)(w->packed, p.b, t->k, t->n, t->order);
    if (t->strips && t->on_the_way) {
        p.a = NULL, p.transpose = matrix(t, w->a, w->a16, w->lda);
        p.packed = w->packed;
    } else if (t->strips) {
        (tile ? bf16_tile_strips
              : bf16_strips_pack)(w->strips, matrix(t, w->a, w->a16, w->lda), t->k, t->m);
        p.a = NULL, p.strips = w->strips;
    }
    if (t->start == FROM_BIAS || t->start == FROM_BOTH)
        p.bias = w->bias, p.bias_factor = 3;
    if (t->start >= FROM_RESIDUAL) p.residual = w->residual, p.residual_alpha = 2;
    if (t->to_narrow) p.c16 = w->c16;
    else p.c = w->c;
    (tile ? bf16_tile_product : bf16_panel_product)(&p);
}

static double a_of(const Case *t, const Work *w, size_t i, size_t l) {
    return (double)bf16_float(w->a16[t->strips ? l * w->lda + i : i * w->lda + l]);
}

static double b_of(const Case *t, const Work *w, size_t l, size_t j) {
    bool plain = t->order == PANEL_PLAIN;
    return (double)bf16_float(w->b16[plain ? l * w->ldb + j : j * w->ldb + l]);
}

/* A sum of 2^-24 steps, and 2^-9 of the result where that is rounded once more. */
static void check_case(const Case *t) {
    Work w = make_work(t);
    multiply(t, &w);
    for (size_t i = 0; i < t->m; i++)
        for (size_t j = 0; j < w.ldc; j++) {
            size_t at = i * w.ldc + j;
            double sum = 0, size = 0, old = (double)w.before[at];
            double is = t->to_narrow ? (double)bf16_float(w.c16[at]) : (double)w.c[at];
            if (j >= t->n) {
                assert_true(is == old);
                continue;
            }
            for (size_t l = 0; l < t->k; l++) {
                double product = a_of(t, &w, i, l) * b_of(t, &w, l, j);
                sum += product;
                size += fabs(product);
            }
            bool biased = t->start == FROM_BIAS || t->start == FROM_BOTH;
            double parts[] = {t->start == FROM_ITSELF ? old : 0,
                              biased ? 3 * (double)w.bias[j] : 0,
                              t->start >= FROM_RESIDUAL ? 2 * (double)w.residual[at] : 0};
            double start = parts[0] + parts[1] + parts[2];
            size += fabs(parts[0]) + fabs(parts[1]) + fabs(parts[2]);
            double wanted = 0.5 * sum + start, narrowing = t->to_narrow ? 1.0 / 256 : 0;
            double bound = ldexp(1, -23) * (sqrt((double)t->k) + 4) * size;
            if (!(fabs(is - wanted) <= bound + narrowing * (fabs(wanted) + bound)))
                fail_msg("%zu x %zu x %zu, %d %d %d %d %d %d, [%zu, %zu]: %g, not %g",
                         t->m, t->n, t->k, t->order, t->strips, t->from_narrow,
                         t->to_narrow, (int)t->start, (int)t->form, i, j, is, wanted);
        }
    free_work(&w);
}

static void every_size(Bf16Way way) {
    static const size_t rows[] = {1, 7, 53}, columns[] = {1, 16, 63, 130};
    static const size_t depths[] = {0, 1, 2, 65, 771};
    for (size_t m = 0; m < COUNT(rows); m++)
        for (size_t n = 0; n < COUNT(columns); n++)
            for (size_t k = 0; k < COUNT(depths); k++)
                for (int kind = 0; kind < 16; kind++) {
                    Case t = {way,       rows[m],     columns[n],
                              depths[k], PANEL_PLAIN, .start = 0};
                    if (kind & 1) t.order = PANEL_TRANSPOSED;
                    t.strips = kind & 2, t.from_narrow = kind & 4, t.to_narrow = kind & 8;
                    t.start = (Start)((m + n + k + (size_t)kind) % STARTS);
                    t.form = (Form)((m + n + k + (size_t)kind) % FORMS);
                    t.on_the_way = (m + n + (size_t)kind / 4) % 2;
                    check_case(&t);
                }
}

static void plain_products_of_every_size(void **state) {
    (void)state;
    every_size(BF16_PLAIN);
}

static void products_of_every_size(void **state) {
    (void)state;
    every_size(BF16_BEST);
}

/* Columns of the first keys, and rows of the first values, of what was packed once. */
static void causal_products_use_a_part_of_what_is_packed(void **state) {
    (void)state;
    enum { ALL = 150, K = 3 };
    real *b = numbers(ALL * K, 1), *a = numbers(ALL, 2), c[K], wanted[K];
    bf16 *packed = mem_alloc(bf16_panel_size(ALL, K) * sizeof(bf16));
    bf16 *b16 = narrow(b, ALL * K), *a16 = narrow(a, ALL);
    bf16_tile_pack(packed, (Bf16Matrix){.wide = b, .ld = K}, ALL, K, PANEL_PLAIN);
    for (size_t k = 1; k <= ALL; k += 7) {
        memset(wanted, 0, sizeof wanted);
        for (size_t l = 0; l < k; l++)
            for (size_t j = 0; j < K; j++)
                wanted[j] += (real)(bf16_float(a16[l]) * bf16_float(b16[l * K + j]));
        bf16_tile_product(&(Bf16PanelProduct){.m = 1,
                                              .n = K,
                                              .k = k,
                                              .alpha = 1,
                                              .a = a16,
                                              .lda = k,
                                              .packed = packed,
                                              .packed_k = ALL,
                                              .c = c,
                                              .ldc = K});
        for (size_t j = 0; j < K; j++)
            assert_true(fabs((double)(c[j] - wanted[j])) <= 1e-5 * (1 + sqrt((double)k)));
    }
    mem_free(a), mem_free(b), mem_free(a16), mem_free(b16), mem_free(packed);
}

/* ---- packing ---- */

static void compare_packing(Bf16Pack *own, Bf16Pack *plain, const Bf16Matrix *x, size_t k,
                            size_t width, size_t size) {
    bf16 *is = mem_alloc((size + 1) * sizeof(bf16)),
         *wanted = mem_alloc((size + 1) * sizeof(bf16));
    memset(is, 0x55, (size + 1) * sizeof(bf16));
    memset(wanted, 0x55, (size + 1) * sizeof(bf16));
    own(is, x, k, 3, width);
    plain(wanted, x, k, 3, width);
    assert_memory_equal(is, wanted, (size + 1) * sizeof(bf16));
    mem_free(is), mem_free(wanted);
}

static bf16 number(const Bf16Matrix *x, size_t i, size_t j) {
    return x->narrow ? x->narrow[i * x->ld + j] : bf16_of(x->wide[i * x->ld + j]);
}

/* One number after the other: units of so many columns, pairs of rows. */
static void pack_slowly(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                        size_t width, size_t unit, bool transposed) {
    for (size_t u = 0; u < width; u += unit)
        for (size_t l = 0; l < k; l += 2)
            for (size_t j = u; j < u + unit; j++)
                for (size_t h = l; h < l + 2; h++)
                    *to++ = j >= width || h >= k ? 0
                            : transposed         ? number(x, first + j, h)
                                                 : number(x, h, first + j);
}

static void panel_slowly(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                         size_t width) {
    pack_slowly(to, x, k, first, width, BF16_WIDTH, false);
}

static void transposed_slowly(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                              size_t width) {
    pack_slowly(to, x, k, first, width, BF16_WIDTH, true);
}

static void strips_slowly(bf16 *to, const Bf16Matrix *x, size_t k, size_t first,
                          size_t width) {
    pack_slowly(to, x, k, first, width, BF16_ROWS, false);
}

static void pack_all(const Bf16Kernels *own, const Bf16Matrix *m, size_t k,
                     size_t width) {
    if (width <= BF16_WIDTH) {
        size_t size = bf16_panel_size(k, width);
        compare_packing(own->panel, panel_slowly, m, k, width, size);
        compare_packing(own->panel_transposed, transposed_slowly, m, k, width, size);
    }
    compare_packing(own->strips, strips_slowly, m, k, width, bf16_strips_size(k, width));
}

static void every_way_packs_the_same_bits(void **state) {
    (void)state;
    enum { ROOM = 420 };
    static const size_t depths[] = {0, 1, 2, 7, 64, 69, 191, 193, 385};
    static const size_t widths[] = {1, 5, 6, 16, 33, 63, 64, 191, 192, 193, 400};
    real *x = numbers(ROOM * ROOM, 1);
    x[0] = NAN, x[4 * ROOM + 5] = INFINITY, x[5 * ROOM + 6] = (real)1e-40;
    bf16 *x16 = narrow(x, ROOM * ROOM);
    for (int way = BF16_BEST; way <= BF16_PLAIN; way++)
        for (size_t k = 0; k < COUNT(depths); k++)
            for (size_t w = 0; w < COUNT(widths); w++)
                for (int is_narrow = 0; is_narrow < 2; is_narrow++) {
                    Bf16Matrix m = {is_narrow ? NULL : x, is_narrow ? x16 : NULL, ROOM};
                    pack_all(bf16_kernels((Bf16Way)way), &m, depths[k], widths[w]);
                }
    mem_free(x), mem_free(x16);
}

/* ---- numbers that are none ---- */

static void infinity_and_nan_come_through(void **state) {
    (void)state;
    for (int way = BF16_BEST; way <= BF16_PLAIN; way++) {
        real x[4] = {INFINITY, 1, 1, 1}, w[4] = {1, 2, 3, NAN}, c[4];
        bf16 a[4], packed[BF16_WIDTH * 2];
        bf16_round(a, x, 4);
        bf16_tile_pack(packed, (Bf16Matrix){.wide = w, .ld = 2}, 2, 2, PANEL_PLAIN);
        bf16_tile_product(&(Bf16PanelProduct){.way = (Bf16Way)way,
                                              .m = 2,
                                              .n = 2,
                                              .k = 2,
                                              .alpha = 1,
                                              .a = a,
                                              .lda = 2,
                                              .packed = packed,
                                              .c = c,
                                              .ldc = 2});
        assert_true(isinf(c[0]) && c[0] > 0);
        assert_true(isnan(c[1]) && isnan(c[3]));
        assert_true(c[2] == 4);
    }
}

/* Behind the last pair of an odd k nothing of A is read. */
static void numbers_behind_a_row_do_not_count(void **state) {
    (void)state;
    for (int way = BF16_BEST; way <= BF16_PLAIN; way++) {
        bf16 a[4] = {0x3f80, 0x7fc0, 0x4000, 0x7fc0}, packed[BF16_WIDTH * 2];
        real w = 3, c[2];
        bf16_tile_pack(packed, (Bf16Matrix){.wide = &w, .ld = 1}, 1, 1, PANEL_PLAIN);
        bf16_tile_product(&(Bf16PanelProduct){.way = (Bf16Way)way,
                                              .m = 2,
                                              .n = 1,
                                              .k = 1,
                                              .alpha = 1,
                                              .a = a,
                                              .lda = 2,
                                              .packed = packed,
                                              .c = c,
                                              .ldc = 1});
        assert_true(c[0] == 3 && c[1] == 6);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_is_to_the_nearest_even),
        cmocka_unit_test(widening_is_exact),
        cmocka_unit_test(rows_of_any_length_are_rounded),
        cmocka_unit_test(plain_products_of_every_size),
        cmocka_unit_test(products_of_every_size),
        cmocka_unit_test(causal_products_use_a_part_of_what_is_packed),
        cmocka_unit_test(every_way_packs_the_same_bits),
        cmocka_unit_test(infinity_and_nan_come_through),
        cmocka_unit_test(numbers_behind_a_row_do_not_count),
    };
    return RUN_AT_LEVELS("bf16", tests);
}
