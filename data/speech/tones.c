#include "data/speech/tones.h"

#include <math.h>
#include <string.h>

#include "data/speech/sources.h"
#include "engine/core/rng.h"

static const double PI = 3.14159265358979323846;

static const char *const WORDS[] = {"zero", "one", "two",   "three", "four",
                                    "five", "six", "seven", "eight", "nine"};

/* One stream decides on words, another on the voice, a third is the noise. */
enum { STREAM_WORDS, STREAM_VOICE, STREAM_NOISE, STREAMS };

static RngCursor stream_of(uint64_t seed, Split split, size_t i, unsigned stream) {
    uint64_t purpose = RNG_SYNTHETIC + 16 + STREAMS * (uint64_t)split + stream;
    return (RngCursor){rng_make(seed, purpose, i), 0};
}

void tones_text(uint64_t seed, Split split, size_t i, TextBuffer *text) {
    RngCursor dice = stream_of(seed, split, i, STREAM_WORDS);
    size_t count = 1 + (size_t)(rng_next(&dice) * TONES_WORDS_MOST);
    text_clear(text);
    for (size_t k = 0; k < count; k++) {
        const char *word = WORDS[(size_t)(rng_next(&dice) * COUNT(WORDS))];
        if (k) text_append_byte(text, ' ');
        text_append(text, word, strlen(word));
    }
}

/* ---- the voice ---- */

typedef struct Voice {
    double letter, breath; /* seconds */
    double pitch, loudness, noise;
} Voice;

static Voice voice_of(uint64_t seed, Split split, size_t i) {
    RngCursor dice = stream_of(seed, split, i, STREAM_VOICE);
    double speed = rng_next_between(&dice, 0.85, 1.2);
    Voice v = {.letter = 0.09 / speed, .breath = 0.12 / speed};
    v.pitch = rng_next_between(&dice, 0.93, 1.07);
    v.loudness = rng_next_between(&dice, 0.1, 0.35);
    v.noise = v.loudness * rng_next_between(&dice, 0.01, 0.1);
    return v;
}

/* Two tones of a letter, one of 5 and one of 6, a factor of 1.2 apart: more
 * than pitches differ. */
static void tones_of(char letter, double hertz[2]) {
    size_t k = (size_t)(letter - 'a');
    hertz[0] = 300 * pow(1.2, (double)(k % 5));
    hertz[1] = 1000 * pow(1.2, (double)(k / 5 * 7 % 6));
}

static size_t samples_in(double seconds) { return (size_t)llround(seconds * TONES_RATE); }

static size_t length_of(const Voice *v, const TextBuffer *text) {
    size_t count = 2 * samples_in(v->breath);
    for (size_t k = 0; k < text->length; k++)
        count += samples_in(text->text[k] == ' ' ? v->breath : v->letter);
    return count;
}

/* Up and down again within a letter, so that a letter twice is two. */
static void add_letter(const Voice *v, char letter, float *to, size_t count) {
    double hertz[2];
    tones_of(letter, hertz);
    for (size_t i = 0; i < count; i++) {
        double t = (double)i / TONES_RATE;
        double edge = sin(PI * ((double)i + 0.5) / (double)count);
        double wave =
            sin(2 * PI * hertz[0] * v->pitch * t) + sin(2 * PI * hertz[1] * v->pitch * t);
        to[i] += (float)(v->loudness * sqrt(edge) * wave);
    }
}

static void add_noise(const Voice *v, RngCursor dice, float *to, size_t count) {
    for (size_t i = 0; i < count; i++)
        to[i] += (float)(v->noise * rng_next_between(&dice, -1.7, 1.7));
}

void tones_audio(uint64_t seed, Split split, size_t i, Audio *audio) {
    TextBuffer text = {0};
    Voice v = voice_of(seed, split, i);
    tones_text(seed, split, i, &text);
    size_t count = length_of(&v, &text), at = samples_in(v.breath);
    if (count > audio->room) {
        MEM_DROP(audio->samples);
        audio->samples = mem_alloc(count * sizeof *audio->samples);
        audio->room = count;
    }
    audio->count = count;
    audio->rate = TONES_RATE;
    memset(audio->samples, 0, count * sizeof *audio->samples);
    for (size_t k = 0; k < text.length; k++) {
        bool breath = text.text[k] == ' ';
        size_t size = samples_in(breath ? v.breath : v.letter);
        if (!breath) add_letter(&v, text.text[k], audio->samples + at, size);
        at += size;
    }
    add_noise(&v, stream_of(seed, split, i, STREAM_NOISE), audio->samples, count);
    text_free(&text);
}

size_t tones_length(uint64_t seed, Split split, size_t i) {
    TextBuffer text = {0};
    Voice v = voice_of(seed, split, i);
    tones_text(seed, split, i, &text);
    size_t count = length_of(&v, &text);
    text_free(&text);
    return count;
}

/* ---- the source ---- */

enum { TONES_SEED = 1, HELD_OUT_SHARE = 5 };
enum { TONES_BYTES = 100 }; /* name, text and labels of an utterance, at least */

static Status make(SpeechFill *fill, Split split, Err *err) {
    (void)err;
    SpeechSet *set = fill->set;
    size_t count = set->config.synthetic_count;
    if (split) count = MAX(count / HELD_OUT_SHARE, (size_t)1);
    mem_expect((double)count * (sizeof(SpeechItem) + TONES_BYTES),
               "data.synthetic_count");
    speech_begin_list(fill, "tones");
    for (size_t i = 0; i < count; i++) {
        char path[40];
        text_format(path, sizeof path, "tones-%zu", i + 1);
        tones_text(TONES_SEED, split, i, &fill->clean);
        speech_add_clean(fill, path, fill->clean.text, i + 1);
        set->item[i].samples = tones_length(TONES_SEED, split, i);
        set->item[i].rate = TONES_RATE;
    }
    set->report.listed = count;
    return OK;
}

static void read_item(const SpeechSet *set, const SpeechItem *item, Audio *audio) {
    tones_audio(TONES_SEED, set->split, item->line - 1, audio);
}

const SpeechSource tones_source = {.make = make, .read_item = read_item};
