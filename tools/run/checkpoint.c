#include "tools/run/checkpoint_facts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kern/reduce.h"
#include "tools/program/say.h"
#include "tools/run/gains.h"
#include "tools/run/prefix.h"

enum { NAME_SIZE = 300 };

static const char FORMAT[] = "steady-checkpoint-1";

/* ---- what a checkpoint consists of: one walk serves saving, checking and loading ---- */

typedef struct Item {
    char name[NAME_SIZE];
    int dims;
    const size_t *shape;
    real *values;
    bool optional; /* left out where it is zero, zero where it is left out */
} Item;

typedef Status VisitItem(const Item *item, void *context, Err *err);

static Status visit_slab(const ParamSet *params, const char *prefix, real *slab,
                         VisitItem *visit, void *context, Err *err) {
    for (size_t i = 0; i < params->count; i++) {
        const Param *p = params->list[i];
        if (!param_is_trained(p)) continue;
        Item item = {.dims = p->tensor.dims,
                     .shape = p->tensor.shape,
                     .values = slab + p->offset};
        text_format(item.name, NAME_SIZE, "%s/%s", prefix, p->name);
        if (visit(&item, context, err)) return err->status;
    }
    return OK;
}

static Status visit_params(const ParamSet *params, VisitItem *visit, void *context,
                           Err *err) {
    for (size_t i = 0; i < params->count; i++) {
        const Tensor *t = &params->list[i]->tensor;
        Item item = {.dims = t->dims, .shape = t->shape, .values = t->value};
        text_format(item.name, NAME_SIZE, "%s", params->list[i]->name);
        if (visit(&item, context, err)) return err->status;
    }
    return OK;
}

static Status visit_prober(const CheckpointParts *parts, VisitItem *visit, void *context,
                           Err *err) {
    for (size_t i = 0; i < parts->model->layer_count; i++) {
        size_t shape[2] = {PROBER_VECTORS - 1};
        bool *known;
        real *vectors = prober_vectors(parts->prober, i, &shape[1], &known);
        Item u = {.dims = 1, .shape = shape + 1, .values = vectors};
        Item space = {
            .dims = 2, .shape = shape, .values = vectors + shape[1], .optional = true};
        text_format(u.name, NAME_SIZE, "probe.u/%s", parts->model->layers[i]->name);
        text_format(space.name, NAME_SIZE, "probe.space/%s",
                    parts->model->layers[i]->name);
        if (visit(&u, context, err) || visit(&space, context, err)) return err->status;
    }
    return OK;
}

static Status visit_all(const CheckpointParts *parts, VisitItem *visit, void *context,
                        Err *err) {
    const ParamSet *params = parts->model->params;
    if (visit_params(params, visit, context, err)) return err->status;
    for (size_t i = 0; parts->optim && i < optim_slot_count(parts->optim); i++) {
        char prefix[64];
        text_format(prefix, sizeof prefix, "optim.%s", optim_slot_name(parts->optim, i));
        if (visit_slab(params, prefix, optim_slot(parts->optim, i), visit, context, err))
            return err->status;
    }
    if (parts->ema &&
        visit_slab(params, "ema", ema_values(parts->ema), visit, context, err))
        return err->status;
    return parts->prober ? visit_prober(parts, visit, context, err) : OK;
}

/* ---- saving ---- */

static size_t size_of(const Item *item) {
    size_t size = 1;
    for (int i = 0; i < item->dims; i++) size *= item->shape[i];
    return size;
}

static Status add_item(const Item *item, void *writer, Err *err) {
    (void)err;
    if (item->optional && reduce_max_abs(item->values, size_of(item)) == 0) return OK;
    safetensors_add(writer, item->name, item->dims, item->shape, item->values);
    return OK;
}

Status checkpoint_save(const char *path, const char *root, const CheckpointParts *parts,
                       const Progressed *progressed, Err *err) {
    SafetensorsWriter *writer = safetensors_writer_new();
    visit_all(parts, add_item, writer, err);
    safetensors_add_metadata(writer, "format", FORMAT);
    if (parts->optim) safetensors_add_metadata(writer, "optimizer", parts->optimizer);
    if (parts->recipe) safetensors_add_metadata(writer, "recipe", parts->recipe);
    if (parts->precision) safetensors_add_metadata(writer, "precision", parts->precision);
    if (parts->meaning) safetensors_add_metadata(writer, "meaning", parts->meaning);
    checkpoint_add_facts(writer, parts, progressed);
    Status status = safetensors_save_in(writer, path, root, err);
    safetensors_writer_free(writer);
    return status;
}

/* ---- loading ---- */

static void shape_text(int dims, const size_t *shape, char *text, size_t size) {
    size_t at = (size_t)snprintf(text, size, "[");
    for (int i = 0; i < dims && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, i ? ", %zu" : "%zu", shape[i]);
    if (at < size) snprintf(text + at, size - at, "]");
}

