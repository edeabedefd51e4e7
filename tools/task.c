#include "tools/task.h"

#include <math.h>
#include <stdio.h>

#include "tools/rundir.h"

static const struct {
    Task *(*open)(const Recipe *recipe, Ranks *ranks, Err *err);
    Task *(*open_bare)(const Recipe *recipe, const char *run_dir, Err *err);
} TASKS[] = {
    [TASK_CLASSIFY] = {classify_open, classify_open_bare},
    [TASK_LANGUAGE] = {language_open, language_open_bare},
    [TASK_TRANSLATE] = {translate_open, translate_open_bare},
};

Task *task_open(const Recipe *recipe, Ranks *ranks, Err *err) {
    return TASKS[recipe->task].open(recipe, ranks, err);
}

Task *task_open_bare(const Recipe *recipe, const char *run_dir, Err *err) {
    return TASKS[recipe->task].open_bare(recipe, run_dir, err);
}

void task_free(Task *task) {
    if (task) task->ops->free(task);
}

void task_initialize(Task *task) {
    task->ops->initialize(task, task->recipe->train.seed);
}

Status task_save_facts(const Task *task, const char *run_dir, Err *err) {
    return task->ops->save_facts(task, run_dir, err);
}

const char *split_name(Split split) {
    static const char *const NAMES[] = {"train", "val", "test"};
    return NAMES[split];
}

/* ---- scores ---- */

Score score_none(Split split) {
    return (Score){.split = split,
                   .top1 = NAN,
                   .top5 = NAN,
                   .ppl = NAN,
                   .bleu = NAN,
                   .bleu_tokens = NAN};
}

static void add_measured(json_t *row, const char *name, double value) {
    if (!isnan(value)) json_object_set_new(row, name, json_number(value));
}

json_t *score_row(const Score *s, size_t step) {
    json_t *row =
        json_pack("{s:I, s:s, s:o}", "step", (json_int_t)step, "split",
                  split_name(s->split), "loss", json_number(s->loss));
    add_measured(row, "top1", s->top1);
    add_measured(row, "top5", s->top5);
    add_measured(row, "ppl", s->ppl);
    add_measured(row, "bleu", s->bleu);
    add_measured(row, "bleu_tokens", s->bleu_tokens);
    if (*s->signature) json_object_set_new(row, "signature", json_string(s->signature));
    json_object_set_new(row, "count", json_integer((json_int_t)s->count));
    if (s->nll != s->loss) json_object_set_new(row, "nll", json_number(s->nll));
    if (s->skipped)
        json_object_set_new(row, "skipped", json_integer((json_int_t)s->skipped));
    return row;
}

double score_goodness(const Score *s, const Recipe *recipe) {
    BestScore best = recipe->train.best;
    if (best == BEST_AUTO) best = recipe->task == TASK_CLASSIFY ? BEST_TOP1 : BEST_LOSS;
    switch (best) {
    case BEST_TOP1: return s->top1;
    case BEST_BLEU: return s->bleu;
    default: return -s->nll;
    }
}

static void append(char *text, size_t size, size_t *used, const char *format,
                   double value) {
    if (isnan(value) || *used >= size) return;
    int length = snprintf(text + *used, size - *used, format, value);
    *used += length > 0 ? (size_t)length : 0;
}

void score_text(const Score *s, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "%s", split_name(s->split));
    append(text, size, &used, " loss %.4f", s->loss);
    append(text, size, &used, "  top-1 %.2f%%", 100 * s->top1);
    append(text, size, &used, "  ppl %.4g", s->ppl);
    append(text, size, &used, "  BLEU %.2f", s->bleu);
}
