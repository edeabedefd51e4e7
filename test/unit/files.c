#include "files.h"
#include "data/picture/read.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "engine/core/rng.h"

int files_begin(void **state) {
    const char *parent = getenv("TMP");
    char path[1000];
    text_format(path, sizeof path, "%s/files.XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(path)) return -1;
    *state = mem_strdup(path);
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type,
                        struct FTW *place) {
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

int files_end(void **state) {
    nftw(*state, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    mem_free(*state);
    return 0;
}

static void make_parents(char *path, size_t root_length) {
    for (char *slash = path + root_length + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
}

static void full_path(const char *root, const char *name, char path[2000]) {
    text_format(path, 2000, "%s/%s", root, name);
    make_parents(path, strlen(root));
}

void files_folder(const char *root, const char *name) {
    char path[2000];
    full_path(root, name, path);
    assert_int_equal(mkdir(path, 0777), 0);
}

void files_write(const char *root, const char *name, const void *bytes, size_t n) {
    char path[2000];
    full_path(root, name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

void files_write_text(const char *root, const char *name, const char *text) {
    files_write(root, name, text, strlen(text));
}

void files_append_text(const char *root, const char *name, const char *text) {
    char path[2000];
    full_path(root, name, path);
    FILE *file = fopen(path, "ab");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

void files_write_gz(const char *root, const char *name, const void *bytes, size_t n) {
    char path[2000];
    full_path(root, name, path);
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)n), n);
    assert_int_equal(gzclose(file), Z_OK);
}

uint8_t *files_read(const char *root, const char *name, size_t *n) {
    char path[2000];
    struct stat info;
    full_path(root, name, path);
    assert_int_equal(stat(path, &info), 0);
    *n = (size_t)info.st_size;
    uint8_t *bytes = mem_zalloc(*n + 1);
    FILE *file = fopen(path, "rb");
    assert_int_equal(fread(bytes, 1, *n, file), *n);
    fclose(file);
    return bytes;
}

void files_cut(const char *root, const char *name, size_t length) {
    char path[2000];
    full_path(root, name, path);
    assert_int_equal(truncate(path, (off_t)length), 0);
}

void files_remove(const char *root, const char *name) {
    char path[2000];
    full_path(root, name, path);
    assert_int_equal(remove(path), 0);
}

void files_write_png(const char *root, const char *name, size_t side, unsigned number) {
    char path[2000];
    full_path(root, name, path);
    Image image = {0};
    image_resize_buffer(&image, side, side, 3);
    for (size_t p = 0; p < 3 * side * side; p++)
        image.pixels[p] = (uint8_t)(p * 7 + 31 * number);
    assert_int_equal(image_write_png(path, &image, NULL), OK);
    image_free(&image);
}

uint8_t *files_damage(const uint8_t *good, size_t size, unsigned trial, size_t *n) {
    Rng dice = rng_make(trial, 1, 2);
    uint8_t *bytes = mem_alloc(size);
    memcpy(bytes, good, size);
    *n = trial % 3 == 0 ? rng_below(dice, 0, size) : size;
    size_t flips = trial % 3 == 1 ? 1 : rng_below(dice, 1, 9);
    /* Headers are short and deserve most of the blows. */
    size_t reach = trial % 2 ? MIN(size, (size_t)40) : size;
    for (size_t k = 0; k < flips; k++)
        bytes[rng_below(dice, 10 + 2 * k, reach)] ^=
            (uint8_t)(1 + rng_below(dice, 11 + 2 * k, 255));
    return bytes;
}

void files_refuse(const DataConfig *config, Split split, Status status,
                  const char *part) {
    Err err = ERR_NONE;
    Dataset *set = dataset_open(config, split, &err);
    if (set) fail_msg("opened, though \"%s\" was to be noticed", part);
    if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    assert_int_equal(err.status, status);
}

Status files_walk(const DataConfig *config, Split split, Err *err) {
    Dataset *set = dataset_open(config, split, err);
    if (!set) return err->status;
    Image image = {0};
    Status status = OK;
    for (size_t i = 0; i < set->count && !status; i++) {
        size_t label = 0;
        status = dataset_get(set, i, &image, &label, err);
        if (!status) assert_true(label < set->classes);
    }
    image_free(&image);
    dataset_free(set);
    return status;
}

Dataset *files_open(const DataConfig *config, Split split) {
    Err err = ERR_NONE;
    Dataset *set = dataset_open(config, split, &err);
    if (!set) fail_msg("%s", err.text);
    return set;
}

const char *files_real(const char *name) {
    static char path[1000];
    const char *root = getenv("STEADY_DATA");
    text_format(path, sizeof path, "%s/%s", root ? root : "../shared/data", name);
    if (access(path, R_OK)) skip();
    return path;
}
