/* attention_back: gradients of q, k and v, a block of queries at a time. */
#include <omp.h>
#include <string.h>

#include "engine/kern/rows.h"
#include "engine/kern/tile.h"
#include "engine/op/attention_parts.h"

static void probabilities_again(const AttentionArgs *a, const Plan *p, const Head *h,
                                const Block *b, real *s) {
    size_t end = tile_padded(b->keys);
    for (size_t i = 0; i < b->rows; i++) {
        size_t query = b->first + i, n = attention_keys(a, p, h->example, query);
        real *row = s + i * p->padded_keys;
        row_softmax_again(row, tile_padded(n), h->lse[query]);
        memset(row + n, 0, (end - n) * sizeof(real));
    }
}

/* m p, with the zeros of p behind each row. */
static void kept_again(const AttentionArgs *a, const Plan *p, const Head *h,
                       const Block *b, const Room *r) {
    size_t end = tile_padded(b->keys);
    attention_drop(a, p, h, b, r->prob, r->kept);
    for (size_t i = 0; i < b->rows; i++) {
        size_t n = attention_keys(a, p, h->example, b->first + i);
        memset(r->kept + i * p->padded_keys + n, 0, (end - n) * sizeof(real));
    }
}

/* The block's dq, and its part of dk and dv. */
static void block_backward(const AttentionArgs *a, const Plan *p, const Head *h,
                           const Block *b, Room *r) {
    size_t lds = p->padded_keys, end = tile_padded(b->keys);
    p->products->scores_again(p, h, b, r);
    probabilities_again(a, p, h, b, r->prob);
    if (p->drops) kept_again(a, p, h, b, r);
    p->products->back_values(p, h, b, r);
    for (size_t i = 0; i < b->rows; i++)
        row_softmax_backward(r->ds + i * lds, r->prob + i * lds, r->kept + i * lds, end);
    p->products->back_scores(p, h, b, r);
}

/* Keys that no query sees have no gradient, nor have queries without an output. */
static void clear_rows(Numbers grad, size_t ld, size_t first, size_t end, size_t width) {
    for (size_t j = first; (grad.wide || grad.narrow) && j < end; j++)
        numbers_clear(numbers_at(grad, j * ld), width);
}

/* From the last block, which sees all keys that any block sees. */
static void head_backward(const AttentionArgs *a, const Plan *p, const Head *h, Room *r) {
    size_t blocks = (p->outputs + p->block - 1) / p->block;
    size_t seen = attention_keys(a, p, h->example, p->outputs - 1);
    p->products->begin_back(p, h, seen, r);
    if (!h->add_k) clear_rows(h->dk, p->ldk, seen, p->keys, p->width);
    if (!h->add_v) clear_rows(h->dv, p->ldv, seen, p->keys, p->width);
    if (!h->add_q) clear_rows(h->dq, p->ldq, p->outputs, p->queries, p->width);
    for (size_t n = blocks; n-- > 0;) {
        size_t first = n * p->block;
        Block b = {.first = first,
                   .rows = MIN(p->block, p->outputs - first),
                   .seen = seen};
        b.later = n + 1 < blocks;
        b.keys = attention_keys(a, p, h->example, b.first + b.rows - 1);
        block_backward(a, p, h, &b, r);
    }
    p->products->end_back(p, h, seen, r);
}

/* Slices of one tensor share one gradient, which is asked for once.  Where a slice
 * does not cover its tensor the rest must hold zeros, so the sum of slices is
 * compared with the width. */
static Numbers slice_grad(Tape *tape, const Slice *slices, size_t i, const Numbers *grads,
                          real *betas, size_t width) {
    Tensor *x = slices[i].x;
    if (!x->needs_grad) return (Numbers){NULL, NULL};
    size_t covered = 0;
    for (size_t j = 0; j < 3; j++) covered += slices[j].x == x ? width : 0;
    for (size_t j = 0; j < i; j++)
        if (slices[j].x == x) return betas[i] = betas[j], grads[j];
    Numbers grad = numbers_grad(tape, x, &betas[i]);
    if (betas[i] == 0 && covered != tensor_last(x)) {
        numbers_clear(grad, x->size);
        betas[i] = 1;
    }
    return grad;
}

/* Where the gradients of three slices are collected, and what multiplies the old ones. */
typedef struct Grads {
    Numbers d[3];
    real beta[3];
} Grads;

static Grads ask_grads(Tape *tape, const AttentionArgs *a, const Plan *p) {
    Grads g = {.beta = {0}};
    Slice slices[3] = {a->q, a->k, a->v};
    for (size_t i = 0; i < 3; i++)
        g.d[i] = slice_grad(tape, slices, i, g.d, g.beta, p->heads * p->width);
    return g;
}

static Numbers grad_at(Numbers grad, const Slice *s, size_t rows, const Head *h,
                       size_t width) {
    size_t at = h->example * rows * tensor_last(s->x) + s->column + h->number * width;
    return grad.wide || grad.narrow ? numbers_at(grad, at) : grad;
}

static Head head_with_grads(const Attention *n, const Plan *p, const Grads *g, size_t i) {
    const AttentionArgs *a = &n->args;
    const Tensor *y = n->node.out;
    Head h = attention_head(a, p, (Numbers){y->grad, y->grad16}, n->lse, i / p->heads,
                            i % p->heads);
    h.dq = grad_at(g->d[0], &a->q, p->queries, &h, p->width);
    h.dk = grad_at(g->d[1], &a->k, p->room, &h, p->width);
    h.dv = grad_at(g->d[2], &a->v, p->room, &h, p->width);
    h.add_q = g->beta[0] != 0, h.add_k = g->beta[1] != 0, h.add_v = g->beta[2] != 0;
    return h;
}

static Room room_at(const Plan *p, real *own) {
    size_t scores = p->block * p->padded_keys;
    Room r = {.prob = own, .ds = own + scores};
    r.kept = p->drops ? r.ds + scores : r.prob;
    r.packed = (p->drops ? r.kept : r.ds) + scores;
    return r;
}

void attention_backward(Tape *tape, Attention *n, const Plan *p) {
    Grads g = ask_grads(tape, &n->args, p);
    size_t tasks = p->batch * p->heads, scores = p->block * p->padded_keys;
    size_t area = (p->drops ? 3 : 2) * scores + p->products->room(p, true) / sizeof(real);
    size_t threads = MIN((size_t)omp_get_max_threads(), tasks);
    real *memory = tape_scratch(tape, threads * area);
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < tasks; i++) {
        Room r = room_at(p, memory + (size_t)omp_get_thread_num() * area);
        Head h = head_with_grads(n, p, &g, i);
        head_backward(&n->args, p, &h, &r);
    }
    tape_unscratch(tape, memory);
}
