/* The library's door (include/steady.h): its numbers are the program's, every mistake of
 * a caller is a status, and a handle that failed can be freed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "include/steady.h"

/* Four steps of two tiny blocks. */
#define SMALL                                                                            \
    "[train]\nsteps = 4\nbatch = 4\nthreads = 1\n[optim]\nlr = 0.01\nclip = 1\n"         \
    "[schedule]\nname = cosine\nwarmup_steps = 2\n[probe]\nevery = 1\n"
#define BODY "[model]\nwidth = 16\ndepth = 2\nheads = 2\nreparam = sigma\n"

/* One of each kind of task, on data that are built in. */
static const struct {
    const char *name, *text;
} RECIPES[] = {
    {"pictures", SMALL BODY "patch = 7\ndropout = 0.1\n[data]\nimage_size = 28\n"
                            "synthetic_count = 40\naugment = none\n"},
    {"language", "[task]\nkind = language\n" SMALL BODY "context = 16\n[data]\n"
                 "source = grammar\nsynthetic_count = 100\ntokens = char\n"},
    {"pairs", "[task]\nkind = translate\n" SMALL BODY "context = 64\n[data]\n"
              "source = numbers\nsynthetic_count = 40\ntokens = word\n"},
    {"speech", "[task]\nkind = transcribe\n" SMALL BODY "position = none\n[data]\n"
               "source = tones\nsynthetic_count = 16\n"},
};

enum { PICTURES, LANGUAGE, PAIRS, SPEECH, KINDS };

static steady_recipe *recipe_of(int kind) {
    steady_error error;
    steady_recipe *recipe;
    if (steady_recipe_parse(RECIPES[kind].text, &recipe, &error))
        fail_msg("%s: %s", RECIPES[kind].name, error.text);
    return recipe;
}

static steady_model *model_of(int kind) {
    steady_error error;
    steady_model *model;
    steady_recipe *recipe = recipe_of(kind);
    if (steady_model_new(recipe, NULL, NULL, &model, &error))
        fail_msg("%s: %s", RECIPES[kind].name, error.text);
    steady_recipe_free(recipe);
    return model;
}

static const char *file_of(const char *name) {
    static char path[400];
    const char *tmp = getenv("TMP");
    snprintf(path, sizeof path, "%.300s/%s", tmp ? tmp : "/tmp", name);
    return path;
}

/* ---- the program's numbers ---- */

static FILE *train_with_program(int kind) {
    const char *program = getenv("STEADY"), *path = file_of(RECIPES[kind].name);
    char command[2500], line[2000] = "";
    if (!program) skip();
    snprintf(command, sizeof command, "%s.ini", path);
    FILE *file = fopen(command, "w");
    assert_non_null(file);
    fputs(RECIPES[kind].text, file);
    fclose(file);
    snprintf(command, sizeof command,
             "rm -rf %s && %.400s train %s.ini guard.exit=ok --no-report --out %s 2>&1",
             path, program, path, path);
    FILE *said = popen(command, "r");
    while (fgets(line, sizeof line, said)) continue;
    if (pclose(said)) fail_msg("%s: %s", command, line);
    snprintf(command, sizeof command, "%s/train.jsonl", path);
    return fopen(command, "r");
}

/* A log has nine digits, which give a float back. */
static void same_number(const char *row, const char *name, double ours) {
    char member[40], theirs[40], text[40];
    snprintf(member, sizeof member, "\"%s\":", name);
    const char *at = strstr(row, member);
    assert_non_null(at);
    snprintf(theirs, sizeof theirs, "%.9g", strtod(at + strlen(member), NULL));
    snprintf(text, sizeof text, "%.9g", ours);
    if (strcmp(text, theirs)) fail_msg("%s = %s is not in %s", name, text, row);
}

