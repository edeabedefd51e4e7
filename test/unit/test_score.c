/* scores: what the plateau schedule and the choice of the best checkpoint go by. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/task/task.h"

static void less_of_what_is_watched_is_better(void **state) {
    (void)state;
    Score s = score_none(SPLIT_VAL);
    s.loss = 2, s.ppl = 7, s.wer = 0.25, s.bleu = 30, s.top1 = 0.5;
    assert_true(score_watched(&s, WATCH_LOSS) == 2);
    assert_true(score_watched(&s, WATCH_PPL) == 7);
    assert_true(score_watched(&s, WATCH_WER) == 0.25);
    assert_true(score_watched(&s, WATCH_BLEU) == -30);
    assert_true(score_watched(&s, WATCH_TOP1) == -0.5);
}

static void what_is_not_measured_is_not_a_number(void **state) {
    (void)state;
    Score s = score_none(SPLIT_TEST);
    for (int w = WATCH_LOSS + 1; w <= WATCH_PPL; w++)
        assert_true(isnan(score_watched(&s, (WatchedScore)w)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(less_of_what_is_watched_is_better),
        cmocka_unit_test(what_is_not_measured_is_not_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
