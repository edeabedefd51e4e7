/* machine_cpu: the few instructions of machine.h that each kind of processor spells its
 * own way.  Not for use elsewhere. */
#ifndef STEADY_MACHINE_CPU_H
#define STEADY_MACHINE_CPU_H

/* A sum of Simd (engine/core/machine.h). */
unsigned cpu_simd(void);

/* Flush-to-zero and denormals-are-zero in the calling thread. */
void cpu_flush_denormals(void);

#endif
