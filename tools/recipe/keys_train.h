/* keys_train: rows of [optim] ... [intervene], which tools/recipe/keys.c includes in its
 * table. */
/* clang-format off */
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
    REAL(FOR_ALL, optim, front_lr_scale, "1", FROM(0),
         "Learning rate of the front end as a multiple of lr: patch embedding, class token, "
         "speech convolution with the norm in front of it, embeddings, positions, their "
         "biases and gamma."),
    REAL(FOR_ALL, optim, layer_decay, "1", ABOVE_TO(0, 1),
         "Learning rate of each layer relative to that above it, as BEiT and MAE fine-tune: of L "
         "blocks the first has lr * layer_decay^L, the last lr * layer_decay, the front end lr * "
         "layer_decay^(L+1), final norm and head lr. Not for translation.",
         WHEN("task.kind != translate")),

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
    CHOICE(FOR_ALL, train, precision, "fp32", NAMES("fp32", "bf16", "auto"), NULL,
           "Large products of training and evaluation: fp32, or bf16 operands with sums in fp32; "
           "weights, optimizer, norms, softmax and losses stay fp32. auto: the faster of the two "
           "here. bf16 is refused without bf16 instructions (--force: slow plain loops)."),
    TEXT(FOR_ALL, train, bf16_keep, "none", bf16_keep_check,
         "What stays in fp32 with bf16 products, none or a list: attention (its two products, "
         "queries, keys and values), reparam (products of reparametrised layers).",
         WHEN("train.precision = bf16|auto")),
    {.section = "train",
     .name = "seed",
     .type = KEY_SEED,
     .offset = PLACE(uint64_t, train.seed),
     .standard = "0",
     FROM(0),
     REST(FOR_ALL, "Random seed.")},
    REAL(FOR_CLASSIFY | FOR_TEXTS, train, label_smoothing, "0", BELOW(0, 1),
         "Share of the target that is spread over all classes."),
    REAL(FOR_CLASSIFY, train, mixup, "0", FROM(0), "Alpha of MixUp's Beta distribution; 0: off."),
    REAL(FOR_CLASSIFY, train, cutmix, "0", FROM(0), "Alpha of CutMix's Beta distribution; 0: off."),
    REAL(FOR_ALL, train, ema, "0", BELOW(0, 1), "Decay of averaged weights, per step; 0: off."),
    TEXT(FOR_ALL, train, init, "", NULL,
         "Initialise weights from this safetensors file, or from a run: its best checkpoint, the "
         "newest where none was scored."),
    CHOICE(FOR_ALL, train, init_fit, "meaning", NAMES("meaning", "shapes"), NULL,
           "What train.init is compared by: meaning (heads, norms, activation, temperature, "
           "normalisation of pixels, names of classes, vocabulary, where the file says so) and "
           "shapes, or shapes alone.",
           WHEN("train.init is given")),
    FLAG(FOR_VISION, train, transfer, "false",
         "The weights of train.init are for another head, other classes, or another grid of "
         "patches: the head is made anew, learned positions are resampled; all else must fit.",
         WHEN("train.init is given")),
    FLAG(FOR_VISION, train, init_ema, "false",
         "Take the averaged weights of train.init (train.ema there) instead of its last ones.",
         WHEN("train.transfer = true")),
    TEXT(FOR_VISION, train, init_grid, "", check_grid,
         "ROWSxCOLUMNS of patches that the positions of train.init are of, such as 14x14, where "
         "the file does not say it.",
         WHEN("train.transfer = true")),
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
           "contrastive runs and texts, wer of speech."),
    SIZE(FOR_LANGUAGE, train, eval_stride, "0", WITHIN(0, 1e6),
         "Tokens that each window of model.context scores, its last ones; 0: all."),
    SIZE(FOR_TRANSLATE, train, beam, "5", WITHIN(0, 1000),
         "Beam size of translations; 0: scores have no BLEU."),
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
    SIZE(FOR_ALL, probe, heads_every, "10", FROM(0),
         "Rows of steps that this divides, and of step 1, also have each head's entropy bound and spectrum, and the output's rank; 0: none.",
         WHEN("probe.every > 0")),
    FLAG(FOR_ALL, probe, spectral, "true", "Weights: sigma and gamma.",
         WHEN("probe.every > 0")),
    FLAG(FOR_ALL, probe, gradients, "true", "Weights: largest entry and norm of the gradient, and how far the update moves them.",
         WHEN("probe.every > 0")),
    PERIOD(FOR_ALL, probe, sharpness, "0",
         "Steps between measurements of the Hessian's largest eigenvalues, or epochs with an e "
         "(1e, 0.5e), by steady64 in a process of its own; 0: never."),
    SIZE(FOR_ALL, probe, sharpness_sample, "1024", FROM(1),
         "Training examples that sharpness is measured on, spread over the split; also by "
         "steady probe RUN --sharpness."),

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
    REAL(FOR_ALL, guard, update_above, "0.3", FROM(0),
         "Warns, once for each, of weights, embeddings, convolutions and gains that a step moves "
         "by more than this share of themselves; 0: never."),
    CHOICE(FOR_ALL, guard, exit, "verdict", NAMES("verdict", "ok"), NULL,
           "Exit code of a run that takes all its steps and is judged diverged (docs/verdicts.md): "
           "4, or 0. A loss or gradient that is not finite ends with 4 in any case."),

    MOMENT("at", 0, false,
           "Steps, or epochs (10e), after which keys change while the run goes on; never: not "
           "at all. What changes is a line `section.key = value` of this section, such as "
           "optim.lr = 0.001. at2 ... at8 are further moments, whose changes end with the "
           "same number: optim.lr2 = 0.0001."),
    CHANGES("key", 0, false,
            "The same as text, with commas between: optim.lr=0.001, optim.clip=1. key2 ... "
            "key8 are those of at2 ... at8."),
    MOMENT("at2", 1, true, "As at."),
    CHANGES("key2", 1, true, "As key."),
    MOMENT("at3", 2, true, "As at."),
    CHANGES("key3", 2, true, "As key."),
    MOMENT("at4", 3, true, "As at."),
    CHANGES("key4", 3, true, "As key."),
    MOMENT("at5", 4, true, "As at."),
    CHANGES("key5", 4, true, "As key."),
    MOMENT("at6", 5, true, "As at."),
    CHANGES("key6", 5, true, "As key."),
    MOMENT("at7", 6, true, "As at."),
    CHANGES("key7", 6, true, "As key."),
    MOMENT("at8", 7, true, "As at."),
    CHANGES("key8", 7, true, "As key."),
