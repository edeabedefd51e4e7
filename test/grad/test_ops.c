/* Gradient cases of every op in engine/op/list.h: every input, every flag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "gradcheck.h"

#define SHAPE(...)                                                                       \
    (int)COUNT(((size_t[]){__VA_ARGS__})), (size_t[]) { __VA_ARGS__ }

/* ---- linear ---- */

typedef struct PlainCase {
    bool bias;
    Scale scale;
} PlainCase;

/* W = W_hat / scale.  op_linear leaves dL/dW_hat in W.grad, so backward copies it. */
typedef struct Unscale {
    Node node;
    Tensor *w_hat;
} Unscale;

static void unscale_backward(Tape *tape, Node *node) {
    Unscale *n = (Unscale *)node;
    real beta, *dw = tape_grad(tape, n->w_hat, &beta);
    for (size_t i = 0; i < n->w_hat->size; i++)
        dw[i] = (beta != 0 ? dw[i] : 0) + node->out->grad[i];
}

static Tensor *unscale(Tape *tape, Tensor *w_hat, const Scale *scale) {
    Tensor *w = tape_tensor_like(tape, w_hat);
    size_t columns = tensor_last(w_hat);
    for (size_t i = 0; i < w->size; i++)
        w->value[i] = w_hat->value[i] / scale->value[scale->count > 1 ? i / columns : 0];
    Unscale *n =
        tape_node(tape, sizeof *n, "unscale", w, w_hat->needs_grad, unscale_backward);
    if (n) n->w_hat = w_hat;
    return w;
}

static Tensor *run_linear(Tape *tape, GradCase *c) {
    PlainCase *a = c->args;
    Tensor *w = a->scale.count ? unscale(tape, c->input[1], &a->scale) : c->input[1];
    return op_linear(tape, c->input[0], w, a->bias ? c->input[2] : NULL,
                     a->scale.count ? &a->scale : NULL);
}

static void linear_case(bool bias, Scale scale) {
    PlainCase args = {bias, scale};
    GradCase c = {.name = "linear", .run = run_linear, .args = &args};
    grad_input(&c, "x", 1, SHAPE(3, 2, 5));
    grad_input(&c, "w", 1, SHAPE(7, 5));
    if (bias) grad_input(&c, "b", 1, SHAPE(7));
    grad_check(&c);
}

void grad_case_linear(void **state) {
    (void)state;
    static const real one[1] = {-1.7}, rows[7] = {1, -2, 0.5, 3, 0.1, -0.3, 2};
    for (int bias = 0; bias < 2; bias++) {
        linear_case(bias, (Scale){NULL, 0});
        linear_case(bias, (Scale){one, 1});
        linear_case(bias, (Scale){rows, 7});
    }
}

typedef struct FusedCase {
    Intake intake;
    const Scale *scale;
    const real *keep;
    int residual; /* 0: none, 1: a tensor of its own, 2: x itself */
    double alpha, dropout;
} FusedCase;

static Tensor *run_fused(Tape *tape, GradCase *c) {
    FusedCase *f = c->args;
    Tensor **in = c->input;
    LinearArgs a = {.x = in[0], .w = f->scale ? unscale(tape, in[1], f->scale) : in[1]};
    a.b = in[2], a.scale = f->scale, a.intake = f->intake, a.keep = f->keep;
    a.alpha = f->alpha, a.dropout = f->dropout, a.site = 3, a.first_example = 4;
    if (f->intake == INTAKE_NORM) a.gain = in[3], a.bias = in[4], a.eps = 1e-3;
    a.residual = f->residual == 2 ? in[0] : f->residual ? in[c->inputs - 1] : NULL;
    return op_linear_fused(tape, &a);
}

static void fused_case(FusedCase f) {
    GradCase c = {.name = "linear_fused", .run = run_fused, .args = &f};
    c.mode = (TapeMode){.training = true, .seed = 5, .step = 9};
    size_t out = f.residual == 2 ? 5 : 7;
    grad_avoid(grad_input(&c, "x", 1, SHAPE(3, 2, 5)), 0, 0.01);
    grad_input(&c, "w", 1, SHAPE(out, 5));
    grad_input(&c, "b", 1, SHAPE(out));
    if (f.intake == INTAKE_NORM) {
        grad_input(&c, "gain", 1, SHAPE(5));
        grad_input(&c, "bias", 1, SHAPE(5));
    }
    if (f.residual == 1) grad_input(&c, "residual", 1, SHAPE(3, 2, 7));
    grad_check(&c);
}

