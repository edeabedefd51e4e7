/* CIFAR-10 and CIFAR-100, binary versions: records of 1 or 2 label bytes and 3 x 32 x 32
 * pixels, plane after plane.  https://www.cs.toronto.edu/~kriz/cifar.html
 * Files may hold any number of records. */
#include <string.h>

#include "data/file/bytes.h"
#include "data/picture/sources.h"

#define SIDE 32
#define AREA (SIDE * SIDE)
#define FILES_MAX 9

typedef struct CifarKind {
    const char *name;
    size_t label_bytes; /* the last of them is the label */
    size_t classes;
    const char *train, *test; /* train NULL: data_batch_1.bin, data_batch_2.bin, ... */
    const char *names;
} CifarKind;

static const CifarKind kinds[] = {
    {"CIFAR-10", 1, 10, NULL, "test_batch.bin", "batches.meta.txt"},
    {"CIFAR-100", 2, 100, "train.bin", "test.bin", "fine_label_names.txt"},
};

typedef struct CifarSet {
    size_t record, label_bytes;
    size_t files;
    uint8_t *bytes[FILES_MAX];
    size_t count[FILES_MAX]; /* records of each file */
    char path[FILES_MAX][PATH_SIZE];
} CifarSet;

static void cifar_free(void *state) {
    CifarSet *cifar = state;
    for (size_t k = 0; k < cifar->files; k++) mem_free(cifar->bytes[k]);
    mem_free(cifar);
}

static const uint8_t *find_record(const CifarSet *cifar, size_t i) {
    size_t file = 0;
    while (i >= cifar->count[file]) i -= cifar->count[file++];
    return cifar->bytes[file] + i * cifar->record;
}

static Status cifar_get(const Dataset *set, size_t i, Image *image, size_t *label,
                        Err *err) {
    (void)err;
    const CifarSet *cifar = set->state;
    const uint8_t *record = find_record(cifar, i);
    const uint8_t *plane = record + cifar->label_bytes;
    image_resize_buffer(image, SIDE, SIDE, 3);
    for (size_t p = 0; p < AREA; p++)
        for (size_t c = 0; c < 3; c++) image->pixels[3 * p + c] = plane[c * AREA + p];
    *label = record[cifar->label_bytes - 1];
    return OK;
}

static size_t cifar_label(const Dataset *set, size_t i) {
    const CifarSet *cifar = set->state;
    return find_record(cifar, i)[cifar->label_bytes - 1];
}

static uint64_t cifar_digest(const Dataset *set, size_t i) {
    const CifarSet *cifar = set->state;
    return facts_digest(find_record(cifar, i) + cifar->label_bytes, 3 * AREA);
}

static Status check_labels(const CifarSet *cifar, const CifarKind *kind, const char *path,
                           Err *err) {
    size_t file = cifar->files - 1;
    for (size_t i = 0; i < cifar->count[file]; i++) {
        size_t label = cifar->bytes[file][i * cifar->record + kind->label_bytes - 1];
        if (label >= kind->classes)
            return err_set(err, FAIL_DATA,
                           "%s: record %zu has label %zu, but %s has only %zu classes",
                           path, i, label, kind->name, kind->classes);
    }
    return OK;
}

static Status add_file(CifarSet *cifar, const CifarKind *kind, const char *path,
                       Err *err) {
    ByteFile file;
    Status status = bytes_open(&file, path, err);
    if (status) return status;
    size_t size;
    status = bytes_take_rest(&file, &cifar->bytes[cifar->files], &size, err);
    bytes_close(&file);
    if (status) return status;
    text_format(cifar->path[cifar->files], PATH_SIZE, "%s", path);
    cifar->count[cifar->files++] = size / cifar->record;
    if (size == 0 || size % cifar->record)
        return err_set(err, FAIL_DATA,
                       "%s: %zu bytes are not a whole number of %s records of %zu "
                       "bytes; the file may be truncated",
                       path, size, kind->name, cifar->record);
    return check_labels(cifar, kind, path, err);
}

/* Numbered files must be there without a gap. */
static Status add_numbered(CifarSet *cifar, const CifarKind *kind, const char *folder,
                           Err *err) {
    char path[PATH_SIZE], gap[PATH_SIZE] = "";
    for (int k = 1; k <= FILES_MAX; k++) {
        char name[64];
        text_format(name, sizeof name, "data_batch_%d.bin", k);
        bool there = bytes_find(folder, name, path);
        if (there && *gap)
            return err_set(err, FAIL_DATA, "%s is missing, but %s exists", gap, path);
        if (!there && !*gap) text_format(gap, sizeof gap, "%s/%s[.gz]", folder, name);
        Status status = there ? add_file(cifar, kind, path, err) : OK;
        if (status) return status;
    }
    if (cifar->files) return OK;
    return err_set(err, FAIL_DATA,
                   "data.path: %s/data_batch_1.bin[.gz] is missing; expected the "
                   "folder of CIFAR's binary version",
                   folder);
}

