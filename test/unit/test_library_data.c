/* Examples in memory, and what a model answers (include/steady.h). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/steady.h"

#define TRAIN "[train]\nsteps = 2\nbatch = 4\nthreads = 1\nbeam = 2\nmax_decode = 4\n"
#define BODY "[model]\nwidth = 16\ndepth = 1\nheads = 2\n"

static const char PICTURES[] = TRAIN BODY "patch = 4\n";
static const char LANGUAGE[] =
    "[task]\nkind = language\n" TRAIN BODY "context = 8\n[data]\ntokens = word\n";
static const char PAIRS[] = "[task]\nkind = translate\n" TRAIN BODY "context = 32\n";
static const char SPEECH[] =
    "[task]\nkind = transcribe\n" TRAIN BODY "position = none\n[data]\nsource = tones\n"
    "synthetic_count = 8\n";

static steady_data *data_new(void) {
    steady_data *data;
    assert_int_equal(steady_data_new(&data, NULL), STEADY_OK);
    return data;
}

/* Status and text of building from the recipe's text, key = value laid over it. */
static steady_model *build(const char *text, const char *key, const char *value,
                           const steady_data *data, steady_error *error) {
    steady_recipe *recipe;
    steady_model *model = NULL;
    if (steady_recipe_parse(text, &recipe, error)) fail_msg("%s", error->text);
    if (key) assert_int_equal(steady_recipe_set(recipe, key, value, error), STEADY_OK);
    steady_model_new(recipe, data, NULL, &model, error);
    steady_recipe_free(recipe);
    return model;
}

static steady_model *built(const char *text, const char *key, const char *value,
                           const steady_data *data) {
    steady_error error;
    steady_model *model = build(text, key, value, data, &error);
    if (!model) fail_msg("%s", error.text);
    return model;
}

static void refused(const char *text, const char *key, const char *value,
                    const steady_data *data, steady_status status, const char *part) {
    steady_error error;
    assert_null(build(text, key, value, data, &error));
    assert_int_equal(error.status, status);
    if (!strstr(error.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, error.text);
}

static void train(steady_model *model) {
    steady_error error;
    while (steady_model_done(model) < steady_model_steps(model))
        if (steady_model_step(model, NULL, &error)) fail_msg("%s", error.text);
}

/* ---- pictures ---- */

enum { COUNT = 40, SIDE = 8 };
static uint8_t pixels[COUNT * SIDE * SIDE];
static uint32_t labels[COUNT];

static steady_pictures draw(void) {
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 % 251);
    for (uint32_t i = 0; i < COUNT; i++) labels[i] = i % 3;
    return (steady_pictures){pixels, labels, COUNT, SIDE, SIDE, 1, 3};
}

static double score_of(steady_model *model, steady_split split, const char *name) {
    double value = -1;
    steady_error error;
    if (steady_model_evaluate(model, split, &error) ||
        steady_model_score(model, name, &value, &error))
        fail_msg("%s", error.text);
    return value;
}

static void pictures_in_memory_are_trained_scored_and_classified(void **state) {
    (void)state;
    steady_data *data = data_new();
    steady_pictures all = draw(), some = draw();
    float p[COUNT * 3];
    double right = 0;
    some.count = 10;
    assert_int_equal(steady_data_pictures(data, STEADY_TRAIN, &all, NULL), STEADY_OK);
    assert_int_equal(steady_data_pictures(data, STEADY_VAL, &some, NULL), STEADY_OK);
    assert_int_equal(steady_data_pictures(data, STEADY_TEST, &all, NULL), STEADY_OK);
    steady_model *model = built(PICTURES, NULL, NULL, data);
    train(model);
    assert_true(score_of(model, STEADY_VAL, "count") == 10);
    assert_true(score_of(model, STEADY_TEST, "count") == COUNT);
    all.labels = NULL;
    assert_int_equal(steady_model_classify(model, &all, p, 3, NULL), STEADY_OK);
    for (size_t i = 0; i < COUNT; i++) {
        const float *q = p + 3 * i;
        float sum = q[0] + q[1] + q[2], own = q[labels[i]];
        assert_true(sum > 0.9999f && sum < 1.0001f);
        right += own >= q[0] && own >= q[1] && own >= q[2];
    }
    double top1 = score_of(model, STEADY_TEST, "top1") * COUNT;
    assert_true(top1 > right - 0.01 && top1 < right + 0.01);
    assert_int_equal(steady_model_classify(model, &all, p, 4, NULL), STEADY_USAGE);
    steady_model_free(model);
    steady_data_free(data);
}

