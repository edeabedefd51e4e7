/* key_change: what another value of a key means to a run that has begun
 * (tools/recipe/keys.h).  A key is in a row, in several where tasks differ;
 * test_recipe_change.c finds those that are in none. */
#include <string.h>

#include "tools/recipe/keys.h"

enum {
    NONE = 0,
    SCORE = USE_EVAL_TRAIN | USE_EVAL_VAL | USE_EVAL_TEST,
    PROBE = USE_PROBE_TRAIN | USE_PROBE_VAL | USE_PROBE_TEST,
    EVAL = SCORE | PROBE,
    SPLIT = USE_PREDICT_SPLIT,
    PREDICT = USE_PREDICT_SPLIT | USE_PREDICT_INPUT,
    TRAIN = USE_EVAL_TRAIN | USE_PROBE_TRAIN,
    VAL = USE_EVAL_VAL | USE_PROBE_VAL,
    TEST = USE_EVAL_TEST | USE_PROBE_TEST | USE_PREDICT_SPLIT,
};

/* Rows for some tasks stand before those for all. */
static const struct {
    const char *section;
    KeyChange change;
    unsigned uses;     /* commands where a word for such a key does something */
    unsigned tasks;    /* the row is for these; 0: for all that have the key */
    const char *names; /* of keys, separated by blanks */
} rows[] = {
    {"task", CHANGE_MODEL, NONE, 0, "kind"},

    /* its crop is for scores too */
    {"data", CHANGE_COURSE, EVAL | PREDICT, FOR_VISION, "augment"},
    {"data", CHANGE_ITEMS, EVAL | PREDICT, FOR_VISION | FOR_SPEECH, "on_error"},
    {"data", CHANGE_ITEMS, EVAL, FOR_PAIRS, "on_error drop_long"},
    {"data", CHANGE_ITEMS, EVAL | PREDICT, FOR_PAIRS, "max_length"},
    {"data", CHANGE_MODEL, EVAL | SPLIT, 0, "source"},
    {"data", CHANGE_FILES, EVAL | SPLIT, 0, "path source_lang target_lang"},
    {"data", CHANGE_MODEL, NONE, 0,
     "mean std background image_size channels classes tokens source_vocab "
     "target_vocab bpe_codes bpe_merges min_count joint lowercase word_split"},
    {"data", CHANGE_COURSE, NONE, 0, "augment"},
    {"data", CHANGE_ORDER, NONE, 0, "repeat shuffle"},
    {"data", CHANGE_ITEMS, TRAIN | VAL, 0, "val_fraction limit"},
    /* the gap guards, and changes no item */
    {"data", CHANGE_SPEED, EVAL | SPLIT, 0, "label_gap cache"},
    {"data", CHANGE_SPEED, NONE, 0, "changed threads"},
    {"data", CHANGE_ITEMS, EVAL | SPLIT, 0, "synthetic_count"},
    {"data", CHANGE_ITEMS, EVAL, 0, "max_ratio"},
    {"data", CHANGE_ITEMS, VAL, 0, "val_path val_split"},
    {"data", CHANGE_ITEMS, TEST, 0, "test_path test_split test_limit"},
    {"data", CHANGE_ITEMS, TRAIN, 0, "train_split"},

    {"model", CHANGE_MODEL, NONE, 0,
     "width depth heads mlp_ratio patch norm final_norm reparam reparam_scope "
     "reparam_front qkv "
     "activation position pool context embed_scale tied decoder_depth "
     "cutoffs adaptive_factor qk_norm"},
    {"model", CHANGE_USE, NONE, 0, "temperature temperature_at"},
    {"model", CHANGE_START, NONE, 0, "gamma_init uv_init init init_std patch_init_std"},
    {"model", CHANGE_STATE, NONE, 0, "freeze"},
    {"model", CHANGE_COURSE, NONE, 0,
     "power_steps dropout drop_path attention_dropout activation_dropout "
     "adaptive_dropout layer_drop cape_shift"},

    {"contrast", CHANGE_MODEL, NONE, 0,
     "projector_depth projector_width projector_out reparam_projector"},
    {"contrast", CHANGE_COURSE, EVAL, 0, "temperature"},
    {"contrast", CHANGE_COURSE, NONE, 0, "probe_lr"},

    {"optim", CHANGE_STATE, NONE, 0, "name"},
    {"optim", CHANGE_COURSE, NONE, 0,
     "lr beta1 beta2 eps weight_decay weight_decay_end decay decay_scope momentum "
     "nesterov trust adapt_1d clip gamma_lr_scale front_lr_scale "
     "layer_decay"},

    {"schedule", CHANGE_COURSE, NONE, 0,
     "name warmup_steps warmup_epochs warmup_init step_at step_factor watch patience "
     "min_lr"},

    {"train", CHANGE_BATCH, SCORE | PREDICT, FOR_VISION, "batch"},
    {"train", CHANGE_LENGTH, NONE, 0, "epochs steps"},
    {"train", CHANGE_BATCH, SCORE, FOR_CONTRASTIVE, "accumulate"},
    {"train", CHANGE_BATCH, NONE, 0, "accumulate batch_tokens"},
    {"train", CHANGE_SPEED, NONE, 0, "recompute"},
    {"train", CHANGE_ORDER, NONE, 0, "seed"},
    {"train", CHANGE_COURSE, EVAL, 0, "label_smoothing"},
    {"train", CHANGE_COURSE, SCORE, 0, "eval_stride"},
    {"train", CHANGE_COURSE, NONE, 0,
     "mixup cutmix ema log_every eval_every checkpoint_every keep best"},
    {"train", CHANGE_COURSE, EVAL | PREDICT, 0, "precision bf16_keep"},
    {"train", CHANGE_START, NONE, 0, "init init_fit transfer init_ema init_grid"},
    {"train", CHANGE_SPEED, EVAL | PREDICT | USE_EXPORT, 0, "threads"},
    {"train", CHANGE_BATCH, SCORE, 0, "batch_seconds"},
    {"train", CHANGE_COURSE, SCORE | PREDICT, 0, "beam length_penalty max_decode"},

    {"probe", CHANGE_COURSE, NONE, 0,
     "every heads_every entropy spectral gradients sharpness sharpness_sample"},

    {"guard", CHANGE_COURSE, NONE, 0, "nonfinite collapse entropy_below update_above"},
    {"guard", CHANGE_SPEED, NONE, 0, "exit"},

    {"intervene", CHANGE_COURSE, NONE, 0,
     "at key at2 key2 at3 key3 at4 key4 at5 key5 at6 key6 at7 key7 at8 key8"},
};

static bool has_word(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = list; *at; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == length && !strncmp(at, word, length)) return true;
    return false;
}

static bool is_row_of(size_t i, const Key *key) {
    return !strcmp(rows[i].section, key->section) && has_word(rows[i].names, key->name);
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

/* Keys that a resume may change, but for what needs the data opened anew. */
bool key_may_intervene(const Key *key) {
    KeyChange change = key_change(key);
    return key_is_stored(key) && strcmp(key->section, "intervene") &&
           (change == CHANGE_COURSE || change == CHANGE_USE);
}

unsigned key_uses(const Key *key, const Recipe *recipe) {
    for (size_t i = 0; i < COUNT(rows) && key_applies(key, recipe); i++)
        if (is_row_of(i, key) && (!rows[i].tasks || task_is(recipe->task, rows[i].tasks)))
            return rows[i].uses;
    return 0;
}
