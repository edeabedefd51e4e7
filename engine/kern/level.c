#include "engine/kern/level.h"

#include "engine/kern/bf16_block.h"
#include "engine/kern/choice.h"
#include "engine/kern/ctc.h"
#include "engine/kern/few.h"
#include "engine/kern/kernels.h"
#include "engine/kern/mask.h"
#include "engine/kern/norm.h"
#include "engine/kern/panel.h"
#include "engine/kern/reduce.h"
#include "engine/kern/rows.h"
#include "engine/kern/spread.h"
#include "engine/kern/tile.h"
#include "engine/kern/update.h"
#include "engine/kern/vmath.h"

#ifdef STEADY_LEVELS /* several: x86-64 */

/* Name, and whether the processor has what the Makefile's LEVEL_name asks for. */
#define HAS(feature) (__builtin_cpu_supports(feature) != 0)
#define LEVEL_LIST(L)                                                                    \
    L(baseline, true)                                                                    \
    L(avx2, HAS("avx2") && HAS("fma"))                                                   \
    L(avx512, HAS("avx2") && HAS("fma") && HAS("avx512f") && HAS("avx512bw") &&          \
                  HAS("avx512dq") && HAS("avx512vl"))

typedef struct Kernels {
#define MEMBER(result, name, parameters, names) result(*name) parameters;
    KERNEL_LIST(MEMBER)
#undef MEMBER
} Kernels;

#define DECLARE_AT(name, level) extern __typeof__(name) name##_##level
#define TABLE(level, runs)                                                               \
    static const Kernels kernels_##level = {KERNEL_LIST(MEMBER_##level)};
#define MEMBER_baseline(result, name, parameters, names) .name = name##_baseline,
#define MEMBER_avx2(result, name, parameters, names) .name = name##_avx2,
#define MEMBER_avx512(result, name, parameters, names) .name = name##_avx512,
#define DECLARE(result, name, parameters, names)                                         \
    DECLARE_AT(name, baseline);                                                          \
    DECLARE_AT(name, avx2);                                                              \
    DECLARE_AT(name, avx512);
KERNEL_LIST(DECLARE)
LEVEL_LIST(TABLE)

#define NAME(level, runs) #level,
#define ADDRESS(level, runs) &kernels_##level,
static const char *const NAMES[] = {LEVEL_LIST(NAME)};
static const Kernels *const TABLES[] = {LEVEL_LIST(ADDRESS)};

/* Set once, before main, unless a program forces another level.  (An ifunc would need no
 * variable, but is resolved before anybody can say which level is wanted, and tests
 * could not go through the levels.) */
static const Kernels *in_use;

size_t level_count(void) { return COUNT(TABLES); }

const char *level_name(size_t level) { return NAMES[level]; }

bool level_runs(size_t level) {
#define RUNS(level, runs) runs,
    __builtin_cpu_init();
    const bool runs[] = {LEVEL_LIST(RUNS)};
    return runs[level];
}

size_t level_in_use(void) {
    size_t level = 0;
    while (level + 1 < COUNT(TABLES) && in_use != TABLES[level]) level++;
    return level;
}

void level_use(size_t level) {
    CHECK(level < COUNT(TABLES) && level_runs(level), "level %zu of kernels", level);
    in_use = TABLES[level];
}

__attribute__((constructor)) static void use_best(void) {
    size_t best = COUNT(TABLES) - 1;
    while (best && !level_runs(best)) best--;
    in_use = TABLES[best];
}

/* What others call.  To return the value of a void function is GNU C. */
#define FORWARD(result, name, parameters, names)                                         \
    result name parameters { return in_use->name names; }
KERNEL_LIST(FORWARD)

#else /* one, whose functions have their own names */

size_t level_count(void) { return 1; }

const char *level_name(size_t level) {
    CHECK(level == 0, "level %zu of kernels", level);
    return STEADY_ONE_LEVEL;
}

bool level_runs(size_t level) { return level == 0; }

size_t level_in_use(void) { return 0; }

void level_use(size_t level) { CHECK(level == 0, "level %zu of kernels", level); }

#endif
