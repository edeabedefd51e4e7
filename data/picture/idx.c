/* IDX, the format of MNIST: big-endian magic (2051 images, 2049 labels), count, [rows,
 * columns], bytes.  http://yann.lecun.com/exdb/mnist */
#include <string.h>

#include "data/file/bytes.h"
#include "data/picture/sources.h"

#define MAGIC_IMAGES 2051
#define MAGIC_LABELS 2049

typedef struct IdxSet {
    uint8_t *images; /* [count, height, width] */
    uint8_t *labels; /* [count] */
} IdxSet;

static void idx_free(void *state) {
    IdxSet *idx = state;
    mem_free(idx->images);
    mem_free(idx->labels);
    mem_free(idx);
}

static Status idx_get(const Dataset *set, size_t i, Image *image, size_t *label,
                      Err *err) {
    (void)err;
    const IdxSet *idx = set->state;
    size_t area = set->height * set->width;
    image_resize_buffer(image, set->height, set->width, 1);
    memcpy(image->pixels, idx->images + i * area, area);
    *label = idx->labels[i];
    return OK;
}

static size_t idx_label(const Dataset *set, size_t i) {
    return ((const IdxSet *)set->state)->labels[i];
}

static uint64_t idx_digest(const Dataset *set, size_t i) {
    size_t area = set->height * set->width;
    return facts_digest(((const IdxSet *)set->state)->images + i * area, area);
}

