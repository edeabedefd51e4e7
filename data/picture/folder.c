/* Pictures in folders, ImageNet's layout: path/split/class/picture. */
#include <string.h>

#include "data/file/bytes.h"
#include "data/picture/folderlist.h"
#include "data/picture/read.h"
#include "data/picture/sources.h"

typedef struct FolderSet {
    char path[PATH_SIZE]; /* of the split */
    PictureReading reading;
    Names classes;
    Names *files;  /* [classes] */
    size_t *first; /* [classes + 1] item number of the first file of each class */
    Listing listing;
} FolderSet;

static void folder_free(void *state) {
    FolderSet *folder = state;
    for (size_t k = 0; folder->files && k < folder->classes.count; k++)
        names_free(&folder->files[k]);
    mem_free(folder->files);
    mem_free(folder->first);
    names_free(&folder->classes);
    listing_free(&folder->listing);
    mem_free(folder);
}

/* The class whose range of items holds i: the last k with first[k] <= i. */
static size_t class_of(const FolderSet *folder, size_t i) {
    size_t low = 0, high = folder->classes.count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (folder->first[middle] <= i) low = middle;
        else high = middle;
    }
    return low;
}

static void folder_path(const Dataset *set, size_t i, char path[DATASET_PATH]) {
    const FolderSet *folder = set->state;
    size_t k = class_of(folder, i);
    text_format(path, DATASET_PATH, "%s/%s/%s", folder->path, folder->classes.name[k],
                folder->files[k].name[i - folder->first[k]]);
}

static size_t folder_label(const Dataset *set, size_t i) {
    return class_of(set->state, i);
}

/* Of the file's name and length: its pixels would have to be read. */
static uint64_t folder_digest(const Dataset *set, size_t i) {
    const FolderSet *folder = set->state;
    size_t k = class_of(folder, i), file = i - folder->first[k];
    const char *name = folder->files[k].name[file];
    uint64_t hash = facts_hash(0, name, strlen(name) + 1);
    return facts_hash_number(hash, folder->files[k].bytes[file]);
}

static size_t folder_bytes(const Dataset *set, size_t i) {
    const FolderSet *folder = set->state;
    size_t k = class_of(folder, i);
    return folder->files[k].bytes[i - folder->first[k]];
}

static Status folder_get(const Dataset *set, size_t i, Image *image, size_t *label,
                         Err *err) {
    const FolderSet *folder = set->state;
    char path[DATASET_PATH];
    folder_path(set, i, path);
    *label = class_of(folder, i);
    return image_read(path, &folder->reading, image, err);
}

/* Splits are what their folders are called.  But where a part of train is held out for
 * validation and there is no test, val takes its place. */
static bool find_split(const DataConfig *config, Split split, char full[PATH_SIZE]) {
    if (list_split(config->path, split, full)) return true;
    bool cut = split == SPLIT_TEST && config->val_fraction > 0;
    return cut && list_split(config->path, SPLIT_VAL, full);
}

/* ---- class folders without splits ---- */

/* Of each class, for validation, where data.val_fraction is auto. */
static const double HELD_OUT = 0.2;

static bool is_flat(const char *path) {
    char full[PATH_SIZE];
    Names classes = {0};
    Listing all = {0};
    Err err = ERR_NONE;
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++)
        if (list_split(path, s, full)) return false;
    list_classes(path, &all, &classes, &err);
    bool flat = !err.status && classes.count > 0;
    names_free(&classes);
    listing_free(&all);
    return flat;
}

static double folder_held_out(const DataConfig *config) {
    return is_flat(config->path) ? HELD_OUT : 0;
}

static bool folder_has(const DataConfig *config, Split split) {
    char full[PATH_SIZE];
    return find_split(config, split, full);
}

/* A folder around the splits, as archives have. */
static Status check_flat(const FolderSet *folder, Err *err) {
    char inner[PATH_SIZE], full[PATH_SIZE];
    if (folder->classes.count != 1) return OK;
    text_format(inner, sizeof inner, "%.600s/%.600s", folder->path,
                folder->classes.name[0]);
    if (!list_split(inner, SPLIT_TRAIN, full) && !is_flat(inner)) return OK;
    return err_set(err, FAIL_DATA, "%s has only the folder %s; use data.path=%s",
                   folder->path, folder->classes.name[0], inner);
}

/* The folder that `path` is in. */
static void find_parent(const char *path, char parent[PATH_SIZE]) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    while (length && path[length - 1] != '/') length--;
    while (length > 1 && path[length - 1] == '/') length--;
    text_format(parent, PATH_SIZE, "%.*s", (int)length, path);
    if (!length) text_format(parent, PATH_SIZE, ".");
}

