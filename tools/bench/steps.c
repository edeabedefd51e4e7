/* steps: whole training steps on a batch of noise (tools/bench/bench.h): those of the
 * trainer (models/step.h) without data, logs and saving. */
#include <omp.h>
#include <string.h>

#include "engine/core/machine.h"
#include "models/step.h"
#include "models/temperature.h"
#include "tools/bench/bench.h"
#include "tools/program/rate.h"
#include "tools/program/stop.h"
#include "tools/run/probe.h"

enum { WARM_UP = 2, ROUNDS = 3 };

const char *const bench_phase_names[STEP_PHASES] = {
    [STEP_REFRESH] = "refresh", [STEP_FORWARD] = "forward", [STEP_BACKWARD] = "backward",
    [STEP_FOLD] = "fold",       [STEP_BETWEEN] = "probes",  [STEP_UPDATE] = "update",
};

typedef struct Run {
    const BenchSubject *subject;
    BenchWork work;
    Step step;
    size_t number;  /* of the step */
    Prober *prober; /* NULL: off */
    FILE *nowhere;  /* where rows of probes are written */
    double phase[STEP_PHASES];
    double since; /* the end of the phase before */
} Run;

/* ---- one step ---- */

static void lap(void *context, StepPhase phase) {
    Run *run = context;
    double now = clock_now();
    run->phase[phase] += now - run->since;
    run->since = now;
}

static Tensor *loss_of(void *context, Tape *tape, const ForwardMode *mode, size_t from,
                       size_t to) {
    Run *run = context;
    return task_bench(run->subject->recipe.task)->loss(&run->work, tape, mode, from, to);
}

static bool is_probed(const Run *run) {
    return run->prober && run->number % run->subject->recipe.probe.every == 0;
}

static void look(Run *run) {
    const ProbeConfig *config = &run->subject->recipe.probe;
    const char *site;
    model_lowest_entropy(run->work.model, &site);
    if (is_probed(run)) prober_look(run->prober, config, run->number);
}

/* As the trainer: guard.update_above looks at every step. */
static OptimWatch watch_of(const Run *run) {
    return is_probed(run) ? OPTIM_WATCH_GRADS : OPTIM_WATCH_MOVES;
}

static void write_probe(Run *run) {
    if (!is_probed(run)) return;
    json_t *row = prober_row(run->prober, &run->subject->recipe.probe, run->number,
                             run->step.optim);
    if (run->nowhere) json_dumpf(row, run->nowhere, 0);
    json_decref(row);
    lap(run, STEP_BETWEEN);
}

/* Returns its seconds. */
static double take_step(Run *run) {
    const BenchSubject *s = run->subject;
    const Recipe *r = &s->recipe;
    StepBatch batch = {
        .number = ++run->number,
        .examples = r->train.batch,
        .tokens = (double)s->tokens,
        .mode = {.temperature = r->model.temperature,
                 .recompute = r->train.recompute == RECOMPUTE_BLOCK,
                 .precision = s->precision},
    };
    if (is_probed(run)) batch.mode.measure = probe_level(&r->probe, run->number);
    double start = run->since = clock_now();
    step_gradients(&run->step, &batch);
    look(run);
    optim_watch(run->step.optim, watch_of(run));
    step_update(&run->step, r->optim.lr, r->optim.weight_decay);
    write_probe(run);
    return clock_now() - start;
}

/* ---- a run ---- */

static void begin(Run *run) {
    const BenchSubject *s = run->subject;
    const Recipe *r = &s->recipe;
    Step *step = &run->step;
    model_start(run->work.model, NULL);
    step_begin(step, run->work.model, &r->optim, NULL);
    step->seed = r->train.seed;
    step->accumulate = r->train.accumulate;
    if (!s->whole) step->cache = machine_cache_share("", (size_t)omp_get_max_threads());
    step->context = run, step->loss_of = loss_of, step->lap = lap;
    if (r->train.ema > 0) step->ema = ema_new(run->work.model->params, r->train.ema);
    if (!r->probe.every) return;
    run->prober = prober_new(run->work.model);
    run->nowhere = fopen("/dev/null", "w");
}

