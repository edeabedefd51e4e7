/* units: has this process products in bf16 that are faster than those in fp32?
 *
 *     Units units = units_here();
 *     if (!units.bf16) say("no products in bf16: %s", units.why);
 *
 * The processor's instructions decide.  What makes a processor look like an older one
 * hides them, so that a run behaves as it would there:
 *
 *     STEADY_BF16=off                      our own switch
 *     STEADY_LEVEL=avx2                    or baseline: kernels of such a processor
 *     OPENBLAS_CORETYPE=Haswell            the user's, kernels without AVX-512
 *     ONEDNN_MAX_CPU_ISA=AVX512_CORE       (or DNNL_MAX_CPU_ISA) below AVX512_CORE_BF16
 *
 * Products in bf16 that are asked for nevertheless (--force) are plain loops then, as on
 * the older processor. */
#ifndef STEADY_UNITS_H
#define STEADY_UNITS_H

#include <stdbool.h>

#define UNITS_VARIABLE "STEADY_BF16"

typedef struct Units {
    bool bf16;
    char why[200]; /* why not, as a part of a sentence */
} Units;

Units units_here(void);
/* What the processor has, whatever the environment hides; for the library. */
Units units_processor(void);

#endif