static void pictures_that_cannot_be_are_refused(void **state) {
    (void)state;
    steady_data *data = data_new();
    steady_pictures good = draw(), bad;
    bad = good, bad.count = 0;
    assert_int_equal(steady_data_pictures(data, STEADY_TRAIN, &bad, NULL), STEADY_USAGE);
    bad = good, bad.pixels = NULL;
    assert_int_equal(steady_data_pictures(data, STEADY_TRAIN, &bad, NULL), STEADY_USAGE);
    bad = good, bad.labels = NULL;
    assert_int_equal(steady_data_pictures(data, STEADY_TRAIN, &bad, NULL), STEADY_USAGE);
    bad = good, bad.channels = 5;
    assert_int_equal(steady_data_pictures(data, STEADY_TRAIN, &bad, NULL), STEADY_USAGE);
    bad = good, bad.height = SIZE_MAX / 2;
    assert_int_equal(steady_data_pictures(data, STEADY_TRAIN, &bad, NULL), STEADY_USAGE);
    bad = good, bad.classes = SIZE_MAX;
    assert_int_equal(steady_data_pictures(data, STEADY_TRAIN, &bad, NULL), STEADY_USAGE);
    bad = good, bad.classes = 2;
    assert_int_equal(steady_data_pictures(data, STEADY_TRAIN, &bad, NULL), STEADY_DATA);
    assert_int_equal(steady_data_pictures(data, (steady_split)3, &good, NULL),
                     STEADY_USAGE);
    refused(PICTURES, NULL, NULL, data, STEADY_USAGE, "steady_data_pictures");
    assert_int_equal(steady_data_pictures(data, STEADY_TRAIN, &good, NULL), STEADY_OK);
    assert_int_equal(steady_data_pictures(data, STEADY_TRAIN, &good, NULL), STEADY_USAGE);
    bad = good, bad.height = 4, bad.width = 16;
    assert_int_equal(steady_data_pictures(data, STEADY_TEST, &bad, NULL), STEADY_USAGE);
    refused(PICTURES, "model.patch", "5", data, STEADY_USAGE, "patch");
    refused(PICTURES, "train.batch", "41", data, STEADY_USAGE, "train.batch");
    refused(LANGUAGE, NULL, NULL, data, STEADY_USAGE, "steady_data_text");
    refused(SPEECH, NULL, NULL, data, STEADY_USAGE, "manifest");
    steady_data_free(data);
}

static void a_share_of_the_training_pictures_is_held_out(void **state) {
    (void)state;
    steady_data *data = data_new();
    steady_pictures all = draw();
    assert_int_equal(steady_data_pictures(data, STEADY_TRAIN, &all, NULL), STEADY_OK);
    steady_model *model = built(PICTURES, "data.val_fraction", "0.25", data);
    assert_true(score_of(model, STEADY_VAL, "count") == 10);
    assert_int_equal(steady_model_evaluate(model, STEADY_TEST, NULL), STEADY_USAGE);
    steady_model_free(model);
    steady_data_free(data);
}

/* ---- texts ---- */

static char *lines(const char *line, size_t count) {
    size_t length = strlen(line);
    char *text = malloc(count * length + 1);
    for (size_t i = 0; i < count; i++) memcpy(text + i * length, line, length);
    text[count * length] = 0;
    return text;
}

static void a_text_in_memory_is_trained_and_continued(void **state) {
    (void)state;
    steady_data *data = data_new();
    char *text = lines("the cat sat on the mat\n", 40), *more = NULL, *again = NULL;
    steady_sampling sampling = {5, 1, 0, 7};
    assert_int_equal(steady_data_text(data, STEADY_TRAIN, text, NULL), STEADY_OK);
    assert_int_equal(steady_data_text(data, STEADY_TEST, "the mat sat on the cat\n",
                                      NULL),
                     0);
    free(text); /* it was copied */
    steady_model *model = built(LANGUAGE, NULL, NULL, data);
    train(model);
    assert_true(score_of(model, STEADY_TEST, "ppl") > 1);
    assert_int_equal(steady_model_continue(model, "the cat", &sampling, &more, NULL), 0);
    assert_int_equal(steady_model_continue(model, "the cat", &sampling, &again, NULL), 0);
    assert_int_equal(strncmp(more, "the cat", 7), 0);
    assert_true(strlen(more) > 7);
    assert_string_equal(more, again); /* of one seed */
    steady_text_free(more), steady_text_free(again);
    assert_int_equal(steady_model_continue(model, "a\xff", &sampling, &more, NULL),
                     STEADY_USAGE);
    assert_null(more);
    sampling.temperature = -1;
    assert_int_equal(steady_model_continue(model, "the", &sampling, &more, NULL),
                     STEADY_USAGE);
    steady_model_free(model);
    steady_data_free(data);
}

static void numbers_of_tokens_are_words(void **state) {
    (void)state;
    steady_data *data = data_new();
    steady_sampling sampling = {3, 0, 0, 0};
    uint32_t ids[200];
    char *text;
    for (uint32_t i = 0; i < 200; i++) ids[i] = 1000000 + i % 5;
    assert_int_equal(steady_data_tokens(data, STEADY_TRAIN, ids, 200, NULL), STEADY_OK);
    steady_model *model = built(LANGUAGE, NULL, NULL, data);
    train(model);
    assert_int_equal(steady_model_continue(model, "1000003", &sampling, &text, NULL), 0);
    assert_int_equal(strncmp(text, "1000003", 7), 0);
    for (const char *c = text; *c; c++)
        assert_non_null(strchr("0123456789 \n</unkspad>", *c));
    steady_text_free(text);
    steady_model_free(model);
    steady_data_free(data);
}

