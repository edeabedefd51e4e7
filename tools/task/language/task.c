/* language: text in, the next token out; a causal decoder (models/language.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/program/stop.h"
#include "tools/task/answers.h"
#include "tools/task/language/language.h"
#include "tools/task/language/sampling.h"

enum { EVAL_TOKENS = 4096, NO_LABEL = UINT32_MAX };

typedef struct LanguageTask {
    TextTask text; /* first: a Task * is a LanguageTask * */
    Language *lm;
} LanguageTask;

Language *language_model(Task *task) { return ((LanguageTask *)task)->lm; }

/* ---- training ---- */

static void initialize(Task *task, uint64_t seed) {
    language_initialize(language_model(task), seed);
}

static Status next(Task *task, Err *err) {
    if (text_task_next(task, err)) return err->status;
    const TextBatch *batch = text_task_batch(task);
    task->flops = (double)batch->whole *
                  language_flops(language_model(task), task->recipe->model.context);
    return OK;
}

static Tensor *loss(Task *task, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to) {
    const TextBatch *batch = text_task_batch(task);
    ForwardMode own = *mode;
    own.first_example = batch->first + from;
    TokenRows rows = {.ids = batch->input + from * batch->length,
                      .batch = to - from,
                      .length = batch->length};
    VocabTarget target = {.label = batch->target + from * batch->length,
                          .ignore = NO_LABEL,
                          .smoothing = task->recipe->train.label_smoothing,
                          .divisor = (double)batch->targets};
    return language_loss(language_model(task), tape, &own, &rows, &target);
}

/* ---- evaluation: windows that score their last tokens ---- */

/* Window k of a stream scores targets (k stride, (k + 1) stride], with as many tokens
 * before them as `context` lets it see. */
typedef struct Windows {
    const uint32_t *ids;
    size_t count;           /* tokens in the stream */
    size_t context, stride; /* T, and targets that a window scores */
} Windows;

typedef struct Window {
    size_t first, length; /* of the inputs */
    size_t scored;        /* the last so many */
} Window;

static size_t window_count(const Windows *w) {
    return w->count > 1 ? (w->count - 1 + w->stride - 1) / w->stride : 0;
}

static Window window_at(const Windows *w, size_t k) {
    size_t before = k * w->stride, end = MIN(before + w->stride, w->count - 1);
    size_t first = end > w->context ? end - w->context : 0;
    return (Window){first, end - first, end - before};
}

/* Windows [k, k + batch), all of one length, as one forward pass. */
static void score_windows(LanguageTask *l, Tape *tape, const ForwardMode *mode,
                          const Windows *w, size_t k, size_t batch, Score *score) {
    size_t length = window_at(w, k).length;
    uint32_t *ids = mem_alloc(2 * batch * length * sizeof *ids);
    uint32_t *labels = ids + batch * length;
    for (size_t b = 0; b < batch; b++) {
        Window at = window_at(w, k + b);
        memcpy(ids + b * length, w->ids + at.first, length * sizeof *ids);
        memcpy(labels + b * length, w->ids + at.first + 1, length * sizeof *ids);
        for (size_t t = 0; t + at.scored < length; t++) labels[b * length + t] = NO_LABEL;
        score->count += at.scored;
    }
    double nll = 0;
    TokenRows rows = {.ids = ids, .batch = batch, .length = length};
    VocabTarget target = {.label = labels,
                          .ignore = NO_LABEL,
                          .smoothing = l->text.task.recipe->train.label_smoothing,
                          .divisor = 1,
                          .nll = &nll};
    tape_begin(tape, (TapeMode){.precision = mode->precision});
    score->value[METRIC_LOSS] +=
        (double)language_loss(l->lm, tape, mode, &rows, &target)->value[0];
    score->nll += nll;
    mem_free(ids);
}

/* Sums over this rank's part of the split. */
static Status score_part(LanguageTask *l, Tape *tape, const ForwardMode *mode,
                         Split split, Score *score, Err *err) {
    const Recipe *recipe = l->text.task.recipe;
    Ranks *ranks = l->text.task.ranks;
    const TextSet *set = text_task_set(&l->text.task, split, err);
    if (!set) return err->status;
    size_t context = recipe->model.context, stride = recipe->train.eval_stride;
    Windows w = {set->stream, set->stream_count, context, stride ? stride : context};
    size_t count = window_count(&w), most = MAX(EVAL_TOKENS / context, (size_t)1);
    size_t k = count * ranks_number(ranks) / ranks_count(ranks);
    size_t end = count * (ranks_number(ranks) + 1) / ranks_count(ranks);
    while (k < end) {
        size_t length = window_at(&w, k).length, batch = 1;
        while (batch < most && k + batch < end &&
               window_at(&w, k + batch).length == length)
            batch++;
        score_windows(l, tape, mode, &w, k, batch, score);
        k += batch;
        if (stop_requested())
            return err_set(err, FAIL_INTERRUPTED, "interrupted while scoring %s",
                           split_name(split));
    }
    return OK;
}

