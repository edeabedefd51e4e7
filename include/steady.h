/* steady: trains transformers on CPUs without attention entropy collapse (sigmaReparam,
 * Zhai et al. 2023).  This header is the whole library, and its manual.
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
 * Build with `cc prog.c $(pkg-config --cflags --libs steady)`.  docs/library.md is the
 * longer text, docs/recipe-keys.md lists every key; examples/ has four whole programs.
 *
 * Errors.  What can fail returns a steady_status, STEADY_OK being 0, and takes a
 * steady_error as its last argument, which may be NULL: one line that says what is wrong,
 * what was expected and what to do.  After STEADY_OK its text is "".  A function that
 * failed has changed nothing the caller can see, unless it says otherwise, and what it
 * was to make is NULL.
 *
 * The library does not print, end the process, read the environment or set signal
 * handlers.  (OpenMP and OpenBLAS, which it uses, read theirs.)  Memory that cannot be
 * had is STEADY_RUN.  A call that finds none, or a mistake of ours, in the middle of
 * its work (STEADY_RUN, STEADY_BUG) leaves the model good for steady_model_free alone:
 * later calls return the same.  What that call held is not given back.  OpenMP and
 * OpenBLAS end the process when they find no memory for their own threads and buffers;
 * that is out of our hands.
 *
 * Memory.  What a function makes (steady_X **) the caller frees with steady_X_free,
 * where NULL is fine.  Arguments are borrowed until the function returns, but where it
 * says otherwise.  Texts and arrays that belong to a handle are valid until the next
 * call with that handle.
 *
 * Threads.  Different handles may be used by different threads at the same time; one
 * handle by one thread at a time.  A model computes with OpenMP's threads of the calling
 * thread (omp_set_num_threads, OMP_NUM_THREADS), or with as many as the key
 * train.threads says.  A training set of pictures or speech has a thread that makes
 * batches ahead.  While a call lasts, its thread has the program's modes: the locale "C",
 * rounding to nearest, no floating-point traps, and, if the call is on a model, numbers
 * below 1.2e-38 flushed to zero.  So have functions of yours that it calls; afterwards
 * all is as it was.
 *
 * Numbers.  float and double are the C types, sizes are counts of items unless called
 * bytes, all losses and entropies are in nats.  Arrays are row-major, the last dimension
 * adjacent.  In libsteady64.a, which has these very functions, the inside computes in
 * double: for checks.  With one recipe, seed, thread count and machine the numbers are
 * those of the program `steady`, to the last bit, where OpenBLAS has its settings
 * (`steady doctor --env` prints them). */
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

/* Gets what the program would say on stderr beside errors: what is left out, changed,
 * guessed or has no effect.  One line, without its end, valid during the call; in the
 * thread of the call that it is about.  It must not call the library with the handle at
 * hand, throw or longjmp. */
typedef struct steady_listener {
    void (*note)(void *context, const char *line);
    void *context;
} steady_listener;

/* ---- recipes ----------------------------------------------------------------------- */

/* What a run is: its data, model, optimizer, schedule, as values of keys
 * "section.name". */
typedef struct steady_recipe steady_recipe;

/* All keys at their defaults, a small vision transformer on built-in pictures. */
steady_status steady_recipe_new(steady_recipe **recipe, steady_error *error);

/* A built-in recipe ("demo", "shakespeare-char": `steady recipes` lists them) or an INI
 * file.  STEADY_USAGE names file, line, and the nearest key or value that there is. */
steady_status steady_recipe_open(const char *name, steady_recipe **recipe,
                                 steady_error *error);

/* The same from the text of an INI file. */
steady_status steady_recipe_parse(const char *text, steady_recipe **recipe,
                                  steady_error *error);

/* One key; the value as it stands in a file: "0.001", "true", "sigma". */
steady_status steady_recipe_set(steady_recipe *recipe, const char *key, const char *value,
                                steady_error *error);

/* Writes the value and its final 0; STEADY_USAGE: no such key, or `size`
 * bytes are too few (1664 hold every value). */
steady_status steady_recipe_get(const steady_recipe *recipe, const char *key, char *value,
                                size_t size, steady_error *error);

void steady_recipe_free(steady_recipe *recipe);

