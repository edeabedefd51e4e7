/* vocab_loss: for the rows that count, z = s x W^T + b,  p = softmax(z),
 *   loss = sum_r (- sum_v t_rv ln p_rv) / divisor
 *   dz = (p - t) dloss / divisor,  dx = s dz W,  G = dL/d(sW) = dz^T x,  db = sum_r dz
 *
 * p - t takes the place of the logits while a row of them is in the cache, in the forward
 * pass; what the loss is multiplied by later goes into the products' alpha. */
#include "engine/op/vocab_loss.h"

#include <string.h>

#include "engine/kern/choice.h"
#include "engine/kern/rows.h"
#include "engine/op/product.h"

enum { CHUNK_NUMBERS = 1 << 23, CHUNK_ROWS = 64 }; /* of logits that nobody keeps */

typedef struct VocabLoss {
    Node node;
    Tensor *x, *w[2], *bias;
    size_t parts; /* of W */
    Scale scale;  /* of the first part */
    double divisor;
    Products products[2]; /* of the parts */
    const size_t *row;    /* [count] of x: those that count; NULL: all */
    size_t count;
    real *kept; /* [count, D] these rows of x */
    real *dz;   /* [count, V] p - t */
} VocabLoss;

/* Where part i of W begins. */
static size_t start_of(const VocabLoss *l, size_t i) { return i ? l->w[0]->shape[0] : 0; }

static size_t vocab_of(const VocabLoss *l) {
    return start_of(l, l->parts - 1) + l->w[l->parts - 1]->shape[0];
}

static size_t width_of(const VocabLoss *l) { return tensor_last(l->x); }

static real factor_of(const VocabLoss *l, size_t part) {
    return !part && l->scale.count == 1 ? l->scale.value[0] : 1;
}

/* ---- the rows that count ---- */

/* row and count. */
static void choose_rows(Tape *tape, VocabLoss *l, const VocabTarget *t) {
    size_t rows = tensor_rows(l->x), vocab = vocab_of(l);
    for (size_t r = 0; r < rows; r++) {
        CHECK(t->label[r] < vocab || t->label[r] == t->ignore,
              "vocab_loss: label %u of %zu", (unsigned)t->label[r], vocab);
        l->count += t->label[r] != t->ignore;
    }
    if (l->count == rows) return;
    size_t *chosen = tape_alloc(tape, (l->count + 1) * sizeof *chosen), n = 0;
    for (size_t r = 0; r < rows; r++)
        if (t->label[r] != t->ignore) chosen[n++] = r;
    l->row = chosen;
}

static void gather_rows(Tape *tape, VocabLoss *l) {
    size_t width = width_of(l);
    l->kept = l->x->value;
    if (!l->row) return;
    l->kept = tape_alloc(tape, l->count * width * sizeof(real));
    for (size_t i = 0; i < l->count; i++)
        memcpy(l->kept + i * width, l->x->value + l->row[i] * width,
               width * sizeof(real));
}

/* dx = beta dx + the gradient of the rows that count. */
static void scatter_rows(const VocabLoss *l, const real *from, real *dx, real beta) {
    size_t width = width_of(l), rows = tensor_rows(l->x), i = 0;
    for (size_t r = 0; r < rows; r++) {
        real *to = dx + r * width;
        bool counts = i < l->count && l->row[i] == r;
        if (!counts && beta == 0) memset(to, 0, width * sizeof(real));
        if (!counts) continue;
        for (size_t j = 0; j < width; j++)
            to[j] = (beta != 0 ? to[j] : 0) + from[i * width + j];
        i++;
    }
}

/* ---- forward ---- */

/* Rows [first, first + rows) of those that count; z [rows, V] is overwritten. */
static void rows_forward(Tape *tape, const VocabLoss *l, const VocabTarget *t,
                         size_t first, size_t rows, real *z, bool gradient, Choice *out) {
    size_t vocab = vocab_of(l), width = width_of(l);
    const real *scale = l->scale.count > 1 ? l->scale.value : NULL;
    const real *bias = l->bias ? l->bias->value : NULL;
    for (size_t i = 0; i < l->parts; i++)
        product_nt(tape, l->products[i], rows, l->w[i]->shape[0], width, factor_of(l, i),
                   l->kept + first * width, width, l->w[i]->value, width, 0,
                   z + start_of(l, i), vocab);
#pragma omp parallel for schedule(static) if (rows * vocab > 8192)
    for (size_t i = 0; i < rows; i++) {
        size_t r = l->row ? l->row[first + i] : first + i;
        out[i] = choice_row(z + i * vocab, scale, bias, vocab, t->label[r], t->smoothing,
                            gradient);
    }
}

/* All at once where p - t is kept, else a few rows at a time. */
static void forward(Tape *tape, VocabLoss *l, const VocabTarget *t, bool gradient,
                    Choice *choices) {
    size_t vocab = vocab_of(l), step = l->count;
    real *z;
    if (gradient) {
        z = l->dz = tape_alloc(tape, l->count * vocab * sizeof(real));
    } else {
        step = MIN(step, MAX((size_t)CHUNK_ROWS, CHUNK_NUMBERS / vocab));
        z = tape_scratch(tape, step * vocab);
    }
    for (size_t first = 0; first < l->count; first += step)
        rows_forward(tape, l, t, first, MIN(step, l->count - first), z, gradient,
                     choices + first);
    if (!gradient) tape_unscratch(tape, z);
}

/* ---- backward ---- */

