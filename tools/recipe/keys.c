#include "tools/recipe/keys.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "data/picture/augment.h"
#include "data/picture/read.h"
#include "data/speech/set.h"
#include "tools/recipe/key_lines.h"
#include "tools/recipe/metric.h"

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
     .later = NAMES("contrastive"),
     REST(FOR_ALL, "What is learned.")},

    {.section = "data",
     .name = "source",
     .type = KEY_CHOICE,
     .offset = offsetof(Recipe, data.source),
     .standard = "glyphs",
     .choices = source_names,
     .between = ", ",
     REST(FOR_ALL,
          "Where examples come from; glyphs (pictures), grammar (text), numbers (pairs) and "
          "tones (speech) are made by the program and need no files.")},
    TEXT(FOR_ALL, data, path, "", NULL, "Folder or file of the data; glyphs have none.",
         WHEN(FROM_FILES)),
    REALS(FOR_VISION, data, mean, mean_count, 1, "0", ANY,
          "Pixels become (p/255 - mean)/std; one number for all channels, or one a "
          "channel."),
    REALS(FOR_VISION, data, std, std_count, 1, "1", ABOVE(0), "See data.mean."),
    TEXT(FOR_VISION | FOR_SPEECH, data, augment, "none", check_augment,
         "Changes of training images, comma-separated: random-resized-crop[:min[:max]], "
         "crop[:padding], flip, jitter[:b[:c[:s]]], rand-augment[:m[:sd[:ops]]], "
         "erasing[:p]; of speech: speed (0.9, 1 or 1.1 times as fast), "
         "specaugment[:bands[:width[:spans[:width[:share]]]]], by "
         "itself 2 bands below 30 filters, 10 spans below 50 rows and a tenth of all."),
    SIZE(FOR_VISION, data, repeat, "1", WITHIN(1, COPIES_MAX),
         "Repeated augmentation: copies of an image in an epoch, each changed "
         "differently."),
    FLAG(FOR_ALL, data, shuffle, "true", "New order of the training examples each epoch."),
    REAL(FOR_ALL, data, val_fraction, "0", BELOW(0, 1),
         "Share of the training split that is held out for validation if none is given; of "
         "pictures drawn from all classes and of pairs of sentences from the whole text, the same "
         "whatever the seed; of a text its end.",
         WHEN("data.source != {whole} and data.val_path is empty "
              "and data.val_split is empty")),
    SIZE(FOR_VISION, data, image_size, "0", WITHIN(0, 16384),
         "Side that images are resized to, in pixels; 0: as the files are."),
    SIZE(FOR_VISION, data, channels, "0", WITHIN(0, 4),
         "Channels that PNG and JPEG files are read with, 1 (grey) or 3 (RGB); 0: 3.",
         WHEN("data.source = {decoded}")),
    TEXT(FOR_VISION, data, background, "black", check_background,
         "Colour that transparent pixels of PNG files are laid over: black, white, grey, a level "
         "0-255, or three levels as R,G,B; predict uses the run's.",
         WHEN("data.source = {decoded}")),
    SIZE(FOR_ALL, data, limit, "0", FROM(0),
         "Use only so many items of the training split; 0: all. Of pictures they are drawn from "
         "all classes, the same whatever the seed, before data.val_fraction; of pairs they "
         "are drawn, too; of speech evenly from the whole list, so that all speakers are among "
         "them; of a text they are the first."),
    SIZE(FOR_VISION, data, label_gap, "16", WITHIN(0, 255),
         "IDX: most labels in a row that no item has, below one that is in use; a longer gap is "
         "refused, for a stray 255 would make 256 classes. 0: any.",
         WHEN("data.source = idx")),
    CHOICE(FOR_ALL, data, changed, "refuse", NAMES("refuse", "allow"), NULL,
           "What a resumed run does where its data are not those that it was trained on: end "
           "(exit 3), or say so and train on. Other counts, files, classes, lines or rows, or "
           "another order, are seen; of pictures in folders the names and lengths of files are "
           "compared."),
    CHOICE(FOR_ALL, data, on_error, "stop", NAMES("stop", "skip"), NULL,
           "What to do about a broken image, recording or transcript: end the run (exit 3), or "
           "leave it out and count it.",
         WHEN("data.source = {skips}")),
    SIZE(FOR_VISION, data, classes, "10", WITHIN(0, 10),
         "Glyphs: number of classes (0: 10); elsewhere it is found in the data.",
         WHEN("data.source = glyphs")),
    SIZE(FOR_ALL, data, synthetic_count, "10000", WITHIN(1, DRAWN_MAX),
         "Glyphs, grammar, numbers, tones: examples of an epoch; the test split has a fifth "
         "of that.",
         WHEN("data.source = {synthetic}")),
    CHOICE(FOR_TEXTS, data, tokens, "word", NAMES("char", "word", "bpe"), NULL,
           "What a token is: a character, a word between blanks, or a piece of a word "
           "(byte pair encoding compatible with subword-nmt)."),
    TEXT(FOR_PAIRS, data, source_lang, "", NULL, "Suffix of the source-language files, such as de.",
         WHEN("data.source = parallel")),
    TEXT(FOR_PAIRS, data, target_lang, "", NULL, "Suffix of the target-language files, such as en.",
         WHEN("data.source = parallel")),
    TEXT(FOR_TEXTS, data, source_vocab, "", NULL,
         "Dictionary of the source (or of a language model): a token and its count a "
         "line; empty: made from the training text."),
    TEXT(FOR_PAIRS, data, target_vocab, "", NULL, "Dictionary of the target.",
         WHEN("data.joint = false")),
    TEXT(FOR_TEXTS, data, bpe_codes, "", NULL,
         "File of merges (subword-nmt, #version: 0.2); empty: learned "
         "from the training text.",
         WHEN("data.tokens = bpe")),
    SIZE(FOR_TEXTS, data, bpe_merges, "8000", WITHIN(0, 1e7),
         "Maximum number of merges to learn.",
         WHEN("data.tokens = bpe and data.bpe_codes is empty")),
    SIZE(FOR_TEXTS, data, min_count, "1", WITHIN(1, 1e9),
         "Tokens that are rarer in the training text become <unk>.",
         WHEN(MIN_COUNT)),
    FLAG(FOR_PAIRS, data, joint, "false",
         "One dictionary, and one set of merges, for both languages."),
    FLAG(FOR_TEXTS, data, lowercase, "false", "Bring all letters to lower case first."),
    CHOICE(FOR_TEXTS, data, word_split, "none", NAMES("none", "13a"), NULL,
           "Separate punctuation from words before tokens are made, as sacreBLEU's 13a does."),
    SIZE(FOR_PAIRS, data, max_length, "1024", WITHIN(1, 1e6),
         "Longest sentence of a pair, in tokens."),
    REAL(FOR_PAIRS, data, max_ratio, "0", FROM(0),
         "Largest ratio of the lengths of a pair, in tokens; 0: any."),
    FLAG(FOR_PAIRS, data, drop_long, "false",
         "Leave out what max_length and max_ratio forbid, and count it; else it is an "
         "error (exit 3)."),
    TEXT(FOR_TEXTS | FOR_SPEECH, data, val_path, "", NULL,
         "Validation data, named like data.path; of speech a manifest, or a folder of "
         "speakers.",
         WHEN("data.source != {fixed}")),
    TEXT(FOR_TEXTS | FOR_SPEECH, data, test_path, "", NULL,
         "Test data, named like data.val_path.",
         WHEN("data.source != {fixed}")),
    TEXT(FOR_SPEECH, data, train_split, "", NULL,
         "Folders (librispeech) or manifests of data.path to train on, comma-separated, a * "
         "at the end for all that begin so; empty: train*.",
         WHEN("data.source = {named}")),
    TEXT(FOR_SPEECH, data, val_split, "", NULL,
         "The same for validation; empty: dev-clean, or of manifests dev* or val*, where "
         "they are there.",
         WHEN("data.source = {named} and data.val_path is empty")),
    TEXT(FOR_SPEECH, data, test_split, "", NULL,
         "The same for the test; empty: test-clean, or of manifests test*.",
         WHEN("data.source = {named} and data.test_path is empty")),
    SIZE(FOR_SPEECH, data, cache, "2048", WITHIN(0, 1e9),
         "Features that are kept in memory, MB; others are computed again each epoch."),

    SIZE(FOR_ALL, model, width, "192", WITHIN(1, 65536), "D, size of a token's vector."),
    SIZE(FOR_ALL, model, depth, "12", WITHIN(1, 10000), "Number of blocks."),
    SIZE(FOR_ALL, model, heads, "3", WITHIN(1, 65536),
         "Attention heads of a block; width must be a multiple."),
    REAL(FOR_ALL, model, mlp_ratio, "4", ABOVE_TO(0, 65536),
         "Hidden units of the MLP as a multiple of width."),
    SIZE(FOR_VISION, model, patch, "4", WITHIN(1, 16384),
         "Side of a patch in pixels; the image must be a multiple."),
    CHOICE(FOR_ALL, model, norm, "pre", NAMES("pre", "post", "deepnorm", "none"), NULL,
           "Where LayerNorm stands: before each branch, after each sum, after with "
           "DeepNorm's "
           "alpha and beta, or nowhere."),
    FLAG(FOR_ALL, model, final_norm, "true",
         "LayerNorm after the last block.",
         WHEN("model.norm = pre")),
    CHOICE(FOR_ALL, model, reparam, "none", reparam_names, NULL,
           "Reparametrisation of weight matrices: sigma is (gamma/sigma) W, spectral "
           "W/sigma, "
           "weight one gain a row."),
    CHOICE(
        FOR_ALL, model, reparam_scope, "auto", NAMES("auto", "all", "blocks", "attention"), NULL,
        "Which matrices: all with patch embedding and head, in texts with an output matrix that "
        "is not tied; those of the blocks; or of attention alone. auto: all, but in texts "
        "blocks. Embeddings, the adaptive softmax and the convolution of speech: never.",
         WHEN("model.reparam != none")),
    CHOICE(FOR_ALL, model, gamma_init, "spectral", NAMES("spectral", "1"), NULL,
           "Start of gamma: the largest singular value of the initial W, or 1.",
         WHEN("model.reparam = {gamma_init}")),
    CHOICE(FOR_ALL, model, uv_init, "svd", NAMES("svd", "random"), NULL,
           "Start of the vectors that sigma is measured along: the first singular vectors, or "
           "random ones (the paper's Algorithm 1), whose sigma is too small at first.",
           WHEN("model.reparam = {uv_init}")),
    SIZE(FOR_ALL, model, power_steps, "1", WITHIN(1, 1000),
         "Power iterations of a training step; each reads every reparametrised matrix once.",
         WHEN("model.reparam = {power_steps}")),
    CHOICE(FOR_TEXTS | FOR_SPEECH, model, init, "normal",
           NAMES("normal", "fairseq", "uniform"), NULL,
           "Initial weights of the blocks: normal with init_std, fairseq's Xavier and uniform "
           "ones (DeepNorm's with norm = deepnorm), or uniform within 1/sqrt(fan-in).",
         WHEN("train.init is empty")),
    REAL(FOR_ALL, model, init_std, "0.02", ABOVE(0),
         "Standard deviation of initial weight matrices.",
         WHEN(INIT_STD)),
    REAL(FOR_VISION, model, patch_init_std, "0", FROM(0),
         "That of the patch embedding; 0: uniform within 1/sqrt(fan-in) for reparam none "
         "and "
         "weight, init_std for sigma and spectral.",
         WHEN("train.init is empty")),
    CHOICE(FOR_ALL, model, qkv, "joint", NAMES("joint", "qk-v", "separate"), NULL,
           "Query, key and value as one matrix, as q with k and v apart, or as three."),
    CHOICE(FOR_ALL, model, activation, "gelu", NAMES("gelu", "relu"), NULL,
           "Non-linearity of the MLP; gelu is the exact one."),
    CHOICE(FOR_ALL, model, position, "learned", NAMES("learned", "sincos", "none", "sinusoidal", "cape"), NULL,
           "Position embedding; sincos is the fixed one of pictures, sinusoidal of texts, "
           "cape of speech."),
    CHOICE(FOR_VISION, model, pool, "token", NAMES("token", "mean"), NULL,
           "What the head sees: the class token, or the mean of the patches."),
    REAL(FOR_ALL, model, dropout, "0", BELOW(0, 1),
         "After the embedding sum, the attention output and the MLP output; in speech after "
         "the front end, of attention's probabilities and of the MLP's hidden units."),
    REAL(FOR_ALL, model, drop_path, "0", BELOW(0, 1),
         "Chance that the last block's branches are left out; grows from 0 over depth.",
         WHEN("model.depth > 1 or model.decoder_depth > 1")),
    REAL(FOR_ALL, model, temperature, "1", ABOVE(0),
         "tau: attention is softmax(q.k / (sqrt(K) tau)); below 1 sharpens it.",
         WHEN("intervene.temperature = 0 or intervene.at_epoch > 0")),
    REAL(FOR_TEXTS, model, attention_dropout, "0", BELOW(0, 1),
         "Dropout on attention probabilities."),
    REAL(FOR_TEXTS, model, activation_dropout, "0", BELOW(0, 1),
         "Dropout on the MLP's hidden units."),
    SIZE(FOR_TEXTS | FOR_SPEECH, model, context, "256", WITHIN(1, 1e6),
         "Language: tokens of a block of text. Others: rows of learned positions.",
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
     REST(FOR_TEXTS, "What the output matrix shares: nothing, the (decoder's) embedding, or "
                     "one for encoder, decoder and output; language: false or true.")},
    SIZE(FOR_TRANSLATE, model, decoder_depth, "0", WITHIN(0, 10000),
         "Blocks of the decoder; 0: as many as model.depth, the encoder's."),
    {.section = "model",
     .name = "cutoffs",
     .type = KEY_REALS,
     .offset = offsetof(Recipe, model.cutoffs),
     .room = ADAPTIVE_CUTS_MAX,
     .count_offset = PLACE(size_t, model.cutoff_count),
     .standard = "",
     WITHIN(1, 1e9),
     .whole = true,
     REST(FOR_LANGUAGE, "Adaptive input and softmax: ends of the vocabulary's bands, but "
                        "for the last; none: one band.")},
    REAL(FOR_LANGUAGE, model, adaptive_factor, "4", FROM(1),
         "Vectors of each band are so many times shorter than those before.",
         WHEN("model.cutoffs is given")),
    REAL(FOR_LANGUAGE, model, adaptive_dropout, "0", BELOW(0, 1),
         "Of the features that the adaptive softmax sees.",
         WHEN("model.cutoffs is given")),
    REAL(FOR_SPEECH, model, layer_drop, "0", BELOW(0, 1),
         "Chance that a block is left out of a micro-batch (train.accumulate of them a step, on "
         "each rank); norms behind its branches stay."),
    REAL(FOR_SPEECH, model, cape_shift, "0", FROM(0),
         "Largest random shift of an utterance's positions in training, seconds.",
         WHEN("model.position = cape")),
    OTHER(model, qk_norm, FOR_NONE, "Norm of queries and keys of each head."),

    CHOICE(FOR_ALL, optim, name, "adamw", optim_names, NULL, "The optimizer."),
    REAL(FOR_ALL, optim, lr, "0.001", FROM(0),
         "Learning rate, absolute: multiply base * batch / 256 yourself."),
    REAL(FOR_ALL, optim, beta1, "0.9", BELOW(0, 1), "Adam and LAMB: decay of the mean gradient.",
         WHEN("optim.name = {beta1}")),
    REAL(FOR_ALL, optim, beta2, "0.999", BELOW(0, 1),
         "Adam and LAMB: decay of the squared gradient.",
         WHEN("optim.name = {beta2}")),
    AUTO(FOR_ALL, optim, eps, FROM(0), "Added to the root; auto: 1e-6 for lamb, 1e-8 elsewhere.",
         WHEN("optim.name = {eps}")),
    REAL(FOR_ALL, optim, weight_decay, "0", FROM(0),
         "Acts on weight matrices alone, unless decay_scope is all or adapt_1d is true."),
    CHOICE(FOR_ALL, optim, decay, "auto", NAMES("auto", "coupled", "decoupled"), NULL,
           "Weight decay is added to the gradient (coupled), or w is multiplied by "
           "1 - lr * weight_decay before the update (decoupled); auto: decoupled for adamw, "
           "coupled elsewhere. lars and lamb are always coupled.",
           WHEN("optim.name != {adapt_1d} and " DECAYS)),
    CHOICE(FOR_ALL, optim, decay_scope, "matrices", NAMES("matrices", "all"), NULL,
           "What decays: weight matrices and embedding tables, or all that is trained: "
           "biases, norms, positions, gamma and g too.",
           WHEN(DECAYS)),
    {.section = "optim",
     .name = "weight_decay_end",
     .type = KEY_REAL,
     .offset = PLACE(double, optim.weight_decay_end),
     .standard = "none",
     .unset = "none",
     FROM(0),
     REST(FOR_ALL, "Weight decay at the end of the run; it follows a cosine from weight_decay. "
                   "none: weight_decay is constant.")},
    AUTO(FOR_ALL, optim, momentum, BELOW(0, 1), "SGD and LARS; auto: 0.9 for lars, 0 for sgd.",
         WHEN("optim.name = {momentum}")),
    FLAG(FOR_ALL, optim, nesterov, "false", "Add momentum * buffer to the gradient.",
         WHEN("optim.name = {nesterov}")),
    REAL(FOR_ALL, optim, trust, "0.001", ABOVE(0), "Factor of the ratio |w| / |g|.",
         WHEN("optim.name = {trust}")),
    FLAG(FOR_ALL, optim, adapt_1d, "false",
         "LARS and LAMB: decay and trust ratio for every tensor, biases and gamma too.",
         WHEN("optim.name = {adapt_1d}")),
    REAL(FOR_ALL, optim, clip, "0", FROM(0),
         "Largest global norm of the gradient; 0: no clipping."),
    REAL(FOR_ALL, optim, gamma_lr_scale, "1", FROM(0),
         "Learning rate of gamma and g as a multiple of lr.",
         WHEN("model.reparam = {gamma_lr_scale}")),

    CHOICE(FOR_ALL, schedule, name, "constant",
           schedule_names, NULL,
           "How the learning rate changes after the warm-up."),
    SIZE(FOR_ALL, schedule, warmup_steps, "0", WITHIN(0, STEPS_MAX),
         "Linear warm-up in steps (set this or warmup_epochs)."),
    REAL(FOR_ALL, schedule, warmup_epochs, "0", WITHIN(0, EPOCHS_MAX), "Linear warm-up in epochs."),
    REAL(FOR_ALL, schedule, warmup_init, "0", FROM(0), "Learning rate at the start of the warm-up.",
         WHEN("schedule.warmup_steps > 0 or schedule.warmup_epochs > 0")),
    {.section = "schedule",
     .name = "step_at",
     .type = KEY_REALS,
     .offset = offsetof(Recipe, schedule.step_at),
     .room = SCHEDULE_STEPS_MAX,
     .count_offset = PLACE(size_t, schedule.step_count),
     .standard = "",
     WITHIN(1, STEPS_MAX),
     .whole = true,
     REST(FOR_ALL, "Optimizer steps from which on the learning rate "
                   "shrinks by step_factor.",
         WHEN("schedule.name = {step_at}"))},
    REAL(FOR_ALL, schedule, step_factor, "0.1", ABOVE(0),
         "step, plateau: factor of the learning rate each time; plateau: below 1.",
         WHEN("schedule.name = {step_factor}")),
    CHOICE(FOR_ALL, schedule, watch, "loss", metric_watch_names, NULL,
           "Score of the val split (test, where there is no val) that plateau goes by.",
           WHEN("schedule.name = {watch}")),
    SIZE(FOR_ALL, schedule, patience, "5", WITHIN(0, 1e6),
         "plateau: evaluations in a row without improvement (by 1e-4 of the best score) that are "
         "tolerated; the next one reduces the learning rate, as in PyTorch's ReduceLROnPlateau. Those "
         "of the warm-up do not count, nor one at the end that train.eval_every would not make.",
         WHEN("schedule.name = {patience}")),
    REAL(FOR_ALL, schedule, min_lr, "0", FROM(0),
         "Learning rate at the end of cosine and linear; plateau: the lowest.",
         WHEN("schedule.name = {min_lr}")),

    REAL(FOR_ALL, train, epochs, "0", WITHIN(0, EPOCHS_MAX), "Training length in epochs (set this or train.steps)."),
    SIZE(FOR_ALL, train, steps, "0", WITHIN(0, STEPS_MAX),
         "Training length in optimizer steps (set this or train.epochs)."),
    SIZE(FOR_ALL, train, batch, "64", WITHIN(1, BATCH_MAX),
         "Examples that one optimizer step sees, over all ranks.",
         WHEN("train.batch_tokens = 0 and train.batch_seconds = 0")),
    SIZE(FOR_ALL, train, accumulate, "1", WITHIN(1, BATCH_MAX),
         "Micro-batches that a step is split into: less memory, the same step. More are "
         "made "
         "where they fit the third-level cache better."),
    CHOICE(
        FOR_ALL, train, recompute, "none", NAMES("none", "block"), NULL,
        "Recompute what is inside a block in the backward pass: less memory, more time; "
        "true means block, false none."),
    {.section = "train",
     .name = "seed",
     .type = KEY_SEED,
     .offset = PLACE(uint64_t, train.seed),
     .standard = "0",
     FROM(0),
     REST(FOR_ALL, "Random seed.")},
    REAL(FOR_VISION | FOR_TEXTS, train, label_smoothing, "0", BELOW(0, 1),
         "Share of the target that is spread over all classes."),
    REAL(FOR_VISION, train, mixup, "0", FROM(0), "Alpha of MixUp's Beta distribution; 0: off."),
    REAL(FOR_VISION, train, cutmix, "0", FROM(0), "Alpha of CutMix's Beta distribution; 0: off."),
    REAL(FOR_ALL, train, ema, "0", BELOW(0, 1), "Decay of averaged weights, per step; 0: off."),
    TEXT(FOR_ALL, train, init, "", NULL,
         "Initialise weights from this safetensors file."),
    CHOICE(FOR_ALL, train, init_fit, "meaning", NAMES("meaning", "shapes"), NULL,
           "What train.init is compared by: meaning (heads, norms, activation, temperature, "
           "normalisation of pixels, names of classes, vocabulary, where the file says so) and "
           "shapes, or shapes alone.",
           WHEN("train.init is given")),
    SIZE(FOR_ALL, train, threads, "0", WITHIN(0, 4096), "0: the cores that this process may use."),
    SIZE(FOR_ALL, train, log_every, "1", FROM(1), "Steps between rows of train.jsonl."),
    SIZE(FOR_ALL, train, eval_every, "0", FROM(0),
         "Steps between evaluations; 0: at the end of each epoch."),
    SIZE(FOR_ALL, train, checkpoint_every, "0", FROM(0),
         "Steps between checkpoints; 0: at the end of each epoch."),
    SIZE(FOR_ALL, train, keep, "2", FROM(1), "Recent checkpoints to keep, in addition to the best."),
    SIZE(FOR_PAIRS, train, batch_tokens, "0", WITHIN(0, BATCH_MAX),
         "Token slots that one step sees, padding included, in buckets of like length; 0: "
         "train.batch counts pairs."),
    REAL(FOR_SPEECH, train, batch_seconds, "0", WITHIN(0, BATCH_MAX),
         "Seconds of sound that one step sees, padding included, in buckets of like length; "
         "0: train.batch counts utterances."),
    CHOICE(FOR_ALL, train, best, "auto", metric_best_names, NULL,
           "Score that the best checkpoint is chosen by; auto: top1 of pictures, loss of "
           "texts, wer of speech."),
    SIZE(FOR_LANGUAGE, train, eval_stride, "0", WITHIN(0, 1e6),
         "Tokens that each window of model.context scores, its last ones; 0: all."),
    SIZE(FOR_TRANSLATE, train, beam, "5", WITHIN(0, 1000),
         "Hypotheses that the search for a translation keeps; 0: scores have no BLEU."),
    REAL(FOR_TRANSLATE, train, length_penalty, "1", FROM(0),
         "Exponent of the length that a translation's score is divided by.",
         WHEN("train.beam > 0")),
    SIZE(FOR_TRANSLATE, train, max_decode, "200", WITHIN(1, 1e6),
         "Tokens of a translation, at most.",
         WHEN("train.beam > 0")),

    SIZE(FOR_ALL, probe, every, "10", FROM(0), "Steps between rows of probe.jsonl; 0: never."),
    FLAG(FOR_ALL, probe, entropy, "true",
         "Attention: entropy of each head and the largest logit.",
         WHEN("probe.every > 0")),
    FLAG(FOR_ALL, probe, spectral, "true", "Weights: sigma and gamma.",
         WHEN("probe.every > 0")),
    FLAG(FOR_ALL, probe, gradients, "true", "Weights: largest entry and norm of the gradient.",
         WHEN("probe.every > 0")),
    OTHER(probe, sharpness, FOR_NONE, "Largest eigenvalues of the Hessian."),

    CHOICE(FOR_ALL, guard, nonfinite, "stop", NAMES("stop", "rollback"), NULL,
           "What a non-finite loss or gradient does: end the run (exit 4), or go back to "
           "the "
           "last checkpoint."),
    CHOICE(FOR_ALL, guard, collapse, "warn", NAMES("warn", "stop"), NAMES("reparam"),
           "What entropy collapse does: a message, or the end of the run (exit 5).",
         WHEN("guard.entropy_below > 0")),
    REAL(FOR_ALL, guard, entropy_below, "0.1", WITHIN(0, 1),
         "Collapse is an attention site under this share of uniform attention's entropy, "
         "mean over heads."),

    REAL(FOR_ALL, intervene, temperature, "0", FROM(0),
         "Attention temperature from at_epoch on; 0: no intervention."),
    REAL(FOR_ALL, intervene, at_epoch, "0", WITHIN(0, EPOCHS_MAX), "When it starts.",
         WHEN("intervene.temperature > 0")),
};
/* clang-format on */

const size_t keys_count = COUNT(keys);
_Static_assert(COUNT(keys) <= RECIPE_BITS * 64, "RECIPE_BITS is too small for the table");

const char *const key_sections[] = {"task",  "data",  "model", "optim",     "schedule",
                                    "train", "probe", "guard", "intervene", NULL};
