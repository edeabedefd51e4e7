/* attention: for each example and head, with c = 1/(sqrt(K) tau) and
 * dropout's mask m (or 1),
 *   s = c q k^T,  p = softmax(s),  y = (m p) v
 *   dv = (m p)^T dy,  dp = m (dy v^T),  ds = p (dp - sum_j p_j dp_j),  dq = c ds k,  dk = c ds^T q
 *
 * One thread takes one (example, head) at a time, packs its keys and values, and walks
 * down its queries in blocks whose scores stay in the second-level cache. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/kern/mask.h"
#include "engine/kern/rows.h"
#include "engine/kern/tile.h"
#include "engine/op/op.h"

enum {
    SCORES_MAX = 32 * 1024, /* numbers in a block of scores, */
    BLOCK_MIN = 12,         /* but so many queries at least, */
    CAUSAL_BLOCK = 24,      /* and not more where the first ones see fewer keys */
};

typedef struct Attention {
    Node node;
    AttentionArgs args;
    real *lse; /* [B, H, T] */
} Attention;

/* Dropout's masks: a row of them has a number made of example, head, query, and key. */
enum { KEY_BITS = 10, QUERY_BITS = 18, HEAD_BITS = 10, EXAMPLE_BITS = 22 };

/* The sizes that every part needs. */
typedef struct Plan {
    size_t batch, queries, keys, heads, width;
    size_t room;    /* keys that each example has memory for */
    size_t outputs; /* queries that have one: the first */
    size_t padded_keys, padded_width;
    size_t block; /* queries in a block */
    size_t ldq, ldk, ldv;
    real scale;
    bool drops;
    Mask mask;
} Plan;

static Plan make_plan(const Tape *tape, const AttentionArgs *a) {
    const TapeMode *mode = tape_mode(tape);
    Plan p = {.batch = a->q.x->shape[0],
              .queries = a->q.x->shape[1],
              .outputs = a->outputs ? a->outputs : a->q.x->shape[1],
              .keys = a->keys ? a->keys : a->k.x->shape[1],
              .room = a->k.x->shape[1],
              .heads = a->heads,
              .width = a->head_width,
              .ldq = tensor_last(a->q.x),
              .ldk = tensor_last(a->k.x),
              .ldv = tensor_last(a->v.x)};
    p.padded_keys = tile_padded(p.keys);
    p.padded_width = tile_padded(p.width);
    p.block = MAX((size_t)BLOCK_MIN, SCORES_MAX / MAX(p.padded_keys, (size_t)1));
    p.block = MIN(p.block, MAX(p.queries, (size_t)1));
    if (a->causal) p.block = MIN(p.block, (size_t)CAUSAL_BLOCK);
    p.scale = (real)(1 / (sqrt((double)p.width) * a->temperature));
    p.drops = a->dropout != 0 && mode->training;
    if (p.drops)
        p.mask = mask_make(rng_make(mode->seed, RNG_ATTENTION + a->site, mode->step),
                           a->dropout);
    return p;
}

/* Keys that query i of example b may see. */
static size_t open_keys(const AttentionArgs *a, const Plan *p, size_t b, size_t i) {
    size_t n = a->key_count ? a->key_count[b] : p->keys;
    if (a->causal) n = MIN(n, i + 1 + p->keys - p->queries);
    return n;
}

/* The first block of the mask of query i. */
static uint64_t mask_row(const AttentionArgs *a, size_t b, size_t h, size_t i) {
    uint64_t row = ((uint64_t)(a->first_example + b) << HEAD_BITS) + h;
    return ((row << QUERY_BITS) + i) << KEY_BITS;
}

static size_t valid_queries(const AttentionArgs *a, const Plan *p, size_t b) {
    return a->query_count ? a->query_count[b] : p->queries;
}

/* Keys that some query of the block sees. */
static size_t block_keys(const AttentionArgs *a, const Plan *p, size_t b, size_t first,
                         size_t rows) {
    return open_keys(a, p, b, first + rows - 1);
}

/* ---- forward ---- */

/* A thread's own memory. */
typedef struct Forward {
    real *keys;   /* [K, padded S] transposed */
    real *values; /* [S, padded K] */
    real *scores; /* [block, padded S] */
    real *out;    /* [block, padded K] */
} Forward;

static size_t forward_area(const Plan *p) {
    return p->width * p->padded_keys + p->keys * p->padded_width +
           p->block * (p->padded_keys + p->padded_width);
}

