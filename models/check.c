/* check: what every builder asks of a ModelConfig before it builds (models/config.h). */
#include <math.h>
#include <stddef.h>

#include "models/config.h"

typedef enum { ABOVE_ZERO, CHANCE, FROM_ZERO } RealRange;

static const char *const WANTED[] = {[ABOVE_ZERO] = "a number > 0",
                                     [CHANCE] = "a number >= 0 and < 1",
                                     [FROM_ZERO] = "a number >= 0"};

#define REAL(name, range)                                                                \
    { #name, offsetof(ModelConfig, name), range }

static const struct {
    const char *name;
    size_t offset;
    RealRange range;
} REALS[] = {
    REAL(mlp_ratio, ABOVE_ZERO),     REAL(init_std, ABOVE_ZERO),
    REAL(temperature, ABOVE_ZERO),   REAL(patch_init_std, FROM_ZERO),
    REAL(dropout, CHANCE),           REAL(drop_path, CHANCE),
    REAL(attention_dropout, CHANCE), REAL(activation_dropout, CHANCE),
    REAL(adaptive_dropout, CHANCE),  REAL(layer_drop, CHANCE),
    REAL(cape_shift, FROM_ZERO),
};

static bool in_range(double x, RealRange range) {
    return isfinite(x) && x >= 0 && (range != CHANCE || x < 1) &&
           (range != ABOVE_ZERO || x > 0);
}

static Status check_reals(const ModelConfig *c, Err *err) {
    for (size_t i = 0; i < COUNT(REALS); i++) {
        double x = *(const double *)((const char *)c + REALS[i].offset);
        if (!in_range(x, REALS[i].range))
            return err_set(err, FAIL_USAGE, "model.%s = %g: expected %s", REALS[i].name,
                           x, WANTED[REALS[i].range]);
    }
    return OK;
}

static Status check_sizes(const ModelConfig *c, Err *err) {
    if (!c->width || !c->depth || !c->heads)
        return err_set(
            err, FAIL_USAGE,
            "model.width = %zu, model.depth = %zu, model.heads = %zu: expected numbers "
            "> 0",
            c->width, c->depth, c->heads);
    if (c->width % c->heads)
        return err_set(err, FAIL_USAGE,
                       "model.width = %zu is not a multiple of model.heads = %zu",
                       c->width, c->heads);
    if (round(c->mlp_ratio * (double)c->width) >= 1) return OK;
    return err_set(err, FAIL_USAGE,
                   "model.mlp_ratio = %g gives the MLP no hidden units with "
                   "model.width = %zu; use at least %.3g",
                   c->mlp_ratio, c->width, 1 / (double)c->width);
}

static Status check_position(const ModelConfig *c, unsigned positions, Err *err) {
    static const char *const NAMES[] = {[POSITION_LEARNED] = "learned",
                                        [POSITION_SINCOS] = "sincos",
                                        [POSITION_NONE] = "none",
                                        [POSITION_SINUSOIDAL] = "sinusoidal",
                                        [POSITION_CAPE] = "cape"};
    if ((unsigned)c->position < COUNT(NAMES) && positions >> c->position & 1) return OK;
    return err_set(err, FAIL_USAGE, "model.position = %s is not for this kind of model",
                   (unsigned)c->position < COUNT(NAMES) ? NAMES[c->position]
                                                        : "(unknown)");
}

Status model_config_check(const ModelConfig *c, unsigned positions, Err *err) {
    if (check_reals(c, err) || check_sizes(c, err)) return FAIL_USAGE;
    return check_position(c, positions, err);
}

Status model_config_check_texts(const ModelConfig *c, Err *err) {
    unsigned positions =
        1u << POSITION_LEARNED | 1u << POSITION_NONE | 1u << POSITION_SINUSOIDAL;
    if (model_config_check(c, positions, err)) return FAIL_USAGE;
    if (isfinite(c->embed_scale) && c->embed_scale != 0) return OK;
    return err_set(
        err, FAIL_USAGE,
        "model.embed_scale = %g: expected a number > 0, or auto; embeddings are "
        "multiplied by it",
        c->embed_scale);
}

Status model_config_check_cutoffs(const ModelConfig *c, size_t vocab, Err *err) {
    double before = 0;
    if (c->cutoff_count > ADAPTIVE_CUTS_MAX)
        return err_set(err, FAIL_USAGE,
                       "model.cutoffs has %zu numbers; at most %d are "
                       "allowed",
                       c->cutoff_count, ADAPTIVE_CUTS_MAX);
    for (size_t i = 0; i < c->cutoff_count; before = c->cutoffs[i++])
        if (!(c->cutoffs[i] > before) || c->cutoffs[i] != floor(c->cutoffs[i]))
            return err_set(err, FAIL_USAGE,
                           "model.cutoffs: %g after %g; expected increasing whole "
                           "numbers",
                           c->cutoffs[i], before);
    if (before >= (double)vocab)
        return err_set(err, FAIL_USAGE,
                       "model.cutoffs ends with %.0f, but the vocabulary has only %zu "
                       "tokens, so the last band would be empty",
                       before, vocab);
    if (!c->cutoff_count || (isfinite(c->adaptive_factor) && c->adaptive_factor >= 1))
        return OK;
    return err_set(err, FAIL_USAGE, "model.adaptive_factor = %g: expected a number >= 1",
                   c->adaptive_factor);
}
