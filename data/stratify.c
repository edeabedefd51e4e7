#include "data/stratify.h"

#include <stdlib.h>
#include <string.h>

typedef struct Share {
    size_t class, items, quota, most; /* most: items without those that must be left */
    uint64_t rest;                    /* of the division */
} Share;

void class_counts(const size_t *label, size_t n, size_t *count, size_t classes) {
    memset(count, 0, classes * sizeof *count);
    for (size_t i = 0; i < n; i++) {
        CHECK(label[i] < classes, "label %zu of %zu classes", label[i], classes);
        count[label[i]]++;
    }
}

static int by_rest(const void *a, const void *b) {
    const Share *x = a, *y = b;
    if (x->rest != y->rest) return x->rest < y->rest ? 1 : -1;
    return x->class < y->class ? -1 : 1;
}

static int by_class(const void *a, const void *b) {
    const Share *x = a, *y = b;
    return x->class < y->class ? -1 : x->class > y->class;
}

/* The class that can give most up, or take most on; NULL: none. */
static Share *richest(Share *share, size_t classes) {
    Share *best = NULL;
    for (Share *s = share; s < share + classes; s++)
        if (s->quota > 1 && (!best || s->quota > best->quota)) best = s;
    return best;
}

static Share *roomiest(Share *share, size_t classes) {
    Share *best = NULL;
    for (Share *s = share; s < share + classes; s++)
        if (s->quota < s->most &&
            (!best || s->most - s->quota > best->most - best->quota))
            best = s;
    return best;
}

static void set_quotas(Share *share, size_t classes, size_t n, size_t want) {
    size_t left = want;
    for (Share *s = share; s < share + classes; s++) {
        uint64_t product = (uint64_t)s->items * want;
        s->quota = (size_t)(product / n);
        s->rest = product % n;
        left -= s->quota;
    }
    qsort(share, classes, sizeof *share, by_rest);
    for (size_t k = 0; k < left; k++) share[k].quota++;
    qsort(share, classes, sizeof *share, by_class);
    size_t over = 0;
    for (Share *s = share; s < share + classes; s++)
        while (s->quota > s->most) s->quota--, over++;
    for (Share *s; over && (s = roomiest(share, classes)); over--) s->quota++;
    for (Share *s = share, *rich; s < share + classes; s++)
        if (!s->quota && s->most && (rich = richest(share, classes)))
            s->quota++, rich->quota--;
}

size_t stratify(const size_t *label, size_t n, size_t classes, size_t want, size_t leave,
                Rng dice, bool *chosen) {
    CHECK(want <= n && n < UINT32_MAX, "%zu of %zu items", want, n);
    memset(chosen, 0, n * sizeof *chosen);
    if (!want) return 0;
    Share *share = mem_zalloc(classes * sizeof *share);
    size_t *order = mem_alloc(n * sizeof *order), taken = 0;
    size_t *count = mem_alloc(classes * sizeof *count);
    class_counts(label, n, count, classes);
    for (size_t k = 0; k < classes; k++)
        share[k] = (Share){.class = k,
                           .items = count[k],
                           .most = count[k] > leave ? count[k] - leave : 0};
    set_quotas(share, classes, n, want);
    rng_permutation(dice, order, n);
    for (size_t k = 0; k < n; k++) {
        Share *s = &share[label[order[k]]];
        if (!s->quota) continue;
        s->quota--;
        taken++;
        chosen[order[k]] = true;
    }
    mem_free(count);
    mem_free(order);
    mem_free(share);
    return taken;
}
