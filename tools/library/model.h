/* model: what a steady_model is (include/steady.h): a recipe's task, and the place in its
 * training.  The files of this room share it. */
#ifndef STEADY_LIBRARY_MODEL_H
#define STEADY_LIBRARY_MODEL_H

#include <jansson.h>

#include "tools/library/door.h"
#include "tools/run/probe.h"
#include "tools/task/course.h"
#include "tools/task/openrun.h"

struct steady_model {
    Handle handle; /* first */
    Recipe base;   /* as given */
    Recipe recipe; /* the same with the interventions that act: of the last step */
    Acted acted;
    Task *task;
    Step step;
    Prober *prober;
    size_t steps, warmup_steps, done;
    size_t passed; /* batches behind those of `done` that were no step: they diverged */
    OpenRun run;   /* of steady_model_open; else zero */
    steady_op op;
    json_t *scores; /* the row of the last evaluation; NULL: none */
};

/* NULL stays NULL. */
static inline Handle *handle_of(steady_model *model) {
    return model ? &model->handle : NULL;
}

static inline const Handle *const_handle_of(const steady_model *model) {
    return model ? &model->handle : NULL;
}

/* Tape for what is done without gradients. */
static inline Tape *tape_of(const steady_model *model) {
    return model->run.tape ? model->run.tape : model->step.tape;
}

/* FAIL_USAGE: sizes of 0, or beyond what can be. */
Status check_pictures(const steady_pictures *pictures, Err *err);

/* The recipe's task gets its examples from memory. */
Status data_use(const steady_data *data, Recipe *recipe, Err *err);

/* How a forward pass is run now. */
ForwardMode model_mode(const steady_model *model);

/* Puts the interventions of `acted` into force. */
void model_set_acted(steady_model *model, const Acted *acted);

/* Steps of the training and of its warm-up, by the recipe. */
void model_count_steps(steady_model *model);
/* How far it is. */
CourseNow model_now(const steady_model *model);

#endif
