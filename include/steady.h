/* steady: trains transformers on CPUs without attention entropy collapse (sigmaReparam,
 * Zhai et al. 2023).  This header is the complete interface of the library, and its
 * manual.
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
 * Build with `cc prog.c $(pkg-config --cflags --libs steady)`.  docs/library.md explains
 * more, docs/recipe-keys.md lists every key, examples/ has four complete programs.
 *
 * Errors.  Functions that can fail return a steady_status (STEADY_OK is 0).  Their last
 * argument is a steady_error, or NULL: one line with what is wrong, what was expected
 * and what to do.  After STEADY_OK its text is "".  A function that failed has changed
 * nothing that the caller can see, unless it says otherwise, and its result is NULL.
 *
 * The library does not print, end the process, read the environment or set signal
 * handlers.  (OpenMP and OpenBLAS, which it uses, read theirs.)  Lack of memory is
 * STEADY_RUN.  If a call runs out of memory, or meets a bug of the library, in the middle
 * of its work (STEADY_RUN, STEADY_BUG), the model can only be freed (steady_model_free):
 * later calls return the same status.  The memory of that call is lost.  OpenMP and
 * OpenBLAS end the process if they find no memory for their own threads and buffers; the
 * library cannot prevent this.
 *
 * Memory.  The caller frees what a function creates (steady_X **) with steady_X_free,
 * which accepts NULL.  Arguments are borrowed until the function returns, unless it says
 * otherwise.  Texts and arrays that belong to a handle are valid until the next
 * call with that handle.
 *
 * Threads.  Different threads may use different handles at the same time; only one thread
 * at a time may use a handle.  A model computes with the OpenMP threads of the calling
 * thread (omp_set_num_threads, OMP_NUM_THREADS), or with the number in train.threads.  A
 * training set of pictures or speech has a thread that prepares batches in advance.
 * During a call its thread has fixed modes: the locale "C", rounding to nearest, no
 * floating-point traps and, for calls on a model, numbers below 1.2e-38 flushed to zero.
 * Functions of yours that it calls run in these modes; the call restores the old ones.
 *
 * Numbers.  float and double are the C types, sizes are counts of items unless called
 * bytes, all losses and entropies are in nats.  Arrays are row-major, the last dimension
 * adjacent.  libsteady64.a has the same functions and computes in double, for checks.
 * With the same recipe, seed, thread count and machine the numbers equal those of the
 * program `steady` bit for bit, if OpenBLAS has the same settings (`steady doctor --env`
 * prints them). */
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

/* ---- version and errors ------------------------------------------------------------ */

/* Of this header.  Until 1.0 a minor version may change functions, and the soname
 * then. */
#define STEADY_VERSION_MAJOR 0
#define STEADY_VERSION_MINOR 1
#define STEADY_VERSION_PATCH 0

/* Of the library, "0.1.0". */
const char *steady_version(void);

/* The values are the exit codes of the program `steady`, except STEADY_BUG. */
typedef enum steady_status {
    STEADY_OK = 0,
    STEADY_RUN = 1,       /* disk, memory, system */
    STEADY_USAGE = 2,     /* an argument, or a recipe: nothing was done */
    STEADY_DATA = 3,      /* a file or data are not as expected */
    STEADY_DIVERGED = 4,  /* a loss or a gradient is not finite */
    STEADY_COLLAPSED = 5, /* the program's collapse guard; no function here returns it */
    STEADY_BUG = 70,      /* a bug of the library, or an argument that it did not check */
    STEADY_INTERRUPTED = 75, /* a signal to the program; no function here returns it */
} steady_status;

typedef struct steady_error {
    steady_status status;
    char text[1000]; /* one line of UTF-8 without its end; control characters as \xNN */
} steady_error;

/* Receives the notes that the program prints to stderr in addition to errors: what is
 * skipped, changed, guessed or has no effect.  One line, without its end, valid during
 * the call; called in the thread of the call that it is about.  It must not call the
 * library with the same handle, throw or longjmp. */
