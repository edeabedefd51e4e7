/* dataset: labelled images behind one table of functions, whatever file they come
 * from.
 *
 *     Dataset *set = dataset_open(&config, SPLIT_TRAIN, &err);      NULL: err says why
 *     Image image = {0};
 *     size_t label;
 *     if (dataset_get(set, i, &image, &label, &err)) ...
 *     image_free(&image); dataset_free(set);
 *
 * A source (data/picture/idx.c, cifar.c, folder.c, glyphs.c) fills in a Dataset and knows
 * nothing of the others; data/sources.h holds the one list of them.  See
 * docs/adding.md. */
#ifndef STEADY_DATASET_H
#define STEADY_DATASET_H

#include "data/config.h"
#include "data/facts.h"
#include "data/picture/image.h"

enum { DATASET_PATH = 2800 };
typedef struct Dataset Dataset;

struct Dataset {
    const char *source; /* "idx", ... */
    size_t count;       /* items in this split */
    size_t classes;     /* largest label + 1 over all splits, or class folders */
    size_t channels;
    size_t height, width; /* of every item; 0: items differ (folder) */
    char **class_names;   /* [classes], or NULL when classes are numbers */
    DataFacts facts;      /* what was left out or guessed (data/facts.h) */
    void *state;          /* the reader's own */
    /* Item i, 0 <= i < count, in its own size; image may be reused, and after a
     * failure holds nothing of use.  A bad item is FAIL_DATA with the file named.
     * Thread-safe. */
    Status (*get)(const Dataset *set, size_t i, Image *image, size_t *label, Err *err);
    /* What is known of item i without reading it.  Any may be NULL: it is not known. */
    size_t (*label)(const Dataset *set, size_t i);
    /* of its pixels; where they are in a file of its own, of that one's name and
     * length */
    uint64_t (*digest)(const Dataset *set, size_t i);
    /* of such a file */
    void (*path)(const Dataset *set, size_t i, char path[DATASET_PATH]);
    size_t (*bytes)(const Dataset *set, size_t i); /* its length */
    void (*free_state)(void *state);
};

/* Opens one split.  data.limit comes first: so many items of the training split, drawn
 * from all classes in their share (data/stratify.h); fewer than there are classes is
 * FAIL_USAGE; data.test_limit does the same to SPLIT_TEST, or to a folder's val where
 * there is no test.  Then SPLIT_VAL with val_fraction > 0 is cut off what is left:
 * round(val_fraction * count) items, drawn in the same way, so that each class keeps one
 * for training.  Both draws are the same whatever the seed and the threads; the items
 * keep their order.  Without val_fraction a folder's val is SPLIT_VAL, and elsewhere
 * SPLIT_VAL is empty: count 0.  With val_fraction a folder's val is SPLIT_TEST where
 * there is no test, and not used where there is.  facts has count, hash (class names,
 * labels, digests of the items that are left) and what was left out.  A file that is
 * missing, truncated, of the wrong kind or that disagrees with its neighbour is FAIL_DATA
 * (a bad key: FAIL_USAGE). */
Dataset *dataset_open(const DataConfig *config, Split split, Err *err);
Status dataset_get(const Dataset *set, size_t i, Image *image, size_t *label, Err *err);
void dataset_free(Dataset *set);

/* The share of the training split that is held out as SPLIT_VAL: data.val_fraction, or
 * with auto (below 0) what the source holds out of data that have no splits. */
double dataset_held_out(const DataConfig *config);

/* Is there a validation split, held out or of its own? */
bool dataset_has_val(const DataConfig *config);

/* Is there a test split, by the names of its files?  What is there in part or broken is
 * there: dataset_open says what is wrong with it. */
bool dataset_has_test(const DataConfig *config);

#endif
