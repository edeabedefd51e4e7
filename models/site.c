#include "models/site.h"

#include <math.h>

static const double UNKNOWN = (double)NAN;

/* Sums of nothing have no mean; NaN in them stays. */
static double mean(double sum, double of) { return of == 0 ? UNKNOWN : sum / of; }

/* Tokens and squares of the input, or of the memory behind them. */
static const double *sums_of(const Site *site, bool memory) {
    return site->measured.sums + (memory ? SUM_MEMORY_TOKENS : SUM_TOKENS);
}

double site_input(const Site *site, bool memory) {
    if (site->measured.level < MEASURE_INPUTS) return UNKNOWN;
    const double *sum = sums_of(site, memory);
    return mean(sum[1], sum[0]);
}

double site_input_largest(const Site *site, bool memory) {
    return site_input(site, memory) >= 0 ? site->measured.largest[memory] : UNKNOWN;
}

double site_common(const Site *site, bool memory) {
    if (site->measured.level < MEASURE_INPUTS) return UNKNOWN;
    const double *sum = sums_of(site, memory);
    if (sum[0] == 0) return UNKNOWN; /* a site without a memory has no room for one */
    const double *total = site->measured.sums + site_total(site, memory);
    double squares = 0;
    for (size_t j = 0; j < site->width; j++) squares += total[j] * total[j];
    return mean(squares, sum[0] * sum[1]);
}

double site_bound(const Site *site, size_t head) {
    if (site->measured.level < MEASURE_HEADS) return UNKNOWN;
    const double *sum = site->measured.sums;
    return mean(sum[SUM_FIXED + head], sum[SUM_QUERIES]);
}

double site_rank(const Site *site) {
    if (site->measured.level < MEASURE_HEADS) return UNKNOWN;
    const double *sum = site->measured.sums;
    return mean(sum[SUM_RANKS], sum[SUM_EXAMPLES]);
}

size_t site_total(const Site *site, bool memory) {
    return SUM_FIXED + site->heads + (memory ? site->width : 0);
}