typedef struct steady_listener {
    void (*note)(void *context, const char *line);
    void *context;
} steady_listener;

/* ---- recipes ----------------------------------------------------------------------- */

/* The definition of a run: data, model, optimizer, schedule, as values of keys
 * "section.name". */
typedef struct steady_recipe steady_recipe;

/* All keys at their defaults, a small vision transformer on built-in pictures. */
steady_status steady_recipe_new(steady_recipe **recipe, steady_error *error);

/* A built-in recipe ("demo", "shakespeare-char": `steady recipes` lists them) or an INI
 * file.  STEADY_USAGE names file, line, and the nearest known key or value. */
steady_status steady_recipe_open(const char *name, steady_recipe **recipe,
                                 steady_error *error);

/* The same from the text of an INI file. */
steady_status steady_recipe_parse(const char *text, steady_recipe **recipe,
                                  steady_error *error);

/* Sets one key; the value is written as in a file: "0.001", "true", "sigma". */
steady_status steady_recipe_set(steady_recipe *recipe, const char *key, const char *value,
                                steady_error *error);

/* Writes the value and its final 0; STEADY_USAGE: no such key, or `size`
 * bytes are too few (1664 hold every value). */
steady_status steady_recipe_get(const steady_recipe *recipe, const char *key, char *value,
                                size_t size, steady_error *error);

void steady_recipe_free(steady_recipe *recipe);

/* ---- data in memory ---------------------------------------------------------------- */

typedef enum steady_split { STEADY_TRAIN, STEADY_VAL, STEADY_TEST } steady_split;

/* Examples in memory instead of the files of data.source.  Each split is given at most
 * once; the training split is required.  data.val_fraction and data.limit work as for
 * files.  Not supported: speech (write a list of recordings, data.source = manifest),
 * pictures of different sizes. */
typedef struct steady_data steady_data;

steady_status steady_data_new(steady_data **data, steady_error *error);
void steady_data_free(steady_data *data); /* after the models that use it */

/* task.kind = classify or contrastive; the latter needs no labels: give all 0 and
 * classes = 1.  The arrays are borrowed until steady_data_free. */
typedef struct steady_pictures {
    const uint8_t *pixels; /* [count, height, width, channels] 0 ... 255; see data.mean */
    const uint32_t
        *labels; /* [count] each below classes; NULL: none, for steady_model_classify */
    size_t count;
    size_t height, width; /* a multiple of model.patch, or data.image_size resizes them */
    size_t channels;      /* 1 grey, 3 RGB; up to 4 */
    size_t classes;       /* the same, as are sizes and channels, for all splits */
} steady_pictures;
steady_status steady_data_pictures(steady_data *data, steady_split split,
                                   const steady_pictures *pictures, steady_error *error);

/* task.kind = language: a UTF-8 text, copied; data.tokens defines its tokens. */
steady_status steady_data_text(steady_data *data, steady_split split, const char *text,
                               steady_error *error);

/* The same from token ids of another tokenizer: id 17 becomes the word "17", and prompts
 * and texts are such words separated by spaces; the last is followed by an end of line.
 * Needs data.tokens = word and at least one id.  Copied. */
steady_status steady_data_tokens(steady_data *data, steady_split split,
                                 const uint32_t *ids, size_t count, steady_error *error);

/* task.kind = translate: line k of one is the translation of line k of the other;
 * copied. */
steady_status steady_data_pairs(steady_data *data, steady_split split, const char *source,
                                const char *target, steady_error *error);

/* ---- models ------------------------------------------------------------------------ */

/* A model with its data, optimizer and training state. */
typedef struct steady_model steady_model;

/* Opens the data, builds and initialises the model by the recipe, which is copied.
 * data: NULL for the files of data.source, otherwise borrowed by the model.
 * `listener` (NULL: none) is copied and receives all notes of this model.
 *
 * The keys of [guard], and train.log_every, eval_every, checkpoint_every, keep and best
 * are for the program and have no effect here: the caller decides after each step.
 * Refused (STEADY_USAGE): train.ema, schedule.name = plateau, and train.precision = bf16
 * on a processor without bf16 products. */
