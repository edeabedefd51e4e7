#include "engine/optim/schedule.h"

#include <math.h>

/* Share of the way from the end of the warm-up to the last step. */
static double progress(size_t step, size_t total, size_t warmup) {
    if (step >= total) return 1;
    return (double)(step - warmup) / (double)(total - warmup);
}

/* A step behind the warm-up. */
typedef struct Moment {
    const ScheduleConfig *config;
    double lr, t; /* base rate; share of the way to the last step */
    size_t step, warmup, reductions;
} Moment;

static double constant_rate(const Moment *m) { return m->lr; }

static double cosine_rate(const Moment *m) {
    double range = m->lr - m->config->min_lr;
    return m->config->min_lr + range * 0.5 * (1 + cos(acos(-1) * m->t));
}

static double linear_rate(const Moment *m) {
    double range = m->lr - m->config->min_lr;
    return m->config->min_lr + range * (1 - m->t);
}

static double inverse_sqrt_rate(const Moment *m) {
    return m->lr * sqrt((double)MAX(m->warmup, 1) / (double)m->step);
}

static double step_rate(const Moment *m) {
    double lr = m->lr;
    for (size_t i = 0; i < m->config->step_count; i++)
        if ((double)m->step >= m->config->step_at[i]) lr *= m->config->step_factor;
    return lr;
}

static double plateau_rate(const Moment *m) {
    double lower = m->lr * pow(m->config->step_factor, (double)m->reductions);
    return fmax(lower, fmin(m->config->min_lr, m->lr));
}

#define ROW(KIND, name, rate, ends, keys) {rate, ends, keys},
static const struct {
    double (*rate)(const Moment *m);
    bool ends;
    const char *keys;
} SCHEDULES[] = {SCHEDULE_LIST(ROW)};
#undef ROW

double schedule_rate(const ScheduleConfig *config, double base_lr, size_t step,
                     size_t total_steps, size_t warmup_steps, size_t reductions) {
    CHECK(step >= 1, "steps count from 1, this is %zu", step);
    CHECK((size_t)config->name < COUNT(SCHEDULES), "schedule %d", (int)config->name);
    if (step <= warmup_steps) {
        double share = (double)step / (double)warmup_steps;
        return config->warmup_init + (base_lr - config->warmup_init) * share;
    }
    Moment m = {.config = config,
                .lr = base_lr,
                .t = progress(step, total_steps, warmup_steps),
                .step = step,
                .warmup = warmup_steps,
                .reductions = reductions};
    return SCHEDULES[config->name].rate(&m);
}

bool schedule_has_end(ScheduleKind kind) { return SCHEDULES[kind].ends; }

const char *schedule_keys(ScheduleKind kind) { return SCHEDULES[kind].keys; }

double schedule_weight_decay(const OptimConfig *config, size_t step, size_t total_steps) {
    double start = config->weight_decay, end = config->weight_decay_end;
    if (end < 0) return start;
    return end +
           (start - end) * 0.5 * (1 + cos(acos(-1) * progress(step, total_steps, 0)));
}
