#ifdef HAVE_SNDFILE

#include "data/speech/audio.h"

#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file/openfile.h"
#include "data/speech/audiohead.h"
#include "data/speech/audiokind.h"
#include "data/speech/audiolevel.h"
#include "engine/core/grow.h"

#define SAMPLE_MOST                                                                      \
    1e9 /* 32768 times the sum of a frame stays far below what float holds */

typedef struct Reader {
    const char *path;
    int descriptor;
    sf_count_t size, at; /* of the file, in bytes */
    AudioHead head;
    SNDFILE *file;
    SF_INFO info;
    /* frames that are wanted; OPEN_END: to the end, wherever it is */
    size_t first, count;
} Reader;

#define OPEN_END SIZE_MAX

/* ---- opening ---- */

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
    count = MIN(count, MAX(r->size - r->at, 0));
    while (done < count) {
        ssize_t got =
            pread(r->descriptor, (char *)to + done, (size_t)(count - done), r->at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        audiohead_patch(&r->head, (uint64_t)r->at, (char *)to + done, (size_t)got);
        done += got;
        r->at += got;
    }
    return done;
}

static Status fail_unknown(Reader *r, Err *err) {
    char start[17], reason[201];
    text_format(reason, sizeof reason, "%.200s", sf_error_number(sf_error(NULL)));
    if (audiokind_refuse(r->descriptor, r->path, true, err)) return err->status;
    show_start(r->descriptor, start);
    return err_set(err, FAIL_DATA,
                   "%s cannot be read as a recording (%s); it begins with \"%s\"",
                   r->path, reason, start);
}

static Status open_sound(Reader *r, Err *err) {
    SF_VIRTUAL_IO way = {
        .get_filelen = size_of, .seek = seek, .read = take, .tell = tell};
    char log[4096] = "";
    if (audiokind_refuse(r->descriptor, r->path, false, err)) return err->status;
    r->file = sf_open_virtual(&way, SFM_READ, &r->info, r);
    if (!r->file) return fail_unknown(r, err);
    sf_command(r->file, SFC_GET_LOG_INFO, log, sizeof log - 1);
    return audiohead_judge(log, r->path, err);
}

static Status check_header(const Reader *r, Err *err) {
    const SF_INFO *info = &r->info;
    if (info->frames <= 0) return err_set(err, FAIL_DATA, "%s has no samples", r->path);
    if (info->samplerate < AUDIO_RATE_LEAST || info->samplerate > AUDIO_RATE_MOST)
        return err_set(err, FAIL_DATA,
                       "%s has %d samples per second; expected %d to %d; resample it",
                       r->path, info->samplerate, AUDIO_RATE_LEAST, AUDIO_RATE_MOST);
    if (info->channels < 1 || info->channels > AUDIO_CHANNELS_MOST)
        return err_set(err, FAIL_DATA, "%s has %d channels; expected 1 to %d", r->path,
                       info->channels, AUDIO_CHANNELS_MOST);
    return OK;
}

/* A FLAC encoder that wrote into a pipe could not say. */
static bool is_open(const Reader *r) { return r->info.frames == SF_COUNT_MAX; }

static Status fail_short(const Reader *r, Err *err) {
    if (is_open(r)) return err_set(err, FAIL_DATA, "%s is truncated or damaged", r->path);
    return err_set(err, FAIL_DATA,
                   "%s is truncated or damaged: its header says %.1f s, which cannot "
                   "be read completely",
                   r->path, (double)r->info.frames / r->info.samplerate);
}

static Status fail_behind(const Reader *r, const AudioSpan *span, size_t frames,
                          Err *err) {
    return err_set(err, FAIL_DATA, "%s lasts only %.3f s and has nothing from %g s on",
                   r->path, (double)frames / r->info.samplerate, span->start);
}

/* After the check of the end: a wrong header is reported as such. */
static Status check_length(const Reader *r, size_t count, Err *err) {
    double seconds = (double)count / r->info.samplerate;
    if (seconds <= AUDIO_SECONDS_MOST) return OK;
    return err_set(err, FAIL_DATA,
                   "%s is %.0f s long, more than an hour; split it into utterances",
                   r->path, seconds);
}

