/* bench: models of pictures (tools/task/bench.h). */
#include "tools/task/bench.h"

/* `small` can be carried to 4,096 tokens or 100 blocks. */
#define VIT(...) BENCH_PICTURES(TASK_CLASSIFY, __VA_ARGS__)
static const BenchModel MODELS[] = {
    VIT("vit-ti16", 224, 16, 192, 12, 3, 1000, 8),
    VIT("vit-s16", 224, 16, 384, 12, 6, 1000, 8),
    VIT("vit-b16", 224, 16, 768, 12, 12, 1000, 8),
    VIT("cifar-vit", 32, 4, 192, 12, 3, 10, 64),
    VIT("small", 32, 4, 192, 2, 3, 10, 2),
};

static Tensor *loss(BenchWork *w, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to) {
    const BenchSubject *s = w->subject;
    const PictureShape *p = &s->picture;
    size_t size = p->channels * p->height * p->width;
    Target target = {.label = w->labels + from,
                     .smoothing = s->recipe.train.label_smoothing,
                     .divisor = (double)s->batch};
    Tensor *pixels = tape_wrap(tape, w->pixels + from * size, 4,
                               (size_t[]){to - from, p->channels, p->height, p->width});
    Tensor *logits = vit_logits(w->owner, tape, mode, pixels);
    tape_scope(tape, "loss");
    return op_cross_entropy(tape, logits, &target);
}

static void make_pictures(BenchWork *w) { bench_make_pictures(w, 1); }

static void free_vit(void *owner) { vit_free(owner); }

static Model *make_vit(BenchWork *w) {
    const BenchSubject *s = w->subject;
    Vit *vit = vit_new(&s->recipe.model, s->picture, s->classes);
    vit_initialize(vit, s->recipe.train.seed);
    w->owner = vit;
    w->flops = (double)s->batch * vit_flops(vit);
    return &vit->model;
}

/* clang-format off */
const TaskBench classify_bench = {
    .models = MODELS, .count = COUNT(MODELS), .layers = true, .print_size = bench_print_picture,
    .fill = bench_fill_recipe, .shape = bench_shape_pictures, .make_batch = make_pictures,
    .make_model = make_vit, .loss = loss, .free_owner = free_vit,
};
/* clang-format on */
