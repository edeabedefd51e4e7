/* Runs that count as diverged and only need more steps: what the verdict says of them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tools/run/verdict.h"

enum { N = 100 };

/* Losses that go from `start` to `end` along a straight line. */
static void ramp(double *loss, size_t count, double start, double end) {
    for (size_t i = 0; i < count; i++)
        loss[i] =
            count > 1 ? start + (end - start) * (double)i / (double)(count - 1) : start;
}

static void a_loss_above_chance_that_falls_is_unfinished_not_wrong(void **state) {
    (void)state;
    double loss[N];
    ramp(loss, N, 95, 40);
    EntropyLow low = ENTROPY_LOW_NONE;
    entropy_low_see(&low, "a", log(17), log(17), 1);
    for (int sigma = 0; sigma < 2; sigma++) {
        Verdict v = run_verdict(&(VerdictInput){
            .loss = loss, .count = N, .chance = 20, .low = low, .sigma = sigma});
        assert_int_equal(v.kind, VERDICT_AT_CHANCE_UNIFORM);
        assert_true(v.diverged && v.unfinished);
        assert_non_null(strstr(v.summary, "The final loss is 45.278, no better than"));
        assert_non_null(strstr(v.summary, "but it still falls, by 20 % in the last"));
        assert_null(strstr(v.summary, "Diverged"));
        assert_string_equal(v.advice, "Train longer.");
    }
    ramp(loss + 50, N - 50, 67, 67);
    Verdict stuck = run_verdict(
        &(VerdictInput){.loss = loss, .count = N, .chance = 20, .low = ENTROPY_LOW_NONE});
    assert_true(stuck.diverged && !stuck.unfinished);
    assert_non_null(strstr(stuck.summary, "Diverged: the final loss"));
    assert_non_null(strstr(stuck.advice, "a lower optim.lr"));
}

static Verdict warming(const double *loss, EntropyLow low) {
    return run_verdict(&(VerdictInput){.loss = loss,
                                       .count = N,
                                       .chance = 2.3,
                                       .warmup = "step 100 of 300",
                                       .low = low});
}

static void
a_run_that_ends_in_its_warm_up_is_unfinished_unless_it_got_worse(void **state) {
    (void)state;
    double loss[N];
    EntropyLow low = ENTROPY_LOW_NONE;
    ramp(loss, N, 2.3, 2.3);
    Verdict v = warming(loss, low);
    assert_true(v.diverged && v.unfinished);
    assert_non_null(strstr(v.summary, "ended in its warm-up, at step 100 of 300"));
    assert_null(strstr(v.summary, "falls"));
    assert_non_null(strstr(v.advice, "Train longer, or shorten the warm-up"));
    entropy_low_see(&low, "a", log(17), 0.01, 1);
    v = warming(loss, low); /* collapsed */
    assert_false(v.unfinished);
    assert_non_null(strstr(v.advice, "a longer schedule.warmup_steps"));
    ramp(loss, N, 2.3, 4);
    assert_false(warming(loss, ENTROPY_LOW_NONE).unfinished);
    ramp(loss, N, 2.3, 1);
    v = warming(loss, ENTROPY_LOW_NONE);
    assert_true(!v.diverged && !v.unfinished);
    assert_string_equal(v.advice, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loss_above_chance_that_falls_is_unfinished_not_wrong),
        cmocka_unit_test(
            a_run_that_ends_in_its_warm_up_is_unfinished_unless_it_got_worse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
