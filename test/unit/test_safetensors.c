/* safetensors: round trips, number types, every broken header, mutations. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "data/file/safetensors.h"
#include "tensor_files.h"

static size_t read_bytes(const char *path, unsigned char *bytes, size_t size) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t got = fread(bytes, 1, size, f);
    fclose(f);
    return got;
}

/* A file of this header and `data` zero bytes behind it. */
static void write_header(const char *path, const char *json, size_t data) {
    unsigned char bytes[70000] = {0};
    uint64_t length = strlen(json);
    assert_true(8 + length + data <= sizeof bytes);
    memcpy(bytes, &length, 8);
    memcpy(bytes + 8, json, length);
    tensors_write_bytes(path, bytes, 8 + length + data);
}

/* ---- round trips ---- */

static void what_was_saved_is_read_back_bit_for_bit(void **state) {
    (void)state;
    const char *path = tensors_path("tensors_small.safetensors");
    Err err = ERR_NONE;
    assert_int_equal(tensors_save_small(path, tensors_small, &err), OK);
    Safetensors *file = tensors_open_good(path);
    assert_int_equal(safetensors_count(file), 3);
    const SafetensorsEntry *w = safetensors_find(file, "blocks.0.weight");
    assert_non_null(w);
    assert_string_equal(w->dtype, REAL_NAME);
    assert_true(w->dims == 2 && w->shape[0] == 2 && w->shape[1] == 3 && w->count == 6);
    real out[6];
    assert_int_equal(safetensors_read(file, w, out, 6, &err), OK);
    assert_memory_equal(out, tensors_small, sizeof tensors_small);
    const SafetensorsEntry *gamma = safetensors_find(file, "gamma");
    assert_true(gamma->dims == 0 && gamma->count == 1);
    assert_int_equal(safetensors_read(file, gamma, out, 1, &err), OK);
    assert_true(out[0] == 7);
    const SafetensorsEntry *nothing = safetensors_find(file, "nothing");
    assert_int_equal(nothing->count, 0);
    assert_int_equal(safetensors_read(file, nothing, NULL, 0, &err), OK);
    assert_null(safetensors_find(file, "absent"));
    safetensors_close(file);
    assert_false(tensors_exist(tensors_path("tensors_small.safetensors.tmp")));
}

static void metadata_are_read_back(void **state) {
    (void)state;
    const char *path = tensors_path("tensors_small.safetensors");
    assert_int_equal(tensors_save_small(path, tensors_small, NULL), OK);
    Safetensors *file = tensors_open_good(path);
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
    assert_int_equal(safetensors_save(w, tensors_path("large"), NULL), OK);
    safetensors_writer_free(w);
    Safetensors *file = tensors_open_good(tensors_path("large"));
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
    assert_int_equal(tensors_save_small(tensors_path("pad"), tensors_small, NULL), OK);
    assert_true(read_bytes(tensors_path("pad"), bytes, sizeof bytes) > 8);
    assert_int_equal(bytes[0] % 8, 0);
    assert_int_equal(bytes[8], '{');
}

static void a_writer_without_tensors_makes_a_valid_file(void **state) {
    (void)state;
    SafetensorsWriter *w = safetensors_writer_new();
    assert_int_equal(safetensors_save(w, tensors_path("empty"), NULL), OK);
    safetensors_writer_free(w);
    Safetensors *file = tensors_open_good(tensors_path("empty"));
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
    tensors_write_bytes(tensors_path("type"), bytes, 8 + length + size);
    return tensors_open_good(tensors_path("type"));
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
    tensors_write_bytes(tensors_path("nan"), bytes, 10 + length);
    Safetensors *file = tensors_open_good(tensors_path("nan"));
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
    {X("[2]", "[0,4]"), 4, "its shape needs 8"},
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
    {X("[1]", "[4,0]"), 4, "are outside the data section"},
    {X("[1]", "[-4,0]"), 4, "are outside the data section"},
    {X("[2]", "[0,8]"), 4, "are outside the data section of 4"},
    {X("[1]", "[9223372036854775803,9223372036854775807]"), 4,
     "are outside the data section"},
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
    const char *path = tensors_path("broken");
    for (size_t k = 0; k < COUNT(broken); k++) {
        write_header(path, broken[k].json, broken[k].data);
        assert_refused(path, FAIL_DATA, broken[k].message);
    }
}

