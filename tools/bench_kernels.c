/* bench_kernels: the kernels of a training step, one by one, at a model's shapes
 * (tools/bench.h).  A kernel is a function over the Desk and a line in one of the lists. */
#include <omp.h>
#include <string.h>

#include "engine/kern/gemm.h"
#include "engine/kern/reduce.h"
#include "engine/kern/rows.h"
#include "engine/kern/vmath.h"
#include "engine/optim/optim.h"
#include "engine/reparam/spectral.h"
#include "tools/bench.h"
#include "tools/rate.h"
#include "tools/stop.h"

enum { BLOCK_SCORES = 64 * 1024, PIECE = 4096 };

/* Memory that all kernels of a model work on. */
typedef struct Desk {
    const BenchSubject *subject;
    size_t width, head_width, heads, block; /* block: query rows that attention takes */
    size_t m, n, k;                         /* of the kernel that runs now */
    real *a, *b, *c;                        /* [room] each */
    real *mean, *rstd;                      /* [rows] */
    size_t room;
    ParamSet *params;
    Optimizer *optim;
    void (*run)(struct Desk *desk);
} Desk;

static double timed(void *context) {
    Desk *desk = context;
    double start = clock_now();
    desk->run(desk);
    return clock_now() - start;
}

/* ---- products ---- */

static void run_nt(Desk *d) {
    gemm_nt(d->m, d->n, d->k, 1, d->a, d->k, d->b, d->k, 0, d->c, d->n);
}

static void run_nn(Desk *d) {
    gemm_nn(d->m, d->n, d->k, 1, d->a, d->k, d->b, d->n, 0, d->c, d->n);
}

static void run_tn(Desk *d) {
    gemm_tn(d->m, d->n, d->k, 1, d->a, d->m, d->b, d->n, 0, d->c, d->n);
}

static void product(Bench *bench, Desk *d, const char *layer, const char *pass,
                    void (*run)(Desk *), size_t per_step) {
    BenchRow row = {.level = "kernel", .per_step = per_step};
    double m = (double)d->m, n = (double)d->n, k = (double)d->k;
    if (stop_requested()) return;
    d->run = run;
    text_format(row.name, sizeof row.name, "%s %s", layer, pass);
    text_format(row.shape, sizeof row.shape, "%zu x %zu x %zu", d->m, d->n, d->k);
    row.flops = 2 * m * n * k;
    row.bytes = sizeof(real) * (m * k + n * k + m * n);
    row.time = bench_time(timed, d, &bench->effort);
    bench_print_row(bench, d->subject, &row);
}

/* Forward y = x W^T, dx = dy W, dW = dy^T x. */
static void layer_products(Bench *bench, Desk *d, const char *layer, size_t rows,
                           size_t out, size_t in, size_t per_step) {
    d->m = rows, d->n = out, d->k = in;
    product(bench, d, layer, "forward", run_nt, per_step);
    if (strcmp(layer, "patch")) { /* pixels need no gradient */
        d->m = rows, d->n = in, d->k = out;
        product(bench, d, layer, "dx", run_nn, per_step);
    }
    d->m = out, d->n = in, d->k = rows;
    product(bench, d, layer, "dW", run_tn, per_step);
}

static void all_layers(Bench *bench, Desk *d) {
    const BenchSubject *s = d->subject;
    size_t depth = s->recipe.model.depth, patch = s->recipe.model.patch;
    layer_products(bench, d, "patch", s->rows - s->batch, d->width,
                   s->picture.channels * patch * patch, 1);
    layer_products(bench, d, "qkv", s->rows, 3 * d->width, d->width, depth);
    layer_products(bench, d, "proj", s->rows, d->width, d->width, depth);
    layer_products(bench, d, "fc1", s->rows, s->hidden, d->width, depth);
    layer_products(bench, d, "fc2", s->rows, d->width, s->hidden, depth);
    layer_products(bench, d, "head", s->batch, s->classes, d->width, 1);
}

/* ---- inside attention: a thread works on blocks of its own ---- */

typedef void BlockCall(const Desk *d, size_t rows, const real *qkv, real *scores,
                       real *out);

static void call_scores(const Desk *d, size_t rows, const real *qkv, real *s, real *out) {
    size_t ld = 3 * d->width;
    (void)out;
    gemm_nt(rows, d->subject->tokens, d->head_width, 1, qkv, ld, qkv + d->width, ld, 0, s,
            d->subject->tokens);
}

static void call_values(const Desk *d, size_t rows, const real *qkv, real *s, real *out) {
    size_t tokens = d->subject->tokens;
    gemm_nn(rows, d->head_width, tokens, 1, s, tokens, qkv + 2 * d->width, 3 * d->width,
            0, out, d->width);
}

