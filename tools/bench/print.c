/* print: tables for people, a JSON object a line for programs (tools/bench/bench.h). */
#include <jansson.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "engine/core/machine.h"
#include "tools/bench/bench.h"
#include "tools/program/output.h"
#include "tools/program/say.h"
#include "tools/program/version.h"
#include "tools/recipe/precision.h"
#include "tools/run/rundir.h"

static void print_object(json_t *object) {
    output_json(object, JSON_COMPACT | JSON_REAL_PRECISION(9));
    fflush(stdout);
}

static void add_number(json_t *object, const char *key, double value) {
    json_object_set_new(object, key, json_real(value));
}

static void add_count(json_t *object, const char *key, size_t value) {
    json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void add_text(json_t *object, const char *key, const char *text) {
    json_object_set_new(object, key, json_text(text));
}

/* What rows are a share of. */
static const char *product_name(const BenchSubject *s) {
    return s->precision.products == PRECISION_BF16 ? "bf16 product" : "GEMM";
}

static void add_precision(json_t *row, const BenchSubject *s) {
    char text[PRECISION_TEXT];
    precision_text(&s->precision, text);
    add_text(row, "precision", text);
}

/* ---- machine ---- */

static void print_machine_json(const Bench *bench, const char *cpu, size_t threads) {
    BlasInfo blas = machine_blas();
    json_t *row = json_object();
    add_text(row, "level", "machine");
    add_text(row, "steady", STEADY_VERSION);
    add_text(row, "commit", version_commit());
    add_text(row, "real", REAL_NAME);
    add_text(row, "processor", cpu);
    add_count(row, "threads", threads);
    add_text(row, "openblas", blas.version);
    add_text(row, "flavour", blas.flavour);
    add_text(row, "core", blas.core);
    add_number(row, "gemm_gflops", bench->rate / 1e9);
    if (bench->rate_bf16 > 0) add_number(row, "bf16_gflops", bench->rate_bf16 / 1e9);
    if (bench->bandwidth > 0) add_number(row, "bandwidth_gbs", bench->bandwidth / 1e9);
    print_object(row);
}

void bench_print_machine(const Bench *bench, size_t threads) {
    char cpu[128];
    machine_cpu_name("", cpu, sizeof cpu);
    if (bench->json) {
        print_machine_json(bench, cpu, threads);
        return;
    }
    BlasInfo blas = machine_blas();
    printf("steady %s, %s, %s, %zu threads, OpenBLAS %s, %s kernels\n", STEADY_VERSION,
           sizeof(real) == 4 ? "float" : "double", cpu, threads, blas.version, blas.core);
    printf("GEMM %.0f GFLOP/s", bench->rate / 1e9);
    if (bench->rate_bf16 > 0)
        printf(", bf16 product %.0f GFLOP/s", bench->rate_bf16 / 1e9);
    if (bench->bandwidth > 0) printf(", memory %.1f GB/s", bench->bandwidth / 1e9);
    printf("\n");
    fflush(stdout);
}

/* ---- kernels and ops ---- */

void bench_print_heading(const Bench *bench, const char *level, const BenchSubject *s) {
    if (bench->json) return;
    printf("\n%s of %s: batch %zu, %zu tokens, width %zu, %zu threads, %s %.0f "
           "GFLOP/s\n%-27s %-17s %9s %9s %9s %8s  %s\n",
           level, s->name, s->batch, s->tokens, s->recipe.model.width, s->threads,
           product_name(s), bench->rate / 1e9, "", "", "ms", "least", "GFLOP/s", "GB/s",
           "share of");
    fflush(stdout);
}

/* Of the product's rate, or of the bandwidth where there is no product to speak of. */
static double share_of(const Bench *bench, const BenchRow *row) {
    if (row->flops > 0) return row->flops / row->time.median / bench->rate;
    return bench->bandwidth > 0 ? row->bytes / row->time.median / bench->bandwidth : 0;
}

static void print_row_json(const Bench *bench, const BenchSubject *s,
                           const BenchRow *row) {
    json_t *object = json_object();
    add_text(object, "level", row->level);
    add_text(object, "model", s->name);
    add_text(object, "name", row->name);
    add_text(object, "shape", row->shape);
    add_count(object, "batch", s->batch);
    add_number(object, "ms", 1e3 * row->time.median);
    add_number(object, "least_ms", 1e3 * row->time.least);
    add_number(object, "most_ms", 1e3 * row->time.most);
    add_count(object, "repeats", row->time.count);
    add_count(object, "per_step", row->per_step);
    if (row->flops > 0) add_number(object, "gflops", row->flops / row->time.median / 1e9);
    if (row->bytes > 0) add_number(object, "gbs", row->bytes / row->time.median / 1e9);
    if (row->flops > 0 || row->bytes > 0) {
        add_number(object, "share", share_of(bench, row));
        add_text(object, "of", row->flops > 0 ? "gemm" : "bandwidth");
        add_precision(object, s);
    }
    print_object(object);
}

void bench_print_row(const Bench *bench, const BenchSubject *s, const BenchRow *row) {
    if (!row->time.count) return;
    if (bench->json) {
        print_row_json(bench, s, row);
        return;
    }
    printf("  %-25s %-17s %9.3f %9.3f ", row->name, row->shape, 1e3 * row->time.median,
           1e3 * row->time.least);
    if (row->flops > 0) printf("%9.1f ", row->flops / row->time.median / 1e9);
    else printf("%9s ", "");
    if (row->bytes > 0) printf("%8.1f ", row->bytes / row->time.median / 1e9);
    else printf("%8s ", "");
    if (row->flops > 0 || row->bytes > 0)
        printf(" %3.0f %% %s", 100 * share_of(bench, row),
               row->flops > 0 ? product_name(s) : "memory");
    printf("\n");
    fflush(stdout);
}

/* ---- steps ---- */

static json_t *numbers(const double *x, size_t count, double factor) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_number(factor * x[i]));
    return list;
}

