#include "tools/task/texts.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/program/say.h"
#include "tools/run/rundir.h"
#include "tools/task/meaning.h"

const TextBatch *text_task_batch(const Task *task) {
    return &((const TextTask *)task)->batch;
}

const Tokenizer *text_task_tokenizer(const Task *task, size_t side) {
    return ((const TextTask *)task)->texts.tokenizer[side];
}

const TextSet *text_task_set(Task *task, Split split, Err *err) {
    return texts_set(&((TextTask *)task)->texts, split, err);
}

/* ---- what is in the data ---- */

static void tell_side(const TextSet *set, size_t side, const char *name, size_t vocab) {
    const TextReport *r = &set->report;
    char unknown[40] = "", longest[60] = "";
    if (r->unknown[side])
        text_format(unknown, sizeof unknown, ", %.4g %% <unk>",
                    100 * textset_unknown(set, side));
    if (set->pairs)
        text_format(longest, sizeof longest, ", longest sentence %zu", r->longest[side]);
    say("%s: %zu tokens of %zu%s%s", name, r->tokens[side], vocab, unknown, longest);
}

/* What no step reads: the end of a stream, and what fills no batch. */
static void note_left_over(TextTask *t) {
    const Recipe *r = t->task.recipe;
    TextSet *set = t->texts.sets[SPLIT_TRAIN];
    size_t items = textplan_items(t->plan), steps = textplan_steps(t->plan);
    size_t context = r->model.context, buckets = textplan_buckets(t->plan);
    const char *which =
        r->data.shuffle ? "different ones in each epoch" : "always the last ones";
    size_t rest = set->pairs ? 0 : set->stream_count - 1 - items * context;
    facts_note(
        &set->facts, rest,
        rest == 1
            ? "the last %zu token does not fill a block of model.context = %zu and is "
              "not read"
            : "the last %zu tokens do not fill a block of model.context = %zu and are "
              "not read",
        rest, context);
    if (buckets)
        facts_note(
            &set->facts, buckets - steps * r->train.accumulate,
            "%zu of %zu buckets of pairs are skipped in each epoch, because a step "
            "needs train.accumulate = %zu buckets; %s",
            buckets - steps * r->train.accumulate, buckets, r->train.accumulate, which);
    else
        facts_note(&set->facts, items - steps * r->train.batch,
                   "%zu of %zu %s are skipped in each epoch, because a step needs "
                   "train.batch = %zu; %s",
                   items - steps * r->train.batch, items,
                   set->pairs ? "pairs" : "blocks of text", r->train.batch, which);
}

static void note_short(TextTask *t, Split split) {
    TextSet *set = t->texts.sets[split];
    size_t context = t->task.recipe->model.context;
    if (!set || set->pairs || set->stream_count > context) return;
    facts_note(
        &set->facts, set->stream_count,
        set->stream_count > 1
            ? "%zu tokens, less than one block (model.context = %zu and the next token)"
            : "%zu token and no next token to predict: nothing is scored",
        set->stream_count, context);
}

static void tell(TextTask *t) {
    static const char *const NAMES[] = {"source", "target"};
    const TextSet *train = t->texts.sets[SPLIT_TRAIN];
    bool pairs = t->texts.pairs;
    for (size_t side = 0; side < (pairs ? 2 : 1); side++)
        tell_side(train, side, pairs ? NAMES[side] : "text",
                  tokenizer_size(t->texts.tokenizer[side]));
    if (pairs)
        say("%zu pairs, target/source length %.2f, %.1f%% of a batch is padding",
            train->count,
            (double)train->report.tokens[1] /
                (double)MAX(train->report.tokens[0], (size_t)1),
            100 * textplan_padding(t->plan));
    if (!t->task.has_val && !t->task.has_test)
        facts_note(&t->task.notes, 1,
                   "no val or test split, so nothing is scored; set data.val_path, "
                   "data.val_fraction or data.test_path");
}

/* ---- opening ---- */

/* The entropy of the target distribution, smoothing of eps over all V tokens included. */
static double guess_at(const Task *task, double smoothing) {
    const TextSet *set = ((const TextTask *)task)->texts.sets[SPLIT_TRAIN];
    bool pairs = set->pairs;
    size_t vocab = tokenizer_size(text_task_tokenizer(task, pairs));
    const uint32_t *ids = pairs ? set->side[1].ids.ids : set->stream;
    size_t count = pairs ? set->side[1].start[set->count] : set->stream_count;
    size_t *times = mem_zalloc(vocab * sizeof *times);
    for (size_t i = 0; i < count; i++) times[ids[i]]++;
    double entropy = 0;
    for (size_t v = 0; v < vocab; v++) {
        double p = (1 - smoothing) * (double)times[v] / (double)MAX(count, (size_t)1) +
                   smoothing / (double)vocab;
        if (p > 0) entropy -= p * log(p);
    }
    mem_free(times);
    return entropy;
}

