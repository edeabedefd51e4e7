#include "data/config.h"

DataConfig data_config_default(void) {
    return (DataConfig){.source = SOURCE_GLYPHS,
                        .augment = "none",
                        .background = "black",
                        .label_gap = 16,
                        .mean_count = 1,
                        .std = {1},
                        .std_count = 1,
                        .repeat = 1,
                        .shuffle = true,
                        .val_fraction = -1, /* auto */
                        .classes = 10,
                        .synthetic_count = 10000,
                        .tokens = TOKENS_WORD,
                        .bpe_merges = 8000,
                        .min_count = 1,
                        .max_length = 1024,
                        .cache = 2048};
}
