/* steps: whole training steps on a batch of noise (tools/bench/bench.h).  The step is that of
 * tools/train/trainer.c without data, logs and saving. */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "engine/core/machine.h"
#include "engine/kern/reduce.h"
#include "engine/optim/ema.h"
#include "engine/optim/optim.h"
#include "tools/bench/bench.h"
#include "tools/program/rate.h"
#include "tools/program/stop.h"
#include "tools/run/probe.h"

enum { WARM_UP = 2, ROUNDS = 3 };

const char *const bench_phase_names[PHASES] = {"refresh", "forward", "backward",
                                               "fold",    "probes",  "update"};

typedef struct Run {
    const BenchSubject *subject;
    BenchWork work;
    Tape *tape;
    Optimizer *optim;
    Ema *ema;       /* NULL: off */
    Prober *prober; /* NULL: off */
    FILE *nowhere;  /* where rows of probes are written */
    size_t fitting; /* micro-batches that fit the cache */
    size_t step;
    double phase[PHASES];
    double loss;
} Run;

/* ---- one step ---- */

/* Ends a phase that began at *since. */
static void lap(Run *run, size_t phase, double *since) {
    double now = clock_now();
    run->phase[phase] += now - *since;
    *since = now;
}

/* Forward and backward over examples [from, to). */
static void run_part(Run *run, size_t from, size_t to, double *since) {
    const BenchSubject *s = run->subject;
    const TrainConfig *train = &s->recipe.train;
    ForwardMode mode = {.temperature = s->recipe.model.temperature,
                        .first_example = from,
                        .recompute = train->recompute == RECOMPUTE_BLOCK};
    tape_begin(run->tape, (TapeMode){.gradients = true,
                                     .training = true,
                                     .seed = train->seed,
                                     .step = run->step});
    Tensor *loss = run->work.loss(&run->work, run->tape, &mode, from, to);
    model_stats_gather(run->work.model);
    run->loss += (double)loss->value[0];
    lap(run, PHASE_FORWARD, since);
    tape_backward(run->tape, loss);
    lap(run, PHASE_BACKWARD, since);
}

static void update(Run *run, double norm) {
    const OptimConfig *o = &run->subject->recipe.optim;
    double factor = o->clip > 0 && norm > o->clip ? o->clip / (norm + 1e-6) : 1;
    optim_step(run->optim, (real)o->lr, (real)factor);
    if (run->ema) ema_update(run->ema);
}

static void probe(Run *run) {
    const ProbeConfig *config = &run->subject->recipe.probe;
    const char *site;
    size_t head;
    model_lowest_entropy(run->work.model, &site, &head);
    if (!run->prober || run->step % config->every) return;
    json_t *row = prober_row(run->prober, config, run->step);
    if (run->nowhere) json_dumpf(row, run->nowhere, 0);
    json_decref(row);
}

static double take_step(Run *run) {
    const TrainConfig *train = &run->subject->recipe.train;
    Model *model = run->work.model;
    double start = clock_now(), since = start;
    run->step++;
    run->loss = 0;
    model_refresh(model);
    lap(run, PHASE_REFRESH, &since);
    params_clear_grads(model->params);
    model_stats_reset(model);
    size_t parts = MAX(train->accumulate, run->fitting);
    for (size_t i = 0; i < parts; i++)
        run_part(run, train->batch * i / parts, train->batch * (i + 1) / parts, &since);
    params_settle_grads(model->params);
    model_fold(model);
    lap(run, PHASE_FOLD, &since);
    double norm = sqrt(reduce_sum_squares(model->params->grads, model->params->trained));
    lap(run, PHASE_UPDATE, &since);
    probe(run);
    lap(run, PHASE_PROBE, &since);
    update(run, norm);
    lap(run, PHASE_UPDATE, &since);
    return clock_now() - start;
}

/* ---- a run ---- */

