/* augmented: what data.augment does to training pictures, as a contact sheet.
 *
 *     AugmentedOptions options = {.pictures = 8, .draws = 8, .seed = recipe.train.seed};
 *     augmented_write(&recipe.data, &options, "sheet.png", &facts, &err);
 *
 * A row is a picture, first as it was read, then draws: the views that training makes,
 * with random erasing, before they are normalised.  Not for: MixUp and CutMix, which
 * need the rest of a batch. */
#ifndef STEADY_AUGMENTED_H
#define STEADY_AUGMENTED_H

#include "data/config.h"
#include "data/facts.h"
#include "tools/chart/chart.h"

enum { AUGMENTED_MOST = 64 };

typedef struct AugmentedOptions {
    const char *title;      /* NULL or "": none */
    size_t pictures, draws; /* 1 ... AUGMENTED_MOST; fewer where there are fewer */
    uint64_t seed;
    Theme theme;
} AugmentedOptions;

/* Pictures are spread evenly over the training split.  Draw d of row r has the random
 * numbers of step d and place r of its batch.  With data.on_error = skip the next good
 * picture takes the place of a broken one.  `notes` gets what was left out, and entries
 * of the list that change nothing here. */
Status augmented_write(const DataConfig *data, const AugmentedOptions *options,
                       const char *path, DataFacts *notes, Err *err);

#endif
