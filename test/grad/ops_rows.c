/* Gradient cases of ops on rows, pictures, tokens and residuals (gradcheck.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gradcheck.h"

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
