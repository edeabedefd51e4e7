/* The vision transformer: its names, counts and initial values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/vit.h"

static ModelConfig vit_config(size_t width, size_t depth, size_t heads, size_t patch) {
    ModelConfig c = model_config_default();
    c.width = width, c.depth = depth, c.heads = heads, c.patch = patch;
    return c;
}

static size_t count(ModelConfig c, size_t side, size_t classes) {
    Vit *vit = vit_new(&c, (PictureShape){3, side, side}, classes);
    size_t n = params_trained_count(vit->model.params);
    vit_free(vit);
    return n;
}

static void vit_b16_has_86567656_parameters(void **state) {
    (void)state;
    assert_int_equal(count(vit_config(768, 12, 12, 16), 224, 1000), 86567656);
}

/* 304,326,632 numbers, twice: 2.4 GB, so only where asked for (make check-all). */
static void vit_l16_has_304326632_parameters(void **state) {
    (void)state;
    if (!getenv("STEADY_TEST_LARGE")) skip();
    assert_int_equal(count(vit_config(1024, 24, 16, 16), 224, 1000), 304326632);
}

/* 25 layer norms of 2 D go, and one gamma comes for each of the 4 * 12 + 2 layers. */
static void sigma_without_norms_trades_layer_norms_for_gammas(void **state) {
    (void)state;
    ModelConfig c = vit_config(48, 12, 4, 8);
    size_t plain = count(c, 32, 10);
    c.norm = NORM_NONE, c.reparam = REPARAM_SIGMA;
    assert_int_equal(count(c, 32, 10), plain - 25 * 2 * 48 + 50);
    c.reparam_scope = SCOPE_BLOCKS;
    assert_int_equal(count(c, 32, 10), plain - 25 * 2 * 48 + 48);
    c.reparam_scope = SCOPE_ATTENTION;
    assert_int_equal(count(c, 32, 10), plain - 25 * 2 * 48 + 24);
}

static void names_and_shapes_are_timms(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t shape[4];
        int dims;
    } WANTED[] = {{"cls_token", {1, 1, 12}, 3},
                  {"pos_embed", {1, 17, 12}, 3},
                  {"patch_embed.proj.weight", {12, 3, 2, 2}, 4},
                  {"patch_embed.proj.bias", {12}, 1},
                  {"blocks.0.norm1.weight", {12}, 1},
                  {"blocks.0.norm1.bias", {12}, 1},
                  {"blocks.0.attn.qkv.weight", {36, 12}, 2},
                  {"blocks.0.attn.qkv.bias", {36}, 1},
                  {"blocks.0.attn.proj.weight", {12, 12}, 2},
                  {"blocks.0.attn.proj.bias", {12}, 1},
                  {"blocks.0.norm2.weight", {12}, 1},
                  {"blocks.0.norm2.bias", {12}, 1},
                  {"blocks.0.mlp.fc1.weight", {48, 12}, 2},
                  {"blocks.0.mlp.fc1.bias", {48}, 1},
                  {"blocks.0.mlp.fc2.weight", {12, 48}, 2},
                  {"blocks.0.mlp.fc2.bias", {12}, 1},
                  {"norm.weight", {12}, 1},
                  {"norm.bias", {12}, 1},
                  {"head.weight", {7, 12}, 2},
                  {"head.bias", {7}, 1}};
    ModelConfig c = vit_config(12, 1, 3, 2);
    Vit *vit = vit_new(&c, (PictureShape){3, 8, 8}, 7);
    assert_int_equal(vit->model.params->count, COUNT(WANTED));
    for (size_t i = 0; i < COUNT(WANTED); i++) {
        const Param *p = params_find(vit->model.params, WANTED[i].name);
        assert_non_null(p);
        assert_int_equal(p->tensor.dims, WANTED[i].dims);
        assert_memory_equal(p->tensor.shape, WANTED[i].shape,
                            (size_t)WANTED[i].dims * sizeof(size_t));
    }
    vit_free(vit);
}

static double deviation(const Param *p) {
    double squares = 0;
    for (size_t i = 0; i < p->tensor.size; i++)
        squares += (double)p->tensor.value[i] * (double)p->tensor.value[i];
    return sqrt(squares / (double)p->tensor.size);
}

