/* transfer_positions: learned positions for the model's own grid of patches
 * (tools/task/transfer_parts.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/run/rundir.h"
#include "tools/task/meaning.h"
#include "tools/task/pictures.h"
#include "tools/task/transfer_parts.h"

static const char NAME[] = "pos_embed";

bool transfer_parse_grid(const char *text, Grid *grid) {
    char *end;
    if (*text < '0' || *text > '9') return false;
    grid->rows = strtoull(text, &end, 10);
    if (*end != 'x' || end[1] < '0' || end[1] > '9') return false;
    grid->columns = strtoull(end + 1, &end, 10);
    return !*end && grid->rows && grid->columns && grid->rows <= 16384 &&
           grid->columns <= 16384;
}

static bool is_same(Grid a, Grid b) { return a.rows == b.rows && a.columns == b.columns; }

static Grid own_grid(const Transfer *t) {
    const PictureFacts *f = picture_facts(t->task);
    size_t patch = t->task->recipe->model.patch;
    return (Grid){f->height / patch, f->width / patch};
}

/* ---- which grid the file's positions are of ---- */

/* From where it is known, for messages. */
typedef struct Origin {
    Grid grid;
    bool classed; /* its first position is the class token's */
    char from[80];
} Origin;

/* Pictures of the run and the file's patches. */
static bool find_of_run(const Transfer *t, Grid *grid) {
    const SafetensorsEntry *e = transfer_find(t, "patch_embed.proj.weight");
    PictureFacts facts = {0};
    Err ignored = ERR_NONE;
    bool found = t->root && e && e->dims == 4 && e->shape[3] &&
                 !picture_facts_load(t->root, &facts, &ignored);
    if (found) *grid = (Grid){facts.height / e->shape[3], facts.width / e->shape[3]};
    picture_facts_free(&facts);
    return found;
}

/* A square, where the file says by its class token how many positions are patches; not
 * where as many patches make the model's own grid, which is no square. */
static bool find_square(const Transfer *t, size_t count, Grid *grid) {
    size_t patches = count - (transfer_find(t, "cls_token") != NULL);
    size_t side = (size_t)llround(sqrt((double)patches));
    Grid own = own_grid(t);
    *grid = (Grid){side, side};
    return side && side * side == patches &&
           (own.rows == own.columns || own.rows * own.columns != patches);
}

static Status find_source(const Transfer *t, size_t count, Origin *s, Err *err) {
    const char *asked = t->task->recipe->train.init_grid;
    char text[60];
    Grid given = {0, 0};
    *s = (Origin){.classed = false};
    if (*asked) transfer_parse_grid(asked, &given);
    if (transfer_fact(t, MEANING_PATCHES, text, sizeof text) &&
        transfer_parse_grid(text, &s->grid))
        text_format(s->from, sizeof s->from, "the file");
    else if (find_of_run(t, &s->grid))
        text_format(s->from, sizeof s->from, "the run's task.json");
    else if (*asked) text_format(s->from, sizeof s->from, "train.init_grid");
    else if (find_square(t, count, &s->grid))
        text_format(s->from, sizeof s->from, "their number, a square");
    else
        return err_set(err, FAIL_USAGE,
                       "%.600s: its %zu positions fit several grids of patches; set "
                       "train.init_grid=ROWSxCOLUMNS",
                       t->path, count);
    if (!s->grid.rows) s->grid = given;
    if (*asked && !is_same(s->grid, given))
        return err_set(
            err, FAIL_USAGE,
            "train.init_grid = %s: %.600s has positions of %zux%zu patches (from %s); "
            "leave it out",
            asked, t->path, s->grid.rows, s->grid.columns, s->from);
    size_t patches = s->grid.rows * s->grid.columns;
    s->classed = count == patches + 1;
    if (s->classed || count == patches) return OK;
    return err_set(err, *asked ? FAIL_USAGE : FAIL_DATA,
                   "%.600s: %zu positions do not fit %zux%zu patches (from %s), with "
                   "or without a class token",
                   t->path, count, s->grid.rows, s->grid.columns, s->from);
}

/* ---- filling ---- */

static Status read_positions(Transfer *t, const SafetensorsEntry *e, Param *pos,
                             Err *err) {
    size_t width = tensor_last(&pos->tensor), count = e->count / width;
    Grid own = own_grid(t);
    Origin s;
    if (find_source(t, count, &s, err)) return err->status;
    real *values = mem_alloc(e->count * sizeof *values);
    if (!transfer_read(t, e, values, err)) {
        real *to = pos->tensor.value;
        if (s.classed) memcpy(to, values, width * sizeof *to);
        positions_resample(values + s.classed * width, s.grid, to + width, own, width);
        if (is_same(s.grid, own))
            transfer_note(t, "positions of %zux%zu patches kept (grid from %s)", own.rows,
                          own.columns, s.from);
        else
            transfer_note(t, "positions %zux%zu -> %zux%zu, bicubic (%zux%zu from %s)",
                          s.grid.rows, s.grid.columns, own.rows, own.columns, s.grid.rows,
                          s.grid.columns, s.from);
        t->kept++;
        if (!s.classed)
            transfer_note(t, "position of the class token initialised: the file has "
                             "none");
    }
    mem_free(values);
    return err->status;
}

static Status refuse_shape(const Transfer *t, const SafetensorsEntry *e, size_t width,
                           Err *err) {
    return err_set(err, FAIL_DATA,
                   "%.600s does not fit this model: %s has %zu numbers (%s), expected "
                   "[1, positions, %zu] or [positions, %zu] of " SAFETENSORS_REALS,
                   t->path, NAME, e->count, e->dtype, width, width);
}

Status transfer_positions(Transfer *t, Err *err) {
    Param *pos = params_find(t->task->model->params, NAME);
    Grid own = own_grid(t);
    if (!pos) return OK; /* then the file's are left out */
    const SafetensorsEntry *e = transfer_take(t, NAME);
    if (!param_is_trained(pos)) {
        transfer_note(t,
                      "positions: fixed for %zux%zu patches, those of the file are "
                      "ignored",
                      own.rows, own.columns);
        return OK;
    }
    if (!e) {
        transfer_note(t, "positions initialised: the file has none");
        return OK;
    }
    size_t width = tensor_last(&pos->tensor);
    bool flat = e->dims == 2 || (e->dims == 3 && e->shape[0] == 1);
    if (!flat || e->shape[e->dims - 1] != width || !e->count || !safetensors_is_real(e))
        return refuse_shape(t, e, width, err);
    for (size_t i = 0; i < t->task->model->params->count; i++)
        if (t->task->model->params->list[i] == pos) t->loaded[i] = true;
    return read_positions(t, e, pos, err);
}
