#include <math.h>
#include <string.h>

#include "data/file/bytes.h"
#include "data/picture/sources.h"
#include "data/stratify.h"

static const PictureSource *const SOURCE_OF[SOURCES] = {
#define SOURCE_ROW(NAME, name, examples, traits) [SOURCE_##NAME] = &name##_source,
    PICTURE_SOURCES(SOURCE_ROW)
#undef SOURCE_ROW
};

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

static size_t subset_label(const Dataset *set, size_t i) {
    const Subset *subset = set->state;
    return subset->whole.label(&subset->whole, subset->item[i]);
}

static uint64_t subset_digest(const Dataset *set, size_t i) {
    const Subset *subset = set->state;
    return subset->whole.digest(&subset->whole, subset->item[i]);
}

static void subset_path(const Dataset *set, size_t i, char path[DATASET_PATH]) {
    const Subset *subset = set->state;
    subset->whole.path(&subset->whole, subset->item[i], path);
}

static size_t subset_bytes(const Dataset *set, size_t i) {
    const Subset *subset = set->state;
    return subset->whole.bytes(&subset->whole, subset->item[i]);
}

/* `set` keeps the items whose `chosen` is `wanted`, in their order. */
static void keep_items(Dataset *set, const bool *chosen, bool wanted) {
    Subset *subset = mem_zalloc(sizeof *subset);
    size_t n = set->count;
    subset->whole = *set;
    subset->whole.class_names = NULL;
    subset->whole.facts = (DataFacts){0};
    subset->item = mem_alloc(n * sizeof *subset->item);
    set->count = 0;
    for (size_t i = 0; i < n; i++)
        if (chosen[i] == wanted) subset->item[set->count++] = i;
    set->state = subset;
    set->free_state = subset_free;
    set->get = subset_get;
    if (set->label) set->label = subset_label;
    if (set->digest) set->digest = subset_digest;
    if (set->path) set->path = subset_path;
    if (set->bytes) set->bytes = subset_bytes;
}

/* Labels of all items; of a set without labels each is 0. */
static size_t *labels_of(const Dataset *set) {
    size_t *label = mem_zalloc(MAX(set->count, (size_t)1) * sizeof *label);
    for (size_t i = 0; set->label && i < set->count; i++) label[i] = set->label(set, i);
    return label;
}

static size_t classes_in(const size_t *label, size_t n, size_t classes) {
    size_t *count = mem_alloc(classes * sizeof *count), in = 0;
    class_counts(label, n, count, classes);
    for (size_t k = 0; k < classes; k++) in += count[k] > 0;
    mem_free(count);
    return in;
}

/* Draws `want` items, seeded by `draw` alone, and keeps them or the others. */
typedef struct Cut {
    const char *key, *split; /* that is cut */
    size_t want, leave, draw;
    bool others;
} Cut;

static Status cut_items(Dataset *set, const Cut *cut, Err *err) {
    size_t *label = labels_of(set), n = set->count;
    size_t in = classes_in(label, n, set->classes);
    bool *chosen = mem_alloc(n * sizeof *chosen);
    Status status = OK;
    size_t taken = stratify(label, n, set->classes, cut->want, cut->leave,
                            rng_make(0, RNG_SPLIT, cut->draw), chosen);
    if (!cut->leave && taken < in)
        status = err_set(err, FAIL_USAGE,
                         "%s = %zu is less than the %zu classes of the %s split; use at "
                         "least %zu, one picture per class",
                         cut->key, cut->want, in, cut->split, in);
    else if (taken < cut->want)
        status =
            err_set(err, FAIL_USAGE,
                    "%s takes %zu of %zu training images, so some of the %zu classes "
                    "would be empty; use less",
                    cut->key, cut->want, n, in);
    else keep_items(set, chosen, !cut->others);
    mem_free(chosen);
    mem_free(label);
    return status;
}

/* Keeps so many items, by data.limit or data.test_limit; facts NULL: they are not
 * noted. */
static Status limit_items(Dataset *set, const Cut *cut, DataFacts *facts, Err *err) {
    size_t count = set->count;
    if (!facts_limit(facts, cut->key, cut->want, count, "examples")) return OK;
    if (facts)
        facts_note(facts, count - cut->want,
                   "%zu of %zu examples are not used: %s = %zu, drawn from all classes",
                   count - cut->want, count, cut->key, cut->want);
    return cut_items(set, cut, err);
}

static Status limit_test(const DataConfig *config, Split split, Dataset *set, Err *err) {
    Cut cut = {.key = "data.test_limit",
               .split = split == SPLIT_VAL ? "val" : "test",
               .want = config->test_limit,
               .draw = 1};
    return limit_items(set, &cut, &set->facts, err);
}

