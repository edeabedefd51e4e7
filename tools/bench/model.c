/* model: the models that `steady bench` knows by name (tools/bench/bench.h). */
#include <math.h>
#include <string.h>

#include "models/language.h"
#include "models/translator.h"
#include "tools/bench/bench.h"
#include "tools/program/start.h"
#include "tools/task/transcribe/transcription.h"

/* `small` can be carried to 4,096 tokens or 100 blocks. */
#define PICTURES(name_, image_, patch_, width_, depth_, heads_, classes_, batch_)        \
    {                                                                                    \
        .name = name_, .task = TASK_CLASSIFY, .image = image_, .patch = patch_,          \
        .width = width_, .depth = depth_, .heads = heads_, .classes = classes_,          \
        .batch = batch_                                                                  \
    }
#define TEXTS(name_, task_, width_, depth_, heads_, vocab_, length_, batch_)             \
    {                                                                                    \
        .name = name_, .task = task_, .width = width_, .depth = depth_, .heads = heads_, \
        .vocab = vocab_, .length = length_, .batch = batch_                              \
    }
#define SPEECH(name_, width_, depth_, heads_, rows_, batch_)                             \
    {                                                                                    \
        .name = name_, .task = TASK_TRANSCRIBE, .width = width_, .depth = depth_,        \
        .heads = heads_, .vocab = SPEECH_LABELS, .length = rows_, .batch = batch_        \
    }
static const BenchModel MODELS[] = {
    PICTURES("vit-ti16", 224, 16, 192, 12, 3, 1000, 8),
    PICTURES("vit-s16", 224, 16, 384, 12, 6, 1000, 8),
    PICTURES("vit-b16", 224, 16, 768, 12, 12, 1000, 8),
    PICTURES("cifar-vit", 32, 4, 192, 12, 3, 10, 64),
    PICTURES("small", 32, 4, 192, 2, 3, 10, 2),
    TEXTS("gpt2-124m", TASK_LANGUAGE, 768, 12, 12, 50257, 64, 4),
    TEXTS("shakespeare-char", TASK_LANGUAGE, 128, 4, 4, 65, 64, 12),
    TEXTS("mt-6l", TASK_TRANSLATE, 512, 6, 8, 8000, 32, 32),
    TEXTS("mt-18l", TASK_TRANSLATE, 512, 18, 8, 8000, 32, 32),
    TEXTS("mt-100l", TASK_TRANSLATE, 512, 100, 8, 8000, 32, 32),
    SPEECH("asr-12l", 256, 12, 4, 200, 8),
    SPEECH("asr-36l", 768, 36, 4, 400, 4),
    SPEECH("asr-72l", 768, 72, 4, 400, 4),
};

const BenchModel *bench_model_find(const char *name) {
    for (size_t i = 0; i < COUNT(MODELS); i++)
        if (!strcmp(name, MODELS[i].name)) return &MODELS[i];
    return NULL;
}

const char *bench_model_name(size_t i) {
    return i < COUNT(MODELS) ? MODELS[i].name : NULL;
}

static void list_one(FILE *out, const BenchModel *m) {
    fprintf(out, "  %-16s width %zu, depth %zu%s, %zu heads, batch %zu, ", m->name,
            m->width, m->depth, m->task == TASK_TRANSLATE ? " a side" : "", m->heads,
            m->batch);
    if (m->task == TASK_CLASSIFY)
        fprintf(out, "%zu px, patch %zu, %zu classes\n", m->image, m->patch, m->classes);
    else if (m->task == TASK_TRANSCRIBE)
        fprintf(out, "%zu frames, %zu labels\n", SPEECH_STRIDE * m->length, m->vocab);
    else fprintf(out, "%zu tokens, vocabulary %zu\n", m->length, m->vocab);
}

void bench_model_list(FILE *out) {
    for (size_t i = 0; i < COUNT(MODELS); i++) list_one(out, &MODELS[i]);
}

static void fill_texts(Recipe *r, const BenchModel *m) {
    bool pairs = m->task == TASK_TRANSLATE;
    r->data.source = pairs ? SOURCE_NUMBERS : SOURCE_GRAMMAR;
    r->model.context = m->length;
    r->model.tied = pairs ? TIED_ALL : TIED_DECODER;
    r->data.joint = pairs;
    if (!pairs) return;
    r->model.position = POSITION_SINUSOIDAL;
    r->model.activation = ACTIVATION_RELU;
    r->train.label_smoothing = 0.1;
}

static void fill_speech(Recipe *r, const BenchModel *m) {
    r->data.source = SOURCE_TONES;
    r->model.context = m->length;
    r->model.position = POSITION_CAPE;
    r->model.activation = ACTIVATION_RELU;
    r->model.init = INIT_UNIFORM;
}

static void fill_recipe(Recipe *r, const BenchModel *m) {
    *r = recipe_default();
    r->task = m->task;
    r->data.source = SOURCE_GLYPHS;
    if (m->task == TASK_CLASSIFY) {
        r->data.image_size = m->image;
        r->data.channels = 3;
        r->model.patch = m->patch;
    } else if (m->task == TASK_TRANSCRIBE) {
        fill_speech(r, m);
    } else {
        fill_texts(r, m);
    }
    r->model.width = m->width;
    r->model.depth = m->depth;
    r->model.heads = m->heads;
    r->optim.name = OPTIM_ADAMW;
    r->optim.lr = 1e-4;
    r->optim.weight_decay = 0.05;
    r->train.batch = m->batch;
    r->train.epochs = 0;
    r->train.steps = 1;
    r->probe.every = 0;
}

static Status shape_pictures(BenchSubject *s, Err *err) {
    const Recipe *r = &s->recipe;
    size_t side = r->data.image_size, across = side / r->model.patch;
    s->picture = (PictureShape){r->data.channels ? r->data.channels : 3, side, side};
    if (vit_check(&r->model, s->picture, err)) return err->status;
    if (!across)
        return err_set(err, FAIL_USAGE,
                       "data.image_size = 0: give the side of the pictures");
    s->tokens = across * across + 1;
    return OK;
}

static Status shape_rows(BenchSubject *s, const BenchModel *model, Err *err) {
    s->vocab = model->vocab;
    s->length = s->recipe.model.context;
    s->tokens = model->task == TASK_TRANSLATE ? 2 * s->length : s->length;
    if (model->task == TASK_TRANSCRIBE) return OK;
    return model->task == TASK_TRANSLATE
               ? translator_check(&s->recipe.model, s->vocab, s->vocab, err)
               : language_check(&s->recipe.model, s->vocab, err);
}

Status bench_subject(BenchSubject *s, const BenchModel *model, char **words, size_t count,
                     Err *err) {
    *s = (BenchSubject){.name = model->name, .classes = model->classes};
    fill_recipe(&s->recipe, model);
    for (size_t i = 0; i < count; i++)
        if (recipe_set(&s->recipe, words[i], err)) return err->status;
    const Recipe *r = &s->recipe;
    if (recipe_check(&s->recipe, err)) return err->status;
    if (model->task == TASK_CLASSIFY ? shape_pictures(s, err) : shape_rows(s, model, err))
        return err->status;
    s->batch = r->train.batch;
    s->rows = s->batch * s->tokens;
    s->hidden = (size_t)llround(r->model.mlp_ratio * (double)r->model.width);
    if (start_threads_checked(r->train.threads, err)) return err->status;
    s->threads = start_threads(r->train.threads);
    return OK;
}