static void numbers_that_would_be_read_as_characters_are_refused(void **state) {
    (void)state;
    steady_data *data = data_new();
    uint32_t ids[200] = {0};
    assert_int_equal(steady_data_tokens(data, STEADY_TRAIN, ids, 0, NULL), STEADY_USAGE);
    assert_int_equal(steady_data_tokens(data, STEADY_TRAIN, ids, 200, NULL), STEADY_OK);
    refused(LANGUAGE, "data.tokens", "char", data, STEADY_USAGE, "data.tokens = word");
    steady_data_free(data);
}

static void data_of_another_task_are_refused(void **state) {
    (void)state;
    steady_data *pairs = data_new(), *text = data_new();
    steady_data_pairs(pairs, STEADY_TRAIN, "a\nb\n", "c\nd\n", NULL);
    steady_data_text(text, STEADY_TRAIN, "a b c d e f g h i", NULL);
    refused(LANGUAGE, NULL, NULL, pairs, STEADY_USAGE, "call steady_data_text");
    refused(PAIRS, NULL, NULL, text, STEADY_USAGE, "call steady_data_pairs");
    refused(PICTURES, NULL, NULL, text, STEADY_USAGE, "call steady_data_pictures");
    steady_data_free(pairs);
    steady_data_free(text);
}

static void a_score_that_is_not_finite_is_nan(void **state) {
    (void)state;
    steady_data *data = data_new();
    steady_parameter head;
    char *text = lines("ab cd\n", 30);
    double loss = 0;
    assert_int_equal(steady_data_text(data, STEADY_TRAIN, text, NULL), STEADY_OK);
    free(text);
    steady_model *model = built(LANGUAGE, NULL, NULL, data);
    size_t last = steady_model_parameters(model) - 1;
    steady_model_parameter(model, last, &head, NULL);
    float *values = calloc(head.size, sizeof *values);
    values[0] = NAN;
    steady_model_write(model, last, values, head.size, NULL);
    free(values);
    assert_int_equal(steady_model_evaluate(model, STEADY_TRAIN, NULL), STEADY_OK);
    assert_int_equal(steady_model_score(model, "loss", &loss, NULL), STEADY_OK);
    assert_true(isnan(loss));
    steady_model_free(model);
    steady_data_free(data);
}

static void pairs_in_memory_are_trained_and_translated(void **state) {
    (void)state;
    steady_data *data = data_new();
    char *source = lines("ein haus\n", 12), *target = lines("a house\n", 12), *text;
    assert_int_equal(steady_data_pairs(data, STEADY_TRAIN, source, target, NULL),
                     STEADY_OK);
    free(source), free(target);
    steady_model *model = built(PAIRS, NULL, NULL, data);
    train(model);
    assert_int_equal(steady_model_translate(model, "ein haus", &text, NULL), STEADY_OK);
    steady_text_free(text);
    assert_int_equal(steady_model_translate(model, "", &text, NULL), STEADY_OK);
    assert_string_equal(text, "");
    steady_text_free(text);
    steady_model_free(model);
    steady_data_free(data);
}

static void texts_that_cannot_be_are_refused(void **state) {
    (void)state;
    steady_data *pairs = data_new(), *bytes = data_new();
    assert_int_equal(steady_data_pairs(pairs, STEADY_TRAIN, "a\nb\n", "a\n", NULL),
                     STEADY_OK);
    refused(PAIRS, NULL, NULL, pairs, STEADY_DATA, "the training text.target has 1");
    assert_int_equal(steady_data_text(bytes, STEADY_TRAIN,
                                      "good\nb\xff"
                                      "d\n",
                                      NULL),
                     STEADY_OK);
    refused(LANGUAGE, NULL, NULL, bytes, STEADY_DATA, "the training text:2");
    steady_data_free(pairs);
    steady_data_free(bytes);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(pictures_in_memory_are_trained_scored_and_classified),
        cmocka_unit_test(pictures_that_cannot_be_are_refused),
        cmocka_unit_test(a_share_of_the_training_pictures_is_held_out),
        cmocka_unit_test(a_text_in_memory_is_trained_and_continued),
        cmocka_unit_test(numbers_of_tokens_are_words),
        cmocka_unit_test(numbers_that_would_be_read_as_characters_are_refused),
        cmocka_unit_test(data_of_another_task_are_refused),
        cmocka_unit_test(a_score_that_is_not_finite_is_nan),
        cmocka_unit_test(pairs_in_memory_are_trained_and_translated),
        cmocka_unit_test(texts_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests_name("library_data", cases, NULL, NULL);
}