void text_task_guess(Task *task, double smoothing) {
    task->chance = guess_at(task, smoothing);
    task->guess_nll = smoothing > 0 ? guess_at(task, 0) : task->chance;
}

/* As the run's task.json has it.  An older one has the chance alone, which smoothing
 * makes larger. */
static void read_guess(Task *task, const char *run_dir) {
    json_t *facts = rundir_load_json(run_dir, "task.json", NULL);
    bool smooth = task->recipe->train.label_smoothing > 0;
    const json_t *nll = json_object_get(facts, "guess_nll");
    task->chance = json_number_value(json_object_get(facts, "chance"));
    task->guess_nll = nll ? json_number_value(nll) : smooth ? 0 : task->chance;
    json_decref(facts);
}

static TextPlan *make_plan(TextTask *t, Err *err) {
    const Recipe *r = t->task.recipe;
    TextPlanConfig config = {.context = r->model.context,
                             .batch = r->train.batch,
                             .batch_tokens = r->train.batch_tokens,
                             .accumulate = r->train.accumulate,
                             .part = ranks_number(t->task.ranks),
                             .parts = ranks_count(t->task.ranks),
                             .seed = r->train.seed,
                             .shuffle = r->data.shuffle};
    return textplan_new(t->texts.sets[SPLIT_TRAIN], &config, err);
}

static bool not_empty(const TextSet *set) {
    return set && (set->pairs ? set->count > 0 : set->stream_count > 1);
}

Status text_task_open(Task *task, Err *err) {
    TextTask *t = (TextTask *)task;
    bool pairs = task_examples(task->recipe->task) == EXAMPLES_PAIRS;
    if (texts_open(&t->texts, &task->recipe->data, pairs, err)) return err->status;
    t->plan = make_plan(t, err);
    if (!t->plan) return err->status;
    task->examples = textplan_items(t->plan);
    task->steps_per_epoch = textplan_steps(t->plan);
    task->has_val = not_empty(t->texts.sets[SPLIT_VAL]);
    task->has_test = not_empty(t->texts.sets[SPLIT_TEST]);
    note_left_over(t);
    note_short(t, SPLIT_VAL);
    note_short(t, SPLIT_TEST);
    if (ranks_lead(task->ranks)) tell(t);
    return OK;
}

Status text_task_open_bare(Task *task, const char *run_dir, Err *err) {
    TextTask *t = (TextTask *)task;
    bool pairs = task_examples(task->recipe->task) == EXAMPLES_PAIRS;
    if (texts_open_run(&t->texts, &task->recipe->data, pairs, run_dir, err))
        return err->status;
    read_guess(task, run_dir);
    task->has_val = texts_has(&t->texts, SPLIT_VAL);
    task->has_test = texts_has(&t->texts, SPLIT_TEST);
    return OK;
}

void text_task_release(Task *task) {
    TextTask *t = (TextTask *)task;
    textplan_free(t->plan);
    textbatch_free(&t->batch);
    if (t->texts.config) texts_close(&t->texts);
}

/* ---- batches ---- */

Status text_task_go_on(Task *task, const Place *place, size_t *left, Err *err) {
    (void)err;
    *left = textplan_go_on(((TextTask *)task)->plan, place);
    return OK;
}

Status text_task_start(Task *task, size_t first, Err *err) {
    (void)err;
    ((TextTask *)task)->number = first;
    return OK;
}

static void see_batch(Task *task) {
    const TextBatch *batch = text_task_batch(task);
    size_t tokens = 0, count = MAX(batch->count, (size_t)1);
    for (size_t i = 0; i < batch->count; i++)
        tokens += batch->source_count[i] + batch->target_count[i];
    task->part = batch->count;
    task->tokens = (double)tokens / (double)count;
    task->items = (double)batch->targets;
}

Status text_task_next(Task *task, Err *err) {
    (void)err;
    TextTask *t = (TextTask *)task;
    textplan_fill(t->plan, t->number++, &t->batch);
    see_batch(task);
    return OK;
}

/* ---- a sample ---- */

/* One step of a plan that neither shuffles nor sorts by length. */
Status text_task_sample(Task *task, Split split, size_t count, Err *err) {
    TextTask *t = (TextTask *)task;
    const TextSet *set = text_task_set(task, split, err);
    if (!set) return err->status;
    size_t context = task->recipe->model.context;
    size_t tokens = MAX(set->stream_count, (size_t)1) - 1;
    size_t items = set->pairs ? set->count : tokens / context;
    if (!items && set->pairs)
        return err_set(err, FAIL_DATA, "the %s split is empty", split_name(split));
    if (!items)
        return err_set(
            err, FAIL_DATA,
            "the %s split has %zu tokens, less than one block (model.context = "
            "%zu and the next token); choose another --split",
            split_name(split), set->stream_count, context);
    TextPlanConfig config = {.context = context,
                             .batch = MIN(count, items),
                             .sample = count};
    TextPlan *plan = textplan_new(set, &config, err);
    if (!plan) return err->status;
    textplan_fill(plan, 1, &t->batch);
    textplan_free(plan);
    see_batch(task);
    return OK;
}

