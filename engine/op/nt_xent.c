/* nt_xent: with z = h / |h|, s_ij = z_i.z_j / t, P_ij = softmax over j != i of s_i, p the
 * partner of i, and c = dloss / divisor,
 *   loss = sum_i (lse_i - s_ip) / divisor
 *   dz_i = (c / t) sum_{j != i} (P_ij + P_ji - 2 [j = p]) z_j     j over all ranks' rows
 *   dh_i = (dz_i - z_i (z_i.dz_i)) / |h_i|
 * What other ranks' rows ask of i is P_ji = e^(s_ij - lse_j): their log-sum-exps come in
 * place of their gradients.  For the partner 1 - P_ip is kept as the sum of the others,
 * so that a small loss keeps its digits. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/dist/ranks.h"
#include "engine/kern/gemm.h"
#include "engine/kern/rows.h"
#include "engine/kern/vmath.h"
#include "engine/op/op.h"

static const double LENGTH_LEAST = 1e-12;

/* Rows of s at a time: what one thread holds stays near a megabyte. */
enum { BLOCK_MOST = 64, BLOCK_LEAST = 8, BLOCK_NUMBERS = 1 << 18 };

typedef struct NtXent {
    Node node;
    NtXentArgs args;
    Tensor *h;
    size_t own, all; /* rows of this rank, of all ranks */
    size_t first;    /* of own rows among all */
    size_t *partner; /* [all] */
    real *z;         /* [all, D] */
    /* [all] each row's softmax: P_ij = share_i e^(s_ij - top_i), others_i = 1 - P_ip */
    real *top, *share, *others;
    double *length; /* [own] |h|; 0: below LENGTH_LEAST */
} NtXent;

static size_t width_of(const NtXent *n) { return tensor_last(n->h); }

/* ---- who has which rows ---- */

/* Rows of each rank. */
static size_t *count_rows(Tape *tape, NtXent *n, size_t ranks) {
    size_t me = ranks_number(n->args.ranks);
    double *counts = tape_alloc(tape, ranks * sizeof *counts);
    size_t *rows = tape_alloc(tape, ranks * sizeof *rows);
    for (size_t r = 0; r < ranks; r++) counts[r] = r == me ? (double)n->own : 0;
    ranks_add(n->args.ranks, counts, ranks);
    for (size_t r = 0; r < ranks; r++) {
        rows[r] = (size_t)counts[r];
        if (r == me) n->first = n->all;
        n->all += rows[r];
    }
    return rows;
}

static void pair_up(Tape *tape, NtXent *n, const size_t *rows, size_t ranks) {
    n->partner = tape_alloc(tape, n->all * sizeof *n->partner);
    for (size_t r = 0, first = 0; r < ranks; first += rows[r++])
        for (size_t i = 0; i < rows[r]; i++)
            n->partner[first + i] = first + (i + rows[r] / 2) % rows[r];
}

/* Fills x[all] from each rank's own part, which is at its place already. */
static void gather(Tape *tape, const NtXent *n, const size_t *rows, size_t ranks,
                   void *all, size_t row_bytes) {
    if (ranks == 1) return;
    size_t *bytes = tape_alloc(tape, ranks * sizeof *bytes), size = n->own * row_bytes;
    void *own = tape_alloc(tape, size);
    for (size_t r = 0; r < ranks; r++) bytes[r] = rows[r] * row_bytes;
    memcpy(own, (char *)all + n->first * row_bytes, size);
    ranks_gather(n->args.ranks, own, all, bytes);
}

/* ---- forward ---- */

static void normalise(const NtXent *n, size_t i) {
    size_t width = width_of(n);
    const real *h = n->h->value + i * width;
    real *z = n->z + (n->first + i) * width;
    double squares = 0;
#pragma omp simd reduction(+ : squares)
    for (size_t j = 0; j < width; j++) squares += (double)h[j] * (double)h[j];
    double length = sqrt(squares);
    n->length[i] = length < LENGTH_LEAST ? 0 : length;
    double factor = length < LENGTH_LEAST ? 0 : 1 / length;
    for (size_t j = 0; j < width; j++) z[j] = (real)(factor * (double)h[j]);
}

/* What is left of [0, n) without a and b: three ranges, each perhaps empty. */
typedef struct Ranges {
    size_t from[3], to[3];
} Ranges;

