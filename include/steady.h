/* steady: trains transformers on CPUs without attention entropy collapse (sigmaReparam, Zhai et
 * al. 2023).  This header is the whole library, and its manual.
 *
 *     steady_error error;
 *     steady_recipe *recipe;
 *     steady_model *model;
 *     steady_step step;
 *     if (steady_recipe_open("demo", &recipe, &error) ||
 *         steady_recipe_set(recipe, "optim.lr", "0.001", &error) ||
 *         steady_model_new(recipe, NULL, NULL, &model, &error))
 *         return fprintf(stderr, "%s\n", error.text), error.status;
 *     while (!steady_model_step(model, &step, &error)) printf("%g\n", step.loss);
 *     steady_model_free(model);
 *     steady_recipe_free(recipe);
 *
 * Build with `cc prog.c $(pkg-config --cflags --libs steady)`.  docs/library.md is the longer
 * text, docs/recipe-keys.md lists every key; examples/ has four whole programs.
 *
 * Errors.  What can fail returns a steady_status, STEADY_OK being 0, and takes a steady_error as
 * its last argument, which may be NULL: one line that says what is wrong, what was expected and
 * what to do.  After STEADY_OK its text is "".  A function that failed has changed nothing the
 * caller can see, unless it says otherwise, and what it was to make is NULL.
 *
 * The library does not print, end the process, read the environment or set signal handlers.
 * (OpenMP and OpenBLAS, which it uses, read theirs.)  Memory that cannot be had is STEADY_RUN.
 * A call that finds none, or a mistake of ours, in the middle of its work (STEADY_RUN,
 * STEADY_BUG) leaves the model good for steady_model_free alone: later calls return the same.
 * What that call held is not given back.  OpenMP and OpenBLAS end the process when they find no
 * memory for their own threads and buffers; that is out of our hands.
 *
 * Memory.  What a function makes (steady_X **) the caller frees with steady_X_free, where NULL is
 * fine.  Arguments are borrowed until the function returns, but where it says otherwise.  Texts
 * and arrays that belong to a handle are valid until the next call with that handle.
 *
 * Threads.  Different handles may be used by different threads at the same time; one handle by
 * one thread at a time.  A model computes with OpenMP's threads of the calling thread
 * (omp_set_num_threads, OMP_NUM_THREADS), or with as many as the key train.threads says.  A
 * training set of pictures or speech has a thread that makes batches ahead.  Each call on a
 * model flushes numbers below 1.2e-38 to zero while it lasts, as the program does.
 *
 * Numbers.  float and double are the C types, sizes are counts of items unless called bytes, all
 * losses and entropies are in nats.  Arrays are row-major, the last dimension adjacent.  In
 * libsteady64.a, which has these very functions, the inside computes in double: for checks.
 * With one recipe, seed, thread count and machine the numbers are those of the program `steady`,
 * to the last bit. */
#ifndef STEADY_H
#define STEADY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#ifdef __GNUC__
#pragma GCC visibility push(default)
#endif

/* ---- version and errors ------------------------------------------------------------------ */

/* Of this header.  Until 1.0 a minor version may change functions, and the soname then. */
#define STEADY_VERSION_MAJOR 0
#define STEADY_VERSION_MINOR 1
#define STEADY_VERSION_PATCH 0

/* Of the library, "0.1.0". */
const char *steady_version(void);

/* The values are the exit codes of the program `steady`, but for STEADY_BUG. */
typedef enum steady_status {
    STEADY_OK = 0,
    STEADY_RUN = 1,       /* disk, memory, system */
    STEADY_USAGE = 2,     /* an argument, or a recipe: nothing was done */
    STEADY_DATA = 3,      /* a file, or data, not what they should be */
    STEADY_DIVERGED = 4,  /* a loss or a gradient is not finite */
    STEADY_COLLAPSED = 5, /* the program's collapse guard; no function here returns it */
    STEADY_BUG =
        70, /* a mistake of the library's, or an argument that it did not check */
    STEADY_INTERRUPTED = 75, /* a signal to the program; no function here returns it */
} steady_status;

typedef struct steady_error {
    steady_status status;
    char text[1000]; /* one line of UTF-8 without its end; control characters as \xNN */
} steady_error;

/* Gets what the program would say on stderr beside errors: what is left out, changed, guessed or
 * has no effect.  One line, without its end, valid during the call; in the thread of the call
 * that it is about.  It must not call the library with the handle at hand, throw or longjmp. */
typedef struct steady_listener {
    void (*note)(void *context, const char *line);
    void *context;
} steady_listener;

/* ---- recipes ----------------------------------------------------------------------------- */

/* What a run is: its data, model, optimizer, schedule, as values of keys "section.name". */
typedef struct steady_recipe steady_recipe;

/* All keys at their defaults, a small vision transformer on built-in pictures. */
steady_status steady_recipe_new(steady_recipe **recipe, steady_error *error);

