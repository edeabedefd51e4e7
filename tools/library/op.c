/* op: y = f(x) of the user's, as a node of the tape. */
#include "tools/library/model.h"

typedef struct OwnNode {
    Node node; /* first */
    steady_op op;
    Tensor *x;
    float *x_values, *y_values; /* in the tape's memory */
} OwnNode;

static float *as_floats(Tape *tape, const real *from, size_t count) {
    float *to = tape_alloc(tape, count * sizeof *to);
    for (size_t i = 0; i < count; i++) to[i] = (float)from[i];
    return to;
}

static void backward(Tape *tape, Node *node) {
    OwnNode *own = (OwnNode *)node;
    Tensor *x = own->x, *y = node->out;
    real beta, *dx = tape_grad(tape, x, &beta);
    float *dy_values = as_floats(tape, y->grad, y->size);
    float *dx_values = tape_alloc(tape, x->size * sizeof *dx_values);
    own->op.backward(own->op.context, tensor_rows(x), tensor_last(x), own->x_values,
                     own->y_values, dy_values, dx_values);
    for (size_t i = 0; i < x->size; i++)
        dx[i] = (beta != 0 ? dx[i] : 0) + (real)dx_values[i];
}

static Tensor *run(Tape *tape, void *context, Tensor *x) {
    const steady_op *op = context;
    Tensor *y = tape_tensor_like(tape, x);
    float *x_values = as_floats(tape, x->value, x->size);
    float *y_values = tape_alloc(tape, y->size * sizeof *y_values);
    op->forward(op->context, tensor_rows(x), tensor_last(x), x_values, y_values);
    for (size_t i = 0; i < y->size; i++) y->value[i] = (real)y_values[i];
    OwnNode *own = tape_node(tape, sizeof *own, "own", y, x->needs_grad, backward);
    if (own)
        own->op = *op, own->x = x, own->x_values = x_values, own->y_values = y_values;
    return y;
}

static Status set(steady_model *m, const steady_op *op, Err *err) {
    if (op && (!op->forward || !op->backward))
        return err_set(err, FAIL_USAGE, "an op needs both forward and backward");
    m->op = op ? *op : (steady_op){0};
    m->task->model->output_op = op ? (OutputOp){run, &m->op} : (OutputOp){0};
    return OK;
}

steady_status steady_model_set_op(steady_model *model, const steady_op *op,
                                  steady_error *error) {
    THROUGH_DOOR(handle_of(model), MISSING1(model), error, set(model, op, &door.err));
}
