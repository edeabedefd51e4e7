#include "engine/optim/optim.h"

#include <math.h>
#include <string.h>

#include "engine/kern/reduce.h"
#include "engine/kern/update.h"
#include "engine/optim/rule.h"

/* Numbers in a span: a large tensor gives work to every thread. */
#define SPAN_SIZE 8192

/* Numbers that are measured right behind their update, while they are in the first-level
 * cache and the next ones are on their way from memory. */
#define BLOCK_SIZE 512

#define RULE(KIND, name) &optim_rule_##name,
static const OptimRule *const rules[] = {OPTIM_LIST(RULE)};
#undef RULE

/* One trained tensor and its part of the spans. */
typedef struct Target {
    size_t offset;      /* in the slabs */
    size_t first, last; /* spans [first, last) */
    bool adapted;       /* the trust ratio acts, where the optimizer has one */
    bool decayed;       /* weight decay acts */
    double lr_scale;    /* its learning rate, relative to the others */
    double ratio;
} Target;

/* Sums over a span. */
typedef struct SpanMove {
    double value, update, grad, largest_grad;
} SpanMove;

typedef struct Place {
    size_t offset, size; /* in the slabs */
    size_t target;
    OptimNorms norms;
    SpanMove moved; /* of the last step, where it was watched */
} Place;

struct Optimizer {
    OptimConfig config;
    const OptimRule *rule;
    ParamSet *params;
    size_t slot_count;
    real *slots[OPTIM_SLOTS_MAX];
    uint64_t steps;
    double weight_decay; /* of the next step */
    OptimWatch watch;    /* the next step is to be measured */
    OptimWatch watched;  /* the last one was */
    Target *targets;
    size_t target_count;
    Place *places;
    size_t place_count;
};

OptimConfig optim_config_default(void) {
    return (OptimConfig){
        .name = OPTIM_ADAMW,
        .lr = 1e-3,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .eps = -1,
        .weight_decay_end = -1,
        .momentum = -1,
        .trust = 0.001,
        .gamma_lr_scale = 1,
        .front_lr_scale = 1,
        .layer_decay = 1,
    };
}

const char *optim_name(OptimKind kind) {
#define NAME(KIND, name) #name,
    static const char *const NAMES[] = {OPTIM_LIST(NAME)};
#undef NAME
    CHECK((size_t)kind < COUNT(NAMES), "optimizer %d", (int)kind);
    return NAMES[kind];
}

const char *optim_keys(OptimKind kind) { return rules[kind]->keys; }

static void resolve_config(OptimConfig *config) {
    const OptimRule *rule = rules[config->name];
    if (config->eps < 0) config->eps = rule->eps;
    if (config->momentum < 0) config->momentum = rule->momentum;
    if (!rule->nesterov) config->nesterov = false;
    if (rule->fixed_decay || config->decay == DECAY_AUTO) config->decay = rule->decay;
}

/* sgd and lars without momentum need no buffer. */
size_t optim_slots_needed(const OptimConfig *config) {
    CHECK((size_t)config->name < COUNT(rules), "optimizer %d", (int)config->name);
    OptimConfig own = *config;
    resolve_config(&own);
    const OptimRule *rule = rules[own.name];
    return rule->apply == optim_momentum_apply && own.momentum == 0 ? 0
                                                                    : rule->slot_count;
}

static bool is_adapted(const Optimizer *o, ParamRole role) {
    return role == PARAM_MATRIX || (o->rule->measure && o->config.adapt_1d);
}

static bool is_decayed(const Optimizer *o, ParamRole role) {
    return is_adapted(o, role) || o->config.decay_scope == DECAY_ALL;
}

static size_t spans_of(size_t size) { return (size + SPAN_SIZE - 1) / SPAN_SIZE; }

static void count_spans(Optimizer *o) {
    for (size_t i = 0; i < o->params->count; i++) {
        if (!param_moves(o->params->list[i])) continue;
        o->target_count++;
        o->place_count += spans_of(o->params->list[i]->tensor.size);
    }
}

double optim_layer_scale(const OptimConfig *config, const ParamSet *params,
                         size_t layer) {
    if (config->layer_decay == 1 || layer >= params->layer) return 1;
    return pow(config->layer_decay, (double)(params->layer - layer));
}

static double lr_scale_of(const Optimizer *o, const Param *param) {
    const OptimConfig *config = &o->config;
    return (param->role == PARAM_GAIN ? config->gamma_lr_scale : 1) *
           (param->front ? config->front_lr_scale : 1) *
           optim_layer_scale(config, o->params, param->layer);
}