static void release(Run *run) {
    if (run->nowhere) fclose(run->nowhere);
    prober_free(run->prober);
    step_end(&run->step);
    bench_work_release(&run->work);
}

static void read_memory(const Run *run, BenchSteps *result) {
    size_t peak = bench_memory().peak;
    size_t owned = result->before + 4 * sizeof(real) * result->parameters;
    TapeMemory tape = tape_memory(run->step.tape);
    result->peak = peak;
    result->activations = peak > owned ? peak - owned : 0;
    result->arena = tape.arena;
    result->gradients = tape.gradients;
    result->optimizer = optim_slot_count(run->step.optim) * sizeof(real) *
                        run->work.model->params->trained;
}

/* Steps [from, to) of those that are timed; returns their page faults. */
static size_t take_steps(Run *run, BenchSteps *result, size_t from, size_t to) {
    size_t faults = bench_page_faults();
    for (size_t i = from; i < to && !stop_requested(); i++) {
        double spent = bench_processor();
        result->seconds[i] = take_step(run);
        result->spent[i] = bench_processor() - spent;
        result->loss[i] = run->step.loss;
        result->count++;
    }
    return bench_page_faults() - faults;
}

static double measure_rate(const Bench *bench, const BenchSubject *s) {
    return bench->no_rate ? bench->rate
                          : machine_rate_measure(s->precision.products, s->threads,
                                                 bench->effort.seconds);
}

/* A third of the steps, a measurement of the product, and so on: both see the same
 * machine. */
static void measure(Run *run, Bench *bench, BenchSteps *result, double rate_before) {
    double rates[ROUNDS + 1] = {rate_before};
    size_t faults = 0;
    memset(run->phase, 0, sizeof run->phase);
    for (size_t i = 0; i < ROUNDS; i++) {
        faults += take_steps(run, result, bench->steps * i / ROUNDS,
                             bench->steps * (i + 1) / ROUNDS);
        if (i == 0) read_memory(run, result);
        rates[i + 1] = measure_rate(bench, run->subject);
    }
    double steps = (double)MAX(result->count, (size_t)1);
    result->time = bench_summary(result->seconds, result->count);
    result->processor = bench_summary(result->spent, result->count);
    result->rate = bench_summary(rates, COUNT(rates)).median;
    result->page_faults = (double)faults / steps;
    for (size_t i = 0; i < STEP_PHASES; i++) result->phase[i] = run->phase[i] / steps;
}

Status bench_steps(Bench *bench, const BenchSubject *subject, BenchSteps *result,
                   Err *err) {
    Run run = {.subject = subject};
    *result = (BenchSteps){.seconds = mem_zalloc(bench->steps * sizeof(double)),
                           .spent = mem_zalloc(bench->steps * sizeof(double)),
                           .loss = mem_zalloc(bench->steps * sizeof(double))};
    double rate = measure_rate(bench, subject);
    double start = clock_now();
    bench_work_make_batch(&run.work, subject);
    bench_memory_forget();
    result->before = bench_memory().now;
    bench_work_make_model(&run.work);
    if (model_set_temperatures(run.work.model, subject->recipe.model.temperature_at,
                               err)) {
        bench_work_release(&run.work);
        return err->status;
    }
    begin(&run);
    result->parameters = params_trained_count(run.work.model->params);
    result->flops = 3 * run.work.flops;
    result->first = take_step(&run);
    result->start = bench->age + clock_now() - start;
    while (run.number < WARM_UP && !stop_requested()) take_step(&run);
    measure(&run, bench, result, rate);
    release(&run);
    bench->rate = result->rate;
    return result->count
               ? OK
               : err_set(err, FAIL_INTERRUPTED, "interrupted before any step was timed");
}

void bench_steps_release(BenchSteps *result) {
    mem_free(result->seconds);
    mem_free(result->spent);
    mem_free(result->loss);
}
