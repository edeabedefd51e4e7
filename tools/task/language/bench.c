/* bench: language models (tools/task/bench.h). */
#include "tools/task/bench.h"
#include "models/language.h"

static const BenchModel MODELS[] = {
    BENCH_TEXTS(TASK_LANGUAGE, "gpt2-124m", 768, 12, 12, 50257, 64, 4),
    BENCH_TEXTS(TASK_LANGUAGE, "shakespeare-char", 128, 4, 4, 65, 64, 12),
};

static void fill(Recipe *r, const BenchModel *m) {
    r->data.source = SOURCE_GRAMMAR;
    r->model.context = m->length;
    r->model.tied = TIED_DECODER;
}

static Status shape(BenchSubject *s, const BenchModel *model, Err *err) {
    s->vocab = model->vocab;
    s->tokens = s->length = s->recipe.model.context;
    return language_check(&s->recipe.model, s->vocab, err);
}

static Tensor *loss(BenchWork *w, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to) {
    TokenRows rows = bench_rows(w->subject, w->input, from, to);
    VocabTarget target = bench_target(w, from);
    return language_loss(w->owner, tape, mode, &rows, &target);
}

static void free_language(void *owner) { language_free(owner); }

static Model *make_language(BenchWork *w) {
    const BenchSubject *s = w->subject;
    Language *lm = language_new(&s->recipe.model, s->vocab);
    language_initialize(lm, s->recipe.train.seed);
    w->owner = lm;
    w->flops = (double)s->batch * language_flops(lm, s->length);
    return &lm->model;
}

/* clang-format off */
const TaskBench language_bench = {
    .models = MODELS, .count = COUNT(MODELS), .print_size = bench_print_tokens,
    .fill = fill, .shape = shape, .make_batch = bench_make_texts,
    .make_model = make_language, .loss = loss, .free_owner = free_language,
};
/* clang-format on */