/* The run that train_with_program left, against the last row of its eval.jsonl. */
static void open_and_score(int kind) {
    char name[420], row[4000] = "";
    const char *path = file_of(RECIPES[kind].name);
    steady_model *model;
    double loss = 0;
    snprintf(name, sizeof name, "%s/eval.jsonl", path);
    FILE *log = fopen(name, "r");
    while (log && fgets(row, sizeof row, log)) continue;
    assert_non_null(log);
    fclose(log);
    steady_error error;
    if (steady_model_open(path, NULL, NULL, &model, &error) ||
        steady_model_evaluate(model, STEADY_TEST, &error) ||
        steady_model_score(model, "loss", &loss, &error))
        fail_msg("%s", error.text);
    same_number(row, "loss", loss);
    assert_int_equal(steady_model_step(model, NULL, NULL), STEADY_USAGE);
    steady_model_free(model);
}

static void steps_are_the_programs_to_the_bit(void **state) {
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        FILE *log = train_with_program(kind);
        assert_non_null(log);
        steady_model *model = model_of(kind);
        steady_step step;
        char row[1000];
        for (size_t n = 1; n <= steady_model_steps(model); n++) {
            steady_error error;
            if (steady_model_step(model, &step, &error)) fail_msg("%s", error.text);
            assert_non_null(fgets(row, sizeof row, log));
            same_number(row, "step", (double)step.number);
            same_number(row, "epoch", step.epoch);
            same_number(row, "loss", step.loss);
            same_number(row, "lr", step.learning_rate);
            same_number(row, "grad_norm", step.gradient_norm);
        }
        assert_null(fgets(row, sizeof row, log));
        fclose(log);
        steady_model_free(model);
        open_and_score(kind);
    }
}

/* ---- several models ---- */

static void two_models_at_once_do_not_disturb_each_other(void **state) {
    (void)state;
    steady_model *a = model_of(PICTURES), *b = model_of(LANGUAGE),
                 *alone = model_of(PICTURES);
    steady_step one, other, wanted;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(steady_model_step(alone, &wanted, NULL), STEADY_OK);
        assert_int_equal(steady_model_step(a, &one, NULL), STEADY_OK);
        assert_int_equal(steady_model_step(b, &other, NULL), STEADY_OK);
        assert_true(one.loss == wanted.loss && one.gradient_norm == wanted.gradient_norm);
    }
    steady_model_free(b);
    assert_int_equal(steady_model_step(a, &one, NULL), STEADY_OK);
    steady_model_free(a);
    steady_model_free(alone);
}

/* ---- what a caller can do wrong ---- */

#define REFUSED(code, part, call)                                                        \
    do {                                                                                 \
        steady_error error = {STEADY_OK, ""};                                            \
        assert_int_equal(call, code);                                                    \
        assert_int_equal(error.status, code);                                            \
        if (!strstr(error.text, part))                                                   \
            fail_msg("\"%s\" is not in \"%s\"", part, error.text);                       \
    } while (0)
#define NULL_REFUSED(part, call) REFUSED(STEADY_USAGE, "`" part "` is NULL", call)

