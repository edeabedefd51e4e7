/* predict: the class of each picture (tools/task/predict.h). */
#include "tools/task/classify/classify.h"

static Status answer(const PredictOptions *o, const PredictRun *run, Err *err) {
    return picture_predict(o, run, classify_logits, err);
}

const TaskPredict classify_predict = {.input = "PICTURE",
                                      .answer = answer,
                                      .split = true,
                                      .use = {{PREDICT_LIMITS | PREDICT_RANKS, NULL},
                                              {PREDICT_LIMITS | PREDICT_RANKS, NULL}}};
