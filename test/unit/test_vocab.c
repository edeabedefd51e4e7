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

/* ---- bands: of 3, 4 and 5 tokens with 6, 3 and 2 numbers each ---- */

enum { BANDS = 3, D = 6, TOKENS = 12 };
static const size_t SIZE[BANDS] = {3, 4, 5}, NUMBERS[BANDS] = {6, 3, 2};

typedef struct Words {
    Band bands[BANDS];
    Tensor *clusters;
    AdaptiveArgs args;
} Words;

static void make_words(Words *words, Tape *tape) {
    for (size_t i = 0; i < BANDS; i++)
        words->bands[i] = (Band){noise(tape, 1, 10 + i, SIZE[i], NUMBERS[i]),
                                 noise(tape, 1, 20 + i, D, NUMBERS[i]), NULL};
    words->clusters = noise(tape, 1, 30, BANDS - 1, D);
    words->args = (AdaptiveArgs){words->bands, BANDS, words->clusters, 0.5, 1, 0};
}

static double ln_p(Tape *tape, Tensor *x, Words *words, uint32_t token) {
    double nll;
    VocabTarget t = {&token, IGNORE, 0, 1, &nll, NULL};
    Tensor *loss = op_adaptive_loss(tape, x, &words->args, &t);
    assert_true(near(loss->value[0], nll, 1e-6));
    return -nll;
}

static void probabilities_of_all_bands_sum_to_one(void **state) {
    (void)state;
    Tape *tape = begin(false);
    Words words;
    make_words(&words, tape);
    for (uint64_t seed = 1; seed < 5; seed++) {
        Tensor *x = noise(tape, 1, seed, 1, D);
        double sum = 0;
        for (uint32_t w = 0; w < TOKENS; w++) sum += exp(ln_p(tape, x, &words, w));
        assert_true(fabs(sum - 1) < 1e-5);
    }
    tape_free(tape);
}

static double dot(const real *a, const real *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static double ln_softmax(const double *z, size_t n, size_t i) {
    double sum = 0;
    for (size_t j = 0; j < n; j++) sum += exp(z[j]);
    return z[i] - log(sum);
}

static void a_rare_word_has_its_bands_probability_times_its_own(void **state) {
    (void)state;
    Tape *tape = begin(false);
    Words words;
    make_words(&words, tape);
    Tensor *x = noise(tape, 1, 4, 1, D);
    const Band *tail = &words.bands[2];
    double head[5], own[5], h[2] = {0, 0};
    for (size_t j = 0; j < 3; j++)
        head[j] = dot(x->value, words.bands[0].table->value + j * D, D);
    for (size_t j = 0; j < 2; j++)
        head[3 + j] = dot(x->value, words.clusters->value + j * D, D);
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j < 2; j++)
            h[j] += (double)x->value[i] * (double)tail->proj->value[i * 2 + j];
    for (size_t w = 0; w < 5; w++)
        own[w] = h[0] * (double)tail->table->value[2 * w] +
                 h[1] * (double)tail->table->value[2 * w + 1];
    for (uint32_t w = 0; w < 3; w++)
        assert_true(near(ln_p(tape, x, &words, w), ln_softmax(head, 5, w), 1e-5));
    for (uint32_t w = 0; w < 5; w++)
        assert_true(near(ln_p(tape, x, &words, 7 + w),
                         ln_softmax(head, 5, 4) + ln_softmax(own, 5, w), 1e-5));
    tape_free(tape);
}

/* One token of each band is made the best of its own; rows lean to band 0, 1 or 2. */
static void a_row_is_right_where_head_and_tail_are(void **state) {
    (void)state;
    static const uint32_t label[5] = {1, 4, 9, 2, IGNORE};
    Tape *tape = begin(false);
    Words words;
    make_words(&words, tape);
    Tensor *x = noise(tape, 0, 1, 5, D);
    for (size_t i = 0; i < BANDS; i++) {
        Band *b = &words.bands[i];
        memset(b->table->value, 0, b->table->size * sizeof(real));
        for (size_t j = 0; j < b->proj->size; j++) b->proj->value[j] = 1;
    }
    memset(words.clusters->value, 0, words.clusters->size * sizeof(real));
    for (size_t r = 0; r < 5; r++) x->value[r * D + MIN(r, (size_t)2)] = 1;
    words.bands[0].table->value[1 * D] = 5;     /* row 0: token 1 */
    words.clusters->value[1] = 5;               /* row 1: band 1, */
    words.bands[1].table->value[1 * 3] = 5;     /* its second token, 4 */
    words.clusters->value[D + 2] = 5;           /* rows 2 ...: band 2, */
    words.bands[2].table->value[2 * 2 + 1] = 5; /* its third, 9 */
    size_t right;
    VocabTarget t = {label, IGNORE, 0, 1, NULL, &right};
    op_adaptive_loss(tape, x, &words.args, &t);
    assert_int_equal(right, 3);
    words.bands[2].table->value[0] = 9; /* another one of the band */
    op_adaptive_loss(tape, x, &words.args, &t);
    assert_int_equal(right, 2);
    tape_free(tape);
}

static void bands_are_embedded_by_their_projections(void **state) {
    (void)state;
    static const uint32_t ids[4] = {11, 0, 5, 11};
    static const size_t band[4] = {2, 0, 1, 2}, row[4] = {4, 0, 2, 4};
    Tape *tape = begin(false);
    Words words;
    make_words(&words, tape);
    Tensor *y = op_adaptive_embedding(tape, words.bands, BANDS, ids, 2, 2, 3);
    for (size_t r = 0; r < 4; r++)
        for (size_t j = 0; j < D; j++) {
            const Band *b = &words.bands[band[r]];
            size_t n = NUMBERS[band[r]];
            double wanted =
                3 * dot(b->table->value + row[r] * n, b->proj->value + j * n, n);
            assert_true(fabs((double)y->value[r * D + j] - wanted) < 1e-5);
        }
    tape_free(tape);
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
        cmocka_unit_test(probabilities_of_all_bands_sum_to_one),
        cmocka_unit_test(a_rare_word_has_its_bands_probability_times_its_own),
        cmocka_unit_test(a_row_is_right_where_head_and_tail_are),
        cmocka_unit_test(bands_are_embedded_by_their_projections),
    };
    return cmocka_run_group_tests_name("vocabulary", cases, NULL, NULL);
}