/* Rows and columns enough for panels: whole ones and one that ends inside a vector. */
static void large_fused_case(Intake intake, bool keep) {
    static const real some[3] = {0, 1.25, 0.5};
    FusedCase f = {intake, NULL, keep ? some : NULL, 2, 0.7, keep ? 0 : 0.3};
    GradCase c = {.name = "linear_fused", .run = run_fused, .args = &f};
    c.mode = (TapeMode){.training = true, .seed = 5, .step = 9};
    grad_avoid(grad_input(&c, "x", 1, SHAPE(3, 30, 77)), 0, 0.01);
    grad_input(&c, "w", 0.2, SHAPE(77, 77));
    grad_input(&c, "b", 1, SHAPE(77));
    if (intake == INTAKE_NORM) {
        grad_input(&c, "gain", 1, SHAPE(77));
        grad_input(&c, "bias", 1, SHAPE(77));
    }
    grad_check(&c);
}

void grad_case_linear_fused(void **state) {
    (void)state;
    for (Intake intake = INTAKE_NONE; intake <= INTAKE_NORM; intake++)
        for (int keep = 0; keep < 2; keep++) large_fused_case(intake, keep);
    static const real one[1] = {-1.7}, rows[7] = {1, -2, 0.5, 3, 0.1, -0.3, 2};
    static const Scale single = {one, 1}, each = {rows, 7};
    static const real some[3] = {0, 1.25, 0}, none[3] = {0, 0, 0}, ends[3] = {2, 0, 2};
    const Scale *scales[] = {NULL, &single, &each};
    const real *keeps[] = {NULL, some, none, ends};
    for (Intake intake = INTAKE_NONE; intake <= INTAKE_NORM; intake++)
        for (int residual = 0; residual < 3; residual++)
            for (size_t k = 0; k < COUNT(keeps); k++)
                for (size_t s = 0; s < COUNT(scales) - (residual == 2); s++)
                    fused_case((FusedCase){intake, scales[s], keeps[k], residual,
                                           s == 1 ? 1.5 : 1, (k + s) % 2 ? 0.4 : 0});
}

/* ---- attention ---- */

typedef struct AttentionCase {
    int grouping; /* tensors that q, k, v stand in: 1, 2 or 3 */
    bool spare;   /* columns that no slice covers */
    size_t queries, keys;
    AttentionArgs args;
} AttentionCase;

static Tensor *run_attention(Tape *tape, GradCase *c) {
    AttentionCase *a = c->args;
    size_t hk = a->args.heads * a->args.head_width, first = a->spare ? 2 : 0;
    AttentionArgs args = a->args;
    args.q = (Slice){c->input[0], first};
    args.k =
        (Slice){c->input[a->grouping == 3 ? 1 : 0], a->grouping == 3 ? 0 : first + hk};
    args.v = (Slice){c->input[a->grouping - 1], a->grouping == 1 ? first + 2 * hk : 0};
    return op_attention(tape, &args);
}

static void attention_case(AttentionCase a) {
    size_t batch = 2, hk = a.args.heads * a.args.head_width, spare = a.spare ? 3 : 0;
    GradCase c = {.name = "attention", .run = run_attention, .args = &a};
    c.mode = (TapeMode){.training = true, .seed = 5, .step = 9};
    size_t first = (size_t)(4 - a.grouping); /* 3, 2, 1 slices in the first tensor */
    grad_input(&c, "q..", 1, SHAPE(batch, a.queries, first * hk + spare));
    if (a.grouping == 3) grad_input(&c, "k", 1, SHAPE(batch, a.keys, hk));
    if (a.grouping > 1) grad_input(&c, "v", 1, SHAPE(batch, a.keys, hk));
    grad_check(&c);
}

