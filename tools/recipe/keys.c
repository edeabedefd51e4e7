#include "tools/recipe/keys.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "data/picture/augment.h"
#include "data/picture/read.h"
#include "data/speech/set.h"
#include "models/temperature.h"
#include "tools/recipe/key_lines.h"
#include "tools/recipe/metric.h"
#include "tools/recipe/precision.h"

/* ---- texts that are more than texts ---- */

static Status check_augment(const char *value, Err *err) {
    SpecAugment masks;
    bool speeds;
    if (!strncmp(value, "spe", 3))
        return speech_augment_parse(value, &speeds, &masks, err);
    Augment *augment = augment_parse(value, err);
    if (!augment) return err ? err->status : FAIL_USAGE;
    augment_free(augment);
    return OK;
}

/* As models/positions.h has grids. */
static Status check_grid(const char *value, Err *err) {
    size_t rows = strspn(value, "0123456789");
    size_t columns = value[rows] == 'x' ? strspn(value + rows + 1, "0123456789") : 0;
    bool good = rows && rows < 6 && columns && columns < 6 && !value[rows + 1 + columns];
    if (!*value || (good && strspn(value, "0") < rows && value[rows + 1] != '0'))
        return OK;
    return err_set(err, FAIL_USAGE,
                   "train.init_grid = %.60s: expected ROWSxCOLUMNS, such as 14x14",
                   value);
}

static Status check_background(const char *value, Err *err) {
    uint8_t rgb[3];
    return background_parse(value, rgb, err);
}

/* ---- the table ---- */

#define TASK_NAME(KIND, name, examples, heading) #name,
static const char *const task_names[] = {TASK_LIST(TASK_NAME) NULL};

#define REPARAM_WORD(METHOD, name) #name,
static const char *const reparam_names[] = {REPARAM_LIST(REPARAM_WORD) NULL};

#define OPTIM_WORD(KIND, name) #name,
static const char *const optim_names[] = {OPTIM_LIST(OPTIM_WORD) NULL};

#define SCHEDULE_WORD(KIND, name, rate, ends, keys) name,
static const char *const schedule_names[] = {SCHEDULE_LIST(SCHEDULE_WORD) NULL};

