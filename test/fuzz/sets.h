/* sets: a data set of pictures out of files in the fuzzing folder, opened and read
 * through. */
#ifndef STEADY_FUZZ_SETS_H
#define STEADY_FUZZ_SETS_H

#include <string.h>

#include "data/picture/dataset.h"
#include "test/fuzz/fuzz.h"

static inline void sets_walk(Source source) {
    DataConfig config = data_config_default();
    config.source = source;
    text_format(config.path, sizeof config.path, "%s", fuzz_folder());
    Image image = {0};
    for (Split split = SPLIT_TRAIN; split <= SPLIT_TEST; split += 2) {
        Err err = ERR_NONE;
        Dataset *set = dataset_open(&config, split, &err);
        for (size_t i = 0; set && i < MIN(set->count, (size_t)50); i++) {
            size_t label;
            if (dataset_get(set, i, &image, &label, &err)) continue;
            fuzz_expect(label < set->classes);
        }
        dataset_free(set);
    }
    image_free(&image);
}

#endif
