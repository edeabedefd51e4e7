#include "models/heads.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/kern/gemm.h"
#include "engine/kern/reduce.h"
#include "engine/kern/symmetric.h"

/* A thread's own memory: matrices [K, K], and that of the eigen-solver. */
typedef struct Area {
    real *query, *key, *product, *form;
    void *room;
} Area;

static size_t area_size(size_t width) {
    return 4 * width * width + symmetric_room(width) / sizeof(real) + 1;
}

static Area area_at(real *memory, size_t width) {
    size_t square = width * width;
    return (Area){memory, memory + square, memory + 2 * square, memory + 3 * square,
                  memory + 4 * square};
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

/* gram = rows rows^T [width, width], with `biased` that of the rows with their biases
 * behind, divided by its trace, which is returned: no product of two leaves the range. */
static double gram_of(Rows r, size_t width, bool biased, real *gram) {
    const Tensor *w = &r.layer->weight->tensor;
    size_t columns = w->size / w->shape[0];
    const real *rows = w->value + r.first * columns;
    const real *bias = biased ? r.layer->bias->tensor.value + r.first : NULL;
    gemm_nt(width, width, columns, 1, rows, columns, rows, columns, 0, gram, width);
    double trace = 0;
    for (size_t i = 0; i < width; i++) {
        double f = factor_of(r, i), b = bias ? (double)bias[i] : 0;
        trace += f * f * (double)gram[i * width + i] + b * b;
    }
    for (size_t i = 0; i < width && trace > 0; i++)
        for (size_t j = 0; j < width; j++) {
            double both = factor_of(r, i) * factor_of(r, j) / trace;
            double b = bias ? (double)bias[i] * (double)bias[j] / trace : 0;
            gram[i * width + j] = (real)(both * (double)gram[i * width + j] + b);
        }
    return trace;
}

/* The largest sigma_i^2 of M, and their sum over all i. */
typedef struct Spectrum {
    double largest[SEC_COUNT], sum;
} Spectrum;

static Spectrum spectrum_of(Rows query, Rows key, size_t width, size_t count, bool biased,
                            const Area *a) {
    Spectrum s = {.sum = 0};
    double scale = gram_of(query, width, biased, a->query);
    scale *= gram_of(key, width, biased, a->key);
    if (!isfinite(scale)) s.sum = s.largest[0] = (double)NAN;
    if (!(scale > 0)) return s;
    symmetric_root(a->query, width);
    gemm_nn(width, width, width, 1, a->key, width, a->query, width, 0, a->product, width);
    gemm_tn(width, width, width, 1, a->query, width, a->product, width, 0, a->form,
            width);
    for (size_t i = 0; i < width; i++) s.sum += scale * (double)a->form[i * width + i];
    symmetric_largest(a->form, width, count, s.largest, a->room);
    for (size_t i = 0; i < MIN(count, width); i++)
        s.largest[i] = scale * (s.largest[i] < 0 ? 0 : s.largest[i]);
    return s;
}

static HeadWeights measure(const Site *site, size_t h, size_t width, const Area *area) {
    Rows query = {site->query, site->query_row + h * width};
    Rows key = {site->key, site->key_row + h * width};
    Spectrum s = spectrum_of(query, key, width, SEC_COUNT, false, area);
    double sum = 0, pair = s.largest[0];
    if (site->query->bias)
        pair = spectrum_of(query, key, width, 1, true, area).largest[0];
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
