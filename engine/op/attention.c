/* attention: for each example and head, with c = 1/(sqrt(K) tau),
 *   s = c q k^T,  p = softmax(s),  y = p v
 *   dv = p^T dy,  dp = dy v^T,  ds = p (dp - sum_j p_j dp_j),  dq = c ds k,  dk = c ds^T q
 *
 * One thread takes one (example, head) at a time and walks down its queries in blocks whose
 * scores stay in the second-level cache. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/kern/gemm.h"
#include "engine/kern/rows.h"
#include "engine/op/op.h"

enum { SCORES_MAX = 64 * 1024 }; /* numbers in a block of scores: 256 KB of floats */

typedef struct Attention {
    Node node;
    AttentionArgs args;
    real *lse; /* [B, H, T] */
} Attention;

/* The sizes that every part needs. */
typedef struct Plan {
    size_t batch, queries, keys, heads, width;
    size_t block; /* queries in a block */
    size_t ldq, ldk, ldv;
    real scale;
} Plan;

static Plan make_plan(const AttentionArgs *a) {
    Plan p = {.batch = a->q.x->shape[0],
              .queries = a->q.x->shape[1],
              .keys = a->k.x->shape[1],
              .heads = a->heads,
              .width = a->head_width,
              .ldq = tensor_last(a->q.x),
              .ldk = tensor_last(a->k.x),
              .ldv = tensor_last(a->v.x)};
    p.block = MAX((size_t)8, SCORES_MAX / MAX(p.keys, (size_t)1));
    p.block = MIN(p.block, MAX(p.queries, (size_t)1));
    p.scale = (real)(1 / (sqrt((double)p.width) * a->temperature));
    return p;
}

/* Keys that query i of example b may see. */
static size_t open_keys(const AttentionArgs *a, const Plan *p, size_t b, size_t i) {
    size_t n = a->key_count ? a->key_count[b] : p->keys;
    if (a->causal) n = MIN(n, i + 1 + p->keys - p->queries);
    return n;
}

static size_t valid_queries(const AttentionArgs *a, const Plan *p, size_t b) {
    return a->query_count ? a->query_count[b] : p->queries;
}

/* ---- forward ---- */

/* Entropy and largest logit of one (example, head). */
typedef struct Measure {
    double entropy;
    real largest;
} Measure;

static void soften_block(const AttentionArgs *a, const Plan *p, size_t b, size_t first,
                         size_t rows, real *s, real *lse, Measure *m) {
    size_t valid = valid_queries(a, p, b);
    for (size_t i = 0; i < rows; i++) {
        size_t n = open_keys(a, p, b, first + i);
        real *row = s + i * p->keys, entropy, largest;
        lse[i] = row_softmax(row, n, &entropy, &largest);
        memset(row + n, 0, (p->keys - n) * sizeof(real));
        if (first + i >= valid || !n) continue;
        m->entropy += (double)entropy;
        if (!(m->largest >= largest)) m->largest = largest;
    }
}

static Measure head_forward(const AttentionArgs *a, const Plan *p, size_t b, size_t h,
                            real *y, real *lse, real *s) {
    size_t hk = h * p->width, ldy = p->heads * p->width;
    const real *q = a->q.x->value + b * p->queries * p->ldq + a->q.column + hk;
    const real *k = a->k.x->value + b * p->keys * p->ldk + a->k.column + hk;
    const real *v = a->v.x->value + b * p->keys * p->ldv + a->v.column + hk;
    y += b * p->queries * ldy + hk;
    lse += (b * p->heads + h) * p->queries;
    Measure m = {0, -INFINITY};
    for (size_t i = 0; i < p->queries; i += p->block) {
        size_t rows = MIN(p->block, p->queries - i);
        gemm_nt(rows, p->keys, p->width, p->scale, q + i * p->ldq, p->ldq, k, p->ldk, 0,
                s, p->keys);
        soften_block(a, p, b, i, rows, s, lse + i, &m);
        gemm_nn(rows, p->width, p->keys, 1, s, p->keys, v, p->ldv, 0, y + i * ldy, ldy);
    }
    return m;
}

/* Sums in the order of the examples, whoever computed them. */
static void gather_stats(const AttentionArgs *a, const Plan *p, const Measure *measures) {
    size_t valid = 0;
    for (size_t b = 0; b < p->batch; b++) valid += valid_queries(a, p, b);
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
}

static void forward(Tape *tape, const AttentionArgs *a, const Plan *p, real *y,
                    real *lse) {
    size_t tasks = p->batch * p->heads, area = p->block * p->keys;
    size_t threads = MIN((size_t)omp_get_max_threads(), tasks);
    real *scores = tape_scratch(tape, threads * area);
    Measure *measures = tape_alloc(tape, tasks * sizeof *measures);
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < tasks; i++)
        measures[i] = head_forward(a, p, i / p->heads, i % p->heads, y, lse,
                                   scores + (size_t)omp_get_thread_num() * area);
    if (a->stats) gather_stats(a, p, measures);
    tape_unscratch(tape, scores);
}

