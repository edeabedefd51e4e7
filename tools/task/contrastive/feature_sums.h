/* feature_sums: how far the features of pictures spread, and how well the online probe
 * does on them.
 *
 *     feature_sums_begin(&sums, width);
 *     feature_sums_add(&sums, contrast, tape, features, label);     each pass
 *     FeatureNumbers now = feature_sums_numbers(&sums, ranks);      now.std, now.top1
 *     feature_sums_end(&sums);
 */
#ifndef STEADY_FEATURE_SUMS_H
#define STEADY_FEATURE_SUMS_H

#include "models/contrast.h"

/* Sums over rows of features. */
typedef struct FeatureSums {
    size_t width;
    double *sum; /* [2 width + 3]: of each row over its length; of the squares of that;
                  * of rows; of the probe's loss and of its right answers */
    bool probed;
} FeatureSums;

typedef struct FeatureNumbers {
    double rows;
    /* Standard deviation of each dimension of features of length 1, mean over all: 0
     * where all point in one direction, 1 / sqrt(width) where they point everywhere
     * alike.  NaN of no rows. */
    double std;
    double loss, top1; /* of the probe: cross entropy in nats, share; NaN: none */
} FeatureNumbers;

void feature_sums_begin(FeatureSums *sums, size_t width);
void feature_sums_end(FeatureSums *sums);
void feature_sums_clear(FeatureSums *sums);

/* features [views n, width]: one view of n pictures behind the other; label [n]. */
void feature_sums_add(FeatureSums *sums, const Contrast *contrast, Tape *tape,
                      Tensor *features, const size_t *label, size_t views);

/* Of the sums of all ranks; a call of all of them. */
FeatureNumbers feature_sums_numbers(FeatureSums *sums, Ranks *ranks);

#endif