bool bench_note_losses(const BenchSteps *steps, const char *what) {
    size_t lost = 0, first = 0;
    for (size_t i = steps->count; i--;)
        if (!isfinite(steps->loss[i])) lost++, first = i + 1;
    if (lost)
        say("steady bench: note: %s: the loss is not finite at %zu of %zu timed steps, "
            "first at step %zu: the model diverges, and such steps may take another time "
            "than those of training; try a lower optim.lr",
            what, lost, steps->count, first);
    return lost;
}

static void add_memory(json_t *row, const BenchSteps *r) {
    add_count(row, "parameters", r->parameters);
    add_count(row, "parameter_bytes", r->parameters * sizeof(real));
    add_count(row, "gradient_bytes", r->parameters * sizeof(real));
    add_count(row, "optimizer_bytes", r->optimizer);
    add_count(row, "rss_before", r->before);
    add_count(row, "rss_peak", r->peak);
    add_count(row, "activation_bytes", r->activations);
    add_count(row, "arena_bytes", r->arena);
    add_count(row, "pool_bytes", r->gradients);
    add_number(row, "page_faults", r->page_faults);
}

static void print_steps_json(const BenchSubject *s, const BenchSteps *r) {
    json_t *row = json_object(), *phases = json_object();
    add_text(row, "level", "step");
    add_text(row, "model", s->name);
    add_count(row, "batch", s->batch);
    add_count(row, "threads", s->threads);
    add_count(row, "tokens", s->tokens);
    add_count(row, "width", s->recipe.model.width);
    add_count(row, "depth", s->recipe.model.depth);
    add_number(row, "median_ms", 1e3 * r->time.median);
    add_number(row, "least_ms", 1e3 * r->time.least);
    add_number(row, "most_ms", 1e3 * r->time.most);
    add_number(row, "processor_ms", 1e3 * r->processor.median);
    json_object_set_new(row, "step_ms", numbers(r->seconds, r->count, 1e3));
    json_object_set_new(row, "loss", numbers(r->loss, r->count, 1));
    add_number(row, "items_per_s", (double)s->batch / r->time.median);
    add_number(row, "flops", r->flops);
    add_number(row, "gflops", r->flops / r->time.median / 1e9);
    add_precision(row, s);
    add_number(row, "gemm_gflops", r->rate / 1e9);
    add_number(row, "share", r->flops / r->time.median / r->rate);
    for (size_t i = 0; i < STEP_PHASES; i++)
        add_number(phases, bench_phase_names[i], 1e3 * r->phase[i]);
    json_object_set_new(row, "phase_ms", phases);
    add_memory(row, r);
    add_number(row, "first_step_ms", 1e3 * r->first);
    add_number(row, "start_ms", 1e3 * r->start);
    print_object(row);
}

