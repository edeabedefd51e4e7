/* What became of a run: the table of verdicts, each of its kinds and borders. */
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tools/recipe/recipe.h"
#include "tools/run/verdict.h"

enum { N = 100 };

/* Losses that go from `start` to `end` along a straight line. */
static void ramp(double *loss, size_t count, double start, double end) {
    for (size_t i = 0; i < count; i++)
        loss[i] =
            count > 1 ? start + (end - start) * (double)i / (double)(count - 1) : start;
}

static void fill(double *loss, size_t count, double value) {
    ramp(loss, count, value, value);
}

static Verdict judge(const double *loss, size_t count, double chance) {
    return run_verdict(&(VerdictInput){
        .loss = loss, .count = count, .chance = chance, .low = ENTROPY_LOW_NONE});
}

static void a_falling_loss_is_learning(void **state) {
    (void)state;
    double loss[N];
    ramp(loss, N, 2.4, 0.5);
    Verdict known = judge(loss, N, log(10)), unknown = judge(loss, N, NAN);
    assert_int_equal(known.kind, VERDICT_LEARNED);
    assert_int_equal(unknown.kind, VERDICT_LEARNED);
    assert_false(known.diverged);
    assert_string_equal(known.advice, "");
}

static void the_border_of_chance_lies_at_98_per_cent(void **state) {
    (void)state;
    double loss[N];
    ramp(loss, N, 4, 3);
    for (size_t i = 80; i < N; i++) loss[i] = 0.981 * log(10);
    assert_int_equal(judge(loss, N, log(10)).kind, VERDICT_AT_CHANCE);
    for (size_t i = 80; i < N; i++) loss[i] = 0.979 * log(10);
    assert_int_equal(judge(loss, N, log(10)).kind, VERDICT_LEARNED);
}

static void only_the_last_fifth_counts_at_the_end(void **state) {
    (void)state;
    double loss[N];
    fill(loss, N, 2.3);
    for (size_t i = 80; i < N; i++) loss[i] = 1;
    Verdict verdict = judge(loss, N, log(10));
    assert_int_equal(verdict.kind, VERDICT_LEARNED);
    assert_true(fabs(verdict.tail - 1) < 1e-12);
    for (size_t i = 0; i < 80; i++) loss[i] = 1;
    for (size_t i = 80; i < N; i++) loss[i] = 2.3;
    assert_true(judge(loss, N, log(10)).diverged);
}

static void without_chance_a_flat_loss_is_no_progress(void **state) {
    (void)state;
    double loss[N];
    fill(loss, N, 5);
    assert_int_equal(judge(loss, N, NAN).kind, VERDICT_NO_PROGRESS);
    assert_int_equal(judge(loss, N, 0).kind, VERDICT_NO_PROGRESS);
    ramp(loss, N, 5, 4.5);
    assert_int_equal(judge(loss, N, NAN).kind, VERDICT_LEARNED);
}

static void
a_good_start_that_gets_worse_is_no_progress_though_below_chance(void **state) {
    (void)state;
    double loss[N];
    ramp(loss, N, 0.3, 1.2);
    assert_int_equal(judge(loss, N, log(10)).kind, VERDICT_NO_PROGRESS);
    fill(loss, N, 0.3); /* fine-tuning that neither gains nor loses */
    assert_int_equal(judge(loss, N, log(10)).kind, VERDICT_LEARNED);
}

static void one_non_finite_loss_is_divergence_and_its_step_is_named(void **state) {
    (void)state;
    double loss[N], step[N];
    ramp(loss, N, 2.4, 0.5);
    for (size_t i = 0; i < N; i++) step[i] = 10.0 * (double)(i + 1);
    const double bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t b = 0; b < COUNT(bad); b++) {
        loss[41] = bad[b];
        Verdict verdict = run_verdict(&(VerdictInput){.loss = loss,
                                                      .step = step,
                                                      .count = N,
                                                      .chance = log(10),
                                                      .low = ENTROPY_LOW_NONE});
        assert_int_equal(verdict.kind, VERDICT_NONFINITE);
        assert_true(verdict.diverged);
        assert_non_null(strstr(verdict.summary, "step 420"));
    }
}

static void a_non_finite_gradient_is_divergence_though_all_losses_are_fine(void **state) {
    (void)state;
    double loss[N];
    ramp(loss, N, 2.4, 0.5);
    Verdict verdict = run_verdict(&(VerdictInput){
        .loss = loss, .count = N, .nonfinite = true, .low = ENTROPY_LOW_NONE});
    assert_int_equal(verdict.kind, VERDICT_NONFINITE);
}

