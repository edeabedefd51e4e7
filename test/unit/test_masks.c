/* Dropout's masks: what they keep, and what they do not depend on. */
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kern/mask.h"
#include "engine/op/op.h"
#include "levels.h"

static const TapeMode TRAINING = {.training = true, .seed = 3, .step = 8};

static Tensor *noise(Tape *tape, int dims, const size_t *shape) {
    Tensor *x = tape_tensor(tape, dims, shape);
    for (size_t i = 0; i < x->size; i++)
        x->value[i] = (real)rng_normal(rng_make(1, 0, 0), i);
    return x;
}

static Tape *begin(void) {
    Tape *tape = tape_new();
    tape_begin(tape, TRAINING);
    return tape;
}

static void a_block_is_the_words_of_sixteen_counters(void **state) {
    (void)state;
    Rng rng = rng_make(5, 6, 7);
    uint64_t index = 0x123456789ab;
    uint16_t bits[RNG_BLOCK];
    mask_bits(rng, index, bits);
    for (size_t i = 0; i < 16; i++) {
        uint32_t words[4];
        rng_words(rng, index * 16 + i, words);
        for (size_t w = 0; w < 4; w++) {
            assert_int_equal(bits[32 * w + i], words[w] & 0xffff);
            assert_int_equal(bits[32 * w + 16 + i], words[w] >> 16);
        }
    }
}

/* 200000 numbers: the share's standard deviation is at most 0.0012. */
static void dropout_keeps_its_share_and_divides_by_it(void **state) {
    (void)state;
    for (double p = 0.1; p < 0.95; p += 0.2) {
        Tape *tape = begin();
        Tensor *x = noise(tape, 2, (size_t[]){5, 40000});
        Tensor *y = op_dropout(tape, x, p, 1, 0);
        size_t kept = 0;
        for (size_t i = 0; i < x->size; i++) {
            if (y->value[i] == 0) continue;
            kept++;
            double factor = (double)y->value[i] / (double)x->value[i];
            assert_true(fabs(factor * (1 - p) - 1) < 1e-3); /* p is a multiple of 2^-16 */
        }
        assert_true(fabs((double)kept / (double)x->size - (1 - p)) < 0.006);
        tape_free(tape);
    }
}

static void examples_sites_and_steps_have_masks_of_their_own(void **state) {
    (void)state;
    Tape *tape = begin();
    Tensor *x = noise(tape, 2, (size_t[]){2, 1000});
    for (size_t i = 0; i < x->size; i++) x->value[i] = 1;
    Tensor *y = op_dropout(tape, x, 0.5, 1, 0), *z = op_dropout(tape, x, 0.5, 2, 0);
    size_t same_example = 0, same_site = 0;
    for (size_t i = 0; i < 1000; i++) {
        same_example += y->value[i] == y->value[1000 + i];
        same_site += y->value[i] == z->value[i];
    }
    assert_true(same_example > 400 && same_example < 600);
    assert_true(same_site > 400 && same_site < 600);
    tape_free(tape);
}

static void a_micro_batch_has_the_masks_of_the_whole(void **state) {
    (void)state;
    Tape *tape = begin();
    Tensor *x = noise(tape, 3, (size_t[]){5, 7, 33});
    Tensor *whole = op_dropout(tape, x, 0.3, 4, 10);
    Tensor *part = tape_wrap(tape, x->value + 2 * 7 * 33, 3, (size_t[]){3, 7, 33});
    Tensor *y = op_dropout(tape, part, 0.3, 4, 12);
    assert_memory_equal(y->value, whole->value + 2 * 7 * 33, y->size * sizeof(real));
    tape_free(tape);
}

static void masks_do_not_know_how_many_threads_there_are(void **state) {
    (void)state;
    int threads = omp_get_max_threads();
    Tape *tape = begin();
    Tensor *x = noise(tape, 2, (size_t[]){3, 20001}), *first = NULL;
    for (int n = 1; n <= 3; n++) {
        omp_set_num_threads(n);
        Tensor *y = op_dropout(tape, x, 0.3, 4, 0);
        if (!first) first = y;
        assert_memory_equal(y->value, first->value, y->size * sizeof(real));
    }
    omp_set_num_threads(threads);
    tape_free(tape);
}

/* The sum is taken in another order: equal but for rounding. */
static void a_product_drops_what_op_dropout_drops(void **state) {
    (void)state;
    for (size_t rows = 7; rows < 80; rows += 70) { /* by gemm, by panels */
        Tape *tape = begin();
        Tensor *x = noise(tape, 3, (size_t[]){3, rows, 20});
        Tensor *w = noise(tape, 2, (size_t[]){41, 20}),
               *b = noise(tape, 1, (size_t[]){41});
        Tensor *residual = noise(tape, 3, (size_t[]){3, rows, 41});
        Tensor *y = op_dropout(tape, op_linear(tape, x, w, b, NULL), 0.3, 4, 10);
        y = op_add(tape, residual, y, 1.5);
        LinearArgs args = {.x = x,
                           .w = w,
                           .b = b,
                           .residual = residual,
                           .alpha = 1.5,
                           .dropout = 0.3,
                           .site = 4,
                           .first_example = 10};
        Tensor *fused = op_linear_fused(tape, &args);
        for (size_t i = 0; i < y->size; i++)
            assert_true(fabs((double)(y->value[i] - fused->value[i])) < 1e-4);
        tape_free(tape);
    }
}

