/* levels: runs a group of cases once at each level of instructions that the processor has
 * (engine/kern/level.h), and leaves the level that was in use.
 *
 *     return RUN_AT_LEVELS("tile", cases); */
#ifndef STEADY_TEST_LEVELS_H
#define STEADY_TEST_LEVELS_H

#include <stdio.h>

#include "engine/kern/level.h"

static inline int levels_run(const char *name, const struct CMUnitTest *cases,
                             size_t count) {
    int failed = 0;
    size_t kept = level_in_use();
    for (size_t i = 0; i < level_count(); i++) {
        if (!level_runs(i)) continue;
        char group[100];
        snprintf(group, sizeof group, "%s at level %s", name, level_name(i));
        level_use(i);
        failed += _cmocka_run_group_tests(group, cases, count, NULL, NULL);
    }
    level_use(kept);
    return failed;
}

#define RUN_AT_LEVELS(name, cases) levels_run(name, cases, COUNT(cases))

#endif
