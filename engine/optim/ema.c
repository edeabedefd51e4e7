#include "engine/optim/ema.h"

#include <string.h>

struct Ema {
    ParamSet *params;
    real *average;
    double decay;
    bool swapped;
};

Ema *ema_new(ParamSet *params, double decay) {
    CHECK(params->values, "ema_new before params_finish");
    CHECK(decay >= 0 && decay < 1, "a decay of %g", decay);
    Ema *ema = mem_zalloc(sizeof *ema);
    ema->params = params;
    ema->decay = decay;
    ema->average = mem_array(params->trained, sizeof(real));
    memcpy(ema->average, params->values, params->trained * sizeof(real));
    return ema;
}

void ema_set_decay(Ema *ema, double decay) {
    CHECK(decay >= 0 && decay < 1, "a decay of %g", decay);
    ema->decay = decay;
}

void ema_free(Ema *ema) {
    if (!ema) return;
    mem_free(ema->average);
    mem_free(ema);
}

void ema_update(Ema *ema) {
    CHECK(!ema->swapped, "ema_update while the average is swapped in");
    real *restrict e = ema->average;
    const real *restrict p = ema->params->values;
    real rest = (real)(1 - ema->decay);
#pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < ema->params->trained; i++) e[i] += rest * (p[i] - e[i]);
}

void ema_swap(Ema *ema) {
    real *restrict e = ema->average, *restrict p = ema->params->values;
#pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < ema->params->trained; i++) {
        real kept = e[i];
        e[i] = p[i];
        p[i] = kept;
    }
    ema->swapped = !ema->swapped;
}

bool ema_is_swapped(const Ema *ema) { return ema->swapped; }

real *ema_values(Ema *ema) {
    CHECK(!ema->swapped, "ema_values while the average is swapped in");
    return ema->average;
}
