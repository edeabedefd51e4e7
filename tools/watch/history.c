#include "tools/watch/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/grow.h"

enum { KEPT = 256 }; /* of the newest points none are joined */

static Point join(const Point *a, const Point *b) {
    Point both = *b;
    for (size_t k = 0; k < POINT_NUMBERS; k++)
        if (isnan(both.value[k])) both.value[k] = a->value[k];
    double low = fmin(a->value[POINT_ENTROPY], b->value[POINT_ENTROPY]);
    both.value[POINT_ENTROPY] = low;
    both.highest = fmax(a->highest, b->highest);
    both.nonfinite |= a->nonfinite;
    return both;
}

/* Neighbours become one where that covers no more than an even share of the steps: a
 * quarter to a half of HISTORY_MOST is left, however the points came. */
static void thin(History *h) {
    double span = h->points[h->count - 1].step - h->points[0].step;
    double share = 4 * span / HISTORY_MOST, before = h->points[0].step;
    size_t kept = 1, old = h->count - KEPT;
    for (size_t i = 1; i < old; i++) {
        Point *last = &h->points[kept - 1];
        if (kept > 1 && h->points[i].step - before <= share) {
            *last = join(last, &h->points[i]);
        } else {
            before = last->step;
            h->points[kept++] = h->points[i];
        }
    }
    memmove(h->points + kept, h->points + old, KEPT * sizeof *h->points);
    h->count = kept + KEPT;
}

void history_add(History *h, const Point *point) {
    if (!isfinite(point->step)) return;
    while (h->count && h->points[h->count - 1].step >= point->step) h->count--;
    if (h->count >= HISTORY_MOST) thin(h);
    GROW(h->points, h->count, h->room, 1);
    h->points[h->count++] = *point;
}

void history_clear(History *h) {
    mem_free(h->points);
    *h = (History){0};
}

/* How many points are at or before a step. */
static size_t points_to(const History *h, double step) {
    size_t low = 0, high = h->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (h->points[middle].step <= step) low = middle + 1;
        else high = middle;
    }
    return low;
}

const Point *history_at(const History *h, double step) {
    size_t count = points_to(h, step);
    return count ? &h->points[count - 1] : NULL;
}

/* Takes a point into its column: of entropies the lowest counts, of learning rates the
 * last, of all else the mean. */
static void add_point(Column *column, const Point *p, PointNumber number, size_t *count) {
    double value = p->value[number], top = value;
    if (number == POINT_LOSS) {
        top = fmax(top, p->highest);
        column->nonfinite |= p->nonfinite;
    }
    column->highest = fmax(column->highest, top);
    if (isnan(value)) return;
    ++*count;
    if (isnan(column->value) || number == POINT_LR) column->value = value;
    else if (number == POINT_ENTROPY) column->value = fmin(column->value, value);
    else column->value += (value - column->value) / (double)*count;
}

void history_columns(const History *h, PointNumber number, double from, double to,
                     double until, Column *columns, size_t count) {
    double before = NAN, width = (to - from) / (double)MAX(count, (size_t)1);
    size_t i = 0;
    for (size_t c = 0; c < count; c++) {
        double start = from + width * (double)c;
        double end = c + 1 == count ? to : start + width;
        Column *column = &columns[c];
        size_t seen = 0;
        *column = (Column){NAN, NAN, false};
        if (start >= until && (c || until < from)) continue;
        for (; i < h->count && h->points[i].step <= fmin(end, until); i++)
            add_point(column, &h->points[i], number, &seen);
        if (isnan(column->value)) column->value = column->highest = before;
        before = column->value;
    }
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

bool history_range(const History *h, PointNumber number, double until, double *low,
                   double *high) {
    size_t count = 0, all = points_to(h, until);
    double *value = mem_alloc(MAX(all, (size_t)1) * sizeof *value);
    for (size_t i = 0; i < all; i++)
        if (isfinite(h->points[i].value[number]))
            value[count++] = h->points[i].value[number];
    if (count) {
        qsort(value, count, sizeof *value, by_value);
        size_t cut = count / 50;
        double inner = value[count - 1 - cut] - value[cut];
        double whole = value[count - 1] - value[0];
        if (whole < 3 * inner || !(inner > 0)) cut = 0;
        *low = value[cut];
        *high = value[count - 1 - cut];
    }
    mem_free(value);
    return count;
}
