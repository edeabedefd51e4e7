/* bench: a contrastive step on pictures (tools/task/bench.h).  Both views of a picture
 * are noise of their own. */
#include <string.h>

#include "models/contrast.h"
#include "tools/task/bench.h"

static const BenchModel MODELS[] = {
    BENCH_PICTURES(TASK_CONTRASTIVE, "cifar-simclr", 32, 4, 192, 6, 3, 10, 64),
    BENCH_PICTURES(TASK_CONTRASTIVE, "simclr-b16", 224, 16, 768, 12, 12, 1000, 8),
};

static void make_batch(BenchWork *w) { bench_make_pictures(w, 2); }

/* Pictures [from, to): the first view of all, then the second. */
static Tensor *views_of(const BenchWork *w, Tape *tape, size_t from, size_t to) {
    const PictureShape *p = &w->subject->picture;
    size_t size = p->channels * p->height * p->width, count = to - from;
    Tensor *x =
        tape_tensor(tape, 4, (size_t[]){2 * count, p->channels, p->height, p->width});
    for (size_t v = 0; v < 2; v++)
        memcpy(x->value + v * count * size,
               w->pixels + (v * w->subject->batch + from) * size,
               count * size * sizeof(real));
    return x;
}

static Tensor *loss(BenchWork *w, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to) {
    ContrastArgs args = {.pixels = views_of(w, tape, from, to),
                         .label = w->labels + from,
                         .pictures = w->subject->batch};
    return contrast_loss(w->owner, tape, mode, &args);
}

static void free_contrast(void *owner) { contrast_free(owner); }

static Model *make_model(BenchWork *w) {
    const BenchSubject *s = w->subject;
    const Recipe *r = &s->recipe;
    Contrast *c = contrast_new(&r->model, &r->contrast, s->picture, s->classes);
    contrast_initialize(c, r->train.seed);
    w->owner = c;
    w->flops = (double)s->batch * contrast_flops(c);
    return &c->vit.model;
}

/* clang-format off */
const TaskBench contrastive_bench = {
    .models = MODELS, .count = COUNT(MODELS), .print_size = bench_print_picture,
    .fill = bench_fill_recipe, .shape = bench_shape_pictures, .make_batch = make_batch,
    .make_model = make_model, .loss = loss, .free_owner = free_contrast,
};
/* clang-format on */