/* Dropout with everything else. */
static void dropped_attention_cases(void) {
    static const size_t some[2] = {3, 5}, none[2] = {0, 4};
    AttentionArgs plain = {.heads = 2, .head_width = 3, .temperature = 0.7};
    plain.dropout = 0.4, plain.site = 3, plain.first_example = 7;
    for (int grouping = 1; grouping <= 3; grouping++)
        attention_case((AttentionCase){grouping, grouping == 2, 5, 5, plain});
    AttentionArgs a = plain;
    a.key_count = none;
    attention_case((AttentionCase){3, false, 6, 5, a});
    a.causal = true, a.key_count = some;
    attention_case((AttentionCase){1, false, 5, 5, a});
    a.key_count = NULL;
    attention_case((AttentionCase){3, false, 4, 7, a});
    attention_case((AttentionCase){3, false, 61, 67, a}); /* in several blocks */
    a.outputs = 3, a.key_count = some;
    attention_case((AttentionCase){2, true, 5, 5, a});
    a = plain, a.heads = 1, a.head_width = 2; /* several blocks of queries, of masks */
    attention_case((AttentionCase){3, false, 20, 4000, a});
}

void grad_case_attention(void **state) {
    (void)state;
    static const size_t some[2] = {3, 5}, none[2] = {0, 4};
    AttentionArgs plain = {.heads = 2, .head_width = 3, .temperature = 1};
    for (int grouping = 1; grouping <= 3; grouping++)
        for (int spare = 0; spare < 2; spare++)
            attention_case((AttentionCase){grouping, spare, 5, 5, plain});
    AttentionArgs a = plain;
    a.temperature = 0.3;
    attention_case((AttentionCase){1, false, 5, 5, a});
    a = plain, a.causal = true;
    attention_case((AttentionCase){1, false, 5, 5, a});
    attention_case((AttentionCase){3, false, 4, 7, a});   /* with keys from before */
    attention_case((AttentionCase){1, false, 61, 61, a}); /* in several blocks */
    a.key_count = some;
    attention_case((AttentionCase){2, false, 5, 5, a});
    a.causal = false, a.key_count = none; /* an example without an open key */
    attention_case((AttentionCase){3, false, 6, 5, a});
    attention_case((AttentionCase){3, false, 1, 1, plain});
    a = plain, a.outputs = 1; /* one query's output alone, or some */
    attention_case((AttentionCase){1, false, 5, 5, a});
    a.outputs = 3, a.causal = true, a.key_count = some;
    attention_case((AttentionCase){2, true, 5, 5, a});
    a = plain, a.heads = 1, a.head_width = 2; /* several blocks of queries */
    attention_case((AttentionCase){3, false, 40, 9000, a});
    dropped_attention_cases();
}

/* ---- rows ---- */

static Tensor *run_layer_norm(Tape *tape, GradCase *c) {
    return op_layer_norm(tape, c->input[0], c->input[1], c->input[2], *(double *)c->args);
}

void grad_case_layer_norm(void **state) {
    (void)state;
    for (double eps = 1e-6; eps < 1; eps *= 1e5) {
        GradCase c = {.name = "layer_norm", .run = run_layer_norm, .args = &eps};
        grad_input(&c, "x", 1, SHAPE(3, 2, 9));
        grad_input(&c, "gain", 1, SHAPE(9));
        grad_input(&c, "bias", 1, SHAPE(9));
        grad_check(&c);
    }
}

static Tensor *run_gelu(Tape *tape, GradCase *c) { return op_gelu(tape, c->input[0]); }

void grad_case_gelu(void **state) {
    (void)state;
    GradCase c = {.name = "gelu", .run = run_gelu};
    grad_input(&c, "x", 2, SHAPE(5, 11));
    grad_check(&c);
    grad_input(&c, "x", 2, SHAPE(9001));
    grad_check(&c);
}

static Tensor *run_relu(Tape *tape, GradCase *c) { return op_relu(tape, c->input[0]); }

void grad_case_relu(void **state) {
    (void)state;
    GradCase c = {.name = "relu", .run = run_relu};
    grad_avoid(grad_input(&c, "x", 1, SHAPE(5, 11)), 0, 0.02);
    grad_check(&c);
}

