#include "tools/task/transfer.h"

#include <string.h>

#include "tools/run/gains.h"
#include "tools/run/prefix.h"
#include "tools/task/meaning.h"
#include "tools/task/pictures.h"
#include "tools/task/transfer_parts.h"

/* ---- what the model's tensors are ---- */

/* Parts of a model that depend on what is learned, each kept as a whole or not at all. */
static const char *const ENDS[] = {"head", "projector", "probe"};

/* "blocks" of "blocks.0.norm1.weight" and of "blocks" */
static bool is_below(const char *name, const char *part) {
    size_t length = strlen(part);
    return !strncmp(name, part, length) && (!name[length] || name[length] == '.');
}

static bool is_end(const char *name) {
    for (size_t i = 0; i < COUNT(ENDS); i++)
        if (is_below(name, ENDS[i])) return true;
    return false;
}

static bool has_shape(const SafetensorsEntry *e, const Tensor *t) {
    if (!e || !safetensors_is_real(e) || e->dims != t->dims) return false;
    return !memcmp(e->shape, t->shape, (size_t)t->dims * sizeof *t->shape);
}

/* ---- checks ---- */

static void show_shape(int dims, const size_t *shape, char *text, size_t size) {
    text_format(text, size, "[");
    for (int i = 0; i < dims; i++) {
        size_t used = strlen(text);
        text_format(text + used, size - used, i ? ", %zu" : "%zu", shape[i]);
    }
    size_t used = strlen(text);
    text_format(text + used, size - used, "]");
}

typedef struct Misfits {
    size_t count;
    char text[600];
} Misfits;

enum { NAMED_MOST = 4 };

static void add_misfit(Misfits *m, const char *name, const SafetensorsEntry *e,
                       const Tensor *wanted) {
    char seen[120] = "missing", want[120] = "not part of this model";
    if (m->count++ >= NAMED_MOST) return;
    if (e) show_shape(e->dims, e->shape, seen, sizeof seen);
    if (wanted) show_shape(wanted->dims, wanted->shape, want, sizeof want);
    if (wanted && e && !safetensors_is_real(e))
        text_format(seen, sizeof seen, "integer (%s)", e->dtype);
    size_t used = strlen(m->text);
    text_format(m->text + used, sizeof m->text - used, "; %s is %s, %s%s", name, seen,
                wanted ? "expected " : "", want);
}

/* What must be there as it is: all but ends, positions and companions.  A class token may
 * be missing. */
static bool must_fit(const Model *model, const Param *p) {
    return !is_end(p->name) && strcmp(p->name, "pos_embed") &&
           !transfer_layer_of(model, p);
}

/* Blocks or norms that the model has not are another model's. */
static bool is_body(const char *name) {
    return is_below(name, "blocks") || is_below(name, "norm") ||
           is_below(name, "patch_embed");
}

/* gamma, u, v, g of a weight: its scale, which is folded in where the model has none. */
static bool is_scale(const Model *model, const char *name) {
    const char *dot = strrchr(name, '.');
    char weight[SAFETENSORS_NAME_MAX + 1];
    if (!dot || (strcmp(dot, ".gamma") && strcmp(dot, ".u") && strcmp(dot, ".v") &&
                 strcmp(dot, ".g")))
        return false;
    text_format(weight, sizeof weight, "%.*s.weight", (int)(dot - name), name);
    return params_find(model->params, weight) != NULL;
}

static Status check_body(const Transfer *t, Err *err) {
    const Model *model = t->task->model;
    Misfits m = {0};
    for (size_t i = 0; i < model->params->count; i++) {
        const Param *p = model->params->list[i];
        const SafetensorsEntry *e = transfer_find(t, p->name);
        if (!must_fit(model, p) || has_shape(e, &p->tensor)) continue;
        if (e || strcmp(p->name, "cls_token")) add_misfit(&m, p->name, e, &p->tensor);
    }
    for (size_t i = 0; i < safetensors_count(t->file); i++) {
        const SafetensorsEntry *e = safetensors_entry(t->file, i);
        if (!is_body(e->name) || params_find(model->params, e->name) ||
            is_scale(model, e->name))
            continue;
        add_misfit(&m, e->name, e, NULL);
    }
    if (!m.count) return OK;
    char names[PREFIX_NAMES];
    prefix_names(t->file, model->params, names);
    return err_set(err, FAIL_DATA,
                   "%.400s does not fit this model (blocks, norms and patches must be "
                   "those of the file): %zu tensor%s%s%s%s",
                   t->path, m.count, m.count > 1 ? "s" : "", m.text,
                   m.count > NAMED_MOST ? "; ..." : "", names);
}

