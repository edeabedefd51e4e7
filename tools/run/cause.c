#include "tools/run/cause.h"

#include <math.h>
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

/* How many times its first value a number of the site is at probe `at`; NaN: unknown. */
static double growth(const SiteLog *site, SiteNumber number, size_t at) {
    const double *value = site->value[number];
    for (size_t p = 0; value && p < at; p++)
        if (value[p] > 0) return value[at] / value[p];
    return NAN;
}

typedef struct Mover {
    const char *name;
    double ratio, step;
} Mover;

static Mover largest_mover(const ProbeLog *probe, size_t last) {
    Mover most = {.ratio = 0};
    for (size_t i = 0; i < probe->weight_count; i++) {
        const double *ratio = probe->weights[i].value[WEIGHT_UPDATE_RATIO];
        for (size_t p = 0; p <= last; p++)
            if (ratio[p] > most.ratio)
                most = (Mover){probe->weights[i].name, ratio[p], probe->step[p]};
    }
    return most;
}

static void add_growth(char *text, const char *what, double times, bool first) {
    size_t used = strlen(text);
    if (!isfinite(times)) return;
    snprintf(text + used, CAUSE_TEXT - used, times >= 100 ? "%s%s %.0f" : "%s%s %.3g",
             first ? "Since the first probe " : ", ", what, times);
}

void cause_text(const RunLog *run, const EntropyLow *low, char text[CAUSE_TEXT]) {
    const ProbeLog *probe = &run->probe;
    const SiteLog *site = low->fell_step ? site_of(run, low->fell_site) : NULL;
    *text = 0;
    if (!site || !probe->count) return;
    size_t at = probe_at(probe, low->fell_step), used;
    double input = growth(site, SITE_INPUT, at), sigma = growth(site, SITE_SIGMA2, at);
    add_growth(text, "its input |x|^2 changed by a factor of", input, true);
    add_growth(text,
               *text ? "sigma^2 of its queries and keys by"
                     : "its sigma^2 changed by a factor of",
               sigma, !*text);
    Mover mover = largest_mover(probe, at);
    used = strlen(text);
    if (mover.ratio > CAUSE_MOVED)
        snprintf(text + used, CAUSE_TEXT - used,
                 "%s%s moved by %.3g times itself at step %.0f",
                 used ? "; " : "Before that ", mover.name, mover.ratio, mover.step);
    used = strlen(text);
    if (used) snprintf(text + used, CAUSE_TEXT - used, ".");
}
