/* transfer_layers: weights whose scale the model has in another way, or not at all
 * (tools/task/transfer_parts.h). */
#include <math.h>
#include <string.h>

#include "engine/kern/reduce.h"
#include "engine/reparam/spectral.h"
#include "tools/task/transfer_parts.h"

/* The companions of one weight in the file; NULL: it has none of this name. */
typedef struct Companions {
    const SafetensorsEntry *gamma, *u, *v, *g;
} Companions;

static const SafetensorsEntry *companion(Transfer *t, const LinearLayer *layer,
                                         const char *part) {
    char name[sizeof layer->name + 16];
    text_format(name, sizeof name, "%s.%s", layer->name, part);
    return transfer_take(t, name);
}

static Companions companions_of(Transfer *t, const LinearLayer *layer) {
    return (Companions){companion(t, layer, "gamma"), companion(t, layer, "u"),
                        companion(t, layer, "v"), companion(t, layer, "g")};
}

const LinearLayer *transfer_layer_of(const Model *model, const Param *param) {
    for (size_t i = 0; i < model->layer_count; i++) {
        const Reparam *r = model->layers[i]->reparam;
        if (r && (param == r->gamma || param == r->u || param == r->v || param == r->g))
            return model->layers[i];
    }
    return NULL;
}

/* What the file's companions belong to: gamma or vectors alone are sigma's, as for
 * train.init, unless the file says that it is spectral norm. */
typedef enum { FILE_PLAIN, FILE_SIGMA, FILE_SPECTRAL, FILE_WEIGHT } FileScale;

static FileScale scale_of(const Transfer *t, const Companions *c) {
    char method[40] = "";
    if (c->g) return FILE_WEIGHT;
    if (c->gamma) return FILE_SIGMA;
    if (!c->u && !c->v) return FILE_PLAIN;
    transfer_fact(t, "model.reparam", method, sizeof method);
    return strcmp(method, "spectral") ? FILE_SIGMA : FILE_SPECTRAL;
}

/* Does the model have the scale in the same way, by its companions? */
static bool is_same(FileScale scale, const Reparam *r) {
    switch (scale) {
    case FILE_PLAIN: return true;
    case FILE_SIGMA: return r && r->gamma;
    case FILE_SPECTRAL: return r && r->u && !r->gamma;
    case FILE_WEIGHT: return r && r->g;
    }
    return false;
}

static bool has_size(const SafetensorsEntry *e, size_t count) {
    return !e || (e->count == count && safetensors_is_real(e));
}

static Status check_companions(const Transfer *t, const LinearLayer *layer,
                               const Companions *c, Err *err) {
    const Tensor *w = &layer->weight->tensor;
    size_t rows = w->shape[0], columns = w->size / rows;
    if (has_size(c->gamma, 1) && has_size(c->u, columns) && has_size(c->v, rows) &&
        has_size(c->g, rows))
        return OK;
    return err_set(err, FAIL_DATA,
                   "%s does not fit this model: gamma, u, v or g of %s do not have the "
                   "sizes that its weight needs, 1, %zu, %zu and %zu",
                   t->path, layer->name, columns, rows, rows);
}

static void mark(Transfer *t, const Param *param) {
    const ParamSet *params = t->task->model->params;
    for (size_t i = 0; i < params->count; i++)
        if (params->list[i] == param) t->loaded[i] = true;
}

static Status load(Transfer *t, Param *param, const SafetensorsEntry *e, Err *err) {
    if (!param || !e) return OK;
    mark(t, param);
    t->kept++;
    return transfer_read(t, e, param->tensor.value, err);
}

/* ---- folding ---- */

/* W = (gamma / sigma) W, sigma by the file's vectors: what an evaluation of that model
 * computed.  Without vectors, and for averages once followed, by those of W. */
static Status fold_sigma(const Transfer *t, const Companions *c, real *w, size_t rows,
                         size_t columns, Err *err) {
    real gamma = 1, *u = mem_zalloc((rows + columns) * sizeof *u), *v = u + columns;
    real sigma = 0;
    Status status = c->gamma ? transfer_read(t, c->gamma, &gamma, err) : OK;
    if (!status && c->u) status = transfer_read(t, c->u, u, err);
    if (!status && c->v) status = transfer_read(t, c->v, v, err);
    if (!status && !c->u) sigma = spectral_norm(w, rows, columns, u, v);
    else if (!status && (t->averaged || !c->v))
        sigma =
            spectral_follow(w, rows, columns, u, v, SPECTRAL_RESIDUAL, SPECTRAL_ROUNDS);
    else if (!status) sigma = spectral_form(w, rows, columns, u, v);
    for (size_t i = 0; !status && i < rows * columns; i++)
        w[i] *= sigma != 0 ? gamma / sigma : 0;
    mem_free(u);
    return status;
}

/* W_i = g_i W_i / |W_i| */
static Status fold_weight(const Transfer *t, const Companions *c, real *w, size_t rows,
                          size_t columns, Err *err) {
    real *g = mem_alloc(rows * sizeof *g);
    Status status = transfer_read(t, c->g, g, err);
    for (size_t i = 0; !status && i < rows; i++) {
        real *row = w + i * columns;
        double norm = sqrt(reduce_sum_squares(row, columns));
        double factor = norm > 0 ? (double)g[i] / norm : 0;
        for (size_t j = 0; j < columns; j++) row[j] = (real)(factor * (double)row[j]);
    }
    mem_free(g);
    return status;
}

Status transfer_layer(Transfer *t, const LinearLayer *layer, Err *err) {
    Reparam *r = layer->reparam;
    Tensor *w = &layer->weight->tensor;
    size_t rows = w->shape[0], columns = w->size / rows;
    Companions c = companions_of(t, layer);
    FileScale scale = scale_of(t, &c);
    const SafetensorsEntry *e = transfer_take(t, layer->weight->name);
    if (check_companions(t, layer, &c, err) || load(t, layer->weight, e, err))
        return err->status;
    if (is_same(scale, r)) {
        if (r && (load(t, r->gamma, c.gamma, err) || load(t, r->u, c.u, err) ||
                  load(t, r->v, c.v, err) || load(t, r->g, c.g, err)))
            return err->status;
        return OK;
    }
    t->folded++;
    return (scale == FILE_WEIGHT ? fold_weight : fold_sigma)(t, &c, w->value, rows,
                                                             columns, err);
}
