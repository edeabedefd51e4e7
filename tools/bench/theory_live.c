/* Proposition 3.2 of Zhai et al. 2023 on real training: how far Adam's update moves the
 * weights of a small language model, and with sigmaReparam the effective ones,
 * gamma W / sigma_1(W), by width.  Examples are those of the built-in grammar. */
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "engine/kern/reduce.h"
#include "engine/reparam/spectral.h"
#include "tools/bench/theory.h"
#include "tools/program/say.h"
#include "tools/program/start.h"
#include "tools/program/stop.h"
#include "tools/task/step.h"

enum { STEPS = 6, LAYERS_MAX = 64, RULES_MAX = 6 };
static const size_t measured[] = {1, STEPS};

#define RESIDUAL 1e-4
enum { ROUNDS = 8 };

/* 512 tokens a step, a constant rate, no decay. */
static const char *const base[] = {
    "model.depth=2",        "model.context=32",         "data.synthetic_count=4000",
    "train.batch=16",       "schedule.name=constant",   "schedule.warmup_steps=0",
    "optim.name=adamw",     "optim.lr=0.001",           "optim.beta2=0.95",
    "optim.weight_decay=0", "train.checkpoint_every=0", "train.eval_every=0"};

/* init: deviation of W at width 64; power: it goes with width^power. */
static const struct {
    const char *name;
    double init, power;
    const char *words[RULES_MAX];
} methods[] = {
    {"plain", 0.02, 0, {"model.norm=pre", "model.reparam=none"}},
    {"sigma", 0.2, 0, {"model.norm=none", "model.reparam=sigma", "model.gamma_init=1"}},
    {"sigma, init/√width",
     0.2,
     -0.5,
     {"model.norm=none", "model.reparam=sigma", "model.gamma_init=1"}},
};
static const char *const kinds[] = {"attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"};

enum { KINDS = COUNT(kinds), MOMENTS = COUNT(measured), QUANTITIES = 2 };
_Static_assert(COUNT(methods) * KINDS * MOMENTS * QUANTITIES <= THEORY_LIVE_LINES,
               "room for them");

/* One model of one width, and where its numbers go. */
typedef struct Trial {
    Recipe recipe;
    Task *task;
    Step step;
    size_t seed, width;       /* numbers of both */
    TheoryLine *lines;        /* of the method: [MOMENTS][QUANTITIES][KINDS] */
    real *before[LAYERS_MAX]; /* effective weights */
    double norm_before[LAYERS_MAX];
} Trial;

/* ---- effective weights ---- */

static size_t rows_of(const LinearLayer *layer) { return layer->weight->tensor.shape[0]; }
static size_t columns_of(const LinearLayer *layer) {
    return layer->weight->tensor.size / rows_of(layer);
}

/* To a residual of 1e-4, which is a norm to about 1e-6 of itself. */
static double norm_of(const real *w, size_t rows, size_t columns) {
    real *u = mem_zalloc((rows + columns) * sizeof *u);
    double norm =
        (double)spectral_follow(w, rows, columns, u, u + columns, RESIDUAL, ROUNDS);
    mem_free(u);
    return norm;
}

/* to = W, or gamma W / sigma_1(W); returns its spectral norm. */
static double effective(const LinearLayer *layer, real *to) {
    const Tensor *w = &layer->weight->tensor;
    double norm = norm_of(w->value, rows_of(layer), columns_of(layer));
    const Param *gamma = layer->reparam ? layer->reparam->gamma : NULL;
    double factor = gamma && norm > 0 ? (double)gamma->tensor.value[0] / norm : 1;
    for (size_t i = 0; i < w->size; i++) to[i] = (real)(factor * (double)w->value[i]);
    return fabs(factor) * norm;
}

/* Of the last part of a layer's name; KINDS: none of them. */
static size_t kind_of(const LinearLayer *layer) {
    size_t kind = 0, length = strlen(layer->name);
    while (kind < KINDS &&
           (length < strlen(kinds[kind]) ||
            strcmp(layer->name + length - strlen(kinds[kind]), kinds[kind])))
        kind++;
    return kind;
}

/* ---- a trial ---- */

static void keep_weights(Trial *t) {
    const Model *model = t->task->model;
    for (size_t i = 0; i < model->layer_count; i++)
        if (kind_of(model->layers[i]) < KINDS)
            t->norm_before[i] = effective(model->layers[i], t->before[i]);
}

