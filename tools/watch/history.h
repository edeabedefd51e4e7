/* history: the steps of a run as so many points that fit a screen, however long the run.
 *
 *     history_add(&history, &(Point){.step = 1, .loss = 2.3, ...});
 *     history_columns(&history, POINT_LOSS, 0, 400, NAN, columns, 60);
 *
 * Steps rise: a point of an earlier step (a resume) removes those at and behind it.  At
 * HISTORY_MOST points, neighbours become one; of the loss the highest and what was not
 * finite are kept. */
#ifndef STEADY_WATCH_HISTORY_H
#define STEADY_WATCH_HISTORY_H

#include "engine/core/base.h"

enum { HISTORY_MOST = 4096 };

typedef enum {
    POINT_LOSS,
    POINT_LR,
    POINT_RATE,    /* examples or tokens a second */
    POINT_GRAD,    /* norm of the gradient */
    POINT_ENTROPY, /* lowest of a site, mean over its heads, share of uniform attention's */
    POINT_NUMBERS
} PointNumber;

typedef struct Point {
    double step, epoch, value[POINT_NUMBERS]; /* NaN: it has none */
    double highest;                           /* loss of the steps that it stands for */
    bool nonfinite;                           /* the loss of one of them was not finite */
    size_t at;                                /* place of its row in the file */
} Point;

typedef struct History {
    Point *points;
    size_t count, room;
} History;

void history_add(History *history, const Point *point);
void history_clear(History *history); /* frees */

/* The last point at or before a step; NULL: there is none. */
const Point *history_at(const History *history, double step);

/* What one column of a sparkline shows. */
typedef struct Column {
    double value, highest; /* mean of its values (of learning rates the last, of
                            * entropies the lowest); the highest; NaN: nothing */
    bool nonfinite;
} Column;

/* The steps from `from` to `to` as `count` columns; none behind step `until`.  A column
 * without a point has the value before it. */
void history_columns(const History *history, PointNumber number, double from, double to,
                     double until, Column *columns, size_t count);

/* Low and high of finite values, up to step `until`, without the highest and the lowest
 * two in a hundred where that makes the range much smaller: one spike does not flatten
 * the rest.  False: there is none. */
bool history_range(const History *history, PointNumber number, double until, double *low,
                   double *high);

#endif
