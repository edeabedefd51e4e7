/* predict: line in, line out (tools/task/predict.h). */
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/file/textkind.h"
#include "tools/program/output.h"
#include "tools/program/say.h"
#include "tools/program/stop.h"
#include "tools/run/rundir.h"
#include "tools/task/predict.h"
#include "tools/task/strangers.h"
#include "tools/task/texts.h"
#include "tools/task/translate/translation.h"

enum { CHUNK = 256 }; /* lines that are translated together, and then printed */

typedef struct Lines {
    size_t number;     /* of the first, from 1 */
    size_t count;      /* in the chunk */
    IdList ids[CHUNK]; /* </s> at the end of each */
    char *text[CHUNK];
    size_t unknown[CHUNK]; /* tokens of each that are read as <unk> */
    Strangers strangers;
    const PredictOptions *options;
    const PredictRun *run;
} Lines;

static void lines_clear(Lines *lines) {
    lines->number += lines->count;
    for (size_t i = 0; i < lines->count; i++) {
        idlist_free(&lines->ids[i]);
        mem_free(lines->text[i]);
    }
    lines->count = 0;
}

/* ---- output ---- */

static void print_numbers(const Lines *lines, size_t i, const char *output,
                          const BeamHypothesis *best) {
    json_t *tokens = json_array();
    for (size_t k = 0; k < best->length; k++)
        json_array_append_new(tokens, json_integer(best->tokens[k]));
    json_t *row =
        json_pack("{s:o, s:o, s:o, s:o, s:o}", "input", json_text(lines->text[i]),
                  "output", json_text(output), "score", json_number(best->score),
                  "log_prob", json_number(best->log_prob), "tokens", tokens);
    if (lines->unknown[i])
        json_object_set_new(row, "unknown", json_integer((json_int_t)lines->unknown[i]));
    predict_print(row);
}

static void print_one(const PredictOptions *o, const Tokenizer *tokenizer,
                      const Lines *lines, size_t i, const BeamResult *result) {
    static const BeamHypothesis NOTHING = {0};
    size_t count = MAX(MIN(o->nbest, result->count), (size_t)1);
    TextBuffer text = {0};
    for (size_t k = 0; k < count; k++) {
        const BeamHypothesis *h = k < result->count ? &result->best[k] : &NOTHING;
        text_clear(&text);
        tokenizer_decode(tokenizer, h->tokens, h->length, &text);
        if (o->logits) print_numbers(lines, i, text.text, h);
        else if (o->nbest > 1)
            printf("%zu\t%.6f\t", lines->number + i, h->score), print_field(text.text),
                putchar('\n');
        else printf("%s\n", text.text);
    }
    text_free(&text);
}

static Status translate_chunk(Lines *lines, Err *err) {
    const PredictOptions *o = lines->options;
    const PredictRun *run = lines->run;
    Sentence sentences[CHUNK];
    ForwardMode mode = run->mode;
    SearchOptions options = search_options(run->task->recipe);
    if (o->beam) options.beam = o->beam;
    options.beam = MAX(MAX(options.beam, o->nbest), (size_t)1);
    size_t full =
        0; /* lines with more than </s>: nothing is the translation of nothing */
    for (size_t i = 0; i < lines->count; i++)
        if (lines->ids[i].count > 1)
            sentences[full++] = (Sentence){lines->ids[i].ids, lines->ids[i].count};
    BeamResult *results = translate_sentences(translate_model(run->task), run->tape,
                                              &mode, sentences, full, &options);
    static const BeamResult NOTHING = {0};
    const Tokenizer *tokenizer = text_task_tokenizer(run->task, 1);
    for (size_t i = 0, k = 0; results && i < lines->count; i++)
        print_one(o, tokenizer, lines, i,
                  lines->ids[i].count > 1 ? &results[k++] : &NOTHING);
    fflush(stdout);
    lines_clear(lines);
    if (!results) return err_set(err, FAIL_INTERRUPTED, "interrupted");
    beam_results_free(results, full);
    return OK;
}

/* ---- input ---- */

static Status add_line(Lines *lines, const InputLine *line, Err *err) {
    Task *task = lines->run->task;
    IdList *ids = &lines->ids[lines->count];
    *ids = (IdList){0};
    lines->text[lines->count] = predict_line_copy(line);
    lines->unknown[lines->count++] =
        strangers_see(&lines->strangers, line->where, line->number, line->text,
                      line->length);
    return sentence_encode(task, translate_model(task), line->text, line->length, ids,
                           err);
}

/* A line that cannot be translated. */
static void drop_last(Lines *lines) {
    lines->count--;
    idlist_free(&lines->ids[lines->count]);
    mem_free(lines->text[lines->count]);
}

/* Those that came are answered when the chunk is full or nothing waits behind the
 * line. */
