/* vit: the vision transformer (Dosovitskiy et al. 2021) with timm's parameter names.
 *
 *     Vit *vit = vit_new(&config, (PictureShape){3, 224, 224}, 1000);
 *     vit_initialize(vit, seed);
 *     model_start(&vit->model, NULL);
 *     Tensor *logits = vit_logits(vit, tape, &mode, pixels);          [B, classes]
 */
#ifndef STEADY_VIT_H
#define STEADY_VIT_H

#include "models/stack.h"

typedef struct PictureShape {
    size_t channels, height, width;
} PictureShape;

typedef struct Vit {
    Model model;
    PictureShape picture;
    size_t classes;
    size_t tokens;      /* patches + class token */
    LinearLayer patch;  /* patch_embed.proj, weight [D, C, P, P] */
    Param *cls_token;   /* [1, 1, D] */
    Param *pos_embed;   /* [1, tokens, D] */
    Stack stack;        /* blocks, and the norm after the last */
    LinearLayer head;   /* [classes, D] */
    size_t layer_count; /* of the model's layers, that the transformer has */
} Vit;

/* The picture must be a multiple of config->patch on both sides and width of heads
 * (CHECK; vit_check says it as an Err). */
Status vit_check(const ModelConfig *config, PictureShape picture, Err *err);
Vit *vit_new(const ModelConfig *config, PictureShape picture, size_t classes);
void vit_free(Vit *vit);

/* The same within another model, which adds parameters of its own, then params_finish;
 * classes = 0: no head. */
void vit_build(Vit *vit, const ModelConfig *config, PictureShape picture, size_t classes);
void vit_release(Vit *vit); /* with the model, all but the memory of *vit */

/* timm's initial values: matrices N(0, init_std^2), biases 0, positions N(0, .02^2),
 * class token N(0, 1e-6^2), norms 1 and 0; the patch embedding as
 * ModelConfig.patch_init_std says.
 *
 * With INIT_MOCOV3 those of MoCo v3 (Chen et al. 2021, vits.py): matrices uniform within
 * sqrt(6 / (fan_in + fan_out)), q, k and v each by itself, head included; the patch
 * embedding within sqrt(6 / (C P^2 + D)); biases 0; all else as above. */
void vit_initialize(Vit *vit, uint64_t seed);

/* pixels [B, C, Y, X] -> features [B, D]: the class token behind the last norm, or the
 * normed mean of the patch tokens (model.pool = mean). */
Tensor *vit_features(Vit *vit, Tape *tape, const ForwardMode *mode, Tensor *pixels);

/* The output layer's product with them: logits [B, classes] */
Tensor *vit_logits(Vit *vit, Tape *tape, const ForwardMode *mode, Tensor *pixels);

/* Multiply-adds x 2 of one example's forward pass: matrix products only, without what
 * no one reads of the last block (with the class token: all but keys, values and
 * queries of the others). */
double vit_flops(const Vit *vit);

/* Bytes of activations of a training step over `pictures`: an estimate. */
double vit_memory(const Vit *vit, size_t pictures, bool recompute);

#endif