static void add_target(Optimizer *o, const Param *param, size_t t, size_t first) {
    size_t size = param->tensor.size, count = spans_of(size);
    o->targets[t] = (Target){
        .offset = param->offset,
        .first = first,
        .last = first + count,
        .adapted = is_adapted(o, param->role),
        .decayed = is_decayed(o, param->role),
        .lr_scale = lr_scale_of(o, param),
        .ratio = 1,
    };
    for (size_t k = 0; k < count; k++)
        o->places[first + k] = (Place){
            .offset = param->offset + k * SPAN_SIZE,
            .size = MIN(SPAN_SIZE, size - k * SPAN_SIZE),
            .target = t,
        };
}

static void fill_targets(Optimizer *o) {
    const ParamSet *params = o->params;
    for (size_t i = 0, t = 0, first = 0; i < params->count; i++) {
        if (!param_moves(params->list[i])) continue;
        add_target(o, params->list[i], t, first);
        first = o->targets[t++].last;
    }
}

Optimizer *optim_new(const OptimConfig *config, ParamSet *params) {
    CHECK((size_t)config->name < COUNT(rules), "optimizer %d", (int)config->name);
    CHECK(params->values, "optim_new before params_finish");
    Optimizer *o = mem_zalloc(sizeof *o);
    o->config = *config;
    resolve_config(&o->config);
    o->rule = rules[config->name];
    o->weight_decay = config->weight_decay;
    o->params = params;
    o->slot_count = optim_slots_needed(config);
    for (size_t i = 0; i < o->slot_count; i++)
        o->slots[i] = mem_zarray(params->trained, sizeof(real));
    count_spans(o);
    o->targets = mem_zalloc(o->target_count * sizeof *o->targets);
    o->places = mem_zalloc(o->place_count * sizeof *o->places);
    fill_targets(o);
    return o;
}

void optim_set_config(Optimizer *o, const OptimConfig *config) {
    CHECK(config->name == o->config.name && optim_slots_needed(config) == o->slot_count,
          "%s with %zu slots becomes %s with %zu", optim_name(o->config.name),
          o->slot_count, optim_name(config->name), optim_slots_needed(config));
    o->config = *config;
    resolve_config(&o->config);
    o->weight_decay = config->weight_decay;
    o->watched = OPTIM_WATCH_NONE;
    fill_targets(o);
}

void optim_free(Optimizer *o) {
    if (!o) return;
    for (size_t i = 0; i < o->slot_count; i++) mem_free(o->slots[i]);
    mem_free(o->targets);
    mem_free(o->places);
    mem_free(o);
}

static OptimSpan span_at(const Optimizer *o, const Place *place, double lr) {
    const Target *target = &o->targets[place->target];
    real own_lr = (real)(lr * target->lr_scale);
    real decay = target->decayed ? (real)o->weight_decay : 0;
    bool coupled = o->config.decay == DECAY_COUPLED;
    OptimSpan span = {
        .value = o->params->values + place->offset,
        .grad = o->params->grads + place->offset,
        .size = place->size,
        .lr = own_lr,
        .decay = coupled ? decay : 0,
        .keep = coupled ? 1 : (real)(1 - (double)own_lr * (double)decay),
        .ratio = (real)target->ratio,
    };
    for (size_t i = 0; i < o->slot_count; i++) span.slot[i] = o->slots[i] + place->offset;
    return span;
}

/* trust |p| / |update| from the sums of the tensor's spans, in order; 1
 * where a norm is 0. */
static double ratio_of(const Optimizer *o, const Target *target) {
    double value = 0, update = 0;
    for (size_t k = target->first; k < target->last; k++) {
        value += o->places[k].norms.value;
        update += o->places[k].norms.update;
    }
    if (!target->adapted || value == 0 || update == 0) return 1;
    double trust = o->rule->trusting ? o->config.trust : 1;
    return trust * sqrt(value) / sqrt(update);
}

static void measure_ratios(Optimizer *o, const OptimPass *pass, double lr) {
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < o->place_count; k++) {
        OptimSpan span = span_at(o, &o->places[k], lr);
        o->places[k].norms = o->rule->measure(pass, &span);
    }
    for (size_t t = 0; t < o->target_count; t++)
        o->targets[t].ratio = ratio_of(o, &o->targets[t]);
}

void optim_set_decay(Optimizer *o, double weight_decay) {
    o->weight_decay = weight_decay;
}

/* ---- what a step moves ---- */

static void measure_grad(const OptimSpan *span, SpanMove *moved) {
    double largest = reduce_max_abs(span->grad, span->size);
    moved->grad += reduce_sum_squares(span->grad, span->size);
    if (!(largest <= moved->largest_grad) && !isnan(moved->largest_grad))
        moved->largest_grad = largest;
}

