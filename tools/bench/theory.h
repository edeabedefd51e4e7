/* theory: what `steady bench theory` shares between its files (tools/bench/bench.h).
 *
 * A TheoryLine is one number against width, for some seeds: its exponent is the slope of
 * ln(number) against ln(width) by least squares, one a seed; their mean has a 95 %
 * interval by Student's t. */
#ifndef STEADY_THEORY_H
#define STEADY_THEORY_H

#include "tools/bench/bench.h"

enum { THEORY_WIDTHS = 5, THEORY_SEEDS_MAX = 20, THEORY_SEEDS = 3 };
extern const size_t theory_widths[THEORY_WIDTHS]; /* 64 ... 1,024 */

typedef struct TheoryLine {
    const char *part;          /* "ideal" or "live" */
    char method[60], what[60]; /* "rank 1, noise 1"; "attn.qkv, step 1" */
    size_t seeds, widths;      /* the first so many of theory_widths */
    double value[THEORY_SEEDS_MAX][THEORY_WIDTHS]; /* sigma_1 of the update / lr */
    double bound[THEORY_SEEDS_MAX][THEORY_WIDTHS]; /* its lower bound, the same units */
    double exponent, low, high;                    /* by theory_fit */
    double bound_exponent;
} TheoryLine;

void theory_fit(TheoryLine *line);
double theory_mean(const TheoryLine *line, size_t width); /* geometric, over the seeds */
double theory_bound_mean(const TheoryLine *line, size_t width);
double theory_least_ratio(const TheoryLine *line); /* value / bound, the lowest */

/* The lines, at `lines`; returns how many. */
enum { THEORY_IDEAL_LINES = 12, THEORY_LIVE_LINES = 60 };
size_t theory_ideal(TheoryLine *lines, size_t seeds, size_t widths);
/* Can theory_live run with these words, and so many seeds?  FAIL_USAGE also for a key
 * that the bench sets itself. */
Status theory_check(size_t seeds, char **words, size_t word_count, Err *err);
/* words: section.key=value, over the grammar's recipe; theory_check has passed them. */
Status theory_live(TheoryLine *lines, size_t *count, size_t seeds, size_t widths,
                   char **words, size_t word_count, Err *err);

/* How far above the bound of Theorem 3.1 the lowest row of a head lies, nats. */
typedef struct TheoryGap {
    size_t keys;
    double sigma, bound;
    double random, lowest; /* of random heads: median and least */
    double tight;          /* of the construction that meets it */
} TheoryGap;

enum { THEORY_GAPS = 16 };
void theory_gaps(TheoryGap gaps[THEORY_GAPS]);

#endif