static bool holds_pictures(const char *path) {
    Listing listing = {0};
    Names files = {0};
    Err err = ERR_NONE;
    bool any = !list_pictures(path, &listing, &files, &err) && files.count;
    names_free(&files);
    listing_free(&listing);
    return any;
}

/* There is neither a split of this name nor a class folder. */
static Status fail_layout(const DataConfig *config, Split split, Err *err) {
    const char *path = config->path;
    char parent[PATH_SIZE];
    find_parent(path, parent);
    if (split == SPLIT_TRAIN && holds_pictures(path))
        return err_set(err, FAIL_DATA,
                       "data.path: %s has pictures, but no class folders; expected "
                       "path/class/picture or path/split/class/picture; for the folder "
                       "above: data.path=%s; put pictures without labels into one "
                       "folder, such as %s/all",
                       path, parent, path);
    return err_set(err, FAIL_DATA,
                   "data.path: %s has no folder %s; expected path/split/class/picture "
                   "with the splits train and val or test, or path/class/picture",
                   path, split == SPLIT_TEST ? "test" : "train");
}

/* data.path is one of the splits itself. */
static void note_beside(const DataConfig *config, Dataset *set) {
    char parent[PATH_SIZE], full[PATH_SIZE];
    find_parent(config->path, parent);
    bool others =
        list_split(parent, SPLIT_VAL, full) || list_split(parent, SPLIT_TEST, full);
    if (others && list_split(parent, SPLIT_TRAIN, full))
        facts_note(&set->facts, 1,
                   "%s has other splits next to %s, which are not used; to use them: "
                   "data.path=%s",
                   parent, config->path, parent);
}

/* Are there class folders with pictures, in splits or without? */
static bool folder_fits(const char *path) {
    char inner[2 * PATH_SIZE], split[PATH_SIZE];
    Names classes = {0};
    Listing all = {0};
    Err err = ERR_NONE;
    const char *root = list_split(path, SPLIT_TRAIN, split) ? split : path;
    bool fits = !list_classes(root, &all, &classes, &err) && classes.count;
    if (fits) text_format(inner, sizeof inner, "%s/%s", root, classes.name[0]);
    fits = fits && holds_pictures(inner);
    names_free(&classes);
    listing_free(&all);
    return fits;
}

static void note_flat(const DataConfig *config, Dataset *set) {
    double share = config->val_fraction < 0 ? HELD_OUT : config->val_fraction;
    if (share > 0)
        facts_note(
            &set->facts, 1,
            "%s has no folder train, so its folders are the classes; %g %% of each "
            "are held out for validation, always the same pictures "
            "(data.val_fraction changes that)",
            config->path, 100 * share);
    else
        facts_note(&set->facts, 1,
                   "%s has no folder train, so its folders are the classes; nothing is "
                   "held out for validation (data.val_fraction = 0)",
                   config->path);
}

/* A folder val beside what is held out of train. */
static void note_val(const DataConfig *config, Dataset *set) {
    char val[PATH_SIZE], test[PATH_SIZE];
    if (!list_split(config->path, SPLIT_VAL, val)) return;
    bool used = !list_split(config->path, SPLIT_TEST, test);
    facts_note(
        &set->facts, 1,
        "data.val_fraction = %g of the training pictures are the validation split, "
        "so %s is %s; to validate on it: data.val_fraction=0",
        config->val_fraction, val, used ? "the test split" : "not used");
}

/* What stands in a class folder in place of pictures. */
static Status fail_empty(const FolderSet *folder, const char *path, const size_t before[],
                         Err *err) {
    const size_t *now = folder->listing.count;
    return err_set(
        err, FAIL_DATA,
        "%s has no PNG or JPEG pictures, but %zu other files; each folder of a split "
        "is a class and needs pictures",
        path, now[ODD_ENDING] - before[ODD_ENDING]);
}

static Status list_files(FolderSet *folder, Err *err) {
    size_t classes = folder->classes.count;
    folder->files = mem_zalloc(classes * sizeof *folder->files);
    folder->first = mem_zalloc((classes + 1) * sizeof *folder->first);
    for (size_t k = 0; k < classes; k++) {
        char path[2 * PATH_SIZE];
        size_t before[ODD_KINDS];
        memcpy(before, folder->listing.count, sizeof before);
        text_format(path, sizeof path, "%s/%s", folder->path, folder->classes.name[k]);
        Status status = list_pictures(path, &folder->listing, &folder->files[k], err);
        if (status) return status;
        if (folder->files[k].count == 0) return fail_empty(folder, path, before, err);
        folder->first[k + 1] = folder->first[k] + folder->files[k].count;
    }
    return OK;
}

