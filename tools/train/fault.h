/* fault: what is said of a run that met a number which is not finite. */
#ifndef STEADY_FAULT_H
#define STEADY_FAULT_H

#include "engine/core/params.h"
#include "engine/core/tape.h"

/* Fills err with FAIL_DIVERGED: step, op and place of the first bad number (when `fault`
 * has one), and the first parameter whose value, else whose gradient, is not finite. */
Status fault_report(Err *err, const char *what, size_t step, TapeFault fault,
                    const ParamSet *params);

#endif
