/* contrast: ten steps of the five set-ups of the paper's Section 4.2 agree with PyTorch's
 * float64 (test/golden/make_contrast.py), with two different views of each picture, which
 * no recipe can fix.  Started from the top directory. */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/file/safetensors.h"
#include "engine/optim/schedule.h"
#include "models/contrast.h"
#include "models/step.h"

enum { SIDE = 12, BATCH = 8, STEPS = 10, HELD_OUT = 32, CLASSES = 10 };
enum { NUMBERS = SIDE * SIDE };

#define FOLDER "test/golden/contrast"
#define DATA "test/golden/vit/data"

/* The reference's own float32 run stays within 3e-5 (loss), 7e-5 (norm of the gradient),
 * 1e-6 (entropy).  Adam's eps is large: batch norm hides gammas of the projector and what
 * all features have in common, whose true gradient is 0, and they would make steps of
 * rounding errors. */
static const double LOSS = 2e-4, GRAD_NORM = 1e-3, ENTROPY = 1e-4, GAMMA = 1e-4,
                    STD = 1e-3, EVAL = 5e-4, EVAL_STD = 2e-3;

typedef struct Setup {
    const char *name;
    NormPlace norm;
    ReparamMethod reparam;
    const char *freeze;
} Setup;

typedef struct Run {
    const Setup *setup;
    Contrast *c;
    Step step;
    real *pixels; /* [count, NUMBERS] */
    size_t *label;
    size_t first; /* picture of the batch */
    NtXentStats stats;
} Run;

/* ---- pictures ---- */

static void read_file(const char *path, size_t skip, size_t count, uint8_t *bytes) {
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s: not found; start in the top directory", path);
    assert_int_equal(fseek(file, (long)skip, SEEK_SET), 0);
    assert_int_equal(fread(bytes, 1, count, file), count);
    fclose(file);
}

static void load_pictures(Run *r, const char *split, size_t count) {
    char path[200];
    uint8_t *bytes = mem_alloc(count * NUMBERS);
    r->pixels = mem_alloc(count * NUMBERS * sizeof *r->pixels);
    r->label = mem_alloc(count * sizeof *r->label);
    snprintf(path, sizeof path, DATA "/%s-images-idx3-ubyte", split);
    read_file(path, 16, count * NUMBERS, bytes);
    for (size_t i = 0; i < count * NUMBERS; i++)
        r->pixels[i] = (real)((bytes[i] / 255.0 - 0.5) / 0.25);
    snprintf(path, sizeof path, DATA "/%s-labels-idx1-ubyte", split);
    read_file(path, 8, count, bytes);
    for (size_t i = 0; i < count; i++) r->label[i] = bytes[i];
    mem_free(bytes);
}

static void drop_pictures(Run *r) {
    mem_free(r->pixels);
    mem_free(r->label);
}

/* The second view of a picture: turned round, and a row further. */
static Tensor *make_views(const Run *r, Tape *tape, size_t first, size_t n) {
    Tensor *views = tape_tensor(tape, 4, (size_t[]){2 * n, 1, SIDE, SIDE});
    const real *from = r->pixels + first * NUMBERS;
    memcpy(views->value, from, n * NUMBERS * sizeof(real));
    for (size_t i = 0; i < n * NUMBERS; i++) {
        size_t y = i / SIDE % SIDE, x = i % SIDE;
        views->value[n * NUMBERS + i] =
            from[i / NUMBERS * NUMBERS + (y + 1) % SIDE * SIDE + SIDE - 1 - x];
    }
    return views;
}

static Tensor *loss_of(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                       size_t to) {
    Run *r = context;
    ContrastArgs args = {.pixels = make_views(r, tape, r->first + from, to - from),
                         .label = r->label + r->first + from,
                         .pictures = BATCH,
                         .stats = &r->stats};
    return contrast_loss(r->c, tape, mode, &args);
}

/* ---- a run ---- */

/* What the file has; loaded[i]: it has parameter i. */
static void load(Contrast *c, const char *name, bool *loaded) {
    Err err = ERR_NONE;
    char path[200];
    snprintf(path, sizeof path, FOLDER "/init/%s.safetensors", name);
    Safetensors *file = safetensors_open(path, SAFETENSORS_VERIFY, &err);
    if (!file) fail_msg("%s", err.text);
    const ParamSet *params = c->vit.model.params;
    size_t found = 0;
    for (size_t i = 0; i < params->count; i++) {
        Param *p = params->list[i];
        const SafetensorsEntry *e = safetensors_find(file, p->name);
        loaded[i] = e != NULL;
        if (!e) continue;
        found++;
        assert_int_equal(safetensors_read(file, e, p->tensor.value, p->tensor.size, &err),
                         OK);
    }
    assert_int_equal(found, safetensors_count(file));
    safetensors_close(file);
}

static void begin(Run *r, const Setup *setup) {
    ModelConfig m = model_config_default();
    m.width = 16, m.depth = 2, m.heads = 2, m.patch = 4, m.position = POSITION_SINCOS;
    m.norm = setup->norm, m.reparam = setup->reparam;
    ContrastConfig k = {.temperature = 0.1,
                        .projector_depth = 2,
                        .projector_out = 6,
                        .probe_lr = 0.1,
                        .reparam_projector = true};
    *r = (Run){.setup = setup,
               .c = contrast_new(&m, &k, (PictureShape){1, SIDE, SIDE}, CLASSES)};
    Model *model = &r->c->vit.model;
    bool loaded[120];
    assert_true(model->params->count <= COUNT(loaded));
    contrast_initialize(r->c, 1);
    load(r->c, setup->name, loaded);
    model_start(model, loaded);
    if (setup->freeze)
        assert_true(model_freeze_params(model, setup->freeze, strlen(setup->freeze)) > 0);
    OptimConfig optim = optim_config_default();
    optim.lr = 3e-3, optim.weight_decay = 0.1, optim.eps = 1e-3;
    step_begin(&r->step, model, &optim, NULL);
    r->step.loss_of = loss_of, r->step.context = r;
}

