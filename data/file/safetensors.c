#include "data/file/safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "data/file/openfile.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the data section is little-endian");

/* The limit of the reference implementation; a header of 100 MB is no header. */
#define HEADER_MAX ((size_t)100000000)
#define CHUNK ((size_t)1 << 20)

struct Safetensors {
    char *path;
    int fd;
    json_t *header;
    size_t data_begin, data_size; /* bytes in the file */
    SafetensorsEntry *entries;
    size_t count;
};

/* ---- numbers of other types ---- */

typedef void Convert(real *out, const void *bytes, size_t count);

#define CONVERT(function, type)                                                          \
    static void function(real *out, const void *bytes, size_t count) {                   \
        const type *in = bytes;                                                          \
        for (size_t i = 0; i < count; i++) out[i] = (real)in[i];                         \
    }

CONVERT(convert_f64, double)
CONVERT(convert_f32, float)

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A bfloat16 is the upper half of a float. */
static void convert_bf16(real *out, const void *bytes, size_t count) {
    const uint16_t *in = bytes;
    for (size_t i = 0; i < count; i++)
        out[i] = (real)float_of_bits((uint32_t)in[i] << 16);
}

/* Exponent and mantissa move to float's places, where they are too small by 2^112;
 * exponent 31 (infinity and NaN) becomes float's 255.  Exact. */
static float float_of_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = (uint32_t)(half & 0x7fff)
                                                            << 13;
    if (rest >= 0x0f800000) return float_of_bits(sign | 0x7f800000 | (rest & 0x7fffff));
    float size = float_of_bits(rest + (112u << 23));
    if (rest < 0x00800000) size = 2 * (size - float_of_bits(112u << 23));
    return sign ? -size : size;
}

static void convert_f16(real *out, const void *bytes, size_t count) {
    const uint16_t *in = bytes;
    for (size_t i = 0; i < count; i++) out[i] = (real)float_of_half(in[i]);
}

typedef struct Dtype {
    const char *name;
    size_t bytes;
    Convert *convert; /* NULL: whole numbers, which are never weights */
} Dtype;

static const Dtype dtypes[] = {
    {"F32", 4, convert_f32},   {"F64", 8, convert_f64}, {"F16", 2, convert_f16},
    {"BF16", 2, convert_bf16}, {"I64", 8, NULL},        {"I32", 4, NULL},
    {"I16", 2, NULL},          {"I8", 1, NULL},         {"U64", 8, NULL},
    {"U32", 4, NULL},          {"U16", 2, NULL},        {"U8", 1, NULL},
    {"BOOL", 1, NULL},
};
#define DTYPE_NAMES "F32 F64 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL"

static const Dtype *find_dtype(const char *name) {
    for (size_t i = 0; i < COUNT(dtypes); i++)
        if (!strcmp(dtypes[i].name, name)) return &dtypes[i];
    return NULL;
}

bool safetensors_is_real(const SafetensorsEntry *entry) {
    return find_dtype(entry->dtype)->convert != NULL;
}

/* ---- files ---- */

