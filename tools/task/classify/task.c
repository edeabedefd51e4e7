/* classify: pictures in, a class out; a ViT on any of the data sources. */
#include <math.h>

#include "models/vit.h"
#include "tools/task/classify/answers.h"
#include "tools/task/classify/classify.h"

typedef struct Classify {
    PictureTask pictures; /* first: a Task * is a Classify * */
    Vit *vit;
    ClassAnswers answers; /* of the last evaluation */
} Classify;

static Vit *vit_of(Task *task) { return ((Classify *)task)->vit; }

Tensor *classify_logits(Task *task, Tape *tape, const ForwardMode *mode,
                        const Batch *batch) {
    tape_begin(tape, (TapeMode){.precision = mode->precision});
    return vit_logits(vit_of(task), tape, mode,
                      picture_tensor(tape, batch, 0, batch->count));
}

static Tensor *features(Task *task, Tape *tape, const ForwardMode *mode, Tensor *pixels) {
    return vit_features(vit_of(task), tape, mode, pixels);
}

/* ---- training ---- */

static void initialize(Task *task, uint64_t seed) { vit_initialize(vit_of(task), seed); }

static Status next(Task *task, Err *err) {
    if (picture_task_next(task, err)) return err->status;
    task->flops = task->items * vit_flops(vit_of(task));
    return OK;
}

static Tensor *loss(Task *task, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to) {
    const Batch *batch = picture_task_batch(task);
    ForwardMode own = *mode;
    own.first_example = batch->first + from;
    Tensor *logits =
        vit_logits(vit_of(task), tape, &own, picture_tensor(tape, batch, from, to));
    Target target = {.label = batch->label + from,
                     .other = batch->mixed_label + from,
                     .mix = batch->mix + from,
                     .smoothing = task->recipe->train.label_smoothing,
                     .divisor = (double)batch->whole};
    tape_scope(tape, "loss");
    return op_cross_entropy(tape, logits, &target);
}

/* ---- evaluation ---- */

static void score_batch(Task *task, Tape *tape, const ForwardMode *mode,
                        const Batch *batch, Score *score) {
    Tensor *logits = classify_logits(task, tape, mode, batch);
    size_t classes = picture_facts(task)->classes;
    Target target = {.label = batch->label, .divisor = 1};
    score->nll += (double)op_cross_entropy(tape, logits, &target)->value[0];
    target.smoothing = task->recipe->train.label_smoothing;
    score->value[METRIC_LOSS] +=
        (double)op_cross_entropy(tape, logits, &target)->value[0];
    for (size_t i = 0; i < batch->count; i++) {
        size_t rank = score_rank(logits->value + i * classes, classes, batch->label[i]);
        score->value[METRIC_TOP1] += rank < 1;
        score->value[METRIC_TOP5] += rank < 5;
    }
    score->count += batch->count;
    class_answers_see(&((Classify *)task)->answers, task, batch, logits->value);
}

static Status evaluate(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                       bool thorough, Score *score, Err *err) {
    ClassAnswers *answers = &((Classify *)task)->answers;
    (void)thorough;
    class_answers_begin(answers, picture_facts(task)->classes);
    if (picture_task_score(task, tape, mode, split, score_batch, score, err))
        return err->status;
    class_answers_finish(answers, task->ranks);
    return OK;
}

static json_t *answers_of(Task *task, Tape *tape, const ForwardMode *mode, Split split) {
    (void)tape, (void)mode, (void)split;
    return class_answers_json(&((Classify *)task)->answers, task);
}

/* No better than guessing with what the number of examples scatters; hardly better: less
 * than a tenth of what guessing gets wrong is right.  Where the scatter is more than that
 * tenth, a score within it may be a good one: the examples are too few to tell. */
static Grade grade(const Task *task, const Score *score) {
    double guess = exp(-task->chance), n = (double)score->count;
    double scatter = 3 * sqrt(guess * (1 - guess) / n);
    double above = score->value[METRIC_TOP1] - guess;
    if (scatter > 0.1 * (1 - guess) && above > 1e-9 && above <= scatter) return GRADE_FEW;
    return grade_of(score->value[METRIC_TOP1], guess + scatter,
                    guess + fmax(0.1 * (1 - guess), 1.01 * scatter));
}

/* ---- opening ---- */

static void classify_free(Task *task) {
    vit_free(vit_of(task));
    class_answers_free(&((Classify *)task)->answers);
    picture_task_release(task);
    mem_free(task);
}

static Status build(Task *task, Err *err) {
    const PictureFacts *f = picture_facts(task);
    PictureShape shape = {f->channels, f->height, f->width};
    if (vit_check(&task->recipe->model, shape, err)) return err->status;
    Vit *vit = vit_new(&task->recipe->model, shape, f->classes);
    ((Classify *)task)->vit = vit;
    task->model = &vit->model;
    task->chance = log((double)MAX(f->classes, (size_t)1));
    task->tokens = (double)vit->tokens;
    return OK;
}

static Task *new_task(const Recipe *recipe, Ranks *ranks) {
    Classify *c = mem_zalloc(sizeof *c);
    c->pictures.task = (Task){.ops = &classify_ops, .recipe = recipe, .ranks = ranks};
    return &c->pictures.task;
}

static Task *open_data(const Recipe *recipe, Ranks *ranks, Err *err) {
    Task *task = new_task(recipe, ranks);
    if (picture_task_open(task, err) || build(task, err) ||
        picture_task_finish(task, err)) {
        task_free(task);
        return NULL;
    }
    const TrainConfig *train = &recipe->train;
    task->memory =
        vit_memory(vit_of(task), train->batch / train->accumulate / ranks_count(ranks),
                   train->recompute == RECOMPUTE_BLOCK);
    return task;
}

static Task *open_bare(const Recipe *recipe, const char *run_dir, Err *err) {
    Task *task = new_task(recipe, NULL);
    if (!picture_task_open_bare(task, run_dir, err) && !build(task, err)) return task;
    task_free(task);
    return NULL;
}

/* clang-format off */
const TaskOps classify_ops = {
    .open = open_data, .open_bare = open_bare, .free = classify_free,
    .grade = grade, .unit = "examples", .best = METRIC_TOP1, .scope = SCOPE_ALL,
    .initialize = initialize, .go_on = picture_task_go_on, .start = picture_task_start,
    .next = next, .sample = picture_task_sample, .loss = loss, .evaluate = evaluate, .answers = answers_of,
    .features = features,
    .facts = picture_task_facts, .introduce = picture_task_introduce, .describe = picture_task_describe,
    .changes = picture_task_changes, .check_facts = picture_task_check_facts,
    .save_facts = picture_task_save_facts,
};
/* clang-format on */