static Forward forward_memory(const Plan *p, real *memory) {
    Forward f = {.keys = memory};
    f.values = f.keys + p->width * p->padded_keys;
    f.scores = f.values + p->keys * p->padded_width;
    f.out = f.scores + p->block * p->padded_keys;
    return f;
}

/* Entropy and largest logit of one (example, head). */
typedef struct Measure {
    double entropy;
    real largest;
} Measure;

/* Softmax over the n open keys of a row, zeros from there to `end`.  The loop runs to a
 * whole vector, over keys of -infinity. */
static real soften_row(real *row, size_t n, size_t end, real *entropy, real *largest) {
    size_t padded = tile_padded(n);
    for (size_t j = n; j < padded; j++) row[j] = -INFINITY;
    real lse = row_softmax(row, n ? padded : 0, entropy, largest);
    memset(row + n, 0, (end - n) * sizeof(real));
    return lse;
}

static void soften_block(const AttentionArgs *a, const Plan *p, size_t b, size_t first,
                         size_t rows, real *s, real *lse, Measure *m) {
    size_t valid = valid_queries(a, p, b), end = block_keys(a, p, b, first, rows);
    for (size_t i = 0; i < rows; i++) {
        size_t n = open_keys(a, p, b, first + i);
        real entropy, largest;
        lse[i] = soften_row(s + i * p->padded_keys, n, end, &entropy, &largest);
        if (first + i >= valid || !n) continue;
        m->entropy += (double)entropy;
        if (!(m->largest >= largest)) m->largest = largest;
    }
}

/* Drops some of the probabilities of queries [first, first + rows). */
static void drop_block(const AttentionArgs *a, const Plan *p, size_t b, size_t h,
                       size_t first, size_t rows, const real *s, real *kept) {
    for (size_t i = 0; i < rows; i++) {
        size_t row = i * p->padded_keys;
        mask_apply(&p->mask, mask_row(a, b, h, first + i), kept + row, 0, NULL, s + row,
                   open_keys(a, p, b, first + i));
    }
}

static Measure head_forward(const AttentionArgs *a, const Plan *p, size_t b, size_t h,
                            real *y, real *lse, const Forward *f) {
    size_t hk = h * p->width, ldy = p->heads * p->width;
    const real *q = a->q.x->value + b * p->queries * p->ldq + a->q.column + hk;
    const real *k = a->k.x->value + b * p->room * p->ldk + a->k.column + hk;
    const real *v = a->v.x->value + b * p->room * p->ldv + a->v.column + hk;
    y += b * p->outputs * ldy + hk;
    lse += (b * p->heads + h) * p->queries;
    Measure m = {0, -INFINITY};
    size_t end = a->stats ? p->queries : p->outputs, seen = block_keys(a, p, b, 0, end);
    tile_transpose(f->keys, p->padded_keys, k, p->ldk, seen, p->width, tile_padded(seen));
    tile_pack(f->values, v, p->ldv, seen, p->width);
    for (size_t i = 0; i < end; i += p->block) {
        size_t rows = MIN(p->block, end - i);
        size_t keys = block_keys(a, p, b, i, rows), lds = p->padded_keys;
        tile_product(rows, tile_padded(keys), p->width, p->scale,
                     (TileA){q + i * p->ldq, p->ldq, 1}, f->keys, lds, false, f->scores,
                     lds);
        soften_block(a, p, b, i, rows, f->scores, lse + i, &m);
        if (i >= p->outputs) continue;
        rows = MIN(rows, p->outputs - i);
        if (p->drops) drop_block(a, p, b, h, i, rows, f->scores, f->scores);
        tile_product_into(rows, p->width, keys, 1, (TileA){f->scores, lds, 1}, f->values,
                          false, y + i * ldy, ldy, f->out);
    }
    return m;
}

/* Sum over the valid queries of example b of what entropy they could have. */
static double uniform_entropy(const AttentionArgs *a, const Plan *p, size_t b) {
    size_t valid = valid_queries(a, p, b);
    double sum = 0;
    if (!a->causal)
        return (double)valid * log((double)MAX(open_keys(a, p, b, 0), (size_t)1));
    for (size_t i = 0; i < valid; i++)
        sum += log((double)MAX(open_keys(a, p, b, i), (size_t)1));
    return sum;
}

