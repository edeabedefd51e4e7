/* predict: the class that the online probe gives each picture (tools/task/predict.h). */
#include "tools/task/contrastive/contrastive.h"

static Tensor *logits(Task *task, Tape *tape, const ForwardMode *mode,
                      const Batch *batch) {
    Contrastive *c = contrastive_of(task);
    Tensor *features = contrastive_features(c, tape, mode, batch, batch->pixels);
    return contrast_probe(c->contrast, tape, features);
}

static Status answer(const PredictOptions *o, const PredictRun *run, Err *err) {
    if (!contrastive_of(run->task)->contrast->probe_weight)
        return err_set(
            err, FAIL_USAGE,
            "this run has no online probe (contrast.probe_lr = 0, or pictures of one "
            "class), so it cannot classify; to train a classifier from its weights: "
            "train.init=RUN train.transfer=true");
    return picture_predict(o, run, logits, err);
}

const TaskPredict contrastive_predict = {.input = "PICTURE",
                                         .answer = answer,
                                         .split = true,
                                         .use = {{PREDICT_LIMITS | PREDICT_RANKS, NULL},
                                                 {PREDICT_LIMITS | PREDICT_RANKS, NULL}}};
