/* memory: what a run needs of memory, and whether there is so much
 * (tools/train/parts.h). */
#include <stdio.h>

#include "engine/core/machine.h"
#include "tools/probe/sharpness.h"
#include "tools/train/parts.h"

/* The estimate of activations may be too high: what is refused is beyond doubt. */
static const double SURE = 0.75;

/* Of what fp32 keeps for the backward pass; 0.55 to 0.68 were measured. */
static const double SHARE_OF_BF16 = 0.65;

static double activations(const Trainer *t, const Precision *p) {
    bool narrow = p->products == PRECISION_BF16 && !p->keep_attention && !p->keep_reparam;
    return t->task->memory * (narrow ? SHARE_OF_BF16 : 1);
}

/* Bytes of parameters, gradients, the optimizer's slots and averaged weights. */
static double owned(const Trainer *t) {
    const Recipe *r = t->recipe;
    double copies =
        2 + (double)optim_slots_needed(&r->optim) + (r->train.ema > 0 ? 1 : 0);
    return copies * sizeof(real) * (double)t->task->model->params->trained;
}

/* train.precision = auto has not been decided yet: bf16 needs less. */
Status trainer_check_memory(const Trainer *t, Err *err) {
    bool fp32 = t->recipe->train.precision == TRAIN_FP32;
    Precision least = {.products = fp32 ? PRECISION_FP32 : PRECISION_BF16};
    double own = owned(t), rest = activations(t, &least) + t->task->kept;
    double most = machine_memory_most("");
    if (most == 0 || own + SURE * rest <= most) return OK;
    char all[32], part[32], work[32], have[32];
    mem_text(own + rest, all, sizeof all);
    mem_text(own, part, sizeof part);
    mem_text(rest, work, sizeof work);
    mem_text(most, have, sizeof have);
    bool kept = t->task->kept > 0;
    return err_set(err, FAIL_RUN,
                   "this run needs about %s of memory (%s of parameters, gradients and "
                   "optimizer, %s of activations%s), but only %s are available; to "
                   "need less: a smaller model, train.recompute = block%s or a larger "
                   "train.accumulate",
                   all, part, work, kept ? " and data.cache" : "", have,
                   kept ? ", a smaller data.cache" : "");
}

/* The same in double, with the vectors of the search. */
static double sharpness_needs(const Trainer *t) {
    double twice = sizeof(double) / (double)sizeof(real);
    return twice * (owned(t) + t->task->memory) +
           sharpness_memory(t->task->model->params->trained);
}

void trainer_say_memory(const Trainer *t) {
    Precision precision = trainer_precision(t);
    double own = owned(t), work = activations(t, &precision), all = own + work;
    size_t total, available;
    machine_memory("", &total, &available);
    fprintf(stderr,
            "memory: about %.2f GB, %.2f of parameters, gradients and optimizer, %.2f of "
            "activations\n",
            all / 1e9, own / 1e9, work / 1e9);
    if (trainer_wants_sharpness(t)) {
        double beside = sharpness_needs(t);
        all += beside;
        fprintf(stderr, "memory: about %.2f GB more for steady64 (probe.sharpness)\n",
                beside / 1e9);
    }
    if (available && all > (double)available)
        fprintf(stderr,
                "steady: note: this machine has only %.1f GB free; to need less: "
                "train.recompute=block or a larger train.accumulate\n",
                (double)available / 1e9);
}