static void every_function_refuses_null(void **state) {
    (void)state;
    steady_recipe *recipe = recipe_of(PICTURES), *made;
    steady_model *model = model_of(PICTURES), *built;
    steady_data *data;
    steady_pictures pictures = {0};
    steady_sampling sampling = {0};
    steady_parameter parameter;
    steady_site site;
    steady_weight weight;
    char *text;
    double value;
    float number;
    NULL_REFUSED("recipe", steady_recipe_new(NULL, &error));
    NULL_REFUSED("recipe", steady_recipe_open("demo", NULL, &error));
    NULL_REFUSED("name", steady_recipe_open(NULL, &made, &error));
    NULL_REFUSED("text", steady_recipe_parse(NULL, &made, &error));
    NULL_REFUSED("recipe", steady_recipe_set(NULL, "optim.lr", "1", &error));
    NULL_REFUSED("value", steady_recipe_set(recipe, "optim.lr", NULL, &error));
    NULL_REFUSED("key", steady_recipe_get(recipe, NULL, (char[9]){0}, 9, &error));
    NULL_REFUSED("data", steady_data_new(NULL, &error));
    assert_int_equal(steady_data_new(&data, NULL), STEADY_OK);
    NULL_REFUSED("pictures", steady_data_pictures(data, STEADY_TRAIN, NULL, &error));
    NULL_REFUSED("text", steady_data_text(data, STEADY_TRAIN, NULL, &error));
    NULL_REFUSED("ids", steady_data_tokens(data, STEADY_TRAIN, NULL, 3, &error));
    NULL_REFUSED("target", steady_data_pairs(data, STEADY_TRAIN, "a", NULL, &error));
    NULL_REFUSED("recipe", steady_model_new(NULL, NULL, NULL, &built, &error));
    NULL_REFUSED("model", steady_model_new(recipe, NULL, NULL, NULL, &error));
    NULL_REFUSED("run", steady_model_open(NULL, NULL, NULL, &built, &error));
    NULL_REFUSED("model", steady_model_step(NULL, NULL, &error));
    NULL_REFUSED("model", steady_model_evaluate(NULL, STEADY_TEST, &error));
    NULL_REFUSED("name", steady_model_score(model, NULL, &value, &error));
    NULL_REFUSED("out", steady_model_site(model, 0, NULL, &error));
    NULL_REFUSED("model", steady_model_site(NULL, 0, &site, &error));
    NULL_REFUSED("model", steady_model_weight(NULL, 0, &weight, &error));
    NULL_REFUSED("model", steady_model_parameter(NULL, 0, &parameter, &error));
    NULL_REFUSED("values", steady_model_read(model, 0, NULL, 1, &error));
    NULL_REFUSED("model", steady_model_write(NULL, 0, &number, 1, &error));
    NULL_REFUSED("path", steady_model_save(model, NULL, &error));
    NULL_REFUSED("path", steady_model_load(model, NULL, &error));
    NULL_REFUSED("model", steady_model_resume(NULL, "x", &error));
    NULL_REFUSED("pictures", steady_model_classify(model, NULL, &number, 1, &error));
    NULL_REFUSED("probabilities",
                 steady_model_classify(model, &pictures, NULL, 1, &error));
    NULL_REFUSED("sampling", steady_model_continue(model, NULL, NULL, &text, &error));
    NULL_REFUSED("model", steady_model_continue(NULL, NULL, &sampling, &text, &error));
    NULL_REFUSED("sentence", steady_model_translate(model, NULL, &text, &error));
    NULL_REFUSED("path", steady_model_transcribe(model, NULL, &text, &error));
    NULL_REFUSED("model", steady_model_set_op(NULL, NULL, &error));
    assert_int_equal(steady_model_steps(NULL) + steady_model_done(NULL) +
                         steady_model_sites(NULL) + steady_model_weights(NULL) +
                         steady_model_parameters(NULL),
                     0);
    steady_text_free(NULL), steady_data_free(NULL), steady_model_free(NULL);
    steady_recipe_free(NULL);
    steady_data_free(data), steady_model_free(model), steady_recipe_free(recipe);
}

static void recipes_name_what_is_wrong(void **state) {
    (void)state;
    steady_recipe *recipe = NULL;
    char value[20];
    REFUSED(STEADY_USAGE, "did you mean", steady_recipe_open("demi", &recipe, &error));
    assert_null(recipe);
    REFUSED(STEADY_USAGE, "recipe:2",
            steady_recipe_parse("[model]\nwith = 3\n", &recipe, &error));
    assert_null(recipe);
    assert_int_equal(steady_recipe_new(&recipe, NULL), STEADY_OK);
    REFUSED(STEADY_USAGE, "model.width",
            steady_recipe_set(recipe, "model.with", "3", &error));
    REFUSED(STEADY_USAGE, "optim.lr",
            steady_recipe_set(recipe, "optim.lr", "fast", &error));
    assert_int_equal(steady_recipe_set(recipe, "model.width", "48", NULL), STEADY_OK);
    assert_int_equal(steady_recipe_get(recipe, "model.width", value, sizeof value, NULL),
                     0);
    assert_string_equal(value, "48");
    REFUSED(STEADY_USAGE, "takes 3 bytes with its final 0; size = 2",
            steady_recipe_get(recipe, "model.width", value, 2, &error));
    steady_recipe_free(recipe);
}

