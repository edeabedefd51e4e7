/* ModelConfig: its defaults make models whose output depends on their input, and what no
 * builder can build is refused with its key. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/language.h"
#include "models/speech.h"
#include "models/translator.h"
#include "models/vit.h"
#include "tools/recipe/recipe.h"

enum {
    VOCAB = 20,
    LENGTH = 8,
    NO_LABEL = 99,
    SIDE = 8,
    FILTERS = 5,
    LABELS = 6,
    FRAMES = 24
};

/* ---- one number of a model's output for input 0 or 1 ---- */

static void draw_ids(size_t which, uint32_t ids[LENGTH]) {
    for (size_t i = 0; i < LENGTH; i++) ids[i] = (uint32_t)(4 + which * LENGTH + i);
}

static void draw_values(size_t which, real *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = (real)sin((double)(i * (which + 2)));
}

static const ForwardMode MODE = {.temperature = 1};
static const uint32_t LABEL[LENGTH] = {3, 3, 3, 3, 3, 3, 3, 3};
static const VocabTarget TARGET = {.label = LABEL, .ignore = NO_LABEL, .divisor = LENGTH};

static double of_language(const ModelConfig *c, Tape *tape, size_t which) {
    uint32_t ids[LENGTH];
    draw_ids(which, ids);
    Language *lm = language_new(c, VOCAB);
    language_initialize(lm, 1);
    model_start(&lm->model, NULL);
    model_freeze(&lm->model);
    TokenRows rows = {.ids = ids, .batch = 1, .length = LENGTH};
    double loss = (double)language_loss(lm, tape, &MODE, &rows, &TARGET)->value[0];
    language_free(lm);
    return loss;
}

static double of_translator(const ModelConfig *c, Tape *tape, size_t which) {
    uint32_t ids[LENGTH], same[LENGTH];
    draw_ids(which, ids);
    draw_ids(0, same);
    Translator *t = translator_new(c, VOCAB, VOCAB, LENGTH);
    translator_initialize(t, 1, 1);
    model_start(&t->model, NULL);
    model_freeze(&t->model);
    const size_t count[] = {LENGTH};
    TokenRows source = {ids, 1, LENGTH, count}, input = {same, 1, LENGTH, count};
    double loss =
        (double)translator_loss(t, tape, &MODE, &source, &input, &TARGET)->value[0];
    translator_free(t);
    return loss;
}

static double of_vit(const ModelConfig *c, Tape *tape, size_t which) {
    real x[3 * SIDE * SIDE];
    draw_values(which, x, COUNT(x));
    Vit *vit = vit_new(c, (PictureShape){3, SIDE, SIDE}, 2);
    vit_initialize(vit, 1);
    model_start(&vit->model, NULL);
    model_freeze(&vit->model);
    Tensor *pixels = tape_wrap(tape, x, 4, (size_t[]){1, 3, SIDE, SIDE});
    double logit = (double)vit_logits(vit, tape, &MODE, pixels)->value[0];
    vit_free(vit);
    return logit;
}

static double of_speech(const ModelConfig *c, Tape *tape, size_t which) {
    static const size_t frames[] = {FRAMES};
    real x[FRAMES * FILTERS];
    draw_values(which, x, COUNT(x));
    Speech *s = speech_new(c, FILTERS, LABELS);
    speech_initialize(s, 1);
    model_start(&s->model, NULL);
    model_freeze(&s->model);
    SpeechRows rows = {.x = tape_wrap(tape, x, 3, (size_t[]){1, FRAMES, FILTERS}),
                       .frames = frames,
                       .before =
                           frames_before_same(FRAMES, SPEECH_KERNEL, SPEECH_STRIDE)};
    double logit = (double)speech_logits(s, tape, &MODE, &rows)->value[0];
    speech_free(s);
    return logit;
}

static Status check_vit(const ModelConfig *c, Err *err) {
    return vit_check(c, (PictureShape){3, SIDE, SIDE}, err);
}
static Status check_language(const ModelConfig *c, Err *err) {
    return language_check(c, VOCAB, err);
}
static Status check_translator(const ModelConfig *c, Err *err) {
    return translator_check(c, VOCAB, VOCAB, err);
}
static Status check_speech(const ModelConfig *c, Err *err) {
    return speech_check(c, FILTERS, LABELS, err);
}

enum { VIT = 1, LANGUAGE = 2, TRANSLATOR = 4, SPEECH = 8, TEXTS = 6, ALL = 15 };

static const struct {
    unsigned bit;
    Status (*check)(const ModelConfig *c, Err *err);
    double (*output)(const ModelConfig *c, Tape *tape, size_t which);
} BUILDERS[] = {{VIT, check_vit, of_vit},
                {LANGUAGE, check_language, of_language},
                {TRANSLATOR, check_translator, of_translator},
                {SPEECH, check_speech, of_speech}};

/* ---- cases ---- */

static void expect_two_outputs(size_t builder, const ModelConfig *c) {
    Err err = ERR_NONE;
    if (BUILDERS[builder].check(c, &err)) fail_msg("builder %zu: %s", builder, err.text);
    double y[2];
    for (size_t which = 0; which < 2; which++) {
        Tape *tape = tape_new();
        tape_begin(tape, (TapeMode){.gradients = false});
        y[which] = BUILDERS[builder].output(c, tape, which);
        tape_free(tape);
        assert_true(isfinite(y[which]));
    }
    if (fabs(y[0] - y[1]) < 1e-9)
        fail_msg("builder %zu: both inputs give %.12f", builder, y[0]);
}

