/* train.transfer: what a model takes of another's file, what is made anew, and what is
 * refused with names and shapes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "models/positions.h"
#include "tensor_files.h"
#include "tools/program/say.h"
#include "tools/run/checkpoint.h"
#include "tools/task/init.h"
#include "tools/task/meaning.h"
#include "tools/task/step.h"

typedef struct Run {
    Recipe recipe;
    Task *task;
    char lines[3000]; /* what was said */
} Run;

static void hear(void *context, const char *line) {
    Run *r = context;
    size_t used = strlen(r->lines);
    snprintf(r->lines + used, sizeof r->lines - used, "%s\n", line);
}

enum { WORDS = 6 };

/* Glyphs of 28 x 28 pixels in ten classes: 7 x 7 patches. */
static void open_run(Run *r, const char *const *words) {
    Err err = ERR_NONE;
    *r = (Run){.recipe = recipe_default()};
    assert_int_equal(recipe_load(&r->recipe, "demo", &err), OK);
    const char *const small[] = {"data.synthetic_count=100", "model.depth=2",
                                 "model.width=16",           "model.heads=2",
                                 "model.init_std=0.2",       "model.patch=4",
                                 "model.position=learned"};
    for (size_t i = 0; i < COUNT(small); i++)
        assert_int_equal(recipe_set(&r->recipe, small[i], &err), OK);
    for (size_t i = 0; i < WORDS && words[i]; i++)
        if (recipe_set(&r->recipe, words[i], &err)) fail_msg("%s", err.text);
    if (recipe_check(&r->recipe, &err)) fail_msg("%s", err.text);
    r->task = task_open(&r->recipe, NULL, &err);
    if (!r->task) fail_msg("%s", err.text);
}

static Status fill(Run *r, Err *err) {
    *err = ERR_NONE;
    Listener before = say_to((Listener){hear, r});
    Status status = init_weights(r->task, "", err);
    say_to(before);
    return status;
}

static void must_fill(Run *r) {
    Err err;
    if (fill(r, &err)) fail_msg("%s", err.text);
}

static void open_filled(Run *r, const char *const *words) {
    open_run(r, words);
    must_fill(r);
}

static void close_run(Run *r) { task_free(r->task); }

/* As if it had been trained: vectors and gains off what they start as, u and v not
 * settled. */
static void shake(Run *r) {
    ParamSet *params = r->task->model->params;
    for (size_t i = 0; i < params->count; i++) {
        Param *p = params->list[i];
        for (size_t k = 0; k < p->tensor.size; k++)
            if (p->role != PARAM_BUFFER)
                p->tensor.value[k] += (real)(0.05 * sin((double)(7 * k + 3 * i)));
    }
    model_freeze(r->task->model);
}

static char path[200];

static const char *save(Run *r, const char *name) {
    Err err = ERR_NONE;
    TextBuffer meaning = {0};
    meaning_describe(r->task, 0, &meaning);
    CheckpointParts parts = {.model = r->task->model, .meaning = meaning.text};
    Progressed at = {.step = 1};
    snprintf(path, sizeof path, "%s", tensors_path(name));
    if (checkpoint_save(path, NULL, &parts, &at, &err)) fail_msg("%s", err.text);
    text_free(&meaning);
    return path;
}

static const char *init_word(void) {
    static char word[300];
    snprintf(word, sizeof word, "train.init=%s", path);
    return word;
}

/* A trained model with these words, in a file. */
static void make_file(Run *r, const char *const *words) {
    open_filled(r, words);
    shake(r);
    save(r, "from.safetensors");
}

static double loss_of(Run *r) {
    Err err = ERR_NONE;
    Step step;
    if (r->task->ops->sample(r->task, SPLIT_TEST, 40, &err)) fail_msg("%s", err.text);
    task_measure_begin(r->task, 16, &step);
    StepBatch batch = task_step_batch(r->task, 1, (ForwardMode){.temperature = 1});
    step_gradients(&step, &batch);
    double loss = step.loss;
    step_end(&step);
    return loss;
}

static const Param *find(const Run *r, const char *name) {
    const Param *p = params_find(r->task->model->params, name);
    if (!p) fail_msg("no %s", name);
    return p;
}

static bool is_equal(const Param *a, const Param *b) {
    return a->tensor.size == b->tensor.size &&
           !memcmp(a->tensor.value, b->tensor.value, a->tensor.size * sizeof(real));
}

static void expect_line(const Run *r, const char *text) {
    if (!strstr(r->lines, text)) fail_msg("`%s` is not among\n%s", text, r->lines);
}

/* ---- what is kept ---- */

static const char *const METHODS[] = {"model.reparam=none", "model.reparam=sigma",
                                      "model.reparam=spectral", "model.reparam=weight"};

