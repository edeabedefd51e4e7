/* answers: what a classifier took for what in an evaluation, and some of its pictures
 * (tools/task/answers.h).  Filled while batches are scored. */
#ifndef STEADY_CLASSIFY_ANSWERS_H
#define STEADY_CLASSIFY_ANSWERS_H

#include "tools/task/answers.h"
#include "tools/task/pictures.h"

typedef struct Seen {
    size_t item, label, class;
    double share;         /* of `class` */
    size_t height, width; /* of `pixels`, [Y, X, C] bytes; owned */
    uint8_t *pixels;
} Seen;

typedef struct ClassAnswers {
    double *confusion; /* [classes, classes]; NULL: too many classes */
    size_t classes;
    Seen first[ANSWER_PICTURES]; /* of the split, and */
    size_t first_count;
    Seen worst[ANSWER_PICTURES]; /* those taken for another class, the surest first */
    size_t worst_count;
} ClassAnswers;

void class_answers_begin(ClassAnswers *answers, size_t classes);
/* Logits [B, classes] of a batch. */
void class_answers_see(ClassAnswers *answers, const Task *task, const Batch *batch,
                       const real *logits);
/* Of all ranks: the confusion; pictures stay those of this one's part. */
void class_answers_finish(ClassAnswers *answers, Ranks *ranks);
json_t *class_answers_json(const ClassAnswers *answers, const Task *task);
void class_answers_free(ClassAnswers *answers);

#endif
