/* attention_fp32: attention's products through tile.h. */
#include "engine/kern/tile.h"
#include "engine/op/attention_parts.h"

typedef struct Packed {
    real *keys_t, *values_t; /* [K, padded S] transposed; values_t: backward */
    real *rows;              /* [S, padded K] values; backward: keys */
    real *queries, *dy;      /* [block, padded K] backward */
    real *spare;             /* [block, padded K]; backward: [max(S, block), padded K] */
} Packed;

static size_t room(const Plan *p, bool back) {
    size_t wide = p->width * p->padded_keys, block = p->block * p->padded_width;
    size_t rows = p->keys * p->padded_width;
    size_t numbers =
        back ? 2 * wide + rows + 2 * block + MAX(rows, block) : wide + rows + block;
    return numbers * sizeof(real);
}

static Packed packed_at(const Plan *p, const Room *r, bool back) {
    size_t wide = p->width * p->padded_keys, block = p->block * p->padded_width;
    Packed m = {.keys_t = r->packed};
    m.values_t = m.keys_t + wide;
    m.rows = back ? m.values_t + wide : m.values_t;
    m.queries = m.rows + p->keys * p->padded_width;
    m.dy = m.queries + block;
    m.spare = back ? m.dy + block : m.queries;
    return m;
}

/* ---- forward ---- */

static void begin(const Plan *p, const Head *h, size_t seen, Room *r) {
    Packed m = packed_at(p, r, false);
    tile_transpose(m.keys_t, p->padded_keys, h->k.wide, p->ldk, seen, p->width,
                   tile_padded(seen));
    tile_pack(m.rows, h->v.wide, p->ldv, seen, p->width);
}

static void scores(const Plan *p, const Head *h, const Block *b, Room *r) {
    Packed m = packed_at(p, r, false);
    size_t lds = p->padded_keys;
    tile_product(b->rows, tile_padded(b->keys), p->width, p->scale,
                 (TileA){h->q.wide + b->first * p->ldq, p->ldq, 1}, m.keys_t, lds, false,
                 r->prob, lds);
}

static void output(const Plan *p, const Head *h, const Block *b, Room *r) {
    Packed m = packed_at(p, r, false);
    tile_product_into(b->rows, p->width, b->keys, 1, (TileA){r->prob, p->padded_keys, 1},
                      m.rows, false, h->y.wide + b->first * p->ldy, p->ldy, m.spare);
}

/* ---- backward ---- */

static void begin_back(const Plan *p, const Head *h, size_t seen, Room *r) {
    Packed m = packed_at(p, r, true);
    size_t padded = tile_padded(seen), lds = p->padded_keys;
    tile_pack(m.rows, h->k.wide, p->ldk, seen, p->width);
    tile_transpose(m.keys_t, lds, h->k.wide, p->ldk, seen, p->width, padded);
    tile_transpose(m.values_t, lds, h->v.wide, p->ldv, seen, p->width, padded);
}

static void scores_again(const Plan *p, const Head *h, const Block *b, Room *r) {
    Packed m = packed_at(p, r, true);
    size_t lds = p->padded_keys, ldw = p->padded_width;
    tile_pack(m.queries, h->q.wide + b->first * p->ldq, p->ldq, b->rows, p->width);
    tile_pack(m.dy, h->y.wide + b->first * p->ldy, p->ldy, b->rows, p->width);
    tile_product(b->rows, tile_padded(b->keys), p->width, p->scale,
                 (TileA){m.queries, ldw, 1}, m.keys_t, lds, false, r->prob, lds);
}

static void back_values(const Plan *p, const Head *h, const Block *b, Room *r) {
    Packed m = packed_at(p, r, true);
    size_t lds = p->padded_keys, ldw = p->padded_width;
    if (h->dv.wide)
        tile_product_into(b->keys, p->width, b->rows, 1, (TileA){r->kept, 1, lds}, m.dy,
                          h->add_v || b->later, h->dv.wide, p->ldv, m.spare);
    tile_product(b->rows, tile_padded(b->keys), p->width, 1, (TileA){m.dy, ldw, 1},
                 m.values_t, lds, false, r->ds, lds);
}

static void back_scores(const Plan *p, const Head *h, const Block *b, Room *r) {
    Packed m = packed_at(p, r, true);
    size_t lds = p->padded_keys;
    if (h->dq.wide)
        tile_product_into(b->rows, p->width, b->keys, p->scale, (TileA){r->ds, lds, 1},
                          m.rows, h->add_q, h->dq.wide + b->first * p->ldq, p->ldq,
                          m.spare);
    if (h->dk.wide)
        tile_product_into(b->keys, p->width, b->rows, p->scale, (TileA){r->ds, 1, lds},
                          m.queries, h->add_k || b->later, h->dk.wide, p->ldk, m.spare);
}

static void end_back(const Plan *p, const Head *h, size_t seen, Room *r) {
    (void)p, (void)h, (void)seen, (void)r; /* all is in its place */
}

const AttentionProducts attention_fp32 = {room,        begin,       scores,
                                          output,      begin_back,  scores_again,
                                          back_values, back_scores, end_back};
