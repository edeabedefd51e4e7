#include "engine/core/tape.h"

#include <math.h>
#include <string.h>

#include "engine/core/grow.h"
#include "engine/core/pool.h"

enum { TOUCHED_MAX = 16 };

struct Tape {
    TapeMode mode;
    Arena *arena;
    Pool *pool;
    Node **nodes;
    size_t count, capacity;
    Tensor **passing;
    size_t passing_count, passing_capacity;
    const char *scope;
    TapeFault fault;
    bool replaying;
    Tensor *
        touched[TOUCHED_MAX]; /* gradients that the running backward function asked for */
    size_t touched_count;
    TapeListener *listener;
    void *listener_context;
};

Tape *tape_new(void) {
    Tape *tape = mem_zalloc(sizeof(Tape));
    tape->arena = arena_new();
    tape->pool = pool_new();
    tape->scope = "";
    return tape;
}

void tape_free(Tape *tape) {
    if (!tape) return;
    arena_free(tape->arena);
    pool_free(tape->pool);
    mem_free(tape->nodes);
    mem_free(tape->passing);
    mem_free(tape);
}

/* All but the first so many of the passing tensors. */
static void let_go_from(Tape *tape, size_t first) {
    while (tape->passing_count > first)
        tape_let_go(tape, tape->passing[--tape->passing_count]);
}

void tape_begin(Tape *tape, TapeMode mode) {
    let_go_from(tape, 0);
    arena_reset(tape->arena);
    tape->mode = mode;
    tape->count = 0;
    tape->scope = "";
    tape->fault = (TapeFault){0};
}

const TapeMode *tape_mode(const Tape *tape) { return &tape->mode; }

void tape_scope(Tape *tape, const char *scope) { tape->scope = scope; }

bool tape_replaying(const Tape *tape) { return tape->replaying; }

void tape_listen(Tape *tape, TapeListener *listener, void *context) {
    tape->listener = listener;
    tape->listener_context = context;
}

TapeFault tape_fault(const Tape *tape) { return tape->fault; }

TapeMemory tape_memory(const Tape *tape) {
    return (TapeMemory){.arena = arena_capacity(tape->arena),
                        .used = arena_used(tape->arena),
                        .gradients = pool_capacity(tape->pool)};
}

/* ---- values ---- */

void *tape_alloc(Tape *tape, size_t bytes) { return arena_alloc(tape->arena, bytes); }

Tensor *tape_wrap(Tape *tape, real *values, int dims, const size_t *shape) {
    Tensor *x = tape_alloc(tape, sizeof *x);
    memset(x, 0, sizeof *x);
    tensor_set_shape(x, dims, shape);
    x->value = values;
    return x;
}

Tensor *tape_tensor(Tape *tape, int dims, const size_t *shape) {
    Tensor *x = tape_wrap(tape, NULL, dims, shape);
    x->value = tape_alloc(tape, x->size * sizeof(real));
    return x;
}

Tensor *tape_tensor16(Tape *tape, int dims, const size_t *shape) {
    Tensor *x = tape_wrap(tape, NULL, dims, shape);
    x->value16 = tape_alloc(tape, x->size * sizeof(bf16));
    return x;
}

Tensor *tape_tensor_passing(Tape *tape, int dims, const size_t *shape) {
    Tensor *x = tape_wrap(tape, NULL, dims, shape);
    x->value = tape_scratch(tape, x->size);
    x->passing = true;
    GROW(tape->passing, tape->passing_count, tape->passing_capacity, 1);
    return tape->passing[tape->passing_count++] = x;
}

void tape_let_go(Tape *tape, Tensor *x) {
    if (!x->passing) return;
    tape_unscratch(tape, x->value);
    x->value = NULL;
    x->passing = false;
}

Tensor *tape_tensor_like(Tape *tape, const Tensor *x) {
    return tape_tensor(tape, x->dims, x->shape);
}

real *tape_scratch(Tape *tape, size_t count) {
    return pool_take(tape->pool, count * sizeof(real));
}

bf16 *tape_scratch16(Tape *tape, size_t count) {
    return pool_take(tape->pool, count * sizeof(bf16));
}

void tape_unscratch(Tape *tape, void *scratch) { pool_release(tape->pool, scratch); }

/* ---- recording ---- */

