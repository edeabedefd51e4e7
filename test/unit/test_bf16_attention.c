/* op_attention with products in bf16: in one matrix or in three, narrow or not, with what
 * it can leave out, drop and measure. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "precisions.h"

enum { BATCH = 3, TOKENS = 45, MEMORY = 61, HEADS = 2 };

typedef struct Case {
    const char *name;
    size_t width; /* of a head */
    bool causal, padded, cross, narrow;
    size_t outputs, tokens;
    double dropout;
} Case;

static const Case CASES[] = {
    {"plain", 16, false, false, false, false, 0, TOKENS, 0},
    {"narrow", 16, false, false, false, true, 0, TOKENS, 0},
    {"causal", 12, true, false, false, true, 0, TOKENS, 0},
    {"causal, wide heads", 80, true, false, false, true, 0, TOKENS, 0},
    {"padded", 7, false, true, false, true, 0, TOKENS, 0},
    {"padded, causal, dropout", 7, true, true, false, false, 0, TOKENS, 0.3},
    {"dropout", 16, false, false, false, true, 0, TOKENS, 0.3},
    {"cross", 10, false, true, true, true, 0, TOKENS, 0},
    {"first output", 16, false, false, false, true, 1, TOKENS, 0},
    {"blocks", 8, false, true, false, true, 0, 300, 0},
    {"causal blocks", 8, true, true, false, true, 0, 300, 0},
};

static double entropy[HEADS], largest[HEADS];

/* q, k and v out of products, so that they can be narrow. */
static Tensor *run(Tape *tape, Pass *p) {
    static const size_t COUNT_Q[BATCH] = {45, 1, 30}, COUNT_K[BATCH] = {61, 7, 20};
    static const real one[1] = {1};
    static const Scale SCALE = {one, 1};
    const Case *c = p->args;
    size_t width = HEADS * c->width;
    LinearArgs in = {.x = &p->input[0], .w = &p->input[1], .narrow = c->narrow};
    in.scale = &SCALE;
    Tensor *y = op_linear_fused(tape, &in), *keys = y;
    if (c->cross) in.x = &p->input[2], in.w = &p->input[3];
    if (c->cross) keys = op_linear_fused(tape, &in);
    AttentionStats stats = {.entropy = entropy, .largest = largest};
    AttentionArgs a = {.q = {y, 0}, .k = {keys, c->cross ? 0 : width}};
    a.v = (Slice){keys, c->cross ? width : 2 * width};
    a.heads = HEADS, a.head_width = c->width, a.temperature = 0.9, a.causal = c->causal;
    a.outputs = c->outputs, a.narrow = c->narrow, a.stats = &stats;
    a.dropout = c->dropout, a.site = 2, a.first_example = 1;
    if (c->padded) a.key_count = c->cross ? COUNT_K : COUNT_Q;
    if (c->padded) a.query_count = COUNT_Q;
    return op_attention(tape, &a);
}

static Pass pass_of(const Case *c) {
    size_t width = HEADS * c->width;
    Pass p = {.run = run, .args = (void *)(uintptr_t)c};
    p.mode = (TapeMode){.training = true, .seed = 2, .step = 1};
    double std = 1 / sqrt((double)width);
    pass_input(&p, 1, 3, (size_t[]){BATCH, c->tokens, width});
    pass_input(&p, std, 2, (size_t[]){c->cross ? width : 3 * width, width});
    if (!c->cross) return p;
    pass_input(&p, 1, 3, (size_t[]){BATCH, MEMORY, width});
    pass_input(&p, std, 2, (size_t[]){2 * width, width});
    return p;
}

/* Roundings on the longest way, to a query's gradient: x, W, q, k, v, y, dy, p, dp, dq
 * and W again; each of 0.42 u, some of which softmax makes larger: sqrt(11) 0.42 =
 * 1.4. */
static void output_and_gradients_are_within_rounding(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Pass p = pass_of(&CASES[i]);
        pass_check(&p, CASES[i].name, 2.5);
        pass_free(&p);
    }
}

static void entropies_and_logits_are_of_softmax_in_fp32(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Pass p = pass_of(&CASES[i]);
        Outcome fp32 = pass_run(&p, (Precision){0});
        double h[HEADS], top[HEADS];
        memcpy(h, entropy, sizeof h);
        memcpy(top, largest, sizeof top);
        Outcome half = pass_run(&p, (Precision){.products = PRECISION_BF16});
        for (size_t k = 0; k < HEADS; k++) {
            assert_true(fabs(entropy[k] - h[k]) < ROUNDING * h[k]);
            assert_true(fabs(largest[k] - top[k]) < 4 * ROUNDING * top[k]);
            assert_true(entropy[k] != h[k] || largest[k] != top[k]);
        }
        outcome_free(&fp32);
        outcome_free(&half);
        pass_free(&p);
    }
}

static bool same_bits(Pass *p, Precision a, Precision b) {
    Outcome first = pass_run(p, a), second = pass_run(p, b);
    bool same = true;
    for (size_t i = 0; i <= p->inputs; i++)
        same &=
            !memcmp(first.numbers[i], second.numbers[i], first.size[i] * sizeof(real));
    outcome_free(&first);
    outcome_free(&second);
    return same;
}

/* The layer before it has a scale, so that keep_reparam leaves q, k and v in fp32. */
static void kept_attention_is_that_of_fp32(void **state) {
    (void)state;
    Pass p = pass_of(&CASES[0]);
    Precision layers = {.products = PRECISION_BF16, .keep_reparam = true}, all = layers;
    all.keep_attention = true;
    assert_false(same_bits(&p, (Precision){0}, layers));
    assert_true(same_bits(&p, (Precision){0}, all));
    pass_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_gradients_are_within_rounding),
        cmocka_unit_test(entropies_and_logits_are_of_softmax_in_fp32),
        cmocka_unit_test(kept_attention_is_that_of_fp32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