/* before[i] becomes the change.  Numbers are in units of the learning rate; a kind's is
 * the geometric mean over its layers. */
static void measure(Trial *t, size_t moment, double lr) {
    const Model *model = t->task->model;
    double logs[QUANTITIES][KINDS] = {{0}}, bounds[KINDS] = {0}, layers[KINDS] = {0};
    for (size_t i = 0; i < model->layer_count; i++) {
        const LinearLayer *layer = model->layers[i];
        size_t kind = kind_of(layer), rows = rows_of(layer), columns = columns_of(layer);
        if (kind == KINDS) continue;
        real *now = mem_alloc(rows * columns * sizeof *now), *change = t->before[i];
        double grown = effective(layer, now) - t->norm_before[i];
        for (size_t j = 0; j < rows * columns; j++) change[j] = now[j] - change[j];
        double whole = sqrt(reduce_sum_squares(change, rows * columns));
        logs[0][kind] += log(norm_of(change, rows, columns) / lr);
        logs[1][kind] += log(fmax(fabs(grown) / lr, 1e-6));
        bounds[kind] += log(whole / sqrt((double)MIN(rows, columns)) / lr);
        layers[kind] += 1;
        mem_free(now);
    }
    for (size_t q = 0; q < QUANTITIES; q++)
        for (size_t k = 0; k < KINDS; k++) {
            TheoryLine *line = &t->lines[(moment * QUANTITIES + q) * KINDS + k];
            line->value[t->seed][t->width] = exp(logs[q][k] / layers[k]);
            line->bound[t->seed][t->width] = q ? NAN : exp(bounds[k] / layers[k]);
        }
}

static Status take_steps(Trial *t, Err *err) {
    Task *task = t->task;
    size_t moment = 0;
    if (task->ops->start(task, 1, err)) return err->status;
    for (size_t n = 1; n <= STEPS; n++) {
        if (stop_requested()) return err_set(err, FAIL_INTERRUPTED, "interrupted");
        if (task->ops->next(task, err)) return err->status;
        StepBatch batch = task_step_batch(task, n, (ForwardMode){.temperature = 1});
        step_gradients(&t->step, &batch);
        if (!isfinite(t->step.loss))
            return err_set(err, FAIL_DIVERGED,
                           "theory: non-finite loss at step %zu, width %zu; try a "
                           "lower optim.lr",
                           n, theory_widths[t->width]);
        bool look = n == measured[moment];
        if (look) keep_weights(t);
        double lr =
            task_step_update(task, &t->step,
                             &(StepPace){.number = n, .steps = STEPS, .warmup_steps = 0});
        if (look) measure(t, moment++, lr);
    }
    return OK;
}

static void ignore(void *context, const char *line) { (void)context, (void)line; }

static Status run_trial(Trial *t, Err *err) {
    Listener before = say_to((Listener){.hear = ignore}); /* 45 times the same notes */
    t->task = task_open(&t->recipe, NULL, err);
    say_to(before);
    if (!t->task) return err->status;
    task_initialize(t->task);
    model_start(t->task->model, NULL);
    task_step_begin(t->task, start_threads(t->recipe.train.threads), &t->step);
    const Model *model = t->task->model;
    CHECK(model->layer_count <= LAYERS_MAX, "%zu layers", model->layer_count);
    for (size_t i = 0; i < model->layer_count; i++)
        t->before[i] = mem_alloc(model->layers[i]->weight->tensor.size * sizeof(real));
    Status status = take_steps(t, err);
    for (size_t i = 0; i < model->layer_count; i++) mem_free(t->before[i]);
    step_end(&t->step);
    task_free(t->task);
    return status;
}

/* ---- all of them ---- */

