/* What the weights of each head say, against the matrix Q^T K itself and LAPACK's
 * singular values in double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/heads.h"
#include "models/speech.h"
#include "models/translator.h"
#include "models/vit.h"

void dgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a,
             const int *lda, double *s, double *u, const int *ldu, double *vt,
             const int *ldvt, double *work, const int *lwork, int *info);

enum { WIDTH = 12, HEADS = 2, HEAD = WIDTH / HEADS, SIDE = WIDTH + 1 };

/* Of what is worked out in `real`. */
static const double CLOSE = sizeof(real) == 8 ? 1e-11 : 2e-5;

/* ---- the judge ---- */

/* Entry j of row `row` as the layer's product acts; j = WIDTH: the bias, if `biased`. */
static double entry(const LinearLayer *l, size_t row, size_t j, bool biased) {
    const Scale *scale = linear_scale(l);
    double s = scale ? (double)scale->value[scale->count == 1 ? 0 : row] : 1;
    if (j < WIDTH) return s * (double)l->weight->tensor.value[row * WIDTH + j];
    return biased && l->bias ? (double)l->bias->tensor.value[row] : 0;
}

/* Singular values of Q^T K, falling. */
static void singular_values(const Site *site, size_t h, bool biased,
                            double values[SIDE]) {
    double m[SIDE * SIDE] = {0}, work[40 * SIDE];
    for (size_t k = 0; k < HEAD; k++)
        for (size_t i = 0; i < SIDE; i++)
            for (size_t j = 0; j < SIDE; j++)
                m[i * SIDE + j] +=
                    entry(site->query, site->query_row + h * HEAD + k, i, biased) *
                    entry(site->key, site->key_row + h * HEAD + k, j, biased);
    int n = SIDE, one = 1, room = COUNT(work), info;
    dgesvd_("N", "N", &n, &n, m, &n, values, NULL, &one, NULL, &one, work, &room, &info);
    assert_int_equal(info, 0);
}

static void expect_close(const char *what, const Site *site, double got, double wanted) {
    if (!(fabs(got - wanted) <= CLOSE * wanted))
        fail_msg("%s of %s: %.12g, not %.12g", what, site->name, got, wanted);
}

static void expect_site(const Site *site) {
    HeadWeights heads[HEADS];
    heads_measure(site, heads);
    for (size_t h = 0; h < HEADS; h++) {
        double plain[SIDE], with_bias[SIDE], sum = 0, top = 0;
        singular_values(site, h, false, plain);
        singular_values(site, h, true, with_bias);
        for (size_t i = 0; i < SIDE; i++) sum += plain[i] * plain[i];
        for (size_t i = 0; i < SEC_COUNT; i++) top += plain[i] * plain[i];
        expect_close("pair", site, heads[h].pair, with_bias[0]);
        expect_close("sec", site, heads[h].sec, top / sum);
        expect_close("stable_rank", site, heads[h].stable_rank,
                     sum / plain[0] / plain[0]);
    }
}

/* ---- models of all kinds ---- */

static ModelConfig config_of(QkvGrouping qkv, ReparamMethod reparam) {
    ModelConfig c = model_config_default();
    c.width = WIDTH, c.heads = HEADS, c.depth = 2, c.patch = 3, c.init_std = 0.3;
    c.qkv = qkv, c.reparam = reparam, c.position = POSITION_NONE;
    return c;
}

/* All parameters are drawn, gains and biases too. */
static void fill(Model *model) {
    for (size_t i = 0; i < model->params->count; i++)
        if (model->params->list[i]->role != PARAM_BUFFER)
            param_normal(model->params->list[i], 5, 0.4);
    bool *loaded = mem_alloc(model->params->count);
    for (size_t i = 0; i < model->params->count; i++)
        loaded[i] = model->params->list[i]->role == PARAM_GAIN;
    model_start(model, loaded);
    mem_free(loaded);
}

static void expect_model(Model *model) {
    fill(model);
    for (size_t i = 0; i < model->site_count; i++) expect_site(model->sites[i]);
}

