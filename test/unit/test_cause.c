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
    cause_text(&c->run, &c->low, text);
    assert_string_equal(text, wanted);
}

/* What moved after the site had fallen is no cause. */
static void the_factor_that_grew_and_the_mover_are_named(void **state) {
    (void)state;
    Case c;
    case_begin(&c);
    expect(&c, "Since the first probe its input |x|^2 changed by a factor of 100, "
               "sigma^2 of its queries and keys by 1.2; conv moved by 2.36 times itself "
               "at step 1.");
    c.low.fell_step = 10;
    expect(&c, "Since the first probe its input |x|^2 changed by a factor of 960, "
               "sigma^2 of its queries and keys by 1.4; conv moved by 9 times itself at "
               "step 10.");
}

static void what_is_not_known_is_not_said(void **state) {
    (void)state;
    Case c;
    case_begin(&c);
    c.site.value[SITE_INPUT] = NULL;
    expect(&c,
           "Since the first probe its sigma^2 changed by a factor of 1.2; conv moved by "
           "2.36 times itself at step 1.");
    c.site.value[SITE_SIGMA2] = NULL;
    expect(&c, "Before that conv moved by 2.36 times itself at step 1.");
    c.ratio[1][0] = NAN, c.ratio[1][1] = 0.2;
    expect(&c, "");
}

static void a_run_that_did_not_fall_has_no_cause(void **state) {
    (void)state;
    Case c;
    case_begin(&c);
    c.low.fell_step = 0;
    expect(&c, "");
    c.low.fell_step = 2;
    strcpy(c.low.fell_site, "elsewhere");
    expect(&c, "");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(the_factor_that_grew_and_the_mover_are_named),
        cmocka_unit_test(what_is_not_known_is_not_said),
        cmocka_unit_test(a_run_that_did_not_fall_has_no_cause),
    };
    return cmocka_run_group_tests_name("cause", cases, NULL, NULL);
}
