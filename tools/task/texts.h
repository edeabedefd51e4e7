/* texts: what the tasks of texts share: opening data or a run's tokenizers, batches,
 * facts (tools/task/language/task.c, tools/task/translate/task.c). */
#ifndef STEADY_TEXTS_H
#define STEADY_TEXTS_H

#include "data/text/batch.h"
#include "data/text/set.h"
#include "tools/task/task.h"

typedef struct TextTask {
    Task task; /* first */
    Texts texts;
    TextPlan *plan; /* of training batches */
    TextBatch batch;
    size_t number; /* of the next batch */
} TextTask;

/* Opens the recipe's data and says on stderr what is in them (rank 0). */
Status text_task_open(Task *task, Err *err);
/* Tokenizers alone, from a run's folder. */
Status text_task_open_bare(Task *task, const char *run_dir, Err *err);
void text_task_release(Task *task);

/* TaskOps */
Status text_task_go_on(Task *task, const Place *place, size_t *left, Err *err);
Status text_task_start(Task *task, size_t first, Err *err);
Status text_task_next(Task *task, Err *err);
Status text_task_sample(Task *task, Split split, size_t count, Err *err);
const DataFacts *text_task_facts(const Task *task, Split split);
void text_task_describe(const Task *task, TextBuffer *text);
void text_task_introduce(const Task *task, json_t *facts);
Status text_task_check_facts(const Task *task, const char *run_dir, Err *err);
Status text_task_save_facts(const Task *task, const char *run_dir, Err *err);

const TextBatch *text_task_batch(const Task *task);
/* 0 source, 1 target */
const Tokenizer *text_task_tokenizer(const Task *task, size_t side);

/* Loss of a guess from the frequencies of tokens alone, nats: task->chance, with
 * smoothing over all V tokens, and task->guess_nll without. */
void text_task_guess(Task *task, double smoothing);

/* A split, opened now if it was not; NULL: err says why. */
const TextSet *text_task_set(Task *task, Split split, Err *err);

/* The ranks' sums become means over target tokens. */
Status text_task_finish_score(Task *task, Score *score, Err *err);

#endif