/* ---- scores ---- */

Status text_task_finish_score(Task *task, Score *s, Err *err) {
    if (ranks_agree(task->ranks, err)) return err->status;
    score_reduce(s, task->ranks);
    if (!(task->recipe->train.label_smoothing > 0))
        s->value[METRIC_LOSS] = s->nll; /* to the last digit */
    const Texts *texts = &((const TextTask *)task)->texts;
    const TextSet *set = texts->sets[s->split];
    if (set && tokenizer_has_specials(texts->tokenizer[set->pairs]))
        s->value[METRIC_UNKNOWN] = textset_unknown(set, set->pairs);
    if (set && set->pairs) s->value[METRIC_UNKNOWN_SOURCE] = textset_unknown(set, 0);
    return OK;
}

/* ---- facts ---- */

const DataFacts *text_task_facts(const Task *task, Split split) {
    const TextSet *set = ((const TextTask *)task)->texts.sets[split];
    return set ? &set->facts : NULL;
}

static Status write_facts(const Task *task, const char *run_dir, Err *err) {
    const TextTask *t = (const TextTask *)task;
    json_t *root =
        json_pack("{s:s, s:o, s:o, s:I}", "kind", task_name(task->recipe->task), "chance",
                  json_number(task->chance), "guess_nll", json_number(task->guess_nll),
                  "vocab", (json_int_t)tokenizer_size(t->texts.tokenizer[0]));
    if (t->texts.pairs)
        json_object_set_new(root, "target_vocab",
                            json_integer(
                                (json_int_t)tokenizer_size(t->texts.tokenizer[1])));
    return rundir_save_json(run_dir, "task.json", root, 0, err);
}

static double embed_scale(const ModelConfig *m) {
    if (m->embed_scale >= 0) return m->embed_scale;
    return m->position == POSITION_SINUSOIDAL ? sqrt((double)m->width) : 1;
}

void text_task_describe(const Task *task, TextBuffer *text) {
    static const char *const NAMES[] = {"vocabulary", "target vocabulary"};
    const TextTask *t = (const TextTask *)task;
    meaning_add_number(text, "model.embed_scale", embed_scale(&task->recipe->model));
    for (size_t side = 0; side < (t->texts.pairs ? 2 : 1); side++) {
        char hash[20];
        text_format(hash, sizeof hash, "%016llx",
                    (unsigned long long)tokenizer_hash(t->texts.tokenizer[side]));
        meaning_add(text, NAMES[side], hash);
    }
}

/* Tokens by their ids. */
static json_t *vocabulary(const Tokenizer *t) {
    json_t *list = json_array();
    for (size_t i = 0; i < tokenizer_size(t); i++) {
        size_t length;
        const char *token = tokenizer_token(t, (uint32_t)i, &length);
        char *copy = mem_alloc(length + 1);
        memcpy(copy, token, length);
        copy[length] = 0;
        json_array_append_new(list, json_text(copy));
        mem_free(copy);
    }
    return list;
}

void text_task_introduce(const Task *task, json_t *facts) {
    static const char *const KINDS[] = {
        [TOKENS_CHAR] = "char", [TOKENS_WORD] = "word", [TOKENS_BPE] = "bpe"};
    const TextTask *t = (const TextTask *)task;
    const Tokenizer *first = t->texts.tokenizer[0];
    json_object_set_new(facts, "tokens", json_string(KINDS[tokenizer_kind(first)]));
    json_object_set_new(facts, t->texts.pairs ? "source_vocabulary" : "vocabulary",
                        vocabulary(first));
    if (t->texts.pairs)
        json_object_set_new(facts, "target_vocabulary",
                            vocabulary(t->texts.tokenizer[1]));
}

Status text_task_check_facts(const Task *task, const char *run_dir, Err *err) {
    char path[PATH_SIZE];
    rundir_path(path, run_dir, "task.json");
    if (!openfile_exists(path, run_dir)) return OK;
    return texts_check_saved(&((const TextTask *)task)->texts, run_dir, err);
}

Status text_task_save_facts(const Task *task, const char *run_dir, Err *err) {
    const TextTask *t = (const TextTask *)task;
    return texts_save(&t->texts, run_dir, err) ? err->status
                                               : write_facts(task, run_dir, err);
}