static void few_steps_are_not_judged_unless_they_are_non_finite(void **state) {
    (void)state;
    double loss[VERDICT_ROWS_MIN];
    fill(loss, VERDICT_ROWS_MIN, 2.31);
    for (size_t count = 0; count < VERDICT_ROWS_MIN; count++) {
        Verdict verdict = judge(loss, count, log(10));
        assert_int_equal(verdict.kind, VERDICT_SHORT);
        assert_false(verdict.diverged);
    }
    assert_int_equal(judge(loss, VERDICT_ROWS_MIN, log(10)).kind, VERDICT_AT_CHANCE);
    loss[0] = NAN;
    assert_int_equal(judge(loss, 1, log(10)).kind, VERDICT_NONFINITE);
}

static void
the_first_site_to_fall_is_named_with_its_step_and_what_uniform_has(void **state) {
    (void)state;
    EntropyLow low = ENTROPY_LOW_NONE;
    double all = log(17);
    entropy_low_see(&low, "blocks.0.attn", log(17), 0.5 * all, 100);
    entropy_low_see(&low, "blocks.1.attn", log(17), 0.4 * all, 100);
    assert_int_equal(low.fell_step, 0);
    entropy_low_see(&low, "blocks.0.attn", log(17), 0.09 * all, 115);
    entropy_low_see(&low, "blocks.1.attn", log(17), 0.3 * all, 115);
    entropy_low_see(&low, "blocks.1.attn", log(17), 0.02 * all, 120);
    assert_int_equal(low.fell_step, 115);
    assert_string_equal(low.fell_site, "blocks.0.attn");
    assert_string_equal(low.site, "blocks.1.attn");
    double loss[N];
    fill(loss, N, log(10));
    Verdict verdict = run_verdict(
        &(VerdictInput){.loss = loss, .count = N, .chance = log(10), .low = low});
    assert_true(verdict.diverged && verdict.collapsed);
    assert_int_equal(verdict.kind, VERDICT_AT_CHANCE_COLLAPSED);
    assert_non_null(strstr(verdict.summary,
                           "blocks.0.attn fell below 10 % of uniform "
                           "attention's entropy (2.833 nats) at step 115"));
    assert_non_null(strstr(verdict.summary, "blocks.1.attn at step 120"));
    assert_non_null(strstr(verdict.advice, "model.reparam=sigma"));
}

static void a_run_can_be_collapsed_and_still_learn(void **state) {
    (void)state;
    EntropyLow low = ENTROPY_LOW_NONE;
    entropy_low_see(&low, "blocks.0.attn", log(50), 0.0999 * log(50), 7);
    double loss[N];
    ramp(loss, N, 2.4, 0.5);
    Verdict verdict = run_verdict(
        &(VerdictInput){.loss = loss, .count = N, .chance = log(10), .low = low});
    assert_int_equal(verdict.kind, VERDICT_COLLAPSED);
    assert_true(verdict.collapsed);
    assert_false(verdict.diverged);
}

static void exactly_ten_per_cent_is_not_collapsed(void **state) {
    (void)state;
    EntropyLow low = ENTROPY_LOW_NONE;
    entropy_low_see(&low, "blocks.0.attn", log(50), 0.1000001 * log(50), 7);
    assert_int_equal(low.fell_step, 0);
}

static void no_choice_and_missing_numbers_say_nothing_about_entropy(void **state) {
    (void)state;
    EntropyLow low = ENTROPY_LOW_NONE;
    entropy_low_see(&low, "a", 0, 0, 1);
    entropy_low_see(&low, "b", NAN, 1, 1);
    entropy_low_see(&low, "c", log(17), NAN, 1);
    assert_true(isinf(low.share));
    assert_int_equal(low.fell_step, 0);
}

/* ---- steps that were looked at ---- */

static Verdict learned_with(EntropyLow low) {
    double loss[N];
    ramp(loss, N, 2.4, 0.5);
    return run_verdict(
        &(VerdictInput){.loss = loss, .count = N, .chance = log(10), .low = low});
}

static void nothing_is_said_of_steps_that_no_probe_saw(void **state) {
    (void)state;
    EntropyLow low = ENTROPY_LOW_NONE;
    for (size_t site = 0; site < 2; site++)
        entropy_low_see(&low, site ? "b" : "a", log(17), 0.5 * log(17), 1);
    Verdict one = learned_with(low);
    assert_non_null(strstr(one.summary, "at the only probe (step 1); the lowest site"));
    entropy_low_see(&low, "a", log(17), 0.4 * log(17), 100);
    entropy_low_see(&low, "a", log(17), 0.6 * log(17), 250);
    Verdict three = learned_with(low);
    assert_non_null(strstr(three.summary,
                           "was above 10 % of that of uniform attention at "
                           "all 3 probes (steps 1 to 250); the lowest site "
                           "had 40.0 % of 2.833 nats, a at step 100."));
    assert_null(strstr(learned_with(ENTROPY_LOW_NONE).summary, "ttention"));
}