static void lengths_that_the_file_does_not_have_are_refused(void **state) {
    (void)state;
    const char *path = tensors_path("length");
    tensors_write_bytes(path, "1234567", 7);
    assert_refused(path, FAIL_DATA, "at least 8");
    tensors_write_bytes(path, "", 0);
    assert_refused(path, FAIL_DATA, "only 0 bytes");
    for (unsigned shift = 2; shift < 64; shift++) {
        uint64_t head[2] = {(uint64_t)1 << shift, 0x7d7b}; /* {} */
        if (head[0] <= 8) continue;
        tensors_write_bytes(path, head, sizeof head);
        assert_refused(path, FAIL_DATA, "the header should have");
    }
    tensors_write_bytes(path, "\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
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
    write_header(tensors_path("name"), json, 4);
    assert_refused(tensors_path("name"), FAIL_DATA, "600 bytes");
    text_format(json, sizeof json, "{\"x\":");
    memset(json + 5, '[', 50000);
    json[50005] = '\0';
    write_header(tensors_path("name"), json, 0);
    assert_refused(tensors_path("name"), FAIL_DATA, "header, near byte");
}

static void absent_files_and_folders_are_refused(void **state) {
    (void)state;
    assert_refused(tensors_path("absent"), FAIL_DATA, "No such file");
    assert_refused(tensors_folder(), FAIL_DATA, "regular file");
}

static void truncation_at_any_byte_is_refused(void **state) {
    (void)state;
    unsigned char bytes[4096];
    assert_int_equal(tensors_save_small(tensors_path("cut"), tensors_small, NULL), OK);
    size_t size = read_bytes(tensors_path("cut"), bytes, sizeof bytes);
    for (size_t cut = 0; cut < size; cut++) {
        tensors_write_bytes(tensors_path("cut"), bytes, cut);
        Err err = ERR_NONE;
        assert_null(safetensors_open(tensors_path("cut"), SAFETENSORS_VERIFY, &err));
        assert_int_equal(err.status, FAIL_DATA);
    }
}

static void a_flipped_bit_in_the_data_is_seen_unless_trusted(void **state) {
    (void)state;
    unsigned char bytes[4096];
    const char *path = tensors_path("flip");
    assert_int_equal(tensors_save_small(path, tensors_small, NULL), OK);
    size_t size = read_bytes(path, bytes, sizeof bytes);
    bytes[size - 3] ^= 4;
    tensors_write_bytes(path, bytes, size);
    assert_refused(path, FAIL_DATA, "damaged");
    Safetensors *file = safetensors_open(path, SAFETENSORS_TRUST, NULL);
    assert_non_null(file);
    safetensors_close(file);
}

static void a_file_cut_after_it_was_opened_fails_to_read(void **state) {
    (void)state;
    const char *path = tensors_path("later");
    assert_int_equal(tensors_save_small(path, tensors_small, NULL), OK);
    Safetensors *file = tensors_open_good(path);
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
    assert_int_equal(tensors_save_small(tensors_path("mutant"), tensors_small, NULL), OK);
    size_t size = read_bytes(tensors_path("mutant"), bytes, sizeof bytes);
    for (int round = 0; round < 500; round++) {
        memcpy(copy, bytes, size);
        for (int k = 0; k <= round % 4; k++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            size_t place = (size_t)(random >> 40) % size;
            unsigned pick = (unsigned)(random >> 20) & 0xfffff;
            copy[place] = round % 2 ? (unsigned char)digits[pick % (sizeof digits - 1)]
                                    : (unsigned char)pick;
        }
        tensors_write_bytes(tensors_path("mutant"), copy, size);
        try_all(tensors_path("mutant"));
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
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
    };
    return cmocka_run_group_tests_name("safetensors", cases, tensors_make_folder,
                                       tensors_remove_folder);
}
