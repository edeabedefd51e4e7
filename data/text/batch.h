/* batch: batches of a TextSet, each a function of (set, configuration,
 * seed, number) alone.
 *
 *     TextPlan *plan = textplan_new(set, &config, &err);
 *     textplan_fill(plan, n, &batch);               step n, from 1
 *     textbatch_cut(&batch, from, to, &piece);      a micro-batch
 *
 * Language: item i is a block, inputs i T ... i T + T - 1 and targets one later.  Pairs:
 * the decoder reads </s> and the target but for its last token.  A batch of pairs is in
 * the order of their lengths, so that micro-batches pad little. */
#ifndef STEADY_TEXT_BATCH_H
#define STEADY_TEXT_BATCH_H

#include "data/place.h"
#include "data/text/set.h"

typedef struct TextBatch {
    size_t count;        /* B sequences */
    size_t first, whole; /* these are first, first + 1, ... of a batch of `whole` */
    size_t source_length, length;        /* S (0: language), T: the longest here */
    uint32_t *source;                    /* [B, S] padded behind with ID_PAD */
    uint32_t *input, *target;            /* [B, T] */
    size_t *source_count, *target_count; /* [B] tokens that are not padding */
    size_t *item;                        /* [B] index in the split */
    size_t targets;                      /* target tokens of the whole batch, all parts */
    size_t *bucket_edge;                 /* [buckets + 1] rows where its buckets begin */
    size_t buckets;                      /* 0: it has none, or it is a piece */
    size_t room_items, room_source, room_target; /* of the arrays */
} TextBatch;

void textbatch_free(TextBatch *batch);

/* Sequences [from, to), padded to the longest of them. */
void textbatch_cut(const TextBatch *batch, size_t from, size_t to, TextBatch *piece);

/* Where micro-batch i of `parts` begins (i = parts: where the last ends): at the buckets
 * if there are as many, which pads least, and else so that all have about as many
 * tokens. */
size_t textbatch_edge(const TextBatch *batch, size_t i, size_t parts);

typedef struct TextPlanConfig {
    size_t context; /* language: T */
    size_t batch;   /* sequences of a step, or */
    /* pairs: token slots of a step, n max(S, T) in each bucket; 0: none */
    size_t batch_tokens;
    size_t accumulate;  /* buckets of a step */
    size_t part, parts; /* this rank's share; 0, 0: all */
    uint64_t seed;
    bool shuffle;
    size_t sample; /* of so many items alone (data/spread.h); 0: all */
} TextPlanConfig;

typedef struct TextPlan TextPlan;

/* The set is borrowed.  FAIL_USAGE: not enough text for one step. */
TextPlan *textplan_new(const TextSet *set, const TextPlanConfig *config, Err *err);
void textplan_free(TextPlan *plan);

/* From now on batches continue after a place (data/place.h): the rest of its epoch
 * is batched anew, once; batches of like length also where the parts before were
 * counted, and the other way round.  Returns the batches that are left of that epoch. */
size_t textplan_go_on(TextPlan *plan, const Place *place);

size_t textplan_items(const TextPlan *plan);   /* blocks or pairs */
size_t textplan_steps(const TextPlan *plan);   /* of an epoch */
size_t textplan_buckets(const TextPlan *plan); /* 0: steps are of train.batch items */
/* Share of an epoch's token slots, source's and target's, that is padding, when buckets
 * are cut into `accumulate` micro-batches by textbatch_edge. */
double textplan_padding(TextPlan *plan);

void textplan_fill(TextPlan *plan, size_t n, TextBatch *batch);

/* All pairs once, those of like length together, in batches of at most `tokens` slots;
 * this part's batches are every `parts`-th. */
typedef struct TextEval TextEval;
TextEval *texteval_new(const TextSet *set, size_t tokens, size_t part, size_t parts);
bool texteval_next(TextEval *eval, TextBatch *batch); /* false: there are no more */
void texteval_free(TextEval *eval);

#endif