/* Bytes read; fewer than `size` at the end of the file, -1 with errno on failure. */
static ssize_t read_at(int fd, void *out, size_t size, size_t offset) {
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(fd, (char *)out + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static Status read_exactly(const Safetensors *file, void *out, size_t size, size_t offset,
                           Err *err) {
    ssize_t got = read_at(file->fd, out, size, offset);
    if (got < 0) return err_set(err, FAIL_RUN, "%s: %s", file->path, strerror(errno));
    if ((size_t)got < size)
        return err_set(err, FAIL_DATA, "%s: ends at byte %zu, expected %zu bytes",
                       file->path, offset + (size_t)got, offset + size);
    return OK;
}

/* ---- header: one entry ---- */

#define BAD(...) err_set(err, FAIL_DATA, __VA_ARGS__)

static Status parse_shape(const char *path, SafetensorsEntry *entry, json_t *shape,
                          Err *err) {
    if (!json_is_array(shape))
        return BAD("%s: tensor %s has no list \"shape\"", path, entry->name);
    if (json_array_size(shape) > SAFETENSORS_DIMS)
        return BAD("%s: tensor %s has %zu dimensions, at most %d are supported", path,
                   entry->name, json_array_size(shape), SAFETENSORS_DIMS);
    entry->dims = (int)json_array_size(shape);
    entry->count = 1;
    for (int d = 0; d < entry->dims; d++) {
        json_t *number = json_array_get(shape, (size_t)d);
        if (!json_is_integer(number) || json_integer_value(number) < 0)
            return BAD("%s: tensor %s: dimension %d is not an integer >= 0", path,
                       entry->name, d);
        entry->shape[d] = (size_t)json_integer_value(number);
        if (!size_mul(entry->count, entry->shape[d], &entry->count))
            return BAD("%s: tensor %s: the product of its shape overflows", path,
                       entry->name);
    }
    return OK;
}

static Status parse_offsets(const char *path, SafetensorsEntry *entry, json_t *offsets,
                            size_t data_size, Err *err) {
    json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return BAD("%s: tensor %s: \"data_offsets\" is not [begin, end]", path,
                   entry->name);
    json_int_t first = json_integer_value(begin), last = json_integer_value(end);
    if (first < 0 || last < first || (uint64_t)last > data_size)
        return BAD(
            "%s: tensor %s: data_offsets [%lld, %lld] are outside the data section of "
            "%zu bytes (is the file truncated?)",
            path, entry->name, (long long)first, (long long)last, data_size);
    entry->begin = (size_t)first;
    if (entry->bytes != (size_t)(last - first))
        return BAD("%s: tensor %s: data_offsets span %lld bytes, but its shape needs "
                   "%zu",
                   path, entry->name, (long long)(last - first), entry->bytes);
    return OK;
}

/* Names go into messages, which are one line and leave the terminal as it is. */
static bool is_printable(const char *name) {
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) return false;
    return *name != '\0';
}

static Status parse_entry(const char *path, SafetensorsEntry *entry, json_t *value,
                          size_t data_size, Err *err) {
    if (strlen(entry->name) > SAFETENSORS_NAME_MAX)
        return BAD("%s: the tensor name %.60s... has %zu bytes, at most %d are "
                   "supported",
                   path, entry->name, strlen(entry->name), SAFETENSORS_NAME_MAX);
    if (!is_printable(entry->name))
        return BAD("%s: a tensor name is empty or has control characters", path);
    if (!json_is_object(value))
        return BAD("%s: tensor %s is not described by a JSON object", path, entry->name);
    const char *name = json_string_value(json_object_get(value, "dtype"));
    const Dtype *dtype = name ? find_dtype(name) : NULL;
    if (!dtype)
        return BAD("%s: tensor %s: dtype is \"%.40s\", expected one of %s", path,
                   entry->name, name ? name : "", DTYPE_NAMES);
    entry->dtype = dtype->name;
    if (parse_shape(path, entry, json_object_get(value, "shape"), err)) return FAIL_DATA;
    if (!size_mul(entry->count, dtype->bytes, &entry->bytes))
        return BAD("%s: tensor %s: the product of its shape overflows", path,
                   entry->name);
    return parse_offsets(path, entry, json_object_get(value, "data_offsets"), data_size,
                         err);
}

/* ---- header: the whole ---- */

static Status check_metadata(const char *path, json_t *metadata, Err *err) {
    if (!json_is_object(metadata))
        return BAD("%s: __metadata__ is not a JSON object", path);
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value))
            return BAD("%s: __metadata__: %.100s is not a string", path, key);
    }
    return OK;
}

