/* safetensors: round trips, every broken header, mutations, full disks. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/file/safetensors.h"

static char folder[64];

static const char *path_of(const char *name) {
    static char path[200];
    text_format(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_bytes(const char *path, const void *bytes, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static size_t read_bytes(const char *path, unsigned char *bytes, size_t size) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t got = fread(bytes, 1, size, f);
    fclose(f);
    return got;
}

static bool exists(const char *path) { return access(path, F_OK) == 0; }

/* A file of this header and `data` zero bytes behind it. */
static void write_header(const char *path, const char *json, size_t data) {
    unsigned char bytes[70000] = {0};
    uint64_t length = strlen(json);
    assert_true(8 + length + data <= sizeof bytes);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, json, length);
    write_bytes(path, bytes, 8 + length + data);
}

static const real small[6] = {1, (real)-2.5, 0, (real)1e-30, (real)3e30, 7};

static Status save_small(const char *path, const real *values, Err *err) {
    SafetensorsWriter *w = safetensors_writer_new();
    safetensors_add(w, "blocks.0.weight", 2, (size_t[]){2, 3}, values);
    safetensors_add(w, "nothing", 2, (size_t[]){0, 5}, NULL);
    safetensors_add(w, "gamma", 0, NULL, values + 5);
    safetensors_add_metadata(w, "step", "100");
    safetensors_add_metadata(w, "text", "a \"quoted\" line\nand \xc3\xa4");
    Status status = safetensors_save(w, path, err);
    safetensors_writer_free(w);
    return status;
}

static Safetensors *open_good(const char *path) {
    Err err = ERR_NONE;
    Safetensors *file = safetensors_open(path, SAFETENSORS_VERIFY, &err);
    if (!file) fail_msg("%s", err.text);
    return file;
}

/* ---- round trips ---- */

static void what_was_saved_is_read_back_bit_for_bit(void **state) {
    (void)state;
    const char *path = path_of("small.safetensors");
    Err err = ERR_NONE;
    assert_int_equal(save_small(path, small, &err), OK);
    Safetensors *file = open_good(path);
    assert_int_equal(safetensors_count(file), 3);
    const SafetensorsEntry *w = safetensors_find(file, "blocks.0.weight");
    assert_non_null(w);
    assert_string_equal(w->dtype, REAL_NAME);
    assert_true(w->dims == 2 && w->shape[0] == 2 && w->shape[1] == 3 && w->count == 6);
    real out[6];
    assert_int_equal(safetensors_read(file, w, out, 6, &err), OK);
    assert_memory_equal(out, small, sizeof small);
    const SafetensorsEntry *gamma = safetensors_find(file, "gamma");
    assert_true(gamma->dims == 0 && gamma->count == 1);
    assert_int_equal(safetensors_read(file, gamma, out, 1, &err), OK);
    assert_true(out[0] == 7);
    const SafetensorsEntry *nothing = safetensors_find(file, "nothing");
    assert_int_equal(nothing->count, 0);
    assert_int_equal(safetensors_read(file, nothing, NULL, 0, &err), OK);
    assert_null(safetensors_find(file, "absent"));
    safetensors_close(file);
    assert_false(exists(path_of("small.safetensors.tmp")));
}

static void metadata_are_read_back(void **state) {
    (void)state;
    const char *path = path_of("small.safetensors");
    assert_int_equal(save_small(path, small, NULL), OK);
    Safetensors *file = open_good(path);
    assert_string_equal(safetensors_metadata(file, "step"), "100");
    assert_string_equal(safetensors_metadata(file, "text"),
                        "a \"quoted\" line\nand \xc3\xa4");
    assert_int_equal(strlen(safetensors_metadata(file, "crc32")), 8);
    assert_null(safetensors_metadata(file, "absent"));
    safetensors_close(file);
}