static Vit *vit_of(QkvGrouping qkv, ReparamMethod reparam) {
    ModelConfig config = config_of(qkv, reparam);
    return vit_new(&config, (PictureShape){1, 6, 6}, 3);
}

static void heads_have_the_singular_values_of_their_matrix(void **state) {
    (void)state;
    for (int qkv = QKV_JOINT; qkv <= QKV_SEPARATE; qkv++)
        for (int method = 0; method < REPARAM_METHODS; method++) {
            Vit *vit = vit_of((QkvGrouping)qkv, (ReparamMethod)method);
            expect_model(&vit->model);
            vit_free(vit);
        }
}

static void cross_attention_has_its_keys_in_another_matrix(void **state) {
    (void)state;
    for (int qkv = QKV_JOINT; qkv <= QKV_SEPARATE; qkv++) {
        ModelConfig config = config_of((QkvGrouping)qkv, REPARAM_WEIGHT);
        config.position = POSITION_SINUSOIDAL;
        Translator *t = translator_new(&config, 7, 5, 9);
        assert_int_equal(t->model.site_count, 6);
        expect_model(&t->model);
        translator_free(t);
    }
}

static void speech_has_no_biases(void **state) {
    (void)state;
    ModelConfig config = config_of(QKV_SEPARATE, REPARAM_SIGMA);
    Speech *s = speech_new(&config, 4, 5);
    expect_model(&s->model);
    speech_free(s);
}

/* ---- edges ---- */

static void a_head_of_low_rank_is_measured(void **state) {
    (void)state;
    Vit *vit = vit_of(QKV_JOINT, REPARAM_NONE);
    fill(&vit->model);
    const Site *site = vit->model.sites[0];
    real *w = site->query->weight->tensor.value;
    for (size_t k = 1; k < HEAD; k++) memcpy(w + k * WIDTH, w, WIDTH * sizeof *w);
    expect_site(site);
    HeadWeights heads[HEADS];
    heads_measure(site, heads);
    assert_true(fabs(heads[0].stable_rank - 1) < 1e-4 && heads[1].stable_rank > 1.2);
    assert_true(fabs(heads[0].sec - 1) < 1e-5 && heads[1].sec < 0.99999);
    vit_free(vit);
}

static void weights_of_any_size_have_their_numbers(void **state) {
    (void)state;
    for (double size = 1e-15; size < 1e16; size *= 1e10) {
        Vit *vit = vit_of(QKV_QK_V, REPARAM_NONE);
        fill(&vit->model);
        Param *w = vit->model.sites[1]->query->weight;
        param_scale_rows(w, 0, w->tensor.shape[0], size);
        expect_site(vit->model.sites[1]);
        vit_free(vit);
    }
}

static void zero_has_no_rank_and_a_bad_number_no_value(void **state) {
    (void)state;
    Vit *vit = vit_of(QKV_SEPARATE, REPARAM_NONE);
    Site *site = vit->model.sites[0];
    fill(&vit->model);
    param_fill(site->key->weight, 0);
    param_fill(site->key->bias, 0);
    HeadWeights heads[HEADS];
    heads_measure(site, heads);
    for (size_t h = 0; h < HEADS; h++)
        assert_true(heads[h].pair == 0 && heads[h].sec == 0 && heads[h].stable_rank == 0);
    site->query->weight->tensor.value[HEAD * WIDTH + 3] = NAN;
    param_fill(site->key->weight, 1);
    heads_measure(site, heads);
    assert_true(heads[0].pair > 0);
    assert_true(isnan(heads[1].pair) && isnan(heads[1].sec));
    assert_true(isnan(heads[1].stable_rank));
    vit_free(vit);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(heads_have_the_singular_values_of_their_matrix),
        cmocka_unit_test(cross_attention_has_its_keys_in_another_matrix),
        cmocka_unit_test(speech_has_no_biases),
        cmocka_unit_test(a_head_of_low_rank_is_measured),
        cmocka_unit_test(weights_of_any_size_have_their_numbers),
        cmocka_unit_test(zero_has_no_rank_and_a_bad_number_no_value),
    };
    return cmocka_run_group_tests_name("heads", cases, NULL, NULL);
}