/* ---- data in memory ---------------------------------------------------------------- */

typedef enum steady_split { STEADY_TRAIN, STEADY_VAL, STEADY_TEST } steady_split;

/* Examples of the caller's in place of the files that data.source names.  Each split is
 * given once; training has to be.  data.val_fraction and data.limit work as for files.
 * Not possible: speech (write a list of recordings, data.source = manifest), pictures
 * of different sizes. */
typedef struct steady_data steady_data;

steady_status steady_data_new(steady_data **data, steady_error *error);
void steady_data_free(steady_data *data); /* after the models that were made of it */

/* task.kind = classify or contrastive; the latter needs no labels: all 0 with classes = 1
 * are none.  The arrays are borrowed until steady_data_free. */
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

/* task.kind = language: a text of UTF-8, copied; data.tokens says what its tokens are. */
steady_status steady_data_text(steady_data *data, steady_split split, const char *text,
                               steady_error *error);

/* The same of numbers of another tokenizer: number 17 becomes the word "17", and prompts
 * and texts are such words with blanks between; an end of line follows the last.  Needs
 * data.tokens = word, and at least one number.  Copied. */
steady_status steady_data_tokens(steady_data *data, steady_split split,
                                 const uint32_t *ids, size_t count, steady_error *error);

/* task.kind = translate: line k of one is the translation of line k of the other;
 * copied. */
steady_status steady_data_pairs(steady_data *data, steady_split split, const char *source,
                                const char *target, steady_error *error);

/* ---- models ------------------------------------------------------------------------ */

/* A model with its data, optimizer and place in its training. */
typedef struct steady_model steady_model;

/* Opens the data, builds the model and gives it its initial values, by the recipe, which
 * is copied.  data: NULL for what data.source names, else borrowed by the model.
 * `listener` (NULL: nobody) is copied and gets all notes of this model.
 *
 * Keys of [guard], and train.log_every, eval_every, checkpoint_every, keep and best are
 * for the program: here the caller decides after each step, and they have no effect.
 * Refused (STEADY_USAGE): train.ema, schedule.name = plateau, and train.precision = bf16
 * where the processor has no products in bf16. */
steady_status steady_model_new(const steady_recipe *recipe, const steady_data *data,
                               const steady_listener *listener, steady_model **model,
                               steady_error *error);

/* A trained model out of a run folder of the program, to score, ask and read; it takes no
 * steps, so the numbers of its sites stay 0, and a file that it saves has weights alone.
 * checkpoint: a step's number, "best", "average:N", or a .safetensors file; NULL is the
 * newest. */
steady_status steady_model_open(const char *run, const char *checkpoint,
                                const steady_listener *listener, steady_model **model,
                                steady_error *error);

void steady_model_free(steady_model *model);

/* Steps that the recipe asks for (train.steps, or train.epochs of the data's; 0 of a
 * model of steady_model_open), and those that were taken. */
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
 * STEADY_DIVERGED: a loss, a gradient or, after the update, a weight is not finite; step,
 * op and parameter are named.  But for the last case the weights are as before, and the
 * next call takes the batch behind.  STEADY_DATA: an example cannot be read; the next
 * call tries it again.  STEADY_USAGE: all steps are taken (set train.steps). */
steady_status steady_model_step(steady_model *model, steady_step *step,
                                steady_error *error);

/* ---- scores ------------------------------------------------------------------------ */

/* Scores all of a split.  Translations are made too, which takes long
 * (train.beam = 0: not).
 * STEADY_USAGE: the data have no such split. */
steady_status steady_model_evaluate(steady_model *model, steady_split split,
                                    steady_error *error);

/* A number of the last evaluation, by its name in eval.jsonl: "loss", "nll"
 * (without smoothing), "top1", "top5" (shares 0 ... 1), "ppl", "bleu" (0 ... 100),
 * "wer", "cer", "count".  NaN: it is not finite, as the weights may be.
 * STEADY_USAGE: nothing is evaluated, or the task does not measure this; the text
 * lists what it does. */
steady_status steady_model_score(const steady_model *model, const char *name,
                                 double *value, steady_error *error);

/* ---- probes ------------------------------------------------------------------------ */

/* A place of attention in the last step's forward pass; means over examples and queries
 * that are not padding.  Before the first step all numbers are 0. */
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