static void models_refuse_what_the_library_does_not_do(void **state) {
    (void)state;
    static const char *const PAIR[][2] = {{"train.ema", "0.9"},
                                          {"schedule.name", "plateau"},
                                          {"model.width", "15"},
                                          {"train.batch", "4000"},
                                          {"data.source", "text"}};
    for (size_t i = 0; i < sizeof PAIR / sizeof *PAIR; i++) {
        steady_recipe *recipe = recipe_of(PICTURES);
        steady_model *model = (steady_model *)&recipe;
        assert_int_equal(steady_recipe_set(recipe, PAIR[i][0], PAIR[i][1], NULL), 0);
        REFUSED(STEADY_USAGE, PAIR[i][0],
                steady_model_new(recipe, NULL, NULL, &model, &error));
        assert_null(model);
        steady_recipe_free(recipe);
    }
    steady_model *none;
    REFUSED(STEADY_USAGE, "no-such-run",
            steady_model_open("/no-such-run", NULL, NULL, &none, &error));
    assert_null(none);
}

static void wrong_states_and_numbers_are_refused(void **state) {
    (void)state;
    steady_model *model = model_of(LANGUAGE);
    steady_pictures pictures = {(const uint8_t *)"", NULL, 1, 1, 1, 1, 1};
    steady_site site;
    steady_parameter parameter;
    char *text;
    double value;
    float number;
    REFUSED(STEADY_USAGE, "nothing has been evaluated",
            steady_model_score(model, "loss", &value, &error));
    for (int i = 0; i < 4; i++) assert_int_equal(steady_model_step(model, NULL, NULL), 0);
    REFUSED(STEADY_USAGE, "all 4 steps", steady_model_step(model, NULL, &error));
    REFUSED(STEADY_USAGE, "expected a number below 2",
            steady_model_site(model, 2, &site, &error));
    REFUSED(STEADY_USAGE, "parameter 9999",
            steady_model_parameter(model, 9999, &parameter, &error));
    REFUSED(STEADY_USAGE, "the array has 1",
            steady_model_read(model, 0, &number, 1, &error));
    REFUSED(STEADY_USAGE, "task.kind = classify",
            steady_model_classify(model, &pictures, &number, 1, &error));
    REFUSED(STEADY_USAGE, "task.kind = translate",
            steady_model_translate(model, "1", &text, &error));
    assert_null(text);
    REFUSED(STEADY_USAGE, "task.kind = transcribe",
            steady_model_transcribe(model, "a.wav", &text, &error));
    REFUSED(STEADY_USAGE, "no such split",
            steady_model_evaluate(model, (steady_split)7, &error));
    REFUSED(STEADY_DATA, "no-such-file",
            steady_model_load(model, "/no-such-file", &error));
    REFUSED(STEADY_USAGE, "both", steady_model_set_op(model, &(steady_op){0}, &error));
    assert_int_equal(steady_model_evaluate(model, STEADY_VAL, NULL), STEADY_OK);
    REFUSED(STEADY_USAGE, "expected", steady_model_score(model, "top1", &value, &error));
    assert_int_equal(steady_model_score(model, "loss", &value, NULL), STEADY_OK);
    assert_true(value > 0 && value < 10);
    steady_model_free(model);
}

/* ---- notes ---- */

static void count_line(void *context, const char *line) {
    if (strstr(line, "model.context is ignored")) ++*(int *)context;
}

static void notes_go_to_the_listener_alone(void **state) {
    (void)state;
    int heard = 0;
    steady_listener listener = {count_line, &heard};
    steady_recipe *recipe = recipe_of(PICTURES);
    steady_model *model;
    assert_int_equal(steady_recipe_set(recipe, "model.context", "8", NULL), STEADY_OK);
    assert_int_equal(steady_model_new(recipe, NULL, &listener, &model, NULL), STEADY_OK);
    assert_int_equal(heard, 1);
    steady_model_free(model);
    steady_recipe_free(recipe);
}