static Ranges without(size_t a, size_t b, size_t n) {
    size_t low = MIN(a, b), high = MAX(a, b);
    return (Ranges){{0, low + 1, high + 1}, {low, high, n}};
}

static real largest_in(const real *s, size_t from, size_t to, real largest) {
#pragma omp simd reduction(max : largest)
    for (size_t j = from; j < to; j++) largest = s[j] > largest ? s[j] : largest;
    return largest;
}

static real exp_sum(const real *s, size_t from, size_t to, real top) {
    real sum = 0;
#pragma omp simd reduction(+ : sum)
    for (size_t j = from; j < to; j++) sum += vm_exp(s[j] - top);
    return sum;
}

/* s: row i's products with all rows.  Its loss; *right: is its partner the nearest? */
static double row_loss(const NtXent *n, const real *s, size_t i, bool *right) {
    size_t p = n->partner[i];
    Ranges r = without(i, p, n->all);
    real nearest = -INFINITY, others = 0;
    for (size_t k = 0; k < 3; k++) nearest = largest_in(s, r.from[k], r.to[k], nearest);
    *right = s[p] > nearest;
    real top = nearest > s[p] ? nearest : s[p], own = vm_exp(s[p] - top);
    for (size_t k = 0; k < 3; k++) others += exp_sum(s, r.from[k], r.to[k], top);
    n->top[i] = top;
    n->share[i] = 1 / (own + others);
    n->others[i] = others / (own + others);
    double apart = (double)top - (double)s[p];
    return apart > 0 ? log((double)own + (double)others) + apart : log1p((double)others);
}

static size_t block_rows(const NtXent *n) {
    size_t rows = BLOCK_NUMBERS / n->all;
    return MIN(MAX(rows, (size_t)BLOCK_LEAST), (size_t)BLOCK_MOST);
}

/* s[rows, all] of own rows from `first` on. */
static void products(const NtXent *n, size_t first, size_t rows, real *s) {
    size_t width = width_of(n);
    gemm_nt(rows, n->all, width, (real)(1 / n->args.temperature),
            n->z + (n->first + first) * width, width, n->z, width, 0, s, n->all);
}

/* s [rows, all], and behind it room for [rows, D]. */
typedef void OnBlock(void *context, size_t first, size_t rows, real *s);

/* Blocks depend on the numbers of rows alone, and each is one thread's. */
static void each_block(Tape *tape, const NtXent *n, OnBlock *visit, void *context) {
    size_t block = block_rows(n), blocks = (n->own + block - 1) / block;
    size_t threads = MIN((size_t)omp_get_max_threads(), blocks),
           area = block * (n->all + width_of(n));
    real *memory = tape_scratch(tape, threads * area);
#pragma omp parallel for schedule(static) num_threads((int)threads)
    for (size_t b = 0; b < blocks; b++) {
        real *s = memory + (size_t)omp_get_thread_num() * area;
        size_t first = b * block, rows = MIN(block, n->own - first);
        products(n, first, rows, s);
        visit(context, first, rows, s);
    }
    tape_unscratch(tape, memory);
}

typedef struct Forward {
    const NtXent *n;
    double *loss; /* [own] */
    bool *right;  /* [own] */
} Forward;

static void block_loss(void *context, size_t first, size_t rows, real *s) {
    const Forward *f = context;
    for (size_t i = first; i < first + rows; i++, s += f->n->all)
        f->loss[i] = row_loss(f->n, s, f->n->first + i, &f->right[i]);
}

static void measure(Tape *tape, const NtXent *n, const bool *right) {
    size_t width = width_of(n);
    double *mean = tape_alloc(tape, 2 * width * sizeof *mean), *squares = mean + width;
    NtXentStats *s = n->args.stats;
    *s = (NtXentStats){.rows = n->all};
    columns_moments(mean, squares, n->z, n->all, width);
    for (size_t j = 0; j < width; j++)
        s->std += sqrt(squares[j] / (double)n->all) / (double)width;
    for (size_t i = 0; i < n->own; i++) s->right += right[i];
}