/* ---- pictures and tokens ---- */

static Tensor *run_patchify(Tape *tape, GradCase *c) {
    return op_patchify(tape, c->input[0], *(size_t *)c->args);
}

void grad_case_patchify(void **state) {
    (void)state;
    for (size_t patch = 1; patch <= 4; patch *= 2) {
        GradCase c = {.name = "patchify", .run = run_patchify, .args = &patch};
        grad_input(&c, "x", 1, SHAPE(2, 3, 8, 4));
        grad_check(&c);
    }
}

static Tensor *run_prepend(Tape *tape, GradCase *c) {
    return op_prepend_token(tape, c->input[0], c->input[1]);
}

void grad_case_prepend_token(void **state) {
    (void)state;
    GradCase c = {.name = "prepend_token", .run = run_prepend};
    grad_input(&c, "x", 1, SHAPE(3, 4, 5));
    grad_input(&c, "token", 1, SHAPE(1, 1, 5));
    grad_check(&c);
}

typedef struct EmbeddingCase {
    const uint32_t *ids;
    size_t batch, length;
    double scale;
    bool tied; /* the table is an output matrix, too */
} EmbeddingCase;

static Tensor *run_embedding(Tape *tape, GradCase *c) {
    EmbeddingCase *e = c->args;
    Tensor *table = c->input[0];
    Tensor *y = op_embedding(tape, table, e->ids, e->batch, e->length, e->scale);
    return e->tied ? op_linear(tape, y, table, NULL, NULL) : y;
}

void grad_case_embedding(void **state) {
    (void)state;
    static const uint32_t ids[6] = {3, 0, 3, 6, 3, 1}; /* 2, 4 and 5 stand nowhere */
    for (int tied = 0; tied < 2; tied++)
        for (size_t width = 5; width < 100; width += 90) {
            EmbeddingCase args = {ids, 2, 3, tied ? 1 : -2.5, tied};
            GradCase c = {.name = "embedding", .run = run_embedding, .args = &args};
            grad_input(&c, "table", 1, SHAPE(7, width));
            grad_check(&c);
        }
}

static Tensor *run_position(Tape *tape, GradCase *c) {
    return op_add_position(tape, c->input[0], c->input[1]);
}

void grad_case_add_position(void **state) {
    (void)state;
    GradCase c = {.name = "add_position", .run = run_position};
    grad_input(&c, "x", 1, SHAPE(3, 4, 5));
    grad_input(&c, "position", 1, SHAPE(1, 4, 5));
    grad_check(&c);
    grad_input(&c, "x", 1, SHAPE(3, 4, 5));
    grad_input(&c, "position", 1, SHAPE(7, 5)); /* of longer sequences as well */
    grad_check(&c);
}

static Tensor *run_take(Tape *tape, GradCase *c) {
    return op_take_token(tape, c->input[0], *(size_t *)c->args);
}

void grad_case_take_token(void **state) {
    (void)state;
    for (size_t index = 0; index < 4; index += 3) {
        GradCase c = {.name = "take_token", .run = run_take, .args = &index};
        grad_input(&c, "x", 1, SHAPE(3, 4, 5));
        grad_check(&c);
    }
}

static Tensor *run_mean(Tape *tape, GradCase *c) {
    return op_mean_tokens(tape, c->input[0], *(size_t *)c->args);
}

void grad_case_mean_tokens(void **state) {
    (void)state;
    for (size_t first = 0; first < 2; first++) {
        GradCase c = {.name = "mean_tokens", .run = run_mean, .args = &first};
        grad_input(&c, "x", 1, SHAPE(3, 4, 5));
        grad_check(&c);
    }
}

/* ---- residual ---- */

static Tensor *run_add(Tape *tape, GradCase *c) {
    return op_add(tape, c->input[0], c->input[1], *(double *)c->args);
}

static Tensor *run_add_self(Tape *tape, GradCase *c) {
    Tensor *x = op_gelu(tape, c->input[0]); /* so that x's gradient is the tape's own */
    return op_add(tape, x, op_add(tape, x, x, 1), *(double *)c->args);
}