/* Of what shapes do not show, that which transfer does not make to fit. */
static bool is_meant(const char *line) {
    static const char *const MADE[] = {"model.position", "model.pool", "model.reparam",
                                       "model.reparam_scope"};
    size_t length = strcspn(line, "=");
    if (!strncmp(line, "class ", 6)) return false;
    for (size_t i = 0; i < COUNT(MADE); i++)
        if (strlen(MADE[i]) == length && !strncmp(line, MADE[i], length)) return false;
    return true;
}

static Status check_meaning(const Transfer *t, const char *advice, Err *err) {
    TextBuffer all = {0}, own = {0};
    if (t->task->recipe->train.init_fit != INIT_MEANING) return OK;
    meaning_describe(t->task, 0, &all);
    for (const char *line = all.text; line && *line;) {
        size_t length = strcspn(line, "\n") + 1;
        if (is_meant(line)) text_append(&own, line, length);
        line += length;
    }
    meaning_check(t->meaning, own.text, t->path, advice, err);
    text_free(&all);
    text_free(&own);
    return err->status;
}

static Status check_average(const Transfer *t, Err *err) {
    if (!t->averaged) return OK;
    for (size_t i = 0; i < safetensors_count(t->file); i++)
        if (!strncmp(safetensors_entry(t->file, i)->name, TRANSFER_AVERAGE,
                     sizeof TRANSFER_AVERAGE - 1))
            return OK;
    return err_set(err, FAIL_USAGE,
                   "train.init_ema = true: %.600s has no averaged weights; leave it out",
                   t->path);
}

/* ---- loading ---- */

static LinearLayer *layer_with(const Model *model, const Param *weight) {
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layers[i]->weight == weight) return model->layers[i];
    return NULL;
}

/* A tensor with what belongs to it; companions come with their weight. */
static Status load(Transfer *t, size_t i, Err *err) {
    Param *p = t->task->model->params->list[i];
    const LinearLayer *layer = layer_with(t->task->model, p);
    if (layer) return transfer_layer(t, layer, err);
    const SafetensorsEntry *e = transfer_take(t, p->name);
    if (!e) return OK;
    t->loaded[i] = true;
    t->kept++;
    return transfer_read(t, e, p->tensor.value, err);
}

static Status load_body(Transfer *t, Err *err) {
    const Model *model = t->task->model;
    for (size_t i = 0; i < model->params->count; i++)
        if (must_fit(model, model->params->list[i]) && load(t, i, err))
            return err->status;
    if (!transfer_find(t, "cls_token"))
        transfer_note(t, "class token initialised: the file has none");
    return OK;
}

/* ---- ends ---- */

/* Why an end cannot be kept, as text; "": it can. */
static void judge_end(const Transfer *t, const char *end, char *why, size_t size) {
    const Model *model = t->task->model;
    const PictureFacts *f = picture_facts(t->task);
    *why = 0;
    for (size_t i = 0; i < model->params->count && !*why; i++) {
        const Param *p = model->params->list[i];
        const SafetensorsEntry *e = transfer_find(t, p->name);
        if (!is_below(p->name, end) || transfer_layer_of(model, p)) continue;
        if (!e) text_format(why, size, "the file has none");
        else if (e->dims && e->shape[0] != p->tensor.shape[0])
            text_format(why, size, "%zu outputs -> %zu", e->shape[0], p->tensor.shape[0]);
        else if (!has_shape(e, &p->tensor))
            text_format(why, size, "%s has another shape", p->name);
    }
    for (size_t k = 0; f->class_names && k < f->classes && !*why; k++) {
        char name[40], there[200];
        text_format(name, sizeof name, "class %zu", k);
        if (strcmp(end, "projector") && transfer_fact(t, name, there, sizeof there) &&
            strcmp(there, f->class_names[k]))
            text_format(why, size, "class %zu is \"%.60s\" in the file, \"%.60s\" here",
                        k, there, f->class_names[k]);
    }
}