/* clang-format off */
const Key keys[] = {
    {.section = "task",
     .name = "kind",
     .type = KEY_CHOICE,
     .offset = offsetof(Recipe, task),
     .standard = "classify",
     .choices = task_names,
     REST(FOR_ALL, "Kind of task: what the model learns.")},

#include "tools/recipe/keys_data.h"

    SIZE(FOR_ALL, model, width, "192", WITHIN(1, 65536), "Embedding width D."),
    SIZE(FOR_ALL, model, depth, "12", WITHIN(1, 10000), "Number of blocks."),
    SIZE(FOR_ALL, model, heads, "3", WITHIN(1, 65536),
         "Attention heads per block; width must be a multiple."),
    REAL(FOR_ALL, model, mlp_ratio, "4", ABOVE_TO(0, 65536),
         "Hidden units of the MLP as a multiple of width."),
    SIZE(FOR_VISION, model, patch, "4", WITHIN(1, 16384),
         "Side length of a patch in pixels; the image side must be a multiple."),
    CHOICE(FOR_ALL, model, norm, "pre", NAMES("pre", "post", "deepnorm", "none"), NULL,
           "Placement of LayerNorm: before each branch, after each sum, after each sum "
           "with DeepNorm's alpha and beta, or nowhere."),
    FLAG(FOR_ALL, model, final_norm, "true",
         "LayerNorm after the last block.",
         WHEN("model.norm = pre")),
    CHOICE(FOR_ALL, model, reparam, "none", reparam_names, NULL,
           "Reparametrisation of weight matrices: sigma is (gamma/sigma) W, spectral "
           "W/sigma, weight one gain per row."),
    CHOICE(
        FOR_ALL, model, reparam_scope, "auto", NAMES("auto", "all", "blocks", "attention"), NULL,
        "Matrices to reparametrise: all (patch embedding and head included, in texts an "
        "output matrix that is not tied), those of the blocks, or those of attention "
        "alone. auto: all, but in texts blocks. Embeddings and the adaptive softmax: "
        "never; the convolution of speech: by model.reparam_front.",
         WHEN("model.reparam != none")),
    FLAG(FOR_SPEECH, model, reparam_front, "false",
         "Reparametrise the convolution as a matrix out x (in kernel), whatever "
         "reparam_scope is.",
         WHEN("model.reparam != none")),
    CHOICE(FOR_ALL, model, gamma_init, "spectral", NAMES("spectral", "1"), NULL,
           "Initial gamma: the largest singular value of the initial W, or 1.",
         WHEN("model.reparam = {gamma_init}")),
    CHOICE(FOR_ALL, model, uv_init, "svd", NAMES("svd", "random"), NULL,
           "Initial u and v, the vectors that sigma is measured along: the first singular "
           "vectors, or random ones (the paper's Algorithm 1), whose sigma is too small at "
           "first.",
           WHEN("model.reparam = {uv_init}")),
    SIZE(FOR_ALL, model, power_steps, "1", WITHIN(1, 1000),
         "Power iterations per training step; each reads every reparametrised matrix once. "
         "auto: up to 32 while one still raises sigma by over 0.05 %, so 1 if weights move "
         "little.",
         .unset = "auto",
         WHEN("model.reparam = {power_steps}")),
    CHOICE(FOR_ALL, model, init, "normal",
           NAMES("normal", "fairseq", "uniform", "mocov3"), NULL,
           "Initial weights of the blocks: normal with init_std; for texts and speech also "
           "fairseq's Xavier and uniform ones (DeepNorm's with norm = deepnorm), or "
           "uniform within 1/sqrt(fan-in); for pictures also MoCo v3's: Xavier uniform "
           "with query, key and value as three matrices, patch embedding and head too, "
           "biases 0.",
         WHEN("train.init is empty or train.transfer = true")),
    REAL(FOR_ALL, model, init_std, "0.02", ABOVE(0),
         "Standard deviation of initial weight matrices.",
         WHEN(INIT_STD)),
    REAL(FOR_VISION, model, patch_init_std, "0", FROM(0),
         "Standard deviation of the initial patch embedding; 0: uniform within "
         "1/sqrt(fan-in) for reparam none and weight, init_std for sigma and spectral.",
         WHEN("train.init is empty and model.init != mocov3")),
    TEXT(FOR_ALL, model, freeze, "", NULL,
         "Parameters to freeze, such as `patch_embed, blocks.0`: names, or their "
         "beginnings up to a dot, separated by spaces or commas. Frozen parameters "
         "have no gradient, no decay, no update, and no part in the norm that "
         "optim.clip uses; gamma, u and v of a frozen layer stay as well."),
    CHOICE(FOR_ALL, model, qkv, "joint", NAMES("joint", "qk-v", "separate"), NULL,
           "Query, key and value as one matrix (joint), as one of q and k and one of v "
           "(qk-v), or as three (separate)."),
    CHOICE(FOR_ALL, model, activation, "gelu", NAMES("gelu", "relu"), NULL,
           "Activation of the MLP; gelu is the exact one."),
    CHOICE(FOR_ALL, model, position, "learned", NAMES("learned", "sincos", "none", "sinusoidal", "cape"), NULL,
           "Position embedding; sincos (fixed) is for pictures, sinusoidal for texts, cape "
           "for speech."),
    CHOICE(FOR_VISION, model, pool, "token", NAMES("token", "mean"), NULL,
           "Input of the head: the class token, or the mean of the patches."),
    REAL(FOR_ALL, model, dropout, "0", BELOW(0, 1),
         "Dropout after the embedding sum, the attention output and the MLP output; in "
         "speech after the front end, on attention probabilities and on the MLP's hidden "
         "units."),
    REAL(FOR_ALL, model, drop_path, "0", BELOW(0, 1),
         "Stochastic depth: probability that the last block's branches are left out; grows "
         "from 0 over depth.",
         WHEN("model.depth > 1 or model.decoder_depth > 1")),
    REAL(FOR_ALL, model, temperature, "1", ABOVE(0),
         "Attention temperature tau: attention is softmax(q.k / (sqrt(K) tau)); below 1 "
         "sharpens it."),
    TEXT(FOR_ALL, model, temperature_at, "", temperatures_check,
         "Temperatures of single attention sites, such as `blocks.0.attn:0.1 "
         "decoder:2`: a site's name as in probe.jsonl, or its beginning up to a dot, "
         "and the temperature; separated by spaces."),
    REAL(FOR_TEXTS, model, attention_dropout, "0", BELOW(0, 1),
         "Dropout on attention probabilities."),
    REAL(FOR_TEXTS, model, activation_dropout, "0", BELOW(0, 1),
         "Dropout on the MLP's hidden units."),
    SIZE(FOR_TEXTS | FOR_SPEECH, model, context, "256", WITHIN(1, 1e6),
         "Language: tokens in a block of text. Others: maximum number of learned "
         "positions.",
         WHEN("task.kind = language or model.position = learned")),
    AUTO(FOR_TEXTS, model, embed_scale, FROM(0),
         "Factor of token embeddings; auto: sqrt(width) with sinusoidal positions, else "
         "1."),
    {.section = "model",
     .name = "tied",
     .type = KEY_CHOICE,
     .offset = offsetof(Recipe, model.tied),
     .standard = "none",
     .choices = NAMES("none", "decoder", "all"),
     .aliases = NAMES("false", "none", "true", "decoder"),
     REST(FOR_TEXTS, "Weight tying of the output matrix: none, with the (decoder's) "
                     "embedding, or one matrix for encoder, decoder and output (all); "
                     "language: false or true.")},
    SIZE(FOR_TRANSLATE, model, decoder_depth, "0", WITHIN(0, 10000),
         "Blocks of the decoder; 0: model.depth, as in the encoder."),
    {.section = "model",
     .name = "cutoffs",
     .type = KEY_REALS,
     .offset = offsetof(Recipe, model.cutoffs),
     .room = ADAPTIVE_CUTS_MAX,
     .count_offset = PLACE(size_t, model.cutoff_count),
     .standard = "",
     WITHIN(1, 1e9),
     .whole = true,
     REST(FOR_LANGUAGE, "Adaptive input and softmax: cutoffs between the bands of the "
                        "vocabulary; none: one band.")},
    REAL(FOR_LANGUAGE, model, adaptive_factor, "4", FROM(1),
         "Factor by which each band's vectors are shorter than those of the band before.",
         WHEN("model.cutoffs is given")),
    REAL(FOR_LANGUAGE, model, adaptive_dropout, "0", BELOW(0, 1),
         "Dropout on the input of the adaptive softmax.",
         WHEN("model.cutoffs is given")),
    REAL(FOR_SPEECH, model, layer_drop, "0", BELOW(0, 1),
         "Layer drop: probability that a block is left out of a micro-batch "
         "(train.accumulate of them a step, on each rank); norms after its branches stay."),
    REAL(FOR_SPEECH, model, cape_shift, "0", FROM(0),
         "Maximum random shift of an utterance's positions in training, seconds.",
         WHEN("model.position = cape")),
    OTHER(model, qk_norm, FOR_NONE, "Normalisation of each head's queries and keys."),

    REAL(FOR_CONTRASTIVE, contrast, temperature, "0.1", ABOVE(0),
         "Temperature of the loss (NT-Xent): cosines of views are divided by it."),
    SIZE(FOR_CONTRASTIVE, contrast, projector_depth, "2", WITHIN(1, 10),
         "Layers of the projector between features and loss; it is not part of the "
         "features."),
    SIZE(FOR_CONTRASTIVE, contrast, projector_width, "0", WITHIN(0, 65536),
         "Hidden units of the projector; 0: model.width.",
         WHEN("contrast.projector_depth > 1")),
    SIZE(FOR_CONTRASTIVE, contrast, projector_out, "128", WITHIN(1, 65536),
         "Outputs of the projector, which the loss compares."),
    REAL(FOR_CONTRASTIVE, contrast, probe_lr, "0.1", FROM(0),
         "Learning rate of the online linear probe, a classifier on detached features, "
         "trained by gradient descent without momentum at a constant learning rate. It "
         "does not affect the encoder. 0: none."),
    FLAG(FOR_CONTRASTIVE, contrast, reparam_projector, "true",
         "Reparametrise the projector, too, with model.reparam_scope = all; the paper does "
         "not specify it.",
         WHEN("model.reparam != none and model.reparam_scope = auto|all")),

#include "tools/recipe/keys_train.h"
};
/* clang-format on */

const size_t keys_count = COUNT(keys);
_Static_assert(COUNT(keys) <= RECIPE_BITS * 64, "RECIPE_BITS is too small for the table");

const char *const key_sections[] = {"task",  "data",      "model", "contrast",
                                    "optim", "schedule",  "train", "probe",
                                    "guard", "intervene", NULL};