/* ---- weights ----------------------------------------------------------------------- */

/* A named tensor; names and shapes are timm's for pictures (docs/library.md). */
typedef struct steady_parameter {
    const char *name; /* "blocks.0.attn.qkv.weight" */
    int dims;
    size_t shape[4]; /* [dims] */
    size_t size;     /* their product */
    int trained;     /* 0: a vector of the reparametrisation: not the optimizer's */
} steady_parameter;

size_t steady_model_parameters(const steady_model *model);
steady_status steady_model_parameter(const steady_model *model, size_t parameter,
                                     steady_parameter *out, steady_error *error);

/* values: [size] of that parameter; another `size` is STEADY_USAGE. */
steady_status steady_model_read(const steady_model *model, size_t parameter,
                                float *values, size_t size, steady_error *error);
steady_status steady_model_write(steady_model *model, size_t parameter,
                                 const float *values, size_t size, steady_error *error);

/* Everything that training needs to continue, in one safetensors file:
 * whole, or not at all. */
steady_status steady_model_save(steady_model *model, const char *path,
                                steady_error *error);

/* The weights alone of such a file, of a run's checkpoint, or of another program's file
 * with these names and shapes (train.init).  STEADY_DATA lists what is missing or
 * misshapen, or where a file of ours says that its weights mean something else. */
steady_status steady_model_load(steady_model *model, const char *path,
                                steady_error *error);

/* All of a file of steady_model_save, into a model of the same recipe and data: steps
 * that follow are, to the bit, those that would have followed there.  A note names keys
 * that the recipe there had otherwise. */
steady_status steady_model_resume(steady_model *model, const char *path,
                                  steady_error *error);

/* ---- answers ----------------------------------------------------------------------- */

/* task.kind = classify.  probabilities: [count, classes]; `classes` is checked, labels
 * and pictures->classes are not read.  Pictures of another size than the model's are
 * resized to it. */
steady_status steady_model_classify(steady_model *model, const steady_pictures *pictures,
                                    float *probabilities, size_t classes,
                                    steady_error *error);

/* Texts that the library makes end with 0 and are freed with steady_text_free. */
void steady_text_free(char *text);

typedef struct steady_sampling {
    size_t tokens;      /* to write */
    double temperature; /* 0: the most likely token each time */
    size_t top_k;       /* among the K most likely; 0: all */
    uint64_t seed;
} steady_sampling;

/* task.kind = language: the prompt (NULL: the start of a line) and what follows it. */
steady_status steady_model_continue(steady_model *model, const char *prompt,
                                    const steady_sampling *sampling, char **text,
                                    steady_error *error);

/* task.kind = translate: one sentence, by the beam search of train.beam (at least 1). */
steady_status steady_model_translate(steady_model *model, const char *sentence,
                                     char **translation, steady_error *error);

/* task.kind = transcribe: a recording (WAV, FLAC, what libsndfile reads). */
steady_status steady_model_transcribe(steady_model *model, const char *path, char **text,
                                      steady_error *error);

/* ---- an op of one's own ------------------------------------------------------------ */

/* y = f(x), row by row, between the last norm and the output layer: of pictures the rows
 * that the head reads, of texts and speech those of each token (of pairs, the decoder's).
 * It is there in training, scores and answers alike.
 *
 * Both functions are called in the thread of the call, with whole rows; a row of y may
 * depend on that row of x alone, and must not depend on when it is computed.  It has no
 * parameters that the optimizer knows; `context` may hold some that backward updates.
 * They must not call the library with this model, throw or longjmp. */
typedef struct steady_op {
    void *context; /* borrowed until the model is freed or has another op */
    /* x, y: [rows, width] */
    void (*forward)(void *context, size_t rows, size_t width, const float *x, float *y);
    /* dx = dy . df/dx, all [rows, width]; dx comes undefined and is set whole */
    void (*backward)(void *context, size_t rows, size_t width, const float *x,
                     const float *y, const float *dy, float *dx);
} steady_op;

/* op is copied; NULL takes it away.  Files of steady_model_save do not have it. */
steady_status steady_model_set_op(steady_model *model, const steady_op *op,
                                  steady_error *error);

#ifdef __GNUC__
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
