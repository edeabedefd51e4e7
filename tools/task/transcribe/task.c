/* transcribe: recordings in, letters out; an encoder under CTC (models/speech.h). */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/program/say.h"
#include "tools/program/stop.h"
#include "tools/run/rundir.h"
#include "tools/task/transcribe/transcribe.h"

enum { EVAL_SECONDS = 60, WORST_KEPT = 10 };

Speech *transcribe_model(Task *task) { return ((Transcribe *)task)->speech; }

/* ---- training ---- */

static void initialize(Task *task, uint64_t seed) {
    speech_initialize(transcribe_model(task), seed);
}

static SpeechBatchConfig batch_config(const Task *task, bool training) {
    const Recipe *r = task->recipe;
    double seconds = r->train.batch_seconds / (double)r->train.accumulate;
    SpeechBatchConfig c = {.batch_seconds = training      ? r->train.batch_seconds
                                            : seconds > 0 ? seconds
                                                          : EVAL_SECONDS,
                           .batch = r->train.batch_seconds > 0 || !training
                                        ? 0
                                        : r->train.batch,
                           .accumulate = r->train.accumulate,
                           .part = ranks_number(task->ranks),
                           .parts = ranks_count(task->ranks),
                           .seed = r->train.seed,
                           .training = training,
                           .shuffle = r->data.shuffle,
                           .interrupted = stop_requested};
    bool speeds; /* the set's (transcribe_config) */
    speech_augment_parse(r->data.augment, &speeds, &c.augment, NULL);
    return c;
}

static Status start(Task *task, size_t first, Err *err);

/* The plan is the loader's: one is started at the place. */
static Status go_on(Task *task, const Place *place, size_t *left, Err *err) {
    Transcribe *t = (Transcribe *)task;
    t->place = *place;
    if (start(task, place->number + 1, err)) return err->status;
    *left = speechloader_left(t->loader);
    return OK;
}

static Status start(Task *task, size_t first, Err *err) {
    Transcribe *t = (Transcribe *)task;
    SpeechBatchConfig config = batch_config(task, true);
    config.start = t->place;
    speechloader_stop(t->loader);
    t->loader = NULL;
    t->loader = speechloader_start(t->sets[SPLIT_TRAIN], &config, first, err);
    return t->loader ? OK : err->status;
}

/* Products of the forward pass over the whole batch, were all ranks'
 * utterances like ours. */
static double batch_flops(const Transcribe *t, const SpeechBatch *batch) {
    double sum = 0;
    for (size_t b = 0; b < batch->count; b++)
        sum += speech_flops(t->speech, batch->frames[b]);
    double kept = 1 - t->task.recipe->model.layer_drop;
    return kept * sum * (double)batch->whole / (double)MAX(batch->count, (size_t)1);
}

/* Damage that the check did not see: the latest is named. */
static void tell_skipped(Split split, const SpeechBatch *batch, size_t before) {
    if (batch->skipped > before)
        say("steady: note: %s: skipped: %s (%zu so far)", split_name(split),
            batch->skip_reason, batch->skipped);
}

static void see_batch(Transcribe *t) {
    const SpeechBatch *batch = t->batch;
    size_t longest = speechbatch_longest(batch, 0, batch->count);
    t->task.part = batch->count;
    t->task.tokens = (double)longest / SPEECH_STRIDE;
    t->task.items = (double)batch->whole;
    t->task.amount = batch->seconds * (double)batch->whole / (double)MAX(batch->count, 1);
    t->task.flops = batch_flops(t, batch);
}

static Status next(Task *task, Err *err) {
    Transcribe *t = (Transcribe *)task;
    if (speechloader_next(t->loader, &t->batch, err)) return err->status;
    task_see_skips(task, &t->batch->broken);
    see_batch(t);
    return OK;
}

static Status sample(Task *task, Split split, size_t count, Err *err) {
    Transcribe *t = (Transcribe *)task;
    SpeechSet *set = transcribe_set(task, split, err);
    if (!set) return err->status;
    SpeechBatchConfig config = batch_config(task, false);
    config.batch_seconds = 0;
    config.batch = MIN(count, set->count);
    config.sample = count;
    speechloader_stop(t->sampler);
    t->sampler = speechloader_start(set, &config, 1, err);
    if (!t->sampler || speechloader_next(t->sampler, &t->batch, err)) return err->status;
    tell_skipped(split, t->batch, 0);
    see_batch(t);
    return OK;
}

static size_t edge(const Task *task, size_t i, size_t parts) {
    return speechbatch_edge(((const Transcribe *)task)->batch, i, parts);
}

static Tensor *loss(Task *task, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to) {
    const Transcribe *t = (Transcribe *)task;
    const SpeechBatch *batch = t->batch;
    ForwardMode own = *mode;
    own.first_example = batch->place[from];
    bool alone = !tape_mode(tape)->training; /* a sample */
    SpeechRows rows = transcript_rows(tape, batch, from, to, batch->longest, alone);
    Tensor *logits = speech_logits(t->speech, tape, &own, &rows);
    CtcTarget target = transcript_target(tape, batch, from, to);
    target.divisor = (double)batch->whole;
    tape_scope(tape, "loss");
    return op_ctc(tape, logits, &target);
}

