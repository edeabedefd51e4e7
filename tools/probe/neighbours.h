/* neighbours: what class the nearest training features say that a picture has: the
 * weighted k-nearest-neighbour classifier of Wu et al. 2018 and DINO, which needs no
 * training.
 *
 *     double top1 = neighbours_top1(&train, &test, NEIGHBOURS, NEIGHBOUR_TEMPERATURE);
 *
 * Similarity is the cosine; each of the k most similar training rows votes for its class
 * with exp(similarity / temperature).  Of equal ones the first row, or the lowest class,
 * counts.  The numbers are the same for any number of threads. */
#ifndef STEADY_NEIGHBOURS_H
#define STEADY_NEIGHBOURS_H

#include "tools/probe/features.h"

enum { NEIGHBOURS = 20 };
#define NEIGHBOUR_TEMPERATURE 0.07

/* The share of `test` whose class it is; k is at most train->count.  A row of zeros is
 * similar to none: 0. */
double neighbours_top1(const Features *train, const Features *test, size_t k,
                       double temperature);

#endif
