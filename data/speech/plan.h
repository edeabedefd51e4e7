/* plan: which utterances make batch n; see batch.h.  Not for use elsewhere. */
#ifndef STEADY_SPEECH_PLAN_H
#define STEADY_SPEECH_PLAN_H

#include "data/speech/batch.h"

typedef struct SpeechPlan {
    const SpeechSet *set;
    size_t count; /* utterances: of the set, or of what is left of an epoch */
    SpeechBatchConfig config;
    size_t *sorted;               /* [count] by length; counted batches: in their order */
    size_t *class_start, classes; /* [classes + 1] in sorted: of like length */
    size_t *bucket_start, buckets; /* [buckets + 1] in sorted */
    size_t steps;                  /* of an epoch */
    size_t rest;                   /* utterances that the first epoch leaves out */
    double padding;                /* share of the first epoch's frames */
    size_t epoch;                  /* whose order is held; SIZE_MAX: none */
    size_t *order;                 /* [count] */
    size_t *bucket_order;          /* [buckets] */
    struct SpeechPlan *left;       /* of config.start's epoch; NULL: all of it */
    size_t left_steps;             /* batches of that epoch to come */
} SpeechPlan;

Status speechplan_open(SpeechPlan *plan, const SpeechSet *set,
                       const SpeechBatchConfig *config, Err *err);
void speechplan_close(SpeechPlan *plan);

/* This part's utterances of batch n, bucket by bucket: sets number[], place[],
 * bucket_edge and whole of the batch; count 0: there is no such batch (evaluation). */
void speechplan_pick(SpeechPlan *plan, size_t n, SpeechBatch *batch);
void speechplan_need(SpeechBatch *batch, size_t items, size_t features);

#endif
