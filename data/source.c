#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/readers.h"
#include "engine/core/rng.h"

/* The one list of sources: name, whether data.path is needed, and whether there can be a
 * validation split of its own. */
#define SOURCES(X)                                                                       \
    X(glyphs, false, false)                                                              \
    X(idx, true, false)                                                                  \
    X(cifar, true, false)                                                                \
    X(folder, true, true)

#define AS_ROW(name, needs_path, has_val) {#name, name##_open, needs_path, has_val},
#define AS_TEXT(name, needs_path, has_val) ", " #name

static const struct {
    const char *name;
    ReaderOpen *open;
    bool needs_path, has_val;
} sources[] = {SOURCES(AS_ROW)};

const char *source_list(void) {
    static const char text[] = "" SOURCES(AS_TEXT);
    return text + 2;
}

DataConfig data_config_default(void) {
    return (DataConfig){.source = "glyphs",
                        .augment = "none",
                        .background = "black",
                        .mean_count = 1,
                        .std = {1},
                        .std_count = 1,
                        .repeat = 1,
                        .shuffle = true,
                        .classes = 10,
                        .synthetic_count = 10000};
}

/* Some items of another set. */
typedef struct Subset {
    Dataset whole;
    size_t *item;
} Subset;

static void subset_free(void *state) {
    Subset *subset = state;
    if (subset->whole.free_state) subset->whole.free_state(subset->whole.state);
    mem_free(subset->item);
    mem_free(subset);
}

static Status subset_get(const Dataset *set, size_t i, Image *image, size_t *label,
                         Err *err) {
    const Subset *subset = set->state;
    return subset->whole.get(&subset->whole, subset->item[i], image, label, err);
}

static int by_size(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* `set` keeps items first ... last-1 of a fixed permutation of 0 ... n-1, in their old
 * order. */
static void keep_items(Dataset *set, size_t n, size_t first, size_t last) {
    Subset *subset = mem_zalloc(sizeof *subset);
    subset->whole = *set;
    subset->whole.class_names = NULL;
    subset->whole.facts = (DataFacts){0};
    size_t *order = mem_alloc(n * sizeof *order);
    rng_permutation(rng_make(0, RNG_SPLIT, 0), order, n);
    set->count = last - first;
    subset->item = mem_alloc(set->count * sizeof *order);
    memcpy(subset->item, order + first, set->count * sizeof *order);
    mem_free(order);
    qsort(subset->item, set->count, sizeof *subset->item, by_size);
    set->state = subset;
    set->free_state = subset_free;
    set->get = subset_get;
}

static Status cut_validation(const DataConfig *config, Split split, Dataset *set,
                             Err *err) {
    if (config->limit) set->count = MIN(set->count, config->limit);
    if (config->val_fraction == 0) return OK;
    size_t held = (size_t)llround(config->val_fraction * (double)set->count);
    if (held == set->count)
        return err_set(err, FAIL_USAGE,
                       "data.val_fraction = %g leaves no training image of %zu",
                       config->val_fraction, set->count);
    bool val = split == SPLIT_VAL;
    keep_items(set, set->count, val ? 0 : held, val ? held : set->count);
    return OK;
}

static Status check_config(const DataConfig *config, bool needs_path, Err *err) {
    if (needs_path && !*config->path)
        return err_set(err, FAIL_USAGE, "data.path is needed with data.source = %s",
                       config->source);
    if (!(config->val_fraction >= 0 && config->val_fraction < 1))
        return err_set(err, FAIL_USAGE, "data.val_fraction is %g: 0 <= f < 1 is wanted",
                       config->val_fraction);
    return OK;
}

static Status open_split(const DataConfig *config, Split split, Dataset *set, Err *err) {
    size_t k = 0;
    while (k < COUNT(sources) && strcmp(sources[k].name, config->source)) k++;
    if (k == COUNT(sources))
        return err_set(err, FAIL_USAGE, "data.source = %s is not known; there are %s",
                       config->source, source_list());
    set->source = sources[k].name;
    Status status = check_config(config, sources[k].needs_path, err);
    if (status) return status;
    bool cut = split == SPLIT_TRAIN || (split == SPLIT_VAL && config->val_fraction > 0);
    if (!cut && split == SPLIT_VAL && !sources[k].has_val) return OK;
    status = sources[k].open(config, cut ? SPLIT_TRAIN : split, set, err);
    return status || !cut ? status : cut_validation(config, split, set, err);
}

Dataset *dataset_open(const DataConfig *config, Split split, Err *err) {
    Dataset *set = mem_zalloc(sizeof *set);
    if (open_split(config, split, set, err) == OK) {
        set->facts.count = set->count;
        return set;
    }
    dataset_free(set);
    return NULL;
}

Status dataset_get(const Dataset *set, size_t i, Image *image, size_t *label, Err *err) {
    CHECK(i < set->count, "item %zu of a set of %zu", i, set->count);
    return set->get(set, i, image, label, err);
}

void dataset_free(Dataset *set) {
    if (!set) return;
    if (set->free_state) set->free_state(set->state);
    for (size_t k = 0; set->class_names && k < set->classes; k++)
        mem_free(set->class_names[k]);
    mem_free(set->class_names);
    facts_free(&set->facts);
    mem_free(set);
}
