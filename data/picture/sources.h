/* sources: what a source of pictures defines (data/sources.h); for
 * data/picture/dataset.c and nobody else.
 *
 *     const PictureSource idx_source = {.open = idx_open, .test = {"t10k-images-idx3-ubyte"}};
 */
#ifndef STEADY_PICTURE_SOURCES_H
#define STEADY_PICTURE_SOURCES_H

#include "data/picture/dataset.h"
#include "data/where.h"

enum { TEST_FILES = 2 };

/* Fills in *set (zeroed before) for SPLIT_TRAIN or SPLIT_TEST, and for SPLIT_VAL with
 * TRAIT_VAL (count 0: there is none).  Sets state and free_state before its first
 * failure, so that dataset_free cleans up after it. */
typedef Status PictureOpen(const DataConfig *config, Split split, Dataset *set, Err *err);

PictureOpen given_pictures_open; /* of config->given, which is not NULL */

typedef struct PictureSource {
    PictureOpen *open;
    /* Files below data.path of which one at least is there, plain or as .gz, where there
     * is a test split; none: there always is one. */
    const char *test[TEST_FILES];
    /* Is the split there, SPLIT_VAL or SPLIT_TEST, where names of files do not say it?
     * NULL: they do, and there is no SPLIT_VAL. */
    bool (*has)(const DataConfig *config, Split split);
    /* The share that is held out for validation where data.val_fraction is auto; NULL:
     * none. */
    double (*held_out)(const DataConfig *config);
    /* Could it read what is at data.path, where another could not?  NULL: if one of
     * `test` is there. */
    bool (*fits)(const char *path);
    Wanted wanted; /* of data.path; the program's own have none */
} PictureSource;

#define PICTURE_SOURCE(NAME, name, examples, traits)                                     \
    extern const PictureSource name##_source;
PICTURE_SOURCES(PICTURE_SOURCE)
#undef PICTURE_SOURCE

#endif
