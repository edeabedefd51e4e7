#include "models/sample.h"

#include <math.h>
#include <string.h>

/* The first of the largest; NaN is passed over. */
static size_t find_largest(const real *logits, size_t vocab) {
    size_t best = 0;
    for (size_t v = 1; v < vocab; v++)
        if (logits[v] > logits[best] || isnan(logits[best])) best = v;
    return isnan(logits[best]) ? 0 : best;
}

/* The k-th largest of n numbers, 1 <= k <= n, none of them NaN; `x` is put in another
 * order (Hoare's selection: all in front of `low` are >= all behind). */
static real select_largest(real *x, size_t n, size_t k) {
    size_t low = 0, high = n - 1, wanted = k - 1;
    while (low < high) {
        real pivot = x[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (x[i] > pivot) i++;
            while (x[j] < pivot) j--;
            if (i >= j) break;
            real kept = x[i];
            x[i++] = x[j];
            x[j--] = kept;
        }
        /* x[low..j] >= pivot >= x[j+1..high] */
        if (wanted <= j) high = j;
        else low = j + 1;
    }
    return x[wanted];
}

/* What may be drawn: logits above `least`, and the first `ties` of those that equal
 * it. */
typedef struct Choice {
    real least;
    size_t ties;
} Choice;

static bool may_draw(Choice *choice, real logit) {
    if (logit > choice->least) return true;
    if (logit != choice->least || !choice->ties) return false;
    choice->ties--;
    return true;
}

static Choice choose_top(const real *logits, size_t vocab, size_t top_k) {
    if (!top_k || top_k >= vocab) return (Choice){(real)-INFINITY, 0};
    real *copy = mem_alloc(vocab * sizeof *copy);
    for (size_t v = 0; v < vocab; v++)
        copy[v] = isnan(logits[v]) ? (real)-INFINITY : logits[v];
    Choice choice = {select_largest(copy, vocab, top_k), top_k};
    for (size_t v = 0; v < vocab; v++) choice.ties -= logits[v] > choice.least;
    mem_free(copy);
    return choice;
}

/* weight[v] = exp((logit - most) / temperature), or 0 where v may not be drawn; their
 * sum. */
static double find_weights(const real *logits, size_t vocab, double most,
                           double temperature, Choice choice, double *weight) {
    double sum = 0;
    for (size_t v = 0; v < vocab; v++) {
        bool drawn = may_draw(&choice, logits[v]);
        weight[v] = drawn ? exp(((double)logits[v] - most) / temperature) : 0;
        sum += weight[v];
    }
    return sum;
}

uint32_t sample_next(const real *logits, size_t vocab, double temperature, size_t top_k,
                     Rng dice, uint64_t index) {
    CHECK(vocab > 0 && vocab <= UINT32_MAX && temperature >= 0,
          "sample_next: %zu tokens, temperature %g", vocab, temperature);
    size_t largest = find_largest(logits, vocab);
    double most = (double)logits[largest];
    if (temperature == 0 || !isfinite(most)) return (uint32_t)largest;
    double *weight = mem_alloc(vocab * sizeof *weight);
    double left =
        rng_uniform(dice, index) * find_weights(logits, vocab, most, temperature,
                                                choose_top(logits, vocab, top_k), weight);
    size_t drawn = largest; /* where rounding leaves something over */
    for (size_t v = 0; v < vocab; v++)
        if ((left -= weight[v]) < 0) {
            drawn = v;
            break;
        }
    mem_free(weight);
    return (uint32_t)drawn;
}
