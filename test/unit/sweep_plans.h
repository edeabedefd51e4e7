/* sweep_plans: sweeps with plans, begun in a folder of a test. */
#ifndef TEST_SWEEP_PLANS_H
#define TEST_SWEEP_PLANS_H

#include "sweep_words.h"
#include "tools/run/rundir.h"

/* Of the test's folder. */
void plans_path_in(char path[PATH_SIZE], void *const *state, const char *name);

void plans_read_plan(Sweep *sweep, const char *path);
void plans_begin(Sweep *sweep, const char *dir);

/* Begun, and the first of its cells have been trained. */
void plans_make_sweep(Sweep *sweep, const char *dir, size_t ended);

/* The i-th deviation is that sentence; NULL: there are not so many. */
void plans_deviates(const Sweep *sweep, size_t i, const char *sentence);

/* What is printed before the first run. */
void plans_ahead(const Sweep *sweep, char text[1000]);

#endif
