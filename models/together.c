#include "models/together.h"

#include <math.h>
#include <string.h>

#include "engine/kern/reduce.h"

/* What the sites measured beside entropy: sums over the ranks, and maxima. */
static void add_measured(Ranks *ranks, Model *model) {
    size_t count = 0, sites = model->site_count, n = 0;
    for (size_t i = 0; i < sites; i++) count += model->sites[i]->measured.count;
    if (!sites || !model->sites[0]->measured.level) return;
    double *sum = mem_alloc((count + 2 * sites) * sizeof *sum), *largest = sum + count;
    for (size_t i = 0; i < sites; i++) {
        const Measured *m = &model->sites[i]->measured;
        memcpy(sum + n, m->sums, m->count * sizeof *sum);
        memcpy(largest + 2 * i, m->largest, sizeof m->largest);
        n += m->count;
    }
    ranks_add(ranks, sum, count);
    ranks_max(ranks, largest, 2 * sites);
    n = 0;
    for (size_t i = 0; i < sites; i++) {
        Measured *m = &model->sites[i]->measured;
        memcpy(m->sums, sum + n, m->count * sizeof *sum);
        memcpy(m->largest, largest + 2 * i, sizeof m->largest);
        n += m->count;
    }
    mem_free(sum);
}

/* Numbers of each kind: the loss, three for each site, and one for each of its heads. */
static size_t count_numbers(const Model *model) {
    size_t count = 1;
    for (size_t i = 0; i < model->site_count; i++) count += model->sites[i]->heads + 3;
    return count;
}

void together_measure(Ranks *ranks, Model *model, double *loss) {
    if (!ranks) return;
    size_t count = count_numbers(model), n = 1;
    double *sum = mem_alloc(2 * count * sizeof *sum), *largest = sum + count;
    sum[0] = largest[0] = *loss;
    for (size_t i = 0; i < model->site_count; i++) {
        const Site *site = model->sites[i];
        bool empty = site->weight == 0; /* what it holds is of a step before */
        sum[n] = largest[n] = site->weight, n++;
        sum[n] = largest[n] = empty ? 0 : site->keys, n++;
        sum[n] = largest[n] = empty ? 0 : site->uniform * site->weight, n++;
        for (size_t h = 0; h < site->heads; h++, n++) {
            sum[n] = empty ? 0 : site->entropy[h] * site->weight;
            largest[n] = empty ? -INFINITY : site->largest[h];
        }
    }
    ranks_add(ranks, sum, count);
    ranks_max(ranks, largest, count);
    *loss = sum[0];
    n = 1;
    for (size_t i = 0; i < model->site_count; i++) {
        Site *site = model->sites[i];
        site->weight = sum[n++];
        site->keys = largest[n++];
        site->uniform = sum[n++] / site->weight;
        for (size_t h = 0; h < site->heads; h++, n++) {
            site->entropy[h] = sum[n] / site->weight;
            site->largest[h] = isnan(sum[n]) ? NAN : largest[n]; /* a maximum drops NaN */
        }
    }
    mem_free(sum);
    add_measured(ranks, model);
}

Status together_check(Ranks *ranks, const ParamSet *params, size_t step, Err *err) {
    if (!ranks) return OK;
    double squares = reduce_sum_squares(params->values, params->trained);
    double extremes[2] = {squares, -squares};
    ranks_max(ranks, extremes, 2);
    if (extremes[0] == -extremes[1] ||
        !reduce_all_finite(params->values, params->trained))
        return OK;
    return err_set(
        err, FAIL_RUN,
        "the ranks have different weights after step %zu; use machines of one kind "
        "with the same steady and libraries",
        step);
}