static void call_keys(const Desk *d, size_t rows, const real *qkv, real *s, real *out) {
    size_t tokens = d->subject->tokens;
    gemm_tn(tokens, d->head_width, rows, 1, s, tokens, qkv, 3 * d->width, 0, out,
            d->width);
}

static void call_softmax(const Desk *d, size_t rows, const real *qkv, real *s,
                         real *out) {
    size_t tokens = d->subject->tokens;
    real entropy, largest;
    (void)qkv;
    for (size_t i = 0; i < rows; i++)
        *out = row_softmax(s + i * tokens, tokens, &entropy, &largest);
}

static void call_softmax_backward(const Desk *d, size_t rows, const real *qkv, real *s,
                                  real *out) {
    size_t tokens = d->subject->tokens;
    (void)qkv, (void)out;
    for (size_t i = 0; i + 1 < rows; i++)
        row_softmax_backward(s + i * tokens, s + (i + 1) * tokens, tokens);
}

/* Every query of every example and head once. */
static void each_block(Desk *d, BlockCall *call) {
    const BenchSubject *s = d->subject;
    size_t area = d->block * s->tokens;
#pragma omp parallel for schedule(static)
    for (size_t task = 0; task < s->batch * d->heads; task++) {
        size_t b = task / d->heads, h = task % d->heads;
        const real *qkv = d->a + b * s->tokens * 3 * d->width + h * d->head_width;
        real *out = d->b + b * s->tokens * d->width + h * d->head_width;
        for (size_t i = 0; i < s->tokens; i += d->block)
            call(d, MIN(d->block, s->tokens - i), qkv,
                 d->c + (size_t)omp_get_thread_num() * area, out);
    }
}

static void run_scores(Desk *d) { each_block(d, call_scores); }
static void run_values(Desk *d) { each_block(d, call_values); }
static void run_keys(Desk *d) { each_block(d, call_keys); }
static void run_softmax(Desk *d) { each_block(d, call_softmax); }
static void run_softmax_backward(Desk *d) { each_block(d, call_softmax_backward); }

/* ---- rows ---- */

static void run_norm(Desk *d) {
    layer_norm_rows(d->c, d->a, d->b, d->b, (real)1e-6, d->m, d->n, d->mean, d->rstd);
}

static void run_norm_backward(Desk *d) {
    layer_norm_rows_backward(d->c, 0, d->b, d->a, d->b, d->m, d->n, d->mean, d->rstd);
}

static void run_norm_gain(Desk *d) {
    layer_norm_gain_backward(d->c, 0, d->b, d->a, d->m, d->n, d->mean, d->rstd);
}

static void run_bias(Desk *d) { rows_scale_bias(d->c, NULL, d->b, d->m, d->n); }
static void run_bias_backward(Desk *d) { columns_sum(d->c, 0, d->a, d->m, d->n); }

static void run_gelu(Desk *d) {
    size_t count = d->m * d->n;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i += PIECE)
        vm_gelu(d->c + i, d->a + i, MIN((size_t)PIECE, count - i));
}

static void run_gelu_backward(Desk *d) {
    size_t count = d->m * d->n;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i += PIECE)
        vm_gelu_backward(d->c + i, d->b + i, d->a + i, MIN((size_t)PIECE, count - i), 0);
}

/* ---- over the weights ---- */

static void run_optimizer(Desk *d) { optim_step(d->optim, (real)1e-6, 1); }

static void run_grad_norm(Desk *d) {
    d->mean[0] = (real)reduce_sum_squares(d->params->grads, d->params->trained);
}

static void run_power(Desk *d) { spectral_step(d->a, d->m, d->n, d->b, d->c); }

/* ---- the lists ---- */

typedef struct Line {
    const char *name;
    void (*run)(Desk *);
    size_t rows, columns;
    double flops, numbers; /* numbers: read and written */
    size_t per_step;
} Line;

static void run_line(Bench *bench, Desk *d, const Line *line) {
    BenchRow row = {.level = "kernel", .flops = line->flops, .per_step = line->per_step};
    if (stop_requested()) return;
    d->run = line->run;
    d->m = line->rows, d->n = line->columns;
    row.bytes = sizeof(real) * line->numbers;
    text_format(row.name, sizeof row.name, "%s", line->name);
    text_format(row.shape, sizeof row.shape, "%zu x %zu", line->rows, line->columns);
    row.time = bench_time(timed, d, &bench->effort);
    bench_print_row(bench, d->subject, &row);
}

