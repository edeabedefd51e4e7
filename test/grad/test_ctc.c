/* CTC in double: the loss is what counting alignments one by one gives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "engine/kern/ctc.h"
#include "engine/op/op.h"

enum { FRAMES_MAX = 6, CLASSES_MAX = 4, LABELS_MAX = 3 };

/* Does the alignment, class t the t-th digit of `code`, spell the labels? */
static bool spells(size_t code, const CtcUtterance *u) {
    size_t found = 0, before = SIZE_MAX;
    for (size_t t = 0; t < u->frames; t++, code /= u->classes) {
        size_t class = code % u->classes;
        if (class != u->blank && class != before) {
            if (found >= u->count || u->labels[found] != class) return false;
            found++;
        }
        before = class;
    }
    return found == u->count;
}

static double probability(size_t code, const CtcUtterance *u) {
    double product = 1;
    for (size_t t = 0; t < u->frames; t++, code /= u->classes) {
        const real *z = u->logits + t * u->classes;
        double sum = 0;
        for (size_t k = 0; k < u->classes; k++) sum += exp(z[k]);
        product *= exp(z[code % u->classes]) / sum;
    }
    return product;
}

/* P(labels) by its definition. */
static double counted(const CtcUtterance *u) {
    size_t codes = 1;
    double sum = 0;
    for (size_t t = 0; t < u->frames; t++) codes *= u->classes;
    for (size_t code = 0; code < codes; code++)
        if (spells(code, u)) sum += probability(code, u);
    return sum;
}

/* Number `code` of the strings of `count` labels over the classes but the blank. */
static void find_labels(size_t code, const CtcUtterance *u, uint32_t *labels) {
    for (size_t i = 0; i < u->count; i++, code /= u->classes - 1) {
        uint32_t label = (uint32_t)(code % (u->classes - 1));
        labels[i] = label + (label >= u->blank);
    }
}

/* Compares one string; returns P. */
static double compare(const CtcUtterance *u) {
    double want = counted(u), work[200];
    bool fits = ctc_fits(u->frames, u->labels, u->count);
    assert_true(fits == (want > 0));
    if (!fits) return 0;
    assert_true(ctc_work(u->frames, u->count, true) <= COUNT(work));
    for (int keep = 0; keep < 2; keep++) {
        double found = ctc_forward(u, work, keep);
        if (fabs(found + log(want)) > 1e-12 * (1 - log(want)))
            fail_msg("%zu frames, %zu classes, %zu labels: %.15g, counted %.15g",
                     u->frames, u->classes, u->count, found, -log(want));
    }
    return want;
}

/* The sum of P over all strings of at most LABELS_MAX labels. */
static double compare_all(size_t frames, size_t classes, uint32_t blank, double std) {
    real logits[FRAMES_MAX * CLASSES_MAX];
    uint32_t labels[LABELS_MAX];
    Rng rng = rng_make(3, frames, classes);
    for (size_t i = 0; i < frames * classes; i++) logits[i] = std * rng_normal(rng, i);
    double sum = 0;
    for (size_t count = 0, codes = 1; count <= LABELS_MAX; count++, codes *= classes - 1)
        for (size_t code = 0; code < codes; code++) {
            CtcUtterance u = {logits, frames, classes, labels, count, blank};
            find_labels(code, &u, labels);
            sum += compare(&u);
        }
    return sum;
}

static void the_loss_counts_every_alignment_of_every_short_string(void **state) {
    (void)state;
    for (size_t frames = 1; frames <= FRAMES_MAX; frames++)
        for (size_t classes = 2; classes <= CLASSES_MAX; classes++)
            for (uint32_t blank = 0; blank < classes; blank += (uint32_t)classes - 1)
                for (double std = 1; std < 20; std *= 15) {
                    double sum = compare_all(frames, classes, blank, std);
                    if (frames <= LABELS_MAX) assert_true(fabs(sum - 1) < 1e-12);
                }
}

/* A string fits if and only if some alignment spells it: compare() asks of all short
 * ones; here what a caller meets. */
static void a_blank_between_equal_labels_needs_a_frame(void **state) {
    (void)state;
    const uint32_t labels[] = {3, 3, 3, 1, 1, 2};
    assert_true(ctc_fits(9, labels, 6) && !ctc_fits(8, labels, 6));
    assert_true(ctc_fits(0, labels, 0) && !ctc_fits(0, labels, 1));
}

/* 0.99999 for each class in turn: ln P is a small number with nearly all of its
 * digits. */
static void a_sure_alignment_has_a_small_loss_and_gradient(void **state) {
    (void)state;
    enum { T = 40 };
    real logits[2 * T] = {0}, dz[2 * T];
    uint32_t labels[T / 2];
    double work[T * T * 3];
    for (size_t t = 0; t < T; t++) logits[2 * t + t % 2] = 12, labels[t / 2] = 1;
    CtcUtterance u = {logits, T, 2, labels, T / 2, 0};
    assert_true(ctc_work(T, T / 2, true) <= COUNT(work));
    double loss = ctc_forward(&u, work, true);
    /* Of the other alignments the first blank may be a label; all else
     * changes two frames. */
    double odds = exp(-12.), want = T * log1p(odds) - log1p(odds);
    assert_true(fabs(loss / want - 1) < 1e-6);
    ctc_backward(&u, work, 1, dz, 0);
    for (size_t t = 0; t < T; t++) {
        assert_true(dz[2 * t] == -dz[2 * t + 1]);
        if (t) assert_true(fabs(fabs(dz[2 * t]) / odds - 1) < 1e-3);
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_loss_counts_every_alignment_of_every_short_string),
        cmocka_unit_test(a_blank_between_equal_labels_needs_a_frame),
        cmocka_unit_test(a_sure_alignment_has_a_small_loss_and_gradient),
    };
    return cmocka_run_group_tests_name("CTC by counting", cases, NULL, NULL);
}
