#include "engine/kern/bf16_block.h"

const Bf16Kernels *bf16_kernels(Bf16Way way) {
    const Bf16Kernels *own = way == BF16_BEST ? bf16_kernels_of_processor() : NULL;
    return own ? own : bf16_loops();
}
