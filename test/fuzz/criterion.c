/* A criterion of failure (--fail): as it is written it is read again. */
#include <string.h>

#include "test/fuzz/fuzz.h"
#include "tools/sweep/sweep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Sweep sweep = {0}, again = {0};
    Err err = ERR_NONE;
    if (sweep_set_fail(&sweep, fuzz_text(data, size, 1000), &err)) return 0;
    fuzz_expect(!sweep_restore_fail(&again, sweep_fail_text(&sweep), &err));
    fuzz_expect(!strcmp(sweep_fail_text(&sweep), sweep_fail_text(&again)));
    sweep_judge(&sweep);
    sweep_clear_fail(&sweep);
    sweep_clear_fail(&again);
    return 0;
}
