#include "engine/optim/schedule.h"

#include <math.h>

/* Share of the way from the end of the warm-up to the last step. */
static double progress(size_t step, size_t total, size_t warmup) {
    if (step >= total) return 1;
    return (double)(step - warmup) / (double)(total - warmup);
}

static double step_rate(const ScheduleConfig *config, double lr, size_t step) {
    for (size_t i = 0; i < config->step_count; i++)
        if ((double)step >= config->step_at[i]) lr *= config->step_factor;
    return lr;
}

static double plateau_rate(const ScheduleConfig *config, double lr, size_t reductions) {
    double lower = lr * pow(config->step_factor, (double)reductions);
    return fmax(lower, fmin(config->min_lr, lr));
}

double schedule_rate(const ScheduleConfig *config, double base_lr, size_t step,
                     size_t total_steps, size_t warmup_steps, size_t reductions) {
    CHECK(step >= 1, "steps count from 1, this is %zu", step);
    if (step <= warmup_steps) {
        double share = (double)step / (double)warmup_steps;
        return config->warmup_init + (base_lr - config->warmup_init) * share;
    }
    double t = progress(step, total_steps, warmup_steps),
           range = base_lr - config->min_lr;
    switch (config->name) {
    case SCHEDULE_CONSTANT: return base_lr;
    case SCHEDULE_COSINE: return config->min_lr + range * 0.5 * (1 + cos(acos(-1) * t));
    case SCHEDULE_LINEAR: return config->min_lr + range * (1 - t);
    case SCHEDULE_INVERSE_SQRT:
        return base_lr * sqrt((double)MAX(warmup_steps, 1) / (double)step);
    case SCHEDULE_STEP: return step_rate(config, base_lr, step);
    case SCHEDULE_PLATEAU: return plateau_rate(config, base_lr, reductions);
    }
    CHECK(false, "schedule %d", (int)config->name);
    return 0;
}

double schedule_weight_decay(const OptimConfig *config, size_t step, size_t total_steps) {
    double start = config->weight_decay, end = config->weight_decay_end;
    if (end < 0) return start;
    return end +
           (start - end) * 0.5 * (1 + cos(acos(-1) * progress(step, total_steps, 0)));
}