static OptimSpan block_of(const OptimSpan *span, size_t first) {
    OptimSpan block = *span;
    block.value += first;
    block.grad += first;
    for (size_t i = 0; i < OPTIM_SLOTS_MAX; i++)
        if (block.slot[i]) block.slot[i] += first;
    block.size = MIN(BLOCK_SIZE, span->size - first);
    return block;
}

static void apply_watched(Optimizer *o, const OptimPass *pass, const OptimSpan *span,
                          SpanMove *moved) {
    bool grads = o->watch == OPTIM_WATCH_GRADS;
    real before[BLOCK_SIZE];
    *moved = grads ? (SpanMove){0} : (SpanMove){.grad = NAN, .largest_grad = NAN};
    for (size_t first = 0; first < span->size; first += BLOCK_SIZE) {
        OptimSpan block = block_of(span, first);
        memcpy(before, block.value, block.size * sizeof(real));
        o->rule->apply(pass, &block);
        update_moved(block.value, before, block.size, &moved->value, &moved->update);
        if (grads) measure_grad(&block, moved);
    }
}

void optim_watch(Optimizer *o, OptimWatch watch) { o->watch = watch; }

/* Targets are in the order of their offsets. */
static const Target *target_of(const Optimizer *o, const Param *param) {
    size_t low = 0, high = o->target_count;
    CHECK(param_is_trained(param), "the move of %s, which is not trained", param->name);
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        *(o->targets[middle].offset <= param->offset ? &low : &high) = middle;
    }
    return &o->targets[low];
}

bool optim_move(const Optimizer *o, const Param *param, OptimMove *move) {
    *move = (OptimMove){NAN, NAN, NAN, NAN};
    if (param->frozen) return false;
    const Target *target = target_of(o, param);
    double value = 0, update = 0, grad = 0, largest = 0;
    for (size_t k = target->first; k < target->last; k++) {
        const SpanMove *m = &o->places[k].moved;
        value += m->value;
        update += m->update;
        grad += m->grad;
        if (!(m->largest_grad <= largest) && !isnan(largest)) largest = m->largest_grad;
    }
    *move = (OptimMove){sqrt(value), sqrt(update), sqrt(grad), largest};
    return o->watched != OPTIM_WATCH_NONE;
}

/* Of step o->steps. */
static OptimPass pass_of(const Optimizer *o, real grad_scale) {
    double n = (double)o->steps;
    return (OptimPass){
        .config = &o->config,
        .grad_scale = grad_scale,
        .correct_m = (real)(1 / (1 - pow(o->config.beta1, n))),
        .correct_v = (real)(1 / sqrt(1 - pow(o->config.beta2, n))),
    };
}

void optim_step(Optimizer *o, real lr, real grad_scale) {
    o->steps++;
    OptimPass pass = pass_of(o, grad_scale);
    if (o->rule->measure) measure_ratios(o, &pass, (double)lr);
#pragma omp parallel for schedule(static)
    for (size_t k = 0; k < o->place_count; k++) {
        OptimSpan span = span_at(o, &o->places[k], (double)lr);
        if (o->watch) apply_watched(o, &pass, &span, &o->places[k].moved);
        else o->rule->apply(&pass, &span);
    }
    o->watched = o->watch;
}

/* ---- stability ---- */

double optim_edge(const Optimizer *o) {
    return o->rule->edge ? o->rule->edge(&o->config) : NAN;
}

bool optim_has_ratio(const Optimizer *o) { return o->rule->measure != NULL; }

bool optim_preconditioner(const Optimizer *o, double *p) {
    if (!o->rule->edge || !o->steps) return false;
    OptimPass pass = pass_of(o, 1);
    for (size_t i = 0; i < o->params->trained; i++) p[i] = 1;
    for (size_t k = 0; k < o->place_count; k++) {
        const Place *place = &o->places[k];
        OptimSpan span = span_at(o, place, 1);
        double *own = p + place->offset;
        if (o->rule->precondition) o->rule->precondition(&pass, &span, own);
        double lr_scale = o->targets[place->target].lr_scale;
        for (size_t i = 0; lr_scale != 1 && i < place->size; i++) own[i] /= lr_scale;
    }
    return true;
}

/* ---- state ---- */

size_t optim_slot_count(const Optimizer *o) { return o->slot_count; }

const char *optim_slot_name(const Optimizer *o, size_t i) {
    CHECK(i < o->slot_count, "slot %zu of %zu", i, o->slot_count);
    return o->rule->slot_name[i];
}

real *optim_slot(Optimizer *o, size_t i) {
    CHECK(i < o->slot_count, "slot %zu of %zu", i, o->slot_count);
    return o->slots[i];
}

uint64_t optim_steps(const Optimizer *o) { return o->steps; }

void optim_set_steps(Optimizer *o, uint64_t steps) { o->steps = steps; }