/* ---- evaluation ---- */

typedef struct Scoring {
    Score *score;
    Wer wer;
    Worst worst;
    TextBuffer text;
} Scoring;

/* "84-121123-0005" of ".../84-121123-0005.flac", and of a piece of it
 * "84-121123-0005@12.5". */
static void name_of(const SpeechItem *item, char *name, size_t size) {
    const char *slash = strrchr(item->path, '/'), *from = slash ? slash + 1 : item->path;
    const char *dot = strrchr(from, '.');
    char start[32] = "";
    if (item->cut) text_format(start, sizeof start, "@%g", item->span.start);
    size_t length = dot ? (size_t)(dot - from) : strlen(from);
    int most = (int)MIN(length, size - sizeof start - 1);
    text_format(name, size, "%.*s%s", most, from, start);
}

static void score_batch(Transcribe *t, Tape *tape, const ForwardMode *mode,
                        const SpeechBatch *batch, Scoring *s) {
    tape_begin(tape, (TapeMode){.precision = mode->precision});
    SpeechRows rows = transcript_rows(tape, batch, 0, batch->count, 0, true);
    Tensor *logits = speech_logits(t->speech, tape, mode, &rows);
    CtcTarget target = transcript_target(tape, batch, 0, batch->count);
    target.divisor = 1;
    double loss = (double)op_ctc(tape, logits, &target)->value[0];
    s->score->value[METRIC_LOSS] += loss;
    s->score->nll += loss;
    s->score->count += batch->count;
    for (size_t b = 0; b < batch->count; b++) {
        char name[200];
        const real *z = logits->value + b * logits->shape[1] * SPEECH_LABELS;
        text_clear(&s->text);
        transcript_greedy(z, target.frame_count[b], &s->text);
        wer_add(&s->wer, batch->item[b]->text, s->text.text);
        name_of(batch->item[b], name, sizeof name);
        worst_see(&s->worst, name, batch->item[b]->text, s->text.text);
    }
}

/* Sums over this rank's part of the split. */
static Status score_part(Transcribe *t, Tape *tape, const ForwardMode *mode, Split split,
                         Scoring *s, Err *err) {
    SpeechSet *set = transcribe_set(&t->task, split, err);
    if (!set) return err->status;
    SpeechBatchConfig config = batch_config(&t->task, false);
    SpeechLoader *loader = speechloader_start(set, &config, 1, err);
    if (!loader) return err->status;
    const SpeechBatch *batch;
    while (!speechloader_next(loader, &batch, err)) {
        tell_skipped(split, batch, s->score->skipped);
        s->score->skipped = batch->skipped;
        if (!batch->count) break;
        score_batch(t, tape, mode, batch, s);
    }
    speechloader_stop(loader);
    return err->status;
}

/* Its errors among the words or characters of the references. */
static void add_errors(Score *score, Metric metric, const EditCount *count) {
    score->value[metric] = (double)wer_edits(count);
    score->whole[metric] = (double)count->reference;
}

static Status finish_score(Transcribe *t, Split split, Scoring *s, Err *err) {
    Score *score = s->score;
    score->words = s->wer.words;
    add_errors(score, METRIC_WER, &s->wer.words);
    add_errors(score, METRIC_CER, &s->wer.characters);
    score_reduce(score, t->task.ranks);
    worst_share(&s->worst, t->task.ranks);
    score->skipped += t->sets[split]->report.left_out;
    if (score->count) return OK;
    return err_set(err, FAIL_DATA, "none of the recordings of the %s split can be read",
                   split_name(split));
}

static Status evaluate(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                       bool thorough, Score *score, Err *err) {
    Scoring s = {.score = score, .worst = {json_array(), thorough ? WORST_KEPT : 0}};
    *score = score_begin(split, task->recipe->task);
    score_part((Transcribe *)task, tape, mode, split, &s, err);
    if (!ranks_agree(task->ranks, err)) finish_score((Transcribe *)task, split, &s, err);
    text_free(&s.text);
    if (thorough && !err->status) score->worst = s.worst.rows;
    else json_decref(s.worst.rows);
    return err->status;
}

/* By the word error rate: silence has 100 %, a few words heard everywhere somewhat
 * less. */
static Grade grade(const Task *task, const Score *score) {
    (void)task;
    return grade_of(score->value[METRIC_WER], 0.95, 0.5);
}

/* ---- opening ---- */

static void transcribe_free(Task *task) {
    Transcribe *t = (Transcribe *)task;
    speechloader_stop(t->loader);
    speechloader_stop(t->sampler);
    for (size_t i = 0; i < COUNT(t->sets); i++) speechset_free(t->sets[i]);
    speech_free(t->speech);
    mem_free(t);
}

