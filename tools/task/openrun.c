#include "tools/task/openrun.h"

#include <stdlib.h>
#include <string.h>

#include "data/file/openfile.h"
#include "models/temperature.h"
#include "tools/recipe/intervene.h"
#include "tools/run/rundir.h"
#include "tools/task/meaning.h"
#include "tools/task/predict.h"

/* "average:5" */
static bool read_average(const char *word, OpenRun *run) {
    static const char START[] = "average:";
    char *end;
    if (strncmp(word, START, sizeof START - 1)) return false;
    run->average = strtoull(word + sizeof START - 1, &end, 10);
    return run->average && !*end;
}

void run_list_checkpoints(const char *dir, char text[RUN_CHECKPOINTS]) {
    enum { MOST = 10, size = RUN_CHECKPOINTS };
    size_t step = checkpoint_newest(dir, SIZE_MAX);
    *text = '\0';
    if (!step) return;
    bool one = !checkpoint_newest(dir, step);
    text_format(text, size, "; %.400s has %s", dir,
                one ? "that of step" : "those of steps");
    for (size_t i = 0; step; i++, step = checkpoint_newest(dir, step)) {
        size_t used = strlen(text);
        if (i < MOST) text_format(text + used, size - used, "%s %zu", i ? "," : "", step);
        else text_format(text + used, size - used, " and older");
        if (i == MOST) return;
    }
}

static Status find_checkpoint(OpenRun *run, const RunChoice *c, Err *err) {
    const char *wanted = c->checkpoint;
    char *end = NULL;
    run->root = c->dir;
    if (wanted && read_average(wanted, run)) wanted = NULL;
    if (!wanted) {
        size_t step = checkpoint_newest(c->dir, SIZE_MAX);
        if (!step && checkpoint_check_folder(c->dir, err)) return err->status;
        if (!step)
            return err_set(err, FAIL_DATA,
                           "%s/checkpoints is empty: this run has "
                           "saved no checkpoint yet",
                           c->dir);
        checkpoint_path(run->checkpoint, c->dir, step);
    } else if (!strcmp(wanted, "best")) {
        rundir_path(run->checkpoint, c->dir, "checkpoints/best.safetensors");
    } else if (*wanted >= '0' && *wanted <= '9' && strtoull(wanted, &end, 10) && !*end) {
        checkpoint_path(run->checkpoint, c->dir, strtoull(wanted, NULL, 10));
    } else {
        text_format(run->checkpoint, sizeof run->checkpoint, "%s", wanted);
        run->root = NULL;
    }
    if (openfile_exists(run->checkpoint, run->root)) return OK;
    char there[RUN_CHECKPOINTS];
    run_list_checkpoints(c->dir, there);
    return err_set(err, FAIL_DATA,
                   "%.1000s: no such checkpoint%s (--checkpoint takes a step, best, "
                   "average:N, or a .safetensors file)",
                   run->checkpoint, there);
}

static Status load_recipe(OpenRun *run, const RunChoice *c, Err *err) {
    char path[PATH_SIZE];
    if (rundir_check_run(c->dir, err)) return err->status;
    rundir_path(path, c->dir, "recipe.ini");
    *run->recipe = recipe_default();
    if (recipe_load_file(run->recipe, path, c->dir, err)) return err->status;
    *run->was = *run->recipe;
    for (size_t i = 0; i < c->word_count; i++)
        if (recipe_set(run->recipe, c->words[i], err)) return err->status;
    return recipe_check(run->recipe, err) ? err->status : recipe_check(run->was, err);
}

Status run_check_words(const OpenRun *run, const char *command, unsigned use, Err *err) {
    if (!run->own) use |= USE_MODEL;
    return recipe_check_use(run->was, run->recipe, use, command, err);
}

/* The recipe that led to a checkpoint, laid over *was: what it keeps, with the
 * interventions that act. */
static void read_was(const OpenRun *run, Acted *acted, Recipe *was) {
    char *digest = checkpoint_fact(run->checkpoint, run->root, "recipe");
    char *text = checkpoint_fact(run->checkpoint, run->root, "intervened");
    if (digest) recipe_read_digest(was, digest);
    if (!acted_read(text, acted)) *acted = (Acted){0};
    recipe_in_force(was, acted, was);
    mem_free(digest);
    mem_free(text);
}