/* ---- weights ---- */

static size_t find(const steady_model *model, const char *name, steady_parameter *p) {
    for (size_t i = 0; i < steady_model_parameters(model); i++) {
        assert_int_equal(steady_model_parameter(model, i, p, NULL), STEADY_OK);
        if (!strcmp(p->name, name)) return i;
    }
    fail_msg("there is no %s", name);
    return 0;
}

static void four_steps_are_two_and_two_resumed(void **state) {
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        steady_model *whole = model_of(kind), *half = model_of(kind),
                     *rest = model_of(kind);
        const char *path = file_of("half.safetensors");
        steady_step wanted, step;
        steady_error error;
        for (int i = 0; i < 2; i++)
            assert_int_equal(steady_model_step(half, NULL, NULL), 0);
        if (steady_model_save(half, path, &error)) fail_msg("%s", error.text);
        if (steady_model_resume(rest, path, &error)) fail_msg("%s", error.text);
        assert_int_equal(steady_model_done(rest), 2);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(steady_model_step(whole, &wanted, NULL), 0);
            if (i < 2) continue;
            if (steady_model_step(rest, &step, &error)) fail_msg("%s", error.text);
            assert_memory_equal(&step, &wanted, sizeof step);
        }
        steady_model_free(whole), steady_model_free(half), steady_model_free(rest);
        remove(path);
    }
}

static void weights_are_written_read_and_loaded(void **state) {
    (void)state;
    steady_model *model = model_of(PICTURES), *other = model_of(PICTURES);
    const char *path = file_of("weights.safetensors");
    steady_parameter p;
    size_t i = find(model, "head.weight", &p);
    assert_true(p.dims == 2 && p.shape[0] == 10 && p.shape[1] == 16 && p.trained);
    float values[160];
    assert_int_equal(p.size, 160);
    for (size_t k = 0; k < 160; k++) values[k] = (float)k / 7;
    assert_int_equal(steady_model_write(model, i, values, 160, NULL), STEADY_OK);
    assert_int_equal(steady_model_save(model, path, NULL), STEADY_OK);
    assert_int_equal(steady_model_load(other, path, NULL), STEADY_OK);
    memset(values, 0, sizeof values);
    assert_int_equal(steady_model_read(other, i, values, 160, NULL), STEADY_OK);
    for (size_t k = 0; k < 160; k++) assert_true(values[k] == (float)k / 7);
    steady_model_free(model), steady_model_free(other);
    remove(path);
}

/* ---- probes ---- */

static void probes_are_in_their_ranges(void **state) {
    (void)state;
    steady_recipe *recipe = recipe_of(PICTURES);
    steady_model *model;
    assert_int_equal(steady_recipe_set(recipe, "optim.lr", "0.00001", NULL), STEADY_OK);
    assert_int_equal(steady_model_new(recipe, NULL, NULL, &model, NULL), STEADY_OK);
    steady_recipe_free(recipe);
    assert_int_equal(steady_model_step(model, NULL, NULL), STEADY_OK);
    assert_int_equal(steady_model_sites(model), 2);
    for (size_t i = 0; i < steady_model_sites(model); i++) {
        steady_site site;
        assert_int_equal(steady_model_site(model, i, &site, NULL), STEADY_OK);
        assert_int_equal(site.heads, 2);
        for (size_t h = 0; h < site.heads; h++)
            assert_true(site.entropy[h] > 0 && site.entropy[h] <= site.uniform * 1.0001);
    }
    for (size_t i = 0; i < steady_model_weights(model); i++) {
        steady_weight w;
        assert_int_equal(steady_model_weight(model, i, &w, NULL), STEADY_OK);
        assert_true(w.sigma > 0 && w.gradient_norm >= 0);
        /* sigmaReparam: the effective norm is gamma, but for how far u and v are
         * behind. */
        assert_true(w.sigma > 0.99 * w.gamma && w.sigma < 1.01 * w.gamma);
    }
    steady_model_free(model);
}