/* ---- attention ---- */

enum { HEADS = 2, WIDTH = 8 };

static AttentionArgs attention_args(Tensor *qkv, double dropout) {
    return (AttentionArgs){.q = {qkv, 0},
                           .k = {qkv, WIDTH},
                           .v = {qkv, 2 * WIDTH},
                           .heads = HEADS,
                           .head_width = WIDTH / HEADS,
                           .temperature = 1,
                           .dropout = dropout,
                           .site = 2,
                           .first_example = 4};
}

/* Where all values are 1, y is the sum of what is kept of a row of probabilities. */
static void attention_drops_probabilities_without_changing_their_mean(void **state) {
    (void)state;
    Tape *tape = begin();
    Tensor *qkv = noise(tape, 3, (size_t[]){2, 300, 3 * WIDTH});
    for (size_t r = 0; r < tensor_rows(qkv); r++)
        for (size_t j = 0; j < WIDTH; j++) qkv->value[r * 3 * WIDTH + 2 * WIDTH + j] = 1;
    AttentionArgs args = attention_args(qkv, 0.3);
    Tensor *y = op_attention(tape, &args);
    double sum = 0;
    size_t whole = 0;
    for (size_t i = 0; i < y->size; i++) {
        sum += (double)y->value[i];
        whole += fabs((double)y->value[i] - 1) < 1e-5;
    }
    assert_true(fabs(sum / (double)y->size - 1) < 0.02);
    assert_true(whole < y->size / 100);
    tape_free(tape);
}

static void attention_is_measured_before_dropout(void **state) {
    (void)state;
    double entropy[2][HEADS], largest[2][HEADS];
    Tape *tape = begin();
    Tensor *qkv = noise(tape, 3, (size_t[]){2, 30, 3 * WIDTH});
    for (size_t i = 0; i < 2; i++) {
        AttentionStats stats = {.entropy = entropy[i], .largest = largest[i]};
        AttentionArgs args = attention_args(qkv, i ? 0.5 : 0);
        args.stats = &stats;
        op_attention(tape, &args);
    }
    assert_memory_equal(entropy[0], entropy[1], sizeof entropy[0]);
    assert_memory_equal(largest[0], largest[1], sizeof largest[0]);
    tape_free(tape);
}

static void attention_drops_nothing_outside_of_training(void **state) {
    (void)state;
    Tape *tape = tape_new();
    tape_begin(tape, (TapeMode){.seed = 3});
    Tensor *qkv = noise(tape, 3, (size_t[]){2, 30, 3 * WIDTH});
    AttentionArgs with = attention_args(qkv, 0.5), without = attention_args(qkv, 0);
    Tensor *a = op_attention(tape, &with), *b = op_attention(tape, &without);
    assert_memory_equal(a->value, b->value, a->size * sizeof(real));
    tape_free(tape);
}

/* Example 1 of two, cut to its own length. */
static void attention_masks_know_neither_padding_nor_micro_batches(void **state) {
    (void)state;
    static const size_t counts[2] = {300, 140};
    Tape *tape = begin();
    Tensor *qkv = noise(tape, 3, (size_t[]){2, 300, 3 * WIDTH});
    AttentionArgs args = attention_args(qkv, 0.3);
    args.key_count = counts;
    Tensor *whole = op_attention(tape, &args);
    size_t columns = tensor_last(qkv);
    Tensor *part =
        tape_wrap(tape, qkv->value + 300 * columns, 3, (size_t[]){1, 140, columns});
    args = attention_args(part, 0.3);
    args.first_example = 5;
    Tensor *alone = op_attention(tape, &args);
    const real *wanted = whole->value + 300 * WIDTH;
    for (size_t i = 0; i < alone->size; i++)
        assert_true(fabs((double)(alone->value[i] - wanted[i])) < 1e-5);
    tape_free(tape);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(a_block_is_the_words_of_sixteen_counters),
        cmocka_unit_test(dropout_keeps_its_share_and_divides_by_it),
        cmocka_unit_test(examples_sites_and_steps_have_masks_of_their_own),
        cmocka_unit_test(a_micro_batch_has_the_masks_of_the_whole),
        cmocka_unit_test(masks_do_not_know_how_many_threads_there_are),
        cmocka_unit_test(a_product_drops_what_op_dropout_drops),
        cmocka_unit_test(attention_drops_probabilities_without_changing_their_mean),
        cmocka_unit_test(attention_is_measured_before_dropout),
        cmocka_unit_test(attention_drops_nothing_outside_of_training),
        cmocka_unit_test(attention_masks_know_neither_padding_nor_micro_batches),
    };
    return RUN_AT_LEVELS("masks", cases);
}
