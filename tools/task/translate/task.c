/* translate: sentences in one language in, sentences in another out; an encoder and a
 * decoder (models/translator.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/text/bleu.h"
#include "tools/program/stop.h"
#include "tools/task/answers.h"
#include "tools/task/texts.h"
#include "tools/task/translate/review.h"
#include "tools/task/translate/translation.h"

enum { EVAL_TOKENS = 4096 };

typedef struct TranslateTask {
    TextTask text; /* first: a Task * is a TranslateTask * */
    Translator *translator;
    TextBatch piece; /* a micro-batch */
    Review review;   /* of the last evaluation, where that translated */
} TranslateTask;

Translator *translate_model(Task *task) { return ((TranslateTask *)task)->translator; }

/* fairseq's smoothing spreads eps over all tokens but the right one: eps V
 * / (V - 1) over all. */
static double smoothing_of(const Task *task) {
    double vocab = (double)((const TranslateTask *)task)->translator->target_vocab;
    return task->recipe->train.label_smoothing * vocab / (vocab - 1);
}

/* Learned positions have an end, which no sentence may pass. */
static Status check_positions(const TranslateTask *t, const TextSet *set, Err *err) {
    const Param *position = t->translator->source.position;
    for (size_t i = 0; position && i < set->count; i++) {
        size_t source, target, rows = position->tensor.shape[0];
        textset_source(set, i, &source);
        textset_target(set, i, &target);
        if (MAX(source, target) <= rows) continue;
        return err_set(
            err, FAIL_DATA,
            "%s:%zu: %s has %zu tokens, including </s>, more than the model.context = "
            "%zu learned positions; to skip such pairs: data.max_length=%zu "
            "data.drop_long=true",
            set->target.path, set->line[i] + 1,
            source > target ? "the source line" : "the target line", MAX(source, target),
            rows, rows - 1);
    }
    return OK;
}

/* Dropout of attention has no masks for longer sentences. */
static Status check_masks(const Task *task, const Recipe *now, Err *err) {
    const TextSet *set = ((const TextTask *)task)->texts.sets[SPLIT_TRAIN];
    double dropout = now->model.attention_dropout;
    for (size_t i = 0; set && dropout > 0 && i < set->count; i++) {
        size_t source, target;
        textset_source(set, i, &source);
        textset_target(set, i, &target);
        if (MAX(source, target) <= ATTENTION_MASKED) continue;
        return err_set(
            err, FAIL_DATA,
            "%s:%zu: %s has %zu tokens, including </s>: with model.attention_dropout = "
            "%g at most %d; to skip such pairs: data.max_length=%d data.drop_long=true; "
            "or set model.attention_dropout=0",
            set->target.path, set->line[i] + 1,
            source > target ? "the source line" : "the target line", MAX(source, target),
            dropout, ATTENTION_MASKED, ATTENTION_MASKED - 1);
    }
    return OK;
}

/* ---- training ---- */

static void initialize(Task *task, uint64_t seed) {
    translator_initialize(translate_model(task), seed, ID_PAD);
}

static Status next(Task *task, Err *err) {
    if (text_task_next(task, err)) return err->status;
    const TextBatch *batch = text_task_batch(task);
    double flops = 0;
    for (size_t i = 0; i < batch->count; i++)
        flops += translator_flops(translate_model(task), (double)batch->source_count[i],
                                  (double)batch->target_count[i]);
    size_t count = MAX(batch->count, (size_t)1);
    task->flops = flops / (double)count * (double)batch->whole;
    return OK;
}

static Status sample(Task *task, Split split, size_t count, Err *err) {
    const TextSet *set = text_task_set(task, split, err);
    if (!set || check_positions((TranslateTask *)task, set, err)) return err->status;
    return text_task_sample(task, split, count, err);
}

static size_t edge(const Task *task, size_t i, size_t parts) {
    return textbatch_edge(text_task_batch(task), i, parts);
}

/* The sum over a batch's target tokens, divided by `divisor`; *nll is that
 * without smoothing. */
