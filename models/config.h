/* config: what a model is, as data.  One block serves every architecture (models/block.h);
 * these fields choose.  Keys of the recipe's [model] section bear the same names. */
#ifndef STEADY_MODEL_CONFIG_H
#define STEADY_MODEL_CONFIG_H

#include "engine/core/base.h"
#include "engine/reparam/reparam.h"

typedef enum { NORM_PRE, NORM_POST, NORM_DEEPNORM, NORM_NONE } NormPlace;
typedef enum { SCOPE_ALL, SCOPE_BLOCKS, SCOPE_ATTENTION } ReparamScope;
typedef enum { GAMMA_SPECTRAL, GAMMA_ONE } GammaInit;
typedef enum { QKV_JOINT, QKV_QK_V, QKV_SEPARATE } QkvGrouping;
typedef enum { ACTIVATION_GELU, ACTIVATION_RELU } Activation;
typedef enum { POSITION_LEARNED, POSITION_SINCOS, POSITION_NONE } PositionKind;
typedef enum { POOL_TOKEN, POOL_MEAN } PoolKind;

typedef struct ModelConfig {
    size_t width;     /* D */
    size_t depth;     /* blocks */
    size_t heads;     /* H; D must be a multiple */
    double mlp_ratio; /* hidden units of the MLP = round(mlp_ratio * D) */
    size_t patch;     /* side of a patch in pixels; the image must be a multiple */
    NormPlace norm;
    bool final_norm; /* pre only: LayerNorm after the last block */
    ReparamMethod reparam;
    ReparamScope reparam_scope;
    GammaInit gamma_init;
    double init_std;       /* of every weight matrix */
    double patch_init_std; /* of the patch embedding; 0: timm's U(+-1/sqrt(fan_in)) for
                                   reparam none and weight, init_std for sigma and spectral */
    QkvGrouping qkv;
    Activation activation;
    PositionKind position;
    PoolKind pool;      /* what the head sees: class token, or mean of the patches */
    double dropout;     /* after the embedding sum, attention output and MLP output */
    double drop_path;   /* of the last block; grows linearly from 0 over depth */
    double temperature; /* attention is softmax(q.k / (sqrt(K) temperature)) */
} ModelConfig;

ModelConfig model_config_default(void);

#endif