static Status set(Recipe *recipe, Err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static Status set(Recipe *recipe, Err *err, const char *format, ...) {
    char word[120];
    va_list list;
    va_start(list, format);
    vsnprintf(word, sizeof word, format, list);
    va_end(list);
    return recipe_set(recipe, word, err);
}

/* The words of the command line stand between the base's and the method's. */
static Status make_recipe(Recipe *recipe, size_t method, size_t width, size_t seed,
                          char **words, size_t count, Err *err) {
    *recipe = recipe_default();
    if (recipe_load(recipe, "grammar", err)) return err->status;
    for (size_t i = 0; i < COUNT(base); i++)
        if (recipe_set(recipe, base[i], err)) return err->status;
    for (size_t i = 0; i < count; i++)
        if (recipe_set(recipe, words[i], err)) return err->status;
    for (size_t i = 0; i < RULES_MAX && methods[method].words[i]; i++)
        if (recipe_set(recipe, methods[method].words[i], err)) return err->status;
    double init = methods[method].init *
                  pow((double)width / (double)theory_widths[0], methods[method].power);
    if (set(recipe, err, "model.init_std=%.6g", init) ||
        set(recipe, err, "model.width=%zu", width) ||
        set(recipe, err, "train.seed=%zu", seed) ||
        set(recipe, err, "train.steps=%d", STEPS) || recipe_check(recipe, err))
        return err->status;
    return start_threads_checked(recipe->train.threads, err);
}

/* What methods, widths and seeds are made of. */
static const char *const OWN[] = {"model.width",      "model.norm",     "model.reparam",
                                  "model.gamma_init", "model.init_std", "train.seed",
                                  "train.steps",      "optim.name"};

static Status check_word(const char *word, Err *err) {
    size_t length = strcspn(word, "=");
    for (size_t i = 0; i < COUNT(OWN); i++)
        if (strlen(OWN[i]) == length && !strncmp(word, OWN[i], length))
            return err_set(err, FAIL_USAGE,
                           "%.80s has no effect, because theory sets %s; leave it out",
                           word, OWN[i]);
    return OK;
}

static Status check_recipe(const Recipe *recipe, Err *err) {
    size_t deepest = (LAYERS_MAX - 2) / KINDS; /* beside the blocks: head, embedding */
    if (recipe->model.depth > deepest)
        return err_set(err, FAIL_USAGE, "model.depth = %zu: theory allows at most %zu",
                       recipe->model.depth, deepest);
    if (recipe->optim.lr > 0) return OK;
    return err_set(err, FAIL_USAGE,
                   "optim.lr = 0: theory measures updates in units of optim.lr and "
                   "needs a value above 0");
}

Status theory_check(size_t seeds, char **words, size_t word_count, Err *err) {
    if (seeds < 2 || seeds > THEORY_SEEDS_MAX)
        return err_set(err, FAIL_USAGE, "--repeat %zu: theory needs 2 to %d seeds", seeds,
                       THEORY_SEEDS_MAX);
    for (size_t i = 0; i < word_count; i++)
        if (check_word(words[i], err)) return err->status;
    Recipe *recipe = mem_alloc(sizeof *recipe);
    for (size_t m = 0; m < COUNT(methods) && !err->status; m++)
        for (size_t w = 0; w < THEORY_WIDTHS && !err->status; w++)
            if (!make_recipe(recipe, m, theory_widths[w], 0, words, word_count, err))
                check_recipe(recipe, err);
    mem_free(recipe);
    return err->status;
}

static void name_lines(TheoryLine *lines, size_t method, size_t seeds, size_t widths) {
    static const char *const QUANTITY[QUANTITIES] = {"", ", norm"};
    for (size_t i = 0; i < MOMENTS * QUANTITIES * KINDS; i++) {
        size_t moment = i / (QUANTITIES * KINDS), quantity = i / KINDS % QUANTITIES;
        lines[i] = (TheoryLine){.part = "live", .seeds = seeds, .widths = widths};
        text_format(lines[i].method, sizeof lines[i].method, "%s", methods[method].name);
        text_format(lines[i].what, sizeof lines[i].what, "%s, step %zu%s",
                    kinds[i % KINDS], measured[moment], QUANTITY[quantity]);
    }
}

Status theory_live(TheoryLine *lines, size_t *count, size_t seeds, size_t widths,
                   char **words, size_t word_count, Err *err) {
    *count = 0;
    Trial *trial = mem_alloc(sizeof *trial);
    for (size_t m = 0; m < COUNT(methods) && !err->status; m++) {
        name_lines(lines + *count, m, seeds, widths);
        for (size_t s = 0; s < seeds && !err->status; s++)
            for (size_t w = 0; w < widths && !err->status; w++) {
                *trial = (Trial){.seed = s, .width = w, .lines = lines + *count};
                if (!make_recipe(&trial->recipe, m, theory_widths[w], s, words,
                                 word_count, err))
                    run_trial(trial, err);
            }
        for (size_t i = 0; i < MOMENTS * QUANTITIES * KINDS && !err->status; i++)
            theory_fit(&lines[*count + i]);
        *count += MOMENTS * QUANTITIES * KINDS;
    }
    mem_free(trial);
    return err->status;
}
