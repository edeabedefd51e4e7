/* bound: how low attention entropy can fall at a given spectral norm. */
#ifndef STEADY_BOUND_H
#define STEADY_BOUND_H

#include <stddef.h>

/* Theorem 3.1 of Zhai et al. 2023: a softmax row over T keys whose logits have norm at
 * most sigma = |W_K W_Q^T| |X X^T| has entropy (nats) of at least
 *     ln(1 + (T-1) b) + sigma sqrt(T (T-1)) b / (1 + (T-1) b),   b = exp(-sigma sqrt(T/(T-1)))
 * Met by one logit at sigma sqrt(1 - 1/T) and T-1 equal ones.  T < 2 gives 0; sigma
 * < 0 is taken as 0. */
double entropy_bound(size_t keys, double sigma);

#endif
