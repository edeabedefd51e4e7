/* keys_train: rows of [optim] ... [intervene], which tools/recipe/keys.c includes in its
 * table. */
/* clang-format off */
    CHOICE(FOR_ALL, optim, name, "adamw", optim_names, NULL, "Name of the optimizer."),
    REAL(FOR_ALL, optim, lr, "0.001", FROM(0),
         "Learning rate, not scaled by the batch: multiply base * batch / 256 yourself."),
    REAL(FOR_ALL, optim, beta1, "0.9", BELOW(0, 1), "Adam and LAMB: decay of the mean gradient.",
         WHEN("optim.name = {beta1}")),
    REAL(FOR_ALL, optim, beta2, "0.999", BELOW(0, 1),
         "Adam and LAMB: decay of the squared gradient.",
         WHEN("optim.name = {beta2}")),
    AUTO(FOR_ALL, optim, eps, FROM(0),
         "Epsilon added to the root; auto: 1e-6 for lamb, 1e-8 elsewhere.",
         WHEN("optim.name = {eps}")),
    REAL(FOR_ALL, optim, weight_decay, "0", FROM(0),
         "Weight decay. It acts on weight matrices alone, unless decay_scope is all or "
         "adapt_1d is true."),
    CHOICE(FOR_ALL, optim, decay, "auto", NAMES("auto", "coupled", "decoupled"), NULL,
           "How weight decay acts: added to the gradient (coupled), or w is multiplied by "
           "1 - lr * weight_decay before the update (decoupled). auto: decoupled for "
           "adamw, coupled elsewhere; lars and lamb are always coupled.",
           WHEN("optim.name != {adapt_1d} and " DECAYS)),
    CHOICE(FOR_ALL, optim, decay_scope, "matrices", NAMES("matrices", "all"), NULL,
           "Which parameters decay: weight matrices and embedding tables, or all that are "
           "trained (biases, norms, positions, gamma and g too).",
           WHEN(DECAYS)),
    {.section = "optim",
     .name = "weight_decay_end",
     .type = KEY_REAL,
     .offset = PLACE(double, optim.weight_decay_end),
     .standard = "none",
     .unset = "none",
     FROM(0),
     REST(FOR_ALL, "Weight decay at the end of the run, reached from weight_decay along a "
                   "cosine. none: weight_decay is constant.")},
    AUTO(FOR_ALL, optim, momentum, BELOW(0, 1),
         "Momentum of SGD and LARS; auto: 0.9 for lars, 0 for sgd.",
         WHEN("optim.name = {momentum}")),
    FLAG(FOR_ALL, optim, nesterov, "false",
         "Nesterov momentum: add momentum * buffer to the gradient.",
         WHEN("optim.name = {nesterov}")),
    REAL(FOR_ALL, optim, trust, "0.001", ABOVE(0),
         "Trust coefficient: factor of the ratio |w| / |g|.",
         WHEN("optim.name = {trust}")),
    FLAG(FOR_ALL, optim, adapt_1d, "false",
         "LARS and LAMB: apply decay and trust ratio to every tensor, biases and gamma "
         "too.",
         WHEN("optim.name = {adapt_1d}")),
    REAL(FOR_ALL, optim, clip, "0", FROM(0),
         "Maximum global norm of the gradient; 0: no clipping."),
    REAL(FOR_ALL, optim, gamma_lr_scale, "1", FROM(0),
         "Learning rate of gamma and g as a multiple of lr.",
         WHEN("model.reparam = {gamma_lr_scale}")),
    REAL(FOR_ALL, optim, front_lr_scale, "1", FROM(0),
         "Learning rate of the front end as a multiple of lr: patch embedding, class token, "
         "speech convolution with the norm in front of it, embeddings, positions, their "
         "biases and gamma."),
    REAL(FOR_ALL, optim, layer_decay, "1", ABOVE_TO(0, 1),
         "Layer-wise decay of the learning rate, as BEiT and MAE fine-tune. Of L blocks "
         "the first has lr * layer_decay^L, the last lr * layer_decay, the front end lr * "
         "layer_decay^(L+1), final norm and head lr. Not for translation.",
         WHEN("task.kind != translate")),

    CHOICE(FOR_ALL, schedule, name, "constant",
           schedule_names, NULL,
           "Schedule of the learning rate after the warm-up."),
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
     REST(FOR_ALL, "Optimizer steps at which the learning rate is multiplied by "
                   "step_factor.",
         WHEN("schedule.name = {step_at}"))},
    REAL(FOR_ALL, schedule, step_factor, "0.1", ABOVE(0),
         "step, plateau: factor of each reduction of the learning rate; for plateau below "
         "1.",
         WHEN("schedule.name = {step_factor}")),
    CHOICE(FOR_ALL, schedule, watch, "loss", metric_watch_names, NULL,
           "Score that plateau watches, of the validation split (test if there is none).",
           WHEN("schedule.name = {watch}")),
    SIZE(FOR_ALL, schedule, patience, "5", WITHIN(0, 1e6),
         "plateau: consecutive evaluations without improvement (by 1e-4 of the best score) "
         "that are tolerated; the next one reduces the learning rate, as in PyTorch's "
         "ReduceLROnPlateau. Evaluations during the warm-up do not count, nor does a last "
         "one that train.eval_every would not make.",
         WHEN("schedule.name = {patience}")),
    REAL(FOR_ALL, schedule, min_lr, "0", FROM(0),
         "Minimum learning rate: at the end of cosine and linear, the lowest of plateau.",
         WHEN("schedule.name = {min_lr}")),

    REAL(FOR_ALL, train, epochs, "0", WITHIN(0, EPOCHS_MAX), "Training length in epochs (set this or train.steps)."),
    SIZE(FOR_ALL, train, steps, "0", WITHIN(0, STEPS_MAX),
         "Training length in optimizer steps (set this or train.epochs)."),
    SIZE(FOR_ALL, train, batch, "64", WITHIN(1, BATCH_MAX),
         "Examples per optimizer step, over all ranks.",
         WHEN("train.batch_tokens = 0 and train.batch_seconds = 0")),
    SIZE(FOR_ALL, train, accumulate, "1", WITHIN(1, BATCH_MAX),
         "Micro-batches per step: less memory, the same step. A step may be split further "
         "to fit the third-level cache."),
    CHOICE(
        FOR_ALL, train, recompute, "none", NAMES("none", "block"), NULL,
        "Recompute the inside of blocks in the backward pass: less memory, more time; true "
        "means block, false none."),
    CHOICE(FOR_ALL, train, precision, "fp32", NAMES("fp32", "bf16", "auto"), NULL,
           "Large products of training and evaluation: fp32, or bf16 operands with sums in fp32; "
           "weights, optimizer, norms, softmax and losses stay fp32. auto: the faster of the two "
           "here. bf16 is refused without bf16 instructions (--force: plain loops, slower than fp32)."),
    TEXT(FOR_ALL, train, bf16_keep, "none", bf16_keep_check,
         "Parts that stay in fp32 with bf16 products, none or a list: attention (its two "
         "products, queries, keys and values), reparam (products of reparametrised "
         "layers).",
         WHEN("train.precision = bf16|auto")),
    {.section = "train",
     .name = "seed",
     .type = KEY_SEED,
     .offset = PLACE(uint64_t, train.seed),
     .standard = "0",
     FROM(0),
     REST(FOR_ALL, "Random seed.")},
    REAL(FOR_CLASSIFY | FOR_TEXTS, train, label_smoothing, "0", BELOW(0, 1),
         "Label smoothing: share of the target spread over all classes."),
    REAL(FOR_CLASSIFY, train, mixup, "0", FROM(0), "Alpha of MixUp's Beta distribution; 0: off."),
    REAL(FOR_CLASSIFY, train, cutmix, "0", FROM(0), "Alpha of CutMix's Beta distribution; 0: off."),
    REAL(FOR_ALL, train, ema, "0", BELOW(0, 1),
         "Decay per step of the exponential moving average of the weights; 0: off."),
    TEXT(FOR_ALL, train, init, "", NULL,
         "Initialise weights from this safetensors file, or from this run: its best "
         "checkpoint, or the newest if none was scored."),
    CHOICE(FOR_ALL, train, init_fit, "meaning", NAMES("meaning", "shapes"), NULL,
           "Comparison of train.init with the model: meaning (heads, norms, activation, "
           "temperature, normalisation of pixels, class names, vocabulary, as far as the "
           "file states them) and shapes, or shapes alone.",
           WHEN("train.init is given")),
    FLAG(FOR_VISION, train, transfer, "false",
         "Allow train.init to have another head, other classes, or another grid of "
         "patches: the head is initialised, learned positions are resampled; all else must "
         "fit.",
         WHEN("train.init is given")),
    FLAG(FOR_VISION, train, init_ema, "false",
         "Use the averaged weights of train.init (train.ema there) instead of the last "
         "ones.",
         WHEN("train.transfer = true")),
    TEXT(FOR_VISION, train, init_grid, "", check_grid,
         "Grid of patches of the positions in train.init, ROWSxCOLUMNS such as 14x14, if "
         "the file does not state it.",
         WHEN("train.transfer = true")),
    SIZE(FOR_ALL, train, threads, "0", WITHIN(0, 4096),
         "Number of threads; 0: the cores that this process may use."),
    SIZE(FOR_ALL, train, log_every, "1", FROM(1), "Steps between rows of train.jsonl."),
    SIZE(FOR_ALL, train, eval_every, "0", FROM(0),
         "Steps between evaluations; 0: at the end of each epoch."),
    SIZE(FOR_ALL, train, checkpoint_every, "0", FROM(0),
         "Steps between checkpoints; 0: at the end of each epoch. A new run also saves one after five minutes."),
    SIZE(FOR_ALL, train, keep, "2", FROM(1), "Recent checkpoints to keep, in addition to the best."),
    SIZE(FOR_PAIRS, train, batch_tokens, "0", WITHIN(0, BATCH_MAX),
         "Token slots per step, padding included, in buckets of similar length; 0: "
         "train.batch counts pairs."),
    REAL(FOR_SPEECH, train, batch_seconds, "0", WITHIN(0, BATCH_MAX),
         "Seconds of sound per step, padding included, in buckets of similar length; 0: "
         "train.batch counts utterances."),
    CHOICE(FOR_ALL, train, best, "auto", metric_best_names, NULL,
           "Score that selects the best checkpoint; auto: top1 of pictures, loss of "
           "contrastive runs and texts, wer of speech."),
    SIZE(FOR_LANGUAGE, train, eval_stride, "0", WITHIN(0, 1e6),
         "Tokens that each window of model.context scores, counted from its end; 0: all."),
    SIZE(FOR_TRANSLATE, train, beam, "5", WITHIN(0, 1000),
         "Beam size of translations; 0: scores have no BLEU."),
    REAL(FOR_TRANSLATE, train, length_penalty, "1", FROM(0),
         "Length penalty: a hypothesis's score is divided by its length to this power.",
         WHEN("train.beam > 0")),
    SIZE(FOR_TRANSLATE, train, max_decode, "200", WITHIN(1, 1e6),
         "Maximum number of tokens in a translation.",
         WHEN("train.beam > 0")),

    SIZE(FOR_ALL, probe, every, "10", FROM(0), "Steps between rows of probe.jsonl, in addition to the first and the last; 0: never."),
    FLAG(FOR_ALL, probe, entropy, "true",
         "Attention: measure the entropy of each head and the largest logit.",
         WHEN("probe.every > 0")),
    SIZE(FOR_ALL, probe, heads_every, "10", FROM(0),
         "Steps between rows that also have each head's entropy bound and spectrum, and "
         "the output's rank (step 1 always has them); 0: none.",
         WHEN("probe.every > 0")),
    FLAG(FOR_ALL, probe, spectral, "true", "Weights: measure sigma and gamma.",
         WHEN("probe.every > 0")),
    FLAG(FOR_ALL, probe, gradients, "true",
         "Weights: measure largest entry and norm of the gradient, and how far the update "
         "moves them.",
         WHEN("probe.every > 0")),
    PERIOD(FOR_ALL, probe, sharpness, "0",
         "Steps between measurements of the Hessian's largest eigenvalues, or epochs with "
         "an e (1e, 0.5e), made by steady64 in a separate process; 0: never."),
    SIZE(FOR_ALL, probe, sharpness_sample, "1024", FROM(1),
         "Number of training examples for sharpness, spread over the split; also for "
         "steady probe RUN --sharpness."),

    CHOICE(FOR_ALL, guard, nonfinite, "stop", NAMES("stop", "rollback"), NULL,
           "Reaction to a non-finite loss or gradient: end the run (exit 4), or go back to "
           "the last checkpoint."),
    CHOICE(FOR_ALL, guard, collapse, "warn", NAMES("warn", "stop"), NAMES("reparam"),
           "Reaction to entropy collapse: a warning, or the end of the run (exit 5).",
         WHEN("guard.entropy_below > 0")),
    REAL(FOR_ALL, guard, entropy_below, "0.1", WITHIN(0, 1),
         "Threshold of entropy collapse: the mean entropy of a site's heads as a share of "
         "uniform attention's."),
    REAL(FOR_ALL, guard, update_above, "0.3", FROM(0),
         "Warn, once for each tensor, if a step moves a weight, embedding, convolution or "
         "gain by more than this share of its size; 0: never."),
    CHOICE(FOR_ALL, guard, exit, "verdict", NAMES("verdict", "ok"), NULL,
           "Exit code of a run that takes all its steps and is judged diverged "
           "(docs/verdicts.md): 4 (verdict) or 0 (ok). A non-finite loss or gradient "
           "always ends with 4."),

    MOMENT("at", 0, false,
           "Step, or epoch (10e), after which keys change during the run; never: not at "
           "all. Each change is a line `section.key = value` of this section, such as "
           "optim.lr = 0.001. at2 ... at8 are further moments, whose changes end with the "
           "same number: optim.lr2 = 0.0001."),
    CHANGES("key", 0, false,
            "The changes as one text, comma-separated: optim.lr=0.001, optim.clip=1. key2 "
            "... key8 belong to at2 ... at8."),
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
