#include "tools/run/falling.h"

#include <math.h>

enum { ROWS_LEAST = 10 };

static double mean(const double *value, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += value[i];
    return sum / (double)count;
}

/* Standard deviation of a loss around its trend. */
static double scatter(const double *loss, size_t count) {
    double sum = 0;
    for (size_t i = 1; i + 1 < count; i++) {
        double bend = loss[i - 1] - 2 * loss[i] + loss[i + 1];
        sum += bend * bend;
    }
    return sqrt(sum / 6 / (double)(count - 2));
}

/* Of the windows of `fifth` rows before the last one. */
static double lowest_before(const double *loss, size_t count, size_t fifth) {
    double lowest = loss[0];
    for (size_t from = 0; from + 2 * fifth <= count; from++)
        lowest = fmin(lowest, mean(loss + from, fifth));
    return lowest;
}

LossFall loss_fall(const double *loss, size_t count) {
    LossFall fall = {false, NAN};
    if (count < ROWS_LEAST) return fall;
    size_t fifth = count / 5, half = count / 2 > ROWS_LEAST ? count / 2 : ROWS_LEAST;
    double last = mean(loss + count - fifth, fifth);
    double before = mean(loss + count - 2 * fifth, fifth);
    double error = scatter(loss + count - half, half) * sqrt(2 / (double)fifth);
    fall.share = before > 0 ? (before - last) / before : NAN;
    fall.falls = fall.share * 100 > FALL_PERCENT && before - last > FALL_ERRORS * error &&
                 last < lowest_before(loss, count, fifth);
    return fall;
}

LossFall loss_fall_scored(const double *loss, size_t count, double first) {
    LossFall fall = {false, NAN};
    if (count < 3) return fall;
    double last = loss[count - 1], middle = loss[(count - 1) / 2];
    bool lowest = last < first;
    for (size_t i = 0; i + 1 < count; i++) lowest &= last < loss[i];
    fall.share = middle > 0 ? (middle - last) / middle : NAN;
    fall.falls = lowest && fall.share * 100 >= FALL_PERCENT;
    return fall;
}

bool loss_rose(const double *loss, size_t count, size_t start, double share) {
    if (count < ROWS_LEAST || !start || start > count) return false;
    size_t fifth = count / 5, half = count / 2 > ROWS_LEAST ? count / 2 : ROWS_LEAST;
    double before = mean(loss, start);
    double rise = mean(loss + count - fifth, fifth) - before;
    double error =
        scatter(loss + count - half, half) * sqrt(1 / (double)fifth + 1 / (double)start);
    return rise > share * before && rise > FALL_ERRORS * error;
}
