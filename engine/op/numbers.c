#include "engine/op/numbers.h"

#include <string.h>

bool product_in_bf16(const Tape *tape, const Scale *scale, size_t rows) {
    const Precision *p = &tape_mode(tape)->precision;
    if (sizeof(real) != sizeof(float) || rows < NUMBERS_FEW) return false;
    return p->products == PRECISION_BF16 && !(p->keep_reparam && scale && scale->count);
}

Bf16Way numbers_way(const Tape *tape) {
    return tape_mode(tape)->precision.plain ? BF16_PLAIN : BF16_BEST;
}

Numbers numbers_grad(Tape *tape, Tensor *x, real *beta) {
    if (tensor_narrow(x)) return (Numbers){.narrow = tape_grad16(tape, x, beta)};
    return (Numbers){.wide = tape_grad(tape, x, beta)};
}

Numbers numbers_scratch(Tape *tape, size_t count, bool narrow) {
    if (narrow) return (Numbers){.narrow = tape_scratch16(tape, count)};
    return (Numbers){.wide = tape_scratch(tape, count)};
}

void numbers_unscratch(Tape *tape, Numbers x) {
    if (x.wide) tape_unscratch(tape, x.wide);
    if (x.narrow) tape_unscratch(tape, x.narrow);
}

void numbers_clear(Numbers x, size_t n) {
    if (x.wide) memset(x.wide, 0, n * sizeof *x.wide);
    if (x.narrow) memset(x.narrow, 0, n * sizeof *x.narrow);
}

void numbers_round(bf16 *to, const real *from, size_t n) {
#pragma omp parallel for schedule(static) if (n > 2 * NUMBERS_PIECE)
    for (size_t i = 0; i < n; i += NUMBERS_PIECE)
        bf16_round(to + i, from + i, MIN((size_t)NUMBERS_PIECE, n - i));
}

void numbers_widen(real *to, const bf16 *from, size_t n) {
#pragma omp parallel for schedule(static) if (n > 2 * NUMBERS_PIECE)
    for (size_t i = 0; i < n; i += NUMBERS_PIECE)
        bf16_widen(to + i, from + i, MIN((size_t)NUMBERS_PIECE, n - i));
}
