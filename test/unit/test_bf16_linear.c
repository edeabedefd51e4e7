/* op_linear with products in bf16: what stands around the product, narrow inputs and
 * outputs, and what stays in fp32. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "precisions.h"

enum { BATCH = 6, LENGTH = 19, ROWS = BATCH * LENGTH, IN = 37, OUT = 70, HIDDEN = 83 };

typedef struct Case {
    const char *name;
    Intake intake;
    bool residual, keep, narrow;
    double alpha, dropout;
    size_t scales;
} Case;

static const Case CASES[] = {
    {"plain", INTAKE_NONE, false, false, false, 0, 0, 0},
    {"gelu", INTAKE_GELU, false, false, false, 0, 0, 0},
    {"relu", INTAKE_RELU, false, false, false, 0, 0, 1},
    {"norm", INTAKE_NORM, false, false, false, 0, 0, 1},
    {"norm, narrow", INTAKE_NORM, false, false, true, 0, 0, 1},
    {"narrow", INTAKE_NONE, false, false, true, 0, 0, OUT},
    {"residual", INTAKE_NONE, true, false, false, 1, 0, 1},
    {"alpha, drop path", INTAKE_GELU, true, true, false, 1.7, 0, 1},
    {"drop path alone", INTAKE_NORM, false, true, false, 0, 0, OUT},
    {"dropout", INTAKE_NONE, true, false, false, 1, 0.3, 1},
    {"all", INTAKE_NORM, true, true, false, 0.8, 0.2, OUT},
};

static Tensor *run(Tape *tape, Pass *p) {
    static const real keep[BATCH] = {2, 2, 0, 0.5, 0.5, 0};
    const Case *c = p->args;
    real scales[OUT];
    for (size_t i = 0; i < OUT; i++) scales[i] = 1 + (real)(i % 5) / 8;
    Scale scale = {memcpy(tape_alloc(tape, sizeof scales), scales, sizeof scales),
                   c->scales};
    LinearArgs a = {.x = &p->input[0], .w = &p->input[1], .b = &p->input[2]};
    a.scale = c->scales ? &scale : NULL, a.intake = c->intake, a.narrow = c->narrow;
    a.alpha = c->alpha, a.dropout = c->dropout, a.site = 3, a.first_example = 4;
    if (c->keep) a.keep = keep;
    if (c->intake == INTAKE_NORM)
        a.gain = &p->input[3], a.bias = &p->input[4], a.eps = 1e-3;
    if (c->residual) a.residual = &p->input[p->inputs - 1];
    return op_linear_fused(tape, &a);
}

static Pass pass_of(const Case *c, size_t length) {
    Pass p = {.run = run, .mode = {.training = true, .seed = 2, .step = 1}};
    p.args = (void *)(uintptr_t)c;
    pass_input(&p, 1, 3, (size_t[]){BATCH, length, IN});
    pass_input(&p, 0.2, 2, (size_t[]){OUT, IN});
    pass_input(&p, 0.5, 1, (size_t[]){OUT});
    if (c->intake == INTAKE_NORM) {
        pass_input(&p, 1, 1, (size_t[]){IN});
        pass_input(&p, 1, 1, (size_t[]){IN});
    }
    if (c->residual) pass_input(&p, 0.1, 3, (size_t[]){BATCH, length, OUT});
    return p;
}

/* The gradient of bias and residual is not a product's: they are held aside. */
static void hold_sums(Pass *p, const Case *c) {
    p->input[2].needs_grad = false;
    if (c->residual) p->input[p->inputs - 1].needs_grad = false;
}

static void output_and_gradients_are_within_the_rounding_of_two_operands(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Pass p = pass_of(&CASES[i], LENGTH);
        hold_sums(&p, &CASES[i]);
        pass_check(&p, CASES[i].name, 1.0);
        pass_free(&p);
    }
}