/* ---- comparing ---- */

static void near(double seen, const json_t *wanted, double relative, double absolute,
                 const char *what, size_t step) {
    double b = json_number_value(wanted);
    if (!json_is_number(wanted)) fail_msg("golden file: no %s", what);
    if (!(fabs(seen - b) <= absolute + relative * fabs(b)))
        fail_msg("step %zu: %s is %.9g, wanted %.9g", step, what, seen, b);
}

static const json_t *at(const json_t *log, const char *key, size_t step) {
    return json_array_get(json_object_get(log, key), step - 1);
}

static void check_sites(const Model *model, const json_t *log, size_t step) {
    for (size_t i = 0; i < model->site_count; i++) {
        const Site *site = model->sites[i];
        const json_t *heads = at(json_object_get(log, "entropy"), site->name, step);
        for (size_t h = 0; h < site->heads; h++)
            near(site->entropy[h], json_array_get(heads, h), 0, ENTROPY, site->name,
                 step);
    }
}

static void check_gammas(const Model *model, const json_t *log, size_t step) {
    for (size_t i = 0; i < model->layer_count; i++) {
        const LinearLayer *layer = model->layers[i];
        const json_t *row = json_object_get(json_object_get(log, "weights"), layer->name);
        if (!row || !layer->reparam) continue;
        near((double)layer->reparam->gamma->tensor.value[0], at(row, "gamma", step),
             GAMMA, 0, layer->name, step);
    }
}

static void check_step(const Run *r, const json_t *log, size_t step) {
    near(r->step.loss, at(log, "loss", step), LOSS, 0, "loss", step);
    near(r->step.grad_norm, at(log, "grad_norm", step), GRAD_NORM, 0, "grad_norm", step);
    near(r->stats.std, at(log, "std", step), STD, 0, "std", step);
    check_sites(&r->c->vit.model, log, step);
    check_gammas(&r->c->vit.model, log, step);
}

/* 32 held-out pictures as one batch, by the running statistics. */
static void check_eval(Run *r, const json_t *wanted) {
    Tape *tape = r->step.tape;
    ForwardMode mode = {.temperature = 1};
    NtXentStats stats;
    tape_begin(tape, (TapeMode){0});
    model_freeze(&r->c->vit.model);
    load_pictures(r, "t10k", HELD_OUT);
    ContrastArgs args = {.pixels = make_views(r, tape, 0, HELD_OUT), .stats = &stats};
    double loss = (double)contrast_loss(r->c, tape, &mode, &args)->value[0];
    near(loss, json_object_get(wanted, "loss"), EVAL, 0, "loss of the test split", STEPS);
    near(stats.std, json_object_get(wanted, "std"), EVAL_STD, 0, "std of the test split",
         STEPS);
    Tensor *first = tape_wrap(tape, r->pixels, 4, (size_t[]){HELD_OUT, 1, SIDE, SIDE});
    Tensor *f = vit_features(&r->c->vit, tape, &mode, first);
    Target target = {.label = r->label};
    near((double)op_cross_entropy(tape, contrast_probe(r->c, tape, f), &target)->value[0],
         json_object_get(wanted, "probe"), EVAL, 0, "loss of the probe", STEPS);
    drop_pictures(r);
}

static void agrees_with_pytorch(void **state) {
    const Setup *setup = *state;
    json_error_t error;
    json_t *all = json_load_file(FOLDER "/views.json", 0, &error);
    if (!all) fail_msg("%s; start in the top directory", error.text);
    const json_t *log = json_object_get(all, setup->name);
    ScheduleConfig schedule = {.name = SCHEDULE_COSINE};
    Run r;
    begin(&r, setup);
    load_pictures(&r, "train", STEPS * BATCH);
    for (size_t n = 1; n <= STEPS; n++) {
        StepBatch batch = {
            .number = n, .examples = BATCH, .tokens = 10, .mode = {.temperature = 1}};
        r.first = (n - 1) * BATCH;
        step_gradients(&r.step, &batch);
        check_step(&r, log, n);
        double lr = schedule_rate(&schedule, 3e-3, n, STEPS, 4, 0);
        near(lr, at(log, "lr", n), 1e-8, 0, "lr", n);
        step_update(&r.step, lr, 0.1);
    }
    drop_pictures(&r);
    check_eval(&r, json_object_get(log, "eval"));
    step_end(&r.step);
    contrast_free(r.c);
    json_decref(all);
}

int main(void) {
    static Setup setups[] = {{"baseline", NORM_PRE, REPARAM_NONE, NULL},
                             {"frozen-patcher", NORM_PRE, REPARAM_NONE, "patch_embed"},
                             {"sigma", NORM_NONE, REPARAM_SIGMA, NULL},
                             {"sigma-pre", NORM_PRE, REPARAM_SIGMA, NULL},
                             {"sigma-001", NORM_NONE, REPARAM_SIGMA, NULL}};
    struct CMUnitTest cases[COUNT(setups)] = {{0}};
    for (size_t i = 0; i < COUNT(setups); i++)
        cases[i] = (struct CMUnitTest){.name = setups[i].name,
                                       .test_func = agrees_with_pytorch,
                                       .initial_state = &setups[i]};
    return cmocka_run_group_tests_name("contrast golden", cases, NULL, NULL);
}
