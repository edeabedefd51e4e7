/* How a translator starts: DeepNorm's numbers, initial values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "toy_models.h"

/* ---- DeepNorm ---------------------------------------------------------------------------- */

static void deepnorms_numbers_are_those_of_the_paper(void **state) {
    (void)state;
    static const struct {
        size_t depth;
        double wanted[4];
    } PAPER[] = {{6, {1.4179, .4970, 2.0598, .3433}},
                 {18, {1.9987, .3526, 2.7108, .2608}},
                 {50, {2.7505, .2562, 3.4996, .2021}},
                 {100, {3.4157, .2063, 4.1618, .1699}}};
    for (size_t i = 0; i < COUNT(PAPER); i++) {
        DeepNorm d = deepnorm_pair(PAPER[i].depth, PAPER[i].depth);
        double found[] = {d.encoder_alpha, d.encoder_beta, d.decoder_alpha,
                          d.decoder_beta};
        for (size_t k = 0; k < 4; k++)
            if (!(fabs(found[k] - PAPER[i].wanted[k]) <= 5.1e-5))
                fail_msg("%zu layers: number %zu is %.6f", PAPER[i].depth, k, found[k]);
    }
    DeepNorm d = deepnorm_pair(12, 3); /* of unequal sides: N^4 M, and M alone */
    assert_true(fabs(d.encoder_alpha - 0.81 * pow(20736.0 * 3, 1 / 16.0)) < 1e-9);
    assert_true(fabs(d.encoder_beta - 0.87 * pow(20736.0 * 3, -1 / 16.0)) < 1e-9);
    assert_true(fabs(d.decoder_alpha - pow(9, 0.25)) < 1e-9);
    assert_true(fabs(d.decoder_beta - pow(36, -0.25)) < 1e-9);
}

/* Length of the values' rows of the first block's W-hat under sigma. */
static double length_of_values(NormPlace norm, QkvGrouping grouping) {
    ModelConfig c = toy_config(norm);
    c.depth = 50, c.qkv = grouping, c.reparam = REPARAM_SIGMA;
    Translator *t = toy_translator(&c, 9, 9, 0, 3);
    AttentionPart *part = &t->encoder.blocks[0].self;
    const Reparam *r = part->in[part->in_count - 1].reparam;
    size_t size = r->w->tensor.size, values = c.width * c.width;
    real *w_hat = mem_alloc(size * sizeof *w_hat);
    reparam_effective(r, w_hat);
    double sum = 0;
    for (size_t i = size - values; i < size; i++)
        sum += (double)w_hat[i] * (double)w_hat[i];
    mem_free(w_hat);
    translator_free(t);
    return sqrt(sum);
}

static void deepnorms_beta_cancels_under_sigma_where_values_have_a_matrix(void **state) {
    (void)state;
    double beta = deepnorm_pair(50, 50).encoder_beta;
    double apart = length_of_values(NORM_DEEPNORM, QKV_SEPARATE) /
                   length_of_values(NORM_POST, QKV_SEPARATE);
    double joint = length_of_values(NORM_DEEPNORM, QKV_JOINT) /
                   length_of_values(NORM_POST, QKV_JOINT);
    assert_true(fabs(apart - 1) < 1e-4);
    assert_true(beta < 0.26 && joint < 1.4 * beta);
}

/* ---- initial values ---------------------------------------------------------------------- */

enum { WIDE = 64, HIDDEN = 128 };

static Translator *wide(ModelConfig *c) {
    c->width = WIDE, c->depth = 6;
    Translator *t = translator_new(c, 300, 300, 40);
    translator_initialize(t, 5, TOY_PAD);
    return t;
}

/* Rows [first, first + rows) of a matrix, or numbers of a vector. */
static double deviation(const Param *p, size_t first, size_t rows) {
    size_t columns = p->tensor.size / p->tensor.shape[0];
    double squares = 0;
    for (size_t i = first * columns; i < (first + rows) * columns; i++)
        squares += (double)p->tensor.value[i] * (double)p->tensor.value[i];
    return sqrt(squares / (double)(rows * columns));
}

static double largest(const Param *p, size_t first, size_t rows) {
    size_t columns = p->tensor.size / p->tensor.shape[0];
    double most = 0;
    for (size_t i = first * columns; i < (first + rows) * columns; i++)
        most = fmax(most, fabs((double)p->tensor.value[i]));
    return most;
}

