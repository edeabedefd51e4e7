/* bench_model: the models that `steady bench` knows by name (tools/bench.h). */
#include <math.h>
#include <string.h>

#include "tools/bench.h"
#include "tools/start.h"

/* The last one is small enough to be carried to 4,096 tokens or 100 blocks. */
static const BenchModel MODELS[] = {
    /* name    image patch width depth heads classes batch */
    {"vit-ti16", 224, 16, 192, 12, 3, 1000, 8}, {"vit-s16", 224, 16, 384, 12, 6, 1000, 8},
    {"vit-b16", 224, 16, 768, 12, 12, 1000, 8}, {"cifar-vit", 32, 4, 192, 12, 3, 10, 64},
    {"small", 32, 4, 192, 2, 3, 10, 2},
};

const BenchModel *bench_model_find(const char *name) {
    for (size_t i = 0; i < COUNT(MODELS); i++)
        if (!strcmp(name, MODELS[i].name)) return &MODELS[i];
    return NULL;
}

void bench_model_list(FILE *out) {
    for (size_t i = 0; i < COUNT(MODELS); i++) {
        const BenchModel *m = &MODELS[i];
        fprintf(out,
                "  %-10s %zu px, patch %zu, width %zu, depth %zu, %zu heads, %zu "
                "classes, batch %zu\n",
                m->name, m->image, m->patch, m->width, m->depth, m->heads, m->classes,
                m->batch);
    }
}

static void fill_recipe(Recipe *r, const BenchModel *m) {
    *r = recipe_default();
    text_format(r->data.source, sizeof r->data.source, "glyphs");
    r->data.image_size = m->image;
    r->data.channels = 3;
    r->model.patch = m->patch;
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

Status bench_subject(BenchSubject *s, const BenchModel *model, char **words, size_t count,
                     Err *err) {
    *s = (BenchSubject){.name = model->name, .classes = model->classes};
    fill_recipe(&s->recipe, model);
    for (size_t i = 0; i < count; i++)
        if (recipe_set(&s->recipe, words[i], err)) return err->status;
    const Recipe *r = &s->recipe;
    size_t side = r->data.image_size, across = side / r->model.patch;
    s->picture = (PictureShape){r->data.channels ? r->data.channels : 3, side, side};
    if (recipe_check(r, err) || vit_check(&r->model, s->picture, err)) return err->status;
    if (!across)
        return err_set(err, FAIL_USAGE,
                       "data.image_size = 0: give the side of the pictures");
    s->tokens = across * across + 1;
    s->batch = r->train.batch;
    s->rows = s->batch * s->tokens;
    s->hidden = (size_t)llround(r->model.mlp_ratio * (double)r->model.width);
    s->threads = start_threads(r->train.threads);
    return OK;
}