/* Frames of a span. */
static Status choose_frames(Reader *r, const AudioSpan *span, Err *err) {
    double rate = r->info.samplerate, frames = (double)r->info.frames;
    AudioSpan whole = {0};
    if (!span) span = &whole;
    double first = round(span->start * rate), count = round(span->seconds * rate);
    CHECK(span->start >= 0 && span->seconds >= 0, "a span of %g s from %g s",
          span->seconds, span->start);
    if (first >= frames) return fail_behind(r, span, (size_t)r->info.frames, err);
    r->first = (size_t)first;
    r->count = is_open(r) ? OPEN_END : (size_t)(frames - first);
    if (span->seconds > 0 && count < (double)r->count) r->count = (size_t)fmax(count, 1);
    return OK;
}

static Status begin(Reader *r, const AudioSpan *span, Err *err) {
    struct stat stat;
    if (fstat(r->descriptor, &stat) || !S_ISREG(stat.st_mode))
        return err_set(err, FAIL_DATA, "%s is not a regular file", r->path);
    if (!stat.st_size) return err_set(err, FAIL_DATA, "%s is empty (0 bytes)", r->path);
    r->size = stat.st_size;
    if (audiohead_read(r->descriptor, r->path, (uint64_t)stat.st_size, &r->head, err))
        return err->status;
    r->size -= (sf_count_t)r->head.behind; /* another file perhaps; players stop there */
    if (open_sound(r, err) || check_header(r, err)) return err->status;
    return choose_frames(r, span, err);
}

static Status read_last(const Reader *r, Err *err) {
    float frame[AUDIO_CHANNELS_MOST];
    if (is_open(r)) return OK;
    if (sf_seek(r->file, r->info.frames - 1, SEEK_SET) != r->info.frames - 1 ||
        sf_readf_float(r->file, frame, 1) != 1 || sf_error(r->file))
        return fail_short(r, err);
    return OK;
}

/* ---- samples ---- */

enum { BLOCK = 1 << 14 }; /* of values of all channels */

/* Means over channels, or one of them (from 1); the place of the first bad one, or
 * `count`. */
static size_t mix_down(const float *from, size_t count, size_t channels, size_t channel,
                       float *to) {
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t c = 0; c < channels; c++) sum += (double)from[i * channels + c];
        to[i] = (float)(sum / (double)channels);
        if (channel) to[i] = from[i * channels + channel - 1];
        if (!(fabs(sum) <= SAMPLE_MOST)) return i; /* NaN is not <= anything */
    }
    return count;
}

/* How a recording is gone through. */
typedef struct Pass {
    bool keep;      /* its samples */
    bool to_sound;  /* no further than to the first sound */
    size_t channel; /* from 1; 0: the mean of all */
    AudioLevel level;
} Pass;

/* To the first frame that is wanted; where the length is not known,
 * through those before it. */
static bool go_to_first(const Reader *r) {
    float values[BLOCK];
    sf_count_t first = (sf_count_t)r->first, left = first;
    if (!is_open(r) || !first) return sf_seek(r->file, first, SEEK_SET) == first;
    if (sf_seek(r->file, 0, SEEK_SET)) return false;
    while (left > 0) {
        sf_count_t got =
            sf_readf_float(r->file, values,
                           MIN(left, (sf_count_t)(BLOCK / r->info.channels)));
        if (got <= 0) return false;
        left -= got;
    }
    return true;
}

/* One block to the end of what the audio holds. */
static Status take_block(const Reader *r, Pass *pass, const float *values, size_t got,
                         size_t done, Audio *audio, Err *err) {
    size_t channels = (size_t)r->info.channels;
    audio->count = pass->keep ? done : 0;
    GROW(audio->samples, audio->count, audio->room, got);
    float *to = audio->samples + audio->count;
    size_t good = mix_down(values, got, channels, pass->channel, to);
    audiolevel_add(&pass->level, values, good, to);
    if (good == got) return OK;
    return err_set(err, FAIL_DATA,
                   "%s: the sample at %.3f s is not a finite number below 1e9", r->path,
                   (double)(r->first + done + good) / r->info.samplerate);
}