static Status add_named(CifarSet *cifar, const CifarKind *kind, const char *folder,
                        const char *name, Err *err) {
    char path[PATH_SIZE];
    if (bytes_find(folder, name, path)) return add_file(cifar, kind, path, err);
    return err_set(err, FAIL_DATA, "data.path: %s/%s[.gz] is missing", folder, name);
}

/* The first kind from `k` on of which a file is there; NULL: none. */
static const CifarKind *find_kind(const char *folder, size_t k) {
    static const char *const marks[][2] = {{"data_batch_1.bin", "test_batch.bin"},
                                           {"train.bin", "test.bin"}};
    char path[PATH_SIZE];
    for (; k < COUNT(kinds); k++)
        for (size_t m = 0; m < 2; m++)
            if (bytes_find(folder, marks[k][m], path)) return &kinds[k];
    return NULL;
}

static void note_others(const char *folder, const CifarKind *kind, const CifarSet *cifar,
                        Dataset *set) {
    const CifarKind *other = find_kind(folder, (size_t)(kind - kinds) + 1);
    if (other)
        facts_note(&set->facts, 1, "%s also has %s, which is not used", folder,
                   other->name);
    for (size_t k = 0; k < cifar->files; k++)
        facts_note(&set->facts, bytes_has_twin(cifar->path[k]),
                   "%s is read; the .gz file of the same name is ignored",
                   cifar->path[k]);
}

/* One name a line; blank lines at the end are fine. */
static Status split_names(char *text, const char *path, Dataset *set, Err *err) {
    size_t found = 0;
    char *rest = NULL;
    set->class_names = mem_zalloc(set->classes * sizeof(char *));
    for (char *name = strtok_r(text, "\r\n", &rest); name;
         name = strtok_r(NULL, "\r\n", &rest)) {
        if (found < set->classes) set->class_names[found] = mem_strdup(name);
        found++;
    }
    if (found == set->classes) return OK;
    return err_set(err, FAIL_DATA, "%s names %zu classes, expected %zu", path, found,
                   set->classes);
}

static Status read_names(const char *folder, const char *name, Dataset *set, Err *err) {
    char path[PATH_SIZE], text[1 << 14];
    if (!bytes_find(folder, name, path)) return OK;
    ByteFile file;
    Status status = bytes_open(&file, path, err);
    if (status) return status;
    uint8_t *bytes;
    size_t size;
    status = bytes_take_rest(&file, &bytes, &size, err);
    bytes_close(&file);
    if (status) return status;
    size = MIN(size, sizeof text - 1);
    memcpy(text, bytes, size);
    text[size] = 0;
    mem_free(bytes);
    return split_names(text, path, set, err);
}

static Status cifar_open(const DataConfig *config, Split split, Dataset *set, Err *err) {
    const CifarKind *kind = find_kind(config->path, 0);
    if (!kind)
        return err_set(
            err, FAIL_DATA,
            "%s has no CIFAR files; expected data_batch_1.bin[.gz] and "
            "test_batch.bin[.gz], or train.bin[.gz] and test.bin[.gz]; give their "
            "folder as data.path=DIR",
            config->path);
    CifarSet *cifar = set->state = mem_zalloc(sizeof *cifar);
    set->free_state = cifar_free;
    set->get = cifar_get;
    set->label = cifar_label;
    set->digest = cifar_digest;
    *cifar = (CifarSet){.record = kind->label_bytes + 3 * AREA,
                        .label_bytes = kind->label_bytes};
    set->channels = 3;
    set->height = set->width = SIDE;
    set->classes = kind->classes;
    Status status = split == SPLIT_TEST
                        ? add_named(cifar, kind, config->path, kind->test, err)
                    : kind->train ? add_named(cifar, kind, config->path, kind->train, err)
                                  : add_numbered(cifar, kind, config->path, err);
    for (size_t k = 0; k < cifar->files; k++) set->count += cifar->count[k];
    if (status) return status;
    note_others(config->path, kind, cifar, set);
    return read_names(config->path, kind->names, set, err);
}

const PictureSource cifar_source = {.open = cifar_open,
                                    .wanted = {.kind = "folder",
                                               .what =
                                                   "the folder of CIFAR's binary version",
                                               .form = "FOLDER"},
                                    .test = {"test_batch.bin", "test.bin"}};