/* ---- backward ---- */

/* Gradients at the place of the slices, and what to multiply the old ones by. */
typedef struct Grads {
    real *dq, *dk, *dv;
    real beta_q, beta_k, beta_v;
} Grads;

static void probabilities_again(const AttentionArgs *a, const Plan *p, size_t b,
                                size_t first, size_t rows, real *s, const real *lse) {
    for (size_t i = 0; i < rows; i++) {
        size_t n = open_keys(a, p, b, first + i);
        row_softmax_again(s + i * p->keys, n, lse[i]);
        memset(s + i * p->keys + n, 0, (p->keys - n) * sizeof(real));
    }
}

static void head_backward(const Attention *node, const Plan *p, size_t b, size_t h,
                          const Grads *g, real *prob, real *ds) {
    const AttentionArgs *a = &node->args;
    size_t hk = h * p->width, ldy = p->heads * p->width, keys = p->keys;
    size_t at_q = b * p->queries * p->ldq + a->q.column + hk;
    size_t at_k = b * keys * p->ldk + a->k.column + hk;
    size_t at_v = b * keys * p->ldv + a->v.column + hk;
    const real *q = a->q.x->value + at_q, *k = a->k.x->value + at_k;
    const real *v = a->v.x->value + at_v;
    const real *dy = node->node.out->grad + b * p->queries * ldy + hk;
    const real *lse = node->lse + (b * p->heads + h) * p->queries;
    for (size_t i = 0; i < p->queries; i += p->block) {
        size_t rows = MIN(p->block, p->queries - i);
        real beta_k = i ? 1 : g->beta_k, beta_v = i ? 1 : g->beta_v;
        const real *qi = q + i * p->ldq, *dyi = dy + i * ldy;
        gemm_nt(rows, keys, p->width, p->scale, qi, p->ldq, k, p->ldk, 0, prob, keys);
        probabilities_again(a, p, b, i, rows, prob, lse + i);
        if (g->dv)
            gemm_tn(keys, p->width, rows, 1, prob, keys, dyi, ldy, beta_v, g->dv + at_v,
                    p->ldv);
        gemm_nt(rows, keys, p->width, 1, dyi, ldy, v, p->ldv, 0, ds, keys);
        for (size_t r = 0; r < rows; r++)
            row_softmax_backward(ds + r * keys, prob + r * keys, keys);
        if (g->dq)
            gemm_nn(rows, p->width, keys, p->scale, ds, keys, k, p->ldk, g->beta_q,
                    g->dq + at_q + i * p->ldq, p->ldq);
        if (g->dk)
            gemm_tn(keys, p->width, rows, p->scale, ds, keys, qi, p->ldq, beta_k,
                    g->dk + at_k, p->ldk);
    }
}

/* Slices of one tensor share one gradient, which is asked for once.  Where a slice does not
 * cover its tensor the rest must hold zeros, so the sum of slices is compared with the width. */
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
    Plan p = make_plan(&n->args);
    Slice slices[3] = {n->args.q, n->args.k, n->args.v};
    real *grads[3], betas[3] = {0};
    for (size_t i = 0; i < 3; i++)
        grads[i] = slice_grad(tape, slices, i, grads, betas, p.heads * p.width);
    Grads g = {grads[0], grads[1], grads[2], betas[0], betas[1], betas[2]};
    size_t tasks = p.batch * p.heads, area = p.block * p.keys;
    size_t threads = MIN((size_t)omp_get_max_threads(), tasks);
    real *scratch = tape_scratch(tape, 2 * threads * area);
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < tasks; i++) {
        real *prob = scratch + 2 * (size_t)omp_get_thread_num() * area;
        head_backward(n, &p, i / p.heads, i % p.heads, &g, prob, prob + area);
    }
    tape_unscratch(tape, scratch);
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

Tensor *op_attention(Tape *tape, const AttentionArgs *args) {
    size_t batch = args->q.x->shape[0], queries = args->q.x->shape[1];
    check_slice(&args->q, args, batch, "q");
    check_slice(&args->k, args, batch, "k");
    check_slice(&args->v, args, batch, "v");
    CHECK(args->k.x->shape[1] == args->v.x->shape[1], "attention: %zu keys, %zu values",
          args->k.x->shape[1], args->v.x->shape[1]);
    CHECK(args->temperature > 0, "attention: temperature %g", args->temperature);
    CHECK(!args->causal || args->k.x->shape[1] >= queries,
          "attention: %zu keys, %zu queries", args->k.x->shape[1], queries);
    Plan p = make_plan(args);
    Tensor *y = tape_tensor(tape, 3, (size_t[]){batch, queries, p.heads * p.width});
    real *lse = tape_alloc(tape, batch * p.heads * queries * sizeof(real));
    forward(tape, args, &p, y->value, lse);
    bool wanted = args->q.x->needs_grad || args->k.x->needs_grad || args->v.x->needs_grad;
    Attention *n = tape_node(tape, sizeof *n, "attention", y, wanted, backward);
    if (n) n->args = *args, n->lse = lse;
    return y;
}
