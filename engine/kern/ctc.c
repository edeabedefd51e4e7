/* ctc: states 0 ... 2L are blank, label 0, blank, label 1, ..., blank.  From one frame to
 * the next a path stays, goes on by one, or by two from a label to a different one.  With
 * e_t(s) = ln p_t(class of s),
 *   a_t(s) = e_t(s) + ln sum of exp over a_t-1(s), a_t-1(s - 1), a_t-1(s - 2)
 *   b_t(s) = ln sum of exp over (b + e)_t+1 of s, s + 1, s + 2
 *   ln P = ln (exp a_T-1(2L) + exp a_T-1(2L - 1))
 * d(-ln P)/dz_tk = p_tk - sum over states s of class k of exp(a_t(s) + b_t(s) - ln
 * P) */
#include "engine/kern/ctc.h"

#include <math.h>
#include <string.h>

#include "engine/kern/vmath.h"

/* For minus infinity: differences of it are numbers, and any sum of
 * logarithms is far above. */
static const double NEVER = -1e300;

/* Rows have two states that never are: before the others in a, behind them in b + e. */
enum { SPARE = 2 };

typedef struct Work {
    size_t states, row; /* 2L + 1; a row of doubles */
    size_t rows;        /* of alpha: T, or 2 that take turns */
    double *skip;       /* [row] 0 where a path may come from s - 2, else NEVER */
    double *emit;       /* [row] e of one frame */
    double *next;       /* [row] b + e of the frame behind */
    double *beta;       /* [row] b of one frame; then the posterior */
    double *lse;        /* [T] log-sum-exp of the logits */
    double *loss;       /* [1] -ln P */
    double *alpha;      /* [rows, row] */
} Work;

static Work lay_out(double *work, size_t frames, size_t count, bool keep) {
    Work w = {.states = 2 * count + 1, .row = 2 * count + 1 + SPARE};
    w.rows = keep ? frames : 2;
    w.skip = work, w.emit = w.skip + w.row, w.next = w.emit + w.row;
    w.beta = w.next + w.row, w.lse = w.beta + w.row, w.loss = w.lse + frames;
    w.alpha = w.loss + 1;
    return w;
}

size_t ctc_work(size_t frames, size_t count, bool keep) {
    size_t row = 2 * count + 1 + SPARE;
    return 4 * row + frames + 1 + (keep ? frames : 2) * row;
}

bool ctc_fits(size_t frames, const uint32_t *labels, size_t count) {
    size_t wanted = count;
    for (size_t i = 1; i < count; i++) wanted += labels[i] == labels[i - 1];
    return wanted <= frames;
}

/* ---- steps that both directions share ---- */

static void find_skips(const CtcUtterance *u, const Work *w) {
    for (size_t s = 0; s < w->row; s++) w->skip[s] = NEVER;
    for (size_t i = 1; i < u->count; i++)
        if (u->labels[i] != u->labels[i - 1]) w->skip[2 * i + 1] = 0;
}

/* ln sum_k exp z_k, from the largest: a sure frame keeps its digits. */
static double log_sum(const real *z, size_t n) {
    size_t best = 0;
    for (size_t k = 1; k < n; k++)
        if (!(z[k] <= z[best])) best = k;
    double rest = 0;
    for (size_t k = 0; k < n; k++) rest += k == best ? 0 : (double)vm_exp(z[k] - z[best]);
    return (double)z[best] + log1p(rest);
}

static void find_emissions(const CtcUtterance *u, const Work *w, size_t t) {
    const real *z = u->logits + t * u->classes;
    double blank = (double)z[u->blank] - w->lse[t];
    w->emit[0] = blank;
    for (size_t i = 0; i < u->count; i++) {
        w->emit[2 * i + 1] = (double)z[u->labels[i]] - w->lse[t];
        w->emit[2 * i + 2] = blank;
    }
}

/* out[s] = ln (exp stay[s] + exp one[s] + exp (two[s] + skip[s])) */
static void add_paths(double *out, const double *stay, const double *one,
                      const double *two, const double *skip, size_t n) {
#pragma omp simd
    for (size_t s = 0; s < n; s++) {
        double a = stay[s], b = one[s], c = two[s] + skip[s];
        double top = a > b ? a : b;
        top = top > c ? top : c;
        real sum =
            vm_exp((real)(a - top)) + vm_exp((real)(b - top)) + vm_exp((real)(c - top));
        out[s] = top + (double)vm_log(sum);
    }
}