/* Sums in the order of the examples, whoever computed them. */
static void gather_stats(const AttentionArgs *a, const Plan *p, const Measure *measures) {
    size_t valid = 0;
    double uniform = 0;
    for (size_t b = 0; b < p->batch; b++) {
        valid += valid_queries(a, p, b);
        uniform += uniform_entropy(a, p, b);
    }
    for (size_t h = 0; h < p->heads; h++) {
        double entropy = 0, largest = -INFINITY;
        for (size_t b = 0; b < p->batch; b++) {
            const Measure *m = &measures[b * p->heads + h];
            entropy += m->entropy;
            if (!(largest >= (double)m->largest)) largest = (double)m->largest;
        }
        a->stats->entropy[h] = valid ? entropy / (double)valid : 0;
        a->stats->largest[h] = largest;
    }
    a->stats->keys = p->keys;
    a->stats->queries = valid;
    a->stats->uniform = valid ? uniform / (double)valid : 0;
}

static void forward(Tape *tape, const AttentionArgs *a, const Plan *p, real *y,
                    real *lse) {
    size_t tasks = p->batch * p->heads, area = forward_area(p);
    size_t threads = MIN((size_t)omp_get_max_threads(), tasks);
    real *memory = tape_scratch(tape, threads * area);
    Measure *measures = tape_alloc(tape, tasks * sizeof *measures);
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < tasks; i++) {
        Forward f = forward_memory(p, memory + (size_t)omp_get_thread_num() * area);
        measures[i] = head_forward(a, p, i / p->heads, i % p->heads, y, lse, &f);
    }
    if (a->stats) gather_stats(a, p, measures);
    tape_unscratch(tape, memory);
}

/* ---- backward ---- */

/* Gradients at the place of the slices, and what to multiply the old ones by. */
typedef struct Grads {
    real *dq, *dk, *dv;
    real beta_q, beta_k, beta_v;
} Grads;

/* A thread's own memory. */
typedef struct Backward {
    real *keys_t, *values_t; /* [K, padded S] transposed */
    real *keys;              /* [S, padded K] */
    real *queries, *dy;      /* [block, padded K] */
    real *prob, *ds;         /* [block, padded S] */
    real *kept;              /* the same: m p; prob itself where nothing is dropped */
    real *spare;             /* [max(S, block), padded K] */
} Backward;

static size_t backward_area(const Plan *p) {
    return 2 * p->width * p->padded_keys +
           (p->keys + MAX(p->keys, p->block)) * p->padded_width +
           p->block * (2 * p->padded_width + (p->drops ? 3 : 2) * p->padded_keys);
}

static Backward backward_memory(const Plan *p, real *memory) {
    size_t wide = p->width * p->padded_keys, rows = p->block * p->padded_width;
    Backward m = {.keys_t = memory};
    m.values_t = m.keys_t + wide;
    m.keys = m.values_t + wide;
    m.queries = m.keys + p->keys * p->padded_width;
    m.dy = m.queries + rows;
    m.prob = m.dy + rows;
    m.ds = m.prob + p->block * p->padded_keys;
    m.kept = p->drops ? m.ds + p->block * p->padded_keys : m.prob;
    m.spare = (p->drops ? m.kept : m.ds) + p->block * p->padded_keys;
    return m;
}

static void probabilities_again(const AttentionArgs *a, const Plan *p, size_t b,
                                size_t first, size_t rows, real *s, const real *lse) {
    size_t end = tile_padded(block_keys(a, p, b, first, rows));
    for (size_t i = 0; i < rows; i++) {
        size_t n = open_keys(a, p, b, first + i);
        real *row = s + i * p->padded_keys;
        row_softmax_again(row, tile_padded(n), lse[i]);
        memset(row + n, 0, (end - n) * sizeof(real));
    }
}

/* One (example, head): where its numbers begin. */
typedef struct Head {
    size_t number;
    const real *q, *k, *v, *dy, *lse;
    real *dq, *dk, *dv; /* NULL: not wanted */
    bool add_q, add_k, add_v;
} Head;

static Head find_head(const Attention *node, const Plan *p, size_t b, size_t h,
                      const Grads *g) {
    const AttentionArgs *a = &node->args;
    size_t hk = h * p->width;
    size_t q = b * p->queries * p->ldq + a->q.column + hk;
    size_t k = b * p->room * p->ldk + a->k.column + hk;
    size_t v = b * p->room * p->ldv + a->v.column + hk;
    return (Head){.number = h,
                  .q = a->q.x->value + q,
                  .k = a->k.x->value + k,
                  .v = a->v.x->value + v,
                  .dy = node->node.out->grad + b * p->outputs * p->heads * p->width + hk,
                  .lse = node->lse + (b * p->heads + h) * p->queries,
                  .dq = g->dq ? g->dq + q : NULL,
                  .dk = g->dk ? g->dk + k : NULL,
                  .dv = g->dv ? g->dv + v : NULL,
                  .add_q = g->beta_q != 0,
                  .add_k = g->beta_k != 0,
                  .add_v = g->beta_v != 0};
}

