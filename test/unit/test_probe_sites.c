/* The rows of "attention": every number of the lists where it was measured, none where it
 * was not, and the bound of the logits over the logits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "models/step.h"
#include "tools/run/probe.h"
#include "tools/run/site_numbers.h"
#include "toy_models.h"

enum { PAIRS = 3, LENGTH = 6, VOCAB = 12 };
static const size_t COUNTS[PAIRS] = {6, 2, 4};

static Tensor *loss_of(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                       size_t to) {
    static const uint32_t IDS[PAIRS * LENGTH] = {4, 5, 6, 7, 8, 2, 9, 2, 1,
                                                 1, 1, 1, 5, 8, 9, 2, 1, 1};
    TokenRows rows = {IDS + from * LENGTH, to - from, LENGTH, COUNTS + from};
    VocabTarget target = {.label = IDS + from * LENGTH,
                          .ignore = TOY_PAD,
                          .divisor = PAIRS};
    return translator_loss(context, tape, mode, &rows, &rows, &target);
}

/* The sites of a row after a step of a translator, weights scaled by `size`. */
static json_t *row_of(QkvGrouping qkv, ReparamMethod reparam, double size,
                      const ProbeConfig *config, size_t number) {
    ModelConfig c = toy_config(NORM_PRE);
    c.qkv = qkv, c.reparam = reparam, c.power_steps = 3;
    Translator *t = toy_translator(&c, VOCAB, VOCAB, LENGTH, 2);
    Model *model = &t->model;
    for (size_t i = 0; i < model->site_count; i++)
        param_scale_rows(model->sites[i]->query->weight, 0, c.width, size);
    Step step;
    step_begin(&step, model, NULL, NULL);
    step.seed = 1, step.loss_of = loss_of, step.context = t;
    StepBatch b = {.number = number, .examples = PAIRS, .mode = toy_mode()};
    b.mode.measure = probe_level(config, number);
    step_gradients(&step, &b);
    Prober *prober = prober_new(model);
    prober_look(prober, config, number);
    json_t *row = prober_row(prober, config, number, NULL);
    prober_free(prober);
    step_end(&step);
    translator_free(t);
    return row;
}

static const json_t *site_of(const json_t *row, size_t i) {
    return json_array_get(json_object_get(row, "attention"), i);
}

static double number(const json_t *site, SiteNumber k) {
    return json_number_value(json_object_get(site, site_numbers[k].key));
}

static const ProbeConfig ALL = {
    .every = 1, .heads_every = 10, .entropy = true, .spectral = true, .gradients = true};

static bool is_of_memory(size_t k) {
    return k == SITE_MEMORY || k == SITE_MEMORY_MAX || k == SITE_MEMORY_COMMON;
}

static void rows_have_what_their_step_measured(void **state) {
    (void)state;
    static const size_t STEPS[] = {1, 7, 10};
    for (size_t n = 0; n < COUNT(STEPS); n++) {
        json_t *row = row_of(QKV_JOINT, REPARAM_NONE, 1, &ALL, STEPS[n]);
        bool heads = STEPS[n] != 7;
        for (size_t i = 0; i < 6; i++) {
            const json_t *site = site_of(row, i);
            const char *name = json_string_value(json_object_get(site, "site"));
            bool cross = strstr(name, "cross");
            for (size_t k = 0; k < SITE_NUMBERS; k++) {
                bool wanted = k == SITE_RANK ? heads : cross || !is_of_memory(k);
                if (!!json_object_get(site, site_numbers[k].key) != wanted)
                    fail_msg("step %zu, %s: \"%s\" is %s", STEPS[n], name,
                             site_numbers[k].key, wanted ? "not there" : "there");
            }
            for (size_t k = 0; k < HEAD_NUMBERS; k++) {
                const json_t *values = json_object_get(site, head_numbers[k].key);
                assert_int_equal(json_array_size(values), heads ? 2 : 0);
                for (size_t h = 0; h < json_array_size(values); h++)
                    assert_true(json_is_number(json_array_get(values, h)));
            }
        }
        json_decref(row);
    }
}

static void the_bound_of_the_logits_is_above_them(void **state) {
    (void)state;
    for (int qkv = QKV_JOINT; qkv <= QKV_SEPARATE; qkv++)
        for (int method = 0; method < REPARAM_METHODS; method++)
            for (double size = 0.1; size < 100; size *= 10) {
                json_t *row =
                    row_of((QkvGrouping)qkv, (ReparamMethod)method, size, &ALL, 10);
                for (size_t i = 0; i < 6; i++) {
                    const json_t *site = site_of(row, i);
                    double logit = json_number_value(json_object_get(site, "max_logit"));
                    double bound = number(site, SITE_LOGIT_BOUND);
                    assert_true(number(site, SITE_INPUT) <= number(site, SITE_INPUT_MAX));
                    assert_true(number(site, SITE_COMMON) <= 1);
                    if (!(logit <= bound))
                        fail_msg("site %zu: logit %g over %g", i, logit, bound);
                    const json_t *pair = json_object_get(site, "pair");
                    for (size_t h = 0; h < 2 && method == REPARAM_SIGMA; h++)
                        assert_true(json_number_value(json_array_get(pair, h)) > 0);
                }
                json_decref(row);
            }
}

/* sigma2 is what the rows of weights say of queries and keys. */
static void sigma2_is_the_product_of_the_weights_norms(void **state) {
    (void)state;
    json_t *row = row_of(QKV_SEPARATE, REPARAM_SIGMA, 1, &ALL, 7);
    const json_t *weight, *weights = json_object_get(row, "weights");
    double query = 0, key = 0;
    size_t i;
    json_array_foreach(weights, i, weight) {
        const char *name = json_string_value(json_object_get(weight, "name"));
        double sigma = json_number_value(json_object_get(weight, "sigma"));
        if (!strcmp(name, "decoder.blocks.1.cross.q")) query = sigma;
        if (!strcmp(name, "decoder.blocks.1.cross.k")) key = sigma;
    }
    const json_t *site = site_of(row, 5);
    assert_string_equal(json_string_value(json_object_get(site, "site")),
                        "decoder.blocks.1.cross");
    assert_true(query > 0 && fabs(number(site, SITE_SIGMA2) / query / key - 1) < 1e-9);
    json_decref(row);
}

static void without_norms_of_weights_there_is_no_bound_of_the_logits(void **state) {
    (void)state;
    ProbeConfig config = ALL;
    config.spectral = false;
    json_t *row = row_of(QKV_JOINT, REPARAM_NONE, 1, &config, 7);
    assert_null(json_object_get(site_of(row, 0), "sigma2"));
    assert_null(json_object_get(site_of(row, 0), "logit_bound"));
    assert_non_null(json_object_get(site_of(row, 0), "input"));
    json_decref(row);
    config.entropy = false;
    assert_int_equal(probe_level(&config, 10), MEASURE_NOTHING);
    config.entropy = true, config.heads_every = 0;
    assert_int_equal(probe_level(&config, 10), MEASURE_INPUTS);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(rows_have_what_their_step_measured),
        cmocka_unit_test(the_bound_of_the_logits_is_above_them),
        cmocka_unit_test(sigma2_is_the_product_of_the_weights_norms),
        cmocka_unit_test(without_norms_of_weights_there_is_no_bound_of_the_logits),
    };
    return cmocka_run_group_tests_name("probe_sites", cases, NULL, NULL);
}