/* What acts at the checkpoint is the run's recipe, too, and so is how its weights are
 * used (CHANGE_USE), whatever a later resume made of it; a word comes after that. */
static void follow_checkpoint(OpenRun *run) {
    Acted acted;
    Recipe *given = mem_alloc(sizeof *given);
    read_was(run, &acted, run->was);
    *given = *run->recipe;
    run->recipe->intervene = run->was->intervene;
    recipe_in_force(run->recipe, &acted, run->recipe);
    for (const Key *key = keys; key < keys + keys_count; key++) {
        char value[KEY_VALUE_MAX];
        bool worded = keyset_has(given->worded, key);
        if (!key_is_stored(key) || !(worded || key_change(key) == CHANGE_USE)) continue;
        key_print(key, worded ? given : run->was, value, sizeof value);
        key_parse(key, run->recipe, value, NULL);
    }
    mem_free(given);
}

/* A checkpoint keeps the recipe that led to it. */
static Status check_words(OpenRun *run, const RunChoice *c, Err *err) {
    unsigned use = c->use;
    run->own = checkpoint_is_own(run->checkpoint, run->root);
    if (run->own) follow_checkpoint(run);
    if (use == USE_PREDICT_SPLIT && !task_predict(run->recipe->task)->split)
        use = USE_PREDICT_INPUT;
    return run_check_words(run, c->command, use, err);
}

/* Sites have the temperatures that they had at the checkpoint. */
static Status set_temperatures(OpenRun *run, Err *err) {
    Acted acted;
    Recipe *was = mem_alloc(sizeof *was);
    *was = *run->was;
    read_was(run, &acted, was);
    Status status =
        model_set_temperatures(run->task->model, was->model.temperature_at, err);
    mem_free(was);
    return status;
}

static Status open_task(OpenRun *run, const RunChoice *c, bool with_data, Err *err) {
    run->task = with_data ? task_open(run->recipe, NULL, err)
                          : task_open_bare(run->recipe, c->dir, err);
    return run->task ? OK : err->status;
}

/* What `steady export` has written into a file; NULL: nothing of this name, or another
 * program wrote the file.  The caller frees. */
char *run_export_fact(const OpenRun *run, const char *name) {
    char *by = run->own ? NULL : checkpoint_fact(run->checkpoint, run->root, "steady");
    char *fact = by ? checkpoint_fact(run->checkpoint, run->root, name) : NULL;
    mem_free(by);
    return fact;
}

size_t run_step_of(const char *path, const char *root) {
    char *by = checkpoint_fact(path, root, "steady");
    bool known = by || checkpoint_is_own(path, root);
    char *text = known ? checkpoint_fact(path, root, "step") : NULL;
    bool whole = text && *text && strspn(text, "0123456789") == strlen(text);
    size_t step = whole && strlen(text) < 16 ? strtoull(text, NULL, 10) : 0;
    mem_free(text);
    mem_free(by);
    return step;
}

json_t *run_step_json(const OpenRun *run) {
    bool known = run->step || !*run->checkpoint;
    return known ? json_integer((json_int_t)run->step) : json_null();
}

/* Our own checkpoints hold all they need; a file from elsewhere may lack companions. */
Status run_load(OpenRun *run, bool ema, Err *err) {
    Model *model = run->task->model;
    if (!run->own && ema)
        return err_set(
            err, FAIL_USAGE,
            "%s is not a checkpoint of a run and has no averaged weights; leave out "
            "--ema",
            run->checkpoint);
    if (!run->own && meaning_check_file(run->task, run->checkpoint, run->root, "", err))
        return err->status;
    run->step = run_step_of(run->checkpoint, run->root);
    if (!run->own) return weights_load_plain(run->checkpoint, run->root, model, err);
    CheckpointParts parts = {.model = model};
    if (ema) parts.ema = ema_new(model->params, 0.5);
    if (!checkpoint_load(run->checkpoint, run->root, &parts, &run->at, err) && ema) {
        ema_swap(parts.ema);
        model_settle(model);
    }
    ema_free(parts.ema);
    run->step = run->at.step;
    return err->status ? err->status : set_temperatures(run, err);
}