/* ---- an op of one's own ---- */

static void same(void *context, size_t rows, size_t width, const float *x, float *y) {
    (void)context;
    memcpy(y, x, rows * width * sizeof *x);
}

static void same_back(void *context, size_t rows, size_t width, const float *x,
                      const float *y, const float *dy, float *dx) {
    (void)x, (void)y;
    ++*(int *)context;
    memcpy(dx, dy, rows * width * sizeof *dx);
}

static void the_op_that_changes_nothing_changes_nothing(void **state) {
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        steady_model *plain = model_of(kind), *own = model_of(kind);
        int calls = 0;
        steady_op op = {&calls, same, same_back};
        steady_step a, b;
        assert_int_equal(steady_model_set_op(own, &op, NULL), STEADY_OK);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(steady_model_step(plain, &a, NULL), STEADY_OK);
            assert_int_equal(steady_model_step(own, &b, NULL), STEADY_OK);
            assert_memory_equal(&a, &b, sizeof a);
        }
        assert_true(calls >= 2);
        steady_model_free(plain), steady_model_free(own);
    }
}

static void twice(void *context, size_t rows, size_t width, const float *x, float *y) {
    (void)context;
    for (size_t i = 0; i < rows * width; i++) y[i] = 2 * x[i];
}

static void twice_back(void *context, size_t rows, size_t width, const float *x,
                       const float *y, const float *dy, float *dx) {
    (void)context, (void)x, (void)y;
    for (size_t i = 0; i < rows * width; i++) dx[i] = 2 * dy[i];
}

/* f(x) = 2 x before a head is what a head of twice the gamma gives, gradients too. */
static void an_op_acts_as_its_formula(void **state) {
    (void)state;
    steady_model *own = model_of(PICTURES), *wanted = model_of(PICTURES);
    steady_op op = {NULL, twice, twice_back};
    steady_parameter p;
    steady_step a, b;
    float values[1];
    size_t gamma = find(wanted, "head.gamma", &p);
    assert_int_equal(steady_model_read(wanted, gamma, values, 1, NULL), STEADY_OK);
    values[0] *= 2;
    assert_int_equal(steady_model_write(wanted, gamma, values, 1, NULL), STEADY_OK);
    assert_int_equal(steady_model_set_op(own, &op, NULL), STEADY_OK);
    assert_int_equal(steady_model_step(own, &a, NULL), STEADY_OK);
    assert_int_equal(steady_model_step(wanted, &b, NULL), STEADY_OK);
    assert_true(a.loss - b.loss < 1e-5 && b.loss - a.loss < 1e-5);
    for (size_t w = 0; w + 1 < steady_model_weights(own); w++) {
        steady_weight x, y;
        assert_int_equal(steady_model_weight(own, w, &x, NULL), STEADY_OK);
        assert_int_equal(steady_model_weight(wanted, w, &y, NULL), STEADY_OK);
        assert_true(x.gradient_norm > 0.999 * y.gradient_norm - 1e-9 &&
                    x.gradient_norm < 1.001 * y.gradient_norm + 1e-9);
    }
    steady_model_free(own), steady_model_free(wanted);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(steps_are_the_programs_to_the_bit),
        cmocka_unit_test(two_models_at_once_do_not_disturb_each_other),
        cmocka_unit_test(every_function_refuses_null),
        cmocka_unit_test(recipes_name_what_is_wrong),
        cmocka_unit_test(models_refuse_what_the_library_does_not_do),
        cmocka_unit_test(wrong_states_and_numbers_are_refused),
        cmocka_unit_test(notes_go_to_the_listener_alone),
        cmocka_unit_test(four_steps_are_two_and_two_resumed),
        cmocka_unit_test(weights_are_written_read_and_loaded),
        cmocka_unit_test(probes_are_in_their_ranges),
        cmocka_unit_test(the_op_that_changes_nothing_changes_nothing),
        cmocka_unit_test(an_op_acts_as_its_formula),
    };
    return cmocka_run_group_tests_name("library", cases, NULL, NULL);
}
