#include "tools/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kern/reduce.h"

enum { NAME_SIZE = 300 };

#define COUNT_MOST 1e15 /* of steps, batches, epochs */

static const char FORMAT[] = "steady-checkpoint-1";

/* ---- what a checkpoint consists of: one walk serves saving, checking and loading ---- */

typedef struct Item {
    char name[NAME_SIZE];
    int dims;
    const size_t *shape;
    real *values;
} Item;

typedef Status VisitItem(const Item *item, void *context, Err *err);

static Status visit_slab(const ParamSet *params, const char *prefix, real *slab,
                         VisitItem *visit, void *context, Err *err) {
    for (size_t i = 0; i < params->count; i++) {
        const Param *p = params->list[i];
        if (!param_is_trained(p)) continue;
        Item item = {
            .dims = p->tensor.dims, .shape = p->tensor.shape, .values = slab + p->offset};
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
        size_t size;
        bool *known;
        real *vector = prober_vector(parts->prober, i, &size, &known);
        Item item = {.dims = 1, .shape = &size, .values = vector};
        text_format(item.name, NAME_SIZE, "probe.u/%s", parts->model->layers[i]->name);
        if (visit(&item, context, err)) return err->status;
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

static Status add_item(const Item *item, void *writer, Err *err) {
    (void)err;
    safetensors_add(writer, item->name, item->dims, item->shape, item->values);
    return OK;
}

static void add_number(SafetensorsWriter *writer, const char *key, double value) {
    char text[64];
    text_format(text, sizeof text, "%.17g", value);
    safetensors_add_metadata(writer, key, text);
}

/* Sites that the collapse guard has warned of, "blocks.0.attn blocks.3.attn". */
static void add_warned(SafetensorsWriter *writer, const CheckpointParts *parts) {
    size_t count = parts->warned ? parts->model->site_count : 0, room = 1, used = 0;
    for (size_t i = 0; i < count; i++) room += strlen(parts->model->sites[i]->name) + 1;
    char *text = mem_zalloc(room);
    for (size_t i = 0; i < count; i++) {
        if (!parts->warned[i]) continue;
        text_format(text + used, room - used, "%s%s", used ? " " : "",
                    parts->model->sites[i]->name);
        used += strlen(text + used);
    }
    if (used) safetensors_add_metadata(writer, "warned", text);
    mem_free(text);
}

static void add_skips(SafetensorsWriter *writer, const CheckpointParts *parts) {
    if (!parts->skips || !parts->skips->count) return;
    char *text = skips_text(parts->skips);
    safetensors_add_metadata(writer, "skipped", text);
    mem_free(text);
}

/* "step epoch share number epoch", and "; batch accumulate load batches" for each part. */
static void add_anchor(SafetensorsWriter *writer, const Anchor *a) {
    char text[(PLACE_PARTS + 2) * 100];
    if (!a->step) return;
    text_format(text, sizeof text, "%zu %.17g %.17g %zu %zu", a->step, a->epoch, a->share,
                a->place.number, a->place.epoch);
    for (size_t i = 0; i < a->place.parts; i++) {
        const PlacePart *part = &a->place.part[i];
        size_t used = strlen(text);
        text_format(text + used, sizeof text - used, "; %zu %zu %.17g %zu", part->batch,
                    part->accumulate, part->load, part->batches);
    }
    safetensors_add_metadata(writer, "place", text);
}

Status checkpoint_save(const char *path, const char *root, const CheckpointParts *parts,
                       const Progressed *progressed, Err *err) {
    SafetensorsWriter *writer = safetensors_writer_new();
    visit_all(parts, add_item, writer, err);
    safetensors_add_metadata(writer, "format", FORMAT);
    add_number(writer, "step", (double)progressed->step);
    add_number(writer, "temperature", progressed->temperature);
    if (parts->optim) safetensors_add_metadata(writer, "optimizer", parts->optimizer);
    if (parts->recipe) safetensors_add_metadata(writer, "recipe", parts->recipe);
    add_number(writer, "data_offset", (double)progressed->data_offset);
    add_number(writer, "pending_eval", progressed->pending_eval);
    add_number(writer, "best_score", progressed->best_score);
    add_number(writer, "best_step", (double)progressed->best_step);
    if (progressed->epoch_steps) {
        add_number(writer, "epoch_steps", (double)progressed->epoch_steps);
        add_number(writer, "epoch_left", (double)progressed->epoch_left);
    }
    add_anchor(writer, &progressed->anchor);
    add_warned(writer, parts);
    add_skips(writer, parts);
    if (isfinite(progressed->plateau.best)) {
        safetensors_add_metadata(writer, "plateau_watch",
                                 plateau_watch_name(progressed->plateau.watch));
        add_number(writer, "plateau_best", progressed->plateau.best);
        add_number(writer, "plateau_bad", (double)progressed->plateau.bad);
        add_number(writer, "plateau_reductions", (double)progressed->plateau.reductions);
    }
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

/* Appends "; name: seen, wanted" for a tensor that does not fit; the first four are named. */
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
        text_format(seen, sizeof seen, "of whole numbers (%s)", e->dtype);
        text_format(wanted, sizeof wanted, SAFETENSORS_REALS);
    }
    int written = snprintf(m->text + m->length, sizeof m->text - m->length,
                           "; %s is %s, wanted %s", name, seen, wanted);
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
    if (!fits(e, item->dims, item->shape))
        add_misfit(&l->misfits, item->name, e, item->dims, item->shape);
    return OK;
}

static Status read_item(const Item *item, void *context, Err *err) {
    Loading *l = context;
    const SafetensorsEntry *e = safetensors_find(l->file, item->name);
    return safetensors_read(l->file, e, item->values, e->count, err);
}

static double number_of(const Safetensors *file, const char *key) {
    const char *text = safetensors_metadata(file, key);
    return text ? strtod(text, NULL) : 0;
}

/* A count; FAIL_DATA where it is none that a run can come to, which `bad` then names. */
static size_t count_of(const Safetensors *file, const char *key, const char **bad) {
    double number = number_of(file, key);
    if (number >= 0 && number <= COUNT_MOST) return (size_t)number;
    *bad = key;
    return 0;
}

/* A vector of zeros is one that was not known yet. */
static void mark_known(const CheckpointParts *parts) {
    for (size_t i = 0; parts->prober && i < parts->model->layer_count; i++) {
        size_t size;
        bool *known;
        const real *u = prober_vector(parts->prober, i, &size, &known);
        *known = false;
        for (size_t j = 0; j < size; j++) *known |= u[j] != 0;
    }
}

static bool has_prefix(const Safetensors *file, const char *prefix) {
    for (size_t i = 0; i < safetensors_count(file); i++)
        if (!strncmp(safetensors_entry(file, i)->name, prefix, strlen(prefix))) return true;
    return false;
}

/* State that the recipe asks for now and did not when the file was saved. */
static Status check_state(const Safetensors *file, const char *path,
                          const CheckpointParts *parts, Err *err) {
    if (parts->optim && optim_slot_count(parts->optim) && !has_prefix(file, "optim."))
        return err_set(err, FAIL_USAGE,
                       "%s was saved with optim.momentum = 0 and has no momentum to go on "
                       "from; resume with 0, or start a new run with train.init",
                       path);
    if (parts->ema && !has_prefix(file, "ema/"))
        return err_set(err, FAIL_USAGE,
                       "%s was saved with train.ema = 0 and has no averaged weights; resume "
                       "with 0, or start a new run with train.init",
                       path);
    return OK;
}

static Status check_optimizer(const Safetensors *file, const char *path,
                              const CheckpointParts *parts, Err *err) {
    const char *seen = safetensors_metadata(file, "optimizer");
    if (!parts->optim || !seen || !strcmp(seen, parts->optimizer))
        return check_state(file, path, parts, err);
    return err_set(
        err, FAIL_USAGE,
        "%s was saved by optim.name = %s, which leaves nothing for %s to go on "
        "from; a new run can start from its weights with train.init",
        path, seen, parts->optimizer);
}

/* Numbers as add_anchor writes them: whole ones below 2^48, lengths that can be divided by. */
static bool read_numbers(const char **text, double *number, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char *end;
        number[i] = strtod(*text, &end);
        bool good = end > *text && number[i] >= 0 && number[i] < 0x1p48;
        *text = end;
        if (!good) return false;
    }
    return true;
}

