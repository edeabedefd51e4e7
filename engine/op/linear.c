/* linear: p = f(x),  y = alpha r + k m (s p W^T + b), k one factor for each example, m
 * dropout's mask or 1
 *   dz = m dy,  dp = k s dz W,  dx = f'(x) dp,  dr = alpha dy
 *   G = dL/d(sW) = (k dz)^T p,  db = sum over rows of k dz
 *
 * The product is added to alpha r + k b, so neither bias nor residual costs a pass of its
 * own.  p is not kept: the backward pass makes it again while it makes dx; in bf16 with a
 * norm out of the normalised x, rounded.  (Of a passing x p is kept.) */
#include "engine/kern/rows.h"
#include "engine/op/linear_parts.h"

static Sizes sizes_of(const LinearArgs *a) {
    Sizes s = {.out = a->w->shape[0]};
    s.in = a->w->size / s.out;
    s.rows = a->x->size / s.in;
    s.group = s.rows / a->x->shape[0];
    return s;
}

/* ---- backward ---- */

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

/* dz = m dy, in scratch memory where something is dropped; rounded for products in
 * bf16. */
static Numbers output_gradient(Tape *tape, const Linear *l, const Sizes *s) {
    Tensor *y = l->node.out;
    Numbers dz = {y->grad, y->grad16};
    size_t n = s->rows * s->out;
    if (l->drops) {
        dz.wide = tape_scratch(tape, n);
        MaskedExamples examples = examples_of(&l->a, s);
        mask_examples(&l->mask, &examples, dz.wide, 0, NULL, y->grad);
    }
    if (l->bf16 && !dz.narrow) {
        dz.narrow = tape_scratch16(tape, n);
        numbers_round(dz.narrow, dz.wide, n);
    }
    return dz;
}

static void drop_output_gradient(Tape *tape, const Linear *l) {
    const Tensor *y = l->node.out;
    if (l->drops) tape_unscratch(tape, l->dz.wide);
    if (l->bf16 && !tensor_narrow(y)) tape_unscratch(tape, l->dz.narrow);
}

static void backward(Tape *tape, Node *node) {
    Linear *l = (Linear *)node;
    Sizes s = sizes_of(&l->a);
    l->dz = output_gradient(tape, l, &s);
    residual_back(tape, l);
    Numbers p = linear_intake_back(tape, l, &s);
    linear_weight_back(tape, l, &s, p);
    linear_drop_intake(tape, l, p);
    drop_output_gradient(tape, l);
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
    CHECK(!tensor_narrow(a->x) || a->intake != INTAKE_NORM, "linear: norm of bf16");
    CHECK(!a->narrow || (!a->residual && !a->keep && a->dropout == 0),
          "linear: a narrow output with something after the product");
}

/* Examples whose product is dropped. */
static void fill_dropped(const Linear *l, const Sizes *s, real *y) {
    const LinearArgs *a = &l->a;
    const real *residual = linear_residual(l);
    size_t count = s->group * s->out;
    for (size_t b = 0; a->keep && b < s->rows / s->group; b++)
        if (a->keep[b] == 0)
            rows_fill(y + b * count, (real)a->alpha,
                      residual ? residual + b * count : NULL, 0, NULL, s->group, s->out);
}

/* The viewer sees p as the product reads it. */
static void show(Tape *tape, const Linear *l, Numbers p) {
    const Viewer *viewer = l->a.viewer;
    if (!viewer) return;
    size_t n = l->a.x->size;
    real *wide = p.wide;
    if (!wide) numbers_widen(wide = tape_scratch(tape, n), p.narrow, n);
    viewer->see(viewer->context, wide);
    if (!p.wide) tape_unscratch(tape, wide);
}

static void forward(Tape *tape, Linear *l, const Sizes *s, Numbers y) {
    const LinearArgs *a = &l->a;
    bool needed = !a->last || !tape_replaying(tape);
    if (a->intake == INTAKE_NORM) {
        l->mean = tape_alloc(tape, 2 * s->rows * sizeof(real));
        l->rstd = l->mean + s->rows;
        if (l->bf16 && l->recorded) l->h16 = tape_alloc(tape, a->x->size * sizeof(bf16));
    }
    if (!needed) return;
    Numbers p = linear_take_in(tape, l, s);
    show(tape, l, p);
    if (a->keep) fill_dropped(l, s, y.wide);
    linear_product(tape, l, s, p, y);
    if (l->drops) {
        MaskedExamples examples = examples_of(a, s);
        mask_examples(&l->mask, &examples, y.wide, (real)a->alpha,
                      a->residual ? a->residual->value : NULL, y.wide);
    }
    linear_drop_intake(tape, l, p);
}

static bool is_recorded(const Tape *tape, const LinearArgs *a) {
    return tape_mode(tape)->gradients &&
           (a->x->needs_grad || a->w->needs_grad || (a->b && a->b->needs_grad) ||
            (a->residual && a->residual->needs_grad) ||
            (a->intake == INTAKE_NORM && (a->gain->needs_grad || a->bias->needs_grad)));
}

static Linear make_linear(const Tape *tape, const LinearArgs *a, const Sizes *s) {
    const TapeMode *mode = tape_mode(tape);
    Linear made = {.a = *a,
                   .scale = a->scale ? *a->scale : (Scale){NULL, 0},
                   .recorded = is_recorded(tape, a),
                   .drops = a->dropout > 0 && mode->training,
                   .bf16 = product_in_bf16(tape, a->scale, s->rows),
                   .way = numbers_way(tape)};
    if (made.drops)
        made.mask = mask_make(rng_make(mode->seed, RNG_DROPOUT + a->site, mode->step),
                              a->dropout);
    return made;
}

Tensor *op_linear_fused(Tape *tape, const LinearArgs *a) {
    Sizes s = sizes_of(a);
    Linear made = make_linear(tape, a, &s);
    check(a, &s, made.scale);
    CHECK(made.bf16 || !tensor_narrow(a->x), "linear: a narrow input, a product in fp32");
    size_t shape[TENSOR_DIMS];
    for (int i = 0; i < a->x->dims; i++) shape[i] = a->x->shape[i];
    shape[a->x->dims - 1] = s.out;
    Tensor *y = (made.bf16 && a->narrow    ? tape_tensor16
                 : made.bf16 && a->passing ? tape_tensor_passing
                                           : tape_tensor)(tape, a->x->dims, shape);
    forward(tape, &made, &s, numbers_value(y));
    Linear *l = tape_node(tape, sizeof *l, "linear", y, made.recorded, backward);
    made.a.viewer = NULL; /* it may be gone when the node is read */
    if (l) made.node = l->node, *l = made;
    return y;
}

Tensor *op_linear(Tape *tape, Tensor *x, Tensor *w, Tensor *b, const Scale *scale) {
    return op_linear_fused(tape, &(LinearArgs){.x = x, .w = w, .b = b, .scale = scale});
}
