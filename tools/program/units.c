#include "tools/program/units.h"

#include "engine/core/base.h"
#include "engine/core/machine.h"
#include "engine/kern/bf16.h"

/* The processor lacks them, or the compiler did. */
static void say_why(Units *units) {
    char cpu[100];
    machine_cpu_name("", cpu, sizeof cpu);
    if (sizeof(real) != sizeof(float))
        text_format(units->why, sizeof units->why, "steady64 computes in double");
    else if (machine_simd() & SIMD_AVX512_BF16)
        text_format(units->why, sizeof units->why,
                    "steady was built without the bf16 instructions of this processor");
    else
        text_format(units->why, sizeof units->why,
                    "this processor (%s, %s) has no "
                    "bf16 instructions",
                    cpu, machine_simd_name(machine_simd()));
}

Units units_processor(void) {
    Units units = {.bf16 = sizeof(real) == sizeof(float) && bf16_units()};
    if (!units.bf16) say_why(&units);
    return units;
}