static Tensor *batch_loss(TranslateTask *t, Tape *tape, const ForwardMode *mode,
                          const TextBatch *batch, double divisor, double *nll) {
    TokenRows source = {batch->source, batch->count, batch->source_length,
                        batch->source_count};
    TokenRows input = {batch->input, batch->count, batch->length, batch->target_count};
    VocabTarget target = {.label = batch->target,
                          .ignore = ID_PAD,
                          .smoothing = smoothing_of(&t->text.task),
                          .divisor = divisor,
                          .nll = nll};
    return translator_loss(t->translator, tape, mode, &source, &input, &target);
}

static Tensor *loss(Task *task, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to) {
    TranslateTask *t = (TranslateTask *)task;
    const TextBatch *batch = text_task_batch(task);
    ForwardMode own = *mode;
    own.first_example = batch->first + from;
    textbatch_cut(batch, from, to, &t->piece);
    return batch_loss(t, tape, &own, &t->piece, (double)batch->targets, NULL);
}

/* ---- evaluation ---- */

static void score_batch(TranslateTask *t, Tape *tape, const ForwardMode *mode,
                        const TextBatch *batch, Score *score) {
    double nll = 0;
    tape_begin(tape, (TapeMode){.precision = mode->precision});
    score->value[METRIC_LOSS] +=
        (double)batch_loss(t, tape, mode, batch, 1, &nll)->value[0];
    score->nll += nll;
    score->count += batch->targets;
}

/* Sums over this rank's part of the split. */
static Status score_part(TranslateTask *t, Tape *tape, const ForwardMode *mode,
                         const TextSet *set, Score *score, Err *err) {
    Ranks *ranks = t->text.task.ranks;
    TextEval *eval =
        texteval_new(set, EVAL_TOKENS, ranks_number(ranks), ranks_count(ranks));
    while (texteval_next(eval, &t->piece)) {
        score_batch(t, tape, mode, &t->piece, score);
        if (!stop_requested()) continue;
        err_set(err, FAIL_INTERRUPTED, "interrupted while scoring %s",
                split_name(score->split));
        break;
    }
    texteval_free(eval);
    return err->status;
}

/* The lines as they are (13a) and as the model's tokens have them. */
static void count_bleu(TranslateTask *t, const TextSet *set, size_t i,
                       const BeamResult *result, BleuCounts counts[2], TextBuffer *text) {
    const Tokenizer *tokenizer = text_task_tokenizer(&t->text.task, 1);
    text_clear(text);
    if (result->count)
        tokenizer_decode(tokenizer, result->best[0].tokens, result->best[0].length, text);
    TextBuffer prepared = {0};
    size_t length;
    const char *line = textset_target_line(set, i, &length);
    tokenizer_prepare(tokenizer, line, length, &prepared);
    bool lower = t->text.task.recipe->data.lowercase;
    BleuCounts one = {{0}, {0}, 0, 0};
    bleu_add(&one, lower ? BLEU_13A_LOWER : BLEU_13A, text->text, text->length, line,
             length);
    bleu_join(&counts[0], &one);
    review_see(&t->review, i, bleu_sentence(&one), text->text, text->length, line,
               length);
    bleu_add(&counts[1], BLEU_TOKENS, text->text, text->length, prepared.text,
             prepared.length);
    text_free(&prepared);
}

/* This rank's part of the split translated. */
static Status translate_part(TranslateTask *t, Tape *tape, const ForwardMode *mode,
                             const TextSet *set, BleuCounts counts[2], Err *err) {
    Ranks *ranks = t->text.task.ranks;
    size_t from = set->count * ranks_number(ranks) / ranks_count(ranks);
    size_t to = set->count * (ranks_number(ranks) + 1) / ranks_count(ranks);
    Sentence *sentences = mem_alloc(MAX(to - from, (size_t)1) * sizeof *sentences);
    for (size_t i = from; i < to; i++)
        sentences[i - from].ids = textset_source(set, i, &sentences[i - from].count);
    SearchOptions options = search_options(t->text.task.recipe);
    BeamResult *results =
        translate_sentences(t->translator, tape, mode, sentences, to - from, &options);
    TextBuffer text = {0};
    for (size_t i = from; results && i < to; i++)
        count_bleu(t, set, i, &results[i - from], counts, &text);
    text_free(&text);
    if (results) beam_results_free(results, to - from);
    mem_free(sentences);
    return results ? OK : err_set(err, FAIL_INTERRUPTED, "interrupted while translating");
}

