#include "tools/task/bench.h"

#include "engine/core/rng.h"

enum { IDS_FIRST = 4, NO_PAD = UINT32_MAX };

void bench_fill(real *x, size_t count, double std) {
    Rng rng = rng_make(7, 0, 0);
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++) x[i] = (real)std * (real)rng_normal(rng, i);
}

static uint32_t *make_ids(const BenchSubject *s, size_t first) {
    size_t count = s->batch * s->length;
    uint32_t *ids = mem_alloc(count * sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] =
            (uint32_t)(IDS_FIRST + (first + i * BENCH_IDS_STEP) % (s->vocab - IDS_FIRST));
    return ids;
}

void bench_make_texts(BenchWork *w) {
    w->ids = make_ids(w->subject, 0);
    w->input = make_ids(w->subject, 1);
    w->target = make_ids(w->subject, 2);
}

TokenRows bench_rows(const BenchSubject *s, const uint32_t *ids, size_t from, size_t to) {
    return (TokenRows){.ids = ids + from * s->length,
                       .batch = to - from,
                       .length = s->length};
}

VocabTarget bench_target(const BenchWork *w, size_t from) {
    const BenchSubject *s = w->subject;
    return (VocabTarget){.label = w->target + from * s->length,
                         .ignore = NO_PAD,
                         .smoothing = s->recipe.train.label_smoothing,
                         .divisor = (double)(s->batch * s->length)};
}

void bench_print_tokens(FILE *out, const BenchModel *m) {
    fprintf(out, "%zu tokens, vocabulary %zu\n", m->length, m->vocab);
}

/* ---- pictures ---- */

void bench_print_picture(FILE *out, const BenchModel *m) {
    fprintf(out, "%zu px, patch %zu, %zu classes\n", m->image, m->patch, m->classes);
}

void bench_fill_recipe(Recipe *r, const BenchModel *m) {
    r->data.source = SOURCE_GLYPHS;
    r->data.image_size = m->image;
    r->data.channels = 3;
    r->model.patch = m->patch;
}

Status bench_shape_pictures(BenchSubject *s, const BenchModel *model, Err *err) {
    s->classes = model->classes;
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

void bench_make_pictures(BenchWork *w, size_t views) {
    const BenchSubject *s = w->subject;
    const PictureShape *p = &s->picture;
    size_t numbers = views * s->batch * p->channels * p->height * p->width;
    w->pixels = mem_alloc(numbers * sizeof(real));
    bench_fill(w->pixels, numbers, 1);
    w->labels = mem_alloc(s->batch * sizeof *w->labels);
    for (size_t i = 0; i < s->batch; i++)
        w->labels[i] = BENCH_LABELS_STEP * i % s->classes;
}