static bool read_part(const char **text, Place *place) {
    double n[4];
    ++*text;
    if (place->parts == PLACE_PARTS || !read_numbers(text, n, COUNT(n))) return false;
    PlacePart part = {(size_t)n[0], (size_t)n[1], n[2], (size_t)n[3]};
    place->part[place->parts++] = part;
    return part.batch && part.accumulate && part.accumulate <= MAX(part.batch, part.load);
}

static Status read_anchor(const Safetensors *file, const char *path, Anchor *a, Err *err) {
    const char *text = safetensors_metadata(file, "place");
    double n[5];
    *a = (Anchor){0};
    if (!text) return OK;
    bool good = read_numbers(&text, n, COUNT(n)) && n[2] <= 1;
    if (good)
        *a = (Anchor){(size_t)n[0], n[1], n[2],
                      {.number = (size_t)n[3], .epoch = (size_t)n[4]}};
    while (good && *text == ';') good = read_part(&text, &a->place);
    if (good && !*text) return OK;
    return err_set(err, FAIL_DATA, "%s: __metadata__: place is not a place in the data", path);
}

static void read_warned(const Safetensors *file, const CheckpointParts *parts) {
    const char *text = safetensors_metadata(file, "warned");
    for (size_t i = 0; parts->warned && i < parts->model->site_count; i++) {
        const char *name = parts->model->sites[i]->name, *at = text;
        size_t length = strlen(name);
        parts->warned[i] = false;
        while (at && !parts->warned[i] && (at = strstr(at, name))) {
            bool whole = (at == text || at[-1] == ' ') && (!at[length] || at[length] == ' ');
            parts->warned[i] = whole;
            at += length;
        }
    }
}

