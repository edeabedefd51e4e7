/* bf16_units: what the processor's own instructions do for bf16.h, bf16_panel.h and
 * bf16_tile.h.  Each variant is compiled whatever -march says, and run only where
 * bf16_units() is true.  Not for use elsewhere. */
#ifndef STEADY_BF16_UNITS_H
#define STEADY_BF16_UNITS_H

#include "engine/kern/bf16_block.h"

/* NULL: not for this kind of processor or this build. */
typedef struct Bf16Units {
    Bf16Multiply *multiply;
    void (*round)(bf16 *y, const real *x, size_t n);
    void (*widen)(real *y, const bf16 *x, size_t n);
} Bf16Units;

/* The instructions of this processor; NULL where it has none. */
const Bf16Units *bf16_units_found(void);

#endif
