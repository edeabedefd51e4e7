#include "tools/run/cause.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const SiteLog *site_of(const RunLog *run, const char *name) {
    for (size_t i = 0; i < run->probe.site_count; i++)
        if (!strcmp(run->probe.sites[i].name, name)) return &run->probe.sites[i];
    return NULL;
}

/* The probe of the step, or the last before it. */
static size_t probe_at(const ProbeLog *probe, size_t step) {
    size_t at = 0;
    for (size_t p = 0; p < probe->count; p++)
        if (probe->step[p] <= (double)step) at = p;
    return at;
}

/* The factors of the logits, and what they are called. */
static const struct {
    SiteNumber number;
    const char *name;
} factors[] = {{SITE_INPUT, "its input |x|^2"},
               {SITE_MEMORY, "its memory |x|^2"},
               {SITE_SIGMA2, "sigma^2 of its queries and keys"}};

static bool is_known(const SiteLog *site, size_t factor, size_t at) {
    const double *value = site->value[factors[factor].number];
    return value && value[at] > 0 && isfinite(value[at]);
}

/* The first probe up to `last` that has a factor; SIZE_MAX: none. */
static size_t first_of(const SiteLog *site, size_t last) {
    for (size_t p = 0; p <= last; p++)
        for (size_t i = 0; i < COUNT(factors); i++)
            if (is_known(site, i, p)) return p;
    return SIZE_MAX;
}

/* Behind what is in text. */
static void add(char *text, const char *format, ...) {
    size_t used = strlen(text);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, CAUSE_TEXT - used, format, args);
    va_end(args);
}

static void add_factors(const ProbeLog *probe, const SiteLog *site, size_t step,
                        char *text) {
    size_t at = probe_at(probe, step), first = first_of(site, at);
    if (first == at && probe->step[at] < (double)step)
        add(text,
            "The factor that grew is unknown: no probe since step %.0f (lower "
            "probe.every)",
            probe->step[at]);
    bool any = false;
    for (size_t i = 0; i < COUNT(factors) && first < at; i++) {
        if (!is_known(site, i, first) || !is_known(site, i, at)) continue;
        const double *value = site->value[factors[i].number];
        double times = value[at] / value[first];
        if (!any)
            add(text, "Between steps %.0f and %.0f ", probe->step[first],
                probe->step[at]);
        add(text, any ? ", %s by" : "%s changed by a factor of", factors[i].name);
        add(text, times >= 100 ? " %.0f" : " %.3g", times);
        any = true;
    }
}

typedef struct Mover {
    const char *name;
    double ratio, step;
} Mover;

/* Probes see all weights at their steps, warnings (guard.update_above) all steps. */
static Mover largest_mover(const RunLog *run, size_t before) {
    const ProbeLog *probe = &run->probe;
    Mover most = {.ratio = 0};
    for (size_t i = 0; i < run->event_count; i++) {
        const RunEvent *e = &run->events[i];
        if (e->tensor && e->ratio > most.ratio && e->step < (double)before)
            most = (Mover){e->tensor, e->ratio, e->step};
    }
    for (size_t i = 0; i < probe->weight_count; i++) {
        const double *ratio = probe->weights[i].value[WEIGHT_UPDATE_RATIO];
        for (size_t p = 0; p < probe->count && probe->step[p] < (double)before; p++)
            if (ratio[p] > most.ratio)
                most = (Mover){probe->weights[i].name, ratio[p], probe->step[p]};
    }
    return most;
}

void cause_text(const RunLog *run, const char *name, size_t step, char text[CAUSE_TEXT]) {
    const ProbeLog *probe = &run->probe;
    const SiteLog *site = site_of(run, name);
    *text = 0;
    if (!*name) return;
    if (site && probe->count) add_factors(probe, site, step, text);
    Mover mover = largest_mover(run, step);
    if (mover.ratio > CAUSE_MOVED)
        add(text, "%s%s changed by %.3g times its norm at step %.0f",
            *text ? "; " : "Before that ", mover.name, mover.ratio, mover.step);
    if (*text) add(text, ".");
}
