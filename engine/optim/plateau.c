#include "engine/optim/plateau.h"

#include <string.h>

static const double THRESHOLD = 1e-4;

static const char *const NAMES[] = {[WATCH_LOSS] = "loss",
                                    [WATCH_WER] = "wer",
                                    [WATCH_BLEU] = "bleu",
                                    [WATCH_TOP1] = "top1",
                                    [WATCH_PPL] = "ppl"};

Plateau plateau_again(const Plateau *p) {
    return (Plateau){.watch = p->watch, .best = INFINITY, .reductions = p->reductions};
}

bool plateau_see(Plateau *p, WatchedScore watch, double score, size_t patience) {
    if (watch != p->watch) *p = plateau_again(p);
    p->watch = watch;
    if (score < p->best * (p->best < 0 ? 1 + THRESHOLD : 1 - THRESHOLD)) {
        p->best = score;
        p->bad = 0;
        return false;
    }
    if (++p->bad <= patience) return false;
    p->bad = 0;
    p->reductions++;
    return true;
}

const char *plateau_watch_name(WatchedScore watch) { return NAMES[watch]; }

WatchedScore plateau_watch_named(const char *name) {
    for (size_t i = 0; i < COUNT(NAMES); i++)
        if (!strcmp(NAMES[i], name)) return (WatchedScore)i;
    return WATCH_LOSS;
}