/* The first name that one sorted list has and the other lacks; NULL: they are equal. */
static const char *first_missing(const Names *a, const Names *b, bool *a_lacks) {
    for (size_t k = 0; k < MAX(a->count, b->count); k++) {
        if (k == a->count || k == b->count) {
            *a_lacks = k == a->count;
            return *a_lacks ? b->name[k] : a->name[k];
        }
        int order = strcmp(a->name[k], b->name[k]);
        *a_lacks = order > 0;
        if (order) return *a_lacks ? b->name[k] : a->name[k];
    }
    return NULL;
}

static Status compare_classes(const FolderSet *folder, const char *other, Err *err) {
    Names classes = {0};
    Listing others = {0};
    Status status = list_classes(other, &others, &classes, err);
    listing_free(&others);
    bool lacks = false;
    const char *name = status ? NULL : first_missing(&folder->classes, &classes, &lacks);
    if (name)
        status =
            err_set(err, FAIL_DATA, "%s has a class \"%s\" that %s lacks",
                    lacks ? other : folder->path, name, lacks ? folder->path : other);
    names_free(&classes);
    return status;
}

/* Where other splits are there too, they must have the same classes. */
static Status compare_splits(const FolderSet *folder, const char *root, Split split,
                             Err *err) {
    char other[PATH_SIZE];
    for (Split s = SPLIT_TRAIN; s <= SPLIT_TEST; s++) {
        if (s == split || !list_split(root, s, other)) continue;
        Status status = compare_classes(folder, other, err);
        if (status) return status;
    }
    return OK;
}

static void copy_names(const Names *names, Dataset *set) {
    set->class_names = mem_zalloc(names->count * sizeof(char *));
    for (size_t k = 0; k < names->count; k++)
        set->class_names[k] = mem_strdup(names->name[k]);
}

static Status read_split(FolderSet *folder, const char *root, Split split, bool flat,
                         Err *err) {
    Status status = list_classes(folder->path, &folder->listing, &folder->classes, err);
    if (status) return status;
    if (!folder->classes.count)
        return err_set(err, FAIL_DATA,
                       "%s has no class folders; expected path/split/class/picture; "
                       "put pictures without labels into one folder, such as %s/all",
                       folder->path, folder->path);
    status = flat ? check_flat(folder, err) : compare_splits(folder, root, split, err);
    if (status) return status;
    return split == SPLIT_TRAIN && !flat && list_beside(root, &folder->listing, err)
               ? FAIL_DATA
               : list_files(folder, err);
}

static Status folder_open(const DataConfig *config, Split split, Dataset *set, Err *err) {
    if (config->channels != 0 && config->channels != 1 && config->channels != 3)
        return err_set(err, FAIL_USAGE, "data.channels is %zu: expected 1 or 3",
                       config->channels);
    FolderSet *folder = set->state = mem_zalloc(sizeof *folder);
    set->free_state = folder_free;
    set->get = folder_get;
    set->path = folder_path;
    set->label = folder_label;
    set->digest = folder_digest;
    set->bytes = folder_bytes;
    bool found = find_split(config, split, folder->path);
    bool flat = !found && split == SPLIT_TRAIN && is_flat(config->path);
    if (flat) text_format(folder->path, sizeof folder->path, "%s", config->path);
    if (!found && split == SPLIT_VAL) return OK;
    if (!found && !flat) return fail_layout(config, split, err);
    folder->reading = picture_reading(config);
    set->channels = folder->reading.channels;
    Status status = read_split(folder, config->path, split, flat, err);
    if (status) return status;
    if (flat) note_flat(config, set), note_beside(config, set);
    set->classes = folder->classes.count;
    set->count = folder->first[set->classes];
    copy_names(&folder->classes, set);
    if (split == SPLIT_TRAIN && config->val_fraction > 0) note_val(config, set);
    const char *slash = strrchr(folder->path, '/');
    listing_note(&folder->listing, slash ? slash + 1 : folder->path, &set->facts);
    return OK;
}

const PictureSource folder_source = {
    .open = folder_open,
    .has = folder_has,
    .held_out = folder_held_out,
    .fits = folder_fits,
    .wanted = {.kind = "folder",
               .what = "your pictures (CLASS/*.jpg or train/CLASS/*.jpg)",
               .form = "FOLDER"}};
