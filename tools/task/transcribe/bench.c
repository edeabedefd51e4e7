/* bench: speech recognisers, on utterances of one length, so that nothing is padding
 * (tools/task/bench.h). */
#include "tools/task/bench.h"
#include "tools/task/transcribe/transcription.h"

enum { ROWS_A_LABEL = 5 };

#define SPEECH(name_, width_, depth_, heads_, rows_, batch_)                             \
    {                                                                                    \
        .name = name_, .task = TASK_TRANSCRIBE, .width = width_, .depth = depth_,        \
        .heads = heads_, .vocab = SPEECH_LABELS, .length = rows_, .batch = batch_        \
    }
static const BenchModel MODELS[] = {
    SPEECH("asr-12l", 256, 12, 4, 200, 8),
    SPEECH("asr-36l", 768, 36, 4, 400, 4),
    SPEECH("asr-72l", 768, 72, 4, 400, 4),
};

static void print_size(FILE *out, const BenchModel *m) {
    fprintf(out, "%zu frames, %zu labels\n", SPEECH_STRIDE * m->length, m->vocab);
}

static void fill(Recipe *r, const BenchModel *m) {
    r->data.source = SOURCE_TONES;
    r->model.context = m->length;
    r->model.position = POSITION_CAPE;
    r->model.activation = ACTIVATION_RELU;
    r->model.init = INIT_UNIFORM;
}

static Status shape(BenchSubject *s, const BenchModel *model, Err *err) {
    (void)err;
    s->vocab = model->vocab;
    s->tokens = s->length = s->recipe.model.context;
    return OK;
}

static Tensor *loss(BenchWork *w, Tape *tape, const ForwardMode *mode, size_t from,
                    size_t to) {
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
        w->target[i] = (uint32_t)(i * BENCH_LABELS_STEP % SPEECH_BLANK);
}

static void free_speech(void *owner) { speech_free(owner); }

static Model *make_speech(BenchWork *w) {
    const BenchSubject *s = w->subject;
    Speech *speech = speech_new(&s->recipe.model, SPEECH_FILTERS, SPEECH_LABELS);
    speech_initialize(speech, s->recipe.train.seed);
    w->owner = speech;
    w->flops = (double)s->batch * speech_flops(speech, SPEECH_STRIDE * s->length);
    return &speech->model;
}

/* clang-format off */
const TaskBench transcribe_bench = {
    .models = MODELS, .count = COUNT(MODELS), .print_size = print_size,
    .fill = fill, .shape = shape, .make_batch = make_utterances,
    .make_model = make_speech, .loss = loss, .free_owner = free_speech,
};
/* clang-format on */
