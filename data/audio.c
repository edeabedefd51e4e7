#ifdef HAVE_SNDFILE

#include "data/audio.h"

#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/openfile.h"

#define SAMPLE_MOST                                                                      \
    1e9 /* 32768 times the sum of a frame stays far below what float holds */

typedef struct Reader {
    const char *path;
    int descriptor;
    sf_count_t size, at; /* of the file, in bytes */
    SNDFILE *file;
    SF_INFO info;
} Reader;

/* ---- opening ---- */

static uint32_t little_endian(const uint8_t *b) {
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
           (uint32_t)b[3] << 24;
}

/* libsndfile cuts a WAV header's promise down to the file without a word; so the chunks are walked
 * here.  0 and 0xFFFFFFFF are what a program writes that streams and cannot go back. */
static Status check_wav(int file, const char *path, uint64_t size, Err *err) {
    uint8_t head[12];
    if (pread(file, head, 12, 0) != 12 || memcmp(head, "RIFF", 4) ||
        memcmp(head + 8, "WAVE", 4))
        return OK;
    for (uint64_t at = 12; pread(file, head, 8, (off_t)at) == 8;) {
        uint64_t length = little_endian(head + 4);
        at += 8;
        if (!memcmp(head, "data", 4)) {
            if (!length || length == UINT32_MAX || length <= size - at) return OK;
            return err_set(err, FAIL_DATA,
                           "%s is cut short: its header promises %llu bytes of samples, "
                           "%llu are there",
                           path, (unsigned long long)length,
                           (unsigned long long)(size - at));
        }
        at += length + length % 2;
        if (at >= size) break;
    }
    return OK;
}

/* The first bytes as people see them: "hell?". */
static void show_start(int file, char text[17]) {
    char bytes[16];
    ssize_t count = pread(file, bytes, sizeof bytes, 0);
    for (ssize_t i = 0; i < count; i++)
        text[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
    text[MAX(count, 0)] = 0;
}

/* ---- libsndfile's way to the bytes: sf_open_fd closes a descriptor that it does not like ---- */

static sf_count_t size_of(void *r) { return ((Reader *)r)->size; }
static sf_count_t tell(void *r) { return ((Reader *)r)->at; }

static sf_count_t seek(sf_count_t offset, int whence, void *reader) {
    Reader *r = reader;
    if (whence == SEEK_CUR) offset += r->at;
    if (whence == SEEK_END) offset += r->size;
    if (offset >= 0) r->at = offset;
    return r->at;
}

static sf_count_t take(void *to, sf_count_t count, void *reader) {
    Reader *r = reader;
    sf_count_t done = 0;
    while (done < count) {
        ssize_t got =
            pread(r->descriptor, (char *)to + done, (size_t)(count - done), r->at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        done += got;
        r->at += got;
    }
    return done;
}

static Status open_sound(Reader *r, Err *err) {
    SF_VIRTUAL_IO way = {
        .get_filelen = size_of, .seek = seek, .read = take, .tell = tell};
    char start[17];
    r->file = sf_open_virtual(&way, SFM_READ, &r->info, r);
    if (r->file) return OK;
    const char *reason = sf_error_number(sf_error(NULL));
    show_start(r->descriptor, start);
    return err_set(
        err, FAIL_DATA,
        "%s is not a recording that can be read (%.200s); it begins with \"%s\"", r->path,
        reason, start);
}

static Status check_header(const Reader *r, Err *err) {
    const SF_INFO *info = &r->info;
    if (info->frames <= 0) return err_set(err, FAIL_DATA, "%s holds no samples", r->path);
    if (info->frames == SF_COUNT_MAX) /* a FLAC encoder that wrote into a pipe */
        return err_set(err, FAIL_DATA,
                       "%s does not say how long it is: encode it again into a file",
                       r->path);
    if (info->samplerate < AUDIO_RATE_LEAST || info->samplerate > AUDIO_RATE_MOST)
        return err_set(err, FAIL_DATA,
                       "%s has %d samples a second; %d ... %d are read: resample it",
                       r->path, info->samplerate, AUDIO_RATE_LEAST, AUDIO_RATE_MOST);
    if (info->channels < 1 || info->channels > AUDIO_CHANNELS_MOST)
        return err_set(err, FAIL_DATA, "%s has %d channels; 1 ... %d are read", r->path,
                       info->channels, AUDIO_CHANNELS_MOST);
    return OK;
}

static double seconds_of(const Reader *r) {
    return (double)r->info.frames / r->info.samplerate;
}

static Status fail_short(const Reader *r, Err *err) {
    return err_set(err, FAIL_DATA,
                   "%s is cut short or damaged: its header promises %.1f s, which cannot "
                   "be read to their end",
                   r->path, seconds_of(r));
}

/* After the check of the end: a wrong header is told as such. */
static Status check_length(const Reader *r, Err *err) {
    if (seconds_of(r) <= AUDIO_SECONDS_MOST) return OK;
    return err_set(err, FAIL_DATA,
                   "%s is %.0f s long, more than an hour: cut it into utterances",
                   r->path, seconds_of(r));
}

static Status begin(Reader *r, Err *err) {
    struct stat stat;
    if (fstat(r->descriptor, &stat) || !S_ISREG(stat.st_mode))
        return err_set(err, FAIL_DATA, "%s is not a regular file", r->path);
    if (!stat.st_size) return err_set(err, FAIL_DATA, "%s is empty (0 bytes)", r->path);
    r->size = stat.st_size;
    if (check_wav(r->descriptor, r->path, (uint64_t)stat.st_size, err))
        return err->status;
    return open_sound(r, err) ? err->status : check_header(r, err);
}

static Status read_last(const Reader *r, Err *err) {
    float frame[AUDIO_CHANNELS_MOST];
    if (sf_seek(r->file, r->info.frames - 1, SEEK_SET) != r->info.frames - 1 ||
        sf_readf_float(r->file, frame, 1) != 1 || sf_error(r->file))
        return fail_short(r, err);
    return OK;
}

/* ---- samples ---- */

enum { BLOCK = 1 << 14 }; /* of values of all channels */

/* Means over channels; the place of the first bad one, or `count`. */
static size_t mix_down(const float *from, size_t count, size_t channels, float *to) {
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t c = 0; c < channels; c++) sum += (double)from[i * channels + c];
        to[i] = (float)(sum / (double)channels);
        if (!(fabs(sum) <= SAMPLE_MOST)) return i; /* NaN is not <= anything */
    }
    return count;
}