static void add_counts(Ranks *ranks, BleuCounts *c) {
    double sum[2 * BLEU_ORDER + 2];
    for (size_t n = 0; n < BLEU_ORDER; n++) {
        sum[n] = (double)c->match[n];
        sum[BLEU_ORDER + n] = (double)c->total[n];
    }
    sum[2 * BLEU_ORDER] = (double)c->hypothesis_length;
    sum[2 * BLEU_ORDER + 1] = (double)c->reference_length;
    ranks_add(ranks, sum, COUNT(sum));
    for (size_t n = 0; n < BLEU_ORDER; n++) {
        c->match[n] = (size_t)sum[n];
        c->total[n] = (size_t)sum[BLEU_ORDER + n];
    }
    c->hypothesis_length = (size_t)sum[2 * BLEU_ORDER];
    c->reference_length = (size_t)sum[2 * BLEU_ORDER + 1];
}

static Status score_bleu(TranslateTask *t, Tape *tape, const ForwardMode *mode,
                         const TextSet *set, Score *score, Err *err) {
    const Task *task = &t->text.task;
    BleuCounts counts[2] = {{{0}, {0}, 0, 0}, {{0}, {0}, 0, 0}};
    review_begin(&t->review, score->split, set->count);
    translate_part(t, tape, mode, set, counts, err);
    if (ranks_agree(task->ranks, err)) return err->status;
    BleuMethod method = task->recipe->data.lowercase ? BLEU_13A_LOWER : BLEU_13A;
    for (size_t i = 0; i < 2; i++) add_counts(task->ranks, &counts[i]);
    review_share(&t->review, task->ranks);
    review_different(&t->review, score->different);
    score->value[METRIC_BLEU] = bleu_score(&counts[0], method).score;
    score->value[METRIC_BLEU_TOKENS] = bleu_score(&counts[1], BLEU_TOKENS).score;
    text_format(score->signature, sizeof score->signature, "%s", bleu_signature(method));
    return OK;
}

static Status evaluate(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                       bool thorough, Score *score, Err *err) {
    TranslateTask *t = (TranslateTask *)task;
    *score = score_begin(split, task->recipe->task);
    review_begin(&t->review, split, 0);
    const TextSet *set = text_task_set(task, split, err);
    if (set && !check_positions(t, set, err)) score_part(t, tape, mode, set, score, err);
    if (text_task_finish_score(task, score, err)) return err->status;
    if (!thorough || !task->recipe->train.beam || !score->count) return OK;
    return score_bleu(t, tape, mode, set, score, err);
}

/* By BLEU, where it was measured, and by how many answers differ, as a share of how many
 * references do: one sentence for every source has none of that variety, whatever its
 * BLEU. */
static Grade grade(const Task *task, const Score *score) {
    (void)task;
    Grade by_bleu = grade_of(score->value[METRIC_BLEU], 1, 10);
    if (score->different[1] < 2) return by_bleu;
    double variety =
        ((double)score->different[0] - 1) / ((double)score->different[1] - 1);
    return MIN(by_bleu, grade_of(variety, 0.1, 0.5));
}

/* ---- some translations ---- */

enum { SHOWN = 4 };

/* The text of a side, zero-terminated; text_free. */
static TextBuffer source_text(const TranslateTask *t, const TextSet *set, size_t i) {
    TextBuffer text = {0};
    size_t count;
    const uint32_t *ids = textset_source(set, i, &count);
    tokenizer_decode(text_task_tokenizer(&t->text.task, 0), ids,
                     MAX(count, (size_t)1) - 1, &text);
    text_append_byte(&text, 0);
    return text;
}

