/* numbers: a run of numbers of either width, for ops that read or make both.
 *
 *     Numbers p = numbers_scratch(tape, n, bf16);
 *     ... numbers_at(p, i), numbers_read, numbers_write: pieces ...
 *     numbers_unscratch(tape, p); */
#ifndef STEADY_NUMBERS_H
#define STEADY_NUMBERS_H

#include "engine/core/tape.h"
#include "engine/kern/bf16.h"
#include "engine/op/op.h"

/* Rows for which it does not pay to pack a matrix of weights: fewer. */
enum { NUMBERS_FEW = 48 };

/* One of both, or, where a function says so, the same numbers in both. */
typedef struct Numbers {
    real *wide;
    bf16 *narrow;
} Numbers;

/* Who multiplies in this pass. */
Bf16Way numbers_way(const Tape *tape);

static inline Numbers numbers_at(Numbers x, size_t i) {
    return (Numbers){x.wide ? x.wide + i : NULL, x.narrow ? x.narrow + i : NULL};
}

static inline Numbers numbers_value(const Tensor *x) {
    return (Numbers){x->value, x->value16};
}

Numbers numbers_grad(Tape *tape, Tensor *x, real *beta); /* tape_grad, tape_grad16 */

Numbers numbers_scratch(Tape *tape, size_t count, bool narrow);
void numbers_unscratch(Tape *tape, Numbers x);

void numbers_clear(Numbers x, size_t n); /* on the calling thread */

/* to = from, rounded; [n], by all threads. */
void numbers_round(bf16 *to, const real *from, size_t n);
void numbers_widen(real *to, const bf16 *from, size_t n);

/* ---- pieces, on the calling thread ---- */

/* Numbers that a thread takes at a time: fewer where copies of them wait in the cache. */
enum { NUMBERS_PIECE = 4096, NUMBERS_NARROW_PIECE = 1024 };

static inline size_t numbers_piece(Numbers x) {
    return x.narrow ? (size_t)NUMBERS_NARROW_PIECE : (size_t)NUMBERS_PIECE;
}

/* x[0..n) where it is, or in spare. */
static inline const real *numbers_read(Numbers x, size_t n, real *spare) {
    if (x.wide) return x.wide;
    bf16_widen(spare, x.narrow, n);
    return spare;
}

/* Where to make y[0..n), which numbers_write then puts in its place. */
static inline real *numbers_place(Numbers y, real *spare) {
    return y.wide ? y.wide : spare;
}

static inline void numbers_write(Numbers y, size_t n, const real *made) {
    if (y.narrow) bf16_round(y.narrow, made, n);
}

#endif
