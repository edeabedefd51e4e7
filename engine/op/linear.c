/* linear: p = f(x),  y = alpha r + k m (s p W^T + b), k one factor for each example, m
 * dropout's mask or 1
 *   dz = m dy,  dp = k s dz W,  dx = f'(x) dp,  dr = alpha dy
 *   G = dL/d(sW) = (k dz)^T p,  db = sum over rows of k dz
 *
 * The product is added to alpha r + k b, so neither bias nor residual costs a pass of its
 * own.  p is not kept: the backward pass makes it again while it makes dx. */
#include <string.h>

#include "engine/kern/gemm.h"
#include "engine/kern/mask.h"
#include "engine/kern/norm.h"
#include "engine/kern/panel.h"
#include "engine/kern/rows.h"
#include "engine/kern/vmath.h"
#include "engine/op/op.h"

enum {
    PIECE = 4096, /* numbers that a thread takes at a time */
    FEW_ROWS = 48 /* for fewer it does not pay to pack W */
};

typedef struct Linear {
    Node node;
    LinearArgs a;
    Scale scale;
    real *mean, *rstd; /* of INTAKE_NORM, [rows] */
    bool drops;
    Mask mask;      /* where it drops */
    const real *dz; /* [rows, out], in the backward pass */
} Linear;

typedef struct Sizes {
    size_t rows, in, out;
    size_t group; /* rows of an example */
} Sizes;

static Sizes sizes_of(const LinearArgs *a) {
    Sizes s = {.out = a->w->shape[0]};
    s.in = a->w->size / s.out;
    s.rows = a->x->size / s.in;
    s.group = s.rows / a->x->shape[0];
    return s;
}

/* ---- runs of rows that share a factor; dropped examples are in none ---- */

typedef struct Run {
    size_t first, rows; /* rows = 0: no more */
    real factor;
} Run;

/* The first run at or after row `from`. */
static Run next_run(const real *keep, const Sizes *s, size_t from) {
    if (!keep) return (Run){from, s->rows - from, 1};
    size_t batch = s->rows / s->group, b = from / s->group, end;
    while (b < batch && keep[b] == 0) b++;
    for (end = b; end < batch && keep[end] == keep[b]; end++) continue;
    return (Run){b * s->group, (end - b) * s->group, b < batch ? keep[b] : 0};
}

static void clear_dropped(real *x, const real *keep, const Sizes *s, size_t columns) {
    for (size_t b = 0; keep && b < s->rows / s->group; b++)
        if (keep[b] == 0)
            memset(x + b * s->group * columns, 0, s->group * columns * sizeof *x);
}

/* ---- weights: one scale goes into the product, one for each row into a copy of W ---- */

static const real *effective_weight(Tape *tape, const Linear *l, const Sizes *s) {
    const real *w = l->a.w->value;
    if (l->scale.count <= 1) return w;
    real *scaled = tape_scratch(tape, s->out * s->in);
#pragma omp parallel for schedule(static) if (s->out * s->in > PIECE)
    for (size_t i = 0; i < s->out; i++)
        for (size_t j = 0; j < s->in; j++)
            scaled[i * s->in + j] = l->scale.value[i] * w[i * s->in + j];
    return scaled;
}

static void drop_weight(Tape *tape, const Linear *l, const real *weight) {
    if (weight != l->a.w->value) tape_unscratch(tape, (real *)(uintptr_t)weight);
}

static real scale_of(const Linear *l) {
    return l->scale.count == 1 ? l->scale.value[0] : 1;
}

/* ---- what happens to x before the product ---- */

static void activate(real *p, const LinearArgs *a) {
    size_t n = a->x->size;
    const real *x = a->x->value;
#pragma omp parallel for schedule(static) if (n > 2 * PIECE)
    for (size_t i = 0; i < n; i += PIECE) {
        size_t count = MIN((size_t)PIECE, n - i);
        if (a->intake == INTAKE_GELU) vm_gelu(p + i, x + i, count);
        else vm_relu(p + i, x + i, count);
    }
}

/* p = f(x), in scratch memory unless f does nothing. */
static real *take_in(Tape *tape, const Linear *l, const Sizes *s) {
    const LinearArgs *a = &l->a;
    if (a->intake == INTAKE_NONE) return a->x->value;
    real *p = tape_scratch(tape, a->x->size);
    if (a->intake == INTAKE_NORM)
        norm_rows(p, a->x->value, a->gain->value, a->bias->value, (real)a->eps, s->rows,
                  s->in, l->mean, l->rstd);
    else activate(p, a);
    return p;
}