/* A built-in recipe ("demo", "shakespeare-char": `steady recipes` lists them) or an INI file.
 * STEADY_USAGE names file, line, and the nearest key or value that there is. */
steady_status steady_recipe_open(const char *name, steady_recipe **recipe,
                                 steady_error *error);

/* The same from the text of an INI file. */
steady_status steady_recipe_parse(const char *text, steady_recipe **recipe,
                                  steady_error *error);

/* One key; the value as it stands in a file: "0.001", "true", "sigma". */
steady_status steady_recipe_set(steady_recipe *recipe, const char *key, const char *value,
                                steady_error *error);

/* Writes the value and its final 0; STEADY_USAGE: no such key, or `size` bytes are too few. */
steady_status steady_recipe_get(const steady_recipe *recipe, const char *key, char *value,
                                size_t size, steady_error *error);

void steady_recipe_free(steady_recipe *recipe);

/* ---- models ------------------------------------------------------------------------------ */

/* A model with its data, optimizer and place in its training. */
typedef struct steady_model steady_model;

/* Arrays of the caller's in place of data.source. */
typedef struct steady_data steady_data;

/* Opens the data, builds the model and gives it its initial values, by the recipe, which is
 * copied.  data: NULL for what data.source names.  `listener` (NULL: nobody) is copied and gets
 * all notes of this model.
 *
 * Keys of [guard], and train.log_every, eval_every, checkpoint_every, keep and best are for the
 * program: here the caller decides after each step, and they have no effect.  Refused
 * (STEADY_USAGE): train.ema, schedule.name = plateau. */
steady_status steady_model_new(const steady_recipe *recipe, const steady_data *data,
                               const steady_listener *listener, steady_model **model,
                               steady_error *error);

void steady_model_free(steady_model *model);

/* Steps that the recipe asks for (train.steps, or train.epochs of the data's), and those that
 * were taken. */
size_t steady_model_steps(const steady_model *model);
size_t steady_model_done(const steady_model *model);

typedef struct steady_step {
    size_t number; /* from 1 */
    double epoch;
    double loss; /* of the step's batch before its update: the mean, smoothing included */
    double learning_rate; /* that the update had */
    double gradient_norm; /* before clipping */
} steady_step;

/* The next batch, its gradients, the update.  `step` may be NULL.
 * STEADY_DIVERGED: loss or gradient is not finite, step, op and parameter are named; the weights
 * are as before, and a next call takes the batch behind it.  STEADY_DATA: an example cannot be
 * read.  STEADY_USAGE: all steps are taken (set train.steps). */
steady_status steady_model_step(steady_model *model, steady_step *step,
                                steady_error *error);

/* ---- scores ------------------------------------------------------------------------------ */

typedef enum steady_split { STEADY_TRAIN, STEADY_VAL, STEADY_TEST } steady_split;

/* Scores all of a split.  Translations are made too, which takes long (train.beam = 0: not).
 * STEADY_USAGE: the data have no such split. */
steady_status steady_model_evaluate(steady_model *model, steady_split split,
                                    steady_error *error);

/* A number of the last evaluation, by its name in eval.jsonl: "loss", "nll" (without smoothing),
 * "top1", "top5" (shares 0 ... 1), "ppl", "bleu" (0 ... 100), "wer", "cer", "count".
 * STEADY_USAGE: nothing is evaluated, or the task does not measure this; the text lists what it
 * does. */
steady_status steady_model_score(const steady_model *model, const char *name,
                                 double *value, steady_error *error);

/* ---- probes ------------------------------------------------------------------------------ */

/* A place of attention in the last step's forward pass; means over examples and queries that are not
 * padding.  Before the first step all numbers are 0. */
typedef struct steady_site {
    const char *name;            /* "blocks.0.attn" */
    size_t heads;                /* H */
    const double *entropy;       /* [H] 0 ... ln(keys) */
    const double *largest_logit; /* [H] */
    double uniform;              /* what the entropy were, were attention uniform */
} steady_site;

/* By depth.  `site` below steady_model_sites. */
size_t steady_model_sites(const steady_model *model);
steady_status steady_model_site(const steady_model *model, size_t site, steady_site *out,
                                steady_error *error);

/* A linear layer as it is now, behind the last update. */
typedef struct steady_weight {
    const char *name;     /* "blocks.0.attn.qkv" */
    double sigma;         /* spectral norm of the effective weight, to 1e-4 of itself */
    double gamma;         /* of sigmaReparam; NaN without it */
    double gradient_norm; /* of the last step, before clipping */
} steady_weight;

/* sigma costs a few products of the matrix with a vector, the first time some more. */
size_t steady_model_weights(const steady_model *model);
steady_status steady_model_weight(steady_model *model, size_t weight, steady_weight *out,
                                  steady_error *error);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
