#include "engine/optim/plateau.h"

static const double THRESHOLD = 1e-4;

Plateau plateau_again(const Plateau *p) {
    return (Plateau){.watch = p->watch, .best = INFINITY, .reductions = p->reductions};
}

bool plateau_see(Plateau *p, int watch, double score, size_t patience) {
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
