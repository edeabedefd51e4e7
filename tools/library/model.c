/* model: from a recipe to a model that is ready for its first step. */
#include "tools/library/model.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "tools/library/recipe.h"
#include "tools/run/checkpoint.h"
#include "tools/task/freeze.h"
#include "tools/task/init.h"
#include "tools/task/precision.h"

const char *steady_version(void) { return STEADY_VERSION; }

/* ---- notes ---- */

/* recipe_notes writes to a file, as the program's stderr. */
static void say_recipe_notes(const Recipe *recipe) {
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    if (!file) return;
    recipe_notes(recipe, file);
    bool whole = !fclose(file);
    for (char *line = text; whole && line && *line;) {
        size_t length = strcspn(line, "\n");
        say("%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
    free(text);
}

/* ---- what the library leaves to the program ---- */

static Status check_recipe(Recipe *recipe, Err *err) {
    if (recipe_check(recipe, err)) return err->status;
    if (recipe->train.ema > 0)
        return err_set(
            err, FAIL_USAGE,
            "train.ema = %g: the library has no averaged weights; set it to 0, or use "
            "steady train",
            recipe->train.ema);
    if (recipe->schedule.name != SCHEDULE_PLATEAU) return OK;
    return err_set(
        err, FAIL_USAGE,
        "schedule.name = plateau needs evaluations, which the library leaves to its "
        "caller; choose another schedule, or use steady train");
}

/* ---- building ---- */

static size_t step_of(const void *run, double epoch) {
    const steady_model *m = run;
    return moment_step(epoch, (double)m->task->steps_per_epoch);
}

CourseNow model_now(const steady_model *m) {
    return (CourseNow){.step = m->done, .step_of = step_of, .run = m};
}

void model_count_steps(steady_model *m) {
    const Recipe *r = &m->recipe;
    const ScheduleConfig *s = &r->schedule;
    m->steps = r->train.steps ? r->train.steps : step_of(m, r->train.epochs);
    m->steps = MAX(m->steps, (size_t)1);
    m->warmup_steps = s->warmup_steps ? s->warmup_steps : step_of(m, s->warmup_epochs);
}

static Status check_batch(const steady_model *m, Err *err) {
    if (m->task->steps_per_epoch) return OK;
    return err_set(err, FAIL_USAGE,
                   "train.batch = %zu is more than the %zu training examples",
                   m->recipe.train.batch, m->task->examples);
}

static Status fill(steady_model *m, Err *err) {
    return init_weights(m->task, "; to compare only the shapes: train.init_fit=shapes",
                        err);
}

/* As the trainer, but for what the environment hides. */
static Status set_precision(steady_model *m, Err *err) {
    char note[PRECISION_NOTE];
    Units units = units_processor();
    if (precision_check(&m->base, &units, false, err)) return err->status;
    precision_choose(m->task, &units, NULL, note);
    if (*note) say("steady: note: %s", note);
    return OK;
}

static Status build(steady_model *m, Err *err) {
    say_recipe_notes(&m->recipe);
    m->task = task_open(&m->recipe, NULL, err);
    if (!m->task || course_check(&m->base, m->task, err) || set_precision(m, err))
        return err->status;
    task_say_facts(m->task);
    freeze_say(m->task);
    task_step_begin(m->task, (size_t)omp_get_max_threads(), &m->step);
    m->prober = prober_new(m->task->model);
    CourseNow now = model_now(m);
    if (fill(m, err) || check_batch(m, err) ||
        course_check_order(&m->base, &m->acted, &now, err))
        return err->status;
    model_count_steps(m);
    return m->task->ops->start(m->task, 1, err);
}

/* ---- of a run ---- */

static Status check_length(const char *name, Err *err) {
    if (!name || strlen(name) < 1024) return OK;
    return err_set(err, FAIL_USAGE, "%.60s...: a name of %zu bytes is too long", name,
                   strlen(name));
}

/* As eval, but for what the environment hides. */
static Status follow_precision(Task *task, const char *was, Err *err) {
    char note[PRECISION_NOTE];
    Units units = units_processor();
    if (precision_follow(task, &units, was, note, err)) return err->status;
    if (*note) say("steady: note: %s", note);
    return OK;
}

static Status open_run(steady_model *m, const char *run, const char *checkpoint,
                       Err *err) {
    RunChoice choice = {.dir = run,
                        .checkpoint = checkpoint,
                        .precision = follow_precision,
                        .command = "steady_model_open"};
    if (check_length(run, err) || check_length(checkpoint, err) ||
        run_open(&m->run, &choice, false, err))
        return err->status;
    m->recipe = *m->run.recipe;
    m->task = m->run.task;
    m->prober = prober_new(m->task->model);
    m->handle.threads = m->recipe.train.threads;
    m->done = m->run.at.step;
    return OK;
}

/* ---- the door ---- */

static void make(steady_model **model, const steady_listener *listener) {
    *model = mem_zalloc(sizeof **model);
    if (listener) (*model)->handle.listener = *listener;
    (*model)->handle.computes = true;
}

static steady_status make_at_door(steady_model **model, const steady_listener *listener,
                                  const char *missing, steady_error *error) {
    if (model) *model = NULL;
    else missing = "model";
    THROUGH_DOOR(NULL, missing, error, make(model, listener));
}

static Status take_recipe(steady_model *m, const steady_recipe *recipe,
                          const steady_data *data, Err *err) {
    m->recipe = recipe->recipe;
    if ((data && data_use(data, &m->recipe, err)) || check_recipe(&m->recipe, err))
        return err->status;
    m->base = m->recipe;
    m->handle.threads = m->recipe.train.threads;
    return OK;
}

static steady_status take_recipe_at_door(steady_model *model, const steady_recipe *recipe,
                                         const steady_data *data, steady_error *error) {
    THROUGH_DOOR(&model->handle, NULL, error,
                 take_recipe(model, recipe, data, &door.err));
}

static steady_status build_at_door(steady_model *model, steady_error *error) {
    THROUGH_DOOR(&model->handle, NULL, error, build(model, &door.err));
}

static steady_status open_at_door(steady_model *model, const char *run,
                                  const char *checkpoint, steady_error *error) {
    THROUGH_DOOR(&model->handle, NULL, error,
                 open_run(model, run, checkpoint, &door.err));
}

/* Nothing is half-built after a failure. */
static steady_status whole(steady_model **model, steady_status status) {
    if (!status || !model) return status;
    steady_model_free(*model);
    *model = NULL;
    return status;
}

steady_status steady_model_new(const steady_recipe *recipe, const steady_data *data,
                               const steady_listener *listener, steady_model **model,
                               steady_error *error) {
    steady_status status = make_at_door(model, listener, MISSING1(recipe), error);
    if (!status) status = take_recipe_at_door(*model, recipe, data, error);
    if (!status) status = build_at_door(*model, error);
    return whole(model, status);
}

steady_status steady_model_open(const char *run, const char *checkpoint,
                                const steady_listener *listener, steady_model **model,
                                steady_error *error) {
    steady_status status = make_at_door(model, listener, MISSING1(run), error);
    if (!status) status = open_at_door(*model, run, checkpoint, error);
    return whole(model, status);
}

void steady_model_free(steady_model *m) {
    if (!m) return;
    json_decref(m->scores);
    prober_free(m->prober);
    step_end(&m->step);
    if (m->run.recipe) run_close(&m->run);
    else task_free(m->task);
    mem_free(m);
}

size_t steady_model_steps(const steady_model *model) { return model ? model->steps : 0; }

size_t steady_model_done(const steady_model *model) { return model ? model->done : 0; }
