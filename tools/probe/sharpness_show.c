/* sharpness_show: as a row of probe.jsonl, and as a table (tools/probe/sharpness.h). */
#include <math.h>
#include <stdio.h>

#include "tools/probe/sharpness.h"
#include "tools/run/rundir.h"

static const char RATIO[] = "P is 1: the optimizer's ratios of norms are not part of it";

static json_t *values(const Spectrum *s) {
    if (!s->count) return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < s->count; i++)
        json_array_append_new(list, json_number(s->value[i]));
    return list;
}

static json_t *error_of(const Spectrum *s) {
    return json_number(s->count ? s->error : NAN);
}

json_t *sharpness_row(const Sharpness *s) {
    json_t *inner =
        json_pack("{s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "raw", values(&s->raw),
                  "preconditioned", values(&s->preconditioned), "threshold",
                  json_number(s->threshold), "sample", (json_int_t)s->sample, "lr",
                  json_number(s->lr), "loss", json_number(s->loss), "raw_error",
                  error_of(&s->raw), "preconditioned_error",
                  error_of(&s->preconditioned));
    if (*s->why) json_object_set_new(inner, "why", json_text(s->why));
    if (s->ratio && s->preconditioned.count)
        json_object_set_new(inner, "note", json_text(RATIO));
    return json_pack("{s:I, s:o}", "step", (json_int_t)s->step, "sharpness", inner);
}

static void print_spectrum(const char *name, const Spectrum *s) {
    printf("%-16s", name);
    for (size_t i = 0; i < s->count; i++) printf(" %11.5g", s->value[i]);
    printf("   error %.1e\n", s->error);
}

/* "38/lr" of Adam, "3.8/lr" of a heavy ball. */
static void print_threshold(const Sharpness *s) {
    if (isnan(s->threshold) && isfinite(s->edge))
        printf("%-16s none: the learning rate at this step is %s\n", "threshold",
               isnan(s->lr) ? "unknown" : "0");
    if (isnan(s->threshold)) return;
    if (!isfinite(s->threshold)) {
        printf("%-16s none: the learning rate is 0 here (the end of the schedule?); "
               "try --checkpoint best\n",
               "threshold");
        return;
    }
    double largest = 0; /* negative curvature makes no step grow by oscillating */
    for (size_t i = 0; i < s->preconditioned.count; i++)
        largest = fmax(largest, s->preconditioned.value[i]);
    printf("%-16s %11.5g = %.4g / lr, %s at lr %.4g", "threshold", s->threshold, s->edge,
           optim_name(s->optimizer), s->lr);
    if (s->preconditioned.count)
        printf("; the largest eigenvalue is %.3g of it", largest / s->threshold);
    putchar('\n');
}

void sharpness_print(const Sharpness *s) {
    printf("step %zu: %zu parameters, loss %.6g on %zu %s examples\n", s->step,
           s->parameters, s->loss, s->sample, split_name(s->split));
    if (s->preconditioned.count) print_spectrum("preconditioned", &s->preconditioned);
    else printf("%-16s none: %s\n", "preconditioned", s->why);
    print_threshold(s);
    if (s->ratio && s->preconditioned.count) printf("%-16s %s\n", "", RATIO);
    print_spectrum("raw", &s->raw);
    printf(
        "Raw eigenvalues depend on the scale of weights (under a reparametrisation they "
        "go as 1/|W|^2);\n"
        "between runs compare the preconditioned ones.\n"
        "error: largest measured relative error of an eigenvalue; %zu gradients.\n",
        s->gradients);
}