static void weight_back(Tape *tape, const VocabLoss *l, real alpha) {
    size_t vocab = vocab_of(l), width = width_of(l);
    real beta;
    for (size_t i = 0; i < l->parts; i++) {
        if (!l->w[i]->needs_grad) continue;
        real *dw = tape_grad(tape, l->w[i], &beta);
        product_tn(tape, l->products[i], l->w[i]->shape[0], width, l->count, alpha,
                   l->dz + start_of(l, i), vocab, l->kept, width, beta, dw, width);
    }
    if (l->bias && l->bias->needs_grad) {
        real *db = tape_grad(tape, l->bias, &beta);
        columns_sum(db, beta, alpha, l->dz, l->count, vocab);
    }
}

/* One scale for each column of dz; nobody reads dz after this. */
static void scale_columns(const VocabLoss *l) {
    size_t vocab = vocab_of(l);
    if (l->scale.count <= 1) return;
#pragma omp parallel for schedule(static) if (l->count * vocab > 8192)
    for (size_t i = 0; i < l->count; i++)
        for (size_t j = 0; j < vocab; j++) l->dz[i * vocab + j] *= l->scale.value[j];
}

static void input_back(Tape *tape, const VocabLoss *l, real alpha) {
    size_t vocab = vocab_of(l), width = width_of(l);
    real beta, *dx = tape_grad(tape, l->x, &beta);
    real *to = l->row ? tape_scratch(tape, l->count * width) : dx;
    real start = l->row ? 0 : beta;
    scale_columns(l);
    for (size_t i = 0; i < l->parts; i++)
        product_nn(tape, l->products[i], l->count, width, l->w[i]->shape[0],
                   alpha * factor_of(l, i), l->dz + start_of(l, i), vocab, l->w[i]->value,
                   width, i ? 1 : start, to, width);
    if (!l->row) return;
    scatter_rows(l, to, dx, beta);
    tape_unscratch(tape, to);
}

static void backward(Tape *tape, Node *node) {
    VocabLoss *l = (VocabLoss *)node;
    real alpha = (real)((double)node->out->grad[0] / l->divisor);
    weight_back(tape, l, alpha);
    if (l->x->needs_grad) input_back(tape, l, alpha);
}

/* ---- the op ---- */

static void check(const VocabLoss *l, const VocabTarget *t) {
    size_t vocab = vocab_of(l), width = width_of(l);
    for (size_t i = 0; i < l->parts; i++)
        CHECK(l->w[i]->size == l->w[i]->shape[0] * width,
              "vocab_loss: %zu tokens of %zu numbers for width %zu", l->w[i]->shape[0],
              l->w[i]->size / l->w[i]->shape[0], width);
    CHECK(l->parts == 1 || (!l->bias && l->scale.count <= 1),
          "vocab_loss: a bias or %zu scales with W in two parts", l->scale.count);
    CHECK(!l->bias || l->bias->size == vocab, "vocab_loss: bias of %zu for %zu tokens",
          l->bias->size, vocab);
    CHECK(l->scale.count <= 1 || l->scale.count == vocab,
          "vocab_loss: %zu scales for %zu tokens", l->scale.count, vocab);
    CHECK(t->divisor > 0, "vocab_loss: divided by %g", t->divisor);
    CHECK(t->smoothing >= 0 && t->smoothing < 1, "vocab_loss: smoothing %g",
          t->smoothing);
}

/* Sums in the order of the rows, whoever computed them. */
static double sum_up(const Choice *choices, size_t count, const VocabTarget *t) {
    double loss = 0, nll = 0;
    size_t right = 0;
    for (size_t i = 0; i < count; i++) {
        loss += choices[i].loss;
        nll += choices[i].nll;
        right += choices[i].right;
    }
    if (t->nll) *t->nll = nll;
    if (t->right) *t->right = right;
    return loss / t->divisor;
}

static void mark_hits(const VocabLoss *l, const Choice *choices, bool *hit) {
    for (size_t i = 0; hit && i < l->count; i++)
        hit[l->row ? l->row[i] : i] = choices[i].right;
}

static bool any_wanted(const VocabLoss *l) {
    bool wanted = l->x->needs_grad || (l->bias && l->bias->needs_grad);
    for (size_t i = 0; i < l->parts; i++) wanted |= l->w[i]->needs_grad;
    return wanted;
}

Tensor *vocab_loss(Tape *tape, Tensor *x, const VocabOutput *output,
                   const VocabTarget *target, bool *hit) {
    VocabLoss made = {.x = x,
                      .w = {output->w, output->more},
                      .parts = output->more ? 2 : 1,
                      .bias = output->bias,
                      .divisor = target->divisor};
    if (output->scale) made.scale = *output->scale;
    check(&made, target);
    bool wanted = any_wanted(&made);
    choose_rows(tape, &made, target);
    gather_rows(tape, &made);
    for (size_t i = 0; i < made.parts; i++)
        made.products[i] = product_choose(tape, i ? NULL : &made.scale, made.count);
    Choice *choices = tape_alloc(tape, (made.count + 1) * sizeof *choices);
    forward(tape, &made, target, wanted && tape_mode(tape)->gradients, choices);
    mark_hits(&made, choices, hit);
    Tensor *loss = tape_tensor(tape, 1, (size_t[]){1});
    loss->value[0] = (real)sum_up(choices, made.count, target);
    VocabLoss *l = tape_node(tape, sizeof *l, "vocab_loss", loss, wanted, backward);
    if (l) made.node = l->node, *l = made;
    return loss;
}

Tensor *op_vocab_loss(Tape *tape, Tensor *x, Tensor *w, Tensor *bias, const Scale *scale,
                      const VocabTarget *target) {
    VocabOutput output = {.w = w, .bias = bias, .scale = scale};
    return vocab_loss(tape, x, &output, target, NULL);
}
