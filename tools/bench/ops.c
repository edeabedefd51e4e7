/* ops: what models are made of, forward and backward, at a model's shapes
 * (tools/bench/bench.h).  As in a block, a product has what stands before and behind it
 * on the way: LayerNorm before qkv and fc1, GELU before fc2, the sum behind proj and fc2.
 *
 * An op stands between two nodes of this file: `source` makes its input a tensor that
 * needs a gradient, `sink` turns its output into a scalar loss, fills in the output's
 * gradient and starts the clock of the backward pass. */
#include <string.h>

#include "tools/bench/bench.h"
#include "tools/program/rate.h"
#include "tools/program/stop.h"

typedef struct Bed {
    const BenchSubject *subject;
    Vit *vit; /* of one block: its layers are the ops' parameters */
    Tape *tape;
    real *noise; /* [rows, widest]: inputs and gradients */
    size_t *labels;
    const struct Op *op;
    bool backward;  /* which of the two passes is timed */
    double started; /* the backward pass, after its first gradient was filled in */
} Bed;

typedef struct Op {
    const char *name;
    Tensor *(*run)(Bed *bed, Tensor *x);
    size_t rows, columns; /* of the input; columns = 0: the pictures */
    double flops;         /* forward; backward is twice that, or once for pictures */
    double numbers[2];    /* read and written at least, forward and backward */
    size_t per_step;
} Op;

/* ---- around an op ---- */

static void source_backward(Tape *tape, Node *node) { (void)tape, (void)node; }

typedef struct Sink {
    Node node;
    Tensor *y;
    Bed *bed;
} Sink;

static void sink_backward(Tape *tape, Node *node) {
    Sink *sink = (Sink *)node;
    real beta, *dy = tape_grad(tape, sink->y, &beta);
    memcpy(dy, sink->bed->noise, sink->y->size * sizeof(real));
    sink->bed->started = clock_now();
}

/* [B, T, columns] of noise that needs a gradient. */
static Tensor *source(Bed *bed, size_t columns) {
    const BenchSubject *s = bed->subject;
    Tensor *x =
        tape_wrap(bed->tape, bed->noise, 3, (size_t[]){s->batch, s->tokens, columns});
    tape_node(bed->tape, sizeof(Node), "source", x, true, source_backward);
    return x;
}

/* What the op starts from; the pictures need no gradient. */
static Tensor *input(Bed *bed) {
    const Op *op = bed->op;
    const BenchSubject *s = bed->subject;
    const PictureShape *p = &s->picture;
    if (op->rows == s->rows) return source(bed, op->columns);
    if (!op->columns)
        return tape_wrap(bed->tape, bed->noise, 4,
                         (size_t[]){s->batch, p->channels, p->height, p->width});
    Tensor *x = tape_wrap(bed->tape, bed->noise, 2, (size_t[]){op->rows, op->columns});
    tape_node(bed->tape, sizeof(Node), "source", x, true, source_backward);
    return x;
}

static double timed(void *context) {
    Bed *bed = context;
    params_clear_grads(bed->vit->model.params);
    tape_begin(bed->tape, (TapeMode){.gradients = true,
                                     .training = true,
                                     .step = 1,
                                     .precision = bed->subject->precision});
    Tensor *x = input(bed);
    double start = clock_now();
    Tensor *y = bed->op->run(bed, x);
    double forward = clock_now() - start;
    if (!bed->backward) return forward;
    bed->started = clock_now();
    if (y->size > 1) {
        Tensor *loss = tape_tensor(bed->tape, 1, (size_t[]){1});
        Sink *sink =
            tape_node(bed->tape, sizeof *sink, "sink", loss, true, sink_backward);
        sink->y = y;
        sink->bed = bed;
        y = loss;
    }
    tape_backward(bed->tape, y);
    return clock_now() - bed->started;
}

/* ---- the ops ---- */

static Tensor *run_patch(Bed *b, Tensor *x) {
    x = op_patchify(b->tape, x, b->subject->recipe.model.patch);
    return linear_forward(b->tape, &b->vit->patch, x);
}

/* A product with the LayerNorm that may stand before it. */
static Tensor *run_entry(Bed *b, const LinearLayer *layer, const NormLayer *norm,
                         Tensor *x) {
    LinearArgs args = linear_args(layer, x);
    if (norm->weight && b->subject->recipe.model.norm == NORM_PRE) {
        args.intake = INTAKE_NORM;
        args.gain = &norm->weight->tensor;
        args.bias = &norm->bias->tensor;
        args.eps = norm->eps;
    }
    return op_linear_fused(b->tape, &args);
}

/* A product with the sum behind it. */
static Tensor *run_exit(Bed *b, const LinearLayer *layer, Intake intake, Tensor *x) {
    LinearArgs args = linear_args(layer, x);
    args.intake = intake;
    args.residual = source(b, b->subject->recipe.model.width);
    args.alpha = 1;
    return op_linear_fused(b->tape, &args);
}

static Tensor *run_qkv(Bed *b, Tensor *x) {
    return run_entry(b, b->vit->stack.blocks->self.in, &b->vit->stack.blocks->self.norm,
                     x);
}

