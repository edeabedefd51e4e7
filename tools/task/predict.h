/* predict: what `steady predict` is asked for, and who answers it for each kind of task. */
#ifndef STEADY_PREDICT_H
#define STEADY_PREDICT_H

#include "tools/task/openrun.h"

typedef struct PredictOptions {
    RunChoice choice;
    char **inputs; /* files and folders */
    size_t input_count;
    bool logits;
    /* which options with a word are, a bit each (tools/command/predict.c) */
    unsigned given;
    size_t limit; /* inputs; 0: all */
    /* language */
    const char *prompt; /* NULL: none */
    size_t tokens;      /* to sample */
    double temperature;
    size_t top_k; /* 0: all */
    uint64_t seed;
    /* translation */
    size_t beam; /* 0: the recipe's */
    size_t nbest;
} PredictOptions;

Status predict_pictures(const PredictOptions *options, OpenRun *run, Err *err);
/* Samples text behind a prompt. */
Status predict_language(const PredictOptions *options, OpenRun *run, Err *err);
/* Recordings, or those of the test split. */
Status predict_transcribe(const PredictOptions *options, OpenRun *run, Err *err);
/* Files or stdin, line in, line out. */
Status predict_translate(const PredictOptions *options, OpenRun *run, Err *err);

#endif
