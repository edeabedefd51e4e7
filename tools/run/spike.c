#include "tools/run/spike.h"

#include <math.h>
#include <string.h>

#include "engine/core/sort.h"

enum {
    WINDOW_LEAST = 9,
    WINDOW_MOST = 25,
    WINDOW_SHARE = 20,
    NOISE_WINDOWS = 6, /* windows of rows that a noise is measured over, */
    NOISE_ROWS = 50    /* or so many rows, where that is more */
};

/* Where the walk over the levels is. */
typedef struct Walk {
    const double *loss;
    size_t count, window;
    double chance, best; /* best: lowest level so far */
    double margin;       /* above that */
    double last;         /* step of the last row near it */
    bool above;
    LossSpike now;
    LossSpikes found;
} Walk;

static size_t window_of(size_t count) {
    size_t rows = count / WINDOW_SHARE;
    return MIN(MAX(rows, (size_t)WINDOW_LEAST), (size_t)WINDOW_MOST) | 1;
}

/* Of levels around this row, from the losses up to it.  A median of w normal numbers
 * scatters by sqrt(pi/2) / sqrt(w) of them; the median of |difference of two| is
 * 0.6745 sqrt(2) of them. */
static double noise_at(const Walk *w, size_t row) {
    double apart[MAX(NOISE_WINDOWS * WINDOW_MOST, NOISE_ROWS)];
    size_t rows = MAX(NOISE_WINDOWS * w->window, (size_t)NOISE_ROWS);
    size_t last = MIN(MAX(row + w->window / 2, rows), w->count - 1);
    size_t first = last > rows ? last - rows : 0;
    for (size_t i = first; i < last; i++)
        apart[i - first] = fabs(w->loss[i + 1] - w->loss[i]);
    return 1.2533 * 1.4826 * sort_median(apart, last - first) /
           sqrt(2.0 * (double)w->window);
}

/* level[i] is that around row i + window/2. */
static void find_levels(double *level, size_t levels, const double *loss, size_t window) {
    double rows[WINDOW_MOST];
    for (size_t i = 0; i < levels; i++) {
        memcpy(rows, loss + i, window * sizeof *rows);
        level[i] = sort_median(rows, window);
    }
}

/* Normal levels, n/w of them apart, lie within 2 sqrt(2 ln(n/w)) noises or so. */
static void set_best(Walk *w, double level, size_t row) {
    double apart = (double)w->count / (double)w->window;
    double noises = SPIKE_NOISES + 2 * sqrt(2 * log(apart));
    w->best = level;
    w->margin =
        fmax(noises * noise_at(w, row), fmax(SPIKE_PERCENT / 100.0 * fabs(level),
                                             SPIKE_CHANCE_PERCENT / 100.0 * w->chance));
}

static void keep(Walk *w) {
    LossSpikes *found = &w->found;
    found->open = !w->now.recovered;
    if (!found->count || found->open || w->now.depth > found->worst.depth)
        found->worst = w->now;
    found->count++;
}

static void see(Walk *w, double level, size_t row, double step) {
    double half = w->best + w->margin / 2, depth = level - w->best;
    if (w->above) {
        w->now.steps = step - w->now.from;
        w->now.recovered = level <= half;
        if (depth > w->now.depth) w->now.depth = depth, w->now.top = step;
        if (w->now.recovered) keep(w);
        w->above = !w->now.recovered;
    } else if (depth > w->margin && w->best < SPIKE_LEARNED_PERCENT / 100.0 * w->chance) {
        w->above = true;
        w->now = (LossSpike){.from = w->last,
                             .top = step,
                             .steps = step - w->last,
                             .best = w->best,
                             .depth = depth};
    }
    if (level <= half) w->last = step;
    if (level < w->best) set_best(w, level, row);
}

LossSpikes loss_spikes(const double *loss, const double *step, size_t count,
                       double chance) {
    for (size_t i = 0; i < count; i++)
        if (!isfinite(loss[i])) return (LossSpikes){0};
    if (count < SPIKE_ROWS_MIN) return (LossSpikes){0};
    size_t window = window_of(count), levels = count - window + 1;
    double *level = mem_alloc(levels * sizeof *level);
    find_levels(level, levels, loss, window);
    Walk w = {.loss = loss, .count = count, .window = window, .chance = chance};
    set_best(&w, level[0], window / 2);
    for (size_t i = 0; i < levels; i++) {
        size_t row = i + window / 2;
        see(&w, level[i], row, step ? step[row] : (double)row + 1);
    }
    if (w.above) keep(&w);
    mem_free(level);
    return w.found;
}
