/* answer: what a model says to pictures, prompts, sentences and recordings. */
#include <math.h>
#include <string.h>

#include "data/speech/audio.h"
#include "tools/library/model.h"
#include "tools/task/classify/classify.h"
#include "tools/task/language/sampling.h"
#include "tools/task/strangers.h"
#include "tools/task/transcribe/transcribe.h"
#include "tools/task/translate/translation.h"

static Status check_kind(const steady_model *m, TaskKind kind, Err *err) {
    if (m->recipe.task == kind) return OK;
    return err_set(err, FAIL_USAGE,
                   "this function is for task.kind = %s; the model "
                   "has %s",
                   task_name(kind), task_name(m->recipe.task));
}

static ForwardMode prepare(steady_model *m) {
    model_freeze(m->task->model);
    return model_mode(m);
}

/* The text, taken out of the buffer. */
static char *text_taken(TextBuffer *buffer) {
    if (!buffer->text) text_clear(buffer);
    char *text = buffer->text;
    *buffer = (TextBuffer){0};
    return text;
}

void steady_text_free(char *text) { mem_free(text); }

/* ---- pictures ---- */

static void softmax(const real *z, size_t classes, float *p) {
    double largest = -INFINITY, sum = 0;
    for (size_t k = 0; k < classes; k++) largest = fmax(largest, (double)z[k]);
    for (size_t k = 0; k < classes; k++) sum += exp((double)z[k] - largest);
    for (size_t k = 0; k < classes; k++)
        p[k] = (float)(exp((double)z[k] - largest) / sum);
}

static Status classify_set(steady_model *m, const Dataset *set, float *p, Err *err) {
    size_t classes = picture_facts(m->task)->classes;
    ForwardMode mode = prepare(m);
    LoaderConfig config =
        picture_task_loader(m->task, false, MIN(m->recipe.train.batch, set->count));
    Loader *loader = loader_start(set, &config, 1, err);
    const Batch *batch;
    while (loader && !loader_next(loader, &batch, err) && batch->count) {
        const real *z = classify_logits(m->task, tape_of(m), &mode, batch)->value;
        for (size_t i = 0; i < batch->count; i++)
            softmax(z + i * classes, classes, p + batch->item[i] * classes);
    }
    loader_stop(loader);
    return err->status;
}

static Status classify(steady_model *m, const steady_pictures *pictures, float *p,
                       size_t classes, Err *err) {
    if (check_kind(m, TASK_CLASSIFY, err) || check_pictures(pictures, err))
        return err->status;
    const PictureFacts *facts = picture_facts(m->task);
    if (classes != facts->classes || pictures->channels != facts->channels)
        return err_set(
            err, FAIL_USAGE,
            "the model has %zu classes and pictures of %zu channels, not %zu and "
            "%zu",
            facts->classes, facts->channels, classes, pictures->channels);
    DataConfig *config = mem_alloc(sizeof *config);
    GivenData given = {.channels = pictures->channels,
                       .height = pictures->height,
                       .width = pictures->width,
                       .classes = classes};
    given.pictures[SPLIT_TEST].pixels = pictures->pixels;
    given.pictures[SPLIT_TEST].count = pictures->count;
    *config = m->recipe.data;
    config->given = &given;
    config->test_limit = 0; /* all of them are to be answered */
    Dataset *set = dataset_open(config, SPLIT_TEST, err);
    if (set) classify_set(m, set, p, err);
    dataset_free(set);
    mem_free(config);
    return err->status;
}

steady_status steady_model_classify(steady_model *model, const steady_pictures *pictures,
                                    float *probabilities, size_t classes,
                                    steady_error *error) {
    THROUGH_DOOR(handle_of(model), MISSING3(model, pictures, probabilities), error,
                 classify(model, pictures, probabilities, classes, &door.err));
}

/* ---- texts ---- */

static Status check_sampling(const steady_sampling *s, Err *err) {
    if (isfinite(s->temperature) && s->temperature >= 0) return OK;
    return err_set(err, FAIL_USAGE, "temperature = %g: expected a number >= 0",
                   s->temperature);
}