static void what_the_guard_saw_between_probes_is_a_collapse(void **state) {
    (void)state;
    EntropyLow low = ENTROPY_LOW_NONE;
    entropy_low_see(&low, "a", log(17), 0.9 * log(17), 1);
    entropy_low_see(&low, "a", log(17), 0.5 * log(17), 100);
    entropy_low_warned(&low, "a", log(17), 0.07, 42);
    Verdict verdict = learned_with(low);
    assert_int_equal(verdict.kind, VERDICT_COLLAPSED);
    assert_non_null(
        strstr(verdict.summary,
               "a fell below 10 % of uniform attention's entropy (2.833 nats) "
               "at step 42 (the guard's warning; no probe at that step); "
               "lowest seen: 7.0 % at step 42."));
    assert_null(strstr(verdict.summary, "was above"));
    low = ENTROPY_LOW_NONE; /* without probes, by an older log */
    entropy_low_warned(&low, "a", NAN, 0.07, 42);
    verdict = learned_with(low);
    assert_int_equal(verdict.kind, VERDICT_COLLAPSED);
    assert_null(strstr(verdict.summary, "nan"));
}

/* guard.entropy_below = 0.5 warns of more than what the verdict calls a collapse. */
static void a_warning_above_ten_per_cent_is_no_collapse(void **state) {
    (void)state;
    EntropyLow low = ENTROPY_LOW_NONE;
    entropy_low_see(&low, "a", log(17), 0.9 * log(17), 1);
    entropy_low_warned(&low, "a", log(17), 0.45, 42);
    Verdict verdict = learned_with(low);
    assert_int_equal(verdict.kind, VERDICT_LEARNED);
    assert_non_null(strstr(verdict.summary, "had 45.0 % of 2.833 nats, a at step 42"));
}

static void of_a_probe_and_a_warning_the_first_step_counts(void **state) {
    (void)state;
    EntropyLow low = ENTROPY_LOW_NONE;
    entropy_low_see(&low, "a", log(17), 0.06 * log(17), 50);
    entropy_low_warned(&low, "b", log(17), 0.08, 50);
    entropy_low_warned(&low, "c", log(17), 0.09, 60);
    assert_true(low.fell_step == 50 && !low.fell_between);
    assert_string_equal(low.fell_site, "a");
    entropy_low_warned(&low, "c", log(17), 0.09, 49);
    assert_true(low.fell_step == 49 && low.fell_between);
    assert_string_equal(low.fell_site, "c");
    assert_string_equal(low.site, "a");
}

static void a_run_under_sigma_reparam_is_not_told_to_use_it(void **state) {
    (void)state;
    double loss[N];
    fill(loss, N, log(10));
    for (int uniform = 0; uniform < 2; uniform++) {
        EntropyLow low = ENTROPY_LOW_NONE;
        entropy_low_see(&low, "blocks.0.attn", log(17), (uniform ? 0.99 : 0.05) * log(17),
                        3);
        Verdict verdict = run_verdict(&(VerdictInput){
            .loss = loss, .count = N, .chance = log(10), .sigma = true, .low = low});
        assert_true(verdict.diverged);
        assert_null(strstr(verdict.advice, "reparam=sigma"));
        assert_true(strlen(verdict.advice) > 0);
    }
}

static void a_site_is_judged_by_the_mean_over_its_heads_that_have_a_number(void **state) {
    (void)state;
    const double heads[] = {1, NAN, 2, INFINITY, 3};
    assert_true(entropy_mean(heads, COUNT(heads)) == 2);
    assert_true(isnan(entropy_mean(heads + 1, 1)) && isnan(entropy_mean(heads, 0)));
    assert_true(entropy_share(entropy_mean(heads, 1), 4) == 0.25);
    assert_true(entropy_fell(0.09, 0.1) && !entropy_fell(0.1, 0.1));
    assert_false(entropy_fell(entropy_share(1, 0), 0.1));
}

/* ---- the kinds ---- */

static Verdict judge_shares(const double *loss, double first, double last) {
    EntropyLow low = ENTROPY_LOW_NONE;
    entropy_low_see(&low, "blocks.0.attn", 2, 2 * first, 1);
    entropy_low_see(&low, "blocks.1.attn", 2, 2 * 0.999, 1);
    entropy_low_see(&low, "blocks.0.attn", 2, 2 * 0.999, 50);
    entropy_low_see(&low, "blocks.1.attn", 2, 2 * last, 50);
    return run_verdict(
        &(VerdictInput){.loss = loss, .count = N, .chance = log(10), .low = low});
}