static Status evaluate(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                       bool thorough, Score *score, Err *err) {
    (void)thorough;
    *score = score_begin(split, task->recipe->task);
    score_part((LanguageTask *)task, tape, mode, split, score, err);
    if (text_task_finish_score(task, score, err)) return err->status;
    if (tokenizer_kind(text_task_tokenizer(task, 0)) == TOKENS_CHAR)
        score->value[METRIC_BPC] = score->nll / log(2);
    return OK;
}

/* ---- a sample ---- */

/* A text from the start of a line, the same dice each time: samples of a run compare. */
static json_t *answers_of(Task *task, Tape *tape, const ForwardMode *mode, Split split) {
    enum { TOKENS = 100 };
    Sampling s;
    TextBuffer text = {0};
    json_t *answers = json_object();
    Rng dice = rng_make(0, RNG_SAMPLE, 0);
    (void)split;
    sampling_begin(&s, task, tape, mode);
    if (!sampling_read(&s, NULL, "", NULL)) {
        for (size_t i = 0; i < TOKENS && !stop_requested(); i++)
            sampling_next(&s, 1, 0, dice, i);
        tokenizer_decode(s.tokenizer, s.ids.ids, s.ids.count, &text);
        char cut[ANSWER_TEXT + 4];
        answer_cut(text.text, cut);
        answers_add_line(answers, "sample: %s", cut);
        answers_add_text(answers, "Sample", "text", text.text, (char *)NULL);
    }
    sampling_end(&s);
    text_free(&text);
    return answers;
}

/* By the loss of the split, in shares of the entropy of how frequent tokens are; both
 * without label smoothing, which does not say how well tokens are predicted. */
static Grade grade(const Task *task, const Score *score) {
    double guess = task->guess_nll > 0 ? task->guess_nll : NAN;
    return grade_of(score->nll, 0.98 * guess, 0.9 * guess);
}

/* ---- opening ---- */

static void language_task_free(Task *task) {
    LanguageTask *l = (LanguageTask *)task;
    language_free(l->lm);
    text_task_release(task);
    mem_free(l);
}

static Task *finish(LanguageTask *l, Status status, Err *err) {
    Task *task = &l->text.task;
    size_t vocab = status ? 0 : tokenizer_size(text_task_tokenizer(task, 0));
    if (status || language_check(&task->recipe->model, vocab, err)) {
        task_free(task);
        return NULL;
    }
    l->lm = language_new(&task->recipe->model, vocab);
    task->model = &l->lm->model;
    return task;
}

static LanguageTask *new_task(const Recipe *recipe, Ranks *ranks) {
    LanguageTask *l = mem_zalloc(sizeof *l);
    l->text.task = (Task){.ops = &language_ops, .recipe = recipe, .ranks = ranks};
    return l;
}

static Task *open_data(const Recipe *recipe, Ranks *ranks, Err *err) {
    LanguageTask *l = new_task(recipe, ranks);
    Task *task = finish(l, text_task_open(&l->text.task, err), err);
    if (!task) return NULL;
    const TrainConfig *train = &recipe->train;
    size_t rows = MAX(train->batch / train->accumulate / ranks_count(ranks), (size_t)1);
    text_task_guess(task, train->label_smoothing);
    task->memory = language_memory(l->lm, recipe->model.context, rows,
                                   train->recompute == RECOMPUTE_BLOCK);
    return task;
}

static Task *open_bare(const Recipe *recipe, const char *run_dir, Err *err) {
    LanguageTask *l = new_task(recipe, NULL);
    return finish(l, text_task_open_bare(&l->text.task, run_dir, err), err);
}

/* clang-format off */
const TaskOps language_ops = {
    .open = open_data, .open_bare = open_bare, .free = language_task_free,
    .grade = grade, .unit = "tokens", .best = METRIC_LOSS, .scope = SCOPE_BLOCKS,
    .initialize = initialize, .go_on = text_task_go_on, .start = text_task_start,
    .next = next, .sample = text_task_sample, .loss = loss, .evaluate = evaluate,
    .answers = answers_of,
    .facts = text_task_facts, .introduce = text_task_introduce, .describe = text_task_describe,
    .check_facts = text_task_check_facts, .save_facts = text_task_save_facts,
};
/* clang-format on */
