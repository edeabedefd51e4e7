/* runlog_epoch: steps as epochs (tools/run/runlog.h). */
#include <math.h>

#include "tools/run/runlog.h"

/* Before the first row epochs are in proportion to steps; an evaluation behind the last
 * one is on the line of the last two. */
double runlog_epoch(const RunLog *run, double step) {
    const TrainLog *t = &run->train;
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (t->step[middle] < step) low = middle + 1;
        else high = middle;
    }
    if (!t->count) return NAN;
    if (low == t->count) low--;
    double from = low ? t->step[low - 1] : 0, start = low ? t->epoch[low - 1] : 0;
    double share = t->step[low] > from ? (step - from) / (t->step[low] - from) : 1;
    return start + share * (t->epoch[low] - start);
}
