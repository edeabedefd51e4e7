#include "models/look.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/kern/bf16.h"
#include "engine/kern/bound.h"
#include "engine/kern/spread.h"
#include "models/heads.h"
#include "models/temperature.h"

static const double NOTHING = 1e-4; /* nats */
enum { SERIAL_MAX = 32768 };        /* numbers for which threads do not pay */

void look_start(Model *model, const ForwardMode *mode) {
    for (size_t i = 0; i < model->site_count; i++) {
        Site *site = model->sites[i];
        Measured *m = &site->measured;
        m->level = mode->measure;
        if (!m->level) continue;
        m->temperature = site_temperature(site, mode);
        m->largest[0] = m->largest[1] = 0;
        memset(m->sums, 0, m->count * sizeof *m->sums);
        heads_biases(site, m->bias);
        if (m->level >= MEASURE_HEADS) heads_measure(site, m->weights);
    }
}

/* ---- the tokens of a batch ---- */

typedef struct Tokens {
    const real *x; /* [batch, rows, width] */
    size_t batch, rows, width;
    const size_t *count; /* [batch] valid ones, or NULL: all */
    Spread *spread;      /* [batch] */
    real *total;         /* [batch, width] */
} Tokens;

static size_t valid(const Tokens *t, size_t b) {
    return t->count ? t->count[b] : t->rows;
}

static const real *example(const Tokens *t, size_t b) {
    return t->x + b * t->rows * t->width;
}

/* In scratch memory: `total` is to be given back. */
static Tokens take_tokens(Tape *tape, const real *x, const Tensor *shape,
                          const size_t *count) {
    Tokens t = {.x = x,
                .batch = shape->shape[0],
                .rows = shape->shape[1],
                .width = tensor_last(shape),
                .count = count};
    t.spread = tape_alloc(tape, t.batch * sizeof *t.spread);
    t.total = tape_scratch(tape, t.batch * t.width);
#pragma omp parallel for schedule(static) if (shape->size > SERIAL_MAX)
    for (size_t b = 0; b < t.batch; b++)
        t.spread[b] =
            spread_rows(example(&t, b), valid(&t, b), t.width, t.total + b * t.width);
    return t;
}

/* Added in the order of the examples, whoever looked at them. */
static void add_tokens(Site *site, const Tokens *t, bool memory) {
    Measured *m = &site->measured;
    double *sum = m->sums + (memory ? SUM_MEMORY_TOKENS : SUM_TOKENS);
    double *total = m->sums + site_total(site, memory);
    for (size_t b = 0; b < t->batch; b++) {
        sum[0] += (double)valid(t, b);
        sum[1] += t->spread[b].squares;
        if (!(m->largest[memory] >= t->spread[b].largest))
            m->largest[memory] = t->spread[b].largest;
        for (size_t j = 0; j < t->width; j++)
            total[j] += (double)t->total[b * t->width + j];
    }
}

/* ---- bounds ---- */

/* What is the same for all examples of a site. */
typedef struct Bounds {
    const Tokens *queries, *keys; /* the same in self-attention */
    bool ones, causal;
    double factor; /* 1 / (sqrt(K) tau) */
    double enough; /* from this |X_q|_2 |X_k|_2 on every bound is nothing */
    const HeadWeights *weights;
    size_t heads;
} Bounds;

static double bound_of(bool causal, size_t keys, double sigma) {
    return causal ? entropy_bound_causal(keys, sigma) : entropy_bound(keys, sigma);
}

/* |X|_2^2 is at least this: |X^T 1|^2 / rows, a row's square, their sum over
 * min(rows, n). */
static double norm_least(const Tokens *t, size_t b) {
    double rows = (double)valid(t, b), total = 0, n = (double)t->width;
    for (size_t j = 0; j < t->width; j++) {
        double sum = (double)t->total[b * t->width + j];
        total += sum * sum;
    }
    double least = fmax(t->spread[b].largest, t->spread[b].squares / fmin(rows, n));
    return rows > 0 ? fmax(least, total / rows) : 0;
}

/* At least |X|_2^2; close where that is less than `enough`. */
static double norm_above(const Bounds *o, const Tokens *t, size_t b, double enough,
                         real *spare) {
    size_t rows = valid(t, b);
    if (norm_least(t, b) >= enough)
        return t->spread[b].squares + (o->ones ? (double)rows : 0);
    return spread_norm(example(t, b), rows, t->width, o->ones, t->total + b * t->width,
                       enough, spare);
}

/* The product of norms |X_q|_2 |X_k|_2 that the bounds of example b go by. */
static double norms_of(const Bounds *o, size_t b, real *spare) {
    double enough = o->enough;
    if (o->queries == o->keys) return norm_above(o, o->queries, b, enough, spare);
    double query =
        norm_above(o, o->queries, b, enough * enough / norm_least(o->keys, b), spare);
    double key =
        norm_above(o, o->keys, b, enough * enough / norm_least(o->queries, b), spare);
    return sqrt(query) * sqrt(key);
}

