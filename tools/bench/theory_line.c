/* A number against width, and its exponent (tools/bench/theory.h). */
#include <math.h>

#include "engine/core/quantile.h"
#include "tools/bench/theory.h"

const size_t theory_widths[THEORY_WIDTHS] = {64, 128, 256, 512, 1024};

static double slope(const double *value, size_t widths) {
    double x = 0, y = 0, xx = 0, xy = 0, n = (double)widths;
    for (size_t i = 0; i < widths; i++) {
        double u = log((double)theory_widths[i]), v = log(value[i]);
        x += u, y += v, xx += u * u, xy += u * v;
    }
    return (n * xy - x * y) / (n * xx - x * x);
}

void theory_fit(TheoryLine *line) {
    double sum = 0, squares = 0, bounds = 0, n = (double)line->seeds;
    for (size_t s = 0; s < line->seeds; s++) sum += slope(line->value[s], line->widths);
    for (size_t s = 0; s < line->seeds; s++)
        bounds += slope(line->bound[s], line->widths);
    line->exponent = sum / n;
    line->bound_exponent = bounds / n;
    for (size_t s = 0; s < line->seeds; s++)
        squares += pow(slope(line->value[s], line->widths) - line->exponent, 2);
    double half = quantile_student(0.975, n - 1) * sqrt(squares / (n - 1) / n);
    line->low = line->exponent - half;
    line->high = line->exponent + half;
}

static double mean(const double value[][THEORY_WIDTHS], size_t seeds, size_t width) {
    double sum = 0;
    for (size_t s = 0; s < seeds; s++) sum += log(value[s][width]);
    return exp(sum / (double)seeds);
}

double theory_mean(const TheoryLine *line, size_t width) {
    return mean(line->value, line->seeds, width);
}

double theory_bound_mean(const TheoryLine *line, size_t width) {
    return mean(line->bound, line->seeds, width);
}

double theory_least_ratio(const TheoryLine *line) {
    double least = INFINITY;
    for (size_t s = 0; s < line->seeds; s++)
        for (size_t w = 0; w < line->widths; w++)
            least = fmin(least, line->value[s][w] / line->bound[s][w]);
    return least;
}