static void expect_deviation(const Vit *vit, const char *name, double wanted) {
    double found = deviation(params_find(vit->model.params, name));
    if (fabs(found - wanted) > 0.05 * wanted + 1e-12)
        fail_msg("%s: standard deviation %g, wanted %g", name, found, wanted);
}

static void initial_values_are_timms(void **state) {
    (void)state;
    ModelConfig c = vit_config(96, 2, 3, 4);
    Vit *vit = vit_new(&c, (PictureShape){3, 32, 32}, 100);
    vit_initialize(vit, 0);
    expect_deviation(vit, "blocks.1.attn.qkv.weight", 0.02);
    expect_deviation(vit, "blocks.1.attn.qkv.bias", 0);
    expect_deviation(vit, "pos_embed", 0.02);
    expect_deviation(vit, "head.weight", 0.02);
    expect_deviation(vit, "norm.weight", 1);
    expect_deviation(vit, "patch_embed.proj.weight", 1 / sqrt(3.0 * 48));
    assert_true(deviation(vit->cls_token) < 2e-6);
    vit_free(vit);
    c.reparam = REPARAM_SIGMA, c.init_std = 0.1;
    vit = vit_new(&c, (PictureShape){3, 32, 32}, 100);
    vit_initialize(vit, 0);
    expect_deviation(vit, "patch_embed.proj.weight", 0.1);
    expect_deviation(vit, "patch_embed.proj.bias", 0);
    vit_free(vit);
}

/* Uniform: the largest of many is near the bound, their deviation is bound/sqrt(3). */
static void expect_bound(const Vit *vit, const char *name, size_t from, size_t rows,
                         double bound) {
    const Tensor *t = &params_find(vit->model.params, name)->tensor;
    size_t columns = t->size / t->shape[0];
    double most = 0, squares = 0;
    for (size_t i = from * columns; i < (from + rows) * columns; i++) {
        most = fmax(most, fabs((double)t->value[i]));
        squares += (double)t->value[i] * (double)t->value[i];
    }
    double found = sqrt(3 * squares / (double)(rows * columns));
    if (most > bound * (1 + 1e-6) || most < 0.98 * bound ||
        fabs(found / bound - 1) > 0.04)
        fail_msg("%s: up to %g, deviation sqrt(3) * %g; the bound is %g", name, most,
                 found, bound);
}

/* Chen et al. 2021, vits.py: a matrix of [out, in] within sqrt(6 / (out + in)), qkv as
 * three, the patch embedding within sqrt(6 / (3 p^2 + D)). */
static void initial_values_are_those_of_moco_v3(void **state) {
    (void)state;
    for (QkvGrouping g = QKV_JOINT; g <= QKV_SEPARATE; g++) {
        ModelConfig c = vit_config(96, 2, 3, 4);
        c.init = INIT_MOCOV3, c.position = POSITION_SINCOS, c.qkv = g;
        c.reparam = g ? REPARAM_SIGMA : REPARAM_NONE;
        c.patch_init_std = 0.7, c.init_std = 0.7;
        Vit *vit = vit_new(&c, (PictureShape){3, 32, 32}, 100);
        vit_initialize(vit, 0);
        model_start(&vit->model, NULL);
        double square = sqrt(6.0 / (96 + 96)), wide = sqrt(6.0 / (96 + 384));
        const char *names[][3] = {{"blocks.1.attn.qkv.weight"},
                                  {"blocks.1.attn.qk.weight", "blocks.1.attn.v.weight"},
                                  {"blocks.1.attn.q.weight", "blocks.1.attn.k.weight",
                                   "blocks.1.attn.v.weight"}};
        for (size_t i = 0; i < 3; i++) {
            size_t part = g == QKV_JOINT ? 0 : g == QKV_QK_V ? i / 2 : i;
            size_t row = g == QKV_JOINT ? i : g == QKV_QK_V ? i % 2 : 0;
            expect_bound(vit, names[g][part], row * 96, 96, square);
        }
        expect_bound(vit, "blocks.1.attn.proj.weight", 0, 96, square);
        expect_bound(vit, "blocks.0.mlp.fc1.weight", 0, 384, wide);
        expect_bound(vit, "blocks.0.mlp.fc2.weight", 0, 96, wide);
        expect_bound(vit, "head.weight", 0, 100, sqrt(6.0 / (96 + 100)));
        expect_bound(vit, "patch_embed.proj.weight", 0, 96, sqrt(6.0 / (3 * 16 + 96)));
        assert_true(deviation(vit->cls_token) < 2e-6);
        for (size_t i = 0; i < vit->model.params->count; i++) {
            const Param *p = vit->model.params->list[i];
            if (strstr(p->name, ".bias")) assert_true(deviation(p) == 0);
        }
        const Reparam *r = vit->head.reparam;
        assert_true(!r == !g);
        if (r)
            assert_true(fabs((double)(r->gamma->tensor.value[0] / r->sigma) - 1) < 1e-5);
        vit_free(vit);
    }
}

