#include "sounds.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"

double sound_ramp(size_t i) {
    return 0.5 * sin((double)i * 0.3) + 0.4 * ((double)(i % 1000) / 500 - 1);
}

static size_t put(uint8_t *to, uint64_t value, size_t bytes) {
    for (size_t k = 0; k < bytes; k++) to[k] = (uint8_t)(value >> (8 * k));
    return bytes;
}

static size_t put_sample(uint8_t *to, double x, unsigned bits, bool floats) {
    float narrow = (float)x;
    if (floats)
        return memcpy(to, bits == 64 ? (void *)&x : (void *)&narrow, bits / 8), bits / 8;
    int64_t value = llround(x * ldexp(1, (int)bits - 1));
    return put(to, (uint64_t)(bits == 8 ? value + 128 : value), bits / 8);
}

static void write_wav(const char *root, const char *name, unsigned bits,
                      unsigned channels, bool floats, size_t count) {
    size_t frame = bits / 8 * channels, size = count * frame;
    uint8_t *bytes = mem_alloc(44 + size), *at = bytes;
    memcpy(at, "RIFF", 4), put(at + 4, 36 + size, 4);
    memcpy(at + 8, "WAVEfmt ", 8), put(at + 16, 16, 4);
    put(at + 20, floats ? 3 : 1, 2), put(at + 22, channels, 2);
    put(at + 24, 8000, 4), put(at + 28, 8000 * frame, 4);
    put(at + 32, frame, 2), put(at + 34, bits, 2);
    memcpy(at + 36, "data", 4), put(at + 40, size, 4);
    at += 44;
    for (size_t i = 0; i < count; i++)
        for (unsigned c = 0; c < channels; c++) {
            double lean = channels % 2 && c + 1 == channels ? 0 : c % 2 ? 0.05 : -0.05;
            at += put_sample(at, sound_ramp(i) + lean, bits, floats);
        }
    files_write(root, name, bytes, 44 + size);
    mem_free(bytes);
}

void sound_wav_by(const char *root, const char *name, unsigned channels, size_t count,
                  double (*value)(size_t i, unsigned c)) {
    uint8_t *bytes = mem_alloc(44 + 2 * channels * count), *at = bytes;
    write_wav(root, name, 16, channels, false, count);
    size_t size;
    uint8_t *head = files_read(root, name, &size);
    memcpy(bytes, head, 44);
    mem_free(head);
    at += 44;
    for (size_t i = 0; i < count; i++)
        for (unsigned c = 0; c < channels; c++)
            at += put_sample(at, value(i, c), 16, false);
    files_write(root, name, bytes, size);
    mem_free(bytes);
}

void sound_wav(const char *root, const char *name, unsigned bits, unsigned channels,
               bool floats) {
    write_wav(root, name, bits, channels, floats, SOUND_COUNT);
}

void sound_wav_of(const char *root, const char *name, double seconds) {
    write_wav(root, name, 16, 1, false, (size_t)llround(seconds * 8000));
}

static void patch_bytes(const char *root, const char *name, size_t at,
                        const uint8_t *value, size_t n) {
    size_t size;
    uint8_t *bytes = files_read(root, name, &size);
    assert_true(at + n <= size);
    memcpy(bytes + at, value, n);
    files_write(root, name, bytes, size);
    mem_free(bytes);
}

void sound_patch(const char *root, const char *name, size_t at, uint32_t value) {
    uint8_t bytes[4];
    put(bytes, value, 4);
    patch_bytes(root, name, at, bytes, 4);
}

/* STREAMINFO: the count's 36 bits end at byte 25. */
void sound_patch_flac_count(const char *root, const char *name, uint64_t samples) {
    uint8_t bytes[4];
    for (int k = 0; k < 4; k++) bytes[k] = (uint8_t)(samples >> (24 - 8 * k));
    patch_bytes(root, name, 22, bytes, 4);
}

#ifdef HAVE_SNDFILE
#include <sndfile.h>

static SNDFILE *create(const char *root, const char *name, unsigned bits,
                       unsigned channels) {
    char path[1100];
    files_write(root, name, "", 0); /* makes the folders */
    text_format(path, sizeof path, "%s/%s", root, name);
    SF_INFO info = {.samplerate = 8000, .channels = (int)channels};
    info.format = SF_FORMAT_FLAC | (bits == 24 ? SF_FORMAT_PCM_24 : SF_FORMAT_PCM_16);
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    return file;
}

void sound_flac(const char *root, const char *name, unsigned bits, unsigned channels) {
    SNDFILE *file = create(root, name, bits, channels);
    for (size_t i = 0; i < SOUND_COUNT; i++) {
        double frame[2] = {sound_ramp(i), sound_ramp(i)};
        assert_int_equal(sf_writef_double(file, frame, 1), 1);
    }
    sf_close(file);
}

void sound_in(const char *root, const char *name, int format) {
    char path[1100];
    files_write(root, name, "", 0);
    text_format(path, sizeof path, "%s/%s", root, name);
    SF_INFO info = {.samplerate = 8000, .channels = 1, .format = format};
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    for (size_t i = 0; i < SOUND_COUNT; i++) {
        double value = sound_ramp(i);
        assert_int_equal(sf_writef_double(file, &value, 1), 1);
    }
    sf_close(file);
}

void sound_silence_flac(const char *root, const char *name, size_t seconds) {
    SNDFILE *file = create(root, name, 16, 1);
    short zeros[8000] = {0};
    for (size_t i = 0; i < seconds; i++)
        assert_int_equal(sf_writef_short(file, zeros, 8000), 8000);
    sf_close(file);
}
#endif