static void gradients_of_bias_and_residual_are_those_of_fp32(void **state) {
    (void)state;
    const Case *c = &CASES[7];
    Pass p = pass_of(c, LENGTH);
    Outcome fp32 = pass_run(&p, (Precision){0});
    Outcome half = pass_run(&p, (Precision){.products = PRECISION_BF16});
    for (size_t i = 3; i <= p.inputs; i++)
        assert_memory_equal(fp32.numbers[i], half.numbers[i],
                            fp32.size[i] * sizeof(real));
    outcome_free(&fp32);
    outcome_free(&half);
    pass_free(&p);
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

static void few_rows_and_kept_layers_stay_in_fp32(void **state) {
    (void)state;
    Precision half = {.products = PRECISION_BF16}, kept = half;
    kept.keep_reparam = true;
    Pass few = pass_of(&CASES[4], 7), many = pass_of(&CASES[4], LENGTH),
         plain = pass_of(&CASES[0], LENGTH);
    assert_true(same_bits(&few, (Precision){0}, half)); /* 42 rows */
    assert_false(same_bits(&many, (Precision){0}, half));
    assert_true(same_bits(&many, (Precision){0}, kept));
    assert_false(same_bits(&plain, (Precision){0}, kept)); /* has no scale */
    pass_free(&few);
    pass_free(&many);
    pass_free(&plain);
}

/* Two layers whose hidden numbers are narrow. */
static Tensor *run_two(Tape *tape, Pass *p) {
    const Intake *intake = p->args;
    LinearArgs first = {.x = &p->input[0], .w = &p->input[1], .narrow = true};
    Tensor *hidden = op_linear_fused(tape, &first);
    assert_int_equal(tensor_narrow(hidden), tape_mode(tape)->precision.products);
    LinearArgs second = {.x = hidden, .w = &p->input[2], .intake = *intake};
    return op_linear_fused(tape, &second);
}

static void hidden_numbers_may_be_narrow(void **state) {
    (void)state;
    static const Intake INTAKES[] = {INTAKE_NONE, INTAKE_GELU, INTAKE_RELU};
    for (size_t i = 0; i < COUNT(INTAKES); i++) {
        Pass p = {.run = run_two, .args = (void *)(uintptr_t)&INTAKES[i]};
        pass_input(&p, 1, 3, (size_t[]){BATCH, LENGTH, IN});
        pass_input(&p, 0.2, 2, (size_t[]){HIDDEN, IN});
        pass_input(&p, 0.2, 2, (size_t[]){OUT, HIDDEN});
        /* five roundings are sqrt(5) 0.42 = 0.94; of ReLU's slopes those within rounding
         * of 0 change, a share of about u / 4, which counts with its square root */
        pass_check(&p, "two layers", INTAKES[i] == INTAKE_RELU ? 10 : 1.5);
        pass_free(&p);
    }
}

/* A sum that a second layer reads and nobody after it. */
typedef struct Passing {
    Intake intake;
    bool let_go, twice;
} Passing;

static Tensor *run_passing(Tape *tape, Pass *p) {
    const Passing *c = p->args;
    LinearArgs first = {.x = &p->input[0], .w = &p->input[1], .passing = true};
    Tensor *sum = op_linear_fused(tape, &first);
    assert_int_equal(sum->passing, tape_mode(tape)->precision.products);
    LinearArgs second = {.x = sum, .w = &p->input[2], .intake = c->intake};
    if (c->intake == INTAKE_NORM)
        second.gain = &p->input[3], second.bias = &p->input[4], second.eps = 1e-3;
    Tensor *y = op_linear_fused(tape, &second);
    if (c->twice) {
        LinearArgs third = second;
        third.residual = y, third.alpha = 1;
        y = op_linear_fused(tape, &third);
    }
    if (c->let_go) {
        tape_let_go(tape, sum);
        tape_let_go(tape, sum); /* does nothing */
        assert_int_equal(!sum->value, tape_mode(tape)->precision.products);
    }
    return y;
}

static Pass passing_pass(const Passing *c) {
    Pass p = {.run = run_passing, .args = (void *)(uintptr_t)c};
    pass_input(&p, 1, 3, (size_t[]){BATCH, LENGTH, IN});
    pass_input(&p, 0.2, 2, (size_t[]){HIDDEN, IN});
    pass_input(&p, 0.2, 2, (size_t[]){OUT, HIDDEN});
    for (int i = 0; c->intake == INTAKE_NORM && i < 2; i++)
        pass_input(&p, 1, 1, (size_t[]){HIDDEN});
    return p;
}

static void a_sum_that_is_let_go_gives_the_same_gradients(void **state) {
    (void)state;
    Precision half = {.products = PRECISION_BF16};
    for (int twice = 0; twice < 2; twice++)
        for (int norm = 0; norm < 2; norm++) {
            Passing stays = {norm ? INTAKE_NORM : INTAKE_NONE, false, twice};
            Passing goes = stays;
            goes.let_go = true;
            Pass a = passing_pass(&stays), b = passing_pass(&goes);
            Outcome kept = pass_run(&a, half), gone = pass_run(&b, half);
            for (size_t i = 0; i <= a.inputs; i++)
                assert_memory_equal(kept.numbers[i], gone.numbers[i],
                                    kept.size[i] * sizeof(real));
            outcome_free(&kept);
            outcome_free(&gone);
            pass_free(&a);
            pass_check(&b, norm ? "norm" : "plain", 1.5);
            pass_free(&b);
        }
}

/* A narrow tensor's numbers are watched as others' are: W of the first layer, or what the
 * second sends back. */
static TapeFault fault_of(size_t input, double value) {
    static const Intake intake = INTAKE_NONE;
    Pass p = {.run = run_two, .args = (void *)(uintptr_t)&intake};
    pass_input(&p, 1, 3, (size_t[]){BATCH, LENGTH, IN});
    pass_input(&p, 0.2, 2, (size_t[]){HIDDEN, IN});
    pass_input(&p, 0.2, 2, (size_t[]){OUT, HIDDEN});
    if (input) p.input[input].value[0] = (real)value;
    Tape *tape = tape_new();
    p.mode = (TapeMode){.gradients = true, .watch = true};
    p.mode.precision.products = PRECISION_BF16;
    tape_begin(tape, p.mode);
    Tensor *y = run_two(tape, &p);
    TapeFault fault = tape_fault(tape);
    if (!fault.op && !input) { /* a gradient that is too large for dx alone */
        for (size_t i = 0; i < p.input[2].size; i++) p.input[2].value[i] = (real)value;
        tape_backward(tape, pass_loss(tape, y, 3));
        fault = tape_fault(tape);
    }
    tape_free(tape);
    pass_free(&p);
    return fault;
}

static void a_number_that_is_not_finite_is_found_in_narrow_tensors(void **state) {
    (void)state;
    TapeFault forward = fault_of(1, NAN), fine = fault_of(0, 1),
              backward = fault_of(0, 1e38);
    assert_string_equal(forward.op, "linear");
    assert_false(forward.backward);
    assert_null(fine.op);
    assert_string_equal(backward.op, "linear");
    assert_true(backward.backward);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_gradients_are_within_the_rounding_of_two_operands),
        cmocka_unit_test(gradients_of_bias_and_residual_are_those_of_fp32),
        cmocka_unit_test(few_rows_and_kept_layers_stay_in_fp32),
        cmocka_unit_test(hidden_numbers_may_be_narrow),
        cmocka_unit_test(a_sum_that_is_let_go_gives_the_same_gradients),
        cmocka_unit_test(a_number_that_is_not_finite_is_found_in_narrow_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
