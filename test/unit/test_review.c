/* Which translations are the worst, and how many differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "data/text/bleu.h"
#include "tools/task/translate/review.h"

static void see(Review *r, size_t item, double bleu, const char *output,
                const char *reference) {
    review_see(r, item, bleu, output, strlen(output), reference, strlen(reference));
}

static void the_worst_are_found_the_lowest_first_and_of_equal_ones_the_first(void **s) {
    (void)s;
    static const double BLEU[] = {50, 20, 100, 20, 0, 70, 20, 0};
    static const size_t WORST[] = {4, 7, 1, 3};
    size_t worst[COUNT(BLEU) + 1];
    Review r = {.count = 0};
    review_begin(&r, SPLIT_VAL, COUNT(BLEU));
    for (size_t i = 0; i < COUNT(BLEU); i++) see(&r, i, BLEU[i], "o", "r");
    assert_int_equal(review_worst(&r, worst, COUNT(WORST)), COUNT(WORST));
    assert_memory_equal(worst, WORST, sizeof WORST);
    assert_int_equal(review_worst(&r, worst, COUNT(BLEU) + 1), COUNT(BLEU));
    assert_int_equal(worst[COUNT(BLEU) - 1], 2);
    review_begin(&r, SPLIT_TEST, 1); /* what was before is forgotten */
    see(&r, 0, 100, "", "");
    assert_int_equal(review_worst(&r, worst, 4), 1);
    review_begin(&r, SPLIT_TEST, 0);
    assert_int_equal(review_worst(&r, worst, 4), 0);
    review_clear(&r);
}

static void different_texts_are_counted_however_many_there_are(void **s) {
    (void)s;
    Review r = {.count = 0};
    size_t different[2];
    review_different(&r, different);
    assert_true(!different[0] && !different[1]);
    review_begin(&r, SPLIT_VAL, 1000);
    for (size_t i = 0; i < 1000; i++) {
        char reference[20];
        text_format(reference, sizeof reference, "r%zu", i % 300);
        see(&r, i, 1, i % 2 ? "one" : "other", reference);
    }
    review_share(&r, NULL); /* one process: nothing changes */
    review_different(&r, different);
    assert_int_equal(different[0], 2);
    assert_int_equal(different[1], 300);
    review_clear(&r);
}

static double sentence(const char *output, const char *reference) {
    BleuCounts counts = {{0}, {0}, 0, 0};
    bleu_add(&counts, BLEU_13A, output, strlen(output), reference, strlen(reference));
    return bleu_sentence(&counts);
}

/* By the corpus's formula a short line has 0, right or wrong. */
static void short_sentences_are_judged_by_the_orders_that_they_have(void **s) {
    (void)s;
    assert_true(sentence("two words", "two words") > 99.9);
    assert_true(sentence("one", "one") > 99.9);
    assert_true(sentence("", "") > 99.9);
    assert_true(sentence("", "one") == 0 && sentence("one", "two") == 0);
    double half = sentence("a b c x y z", "a b c d e f");
    assert_true(half > 10 && half < 50);
    assert_true(sentence("a b", "a b c d e f") < sentence("a b c d", "a b c d e f"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            the_worst_are_found_the_lowest_first_and_of_equal_ones_the_first),
        cmocka_unit_test(different_texts_are_counted_however_many_there_are),
        cmocka_unit_test(short_sentences_are_judged_by_the_orders_that_they_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