static void attention_kernels(Bench *bench, Desk *d) {
    const BenchSubject *s = d->subject;
    size_t rows = s->batch * d->heads * s->tokens, depth = s->recipe.model.depth;
    double area = (double)rows * (double)s->tokens;
    double flops = 2 * area * (double)d->head_width;
    const Line lines[] = {
        {"attention q k^T", run_scores, rows, s->tokens, flops, 0, depth},
        {"attention p v", run_values, rows, s->tokens, flops, 0, depth},
        {"attention ds^T q", run_keys, rows, s->tokens, flops, 0, depth},
        {"softmax and entropy", run_softmax, rows, s->tokens, 0, 2 * area, depth},
        {"softmax backward", run_softmax_backward, rows, s->tokens, 0, 3 * area, depth},
    };
    for (size_t i = 0; i < COUNT(lines); i++) run_line(bench, d, &lines[i]);
}

static void row_kernels(Bench *bench, Desk *d) {
    const BenchSubject *s = d->subject;
    size_t depth = s->recipe.model.depth, norms = 2 * depth + 1;
    double wide = (double)s->rows * (double)s->hidden;
    double x = (double)s->rows * (double)d->width;
    const Line lines[] = {
        {"LayerNorm forward", run_norm, s->rows, d->width, 0, 2 * x, norms},
        {"LayerNorm dx", run_norm_backward, s->rows, d->width, 0, 3 * x, norms},
        {"LayerNorm dgain", run_norm_gain, s->rows, d->width, 0, 2 * x, norms},
        {"GELU forward", run_gelu, s->rows, s->hidden, 0, 2 * wide, depth},
        {"GELU backward", run_gelu_backward, s->rows, s->hidden, 0, 3 * wide, depth},
        {"bias", run_bias, s->rows, s->hidden, 0, 2 * wide, depth},
        {"bias gradient", run_bias_backward, s->rows, s->hidden, 0, wide, depth},
    };
    for (size_t i = 0; i < COUNT(lines); i++) run_line(bench, d, &lines[i]);
}

/* An optimizer reads value, gradient and its slots and writes all but the gradient. */
static void weight_kernels(Bench *bench, Desk *d) {
    const BenchSubject *s = d->subject;
    size_t count = d->params->trained, layers = s->recipe.model.depth;
    double slots = (double)optim_slot_count(d->optim), weights = (double)count;
    double matrix = (double)s->hidden * (double)d->width;
    const Line lines[] = {
        {optim_name(s->recipe.optim.name), run_optimizer, 1, count, 0,
         weights * (3 + 2 * slots), 1},
        {"gradient norm", run_grad_norm, 1, count, 0, weights, 1},
        {"power iteration, fc1", run_power, s->hidden, d->width, 0, matrix, layers},
    };
    for (size_t i = 0; i < COUNT(lines); i++) run_line(bench, d, &lines[i]);
}

/* ---- the desk ---- */

static size_t largest_room(const Desk *d) {
    const BenchSubject *s = d->subject;
    const ModelConfig *model = &s->recipe.model;
    size_t pixels = s->picture.channels * model->patch * model->patch;
    size_t wide = MAX(MAX(s->hidden, 3 * d->width), MAX(pixels, s->classes));
    size_t scores = s->threads * d->block * s->tokens;
    return MAX(MAX(s->rows, d->width) * wide, MAX(s->hidden * wide, scores));
}

static void open_desk(Desk *d, const BenchSubject *s, const Vit *vit) {
    const ModelConfig *model = &s->recipe.model;
    *d = (Desk){.subject = s, .width = model->width, .heads = model->heads};
    d->head_width = d->width / d->heads;
    d->block = MIN(MAX((size_t)8, BLOCK_SCORES / s->tokens), s->tokens);
    d->room = largest_room(d);
    d->a = mem_alloc(d->room * sizeof(real));
    d->b = mem_alloc(d->room * sizeof(real));
    d->c = mem_zalloc(d->room * sizeof(real));
    d->mean = mem_zalloc(s->rows * sizeof(real));
    d->rstd = mem_zalloc(s->rows * sizeof(real));
    bench_fill(d->a, d->room, 1);
    bench_fill(d->b, d->room, 1);
    d->params = vit->model.params;
    bench_fill(d->params->values, d->params->trained, 0.02);
    bench_fill(d->params->grads, d->params->trained, 0.001);
    d->optim = optim_new(&s->recipe.optim, d->params);
}

static void close_desk(Desk *d) {
    optim_free(d->optim);
    mem_free(d->a);
    mem_free(d->b);
    mem_free(d->c);
    mem_free(d->mean);
    mem_free(d->rstd);
}

void bench_kernels(Bench *bench, const BenchSubject *subject) {
    Desk desk;
    Vit *vit = vit_new(&subject->recipe.model, subject->picture, subject->classes);
    open_desk(&desk, subject, vit);
    bench->rate = machine_rate_measure(subject->threads, bench->effort.seconds);
    bench_print_heading(bench, "kernels", subject);
    all_layers(bench, &desk);
    attention_kernels(bench, &desk);
    row_kernels(bench, &desk);
    weight_kernels(bench, &desk);
    close_desk(&desk);
    vit_free(vit);
}