static void a_model_of_the_same_kind_is_kept_to_the_bit(void **state) {
    (void)state;
    for (size_t m = 0; m < COUNT(METHODS); m++) {
        Run from, to;
        make_file(&from, (const char *[WORDS]){METHODS[m]});
        open_filled(&to, (const char *[WORDS]){METHODS[m], init_word(), "train.seed=9",
                                               "train.transfer=true"});
        const ParamSet *params = from.task->model->params;
        for (size_t i = 0; i < params->count; i++)
            if (!is_equal(params->list[i], find(&to, params->list[i]->name)))
                fail_msg("%s: %s", METHODS[m], params->list[i]->name);
        expect_line(&to, "positions of 7x7 patches kept (grid from the file)");
        assert_true(loss_of(&from) == loss_of(&to));
        close_run(&from);
        close_run(&to);
    }
}

/* Every method's file begins a plain model, and a plain one every method's; what the
 * model computes is the same, but where gamma or g has no way to say it (spectral norm).
 * */
static void scales_are_folded_in_or_made(void **state) {
    (void)state;
    for (size_t a = 0; a < COUNT(METHODS); a++)
        for (size_t b = 0; b < COUNT(METHODS); b++) {
            Run from, to;
            if (a == b) continue;
            make_file(&from, (const char *[WORDS]){METHODS[a]});
            open_filled(&to, (const char *[WORDS]){METHODS[b], init_word(),
                                                   "train.transfer=true"});
            double was = loss_of(&from), is = loss_of(&to);
            bool same = fabs(is / was - 1) < 1e-5, kept = b != 2;
            if (same != kept)
                fail_msg("%s -> %s: loss %g, %g", METHODS[a], METHODS[b], was, is);
            if (a)
                expect_line(&to, "the scales of 10 weights were folded into the weights");
            if (b % 2)
                expect_line(&to, "gains of 10 layers initialised from their weights");
            if (b == 2) expect_line(&to, "10 layers are divided by their spectral norms");
            close_run(&from);
            close_run(&to);
        }
}

static void gains_that_start_at_one_are_told(void **state) {
    (void)state;
    Run from, to;
    make_file(&from, (const char *[WORDS]){"model.reparam=none"});
    open_filled(&to, (const char *[WORDS]){"model.reparam=sigma", "model.gamma_init=1",
                                           init_word(), "train.transfer=true"});
    expect_line(&to, "gains of 10 layers start at 1");
    assert_true(fabs(loss_of(&from) / loss_of(&to) - 1) > 1e-5);
    close_run(&from);
    close_run(&to);
}

static void the_head_is_made_anew_for_other_classes(void **state) {
    (void)state;
    Run from, to;
    make_file(&from, (const char *[WORDS]){"model.reparam=sigma"});
    ParamSet *params = from.task->model->params;
    const real *head = find(&from, "head.weight")->tensor.value;
    /* the file of a model of four classes */
    Err err = ERR_NONE;
    SafetensorsWriter *w = safetensors_writer_new();
    for (size_t i = 0; i < params->count; i++) {
        const Param *p = params->list[i];
        if (!strncmp(p->name, "head.", 5)) continue;
        safetensors_add(w, p->name, p->tensor.dims, p->tensor.shape, p->tensor.value);
    }
    safetensors_add(w, "head.weight", 2, (size_t[]){4, 16}, head);
    safetensors_add(w, "head.bias", 1, (size_t[]){4}, head);
    safetensors_add(w, "projector.0.weight", 2, (size_t[]){4, 16}, head);
    safetensors_add(w, "probe.bias", 1, (size_t[]){4}, head);
    assert_int_equal(safetensors_save(w, path, &err), OK);
    safetensors_writer_free(w);
    Run fresh;
    open_filled(&fresh, (const char *[WORDS]){"model.reparam=sigma"});
    open_filled(&to, (const char *[WORDS]){"model.reparam=sigma", init_word(),
                                           "train.transfer=true"});
    expect_line(&to, "head reinitialised: 4 outputs -> 10");
    expect_line(&to, "not used: projector.*, probe.* (2 tensors)");
    assert_true(is_equal(find(&to, "head.weight"), find(&fresh, "head.weight")));
    assert_true(is_equal(find(&to, "head.gamma"), find(&fresh, "head.gamma")));
    assert_true(is_equal(find(&to, "norm.weight"), find(&from, "norm.weight")));
    close_run(&from);
    close_run(&to);
    close_run(&fresh);
}

