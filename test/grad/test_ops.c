/* Gradient cases of every op in engine/op/list.h: every input, every flag.  Here linear
 * and attention; the others in ops_rows.c, ops_loss.c, ops_batch.c,
 * ops_speech.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gradcheck.h"

typedef struct PlainCase {
    bool bias;
    Scale scale;
} PlainCase;

static Tensor *run_linear(Tape *tape, GradCase *c) {
    PlainCase *a = c->args;
    Tensor *w = a->scale.count ? grad_unscale(tape, c->input[1], &a->scale) : c->input[1];
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
    LinearArgs a = {.x = in[0],
                    .w = f->scale ? grad_unscale(tape, in[1], f->scale) : in[1]};
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

/* ---- all of them ---- */

#define LIST_CASE(op) cmocka_unit_test(grad_case_##op),

int main(void) {
    const struct CMUnitTest cases[] = {OP_LIST(LIST_CASE)};
    return cmocka_run_group_tests_name("gradients of ops", cases, NULL, NULL);
}