static Status save_facts(const Task *task, const char *run_dir, Err *err) {
    const SpeechSet *set = ((const Transcribe *)task)->sets[SPLIT_TRAIN];
    json_t *rates = json_array();
    for (size_t k = 0; k < set->rates; k++)
        json_array_append_new(rates, json_integer((json_int_t)set->rate[k]));
    json_t *root =
        json_pack("{s:s, s:o, s:I, s:I, s:o}", "kind", task_name(task->recipe->task),
                  "chance", json_number(task->chance), "filters",
                  (json_int_t)SPEECH_FILTERS, "labels", (json_int_t)SPEECH_LABELS,
                  "rates", rates);
    return rundir_save_json(run_dir, "task.json", root, 0, err);
}

static void introduce(const Task *task, json_t *facts) {
    (void)task;
    json_t *labels = json_array();
    for (size_t k = 0; k < SPEECH_LABELS; k++) {
        char letter[2] = {k == SPEECH_BOUNDARY     ? ' '
                          : k == SPEECH_APOSTROPHE ? '\''
                                                   : (char)('a' + (int)k - SPEECH_A)};
        json_array_append_new(labels,
                              json_string(k == SPEECH_BLANK ? "<blank>" : letter));
    }
    json_object_set_new(facts, "labels", labels);
    json_object_set_new(facts, "filters", json_integer(SPEECH_FILTERS));
}

static const DataFacts *data_facts(const Task *task, Split split) {
    const SpeechSet *set = ((const Transcribe *)task)->sets[split];
    return set ? &set->facts : NULL;
}

static Transcribe *new_task(const Recipe *recipe, Ranks *ranks, Err *err) {
    if (speech_check(&recipe->model, SPEECH_FILTERS, SPEECH_LABELS, err)) return NULL;
    Transcribe *t = mem_zalloc(sizeof *t);
    t->task = (Task){.ops = &transcribe_ops, .recipe = recipe, .ranks = ranks};
    t->speech = speech_new(&recipe->model, SPEECH_FILTERS, SPEECH_LABELS);
    t->task.model = &t->speech->model;
    return t;
}

/* What fills no batch at the end of an epoch; another rest each time where it is
 * shuffled. */
static void note_rest(Transcribe *t) {
    size_t rest = speechloader_rest(t->loader);
    const TrainConfig *train = &t->task.recipe->train;
    if (train->batch_seconds > 0)
        facts_note(&t->sets[SPLIT_TRAIN]->facts, rest,
                   "%zu utterances are skipped in each epoch, because a step needs "
                   "train.accumulate = %zu buckets",
                   rest, train->accumulate);
    else
        facts_note(&t->sets[SPLIT_TRAIN]->facts, rest,
                   "%zu of %zu utterances are skipped in each epoch, because a step "
                   "needs train.batch = %zu",
                   rest, t->task.examples, train->batch);
}

static double micro_batch_memory(const Transcribe *t) {
    const TrainConfig *train = &t->task.recipe->train;
    const SpeechSet *set = t->sets[SPLIT_TRAIN];
    double parts = (double)train->accumulate * (double)ranks_count(t->task.ranks);
    double frames = 100 * set->seconds / (double)set->count;
    double count = train->batch_seconds > 0 ? 100 * train->batch_seconds / frames
                                            : (double)train->batch;
    return speech_memory(t->speech, frames, fmax(count / parts, 1),
                         train->recompute == RECOMPUTE_BLOCK);
}

static Task *open_data(const Recipe *recipe, Ranks *ranks, Err *err) {
    Transcribe *t = new_task(recipe, ranks, err);
    if (!t) return NULL;
    if (transcribe_open_sets(t, err) || start(&t->task, 1, err)) {
        task_free(&t->task);
        return NULL;
    }
    t->task.steps_per_epoch = speechloader_steps(t->loader);
    t->task.memory = micro_batch_memory(t);
    t->task.kept = transcribe_cache(t);
    note_rest(t);
    if (ranks_lead(ranks)) transcribe_tell(t, speechloader_padding(t->loader));
    return &t->task;
}

static Task *open_bare(const Recipe *recipe, const char *run_dir, Err *err) {
    Transcribe *t = new_task(recipe, NULL, err);
    if (!t) return NULL;
    transcribe_read_rates(t, run_dir);
    SpeechConfig config = transcribe_config(recipe);
    t->task.has_val = transcribe_wants(recipe, &config, SPLIT_VAL);
    t->task.has_test = transcribe_wants(recipe, &config, SPLIT_TEST);
    return &t->task;
}

/* clang-format off */
const TaskOps transcribe_ops = {
    .open = open_data, .open_bare = open_bare, .free = transcribe_free,
    .grade = grade, .unit = "s of audio", .best = METRIC_WER, .scope = SCOPE_ALL,
    .initialize = initialize, .go_on = go_on, .start = start,
    .next = next, .sample = sample, .loss = loss, .edge = edge, .evaluate = evaluate,
    .facts = data_facts, .introduce = introduce, .check_change = transcribe_check_change,
    .save_facts = save_facts,
};
/* clang-format on */