steady_status steady_model_new(const steady_recipe *recipe, const steady_data *data,
                               const steady_listener *listener, steady_model **model,
                               steady_error *error);

/* A trained model from a run folder of the program, for scores, answers and reading.  It
 * cannot be trained, so the numbers of its sites stay 0 and a file that it saves has
 * only weights.  checkpoint: a step's number, "best", "average:N", or a .safetensors
 * file; NULL is the newest. */
steady_status steady_model_open(const char *run, const char *checkpoint,
                                const steady_listener *listener, steady_model **model,
                                steady_error *error);

void steady_model_free(steady_model *model);

/* Steps of the recipe (train.steps or train.epochs; 0 for a model of steady_model_open),
 * and steps done. */
size_t steady_model_steps(const steady_model *model);
size_t steady_model_done(const steady_model *model);

typedef struct steady_step {
    size_t number; /* from 1 */
    double epoch;
    double loss; /* mean over the batch before the update, with label smoothing */
    double learning_rate; /* of the update */
    double gradient_norm; /* before clipping */
} steady_step;

/* Takes one step: next batch, gradients, update.  `step` may be NULL.
 * STEADY_DIVERGED: a loss, a gradient or, after the update, a weight is not finite; the
 * text names step, op and parameter.  Except in the last case the weights are unchanged
 * and the next call takes the next batch.  STEADY_DATA: an example cannot be read; the
 * next call tries it again.  STEADY_USAGE: all steps are done (set train.steps). */
steady_status steady_model_step(steady_model *model, steady_step *step,
                                steady_error *error);

/* ---- scores ------------------------------------------------------------------------ */

/* Scores a whole split.  For translation it also translates the split, which takes long
 * (train.beam = 0 skips this).
 * STEADY_USAGE: the data have no such split. */
steady_status steady_model_evaluate(steady_model *model, steady_split split,
                                    steady_error *error);

/* A number of the last evaluation, by its name in eval.jsonl: "loss", "nll"
 * (without smoothing), "top1", "top5" (shares 0 ... 1), "ppl", "bleu" (0 ... 100),
 * "wer", "cer", "count".  NaN: not finite, which can follow from the weights.
 * STEADY_USAGE: nothing has been evaluated, or the task does not measure this; the text
 * lists the names that it has. */
steady_status steady_model_score(const steady_model *model, const char *name,
                                 double *value, steady_error *error);

/* ---- probes ------------------------------------------------------------------------ */

/* An attention site in the forward pass of the last step; means over examples and
 * queries that are not padding.  Before the first step all numbers are 0. */
typedef struct steady_site {
    const char *name;            /* "blocks.0.attn" */
    size_t heads;                /* H */
    const double *entropy;       /* [H] 0 ... ln(keys) */
    const double *largest_logit; /* [H] */
    double uniform;              /* entropy of uniform attention */
} steady_site;

/* In order of depth.  `site` < steady_model_sites. */
size_t steady_model_sites(const steady_model *model);
steady_status steady_model_site(const steady_model *model, size_t site, steady_site *out,
                                steady_error *error);

/* A linear layer after the last update. */
typedef struct steady_weight {
    const char *name;     /* "blocks.0.attn.qkv" */
    double sigma;         /* spectral norm of the effective weight, relative error 1e-4 */
    double gamma;         /* of sigmaReparam; NaN without it */
    double gradient_norm; /* of the last step, before clipping */
} steady_weight;

/* sigma costs a few matrix-vector products, more on the first call. */
size_t steady_model_weights(const steady_model *model);
steady_status steady_model_weight(steady_model *model, size_t weight, steady_weight *out,
                                  steady_error *error);

/* ---- weights ----------------------------------------------------------------------- */