/* Both ways, and from one contrastive model to another. */
static void a_contrastive_model_begins_a_classifier_and_the_reverse(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *lines[3];
    } CASES[] = {
        {"task.kind=contrastive",
         "task.kind=classify",
         {"head reinitialised: the file has none", "not used: projector.*, probe.*"}},
        {"task.kind=classify",
         "task.kind=contrastive",
         {"projector reinitialised: the file has none",
          "probe reinitialised: the file has none", "not used: head.* (5 tensors)"}},
        {"task.kind=contrastive", "task.kind=contrastive", {"positions of 7x7"}},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Run from, to;
        make_file(&from, (const char *[WORDS]){CASES[i].from, "model.reparam=sigma",
                                               "train.batch=8"});
        open_filled(&to, (const char *[WORDS]){CASES[i].to, "model.reparam=sigma",
                                               "train.batch=8", init_word(),
                                               "train.transfer=true", "train.seed=9"});
        for (size_t k = 0; k < 3 && CASES[i].lines[k]; k++)
            expect_line(&to, CASES[i].lines[k]);
        const ParamSet *params = to.task->model->params;
        size_t kept = 0;
        for (size_t k = 0; k < params->count; k++) {
            const Param *p = params->list[k];
            const Param *old = params_find(from.task->model->params, p->name);
            if (old && !is_equal(old, p)) fail_msg("case %zu: %s", i, p->name);
            kept += old != NULL;
        }
        assert_true(kept > 40);
        close_run(&from);
        close_run(&to);
    }
}

/* ---- positions ---- */

static void learned_positions_are_resampled(void **state) {
    (void)state;
    Run from, to;
    make_file(&from, (const char *[WORDS]){NULL});
    open_filled(&to, (const char *[WORDS]){init_word(), "train.transfer=true",
                                           "data.image_size=16"});
    real wanted[16 * 16];
    const real *old = find(&from, "pos_embed")->tensor.value;
    const real *new = find(&to, "pos_embed")->tensor.value;
    positions_resample(old + 16, (Grid){7, 7}, wanted, (Grid){4, 4}, 16);
    assert_memory_equal(new, old, 16 * sizeof(real)); /* the class token's */
    assert_memory_equal(new + 16, wanted, sizeof wanted);
    expect_line(&to, "positions 7x7 -> 4x4, bicubic (7x7 from the file)");
    close_run(&from);
    close_run(&to);
}

static void fixed_positions_are_those_of_the_new_grid(void **state) {
    (void)state;
    Run from, to, fresh;
    make_file(&from, (const char *[WORDS]){"model.position=sincos"});
    open_filled(&fresh,
                (const char *[WORDS]){"model.position=sincos", "data.image_size=16"});
    open_filled(&to, (const char *[WORDS]){"model.position=sincos", init_word(),
                                           "train.transfer=true", "data.image_size=16"});
    assert_true(is_equal(find(&to, "pos_embed"), find(&fresh, "pos_embed")));
    expect_line(&to, "positions: fixed for 4x4 patches");
    close_run(&from);
    close_run(&to);
    close_run(&fresh);
}

/* A file of another program, with so many positions. */
static void make_plain(const Run *r, size_t positions, bool class_token) {
    static real values[70 * 16];
    Err err = ERR_NONE;
    SafetensorsWriter *w = safetensors_writer_new();
    for (size_t i = 0; i < COUNT(values); i++) values[i] = (real)cos(0.3 * (double)i);
    const ParamSet *params = r->task->model->params;
    for (size_t i = 0; i < params->count; i++) {
        const Param *p = params->list[i];
        if (!strcmp(p->name, "pos_embed")) continue;
        if (!class_token && !strcmp(p->name, "cls_token")) continue;
        safetensors_add(w, p->name, p->tensor.dims, p->tensor.shape, p->tensor.value);
    }
    safetensors_add(w, "pos_embed", 3, (size_t[]){1, positions, 16}, values);
    snprintf(path, sizeof path, "%s", tensors_path("plain.safetensors"));
    if (safetensors_save(w, path, &err)) fail_msg("%s", err.text);
    safetensors_writer_free(w);
}

static void a_grid_is_never_guessed(void **state) {
    (void)state;
    static const struct {
        size_t positions;
        bool class_token;
        const char *grid, *says; /* grid "": not given; says: a line, or else the error */
        Status status;
    } CASES[] = {
        {65, true, "", "positions 8x8 -> 7x7, bicubic (8x8 from their number", OK},
        {64, false, "", "positions 8x8 -> 7x7, bicubic (8x8 from their number", OK},
        {65, true, "4x16", "positions 4x16 -> 7x7, bicubic (4x16 from train.init_grid)",
         OK},
        {64, true, "4x16", "position of the class token initialised: the file has none",
         OK},
        {64, false, "4x16", "class token initialised: the file has none", OK},
        {64, true, "", "train.init_grid=ROWSxCOLUMNS", FAIL_USAGE},
        {33, true, "", "train.init_grid=ROWSxCOLUMNS", FAIL_USAGE},
        {33, true, "4x7", "do not fit 4x7 patches", FAIL_USAGE},
    };
    Run base;
    open_filled(&base, (const char *[WORDS]){NULL});
    for (size_t i = 0; i < COUNT(CASES); i++) {
        Run to;
        Err err;
        char grid[60];
        make_plain(&base, CASES[i].positions, CASES[i].class_token);
        snprintf(grid, sizeof grid, "train.init_grid=%s", CASES[i].grid);
        open_run(&to, (const char *[WORDS]){init_word(), "train.transfer=true", grid});
        Status status = fill(&to, &err);
        if (status != CASES[i].status) fail_msg("case %zu: %d %s", i, status, err.text);
        if (!status) expect_line(&to, CASES[i].says);
        else if (!strstr(err.text, CASES[i].says)) fail_msg("case %zu: %s", i, err.text);
        close_run(&to);
    }
    close_run(&base);
}

