/* attention_bf16: attention's products with rounded operands, through bf16_tile.h.
 *
 * q and dy are read where they are if they are narrow; scores are rounded row by row.  dk
 * and dv that are narrow wait in fp32 until all blocks have added their part. */
#include "engine/kern/bf16_tile.h"
#include "engine/kern/tile.h"
#include "engine/op/attention_parts.h"

typedef struct Packed {
    bf16 *keys_t, *values_t;    /* [K, S]^T; values_t: backward */
    bf16 *rows;                 /* [S, K] values; backward: keys */
    bf16 *queries, *dy;         /* [block, K] as they are, */
    bf16 *query_rows, *dy_rows; /* and as right sides; backward */
    bf16 *scores;               /* [block, padded S] rounded, or [S, block] in strips */
    real *dk, *dv;              /* [S, K] sums; backward */
} Packed;

/* ---- memory ---- */

static size_t padded(size_t n) { return (n + 31) / 32 * 32; }

/* Room that is given out from its start; base NULL: only counted. */
typedef struct Taken {
    bf16 *base;
    size_t used;
} Taken;

static bf16 *take(Taken *t, size_t n) {
    bf16 *here = t->base ? t->base + t->used : NULL;
    t->used += padded(n);
    return here;
}

static real *take_wide(Taken *t, size_t n) {
    return (real *)(void *)take(t, n * sizeof(real) / sizeof(bf16));
}

static Packed lay(const Plan *p, Taken *t, bool back) {
    Packed m = {.keys_t = take(t, bf16_panel_size(p->width, p->keys))};
    size_t scores = p->block * p->padded_keys, block = p->block * p->width;
    m.rows = take(t, bf16_panel_size(p->keys, p->width));
    m.queries = take(t, block);
    m.scores = take(t, MAX(scores, bf16_strips_size(p->block, p->keys)));
    if (!back) return m;
    m.values_t = take(t, bf16_panel_size(p->width, p->keys));
    m.dy = take(t, block);
    m.query_rows = take(t, bf16_panel_size(p->block, p->width));
    m.dy_rows = take(t, bf16_panel_size(p->block, p->width));
    m.dk = take_wide(t, p->keys * p->width);
    m.dv = take_wide(t, p->keys * p->width);
    return m;
}

static size_t room(const Plan *p, bool back) {
    Taken t = {NULL, 0};
    lay(p, &t, back);
    return t.used * sizeof(bf16);
}

static Packed packed_at(const Plan *p, const Room *r, bool back) {
    Taken t = {r->packed, 0};
    return lay(p, &t, back);
}

/* ---- operands ---- */

static Bf16Matrix matrix(Numbers x, size_t ld) {
    return (Bf16Matrix){.wide = x.wide, .narrow = x.narrow, .ld = ld};
}

/* Rows of a left side. */
typedef struct Left {
    const bf16 *a;
    size_t ld;
} Left;

static Left left_rows(const Plan *p, Numbers x, size_t ld, size_t rows, bf16 *spare) {
    if (x.narrow) return (Left){x.narrow, ld};
    for (size_t i = 0; i < rows; i++)
        bf16_round(spare + i * p->width, x.wide + i * ld, p->width);
    return (Left){spare, p->width};
}

/* Scores of the block, rounded. */
static Left left_scores(const Plan *p, const Block *b, const real *s, bf16 *spare) {
    size_t lds = p->padded_keys;
    for (size_t i = 0; i < b->rows; i++)
        bf16_round(spare + i * lds, s + i * lds, b->keys);
    return (Left){spare, lds};
}

/* ---- products ---- */

/* s = alpha A keys^T */
static void into_scores(const Plan *p, const Block *b, real alpha, Left a,
                        const bf16 *keys_t, real *s) {
    bf16_tile_product(&(Bf16PanelProduct){.way = p->way,
                                          .m = b->rows,
                                          .n = tile_padded(b->keys),
                                          .k = p->width,
                                          .alpha = alpha,
                                          .a = a.a,
                                          .lda = a.ld,
                                          .packed = keys_t,
                                          .c = s,
                                          .ldc = p->padded_keys});
}

/* c [m, K] = alpha A B + (add ? c : 0), B's first k rows of `packed` ones */
static void into_width(const Plan *p, Bf16PanelProduct t, const bf16 *b, size_t packed,
                       Numbers c) {
    t.way = p->way;
    t.n = p->width;
    t.packed = b;
    t.packed_k = packed;
    t.c = c.wide;
    t.c16 = c.narrow;
    bf16_tile_product(&t);
}

/* ---- forward ---- */

static void begin(const Plan *p, const Head *h, size_t seen, Room *r) {
    Packed m = packed_at(p, r, false);
    bf16_tile_pack(m.keys_t, matrix(h->k, p->ldk), p->width, seen, PANEL_TRANSPOSED);
    bf16_tile_pack(m.rows, matrix(h->v, p->ldv), seen, p->width, PANEL_PLAIN);
}