/* A scalar may stand for [1]. */
static bool same_shape(const SafetensorsEntry *e, int dims, const size_t *shape) {
    if (e->dims == 0 && dims == 1 && shape[0] == 1) return true;
    if (e->dims != dims) return false;
    for (int i = 0; i < dims; i++)
        if (e->shape[i] != shape[i]) return false;
    return true;
}

static bool fits(const SafetensorsEntry *e, int dims, const size_t *shape) {
    return e && same_shape(e, dims, shape) && safetensors_is_real(e);
}

/* Appends "; name: seen, wanted" for a tensor that does not fit; the first four are
 * named. */
typedef struct Misfits {
    size_t count, length;
    char text[800];
} Misfits;

static void add_misfit(Misfits *m, const char *name, const SafetensorsEntry *e, int dims,
                       const size_t *shape) {
    if (m->count++ >= 4) return;
    char seen[120] = "missing", wanted[120];
    if (e) shape_text(e->dims, e->shape, seen, sizeof seen);
    shape_text(dims, shape, wanted, sizeof wanted);
    if (e && same_shape(e, dims, shape)) { /* then its numbers are the fault */
        text_format(seen, sizeof seen, "integer (%s)", e->dtype);
        text_format(wanted, sizeof wanted, SAFETENSORS_REALS);
    }
    int written = snprintf(m->text + m->length, sizeof m->text - m->length,
                           "; %s is %s, expected %s", name, seen, wanted);
    m->length = MIN(m->length + (size_t)MAX(written, 0), sizeof m->text - 1);
}

static Status misfit_error(const Misfits *m, const char *path, Err *err) {
    if (!m->count) return OK;
    return err_set(err, FAIL_DATA, "%s does not fit this model: %zu tensor%s%s%s", path,
                   m->count, m->count > 1 ? "s" : "", m->text,
                   m->count > 4 ? "; ..." : "");
}

typedef struct Loading {
    const Safetensors *file;
    Misfits misfits;
} Loading;

static Status check_item(const Item *item, void *context, Err *err) {
    (void)err;
    Loading *l = context;
    const SafetensorsEntry *e = safetensors_find(l->file, item->name);
    if (!e && item->optional) return OK;
    if (!fits(e, item->dims, item->shape))
        add_misfit(&l->misfits, item->name, e, item->dims, item->shape);
    return OK;
}

static Status read_item(const Item *item, void *context, Err *err) {
    Loading *l = context;
    const SafetensorsEntry *e = safetensors_find(l->file, item->name);
    if (!e) { /* check_item has allowed it */
        memset(item->values, 0, size_of(item) * sizeof(real));
        return OK;
    }
    return safetensors_read(l->file, e, item->values, e->count, err);
}

/* A vector of zeros is one that was not known yet. */
static void mark_known(const CheckpointParts *parts) {
    for (size_t i = 0; parts->prober && i < parts->model->layer_count; i++) {
        size_t size;
        bool *known;
        const real *u = prober_vectors(parts->prober, i, &size, &known);
        *known = false;
        for (size_t j = 0; j < size; j++) *known |= u[j] != 0;
    }
}

static bool has_prefix(const Safetensors *file, const char *prefix) {
    for (size_t i = 0; i < safetensors_count(file); i++)
        if (!strncmp(safetensors_entry(file, i)->name, prefix, strlen(prefix)))
            return true;
    return false;
}

/* State that the recipe asks for now and did not when the file was saved. */
static Status check_state(const Safetensors *file, const char *path,
                          const CheckpointParts *parts, Err *err) {
    if (parts->optim && optim_slot_count(parts->optim) && !has_prefix(file, "optim."))
        return err_set(
            err, FAIL_USAGE,
            "%s was saved with optim.momentum = 0 and has no momentum buffers; resume "
            "with 0, or start a new run with train.init",
            path);
    if (parts->ema && !has_prefix(file, "ema/"))
        return err_set(err, FAIL_USAGE,
                       "%s was saved with train.ema = 0 and has no averaged weights; %s",
                       path,
                       parts->optim ? "resume with 0, or start a new run with train.init"
                                    : "leave out --ema");
    return OK;
}

static Status check_optimizer(const Safetensors *file, const char *path,
                              const CheckpointParts *parts, Err *err) {
    const char *seen = safetensors_metadata(file, "optimizer");
    if (!parts->optim || !seen || !strcmp(seen, parts->optimizer))
        return check_state(file, path, parts, err);
    return err_set(
        err, FAIL_USAGE,
        "%s was saved with optim.name = %s and has no optimizer state for %s; start a "
        "new run from its weights with train.init",
        path, seen, parts->optimizer);
}

static Status load_file(const Safetensors *file, const char *path,
                        const CheckpointParts *parts, Progressed *p, Err *err) {
    Loading l = {.file = file};
    if (check_optimizer(file, path, parts, err)) return err->status;
    visit_all(parts, check_item, &l, err);
    if (misfit_error(&l.misfits, path, err)) return err->status;
    Progressed seen;
    if (checkpoint_read_facts(file, path, parts, &seen, err)) return err->status;
    if (visit_all(parts, read_item, &l, err)) return err->status;
    *p = seen;
    if (parts->optim) optim_set_steps(parts->optim, p->step);
    mark_known(parts);
    return OK;
}