void grad_case_add(void **state) {
    (void)state;
    for (double alpha = 1; alpha < 4; alpha += 1.5) {
        GradCase c = {.name = "add", .run = run_add, .args = &alpha};
        grad_input(&c, "a", 1, SHAPE(3, 5));
        grad_input(&c, "b", 1, SHAPE(3, 5));
        grad_check(&c);
        GradCase self = {.name = "add to itself", .run = run_add_self, .args = &alpha};
        grad_input(&self, "x", 1, SHAPE(3, 5));
        grad_check(&self);
    }
}

static Tensor *run_dropout(Tape *tape, GradCase *c) {
    return op_dropout(tape, c->input[0], 0.4, 3, *(size_t *)c->args);
}

void grad_case_dropout(void **state) {
    (void)state;
    for (int training = 0; training < 2; training++)
        for (size_t first = 0; first < 6; first += 5) {
            GradCase c = {.name = "dropout",
                          .run = run_dropout,
                          .args = &first,
                          .mode = {.training = training, .seed = 5, .step = 9}};
            grad_input(&c, "x", 1, SHAPE(6, 7));
            grad_check(&c);
        }
}

static Tensor *run_drop_path(Tape *tape, GradCase *c) {
    return op_drop_path(tape, c->input[0], 0.4, 3, *(size_t *)c->args);
}

void grad_case_drop_path(void **state) {
    (void)state;
    for (int training = 0; training < 2; training++)
        for (size_t first = 0; first < 6; first += 5) {
            GradCase c = {.name = "drop_path",
                          .run = run_drop_path,
                          .args = &first,
                          .mode = {.training = training, .seed = 5, .step = 9}};
            grad_input(&c, "x", 1, SHAPE(6, 2, 7));
            grad_check(&c);
        }
}

/* ---- loss ---- */

static Tensor *run_cross_entropy(Tape *tape, GradCase *c) {
    return op_cross_entropy(tape, c->input[0], c->args);
}

void grad_case_cross_entropy(void **state) {
    (void)state;
    static const size_t label[4] = {0, 3, 6, 2}, other[4] = {5, 3, 0, 1};
    static const real mix[4] = {1, 0.25, 0.7, 0};
    for (int mixed = 0; mixed < 2; mixed++)
        for (double smoothing = 0; smoothing < 0.2; smoothing += 0.1)
            for (double divisor = 0; divisor < 10; divisor += 9) {
                Target target = {label, mixed ? other : NULL, mixed ? mix : NULL,
                                 smoothing, divisor};
                GradCase c = {.name = "cross_entropy",
                              .run = run_cross_entropy,
                              .args = &target};
                grad_input(&c, "logits", 2, SHAPE(4, 7));
                grad_check(&c);
            }
}

typedef struct VocabCase {
    VocabTarget target;
    bool bias;
    const Scale *scale;
} VocabCase;

static Tensor *run_vocab_loss(Tape *tape, GradCase *c) {
    VocabCase *v = c->args;
    Tensor *w = v->scale ? unscale(tape, c->input[1], v->scale) : c->input[1];
    return op_vocab_loss(tape, c->input[0], w, v->bias ? c->input[2] : NULL, v->scale,
                         &v->target);
}

static void vocab_case(VocabCase v, size_t vocab) {
    GradCase c = {.name = "vocab_loss", .run = run_vocab_loss, .args = &v};
    grad_input(&c, "x", 1, SHAPE(2, 3, 5));
    grad_input(&c, "w", 1, SHAPE(vocab, 5));
    if (v.bias) grad_input(&c, "bias", 1, SHAPE(vocab));
    grad_check(&c);
}