static void make_model(Run *run) {
    const BenchSubject *s = run->subject;
    const Recipe *r = &s->recipe;
    bench_work_make_model(&run->work);
    size_t cache = s->whole ? 0 : machine_cache_share("", (size_t)omp_get_max_threads());
    run->fitting = model_parts(&r->model, (double)s->tokens, s->batch, cache);
    model_start(run->work.model, NULL);
    run->tape = tape_new();
    run->optim = optim_new(&r->optim, run->work.model->params);
    if (r->train.ema > 0) run->ema = ema_new(run->work.model->params, r->train.ema);
    if (!r->probe.every) return;
    run->prober = prober_new(run->work.model);
    run->nowhere = fopen("/dev/null", "w");
}

static void release(Run *run) {
    if (run->nowhere) fclose(run->nowhere);
    prober_free(run->prober);
    ema_free(run->ema);
    optim_free(run->optim);
    tape_free(run->tape);
    bench_work_release(&run->work);
}

static void read_memory(const Run *run, BenchSteps *result) {
    size_t peak = bench_memory().peak;
    size_t owned = result->before + 4 * sizeof(real) * result->parameters;
    TapeMemory tape = tape_memory(run->tape);
    result->peak = peak;
    result->activations = peak > owned ? peak - owned : 0;
    result->arena = tape.arena;
    result->gradients = tape.gradients;
    result->optimizer =
        optim_slot_count(run->optim) * sizeof(real) * run->work.model->params->trained;
}

/* Steps [from, to) of those that are timed; returns their page faults. */
static size_t take_steps(Run *run, BenchSteps *result, size_t from, size_t to) {
    size_t faults = bench_page_faults();
    for (size_t i = from; i < to && !stop_requested(); i++) {
        double spent = bench_processor();
        result->seconds[i] = take_step(run);
        result->spent[i] = bench_processor() - spent;
        result->loss[i] = run->loss;
        result->count++;
    }
    return bench_page_faults() - faults;
}

static double measure_rate(const Bench *bench, size_t threads) {
    return bench->no_rate ? bench->rate
                          : machine_rate_measure(threads, bench->effort.seconds);
}

/* A third of the steps, a measurement of the product, and so on: both see the same machine. */
static void measure(Run *run, Bench *bench, BenchSteps *result, double rate_before) {
    double rates[ROUNDS + 1] = {rate_before};
    size_t faults = 0, threads = run->subject->threads;
    memset(run->phase, 0, sizeof run->phase);
    for (size_t i = 0; i < ROUNDS; i++) {
        faults += take_steps(run, result, bench->steps * i / ROUNDS,
                             bench->steps * (i + 1) / ROUNDS);
        if (i == 0) read_memory(run, result);
        rates[i + 1] = measure_rate(bench, threads);
    }
    double steps = (double)MAX(result->count, (size_t)1);
    result->time = bench_summary(result->seconds, result->count);
    result->processor = bench_summary(result->spent, result->count);
    result->rate = bench_summary(rates, COUNT(rates)).median;
    result->page_faults = (double)faults / steps;
    for (size_t i = 0; i < PHASES; i++) result->phase[i] = run->phase[i] / steps;
}

Status bench_steps(Bench *bench, const BenchSubject *subject, BenchSteps *result,
                   Err *err) {
    Run run = {.subject = subject};
    *result = (BenchSteps){.seconds = mem_zalloc(bench->steps * sizeof(double)),
                           .spent = mem_zalloc(bench->steps * sizeof(double)),
                           .loss = mem_zalloc(bench->steps * sizeof(double))};
    double rate = measure_rate(bench, subject->threads);
    double start = clock_now();
    bench_work_make_batch(&run.work, subject);
    bench_memory_forget();
    result->before = bench_memory().now;
    make_model(&run);
    result->parameters = params_trained_count(run.work.model->params);
    result->flops = 3 * run.work.flops;
    result->first = take_step(&run);
    result->start = bench->age + clock_now() - start;
    while (run.step < WARM_UP && !stop_requested()) take_step(&run);
    measure(&run, bench, result, rate);
    release(&run);
    bench->rate = result->rate;
    return result->count
               ? OK
               : err_set(err, FAIL_INTERRUPTED, "interrupted before a step was timed");
}

void bench_steps_release(BenchSteps *result) {
    mem_free(result->seconds);
    mem_free(result->spent);
    mem_free(result->loss);
}