static void large_tensors_pass_through_several_chunks(void **state) {
    (void)state;
    size_t n = 1000003;
    real *values = mem_alloc(n * sizeof(real)), *out = mem_alloc(n * sizeof(real));
    for (size_t i = 0; i < n; i++) values[i] = (real)sin((double)i);
    SafetensorsWriter *w = safetensors_writer_new();
    safetensors_add(w, "large", 1, &n, values);
    assert_int_equal(safetensors_save(w, path_of("large"), NULL), OK);
    safetensors_writer_free(w);
    Safetensors *file = open_good(path_of("large"));
    assert_int_equal(safetensors_read(file, safetensors_entry(file, 0), out, n, NULL),
                     OK);
    assert_memory_equal(values, out, n * sizeof(real));
    safetensors_close(file);
    mem_free(values);
    mem_free(out);
}

static void the_header_is_padded_so_that_data_are_aligned(void **state) {
    (void)state;
    unsigned char bytes[4096];
    assert_int_equal(save_small(path_of("pad"), small, NULL), OK);
    assert_true(read_bytes(path_of("pad"), bytes, sizeof bytes) > 8);
    assert_int_equal(bytes[0] % 8, 0);
    assert_int_equal(bytes[8], '{');
}

static void a_writer_without_tensors_makes_a_valid_file(void **state) {
    (void)state;
    SafetensorsWriter *w = safetensors_writer_new();
    assert_int_equal(safetensors_save(w, path_of("empty"), NULL), OK);
    safetensors_writer_free(w);
    Safetensors *file = open_good(path_of("empty"));
    assert_int_equal(safetensors_count(file), 0);
    safetensors_close(file);
}

/* ---- number types ---- */

typedef struct TypeCase {
    const char *dtype;
    size_t bytes;
    unsigned char data[8]; /* of one number, little-endian */
    double value;
} TypeCase;

static const TypeCase types[] = {
    {"F64", 8, {0, 0, 0, 0, 0, 0, 0x04, 0xc0}, -2.5},
    {"F32", 4, {0, 0, 0x20, 0xc0}, -2.5},
    {"BF16", 2, {0x20, 0xc0}, -2.5},
    {"F16", 2, {0x00, 0xc1}, -2.5},
    {"F16", 2, {0xff, 0x7b}, 65504},
    {"F16", 2, {0x01, 0x80}, -5.9604644775390625e-8}, /* the smallest denormal */
    {"F16", 2, {0xff, 0x03}, 6.097555160522461e-5},   /* the largest denormal */
    {"F16", 2, {0x00, 0x04}, 6.103515625e-5},         /* the smallest normal number */
    {"F16", 2, {0x00, 0xfc}, -INFINITY},
};

/* A file with one tensor x of one number. */
static Safetensors *open_number(const char *dtype, const unsigned char *data,
                                size_t size) {
    char json[200];
    unsigned char bytes[300] = {0};
    text_format(json, sizeof json,
                "{\"x\":{\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":[0,%zu]}}",
                dtype, size);
    uint64_t length = strlen(json);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, json, length);
    memcpy(bytes + 8 + length, data, size);
    write_bytes(path_of("type"), bytes, 8 + length + size);
    return open_good(path_of("type"));
}

static void every_real_type_is_converted(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(types); k++) {
        Safetensors *file = open_number(types[k].dtype, types[k].data, types[k].bytes);
        real out;
        assert_true(safetensors_is_real(safetensors_entry(file, 0)));
        assert_int_equal(safetensors_read(file, safetensors_entry(file, 0), &out, 1,
                                          NULL),
                         OK);
        if (out != (real)types[k].value)
            fail_msg("%s: %g, wanted %g", types[k].dtype, (double)out, types[k].value);
        safetensors_close(file);
    }
}