/* bound [heads]: sums over the example's queries. */
static void bound_example(const Bounds *o, size_t b, real *spare, double *bound) {
    double norms = norms_of(o, b, spare), queries = (double)valid(o->queries, b);
    for (size_t h = 0; h < o->heads; h++)
        bound[h] = queries * bound_of(o->causal, valid(o->keys, b),
                                      o->factor * o->weights[h].pair * norms);
}

static void add_bounds(Tape *tape, Site *site, const Bounds *o) {
    size_t batch = o->queries->batch, heads = o->heads;
    size_t rows = MAX(o->queries->rows, o->keys->rows);
    size_t area = spread_spare(rows, o->queries->width);
    size_t threads = MIN((size_t)omp_get_max_threads(), batch);
    real *memory = tape_scratch(tape, threads * area);
    double *bound = tape_alloc(tape, batch * heads * sizeof *bound);
    double *sum = site->measured.sums;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads)
    for (size_t b = 0; b < batch; b++)
        bound_example(o, b, memory + (size_t)omp_get_thread_num() * area,
                      bound + b * heads);
    for (size_t b = 0; b < batch; b++) {
        sum[SUM_QUERIES] += (double)valid(o->queries, b);
        for (size_t h = 0; h < heads; h++) sum[SUM_FIXED + h] += bound[b * heads + h];
    }
    tape_unscratch(tape, memory);
}

/* The sigma from which on the bound of so many keys, and so of fewer, is nothing. */
static double sigma_enough(bool causal, size_t keys) {
    double low = 0, high = 1;
    while (bound_of(causal, keys, high) >= NOTHING) high *= 2;
    while (high - low > 1e-2 * high) {
        double middle = (low + high) / 2;
        *(bound_of(causal, keys, middle) >= NOTHING ? &low : &high) = middle;
    }
    return high;
}

static Bounds bounds_of(const Look *l, const Tokens *queries, const Tokens *keys) {
    const Site *site = l->site;
    double width = (double)(site->width / site->heads), least = INFINITY;
    Bounds o = {.queries = queries,
                .keys = keys,
                .ones = site->query->bias,
                .causal = l->args->causal,
                .factor = 1 / (sqrt(width) * l->args->temperature),
                .weights = site->measured.weights,
                .heads = site->heads};
    for (size_t h = 0; h < o.heads; h++) least = fmin(least, o.weights[h].pair);
    o.enough = sigma_enough(o.causal, keys->rows) / (o.factor * least);
    return o;
}

/* ---- a look ---- */

static void see(void *context, const real *p) {
    Look *l = context;
    const AttentionArgs *args = l->args;
    Tokens queries = take_tokens(l->tape, p, l->x, args->query_count), keys = queries;
    add_tokens(l->site, &queries, false);
    if (l->memory) {
        keys = take_tokens(l->tape, l->memory->value, l->memory, args->key_count);
        add_tokens(l->site, &keys, true);
    }
    if (l->level >= MEASURE_HEADS) {
        Bounds o = bounds_of(l, &queries, l->memory ? &keys : &queries);
        add_bounds(l->tape, l->site, &o);
    }
    if (l->memory) tape_unscratch(l->tape, keys.total);
    tape_unscratch(l->tape, queries.total);
}

const Viewer *look_begin(Look *l, Tape *tape, Site *site, const ForwardMode *mode,
                         const AttentionArgs *args, const Tensor *x,
                         const Tensor *memory) {
    *l = (Look){.tape = tape, .site = site, .args = args, .x = x, .memory = memory};
    l->level = tape_replaying(tape) ? MEASURE_NOTHING : mode->measure;
    l->viewer = (Viewer){see, l};
    return l->level ? &l->viewer : NULL;
}

void look_output(const Look *l, const Tensor *y) {
    if (l->level < MEASURE_HEADS) return;
    size_t batch = y->shape[0], rows = y->shape[1], width = tensor_last(y);
    real *wide = y->value;
    if (!wide) bf16_widen(wide = tape_scratch(l->tape, y->size), y->value16, y->size);
    size_t area = spread_spare(rows, width);
    size_t threads = MIN((size_t)omp_get_max_threads(), batch);
    const size_t *count = l->args->query_count;
    real *memory = tape_scratch(l->tape, threads * area);
    double *rank = tape_alloc(l->tape, batch * sizeof *rank), *sum;
#pragma omp parallel for schedule(dynamic) num_threads((int)threads)
    for (size_t b = 0; b < batch; b++)
        rank[b] = spread_rank(wide + b * rows * width, count ? count[b] : rows, width,
                              memory + (size_t)omp_get_thread_num() * area);
    sum = l->site->measured.sums;
    for (size_t b = 0; b < batch; b++) {
        sum[SUM_RANKS] += rank[b];
        sum[SUM_EXAMPLES] += !count || count[b];
    }
    if (!y->value) tape_unscratch(l->tape, wide);
    tape_unscratch(l->tape, memory);
}
