#include "tools/train/fault.h"

#include <stdio.h>

#include "engine/kern/reduce.h"

/* The first trained parameter with a bad number, or NULL. */
static const char *bad_param(const ParamSet *params, bool gradient) {
    for (size_t i = 0; i < params->count; i++) {
        const Param *p = params->list[i];
        const real *x = gradient ? p->tensor.grad : p->tensor.value;
        if (param_is_trained(p) && x && !reduce_all_finite(x, p->tensor.size))
            return p->name;
    }
    return NULL;
}

Status fault_report(Err *err, const char *what, size_t step, TapeFault fault,
                    const ParamSet *params) {
    char place[300] = "";
    if (fault.op)
        text_format(place, sizeof place, ": first in op %s%s at %s", fault.op,
                    fault.backward ? " (backward)" : "",
                    *fault.scope ? fault.scope : "the input");
    const char *value = bad_param(params, false);
    const char *gradient = value ? NULL : bad_param(params, true);
    char param[300] = "";
    if (value) text_format(param, sizeof param, "; parameter %s is not finite", value);
    if (gradient)
        text_format(param, sizeof param, "; gradient of %s is not finite", gradient);
    return err_set(err, FAIL_DIVERGED, "non-finite %s at step %zu%s%s", what, step, place,
                   param);
}