/* Thousands of numbers: their deviation is known to 2 per cent (of 64 in a bias: 20). */
static void expect_normal(const Translator *t, const char *name, size_t first,
                          size_t rows, double std) {
    const Param *p = params_find(t->model.params, name);
    assert_non_null(p);
    double found = deviation(p, first, rows);
    if (!(fabs(found - std) <= 0.05 * std))
        fail_msg("%s: deviation %g, wanted %g", name, found, std);
    if (!(largest(p, first, rows) > 2.5 * std)) fail_msg("%s is not normal", name);
}

static void expect_uniform(const Translator *t, const char *name, size_t first,
                           size_t rows, double bound) {
    const Param *p = params_find(t->model.params, name);
    assert_non_null(p);
    double most = largest(p, first, rows), found = deviation(p, first, rows);
    double room = p->tensor.dims == 1 ? 0.25 : 0.05;
    if (!(most <= bound * 1.000001 && most > 0.9 * bound))
        fail_msg("%s: largest %g, wanted the bound %g", name, most, bound);
    if (!(fabs(found * sqrt(3) / bound - 1) <= room))
        fail_msg("%s: deviation %g is not that of a uniform one", name, found);
}

static void expect_zero(const Translator *t, const char *name) {
    const Param *p = params_find(t->model.params, name);
    assert_non_null(p);
    if (largest(p, 0, p->tensor.shape[0]) > 0) fail_msg("%s is not zero", name);
}

/* q, k, v: sqrt(6 / (D + D)) / sqrt(2), in joint matrices too; proj: sqrt(6 / (D +
 * D)). */
static void fairseqs_initial_values_have_their_bounds(void **state) {
    (void)state;
    ModelConfig c = toy_config(NORM_POST);
    c.init = INIT_FAIRSEQ, c.tied = TIED_NONE;
    double qkv = sqrt(3.0 / (2 * WIDE)), proj = sqrt(6.0 / (2 * WIDE));
    double narrow = 1 / sqrt(WIDE), broad = 1 / sqrt(HIDDEN);
    Translator *t = wide(&c);
    for (size_t part = 0; part < 3; part++)
        expect_uniform(t, "encoder.blocks.5.attn.qkv.weight", part * WIDE, WIDE, qkv);
    expect_uniform(t, "encoder.blocks.5.attn.qkv.bias", 0, 3 * WIDE, narrow);
    expect_uniform(t, "decoder.blocks.0.attn.qkv.weight", 0, 3 * WIDE, qkv);
    expect_uniform(t, "decoder.blocks.0.cross.q.weight", 0, WIDE, qkv);
    expect_uniform(t, "decoder.blocks.0.cross.kv.weight", 0, WIDE, qkv);
    expect_uniform(t, "decoder.blocks.0.cross.kv.weight", WIDE, WIDE, qkv);
    expect_uniform(t, "decoder.blocks.0.cross.kv.bias", 0, 2 * WIDE, narrow);
    expect_uniform(t, "decoder.blocks.3.cross.proj.weight", 0, WIDE, proj);
    expect_zero(t, "decoder.blocks.3.cross.proj.bias");
    expect_uniform(t, "encoder.blocks.2.mlp.fc1.weight", 0, HIDDEN, narrow);
    expect_uniform(t, "encoder.blocks.2.mlp.fc1.bias", 0, HIDDEN, narrow);
    expect_uniform(t, "encoder.blocks.2.mlp.fc2.weight", 0, WIDE, broad);
    expect_uniform(t, "encoder.blocks.2.mlp.fc2.bias", 0, WIDE, broad);
    translator_free(t);
}

static void tables_have_deviation_1_over_root_d_and_a_pad_of_zeros(void **state) {
    (void)state;
    static const char *const NAMES[] = {"encoder.embed.weight", "decoder.embed.weight"};
    ModelConfig c = toy_config(NORM_PRE);
    c.tied = TIED_NONE;
    for (int learned = 0; learned < 2; learned++) {
        c.position = learned ? POSITION_LEARNED : POSITION_SINUSOIDAL;
        c.init_std = 0.02;
        Translator *t = wide(&c);
        for (size_t i = 0; i < 2; i++) {
            const Param *p = params_find(t->model.params, NAMES[i]);
            expect_normal(t, NAMES[i], TOY_END, 298, 0.125);
            assert_true(largest(p, TOY_PAD, 1) == 0);
            assert_true(largest(p, 0, 1) > 0 && largest(p, TOY_END, 1) > 0);
        }
        expect_normal(t, "decoder.head.weight", 0, 300, 0.125);
        if (learned) expect_normal(t, "decoder.pos_embed", 0, 40, 0.02);
        translator_free(t);
    }
    c.tied = TIED_ALL;
    Translator *t = wide(&c);
    expect_normal(t, "embed.weight", TOY_END, 298, 0.125);
    assert_true(largest(t->source.table, TOY_PAD, 1) == 0);
    translator_free(t);
}

