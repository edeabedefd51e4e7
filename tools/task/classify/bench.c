/* bench: models of pictures (tools/task/bench.h). */
#include "tools/task/bench.h"

/* `small` can be carried to 4,096 tokens or 100 blocks. */
#define PICTURES(name_, image_, patch_, width_, depth_, heads_, classes_, batch_)        \
    {                                                                                    \
        .name = name_, .task = TASK_CLASSIFY, .image = image_, .patch = patch_,          \
        .width = width_, .depth = depth_, .heads = heads_, .classes = classes_,          \
        .batch = batch_                                                                  \
    }
static const BenchModel MODELS[] = {
    PICTURES("vit-ti16", 224, 16, 192, 12, 3, 1000, 8),
    PICTURES("vit-s16", 224, 16, 384, 12, 6, 1000, 8),
    PICTURES("vit-b16", 224, 16, 768, 12, 12, 1000, 8),
    PICTURES("cifar-vit", 32, 4, 192, 12, 3, 10, 64),
    PICTURES("small", 32, 4, 192, 2, 3, 10, 2),
};

static void print_size(FILE *out, const BenchModel *m) {
    fprintf(out, "%zu px, patch %zu, %zu classes\n", m->image, m->patch, m->classes);
}

static void fill(Recipe *r, const BenchModel *m) {
    r->data.source = SOURCE_GLYPHS;
    r->data.image_size = m->image;
    r->data.channels = 3;
    r->model.patch = m->patch;
}

static Status shape(BenchSubject *s, const BenchModel *model, Err *err) {
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

static void make_pictures(BenchWork *w) {
    const BenchSubject *s = w->subject;
    const PictureShape *p = &s->picture;
    size_t numbers = s->batch * p->channels * p->height * p->width;
    w->pixels = mem_alloc(numbers * sizeof(real));
    bench_fill(w->pixels, numbers, 1);
    w->labels = mem_alloc(s->batch * sizeof *w->labels);
    for (size_t i = 0; i < s->batch; i++)
        w->labels[i] = BENCH_LABELS_STEP * i % s->classes;
}

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
    .models = MODELS, .count = COUNT(MODELS), .layers = true, .print_size = print_size,
    .fill = fill, .shape = shape, .make_batch = make_pictures,
    .make_model = make_vit, .loss = loss, .free_owner = free_vit,
};
/* clang-format on */
