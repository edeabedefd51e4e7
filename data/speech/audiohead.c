#include "data/speech/audiohead.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t little_endian(const uint8_t *b) {
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
           (uint32_t)b[3] << 24;
}

static bool take(int file, uint64_t at, void *bytes, size_t count) {
    return pread(file, bytes, count, (off_t)at) == (ssize_t)count;
}

static Status fail_short(const char *path, uint64_t promised, uint64_t there, Err *err) {
    return err_set(err, FAIL_DATA,
                   "%s is truncated: its header says %llu bytes of samples, but it has "
                   "%llu",
                   path, (unsigned long long)promised, (unsigned long long)there);
}

/* ---- WAV ---- */

/* SoX: 0x7FFFF000, whole frames */
enum { CHUNK = 8, RIFF_HEAD = 12, OPEN_END = 0x7FFF0000 };

/* "LIST", "id3 ": but "RIFF" is another file behind this one. */
static bool is_chunk(const uint8_t head[CHUNK], uint64_t left) {
    for (int i = 0; i < 4; i++)
        if (head[i] < ' ' || head[i] > '~') return false;
    return memcmp(head, "RIFF", 4) && little_endian(head + 4) <= left;
}

/* Where chunks from `at` on end. */
static uint64_t skip_chunks(int file, uint64_t at, uint64_t size) {
    uint8_t head[CHUNK];
    while (at + CHUNK <= size && take(file, at, head, CHUNK) &&
           is_chunk(head, size - at - CHUNK)) {
        uint64_t length = little_endian(head + 4);
        at += CHUNK + length + length % 2;
    }
    return MIN(at, size);
}

static bool only_zeros(int file, uint64_t at, uint64_t size) {
    uint8_t bytes[4096];
    for (size_t n; at < size; at += n) {
        n = (size_t)MIN(size - at, sizeof bytes);
        if (!take(file, at, bytes, n)) return false;
        for (size_t i = 0; i < n; i++)
            if (bytes[i]) return false;
    }
    return true;
}

/* Some writers leave out the byte that makes a chunk's length even. */
static size_t count_behind(int file, uint64_t end, bool odd, uint64_t size) {
    uint64_t at = skip_chunks(file, end, size), other = size;
    if (odd && at < size) other = skip_chunks(file, end - 1, size);
    if (at >= size || (odd && other >= size) || only_zeros(file, at, size)) return 0;
    return (size_t)(size - at);
}

static void add_patch(AudioHead *head, uint64_t at, uint64_t value) {
    uint32_t narrow = (uint32_t)MIN(value, (uint64_t)UINT32_MAX - 1);
    head->patch[head->patches].at = at;
    for (int i = 0; i < 4; i++)
        head->patch[head->patches].bytes[i] = (uint8_t)(narrow >> (8 * i));
    head->patches++;
}

/* The chunk of samples begins at `at`, says `length`, and the file has `left`. */
static Status judge_data(int file, const char *path, uint64_t at, uint64_t length,
                         uint64_t size, AudioHead *head, Err *err) {
    uint64_t left = size - at;
    bool open = length >= OPEN_END && length > left;
    if (!length && skip_chunks(file, at, size) < size && !only_zeros(file, at, size))
        open = true;
    if (open) {
        add_patch(head, 4, size - CHUNK);
        add_patch(head, at - 4, left);
    } else if (length > left) {
        return fail_short(path, length, left, err);
    } else {
        head->behind = count_behind(file, at + length + length % 2, length % 2, size);
    }
    return OK;
}

/* libsndfile says nothing of use here. */
static Status judge_format(int file, const char *path, uint64_t at, uint64_t length,
                           Err *err) {
    uint8_t format[16];
    if (length < sizeof format || !take(file, at, format, sizeof format)) return OK;
    unsigned channels = format[2] | (unsigned)format[3] << 8;
    uint32_t rate = little_endian(format + 4);
    if (channels && rate && rate <= INT32_MAX) return OK;
    return err_set(err, FAIL_DATA,
                   "%s is damaged: its header says %u channels of %u samples per second",
                   path, channels, (unsigned)rate);
}

static Status read_wav(int file, const char *path, uint64_t size, AudioHead *head,
                       Err *err) {
    uint8_t chunk[CHUNK];
    for (uint64_t at = RIFF_HEAD; at < size && take(file, at, chunk, CHUNK);) {
        uint64_t length = little_endian(chunk + 4);
        at += CHUNK;
        if (!memcmp(chunk, "data", 4))
            return judge_data(file, path, at, length, size, head, err);
        if (!memcmp(chunk, "fmt ", 4) && judge_format(file, path, at, length, err))
            return err->status;
        at += length + length % 2;
    }
    return OK;
}

/* ---- NIST SPHERE: a text of 1024 bytes before the samples ---- */

static uint64_t number_of(const char *text, const char *name, uint64_t otherwise) {
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : otherwise;
}

static Status read_sphere(int file, const char *path, uint64_t size, Err *err) {
    enum { HEAD = 1024 };
    char text[HEAD + 1] = "";
    if (!take(file, 0, text, HEAD)) return OK; /* libsndfile's to refuse */
    if (strstr(text, "shorten")) return OK;
    uint64_t count = number_of(text, "sample_count -i ", 0);
    uint64_t width = number_of(text, "sample_n_bytes -i ", 2) *
                     number_of(text, "channel_count -i ", 1);
    if (width > 0 && width < 4096 && count > (size - HEAD) / width && count < UINT32_MAX)
        return fail_short(path, count * width, size - HEAD, err);
    return OK;
}

Status audiohead_read(int file, const char *path, uint64_t size, AudioHead *head,
                      Err *err) {
    uint8_t first[RIFF_HEAD];
    *head = (AudioHead){0};
    if (!take(file, 0, first, RIFF_HEAD)) return OK;
    if (!memcmp(first, "RIFF", 4) && !memcmp(first + 8, "WAVE", 4))
        return read_wav(file, path, size, head, err);
    return memcmp(first, "NIST_1A", 7) ? OK : read_sphere(file, path, size, err);
}

void audiohead_patch(const AudioHead *head, uint64_t at, void *bytes, size_t count) {
    for (size_t p = 0; p < head->patches; p++)
        for (size_t i = 0; i < 4; i++) {
            uint64_t place = head->patch[p].at + i;
            if (place >= at && place - at < count)
                ((uint8_t *)bytes)[place - at] = head->patch[p].bytes[i];
        }
}

/* ---- others ---- */

Status audiohead_judge(const char *log, const char *path, Err *err) {
    static const char *const SIZES[] = {" SSND : ", "  Data Size   : "};
    long long promised, there;
    for (size_t i = 0; i < COUNT(SIZES); i++) {
        const char *line = strstr(log, SIZES[i]);
        if (line &&
            sscanf(line + strlen(SIZES[i]), "%lld (should be %lld)", &promised, &there) ==
                2 &&
            promised > there && promised < OPEN_END && there > 0)
            return fail_short(path, (uint64_t)promised, (uint64_t)there, err);
    }
    const char *frames = strstr(log, "Calculated frame count ");
    if (frames &&
        sscanf(frames,
               "Calculated frame count %lld does not match value from "
               "'ds64' chunk of %lld",
               &there, &promised) == 2 &&
        promised > there)
        return err_set(err, FAIL_DATA,
                       "%s is truncated: its header says %lld samples, but it has %lld",
                       path, promised, there);
    return OK;
}
