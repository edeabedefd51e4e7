/* factor: what the cells of one sweep or several differ in, and what each difference is
 * for: it makes a method, is the learning rate or the seed, or one of the other settings.
 * Of several sweeps also what their recipes of one name differ in, without a word for it.
 * For pool.c alone. */
#ifndef STEADY_SWEEP_FACTOR_H
#define STEADY_SWEEP_FACTOR_H

#include "tools/recipe/keys.h"
#include "tools/sweep/sweep.h"

typedef enum {
    PART_FIXED,
    PART_METHOD,
    PART_ALONG, /* every cell of a method has the same value: a part of what it is */
    PART_REST,
    PART_RATE,
    PART_SEED
} FactorPart;

/* A key, or linked keys, and the text that each cell has for it. */
typedef struct Factor {
    char *key;
    char **text; /* [cells] "": the cell's recipe has no such word */
    FactorPart part;
} Factor;

typedef struct Factors {
    const Sweep *sweeps;
    size_t sweep_count, cell_count;
    Factor *list;
    size_t count, room;
} Factors;

/* methods: as SweepChoice has them.  Free it after a failure, too. */
Status factors_open(Factors *factors, const Sweep *sweeps, size_t count,
                    const char *methods, Err *err);
void factors_free(Factors *factors);

/* How a run is computed, and which checkpoints it keeps, change no number of it. */
bool factor_changes_numbers(const Key *key);

#endif
