#include "tools/probe/probing.h"

#include <math.h>

#include "engine/kern/reduce.h"
#include "tools/run/datafacts.h"
#include "tools/run/rundir.h"

/* Examples of a forward pass: as many as memory for training has room for. */
enum { PIECE = 16 };

Status probing_begin(Probing *m, OpenRun *run, Split split, size_t sample, Err *err) {
    Task *task = run->task;
    *m = (Probing){.run = run, .split = split};
    if (task_sample(task, split, sample, err)) return run_advise_data(err);
    task_say_split(task, split);
    task_measure_begin(task, PIECE, &m->step);
    return OK;
}

void probing_end(Probing *m) { step_end(&m->step); }

static json_t *tensor_row(const Param *p) {
    const Tensor *t = &p->tensor;
    double norm = sqrt(reduce_sum_squares(t->grad, t->size));
    double largest = (double)reduce_max_abs(t->grad, t->size);
    json_t *shape = json_array();
    for (int i = 0; i < t->dims; i++)
        json_array_append_new(shape, json_integer((json_int_t)t->shape[i]));
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "name", p->name, "shape", shape, "norm",
                     json_number(sqrt(reduce_sum_squares(t->value, t->size))),
                     "grad_norm", json_number(p->frozen ? NAN : norm), "grad_inf",
                     json_number(p->frozen ? NAN : largest));
}

static json_t *list_tensors(const ParamSet *params) {
    json_t *rows = json_array();
    for (size_t i = 0; i < params->count; i++)
        if (param_is_trained(params->list[i]))
            json_array_append_new(rows, tensor_row(params->list[i]));
    return rows;
}

/* Forward and backward; where the first number that is not finite was. */
static TapeFault pass(Probing *m, const ForwardMode *mode) {
    StepBatch batch = task_step_batch(m->run->task, 1, *mode);
    step_gradients(&m->step, &batch);
    if (isfinite(m->step.loss) && isfinite(m->step.grad_norm)) return (TapeFault){0};
    return step_watch(&m->step, &batch);
}

static json_t *fault_row(TapeFault fault) {
    return json_pack("{s:s, s:s, s:b}", "op", fault.op, "scope",
                     fault.scope ? fault.scope : "", "backward", (int)fault.backward);
}

json_t *probing_row(Probing *m) {
    const OpenRun *run = m->run;
    ForwardMode mode = run_mode(run);
    ProbeConfig all = run->recipe->probe;
    all.every = 1, all.entropy = all.spectral = all.gradients = true;
    mode.measure = MEASURE_HEADS;
    TapeFault fault = pass(m, &mode);
    Prober *prober = prober_new(run->task->model);
    prober_look(prober, &all, run->step);
    json_t *row = prober_row(prober, &all, run->step, NULL);
    prober_free(prober);
    json_object_set_new(row, "step", run_step_json(run));
    json_object_set_new(row, "checkpoint",
                        *run->checkpoint ? json_text(run->checkpoint) : json_null());
    if (run->average)
        json_object_set_new(row, "average", json_integer((json_int_t)run->average));
    if (m->ema) json_object_set_new(row, "ema", json_true());
    json_object_set_new(row, "split", json_string(split_name(m->split)));
    json_object_set_new(row, "sample", json_integer((json_int_t)run->task->part));
    json_object_set_new(row, "loss", json_number(m->step.loss));
    json_object_set_new(row, "grad_norm", json_number(m->step.grad_norm));
    json_object_set_new(row, "temperature", json_number(mode.temperature));
    if (fault.op) json_object_set_new(row, "fault", fault_row(fault));
    json_object_set_new(row, "tensors", list_tensors(run->task->model->params));
    return row;
}
