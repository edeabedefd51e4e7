/* bench: how fast kernels, ops and whole steps are, beside this machine's matrix product.
 *
 *     steady bench steps --model vit-s16 --repeat 10 train.recompute=block
 *
 * tools/command/bench.c reads the command line and calls a function for each level; each
 * takes a subject (a model and a batch) and prints rows through bench_print.  Products
 * are given as a share of the rate of machine_rate_measure in the same run, traffic as a
 * share of the memory bandwidth in the same run (what stays in a cache can pass 1).
 *
 * Not for: training (the batch is noise), or comparing machines by one reading. */
#ifndef STEADY_BENCH_H
#define STEADY_BENCH_H

#include <stdio.h>

#include "models/step.h"
#include "tools/task/bench.h"

typedef struct Bench Bench;

/* ---- what is measured (model.c) ---- */

/* NULL: there is none of that name. */
const BenchModel *bench_model_find(const char *name);
const char *bench_model_name(size_t i); /* NULL: there are no more */
void bench_model_list(FILE *out);       /* a line each, and which ones `all` is */
extern const char bench_models_all[];   /* names, separated by commas */

/* words: section.key=value.  Sets the number of threads, too.  FAIL_USAGE also where
 * train.precision = bf16 has no units (bench->force).  A note on the precision is said
 * unless it was the last one said (bench->note). */
Status bench_subject(Bench *bench, BenchSubject *subject, const BenchModel *model,
                     char **words, size_t count, Err *err);

/* The subject's model with a batch of noise (work.c). */
void bench_work_make_batch(BenchWork *work, const BenchSubject *subject);
void bench_work_make_model(BenchWork *work); /* initialised */
void bench_work_release(BenchWork *work);

/* ---- measuring (time.c) ---- */

/* Seconds of a call: each call says itself how long its part took. */
typedef double BenchCall(void *context);

typedef struct BenchTime {
    double median, least, most;
    size_t count;
} BenchTime;

/* How long to measure: at least `repeat` calls, and more while `seconds` are not over. */
typedef struct BenchEffort {
    size_t repeat;
    double seconds;
} BenchEffort;

/* One call that does not count, then those that do.  Stops early when a signal came. */
BenchTime bench_time(BenchCall *call, void *context, const BenchEffort *effort);
BenchTime bench_summary(const double *seconds, size_t count); /* of what was measured */

/* Bytes a second of a[i] += s b[i] over vectors of 128 MB: two numbers read and one
 * written for each i; the best of some passes. */
double bench_bandwidth(double seconds);

/* ---- this process (memory.c) ---- */

typedef struct BenchMemory {
    size_t now, peak; /* resident bytes; peak since bench_memory_forget */
} BenchMemory;

BenchMemory bench_memory(void); /* zeros where the system does not tell */
void bench_memory_forget(
    void); /* free pages go back to the system, the peak begins anew */
size_t bench_page_faults(void); /* so far, those that read no file */
double bench_process_age(void); /* seconds since the process was made */
double bench_processor(void);   /* seconds that its threads have spent on processors */

/* ---- levels ---- */

/* What the whole command shares. */
struct Bench {
    bool json;
    BenchEffort
        effort;       /* of a kernel or op; its seconds are GEMM's and bandwidth's too */
    size_t steps;     /* timed steps of a model */
    size_t seeds;     /* of theory */
    bool force;       /* bf16 by plain loops where there are no units */
    bool no_rate;     /* nobody asks for GEMM between the steps */
    double age;       /* of the process when the command began */
    double bandwidth; /* bytes/s; 0: not measured */
    double rate_bf16; /* FLOP/s, for the machine's line; 0: there are no units */
    /* FLOP/s beside the rows that are printed next: of GEMM, or for a subject in bf16 of
     * the product in bf16 */
    double rate;
    char note[400]; /* the last that was said of a subject's precision */
};

void bench_kernels(Bench *bench, const BenchSubject *subject);
void bench_ops(Bench *bench, const BenchSubject *subject);

/* What data.augment (SimCLR's list where there is none) costs one thread for a view of
 * the model's size, each entry alone and all; of erasing, which comes later, nothing.
 * FAIL_USAGE: a wrong list. */
Status bench_pictures(Bench *bench, const BenchSubject *subject, Err *err);

/* One model's training steps.  The names of their phases (models/step.h): */
extern const char *const bench_phase_names[STEP_PHASES];

typedef struct BenchSteps {
    BenchTime time;
    BenchTime processor;            /* what this process's threads took together */
    double *seconds, *spent, *loss; /* [count] of each timed step; owned */
    size_t count;
    double phase[STEP_PHASES]; /* seconds of a step, mean */
    double flops;              /* of a step: 3 times the forward pass */
    double rate; /* of the product: median of the measurements between the steps */
    double start, first; /* seconds: process to end of first step, first step alone */
    size_t parameters, activations, before, peak, arena, gradients, optimizer;
    double page_faults; /* a step, after the second */
} BenchSteps;

/* FAIL_INTERRUPTED: a signal came before a step was timed. */
Status bench_steps(Bench *bench, const BenchSubject *subject, BenchSteps *result,
                   Err *err);
void bench_steps_release(BenchSteps *result);

/* A note on stderr if some losses are not finite; were there any?  what: whose. */
bool bench_note_losses(const BenchSteps *steps, const char *what);

/* Steps of one model by where LayerNorm stands and with sigmaReparam or without (the
 * paper's Table 5): in turn, three steps of each, bench->steps of each in all. */
Status bench_norms(Bench *bench, const BenchModel *model, char **words, size_t count,
                   Err *err);

/* The same without probes and with all of them at every step, ten steps of each in
 * turn. */
Status bench_probes(Bench *bench, const BenchModel *model, char **words, size_t count,
                    Err *err);

/* Time and memory against tokens and depth: rows, fits, and a picture at `path` or
 * none. */
Status bench_growth(Bench *bench, char **words, size_t count, const char *path, Err *err);

/* Theorem 3.1 and Proposition 3.2 of Zhai et al. 2023, measured: gaps of heads above the
 * bound, spectral norms of Adam's steps against width on made gradients and in training
 * (tools/bench/theory.h); a picture at `path` or none. */
Status bench_theory(Bench *bench, char **words, size_t count, const char *path, Err *err);

/* ---- printing (print.c) ---- */

typedef struct BenchRow {
    const char *level; /* "kernel" or "op" */
    char name[40], shape[40];
    BenchTime time;
    double flops, bytes; /* of a call; flops = 0: its time goes into traffic */
    size_t per_step;     /* calls in a training step */
} BenchRow;

void bench_print_machine(const Bench *bench, size_t threads);
void bench_print_heading(const Bench *bench, const char *level,
                         const BenchSubject *subject);
void bench_print_row(const Bench *bench, const BenchSubject *subject,
                     const BenchRow *row);
void bench_print_steps(const Bench *bench, const BenchSubject *subject,
                       const BenchSteps *result);

/* A kind of norm or of probes, beside the kind without any. */
typedef struct BenchNorm {
    const char *name;
    BenchTime time, processor;
    double over, processor_over; /* times the floor's: medians of the turns' ratios */
} BenchNorm;

/* level: "norm" or "probes". */
void bench_print_norms(const Bench *bench, const BenchSubject *subject, const char *level,
                       const BenchNorm *norms, size_t count);

#endif