void grad_case_vocab_loss(void **state) {
    (void)state;
    static const uint32_t all[6] = {0, 3, 6, 2, 2, 5}, some[6] = {9, 3, 9, 9, 6, 0},
                          none[6] = {9, 9, 9, 9, 9, 9};
    static const uint32_t *const labels[] = {all, some, none};
    static const real one[1] = {-1.7}, rows[7] = {1, -2, 0.5, 3, 0.1, -0.3, 2};
    static const Scale single = {one, 1}, each = {rows, 7};
    const Scale *scales[] = {NULL, &single, &each};
    for (size_t l = 0; l < COUNT(labels); l++)
        for (int bias = 0; bias < 2; bias++)
            for (size_t s = 0; s < COUNT(scales); s++)
                for (double smoothing = 0; smoothing < 0.3; smoothing += 0.2)
                    vocab_case((VocabCase){{labels[l], 9, smoothing, 3, NULL, NULL},
                                           bias,
                                           scales[s]},
                               7);
    vocab_case((VocabCase){{all, 0, 0.1, 3, NULL, NULL}, true, NULL}, 2500);
}

/* ---- vocabularies in bands ---- */

static Tensor *run_transposed(Tape *tape, GradCase *c) {
    PlainCase *a = c->args;
    Tensor *w = a->scale.count ? unscale(tape, c->input[1], &a->scale) : c->input[1];
    return op_linear_transposed(tape, c->input[0], w, a->scale.count ? &a->scale : NULL);
}

void grad_case_linear_transposed(void **state) {
    (void)state;
    static const real one[1] = {-1.7};
    for (size_t scaled = 0; scaled < 2; scaled++) {
        PlainCase args = {false, {scaled ? one : NULL, scaled}};
        GradCase c = {.name = "linear_transposed", .run = run_transposed, .args = &args};
        grad_input(&c, "x", 1, SHAPE(3, 2, 7));
        grad_input(&c, "w", 1, SHAPE(7, 5));
        grad_check(&c);
    }
}

typedef struct Rows {
    const size_t *rows;
    size_t count;
} Rows;

static Tensor *run_take_rows(Tape *tape, GradCase *c) {
    Rows *r = c->args;
    return op_take_rows(tape, c->input[0], r->rows, r->count);
}

void grad_case_take_rows(void **state) {
    (void)state;
    static const size_t rows[3] = {0, 2, 5};
    for (size_t count = 0; count < 4; count += 3) {
        Rows args = {rows, count};
        GradCase c = {.name = "take_rows", .run = run_take_rows, .args = &args};
        grad_input(&c, "x", 1, SHAPE(2, 3, 5));
        grad_check(&c);
    }
}

static Tensor *run_merge_rows(Tape *tape, GradCase *c) {
    static const size_t first[2] = {4, 1}, second[4] = {0, 2, 3, 5};
    RowPart parts[3] = {{c->input[0], first, 2},
                        {c->input[1], second, 4},
                        {tape_tensor(tape, 3, (size_t[]){1, 0, 5}), NULL, 0}};
    return op_merge_rows(tape, parts, 3, 2, 3);
}

void grad_case_merge_rows(void **state) {
    (void)state;
    GradCase c = {.name = "merge_rows", .run = run_merge_rows};
    grad_input(&c, "first", 1, SHAPE(2, 5));
    grad_input(&c, "second", 1, SHAPE(4, 5));
    grad_check(&c);
}

static Tensor *run_dropout_rows(Tape *tape, GradCase *c) {
    Rows *r = c->args;
    return op_dropout_rows(tape, c->input[0], 0.4, 3, r->count, r->rows);
}

void grad_case_dropout_rows(void **state) {
    (void)state;
    static const size_t rows[6] = {0, 2, 5, 6, 11, 12};
    for (size_t numbered = 0; numbered < 2; numbered++) {
        Rows args = {numbered ? rows : NULL, 4};
        GradCase c = {.name = "dropout_rows",
                      .run = run_dropout_rows,
                      .args = &args,
                      .mode = {.training = true, .seed = 5, .step = 9}};
        grad_input(&c, "x", 1, SHAPE(2, 3, 7));
        grad_check(&c);
    }
}

/* Bands of 3, 4 and 5 tokens with 6, 3 and 2 numbers each. */
typedef struct BandCase {
    const uint32_t *tokens; /* [2, 3] */
    const Scale *scale;     /* of the second band's projection */
} BandCase;