static size_t big_endian(const uint8_t *bytes) {
    return (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 |
           bytes[3];
}

/* Opens a file and reads its magic and `count` sizes; on failure the file is closed. */
static Status open_header(ByteFile *file, const char *path, size_t magic, size_t *sizes,
                          size_t count, Err *err) {
    Status status = bytes_open(file, path, err);
    if (status) return status;
    uint8_t header[16];
    status = bytes_take(file, header, 4 * (count + 1), err);
    if (!status && big_endian(header) != magic)
        status = err_set(err, FAIL_DATA,
                         "%s is not an IDX file of %s: its magic number is %zu, "
                         "expected %zu",
                         path, magic == MAGIC_IMAGES ? "images" : "labels",
                         big_endian(header), magic);
    for (size_t k = 0; k < count && !status; k++) {
        sizes[k] = big_endian(header + 4 * (k + 1));
        if (sizes[k] == 0)
            status = err_set(err, FAIL_DATA, "%s is empty: size %zu in its header is 0",
                             path, k + 1);
    }
    if (status) bytes_close(file);
    return status;
}

static Status read_labels(const char *path, uint8_t **labels, size_t *count, Err *err) {
    ByteFile file;
    Status status = open_header(&file, path, MAGIC_LABELS, count, 1, err);
    if (status) return status;
    status = bytes_take_new(&file, *count, labels, err);
    if (!status) status = bytes_end(&file, err);
    bytes_close(&file);
    return status;
}

/* sizes: count, rows, columns. */
static Status read_pixels(ByteFile *file, const size_t sizes[3], uint8_t **images,
                          Err *err) {
    size_t area, bytes;
    if (!size_mul(sizes[1], sizes[2], &area) || !size_mul(sizes[0], area, &bytes))
        return err_set(err, FAIL_DATA,
                       "%s: the header says %zu images of %zu x %zu, which cannot be "
                       "right",
                       file->path, sizes[0], sizes[1], sizes[2]);
    Status status = bytes_take_new(file, bytes, images, err);
    return status ? status : bytes_end(file, err);
}

static Status read_images(const char *path, const char *labels_path, Dataset *set,
                          Err *err) {
    IdxSet *idx = set->state;
    ByteFile file;
    size_t sizes[3];
    Status status = open_header(&file, path, MAGIC_IMAGES, sizes, 3, err);
    if (status) return status;
    if (sizes[0] != set->count)
        status = err_set(err, FAIL_DATA,
                         "%s has %zu items, but %s has %zu: are both of one split?",
                         labels_path, set->count, path, sizes[0]);
    if (!status) status = read_pixels(&file, sizes, &idx->images, err);
    bytes_close(&file);
    set->height = sizes[1];
    set->width = sizes[2];
    return status;
}

static Status find_file(const DataConfig *config, const char *split, const char *kind,
                        char path[PATH_SIZE], Err *err) {
    char name[64];
    text_format(name, sizeof name, "%s-%s-ubyte", split, kind);
    if (bytes_find(config->path, name, path)) return OK;
    return err_set(err, FAIL_DATA,
                   "data.path: %s/%s[.gz] is missing; expected "
                   "{train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz] in one folder",
                   config->path, name);
}

enum { LABELS = 256 };

/* How often each label is used. */
static void count_labels(const uint8_t *labels, size_t count, size_t used[LABELS]) {
    for (size_t i = 0; i < count; i++) used[labels[i]]++;
}

/* The first item of a file that has a label of `least` or more. */
static size_t find_item(const uint8_t *labels, size_t count, size_t least) {
    for (size_t i = 0; i < count; i++)
        if (labels[i] >= least) return i;
    return count;
}

typedef struct LabelFile {
    char path[PATH_SIZE];
    uint8_t *labels;
    size_t count; /* 0: the file is not there */
} LabelFile;

/* The labels of the other split; it may be missing. */
static Status read_other(const DataConfig *config, const char *split, LabelFile *file,
                         Err *err) {
    if (find_file(config, split, "labels-idx1", file->path, NULL)) return OK;
    return read_labels(file->path, &file->labels, &file->count, err);
}

/* One stray 255 would make 256 classes: a longer gap than data.label_gap below a label
 * that is used is refused. */
static Status check_gaps(const DataConfig *config, const size_t used[LABELS],
                         const LabelFile file[2], Err *err) {
    size_t gap = 0, below = 0;
    for (size_t k = 0; k < LABELS; k++) {
        if (!used[k]) {
            gap++;
            continue;
        }
        if (config->label_gap && gap > config->label_gap) {
            size_t item = find_item(file[0].labels, file[0].count, k);
            const LabelFile *in = item < file[0].count ? &file[0] : &file[1];
            item = find_item(in->labels, in->count, k);
            return err_set(
                err, FAIL_DATA,
                "%s: item %zu has label %u, but labels %zu to %zu are unused; the file "
                "may be damaged; data.label_gap = %zu allows %zu unused labels in a "
                "row (0: any)",
                in->path, item, (unsigned)in->labels[item], below, k - 1,
                config->label_gap, config->label_gap);
        }
        gap = 0;
        below = k + 1;
    }
    return OK;
}

/* Classes are counted over both splits. */
static Status find_classes(const DataConfig *config, const char *split, const char *path,
                           Dataset *set, Err *err) {
    const IdxSet *idx = set->state;
    LabelFile file[2] = {{.labels = idx->labels, .count = set->count}};
    size_t used[LABELS] = {0};
    text_format(file[0].path, PATH_SIZE, "%s", path);
    Status status = read_other(config, split, &file[1], err);
    for (size_t k = 0; k < 2 && !status; k++)
        count_labels(file[k].labels, file[k].count, used);
    if (!status) status = check_gaps(config, used, file, err);
    for (size_t k = 0; k < LABELS; k++)
        if (used[k]) set->classes = k + 1;
    mem_free(file[1].labels);
    return status;
}

static Status idx_open(const DataConfig *config, Split split, Dataset *set, Err *err) {
    static const char *const names[2] = {"train", "t10k"};
    bool test = split == SPLIT_TEST;
    IdxSet *idx = set->state = mem_zalloc(sizeof *idx);
    set->free_state = idx_free;
    set->get = idx_get;
    set->label = idx_label;
    set->digest = idx_digest;
    set->channels = 1;
    char labels[PATH_SIZE], images[PATH_SIZE];
    Status status = find_file(config, names[test], "labels-idx1", labels, err);
    if (!status) status = find_file(config, names[test], "images-idx3", images, err);
    if (!status) status = read_labels(labels, &idx->labels, &set->count, err);
    if (!status) status = read_images(images, labels, set, err);
    if (status) return status;
    const char *const read[2] = {labels, images};
    for (size_t k = 0; k < 2; k++)
        facts_note(&set->facts, bytes_has_twin(read[k]),
                   "%s is read; the .gz file of the same name is ignored", read[k]);
    return find_classes(config, names[!test], labels, set, err);
}

const PictureSource idx_source = {
    .open = idx_open,
    .wanted = {.kind = "folder",
               .what = "the folder of an IDX set, such as MNIST,",
               .form = "FOLDER"},
    .test = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}};
