#include "models/contrast.h"

#include <math.h>

static const double NORM_EPS = 1e-5, NORM_MOMENTUM = 0.1, PLAIN_STD = 0.01;

Status contrast_check(const ModelConfig *model, const ContrastConfig *c,
                      PictureShape picture, Err *err) {
    if (vit_check(model, picture, err)) return FAIL_USAGE;
    if (!(c->temperature > 0) || !isfinite(c->temperature))
        return err_set(err, FAIL_USAGE,
                       "contrast.temperature = %g: expected a number > 0",
                       c->temperature);
    if (!c->projector_depth || !c->projector_out)
        return err_set(err, FAIL_USAGE,
                       "contrast.projector_depth = %zu, contrast.projector_out = %zu: "
                       "expected numbers > 0",
                       c->projector_depth, c->projector_out);
    if (c->probe_lr >= 0 && isfinite(c->probe_lr)) return OK;
    return err_set(err, FAIL_USAGE, "contrast.probe_lr = %g: expected a number >= 0",
                   c->probe_lr);
}

/* ---- building ---- */

static Param *add_vector(Model *model, ParamRole role, size_t size, size_t layer,
                         const char *name) {
    return params_add(model->params, role, 1, &size, "projector.%zu.norm.%s", layer,
                      name);
}

static void build_projection(Contrast *c, size_t i) {
    Model *model = &c->vit.model;
    const ContrastConfig *k = &c->config;
    size_t width = model->config.width;
    size_t hidden = k->projector_width ? k->projector_width : width;
    bool last = i + 1 == k->projector_depth;
    size_t out = last ? k->projector_out : hidden;
    Projection *p = &c->projector[i];
    linear_build(model, &p->linear, k->reparam_projector ? PART_OUTSIDE : PART_PLAIN,
                 false, out, i ? hidden : width, "projector.%zu", i);
    p->gain = add_vector(model, PARAM_VECTOR, out, i, "weight");
    p->bias = last ? NULL : add_vector(model, PARAM_VECTOR, out, i, "bias");
    p->mean = add_vector(model, PARAM_BUFFER, out, i, "mean");
    p->var = add_vector(model, PARAM_BUFFER, out, i, "var");
}

static void build_probe(Contrast *c) {
    ParamSet *params = c->vit.model.params;
    size_t shape[] = {c->classes, c->vit.model.config.width};
    c->probe_weight = params_add(params, PARAM_BUFFER, 2, shape, "probe.weight");
    c->probe_bias = params_add(params, PARAM_BUFFER, 1, shape, "probe.bias");
    c->probe_mean = params_add(params, PARAM_BUFFER, 1, shape + 1, "probe.mean");
}

Contrast *contrast_new(const ModelConfig *model, const ContrastConfig *contrast,
                       PictureShape picture, size_t classes) {
    CHECK(!contrast_check(model, contrast, picture, NULL), "a model that cannot be");
    Contrast *c = mem_zalloc(sizeof *c);
    vit_build(&c->vit, model, picture, 0);
    c->config = *contrast;
    c->classes = classes;
    c->vit.model.joint = true;
    c->projector = mem_zarray(contrast->projector_depth, sizeof *c->projector);
    for (size_t i = 0; i < contrast->projector_depth; i++) build_projection(c, i);
    if (contrast->probe_lr > 0 && classes) build_probe(c);
    params_finish(c->vit.model.params);
    return c;
}

void contrast_free(Contrast *c) {
    if (!c) return;
    vit_release(&c->vit); /* it looks into the projector */
    mem_free(c->projector);
    mem_free(c);
}

void contrast_initialize(Contrast *c, uint64_t seed) {
    const ModelConfig *config = &c->vit.model.config;
    vit_initialize(&c->vit, seed);
    for (size_t i = 0; i < c->config.projector_depth; i++) {
        Projection *p = &c->projector[i];
        bool free = p->linear.reparam && reparam_sets_norm(config->reparam);
        param_normal(p->linear.weight, seed, free ? config->init_std : PLAIN_STD);
        param_fill(p->gain, 1);
        if (p->bias) param_fill(p->bias, 0);
        param_fill(p->mean, 0);
        param_fill(p->var, 1);
    }
    if (c->probe_weight) {
        param_fill(c->probe_weight, 0);
        param_fill(c->probe_bias, 0);
        param_fill(c->probe_mean, 0);
    }
}

/* ---- running ---- */

static Tensor *project(Tape *tape, const Projection *p, bool last, Tensor *x,
                       Ranks *ranks) {
    BatchNormArgs norm = {.x = linear_forward(tape, &p->linear, x),
                          .gain = &p->gain->tensor,
                          .bias = p->bias ? &p->bias->tensor : NULL,
                          .mean = &p->mean->tensor,
                          .var = &p->var->tensor,
                          .eps = NORM_EPS,
                          .momentum = NORM_MOMENTUM,
                          .relu = !last,
                          .ranks = ranks};
    return op_batch_norm(tape, &norm);
}

Tensor *contrast_project(Contrast *c, Tape *tape, Tensor *features, Ranks *ranks) {
    size_t depth = c->config.projector_depth;
    tape_scope(tape, "projector");
    for (size_t i = 0; i < depth; i++)
        features = project(tape, &c->projector[i], i + 1 == depth, features, ranks);
    return features;
}

Tensor *contrast_features(Contrast *c, Tape *tape, const ForwardMode *mode,
                          Tensor *pixels) {
    ForwardMode own = *mode;
    own.first_example = 2 * mode->first_example;
    return vit_features(&c->vit, tape, &own, pixels);
}

Tensor *contrast_loss_of(Contrast *c, Tape *tape, Tensor *features,
                         const ContrastArgs *args) {
    if (args->label) contrast_train_probe(c, tape, features, args->label, args->ranks);
    Tensor *h = contrast_project(c, tape, features, args->ranks);
    tape_scope(tape, "loss");
    return op_nt_xent(tape, h,
                      &(NtXentArgs){.temperature = c->config.temperature,
                                    .divisor = 2 * (double)args->pictures,
                                    .stats = args->stats,
                                    .ranks = args->ranks});
}

Tensor *contrast_loss(Contrast *c, Tape *tape, const ForwardMode *mode,
                      const ContrastArgs *args) {
    return contrast_loss_of(c, tape, contrast_features(c, tape, mode, args->pixels),
                            args);
}

/* ---- size ---- */

double contrast_flops(const Contrast *c) {
    double sum = vit_flops(&c->vit);
    for (size_t i = 0; i < c->config.projector_depth; i++)
        sum += 2 * (double)c->projector[i].linear.weight->tensor.size;
    return 2 * sum;
}

double contrast_memory(const Contrast *c, size_t pictures, bool recompute) {
    double numbers = 0, views = 2 * (double)pictures;
    for (size_t i = 0; i < c->config.projector_depth; i++)
        numbers += 2 * (double)c->projector[i].gain->tensor.size;
    numbers += (double)c->config.projector_out;
    return vit_memory(&c->vit, 2 * pictures, recompute) + views * numbers * sizeof(real);
}