/* ---- forward ---- */

static double *alpha_of(const Work *w, size_t t) {
    return w->alpha + t % w->rows * w->row;
}

static void start(const Work *w) {
    double *a = alpha_of(w, 0);
    for (size_t s = 0; s < w->row; s++) a[s] = NEVER;
    for (size_t s = 0; s < MIN(w->states, (size_t)2); s++) a[SPARE + s] = w->emit[s];
}

static void advance(const Work *w, size_t t) {
    const double *before = alpha_of(w, t - 1);
    double *a = alpha_of(w, t);
    a[0] = a[1] = NEVER;
    add_paths(a + SPARE, before + SPARE, before + 1, before, w->skip, w->states);
    for (size_t s = 0; s < w->states; s++) a[SPARE + s] += w->emit[s];
}

double ctc_forward(const CtcUtterance *u, double *work, bool keep) {
    Work w = lay_out(work, u->frames, u->count, keep);
    *w.loss = 0;
    if (!u->frames) return 0;
    find_skips(u, &w);
    for (size_t t = 0; t < u->frames; t++) {
        w.lse[t] = log_sum(u->logits + t * u->classes, u->classes);
        find_emissions(u, &w, t);
        if (t) advance(&w, t);
        else start(&w);
    }
    /* The state before the last is a spare one where there are no labels. */
    const double *end = alpha_of(&w, u->frames - 1) + w.states;
    double top = MAX(end[0], end[1]);
    double loss = -top - log(exp(end[0] - top) + exp(end[1] - top));
    return *w.loss = loss < 0 ? 0 : loss;
}

/* ---- backward ---- */

static void finish(const Work *w) {
    for (size_t s = 0; s < w->row; s++) w->beta[s] = w->next[s] = NEVER;
    w->beta[w->states - 1] = 0;
    if (w->states > 1) w->beta[w->states - 2] = 0;
}

/* b of frame t becomes b of frame t - 1. */
static void retreat(const Work *w) {
    for (size_t s = 0; s < w->states; s++) w->next[s] = w->beta[s] + w->emit[s];
    add_paths(w->beta, w->next, w->next + 1, w->next + 2, w->skip + 2, w->states);
}

/* next[s] = exp(a + b - ln P); returns the sum over s, which is 1 but for rounding. */
static double find_posterior(const Work *w, const double *alpha) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t s = 0; s < w->states; s++) {
        double p = (double)vm_exp((real)(alpha[s] + w->beta[s] + *w->loss));
        w->next[s] = p;
        sum += p;
    }
    return sum;
}

/* d[k] = p_k - posterior of class k; that of the most likely class is minus the sum of
 * the others, so that neither of two numbers near 1 costs the small difference its
 * digits. */
static void find_slopes(const CtcUtterance *u, const Work *w, size_t t, double *d) {
    const real *z = u->logits + t * u->classes;
    double share = 1 / find_posterior(w, alpha_of(w, t) + SPARE), sum = 0;
    size_t best = 0;
    for (size_t k = 0; k < u->classes; k++) {
        d[k] = (double)vm_exp((real)((double)z[k] - w->lse[t]));
        if (z[k] > z[best]) best = k;
    }
    for (size_t s = 0; s < w->states; s++)
        d[s % 2 ? u->labels[s / 2] : u->blank] -= share * w->next[s];
    for (size_t k = 0; k < u->classes; k++) sum += k == best ? 0 : d[k];
    d[best] = -sum;
}

void ctc_backward(const CtcUtterance *u, double *work, real scale, real *dz, real beta) {
    if (!u->frames) return;
    Work w = lay_out(work, u->frames, u->count, true);
    double *d = mem_alloc(u->classes * sizeof *d);
    finish(&w);
    for (size_t t = u->frames; t-- > 0;) {
        real *row = dz + t * u->classes;
        find_slopes(u, &w, t, d);
        for (size_t k = 0; k < u->classes; k++)
            row[k] = (beta != 0 ? beta * row[k] : 0) + scale * (real)d[k];
        find_emissions(u, &w, t);
        retreat(&w);
    }
    mem_free(d);
}