/* Quantized weights without their scales are not the weights. */
static void whole_numbers_are_listed_and_not_read(void **state) {
    (void)state;
    static const struct {
        const char *dtype;
        size_t bytes;
    } WHOLE[] = {{"I64", 8}, {"U64", 8}, {"I32", 4}, {"U32", 4}, {"I16", 2},
                 {"U16", 2}, {"I8", 1},  {"U8", 1},  {"BOOL", 1}};
    static const unsigned char ONE[8] = {1};
    for (size_t k = 0; k < COUNT(WHOLE); k++) {
        Safetensors *file = open_number(WHOLE[k].dtype, ONE, WHOLE[k].bytes);
        const SafetensorsEntry *x = safetensors_entry(file, 0);
        Err err = ERR_NONE;
        real out = 7;
        assert_false(safetensors_is_real(x));
        assert_int_equal(x->count, 1);
        assert_int_equal(safetensors_read(file, x, &out, 1, &err), FAIL_DATA);
        assert_non_null(strstr(err.text, "tensor x"));
        assert_non_null(strstr(err.text, WHOLE[k].dtype));
        assert_true(out == 7);
        safetensors_close(file);
    }
}

static void nan_of_half_precision_stays_nan(void **state) {
    (void)state;
    unsigned char bytes[300] = {0};
    const char *json = "{\"x\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[0,2]}}";
    uint64_t length = strlen(json);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, json, length);
    bytes[8 + length] = 1;
    bytes[9 + length] = 0x7c;
    write_bytes(path_of("nan"), bytes, 10 + length);
    Safetensors *file = open_good(path_of("nan"));
    real out;
    assert_int_equal(safetensors_read(file, safetensors_entry(file, 0), &out, 1, NULL),
                     OK);
    assert_true(isnan(out));
    safetensors_close(file);
}

/* ---- broken files ---- */

typedef struct BrokenCase {
    const char *json;
    size_t data;
    const char *message; /* part of it */
} BrokenCase;

#define X(shape, offsets)                                                                \
    "{\"x\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define TWO(first, second)                                                               \
    "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" first "},"               \
    "\"y\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" second "}}"

