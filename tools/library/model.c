/* model: from a recipe to a model that is ready for its first step. */
#include "tools/library/model.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "tools/library/recipe.h"
#include "tools/run/checkpoint.h"

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
            "train.ema = %g: the library keeps no averaged weights; set it to 0, "
            "or use steady train",
            recipe->train.ema);
    if (recipe->schedule.name != SCHEDULE_PLATEAU) return OK;
    return err_set(
        err, FAIL_USAGE,
        "schedule.name = plateau goes by evaluations that the library leaves to "
        "its caller; choose another schedule, or use steady train");
}

/* ---- building ---- */

static Status count_steps(steady_model *m, Err *err) {
    const Recipe *r = &m->recipe;
    const ScheduleConfig *s = &r->schedule;
    double epoch = (double)m->task->steps_per_epoch;
    if (!m->task->steps_per_epoch)
        return err_set(err, FAIL_USAGE,
                       "train.batch = %zu is more than the %zu training examples",
                       r->train.batch, m->task->examples);
    m->steps = r->train.steps ? r->train.steps : (size_t)llround(r->train.epochs * epoch);
    m->steps = MAX(m->steps, (size_t)1);
    m->warmup_steps =
        s->warmup_steps ? s->warmup_steps : (size_t)llround(s->warmup_epochs * epoch);
    return OK;
}

static Status fill(steady_model *m, Err *err) {
    task_initialize(m->task);
    if (*m->recipe.train.init)
        return weights_load(m->recipe.train.init, NULL, m->task->model, err);
    model_start(m->task->model, NULL);
    return OK;
}

static Status build(steady_model *m, Err *err) {
    say_recipe_notes(&m->recipe);
    m->task = task_open(&m->recipe, NULL, err);
    if (!m->task) return err->status;
    task_say_facts(m->task);
    task_step_begin(m->task, (size_t)omp_get_max_threads(), &m->step);
    m->prober = prober_new(m->task->model);
    if (fill(m, err) || count_steps(m, err)) return err->status;
    return m->task->ops->start(m->task, 1, err);
}

/* ---- the door ---- */

static steady_status make_handle(const steady_recipe *recipe,
                                 const steady_listener *listener, steady_model **model,
                                 steady_error *error) {
    THROUGH_DOOR(NULL, MISSING2(recipe, model), error, {
        steady_model *m = *model = mem_zalloc(sizeof **model);
        m->recipe = recipe->recipe;
        if (listener) m->handle.listener = *listener;
        if (!check_recipe(&m->recipe, &door.err)) {
            m->handle.threads = m->recipe.train.threads;
            m->handle.computes = true;
        }
    });
}

static steady_status build_at_door(steady_model *model, steady_error *error) {
    THROUGH_DOOR(&model->handle, NULL, error, build(model, &door.err));
}

steady_status steady_model_new(const steady_recipe *recipe, const steady_data *data,
                               const steady_listener *listener, steady_model **model,
                               steady_error *error) {
    (void)data;
    if (model) *model = NULL;
    steady_status status = make_handle(recipe, listener, model, error);
    if (!status) status = build_at_door(*model, error);
    if (!status || !model) return status;
    steady_model_free(*model);
    *model = NULL;
    return status;
}

void steady_model_free(steady_model *m) {
    if (!m) return;
    json_decref(m->scores);
    prober_free(m->prober);
    step_end(&m->step);
    task_free(m->task);
    mem_free(m);
}

size_t steady_model_steps(const steady_model *model) { return model ? model->steps : 0; }

size_t steady_model_done(const steady_model *model) { return model ? model->done : 0; }
