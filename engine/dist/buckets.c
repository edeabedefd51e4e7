#include "engine/dist/buckets.h"

/* What is known of a trained parameter; in the order of the slab. */
typedef struct Use {
    size_t bucket;
    size_t expected; /* touches of a pass; 0: none seen yet, final at the end */
    size_t seen;     /* in this pass */
} Use;

struct Buckets {
    const ParamSet *set;
    Param **params; /* [count] the trained ones, in the order of the slab */
    Use *uses;      /* [count] */
    size_t count;
    Bucket *list; /* [list_count] in the order of sending */
    size_t list_count, sent;
    bool counted; /* a whole pass has been seen */
};

static size_t end_of(const Buckets *b, size_t i) {
    return i + 1 < b->count ? b->params[i + 1]->offset : b->set->trained;
}

/* Cuts [0, end) of the trained parameters, from the last one down. */
static void cut(Buckets *b, size_t most) {
    size_t end = b->count;
    while (end) {
        size_t first = end - 1, stop = end_of(b, end - 1);
        while (first && stop - b->params[first - 1]->offset <= most) first--;
        size_t offset = b->params[first]->offset;
        for (size_t i = first; i < end; i++) b->uses[i].bucket = b->list_count;
        b->list[b->list_count++] = (Bucket){.offset = offset,
                                            .size = stop - offset,
                                            .params = b->params + first,
                                            .count = end - first};
        end = first;
    }
}

Buckets *buckets_new(const ParamSet *set, size_t most) {
    Buckets *b = mem_zalloc(sizeof *b);
    b->set = set;
    b->params = mem_alloc(set->count * sizeof *b->params);
    for (size_t i = 0; i < set->count; i++)
        if (param_is_trained(set->list[i])) b->params[b->count++] = set->list[i];
    b->uses = mem_zalloc(b->count * sizeof *b->uses);
    b->list = mem_zalloc(b->count * sizeof *b->list);
    cut(b, most);
    return b;
}

void buckets_free(Buckets *b) {
    if (!b) return;
    mem_free(b->params);
    mem_free(b->uses);
    mem_free(b->list);
    mem_free(b);
}

size_t buckets_count(const Buckets *b) { return b->list_count; }

void buckets_begin(Buckets *b) {
    b->sent = 0;
    for (size_t k = 0; k < b->list_count; k++) b->list[k].open = 0;
    for (size_t i = 0; i < b->count; i++) {
        b->uses[i].seen = 0;
        /* Gains have their gradient from the fold, after the pass; frozen ones never. */
        const Param *param = b->params[i];
        bool touched = param->tensor.needs_grad && param->role != PARAM_GAIN;
        bool awaited = b->uses[i].expected > 0 || touched;
        b->list[b->uses[i].bucket].open += awaited;
    }
}

/* Place of a tensor among the trained parameters: its values lie in the slab in order. */
static size_t place_of(const Buckets *b, const Tensor *tensor) {
    size_t low = 0, high = b->count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (b->params[middle]->tensor.value <= tensor->value) low = middle;
        else high = middle;
    }
    CHECK(b->count && &b->params[low]->tensor == tensor,
          "buckets_touch of a tensor that is no trained parameter");
    return low;
}

void buckets_touch(Buckets *b, const Tensor *tensor) {
    size_t i = place_of(b, tensor);
    Use *use = &b->uses[i];
    CHECK(use->bucket >= b->sent, "the gradient of %s is written after it was sent",
          b->params[i]->name);
    if (++use->seen == use->expected) b->list[use->bucket].open--;
}

const Bucket *buckets_next(Buckets *b) {
    bool ready = b->counted && b->sent < b->list_count && !b->list[b->sent].open;
    return ready ? &b->list[b->sent++] : NULL;
}

const Bucket *buckets_rest(Buckets *b) {
    if (b->sent < b->list_count) return &b->list[b->sent++];
    /* A pass without an example says nothing of how often parameters are touched. */
    for (size_t i = 0; i < b->count; i++) {
        b->uses[i].expected = MAX(b->uses[i].expected, b->uses[i].seen);
        b->counted = b->counted || b->uses[i].seen;
    }
    return NULL;
}
