/* probe: what the last step showed of itself. */
#include <math.h>

#include "engine/kern/reduce.h"
#include "tools/library/model.h"

size_t steady_model_sites(const steady_model *model) {
    return model && model->task ? model->task->model->site_count : 0;
}

size_t steady_model_weights(const steady_model *model) {
    return model && model->task ? model->task->model->layer_count : 0;
}

static Status site_of(const steady_model *m, size_t i, steady_site *out, Err *err) {
    size_t count = steady_model_sites(m);
    if (i >= count)
        return err_set(err, FAIL_USAGE, "site %zu: expected a number below %zu", i,
                       count);
    const Site *site = m->task->model->sites[i];
    *out = (steady_site){.name = site->name,
                         .heads = site->heads,
                         .entropy = site->entropy,
                         .largest_logit = site->largest,
                         .uniform = site->uniform};
    return OK;
}

steady_status steady_model_site(const steady_model *model, size_t site, steady_site *out,
                                steady_error *error) {
    READ_THROUGH_DOOR(const_handle_of(model), MISSING2(model, out), error,
                      site_of(model, site, out, &door.err));
}

static Status weight_of(steady_model *m, size_t i, steady_weight *out, Err *err) {
    size_t count = steady_model_weights(m);
    if (i >= count)
        return err_set(err, FAIL_USAGE, "weight %zu: expected a number below %zu", i,
                       count);
    const LinearLayer *layer = m->task->model->layers[i];
    const Tensor *w = &layer->weight->tensor;
    const Param *gamma = layer->reparam ? layer->reparam->gamma : NULL;
    *out = (steady_weight){.name = layer->name,
                           .sigma = prober_sigma(m->prober, i),
                           .gamma = gamma ? (double)gamma->tensor.value[0] : (double)NAN,
                           .gradient_norm = sqrt(reduce_sum_squares(w->grad, w->size))};
    return OK;
}

steady_status steady_model_weight(steady_model *model, size_t weight, steady_weight *out,
                                  steady_error *error) {
    THROUGH_DOOR(handle_of(model), MISSING2(model, out), error,
                 weight_of(model, weight, out, &door.err));
}
