/* Gradient cases of losses and of vocabularies in bands (gradcheck.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gradcheck.h"

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
    Tensor *w = v->scale ? grad_unscale(tape, c->input[1], v->scale) : c->input[1];
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
    Scale *scale = c->args;
    Tensor *w = scale->count ? grad_unscale(tape, c->input[1], scale) : c->input[1];
    return op_linear_transposed(tape, c->input[0], w, scale->count ? scale : NULL);
}

void grad_case_linear_transposed(void **state) {
    (void)state;
    static const real one[1] = {-1.7};
    for (size_t scaled = 0; scaled < 2; scaled++) {
        Scale args = {scaled ? one : NULL, scaled};
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
    bands[1] =
        (Band){in[1], b->scale ? grad_unscale(tape, in[3], b->scale) : in[3], b->scale};
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