static Tensor *run_attention(Bed *b, Tensor *x) {
    const ModelConfig *model = &b->subject->recipe.model;
    AttentionArgs args = {.q = {x, 0},
                          .k = {x, model->width},
                          .v = {x, 2 * model->width},
                          .heads = model->heads,
                          .head_width = model->width / model->heads,
                          .temperature = model->temperature,
                          .stats = &b->vit->stack.blocks->self.site.stats};
    return op_attention(b->tape, &args);
}

static Tensor *run_proj(Bed *b, Tensor *x) {
    return run_exit(b, &b->vit->stack.blocks->self.proj, INTAKE_NONE, x);
}

static Tensor *run_fc1(Bed *b, Tensor *x) {
    return run_entry(b, &b->vit->stack.blocks->fc1, &b->vit->stack.blocks->norm, x);
}

static Tensor *run_fc2(Bed *b, Tensor *x) {
    bool relu = b->subject->recipe.model.activation == ACTIVATION_RELU;
    return run_exit(b, &b->vit->stack.blocks->fc2, relu ? INTAKE_RELU : INTAKE_GELU, x);
}

static Tensor *run_block(Bed *b, Tensor *x) {
    ForwardMode mode = {.temperature = b->subject->recipe.model.temperature};
    return block_forward(b->tape, b->vit->stack.blocks, &mode, &(BlockInput){0}, x);
}

static Tensor *run_head(Bed *b, Tensor *x) {
    return linear_forward(b->tape, &b->vit->head, x);
}

static Tensor *run_loss(Bed *b, Tensor *x) {
    return op_cross_entropy(b->tape, x, &(Target){.label = b->labels});
}

/* ---- measuring ---- */

static void measure(Bench *bench, Bed *bed, const Op *op, bool backward) {
    BenchRow row = {.level = "op", .per_step = op->per_step};
    if (stop_requested()) return;
    bed->op = op;
    bed->backward = backward;
    text_format(row.name, sizeof row.name, "%s %s", op->name,
                backward ? "backward" : "forward");
    if (op->columns)
        text_format(row.shape, sizeof row.shape, "%zu x %zu", op->rows, op->columns);
    else text_format(row.shape, sizeof row.shape, "%zu pictures", op->rows);
    row.flops = op->flops * (backward && op->columns ? 2 : 1);
    row.bytes = sizeof(real) * op->numbers[backward];
    row.time = bench_time(timed, bed, &bench->effort);
    bench_print_row(bench, bed->subject, &row);
}

static void all_ops(Bench *bench, Bed *bed) {
    const BenchSubject *s = bed->subject;
    const ModelConfig *model = &s->recipe.model;
    size_t R = s->rows, D = model->width, F = s->hidden, V = s->classes, L = model->depth;
    double area = 2 * (double)R * (double)D; /* a product with one column of weights */
    double attention = 2 * area * (double)s->tokens;
    double pixels = (double)(s->picture.channels * model->patch * model->patch);
    double first = (double)bed->vit->stack.blocks->self.in->weight->tensor.size;
    double block = area * (double)(4 * D + 2 * F) + attention;
    double patches = (double)(R - s->batch), labels = (double)(s->batch * V);
    const Op ops[] = {
        {"patch", run_patch, s->batch, 0, 2 * patches * pixels * (double)D, {0}, 1},
        {"qkv", run_qkv, R, D, 2 * (double)R * first, {0}, L},
        {"attention", run_attention, R, 3 * D, attention, {0}, L},
        {"proj", run_proj, R, D, area * (double)D, {0}, L},
        {"fc1", run_fc1, R, D, area * (double)F, {0}, L},
        {"fc2", run_fc2, R, F, area * (double)F, {0}, L},
        {"whole block", run_block, R, D, block, {0}, L},
        {"head", run_head, s->batch, D, 2 * labels * (double)D, {0}, 1},
        {"cross entropy", run_loss, s->batch, V, 0, {labels, 2 * labels}, 1},
    };
    for (size_t i = 0; i < COUNT(ops); i++) {
        measure(bench, bed, &ops[i], false);
        measure(bench, bed, &ops[i], true);
    }
}

static void open_bed(Bed *bed, const BenchSubject *s) {
    ModelConfig model = s->recipe.model;
    size_t pixels = s->picture.channels * s->picture.height * s->picture.width;
    size_t wide = MAX(MAX(s->hidden, 3 * model.width), s->classes);
    size_t room = MAX(s->rows * wide, s->batch * pixels);
    model.depth = 1;
    *bed = (Bed){.subject = s, .tape = tape_new()};
    bed->vit = vit_new(&model, s->picture, s->classes);
    vit_initialize(bed->vit, 1);
    model_start(&bed->vit->model, NULL);
    model_refresh(&bed->vit->model);
    bed->noise = mem_alloc(room * sizeof(real));
    bench_fill(bed->noise, room, 1);
    bed->labels = mem_zalloc(s->batch * sizeof *bed->labels);
}

void bench_ops(Bench *bench, const BenchSubject *subject) {
    Bed bed;
    if (stop_requested()) return;
    open_bed(&bed, subject);
    bench->rate = machine_rate_measure(subject->precision.products, subject->threads,
                                       bench->effort.seconds);
    bench_print_heading(bench, "ops", subject);
    all_ops(bench, &bed);
    tape_free(bed.tape);
    vit_free(bed.vit);
    mem_free(bed.noise);
    mem_free(bed.labels);
}