static Status load_end(Transfer *t, const char *end, Err *err) {
    const ParamSet *params = t->task->model->params;
    char why[260];
    bool there = false;
    for (size_t i = 0; i < params->count; i++)
        there |= is_below(params->list[i]->name, end);
    if (!there) return OK;
    judge_end(t, end, why, sizeof why);
    if (*why) {
        transfer_note(t, "%s reinitialised: %s", end, why);
        for (size_t i = 0; i < safetensors_count(t->file); i++)
            t->used[i] |= is_below(safetensors_entry(t->file, i)->name, end);
        return OK;
    }
    for (size_t i = 0; i < params->count; i++)
        if (is_below(params->list[i]->name, end) &&
            !transfer_layer_of(t->task->model, params->list[i]) && load(t, i, err))
            return err->status;
    return OK;
}

/* ---- what is left to say ---- */

/* Names that nothing came of, as beginnings up to a dot; a checkpoint's state, which has
 * a slash, is none of the model. */
static void note_left(const Transfer *t) {
    char text[400] = "", part[100];
    size_t count = 0;
    for (size_t i = 0; i < safetensors_count(t->file); i++) {
        const char *name = safetensors_entry(t->file, i)->name;
        if (t->used[i] || strchr(name, '/')) continue;
        size_t length = MIN(strcspn(name, "."), sizeof part - 3), used = strlen(text);
        text_format(part, sizeof part, "%.*s%s", (int)length, name,
                    name[length] ? ".*" : "");
        count++;
        if (strstr(text, part) || used + strlen(part) + 3 > sizeof text) continue;
        text_format(text + used, sizeof text - used, "%s%s", used ? ", " : "", part);
    }
    if (count)
        transfer_note(t, "not used: %s (%zu tensor%s)", text, count,
                      count == 1 ? "" : "s");
}

static void note_scales(const Transfer *t) {
    char lines[GAINS_LINES][GAINS_LINE];
    if (t->folded)
        transfer_note(t, "the scales of %zu weights were folded into the weights",
                      t->folded);
    size_t count = gains_describe(t->task->model, t->loaded, lines);
    for (size_t i = 0; i < count; i++) transfer_note(t, "%s", lines[i]);
}

static void note_pool(const Transfer *t) {
    char there[40] = "";
    const char *here = t->task->recipe->model.pool == POOL_MEAN ? "mean" : "token";
    if (transfer_fact(t, "model.pool", there, sizeof there) && strcmp(there, here))
        transfer_note(t, "model.pool changed from %s to %s", there, here);
}

/* ---- the whole ---- */

static Status load_all(Transfer *t, Err *err) {
    if (load_body(t, err) || transfer_positions(t, err)) return err->status;
    for (size_t i = 0; i < COUNT(ENDS); i++)
        if (load_end(t, ENDS[i], err)) return err->status;
    model_start(t->task->model, t->loaded);
    if (t->averaged) model_settle(t->task->model);
    model_freeze(t->task->model);
    transfer_note(t, "%zu tensors kept%s", t->kept, t->averaged ? ", averaged" : "");
    note_scales(t);
    note_pool(t);
    note_left(t);
    return OK;
}

Status transfer_weights(Task *task, const char *path, const char *root,
                        const char *advice, Err *err) {
    Transfer t = {.task = task,
                  .path = path,
                  .root = root,
                  .averaged = task->recipe->train.init_ema};
    t.file = safetensors_open_in(path, root, SAFETENSORS_VERIFY, err);
    if (!t.file) return err->status;
    if (prefix_take_off(t.file, path, task->model->params, err))
        return safetensors_close(t.file), err->status;
    t.meaning = safetensors_metadata(t.file, "meaning");
    t.used = mem_zalloc(safetensors_count(t.file) * sizeof *t.used);
    t.loaded = mem_zalloc(task->model->params->count * sizeof *t.loaded);
    if (!check_average(&t, err) && !check_meaning(&t, advice, err) &&
        !check_body(&t, err))
        load_all(&t, err);
    mem_free(t.used);
    mem_free(t.loaded);
    safetensors_close(t.file);
    return err->status;
}
