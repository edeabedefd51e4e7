/* contrast: a vision transformer that learns without labels, from two views of each
 * picture (SimCLR, Chen et al. 2020): the views' embeddings shall be near each other and
 * far from those of other pictures.
 *
 *     Contrast *c = contrast_new(&model, &contrast, (PictureShape){3, 32, 32}, 10);
 *     contrast_initialize(c, seed);
 *     model_start(&c->vit.model, NULL);
 *     ContrastArgs args = {.pixels = views, .label = label, .pictures = 256};
 *     Tensor *loss = contrast_loss(c, tape, &mode, &args);
 *
 * Encoder: the names of models/vit.h, without a head.  Its features f [D] are the class
 * token behind the final norm (where there is one), or the mean of the patch tokens
 * (model.pool = mean).  A classifier can begin with its parameters, and the reverse.
 *
 * Projector: projector_depth layers h = relu(BN(h W^T)), of which the last has no bias in
 * its batch norm and no relu.  projector.I.weight [out, in] has no bias;
 * projector.I.norm.weight, .bias [out]; buffers projector.I.norm.mean, .var [out].  Batch
 * norm is over the views of all ranks in a pass, eps 1e-5, momentum 0.1.
 * With model.reparam the layers are reparametrised like those of the blocks, under scope
 * all; reparam_projector = false leaves them plain.  Batch norm undoes what gamma does:
 * here a reparametrisation decides how far a step turns W, and nothing of the function.
 *
 * gamma of the projector has a gradient near 0 (eps alone makes it one), which Adam turns
 * into steps of rounding errors; they do no harm.
 *
 * Loss: op_nt_xent, nats.  A micro-batch is a pass of its own: its views are compared
 * with each other (those of all ranks) alone, and batch norm is over them.  So
 * `accumulate` changes what is learned, and the running statistics move with each.
 *
 * Probe: with probe_lr > 0, a linear classifier of the features, probe.weight
 * [classes, D] and probe.bias [classes].  Both are buffers: no optimizer, decay, clipping
 * or average sees them, and no gradient of theirs reaches the encoder, which is the same
 * to the bit with a probe and without.  A training pass that has labels moves them by one
 * step of gradient descent on the mean cross entropy of the views of all ranks, without
 * momentum, as if features were (f - m) / r with the batch's mean m and root mean square
 * deviation r, or a tenth of their root mean square where that is more: then probe_lr
 * suits features of any size.  probe.mean [D] is m of the last step: where the features'
 * mean moves, the bias follows it.
 *
 * Not for: making views (data/picture); evaluation's sums over a split. */
#ifndef STEADY_CONTRAST_H
#define STEADY_CONTRAST_H

#include "models/vit.h"

typedef struct Projection {
    LinearLayer linear;
    Param *gain, *bias; /* norm.weight, norm.bias; bias NULL: none */
    Param *mean, *var;  /* buffers */
} Projection;

typedef struct Contrast {
    Vit vit; /* without a head; vit.model is the whole model */
    ContrastConfig config;
    Projection *projector;                         /* [config.projector_depth] */
    size_t classes;                                /* of the probe */
    Param *probe_weight, *probe_bias, *probe_mean; /* NULL: no probe */
} Contrast;

/* No layer in the projector, a temperature of 0, ..., or what vit_check refuses. */
Status contrast_check(const ModelConfig *model, const ContrastConfig *contrast,
                      PictureShape picture, Err *err);
Contrast *contrast_new(const ModelConfig *model, const ContrastConfig *contrast,
                       PictureShape picture, size_t classes);
void contrast_free(Contrast *c);

/* vit_initialize; projector weights N(0, 0.01^2) as SimCLR's, or as other layers' where
 * reparam_sets_norm (model.init_std); batch norms 1 and 0, running ones 0 and 1;
 * probe 0. */
void contrast_initialize(Contrast *c, uint64_t seed);

typedef struct ContrastArgs {
    Tensor *pixels; /* [2N, C, Y, X]: i < N is one view of picture i, N + i the other */
    const size_t *label; /* [N] each < classes: trains the probe; or NULL */
    size_t pictures; /* in the batch, of all micro-batches and ranks: what the loss is a
                      * share of.  0: those of this pass on all ranks */
    Ranks *ranks;    /* that run this pass together; each has pictures */
    NtXentStats *stats; /* or NULL */
} ContrastArgs;

/* loss [1]: the sum over this rank's views, over 2 pictures.  mode->first_example counts
 * pictures.  In evaluation (TapeMode.training = false) batch norm uses the running
 * statistics and the probe stays. */
Tensor *contrast_loss(Contrast *c, Tape *tape, const ForwardMode *mode,
                      const ContrastArgs *args);

/* The same of features [2N, D] of the views, args->pixels apart; and those features. */
Tensor *contrast_loss_of(Contrast *c, Tape *tape, Tensor *features,
                         const ContrastArgs *args);
Tensor *contrast_features(Contrast *c, Tape *tape, const ForwardMode *mode,
                          Tensor *pixels);

/* Its parts: pixels [B, C, Y, X] -> features [B, D] (vit_features) -> embeddings
 * [B, projector_out], not normalised. */
Tensor *contrast_project(Contrast *c, Tape *tape, Tensor *features, Ranks *ranks);

/* What contrast_loss does with labels: a step of the probe, by features of 2N views. */
void contrast_train_probe(Contrast *c, Tape *tape, const Tensor *features,
                          const size_t *label, Ranks *ranks);

/* Logits [B, classes] of features [B, D], without a gradient.  There is a probe. */
Tensor *contrast_probe(const Contrast *c, Tape *tape, Tensor *features);

/* Multiply-adds x 2 of a picture's two views in the forward pass: matrix products of
 * encoder and projector. */
double contrast_flops(const Contrast *c);

/* Bytes of activations of a training pass over `pictures`: an estimate. */
double contrast_memory(const Contrast *c, size_t pictures, bool recompute);

#endif
