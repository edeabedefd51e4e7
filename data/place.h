/* place: where a run that goes on is in its data.
 *
 * Batches are numbered from 1 through a run.  What batch n holds follows from its
 * epoch and its place in it, as long as all batches are made in one way.  After a
 * resume with another train.batch, batch_tokens, batch_seconds or train.accumulate the
 * epoch goes on behind the examples that it has given out: a Place says in which ways
 * its batches were made so far.
 *
 *     Place place = {0};                                a run from its beginning
 *     PlaceIn at = place_find(&place, left, steps, n);  of batch n: epoch, and index in it
 *
 * For the plans of pictures, texts and speech. */
#ifndef STEADY_PLACE_H
#define STEADY_PLACE_H

#include "engine/core/base.h"

enum { PLACE_PARTS = 16 };

/* Batches of an epoch that were made in one way. */
typedef struct PlacePart {
    size_t batch, accumulate;
    double load;    /* batch_tokens or batch_seconds; 0: batches are counted */
    size_t batches; /* so many */
} PlacePart;

typedef struct Place {
    size_t number;               /* batches up to this one are over */
    size_t epoch;                /* the next one's, from 0 */
    PlacePart part[PLACE_PARTS]; /* [parts] of that epoch, in turn; 0: it begins */
    size_t parts;
} Place;

typedef struct PlaceIn {
    bool first; /* in the place's own epoch, of which `left` batches were to come */
    size_t epoch, index;
} PlaceIn;

/* n > place->number; `steps`: batches of a whole epoch. */
static inline PlaceIn place_find(const Place *place, size_t left, size_t steps,
                                 size_t n) {
    size_t k = n - place->number - 1;
    if (k < left) return (PlaceIn){true, place->epoch, k};
    k -= left;
    return (PlaceIn){false, place->epoch + 1 + k / steps, k % steps};
}

/* Counted batches: examples that the parts have given out. */
static inline size_t place_given(const Place *place) {
    size_t given = 0;
    for (size_t i = 0; i < place->parts; i++)
        given += place->part[i].batch * place->part[i].batches;
    return given;
}

#endif
