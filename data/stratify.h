/* stratify: some of n labelled items, of each class its share.
 *
 *     size_t kept = stratify(label, n, classes, want, 0, rng_make(0, RNG_SPLIT, 1), chosen);
 *
 * A class of m items gives m want / n of them, rounded so that the whole is `want`
 * (largest remainder), but one at least where `want` allows it, and leaves `leave` at
 * least.  Which ones is drawn from `dice`, so that the order of the items says
 * nothing. */
#ifndef STEADY_STRATIFY_H
#define STEADY_STRATIFY_H

#include "engine/core/rng.h"

/* chosen: [n].  Returns how many are: less than `want` where `leave` forbids it.  label:
 * [n], each below `classes`; n < 2^32. */
size_t stratify(const size_t *label, size_t n, size_t classes, size_t want, size_t leave,
                Rng dice, bool *chosen);

/* count: [classes] items of each class. */
void class_counts(const size_t *label, size_t n, size_t *count, size_t classes);

#endif
