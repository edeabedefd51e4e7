#include "engine/kern/bf16_panel.h"

#include <omp.h>
#include <string.h>

#include "engine/kern/bf16_block.h"
#include "engine/kern/bf16_tile.h"
#include "engine/kern/start.h"

enum {
    DEPTH = 768, /* rows of B, */
    CHUNK =
        32 * BF16_ROWS, /* and rows of A, whose product stays in the second-level cache */
    GROUP = 3,          /* panels that a thread packs at a time */
    ROWS_MIN = 8 * BF16_ROWS, /* for fewer a thread does not pay */
    PACKING = 48,             /* to pack a panel takes as long as so many rows */
    SERIAL_WORK = 1 << 18,
};

static size_t whole(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

static size_t panels_of(size_t n) { return (n + BF16_WIDTH - 1) / BF16_WIDTH; }

/* ---- packing ---- */

size_t bf16_panel_size(size_t k, size_t n) { return whole(n, BF16_WIDTH) * whole(k, 2); }

size_t bf16_strips_size(size_t k, size_t m) { return whole(m, BF16_ROWS) * whole(k, 2); }

static Bf16Matrix matrix_from(const Bf16Matrix *x, size_t skip) {
    return (Bf16Matrix){.wide = x->wide ? x->wide + skip : NULL,
                        .narrow = x->narrow ? x->narrow + skip : NULL,
                        .ld = x->ld};
}

/* Panels [from, to) of B, rows [l, l + depth) of it. */
static void pack_panels(bf16 *packed, const Bf16Matrix *b, size_t l, size_t depth,
                        size_t n, PanelOrder order, size_t from, size_t to) {
    const Bf16Kernels *kernels = bf16_kernels(BF16_BEST);
    bool plain = order == PANEL_PLAIN;
    Bf16Matrix part = matrix_from(b, plain ? l * b->ld : l);
    for (size_t j = from; j < to; j++) {
        size_t first = j * BF16_WIDTH, width = MIN((size_t)BF16_WIDTH, n - first);
        bf16 *panel = packed + (j - from) * BF16_WIDTH * whole(depth, 2);
        (plain ? kernels->panel : kernels->panel_transposed)(panel, &part, depth, first,
                                                             width);
    }
}

void bf16_tile_pack(bf16 *packed, Bf16Matrix b, size_t k, size_t n, PanelOrder order) {
    pack_panels(packed, &b, 0, k, n, order, 0, panels_of(n));
}

void bf16_panel_pack(bf16 *packed, Bf16Matrix b, size_t k, size_t n, PanelOrder order) {
#pragma omp parallel for schedule(static) if (k * n > 8192)
    for (size_t j = 0; j < panels_of(n); j++)
        pack_panels(packed + j * BF16_WIDTH * whole(k, 2), &b, 0, k, n, order, j, j + 1);
}

void bf16_tile_strips(bf16 *strips, Bf16Matrix transpose, size_t k, size_t m) {
    bf16_kernels(BF16_BEST)->strips(strips, &transpose, k, 0, m);
}

/* A thread's strips are next to each other: it reads long pieces of the rows. */
void bf16_strips_pack(bf16 *strips, Bf16Matrix transpose, size_t k, size_t m) {
    size_t count = whole(m, BF16_ROWS) / BF16_ROWS;
    size_t parts = k * m > 8192 ? MIN((size_t)omp_get_max_threads(), count) : 1;
#pragma omp parallel for schedule(static) if (parts > 1)
    for (size_t i = 0; i < parts; i++) {
        size_t first = count * i / parts * BF16_ROWS;
        size_t end = MIN(count * (i + 1) / parts * BF16_ROWS, m);
        bf16_kernels(BF16_BEST)->strips(strips + first * whole(k, 2), &transpose, k,
                                        first, end - first);
    }
}

/* ---- one tile of C ---- */

/* What rows [0, rows) of it start from, where that is not 0. */
static void start_tile(const Bf16PanelProduct *p, size_t row, size_t column, size_t rows,
                       size_t width, real *c, size_t ldc) {
    TileStart start = {.residual =
                           p->residual ? p->residual + row * p->ldc + column : NULL,
                       .ld = p->ldc,
                       .bias = p->bias ? p->bias + column : NULL,
                       .residual_alpha = p->residual_alpha,
                       .bias_factor = p->bias_factor};
    tile_start(&start, rows, width, c, ldc);
}

/* A tile that is narrow, or ends inside a vector, is made apart. */
typedef struct Apart {
    real *tile; /* [BF16_ROWS, BF16_WIDTH] */
    real *c;    /* where it goes: one of both */
    bf16 *c16;
    size_t ldc;
} Apart;

static void apart_load(Apart *t, const Bf16Kernels *kernels, size_t rows, size_t width) {
    for (size_t i = 0; i < rows; i++) {
        real *to = t->tile + i * BF16_WIDTH;
        if (t->c16) kernels->widen(to, t->c16 + i * t->ldc, width);
        else memcpy(to, t->c + i * t->ldc, width * sizeof(real));
    }
}

static void apart_store(const Apart *t, const Bf16Kernels *kernels, size_t rows,
                        size_t width) {
    for (size_t i = 0; i < rows; i++) {
        const real *from = t->tile + i * BF16_WIDTH;
        if (t->c16) kernels->round(t->c16 + i * t->ldc, from, width);
        else memcpy(t->c + i * t->ldc, from, width * sizeof(real));
    }
}

/* A place in the product: rows [l, l + depth) of B, and where A is for these. */
typedef struct Place {
    const Bf16PanelProduct *p;
    const Bf16Kernels *kernels;
    size_t l, depth;
    const bf16 *strips;            /* from row strips_first on, */
    size_t strips_first, strips_k; /* packed with so many pairs, doubled */
} Place;

/* spare: [BF16_ROWS, BF16_WIDTH] */
static void tile(const Place *at, Bf16Block *t, size_t row, size_t column, size_t rows,
                 real *spare) {
    const Bf16PanelProduct *p = at->p;
    size_t width = MIN((size_t)BF16_WIDTH, p->n - column), c = row * p->ldc + column;
    bool start = at->l == 0, filled = start && (p->residual || p->bias);
    bool add = !start || p->add;
    Apart apart = {.tile = spare,
                   .c = p->c ? p->c + c : NULL,
                   .c16 = p->c16 ? p->c16 + c : NULL,
                   .ldc = p->ldc};
    bool is_apart = p->c16 || width % BF16_LANES;
    t->c = is_apart ? apart.tile : apart.c;
    t->ldc = is_apart ? (size_t)BF16_WIDTH : p->ldc;
    t->add = add || filled;
    if (is_apart && add) apart_load(&apart, at->kernels, rows, width);
    if (filled) start_tile(p, row, column, rows, width, t->c, t->ldc);
    at->kernels->multiply(t, rows, (width + BF16_LANES - 1) / BF16_LANES);
    if (is_apart) apart_store(&apart, at->kernels, rows, width);
}

/* Rows [first, last) and one panel of C. */
static void chunk(const Place *at, const bf16 *panel, size_t column, size_t first,
                  size_t last) {
    const Bf16PanelProduct *p = at->p;
    real spare[BF16_ROWS * BF16_WIDTH] = {0};
    for (size_t i = first; i < last; i += BF16_ROWS) {
        Bf16Block t = {.k = at->depth,
                       .alpha = p->alpha,
                       .a = at->strips
                                ? at->strips + (i - at->strips_first) * at->strips_k
                                : p->a + i * p->lda + at->l,
                       .row = at->strips ? 2 : p->lda,
                       .step = at->strips ? (size_t)2 * BF16_ROWS : 2,
                       .b = panel,
                       .ldb = (size_t)2 * BF16_WIDTH};
        tile(at, &t, i, column, MIN((size_t)BF16_ROWS, last - i), spare);
    }
}

/* ---- a part of C: rows [first, last), panels [from, to) ---- */

typedef struct Part {
    size_t first, last, from, to;
} Part;

/* Rows of B that are taken at a time: all where C cannot hold sums in fp32. */
static size_t depth_of(const Bf16PanelProduct *p) {
    return p->c16 ? MAX(p->k, (size_t)1) : (size_t)DEPTH;
}

static Place place_of(const Bf16PanelProduct *p, size_t l) {
    return (Place){.p = p,
                   .kernels = bf16_kernels(p->way),
                   .l = l,
                   .depth = MIN(depth_of(p), p->k - l),
                   .strips = p->strips ? p->strips + l * BF16_ROWS : NULL,
                   .strips_k = whole(p->k, 2)};
}

static bool is_given(const Bf16Matrix *x) { return x->wide || x->narrow; }

/* Strips of rows [first, last) of A into the room, unless A needs none. */
static void bring_strips(Place *at, size_t first, size_t last, bf16 *room) {
    if (!is_given(&at->p->transpose)) return;
    Bf16Matrix part = matrix_from(&at->p->transpose, at->l * at->p->transpose.ld);
    bf16_kernels(BF16_BEST)->strips(room, &part, at->depth, first, last - first);
    at->strips = room;
    at->strips_first = first;
    at->strips_k = whole(at->depth, 2);
}

/* A chunk of A stays in the second-level cache while the panels go by. */
static void packed_part(const Bf16PanelProduct *p, const Part *t, bf16 *room) {
    size_t packed_k = whole(p->packed_k ? p->packed_k : p->k, 2);
    for (size_t l = 0; l == 0 || l < p->k; l += depth_of(p)) {
        Place at = place_of(p, l);
        for (size_t i = t->first; i < t->last; i += CHUNK) {
            size_t end = MIN(i + CHUNK, t->last);
            bring_strips(&at, i, end, room);
            for (size_t j = t->from; j < t->to; j++)
                chunk(&at, p->packed + (j * packed_k + l) * BF16_WIDTH, j * BF16_WIDTH, i,
                      end);
        }
    }
}

/* A few panels stay there while the rows of A go by. */
static void packing_part(const Bf16PanelProduct *p, const Part *t, bf16 *room) {
    for (size_t l = 0; l == 0 || l < p->k; l += depth_of(p)) {
        Place at = place_of(p, l);
        for (size_t j = t->from; j < t->to; j += GROUP) {
            size_t end = MIN(j + GROUP, t->to);
            pack_panels(room, &p->b, l, at.depth, p->n, p->order, j, end);
            for (size_t i = t->first; i < t->last; i += BF16_ROWS)
                for (size_t g = j; g < end; g++)
                    chunk(&at, room + (g - j) * BF16_WIDTH * whole(at.depth, 2),
                          g * BF16_WIDTH, i, MIN(i + BF16_ROWS, t->last));
        }
    }
}

/* ---- threads ---- */

static size_t room_of_thread(size_t k) {
    return MAX((size_t)GROUP * BF16_WIDTH, (size_t)CHUNK) * whole(MAX(k, (size_t)1), 2);
}

size_t bf16_panel_room(size_t k, size_t n) {
    (void)n;
    return (size_t)omp_get_max_threads() * room_of_thread(k);
}

/* Where part i of `parts` begins: a multiple of BF16_ROWS rows. */
static size_t row_start(size_t rows, size_t i, size_t parts) {
    size_t blocks = (rows + BF16_ROWS - 1) / BF16_ROWS;
    return MIN(blocks * i / parts * BF16_ROWS, rows);
}

/* C is cut into down x across parts: those whose largest takes least time.  To pack a
 * strip on the way takes as long as one panel. */
typedef struct Cut {
    size_t down, across;
} Cut;

static Cut cut_of(const Bf16PanelProduct *p, size_t threads) {
    size_t panels = panels_of(p->n), most = (p->m + ROWS_MIN - 1) / ROWS_MIN;
    size_t least = SIZE_MAX;
    Cut best = {1, 1};
    for (size_t across = 1; across <= MIN(threads, panels); across++) {
        Cut cut = {MAX(MIN(threads / across, most), (size_t)1), across};
        size_t rows = (p->m + cut.down - 1) / cut.down + (p->packed ? 0 : PACKING);
        size_t strips = is_given(&p->transpose) ? 1 : 0;
        size_t work = ((panels + across - 1) / across + strips) * rows;
        if (work < least) least = work, best = cut;
    }
    return best;
}

static void check(const Bf16PanelProduct *p) {
    CHECK(!p->c != !p->c16, "a product in bf16 has one result");
    bool on_the_way = !p->packed || is_given(&p->transpose);
    CHECK(!on_the_way || p->room, "a product in bf16 has no room to pack");
    CHECK(p->packed || !is_given(&p->transpose), "a product in bf16 packs A or B");
}

void bf16_tile_product(const Bf16PanelProduct *p) {
    check(p);
    packed_part(p, &(Part){0, p->m, 0, panels_of(p->n)}, p->room);
}

void bf16_panel_product(const Bf16PanelProduct *p) {
    check(p);
    size_t threads = omp_in_parallel() || p->m * p->n * p->k < SERIAL_WORK
                         ? 1
                         : (size_t)omp_get_max_threads();
    Cut cut = cut_of(p, threads);
    size_t panels = panels_of(p->n);
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < cut.down * cut.across; i++) {
        size_t r = i / cut.across, c = i % cut.across;
        Part part = {row_start(p->m, r, cut.down), row_start(p->m, r + 1, cut.down),
                     panels * c / cut.across, panels * (c + 1) / cut.across};
        bf16 *room = p->room ? p->room + i * room_of_thread(p->k) : NULL;
        if (p->packed) packed_part(p, &part, room);
        else packing_part(p, &part, room);
    }
}
