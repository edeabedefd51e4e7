#include "engine/dist/exchange.h"

#include <string.h>

#include "engine/dist/buckets.h"

/* Bytes of a bucket: long enough that the wire's rate counts and not its latency, short
 * enough that the last one, which nothing hides, is a small part of the whole
 * (docs/scaling.md). */
enum { BUCKET_LEAST = 64 << 10, BUCKET_MOST = 8 << 20, BUCKETS_LEAST = 8 };

static size_t bucket_numbers(size_t all) {
    size_t bytes = all * sizeof(real) / BUCKETS_LEAST;
    return MAX(MIN(bytes, (size_t)BUCKET_MOST), (size_t)BUCKET_LEAST) / sizeof(real);
}

struct Exchange {
    Ranks *ranks;
    ParamSet *params;
    Tape *tape;
    Buckets *buckets;
    real *sums; /* [trained] where they arrive */
};

Exchange *exchange_new(Ranks *ranks, ParamSet *params, Tape *tape) {
    if (!ranks) return NULL;
    Exchange *x = mem_zalloc(sizeof *x);
    *x = (Exchange){.ranks = ranks, .params = params, .tape = tape};
    x->buckets = buckets_new(params, bucket_numbers(params->trained));
    x->sums = mem_zalloc(params->trained * sizeof *x->sums);
    return x;
}

void exchange_free(Exchange *x) {
    if (!x) return;
    buckets_free(x->buckets);
    mem_free(x->sums);
    mem_free(x);
}

/* What no operation wrote holds numbers of the step before: none of that may be
 * summed. */
static void send(Exchange *x, const Bucket *bucket) {
    for (size_t i = 0; i < bucket->count; i++) {
        Tensor *tensor = &bucket->params[i]->tensor;
        if (!tensor->grad_written) memset(tensor->grad, 0, tensor->size * sizeof(real));
    }
    ranks_send(x->ranks, x->params->grads + bucket->offset, x->sums + bucket->offset,
               bucket->size);
}

static void listen(void *context, Tensor *const *touched, size_t count) {
    Exchange *x = context;
    const Bucket *bucket;
    for (size_t i = 0; i < count; i++)
        if (touched[i]->is_param) buckets_touch(x->buckets, touched[i]);
    while ((bucket = buckets_next(x->buckets))) send(x, bucket);
    ranks_poll(x->ranks);
}

void exchange_begin(Exchange *x) {
    if (!x) return;
    buckets_begin(x->buckets);
    tape_listen(x->tape, listen, x);
}

static void swap_slabs(Exchange *x) {
    ParamSet *params = x->params;
    real *old = params->grads;
    params->grads = x->sums;
    x->sums = old;
    for (size_t i = 0; i < params->count; i++) {
        Param *param = params->list[i];
        if (!param_is_trained(param)) continue;
        param->tensor.grad = params->grads + param->offset;
        param->tensor.grad_written = true; /* by others, where this rank had no example */
    }
}

void exchange_end(Exchange *x) {
    const Bucket *bucket;
    if (!x) return;
    tape_listen(x->tape, NULL, NULL);
    while ((bucket = buckets_rest(x->buckets))) send(x, bucket);
    ranks_wait(x->ranks);
    swap_slabs(x);
}
