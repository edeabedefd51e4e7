/* adaptive: embedding and loss over a vocabulary in bands, made of other ops, which have
 * the gradients.  Tokens are sorted by band; bands without a token take part with no
 * rows, so that every step writes the same parameters' gradients. */
#include <string.h>

#include "engine/op/vocab_loss.h"

/* The tokens of one band. */
typedef struct Members {
    size_t *rows;    /* [count] where they stand, */
    uint32_t *token; /* and which they are, from the band's first */
    size_t count;
} Members;

static size_t band_size(const Band *band) { return band->table->shape[0]; }

/* The band of a token, and its first token. */
static size_t band_of(const Band *bands, size_t count, size_t token, size_t *first) {
    *first = 0;
    for (size_t i = 0; i < count; i++) {
        if (token - *first < band_size(&bands[i])) return i;
        *first += band_size(&bands[i]);
    }
    CHECK(false, "adaptive: token %zu of %zu", token, *first);
}

/* Sorts tokens[n] into members[count]; those that are `ignore` into none. */
static void sort_tokens(Tape *tape, const Band *bands, size_t count,
                        const uint32_t *tokens, size_t n, const uint32_t *ignore,
                        Members *members) {
    for (size_t i = 0; i < count; i++) {
        members[i].count = 0;
        members[i].rows = tape_alloc(tape, n * sizeof(size_t));
        members[i].token = tape_alloc(tape, n * sizeof(uint32_t));
    }
    for (size_t r = 0; r < n; r++) {
        if (ignore && tokens[r] == *ignore) continue;
        size_t first, i = band_of(bands, count, tokens[r], &first);
        Members *m = &members[i];
        m->rows[m->count] = r;
        m->token[m->count++] = (uint32_t)(tokens[r] - first);
    }
}

Tensor *op_adaptive_embedding(Tape *tape, const Band *bands, size_t count,
                              const uint32_t *ids, size_t batch, size_t length,
                              double scale) {
    Members members[BANDS_MAX];
    RowPart parts[BANDS_MAX];
    CHECK(count && count <= BANDS_MAX, "adaptive_embedding: %zu bands", count);
    sort_tokens(tape, bands, count, ids, batch * length, NULL, members);
    for (size_t i = 0; i < count; i++) {
        const Members *m = &members[i];
        Tensor *x = op_embedding(tape, bands[i].table, m->token, 1, m->count, scale);
        x = op_linear(tape, x, bands[i].proj, NULL, bands[i].scale);
        parts[i] = (RowPart){x, m->rows, m->count};
    }
    return op_merge_rows(tape, parts, count, batch, length);
}

/* ---- loss ---- */

/* What rows are to choose at the head: a token of band 0, or the band of theirs. */
static uint32_t *head_labels(Tape *tape, const AdaptiveArgs *a, const Members *members,
                             size_t rows) {
    uint32_t *label = tape_alloc(tape, rows * sizeof *label);
    size_t common = band_size(&a->bands[0]);
    for (size_t r = 0; r < rows; r++) label[r] = UINT32_MAX;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < members[i].count; k++)
            label[members[i].rows[k]] =
                i ? (uint32_t)(common + i - 1) : members[i].token[k];
    return label;
}

/* Band i's part of the loss; adds to *nll and counts rows that are right here
 * and were at the head. */
static Tensor *tail_loss(Tape *tape, Tensor *x, const AdaptiveArgs *a, size_t i,
                         const Members *m, double divisor, const bool *head_hit,
                         double *nll, size_t *right) {
    const Band *band = &a->bands[i];
    bool *hit = tape_alloc(tape, m->count);
    double sum;
    VocabTarget target = {m->token, UINT32_MAX, 0, divisor, &sum, NULL};
    x = op_take_rows(tape, x, m->rows, m->count);
    x = op_linear_transposed(tape, x, band->proj, band->scale);
    x = op_dropout_rows(tape, x, a->dropout, a->site + (uint32_t)i - 1, a->first_row,
                        m->rows);
    Tensor *loss = vocab_loss(tape, x, &(VocabOutput){.w = band->table}, &target, hit);
    *nll += sum;
    for (size_t k = 0; k < m->count; k++) *right += hit[k] && head_hit[m->rows[k]];
    return loss;
}

static void check(const Tensor *x, const AdaptiveArgs *a, const VocabTarget *target) {
    CHECK(a->count >= 2 && a->count <= BANDS_MAX, "adaptive_loss: %zu bands", a->count);
    CHECK(a->clusters->shape[0] == a->count - 1, "adaptive_loss: %zu clusters, %zu bands",
          a->clusters->shape[0], a->count);
    CHECK(tensor_last(a->bands[0].table) == tensor_last(x),
          "adaptive_loss: the first band has width %zu, x %zu",
          tensor_last(a->bands[0].table), tensor_last(x));
    CHECK(target->smoothing == 0, "adaptive_loss: smoothing %g", target->smoothing);
}

Tensor *op_adaptive_loss(Tape *tape, Tensor *x, const AdaptiveArgs *a,
                         const VocabTarget *target) {
    size_t rows = tensor_rows(x), right = 0;
    double nll;
    Members members[BANDS_MAX];
    check(x, a, target);
    sort_tokens(tape, a->bands, a->count, target->label, rows, &target->ignore, members);
    bool *hit = tape_alloc(tape, rows);
    VocabTarget head = *target;
    head.label = head_labels(tape, a, members, rows);
    head.ignore = UINT32_MAX, head.nll = &nll, head.right = NULL;
    VocabOutput output = {.w = a->bands[0].table, .more = a->clusters};
    Tensor *loss = vocab_loss(tape, x, &output, &head, hit);
    for (size_t k = 0; k < members[0].count; k++) right += hit[members[0].rows[k]];
    for (size_t i = 1; i < a->count; i++)
        loss = op_add(tape, loss,
                      tail_loss(tape, x, a, i, &members[i], target->divisor, hit, &nll,
                                &right),
                      1);
    if (target->nll) *target->nll = nll;
    if (target->right) *target->right = right;
    return loss;
}