static void two_inputs_give_two_outputs_with_the_defaults(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(BUILDERS); i++) {
        ModelConfig c = model_config_default();
        c.depth = 2;
        expect_two_outputs(i, &c);
    }
    ModelConfig banded = model_config_default();
    banded.depth = 1, banded.tied = TIED_DECODER;
    banded.cutoffs[0] = 6, banded.cutoffs[1] = 10, banded.cutoff_count = 2;
    expect_two_outputs(1, &banded);
}

static void the_defaults_are_those_of_recipes(void **state) {
    (void)state;
    ModelConfig ours = model_config_default(), theirs = recipe_default().model;
#define SAME(field) assert_true((double)ours.field == (double)theirs.field)
    SAME(width), SAME(depth), SAME(heads), SAME(mlp_ratio), SAME(patch), SAME(norm);
    SAME(final_norm), SAME(reparam), SAME(reparam_scope), SAME(gamma_init), SAME(init);
    SAME(init_std), SAME(patch_init_std), SAME(qkv), SAME(activation), SAME(position);
    SAME(pool), SAME(dropout), SAME(drop_path), SAME(attention_dropout);
    SAME(activation_dropout), SAME(temperature), SAME(context), SAME(decoder_depth);
    SAME(tied), SAME(cutoff_count), SAME(adaptive_factor), SAME(adaptive_dropout);
    SAME(layer_drop), SAME(cape_shift);
    assert_true(ours.embed_scale < 0); /* auto */
}

#define REAL(who, field, x)                                                              \
    { who, #field, offsetof(ModelConfig, field), x, true }
#define SIZE(who, field, x)                                                              \
    { who, #field, offsetof(ModelConfig, field), x, false }

static void what_no_model_can_be_is_refused_with_its_key(void **state) {
    (void)state;
    static const struct {
        unsigned who;
        const char *key;
        size_t offset;
        double value;
        bool real;
    } BAD[] = {SIZE(ALL, width, 0),
               SIZE(ALL, depth, 0),
               SIZE(ALL, heads, 0),
               SIZE(ALL, heads, 5),
               SIZE(VIT, patch, 0),
               SIZE(VIT, patch, 3),
               SIZE(LANGUAGE | SPEECH, context, 0),
               REAL(ALL, mlp_ratio, 0),
               REAL(ALL, mlp_ratio, 1e-3),
               REAL(ALL, init_std, 0),
               REAL(ALL, init_std, NAN),
               REAL(ALL, temperature, 0),
               REAL(ALL, temperature, -1),
               REAL(ALL, temperature, INFINITY),
               REAL(TEXTS, embed_scale, 0),
               REAL(TEXTS, embed_scale, NAN),
               REAL(ALL, dropout, 1),
               REAL(ALL, drop_path, -0.1),
               REAL(ALL, layer_drop, 1),
               REAL(ALL, patch_init_std, -1)};
    for (size_t i = 0; i < COUNT(BAD); i++)
        for (size_t b = 0; b < COUNT(BUILDERS); b++) {
            ModelConfig c = model_config_default();
            char *at = (char *)&c + BAD[i].offset;
            size_t size = (size_t)(BAD[i].real ? 0 : BAD[i].value);
            memcpy(at, BAD[i].real ? (const void *)&BAD[i].value : &size, sizeof size);
            Err err = ERR_NONE;
            Status status = BUILDERS[b].check(&c, &err);
            bool wanted = BAD[i].who & BUILDERS[b].bit;
            if ((status == FAIL_USAGE) != wanted ||
                (wanted && !strstr(err.text, BAD[i].key)))
                fail_msg("builder %zu with %s = %g: %d \"%s\"", b, BAD[i].key,
                         BAD[i].value, status, err.text);
        }
}

static void positions_of_another_kind_of_model_are_refused(void **state) {
    (void)state;
    static const unsigned FOR[] = {[POSITION_LEARNED] = ALL,
                                   [POSITION_SINCOS] = VIT,
                                   [POSITION_NONE] = ALL,
                                   [POSITION_SINUSOIDAL] = TEXTS,
                                   [POSITION_CAPE] = SPEECH};
    for (size_t p = 0; p < COUNT(FOR); p++)
        for (size_t b = 0; b < COUNT(BUILDERS); b++) {
            ModelConfig c = model_config_default();
            c.position = (PositionKind)p;
            assert_int_equal(BUILDERS[b].check(&c, NULL) == OK,
                             (FOR[p] & BUILDERS[b].bit) != 0);
        }
}

static void cutoffs_that_cannot_be_are_refused(void **state) {
    (void)state;
    static const struct {
        double first, second, factor;
        const char *text;
    } BAD[] = {{6, 6, 4, "6 after 6"},          {10, 6, 4, "6 after 10"},
               {0, 6, 4, "0 after 0"},          {5.5, 6, 4, "5.5 after 0"},
               {6, VOCAB, 4, "the last band"},  {6, 10, 0, "adaptive_factor = 0"},
               {6, 10, 0.5, "adaptive_factor"}, {NAN, 10, 4, "cutoffs"}};
    for (size_t i = 0; i < COUNT(BAD); i++) {
        ModelConfig c = model_config_default();
        Err err = ERR_NONE;
        c.tied = TIED_DECODER;
        c.cutoffs[0] = BAD[i].first, c.cutoffs[1] = BAD[i].second, c.cutoff_count = 2;
        c.adaptive_factor = BAD[i].factor;
        assert_int_equal(language_check(&c, VOCAB, &err), FAIL_USAGE);
        if (!strstr(err.text, BAD[i].text)) fail_msg("case %zu: %s", i, err.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_inputs_give_two_outputs_with_the_defaults),
        cmocka_unit_test(the_defaults_are_those_of_recipes),
        cmocka_unit_test(what_no_model_can_be_is_refused_with_its_key),
        cmocka_unit_test(positions_of_another_kind_of_model_are_refused),
        cmocka_unit_test(cutoffs_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