static Status cut_validation(const DataConfig *config, Split split, Dataset *set,
                             Err *err) {
    bool val = split == SPLIT_VAL;
    /* what the reader met is said of the training split */
    if (val) facts_free(&set->facts);
    Cut limit = {
        .key = "data.limit", .split = "training", .want = config->limit, .draw = 1};
    if (limit_items(set, &limit, val ? NULL : &set->facts, err)) return err->status;
    double share = dataset_held_out(config);
    if (share == 0) return OK;
    size_t held = (size_t)llround(share * (double)set->count);
    if (config->val_fraction < 0) held = MAX(held, (size_t)1);
    if (held == set->count)
        return err_set(err, FAIL_USAGE,
                       "data.val_fraction = %g leaves none of %zu training images; use "
                       "less",
                       share, set->count);
    if (!held)
        return err_set(
            err, FAIL_USAGE,
            "data.val_fraction = %g of %zu training images is less than one; use at "
            "least %g",
            share, set->count, 1.0 / (double)set->count);
    Cut cut = {"data.val_fraction", "training", held, 1, 0, !val};
    return cut_items(set, &cut, err);
}

static Status check_config(const DataConfig *config, Err *err) {
    if (source_check(config->source, 1 << EXAMPLES_PICTURES, err)) return FAIL_USAGE;
    if (!source_has(config->source, TRAIT_SYNTHETIC) && !*config->path)
        return err_set(err, FAIL_USAGE, "data.source = %s needs data.path",
                       source_name(config->source));
    if (!(config->val_fraction < 1)) /* below 0: auto */
        return err_set(err, FAIL_USAGE, "data.val_fraction is %g: expected 0 <= f < 1",
                       config->val_fraction);
    return OK;
}

static bool has_file(const PictureSource *source, const char *path) {
    char full[PATH_SIZE];
    for (size_t i = 0; i < TEST_FILES && source->test[i]; i++)
        if (bytes_find(path, source->test[i], full)) return true;
    return false;
}

/* The source that fits data.path is named where the recipe's own does not. */
static Status advise_source(const DataConfig *config, Err *err) {
    for (Source s = 0; s < SOURCES; s++) {
        const PictureSource *other = SOURCE_OF[s];
        if (!other || s == config->source || !other->wanted.kind) continue;
        if (!(other->fits ? other->fits(config->path) : has_file(other, config->path)))
            continue;
        return err_set(err, err->status, "%.800s; for what is in %.300s: data.source=%s",
                       err->text, config->path, source_name(s));
    }
    return err->status;
}

static Status open_split(const DataConfig *config, Split split, Dataset *set, Err *err) {
    Status status = check_config(config, err);
    if (status) return status;
    set->source = source_name(config->source);
    const PictureSource *source = SOURCE_OF[config->source];
    bool files = source->wanted.kind && !config->given;
    if (files && where_check("data.path", config->path, &source->wanted, err))
        return err->status;
    bool cut =
        split == SPLIT_TRAIN || (split == SPLIT_VAL && dataset_held_out(config) > 0);
    if (!cut && split == SPLIT_VAL && !source_has(config->source, TRAIT_VAL)) return OK;
    PictureOpen *open = config->given ? given_pictures_open : source->open;
    status = open(config, cut ? SPLIT_TRAIN : split, set, err);
    if (status == FAIL_DATA && files && err && !set->count)
        return advise_source(config, err);
    bool scored = split == SPLIT_TEST ||
                  (split == SPLIT_VAL && !cut && set->count && !dataset_has_test(config));
    if (!status && scored) status = limit_test(config, split, set, err);
    return status || !cut ? status : cut_validation(config, split, set, err);
}

/* Names of the classes, labels and digests; 0 where nothing is known of them. */
static uint64_t hash_items(const Dataset *set) {
    uint64_t hash = 0;
    if (!set->digest || !set->label) return 0;
    for (size_t k = 0; set->class_names && k < set->classes; k++)
        hash = facts_hash(hash, set->class_names[k], strlen(set->class_names[k]) + 1);
    for (size_t i = 0; i < set->count; i++) {
        hash = facts_hash_number(hash, set->label(set, i));
        hash = facts_hash_number(hash, set->digest(set, i));
    }
    return hash;
}

Dataset *dataset_open(const DataConfig *config, Split split, Err *err) {
    Dataset *set = mem_zalloc(sizeof *set);
    Err own = ERR_NONE;
    err = err ? err : &own;
    if (open_split(config, split, set, err) == OK) {
        set->facts.count = set->count;
        set->facts.hash = hash_items(set);
        return set;
    }
    dataset_free(set);
    return NULL;
}

double dataset_held_out(const DataConfig *config) {
    const PictureSource *source = SOURCE_OF[config->source];
    if (config->val_fraction >= 0) return config->val_fraction;
    return config->given || !source->held_out ? 0 : source->held_out(config);
}

bool dataset_has_val(const DataConfig *config) {
    const PictureSource *source = SOURCE_OF[config->source];
    if (dataset_held_out(config) > 0) return true;
    return !config->given && source->has && source->has(config, SPLIT_VAL);
}

bool dataset_has_test(const DataConfig *config) {
    const PictureSource *source = SOURCE_OF[config->source];
    if (config->given) return config->given->pictures[SPLIT_TEST].count > 0;
    if (source->has) return source->has(config, SPLIT_TEST);
    return has_file(source, config->path) || !*source->test;
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
