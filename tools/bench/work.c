/* work: models with a batch of noise, and the loss that a step begins with
 * (tools/bench/bench.h). */
#include "models/language.h"
#include "models/translator.h"
#include "tools/bench/bench.h"
#include "tools/task/transcribe/transcription.h"

enum { LABELS_STEP = 7, IDS_STEP = 7919, IDS_FIRST = 4, NO_PAD = UINT32_MAX };
enum { ROWS_A_LABEL = 5 }; /* of speech */

/* ---- pictures ---- */

static Tensor *loss_of_pictures(BenchWork *w, Tape *tape, const ForwardMode *mode,
                                size_t from, size_t to) {
    const BenchSubject *s = w->subject;
    const PictureShape *p = &s->picture;
    size_t size = p->channels * p->height * p->width;
    Target target = {.label = w->labels + from,
                     .smoothing = s->recipe.train.label_smoothing,
                     .divisor = (double)s->batch};
    Tensor *pixels = tape_wrap(tape, w->pixels + from * size, 4,
                               (size_t[]){to - from, p->channels, p->height, p->width});
    Tensor *logits = vit_logits(w->owner, tape, mode, pixels);
    tape_scope(tape, "loss");
    return op_cross_entropy(tape, logits, &target);
}

static void make_pictures(BenchWork *w) {
    const BenchSubject *s = w->subject;
    const PictureShape *p = &s->picture;
    size_t numbers = s->batch * p->channels * p->height * p->width;
    w->pixels = mem_alloc(numbers * sizeof(real));
    bench_fill(w->pixels, numbers, 1);
    w->labels = mem_alloc(s->batch * sizeof *w->labels);
    for (size_t i = 0; i < s->batch; i++) w->labels[i] = LABELS_STEP * i % s->classes;
}

static void free_vit(void *owner) { vit_free(owner); }

static void make_vit(BenchWork *w) {
    const BenchSubject *s = w->subject;
    Vit *vit = vit_new(&s->recipe.model, s->picture, s->classes);
    vit_initialize(vit, s->recipe.train.seed);
    w->owner = vit;
    w->model = &vit->model;
    w->flops = (double)s->batch * vit_flops(vit);
    w->loss = loss_of_pictures;
    w->free_owner = free_vit;
}

/* ---- texts: random tokens, none of them padding ---- */

