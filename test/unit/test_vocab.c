/* Tokens in and out: op_embedding and op_vocab_loss. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/op/op.h"

enum { IGNORE = 1000000 };

static Tensor *noise(Tape *tape, double std, uint64_t seed, size_t rows, size_t columns) {
    Tensor *x = tape_tensor(tape, 2, (size_t[]){rows, columns});
    for (size_t i = 0; i < x->size; i++)
        x->value[i] = (real)(std * rng_normal(rng_make(seed, 0, 0), i));
    return x;
}

static Tape *begin(bool gradients) {
    Tape *tape = tape_new();
    tape_begin(tape, (TapeMode){.gradients = gradients});
    return tape;
}

static bool near(double a, double b, double relative) {
    return fabs(a - b) <= relative * (fabs(a) + fabs(b));
}

/* Rows 1 and 4 of six count for nothing. */
static void the_loss_is_that_of_linear_and_cross_entropy(void **state) {
    (void)state;
    static const uint32_t label[6] = {3, IGNORE, 0, 36, IGNORE, 11};
    static const size_t counted[4] = {0, 2, 3, 5};
    Tape *tape = begin(false);
    Tensor *x = noise(tape, 1, 1, 6, 20), *w = noise(tape, 1, 2, 37, 20),
           *b = noise(tape, 1, 3, 1, 37), *rows = noise(tape, 1, 1, 4, 20);
    real factor = (real)0.7;
    Scale scale = {&factor, 1};
    size_t labels[4], right, wanted_right = 0;
    for (size_t i = 0; i < 4; i++) {
        memcpy(rows->value + i * 20, x->value + counted[i] * 20, 20 * sizeof(real));
        labels[i] = label[counted[i]];
    }
    Tensor *z = op_linear(tape, rows, w, b, &scale);
    for (size_t i = 0; i < 4; i++) {
        const real *row = z->value + i * 37;
        size_t best = 0;
        for (size_t j = 0; j < 37; j++)
            if (row[j] > row[best]) best = j;
        wanted_right += best == labels[i];
    }
    double nll;
    VocabTarget t = {label, IGNORE, 0.1, 3, &nll, &right};
    Tensor *loss = op_vocab_loss(tape, x, w, b, &scale, &t);
    Target target = {.label = labels, .smoothing = 0.1, .divisor = 3};
    assert_true(near(loss->value[0], op_cross_entropy(tape, z, &target)->value[0], 1e-6));
    target.smoothing = 0, target.divisor = 1;
    assert_true(near(nll, op_cross_entropy(tape, z, &target)->value[0], 1e-6));
    assert_int_equal(right, wanted_right);
    tape_free(tape);
}

/* The label's logit is 20 above the two others: the loss is 2 e^-20. */
static void a_confident_row_keeps_the_digits_of_its_loss(void **state) {
    (void)state;
    static const uint32_t label[1] = {1};
    Tape *tape = begin(true);
    Tensor *x = noise(tape, 1, 1, 1, 1), *w = noise(tape, 1, 1, 3, 1);
    x->value[0] = 1;
    x->needs_grad = w->needs_grad = true;
    w->value[0] = w->value[2] = 3, w->value[1] = 23;
    VocabTarget t = {label, IGNORE, 0, 1, NULL, NULL};
    Tensor *loss = op_vocab_loss(tape, x, w, NULL, NULL, &t);
    double wanted = log1p(2 * exp(-20));
    assert_true(near(loss->value[0], wanted, 1e-5));
    tape_backward(tape, loss);
    assert_true(near(w->grad[1], expm1(-wanted), 1e-5));
    assert_true(near(w->grad[0], exp(-20), 1e-5));
    tape_free(tape);
}

static void of_equal_logits_the_first_is_the_answer(void **state) {
    (void)state;
    static const uint32_t label[3] = {0, 5, 2999};
    Tape *tape = begin(false);
    Tensor *x = noise(tape, 1, 1, 3, 2), *w = noise(tape, 0, 1, 3000, 2);
    size_t right;
    VocabTarget t = {label, IGNORE, 0, 3, NULL, &right};
    Tensor *loss = op_vocab_loss(tape, x, w, NULL, NULL, &t);
    assert_int_equal(right, 1);
    assert_true(near(loss->value[0], log(3000), 1e-6));
    for (size_t j = 0; j < 2; j++) /* now the last token is the last row's answer */
        w->value[2999 * 2 + j] = 9 * x->value[2 * 2 + j];
    t.label = label + 2, x = tape_wrap(tape, x->value + 4, 2, (size_t[]){1, 2});
    op_vocab_loss(tape, x, w, NULL, NULL, &t);
    assert_int_equal(right, 1);
    tape_free(tape);
}