static void band_inputs(GradCase *c, bool first_proj) {
    grad_input(c, "table 0", 1, SHAPE(3, 6));
    grad_input(c, "table 1", 1, SHAPE(4, 3));
    grad_input(c, "table 2", 1, SHAPE(5, 2));
    grad_input(c, "proj 1", 1, SHAPE(6, 3));
    grad_input(c, "proj 2", 1, SHAPE(6, 2));
    if (first_proj) grad_input(c, "proj 0", 1, SHAPE(6, 6));
}

static void find_bands(Tape *tape, GradCase *c, Band *bands) {
    BandCase *b = c->args;
    Tensor **in = c->input;
    bands[0] = (Band){in[0], in[5], NULL};
    bands[1] = (Band){in[1], b->scale ? unscale(tape, in[3], b->scale) : in[3], b->scale};
    bands[2] = (Band){in[2], in[4], NULL};
}

static Tensor *run_adaptive_embedding(Tape *tape, GradCase *c) {
    BandCase *b = c->args;
    Band bands[3];
    find_bands(tape, c, bands);
    return op_adaptive_embedding(tape, bands, 3, b->tokens, 2, 3, -1.5);
}

static const uint32_t EVERY_BAND[6] = {2, 11, 7, 3, 2, 5},
                      NO_TAIL[6] = {2, 0, 2, 1, 1, 1},
                      WITHOUT_ONE[6] = {2, 12, 3, 7, 12, 2};

void grad_case_adaptive_embedding(void **state) {
    (void)state;
    static const real one[1] = {-1.7};
    static const Scale single = {one, 1};
    for (int scaled = 0; scaled < 2; scaled++) {
        BandCase args = {scaled ? EVERY_BAND : NO_TAIL, scaled ? &single : NULL};
        GradCase c = {.name = "adaptive_embedding",
                      .run = run_adaptive_embedding,
                      .args = &args};
        band_inputs(&c, true);
        grad_check(&c);
    }
}

/* Inputs 5 and 6 are the clusters and x. */
static Tensor *run_adaptive_loss(Tape *tape, GradCase *c) {
    BandCase *b = c->args;
    Band bands[3];
    find_bands(tape, c, bands);
    bands[0].proj = NULL;
    AdaptiveArgs args = {bands, 3, c->input[5], 0.3, 2, 7};
    VocabTarget target = {b->tokens, 12, 0, 3, NULL, NULL};
    return op_adaptive_loss(tape, c->input[6], &args, &target);
}

void grad_case_adaptive_loss(void **state) {
    (void)state;
    static const real one[1] = {-1.7};
    static const Scale single = {one, 1};
    static const uint32_t *const tokens[] = {EVERY_BAND, NO_TAIL, WITHOUT_ONE};
    for (size_t i = 0; i < 2 * COUNT(tokens); i++) {
        BandCase args = {tokens[i / 2], i % 2 ? &single : NULL};
        GradCase c = {.name = "adaptive_loss",
                      .run = run_adaptive_loss,
                      .args = &args,
                      .mode = {.training = i > 2, .seed = 5, .step = 9}};
        band_inputs(&c, false);
        grad_input(&c, "clusters", 1, SHAPE(2, 6));
        grad_input(&c, "x", 1, SHAPE(2, 3, 6));
        grad_check(&c);
    }
}

/* ---- speech ---- */

static Tensor *run_ctc(Tape *tape, GradCase *c) {
    return op_ctc(tape, c->input[0], c->args);
}

static void ctc_case(CtcTarget target, size_t frames) {
    GradCase c = {.name = "ctc", .run = run_ctc, .args = &target};
    grad_input(&c, "logits", 2, SHAPE(3, frames, 5));
    grad_check(&c);
}

/* Repeated labels, none, one frame to spare and none, padding. */
void grad_case_ctc(void **state) {
    (void)state;
    static const uint32_t label[12] = {1, 1, 2, 0, 4, 0, 4, 4, 9, 9, 9, 9};
    static const size_t three[3] = {3, 3, 0}, four[3] = {4, 4, 0}, some[3] = {5, 3, 2},
                        none[3] = {4, 7, 0};
    ctc_case((CtcTarget){label, 4, three, NULL, 3, 1, NULL}, 6);
    ctc_case((CtcTarget){label, 4, three, some, 3, 0.7, NULL}, 6);
    ctc_case((CtcTarget){label, 4, four, NULL, 3, 3, NULL}, 30);
    ctc_case((CtcTarget){label, 4, (size_t[]){2, 3, 0}, none, 3, 3, NULL}, 7);
    ctc_case((CtcTarget){label, 0, (size_t[]){0, 0, 0}, some, 0, 3, NULL}, 6);
}

