/* config: what a model is, as data.  One block serves every architecture
 * (models/block.h); these fields choose.  Keys of the recipe's [model] section
 * bear the same names. */
#ifndef STEADY_MODEL_CONFIG_H
#define STEADY_MODEL_CONFIG_H

#include "engine/core/base.h"
#include "engine/reparam/reparam.h"

typedef enum { NORM_PRE, NORM_POST, NORM_DEEPNORM, NORM_NONE } NormPlace;
typedef enum { SCOPE_AUTO, SCOPE_ALL, SCOPE_BLOCKS, SCOPE_ATTENTION } ReparamScope;
typedef enum { GAMMA_SPECTRAL, GAMMA_ONE } GammaInit;
typedef enum { UV_SVD, UV_RANDOM } UvInit;
typedef enum { QKV_JOINT, QKV_QK_V, QKV_SEPARATE } QkvGrouping;
typedef enum { ACTIVATION_GELU, ACTIVATION_RELU } Activation;
typedef enum {
    POSITION_LEARNED,
    POSITION_SINCOS, /* of pictures, in two dimensions */
    POSITION_NONE,
    POSITION_SINUSOIDAL, /* of texts */
    POSITION_CAPE        /* of speech */
} PositionKind;
typedef enum { INIT_NORMAL, INIT_FAIRSEQ, INIT_UNIFORM, INIT_MOCOV3 } InitKind;
typedef enum { TIED_NONE, TIED_DECODER, TIED_ALL } Tied;
typedef enum { POOL_TOKEN, POOL_MEAN } PoolKind;

enum { ADAPTIVE_CUTS_MAX = 7 };

typedef struct ModelConfig {
    size_t width;     /* D */
    size_t depth;     /* blocks */
    size_t heads;     /* H; D must be a multiple */
    double mlp_ratio; /* hidden units of the MLP = round(mlp_ratio * D) */
    size_t patch;     /* side of a patch in pixels; the image must be a multiple */
    NormPlace norm;
    bool final_norm; /* pre only: LayerNorm after the last block */
    ReparamMethod reparam;
    ReparamScope reparam_scope; /* see LayerPart in models/layer.h */
    bool reparam_front;         /* speech: the convolution too, whatever the scope */
    GammaInit gamma_init;
    /* sigma, spectral: the first singular vectors, or random ones */
    UvInit uv_init;
    size_t power_steps; /* sigma, spectral: iterations of a step; POWER_STEPS_AUTO */
    InitKind init;      /* see block_initialize */
    double init_std;    /* of weight matrices, with INIT_NORMAL */
    /* of the patch embedding, but with INIT_MOCOV3; 0: init_std where reparam_sets_norm,
     * else timm's U(+-1/sqrt(fan_in)) */
    double patch_init_std;
    char freeze[512]; /* names of what is not trained (model_freeze_params); "": none */
    QkvGrouping qkv;
    Activation activation;
    PositionKind position;
    PoolKind pool;    /* what the head sees: class token, or mean of the patches */
    double dropout;   /* after the embedding sum, attention output and MLP output */
    double drop_path; /* of the last block; grows linearly from 0 over depth */
    double attention_dropout;  /* of the probabilities */
    double activation_dropout; /* of the MLP's hidden units */
    double temperature;        /* attention is softmax(q.k / (sqrt(K) temperature)) */
    char temperature_at[256];  /* of some sites (models/temperature.h); "": of none */
    /* texts */
    /* language: T, tokens of a block; else rows of learned positions */
    size_t context;
    size_t decoder_depth; /* translation; 0: as depth */
    /* < 0: sqrt(D) with sinusoidal positions, else 1; 0 is refused */
    double embed_scale;
    Tied tied; /* what the output matrix shares (language: any but none) */
    /* language: where the vocabulary's bands end, but for */
    double cutoffs[ADAPTIVE_CUTS_MAX];
    size_t cutoff_count;     /* the last; 0: one band, no adaptive softmax */
    double adaptive_factor;  /* each band's vectors are so many times shorter */
    double adaptive_dropout; /* of the tails' features */
    /* speech */
    double layer_drop; /* chance that a block is left out, in training */
    double cape_shift; /* largest random shift of cape's positions, seconds */
} ModelConfig;

/* What follows the features of pictures when views are compared
 * (task.kind = contrastive); keys of the recipe's [contrast] section bear the same
 * names. */
typedef struct ContrastConfig {
    double temperature;     /* of NT-Xent */
    size_t projector_depth; /* layers */
    size_t projector_width; /* of its hidden ones; 0: ModelConfig.width */
    size_t projector_out;   /* of the last: what the loss compares */
    double probe_lr;        /* of the online linear probe; 0: there is none */
    bool reparam_projector; /* with reparam_scope = all */
} ContrastConfig;

/* The defaults of the recipe's [model] section: with it every builder makes a model that
 * learns, but for what depends on the data (patch, heads, cutoffs). */
ModelConfig model_config_default(void);

/* FAIL_USAGE with the key that no model can have: sizes of 0, heads that do not divide
 * the width, a number outside its range, a position whose bit (1u << POSITION_...) is not
 * in `positions`.  The builders' own checks (vit_check, language_check ...) ask it
 * first. */
Status model_config_check(const ModelConfig *config, unsigned positions, Err *err);
/* embed_scale, too */
Status model_config_check_texts(const ModelConfig *config, Err *err);
/* Cutoffs and factor of the adaptive softmax. */
Status model_config_check_cutoffs(const ModelConfig *config, size_t vocab, Err *err);

#endif
