/* Files that are read to their end, plain and gzip, and what may stand there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/file/bytes.h"
#include "files.h"

enum { SIZE = 300000, ROOM = 1 << 20 };

/* Contents that a gzip file of some ten thousand bytes holds. */
static void make_contents(uint8_t *contents) {
    uint32_t dice = 1;
    for (size_t i = 0; i < SIZE; i++) {
        dice = dice * 1664525 + 1013904223;
        contents[i] = i % 29 ? (uint8_t)(i / 999) : (uint8_t)(dice >> 24);
    }
}

typedef struct Work {
    const char *root;
    uint8_t contents[SIZE];
    uint8_t *packed; /* one member that holds them */
    size_t size;
    uint8_t file[ROOM]; /* being made */
    size_t length;
} Work;

static Work *begin(const char *root) {
    Work *w = mem_zalloc(sizeof *w);
    w->root = root;
    make_contents(w->contents);
    files_write_gz(root, "one", w->contents, SIZE);
    w->packed = files_read(root, "one", &w->size);
    return w;
}

static void end(Work *w) {
    mem_free(w->packed);
    mem_free(w);
}

static void add(Work *w, const void *bytes, size_t n) {
    assert_true(w->length + n <= ROOM);
    memcpy(w->file + w->length, bytes, n);
    w->length += n;
}

static void add_zeros(Work *w, size_t n) {
    memset(w->file + w->length, 0, n);
    w->length += n;
}

static Status read_all(Work *w, uint8_t **all, size_t *n, Err *err) {
    char path[1200];
    ByteFile file;
    files_write(w->root, "f.gz", w->file, w->length);
    text_format(path, sizeof path, "%s/f.gz", w->root);
    if (bytes_open(&file, path, err)) return err->status;
    Status status = bytes_take_rest(&file, all, n, err);
    bytes_close(&file);
    return status;
}

/* The file's contents are `copies` times ours. */
static void holds(Work *w, size_t copies) {
    uint8_t *all = NULL;
    size_t n = 0;
    Err err = ERR_NONE;
    if (read_all(w, &all, &n, &err)) fail_msg("%s", err.text);
    assert_int_equal(n, copies * SIZE);
    for (size_t k = 0; k < copies; k++)
        assert_memory_equal(all + k * SIZE, w->contents, SIZE);
    mem_free(all);
}

static void refused(Work *w, const char *part) {
    uint8_t *all = NULL;
    size_t n = 0;
    Err err = ERR_NONE;
    assert_int_equal(read_all(w, &all, &n, &err), FAIL_DATA);
    if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    if (!strstr(err.text, "f.gz")) fail_msg("no file is named in \"%s\"", err.text);
}

static void members_follow_one_another(void **state) {
    Work *w = begin(*state);
    for (size_t copies = 1; copies <= 3; copies++) {
        add(w, w->packed, w->size);
        holds(w, copies);
    }
    end(w);
}

static void a_member_without_contents_is_no_end(void **state) {
    Work *w = begin(*state);
    size_t n;
    files_write_gz(*state, "none", "", 0);
    uint8_t *none = files_read(*state, "none", &n);
    add(w, none, n);
    add(w, w->packed, w->size);
    add(w, none, n);
    holds(w, 1);
    mem_free(none);
    end(w);
}

/* Also more of them than the reader's buffer holds, and the next member at its edge. */
static void zeros_behind_and_between_members_are_padding(void **state) {
    Work *w = begin(*state);
    static const size_t counts[] = {1, 509, (1 << 17) - 1, 1 << 17, 200000};
    for (size_t k = 0; k < COUNT(counts); k++) {
        w->length = 0;
        add(w, w->packed, w->size);
        add_zeros(w, counts[k]);
        holds(w, 1);
        add(w, w->packed, w->size);
        add_zeros(w, 1);
        holds(w, 2);
    }
    end(w);
}

static void stray_bytes_behind_a_member_are_counted_and_placed(void **state) {
    Work *w = begin(*state);
    static const char *const strays[] = {"x", "\x1F", "\x1F\x1F\x8B", "<html>"};
    for (size_t k = 0; k < COUNT(strays); k++)
        for (size_t zeros = 0; zeros <= 3; zeros += 3) {
            char part[100];
            size_t stray = strlen(strays[k]);
            w->length = 0;
            add(w, w->packed, w->size);
            add_zeros(w, zeros);
            add(w, strays[k], stray);
            text_format(part, sizeof part,
                        ": %zu bytes after byte %zu belong to no gzip member",
                        zeros + stray, w->size);
            refused(w, part);
        }
    end(w);
}

static void a_second_member_damaged_anywhere_is_noticed(void **state) {
    Work *w = begin(*state);
    for (size_t at = 0; at < w->size; at += at < 40 || at + 40 > w->size ? 1 : 97) {
        if (at >= 4 && at < 10) continue; /* time, flags of effort, system */
        w->length = 0;
        add(w, w->packed, w->size);
        add(w, w->packed, w->size);
        w->file[w->size + at] ^= 0x55;
        refused(w, at < 2 ? "belong to no gzip member" : "f.gz is truncated or damaged");
    }
    end(w);
}

static void a_second_member_cut_anywhere_is_noticed(void **state) {
    Work *w = begin(*state);
    for (size_t left = 1; left < w->size; left += left < 40 ? 1 : 97) {
        char part[100];
        w->length = 0;
        add(w, w->packed, w->size);
        add(w, w->packed, left);
        text_format(part, sizeof part,
                    "the file ends in gzip member 2, which begins at byte %zu", w->size);
        refused(w, left < 2 ? "belong to no gzip member" : part);
    }
    end(w);
}

static void a_named_number_of_bytes_does_not_hide_what_follows(void **state) {
    Work *w = begin(*state);
    add(w, w->packed, w->size);
    add(w, "junk", 4);
    files_write(*state, "f.gz", w->file, w->length);
    char path[1200];
    text_format(path, sizeof path, "%s/f.gz", (char *)*state);
    ByteFile file;
    Err err = ERR_NONE;
    uint8_t *all = NULL;
    assert_int_equal(bytes_open(&file, path, &err), OK);
    assert_int_equal(bytes_take_new(&file, SIZE, &all, &err), OK);
    assert_int_equal(bytes_end(&file, &err), FAIL_DATA);
    assert_non_null(strstr(err.text, "4 bytes after byte"));
    bytes_close(&file);
    mem_free(all);
    end(w);
}

static void plain_files_are_read_whatever_their_name(void **state) {
    Work *w = begin(*state);
    add(w, w->contents, SIZE);
    holds(w, 1);
    end(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(members_follow_one_another),
        FOLDER_TEST(a_member_without_contents_is_no_end),
        FOLDER_TEST(zeros_behind_and_between_members_are_padding),
        FOLDER_TEST(stray_bytes_behind_a_member_are_counted_and_placed),
        FOLDER_TEST(a_second_member_damaged_anywhere_is_noticed),
        FOLDER_TEST(a_second_member_cut_anywhere_is_noticed),
        FOLDER_TEST(a_named_number_of_bytes_does_not_hide_what_follows),
        FOLDER_TEST(plain_files_are_read_whatever_their_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
