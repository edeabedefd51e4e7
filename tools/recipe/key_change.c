/* key_change: what another value of a key means to a run that has begun (tools/recipe/keys.h).  A key
 * has a row, several where tasks differ; test_recipe_change.c finds those that have none. */
#include <string.h>

#include "tools/recipe/keys.h"

enum {
    NONE = 0,
    EVAL = USE_EVAL_TRAIN | USE_EVAL_VAL | USE_EVAL_TEST,
    SPLIT = USE_PREDICT_SPLIT,
    PREDICT = USE_PREDICT_SPLIT | USE_PREDICT_INPUT,
    TRAIN_VAL = USE_EVAL_TRAIN | USE_EVAL_VAL,
    TEST = USE_EVAL_TEST | USE_PREDICT_SPLIT,
};

static const struct {
    const char *key;
    KeyChange change;
    unsigned uses;  /* commands where a word for it does something */
    unsigned tasks; /* the row is for these; 0: for all that have the key */
} rows[] = {
    {"task.kind", CHANGE_MODEL, NONE, 0},

    {"data.source", CHANGE_MODEL, EVAL | SPLIT, 0},
    {"data.path", CHANGE_FILES, EVAL | SPLIT, 0},
    {"data.mean", CHANGE_MODEL, NONE, 0},
    {"data.std", CHANGE_MODEL, NONE, 0},
    {"data.background", CHANGE_MODEL, NONE, 0},
    /* its crop is for scores too */
    {"data.augment", CHANGE_COURSE, EVAL | PREDICT, FOR_VISION},
    {"data.augment", CHANGE_COURSE, NONE, 0},
    {"data.repeat", CHANGE_ORDER, NONE, 0},
    {"data.shuffle", CHANGE_ORDER, NONE, 0},
    {"data.val_fraction", CHANGE_ITEMS, TRAIN_VAL, 0},
    {"data.image_size", CHANGE_MODEL, NONE, 0},
    {"data.channels", CHANGE_MODEL, NONE, 0},
    {"data.limit", CHANGE_ITEMS, TRAIN_VAL, 0},
    /* it guards, and changes no item */
    {"data.label_gap", CHANGE_SPEED, EVAL | SPLIT, 0},
    {"data.changed", CHANGE_SPEED, NONE, 0},
    {"data.on_error", CHANGE_ITEMS, EVAL | PREDICT, FOR_VISION | FOR_TRANSCRIBE},
    {"data.on_error", CHANGE_ITEMS, EVAL, FOR_TRANSLATE},
    {"data.classes", CHANGE_MODEL, NONE, 0},
    {"data.synthetic_count", CHANGE_ITEMS, EVAL | SPLIT, 0},
    {"data.tokens", CHANGE_MODEL, NONE, 0},
    {"data.source_lang", CHANGE_FILES, EVAL | SPLIT, 0},
    {"data.target_lang", CHANGE_FILES, EVAL | SPLIT, 0},
    {"data.source_vocab", CHANGE_MODEL, NONE, 0},
    {"data.target_vocab", CHANGE_MODEL, NONE, 0},
    {"data.bpe_codes", CHANGE_MODEL, NONE, 0},
    {"data.bpe_merges", CHANGE_MODEL, NONE, 0},
    {"data.min_count", CHANGE_MODEL, NONE, 0},
    {"data.joint", CHANGE_MODEL, NONE, 0},
    {"data.lowercase", CHANGE_MODEL, NONE, 0},
    {"data.word_split", CHANGE_MODEL, NONE, 0},
    {"data.max_length", CHANGE_ITEMS, EVAL | PREDICT, FOR_TRANSLATE},
    {"data.max_ratio", CHANGE_ITEMS, EVAL, 0},
    {"data.drop_long", CHANGE_ITEMS, EVAL, FOR_TRANSLATE},
    {"data.val_path", CHANGE_ITEMS, USE_EVAL_VAL, 0},
    {"data.test_path", CHANGE_ITEMS, TEST, 0},
    {"data.train_split", CHANGE_ITEMS, USE_EVAL_TRAIN, 0},
    {"data.val_split", CHANGE_ITEMS, USE_EVAL_VAL, 0},
    {"data.test_split", CHANGE_ITEMS, TEST, 0},
    {"data.cache", CHANGE_SPEED, EVAL | SPLIT, 0},

    {"model.width", CHANGE_MODEL, NONE, 0},
    {"model.depth", CHANGE_MODEL, NONE, 0},
    {"model.heads", CHANGE_MODEL, NONE, 0},
    {"model.mlp_ratio", CHANGE_MODEL, NONE, 0},
    {"model.patch", CHANGE_MODEL, NONE, 0},
    {"model.norm", CHANGE_MODEL, NONE, 0},
    {"model.final_norm", CHANGE_MODEL, NONE, 0},
    {"model.reparam", CHANGE_MODEL, NONE, 0},
    {"model.reparam_scope", CHANGE_MODEL, NONE, 0},
    {"model.gamma_init", CHANGE_START, NONE, 0},
    {"model.uv_init", CHANGE_START, NONE, 0},
    {"model.power_steps", CHANGE_COURSE, NONE, 0},
    {"model.init", CHANGE_START, NONE, 0},
    {"model.init_std", CHANGE_START, NONE, 0},
    {"model.patch_init_std", CHANGE_START, NONE, 0},
    {"model.qkv", CHANGE_MODEL, NONE, 0},
    {"model.activation", CHANGE_MODEL, NONE, 0},
    {"model.position", CHANGE_MODEL, NONE, 0},
    {"model.pool", CHANGE_MODEL, NONE, 0},
    {"model.dropout", CHANGE_COURSE, NONE, 0},
    {"model.drop_path", CHANGE_COURSE, NONE, 0},
    {"model.temperature", CHANGE_MODEL, NONE, 0},
    {"model.attention_dropout", CHANGE_COURSE, NONE, 0},
    {"model.activation_dropout", CHANGE_COURSE, NONE, 0},
    {"model.context", CHANGE_MODEL, NONE, 0},
    {"model.embed_scale", CHANGE_MODEL, NONE, 0},
    {"model.tied", CHANGE_MODEL, NONE, 0},
    {"model.decoder_depth", CHANGE_MODEL, NONE, 0},
    {"model.cutoffs", CHANGE_MODEL, NONE, 0},
    {"model.adaptive_factor", CHANGE_MODEL, NONE, 0},
    {"model.adaptive_dropout", CHANGE_COURSE, NONE, 0},
    {"model.layer_drop", CHANGE_COURSE, NONE, 0},
    {"model.cape_shift", CHANGE_COURSE, NONE, 0},
    {"model.qk_norm", CHANGE_MODEL, NONE, 0},

    {"optim.name", CHANGE_STATE, NONE, 0},
    {"optim.lr", CHANGE_COURSE, NONE, 0},
    {"optim.beta1", CHANGE_COURSE, NONE, 0},
    {"optim.beta2", CHANGE_COURSE, NONE, 0},
    {"optim.eps", CHANGE_COURSE, NONE, 0},
    {"optim.weight_decay", CHANGE_COURSE, NONE, 0},
    {"optim.weight_decay_end", CHANGE_COURSE, NONE, 0},
    {"optim.decay", CHANGE_COURSE, NONE, 0},
    {"optim.decay_scope", CHANGE_COURSE, NONE, 0},
    {"optim.momentum", CHANGE_COURSE, NONE, 0},
    {"optim.nesterov", CHANGE_COURSE, NONE, 0},
    {"optim.trust", CHANGE_COURSE, NONE, 0},
    {"optim.adapt_1d", CHANGE_COURSE, NONE, 0},
    {"optim.clip", CHANGE_COURSE, NONE, 0},
    {"optim.gamma_lr_scale", CHANGE_COURSE, NONE, 0},

    {"schedule.name", CHANGE_COURSE, NONE, 0},
    {"schedule.warmup_steps", CHANGE_COURSE, NONE, 0},
    {"schedule.warmup_epochs", CHANGE_COURSE, NONE, 0},
    {"schedule.warmup_init", CHANGE_COURSE, NONE, 0},
    {"schedule.step_at", CHANGE_COURSE, NONE, 0},
    {"schedule.step_factor", CHANGE_COURSE, NONE, 0},
    {"schedule.watch", CHANGE_COURSE, NONE, 0},
    {"schedule.patience", CHANGE_COURSE, NONE, 0},
    {"schedule.min_lr", CHANGE_COURSE, NONE, 0},

    {"train.epochs", CHANGE_LENGTH, NONE, 0},
    {"train.steps", CHANGE_LENGTH, NONE, 0},
    {"train.batch", CHANGE_BATCH, EVAL | PREDICT, FOR_VISION},
    {"train.accumulate", CHANGE_BATCH, NONE, 0},
    {"train.recompute", CHANGE_SPEED, NONE, 0},
    {"train.seed", CHANGE_ORDER, NONE, 0},
    {"train.label_smoothing", CHANGE_COURSE, EVAL, 0},
    {"train.mixup", CHANGE_COURSE, NONE, 0},
    {"train.cutmix", CHANGE_COURSE, NONE, 0},
    {"train.ema", CHANGE_COURSE, NONE, 0},
    {"train.init", CHANGE_START, NONE, 0},
    {"train.init_fit", CHANGE_START, NONE, 0},
    {"train.threads", CHANGE_SPEED, EVAL | PREDICT | USE_EXPORT, 0},
    {"train.log_every", CHANGE_COURSE, NONE, 0},
    {"train.eval_every", CHANGE_COURSE, NONE, 0},
    {"train.checkpoint_every", CHANGE_COURSE, NONE, 0},
    {"train.keep", CHANGE_COURSE, NONE, 0},
    {"train.batch_tokens", CHANGE_BATCH, NONE, 0},
    {"train.batch_seconds", CHANGE_BATCH, EVAL, 0},
    {"train.best", CHANGE_COURSE, NONE, 0},
    {"train.eval_stride", CHANGE_COURSE, EVAL, 0},
    {"train.beam", CHANGE_COURSE, EVAL | PREDICT, 0},
    {"train.length_penalty", CHANGE_COURSE, EVAL | PREDICT, 0},
    {"train.max_decode", CHANGE_COURSE, EVAL | PREDICT, 0},

    {"probe.every", CHANGE_COURSE, NONE, 0},
    {"probe.entropy", CHANGE_COURSE, NONE, 0},
    {"probe.spectral", CHANGE_COURSE, NONE, 0},
    {"probe.gradients", CHANGE_COURSE, NONE, 0},
    {"probe.sharpness", CHANGE_COURSE, NONE, 0},

    {"guard.nonfinite", CHANGE_COURSE, NONE, 0},
    {"guard.collapse", CHANGE_COURSE, NONE, 0},
    {"guard.entropy_below", CHANGE_COURSE, NONE, 0},

    {"intervene.temperature", CHANGE_COURSE, NONE, 0},
    {"intervene.at_epoch", CHANGE_COURSE, NONE, 0},
};

static bool is_row_of(size_t i, const Key *key) {
    size_t section = strlen(key->section);
    return !strncmp(rows[i].key, key->section, section) && rows[i].key[section] == '.' &&
           !strcmp(rows[i].key + section + 1, key->name);
}

bool key_change_known(const Key *key) {
    for (size_t i = 0; i < COUNT(rows); i++)
        if (is_row_of(i, key)) return true;
    return false;
}

KeyChange key_change(const Key *key) {
    for (size_t i = 0; i < COUNT(rows); i++)
        if (is_row_of(i, key)) return rows[i].change;
    return CHANGE_MODEL;
}

unsigned key_uses(const Key *key, const Recipe *recipe) {
    for (size_t i = 0; i < COUNT(rows) && key_applies(key, recipe); i++)
        if (is_row_of(i, key) && (!rows[i].tasks || task_is(recipe->task, rows[i].tasks)))
            return rows[i].uses;
    return 0;
}
