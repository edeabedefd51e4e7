#include "engine/optim/plateau.h"

static const double THRESHOLD = 1e-4;

bool plateau_see(Plateau *p, double loss, size_t patience) {
    if (loss < p->best * (1 - THRESHOLD)) {
        p->best = loss;
        p->bad = 0;
        return false;
    }
    if (++p->bad <= patience) return false;
    p->bad = 0;
    p->reductions++;
    return true;
}
