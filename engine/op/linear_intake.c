/* linear_intake: p = f(x) on its way into the product, and back: p again and
 *   dx = beta dx + f'(x) dp
 * f is computed in fp32 whatever x, p, dp and dx are, a piece at a time. */
#include "engine/kern/norm.h"
#include "engine/kern/vmath.h"
#include "engine/op/linear_parts.h"

/* ---- forward ---- */

static void activate(Numbers p, const LinearArgs *a) {
    size_t n = a->x->size, piece = numbers_piece(p);
    Numbers x = numbers_value(a->x);
#pragma omp parallel for schedule(static) if (n > 2 * piece)
    for (size_t i = 0; i < n; i += piece) {
        size_t count = MIN(piece, n - i);
        real spare_x[NUMBERS_NARROW_PIECE], spare_p[NUMBERS_NARROW_PIECE];
        const real *from = numbers_read(numbers_at(x, i), count, spare_x);
        real *to = numbers_place(numbers_at(p, i), spare_p);
        if (a->intake == INTAKE_GELU) vm_gelu(to, from, count);
        else vm_relu(to, from, count);
        numbers_write(numbers_at(p, i), count, to);
    }
}

static bool same(Numbers p, const Tensor *x) {
    if (!p.narrow) return p.wide == x->value;
    return p.narrow == x->value16 || p.narrow == x->rounded;
}

/* x rounded, once for all products that read it, where it may be gone afterwards. */
static Numbers round_intake(Tape *tape, Tensor *x, bool recorded) {
    if (x->rounded) return (Numbers){NULL, x->rounded};
    CHECK(x->value, "linear: an input that was let go");
    bool keep = x->passing && recorded;
    Numbers p = {NULL, keep ? tape_alloc(tape, x->size * sizeof(bf16))
                            : tape_scratch16(tape, x->size)};
    numbers_round(p.narrow, x->value, x->size);
    if (keep) x->rounded = p.narrow;
    return p;
}

Numbers linear_take_in(Tape *tape, const Linear *l, const Sizes *s) {
    const LinearArgs *a = &l->a;
    Numbers x = numbers_value(a->x);
    if (a->intake == INTAKE_NONE && l->bf16 == tensor_narrow(a->x)) return x;
    if (a->intake == INTAKE_NONE) return round_intake(tape, a->x, l->recorded);
    Numbers p = numbers_scratch(tape, a->x->size, l->bf16);
    if (a->intake != INTAKE_NORM) activate(p, a);
    else if (p.narrow)
        norm_rows16(p.narrow, l->h16, x.wide, a->gain->value, a->bias->value,
                    (real)a->eps, s->rows, s->in, l->mean, l->rstd);
    else
        norm_rows(p.wide, NULL, x.wide, a->gain->value, a->bias->value, (real)a->eps,
                  s->rows, s->in, l->mean, l->rstd);
    return p;
}

void linear_drop_intake(Tape *tape, const Linear *l, Numbers p) {
    if (!same(p, l->a.x)) numbers_unscratch(tape, p);
}

/* ---- backward ---- */

/* p again and dx = beta dx + f'(x) dp, of one piece; dx and dp may be the same memory. */
static void piece_back(const LinearArgs *a, Numbers p, Numbers dx, real beta, Numbers dp,
                       Numbers x, size_t count) {
    real spare_x[NUMBERS_NARROW_PIECE], spare_p[NUMBERS_NARROW_PIECE];
    real spare_dp[NUMBERS_NARROW_PIECE], spare_dx[NUMBERS_NARROW_PIECE];
    const real *from = numbers_read(x, count, spare_x);
    const real *slope = numbers_read(dp, count, spare_dp);
    real *to = numbers_place(p, spare_p), *back = numbers_place(dx, spare_dx);
    if (dx.narrow && beta != 0) bf16_widen(spare_dx, dx.narrow, count);
    if (a->intake == INTAKE_GELU) {
        vm_gelu_both(to, back, slope, from, count, beta);
    } else {
        vm_relu(to, from, count);
        vm_relu_backward(back, slope, from, count, beta);
    }
    numbers_write(p, count, to);
    numbers_write(dx, count, back);
}

static void activate_back(Numbers p, Numbers dx, real beta, Numbers dp,
                          const LinearArgs *a) {
    size_t n = a->x->size, piece = numbers_piece(p);
    Numbers x = numbers_value(a->x);
#pragma omp parallel for schedule(static) if (n > 2 * piece)
    for (size_t i = 0; i < n; i += piece)
        piece_back(a, numbers_at(p, i), numbers_at(dx, i), beta, numbers_at(dp, i),
                   numbers_at(x, i), MIN(piece, n - i));
}

static void norm_back(Tape *tape, const Linear *l, const Sizes *s, Numbers p, real *dx,
                      real beta, const real *dp) {
    const LinearArgs *a = &l->a;
    CHECK(l->h16 || a->x->value, "linear: an input that was let go");
    NormBackward b = {.rows = s->rows,
                      .n = s->in,
                      .dy = dp,
                      .x = a->x->value,
                      .h16 = l->h16,
                      .gain = a->gain->value,
                      .bias = a->bias->value,
                      .mean = l->mean,
                      .rstd = l->rstd,
                      .y = p.wide,
                      .y16 = p.narrow,
                      .dx = dx,
                      .beta_x = beta};
    if (a->gain->needs_grad) b.dgain = tape_grad(tape, a->gain, &b.beta_gain);
    if (a->bias->needs_grad) b.dbias = tape_grad(tape, a->bias, &b.beta_bias);
    b.scratch = tape_scratch(tape, norm_scratch(s->rows, s->in));
    norm_rows_backward(&b);
    tape_unscratch(tape, b.scratch);
}

/* Where nothing stands before the product: dx is its own. */
static Numbers plain_back(Tape *tape, const Linear *l, const Sizes *s) {
    real beta = 0;
    if (l->a.x->needs_grad) {
        Numbers dx = numbers_grad(tape, l->a.x, &beta);
        linear_product_back(tape, l, s, dx, beta);
    }
    return linear_take_in(tape, l, s);
}

static Numbers activation_back(Tape *tape, const Linear *l, const Sizes *s) {
    Tensor *x = l->a.x;
    real beta = 0;
    if (!x->needs_grad) return linear_take_in(tape, l, s);
    Numbers dx = numbers_grad(tape, x, &beta), p, dp = dx;
    p = numbers_scratch(tape, x->size, l->bf16);
    if (beta != 0) dp = numbers_scratch(tape, x->size, tensor_narrow(x));
    linear_product_back(tape, l, s, dp, 0);
    activate_back(p, dx, beta, dp, &l->a);
    if (beta != 0) numbers_unscratch(tape, dp);
    return p;
}

/* Gain and bias want the norm's backward pass even where x does not. */
static Numbers normed_back(Tape *tape, const Linear *l, const Sizes *s) {
    Tensor *x = l->a.x;
    real beta = 0, *dx = x->needs_grad ? tape_grad(tape, x, &beta) : NULL;
    Numbers p = numbers_scratch(tape, x->size, l->bf16);
    Numbers dp = numbers_scratch(tape, x->size, false);
    linear_product_back(tape, l, s, dp, 0);
    norm_back(tape, l, s, p, dx, beta, dp.wide);
    numbers_unscratch(tape, dp);
    return p;
}

Numbers linear_intake_back(Tape *tape, const Linear *l, const Sizes *s) {
    if (l->a.intake == INTAKE_NONE) return plain_back(tape, l, s);
    if (l->a.intake == INTAKE_NORM) return normed_back(tape, l, s);
    return activation_back(tape, l, s);
}
