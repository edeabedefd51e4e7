/* attention_parts: what forward and backward pass ask of the sizes. */
#include "engine/op/attention_parts.h"

/* Keys that query i of example b may see. */
size_t attention_keys(const AttentionArgs *a, const Plan *p, size_t b, size_t i) {
    size_t n = a->key_count ? a->key_count[b] : p->keys;
    if (a->causal) n = MIN(n, i + 1 + p->keys - p->queries);
    return n;
}

/* The first block of the mask of query i. */
static uint64_t mask_row(const AttentionArgs *a, size_t b, size_t h, size_t i) {
    uint64_t row = ((uint64_t)(a->first_example + b) << HEAD_BITS) + h;
    return ((row << QUERY_BITS) + i) << KEY_BITS;
}

size_t attention_valid(const AttentionArgs *a, const Plan *p, size_t b) {
    return a->query_count ? a->query_count[b] : p->queries;
}

void attention_drop(const AttentionArgs *a, const Plan *p, const Head *h, const Block *b,
                    const real *s, real *kept) {
    for (size_t i = 0; i < b->rows; i++) {
        size_t row = i * p->padded_keys, query = b->first + i;
        mask_apply(&p->mask, mask_row(a, h->example, h->number, query), kept + row, 0,
                   NULL, s + row, attention_keys(a, p, h->example, query));
    }
}

static Numbers slice_at(const Slice *s, size_t rows, size_t b, size_t column) {
    size_t at = b * rows * tensor_last(s->x) + s->column + column;
    return numbers_at(numbers_value(s->x), at);
}

Head attention_head(const AttentionArgs *a, const Plan *p, Numbers y, real *lse, size_t b,
                    size_t h) {
    size_t column = h * p->width;
    return (Head){.example = b,
                  .number = h,
                  .q = slice_at(&a->q, p->queries, b, column),
                  .k = slice_at(&a->k, p->room, b, column),
                  .v = slice_at(&a->v, p->room, b, column),
                  .y = numbers_at(y, b * p->outputs * p->ldy + column),
                  .lse = lse + (b * p->heads + h) * p->queries};
}