static Status take_line(void *context, const InputLine *line, Err *err) {
    Lines *lines = context;
    if (add_line(lines, line, err))
        drop_last(lines), err_wrap(err, "%s:%zu", line->where, line->number);
    else if (lines->count == CHUNK || line->last) translate_chunk(lines, err);
    return err->status;
}

static const char STDIN_NAME[] = "standard input";

typedef struct StdinLines {
    /* lines with \r inside, and the first of them */
    size_t number, returns, first_return;
} StdinLines;

/* Does a line wait already?  Where none does, those that came are answered. */
static bool input_waits(void) {
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) > 0 && input.revents & POLLIN;
}

/* What textfile_read does with the lines of a file. */
static Status trim_line(StdinLines *in, char **line, size_t *length, Err *err) {
    static const char MARK[] = "\xEF\xBB\xBF";
    if ((*line)[*length - 1] == '\n') --*length;
    if (*length && (*line)[*length - 1] == '\r') --*length;
    if (!in->number++ && *length >= 3 && !memcmp(*line, MARK, 3))
        *line += 3, *length -= 3;
    if (memchr(*line, '\r', *length) && !in->returns++) in->first_return = in->number;
    if (!textfile_check_line(STDIN_NAME, in->number, *line, *length, err)) return OK;
    const char *kind = in->number == 1 ? textkind_of(*line, *length) : NULL;
    return kind ? err_set(err, FAIL_DATA, "%s is %s", STDIN_NAME, kind) : err->status;
}

/* Unbuffered, so that what waits is in the pipe and not in a buffer of ours. */
static Status translate_stdin(Lines *lines, Err *err) {
    size_t limit = lines->options->limit;
    StdinLines in = {0};
    char *bytes = NULL;
    size_t room = 0;
    ssize_t size;
    setvbuf(stdin, NULL, _IONBF, 0);
    while (!err->status && !output_failed() && (!limit || in.number < limit) &&
           (size = getline(&bytes, &room, stdin)) > 0) {
        size_t length = (size_t)size;
        char *text = bytes;
        if (trim_line(&in, &text, &length, err)) break;
        InputLine line = {STDIN_NAME, in.number, text, length, .last = !input_waits()};
        take_line(lines, &line, err);
    }
    free(bytes);
    if (in.returns)
        fprintf(stderr,
                "steady: note: %s: lines with a carriage return (\\r) inside: %zu "
                "(first: line %zu); it does not end a line\n",
                STDIN_NAME, in.returns, in.first_return);
    if (!err->status && lines->count) translate_chunk(lines, err);
    return err->status;
}

static const char SINGLE[] = "for one sentence: echo TEXT | steady predict RUN";

/* A file, also one that is there packed alone. */
static bool is_lost(const char *path) {
    char packed[PATH_SIZE];
    text_format(packed, sizeof packed, "%s.gz", path);
    return access(packed, F_OK) && access(path, F_OK) && errno == ENOENT;
}

/* A sentence in the place of a file is what people write first. */
static Status check_inputs(const PredictOptions *o, Err *err) {
    for (size_t i = 0; i < o->input_count; i++)
        if (strcmp(o->inputs[i], "-") && is_lost(o->inputs[i]))
            return err_set(err, FAIL_DATA,
                           "%.200s: no such file; INPUT is a file with a sentence per "
                           "line; %s",
                           o->inputs[i], SINGLE);
    return OK;
}

static Status answer(const PredictOptions *o, const PredictRun *run, Err *err) {
    static const char *const STDIN = "-";
    if (check_inputs(o, err)) return err->status;
    const char *const *inputs = o->input_count ? (const char *const *)o->inputs : &STDIN;
    size_t count = MAX(o->input_count, (size_t)1);
    Lines *lines = mem_zalloc(sizeof *lines);
    lines->number = 1;
    lines->options = o;
    lines->run = run;
    lines->strangers = strangers_of(text_task_tokenizer(run->task, 0));
    for (size_t i = 0; i < count && !err->status; i++)
        if (strcmp(inputs[i], STDIN))
            predict_lines(inputs[i], o->limit, take_line, lines, err);
        else translate_stdin(lines, err);
    /* what stood before the line that ended it is answered all the same */
    Err later = ERR_NONE;
    if (err->status == FAIL_DATA && lines->count) translate_chunk(lines, &later);
    lines_clear(lines);
    strangers_end(&lines->strangers);
    mem_free(lines);
    return err->status;
}

const TaskPredict translate_predict = {.input = "FILE",
                                       .single = SINGLE,
                                       .answer = answer,
                                       .use = {{PREDICT_LIMITS | PREDICT_SEARCHES, NULL},
                                               {PREDICT_LIMITS | PREDICT_SEARCHES,
                                                NULL}}};
