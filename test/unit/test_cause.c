/* Why a site collapsed: which factor of its logits grew, and what moved. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/run/cause.h"

enum { PROBES = 3 };

/* A run of three probes; the site's input and sigma^2, two weights. */
typedef struct Case {
    RunLog run;
    SiteLog site;
    WeightLog weights[2];
    double step[PROBES], input[PROBES], sigma2[PROBES], ratio[2][PROBES];
    EntropyLow low;
} Case;

static void case_begin(Case *c) {
    *c = (Case){.step = {1, 2, 10},
                .input = {55, 5500, 52800},
                .sigma2 = {1, 1.2, 1.4},
                .ratio = {{0.1, 0.02, 0.01}, {2.36, 0.4, 9}}};
    c->low = ENTROPY_LOW_NONE;
    strcpy(c->site.name, "blocks.0.attn");
    strcpy(c->weights[0].name, "blocks.0.attn.qkv");
    strcpy(c->weights[1].name, "conv");
    c->site.value[SITE_INPUT] = c->input;
    c->site.value[SITE_SIGMA2] = c->sigma2;
    for (size_t i = 0; i < 2; i++) c->weights[i].value[WEIGHT_UPDATE_RATIO] = c->ratio[i];
    c->run.probe = (ProbeLog){.count = PROBES,
                              .step = c->step,
                              .sites = &c->site,
                              .site_count = 1,
                              .weights = c->weights,
                              .weight_count = 2};
    strcpy(c->low.fell_site, "blocks.0.attn");
    c->low.fell_step = 2;
}

static void expect(Case *c, const char *wanted) {
    char text[CAUSE_TEXT];
    cause_text(&c->run, c->low.fell_site, c->low.fell_step, text);
    assert_string_equal(text, wanted);
}

/* What a step moves acts on the forward pass of the next. */
static void the_factor_that_grew_and_the_mover_are_named(void **state) {
    (void)state;
    Case c;
    case_begin(&c);
    expect(&c,
           "Between steps 1 and 2 its input |x|^2 changed by a factor of 100, "
           "sigma^2 of its queries and keys by 1.2; conv changed by 2.36 times its norm "
           "at step 1.");
    c.low.fell_step = 10;
    c.ratio[1][1] = 7;
    expect(&c,
           "Between steps 1 and 10 its input |x|^2 changed by a factor of 960, "
           "sigma^2 of its queries and keys by 1.4; conv changed by 7 times its norm at "
           "step 2.");
}

static void between_probes_the_last_one_counts_and_is_named(void **state) {
    (void)state;
    Case c;
    case_begin(&c);
    c.low.fell_step = 9;
    c.sigma2[1] = 0.5;
    expect(&c,
           "Between steps 1 and 2 its input |x|^2 changed by a factor of 100, "
           "sigma^2 of its queries and keys by 0.5; conv changed by 2.36 times its norm "
           "at step 1.");
}

static void what_is_not_known_is_not_said(void **state) {
    (void)state;
    Case c;
    case_begin(&c);
    c.input[0] = NAN;
    expect(&c, "Between steps 1 and 2 sigma^2 of its queries and keys changed by a "
               "factor of 1.2; conv changed by 2.36 times its norm at step 1.");
    c.site.value[SITE_INPUT] = c.site.value[SITE_SIGMA2] = NULL;
    expect(&c, "Before that conv changed by 2.36 times its norm at step 1.");
    c.ratio[1][0] = NAN, c.ratio[1][1] = 0.2;
    expect(&c, "");
}

/* A warning of guard.update_above comes at any step, with or without probes. */
static void a_warning_names_the_mover_too(void **state) {
    (void)state;
    Case c;
    RunEvent events[] = {{.step = 1, .tensor = "conv.weight", .ratio = 2.5},
                         {.step = 2, .tensor = "head.weight", .ratio = 40},
                         {.step = 1, .ratio = 50}};
    case_begin(&c);
    c.run.events = events, c.run.event_count = COUNT(events);
    c.run.probe.count = 0;
    expect(&c, "Before that conv.weight changed by 2.5 times its norm at step 1.");
    c.low.fell_step = 3;
    expect(&c, "Before that head.weight changed by 40 times its norm at step 2.");
}

static void at_the_first_probe_nothing_has_grown(void **state) {
    (void)state;
    Case c;
    case_begin(&c);
    c.low.fell_step = 1;
    expect(&c, "");
    c.low.fell_step = 2, c.run.probe.count = 1;
    expect(&c, "The factor that grew is unknown: no probe since step 1 (lower "
               "probe.every); conv "
               "changed by 2.36 times its norm at step 1.");
}

static void a_run_that_did_not_fall_has_no_cause(void **state) {
    (void)state;
    Case c;
    case_begin(&c);
    *c.low.fell_site = 0;
    c.low.fell_step = 0;
    expect(&c, "");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_factor_that_grew_and_the_mover_are_named),
        cmocka_unit_test(between_probes_the_last_one_counts_and_is_named),
        cmocka_unit_test(what_is_not_known_is_not_said),
        cmocka_unit_test(a_warning_names_the_mover_too),
        cmocka_unit_test(at_the_first_probe_nothing_has_grown),
        cmocka_unit_test(a_run_that_did_not_fall_has_no_cause),
    };
    return cmocka_run_group_tests_name("cause", cases, NULL, NULL);
}
