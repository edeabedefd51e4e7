/* verdict: whether a run learned, diverged or collapsed - one definition for the sweep
 * and the report, and of a site's entropy also for the trainer's collapse guard.
 *
 *     EntropyLow low = ENTROPY_LOW_NONE;
 *     entropy_low_see(&low, "blocks.0.attn", uniform, mean_entropy, step); at every probe
 *     Verdict verdict = run_verdict(&(VerdictInput){.loss = loss, .count = n,
 *                                                   .chance = log(10), .low = low});
 *     puts(verdict.summary);
 *
 * Definitions, over the n logged losses (null or NaN counts as non-finite):
 *   tail    mean of the last max(1, floor(n/5)) losses
 *   start   mean of the first min(10, n - floor(n/5)) losses
 *   non-finite   any loss is NaN or infinite, or the input says that a gradient was
 *   at chance    chance is known and tail > 0.98 chance
 *   no progress  chance is unknown and tail > 0.98 start, or tail > 1.02 start in any case
 *   diverged     non-finite, at chance or no progress
 *   short        fewer than VERDICT_ROWS_MIN losses, all finite: nothing more is said
 *   collapsed    at some probe the entropy of a site, mean over its heads, was under
 *                COLLAPSE_SHARE of what uniform attention has; a run can be collapsed and still
 *                learn.  The guard asks the same at every step, by guard.entropy_below
 *
 * Uniform attention has ln(keys) where every query sees all keys.  Under a causal
 * mask, or with padding, queries see fewer: it is the mean over queries of
 * ln(keys that are open).
 *
 * `chance` is the objective of a model that answers every class alike: ln K for K
 * classes, or for a vocabulary of K tokens.
 * Label smoothing leaves it at ln K (the weights of the classes still sum to one); an
 * objective with another level (CTC, NT-Xent) passes its own number, or 0 for unknown. */
#ifndef STEADY_VERDICT_H
#define STEADY_VERDICT_H

#include "engine/core/base.h"

#define COLLAPSE_PERCENT 10
#define COLLAPSE_SHARE (COLLAPSE_PERCENT / 100.0)
#define VERDICT_ROWS_MIN 10

/* Where attention was at its lowest, and which site fell under COLLAPSE_SHARE first. */
typedef struct EntropyLow {
    double share;   /* lowest mean entropy of a site / uniform; infinite: none seen */
    double uniform; /* uniform attention's entropy at that site and step, nats */
    size_t step;
    char site[96];
    size_t fell_step; /* first step under COLLAPSE_SHARE; 0: never */
    double fell_uniform;
    char fell_site[96]; /* the lowest of the sites that fell at that step */
    double fell_share;
} EntropyLow;

#define ENTROPY_LOW_NONE ((EntropyLow){.share = __builtin_inf()})

/* Of a site, over its heads that have a number; NaN: none has. */
double entropy_mean(const double *entropy, size_t heads);

/* entropy / uniform, both in nats; NaN where uniform attention has none (a single
 * key). */
double entropy_share(double entropy, double uniform);

/* Is the share of a site under this one?  An unknown share is under none. */
bool entropy_fell(double share, double below);

/* Takes one site of one probe.  entropy: nats, mean over heads; uniform: what
 * uniform attention has there; steps must not decrease.  An unknown share says
 * nothing and is skipped. */
void entropy_low_see(EntropyLow *low, const char *site, double uniform, double entropy,
                     size_t step);

typedef enum {
    VERDICT_LEARNED,
    VERDICT_COLLAPSED, /* learned, yet a site collapsed */
    VERDICT_AT_CHANCE,
    VERDICT_NO_PROGRESS,
    VERDICT_NONFINITE,
    VERDICT_SHORT,
} VerdictKind;

typedef struct VerdictInput {
    const double *loss; /* [count] */
    const double *step; /* [count], or NULL: 1, 2, 3, ... */
    size_t count;
    double chance;  /* 0 or NaN: unknown */
    bool nonfinite; /* the run was stopped by a non-finite loss or gradient */
    bool sigma;     /* model.reparam = sigma already: the advice is another */
    EntropyLow low;
} VerdictInput;

typedef struct Verdict {
    VerdictKind kind;
    const char *name; /* "learned", "collapsed", "at chance", ... */
    bool diverged, collapsed;
    double start, tail; /* NaN when there is nothing to average */
    char summary[600];  /* one sentence or two, ending in a full stop */
    char advice[300];   /* what to do; "" when there is nothing to do */
    char data[1200];    /* what was left out of the data, as a sentence; "": nothing */
} Verdict;

Verdict run_verdict(const VerdictInput *input);

/* What diverged and collapsed mean, in two sentences for tables and reports. */
const char *verdict_definition(void);

#endif