/* 150 rows of 100000: more than are worked on at a time where no gradient is wanted. */
static void without_gradients_the_loss_is_the_same(void **state) {
    (void)state;
    enum { ROWS = 150, VOCAB = 100000, WIDTH = 3 };
    uint32_t label[ROWS];
    for (size_t r = 0; r < ROWS; r++) label[r] = r % 7 ? (uint32_t)(r * 661) : IGNORE;
    double loss[2], nll[2];
    size_t right[2];
    for (size_t i = 0; i < 2; i++) {
        Tape *tape = begin(i);
        Tensor *x = noise(tape, 1, 1, ROWS, WIDTH), *w = noise(tape, 1, 2, VOCAB, WIDTH);
        w->needs_grad = true;
        VocabTarget t = {label, IGNORE, 0.1, 9, &nll[i], &right[i]};
        loss[i] = (double)op_vocab_loss(tape, x, w, NULL, NULL, &t)->value[0];
        size_t bytes = tape_memory(tape).arena + tape_memory(tape).gradients;
        if (!i) assert_true(bytes < ROWS * VOCAB * sizeof(real));
        tape_free(tape);
    }
    assert_true(near(loss[0], loss[1], 1e-6) && near(nll[0], nll[1], 1e-6));
    assert_int_equal(right[0], right[1]);
}

static void no_row_that_counts_gives_no_loss(void **state) {
    (void)state;
    static const uint32_t label[2] = {IGNORE, IGNORE};
    Tape *tape = begin(true);
    Tensor *x = noise(tape, 1, 1, 2, 4), *w = noise(tape, 1, 2, 5, 4);
    x->needs_grad = w->needs_grad = true;
    double nll = 7;
    size_t right = 7;
    VocabTarget t = {label, IGNORE, 0.1, 2, &nll, &right};
    Tensor *loss = op_vocab_loss(tape, x, w, NULL, NULL, &t);
    tape_backward(tape, loss);
    assert_true(loss->value[0] == 0 && nll == 0 && right == 0);
    for (size_t i = 0; i < x->size; i++) assert_true(x->grad[i] == 0);
    for (size_t i = 0; i < w->size; i++) assert_true(w->grad[i] == 0);
    tape_free(tape);
}

static void nan_comes_out_as_nan(void **state) {
    (void)state;
    static const uint32_t label[1] = {1};
    Tape *tape = begin(false);
    for (size_t at = 0; at < 3; at++) {
        Tensor *x = noise(tape, 1, 1, 1, 4), *w = noise(tape, 1, 2, 3, 4);
        w->value[at * 4] = NAN;
        VocabTarget t = {label, IGNORE, 0, 1, NULL, NULL};
        assert_true(isnan(op_vocab_loss(tape, x, w, NULL, NULL, &t)->value[0]));
    }
    tape_free(tape);
}

/* Each token many times, in a table wide enough for threads to share it. */
static void embedding_sums_in_one_order(void **state) {
    (void)state;
    enum { COUNT_OF_IDS = 2000, WIDTH = 200, VOCAB = 9 };
    uint32_t ids[COUNT_OF_IDS];
    real first[VOCAB * WIDTH];
    int threads = omp_get_max_threads();
    for (size_t i = 0; i < COUNT_OF_IDS; i++) ids[i] = (uint32_t)(i * i % 7);
    for (int n = 1; n <= 3; n++) {
        omp_set_num_threads(n);
        Tape *tape = begin(true);
        Tensor *table = noise(tape, 1, 1, VOCAB, WIDTH);
        table->needs_grad = true;
        Tensor *y = op_embedding(tape, table, ids, 2, COUNT_OF_IDS / 2, 0.3);
        static const uint32_t label[2] = {0, 0};
        VocabTarget t = {label, IGNORE, 0, 1, NULL, NULL};
        Tensor *z = op_linear(tape, op_mean_tokens(tape, y, 0),
                              noise(tape, 1, 2, 3, WIDTH), NULL, NULL);
        tape_backward(tape,
                      op_vocab_loss(tape, z, noise(tape, 1, 4, 5, 3), NULL, NULL, &t));
        if (n == 1) memcpy(first, table->grad, sizeof first);
        assert_memory_equal(first, table->grad, sizeof first);
        assert_true(first[8 * WIDTH] == 0 && first[WIDTH] != 0);
        tape_free(tape);
    }
    omp_set_num_threads(threads);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_loss_is_that_of_linear_and_cross_entropy),
        cmocka_unit_test(a_confident_row_keeps_the_digits_of_its_loss),
        cmocka_unit_test(of_equal_logits_the_first_is_the_answer),
        cmocka_unit_test(without_gradients_the_loss_is_the_same),
        cmocka_unit_test(no_row_that_counts_gives_no_loss),
        cmocka_unit_test(nan_comes_out_as_nan),
        cmocka_unit_test(embedding_sums_in_one_order),
    };
    return cmocka_run_group_tests_name("vocabulary", cases, NULL, NULL);
}