/* Memory grows with what is read, not with what the header says. */
static Status read_all(Reader *r, Pass *pass, Audio *audio, Err *err) {
    float values[BLOCK];
    size_t channels = (size_t)r->info.channels, done = 0;
    bool open = is_open(r);
    audiolevel_begin(&pass->level, channels);
    if (!go_to_first(r)) return fail_short(r, err);
    while (done < r->count) {
        size_t want = MIN(BLOCK / channels, r->count - done);
        sf_count_t got = sf_readf_float(r->file, values, (sf_count_t)want);
        if (!got && open && !sf_error(r->file)) break;
        if (got <= 0 || sf_error(r->file)) return fail_short(r, err);
        if (take_block(r, pass, values, (size_t)got, done, audio, err))
            return err->status;
        done += (size_t)got;
        if (check_length(r, done, err)) return err->status;
        if (pass->to_sound && !open && !audiolevel_silent(&pass->level)) break;
    }
    if (open) r->count = done;
    if (done) return OK;
    return err_set(err, FAIL_DATA, "%s has no samples", r->path);
}

/* The channel that is used where they cancel each other needs a second pass. */
static Status read_twice(Reader *r, Pass *pass, Audio *audio, Err *err) {
    if (read_all(r, pass, audio, err)) return err->status;
    audio->traits = audiolevel_traits(&pass->level);
    audio->traits.behind = r->head.behind;
    if (!pass->keep || !audio->traits.channel) return OK;
    pass->channel = audio->traits.channel;
    return read_all(r, pass, audio, err);
}

static bool holds_floats(const Reader *r) {
    int kind = r->info.format & SF_FORMAT_SUBMASK;
    return kind == SF_FORMAT_FLOAT || kind == SF_FORMAT_DOUBLE;
}

static Status read_or_check(Reader *r, bool keep, bool thorough, Audio *audio, Err *err) {
    Pass pass = {.keep = keep, .to_sound = !keep && !thorough && !holds_floats(r)};
    size_t known = is_open(r) ? 0 : r->count;
    if ((!keep || known > (size_t)r->info.samplerate * AUDIO_SECONDS_MOST) &&
        read_last(r, err))
        return err->status;
    if (check_length(r, known, err) || read_twice(r, &pass, audio, err))
        return err->status;
    audio->count = r->count;
    audio->rate = (size_t)r->info.samplerate;
    audio->whole = is_open(r) ? r->first + r->count : (size_t)r->info.frames;
    return OK;
}

static Status run(const char *path, const AudioSpan *span, bool keep, bool thorough,
                  Audio *audio, Err *err) {
    Err own = ERR_NONE;
    if (!err) err = &own;
    Reader r = {.path = path};
    audio->count = 0;
    r.descriptor = openfile_read(path, NULL, err);
    if (r.descriptor < 0) return FAIL_DATA;
    Status status = begin(&r, span, err);
    audio->rate = (size_t)MAX(r.info.samplerate, 0);
    audio->whole = is_open(&r) ? 0 : (size_t)MAX(r.info.frames, 0);
    if (!status) status = read_or_check(&r, keep, thorough, audio, err);
    if (r.file) sf_close(r.file);
    close(r.descriptor);
    return status;
}

Status audio_read(const char *path, const AudioSpan *span, Audio *audio, Err *err) {
    return run(path, span, true, true, audio, err);
}

Status audio_check(const char *path, const AudioSpan *span, bool thorough, Audio *audio,
                   Err *err) {
    return run(path, span, false, thorough, audio, err);
}

void audio_free(Audio *audio) {
    mem_free(audio->samples);
    *audio = (Audio){0};
}

#endif
