/* heads: what the weights of each attention head say of it, without a forward pass.
 *
 *     HeadWeights *head = mem_array(site->heads, sizeof *head);
 *     heads_measure(site, head);          head[h].pair, head[h].sec, ...
 *
 * Let P and Q [K, D] be the head's rows of the effective key and query matrices (W_hat:
 * times gamma/sigma, or weight norm's factors) and M = Q^T P [D, D]: its logits are
 * x_i^T M x_j / (sqrt(K) tau).  The singular values of M come from the Gram matrices
 * Q Q^T = L L^T and P P^T [K, K]: their squares are the eigenvalues of L^T P P^T L.
 * The layouts (qkv joint, qk + v, separate, cross) differ in where the rows stand, which
 * the site knows.
 *
 * Cost: 4 K^2 D multiply-adds a head, 4 K D^2 a site.  Not for: gradients. */
#ifndef STEADY_HEADS_H
#define STEADY_HEADS_H

#include "models/layer.h"

/* Singular values that "sec" adds up. */
enum { SEC_COUNT = 4 };

/* heads: [site->heads], by the scales that the layers have now (model_refresh,
 * model_freeze).  M = 0 gives 0 for all; a weight that is not finite gives NaN.  Exact to
 * rounding: in float about 1e-5 of the value. */
void heads_measure(const Site *site, HeadWeights *heads);

/* Largest over heads of the norm of its biases: [0] of the queries, [1] of the keys. */
void heads_biases(const Site *site, double bias[2]);

#endif
