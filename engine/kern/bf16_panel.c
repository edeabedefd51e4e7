#include "engine/kern/bf16_panel.h"

#include <omp.h>
#include <string.h>

#include "engine/kern/bf16_block.h"

enum {
    WIDTH = BF16_VECTORS * BF16_LANES, /* columns of a panel */
    DEPTH = 768,                       /* rows of B, */
    CHUNK =
        32 * BF16_ROWS, /* and rows of A, whose product stays in the second-level cache */
    ROWS_MIN = 8 * BF16_ROWS, /* for fewer a thread does not pay */
    SERIAL_WORK = 1 << 18,
};

static size_t whole(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

size_t bf16_panel_size(size_t k, size_t n) { return whole(n, WIDTH) * whole(k, 2); }

size_t bf16_strips_size(size_t k, size_t m) { return whole(m, BF16_ROWS) * whole(k, 2); }

/* ---- packing ---- */

/* Two rows of a matrix, which may be missing: 0. */
static bf16 number(const Bf16Matrix *b, size_t i, size_t j) {
    return b->narrow ? b->narrow[i * b->ld + j] : bf16_of(b->wide[i * b->ld + j]);
}

/* to[l, j, 2] = rows 2l and 2l + 1 of b [k, columns first ... first + width) */
static void pack_pairs(bf16 *to, const Bf16Matrix *b, size_t k, size_t first,
                       size_t width, size_t padded) {
    for (size_t l = 0; l < k; l += 2)
        for (size_t j = 0; j < padded; j++, to += 2) {
            to[0] = j < width ? number(b, l, first + j) : 0;
            to[1] = j < width && l + 1 < k ? number(b, l + 1, first + j) : 0;
        }
}

/* The same from rows of the transpose. */
static void pack_transposed(bf16 *to, const Bf16Matrix *b, size_t k, size_t first,
                            size_t width) {
    for (size_t l = 0; l < k; l += 2)
        for (size_t j = 0; j < WIDTH; j++, to += 2) {
            to[0] = j < width ? number(b, first + j, l) : 0;
            to[1] = j < width && l + 1 < k ? number(b, first + j, l + 1) : 0;
        }
}

void bf16_panel_pack(bf16 *packed, Bf16Matrix b, size_t k, size_t n, PanelOrder order) {
#pragma omp parallel for schedule(static) if (k * n > 8192)
    for (size_t j = 0; j < n; j += WIDTH) {
        bf16 *to = packed + j * whole(k, 2);
        size_t width = MIN((size_t)WIDTH, n - j);
        if (order == PANEL_PLAIN) pack_pairs(to, &b, k, j, width, WIDTH);
        else pack_transposed(to, &b, k, j, width);
    }
}

void bf16_strips_pack(bf16 *strips, Bf16Matrix transpose, size_t k, size_t m) {
#pragma omp parallel for schedule(static) if (k * m > 8192)
    for (size_t i = 0; i < m; i += BF16_ROWS)
        pack_pairs(strips + i * whole(k, 2), &transpose, k, i,
                   MIN((size_t)BF16_ROWS, m - i), BF16_ROWS);
}

/* ---- the product ---- */

/* What rows [0, rows) of one tile of C start from, where it is not 0. */
static void start_tile(const Bf16PanelProduct *p, size_t row, size_t column, size_t rows,
                       size_t width, real *c, size_t ldc) {
    const real *bias = p->bias ? p->bias + column : NULL;
    real a = p->residual_alpha, f = p->bias_factor;
    for (size_t i = 0; i < rows; i++) {
        real *to = c + i * ldc;
        const real *r = p->residual ? p->residual + (row + i) * p->ldc + column : NULL;
        if (r && bias)
            for (size_t j = 0; j < width; j++) to[j] = a * r[j] + f * bias[j];
        else if (r)
            for (size_t j = 0; j < width; j++) to[j] = a * r[j];
        else
            for (size_t j = 0; j < width; j++) to[j] = f * bias[j];
    }
}

/* A tile of C that is narrow, or ends inside a vector, is made apart. */
typedef struct Apart {
    real tile[BF16_ROWS * WIDTH];
    real *c; /* where the tile goes: one of both */
    bf16 *c16;
    size_t ldc;
} Apart;

static void apart_load(Apart *t, size_t rows, size_t width) {
    for (size_t i = 0; i < rows; i++)
        if (t->c16) bf16_widen(t->tile + i * WIDTH, t->c16 + i * t->ldc, width);
        else memcpy(t->tile + i * WIDTH, t->c + i * t->ldc, width * sizeof(real));
}

static void apart_store(const Apart *t, size_t rows, size_t width) {
    for (size_t i = 0; i < rows; i++)
        if (t->c16) bf16_round(t->c16 + i * t->ldc, t->tile + i * WIDTH, width);
        else memcpy(t->c + i * t->ldc, t->tile + i * WIDTH, width * sizeof(real));
}

/* Rows of B that are taken at a time: all where C cannot hold sums in fp32. */
static size_t depth_of(const Bf16PanelProduct *p) {
    return p->c16 ? MAX(p->k, (size_t)1) : (size_t)DEPTH;
}

/* Rows [row, row + rows) of one panel of C, rows [l, ...) of B. */
static void tile(const Bf16PanelProduct *p, Bf16Block *t, size_t row, size_t column,
                 size_t rows, bool start) {
    size_t width = MIN((size_t)WIDTH, p->n - column), at = row * p->ldc + column;
    bool filled = start && (p->residual || p->bias), add = !start || p->add;
    Apart apart = {.c = p->c ? p->c + at : NULL,
                   .c16 = p->c16 ? p->c16 + at : NULL,
                   .ldc = p->ldc};
    bool is_apart = p->c16 || width % BF16_LANES;
    if (p->strips) t->a += row / BF16_ROWS * BF16_ROWS * whole(p->k, 2);
    else t->a += row * p->lda;
    t->c = is_apart ? apart.tile : apart.c;
    t->ldc = is_apart ? WIDTH : p->ldc;
    t->add = add || filled;
    if (is_apart) memset(apart.tile, 0, sizeof apart.tile);
    if (is_apart && add) apart_load(&apart, rows, width);
    if (filled) start_tile(p, row, column, rows, width, t->c, t->ldc);
    bf16_multiply(p->way)(t, rows, (width + BF16_LANES - 1) / BF16_LANES);
    if (is_apart) apart_store(&apart, rows, width);
}

/* Rows [first, last) and one panel of C: rows [l, l + depth) of B. */
static void chunk(const Bf16PanelProduct *p, size_t panel, size_t first, size_t last,
                  size_t l) {
    size_t column = panel * WIDTH;
    Bf16Block block = {.k = MIN(depth_of(p), p->k - l),
                       .alpha = p->alpha,
                       .a = p->strips ? p->strips + l * BF16_ROWS : p->a + l,
                       .row = p->strips ? 2 : p->lda,
                       .step = p->strips ? 2 * BF16_ROWS : 2,
                       .b = p->packed + column * whole(p->k, 2) + l * WIDTH,
                       .ldb = 2 * WIDTH};
    for (size_t i = first; i < last; i += BF16_ROWS) {
        Bf16Block t = block;
        tile(p, &t, i, column, MIN((size_t)BF16_ROWS, last - i), l == 0);
    }
}

/* A part of C: rows [first, last), panels [from, to).  A chunk of A stays in the
 * second-level cache while the panels go by. */
static void part(const Bf16PanelProduct *p, size_t first, size_t last, size_t from,
                 size_t to) {
    for (size_t l = 0; l == 0 || l < p->k; l += depth_of(p))
        for (size_t i = first; i < last; i += CHUNK)
            for (size_t j = from; j < to; j++) chunk(p, j, i, MIN(i + CHUNK, last), l);
}

/* Where part i of `parts` begins: a multiple of BF16_ROWS rows. */
static size_t row_start(size_t rows, size_t i, size_t parts) {
    size_t blocks = (rows + BF16_ROWS - 1) / BF16_ROWS;
    return MIN(blocks * i / parts * BF16_ROWS, rows);
}

/* Threads share rows; where there are too few for all, panels too. */
void bf16_panel_product(const Bf16PanelProduct *p) {
    size_t threads = omp_in_parallel() || p->m * p->n * p->k < SERIAL_WORK
                         ? 1
                         : (size_t)omp_get_max_threads();
    size_t panels = (p->n + WIDTH - 1) / WIDTH,
           down = MIN(threads, (p->m + ROWS_MIN - 1) / ROWS_MIN);
    size_t across = MAX(MIN(threads / MAX(down, (size_t)1), panels), (size_t)1);
    CHECK(!p->c != !p->c16, "bf16_panel_product: one result, not two or none");
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < down * across; i++) {
        size_t r = i / across, c = i % across;
        part(p, row_start(p->m, r, down), row_start(p->m, r + 1, down),
             panels * c / across, panels * (c + 1) / across);
    }
}
