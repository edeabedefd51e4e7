#include "tools/task/language/sampling.h"

#include <string.h>

#include "data/file/utf8.h"
#include "models/sample.h"
#include "tools/task/strangers.h"

void sampling_begin(Sampling *s, Task *task, Tape *tape, const ForwardMode *mode) {
    Language *lm = language_model(task);
    *s = (Sampling){.lm = lm,
                    .tokenizer = text_task_tokenizer(task, 0),
                    .tape = tape,
                    .mode = *mode,
                    .generation = generation_of_text(lm, tape, mode),
                    .logits = mem_alloc(lm->vocab * sizeof(real))};
}

void sampling_end(Sampling *s) {
    generation_free(s->generation);
    idlist_free(&s->ids);
    mem_free(s->logits);
}

/* Where learned positions end, the text goes on from its last half. */
static void read_on(Sampling *s, size_t first) {
    if (generation_read(s->generation, s->ids.ids + first, s->ids.count - first,
                        s->logits))
        return;
    size_t keep = MAX(s->lm->model.config.context / 2, (size_t)1);
    generation_free(s->generation);
    s->generation = NULL;
    s->generation = generation_of_text(s->lm, s->tape, &s->mode);
    size_t from = s->ids.count > keep ? s->ids.count - keep : 0;
    CHECK(generation_read(s->generation, s->ids.ids + from, s->ids.count - from,
                          s->logits),
          "half of the context is more than the context");
}

static Status encode(Sampling *s, const char *prompt, const char *where, Err *err) {
    size_t bad;
    if (prompt && !utf8_valid(prompt, strlen(prompt), &bad))
        return err_set(err, FAIL_USAGE, "%s: byte %zu (0x%02x) is not UTF-8", where,
                       bad + 1, (unsigned)(unsigned char)prompt[bad]);
    if (prompt && *prompt &&
        tokenizer_encode(s->tokenizer, prompt, strlen(prompt), &s->ids, err))
        return err_wrap(err, "%s", where), err->status;
    if (prompt) {
        Strangers strangers = strangers_of(s->tokenizer);
        strangers_see(&strangers, where, 0, prompt, strlen(prompt));
        strangers_end(&strangers);
    }
    if (!s->ids.count) idlist_add(&s->ids, tokenizer_line_end(s->tokenizer));
    return OK;
}

Status sampling_read(Sampling *s, const char *prompt, const char *where, Err *err) {
    if (encode(s, prompt, where, err)) return err->status;
    size_t context = s->lm->model.config.context;
    if (s->lm->embed.position && s->ids.count > context)
        return err_set(err, FAIL_USAGE,
                       "%s has %zu tokens; this model has only %zu positions "
                       "(model.context)",
                       where, s->ids.count, context);
    read_on(s, 0);
    return OK;
}

void sampling_next(Sampling *s, double temperature, size_t top_k, Rng dice,
                   size_t number) {
    idlist_add(&s->ids,
               sample_next(s->logits, s->lm->vocab, temperature, top_k, dice, number));
    read_on(s, s->ids.count - 1);
}