static void at_chance_says_what_attention_did(void **state) {
    (void)state;
    double loss[N];
    fill(loss, N, log(10));
    assert_int_equal(judge(loss, N, log(10)).kind, VERDICT_AT_CHANCE); /* not probed */
    static const struct {
        double first, last;
        VerdictKind kind;
    } CASES[] = {{0.099, 0.99, VERDICT_AT_CHANCE_COLLAPSED},
                 {0.99, 0.05, VERDICT_AT_CHANCE_COLLAPSED},
                 {0.101, 0.98, VERDICT_AT_CHANCE_UNIFORM},
                 {0.99, 0.971, VERDICT_AT_CHANCE_UNIFORM},
                 {0.99, 0.969, VERDICT_AT_CHANCE},
                 {0.5, 0.5, VERDICT_AT_CHANCE}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Verdict verdict = judge_shares(loss, CASES[i].first, CASES[i].last);
        assert_int_equal(verdict.kind, CASES[i].kind);
        assert_true(verdict.diverged && strlen(verdict.advice) > 0);
    }
}

static void raise_loss(double *loss, size_t from, size_t to, double by) {
    for (size_t i = from; i < to; i++) loss[i] += by;
}

static void a_spike_is_a_verdict_of_its_own(void **state) {
    (void)state;
    double loss[N];
    ramp(loss, N, 2.4, 0.5);
    raise_loss(loss, 50, 58, 0.8);
    Verdict verdict = judge(loss, N, log(10));
    assert_int_equal(verdict.kind, VERDICT_RECOVERED);
    assert_non_null(strstr(verdict.summary, "and recovered after"));
    assert_non_null(strstr(verdict.advice, "optim.clip=1"));
    raise_loss(loss, 80, N, 1);
    verdict = judge(loss, N, log(10));
    assert_int_equal(verdict.kind, VERDICT_SPIKE);
    assert_false(verdict.diverged);
    assert_non_null(strstr(verdict.summary, "No recovery from a spike: "));
    assert_non_null(strstr(verdict.summary, "did not recover within"));
    raise_loss(loss, 80, N, 1); /* up to chance */
    assert_int_equal(judge(loss, N, log(10)).kind, VERDICT_AT_CHANCE);
}

static void
a_collapse_outranks_a_spike_that_is_over_but_not_one_that_lasts(void **state) {
    (void)state;
    double loss[N];
    ramp(loss, N, 2.4, 0.5);
    raise_loss(loss, 50, 58, 0.8);
    Verdict verdict = judge_shares(loss, 0.05, 0.5);
    assert_int_equal(verdict.kind, VERDICT_COLLAPSED);
    assert_true(verdict.spikes.count == 1 && !verdict.spikes.open);
    raise_loss(loss, 80, N, 1);
    verdict = judge_shares(loss, 0.05, 0.5);
    assert_true(verdict.kind == VERDICT_SPIKE && verdict.collapsed);
}

static void a_spike_behind_a_change_of_the_recipe_says_so(void **state) {
    (void)state;
    double loss[N];
    ramp(loss, N, 2.4, 0.5);
    raise_loss(loss, 50, 70, 0.8);
    const double far[] = {20, 90}, near[] = {20, 50, 90};
    VerdictInput input = {.loss = loss,
                          .count = N,
                          .chance = log(10),
                          .changes = far,
                          .change_count = COUNT(far),
                          .low = ENTROPY_LOW_NONE};
    assert_null(strstr(run_verdict(&input).summary, "changed"));
    input.changes = near, input.change_count = COUNT(near);
    Verdict verdict = run_verdict(&input);
    assert_non_null(strstr(verdict.summary, "(the recipe changed at step 50)"));
    assert_int_equal(verdict.kind, VERDICT_RECOVERED);
}

/* Each task's level, from 4 nats of letters to 98 of an utterance's CTC loss. */
static void the_level_of_chance_is_the_tasks_own(void **state) {
    (void)state;
    static const double LEVELS[] = {2.302585, 3.478, 2.896, 98.3};
    double loss[N];
    for (size_t i = 0; i < COUNT(LEVELS); i++) {
        ramp(loss, N, 1.05 * LEVELS[i], 0.985 * LEVELS[i]);
        assert_int_equal(judge(loss, N, LEVELS[i]).kind, VERDICT_AT_CHANCE);
        ramp(loss, N, 1.05 * LEVELS[i], 0.3 * LEVELS[i]);
        assert_int_equal(judge(loss, N, LEVELS[i]).kind, VERDICT_LEARNED);
        raise_loss(loss, 60, 70, 0.3 * LEVELS[i]);
        assert_int_equal(judge(loss, N, LEVELS[i]).kind, VERDICT_RECOVERED);
    }
}