static void scores_of(const Plan *p, const Head *h, const Block *b, const Packed *m,
                      Room *r) {
    Numbers q = numbers_at(h->q, b->first * p->ldq);
    into_scores(p, b, p->scale, left_rows(p, q, p->ldq, b->rows, m->queries), m->keys_t,
                r->prob);
}

static void scores(const Plan *p, const Head *h, const Block *b, Room *r) {
    Packed m = packed_at(p, r, false);
    scores_of(p, h, b, &m, r);
}

static void output(const Plan *p, const Head *h, const Block *b, Room *r) {
    Packed m = packed_at(p, r, false);
    Left s = left_scores(p, b, r->prob, m.scores);
    Bf16PanelProduct t = {.m = b->rows, .k = b->keys, .alpha = 1, .a = s.a, .lda = s.ld};
    t.ldc = p->ldy;
    into_width(p, t, m.rows, b->seen, numbers_at(h->y, b->first * p->ldy));
}

/* ---- backward ---- */

static void begin_back(const Plan *p, const Head *h, size_t seen, Room *r) {
    Packed m = packed_at(p, r, true);
    bf16_tile_pack(m.rows, matrix(h->k, p->ldk), seen, p->width, PANEL_PLAIN);
    bf16_tile_pack(m.keys_t, matrix(h->k, p->ldk), p->width, seen, PANEL_TRANSPOSED);
    bf16_tile_pack(m.values_t, matrix(h->v, p->ldv), p->width, seen, PANEL_TRANSPOSED);
}

static void scores_again(const Plan *p, const Head *h, const Block *b, Room *r) {
    Packed m = packed_at(p, r, true);
    scores_of(p, h, b, &m, r);
}

/* dx += alpha s^T B for keys: into the gradient itself, or into the sum of a narrow
 * one. */
static void into_keys(const Plan *p, const Block *b, real alpha, const real *s,
                      const Packed *m, const bf16 *right, Numbers dx, size_t ld, bool add,
                      real *sum) {
    bf16_tile_strips(m->scores, (Bf16Matrix){.wide = s, .ld = p->padded_keys}, b->rows,
                     b->keys);
    Bf16PanelProduct t = {.m = b->keys, .k = b->rows, .alpha = alpha};
    t.strips = m->scores;
    t.add = b->later || (dx.wide && add);
    t.ldc = dx.wide ? ld : p->width;
    into_width(p, t, right, b->rows, dx.wide ? dx : (Numbers){.wide = sum});
}

static bool wanted(Numbers grad) { return grad.wide || grad.narrow; }

static void back_values(const Plan *p, const Head *h, const Block *b, Room *r) {
    Packed m = packed_at(p, r, true);
    Numbers dy = numbers_at(h->y, b->first * p->ldy);
    if (wanted(h->dv)) {
        bf16_tile_pack(m.dy_rows, matrix(dy, p->ldy), b->rows, p->width, PANEL_PLAIN);
        into_keys(p, b, 1, r->kept, &m, m.dy_rows, h->dv, p->ldv, h->add_v, m.dv);
    }
    into_scores(p, b, 1, left_rows(p, dy, p->ldy, b->rows, m.dy), m.values_t, r->ds);
}

static void back_scores(const Plan *p, const Head *h, const Block *b, Room *r) {
    Packed m = packed_at(p, r, true);
    if (wanted(h->dk)) {
        Numbers q = numbers_at(h->q, b->first * p->ldq);
        bf16_tile_pack(m.query_rows, matrix(q, p->ldq), b->rows, p->width, PANEL_PLAIN);
        into_keys(p, b, p->scale, r->ds, &m, m.query_rows, h->dk, p->ldk, h->add_k, m.dk);
    }
    if (!wanted(h->dq)) return;
    Left s = left_scores(p, b, r->ds, m.scores);
    Bf16PanelProduct t = {.m = b->rows, .k = b->keys, .alpha = p->scale, .a = s.a};
    t.lda = s.ld;
    t.add = h->add_q;
    t.ldc = p->ldq;
    into_width(p, t, m.rows, b->seen, numbers_at(h->dq, b->first * p->ldq));
}

/* A narrow gradient out of its sum. */
static void settle(const Plan *p, Numbers dx, size_t ld, bool add, real *sum,
                   size_t seen) {
    for (size_t i = 0; dx.narrow && i < seen; i++) {
        real *from = sum + i * p->width;
        bf16 *to = dx.narrow + i * ld;
        for (size_t j = 0; add && j < p->width; j++) from[j] += (real)bf16_float(to[j]);
        bf16_round(to, from, p->width);
    }
}

static void end_back(const Plan *p, const Head *h, size_t seen, Room *r) {
    Packed m = packed_at(p, r, true);
    settle(p, h->dk, p->ldk, h->add_k, m.dk, seen);
    settle(p, h->dv, p->ldv, h->add_v, m.dv, seen);
}

const AttentionProducts attention_bf16 = {room,        begin,       scores,
                                          output,      begin_back,  scores_again,
                                          back_values, back_scores, end_back};
