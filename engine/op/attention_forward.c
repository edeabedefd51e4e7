/* attention_forward: y, log-sum-exps and measures, a block of queries at a time. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/kern/rows.h"
#include "engine/kern/tile.h"
#include "engine/op/attention_parts.h"

/* Softmax over the n open keys of a row, zeros from there to `end`.  The loop runs to a
 * whole vector, over keys of -infinity. */
static real soften_row(real *row, size_t n, size_t end, real *entropy, real *largest) {
    size_t padded = tile_padded(n);
    for (size_t j = n; j < padded; j++) row[j] = -INFINITY;
    real lse = row_softmax(row, n ? padded : 0, entropy, largest);
    memset(row + n, 0, (end - n) * sizeof(real));
    return lse;
}

static void soften_block(const AttentionArgs *a, const Plan *p, const Head *h,
                         const Block *b, real *s, Measure *m) {
    size_t valid = attention_valid(a, p, h->example);
    for (size_t i = 0; i < b->rows; i++) {
        size_t query = b->first + i, n = attention_keys(a, p, h->example, query);
        real entropy, largest;
        h->lse[query] =
            soften_row(s + i * p->padded_keys, n, b->keys, &entropy, &largest);
        if (query >= valid || !n) continue;
        m->entropy += (double)entropy;
        if (!(m->largest >= largest)) m->largest = largest;
    }
}

static Measure head_forward(const AttentionArgs *a, const Plan *p, const Head *h,
                            Room *r) {
    Measure m = {0, -INFINITY};
    size_t end = a->stats ? p->queries : p->outputs;
    size_t seen = attention_keys(a, p, h->example, end - 1);
    p->products->begin(p, h, seen, r);
    for (size_t i = 0; i < end; i += p->block) {
        Block b = {.first = i, .rows = MIN(p->block, end - i), .seen = seen};
        b.keys = attention_keys(a, p, h->example, i + b.rows - 1);
        p->products->scores(p, h, &b, r);
        soften_block(a, p, h, &b, r->prob, &m);
        if (i >= p->outputs) continue;
        b.rows = MIN(b.rows, p->outputs - i);
        if (p->drops) attention_drop(a, p, h, &b, r->prob, r->prob);
        p->products->output(p, h, &b, r);
    }
    return m;
}

void attention_forward(Tape *tape, const AttentionArgs *a, const Plan *p, Numbers y,
                       real *lse, Measure *measures) {
    size_t tasks = p->batch * p->heads, scores = p->block * p->padded_keys;
    size_t area = scores + p->products->room(p, false) / sizeof(real);
    size_t threads = MIN((size_t)omp_get_max_threads(), tasks);
    real *memory = tape_scratch(tape, threads * area);
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t i = 0; i < tasks; i++) {
        real *own = memory + (size_t)omp_get_thread_num() * area;
        Room r = {.prob = own, .packed = own + scores};
        Head h = attention_head(a, p, y, lse, i / p->heads, i % p->heads);
        measures[i] = head_forward(a, p, &h, &r);
    }
    tape_unscratch(tape, memory);
}