static void deepnorm_scales_values_and_outputs_but_not_queries(void **state) {
    (void)state;
    ModelConfig c = vit_config(96, 6, 3, 8);
    c.norm = NORM_DEEPNORM;
    double beta = deepnorm_beta(6);
    assert_true(fabs(beta - pow(48, -0.25)) < 1e-12);
    assert_true(fabs(deepnorm_alpha(6) - pow(12, 0.25)) < 1e-12);
    for (QkvGrouping g = QKV_JOINT; g <= QKV_SEPARATE; g++) {
        c.qkv = g;
        Vit *vit = vit_new(&c, (PictureShape){3, 32, 32}, 10);
        vit_initialize(vit, 0);
        expect_deviation(vit, "blocks.3.mlp.fc1.weight", 0.02 * beta);
        expect_deviation(vit, "blocks.3.attn.proj.weight", 0.02 * beta);
        if (g == QKV_JOINT)
            expect_deviation(vit, "blocks.3.attn.qkv.weight",
                             0.02 * sqrt((2 + beta * beta) / 3));
        else expect_deviation(vit, "blocks.3.attn.v.weight", 0.02 * beta);
        if (g == QKV_SEPARATE) expect_deviation(vit, "blocks.3.attn.q.weight", 0.02);
        assert_null(vit->stack.norm.weight);
        vit_free(vit);
    }
}

static void another_seed_gives_other_weights_and_the_same_seed_the_same(void **state) {
    (void)state;
    ModelConfig c = vit_config(24, 1, 2, 4);
    Vit *a = vit_new(&c, (PictureShape){1, 8, 8}, 3),
        *b = vit_new(&c, (PictureShape){1, 8, 8}, 3);
    size_t bytes = a->model.params->trained * sizeof(real);
    vit_initialize(a, 1);
    vit_initialize(b, 1);
    assert_memory_equal(a->model.params->values, b->model.params->values, bytes);
    vit_initialize(b, 2);
    assert_memory_not_equal(a->model.params->values, b->model.params->values, bytes);
    vit_free(a);
    vit_free(b);
}

static void a_picture_that_does_not_fit_is_a_usage_error(void **state) {
    (void)state;
    Err err = ERR_NONE;
    ModelConfig c = vit_config(24, 1, 2, 5);
    assert_int_equal(vit_check(&c, (PictureShape){3, 32, 32}, &err), FAIL_USAGE);
    assert_non_null(strstr(err.text, "32 x 32"));
    c.patch = 4, c.heads = 5;
    assert_int_equal(vit_check(&c, (PictureShape){3, 32, 32}, &err), FAIL_USAGE);
    c.heads = 4;
    assert_int_equal(vit_check(&c, (PictureShape){3, 32, 32}, &err), OK);
}

/* 2 flops a weight and token, and 4 T^2 D a block: ViT-B/16 takes 35.1 GFLOP a
 * picture.  The class token needs no other token's output of the last block: three
 * quarters of its weights. */
static void expect_head_product(const Vit *vit, const real *feature, const real *logits) {
    size_t width = vit->model.config.width;
    for (size_t k = 0; k < vit->classes; k++) {
        double sum = 0;
        for (size_t d = 0; d < width; d++)
            sum += (double)vit->head.weight->tensor.value[k * width + d] *
                   (double)feature[d];
        assert_true(fabs(sum - (double)logits[k]) < 1e-6);
    }
}

/* Behind the last norm, whose gain is 1 and bias 0: mean 0, variance 1. */
static void expect_normed(const real *feature, size_t width) {
    double sum = 0, square = 0;
    for (size_t d = 0; d < width; d++) {
        sum += (double)feature[d];
        square += (double)feature[d] * (double)feature[d];
    }
    assert_true(fabs(sum) < 1e-4);
    assert_true(fabs(square / (double)width - 1) < 1e-2);
}