static uint32_t *make_ids(const BenchSubject *s, size_t first) {
    size_t count = s->batch * s->length;
    uint32_t *ids = mem_alloc(count * sizeof *ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = (uint32_t)(IDS_FIRST + (first + i * IDS_STEP) % (s->vocab - IDS_FIRST));
    return ids;
}

static void make_texts(BenchWork *w) {
    w->ids = make_ids(w->subject, 0);
    w->input = make_ids(w->subject, 1);
    w->target = make_ids(w->subject, 2);
}

/* Sequences [from, to), and what they are to be followed by. */
static TokenRows rows_of(const BenchSubject *s, const uint32_t *ids, size_t from,
                         size_t to) {
    return (TokenRows){.ids = ids + from * s->length,
                       .batch = to - from,
                       .length = s->length};
}

static VocabTarget target_of(const BenchWork *w, size_t from) {
    const BenchSubject *s = w->subject;
    return (VocabTarget){.label = w->target + from * s->length,
                         .ignore = NO_PAD,
                         .smoothing = s->recipe.train.label_smoothing,
                         .divisor = (double)(s->batch * s->length)};
}

static Tensor *loss_of_language(BenchWork *w, Tape *tape, const ForwardMode *mode,
                                size_t from, size_t to) {
    TokenRows rows = rows_of(w->subject, w->input, from, to);
    VocabTarget target = target_of(w, from);
    return language_loss(w->owner, tape, mode, &rows, &target);
}

static void free_language(void *owner) { language_free(owner); }

static void make_language(BenchWork *w) {
    const BenchSubject *s = w->subject;
    Language *lm = language_new(&s->recipe.model, s->vocab);
    language_initialize(lm, s->recipe.train.seed);
    w->owner = lm;
    w->model = &lm->model;
    w->flops = (double)s->batch * language_flops(lm, s->length);
    w->loss = loss_of_language;
    w->free_owner = free_language;
}

static Tensor *loss_of_pairs(BenchWork *w, Tape *tape, const ForwardMode *mode,
                             size_t from, size_t to) {
    TokenRows source = rows_of(w->subject, w->ids, from, to);
    TokenRows input = rows_of(w->subject, w->input, from, to);
    VocabTarget target = target_of(w, from);
    return translator_loss(w->owner, tape, mode, &source, &input, &target);
}

static void free_translator(void *owner) { translator_free(owner); }

static void make_translator(BenchWork *w) {
    const BenchSubject *s = w->subject;
    double length = (double)s->length;
    Translator *t = translator_new(&s->recipe.model, s->vocab, s->vocab, s->length);
    translator_initialize(t, s->recipe.train.seed, 1);
    w->owner = t;
    w->model = &t->model;
    w->flops = (double)s->batch * translator_flops(t, length, length);
    w->loss = loss_of_pairs;
    w->free_owner = free_translator;
}

/* ---- speech: utterances of one length, so that nothing is padding ---- */

static Tensor *loss_of_speech(BenchWork *w, Tape *tape, const ForwardMode *mode,
                              size_t from, size_t to) {
    const BenchSubject *s = w->subject;
    size_t longest = SPEECH_STRIDE * s->length, labels = s->length / ROWS_A_LABEL;
    size_t shape[] = {to - from, longest, SPEECH_FILTERS};
    SpeechRows rows = {.x = tape_wrap(tape, w->pixels + from * longest * SPEECH_FILTERS,
                                      3, shape),
                       .frames = w->frames + from,
                       .before =
                           frames_before_same(longest, SPEECH_KERNEL, SPEECH_STRIDE)};
    Tensor *logits = speech_logits(w->owner, tape, mode, &rows);
    CtcTarget target = {.label = w->target + from * labels,
                        .length = labels,
                        .label_count = w->label_count + from,
                        .blank = SPEECH_BLANK,
                        .divisor = (double)s->batch};
    tape_scope(tape, "loss");
    return op_ctc(tape, logits, &target);
}

static void make_utterances(BenchWork *w) {
    const BenchSubject *s = w->subject;
    size_t frames = SPEECH_STRIDE * s->length, labels = s->length / ROWS_A_LABEL;
    w->pixels = mem_alloc(s->batch * frames * SPEECH_FILTERS * sizeof(real));
    bench_fill(w->pixels, s->batch * frames * SPEECH_FILTERS, 1);
    w->frames = mem_alloc(s->batch * sizeof *w->frames);
    w->label_count = mem_alloc(s->batch * sizeof *w->label_count);
    w->target = mem_alloc(s->batch * labels * sizeof *w->target);
    for (size_t b = 0; b < s->batch; b++)
        w->frames[b] = frames, w->label_count[b] = labels;
    for (size_t i = 0; i < s->batch * labels; i++)
        w->target[i] = (uint32_t)(i * LABELS_STEP % SPEECH_BLANK);
}

static void free_speech(void *owner) { speech_free(owner); }

static void make_speech(BenchWork *w) {
    const BenchSubject *s = w->subject;
    Speech *speech = speech_new(&s->recipe.model, SPEECH_FILTERS, SPEECH_LABELS);
    speech_initialize(speech, s->recipe.train.seed);
    w->owner = speech;
    w->model = &speech->model;
    w->flops = (double)s->batch * speech_flops(speech, SPEECH_STRIDE * s->length);
    w->loss = loss_of_speech;
    w->free_owner = free_speech;
}

/* ---- the table ---- */

static const struct {
    void (*make_batch)(BenchWork *work);
    void (*make_model)(BenchWork *work);
} KINDS[] = {
    [TASK_CLASSIFY] = {make_pictures, make_vit},
    [TASK_LANGUAGE] = {make_texts, make_language},
    [TASK_TRANSLATE] = {make_texts, make_translator},
    [TASK_TRANSCRIBE] = {make_utterances, make_speech},
};

void bench_work_make_batch(BenchWork *work, const BenchSubject *subject) {
    *work = (BenchWork){.subject = subject};
    KINDS[subject->recipe.task].make_batch(work);
}

void bench_work_make_model(BenchWork *work) {
    KINDS[work->subject->recipe.task].make_model(work);
}

void bench_work_release(BenchWork *w) {
    if (w->owner) w->free_owner(w->owner);
    mem_free(w->pixels);
    mem_free(w->labels);
    mem_free(w->frames);
    mem_free(w->label_count);
    mem_free(w->ids);
    mem_free(w->input);
    mem_free(w->target);
}
