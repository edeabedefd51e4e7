/* Pictures in folders, ImageNet's layout: path/split/class/picture. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "data/bytes.h"
#include "data/readers.h"

typedef struct Names {
    char **name;
    size_t count, room;
} Names;

typedef struct FolderSet {
    char path[PATH_SIZE]; /* of the split */
    PictureReading reading;
    Names classes;
    Names *files;  /* [classes], sorted */
    size_t *first; /* [classes + 1] item number of the first file of each class */
} FolderSet;

static void names_add(Names *names, const char *name) {
    if (names->count == names->room) {
        names->room = names->room ? 2 * names->room : 64;
        char **wider = mem_alloc(names->room * sizeof *wider);
        if (names->count) memcpy(wider, names->name, names->count * sizeof *wider);
        mem_free(names->name);
        names->name = wider;
    }
    names->name[names->count++] = mem_strdup(name);
}

static void names_free(Names *names) {
    for (size_t k = 0; k < names->count; k++) mem_free(names->name[k]);
    mem_free(names->name);
    *names = (Names){0};
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_folder(const char *folder, const struct dirent *entry) {
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return entry->d_type == DT_DIR;
    char path[PATH_SIZE];
    struct stat info;
    text_format(path, sizeof path, "%s/%s", folder, entry->d_name);
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool is_picture(const char *name) {
    static const char *const ends[] = {"png", "jpg", "jpeg"};
    const char *dot = strrchr(name, '.');
    for (size_t k = 0; dot && k < COUNT(ends); k++)
        if (!strcasecmp(dot + 1, ends[k])) return true;
    return false;
}

/* Folders of a folder, or the pictures in it; hidden entries and other files are
 * passed over. */
static Status list_folder(const char *path, bool folders, Names *names, Err *err) {
    DIR *dir = opendir(path);
    if (!dir)
        return err_set(err, FAIL_DATA, "%s cannot be opened: %s", path, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        if (strlen(path) + strlen(entry->d_name) + 2 > PATH_SIZE) continue;
        if (folders ? is_folder(path, entry) : is_picture(entry->d_name))
            names_add(names, entry->d_name);
    }
    closedir(dir);
    if (names->count) qsort(names->name, names->count, sizeof *names->name, by_bytes);
    return OK;
}

static void folder_free(void *state) {
    FolderSet *folder = state;
    for (size_t k = 0; folder->files && k < folder->classes.count; k++)
        names_free(&folder->files[k]);
    mem_free(folder->files);
    mem_free(folder->first);
    names_free(&folder->classes);
    mem_free(folder);
}

/* The class whose range of items holds i: the last k with first[k] <= i. */
static size_t class_of(const FolderSet *folder, size_t i) {
    size_t low = 0, high = folder->classes.count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (folder->first[middle] <= i)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static Status folder_get(const Dataset *set, size_t i, Image *image, size_t *label,
                         Err *err) {
    const FolderSet *folder = set->state;
    size_t k = class_of(folder, i);
    const char *file = folder->files[k].name[i - folder->first[k]];
    char path[2 * PATH_SIZE];
    text_format(path, sizeof path, "%s/%s/%s", folder->path, folder->classes.name[k],
                file);
    *label = k;
    return image_read(path, &folder->reading, image, err);
}

static bool folder_there(const char *path, const char *split, char full[PATH_SIZE]) {
    struct stat info;
    text_format(full, PATH_SIZE, "%s/%s", path, split);
    return stat(full, &info) == 0 && S_ISDIR(info.st_mode);
}

/* The test split is test, or val where there is no test (ImageNet has train and val); then
 * there is no val. */
static bool find_split(const char *path, Split split, char full[PATH_SIZE]) {
    if (split == SPLIT_TRAIN) return folder_there(path, "train", full);
    bool test = folder_there(path, "test", full);
    if (split == SPLIT_TEST) return test || folder_there(path, "val", full);
    return test && folder_there(path, "val", full);
}

static Status list_pictures(FolderSet *folder, Err *err) {
    size_t classes = folder->classes.count;
    folder->files = mem_zalloc(classes * sizeof *folder->files);
    folder->first = mem_zalloc((classes + 1) * sizeof *folder->first);
    for (size_t k = 0; k < classes; k++) {
        char path[2 * PATH_SIZE];
        text_format(path, sizeof path, "%s/%s", folder->path, folder->classes.name[k]);
        Status status = list_folder(path, false, &folder->files[k], err);
        if (status) return status;
        if (folder->files[k].count == 0)
            return err_set(err, FAIL_DATA,
                           "%s holds no picture (.png, .jpg, .jpeg): each folder "
                           "of a split is a class",
                           path);
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
    Status status = list_folder(other, true, &classes, err);
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
        if (s == split || !find_split(root, s, other)) continue;
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

static Status read_split(FolderSet *folder, const char *root, Split split, Err *err) {
    Status status = list_folder(folder->path, true, &folder->classes, err);
    if (status) return status;
    if (!folder->classes.count)
        return err_set(err, FAIL_DATA, "%s holds no class folders", folder->path);
    status = compare_splits(folder, root, split, err);
    return status ? status : list_pictures(folder, err);
}

Status folder_open(const DataConfig *config, Split split, Dataset *set, Err *err) {
    if (config->channels != 0 && config->channels != 1 && config->channels != 3)
        return err_set(err, FAIL_USAGE, "data.channels is %zu: 1 or 3 is wanted",
                       config->channels);
    FolderSet *folder = set->state = mem_zalloc(sizeof *folder);
    set->free_state = folder_free;
    set->get = folder_get;
    bool found = find_split(config->path, split, folder->path);
    if (!found && split == SPLIT_VAL) return OK;
    if (!found)
        return err_set(err, FAIL_DATA,
                       "%s has no folder %s: path/split/class/picture is wanted, "
                       "with the splits train and val or test",
                       config->path, split == SPLIT_TEST ? "test or val" : "train");
    folder->reading = picture_reading(config);
    set->channels = folder->reading.channels;
    Status status = read_split(folder, config->path, split, err);
    if (status) return status;
    set->classes = folder->classes.count;
    set->count = folder->first[set->classes];
    copy_names(&folder->classes, set);
    return OK;
}