static void logits_are_the_heads_product_with_normed_features(void **state) {
    (void)state;
    enum { PICTURES = 3, SIDE = 8, PIXELS = 3 * SIDE * SIDE };
    real pixels[PICTURES * PIXELS];
    ForwardMode mode = {.temperature = 1};
    Tape *tape = tape_new();
    for (size_t i = 0; i < COUNT(pixels); i++)
        pixels[i] = (real)rng_normal(rng_make(1, RNG_SYNTHETIC, 0), i);
    for (int pool = POOL_TOKEN; pool <= POOL_MEAN; pool++) {
        ModelConfig c = vit_config(12, 2, 3, 4);
        c.pool = pool, c.init_std = 0.3;
        Vit *vit = vit_new(&c, (PictureShape){3, SIDE, SIDE}, 5);
        vit_initialize(vit, 1);
        tape_begin(tape, (TapeMode){0});
        Tensor *x = tape_wrap(tape, pixels, 4, (size_t[]){PICTURES, 3, SIDE, SIDE});
        Tensor *features = vit_features(vit, tape, &mode, x);
        Tensor *logits = vit_logits(vit, tape, &mode, x);
        assert_int_equal(features->size, PICTURES * 12);
        for (size_t i = 0; i < PICTURES; i++) {
            expect_head_product(vit, features->value + i * 12, logits->value + i * 5);
            expect_normed(features->value + i * 12, 12);
        }
        vit_free(vit);
    }
    tape_free(tape);
}

static void the_flops_of_vit_b16_are_those_of_the_literature(void **state) {
    (void)state;
    ModelConfig c = vit_config(768, 12, 12, 16);
    c.pool = POOL_MEAN;
    Vit *vit = vit_new(&c, (PictureShape){3, 224, 224}, 1000);
    double whole = vit_flops(vit);
    assert_true(fabs(whole / 35.1e9 - 1) < 0.01);
    vit_free(vit);
    c.pool = POOL_TOKEN;
    vit = vit_new(&c, (PictureShape){3, 224, 224}, 1000);
    double unread = 196.0 * (2 * 9 * 768 * 768 + 4 * 197 * 768);
    assert_true(fabs((whole - vit_flops(vit)) / unread - 1) < 1e-6);
    vit_free(vit);
}

/* 64 pictures of 65 tokens, hidden 768: four arrays of 12.8 MB. */
static void micro_batches_are_cut_to_the_cache(void **state) {
    (void)state;
    ModelConfig c = vit_config(192, 12, 3, 4);
    size_t one = 4 * 65 * 768 * sizeof(real);
    assert_int_equal(model_parts(&c, 65, 64, 0), 1);
    assert_int_equal(model_parts(&c, 65, 64, 64 * one), 1);
    assert_int_equal(model_parts(&c, 65, 64, 64 * one - 1), 2);
    assert_int_equal(model_parts(&c, 65, 64, 1), 2); /* 1,536 tokens at least */
    assert_int_equal(model_parts(&c, 65, 256, 64 * one), 4);
    assert_int_equal(model_parts(&c, 100000, 3, 1), 3);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(vit_b16_has_86567656_parameters),
        cmocka_unit_test(vit_l16_has_304326632_parameters),
        cmocka_unit_test(sigma_without_norms_trades_layer_norms_for_gammas),
        cmocka_unit_test(names_and_shapes_are_timms),
        cmocka_unit_test(initial_values_are_timms),
        cmocka_unit_test(initial_values_are_those_of_moco_v3),
        cmocka_unit_test(deepnorm_scales_values_and_outputs_but_not_queries),
        cmocka_unit_test(another_seed_gives_other_weights_and_the_same_seed_the_same),
        cmocka_unit_test(a_picture_that_does_not_fit_is_a_usage_error),
        cmocka_unit_test(logits_are_the_heads_product_with_normed_features),
        cmocka_unit_test(micro_batches_are_cut_to_the_cache),
        cmocka_unit_test(the_flops_of_vit_b16_are_those_of_the_literature),
    };
    return cmocka_run_group_tests_name("vit", cases, NULL, NULL);
}
