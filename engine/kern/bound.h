/* bound: how low attention entropy can fall at a given spectral norm.
 *
 *     entropy_bound(keys, sigma)           every query sees all keys
 *     entropy_bound_causal(rows, sigma)    mean over rows under a causal mask */
#ifndef STEADY_BOUND_H
#define STEADY_BOUND_H

#include <stddef.h>

/* Theorem 3.1 of Zhai et al. 2023: a softmax row over T keys whose logits have norm at
 * most sigma = |W_K W_Q^T| |X X^T| has entropy (nats) of at least
 *     ln(1 + (T-1) b) + sigma sqrt(T (T-1)) b / (1 + (T-1) b),   b = exp(-sigma sqrt(T/(T-1)))
 * Met by one logit at sigma sqrt(1 - 1/T) and T-1 equal ones.  T < 2 gives 0; sigma
 * <= 0 gives ln T, an infinite one 0, NaN NaN.  Falls with sigma, rises with T. */
double entropy_bound(size_t keys, double sigma);

/* Mean over the rows i = 0 ... rows-1 of entropy_bound(i + 1, sigma): row i of a causal
 * mask sees i + 1 keys, and a part of its logits has norm at most sigma, too.  Rows
 * behind the first 128 are summed by Gauss-Legendre and Euler-Maclaurin: the time
 * goes with ln(rows).  Within 5e-11 of the plain sum (test_bound).  rows = 0 gives 0. */
double entropy_bound_causal(size_t rows, double sigma);

#endif