static Tensor *run_glu(Tape *tape, GradCase *c) { return op_glu(tape, c->input[0]); }

void grad_case_glu(void **state) {
    (void)state;
    for (size_t width = 2; width < 1000; width += 90 * width) {
        GradCase c = {.name = "glu", .run = run_glu};
        grad_input(&c, "x", 2, SHAPE(3, 20, width));
        grad_check(&c);
    }
}

static Tensor *run_add_scalar(Tape *tape, GradCase *c) {
    return op_add_scalar(tape, c->input[0], c->input[1]);
}

void grad_case_add_scalar(void **state) {
    (void)state;
    GradCase c = {.name = "add_scalar", .run = run_add_scalar};
    grad_input(&c, "x", 1, SHAPE(3, 4, 5));
    grad_input(&c, "a", 1, SHAPE(1));
    grad_check(&c);
}

static Tensor *run_masked_norm(Tape *tape, GradCase *c) {
    return op_masked_norm(tape, c->input[0], c->args, c->input[1], c->input[2], 0.1);
}

void grad_case_masked_norm(void **state) {
    (void)state;
    static size_t some[4] = {6, 1, 0, 4};
    size_t *counts[] = {NULL, some};
    for (size_t i = 0; i < COUNT(counts); i++) {
        GradCase c = {.name = "masked_norm", .run = run_masked_norm, .args = counts[i]};
        grad_input(&c, "x", 1, SHAPE(4, 6, 3));
        grad_input(&c, "scale", 1, SHAPE(1));
        grad_input(&c, "bias", 1, SHAPE(1));
        grad_check(&c);
    }
}

static Tensor *run_frames(Tape *tape, GradCase *c) {
    FramesArgs args = *(FramesArgs *)c->args;
    args.x = c->input[0];
    return c->inputs == 1
               ? op_frames(tape, &args)
               : op_conv1d(tape, &args, c->input[1], c->inputs > 2 ? c->input[2] : NULL);
}

/* Windows that overlap, touch, leave gaps; more of them than frames, or hardly one. */
static void frames_cases(const char *name, size_t inputs) {
    static const size_t some[3] = {8, 1, 0}, each[3] = {0, 6, 2};
    const size_t sizes[][3] = {{7, 3, 3}, {7, 3, 0}, {3, 3, 1},  {2, 5, 1},
                               {1, 1, 0}, {9, 8, 8}, {20, 2, 19}};
    for (size_t i = 0; i < 2 * COUNT(sizes); i++) {
        const size_t *s = sizes[i / 2];
        FramesArgs args = {.kernel = s[0],
                           .stride = s[1],
                           .before = s[2],
                           .each_before = i < 4 ? each : NULL,
                           .frame_count = i % 2 ? some : NULL};
        GradCase c = {.name = name, .run = run_frames, .args = &args};
        grad_input(&c, "x", 1, SHAPE(3, 11, 4));
        if (inputs > 1) grad_input(&c, "weight", 1, SHAPE(5, 4, s[0]));
        if (inputs > 2) grad_input(&c, "bias", 1, SHAPE(5));
        grad_check(&c);
    }
}

void grad_case_frames(void **state) {
    (void)state;
    frames_cases("frames", 1);
}

void grad_case_conv1d(void **state) {
    (void)state;
    frames_cases("conv1d", 2);
    frames_cases("conv1d", 3);
}

/* ---- all of them ---- */

#define LIST_CASE(op) cmocka_unit_test(grad_case_##op),

int main(void) {
    const struct CMUnitTest cases[] = {OP_LIST(LIST_CASE)};
    return cmocka_run_group_tests_name("gradients of ops", cases, NULL, NULL);
}
