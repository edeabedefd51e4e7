#include "tools/run/dip.h"

#include <math.h>

static double place(const double *x, size_t i) { return x ? x[i] : (double)i + 1; }

/* Less is better from here on: the score is turned.  The best so far, of equal ones the
 * last: the fall begins there. */
ScoreDip score_dip(const double *score, const double *x, size_t count, Metric metric) {
    ScoreDip dip = {NAN, NAN, NAN, NAN};
    double best = INFINITY, best_x = NAN, level = NAN;
    size_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(score[i])) continue;
        double now = metric_turned(metric, score[i]), at = place(x, i);
        if (++seen == 2) dip.depth = 0;
        if (isnan(dip.until) && now <= level) dip.until = at;
        if (now - best > dip.depth) {
            dip = (ScoreDip){now - best, best_x, at, NAN};
            level = best;
        }
        if (now <= best) best = now, best_x = at;
    }
    return dip;
}
