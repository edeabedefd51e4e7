/* predict: text that goes on where a prompt ends (tools/task/predict.h). */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "data/file/utf8.h"
#include "models/generation.h"
#include "models/sample.h"
#include "tools/program/output.h"
#include "tools/program/stop.h"
#include "tools/run/rundir.h"
#include "tools/task/language/language.h"
#include "tools/task/predict.h"
#include "tools/task/strangers.h"

/* ---- sampling ---- */

typedef struct Sampler {
    Language *lm;
    const Tokenizer *tokenizer;
    const PredictOptions *options;
    const PredictRun *run;
    Generation *generation;
    IdList ids; /* all tokens so far */
    real *logits;
    TextBuffer text, shown; /* of the ids, and what is printed of it */
} Sampler;

/* Where learned positions end, the text goes on from its last half. */
static void read_on(Sampler *s, size_t first) {
    if (generation_read(s->generation, s->ids.ids + first, s->ids.count - first,
                        s->logits))
        return;
    ForwardMode mode = s->run->mode;
    size_t keep = MAX(s->lm->model.config.context / 2, (size_t)1);
    generation_free(s->generation);
    s->generation = generation_of_text(s->lm, s->run->tape, &mode);
    size_t from = s->ids.count > keep ? s->ids.count - keep : 0;
    CHECK(generation_read(s->generation, s->ids.ids + from, s->ids.count - from,
                          s->logits),
          "half of the context is more than the context");
}

/* What decoding the ids adds to what stands on the screen. */
static void show(Sampler *s) {
    text_clear(&s->text);
    tokenizer_decode(s->tokenizer, s->ids.ids, s->ids.count, &s->text);
    size_t old = s->shown.length;
    if (s->text.length < old || !s->shown.text ||
        memcmp(s->text.text, s->shown.text, old))
        return;
    fwrite(s->text.text + old, 1, s->text.length - old, stdout);
    fflush(stdout);
    text_append(&s->shown, s->text.text + old, s->text.length - old);
}

static void sample(Sampler *s) {
    const PredictOptions *o = s->options;
    Rng dice = rng_make(o->seed, RNG_SAMPLE, 0);
    read_on(s, 0);
    for (size_t i = 0; i < o->tokens && !stop_requested() && !output_failed(); i++) {
        uint32_t id =
            sample_next(s->logits, s->lm->vocab, o->temperature, o->top_k, dice, i);
        idlist_add(&s->ids, id);
        show(s);
        read_on(s, s->ids.count - 1);
    }
    putchar('\n');
}

/* The prompt's tokens, or what a line begins behind. */
static Status begin(Sampler *s, Err *err) {
    const char *prompt = s->options->prompt;
    size_t bad;
    if (prompt && !utf8_valid(prompt, strlen(prompt), &bad))
        return err_set(err, FAIL_USAGE, "--prompt: byte %zu (0x%02x) is not UTF-8",
                       bad + 1, (unsigned)(unsigned char)prompt[bad]);
    if (prompt && *prompt &&
        tokenizer_encode(s->tokenizer, prompt, strlen(prompt), &s->ids, err))
        return err_wrap(err, "--prompt"), err->status;
    if (prompt) {
        Strangers strangers = strangers_of(s->tokenizer);
        strangers_see(&strangers, "--prompt", 0, prompt, strlen(prompt));
        strangers_end(&strangers);
    }
    if (!s->ids.count) idlist_add(&s->ids, tokenizer_line_end(s->tokenizer));
    size_t context = s->lm->model.config.context;
    if (s->lm->embed.position && s->ids.count > context)
        return err_set(err, FAIL_USAGE,
                       "--prompt has %zu tokens; the model's positions end at %zu",
                       s->ids.count, context);
    return OK;
}

static Status sample_text(const PredictOptions *o, const PredictRun *run, Err *err) {
    Language *lm = language_model(run->task);
    ForwardMode mode = run->mode;
    Sampler s = {.lm = lm,
                 .tokenizer = text_task_tokenizer(run->task, 0),
                 .options = o,
                 .run = run,
                 .generation = generation_of_text(lm, run->tape, &mode),
                 .logits = mem_alloc(lm->vocab * sizeof(real))};
    text_clear(&s.shown);
    if (!begin(&s, err)) {
        if (o->prompt && *o->prompt) show(&s);
        else tokenizer_decode(s.tokenizer, s.ids.ids, s.ids.count, &s.shown);
        sample(&s);
    }
    generation_free(s.generation);
    idlist_free(&s.ids);
    text_free(&s.text);
    text_free(&s.shown);
    mem_free(s.logits);
    return err->status;
}

/* ---- logits of given lines ---- */

/* As many of the ids as the model has positions for; their logits row by row. */
static void fill_rows(const PredictRun *run, const IdList *ids, json_t *tokens,
                      json_t *logits) {
    Language *lm = language_model(run->task);
    size_t most = lm->embed.position ? lm->model.config.context : ids->count;
    size_t count = MIN(ids->count, most);
    if (!count) return;
    ForwardMode mode = run->mode;
    TokenRows rows = {.ids = ids->ids, .batch = 1, .length = count};
    tape_begin(run->tape, (TapeMode){0});
    const Tensor *y = language_logits(lm, run->tape, &mode, &rows);
    for (size_t t = 0; t < count; t++) {
        json_array_append_new(tokens, json_integer(ids->ids[t]));
        json_array_append_new(logits,
                              predict_numbers(y->value + t * lm->vocab, lm->vocab));
    }
}

typedef struct Reader {
    const PredictRun *run;
    const Tokenizer *tokenizer;
    Strangers strangers;
} Reader;

static Status print_line(void *context, const InputLine *line, Err *err) {
    Reader *r = context;
    IdList ids = {0};
    size_t unknown =
        strangers_see(&r->strangers, line->where, line->number, line->text, line->length);
    if (tokenizer_encode(r->tokenizer, line->text, line->length, &ids, err)) {
        err_wrap(err, "%s:%zu", line->where, line->number);
    } else {
        char *copy = predict_line_copy(line);
        json_t *tokens = json_array(), *logits = json_array();
        fill_rows(r->run, &ids, tokens, logits);
        json_t *row = json_pack("{s:o, s:o, s:o}", "input", json_text(copy), "tokens",
                                tokens, "logits", logits);
        if (unknown)
            json_object_set_new(row, "unknown", json_integer((json_int_t)unknown));
        predict_print(row);
        mem_free(copy);
    }
    idlist_free(&ids);
    return err->status;
}

static Status print_logits(const PredictOptions *o, const PredictRun *run, Err *err) {
    Reader r = {.run = run, .tokenizer = text_task_tokenizer(run->task, 0)};
    r.strangers = strangers_of(r.tokenizer);
    for (size_t i = 0; i < o->input_count && !err->status; i++)
        predict_lines(o->inputs[i], o->limit, print_line, &r, err);
    strangers_end(&r.strangers);
    return err->status;
}

static Status answer(const PredictOptions *o, const PredictRun *run, Err *err) {
    if (o->logits && o->input_count) return print_logits(o, run, err);
    if (o->input_count || o->logits)
        return err_set(
            err, FAIL_USAGE,
            "a language model writes text behind --prompt TEXT; files are read "
            "with --logits alone");
    return sample_text(o, run, err);
}

const TaskPredict language_predict = {
    .answer = answer,
    .use = {{PREDICT_SAMPLES, "a language model without INPUT"},
            {PREDICT_LIMITS, "a language model with INPUT"}}};