static TextBuffer output_text(const TranslateTask *t, const BeamResult *result) {
    TextBuffer text = {0};
    if (result->count)
        tokenizer_decode(text_task_tokenizer(&t->text.task, 1), result->best[0].tokens,
                         result->best[0].length, &text);
    text_append_byte(&text, 0);
    return text;
}

static void add_translation(const TranslateTask *t, const TextSet *set, size_t i,
                            const BeamResult *result, json_t *answers) {
    TextBuffer source = source_text(t, set, i), output = output_text(t, result);
    size_t length;
    const char *line = textset_target_line(set, i, &length);
    char *reference = mem_alloc(length + 1), bleu[32];
    memcpy(reference, line, length);
    reference[length] = 0;
    bool known = t->review.count;
    if (known) text_format(bleu, sizeof bleu, "%.1f", t->review.bleu[i]);
    answers_add_text(answers, "Translation", "source", source.text, "output", output.text,
                     "reference", reference, known ? "BLEU" : (char *)NULL, bleu,
                     (char *)NULL);
    mem_free(reference);
    text_free(&source);
    text_free(&output);
}

/* The same sentence each time: lines of the log compare. */
static void add_first_line(const TranslateTask *t, const TextSet *set,
                           const BeamResult *result, json_t *answers) {
    TextBuffer source = source_text(t, set, 0), output = output_text(t, result);
    char cut[2][ANSWER_TEXT + 4];
    answer_cut(source.text, cut[0]);
    answer_cut(output.text, cut[1]);
    answers_add_line(answers, "translation: %s -> %s", cut[0], cut[1]);
    text_free(&source);
    text_free(&output);
}

static void note_which(const TranslateTask *t, const TextSet *set, size_t shown,
                       json_t *answers) {
    size_t different[2];
    if (!t->review.count) {
        answers_note(answers, "The first %zu of %zu sentences.", shown, set->count);
        return;
    }
    review_different(&t->review, different);
    answers_note(answers,
                 "The %zu of %zu translations with the lowest BLEU, the lowest first. "
                 "There are %zu different translations and %zu different references.",
                 shown, set->count, different[0], different[1]);
}

/* The worst of an evaluation that translated the whole split, else the first; and the
 * first one for the log. */
static json_t *answers_of(Task *task, Tape *tape, const ForwardMode *mode, Split split) {
    TranslateTask *t = (TranslateTask *)task;
    const TextSet *set = text_task_set(task, split, NULL);
    if (!set || !set->count) return NULL;
    if (t->review.split != split || t->review.count != set->count || !t->review.whole)
        review_clear(&t->review);
    size_t items[SHOWN + 1], shown = review_worst(&t->review, items, SHOWN);
    for (; !t->review.count && shown < MIN(set->count, (size_t)SHOWN); shown++)
        items[shown] = shown;
    items[shown] = 0;
    SearchOptions options = search_options(task->recipe);
    options.beam = MAX(options.beam, (size_t)1);
    Sentence sentences[SHOWN + 1];
    for (size_t i = 0; i <= shown; i++)
        sentences[i].ids = textset_source(set, items[i], &sentences[i].count);
    BeamResult *results =
        translate_sentences(t->translator, tape, mode, sentences, shown + 1, &options);
    if (!results) return NULL;
    json_t *answers = json_object();
    note_which(t, set, shown, answers);
    for (size_t i = 0; i < shown; i++)
        add_translation(t, set, items[i], &results[i], answers);
    add_first_line(t, set, &results[shown], answers);
    beam_results_free(results, shown + 1);
    return answers;
}

/* ---- opening ---- */

static void translate_task_free(Task *task) {
    TranslateTask *t = (TranslateTask *)task;
    translator_free(t->translator);
    textbatch_free(&t->piece);
    review_clear(&t->review);
    text_task_release(task);
    mem_free(t);
}

