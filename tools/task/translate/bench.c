/* bench: translators (tools/task/bench.h). */
#include "tools/task/bench.h"
#include "models/translator.h"

static const BenchModel MODELS[] = {
    BENCH_TEXTS(TASK_TRANSLATE, "mt-6l", 512, 6, 8, 8000, 32, 32),
    BENCH_TEXTS(TASK_TRANSLATE, "mt-18l", 512, 18, 8, 8000, 32, 32),
    BENCH_TEXTS(TASK_TRANSLATE, "mt-100l", 512, 100, 8, 8000, 32, 32),
};

static void fill(Recipe *r, const BenchModel *m) {
    r->data.source = SOURCE_NUMBERS;
    r->data.joint = true;
    r->model.context = m->length;
    r->model.tied = TIED_ALL;
    r->model.position = POSITION_SINUSOIDAL;
    r->model.activation = ACTIVATION_RELU;
    r->train.label_smoothing = 0.1;
}

static Status shape(BenchSubject *s, const BenchModel *model, Err *err) {
    s->vocab = model->vocab;
    s->length = s->recipe.model.context;
    s->tokens = 2 * s->length;
    return translator_check(&s->recipe.model, s->vocab, s->vocab, err);
}

static Tensor *loss(BenchWork *w, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to) {
    TokenRows source = bench_rows(w->subject, w->ids, from, to);
    TokenRows input = bench_rows(w->subject, w->input, from, to);
    VocabTarget target = bench_target(w, from);
    return translator_loss(w->owner, tape, mode, &source, &input, &target);
}

static void free_translator(void *owner) { translator_free(owner); }

static Model *make_translator(BenchWork *w) {
    const BenchSubject *s = w->subject;
    double length = (double)s->length;
    Translator *t = translator_new(&s->recipe.model, s->vocab, s->vocab, s->length);
    translator_initialize(t, s->recipe.train.seed, 1);
    w->owner = t;
    w->flops = (double)s->batch * translator_flops(t, length, length);
    return &t->model;
}

/* clang-format off */
const TaskBench translate_bench = {
    .models = MODELS, .count = COUNT(MODELS), .print_size = bench_print_tokens,
    .fill = fill, .shape = shape, .make_batch = bench_make_texts,
    .make_model = make_translator, .loss = loss, .free_owner = free_translator,
};
/* clang-format on */
