/* verdict: what became of a run - one table of kinds with their definitions, which the
 * trainer's last line, reports, sweeps and docs/verdicts.md read - and of a site's
 * entropy also for the collapse guard.
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
 *   spike   as in spike.h
 *   collapsed   at some probe, or at a step at which the collapse guard warned, the
 *               entropy of a site, mean over its heads, was under COLLAPSE_SHARE of what
 *               uniform attention has.  The guard looks at every step, by
 *               guard.entropy_below
 *   uniform     at the last probe that of every site is above UNIFORM_PERCENT % of it
 *   unfinished  the loss still falls (falling.h), or the run ended in its warm-up with a
 *               loss that has not risen: of a run that counts as diverged without a
 *               collapse, the advice is then to train longer
 * and then, first line that fits: VERDICT_LIST.
 *
 * Uniform attention has ln(keys) where every query sees all keys.  Under a causal
 * mask, or with padding, queries see fewer: it is the mean over queries of
 * ln(keys that are open).
 *
 * `chance` is the objective of a model that does not look at its input: ln K for K
 * classes (label smoothing leaves it there, the weights of the classes still sum to one);
 * ln(2N - 1) of a contrastive loss that compares N pictures;
 * of texts and translations the entropy of how frequent tokens are; of speech the best
 * CTC loss of rows that are all alike.  Tasks say it (Task.chance); 0 or NaN: unknown. */
#ifndef STEADY_VERDICT_H
#define STEADY_VERDICT_H

#include "tools/run/dip.h"
#include "tools/run/falling.h"
#include "tools/run/spike.h"

#define COLLAPSE_PERCENT 10
#define COLLAPSE_SHARE (COLLAPSE_PERCENT / 100.0)
#define UNIFORM_PERCENT 97
#define CHANCE_PERCENT 98
#define START_PERCENT 102
#define VERDICT_ROWS_MIN 10
#define POINT_PERCENT 2       /* of the spread that even features have */
#define PROBE_FALL_POINTS 5   /* of accuracy; and */
#define PROBE_FALL_PERCENT 10 /* of the best before; and */
#define PROBE_FALL_ERRORS 3.5 /* standard errors of the difference of two shares */

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
    bool fell_between; /* no probe was taken at that step: the collapse guard saw it */
    double last;       /* lowest share of a site at the last probe */
    size_t last_step;
    size_t probes, first_step; /* that were seen */
} EntropyLow;

#define ENTROPY_LOW_NONE ((EntropyLow){.share = __builtin_inf(), .last = __builtin_inf()})

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

/* Takes a warning of the collapse guard, which looks at every step; behind all probes.
 * uniform NaN: not known. */
void entropy_low_warned(EntropyLow *low, const char *site, double uniform, double share,
                        size_t step);

/* What the task's own score at the end says: of the classes that are right, the words
 * that are wrong, BLEU.  Which score that is and where the borders are each kind of task
 * says (TaskOps.grade).  FEW: better than guessing, but not by more than the
 * answers of so few examples scatter. */
#define GRADE_LIST(X)                                                                    \
    X(UNKNOWN, "", "")                                                                   \
    X(NOT, "not learned", "Not learned")                                                 \
    X(HARDLY, "hardly learned", "Hardly learned")                                        \
    X(LEARNED, "learned", "Learned")                                                     \
    X(FEW, "too few to judge", "Too few to judge")

#define GRADE_KIND(KIND, name, title) GRADE_##KIND,
typedef enum { GRADE_LIST(GRADE_KIND) GRADES } Grade;
#undef GRADE_KIND

const char *grade_name(Grade grade); /* in eval.jsonl; "": unknown */
Grade grade_find(const char *name);  /* of another name, or NULL: GRADE_UNKNOWN */

/* NOT up to `none`, HARDLY up to `learned`, then LEARNED, upward or downward as these
 * two lie; UNKNOWN without a score. */
Grade grade_of(double score, double none, double learned);

#define VERDICT_STRING(text) #text
#define VERDICT_NUMBER(number) VERDICT_STRING(number)
#define PERCENT(number) VERDICT_NUMBER(number) " %"

/* X(KIND, name, FAILED or WORKED, definition), the first that fits wins.  A name is what
 * tables, sweep.json and sweep.csv have; FAILED is their "diverged". */
