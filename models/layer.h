/* layer: the parts that every model is built of, and the registry that finds them again.
 *
 * A Model registers its parameters once, in order; probes, checkpoints, optimizers and
 * the reparametrisation walk the lists that building leaves behind. */
#ifndef STEADY_LAYER_H
#define STEADY_LAYER_H

#include "engine/core/params.h"
#include "engine/op/op.h"
#include "engine/reparam/reparam.h"
#include "models/config.h"
#include "models/site.h"

/* y = scale x W^T + b, named X.weight, X.bias. */
typedef struct LinearLayer {
    char name[100];   /* "blocks.0.attn.qkv" */
    Param *weight;    /* [out, in], or [D, C, P, P] for the patch embedding */
    Param *bias;      /* [out] or NULL */
    Reparam *reparam; /* NULL: none */
} LinearLayer;

typedef struct NormLayer {
    Param *weight, *bias; /* [D]; NULL: the identity */
    double eps;
} NormLayer;

/* An op of the program's that uses the library: row by row, x [.., D] -> [.., D]. */
typedef struct OutputOp {
    Tensor *(*run)(Tape *tape, void *context, Tensor *x); /* NULL: there is none */
    void *context;
} OutputOp;

typedef struct Model {
    ModelConfig config;
    /* what the model makes of a recipe's config; NULL: that itself */
    ModelConfig (*own_config)(const ModelConfig *config);
    bool joint;         /* the loss compares examples: micro-batches are never cut */
    OutputOp output_op; /* between the last norm and the output layer */
    ParamSet *params;
    LinearLayer **layers; /* every linear layer, by depth */
    size_t layer_count, layer_room;
    Site **sites; /* by depth */
    size_t site_count, site_room;
} Model;

/* What changes from one forward pass to the next. */
typedef struct ForwardMode {
    double temperature;   /* of attention */
    size_t first_example; /* number of the first example within the optimizer step */
    bool recompute;       /* keep block inputs only */
    MeasureLevel measure; /* what the sites show beside entropy and largest logit */
    Precision precision;  /* of large products: TapeMode's, where a pass begins */
} ForwardMode;

void model_init(Model *model, const ModelConfig *config);
void model_release(Model *model);

/* Another config from the next step on: dropouts, layer drop, power iterations and the
 * like.  Sizes and all else that the parameters came from must be the same. */
void model_set_config(Model *model, const ModelConfig *config);

/* ---- building ---- */

/* Which layers model.reparam_scope means: attention is PART_ATTENTION, blocks that and
 * PART_MLP, auto all but PART_OUTPUT, and all is all.  Tables of embeddings, also where
 * they are the output (tied, adaptive softmax), and the speech convolution (but for
 * model.reparam_front) are no layers. */
typedef enum {
    PART_ATTENTION,
    PART_MLP,
    PART_OUTSIDE, /* patch embedding; head of pictures and of speech */
    PART_OUTPUT,  /* of texts, a matrix of its own */
    PART_PLAIN    /* never reparametrised */
} LayerPart;

/* Registers X.weight [out, in] and, with `bias`, X.bias [out]; `part`
 * decides by reparam_scope. */
void linear_build(Model *model, LinearLayer *layer, LayerPart part, bool bias, size_t out,
                  size_t in, const char *format, ...)
    __attribute__((format(printf, 7, 8)));
void linear_build_shaped(Model *model, LinearLayer *layer, LayerPart part, int dims,
                         const size_t *shape, const char *name);
/* Registers the convolution X.weight [out, in, kernel] and X.bias [out] in front of the
 * blocks.  With model.reparam_front it is a layer like the others, its weight seen as
 * [out, in kernel]; otherwise two plain parameters, and no layer of the probes. */
void convolution_build(Model *model, LinearLayer *layer, const size_t shape[3],
                       const char *name);
/* Registers the output matrix X.weight [out, in] of texts, PART_OUTPUT without a bias.
 * Where it is not reparametrised it is a plain parameter, as the table of a tied output
 * is: no layer of the probes. */
void output_build(Model *model, LinearLayer *layer, size_t out, size_t in,
                  const char *name);
void norm_build(Model *model, NormLayer *layer, double eps, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* All but where queries and keys come from, which the caller sets. */
void site_build(Model *model, Site *site, bool cross, const char *name);

/* ---- running ---- */

/* What the layer's products are multiplied by; NULL: nothing. */
const Scale *linear_scale(const LinearLayer *layer);

/* What op_linear_fused wants of the layer; the caller adds what stands
 * before and behind it. */
LinearArgs linear_args(const LinearLayer *layer, Tensor *x);
Tensor *linear_forward(Tape *tape, const LinearLayer *layer, Tensor *x);
Tensor *norm_forward(Tape *tape, const NormLayer *layer, Tensor *x); /* identity: x */
/* The same by op_layer_norm_passing. */
Tensor *norm_forward_passing(Tape *tape, const NormLayer *layer, Tensor *x);

/* What the output layer sees of x [.., D], which the last norm gave: x, or the
 * model's output_op. */
Tensor *model_output(const Model *model, Tape *tape, Tensor *x);

/* ---- initial values; each parameter draws from its own stream, named by its name ---- */

void norm_initialize(NormLayer *layer); /* 1 and 0; identity: nothing */
void param_fill(Param *param, double value);
void param_normal(Param *param, uint64_t seed, double std);
void param_uniform(Param *param, uint64_t seed, double bound);
void param_scale_rows(Param *param, size_t first, size_t rows, double factor);

/* ---- what is not trained ---- */

/* params_freeze, and what that means for a reparametrised layer (reparam_see_frozen).  A
 * gradient that nothing trained asks for is not computed. */
size_t model_freeze_params(Model *model, const char *name, size_t length);

/* ---- the life of a step ---- */

/* Into how many micro-batches to cut `examples` of `tokens` tokens so that what one op of
 * the backward pass reads and writes stays in `cache` bytes (0: not known), as long as a
 * micro-batch has activations enough to outweigh the weights; 1 mostly. */
size_t model_parts(const ModelConfig *config, double tokens, size_t examples,
                   size_t cache);

/* With UV_RANDOM: u of every layer from its own stream, but for frozen ones, whose u
 * would never come closer.  Before model_start, which finds singular vectors where none
 * was drawn. */
void model_draw_vectors(Model *model, uint64_t seed);

/* What a checkpoint or train.init brought; others are made. NULL: nothing was brought. */
void model_start(Model *model, const bool *loaded /* [params->count] */);
/* The same for a whole model from a file: a W that it brought without the gain (spectral:
 * without u) acts as it is, until the next refresh (reparam_plain). */
void model_start_plain(Model *model, const bool *loaded);
void model_refresh(Model *model); /* before a training step */
void model_settle(Model *model);  /* where the weights are an average of others */
void model_freeze(Model *model);  /* before evaluation */
void model_fold(Model *model);    /* after the backward pass */

void model_stats_reset(Model *model);
void model_stats_gather(Model *model); /* after each forward pass */

/* The lowest entropy of a site, mean over its heads, as a share of uniform attention's,
 * and where; 1 when unknown. */
double model_lowest_entropy(const Model *model, const char **site);

#endif
