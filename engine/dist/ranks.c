#include "engine/dist/ranks.h"

#include "engine/dist/ranks_parts.h"

bool ranks_lead(const Ranks *ranks) { return ranks_number(ranks) == 0; }

void ranks_copy(Ranks *ranks, void *x, size_t bytes) {
    ranks_copy_from(ranks, 0, x, bytes);
}

double ranks_moments(Ranks *ranks, size_t rows, double *mean, double *squares, size_t n) {
    double own = (double)rows;
    if (ranks_count(ranks) == 1) return own;
    double *sums = mem_array(n + 1, sizeof *sums);
    for (size_t j = 0; j < n; j++) sums[j] = rows ? own * mean[j] : 0;
    sums[n] = own;
    ranks_add(ranks, sums, n + 1);
    double all = sums[n];
    for (size_t j = 0; j < n; j++) {
        double joint = sums[j] / all, off = mean[j] - joint;
        squares[j] = rows ? squares[j] + own * off * off : 0;
        mean[j] = joint;
    }
    mem_free(sums);
    ranks_add(ranks, squares, n);
    return all;
}

/* One maximum finds the failure that counts: by its weight, then by the lowest rank. */
Status ranks_agree(Ranks *ranks, Err *err) {
    if (!ranks) return err->status;
    enum { WEIGHT = 1 << 24 };
    bool failed = err->status != OK;
    double weight = !failed ? 0 : err->status == FAIL_INTERRUPTED ? 1 : 2;
    size_t count = ranks_count(ranks);
    double worst = failed ? weight * WEIGHT + (double)(count - ranks_number(ranks)) : 0;
    ranks_max(ranks, &worst, 1);
    if (worst == 0) return OK;
    size_t from = count - (size_t)worst % WEIGHT;
    double failures = failed;
    ranks_add(ranks, &failures, 1);
    ranks_copy_from(ranks, from, err, sizeof *err);
    if (from > 0 && failures < (double)count && err->status != FAIL_INTERRUPTED)
        err_wrap(err, "rank %zu", from);
    return err->status;
}
