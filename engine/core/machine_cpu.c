#include "engine/core/machine_cpu.h"

#include "engine/core/machine.h"

#if defined(__x86_64__) || defined(__i386__)

#include <xmmintrin.h>

/* __builtin_cpu_supports asks CPUID and XGETBV: what the operating system does not save
 * at a task switch does not count. */
unsigned cpu_simd(void) {
    __builtin_cpu_init();
    unsigned simd = 0;
    if (__builtin_cpu_supports("avx")) simd |= SIMD_AVX;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        simd |= SIMD_AVX2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd"))
        simd |= SIMD_AVX512;
    if (__builtin_cpu_supports("avx512bf16")) simd |= SIMD_AVX512_BF16;
    return simd;
}

void cpu_flush_denormals(void) {
    enum { FTZ = 0x8000, DAZ = 0x0040 };
    _mm_setcsr(_mm_getcsr() | FTZ | DAZ);
}

#elif defined(__aarch64__)

unsigned cpu_simd(void) { return SIMD_NEON; }

void cpu_flush_denormals(void) {
    unsigned long fpcr;
    __asm__ volatile("mrs %0, fpcr" : "=r"(fpcr));
    fpcr |= 1UL << 24; /* FZ: both results and operands */
    __asm__ volatile("msr fpcr, %0" : : "r"(fpcr));
}

#else

unsigned cpu_simd(void) { return 0; }

void cpu_flush_denormals(void) {}

#endif
