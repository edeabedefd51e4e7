/* vector: as many numbers as one register of the level that is being compiled. */
#ifndef STEADY_VECTOR_H
#define STEADY_VECTOR_H

#include "engine/core/base.h"

#if defined __AVX512F__
#define VECTOR_BYTES 64
#elif defined __AVX__
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

/* AVX-512 and NEON have 32 registers, the others 16. */
#if defined __AVX512F__ || defined __aarch64__
#define VECTOR_REGISTERS 32
#else
#define VECTOR_REGISTERS 16
#endif

/* Ahead of a loop of at most `most` turns, whose number is a constant when all is
 * inlined: arrays of vectors that such loops go through then are registers. */
#define VECTOR_PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#define UNROLL(most) VECTOR_PRAGMA(clang loop unroll(full))
#else
#define UNROLL(most) VECTOR_PRAGMA(GCC unroll most)
#endif

enum { VECTOR_LANES = VECTOR_BYTES / sizeof(real) };

typedef real Vector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real))));

#endif