static void drop_intake(Tape *tape, const Linear *l, real *p) {
    if (l->a.intake != INTAKE_NONE) tape_unscratch(tape, p);
}

/* p again and dx = beta dx + f'(x) dp; dx NULL: p alone. */
static void activate_back(real *p, real *dx, real beta, const real *dp,
                          const LinearArgs *a) {
    size_t n = a->x->size;
    const real *x = a->x->value;
    if (!dx) return activate(p, a);
#pragma omp parallel for schedule(static) if (n > 2 * PIECE)
    for (size_t i = 0; i < n; i += PIECE) {
        size_t count = MIN((size_t)PIECE, n - i);
        if (a->intake == INTAKE_GELU) {
            vm_gelu_both(p + i, dx + i, dp + i, x + i, count, beta);
        } else {
            vm_relu(p + i, x + i, count);
            vm_relu_backward(dx + i, dp + i, x + i, count, beta);
        }
    }
}

static void norm_back(Tape *tape, const Linear *l, const Sizes *s, real *p, real *dx,
                      real beta, const real *dp) {
    const LinearArgs *a = &l->a;
    NormBackward b = {.rows = s->rows,
                      .n = s->in,
                      .dy = dp,
                      .x = a->x->value,
                      .gain = a->gain->value,
                      .bias = a->bias->value,
                      .mean = l->mean,
                      .rstd = l->rstd,
                      .y = p,
                      .dx = dx,
                      .beta_x = beta};
    if (a->gain->needs_grad) b.dgain = tape_grad(tape, a->gain, &b.beta_gain);
    if (a->bias->needs_grad) b.dbias = tape_grad(tape, a->bias, &b.beta_bias);
    b.scratch = tape_scratch(tape, norm_scratch(s->rows, s->in));
    norm_rows_backward(&b);
    tape_unscratch(tape, b.scratch);
}

/* ---- W in the order of the product ---- */

/* W or its transpose for the rows of A to come, as gemm (few rows) or
 * panel_product wants it. */
static const real *lay_out(Tape *tape, const Linear *l, const Sizes *s, bool forward) {
    const real *w = effective_weight(tape, l, s);
    if (s->rows < FEW_ROWS) return w;
    size_t k = forward ? s->in : s->out, n = forward ? s->out : s->in;
    real *packed = tape_scratch(tape, panel_size(k, n));
    panel_pack(packed, w, s->in, k, n, forward ? PANEL_TRANSPOSED : PANEL_PLAIN);
    drop_weight(tape, l, w);
    return packed;
}

/* ---- backward ---- */

/* dp = beta dp + k s dz W */
static void product_back(Tape *tape, const Linear *l, const Sizes *s, real *dp,
                         real beta) {
    const real *w = lay_out(tape, l, s, false);
    if (beta == 0) clear_dropped(dp, l->a.keep, s, s->in);
    for (Run r = next_run(l->a.keep, s, 0); r.rows;
         r = next_run(l->a.keep, s, r.first + r.rows)) {
        const real *from = l->dz + r.first * s->out;
        real *to = dp + r.first * s->in, factor = r.factor * scale_of(l);
        if (s->rows < FEW_ROWS)
            gemm_nn(r.rows, s->in, s->out, factor, from, s->out, w, s->in, beta, to,
                    s->in);
        else
            panel_product(&(PanelProduct){.m = r.rows,
                                          .n = s->in,
                                          .k = s->out,
                                          .alpha = factor,
                                          .a = {from, s->out, 1},
                                          .packed = w,
                                          .add = beta != 0,
                                          .c = to,
                                          .ldc = s->in});
    }
    drop_weight(tape, l, w);
}

static void weight_back(Tape *tape, const Linear *l, const Sizes *s, const real *p) {
    Tensor *w = l->a.w, *b = l->a.b;
    bool with_w = w->needs_grad, with_b = b && b->needs_grad;
    real beta_w = 0, beta_b = 0, *g = with_w ? tape_grad(tape, w, &beta_w) : NULL;
    real *db = with_b ? tape_grad(tape, b, &beta_b) : NULL;
    Run r = next_run(l->a.keep, s, 0);
    if (!r.rows && g && beta_w == 0) memset(g, 0, w->size * sizeof *g);
    if (!r.rows && db && beta_b == 0) memset(db, 0, b->size * sizeof *db);
    for (; r.rows; r = next_run(l->a.keep, s, r.first + r.rows)) {
        const real *dz = l->dz + r.first * s->out;
        if (g)
            gemm_tn(s->out, s->in, r.rows, r.factor, dz, s->out, p + r.first * s->in,
                    s->in, beta_w, g, s->in);
        if (db) columns_sum(db, beta_b, r.factor, dz, r.rows, s->out);
        beta_w = beta_b = 1;
    }
}

