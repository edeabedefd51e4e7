/* compare: what a pool of cells says of its methods - how much they differ on the same
 * seeds, how often they fail, and how much they mind their learning rate.
 *
 *     Comparison comparison = compare_new(&pool);
 *     compare_print(&pool, &comparison, stdout);
 *     json_t *numbers = compare_json(&pool, &comparison);
 *     compare_free(&comparison);
 *
 * All differences are method minus base.  For tools/sweep alone. */
#ifndef STEADY_SWEEP_COMPARE_H
#define STEADY_SWEEP_COMPARE_H

#include <jansson.h>

#include "tools/sweep/pool.h"

typedef enum { COMPARE_SCORE, COMPARE_LOSS, COMPARE_MEASURES } CompareMeasure;

/* Differences over the seeds that both have. */
typedef struct Paired {
    size_t pairs;
    double mean;       /* NaN without a pair */
    Interval interval; /* statistics.h; none below INTERVAL_LEAST pairs */
    double p;          /* of the sign-flip test; NaN below INTERVAL_LEAST pairs */
} Paired;

/* Runs of one method at one setting. */
typedef struct CompareGroup {
    size_t method, rest, rate;
    size_t runs, failed;
    SweepSpread of[COMPARE_MEASURES];
} CompareGroup;

/* One method against the base, the rest equal. */
typedef struct CompareRow {
    size_t method, rest;
    size_t rate, base_rate; /* places in the pool's rates */
    bool best;              /* at the best rate of each, else at equal rates */
    Paired of[COMPARE_MEASURES];
} CompareRow;

typedef struct CompareFailures {
    size_t failed, runs; /* runs with a fate */
    Interval share;      /* exact; none without runs */
    double p; /* of Fisher's test against the base; NaN: the base, or no runs */
} CompareFailures;

/* Of a method's curve of final loss against learning rate. */
typedef struct CompareCurve {
    size_t method, rest;
    size_t best;        /* the rate of the lowest mean final loss among those with the
                           largest share of finite runs (compare.c), or SIZE_MAX */
    bool passed;        /* has another rate a lower mean? */
    SweepSpread loss;   /* at that rate */
    size_t rate_count;  /* rates that all methods have: those of the sensitivity */
    double low, high;   /* the least and the largest of them */
    double start;       /* loss at which it is capped: that of guessing, or NaN */
    SweepSpread spread; /* of the sensitivities of seeds that have all those rates */
    Paired against;     /* the base's */
} CompareCurve;

typedef struct Comparison {
    CompareGroup *groups; /* [group_count] with runs, by rest, rate, method */
    size_t group_count;
    CompareRow
        *rows; /* [row_count] by rest, rate, method; those at the best rates last */
    size_t row_count;
    CompareFailures *failures; /* [methods] */
    CompareCurve *curves;      /* [rests, methods] where rates are swept, else none */
    size_t curve_count;
} Comparison;

Comparison compare_new(const Pool *pool);
void compare_free(Comparison *comparison);

/* compare_print.c: means over seeds of all groups, and the comparison, and what both
 * mean. */
void compare_print_groups(const Pool *pool, const Comparison *comparison, FILE *out);
void compare_print(const Pool *pool, const Comparison *comparison, FILE *out);

/* compare_json.c */
json_t *compare_json(const Pool *pool, const Comparison *comparison);
json_t *interval_json(Interval interval); /* [low, high]; null: none */

/* Final loss against learning rate, and below it the score if `scores`; root: as
 * chart_write has it. */
Status compare_draw(const Pool *pool, const Comparison *comparison, const char *path,
                    const char *root, bool scores, Theme theme, Err *err);

/* sweep.json with the intervals over seeds, and with `methods`, which it takes (save.c).
 */
Status sweep_save_results(const Sweep *sweep, json_t *methods, Err *err);

#endif