static double mega(size_t bytes) { return (double)bytes / 1e6; }

static void print_phases(const BenchSteps *r) {
    double all = 0;
    for (size_t i = 0; i < STEP_PHASES; i++) all += r->phase[i];
    printf("  of it   ");
    for (size_t i = 0; i < STEP_PHASES; i++)
        printf("%s%s %.1f %%", i ? ", " : "", bench_phase_names[i],
               100 * r->phase[i] / all);
    printf("\n");
}

void bench_print_steps(const Bench *bench, const BenchSubject *s, const BenchSteps *r) {
    if (bench->json) {
        print_steps_json(s, r);
        return;
    }
    bool half = s->precision.products == PRECISION_BF16;
    char text[PRECISION_TEXT];
    precision_text(&s->precision, text);
    printf(
        "\nsteps of %s: batch %zu, %zu tokens, width %zu, depth %zu, %.2f M parameters, "
        "%zu threads%s%s\n",
        s->name, s->batch, s->tokens, s->recipe.model.width, s->recipe.model.depth,
        (double)r->parameters / 1e6, s->threads, half ? ", " : "", half ? text : "");
    printf("  time    %.1f ms (median of %zu; %.1f to %.1f), %.1f items/s\n",
           1e3 * r->time.median, r->count, 1e3 * r->time.least, 1e3 * r->time.most,
           (double)s->batch / r->time.median);
    printf("  rate    %.0f GFLOP/s, %.0f %% of %s (%.0f GFLOP/s between the steps)\n",
           r->flops / r->time.median / 1e9, 100 * r->flops / r->time.median / r->rate,
           product_name(s), r->rate / 1e9);
    print_phases(r);
    printf("  memory  activations %.1f MB (peak %.1f - before %.1f - 16 bytes per "
           "parameter); arena %.1f, gradients and scratch %.1f, optimizer %.1f\n",
           mega(r->activations), mega(r->peak), mega(r->before), mega(r->arena),
           mega(r->gradients), mega(r->optimizer));
    printf("  start   %.0f ms to the end of the first step, which took %.0f; then %.1f "
           "page faults per step\n",
           1e3 * r->start, 1e3 * r->first, r->page_faults);
    fflush(stdout);
}

/* ---- norms, probes ---- */

static void print_norm_json(const BenchSubject *s, const char *level,
                            const BenchNorm *n) {
    json_t *row = json_object();
    add_text(row, "level", level);
    add_text(row, "model", s->name);
    add_text(row, level, n->name);
    add_count(row, "batch", s->batch);
    add_count(row, "threads", s->threads);
    add_count(row, "repeats", n->time.count);
    add_number(row, "median_ms", 1e3 * n->time.median);
    add_number(row, "least_ms", 1e3 * n->time.least);
    add_number(row, "processor_ms", 1e3 * n->processor.median);
    add_number(row, "over_none", n->over);
    add_number(row, "processor_over_none", n->processor_over);
    print_object(row);
}

void bench_print_norms(const Bench *bench, const BenchSubject *s, const char *level,
                       const BenchNorm *norms, size_t count) {
    if (!bench->json)
        printf("\nsteps of %s by %s: batch %zu, %zu tokens, width %zu, depth %zu, "
               "%zu threads, %zu steps of each, in turn\n"
               "%20s %10s %10s %10s %14s %10s\n",
               s->name, level, s->batch, s->tokens, s->recipe.model.width,
               s->recipe.model.depth, s->threads, norms->time.count, "", "ms", "least",
               "over none", "processor ms", "over none");
    for (size_t i = 0; i < count; i++) {
        const BenchNorm *n = &norms[i];
        if (bench->json) print_norm_json(s, level, n);
        else
            printf("%20s %10.1f %10.1f %+8.1f %% %14.1f %+8.1f %%\n", n->name,
                   1e3 * n->time.median, 1e3 * n->time.least, 100 * (n->over - 1),
                   1e3 * n->processor.median, 100 * (n->processor_over - 1));
    }
    fflush(stdout);
}