/* Fills n; the sum of own rows' losses. */
static double forward(Tape *tape, NtXent *n) {
    size_t ranks = ranks_count(n->args.ranks), width = width_of(n);
    size_t *rows = count_rows(tape, n, ranks);
    pair_up(tape, n, rows, ranks);
    n->z = tape_alloc(tape, n->all * width * sizeof *n->z);
    n->top = tape_alloc(tape, 3 * n->all * sizeof *n->top);
    n->share = n->top + n->all;
    n->others = n->share + n->all;
    n->length = tape_alloc(tape, n->own * sizeof *n->length);
    for (size_t i = 0; i < n->own; i++) normalise(n, i);
    gather(tape, n, rows, ranks, n->z, width * sizeof *n->z);
    Forward f = {n, tape_alloc(tape, n->own * sizeof *f.loss),
                 tape_alloc(tape, n->own * sizeof *f.right)};
    each_block(tape, n, block_loss, &f);
    for (size_t k = 0; k < 3; k++)
        gather(tape, n, rows, ranks, n->top + k * n->all, sizeof *n->top);
    if (n->args.stats) measure(tape, n, f.right);
    double sum = 0;
    for (size_t i = 0; i < n->own; i++) sum += f.loss[i];
    return sum;
}

/* ---- backward ---- */

typedef struct Backward {
    const NtXent *n;
    real *dh, beta;
    double factor; /* c / t */
} Backward;

/* s becomes P_ij + P_ji - 2 [j = p], 0 at i. */
static void row_weights(const NtXent *n, real *s, size_t i) {
    size_t p = n->partner[i];
    const real *top = n->top, *share = n->share;
#pragma omp simd
    for (size_t j = 0; j < n->all; j++)
        s[j] = share[i] * vm_exp(s[j] - top[i]) + share[j] * vm_exp(s[j] - top[j]);
    s[p] = -(n->others[i] + n->others[p]);
    s[i] = 0;
}

static void row_back(const Backward *b, const real *dz, size_t i) {
    const NtXent *n = b->n;
    size_t width = width_of(n);
    const real *z = n->z + (n->first + i) * width;
    real *dh = b->dh + i * width;
    double along = 0, factor = n->length[i] > 0 ? b->factor / n->length[i] : 0;
#pragma omp simd reduction(+ : along)
    for (size_t j = 0; j < width; j++) along += (double)z[j] * (double)dz[j];
    for (size_t j = 0; j < width; j++)
        dh[j] = (b->beta != 0 ? dh[j] : 0) +
                (real)(factor * ((double)dz[j] - along * (double)z[j]));
}

static void block_back(void *context, size_t first, size_t rows, real *s) {
    const Backward *b = context;
    const NtXent *n = b->n;
    size_t width = width_of(n);
    for (size_t i = 0; i < rows; i++)
        row_weights(n, s + i * n->all, n->first + first + i);
    real *dz = s + rows * n->all;
    gemm_nn(rows, width, n->all, 1, s, n->all, n->z, width, 0, dz, width);
    for (size_t i = 0; i < rows; i++) row_back(b, dz + i * width, first + i);
}

static double divisor_of(const NtXent *n) {
    return n->args.divisor > 0 ? n->args.divisor : (double)n->all;
}

static void backward(Tape *tape, Node *node) {
    const NtXent *n = (const NtXent *)node;
    Backward b = {.n = n};
    b.factor = (double)node->out->grad[0] / divisor_of(n) / n->args.temperature;
    b.dh = tape_grad(tape, n->h, &b.beta);
    each_block(tape, n, block_back, &b);
}

Tensor *op_nt_xent(Tape *tape, Tensor *h, const NtXentArgs *args) {
    CHECK(h->dims == 2 && h->shape[0] % 2 == 0 && h->size > 0,
          "nt_xent: %zu rows in %d dimensions, expected pairs", h->shape[0], h->dims);
    CHECK(args->temperature > 0, "nt_xent: temperature %g", args->temperature);
    NtXent n = {.args = *args, .h = h, .own = h->shape[0]};
    if (tape_mode(tape)->watch) n.args.ranks = NULL;
    double sum = forward(tape, &n);
    Tensor *loss = tape_tensor(tape, 1, (size_t[]){1});
    loss->value[0] = (real)(sum / divisor_of(&n));
    NtXent *node =
        tape_node(tape, sizeof *node, "nt_xent", loss, h->needs_grad, backward);
    if (node) n.node = node->node, *node = n;
    return loss;
}