/* The mean of the newest checkpoints' weights; the newest is loaded already.  The
 * singular vectors of the mean are found from its. */
static Status average_weights(OpenRun *run, const RunChoice *c, Err *err) {
    ParamSet *params = run->task->model->params;
    size_t count = params->trained, used = 1;
    double *sum = mem_alloc(count * sizeof *sum);
    real *buffers = mem_alloc(params->buffered * sizeof(real));
    memcpy(buffers, params->buffers, params->buffered * sizeof(real));
    for (size_t i = 0; i < count; i++) sum[i] = (double)params->values[i];
    size_t step = run->at.step;
    Progressed ignored;
    CheckpointParts parts = {.model = run->task->model};
    while (used < run->average && (step = checkpoint_newest(c->dir, step))) {
        char path[PATH_SIZE];
        checkpoint_path(path, c->dir, step);
        if (checkpoint_load(path, c->dir, &parts, &ignored, err)) break;
        for (size_t i = 0; i < count; i++) sum[i] += (double)params->values[i];
        used++;
    }
    for (size_t i = 0; i < count; i++) params->values[i] = (real)(sum[i] / (double)used);
    memcpy(params->buffers, buffers, params->buffered * sizeof(real));
    model_settle(run->task->model);
    mem_free(sum);
    mem_free(buffers);
    if (!err->status && used < run->average)
        err_set(err, FAIL_DATA,
                "%s/checkpoints has %zu checkpoints, but average:%zu needs %zu; "
                "train.keep sets how many are kept",
                c->dir, used, run->average, run->average);
    return err->status;
}

Status run_choose_precision(OpenRun *run, const RunChoice *c, Err *err) {
    if (!c->precision) return OK;
    char *was =
        run->own ? checkpoint_fact(run->checkpoint, run->root, "precision") : NULL;
    Status status = c->precision(run->task, was, err);
    mem_free(was);
    return status;
}

/* The mean of checkpoints and the running mean of one are two things. */
static Status check_average(const OpenRun *run, const RunChoice *c, Err *err) {
    if (!run->average || !c->ema) return OK;
    return err_set(err, FAIL_USAGE,
                   "--checkpoint average:N and --ema cannot be combined; leave one out");
}

static Status set_threads(const OpenRun *run, const RunChoice *c, Err *err) {
    return c->threads ? c->threads(run->recipe->train.threads, err) : OK;
}

Status run_open(OpenRun *run, const RunChoice *c, bool with_data, Err *err) {
    *run =
        (OpenRun){.recipe = mem_alloc(sizeof(Recipe)), .was = mem_alloc(sizeof(Recipe))};
    if (!load_recipe(run, c, err) && !find_checkpoint(run, c, err) &&
        !check_average(run, c, err) && !check_words(run, c, err)) {
        if (!set_threads(run, c, err) && !open_task(run, c, with_data, err) &&
            !run_load(run, c->ema, err) && !run_choose_precision(run, c, err) &&
            !(run->average && average_weights(run, c, err))) {
            model_freeze(run->task->model);
            run->tape = tape_new();
            return OK;
        }
    }
    run_close(run);
    return err->status;
}

void run_close(OpenRun *run) {
    tape_free(run->tape);
    task_free(run->task);
    mem_free(run->recipe);
    mem_free(run->was);
    *run = (OpenRun){0};
}

Status run_advise_data(Err *err) {
    Err why = *err;
    if (why.status != FAIL_DATA || strstr(why.text, "data.")) return why.status;
    return err_set(err, why.status,
                   "%.600s; this command reads the data of the run; if they have "
                   "moved: data.path=PATH",
                   why.text);
}

ForwardMode run_mode(const OpenRun *run) {
    double own = run->at.temperature; /* 0: the weights are from elsewhere */
    const Recipe *recipe = run->recipe;
    return (ForwardMode){.temperature = own > 0 ? own : recipe->model.temperature,
                         .precision = recipe_precision(recipe, &run->task->way)};
}