static Status go_on(steady_model *m, const char *prompt, const steady_sampling *o,
                    char **text, Err *err) {
    if (check_kind(m, TASK_LANGUAGE, err) || check_sampling(o, err)) return err->status;
    ForwardMode mode = prepare(m);
    Sampling s;
    TextBuffer buffer = {0};
    Rng dice = rng_make(o->seed, RNG_SAMPLE, 0);
    sampling_begin(&s, m->task, tape_of(m), &mode);
    if (!sampling_read(&s, prompt, "the prompt", err)) {
        for (size_t i = 0; i < o->tokens; i++)
            sampling_next(&s, o->temperature, o->top_k, dice, i);
        text_clear(&buffer);
        tokenizer_decode(s.tokenizer, s.ids.ids, s.ids.count, &buffer);
        *text = text_taken(&buffer);
    }
    sampling_end(&s);
    return err->status;
}

steady_status steady_model_continue(steady_model *model, const char *prompt,
                                    const steady_sampling *sampling, char **text,
                                    steady_error *error) {
    if (text) *text = NULL;
    THROUGH_DOOR(handle_of(model), MISSING3(model, sampling, text), error,
                 go_on(model, prompt, sampling, text, &door.err));
}

static Status search(steady_model *m, const IdList *ids, TextBuffer *buffer, Err *err) {
    ForwardMode mode = prepare(m);
    Sentence source = {ids->ids, ids->count};
    SearchOptions options = search_options(&m->recipe);
    options.beam = MAX(options.beam, (size_t)1);
    BeamResult *result = translate_sentences(translate_model(m->task), tape_of(m), &mode,
                                             &source, 1, &options);
    if (!result) return err_set(err, FAIL_INTERRUPTED, "interrupted");
    const BeamHypothesis *best = result->best;
    if (result->count)
        tokenizer_decode(text_task_tokenizer(m->task, 1), best->tokens, best->length,
                         buffer);
    beam_results_free(result, 1);
    return OK;
}

static Status translate(steady_model *m, const char *sentence, char **translation,
                        Err *err) {
    if (check_kind(m, TASK_TRANSLATE, err)) return err->status;
    IdList ids = {0};
    TextBuffer buffer = {0};
    Strangers strangers = strangers_of(text_task_tokenizer(m->task, 0));
    size_t length = strlen(sentence);
    strangers_see(&strangers, "the sentence", 0, sentence, length);
    strangers_end(&strangers);
    sentence_encode(m->task, translate_model(m->task), sentence, length, &ids, err);
    if (!err->status && ids.count > 1) search(m, &ids, &buffer, err);
    if (!err->status) *translation = text_taken(&buffer);
    text_free(&buffer);
    idlist_free(&ids);
    return err->status;
}

steady_status steady_model_translate(steady_model *model, const char *sentence,
                                     char **translation, steady_error *error) {
    if (translation) *translation = NULL;
    THROUGH_DOOR(handle_of(model), MISSING3(model, sentence, translation), error,
                 translate(model, sentence, translation, &door.err));
}

/* ---- speech ---- */

static Status transcribe_audio(steady_model *m, const char *path, const Audio *audio,
                               TextBuffer *buffer, Err *err) {
    ForwardMode mode = prepare(m);
    size_t heard = transcribe_hear(m->task, audio->rate, path);
    LogMel *mel = logmel_new_played(heard, audio->rate, SPEECH_FILTERS);
    size_t frames = logmel_frames(mel, audio->count);
    real *features = mem_array(MAX(frames, (size_t)1) * SPEECH_FILTERS, sizeof *features);
    logmel_compute(mel, audio->samples, audio->count, features);
    logmel_normalise(features, frames * SPEECH_FILTERS);
    transcript_of(transcribe_model(m->task), tape_of(m), &mode, path, features, frames,
                  buffer, err);
    mem_free(features);
    logmel_free(mel);
    return err->status;
}

static Status transcribe(steady_model *m, const char *path, char **text, Err *err) {
    if (check_kind(m, TASK_TRANSCRIBE, err)) return err->status;
    Audio audio = {0};
    TextBuffer buffer = {0};
    if (!audio_read(path, NULL, &audio, err) &&
        !transcribe_audio(m, path, &audio, &buffer, err))
        *text = text_taken(&buffer);
    text_free(&buffer);
    audio_free(&audio);
    return err->status;
}

steady_status steady_model_transcribe(steady_model *model, const char *path, char **text,
                                      steady_error *error) {
    if (text) *text = NULL;
    THROUGH_DOOR(handle_of(model), MISSING3(model, path, text), error,
                 transcribe(model, path, text, &door.err));
}