/* dx, and p again; p is the caller's to give back. */
static real *intake_back(Tape *tape, const Linear *l, const Sizes *s) {
    Tensor *x = l->a.x;
    real beta = 0, *dx = x->needs_grad ? tape_grad(tape, x, &beta) : NULL;
    if (l->a.intake == INTAKE_NONE) {
        if (dx) product_back(tape, l, s, dx, beta);
        return x->value;
    }
    bool norm = l->a.intake == INTAKE_NORM, wanted = dx || norm,
         apart = norm || beta != 0;
    real *p = tape_scratch(tape, x->size), *dp = dx;
    if (wanted && apart) dp = tape_scratch(tape, x->size);
    if (wanted) product_back(tape, l, s, dp, 0);
    if (norm) norm_back(tape, l, s, p, dx, beta, dp);
    else activate_back(p, dx, beta, dp, &l->a);
    if (wanted && apart) tape_unscratch(tape, dp);
    return p;
}

static void residual_back(Tape *tape, const Linear *l) {
    Tensor *r = l->a.residual;
    if (!r || !r->needs_grad) return;
    if (l->a.alpha == 1) return tape_pass_grad(tape, r, l->node.out);
    real alpha = (real)l->a.alpha, beta, *dr = tape_grad(tape, r, &beta);
    const real *dy = l->node.out->grad;
#pragma omp parallel for simd schedule(static) if (r->size > 32768)
    for (size_t i = 0; i < r->size; i++) dr[i] = (beta != 0 ? dr[i] : 0) + alpha * dy[i];
}

static MaskedExamples examples_of(const LinearArgs *a, const Sizes *s) {
    return (MaskedExamples){a->first_example, NULL, a->x->shape[0], s->group * s->out};
}

/* dz = m dy, in scratch memory where something is dropped. */
static real *masked_gradient(Tape *tape, const Linear *l, const Sizes *s) {
    real *dy = l->node.out->grad;
    if (!l->drops) return dy;
    real *dz = tape_scratch(tape, s->rows * s->out);
    MaskedExamples examples = examples_of(&l->a, s);
    mask_examples(&l->mask, &examples, dz, 0, NULL, dy);
    return dz;
}

static void backward(Tape *tape, Node *node) {
    Linear *l = (Linear *)node;
    Sizes s = sizes_of(&l->a);
    real *dz = masked_gradient(tape, l, &s);
    l->dz = dz;
    residual_back(tape, l);
    real *p = intake_back(tape, l, &s);
    weight_back(tape, l, &s, p);
    drop_intake(tape, l, p);
    if (l->drops) tape_unscratch(tape, dz);
}

/* ---- forward ---- */

static void check(const LinearArgs *a, const Sizes *s, Scale scale) {
    CHECK(tensor_last(a->x) == s->in, "linear: input has %zu columns, weight takes %zu",
          tensor_last(a->x), s->in);
    CHECK(!a->b || a->b->size == s->out, "linear: bias of %zu for %zu outputs",
          a->b->size, s->out);
    CHECK(scale.count <= 1 || scale.count == s->out, "linear: %zu scales for %zu rows",
          scale.count, s->out);
    CHECK(!a->residual || a->residual->size == s->rows * s->out,
          "linear: residual of %zu numbers for %zu x %zu", a->residual->size, s->rows,
          s->out);
    CHECK(!a->residual || a->alpha != 0, "linear: a residual times 0");
    CHECK(a->dropout >= 0 && a->dropout < 1, "linear: dropout %g", a->dropout);
    CHECK(!a->last || a->intake != INTAKE_NORM,
          "linear: a norm's sums are made in the product");
    CHECK(a->intake != INTAKE_NORM || (a->gain->size == s->in && a->bias->size == s->in),
          "linear: gain %zu, bias %zu for width %zu", a->gain->size, a->bias->size,
          s->in);
}

