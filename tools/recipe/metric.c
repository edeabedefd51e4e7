#include "tools/recipe/metric.h"

#include <math.h>
#include <string.h>

#define METRIC_ROW(NAME, key_, best, watch, ...)                                         \
    [METRIC_##NAME] = {.key = key_, __VA_ARGS__},
const MetricFacts metrics[METRIC_COUNT] = {METRIC_LIST(METRIC_ROW)};

/* AT(3) becomes `[3] = "top1",` and NO nothing; the same place twice does not compile. */
#define CHOICE_NO(key)
#define CHOICE_AT(place) [place] = CHOICE_KEY
#define CHOICE_KEY(key) key,
#define BEST_NAME(NAME, key, best, watch, ...) CHOICE_##best(key)
#define WATCH_NAME(NAME, key, best, watch, ...) CHOICE_##watch(key)
const char *const metric_best_names[METRIC_COUNT + 2] = {"auto", METRIC_LIST(BEST_NAME)};
const char *const metric_watch_names[METRIC_COUNT + 2] = {METRIC_LIST(WATCH_NAME)};

Metric metric_find(const char *key) {
    size_t m = 0;
    while (m < METRIC_COUNT && (!key || strcmp(metrics[m].key, key))) m++;
    return (Metric)m;
}

Metric metric_shown(size_t i) {
    for (int rank = RANK_FIRST; rank <= RANK_SECOND; rank++)
        for (size_t m = 0; m < METRIC_COUNT; m++)
            if ((int)metrics[m].rank == rank && !i--) return (Metric)m;
    return METRIC_COUNT;
}

double metric_turned(Metric metric, double value) {
    return metrics[metric].better == BETTER_HIGH ? -value : value;
}

double metric_guess(Metric metric, double nll) {
    switch (metrics[metric].guess) {
    case GUESS_SHARE: return metrics[metric].factor * exp(-nll);
    case GUESS_EXP: return metrics[metric].factor * exp(nll);
    case GUESS_NONE: break;
    }
    return NAN;
}

Metric metric_best(int place) { return metric_find(metric_best_names[place]); }

Metric metric_watch(int place) { return metric_find(metric_watch_names[place]); }

int metric_watch_place(const char *name) {
    for (int i = 0; metric_watch_names[i]; i++)
        if (!strcmp(metric_watch_names[i], name)) return i;
    return 0;
}