Status checkpoint_load(const char *path, const char *root, const CheckpointParts *parts,
                       Progressed *progressed, Err *err) {
    Safetensors *file = safetensors_open_in(path, root, SAFETENSORS_VERIFY, err);
    if (!file) return err->status;
    Status status = load_file(file, path, parts, progressed, err);
    safetensors_close(file);
    return status;
}

char *checkpoint_fact(const char *path, const char *root, const char *name) {
    Safetensors *file = safetensors_open_in(path, root, SAFETENSORS_TRUST, NULL);
    const char *text = file ? safetensors_metadata(file, name) : NULL;
    char *copy = text ? mem_strdup(text) : NULL;
    safetensors_close(file);
    return copy;
}

bool checkpoint_is_own(const char *path, const char *root) {
    char *format = checkpoint_fact(path, root, "format");
    bool own = format && !strcmp(format, FORMAT);
    mem_free(format);
    return own;
}

/* ---- weights from elsewhere ---- */

/* Companions of a reparametrisation may be missing; nothing else. */
static bool may_be_missing(const Param *p) {
    return p->role == PARAM_GAIN || p->role == PARAM_BUFFER;
}

static Status check_weights(const Safetensors *file, const char *path,
                            const ParamSet *params, Err *err) {
    Misfits misfits = {0};
    for (size_t i = 0; i < params->count; i++) {
        const Param *p = params->list[i];
        const SafetensorsEntry *e = safetensors_find(file, p->name);
        if (!e && may_be_missing(p)) continue;
        if (!fits(e, p->tensor.dims, p->tensor.shape))
            add_misfit(&misfits, p->name, e, p->tensor.dims, p->tensor.shape);
    }
    if (!misfit_error(&misfits, path, err)) return OK;
    char names[PREFIX_NAMES];
    Err why = *err;
    prefix_names(file, params, names);
    return err_set(err, why.status, "%.1200s%s", why.text, names);
}

/* Says which tensors of the file the model has no use for. */
static void note_unused(const Safetensors *file, const char *path,
                        const ParamSet *params) {
    size_t unused = 0;
    const char *first = NULL;
    for (size_t i = 0; i < safetensors_count(file); i++) {
        const char *name = safetensors_entry(file, i)->name;
        if (params_find(params, name)) continue;
        if (!unused++) first = name;
    }
    if (!unused) return;
    const char *dot = strrchr(first, '.');
    bool scaled = dot && (!strcmp(dot, ".gamma") || !strcmp(dot, ".g"));
    say("note: %s: %zu tensors are not part of this model and are ignored (%s%s)%s", path,
        unused, first, unused > 1 ? ", ..." : "",
        scaled ? "; its weights are reparametrised: steady export writes plain ones"
               : "");
}

static void note_gains(const char *path, const Model *model, const bool *loaded) {
    char lines[GAINS_LINES][GAINS_LINE];
    size_t count = gains_describe(model, loaded, lines);
    for (size_t i = 0; i < count; i++) say("note: %s: %s", path, lines[i]);
}

static Status read_weights(const Safetensors *file, const char *path, Model *model,
                           bool plain, Err *err) {
    const ParamSet *params = model->params;
    if (check_weights(file, path, params, err)) return err->status;
    bool *loaded = mem_zalloc(params->count * sizeof *loaded);
    Status status = OK;
    for (size_t i = 0; i < params->count && !status; i++) {
        Param *p = params->list[i];
        const SafetensorsEntry *e = safetensors_find(file, p->name);
        if (!e) continue;
        loaded[i] = true;
        status = safetensors_read(file, e, p->tensor.value, e->count, err);
        if (!status && !reduce_all_finite(p->tensor.value, p->tensor.size))
            status =
                err_set(err, FAIL_DATA, "%s: %s has non-finite values", path, p->name);
    }
    if (!status) note_unused(file, path, params);
    if (!status && plain) model_start_plain(model, loaded);
    if (!status && !plain) {
        model_start(model, loaded);
        note_gains(path, model, loaded);
    }
    mem_free(loaded);
    return status;
}

static Status load(const char *path, const char *root, Model *model, bool plain,
                   Err *err) {
    Safetensors *file = safetensors_open_in(path, root, SAFETENSORS_VERIFY, err);
    if (!file) return err->status;
    Status status = prefix_take_off(file, path, model->params, err);
    if (!status) status = read_weights(file, path, model, plain, err);
    safetensors_close(file);
    return status;
}

Status weights_load(const char *path, const char *root, Model *model, Err *err) {
    return load(path, root, model, false, err);
}

Status weights_load_plain(const char *path, const char *root, Model *model, Err *err) {
    return load(path, root, model, true, err);
}
