#include "models/positions.h"

#include <math.h>

enum { TAPS = 4 };

/* Where an output takes its inputs from along one side, and how much of each. */
typedef struct Taps {
    size_t at[TAPS];
    double weight[TAPS];
} Taps;

/* Keys's kernel, a = -0.75: at |x| <= 1, and at 1 <= |x| <= 2. */
static const double A = -0.75;

static double near_weight(double x) { return ((A + 2) * x - (A + 3)) * x * x + 1; }

static double far_weight(double x) { return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A; }

static Taps taps_of(size_t i, size_t source, size_t target) {
    double place = ((double)i + 0.5) * (double)source / (double)target - 0.5;
    double first = floor(place), t = place - first;
    Taps taps = {.weight = {far_weight(t + 1), near_weight(t), near_weight(1 - t),
                            far_weight(2 - t)}};
    for (int k = 0; k < TAPS; k++) {
        double at = fmin(fmax(first - 1 + k, 0), (double)(source - 1));
        taps.at[k] = (size_t)at;
    }
    return taps;
}

static double sample(const real *from, size_t columns, size_t width, const Taps *y,
                     const Taps *x) {
    double sum = 0;
    for (int i = 0; i < TAPS; i++) {
        double row = 0;
        for (int k = 0; k < TAPS; k++)
            row += x->weight[k] * (double)from[(y->at[i] * columns + x->at[k]) * width];
        sum += y->weight[i] * row;
    }
    return sum;
}

void positions_resample(const real *from, Grid source, real *to, Grid target,
                        size_t width) {
    CHECK(source.rows && source.columns && target.rows && target.columns,
          "positions of %zu x %zu for %zu x %zu", source.rows, source.columns,
          target.rows, target.columns);
    for (size_t r = 0; r < target.rows; r++) {
        Taps y = taps_of(r, source.rows, target.rows);
        for (size_t c = 0; c < target.columns; c++, to += width) {
            Taps x = taps_of(c, source.columns, target.columns);
            for (size_t d = 0; d < width; d++)
                to[d] = (real)sample(from + d, source.columns, width, &y, &x);
        }
    }
}
