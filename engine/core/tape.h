/* tape: define-by-run reverse-mode differentiation over coarse ops.
 *
 * An op computes at once and, when gradients are wanted, leaves a Node that knows how to
 * go back.  tape_backward walks the nodes from last to first.
 *
 *     Tape *tape = tape_new();
 *     tape_begin(tape, (TapeMode){.gradients = true, .training = true, .seed = 1, .step = n});
 *     Tensor *loss = op_cross_entropy(tape, op_linear(tape, x, w, b, NULL), &target);
 *     tape_backward(tape, loss);            parameters' .grad now hold the gradient
 *
 * Values and what nodes keep live in an arena until the next tape_begin.  Gradients of
 * activations come from a pool and go back to it as soon as the walk has used them.
 *
 * Not for: second derivatives, or several threads on one tape. */
#ifndef STEADY_TAPE_H
#define STEADY_TAPE_H

#include "engine/core/arena.h"
#include "engine/core/precision.h"
#include "engine/core/rng.h"
#include "engine/core/tensor.h"

typedef struct Tape Tape;
typedef struct Node Node;

/* What every op's record starts with; it is the first member of the op's own struct. */
struct Node {
    void (*backward)(Tape *tape, Node *node); /* adds into the inputs' gradients */
    const char *op;                           /* "linear" */
    const char *scope;                        /* "blocks.3.attn" */
    Tensor *out;
};

typedef struct TapeMode {
    bool gradients; /* record nodes */
    bool training;  /* dropout and drop path are on */
    bool watch;     /* look for the first non-finite number (slow; for the report) */
    uint64_t seed;  /* of the random masks */
    uint64_t step;
    uint64_t pass; /* forward pass of the step, of all ranks: what layer drop draws by */
    Precision precision; /* of large products */
} TapeMode;

Tape *tape_new(void);
void tape_free(Tape *tape);

/* Forgets the last step; tensors of the old step are gone. */
void tape_begin(Tape *tape, TapeMode mode);
const TapeMode *tape_mode(const Tape *tape);

/* Names the place of the ops to come, for messages; the text must outlive the step. */
void tape_scope(Tape *tape, const char *scope);

/* d loss / d everything; loss is a scalar [1]. */
void tape_backward(Tape *tape, Tensor *loss);

/* From now on tape_backward calls listener(context, touched, count) after each node, with
 * the tensors whose gradient that node has written into; recomputed nodes are nodes too.
 * NULL: no more.  For telling when a parameter's gradient is final. */
typedef void TapeListener(void *context, Tensor *const *touched, size_t count);
void tape_listen(Tape *tape, TapeListener *listener, void *context);

/* Runs block(context, x) without keeping what its ops keep; the backward pass, where
 * gradients are wanted, runs it again.
 * `block` must be a function of x and of parameters alone (masks are: see rng.h), and
 * read no passing tensor from outside but x. */
typedef Tensor *TapeBlock(Tape *tape, void *context, Tensor *x);
Tensor *tape_recompute(Tape *tape, TapeBlock *block, void *context, Tensor *x);

/* Is a recomputed block running again?  Its output is there already. */
bool tape_replaying(const Tape *tape);

/* The first non-finite number that `watch` met; op = NULL: none. */
typedef struct TapeFault {
    const char *op, *scope;
    bool backward;
} TapeFault;
TapeFault tape_fault(const Tape *tape);

/* Bytes taken from the system: values and saved data, which take `used` of them in this
 * step; and the pool's, of gradients of activations and of passing tensors. */
typedef struct TapeMemory {
    size_t arena, used, gradients;
} TapeMemory;
TapeMemory tape_memory(const Tape *tape);

/* ---- for ops ---- */

/* A tensor of this step; the values are not set. */
Tensor *tape_tensor(Tape *tape, int dims, const size_t *shape);
Tensor *tape_tensor_like(Tape *tape, const Tensor *x);
Tensor *tape_tensor16(Tape *tape, int dims, const size_t *shape); /* a narrow one */
/* One whose values go back to the pool with tape_let_go: when neither the forward pass
 * nor any backward function reads them again.  Shape and gradient stay. */
Tensor *tape_tensor_passing(Tape *tape, int dims, const size_t *shape);
void tape_let_go(Tape *tape, Tensor *x); /* of another tensor: does nothing */
/* A tensor over memory of the caller that outlives the step (a batch); no gradient. */
Tensor *tape_wrap(Tape *tape, real *values, int dims, const size_t *shape);
void *tape_alloc(Tape *tape, size_t bytes); /* until the next tape_begin */

/* Scratch memory: back to the pool with tape_unscratch. */
real *tape_scratch(Tape *tape, size_t count);
bf16 *tape_scratch16(Tape *tape, size_t count);
void tape_unscratch(Tape *tape, void *scratch);

/* A zero-filled record of `bytes` (a struct that starts with Node), or NULL when none of
 * the inputs needs a gradient.  Marks `out` as needing one. */
void *tape_node(Tape *tape, size_t bytes, const char *op, Tensor *out,
                bool inputs_need_grad, void (*backward)(Tape *tape, Node *node));

/* Where x's gradient is collected: write `beta * old + new`.  beta is 0 when it holds
 * nothing yet, else 1.  Call it once in a backward function for each input. */
real *tape_grad(Tape *tape, Tensor *x, real *beta);
bf16 *tape_grad16(Tape *tape, Tensor *x, real *beta); /* of a narrow one */

/* dx += dy for tensors of one size, none of them narrow, without a copy where x has no
 * gradient yet. */
void tape_pass_grad(Tape *tape, Tensor *x, Tensor *y);

#endif
