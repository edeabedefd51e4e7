/* probed: a row of probing.h (or of probe.jsonl) as numbers; NaN: the row has none.
 *
 *     Probed *p = probed_read(row);        strings are borrowed from the row
 *     p->site[i].entropy[h] ...
 *     probed_free(p); */
#ifndef STEADY_PROBED_H
#define STEADY_PROBED_H

#include <jansson.h>

#include "engine/core/base.h"
#include "tools/run/site_numbers.h"

/* X(NUMBER, key): of a layer, and of any tensor. */
#define LAYER_NUMBER_LIST(X) X(SIGMA, "sigma") X(GAMMA, "gamma")
#define TENSOR_NUMBER_LIST(X)                                                            \
    X(NORM, "norm") X(GRAD_NORM, "grad_norm") X(GRAD_INF, "grad_inf")

#define LAYER_NUMBER(NUMBER, key) LAYER_##NUMBER,
#define TENSOR_NUMBER(NUMBER, key) TENSOR_##NUMBER,
enum { LAYER_NUMBER_LIST(LAYER_NUMBER) LAYER_NUMBERS };
enum { TENSOR_NUMBER_LIST(TENSOR_NUMBER) TENSOR_NUMBERS };
#undef LAYER_NUMBER
#undef TENSOR_NUMBER

typedef struct ProbedSite {
    const char *name;
    size_t heads;
    double *entropy;            /* [heads] nats */
    double *head[HEAD_NUMBERS]; /* [heads] each */
    double uniform;             /* what uniform attention has, nats */
    double keys, max_logit;
    double value[SITE_NUMBERS];
} ProbedSite;

typedef struct ProbedLayer {
    const char *name; /* "blocks.0.attn.qkv" */
    double value[LAYER_NUMBERS];
} ProbedLayer;

typedef struct ProbedTensor {
    const char *name; /* "blocks.0.attn.qkv.weight" */
    size_t dims, shape[4];
    double value[TENSOR_NUMBERS];
    const ProbedLayer *layer; /* whose weight it is; NULL: of none */
} ProbedTensor;

typedef struct Probed {
    const char *checkpoint, *split; /* NULL: none */
    size_t step, sample, average;   /* average: of so many checkpoints; 0: one alone */
    bool ema;
    const char *fault_op,
        *fault_scope; /* the first number not finite; NULL: there is none */
    double loss, grad_norm, temperature;
    ProbedSite *site;
    ProbedLayer *layer;
    ProbedTensor *tensor;
    size_t sites, layers, tensors;
} Probed;

Probed *probed_read(const json_t *row);
void probed_free(Probed *p); /* NULL is fine */

/* Whose weights they are: "runs/x, step 20"; of a file from elsewhere its name, too. */
enum { PROBED_WEIGHTS = 3000 };
void probed_weights(const Probed *p, const char *of, char text[PROBED_WEIGHTS]);

/* Entropy of a head over its bound; NaN: not known. */
double probed_gap(const ProbedSite *site, size_t head);
/* The smallest of the site's heads. */
double probed_least_gap(const ProbedSite *site);

/* Mean entropy of the heads as a share of uniform attention's. */
double probed_share(const ProbedSite *site);

/* Lowest, mean and highest of the finite among n numbers; NaN where there are none. */
typedef struct Spread {
    double low, mean, high;
    size_t lowest; /* where */
} Spread;
Spread spread_of(const double *x, size_t n);

#endif