/* What the product is added to: a residual waits until its mask is drawn. */
static const real *product_residual(const Linear *l) {
    return l->a.residual && !l->drops ? l->a.residual->value : NULL;
}

/* y = alpha r + k b + k s p W^T over one run. */
static void product(const Linear *l, const Sizes *s, Run r, const real *p, const real *w,
                    real *y) {
    const LinearArgs *a = &l->a;
    const real *from = p + r.first * s->in, *bias = a->b ? a->b->value : NULL;
    const real *residual = product_residual(l);
    if (residual) residual += r.first * s->out;
    real *to = y + r.first * s->out, factor = r.factor * scale_of(l);
    if (s->rows < FEW_ROWS) {
        rows_fill(to, (real)a->alpha, residual, r.factor, bias, r.rows, s->out);
        gemm_nt(r.rows, s->out, s->in, factor, from, s->in, w, s->in, 1, to, s->out);
        return;
    }
    panel_product(&(PanelProduct){.m = r.rows,
                                  .n = s->out,
                                  .k = s->in,
                                  .alpha = factor,
                                  .a = {from, s->in, 1},
                                  .packed = w,
                                  .residual = residual,
                                  .residual_alpha = (real)a->alpha,
                                  .bias = bias,
                                  .bias_factor = r.factor,
                                  .c = to,
                                  .ldc = s->out});
}

/* Examples whose product is dropped. */
static void fill_dropped(const Linear *l, const Sizes *s, real *y) {
    const LinearArgs *a = &l->a;
    const real *residual = product_residual(l);
    size_t count = s->group * s->out;
    for (size_t b = 0; a->keep && b < s->rows / s->group; b++)
        if (a->keep[b] == 0)
            rows_fill(y + b * count, (real)a->alpha,
                      residual ? residual + b * count : NULL, 0, NULL, s->group, s->out);
}

static void forward(Tape *tape, Linear *l, const Sizes *s, real *y) {
    const LinearArgs *a = &l->a;
    bool needed = !a->last || !tape_replaying(tape);
    if (a->intake == INTAKE_NORM) {
        l->mean = tape_alloc(tape, 2 * s->rows * sizeof(real));
        l->rstd = l->mean + s->rows;
    }
    if (!needed) return;
    real *p = take_in(tape, l, s);
    if (a->viewer) a->viewer->see(a->viewer->context, p);
    const real *w = lay_out(tape, l, s, true);
    fill_dropped(l, s, y);
    for (Run r = next_run(a->keep, s, 0); r.rows;
         r = next_run(a->keep, s, r.first + r.rows))
        product(l, s, r, p, w, y);
    if (l->drops) {
        MaskedExamples examples = examples_of(a, s);
        mask_examples(&l->mask, &examples, y, (real)a->alpha,
                      a->residual ? a->residual->value : NULL, y);
    }
    drop_weight(tape, l, w);
    drop_intake(tape, l, p);
}

Tensor *op_linear_fused(Tape *tape, const LinearArgs *a) {
    Linear made = {.a = *a, .scale = a->scale ? *a->scale : (Scale){NULL, 0}};
    Sizes s = sizes_of(a);
    check(a, &s, made.scale);
    const TapeMode *mode = tape_mode(tape);
    made.drops = a->dropout > 0 && mode->training;
    if (made.drops)
        made.mask = mask_make(rng_make(mode->seed, RNG_DROPOUT + a->site, mode->step),
                              a->dropout);
    size_t shape[TENSOR_DIMS];
    for (int i = 0; i < a->x->dims; i++) shape[i] = a->x->shape[i];
    shape[a->x->dims - 1] = s.out;
    Tensor *y = tape_tensor(tape, a->x->dims, shape);
    forward(tape, &made, &s, y->value);
    bool wanted =
        a->x->needs_grad || a->w->needs_grad || (a->b && a->b->needs_grad) ||
        (a->residual && a->residual->needs_grad) ||
        (a->intake == INTAKE_NORM && (a->gain->needs_grad || a->bias->needs_grad));
    Linear *l = tape_node(tape, sizeof *l, "linear", y, wanted, backward);
    made.a.viewer = NULL; /* it may be gone when the node is read */
    if (l) made.node = l->node, *l = made;
    return y;
}

Tensor *op_linear(Tape *tape, Tensor *x, Tensor *w, Tensor *b, const Scale *scale) {
    return op_linear_fused(tape, &(LinearArgs){.x = x, .w = w, .b = b, .scale = scale});
}
