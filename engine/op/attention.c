/* attention: for each example and head, with c = 1/(sqrt(K) tau) and dropout's mask m
 * (or 1),
 *   s = c q k^T,  p = softmax(s),  y = (m p) v
 *   dv = (m p)^T dy,  dp = m (dy v^T),  ds = p (dp - sum_j p_j dp_j),  dq = c ds k,  dk = c ds^T q
 */
#include <math.h>

#include "engine/kern/tile.h"
#include "engine/op/attention_parts.h"

enum {
    SCORES_MAX = 32 * 1024, /* numbers in a block of scores, */
    BLOCK_MIN = 12,         /* but so many queries at least, */
    CAUSAL_BLOCK = 24,      /* and not more where the first ones see fewer keys */
};

/* Decoding with caches, where keys are fewer than there is room for, stays in fp32. */
static bool in_bf16(const Tape *tape, const AttentionArgs *a) {
    const Tensor *q = a->q.x;
    bool narrow = tensor_narrow(q) || tensor_narrow(a->k.x) || tensor_narrow(a->v.x);
    return narrow || (!a->keys && !tape_mode(tape)->precision.keep_attention &&
                      product_in_bf16(tape, NULL, tensor_rows(q)));
}

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
              .ldv = tensor_last(a->v.x),
              .ldy = a->heads * a->head_width,
              .way = numbers_way(tape),
              .products = in_bf16(tape, a) ? &attention_bf16 : &attention_fp32};
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

/* ---- statistics ---- */

/* Sum over the valid queries of example b of what entropy they could have. */
static double uniform_entropy(const AttentionArgs *a, const Plan *p, size_t b) {
    size_t valid = attention_valid(a, p, b);
    double sum = 0;
    if (!a->causal)
        return (double)valid * log((double)MAX(attention_keys(a, p, b, 0), (size_t)1));
    for (size_t i = 0; i < valid; i++)
        sum += log((double)MAX(attention_keys(a, p, b, i), (size_t)1));
    return sum;
}

/* Sums in the order of the examples, whoever computed them. */
static void gather_stats(const AttentionArgs *a, const Plan *p, const Measure *measures) {
    size_t valid = 0;
    double uniform = 0;
    for (size_t b = 0; b < p->batch; b++) {
        valid += attention_valid(a, p, b);
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

/* ---- the op ---- */

static void backward(Tape *tape, Node *node) {
    Attention *n = (Attention *)node;
    Plan p = make_plan(tape, &n->args);
    attention_backward(tape, n, &p);
}

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
    CHECK(!p->drops || (p->keys <= ATTENTION_MASKED && p->queries <= 1u << QUERY_BITS &&
                        p->heads <= 1u << HEAD_BITS &&
                        a->first_example + p->batch <= 1u << EXAMPLE_BITS),
          "attention: no masks for %zu examples, %zu heads, %zu x %zu scores",
          a->first_example + p->batch, p->heads, p->queries, p->keys);
}

/* What is narrow is read by products in bf16 alone. */
static void check_width(const AttentionArgs *a, const Plan *p) {
    bool narrow = tensor_narrow(a->q.x) || tensor_narrow(a->k.x) || tensor_narrow(a->v.x);
    CHECK(!narrow || p->products == &attention_bf16,
          "attention: narrow q, k or v, products in fp32");
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
    check_width(args, &p);
    bool narrow = args->narrow && product_in_bf16(tape, NULL, batch * p.outputs);
    Tensor *y =
        (narrow ? tape_tensor16
                : tape_tensor)(tape, 3, (size_t[]){batch, p.outputs, p.heads * p.width});
    real *lse = tape_alloc(tape, batch * p.heads * queries * sizeof(real));
    Measure *measures = tape_alloc(tape, batch * p.heads * sizeof *measures);
    attention_forward(tape, args, &p, numbers_value(y), lse, measures);
    if (args->stats) gather_stats(args, &p, measures);
    bool wanted = args->q.x->needs_grad || args->k.x->needs_grad || args->v.x->needs_grad;
    Attention *n = tape_node(tape, sizeof *n, "attention", y, wanted, backward);
    if (n) n->args = *args, n->lse = lse;
    return y;
}