static void need_room(Audio *audio, size_t count) {
    if (count <= audio->room) return;
    float *wider = mem_alloc(2 * count * sizeof *wider);
    if (audio->count) memcpy(wider, audio->samples, audio->count * sizeof *wider);
    mem_free(audio->samples);
    audio->samples = wider;
    audio->room = 2 * count;
}

/* Memory grows with what is read, not with what the header says.  `keep` NULL: only checked. */
static Status read_all(const Reader *r, Audio *audio, bool keep, Err *err) {
    float values[BLOCK];
    size_t channels = (size_t)r->info.channels, frames = (size_t)r->info.frames;
    for (size_t done = 0; done < frames;) {
        size_t want = MIN(BLOCK / channels, frames - done);
        sf_count_t got = sf_readf_float(r->file, values, (sf_count_t)want);
        if (got <= 0 || sf_error(r->file)) return fail_short(r, err);
        audio->count = keep ? done : 0;
        need_room(audio, audio->count + (size_t)got);
        size_t good =
            mix_down(values, (size_t)got, channels, audio->samples + audio->count);
        if (good < (size_t)got)
            return err_set(err, FAIL_DATA,
                           "%s: the sample at %.3f s is not a finite number below 1e9",
                           r->path, (double)(done + good) / r->info.samplerate);
        done += (size_t)got;
    }
    audio->count = frames;
    audio->rate = (size_t)r->info.samplerate;
    return OK;
}

static bool holds_floats(const Reader *r) {
    int kind = r->info.format & SF_FORMAT_SUBMASK;
    return kind == SF_FORMAT_FLOAT || kind == SF_FORMAT_DOUBLE;
}

static Status read_or_check(const Reader *r, Audio *audio, bool keep, Err *err) {
    if (keep || holds_floats(r)) {
        if (seconds_of(r) > AUDIO_SECONDS_MOST && read_last(r, err)) return err->status;
        return check_length(r, err) ? err->status : read_all(r, audio, keep, err);
    }
    audio->count = (size_t)r->info.frames;
    audio->rate = (size_t)r->info.samplerate;
    return read_last(r, err) ? err->status : check_length(r, err);
}

static Status run(const char *path, Audio *audio, bool keep, Err *err) {
    Err own = ERR_NONE;
    if (!err) err = &own;
    Reader r = {.path = path};
    audio->count = 0;
    r.descriptor = openfile_read(path, NULL, err);
    if (r.descriptor < 0) return FAIL_DATA;
    Status status = begin(&r, err);
    if (!status) status = read_or_check(&r, audio, keep, err);
    if (r.file) sf_close(r.file);
    close(r.descriptor);
    return status;
}

Status audio_read(const char *path, Audio *audio, Err *err) {
    return run(path, audio, true, err);
}

Status audio_check(const char *path, size_t *count, size_t *rate, Err *err) {
    Audio audio = {0};
    Status status = run(path, &audio, false, err);
    *count = audio.count;
    *rate = audio.rate;
    audio_free(&audio);
    return status;
}

void audio_free(Audio *audio) {
    mem_free(audio->samples);
    *audio = (Audio){0};
}

#endif
