#include "models/heads.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/kern/gemm.h"
#include "engine/kern/reduce.h"
#include "engine/kern/symmetric.h"

/* A thread's own memory: matrices [K, K], and that of the eigen-solver. */
typedef struct Area {
    real *query, *key;           /* Gram matrices */
    real *root, *product, *form; /* of spectrum_of */
    void *room;
} Area;

enum { SQUARES = 5 };

static size_t area_size(size_t width) {
    return SQUARES * width * width + symmetric_room(width) / sizeof(real) + 1;
}

static Area area_at(real *memory, size_t width) {
    size_t square = width * width;
    return (Area){.query = memory,
                  .key = memory + square,
                  .root = memory + 2 * square,
                  .product = memory + 3 * square,
                  .form = memory + 4 * square,
                  .room = memory + SQUARES * square};
}

/* Rows [first, first + width) of a layer, as they act. */
typedef struct Rows {
    const LinearLayer *layer;
    size_t first;
} Rows;

static double factor_of(Rows r, size_t i) {
    const Scale *scale = linear_scale(r.layer);
    return !scale ? 1 : (double)scale->value[scale->count == 1 ? 0 : r.first + i];
}

static double trace_of(const real *gram, size_t width) {
    double trace = 0;
    for (size_t i = 0; i < width; i++) trace += (double)gram[i * width + i];
    return trace;
}

static void divide(real *gram, size_t width, double by) {
    real factor = (real)(1 / by);
    for (size_t i = 0; i < width * width && by > 0; i++) gram[i] *= factor;
}

/* gram = rows rows^T [width, width] divided by its trace, which is returned: no product
 * of two leaves the range. */
static double gram_of(Rows r, size_t width, real *gram) {
    const Tensor *w = &r.layer->weight->tensor;
    const Scale *scale = linear_scale(r.layer);
    size_t columns = w->size / w->shape[0];
    const real *rows = w->value + r.first * columns;
    gemm_nt(width, width, columns, 1, rows, columns, rows, columns, 0, gram, width);
    for (size_t i = 0; i < width && scale && scale->count > 1; i++)
        for (size_t j = 0; j < width; j++)
            gram[i * width + j] *= scale->value[r.first + i] * scale->value[r.first + j];
    double trace = trace_of(gram, width);
    divide(gram, width, trace);
    return scale && scale->count == 1 ? trace * factor_of(r, 0) * factor_of(r, 0) : trace;
}

/* The same of the rows with their biases behind, from that without. */
static double add_bias(Rows r, size_t width, double trace, real *gram) {
    const real *bias = r.layer->bias->tensor.value + r.first;
    double sum = trace + reduce_sum_squares(bias, width);
    for (size_t i = 0; i < width && sum > 0; i++)
        for (size_t j = 0; j < width; j++) {
            double both = (double)bias[i] * (double)bias[j];
            gram[i * width + j] =
                (real)((trace * (double)gram[i * width + j] + both) / sum);
        }
    return sum;
}

/* The largest sigma_i^2 of M, and their sum over all i; scale: the product of the traces
 * that the Gram matrices were divided by. */
typedef struct Spectrum {
    double largest[SEC_COUNT], sum;
} Spectrum;

static Spectrum spectrum_of(size_t width, size_t count, double scale, const Area *a) {
    Spectrum s = {.sum = 0};
    if (!isfinite(scale)) s.sum = s.largest[0] = (double)NAN;
    if (!(scale > 0)) return s;
    memcpy(a->root, a->query, width * width * sizeof *a->root);
    symmetric_root(a->root, width, a->form);
    gemm_nn(width, width, width, 1, a->key, width, a->root, width, 0, a->product, width);
    gemm_tn(width, width, width, 1, a->root, width, a->product, width, 0, a->form, width);
    s.sum = scale * trace_of(a->form, width);
    symmetric_largest(a->form, width, count, s.largest, a->room);
    for (size_t i = 0; i < MIN(count, width); i++)
        s.largest[i] = scale * (s.largest[i] < 0 ? 0 : s.largest[i]);
    return s;
}

static HeadWeights measure(const Site *site, size_t h, size_t width, const Area *area) {
    Rows query = {site->query, site->query_row + h * width};
    Rows key = {site->key, site->key_row + h * width};
    double queries = gram_of(query, width, area->query);
    double keys = gram_of(key, width, area->key);
    Spectrum s = spectrum_of(width, SEC_COUNT, queries * keys, area);
    double sum = 0, pair = s.largest[0];
    if (site->query->bias) {
        queries = add_bias(query, width, queries, area->query);
        keys = add_bias(key, width, keys, area->key);
        pair = spectrum_of(width, 1, queries * keys, area).largest[0];
    }
    for (size_t i = 0; i < SEC_COUNT; i++) sum += s.largest[i];
    return (HeadWeights){.pair = sqrt(pair),
                         .sec = s.sum > 0 ? MIN(sum / s.sum, 1.0) : s.sum,
                         .stable_rank =
                             s.largest[0] > 0 ? s.sum / s.largest[0] : s.largest[0]};
}

void heads_measure(const Site *site, HeadWeights *heads) {
    size_t width = site->width / site->heads, size = area_size(width);
    size_t threads = MIN((size_t)omp_get_max_threads(), site->heads);
    real *memory = mem_alloc(threads * size * sizeof(real));
#pragma omp parallel for schedule(dynamic) num_threads((int)threads)
    for (size_t h = 0; h < site->heads; h++) {
        Area area = area_at(memory + (size_t)omp_get_thread_num() * size, width);
        heads[h] = measure(site, h, width, &area);
    }
    mem_free(memory);
}

static double largest_bias(const LinearLayer *layer, size_t first, const Site *site) {
    size_t width = site->width / site->heads;
    double most = 0;
    for (size_t h = 0; layer->bias && h < site->heads; h++)
        most =
            fmax(most, reduce_sum_squares(layer->bias->tensor.value + first + h * width,
                                          width));
    return sqrt(most);
}

void heads_biases(const Site *site, double bias[2]) {
    bias[0] = largest_bias(site->query, site->query_row, site);
    bias[1] = largest_bias(site->key, site->key_row, site);
}
