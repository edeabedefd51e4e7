/* kernels: the kernels of a training step, one by one, at a model's shapes
 * (tools/bench/bench.h).  A kernel is a function over the Desk and a line
 * in one of the lists. */
#include <omp.h>
#include <string.h>

#include "engine/kern/bf16_panel.h"
#include "engine/kern/gemm.h"
#include "engine/kern/mask.h"
#include "engine/kern/norm.h"
#include "engine/kern/reduce.h"
#include "engine/kern/rows.h"
#include "engine/kern/tile.h"
#include "engine/kern/vmath.h"
#include "engine/optim/optim.h"
#include "engine/reparam/spectral.h"
#include "tools/bench/bench.h"
#include "tools/program/rate.h"
#include "tools/program/stop.h"

enum { BLOCK_SCORES = 32 * 1024, BLOCK_MIN = 12, PIECE = 4096 };

/* Memory that all kernels of a model work on. */
typedef struct Desk {
    const BenchSubject *subject;
    size_t width, head_width, heads, block; /* block: query rows that attention takes */
    size_t m, n, k;                         /* of the kernel that runs now */
    real *a, *b, *c;                        /* [room] each */
    real *mean, *rstd;                      /* [rows] */
    real *sums;                             /* sums over rows, and scratch for them */
    size_t room;
    bf16 *a16, *b16, *strips, *panels; /* of the product that runs now, in bf16 */
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

/* The same in bf16: weights are fp32 and packed each time, all else is rounded. */
static void run_nt16(Desk *d) {
    bf16_panel_product(&(Bf16PanelProduct){.m = d->m,
                                           .n = d->n,
                                           .k = d->k,
                                           .alpha = 1,
                                           .a = d->a16,
                                           .lda = d->k,
                                           .b = {.wide = d->b, .ld = d->k},
                                           .order = PANEL_TRANSPOSED,
                                           .room = d->panels,
                                           .c = d->c,
                                           .ldc = d->n});
}

static void run_nn16(Desk *d) {
    bf16_panel_product(&(Bf16PanelProduct){.m = d->m,
                                           .n = d->n,
                                           .k = d->k,
                                           .alpha = 1,
                                           .a = d->a16,
                                           .lda = d->k,
                                           .b = {.wide = d->b, .ld = d->n},
                                           .order = PANEL_PLAIN,
                                           .room = d->panels,
                                           .c = d->c,
                                           .ldc = d->n});
}

static void run_tn16(Desk *d) {
    Bf16Matrix x = {.narrow = d->b16, .ld = d->n};
    bf16_panel_pack(d->panels, x, d->k, d->n, PANEL_PLAIN);
    bf16_panel_product(&(Bf16PanelProduct){.m = d->m,
                                           .n = d->n,
                                           .k = d->k,
                                           .alpha = 1,
                                           .transpose = {.narrow = d->a16, .ld = d->m},
                                           .packed = d->panels,
                                           .room = d->strips,
                                           .c = d->c,
                                           .ldc = d->n});
}

static void make_narrow(Desk *d) {
    size_t m = d->m, n = d->n, k = d->k;
    d->a16 = mem_alloc(m * k * sizeof(bf16));
    d->b16 = mem_alloc(n * k * sizeof(bf16));
    d->strips = mem_alloc(bf16_panel_room(k, n) * sizeof(bf16));
    size_t room = MAX(bf16_panel_size(k, n), bf16_panel_room(k, n));
    d->panels = mem_alloc(room * sizeof(bf16));
    bf16_round(d->a16, d->a, m * k);
    bf16_round(d->b16, d->b, n * k);
}

static void free_narrow(Desk *d) {
    MEM_DROP(d->a16);
    MEM_DROP(d->b16);
    MEM_DROP(d->strips);
    MEM_DROP(d->panels);
}

static bool is_narrow(const Desk *d) {
    return d->subject->precision.products == PRECISION_BF16;
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
    if (is_narrow(d)) {
        row.bytes -= sizeof(bf16) * (m * k + (run == run_tn16 ? n * k : 0));
        make_narrow(d);
    }
    row.time = bench_time(timed, d, &bench->effort);
    free_narrow(d);
    bench_print_row(bench, d->subject, &row);
}

/* Forward y = x W^T, dx = dy W, dW = dy^T x. */
static void layer_products(Bench *bench, Desk *d, const char *layer, size_t rows,
                           size_t out, size_t in, size_t per_step) {
    bool half = is_narrow(d);
    d->m = rows, d->n = out, d->k = in;
    product(bench, d, layer, "forward", half ? run_nt16 : run_nt, per_step);
    if (strcmp(layer, "patch")) { /* pixels need no gradient */
        d->m = rows, d->n = in, d->k = out;
        product(bench, d, layer, "dx", half ? run_nn16 : run_nn, per_step);
    }
    d->m = out, d->n = in, d->k = rows;
    product(bench, d, layer, "dW", half ? run_tn16 : run_tn, per_step);
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

/* A thread's memory: tokens T and head width K, both padded to whole vectors. */
typedef struct Head {
    size_t tokens, padded_tokens, width, padded_width;
    const real *q, *k, *v; /* rows of 3 D numbers */
    size_t ld;
    real *keys;   /* [K, padded T] transposed */
    real *values; /* [T, padded K] */
    real *scores; /* [block, padded T] */
    real *out;    /* [T, padded K] */
} Head;

typedef void BlockCall(Head *h, size_t first, size_t rows);

static void call_scores(Head *h, size_t first, size_t rows) {
    tile_product(rows, h->padded_tokens, h->width, 1,
                 (TileA){h->q + first * h->ld, h->ld, 1}, h->keys, h->padded_tokens,
                 false, h->scores, h->padded_tokens);
}

static void call_values(Head *h, size_t first, size_t rows) {
    tile_product(rows, h->padded_width, h->tokens, 1,
                 (TileA){h->scores, h->padded_tokens, 1}, h->values, h->padded_width,
                 false, h->out + first * h->padded_width, h->padded_width);
}

/* ds^T q and p^T dy are alike; the values stand for the packed block of q or dy. */
static void call_keys(Head *h, size_t first, size_t rows) {
    (void)first;
    tile_product(h->tokens, h->padded_width, rows, 1,
                 (TileA){h->scores, 1, h->padded_tokens}, h->values, h->padded_width,
                 false, h->out, h->padded_width);
}

static void call_pack(Head *h, size_t first, size_t rows) {
    (void)rows;
    if (first) return; /* once a head */
    tile_pack_transposed(h->keys, h->k, h->ld, h->tokens, h->width);
    tile_pack(h->values, h->v, h->ld, h->tokens, h->width);
}

static void call_softmax(Head *h, size_t first, size_t rows) {
    (void)first;
    for (size_t i = 0; i < rows; i++) {
        real entropy, largest;
        *h->out =
            row_softmax(h->scores + i * h->padded_tokens, h->tokens, &entropy, &largest);
    }
}

static void call_softmax_backward(Head *h, size_t first, size_t rows) {
    (void)first;
    for (size_t i = 0; i < rows; i++) { /* the next row, or the first, is p */
        real *p = h->scores + (i + 1) % rows * h->padded_tokens;
        row_softmax_backward(h->scores + i * h->padded_tokens, p, p, h->tokens);
    }
}

static size_t head_area(const Desk *d) {
    size_t tokens = d->subject->tokens, padded = tile_padded(tokens);
    return padded * (d->head_width + d->block) + 2 * tokens * tile_padded(d->head_width);
}

static Head head_memory(const Desk *d, size_t task) {
    size_t tokens = d->subject->tokens, b = task / d->heads, h = task % d->heads;
    Head head = {.tokens = tokens, .padded_tokens = tile_padded(tokens)};
    head.width = d->head_width;
    head.padded_width = tile_padded(d->head_width);
    head.ld = 3 * d->width;
    head.q = d->a + b * tokens * head.ld + h * d->head_width;
    head.k = head.q + d->width;
    head.v = head.k + d->width;
    head.keys = d->c + (size_t)omp_get_thread_num() * head_area(d);
    head.values = head.keys + d->head_width * head.padded_tokens;
    head.scores = head.values + tokens * head.padded_width;
    head.out = head.scores + d->block * head.padded_tokens;
    return head;
}

/* Every query of every example and head once. */
static void each_block(Desk *d, BlockCall *call) {
    const BenchSubject *s = d->subject;
#pragma omp parallel for schedule(static)
    for (size_t task = 0; task < s->batch * d->heads; task++) {
        Head head = head_memory(d, task);
        for (size_t i = 0; i < s->tokens; i += d->block)
            call(&head, i, MIN(d->block, s->tokens - i));
    }
}

static void run_pack(Desk *d) { each_block(d, call_pack); }
static void run_scores(Desk *d) { each_block(d, call_scores); }
static void run_values(Desk *d) { each_block(d, call_values); }
static void run_keys(Desk *d) { each_block(d, call_keys); }
static void run_softmax(Desk *d) { each_block(d, call_softmax); }
static void run_softmax_backward(Desk *d) { each_block(d, call_softmax_backward); }

/* ---- rows ---- */

static void run_norm(Desk *d) {
    norm_rows(d->c, NULL, d->a, d->b, d->b, (real)1e-6, d->m, d->n, d->mean, d->rstd);
}

static void run_norm_backward(Desk *d) {
    norm_rows_backward(&(NormBackward){.rows = d->m,
                                       .n = d->n,
                                       .dy = d->b,
                                       .x = d->a,
                                       .gain = d->b,
                                       .bias = d->b,
                                       .mean = d->mean,
                                       .rstd = d->rstd,
                                       .dx = d->c,
                                       .dgain = d->sums,
                                       .dbias = d->sums + d->n,
                                       .scratch = d->sums + 2 * d->n});
}

static void run_dropout(Desk *d) {
    Mask mask = mask_make(rng_make(1, RNG_DROPOUT, 1), 0.1);
    MaskedExamples batch = {.count = d->subject->batch};
    batch.size = d->m * d->n / batch.count;
    mask_examples(&mask, &batch, d->c, 0, NULL, d->a);
}

static void run_residual(Desk *d) { rows_fill(d->c, 1, d->a, 1, d->b, d->m, d->n); }

static void run_bias_backward(Desk *d) { columns_sum(d->sums, 0, 1, d->a, d->m, d->n); }

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
    double heads = (double)rows * (double)d->head_width;
    const Line lines[] = {
        {"attention packs k, v", run_pack, rows, d->head_width, 0, 4 * heads, depth},
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
    bool dropped = s->recipe.model.dropout > 0; /* two in a block, forward and backward */
    const Line lines[] = {
        {"LayerNorm forward", run_norm, s->rows, d->width, 0, 2 * x, norms},
        {"LayerNorm backward", run_norm_backward, s->rows, d->width, 0, 3 * x, norms},
        {"GELU forward", run_gelu, s->rows, s->hidden, 0, 2 * wide, depth},
        {"GELU backward", run_gelu_backward, s->rows, s->hidden, 0, 3 * wide, depth},
        {"residual and bias", run_residual, s->rows, d->width, 0, 2 * x, 2 * depth},
        {"dropout", run_dropout, s->rows, d->width, 0, 2 * x, dropped ? 4 * depth : 0},
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
    size_t heads = s->threads * head_area(d);
    return MAX(MAX(s->rows, d->width) * wide, MAX(s->hidden * wide, heads));
}

static void open_desk(Desk *d, const BenchSubject *s, const Vit *vit) {
    const ModelConfig *model = &s->recipe.model;
    *d = (Desk){.subject = s, .width = model->width, .heads = model->heads};
    d->head_width = d->width / d->heads;
    d->block =
        MIN(MAX((size_t)BLOCK_MIN, BLOCK_SCORES / tile_padded(s->tokens)), s->tokens);
    d->room = largest_room(d);
    d->a = mem_alloc(d->room * sizeof(real));
    d->b = mem_alloc(d->room * sizeof(real));
    d->c = mem_zalloc(d->room * sizeof(real));
    d->mean = mem_zalloc(s->rows * sizeof(real));
    d->rstd = mem_zalloc(s->rows * sizeof(real));
    size_t wide = MAX(s->hidden, d->width);
    d->sums = mem_zalloc((2 * wide + norm_scratch(s->rows, wide)) * sizeof(real));
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
    mem_free(d->sums);
}

/* Products of layers, in the subject's precision; then all else, in fp32. */
static void measure_all(Bench *bench, Desk *desk, const BenchSubject *subject) {
    BenchSubject wide = *subject;
    double seconds = bench->effort.seconds;
    PrecisionKind kind = subject->precision.products;
    wide.precision = (Precision){0};
    bench->rate = machine_rate_measure(kind, subject->threads, seconds);
    bench_print_heading(bench, "kernels", subject);
    all_layers(bench, desk);
    desk->subject = &wide;
    if (kind != PRECISION_FP32) {
        bench->rate = machine_rate_measure(PRECISION_FP32, subject->threads, seconds);
        bench_print_heading(bench, "kernels in fp32", &wide);
    }
    attention_kernels(bench, desk);
    row_kernels(bench, desk);
    weight_kernels(bench, desk);
    desk->subject = subject;
}

void bench_kernels(Bench *bench, const BenchSubject *subject) {
    Desk desk;
    Vit *vit = vit_new(&subject->recipe.model, subject->picture, subject->classes);
    open_desk(&desk, subject, vit);
    measure_all(bench, &desk, subject);
    close_desk(&desk);
    vit_free(vit);
}