/* m p, with the zeros of p behind each row. */
static void kept_again(const AttentionArgs *a, const Plan *p, size_t b, size_t h,
                       size_t first, size_t rows, const Backward *m) {
    size_t end = tile_padded(block_keys(a, p, b, first, rows));
    drop_block(a, p, b, h, first, rows, m->prob, m->kept);
    for (size_t i = 0; i < rows; i++) {
        size_t n = open_keys(a, p, b, first + i);
        memset(m->kept + i * p->padded_keys + n, 0, (end - n) * sizeof(real));
    }
}

/* Queries [i, i + rows): their dq, and their part of dk and dv. */
static void block_backward(const AttentionArgs *a, const Plan *p, size_t b, size_t i,
                           size_t rows, const Head *h, const Backward *m) {
    size_t keys = block_keys(a, p, b, i, rows), end = tile_padded(keys);
    size_t lds = p->padded_keys, ldw = p->padded_width, ldy = p->heads * p->width;
    tile_pack(m->queries, h->q + i * p->ldq, p->ldq, rows, p->width);
    tile_pack(m->dy, h->dy + i * ldy, ldy, rows, p->width);
    tile_product(rows, end, p->width, p->scale, (TileA){m->queries, ldw, 1}, m->keys_t,
                 lds, false, m->prob, lds);
    probabilities_again(a, p, b, i, rows, m->prob, h->lse + i);
    if (p->drops) kept_again(a, p, b, h->number, i, rows, m);
    if (h->dv)
        tile_product_into(keys, p->width, rows, 1, (TileA){m->kept, 1, lds}, m->dy,
                          h->add_v, h->dv, p->ldv, m->spare);
    tile_product(rows, end, p->width, 1, (TileA){m->dy, ldw, 1}, m->values_t, lds, false,
                 m->ds, lds);
    for (size_t r = 0; r < rows; r++)
        row_softmax_backward(m->ds + r * lds, m->prob + r * lds, m->kept + r * lds, end);
    if (h->dq)
        tile_product_into(rows, p->width, keys, p->scale, (TileA){m->ds, lds, 1}, m->keys,
                          h->add_q, h->dq + i * p->ldq, p->ldq, m->spare);
    if (h->dk)
        tile_product_into(keys, p->width, rows, p->scale, (TileA){m->ds, 1, lds},
                          m->queries, h->add_k, h->dk, p->ldk, m->spare);
}

/* Keys that no query sees have no gradient, nor have queries without an output. */
static void clear_rows(real *grad, size_t ld, size_t first, size_t end, size_t width) {
    for (size_t j = first; grad && j < end; j++)
        memset(grad + j * ld, 0, width * sizeof(real));
}

/* From the last block, which sees all keys that any block sees. */
static void head_backward(const Attention *node, const Plan *p, size_t b, size_t h,
                          const Grads *g, const Backward *m) {
    const AttentionArgs *a = &node->args;
    Head head = find_head(node, p, b, h, g);
    size_t blocks = (p->outputs + p->block - 1) / p->block;
    size_t seen = open_keys(a, p, b, p->outputs - 1);
    size_t padded = tile_padded(seen), lds = p->padded_keys;
    tile_pack(m->keys, head.k, p->ldk, seen, p->width);
    tile_transpose(m->keys_t, lds, head.k, p->ldk, seen, p->width, padded);
    tile_transpose(m->values_t, lds, head.v, p->ldv, seen, p->width, padded);
    if (!head.add_k) clear_rows(head.dk, p->ldk, seen, p->keys, p->width);
    if (!head.add_v) clear_rows(head.dv, p->ldv, seen, p->keys, p->width);
    if (!head.add_q) clear_rows(head.dq, p->ldq, p->outputs, p->queries, p->width);
    for (size_t n = blocks; n-- > 0;) {
        size_t i = n * p->block;
        block_backward(a, p, b, i, MIN(p->block, p->outputs - i), &head, m);
        head.add_k = head.add_v = true;
    }
}

/* Slices of one tensor share one gradient, which is asked for once.  Where a slice
 * does not cover its tensor the rest must hold zeros, so the sum of slices is
 * compared with the width. */