/* clang-format off */
#define VERDICT_LIST(X)                                                                  \
    X(NONFINITE, "non-finite", FAILED,                                                   \
      "a loss or gradient was not finite")                                               \
    X(SHORT, "too short to judge", WORKED,                                               \
      "fewer than " VERDICT_NUMBER(VERDICT_ROWS_MIN) " logged steps")                    \
    X(AT_CHANCE_POINT, "at chance (features at a point)", FAILED,                        \
      "at chance, and all features (of a contrastive run) are nearly equal: their "      \
      "standard deviation, mean of the last fifth of the steps, is under "               \
      PERCENT(POINT_PERCENT) " of 1/sqrt(width)")                                        \
    X(AT_CHANCE_COLLAPSED, "at chance (collapsed)", FAILED,                              \
      "at chance, and attention collapsed during training")                              \
    X(AT_CHANCE_UNIFORM, "at chance (uniform)", FAILED,                                  \
      "at chance without a collapse, and at the last probe all sites have more than "    \
      PERCENT(UNIFORM_PERCENT) " of uniform attention's entropy")                        \
    X(AT_CHANCE, "at chance", FAILED,                                                    \
      "the mean loss of the last fifth of the steps is above " PERCENT(CHANCE_PERCENT)   \
      " of chance, with attention neither collapsed nor uniform")                        \
    X(NO_PROGRESS, "no progress", FAILED,                                                \
      "that mean is above " PERCENT(START_PERCENT) " of the first ten steps' ("          \
      PERCENT(CHANCE_PERCENT) " where chance is unknown)")                               \
    X(SPIKE, "spike (not recovered)", WORKED,                                            \
      "below chance, but the loss rose above its best level and did not recover")        \
    X(PROBE_FELL, "probe fell (not recovered)", WORKED,                                  \
      "below chance, but the accuracy of the online probe (of a contrastive run) fell "  \
      "below its best by more than " VERDICT_NUMBER(PROBE_FALL_POINTS) " points, "       \
      PERCENT(PROBE_FALL_PERCENT) " of it and the scatter expected for the size of the " \
      "split, and did not recover")                                                      \
    X(COLLAPSED, "collapsed", WORKED,                                                    \
      "below chance, though attention collapsed during training")                        \
    X(RECOVERED, "spike (recovered)", WORKED,                                            \
      "below chance; the loss rose above its best level and recovered")                  \
    X(PROBE_RECOVERED, "probe fell (recovered)", WORKED,                                 \
      "below chance; the accuracy of the online probe fell below its best and recovered") \
    X(NOT_LEARNED, "not learned", WORKED,                                                \
      "the training loss is below chance, but the task's score is no better than that "  \
      "of an answer that ignores the input")                                             \
    X(FEW, "too few to judge", WORKED,                                                   \
      "below chance; the evaluation has too few examples to tell the task's score from " \
      "guessing")                                                                        \
    X(HARDLY, "hardly learned", WORKED,                                                  \
      "below chance, but the task's score is close to that of such an answer")           \
    X(LEARNED, "learned", WORKED,                                                        \
      "below chance at the end, without spike or collapse, and with a good score")
/* clang-format on */

#define VERDICT_KIND(KIND, name, failed, definition) VERDICT_##KIND,
typedef enum { VERDICT_LIST(VERDICT_KIND) VERDICT_KINDS } VerdictKind;
#undef VERDICT_KIND

typedef struct VerdictFacts {
    const char *name;
    bool diverged;
    const char *definition;
} VerdictFacts;

extern const VerdictFacts verdicts[VERDICT_KINDS];

typedef struct VerdictInput {
    const double *loss; /* [count] */
    const double *step; /* [count], or NULL: 1, 2, 3, ... */
    size_t count;
    double chance;        /* 0 or NaN: unknown */
    bool nonfinite;       /* the run was stopped by a non-finite loss or gradient */
    const char *warmup;   /* where in it the run ended: "step 20 of 300"; NULL: not */
    const double *scored; /* [scored_count] losses of one split, in the order of steps */
    size_t scored_count;
    bool sigma;            /* model.reparam = sigma already: the advice is another */
    const double *changes; /* [change_count] steps at which the recipe changed */
    size_t change_count;
    Grade grade;     /* of the last evaluation */
    const char *few; /* of GRADE_FEW: "24 examples of val are too few to ..."; or NULL */
    EntropyLow low;
    /* of a contrastive run; 0, NULL: none */
    const double *feature_std; /* [count] */
    size_t width;              /* of the features */
    const double *probe;       /* [probe_count] accuracy of the online probe, 0 ... 1 */
    const double *probe_epoch; /* [probe_count] of the same evaluations */
    size_t probe_count;
    size_t probe_pictures; /* that each accuracy is a share of; 0: not known */
} VerdictInput;

enum { VERDICT_SENTENCE = 1550 };

typedef struct Verdict {
    VerdictKind kind;
    const char *name; /* of `verdicts` */
    bool diverged, collapsed;
    bool unfinished;    /* diverged, for want of steps as far as can be seen */
    Grade grade;        /* NOT of a run that diverged */
    double start, tail; /* NaN when there is nothing to average */
    LossSpikes spikes;  /* of any kind of run but a non-finite one */
    double spread;      /* feature_std at the end, as a share of 1/sqrt(width); or NaN */
    ScoreDip probe; /* deepest fall of the probe, where it counts; until: back within half
                     * of what makes it count.  Else all NaN */
    char summary[VERDICT_SENTENCE]; /* some sentences, ending in a full stop */
    char advice[300];               /* what to do; "" when there is nothing to do */
} Verdict;

Verdict run_verdict(const VerdictInput *input);

/* The kind of that name; VERDICT_KINDS: there is none. */
VerdictKind verdict_find(const char *name);

/* Of the words that the definitions share - diverged, collapsed, chance, spike -, and
 * then each kind's, a line each. */
const char *verdict_definition(void);

/* The summary behind the verdict's name: without its first word where that is the name
 * ("learned. The loss went from ..."). */
void verdict_sentence(const Verdict *verdict, char text[VERDICT_SENTENCE]);

#endif
