#include "engine/kern/panel.h"

#include <omp.h>
#include <string.h>

#include "engine/kern/start.h"
#include "engine/kern/tile_kernel.h"

enum {
    WIDTH = TILE_VECTORS * VECTOR_LANES, /* columns of a panel */
    DEPTH = 384,                         /* rows of B, */
    CHUNK =
        32 * TILE_ROWS, /* and rows of A, whose product stays in the second-level cache */
    ROWS_MIN = 8 * TILE_ROWS, /* for fewer a thread does not pay */
    SERIAL_WORK = 1 << 18,
};

static size_t panels_of(size_t n) { return (n + WIDTH - 1) / WIDTH; }

/* ---- packing: panel j holds rows 0..k of columns [j WIDTH, j WIDTH + WIDTH), zeros behind n */

static void pack_plain(real *to, const real *b, size_t ldb, size_t k, size_t width) {
    for (size_t l = 0; l < k; l++) {
        for (size_t j = 0; j < width; j++) to[l * WIDTH + j] = b[l * ldb + j];
        for (size_t j = width; j < WIDTH; j++) to[l * WIDTH + j] = 0;
    }
}

void panel_pack(real *packed, const real *b, size_t ldb, size_t k, size_t n,
                PanelOrder order) {
#pragma omp parallel for schedule(static) if (k * n > 8192)
    for (size_t j = 0; j < panels_of(n); j++) {
        size_t first = j * WIDTH, width = MIN((size_t)WIDTH, n - first);
        real *to = packed + first * k;
        if (order == PANEL_PLAIN) pack_plain(to, b + first, ldb, k, width);
        else tile_transpose(to, WIDTH, b + first * ldb, ldb, width, k, WIDTH);
    }
}

/* ---- the product ---- */

/* What rows [0, rows) of one tile of C start from. */
static void start_tile(const PanelProduct *p, size_t row, size_t column, size_t rows,
                       size_t width, real *c, size_t ldc) {
    TileStart start = {.residual =
                           p->residual ? p->residual + row * p->ldc + column : NULL,
                       .ld = p->ldc,
                       .bias = p->bias ? p->bias + column : NULL,
                       .residual_alpha = p->residual_alpha,
                       .bias_factor = p->bias_factor};
    tile_start(&start, rows, width, c, ldc);
}

/* The last panel may end inside a vector: its tile is made apart and copied. */
static void ragged_tile(const PanelProduct *p, TileBlock t, size_t rows, size_t width) {
    real tile[TILE_ROWS * WIDTH] = {0}, *c = t.c;
    for (size_t i = 0; t.add && i < rows; i++)
        memcpy(tile + i * WIDTH, c + i * p->ldc, width * sizeof(real));
    t.c = tile;
    t.ldc = WIDTH;
    tile_block(&t, rows, (width + VECTOR_LANES - 1) / VECTOR_LANES);
    for (size_t i = 0; i < rows; i++)
        memcpy(c + i * p->ldc, tile + i * WIDTH, width * sizeof(real));
}

/* Rows [first, last) and one panel of C: rows [l, l + DEPTH) of B. */
static void chunk(const PanelProduct *p, size_t panel, size_t first, size_t last,
                  size_t l) {
    size_t column = panel * WIDTH, width = MIN((size_t)WIDTH, p->n - column);
    bool start = l == 0 && !p->add, filled = p->residual || p->bias;
    TileBlock t = {.k = MIN((size_t)DEPTH, p->k - l),
                   .alpha = p->alpha,
                   .b = p->packed + column * p->k + l * WIDTH,
                   .ldb = WIDTH,
                   .add = !start || filled,
                   .ldc = p->ldc};
    for (size_t i = first; i < last; i += TILE_ROWS) {
        size_t rows = MIN((size_t)TILE_ROWS, last - i);
        t.a = (TileA){p->a.a + i * p->a.row + l * p->a.column, p->a.row, p->a.column};
        t.c = p->c + i * p->ldc + column;
        if (start && filled) start_tile(p, i, column, rows, width, t.c, p->ldc);
        if (width % VECTOR_LANES) ragged_tile(p, t, rows, width);
        else tile_block(&t, rows, width / VECTOR_LANES);
    }
}

/* A part of C: rows [first, last), panels [from, to).  A chunk of A stays in the
 * second-level cache while the panels go by. */
static void part(const PanelProduct *p, size_t first, size_t last, size_t from,
                 size_t to) {
    for (size_t l = 0; l == 0 || l < p->k; l += DEPTH)
        for (size_t i = first; i < last; i += CHUNK)
            for (size_t j = from; j < to; j++) chunk(p, j, i, MIN(i + CHUNK, last), l);
}

/* Where part i of `parts` begins: a multiple of TILE_ROWS rows. */
static size_t row_start(size_t rows, size_t i, size_t parts) {
    size_t blocks = (rows + TILE_ROWS - 1) / TILE_ROWS;
    return MIN(blocks * i / parts * TILE_ROWS, rows);
}

/* Threads share rows; where there are too few for all, panels too. */
void panel_product(const PanelProduct *p) {
    size_t threads = omp_in_parallel() || p->m * p->n * p->k < SERIAL_WORK
                         ? 1
                         : (size_t)omp_get_max_threads();
    size_t panels = panels_of(p->n),
           down = MIN(threads, (p->m + ROWS_MIN - 1) / ROWS_MIN);
    size_t across = MAX(MIN(threads / MAX(down, (size_t)1), panels), (size_t)1);
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < down * across; i++) {
        size_t r = i / across, c = i % across;
        part(p, row_start(p->m, r, down), row_start(p->m, r + 1, down),
             panels * c / across, panels * (c + 1) / across);
    }
}