static Status parse_entries(Safetensors *file, Err *err) {
    file->entries = mem_zalloc(json_object_size(file->header) * sizeof *file->entries);
    const char *key;
    json_t *value;
    json_object_foreach(file->header, key, value) {
        Status status;
        if (!strcmp(key, "__metadata__")) {
            status = check_metadata(file->path, value, err);
        } else {
            SafetensorsEntry *entry = &file->entries[file->count++];
            entry->name = key;
            status = parse_entry(file->path, entry, value, file->data_size, err);
        }
        if (status) return status;
    }
    return OK;
}

static int compare_places(const void *left, const void *right) {
    const SafetensorsEntry *a = left, *b = right;
    if (a->begin != b->begin) return a->begin < b->begin ? -1 : 1;
    if (a->bytes != b->bytes) return a->bytes < b->bytes ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* The tensors cover the data section, each byte once. */
static Status check_cover(Safetensors *file, Err *err) {
    if (file->count)
        qsort(file->entries, file->count, sizeof *file->entries, compare_places);
    size_t next = 0;
    for (size_t i = 0; i < file->count; i++) {
        const SafetensorsEntry *e = &file->entries[i];
        if (e->begin != next)
            return BAD("%s: tensor %s begins at data byte %zu, expected %zu (%s)",
                       file->path, e->name, e->begin, next,
                       e->begin < next ? "an overlap" : "a hole");
        next += e->bytes;
    }
    if (next != file->data_size)
        return BAD("%s: the tensors have %zu bytes, but the data section has %zu",
                   file->path, next, file->data_size);
    return OK;
}

/* The first byte is to be '{'; behind the object only spaces. */
static Status parse_header(Safetensors *file, const char *text, size_t size, Err *err) {
    json_error_t error;
    if (size == 0 || text[0] != '{')
        return BAD("%s: the header does not begin with '{': not a safetensors file",
                   file->path);
    file->header = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    if (!file->header)
        return BAD("%s: header, near byte %d: %s", file->path, 8 + error.position,
                   error.text);
    Status status = parse_entries(file, err);
    return status ? status : check_cover(file, err);
}

static Status file_size(const Safetensors *file, size_t *size, Err *err) {
    struct stat info;
    if (fstat(file->fd, &info))
        return err_set(err, FAIL_RUN, "%s: %s", file->path, strerror(errno));
    *size = (size_t)info.st_size;
    return OK;
}

static Status read_header(Safetensors *file, Err *err) {
    size_t size = 0;
    uint64_t length = 0;
    Status status = file_size(file, &size, err);
    if (status) return status;
    if (size < 8)
        return BAD("%s: only %zu bytes; a safetensors file has at least 8", file->path,
                   size);
    if ((status = read_exactly(file, &length, 8, 0, err))) return status;
    if (length > HEADER_MAX || length > size - 8)
        return BAD(
            "%s: the header should have %llu bytes, but only %zu follow its length "
            "field",
            file->path, (unsigned long long)length, size - 8);
    file->data_begin = 8 + (size_t)length;
    file->data_size = size - file->data_begin;
    char *text = mem_alloc((size_t)length);
    status = read_exactly(file, text, (size_t)length, 8, err);
    if (!status) status = parse_header(file, text, (size_t)length, err);
    mem_free(text);
    return status;
}

/* ---- checksum ---- */

static Status data_crc(const Safetensors *file, uint32_t *crc, Err *err) {
    unsigned char *chunk = mem_alloc(CHUNK);
    Status status = OK;
    *crc = 0;
    for (size_t done = 0; done < file->data_size && !status; done += CHUNK) {
        size_t size = MIN(CHUNK, file->data_size - done);
        status = read_exactly(file, chunk, size, file->data_begin + done, err);
        if (!status) *crc = (uint32_t)crc32(*crc, chunk, (uInt)size);
    }
    mem_free(chunk);
    return status;
}

static Status seen_crc(const Safetensors *file, char text[SAFETENSORS_CRC], Err *err) {
    uint32_t crc;
    Status status = data_crc(file, &crc, err);
    text_format(text, SAFETENSORS_CRC, "%08x", status ? 0 : crc);
    return status;
}

Status safetensors_crc(const Safetensors *file, char crc[SAFETENSORS_CRC], Err *err) {
    const char *known = safetensors_metadata(file, "crc32");
    if (!known || strlen(known) >= SAFETENSORS_CRC) return seen_crc(file, crc, err);
    text_format(crc, SAFETENSORS_CRC, "%s", known);
    return OK;
}

static Status verify_crc(const Safetensors *file, Err *err) {
    const char *wanted = safetensors_metadata(file, "crc32");
    if (!wanted) return OK;
    char seen[SAFETENSORS_CRC];
    Status status = seen_crc(file, seen, err);
    if (status) return status;
    if (strcmp(seen, wanted))
        return BAD("%s: the data are damaged: CRC-32 is %s, expected %.40s", file->path,
                   seen, wanted);
    return OK;
}

/* ---- reading ---- */

Safetensors *safetensors_open(const char *path, SafetensorsCheck check, Err *err) {
    return safetensors_open_in(path, NULL, check, err);
}

Safetensors *safetensors_open_in(const char *path, const char *root,
                                 SafetensorsCheck check, Err *err) {
    Safetensors *file = mem_zalloc(sizeof *file);
    file->path = mem_strdup(path);
    file->fd = openfile_read(path, root, err);
    Status status = file->fd < 0 ? FAIL_DATA : OK;
    if (!status) status = read_header(file, err);
    if (!status && check == SAFETENSORS_VERIFY) status = verify_crc(file, err);
    if (!status) return file;
    safetensors_close(file);
    return NULL;
}

void safetensors_close(Safetensors *file) {
    if (!file) return;
    if (file->fd >= 0) close(file->fd);
    json_decref(file->header);
    mem_free(file->entries);
    mem_free(file->path);
    mem_free(file);
}

size_t safetensors_count(const Safetensors *file) { return file->count; }

const SafetensorsEntry *safetensors_entry(const Safetensors *file, size_t i) {
    CHECK(i < file->count, "entry %zu of %zu", i, file->count);
    return &file->entries[i];
}

const SafetensorsEntry *safetensors_find(const Safetensors *file, const char *name) {
    for (size_t i = 0; i < file->count; i++)
        if (!strcmp(file->entries[i].name, name)) return &file->entries[i];
    return NULL;
}

bool safetensors_strip(Safetensors *file, const char *prefix) {
    size_t length = strlen(prefix);
    for (size_t i = 0; i < file->count; i++) {
        const char *name = file->entries[i].name;
        if (strncmp(name, prefix, length) != 0) continue;
        if (!name[length] || safetensors_find(file, name + length)) return false;
    }
    for (size_t i = 0; i < file->count; i++)
        if (!strncmp(file->entries[i].name, prefix, length))
            file->entries[i].name += length;
    return true;
}

const char *safetensors_metadata(const Safetensors *file, const char *key) {
    return json_string_value(
        json_object_get(json_object_get(file->header, "__metadata__"), key));
}

Status safetensors_read(const Safetensors *file, const SafetensorsEntry *entry, real *out,
                        size_t count, Err *err) {
    CHECK(count == entry->count, "%s: %zu numbers of %zu", entry->name, count,
          entry->count);
    const Dtype *dtype = find_dtype(entry->dtype);
    if (!dtype->convert)
        return BAD("%s: tensor %.200s has integers (%s); expected %s", file->path,
                   entry->name, entry->dtype, SAFETENSORS_REALS);
    size_t offset = file->data_begin + entry->begin, step = CHUNK / dtype->bytes;
    void *chunk = mem_alloc(CHUNK);
    Status status = OK;
    for (size_t done = 0; done < count && !status; done += step) {
        size_t here = MIN(step, count - done);
        status = read_exactly(file, chunk, here * dtype->bytes,
                              offset + done * dtype->bytes, err);
        if (!status) dtype->convert(out + done, chunk, here);
    }
    mem_free(chunk);
    return status ? err_wrap(err, "tensor %.200s", entry->name) : OK;
}
