/* linear_product: the three products of op_linear.
 *
 * W is given as a product wants it: as it stands where there are few rows (gemm), and in
 * bf16 (bf16_panel packs it on the way); packed whole in fp32 (panel).  One scale goes
 * into the product, one for each row into a copy of W. */
#include <string.h>

#include "engine/kern/bf16_panel.h"
#include "engine/kern/gemm.h"
#include "engine/kern/panel.h"
#include "engine/kern/rows.h"
#include "engine/op/linear_parts.h"

enum { PIECE = 4096 }; /* numbers that are worth a second thread */

/* ---- runs ---- */

Run linear_next_run(const real *keep, const Sizes *s, size_t from) {
    if (!keep) return (Run){from, s->rows - from, 1};
    size_t batch = s->rows / s->group, b = from / s->group, end;
    while (b < batch && keep[b] == 0) b++;
    for (end = b; end < batch && keep[end] == keep[b]; end++) continue;
    return (Run){b * s->group, (end - b) * s->group, b < batch ? keep[b] : 0};
}

static void clear_dropped(Numbers x, const real *keep, const Sizes *s, size_t columns) {
    size_t count = s->group * columns;
    for (size_t b = 0; keep && b < s->rows / s->group; b++)
        if (keep[b] == 0) numbers_clear(numbers_at(x, b * count), count);
}

/* ---- W in the order of the product ---- */

/* The right side of a product [m, k] [k, n]: W transposed (forward), or W. */
typedef struct Side {
    bool forward, few;
    size_t k, n;
    const real *w; /* [out, in], scaled where each row has a scale */
    real *panels;  /* W packed, fp32 */
    bf16 *room;    /* to pack it, bf16 */
} Side;

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

static PanelOrder order_of(const Side *side) {
    return side->forward ? PANEL_TRANSPOSED : PANEL_PLAIN;
}

static Side side_begin(Tape *tape, const Linear *l, const Sizes *s, bool forward) {
    Side side = {.forward = forward,
                 .few = !l->bf16 && s->rows < NUMBERS_FEW,
                 .k = forward ? s->in : s->out,
                 .n = forward ? s->out : s->in,
                 .w = effective_weight(tape, l, s)};
    if (l->bf16) {
        side.room = tape_scratch16(tape, bf16_panel_room(side.k, side.n));
    } else if (!side.few) {
        side.panels = tape_scratch(tape, panel_size(side.k, side.n));
        panel_pack(side.panels, side.w, s->in, side.k, side.n, order_of(&side));
    }
    return side;
}

static void side_end(Tape *tape, const Linear *l, const Side *side) {
    if (side->panels) tape_unscratch(tape, side->panels);
    if (side->room) tape_unscratch(tape, side->room);
    if (side->w != l->a.w->value) tape_unscratch(tape, (real *)(uintptr_t)side->w);
}

/* ---- a product ---- */

/* Rows of C [m, n]. */
typedef struct Part {
    size_t m;
    real alpha;
    Numbers a; /* [m, k] */
    bool add;  /* C starts from what it holds; else from */
    const real *residual, *bias;
    real residual_alpha, bias_factor;
    Numbers c;
} Part;

static void multiply_few(const Side *side, const Sizes *s, const Part *p) {
    if (side->forward) {
        rows_fill(p->c.wide, p->residual_alpha, p->residual, p->bias_factor, p->bias,
                  p->m, side->n);
        gemm_nt(p->m, side->n, side->k, p->alpha, p->a.wide, side->k, side->w, s->in, 1,
                p->c.wide, side->n);
    } else {
        gemm_nn(p->m, side->n, side->k, p->alpha, p->a.wide, side->k, side->w, s->in,
                p->add ? 1 : 0, p->c.wide, side->n);
    }
}

static void multiply_panels(const Side *side, const Part *p) {
    panel_product(&(PanelProduct){.m = p->m,
                                  .n = side->n,
                                  .k = side->k,
                                  .alpha = p->alpha,
                                  .a = {p->a.wide, side->k, 1},
                                  .packed = side->panels,
                                  .add = p->add,
                                  .residual = p->residual,
                                  .residual_alpha = p->residual_alpha,
                                  .bias = p->bias,
                                  .bias_factor = p->bias_factor,
                                  .c = p->c.wide,
                                  .ldc = side->n});
}

static void multiply_bf16(const Linear *l, const Side *side, const Sizes *s,
                          const Part *p) {
    bf16_panel_product(&(Bf16PanelProduct){.way = l->way,
                                           .m = p->m,
                                           .n = side->n,
                                           .k = side->k,
                                           .alpha = p->alpha,
                                           .a = p->a.narrow,
                                           .lda = side->k,
                                           .b = {.wide = side->w, .ld = s->in},
                                           .order = order_of(side),
                                           .room = side->room,
                                           .add = p->add,
                                           .residual = p->residual,
                                           .residual_alpha = p->residual_alpha,
                                           .bias = p->bias,
                                           .bias_factor = p->bias_factor,
                                           .c = p->c.wide,
                                           .c16 = p->c.narrow,
                                           .ldc = side->n});
}

static void multiply(const Linear *l, const Side *side, const Sizes *s, const Part *p) {
    if (side->few) multiply_few(side, s, p);
    else if (side->panels) multiply_panels(side, p);
    else multiply_bf16(l, side, s, p);
}