/* q and k as they were; v, proj, fc1 and fc2 times beta, of each side its own. */
static void expect_beta(const Translator *t, double unit_square, double unit_mlp) {
    DeepNorm d = deepnorm_pair(6, 6);
    double e = d.encoder_beta, b = d.decoder_beta;
    expect_normal(t, "encoder.blocks.1.attn.q.weight", 0, WIDE, unit_square);
    expect_normal(t, "encoder.blocks.1.attn.k.weight", 0, WIDE, unit_square);
    expect_normal(t, "encoder.blocks.1.attn.v.weight", 0, WIDE, e * unit_square);
    expect_normal(t, "encoder.blocks.1.attn.proj.weight", 0, WIDE, e * unit_square);
    expect_normal(t, "encoder.blocks.1.mlp.fc1.weight", 0, HIDDEN, e * unit_mlp);
    expect_normal(t, "encoder.blocks.1.mlp.fc2.weight", 0, WIDE, e * unit_mlp);
    expect_normal(t, "decoder.blocks.4.attn.k.weight", 0, WIDE, unit_square);
    expect_normal(t, "decoder.blocks.4.attn.v.weight", 0, WIDE, b * unit_square);
    expect_normal(t, "decoder.blocks.4.cross.q.weight", 0, WIDE, unit_square);
    expect_normal(t, "decoder.blocks.4.cross.k.weight", 0, WIDE, unit_square);
    expect_normal(t, "decoder.blocks.4.cross.v.weight", 0, WIDE, b * unit_square);
    expect_normal(t, "decoder.blocks.4.cross.proj.weight", 0, WIDE, b * unit_square);
    expect_normal(t, "decoder.blocks.4.mlp.fc2.weight", 0, WIDE, b * unit_mlp);
    expect_zero(t, "encoder.blocks.1.attn.v.bias");
    expect_zero(t, "decoder.blocks.4.mlp.fc1.bias");
}

static void deepnorm_scales_values_outputs_and_mlp_alone(void **state) {
    (void)state;
    ModelConfig c = toy_config(NORM_DEEPNORM);
    c.qkv = QKV_SEPARATE;
    c.init_std = 0.05;
    Translator *t = wide(&c);
    expect_beta(t, 0.05, 0.05);
    translator_free(t);
    c.init = INIT_FAIRSEQ; /* Xavier's normal: sqrt(2 / (in + out)) */
    t = wide(&c);
    expect_beta(t, sqrt(2.0 / (2 * WIDE)), sqrt(2.0 / (WIDE + HIDDEN)));
    translator_free(t);
    c.qkv = QKV_JOINT; /* the values' rows of joint matrices */
    t = wide(&c);
    double unit = sqrt(2.0 / (2 * WIDE)), beta = deepnorm_pair(6, 6).decoder_beta;
    expect_normal(t, "decoder.blocks.0.attn.qkv.weight", WIDE, WIDE, unit);
    expect_normal(t, "decoder.blocks.0.attn.qkv.weight", 2L * WIDE, WIDE, beta * unit);
    expect_normal(t, "decoder.blocks.0.cross.kv.weight", 0, WIDE, unit);
    expect_normal(t, "decoder.blocks.0.cross.kv.weight", WIDE, WIDE, beta * unit);
    translator_free(t);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(deepnorms_numbers_are_those_of_the_paper),
        cmocka_unit_test(deepnorms_beta_cancels_under_sigma_where_values_have_a_matrix),
        cmocka_unit_test(fairseqs_initial_values_have_their_bounds),
        cmocka_unit_test(tables_have_deviation_1_over_root_d_and_a_pad_of_zeros),
        cmocka_unit_test(deepnorm_scales_values_outputs_and_mlp_alone),
    };
    return cmocka_run_group_tests_name("translator_start", cases, NULL, NULL);
}
