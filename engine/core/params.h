/* params: the named tensors that live as long as the model.
 *
 *     Param *w = params_add(set, PARAM_MATRIX, 2, (size_t[]){out, in}, "%s.weight", prefix);
 *     ...
 *     params_finish(set);          values and gradients get their memory, zero-filled
 *
 * All trained values lie in one slab and all their gradients in another, in order of
 * registration, so that an optimizer or an all-reduce can walk them in one pass. */
#ifndef STEADY_PARAMS_H
#define STEADY_PARAMS_H

#include "engine/core/tensor.h"

typedef enum {
    /* weight matrices, embedding tables, patch convolution: decay and trust */
    PARAM_MATRIX,
    PARAM_VECTOR, /* biases, norms, class token, positions */
    PARAM_GAIN,   /* gamma and g of a reparametrisation: own learning rate */
    PARAM_BUFFER, /* u, v: saved, never trained */
} ParamRole;

typedef struct Param {
    char name[120];
    ParamRole role;
    bool front;   /* registered between params_begin_front and params_end_front */
    bool frozen;  /* keeps its value (params_freeze) */
    size_t layer; /* 0: of the front end, else as params_begin_layer says */
    Tensor tensor;
    size_t offset; /* of a trained parameter in the slabs, in numbers */
} Param;

typedef struct ParamSet {
    Param **list; /* [count] in order of registration */
    size_t count, room;
    uint32_t *slots; /* [slot_count] of a name: its place in the list + 1; 0: free */
    size_t slot_count;
    real *values;  /* [trained] */
    real *grads;   /* [trained] */
    real *buffers; /* [buffered] */
    /* numbers in trained parameters; a multiple of 16 for each (padding 0) */
    size_t trained;
    size_t buffered; /* the same for buffers */
    bool front;      /* what is added now is of the front end */
    size_t layer;    /* or else of this layer */
} ParamSet;

ParamSet *params_new(void);
void params_free(ParamSet *set);

/* Registers a parameter; the pointer stays valid until params_free. */
Param *params_add(ParamSet *set, ParamRole role, int dims, const size_t *shape,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Parameters added between these make what the first block reads: patch embedding, class
 * token, speech convolution, tables of embeddings, positions, with their biases and the
 * companions of their reparametrisation.  They can have a learning rate of their own. */
void params_begin_front(ParamSet *set);
void params_end_front(ParamSet *set);

/* What is added from now on is of layer n, but for the front end, which is layer 0: block
 * i of a stack is i + 1, what follows the last of L blocks is L + 1.  Behind the last
 * call `layer` of the set is that of the output, by which learning rates can fall. */
void params_begin_layer(ParamSet *set, size_t n);

/* Ends the process with a line when values and gradients need more than it can
 * have (mem_expect). */
void params_finish(ParamSet *set);

Param *params_find(const ParamSet *set, const char *name); /* NULL: none */

/* Numbers that are trained (what "86,567,656 parameters" counts). */
size_t params_trained_count(const ParamSet *set);

/* Trained parameters whose name is that of `length` bytes, or begins with it up to a dot,
 * keep their values from now on: they have no gradient (the numbers in the slab stay 0,
 * so that no norm counts them), no decay, no update.  How many there are of the name. */
size_t params_freeze(ParamSet *set, const char *name, size_t length);

/* Before a step: gradients hold nothing; the first writer overwrites. */
void params_clear_grads(ParamSet *set);
/* After the backward pass: gradients that nobody wrote become zero. */
void params_settle_grads(ParamSet *set);

/* In the slabs of values and gradients, frozen or not. */
static inline bool param_is_trained(const Param *param) {
    return param->role != PARAM_BUFFER;
}

/* What an optimizer moves. */
static inline bool param_moves(const Param *param) {
    return param_is_trained(param) && !param->frozen;
}

#endif
