#include "tools/task/contrastive/feature_sums.h"

#include <math.h>
#include <string.h>

#include "tools/task/score.h"

enum { ROWS, LOSS, RIGHT, EXTRA };

static size_t numbers_of(const FeatureSums *s) { return 2 * s->width + EXTRA; }
static double *extra_of(const FeatureSums *s) { return s->sum + 2 * s->width; }

void feature_sums_begin(FeatureSums *s, size_t width) {
    *s = (FeatureSums){.width = width};
    s->sum = mem_zarray(numbers_of(s), sizeof *s->sum);
}

void feature_sums_end(FeatureSums *s) {
    mem_free(s->sum);
    *s = (FeatureSums){0};
}

void feature_sums_clear(FeatureSums *s) {
    memset(s->sum, 0, numbers_of(s) * sizeof *s->sum);
}

static void add_row(FeatureSums *s, const real *f) {
    double squares = 0, *sum = s->sum, *square = sum + s->width;
    for (size_t j = 0; j < s->width; j++) squares += (double)f[j] * (double)f[j];
    double factor = squares > 0 ? 1 / sqrt(squares) : 0;
    for (size_t j = 0; j < s->width; j++) {
        double z = factor * (double)f[j];
        sum[j] += z;
        square[j] += z * z;
    }
}

/* Cross entropy of a row of logits. */
static double row_loss(const real *z, size_t classes, size_t label) {
    real top = z[label];
    for (size_t k = 0; k < classes; k++) top = z[k] > top ? z[k] : top;
    double sum = exp((double)(z[0] - top));
    for (size_t k = 1; k < classes; k++) sum += exp((double)(z[k] - top));
    return (double)(top - z[label]) + log(sum);
}

static void add_probe(FeatureSums *s, const Contrast *c, Tape *tape, Tensor *features,
                      const size_t *label, size_t views) {
    size_t rows = tensor_rows(features), pictures = rows / views;
    const real *z = contrast_probe(c, tape, features)->value;
    for (size_t i = 0; i < rows; i++, z += c->classes) {
        size_t right = label[i % pictures];
        extra_of(s)[LOSS] += row_loss(z, c->classes, right);
        extra_of(s)[RIGHT] += score_rank(z, c->classes, right) == 0;
    }
}

void feature_sums_add(FeatureSums *s, const Contrast *c, Tape *tape, Tensor *features,
                      const size_t *label, size_t views) {
    size_t rows = tensor_rows(features);
    for (size_t i = 0; i < rows; i++) add_row(s, features->value + i * s->width);
    extra_of(s)[ROWS] += (double)rows;
    s->probed = c->probe_weight != NULL;
    if (s->probed) add_probe(s, c, tape, features, label, views);
}

static double std_of(const FeatureSums *s) {
    double rows = extra_of(s)[ROWS], total = 0;
    for (size_t j = 0; j < s->width; j++) {
        double mean = s->sum[j] / rows;
        double rest = s->sum[s->width + j] / rows - mean * mean;
        total += rest < 0 ? 0 : sqrt(rest); /* and NaN where it is that */
    }
    return total / (double)s->width;
}

FeatureNumbers feature_sums_numbers(FeatureSums *s, Ranks *ranks) {
    ranks_add(ranks, s->sum, numbers_of(s));
    const double *extra = extra_of(s);
    FeatureNumbers n = {.rows = extra[ROWS], .std = std_of(s), .loss = NAN, .top1 = NAN};
    if (!s->probed) return n;
    n.loss = extra[LOSS] / n.rows;
    n.top1 = extra[RIGHT] / n.rows;
    return n;
}
