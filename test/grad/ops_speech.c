/* Gradient cases of the ops of speech (gradcheck.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gradcheck.h"

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
    return c->inputs == 1 ? op_frames(tape, &args)
                          : op_conv1d(tape, &args, c->input[1],
                                      c->inputs > 2 ? c->input[2] : NULL, NULL);
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