static Status load_file(const Safetensors *file, const char *path,
                        const CheckpointParts *parts, Progressed *p, Err *err) {
    Loading l = {.file = file};
    if (check_optimizer(file, path, parts, err)) return err->status;
    visit_all(parts, check_item, &l, err);
    if (misfit_error(&l.misfits, path, err)) return err->status;
    if (visit_all(parts, read_item, &l, err)) return err->status;
    const char *bad = NULL;
    *p = (Progressed){.step = count_of(file, "step", &bad),
                      .temperature = number_of(file, "temperature"),
                      .data_offset = count_of(file, "data_offset", &bad),
                      .pending_eval = number_of(file, "pending_eval") != 0,
                      .best_score = number_of(file, "best_score"),
                      .best_step = count_of(file, "best_step", &bad),
                      .plateau = PLATEAU_START};
    const char *watch = safetensors_metadata(file, "plateau_watch");
    if (safetensors_metadata(file, "plateau_best"))
        p->plateau = (Plateau){plateau_watch_named(watch ? watch : ""),
                               number_of(file, "plateau_best"),
                               count_of(file, "plateau_bad", &bad),
                               count_of(file, "plateau_reductions", &bad)};
    p->epoch_steps = count_of(file, "epoch_steps", &bad);
    p->epoch_left = count_of(file, "epoch_left", &bad);
    if (bad)
        return err_set(err, FAIL_DATA, "%s: __metadata__: %s is \"%.40s\"; a count is expected",
                       path, bad, safetensors_metadata(file, bad));
    if (read_anchor(file, path, &p->anchor, err)) return err->status;
    if (parts->optim) optim_set_steps(parts->optim, p->step);
    read_warned(file, parts);
    if (parts->skips) skips_read(parts->skips, safetensors_metadata(file, "skipped"));
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
    return misfit_error(&misfits, path, err);
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
    fprintf(
        stderr,
        "note: %s: %zu tensors are not part of this model and are left out (%s%s)%s\n",
        path, unused, first, unused > 1 ? ", ..." : "",
        scaled ? "; its weights are reparametrised: fold them in with steady export"
               : "");
}

static Status read_weights(const Safetensors *file, const char *path, Model *model,
                           Err *err) {
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
            status = err_set(err, FAIL_DATA, "%s: %s holds numbers that are not finite",
                             path, p->name);
    }
    if (!status) note_unused(file, path, params);
    if (!status) model_start(model, loaded);
    mem_free(loaded);
    return status;
}

Status weights_load(const char *path, const char *root, Model *model, Err *err) {
    Safetensors *file = safetensors_open_in(path, root, SAFETENSORS_VERIFY, err);
    if (!file) return err->status;
    Status status = read_weights(file, path, model, err);
    safetensors_close(file);
    return status;
}