static real *slice_grad(Tape *tape, const Slice *slices, size_t i, real *const *grads,
                        real *betas, size_t width) {
    Tensor *x = slices[i].x;
    if (!x->needs_grad) return NULL;
    size_t covered = 0;
    for (size_t j = 0; j < 3; j++) covered += slices[j].x == x ? width : 0;
    for (size_t j = 0; j < i; j++)
        if (slices[j].x == x) return betas[i] = betas[j], grads[j];
    real *grad = tape_grad(tape, x, &betas[i]);
    if (betas[i] == 0 && covered != tensor_last(x)) {
        memset(grad, 0, x->size * sizeof(real));
        betas[i] = 1;
    }
    return grad;
}

static void backward(Tape *tape, Node *node) {
    Attention *n = (Attention *)node;
    Plan p = make_plan(tape, &n->args);
    Slice slices[3] = {n->args.q, n->args.k, n->args.v};
    real *grads[3], betas[3] = {0};
    for (size_t i = 0; i < 3; i++)
        grads[i] = slice_grad(tape, slices, i, grads, betas, p.heads * p.width);
    Grads g = {grads[0], grads[1], grads[2], betas[0], betas[1], betas[2]};
    size_t tasks = p.batch * p.heads, area = backward_area(&p);
    size_t threads = MIN((size_t)omp_get_max_threads(), tasks);
    real *memory = tape_scratch(tape, threads * area);
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < tasks; i++) {
        Backward m = backward_memory(&p, memory + (size_t)omp_get_thread_num() * area);
        head_backward(n, &p, i / p.heads, i % p.heads, &g, &m);
    }
    tape_unscratch(tape, memory);
}

/* ---- the op ---- */

static void check_slice(const Slice *s, const AttentionArgs *a, size_t batch,
                        const char *name) {
    CHECK(s->x->dims == 3 && s->x->shape[0] == batch, "attention: %s is not [%zu, T, .]",
          name, batch);
    CHECK(s->column + a->heads * a->head_width <= tensor_last(s->x),
          "attention: %s has %zu columns, %zu heads of %zu from %zu", name,
          tensor_last(s->x), a->heads, a->head_width, s->column);
}

static void check_keys(const AttentionArgs *a, const Plan *p) {
    CHECK(p->keys <= p->room, "attention: %zu keys of %zu", p->keys, p->room);
    CHECK(p->keys == p->room || !(a->k.x->needs_grad || a->v.x->needs_grad),
          "attention: gradients of %zu keys among %zu", p->keys, p->room);
    CHECK(!a->causal || p->keys >= p->queries, "attention: %zu keys, %zu queries",
          p->keys, p->queries);
    for (size_t b = 0; a->key_count && b < p->batch; b++)
        CHECK(a->key_count[b] <= p->keys, "attention: %zu of %zu keys", a->key_count[b],
              p->keys);
}

/* Each row of masks has a number of its own. */
static void check_masks(const AttentionArgs *a, const Plan *p) {
    CHECK(a->dropout >= 0 && a->dropout < 1, "attention: dropout %g", a->dropout);
    CHECK(!p->drops || (p->keys <= (size_t)RNG_BLOCK << KEY_BITS &&
                        p->queries <= 1u << QUERY_BITS && p->heads <= 1u << HEAD_BITS &&
                        a->first_example + p->batch <= 1u << EXAMPLE_BITS),
          "attention: no masks for %zu examples, %zu heads, %zu x %zu scores",
          a->first_example + p->batch, p->heads, p->queries, p->keys);
}

Tensor *op_attention(Tape *tape, const AttentionArgs *args) {
    size_t batch = args->q.x->shape[0], queries = args->q.x->shape[1];
    check_slice(&args->q, args, batch, "q");
    check_slice(&args->k, args, batch, "k");
    check_slice(&args->v, args, batch, "v");
    CHECK(args->k.x->shape[1] == args->v.x->shape[1], "attention: %zu keys, %zu values",
          args->k.x->shape[1], args->v.x->shape[1]);
    CHECK(args->temperature > 0, "attention: temperature %g", args->temperature);
    CHECK(args->outputs <= queries, "attention: %zu outputs of %zu queries",
          args->outputs, queries);
    Plan p = make_plan(tape, args);
    check_keys(args, &p);
    check_masks(args, &p);
    Tensor *y = tape_tensor(tape, 3, (size_t[]){batch, p.outputs, p.heads * p.width});
    real *lse = tape_alloc(tape, batch * p.heads * queries * sizeof(real));
    forward(tape, args, &p, y->value, lse);
    bool wanted = args->q.x->needs_grad || args->k.x->needs_grad || args->v.x->needs_grad;
    Attention *n = tape_node(tape, sizeof *n, "attention", y, wanted, backward);
    if (n) n->args = *args, n->lse = lse;
    return y;
}