/* A named tensor; names and shapes are timm's for pictures (docs/library.md). */
typedef struct steady_parameter {
    const char *name; /* "blocks.0.attn.qkv.weight" */
    int dims;
    size_t shape[4]; /* [dims] */
    size_t size;     /* their product */
    int trained;     /* 0: a vector of the reparametrisation, not optimized */
} steady_parameter;

size_t steady_model_parameters(const steady_model *model);
steady_status steady_model_parameter(const steady_model *model, size_t parameter,
                                     steady_parameter *out, steady_error *error);

/* values: [size] of that parameter; another `size` is STEADY_USAGE. */
steady_status steady_model_read(const steady_model *model, size_t parameter,
                                float *values, size_t size, steady_error *error);
steady_status steady_model_write(steady_model *model, size_t parameter,
                                 const float *values, size_t size, steady_error *error);

/* Saves everything that is needed to continue training in one safetensors file.  A
 * failure leaves no partial file. */
steady_status steady_model_save(steady_model *model, const char *path,
                                steady_error *error);

/* Loads only the weights of such a file, of a run's checkpoint, or of a file of another
 * program with these names and shapes (train.init).  STEADY_DATA lists missing tensors,
 * wrong shapes, and facts in a file of steady that do not match the model. */
steady_status steady_model_load(steady_model *model, const char *path,
                                steady_error *error);

/* Loads a whole file of steady_model_save into a model of the same recipe and data: later
 * steps equal, bit for bit, those of a run that never stopped.  A note names keys with
 * other values in the saved recipe. */
steady_status steady_model_resume(steady_model *model, const char *path,
                                  steady_error *error);

/* ---- answers ----------------------------------------------------------------------- */

/* task.kind = classify.  probabilities: [count, classes]; `classes` is checked, labels
 * and pictures->classes are not read.  Pictures of another size than the model's are
 * resized to it. */
steady_status steady_model_classify(steady_model *model, const steady_pictures *pictures,
                                    float *probabilities, size_t classes,
                                    steady_error *error);

/* Texts that the library returns end with 0; free them with steady_text_free. */
void steady_text_free(char *text);

typedef struct steady_sampling {
    size_t tokens;      /* to write */
    double temperature; /* 0: always the most likely token */
    size_t top_k;       /* sample from the K most likely tokens; 0: from all */
    uint64_t seed;
} steady_sampling;

/* task.kind = language: the prompt (NULL: the start of a line) and its continuation. */
steady_status steady_model_continue(steady_model *model, const char *prompt,
                                    const steady_sampling *sampling, char **text,
                                    steady_error *error);

/* task.kind = translate: one sentence, by the beam search of train.beam (at least 1). */
steady_status steady_model_translate(steady_model *model, const char *sentence,
                                     char **translation, steady_error *error);

/* task.kind = transcribe: a recording (WAV, FLAC and other formats of libsndfile). */
steady_status steady_model_transcribe(steady_model *model, const char *path, char **text,
                                      steady_error *error);

/* ---- your own op ------------------------------------------------------------------- */

/* y = f(x), row by row, between the last norm and the output layer.  Rows: for pictures
 * the input of the head, for texts and speech one per token (translation: of the
 * decoder). The op acts in training, scores and answers.
 *
 * Both functions are called in the thread of the call, with whole rows.  A row of y may
 * only depend on the same row of x, and must not depend on when it is computed.  The op
 * has no parameters for the optimizer; `context` may hold some that backward updates.
 * The functions must not call the library with this model, throw or longjmp. */
typedef struct steady_op {
    void *context; /* borrowed until the model is freed or gets another op */
    /* x, y: [rows, width] */
    void (*forward)(void *context, size_t rows, size_t width, const float *x, float *y);
    /* dx = dy . df/dx, all [rows, width]; dx is uninitialised; set all of it */
    void (*backward)(void *context, size_t rows, size_t width, const float *x,
                     const float *y, const float *dy, float *dx);
} steady_op;

/* op is copied; NULL removes it.  Files of steady_model_save do not contain it. */
steady_status steady_model_set_op(steady_model *model, const steady_op *op,
                                  steady_error *error);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