/* ---- what is refused ---- */

static void expect_refused(const char *const *words, Status wanted, const char *text) {
    Run to;
    Err err;
    open_run(&to, words);
    Status status = fill(&to, &err);
    if (status != wanted || !strstr(err.text, text))
        fail_msg("%s: %d \"%s\"", text, status, err.text);
    close_run(&to);
}

static void models_that_do_not_fit_are_refused_by_name_and_shape(void **state) {
    (void)state;
    static const char *const CASES[][2] = {
        {"model.width=24", "cls_token is [1, 1, 16], expected [1, 1, 24]"},
        {"model.depth=3", "blocks.2.norm1.weight is missing, expected [16]"},
        {"model.depth=1", "blocks.1.norm1.weight is [16], not part of this model"},
        {"model.patch=2",
         "patch_embed.proj.weight is [16, 1, 4, 4], expected [16, 1, 2, 2]"},
        {"model.mlp_ratio=2", "blocks.0.mlp.fc1.weight is [64, 16], expected [32, 16]"},
        {"model.qkv=separate", "blocks.0.attn.q.weight is missing, expected [16, 16]"},
        {"model.heads=4", "model.heads is 2 in the file, 4 here"},
        {"model.norm=none", "model.norm is pre in the file, none here"},
        {"data.mean=0.9", "data.mean is"},
        {"train.init_ema=true", "has no averaged weights"},
        {"train.init_grid=3x3", "has positions of 7x7 patches (from the file)"},
    };
    Run from;
    make_file(&from, (const char *[WORDS]){NULL});
    for (size_t i = 0; i < COUNT(CASES); i++)
        expect_refused((const char *[WORDS]){init_word(), "train.transfer=true",
                                             CASES[i][0]},
                       strstr(CASES[i][0], "train.") ? FAIL_USAGE : FAIL_DATA,
                       CASES[i][1]);
    /* Norms of a file that says nothing would be left out in silence. */
    expect_refused((const char *[WORDS]){init_word(), "train.transfer=true",
                                         "model.norm=none", "train.init_fit=shapes"},
                   FAIL_DATA, "norm1.weight is [16], not part of this model");
    /* without train.transfer: an error with name and shape, and a hint */
    expect_refused((const char *[WORDS]){init_word(), "data.image_size=16"}, FAIL_DATA,
                   "pos_embed is [1, 50, 16], expected [1, 17, 16]; train.transfer=true");
    close_run(&from);
}

static void broken_files_are_refused(void **state) {
    (void)state;
    Run from;
    char bytes[200000];
    make_file(&from, (const char *[WORDS]){NULL});
    FILE *f = fopen(path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_true(size > 5000 && size < sizeof bytes);
    const char *words[WORDS] = {init_word(), "train.transfer=true"};
    for (size_t cut = 0; cut < size; cut += size / 23) {
        tensors_write_bytes(path, bytes, cut);
        expect_refused(words, FAIL_DATA, path);
    }
    unlink(path);
    expect_refused(words, FAIL_DATA, path);
    Param *gamma = params_find(from.task->model->params, "blocks.1.norm2.bias");
    gamma->tensor.value[3] = NAN;
    save(&from, "from.safetensors");
    expect_refused(words, FAIL_DATA, "blocks.1.norm2.bias has non-finite values");
    close_run(&from);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_of_the_same_kind_is_kept_to_the_bit),
        cmocka_unit_test(scales_are_folded_in_or_made),
        cmocka_unit_test(gains_that_start_at_one_are_told),
        cmocka_unit_test(the_head_is_made_anew_for_other_classes),
        cmocka_unit_test(a_contrastive_model_begins_a_classifier_and_the_reverse),
        cmocka_unit_test(learned_positions_are_resampled),
        cmocka_unit_test(fixed_positions_are_those_of_the_new_grid),
        cmocka_unit_test(a_grid_is_never_guessed),
        cmocka_unit_test(models_that_do_not_fit_are_refused_by_name_and_shape),
        cmocka_unit_test(broken_files_are_refused),
    };
    return cmocka_run_group_tests_name("transfer", tests, tensors_make_folder,
                                       tensors_remove_folder);
}
