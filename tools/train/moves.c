/* moves: a warning where a step moves a tensor by much of itself (tools/train/parts.h).
 *
 * Judged are weight matrices, tables of embeddings and convolutions, and the gains of a
 * reparametrisation: what starts at a size that means something.  Biases, norms, class
 * token and positions start at or near zero, where any step is many times themselves. */
#include <math.h>

#include "tools/train/parts.h"

typedef struct Mover {
    const Param *param;
    double ratio;
} Mover;

static bool is_judged(const Param *param) {
    return param->role == PARAM_MATRIX || param->role == PARAM_GAIN;
}

static double ratio_of(const Trainer *t, const Param *param) {
    OptimMove move;
    bool known = is_judged(param) && optim_move(t->step.optim, param, &move);
    return known && move.value > 0 ? move.update / move.value : 0;
}

/* The tensors that move so far for the first time, in a row of train.jsonl; the one that
 * moves most is also what is said. */
static Status warn(Trainer *t, size_t step, size_t others, const Mover *most, Err *err) {
    char text[500], more[60] = "";
    if (others)
        text_format(more, sizeof more, ", and %zu more tensor%s by over %g", others,
                    others == 1 ? "" : "s", t->recipe->guard.update_above);
    text_format(text, sizeof text,
                "%s changed by %.3g times its norm%s; try %sa longer warm-up or a "
                "lower optim.lr",
                most->param->name, most->ratio, more,
                most->param->front ? "optim.front_lr_scale=0.1, " : "");
    json_t *row = json_pack("{s:s, s:f, s:I}", "tensor", most->param->name, "ratio",
                            most->ratio, "others", (json_int_t)others);
    if (trainer_logs_step(t, step)) {
        json_object_set_new(row, "text", json_text(text));
        t->moves = row;
    } else if (trainer_log_event(t, step, "moved", text, row, err)) {
        return err->status;
    }
    progress_say(&t->progress, "warning: step %zu: %s (guard.update_above)", step, text);
    return OK;
}

Status trainer_guard_moves(Trainer *t, size_t step, Err *err) {
    const ParamSet *params = t->task->model->params;
    double above = t->recipe->guard.update_above;
    Mover most = {.ratio = 0};
    if (!(above > 0) || !ranks_lead(t->ranks)) return OK;
    size_t count = 0;
    for (size_t i = 0; i < params->count; i++) {
        const Param *param = params->list[i];
        double ratio = t->moved[i] ? 0 : ratio_of(t, param);
        if (!(ratio > above)) continue;
        t->moved[i] = true;
        count++;
        if (!(ratio <= most.ratio)) most = (Mover){param, ratio};
    }
    return count ? warn(t, step, count - 1, &most, err) : OK;
}
