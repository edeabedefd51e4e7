/* ctc: loss = - sum_b ln P(labels_b | logits_b) / divisor
 *   dlogits_bt = dloss (softmax(logits_bt) - posterior_bt) / divisor, 0 at padding frames
 * The sums over alignments are in kern/ctc.c; here utterances are shared
 * out among threads. */
#include "engine/kern/ctc.h"

#include <string.h>

#include "engine/op/op.h"

typedef struct Ctc {
    Node node;
    Tensor *logits;
    CtcTarget target;
    double **work; /* [B] of ctc_forward */
} Ctc;

static CtcUtterance utterance(const Tensor *logits, const CtcTarget *target, size_t b) {
    size_t length = logits->shape[1], classes = logits->shape[2];
    return (CtcUtterance){logits->value + b * length * classes,
                          target->frame_count ? target->frame_count[b] : length,
                          classes,
                          target->label + b * target->length,
                          target->label_count[b],
                          target->blank};
}

static void backward(Tape *tape, Node *node) {
    Ctc *n = (Ctc *)node;
    size_t batch = n->logits->shape[0], row = n->logits->size / batch;
    real scale = (real)(node->out->grad[0] / n->target.divisor);
    real beta, *dz = tape_grad(tape, n->logits, &beta);
#pragma omp parallel for schedule(dynamic)
    for (size_t b = 0; b < batch; b++) {
        CtcUtterance u = utterance(n->logits, &n->target, b);
        size_t used = u.frames * u.classes;
        ctc_backward(&u, n->work[b], scale, dz + b * row, beta);
        if (beta == 0) memset(dz + b * row + used, 0, (row - used) * sizeof *dz);
    }
}

static void check(const Tensor *logits, const CtcTarget *target) {
    CHECK(logits->dims == 3, "ctc: %d dimensions instead of [B, T, V]", logits->dims);
    CHECK(target->blank < logits->shape[2] && target->divisor > 0,
          "ctc: blank %u of %zu classes, divisor %g", target->blank, logits->shape[2],
          target->divisor);
    for (size_t b = 0; b < logits->shape[0]; b++) {
        CtcUtterance u = utterance(logits, target, b);
        CHECK(u.frames <= logits->shape[1] && u.count <= target->length,
              "ctc: utterance %zu has %zu frames of %zu, %zu labels of %zu", b, u.frames,
              logits->shape[1], u.count, target->length);
        for (size_t i = 0; i < u.count; i++)
            CHECK(u.labels[i] < u.classes && u.labels[i] != u.blank,
                  "ctc: label %u of %zu classes, blank %u", u.labels[i], u.classes,
                  u.blank);
        CHECK(ctc_fits(u.frames, u.labels, u.count),
              "ctc: utterance %zu: %zu frames are too few for its %zu labels", b,
              u.frames, u.count);
    }
}

Tensor *op_ctc(Tape *tape, Tensor *logits, const CtcTarget *target) {
    check(logits, target);
    size_t batch = logits->shape[0];
    bool keep = tape_mode(tape)->gradients && logits->needs_grad;
    double *losses = tape_alloc(tape, batch * sizeof *losses), sum = 0;
    double **work = tape_alloc(tape, batch * sizeof *work);
    for (size_t b = 0; b < batch; b++) {
        CtcUtterance u = utterance(logits, target, b);
        work[b] = tape_alloc(tape, ctc_work(u.frames, u.count, keep) * sizeof(double));
    }
#pragma omp parallel for schedule(dynamic)
    for (size_t b = 0; b < batch; b++) {
        CtcUtterance u = utterance(logits, target, b);
        losses[b] = ctc_forward(&u, work[b], keep);
    }
    for (size_t b = 0; b < batch; b++) sum += losses[b];
    if (target->each) memcpy(target->each, losses, batch * sizeof *losses);
    Tensor *loss = tape_tensor(tape, 1, (size_t[]){1});
    loss->value[0] = (real)(sum / target->divisor);
    Ctc *n = tape_node(tape, sizeof *n, "ctc", loss, logits->needs_grad, backward);
    if (n) n->logits = logits, n->target = *target, n->work = work;
    return loss;
}