static Status check_smoothing(const Recipe *recipe, size_t target, Err *err) {
    double most = 1 - 1 / (double)MAX(target, (size_t)1);
    if (recipe->train.label_smoothing < most) return OK;
    return err_set(
        err, FAIL_USAGE,
        "train.label_smoothing = %g is too large: of %zu tokens the correct one would "
        "get the smallest share",
        recipe->train.label_smoothing, target);
}

static Status check_change(const Task *task, const Recipe *now, Err *err) {
    if (check_masks(task, now, err)) return err->status;
    return check_smoothing(now, tokenizer_size(text_task_tokenizer(task, 1)), err);
}

static Task *finish(TranslateTask *t, Status status, Err *err) {
    Task *task = &t->text.task;
    const ModelConfig *model = &task->recipe->model;
    size_t source = status ? 0 : tokenizer_size(text_task_tokenizer(task, 0));
    size_t target = status ? 0 : tokenizer_size(text_task_tokenizer(task, 1));
    if (status || translator_check(model, source, target, err) ||
        check_smoothing(task->recipe, target, err)) {
        task_free(task);
        return NULL;
    }
    t->translator = translator_new(model, source, target, model->context);
    task->model = &t->translator->model;
    return task;
}

static TranslateTask *new_task(const Recipe *recipe, Ranks *ranks) {
    TranslateTask *t = mem_zalloc(sizeof *t);
    t->text.task = (Task){.ops = &translate_ops, .recipe = recipe, .ranks = ranks};
    return t;
}

/* Of the largest micro-batch: a bucket, or pairs of the mean lengths. */
static double memory_of(const TranslateTask *t) {
    const TrainConfig *train = &t->text.task.recipe->train;
    const TextSet *set = t->text.texts.sets[SPLIT_TRAIN];
    double parts = (double)(train->accumulate * ranks_count(t->text.task.ranks));
    double tokens[2];
    for (size_t side = 0; side < 2; side++)
        tokens[side] = train->batch_tokens
                           ? (double)train->batch_tokens / parts
                           : (double)train->batch / parts *
                                 (double)set->report.tokens[side] / (double)set->count;
    return translator_memory(t->translator, tokens[0], tokens[1],
                             train->recompute == RECOMPUTE_BLOCK);
}

static Task *open_data(const Recipe *recipe, Ranks *ranks, Err *err) {
    TranslateTask *t = new_task(recipe, ranks);
    Task *task = finish(t, text_task_open(&t->text.task, err), err);
    if (task && check_masks(task, recipe, err)) return task_free(task), NULL;
    for (Split s = SPLIT_TRAIN; task && s <= SPLIT_TEST; s++) {
        const TextSet *set = t->text.texts.sets[s];
        if (!set || !check_positions(t, set, err)) continue;
        task_free(task);
        return NULL;
    }
    if (!task) return NULL;
    text_task_guess(task, smoothing_of(task));
    task->memory = memory_of(t);
    return task;
}

static Task *open_bare(const Recipe *recipe, const char *run_dir, Err *err) {
    TranslateTask *t = new_task(recipe, NULL);
    return finish(t, text_task_open_bare(&t->text.task, run_dir, err), err);
}

/* clang-format off */
const TaskOps translate_ops = {
    .open = open_data, .open_bare = open_bare, .free = translate_task_free,
    .grade = grade, .unit = "tokens", .best = METRIC_LOSS, .scope = SCOPE_BLOCKS,
    .initialize = initialize, .go_on = text_task_go_on, .start = text_task_start,
    .next = next, .sample = sample, .loss = loss, .edge = edge, .evaluate = evaluate,
    .answers = answers_of,
    .facts = text_task_facts, .introduce = text_task_introduce, .describe = text_task_describe,
    .check_facts = text_task_check_facts, .check_change = check_change,
    .save_facts = text_task_save_facts,
};
/* clang-format on */
