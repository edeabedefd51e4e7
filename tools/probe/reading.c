#include "tools/probe/reading.h"

#include <math.h>

#include "tools/probe/table.h"
#include "tools/run/verdict.h"

enum { SITES_NAMED = 4 };
static const double COMMON_MOST = 0.9; /* more: tokens are alike */

/* ---- Theorem 3.1 ---- */

BoundCheck bound_check(const Probed *p) {
    BoundCheck c = {.gap = NAN};
    for (size_t i = 0; i < p->sites; i++) {
        const ProbedSite *s = &p->site[i];
        for (size_t h = 0; h < s->heads; h++) {
            double gap = probed_gap(s, h);
            if (!isfinite(gap)) continue;
            c.known++;
            c.below += gap < -BOUND_ROUNDING * fmax(s->head[HEAD_BOUND][h], 1);
            if (!(c.gap <= gap)) c.gap = gap, c.site = s, c.head = h;
        }
    }
    return c;
}

static void read_bounds(const Probed *p, TextBuffer *text) {
    BoundCheck c = bound_check(p);
    char gap[32];
    if (!c.known) return;
    table_number(gap, 3, c.gap);
    if (c.below)
        text_append_format(
            text,
            "%zu of %zu heads are below the bound of Theorem 3.1, which should not "
            "happen: %s head %zu by %s nats\n",
            c.below, c.known, c.site->name, c.head, gap);
    else
        text_append_format(
            text,
            "No head is below its bound; the smallest gap is %s nats, at %s head %zu\n",
            gap, c.site->name, c.head);
}

/* ---- collapse ---- */

/* "rank 11.2 of 17": of at most as many tokens; cross attention does not know them. */
static void rank_text(const ProbedSite *s, char *text, size_t size) {
    char rank[32], of[40] = "";
    table_number(rank, 3, s->value[SITE_RANK]);
    if (isnan(s->value[SITE_MEMORY])) text_format(of, sizeof of, " of %.0f", s->keys);
    text_format(text, size, "rank %s%s", rank, of);
}

/* With one key there is one rank. */
static bool rank_fell(const ProbedSite *s) {
    return s->value[SITE_RANK] < RANK_COLLAPSE && !(s->keys < 2);
}

static void read_site(const ProbedSite *s, TextBuffer *text) {
    char rank[80];
    rank_text(s, rank, sizeof rank);
    text_append_format(text, "%s: entropy collapse (%.2g %% of uniform)", s->name,
                       100 * probed_share(s));
    if (isnan(s->value[SITE_RANK])) text_append_format(text, "\n");
    else if (!rank_fell(s))
        text_append_format(
            text,
            ", but no rank collapse (output of %s): queries attend to different "
            "keys\n",
            rank);
    else if (s->value[SITE_COMMON] > COMMON_MOST)
        text_append_format(
            text,
            " and rank collapse (output of %s): its input tokens are alike (%.0f %% of "
            "‖x‖² in common)\n",
            rank, 100 * s->value[SITE_COMMON]);
    else
        text_append_format(
            text, " and rank collapse (output of %s): queries attend to the same keys\n",
            rank);
}

static void read_entropy(const Probed *p, TextBuffer *text) {
    const ProbedSite *lowest = NULL;
    size_t fallen = 0;
    for (size_t i = 0; i < p->sites; i++) {
        const ProbedSite *s = &p->site[i];
        double share = probed_share(s);
        if (!isfinite(share)) continue;
        if (!lowest || share < probed_share(lowest)) lowest = s;
        if (entropy_fell(share, COLLAPSE_SHARE) && ++fallen <= SITES_NAMED)
            read_site(s, text);
    }
    if (fallen > SITES_NAMED)
        text_append_format(text, "... and %zu more of %zu sites\n", fallen - SITES_NAMED,
                           p->sites);
    if (lowest && !fallen)
        text_append_format(
            text,
            "No entropy collapse: the lowest site, %s, has %.0f %% of uniform "
            "attention's entropy\n",
            lowest->name, 100 * probed_share(lowest));
}

static void read_rank(const Probed *p, TextBuffer *text) {
    const ProbedSite *lowest = NULL;
    size_t fallen = 0;
    char rank[80];
    for (size_t i = 0; i < p->sites; i++) {
        const ProbedSite *s = &p->site[i];
        if (!rank_fell(s) || entropy_fell(probed_share(s), COLLAPSE_SHARE)) continue;
        fallen++;
        if (!lowest || s->value[SITE_RANK] < lowest->value[SITE_RANK]) lowest = s;
    }
    if (!fallen) return;
    rank_text(lowest, rank, sizeof rank);
    text_append_format(
        text,
        "Rank collapse without entropy collapse: at %zu of %zu sites all queries get "
        "nearly the same output (lowest: %s, %s)\n",
        fallen, p->sites, lowest->name, rank);
}

/* ---- gradients ---- */

static void read_gradient(const Probed *p, TextBuffer *text) {
    const ProbedTensor *most = NULL;
    for (size_t i = 0; i < p->tensors; i++) {
        double norm = p->tensor[i].value[TENSOR_GRAD_NORM];
        if (!most || norm > most->value[TENSOR_GRAD_NORM]) most = &p->tensor[i];
    }
    double share = most ? most->value[TENSOR_GRAD_NORM] / p->grad_norm : NAN;
    if (isfinite(share))
        text_append_format(text, "Largest gradient: %s, %.0f %% of the squared norm\n",
                           most->name, 100 * share * share);
}

static void read_fault(const Probed *p, TextBuffer *text) {
    if (isfinite(p->loss) && isfinite(p->grad_norm)) return;
    text_append_format(text, "The %s is not finite",
                       isfinite(p->loss) ? "gradient" : "loss");
    if (p->fault_op)
        text_append_format(text, ": first in op %s%s%s", p->fault_op,
                           *p->fault_scope ? " at " : "", p->fault_scope);
    text_append_format(text, "\n");
}

void reading_of(const Probed *p, TextBuffer *text) {
    text_clear(text);
    read_fault(p, text);
    read_bounds(p, text);
    read_entropy(p, text);
    read_rank(p, text);
    read_gradient(p, text);
}