/* ---- the table ---- */

static void names_are_found_and_those_of_old_sweeps_are_among_them(void **state) {
    (void)state;
    for (size_t k = 0; k < VERDICT_KINDS; k++) {
        assert_int_equal(verdict_find(verdicts[k].name), k);
        assert_null(strchr(verdicts[k].name, ',')); /* a field of sweep.csv */
        assert_non_null(strstr(verdict_definition(), verdicts[k].definition));
    }
    static const char *const OLD[] = {"learned",     "collapsed",  "at chance",
                                      "no progress", "non-finite", "too short to judge"};
    for (size_t i = 0; i < COUNT(OLD); i++)
        assert_true(verdict_find(OLD[i]) < VERDICT_KINDS);
    assert_int_equal(verdict_find("fine"), VERDICT_KINDS);
}

/* The page, with each run of blanks and newlines as one blank. */
static void the_page_has_the_names_and_definitions_of_the_table(void **state) {
    (void)state;
    static char page[20000];
    FILE *file = fopen("docs/verdicts.md", "r");
    assert_non_null(file);
    size_t used = 0;
    for (int c; (c = fgetc(file)) != EOF && used + 1 < sizeof page;)
        if (!isspace(c)) page[used++] = (char)c;
        else if (used && page[used - 1] != ' ') page[used++] = ' ';
    fclose(file);
    for (size_t k = 0; k < VERDICT_KINDS; k++) {
        char row[600];
        text_format(row, sizeof row, "| `%s` | %s | %s |", verdicts[k].name,
                    verdicts[k].diverged ? "yes" : "no", verdicts[k].definition);
        if (!strstr(page, row)) fail_msg("docs/verdicts.md lacks the row\n%s", row);
    }
}

/* What the guard warns of is what verdicts of finished runs call collapsed. */
static void the_guards_default_is_the_share_of_the_definition(void **state) {
    (void)state;
    assert_true(recipe_default().guard.entropy_below == COLLAPSE_SHARE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_falling_loss_is_learning),
        cmocka_unit_test(the_border_of_chance_lies_at_98_per_cent),
        cmocka_unit_test(only_the_last_fifth_counts_at_the_end),
        cmocka_unit_test(without_chance_a_flat_loss_is_no_progress),
        cmocka_unit_test(a_good_start_that_gets_worse_is_no_progress_though_below_chance),
        cmocka_unit_test(one_non_finite_loss_is_divergence_and_its_step_is_named),
        cmocka_unit_test(a_non_finite_gradient_is_divergence_though_all_losses_are_fine),
        cmocka_unit_test(few_steps_are_not_judged_unless_they_are_non_finite),
        cmocka_unit_test(
            the_first_site_to_fall_is_named_with_its_step_and_what_uniform_has),
        cmocka_unit_test(a_run_can_be_collapsed_and_still_learn),
        cmocka_unit_test(exactly_ten_per_cent_is_not_collapsed),
        cmocka_unit_test(no_choice_and_missing_numbers_say_nothing_about_entropy),
        cmocka_unit_test(nothing_is_said_of_steps_that_no_probe_saw),
        cmocka_unit_test(what_the_guard_saw_between_probes_is_a_collapse),
        cmocka_unit_test(a_warning_above_ten_per_cent_is_no_collapse),
        cmocka_unit_test(of_a_probe_and_a_warning_the_first_step_counts),
        cmocka_unit_test(a_run_under_sigma_reparam_is_not_told_to_use_it),
        cmocka_unit_test(a_site_is_judged_by_the_mean_over_its_heads_that_have_a_number),
        cmocka_unit_test(at_chance_says_what_attention_did),
        cmocka_unit_test(a_spike_is_a_verdict_of_its_own),
        cmocka_unit_test(a_collapse_outranks_a_spike_that_is_over_but_not_one_that_lasts),
        cmocka_unit_test(a_spike_behind_a_change_of_the_recipe_says_so),
        cmocka_unit_test(the_level_of_chance_is_the_tasks_own),
        cmocka_unit_test(names_are_found_and_those_of_old_sweeps_are_among_them),
        cmocka_unit_test(the_page_has_the_names_and_definitions_of_the_table),
        cmocka_unit_test(the_guards_default_is_the_share_of_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
