/* predict: a line for each recording (tools/task/predict.h). */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "data/speech/audio.h"
#include "tools/program/output.h"
#include "tools/program/say.h"
#include "tools/program/stop.h"
#include "tools/run/rundir.h"
#include "tools/task/inputs.h"
#include "tools/task/predict.h"
#include "tools/task/transcribe/transcribe.h"

static void print_numbers(const char *name, const char *text, const real *z,
                          size_t rows) {
    json_t *logits = json_array();
    for (size_t t = 0; t < rows; t++)
        json_array_append_new(logits,
                              predict_numbers(z + t * SPEECH_LABELS, SPEECH_LABELS));
    json_t *object = json_pack("{s:o, s:s, s:o}", "input", json_text(name), "output",
                               text, "logits", logits);
    predict_print(object);
}

static Status transcribe_one(const PredictOptions *o, const PredictRun *run,
                             const char *name, const real *features, size_t frames,
                             Err *err) {
    TextBuffer text = {0};
    const real *z = transcript_of(transcribe_model(run->task), run->tape, &run->mode,
                                  name, features, frames, &text, err);
    if (!err->status && o->logits) print_numbers(name, text.text, z, speech_rows(frames));
    else if (!err->status) print_field(name), printf("\t%s\n", text.text);
    fflush(stdout);
    text_free(&text);
    return err->status;
}

/* ---- files ---- */

/* Tables of the rate that came last. */
typedef struct Tables {
    LogMel *mel;
    size_t rate, heard;
} Tables;

static const LogMel *tables_for(Tables *t, size_t rate, size_t heard) {
    if (t->rate != rate || t->heard != heard) {
        logmel_free(t->mel);
        *t = (Tables){logmel_new_played(heard, rate, SPEECH_FILTERS), rate, heard};
    }
    return t->mel;
}

/* What can be read, but not as one would expect. */
static void note_traits(const char *path, const Audio *audio) {
    const AudioTraits *t = &audio->traits;
    if (t->silent) say("steady: note: %s: silent (all samples equal)", path);
    if (t->channel)
        say("steady: note: %s: the channels cancel each other; using channel %zu, the "
            "loudest",
            path, t->channel);
    if (t->clipped >= AUDIO_CLIPPED)
        say("steady: note: %s: clipped, %.0f%% of it is at full scale", path,
            100 * t->clipped);
    if (t->behind)
        say("steady: note: %s: ignoring %zu bytes after the end of the sound", path,
            t->behind);
    if (!speech_rows(logmel_frames_at(audio->rate, audio->count)))
        say("steady: note: %s: %.3f s, too short for a letter", path,
            (double)audio->count / (double)audio->rate);
}

static Status transcribe_file(const PredictOptions *o, const PredictRun *run,
                              const char *path, const Audio *audio, Tables *tables,
                              Err *err) {
    size_t heard = transcribe_hear(run->task, audio->rate, path);
    note_traits(path, audio);
    const LogMel *mel = tables_for(tables, audio->rate, heard);
    size_t frames = logmel_frames(mel, audio->count);
    real *features =
        mem_alloc(MAX(frames, (size_t)1) * SPEECH_FILTERS * sizeof *features);
    logmel_compute(mel, audio->samples, audio->count, features);
    logmel_normalise(features, frames * SPEECH_FILTERS);
    Status status = transcribe_one(o, run, path, features, frames, err);
    mem_free(features);
    return status;
}

/* With data.on_error = skip a recording that cannot be transcribed is named and left
 * out. */
static void pass_over(const PredictRun *run, Err *err) {
    bool skip = run->task->recipe->data.on_error == ON_ERROR_SKIP;
    if (!skip || err->status != FAIL_DATA) return;
    fprintf(stderr, "steady predict: skipped: %s\n", err->text);
    *err = ERR_NONE;
}

static Status transcribe_files(const PredictOptions *o, const PredictRun *run,
                               const Inputs *files, Err *err) {
    size_t count = o->limit ? MIN(o->limit, files->count) : files->count;
    Tables tables = {0};
    Audio audio = {0};
    for (size_t i = 0; i < count && !err->status && !output_failed(); i++) {
        if (stop_requested()) err_set(err, FAIL_INTERRUPTED, "interrupted");
        else if (!audio_read(files->path[i], NULL, &audio, err))
            transcribe_file(o, run, files->path[i], &audio, &tables, err);
        pass_over(run, err);
    }
    audio_free(&audio);
    logmel_free(tables.mel);
    return err->status;
}

/* ---- the test split ---- */

static Status transcribe_split(const PredictOptions *o, const PredictRun *run, Err *err) {
    Split split = task_scored_split(run->task);
    SpeechSet *set = transcribe_set(run->task, split, err);
    if (!set)
        return err_wrap(err, "the %s split (or name recordings: steady predict RUN FILE)",
                        split_name(split));
    task_say_split(run->task, split);
    size_t count = o->limit ? MIN(o->limit, set->count) : set->count;
    for (size_t i = 0; i < count && !err->status && !output_failed(); i++) {
        const SpeechItem *item = &set->item[i];
        char name[2 * PATH_SIZE];
        speech_item_name(item, name, sizeof name);
        real *features = mem_alloc(item->frames * SPEECH_FILTERS * sizeof *features);
        if (stop_requested()) err_set(err, FAIL_INTERRUPTED, "interrupted");
        else if (!speechset_features(set, i, features, err))
            transcribe_one(o, run, name, features, item->frames, err);
        pass_over(run, err);
        mem_free(features);
    }
    return err->status;
}

static Status answer(const PredictOptions *o, const PredictRun *run, Err *err) {
    static InputEndings ENDINGS = {".wav", ".flac", ".ogg", ".opus", ".aiff",
                                   ".aif", ".au",   ".caf", ".mp3",  NULL};
    Inputs files = {0};
    for (size_t i = 0; i < o->input_count && !err->status; i++)
        inputs_add(&files, o->inputs[i], ENDINGS, "recordings (WAV, FLAC, ...)", err);
    if (!err->status) inputs_say_passed(&files);
    if (!err->status && o->input_count) transcribe_files(o, run, &files, err);
    else if (!err->status) transcribe_split(o, run, err);
    inputs_free(&files);
    return err->status;
}

const TaskPredict transcribe_predict = {.input = "RECORDING",
                                        .answer = answer,
                                        .split = true,
                                        .use = {{PREDICT_LIMITS, NULL},
                                                {PREDICT_LIMITS, NULL}}};