static const BrokenCase broken[] = {
    {"", 0, "'{'"},
    {"[]", 0, "'{'"},
    {"{", 0, "header, near byte"},
    {"{} x", 0, "header, near byte"},
    {"{\"x\":1}", 0, "not described by a JSON object"},
    {"{}", 4, "the data section has 4"},
    {"{\"x\":{}}", 0, "dtype is \"\""},
    {"{\"x\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "dtype is \"F31\""},
    {"{\"x\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype"},
    {"{\"x\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "\"shape\""},
    {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets"},
    {X("[2]", "[0,4]"), 4, "its shape wants 8"},
    {X("[-1]", "[0,4]"), 4, "dimension 0"},
    {X("[1,1.0]", "[0,4]"), 4, "dimension 1"},
    {X("[1,\"1\"]", "[0,4]"), 4, "dimension 1"},
    {X("[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "9 dimensions"},
    {X("[4294967296,4294967296]", "[0,4]"), 4, "overflows"},
    {X("[4611686018427387904]", "[0,4]"), 4, "overflows"},
    {X("[99999999999999999999]", "[0,4]"), 4, "header, near byte"},
    {X("[1]", "[0]"), 4, "[begin, end]"},
    {X("[1]", "[0,4,8]"), 4, "[begin, end]"},
    {X("[1]", "{}"), 4, "[begin, end]"},
    {X("[1]", "[0,4.0]"), 4, "[begin, end]"},
    {X("[1]", "[4,0]"), 4, "leave the data section"},
    {X("[1]", "[-4,0]"), 4, "leave the data section"},
    {X("[2]", "[0,8]"), 4, "leave the data section of 4"},
    {X("[1]", "[9223372036854775803,9223372036854775807]"), 4, "leave the data section"},
    {X("[1]", "[0,4]"), 8, "the data section has 8"},
    {X("[1]", "[4,8]"), 8, "a hole"},
    {TWO("[0,8]", "[4,12]"), 12, "an overlap"},
    {TWO("[0,8]", "[0,8]"), 8, "an overlap"},
    {TWO("[0,8]", "[12,20]"), 20, "a hole"},
    {"{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
     "\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
     8, "duplicate"},
    {"{\"__metadata__\":[]}", 0, "__metadata__"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "not a string"},
    {"{\"__metadata__\":{\"crc32\":\"00000001\"}}", 0, "CRC-32"},
    {"{\"a\\nb\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
     "control"},
    {"{\"\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "empty"},
    {"{\"\\ud800\":1}", 0, "header, near byte"},
};

static void assert_refused(const char *path, Status status, const char *message) {
    Err err = ERR_NONE;
    Safetensors *file = safetensors_open(path, SAFETENSORS_VERIFY, &err);
    if (file) fail_msg("opened, but should say: %s", message);
    assert_int_equal(err.status, status);
    if (!strstr(err.text, message))
        fail_msg("\"%s\" does not say \"%s\"", err.text, message);
    if (!strstr(err.text, path)) fail_msg("\"%s\" does not name the file", err.text);
    assert_null(strchr(err.text, '\n'));
}

static void every_broken_header_is_refused_with_a_reason(void **state) {
    (void)state;
    const char *path = path_of("broken");
    for (size_t k = 0; k < COUNT(broken); k++) {
        write_header(path, broken[k].json, broken[k].data);
        assert_refused(path, FAIL_DATA, broken[k].message);
    }
}

static void lengths_that_the_file_does_not_have_are_refused(void **state) {
    (void)state;
    const char *path = path_of("length");
    write_bytes(path, "1234567", 7);
    assert_refused(path, FAIL_DATA, "at least 8");
    write_bytes(path, "", 0);
    assert_refused(path, FAIL_DATA, "0 bytes long");
    for (unsigned shift = 2; shift < 64; shift++) {
        uint64_t head[2] = {(uint64_t)1 << shift, 0x7d7b}; /* {} */
        if (head[0] <= 8) continue;
        write_bytes(path, head, sizeof head);
        assert_refused(path, FAIL_DATA, "the header is to have");
    }
    write_bytes(path, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
    assert_refused(path, FAIL_DATA, "18446744073709551615");
}

static void names_and_nesting_of_any_length_are_survived(void **state) {
    (void)state;
    static char json[60000];
    char name[601];
    memset(name, 'n', 600);
    name[600] = '\0';
    text_format(json, sizeof json,
                "{\"%s\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
                name);
    write_header(path_of("name"), json, 4);
    assert_refused(path_of("name"), FAIL_DATA, "600 bytes");
    text_format(json, sizeof json, "{\"x\":");
    memset(json + 5, '[', 50000);
    json[50005] = '\0';
    write_header(path_of("name"), json, 0);
    assert_refused(path_of("name"), FAIL_DATA, "header, near byte");
}

static void absent_files_and_folders_are_refused(void **state) {
    (void)state;
    assert_refused(path_of("absent"), FAIL_DATA, "No such file");
    assert_refused(folder, FAIL_DATA, "regular file");
}

static void truncation_at_any_byte_is_refused(void **state) {
    (void)state;
    unsigned char bytes[4096];
    assert_int_equal(save_small(path_of("cut"), small, NULL), OK);
    size_t size = read_bytes(path_of("cut"), bytes, sizeof bytes);
    for (size_t cut = 0; cut < size; cut++) {
        write_bytes(path_of("cut"), bytes, cut);
        Err err = ERR_NONE;
        assert_null(safetensors_open(path_of("cut"), SAFETENSORS_VERIFY, &err));
        assert_int_equal(err.status, FAIL_DATA);
    }
}

static void a_flipped_bit_in_the_data_is_seen_unless_trusted(void **state) {
    (void)state;
    unsigned char bytes[4096];
    const char *path = path_of("flip");
    assert_int_equal(save_small(path, small, NULL), OK);
    size_t size = read_bytes(path, bytes, sizeof bytes);
    bytes[size - 3] ^= 4;
    write_bytes(path, bytes, size);
    assert_refused(path, FAIL_DATA, "damaged");
    Safetensors *file = safetensors_open(path, SAFETENSORS_TRUST, NULL);
    assert_non_null(file);
    safetensors_close(file);
}

static void a_file_cut_after_it_was_opened_fails_to_read(void **state) {
    (void)state;
    const char *path = path_of("later");
    assert_int_equal(save_small(path, small, NULL), OK);
    Safetensors *file = open_good(path);
    assert_int_equal(truncate(path, 40), 0);
    real out[6];
    Err err = ERR_NONE;
    const SafetensorsEntry *w = safetensors_find(file, "blocks.0.weight");
    assert_int_equal(safetensors_read(file, w, out, 6, &err), FAIL_DATA);
    assert_non_null(strstr(err.text, "blocks.0.weight"));
    safetensors_close(file);
}

/* Opens and reads all; whatever the bytes are, this ends with OK or FAIL_DATA. */
static void try_all(const char *path) {
    Err err = ERR_NONE;
    Safetensors *file = safetensors_open(path, SAFETENSORS_TRUST, &err);
    if (!file) {
        assert_int_equal(err.status, FAIL_DATA);
        return;
    }
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const SafetensorsEntry *e = safetensors_entry(file, i);
        real *out = mem_alloc(e->count * sizeof(real));
        assert_int_equal(safetensors_read(file, e, out, e->count, &err), OK);
        mem_free(out);
    }
    safetensors_close(file);
}

static void mutations_never_crash(void **state) {
    (void)state;
    static const char digits[] = "0123456789[]{}\",:-.eE\\";
    unsigned char bytes[4096], copy[4096];
    uint64_t random = 0x9e3779b97f4a7c15u;
    assert_int_equal(save_small(path_of("mutant"), small, NULL), OK);
    size_t size = read_bytes(path_of("mutant"), bytes, sizeof bytes);
    for (int round = 0; round < 500; round++) {
        memcpy(copy, bytes, size);
        for (int k = 0; k <= round % 4; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            size_t place = (size_t)(random >> 40) % size;
            unsigned pick = (unsigned)(random >> 20) & 0xfffff;
            copy[place] = round % 2 ? (unsigned char)digits[pick % (sizeof digits - 1)]
                                    : (unsigned char)pick;
        }
        write_bytes(path_of("mutant"), copy, size);
        try_all(path_of("mutant"));
    }
}

/* ---- saving that fails ---- */

/* The old file is as it was and no temporary file is left. */
static void assert_untouched(const char *path) {
    Safetensors *file = open_good(path);
    real out[6];
    const SafetensorsEntry *w = safetensors_find(file, "blocks.0.weight");
    assert_int_equal(safetensors_read(file, w, out, 6, NULL), OK);
    assert_memory_equal(out, small, sizeof small);
    safetensors_close(file);
    char temporary[300];
    text_format(temporary, sizeof temporary, "%s.tmp", path);
    assert_int_not_equal(access(temporary, F_OK), 0);
}

static const real other[6] = {9, 9, 9, 9, 9, 9};

static void a_temporary_file_that_is_a_link_is_not_written_through(void **state) {
    (void)state;
    char path[200], temporary[300], victim[200];
    text_format(path, sizeof path, "%s", path_of("linked"));
    text_format(temporary, sizeof temporary, "%s.tmp", path);
    text_format(victim, sizeof victim, "%s", path_of("victim"));
    assert_int_equal(save_small(victim, small, NULL), OK);
    assert_int_equal(symlink(victim, temporary), 0);
    assert_int_equal(save_small(path, other, NULL), OK);
    assert_untouched(victim);
}

static void a_write_that_stops_half_way_leaves_the_old_file(void **state) {
    (void)state;
    char path[200];
    text_format(path, sizeof path, "%s", path_of("half"));
    assert_int_equal(save_small(path, small, NULL), OK);
    struct rlimit before, limit;
    getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 100;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    Err err = ERR_NONE;
    Status status = save_small(path, other, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, FAIL_RUN);
    assert_non_null(strstr(err.text, "File too large"));
    assert_untouched(path);
}

static void a_folder_that_is_not_there_or_not_a_folder_is_an_error(void **state) {
    (void)state;
    Err err = ERR_NONE;
    assert_int_equal(save_small(path_of("no/such/x"), small, &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "No such file"));
    write_bytes(path_of("plain"), "x", 1);
    assert_int_equal(save_small(path_of("plain/x"), small, &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "Not a directory"));
}

static void a_target_that_is_a_folder_leaves_no_temporary_file(void **state) {
    (void)state;
    Err err = ERR_NONE;
    assert_int_equal(mkdir(path_of("target"), 0700), 0);
    assert_int_equal(save_small(path_of("target"), small, &err), FAIL_RUN);
    assert_false(exists(path_of("target.tmp")));
}

static void a_name_that_is_not_utf8_is_an_error_when_saving(void **state) {
    (void)state;
    SafetensorsWriter *w = safetensors_writer_new();
    safetensors_add_metadata(w, "path", "caf\xe9");
    Err err = ERR_NONE;
    assert_int_equal(safetensors_save(w, path_of("utf8"), &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "\"path\" is not UTF-8"));
    assert_false(exists(path_of("utf8")));
    safetensors_writer_free(w);
}

static void a_temporary_file_of_a_killed_run_is_in_nobodys_way(void **state) {
    (void)state;
    char path[200];
    text_format(path, sizeof path, "%s", path_of("killed"));
    write_bytes(path_of("killed.tmp"), "half a checkpoint", 17);
    SafetensorsWriter *w = safetensors_writer_new();
    safetensors_add(w, "blocks.0.weight", 2, (size_t[]){2, 3}, small);
    assert_int_equal(safetensors_save_in(w, path, folder, NULL), OK);
    safetensors_writer_free(w);
    assert_untouched(path);
}

static void outside_of_a_run_a_file_of_that_name_is_somebodys(void **state) {
    (void)state;
    write_bytes(path_of("own.tmp"), "mine", 4);
    assert_int_equal(save_small(path_of("own"), small, NULL), OK);
    safetensors_close(open_good(path_of("own")));
    struct stat info;
    assert_int_equal(stat(path_of("own.tmp"), &info), 0);
    assert_int_equal(info.st_size, 4);
    assert_int_not_equal(access(path_of("own.tmp.2"), F_OK), 0);
}

static int make_folder(void **state) {
    (void)state;
    text_format(folder, sizeof folder, "%s", "/tmp/steady-safetensors-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[100];
    text_format(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_is_read_back_bit_for_bit),
        cmocka_unit_test(metadata_are_read_back),
        cmocka_unit_test(large_tensors_pass_through_several_chunks),
        cmocka_unit_test(the_header_is_padded_so_that_data_are_aligned),
        cmocka_unit_test(a_writer_without_tensors_makes_a_valid_file),
        cmocka_unit_test(every_real_type_is_converted),
        cmocka_unit_test(whole_numbers_are_listed_and_not_read),
        cmocka_unit_test(nan_of_half_precision_stays_nan),
        cmocka_unit_test(every_broken_header_is_refused_with_a_reason),
        cmocka_unit_test(lengths_that_the_file_does_not_have_are_refused),
        cmocka_unit_test(names_and_nesting_of_any_length_are_survived),
        cmocka_unit_test(absent_files_and_folders_are_refused),
        cmocka_unit_test(truncation_at_any_byte_is_refused),
        cmocka_unit_test(a_flipped_bit_in_the_data_is_seen_unless_trusted),
        cmocka_unit_test(a_file_cut_after_it_was_opened_fails_to_read),
        cmocka_unit_test(mutations_never_crash),
        cmocka_unit_test(a_temporary_file_that_is_a_link_is_not_written_through),
        cmocka_unit_test(a_write_that_stops_half_way_leaves_the_old_file),
        cmocka_unit_test(a_folder_that_is_not_there_or_not_a_folder_is_an_error),
        cmocka_unit_test(a_target_that_is_a_folder_leaves_no_temporary_file),
        cmocka_unit_test(a_name_that_is_not_utf8_is_an_error_when_saving),
        cmocka_unit_test(a_temporary_file_of_a_killed_run_is_in_nobodys_way),
        cmocka_unit_test(outside_of_a_run_a_file_of_that_name_is_somebodys),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