static bool all_finite(const real *x, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

static bool all_finite16(const bf16 *x, size_t n) {
    enum { EXPONENT = 0x7f80 };
    for (size_t i = 0; i < n; i++)
        if ((x[i] & EXPONENT) == EXPONENT) return false;
    return true;
}

/* Values or gradients of a tensor, in whichever width they are. */
static void watch(Tape *tape, const char *op, const char *scope, const real *x,
                  const bf16 *x16, size_t n, bool backward) {
    if (tape->fault.op || (!x && !x16)) return;
    if (x ? all_finite(x, n) : all_finite16(x16, n)) return;
    tape->fault = (TapeFault){op, scope, backward};
}

static void append(Tape *tape, Node *node) {
    GROW(tape->nodes, tape->count, tape->capacity, 1);
    tape->nodes[tape->count++] = node;
}

void *tape_node(Tape *tape, size_t bytes, const char *op, Tensor *out,
                bool inputs_need_grad, void (*backward)(Tape *tape, Node *node)) {
    if (tape->mode.watch && !tape->replaying)
        watch(tape, op, tape->scope, out->value, out->value16, out->size, false);
    if (!tape->mode.gradients || !inputs_need_grad) return NULL;
    Node *node = memset(tape_alloc(tape, bytes), 0, bytes);
    *node = (Node){backward, op, tape->scope, out};
    out->needs_grad = true;
    append(tape, node);
    return node;
}

/* ---- gradients ---- */

static void touch(Tape *tape, Tensor *x) {
    if (!tape->mode.watch && !tape->listener) return;
    CHECK(tape->touched_count < TOUCHED_MAX, "an op with more than %d inputs",
          TOUCHED_MAX);
    tape->touched[tape->touched_count++] = x;
}

/* Memory of x's gradient that x alone owns, where `grad` is what it has so far. */
static void *own_grad(Tape *tape, Tensor *x, void *grad, size_t bytes, real *beta) {
    CHECK(x->needs_grad, "tape_grad of a tensor that needs none");
    touch(tape, x);
    *beta = x->grad_written ? 1 : 0;
    x->grad_written = true;
    if (!grad) return pool_take(tape->pool, bytes);
    if (!*beta || x->is_param || !pool_is_shared(grad)) return grad;
    void *own = memcpy(pool_take(tape->pool, bytes), grad, bytes);
    pool_release(tape->pool, grad);
    return own;
}

real *tape_grad(Tape *tape, Tensor *x, real *beta) {
    CHECK(!tensor_narrow(x), "tape_grad of a narrow tensor");
    return x->grad = own_grad(tape, x, x->grad, x->size * sizeof(real), beta);
}

bf16 *tape_grad16(Tape *tape, Tensor *x, real *beta) {
    CHECK(tensor_narrow(x), "tape_grad16 of a tensor that is not narrow");
    return x->grad16 = own_grad(tape, x, x->grad16, x->size * sizeof(bf16), beta);
}

void tape_pass_grad(Tape *tape, Tensor *x, Tensor *y) {
    CHECK(x->size == y->size, "tape_pass_grad: %zu numbers into %zu", y->size, x->size);
    CHECK(!tensor_narrow(x) && !tensor_narrow(y), "tape_pass_grad: a narrow tensor");
    if (!x->needs_grad) return;
    if (!x->grad) {
        touch(tape, x);
        pool_share(y->grad);
        x->grad = y->grad;
        x->grad_written = true;
        return;
    }
    real beta, *dx = tape_grad(tape, x, &beta);
    const real *dy = y->grad;
#pragma omp parallel for simd schedule(static) if (x->size > 32768)
    for (size_t i = 0; i < x->size; i++) dx[i] = (beta ? dx[i] : 0) + dy[i];
}

static void release_grad(Tape *tape, Tensor *x) {
    void *grad = tensor_narrow(x) ? (void *)x->grad16 : x->grad;
    if (!grad || x->is_param) return;
    pool_release(tape->pool, grad);
    x->grad = NULL;
    x->grad16 = NULL;
    x->grad_written = false;
}

static void step_back(Tape *tape, Node *node) {
    if (!node->out->grad_written) return; /* nobody used this output */
    tape->touched_count = 0;
    node->backward(tape, node);
    if (tape->mode.watch)
        for (size_t i = 0; i < tape->touched_count; i++)
            watch(tape, node->op, node->scope, tape->touched[i]->grad,
                  tape->touched[i]->grad16, tape->touched[i]->size, true);
    if (tape->listener)
        tape->listener(tape->listener_context, tape->touched, tape->touched_count);
    release_grad(tape, node->out);
}

/* Nodes first ... count-1, last to first; forgets them. */
static void walk_back(Tape *tape, size_t first) {
    while (tape->count > first) step_back(tape, tape->nodes[--tape->count]);
}

void tape_backward(Tape *tape, Tensor *loss) {
    CHECK(loss->size == 1, "backward from %zu numbers; a loss is one", loss->size);
    CHECK(tape->mode.gradients, "backward on a tape that recorded nothing");
    if (!loss->needs_grad) return;
    tape->touched_count = 0;
    real beta, *seed = tape_grad(tape, loss, &beta);
    *seed = 1;
    walk_back(tape, 0);
}

/* ---- recomputation ---- */

typedef struct Recompute {
    Node node;
    TapeBlock *block;
    void *context;
    Tensor *x;
} Recompute;

/* Runs the block again, now recording, gives its output the gradient that waits, and
 * walks back through it.  The input is detached so that the walk ends there. */
static void recompute_backward(Tape *tape, Node *node) {
    Recompute *r = (Recompute *)node;
    ArenaMark mark = arena_mark(tape->arena);
    size_t first = tape->count, passing = tape->passing_count;
    Tensor input = *r->x;
    input.passing = false;
    input.grad = NULL;
    input.grad_written = false;
    input.needs_grad = true;
    tape->replaying = true;
    Tensor *y = r->block(tape, r->context, &input);
    tape->replaying = false;
    tape_pass_grad(tape, y, node->out);
    walk_back(tape, first);
    tape->touched_count = 0;
    if (input.grad && r->x->needs_grad) tape_pass_grad(tape, r->x, &input);
    release_grad(tape, &input);
    let_go_from(tape, passing);
    arena_release(tape->arena, mark);
}

Tensor *tape_recompute(Tape *tape, TapeBlock *block, void *context, Tensor *x) {
    bool gradients = tape->mode.gradients, passes = x->passing;
    Tensor *out = tape_tensor_like(tape, x);
    ArenaMark mark = arena_mark(tape->arena);
    size_t passing = tape->passing_count;
    tape->mode.gradients = x->passing = false; /* x is read again */
    Tensor *y = block(tape, context, x);
    tape->mode.gradients = gradients;
    x->passing = passes;
    CHECK(y->size == out->size, "a recomputed block keeps its shape");
    memcpy(out->value, y->value, y->size * sizeof(real));
    let_go_from(tape, passing);
    arena_release(tape->arena, mark);
    if (!gradients) return out;
    Recompute *r = tape_node(tape, sizeof *r, "recompute", out, true, recompute_backward);
    r->block = block;
    r->context = context;
    r->x = x;
    return out;
}
