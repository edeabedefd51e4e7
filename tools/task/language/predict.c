/* predict: text that goes on where a prompt ends (tools/task/predict.h). */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/program/output.h"
#include "tools/program/say.h"
#include "tools/program/stop.h"
#include "tools/run/rundir.h"
#include "tools/task/language/sampling.h"
#include "tools/task/predict.h"
#include "tools/task/strangers.h"

/* ---- sampling ---- */

typedef struct Screen {
    Sampling sampling;
    TextBuffer text, shown; /* of all tokens, and what is printed of it */
} Screen;

/* What decoding the ids adds to what stands on the screen. */
static void show(Screen *s) {
    const Sampling *from = &s->sampling;
    text_clear(&s->text);
    tokenizer_decode(from->tokenizer, from->ids.ids, from->ids.count, &s->text);
    size_t old = s->shown.length;
    if (s->text.length < old || !s->shown.text ||
        memcmp(s->text.text, s->shown.text, old))
        return;
    fwrite(s->text.text + old, 1, s->text.length - old, stdout);
    fflush(stdout);
    text_append(&s->shown, s->text.text + old, s->text.length - old);
}

static void sample(const PredictOptions *o, Screen *s) {
    Rng dice = rng_make(o->seed, RNG_SAMPLE, 0);
    for (size_t i = 0; i < o->tokens && !stop_requested() && !output_failed(); i++) {
        sampling_next(&s->sampling, o->temperature, o->top_k, dice, i);
        show(s);
    }
    putchar('\n');
}

static Status sample_text(const PredictOptions *o, const PredictRun *run, Err *err) {
    Screen s = {0};
    const IdList *ids = &s.sampling.ids;
    sampling_begin(&s.sampling, run->task, run->tape, &run->mode);
    text_clear(&s.shown);
    if (!sampling_read(&s.sampling, o->prompt, "--prompt", err)) {
        if (o->prompt && *o->prompt) show(&s);
        else tokenizer_decode(s.sampling.tokenizer, ids->ids, ids->count, &s.shown);
        sample(o, &s);
    }
    sampling_end(&s.sampling);
    text_free(&s.text);
    text_free(&s.shown);
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
    tape_begin(run->tape, (TapeMode){.precision = mode.precision});
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

/* ---- prompts of a file or of stdin: a line in, a line out ---- */

typedef struct Prompts {
    const PredictOptions *options;
    const PredictRun *run;
} Prompts;

/* The prompt and what continues it, on one line: \n stands for a line's end. */
static Status continue_line(void *context, const InputLine *line, Err *err) {
    const Prompts *p = context;
    char *prompt = predict_line_copy(line), where[300];
    Sampling s = {0};
    TextBuffer text = {0};
    Rng dice = rng_make(p->options->seed, RNG_SAMPLE, line->number);
    text_format(where, sizeof where, "%.200s:%zu", line->where, line->number);
    sampling_begin(&s, p->run->task, p->run->tape, &p->run->mode);
    if (!sampling_read(&s, prompt, where, err)) {
        for (size_t i = 0; i < p->options->tokens && !stop_requested(); i++)
            sampling_next(&s, p->options->temperature, p->options->top_k, dice, i);
        tokenizer_decode(s.tokenizer, s.ids.ids, s.ids.count, &text);
        print_field(text.text);
        putchar('\n');
        fflush(stdout);
    }
    sampling_end(&s);
    text_free(&text);
    mem_free(prompt);
    if (!err->status && stop_requested()) err_set(err, FAIL_INTERRUPTED, "interrupted");
    return err->status;
}

static Status continue_lines(const PredictOptions *o, const PredictRun *run, Err *err) {
    Prompts prompts = {o, run};
    for (size_t i = 0; i < o->input_count && !err->status; i++)
        predict_lines(o->inputs[i], o->limit, continue_line, &prompts, err);
    return err->status;
}

/* A prompt in the place of a file is what people write first. */
static Status check_inputs(const PredictOptions *o, Err *err) {
    for (size_t i = 0; i < o->input_count; i++)
        if (strcmp(o->inputs[i], "-") && !openfile_exists(o->inputs[i], NULL) &&
            errno == ENOENT)
            return err_set(
                err, FAIL_DATA,
                "%.200s: no such file; INPUT is a file of prompts; for a single "
                "prompt: --prompt TEXT",
                o->inputs[i]);
    return OK;
}

static Status answer(const PredictOptions *o, const PredictRun *run, Err *err) {
    if (check_inputs(o, err)) return err->status;
    if (o->input_count && o->prompt)
        return err_set(
            err, FAIL_USAGE,
            "--prompt cannot be combined with the input %s, whose lines are the "
            "prompts; leave one out",
            o->inputs[0]);
    if (o->input_count)
        return o->logits ? print_logits(o, run, err) : continue_lines(o, run, err);
    if (o->logits)
        return err_set(err, FAIL_USAGE,
                       "--logits needs an INPUT with the lines to "
                       "read, or - for standard input");
    return sample_text(o, run, err);
}

const TaskPredict language_predict = {
    .input = "--prompt TEXT",
    .answer = answer,
    .use = {{PREDICT_SAMPLES, "a language model without INPUT"},
            {PREDICT_LIMITS | PREDICT_SAMPLES, "a language model with INPUT"},
            {PREDICT_LIMITS, "a language model with INPUT and --logits"}}};