static real factor_of(const Linear *l, Run r) {
    return r.factor * (l->scale.count == 1 ? l->scale.value[0] : 1);
}

static void run_forward(const Linear *l, const Side *side, const Sizes *s, Run r,
                        Numbers p, Numbers y) {
    const LinearArgs *a = &l->a;
    const real *residual = linear_residual(l);
    multiply(l, side, s,
             &(Part){.m = r.rows,
                     .alpha = factor_of(l, r),
                     .a = numbers_at(p, r.first * s->in),
                     .residual = residual ? residual + r.first * s->out : NULL,
                     .residual_alpha = (real)a->alpha,
                     .bias = a->b ? a->b->value : NULL,
                     .bias_factor = r.factor,
                     .c = numbers_at(y, r.first * s->out)});
}

static void run_back(const Linear *l, const Side *side, const Sizes *s, Run r, Numbers dp,
                     real beta) {
    multiply(l, side, s,
             &(Part){.m = r.rows,
                     .alpha = factor_of(l, r),
                     .a = numbers_at(l->dz, r.first * s->out),
                     .add = beta != 0,
                     .c = numbers_at(dp, r.first * s->in)});
}

void linear_product(Tape *tape, const Linear *l, const Sizes *s, Numbers p, Numbers y) {
    const real *keep = l->a.keep;
    Side side = side_begin(tape, l, s, true);
    for (Run r = linear_next_run(keep, s, 0); r.rows;
         r = linear_next_run(keep, s, r.first + r.rows))
        run_forward(l, &side, s, r, p, y);
    side_end(tape, l, &side);
}

void linear_product_back(Tape *tape, const Linear *l, const Sizes *s, Numbers dp,
                         real beta) {
    const real *keep = l->a.keep;
    Side side = side_begin(tape, l, s, false);
    if (beta == 0) clear_dropped(dp, keep, s, s->in);
    for (Run r = linear_next_run(keep, s, 0); r.rows;
         r = linear_next_run(keep, s, r.first + r.rows))
        run_back(l, &side, s, r, dp, beta);
    side_end(tape, l, &side);
}

/* ---- the gradient of W ---- */

/* Columns of p that are packed together: all where they are no more than two
 * megabytes. */
static size_t gradient_step(const Sizes *s, size_t rows) {
    enum { NUMBERS = 1 << 20, UNIT = 128 };
    return MIN(s->in, MAX(NUMBERS / rows / UNIT * UNIT, (size_t)UNIT));
}

/* g = beta g + factor dz^T p over the rows of a run */
static void gradient_run(Tape *tape, const Linear *l, const Sizes *s, Run r, Numbers p,
                         real beta, real *g) {
    Numbers dz = numbers_at(l->dz, r.first * s->out);
    p = numbers_at(p, r.first * s->in);
    if (!l->bf16) {
        gemm_tn(s->out, s->in, r.rows, r.factor, dz.wide, s->out, p.wide, s->in, beta, g,
                s->in);
        return;
    }
    size_t step = gradient_step(s, r.rows);
    bf16 *panels = tape_scratch16(tape, bf16_panel_size(r.rows, step));
    bf16 *room = tape_scratch16(tape, bf16_panel_room(r.rows, step));
    for (size_t j = 0; j < s->in; j += step) {
        size_t columns = MIN(step, s->in - j);
        bf16_panel_pack(panels, (Bf16Matrix){.narrow = p.narrow + j, .ld = s->in}, r.rows,
                        columns, PANEL_PLAIN);
        bf16_panel_product(
            &(Bf16PanelProduct){.way = l->way,
                                .m = s->out,
                                .n = columns,
                                .k = r.rows,
                                .alpha = r.factor,
                                .transpose = {.narrow = dz.narrow, .ld = s->out},
                                .packed = panels,
                                .room = room,
                                .add = beta != 0,
                                .c = g + j,
                                .ldc = s->in});
    }
    tape_unscratch(tape, room);
    tape_unscratch(tape, panels);
}

static void bias_run(const Linear *l, const Sizes *s, Run r, real beta, real *db) {
    Numbers dz = numbers_at(l->dz, r.first * s->out);
    if (dz.wide) columns_sum(db, beta, r.factor, dz.wide, r.rows, s->out);
    else columns_sum16(db, beta, r.factor, dz.narrow, r.rows, s->out);
}

void linear_weight_back(Tape *tape, const Linear *l, const Sizes *s, Numbers p) {
    Tensor *w = l->a.w, *b = l->a.b;
    bool with_w = w->needs_grad, with_b = b && b->needs_grad;
    real beta_w = 0, beta_b = 0, *g = with_w ? tape_grad(tape, w, &beta_w) : NULL;
    real *db = with_b ? tape_grad(tape, b, &beta_b) : NULL;
    Run r = linear_next_run(l->a.keep, s, 0);
    if (!r.rows && g && beta_w == 0) memset(g, 0, w->size * sizeof *g);
    if (!r.rows && db && beta_b == 0) memset(db, 0, b->size * sizeof *db);
    for (; r.rows; r = linear_next_run(l->a.keep, s, r.first + r.rows)) {
        if (g) gradient_run(tape, l, s, r, p, beta_w, g);
        if (db) bias_run(l, s, r, beta_b, db);
        beta_w = beta_b = 1;
    }
}
