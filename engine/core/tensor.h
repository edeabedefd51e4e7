/* tensor: a dense row-major array and, during training, its gradient; of `real`, or,
 * where only products read it and the pass's precision is bf16, narrow. */
#ifndef STEADY_TENSOR_H
#define STEADY_TENSOR_H

#include "engine/core/base.h"

#define TENSOR_DIMS 4

typedef struct Tensor {
    real *value;
    real *grad; /* NULL while no gradient has been asked for (parameters: always there) */
    bf16 *value16; /* a narrow tensor has these instead: what products alone read; */
    bf16 *grad16;  /* ops that take one say so */
    size_t shape[TENSOR_DIMS];
    size_t size; /* product of shape[0..dims) */
    int dims;
    bool needs_grad;   /* a parameter, or computed from one */
    bool is_param;     /* grad belongs to a ParamSet, not to the tape */
    bool grad_written; /* grad holds something; false: the first writer overwrites */
    bool passing;      /* the values may be let go within the step (tape_let_go); */
    bf16 *rounded; /* then what products in bf16 read of them, once one has; or NULL */
} Tensor;

static inline bool tensor_narrow(const Tensor *x) { return x->value16 != NULL; }

static inline size_t tensor_last(const Tensor *x) { return x->shape[x->dims - 1]; }

/* Rows of the tensor seen as a matrix [rows, last dimension]. */
static inline size_t tensor_rows(const Tensor *x) {
    return tensor_last(x) ? x->size / tensor_last(x) : 0;
}

/* "[8, 17, 64]"; for messages. */
const char *tensor_shape_text(const Tensor *x, char *buffer, size_t size);

void tensor_set_shape(Tensor *x, int dims, const size_t *shape);

#endif
