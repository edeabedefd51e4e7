/* units_here: what the environment hides of the processor (tools/program/units.h). */
#include <stdlib.h>
#include <strings.h>

#include "engine/core/base.h"
#include "engine/core/machine.h"
#include "tools/program/units.h"

/* Those of oneDNN that stop short of bf16. */
static const char *const LIMITS[] = {"SSE41",           "AVX",         "AVX2",
                                     "AVX2_VNNI",       "AVX2_VNNI_2", "AVX512_CORE",
                                     "AVX512_CORE_VNNI"};

static void hide(Units *units, const char *variable, const char *value) {
    units->bf16 = false;
    text_format(units->why, sizeof units->why, "%s=%.40s disables them", variable, value);
}

static void apply_switch(Units *units) {
    const char *said = getenv(UNITS_VARIABLE);
    if (said && !strcasecmp(said, "off")) hide(units, UNITS_VARIABLE, "off");
}

static void apply_limit(Units *units, const char *variable) {
    const char *limit = getenv(variable);
    for (size_t i = 0; limit && i < COUNT(LIMITS); i++)
        if (!strcasecmp(limit, LIMITS[i])) hide(units, variable, LIMITS[i]);
}

/* A level of kernels below AVX-512. */
static void apply_level(Units *units) {
    static const char *const BELOW[] = {"baseline", "avx2"};
    const char *level = getenv("STEADY_LEVEL");
    for (size_t i = 0; level && i < COUNT(BELOW); i++)
        if (!strcasecmp(level, BELOW[i])) hide(units, "STEADY_LEVEL", BELOW[i]);
}

/* Kernels of a class below the processor's, by the user's choice. */
static void apply_core(Units *units) {
    const char *user = getenv("OPENBLAS_CORETYPE"), *core = machine_blas().core;
    bool ours = getenv("STEADY_MENDED_FROM") != NULL;
    if (!user || ours || strcasecmp(user, core)) return;
    if (machine_wanted_core(core, machine_simd())) hide(units, "OPENBLAS_CORETYPE", core);
}

Units units_here(void) {
    Units units = units_processor();
    if (units.bf16) apply_core(&units);
    if (units.bf16) apply_limit(&units, "ONEDNN_MAX_CPU_ISA");
    if (units.bf16) apply_limit(&units, "DNNL_MAX_CPU_ISA");
    if (units.bf16) apply_level(&units);
    if (units.bf16) apply_switch(&units);
    return units;
}
