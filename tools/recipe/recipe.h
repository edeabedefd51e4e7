/* recipe: everything a run is, read from an INI file and `section.key=value` words.
 *
 *     Recipe recipe = recipe_default();
 *     if (recipe_load(&recipe, "mnist", &err) ||              a built-in name or a file
 *         recipe_set(&recipe, "optim.lr=0.02", &err)) ...
 *     recipe_check(&recipe, &err);                            what keys say together
 *
 * One table (tools/recipe/keys.c) gives each key its place in these structs, type,
 * range, default and sentence; reading, writing, --help-keys and
 * docs/recipe-keys.md all come from it. */
#ifndef STEADY_RECIPE_H
#define STEADY_RECIPE_H

#include <stdio.h>

#include "data/config.h"
#include "engine/optim/config.h"
#include "models/config.h"
#include "tools/program/nearest.h"
#include "tools/recipe/moment.h"
#include "tools/recipe/tasks.h"

typedef enum { NONFINITE_STOP, NONFINITE_ROLLBACK } NonfinitePolicy;
typedef enum { COLLAPSE_WARN, COLLAPSE_STOP } CollapsePolicy;
typedef enum { EXIT_VERDICT, EXIT_OK } ExitPolicy;
typedef enum { INIT_MEANING, INIT_SHAPES } InitFit;
typedef enum { TRAIN_FP32, TRAIN_BF16, TRAIN_AUTO } PrecisionChoice;
typedef enum { RECOMPUTE_NONE, RECOMPUTE_BLOCK } RecomputeKind;

typedef struct TrainConfig {
    double epochs; /* length of the run: epochs or steps, one of them */
    size_t steps;
    size_t batch;         /* examples an optimizer step sees */
    size_t batch_tokens;  /* pairs of sentences: token slots a step instead; 0: batch */
    double batch_seconds; /* speech: seconds of sound a step instead; 0: batch */
    size_t accumulate;    /* micro-batches a step is split into, at least */
    RecomputeKind recompute;
    PrecisionChoice precision; /* of large products (tools/recipe/precision.h) */
    char bf16_keep[64];        /* what stays in fp32 with bf16: "attention, reparam" */
    uint64_t seed;
    double label_smoothing;
    double mixup, cutmix; /* alpha of the Beta distribution; 0: off */
    double ema;           /* decay of the averaged weights; 0: off */
    InitFit init_fit;     /* what `init` is compared by */
    char init[1024]; /* safetensors file or run whose tensors win over initialisation */
    bool transfer;   /* and are made to fit another head and grid of patches */
    bool init_ema;   /* the averaged ones of them */
    char init_grid[16];      /* "14x14": of its patches; "": known, or a square */
    size_t threads;          /* 0: min(affinity, cgroup quota, physical cores) */
    size_t log_every;        /* steps between rows of train.jsonl */
    size_t eval_every;       /* steps; 0: at each epoch's end.  Always at the end */
    size_t checkpoint_every; /* steps; 0: at each epoch's end.  Always at the end */
    size_t keep;             /* newest checkpoints that stay, beside the best */
    int best;                /* what the best checkpoint is chosen by (metric_best) */
    size_t eval_stride;      /* language: tokens that each window scores; 0: all of it */
    size_t beam;             /* translation: hypotheses of the search; 0: none is made */
    double length_penalty;   /* exponent of the length that scores are divided by */
    size_t max_decode;       /* tokens of a translation */
} TrainConfig;

typedef struct ProbeConfig {
    size_t every;            /* steps between rows of probe.jsonl; 0: never */
    size_t heads_every;      /* rows of these steps look at each head; 0: none does */
    bool entropy;            /* attention: entropy and largest logit */
    bool spectral;           /* weights: sigma and gamma */
    Moment sharpness;        /* steps or epochs between measurements; 0: never */
    size_t sharpness_sample; /* training examples of the Hessian */
    bool gradients;          /* weights: grad_inf, grad_norm, update, update_ratio */
} ProbeConfig;

typedef struct GuardConfig {
    NonfinitePolicy nonfinite;
    CollapsePolicy collapse;
    /* collapse: mean entropy of a site under this share of uniform's */
    double entropy_below;
    /* a tensor that a step moves by more than this share of itself; 0: no matter */
    double update_above;
    ExitPolicy exit; /* of a run that has taken its steps and is judged diverged */
} GuardConfig;

enum { INTERVENE_GROUPS = 8, INTERVENE_TEXT = 400 };

/* What changes, and when (tools/recipe/intervene.h). */
typedef struct Intervention {
    Moment at;
    char changes[INTERVENE_TEXT]; /* "optim.lr=0.1, ...", each as the recipe writes it */
} Intervention;

typedef struct InterveneConfig {
    Intervention group[INTERVENE_GROUPS];
} InterveneConfig;

enum { RECIPE_BITS = 4 }; /* words of a set of keys (tools/recipe/keys.h) */

typedef struct Recipe {
    char name[64]; /* built-in name, or the file's name without .ini */
    TaskKind task;
    DataConfig data;
    ModelConfig model;
    ContrastConfig contrast;
    OptimConfig optim;
    ScheduleConfig schedule;
    TrainConfig train;
    ProbeConfig probe;
    GuardConfig guard;
    InterveneConfig intervene;
    uint64_t given[RECIPE_BITS];  /* bit i: key i was given, in a file or a word */
    uint64_t worded[RECIPE_BITS]; /* bit i: key i was given on the command line */
    /* bit i: key i was given by the user: worded, or in a file of theirs, which neither a
     * built-in recipe nor a run's is */
    uint64_t own[RECIPE_BITS];
} Recipe;

Recipe recipe_default(void);

/* Reads a built-in recipe, or an INI file when `name` has a slash or ends in .ini, or is
 * no built-in name but an existing file; MNIST is mnist where there is no such file.  An
 * error names file, line, and the nearest valid key or value (FAIL_USAGE) and leaves the
 * recipe as it was.  Keys of other tasks are accepted and noted (recipe_notes).  A line
 * has at most 1100 characters, a text 1023. */
Status recipe_load(Recipe *recipe, const char *name, Err *err);

/* The recipe.ini of a run: what it sets is not the user's (recipe_notes).  `root`: the
 * run folder (data/file/openfile.h), or NULL. */
Status recipe_load_file(Recipe *recipe, const char *path, const char *root, Err *err);

/* The text of a user's INI file; `label` is its name in errors. */
Status recipe_read(Recipe *recipe, const char *label, const char *text, Err *err);

/* Applies one "section.key=value" word of the command line.  It wins over the file:
 * train.steps also takes the place of the file's train.epochs and the other way round,
 * and so do schedule.warmup_steps and schedule.warmup_epochs; a pair of such words is
 * left to recipe_check. */
Status recipe_set(Recipe *recipe, const char *word, Err *err);
/* The same of a key and its value. */
Status recipe_give(Recipe *recipe, const char *key, const char *value, Err *err);

/* One line for each key that was given and does nothing, as messages for stderr; returns
 * how many.  `out` may be NULL.  A key of another task is named whoever gave it; one
 * whose condition does not hold (Key.when) if it is a word, or stands in the user's file
 * with another value than its default: "data.bpe_codes has no effect: it needs
 * data.tokens = bpe (is word)".  Call it after recipe_check. */
size_t recipe_notes(const Recipe *recipe, FILE *out);

/* Keys that the task does not use go back to their defaults (recipe_notes has
 * named them).  Then what single keys cannot see: width % heads, epochs and
 * steps both given, ... */
Status recipe_check(Recipe *recipe, Err *err);

/* Writes every key with its present value, as an INI file that loads back to the same
 * recipe; a new file (openfile_create). */
Status recipe_save(const Recipe *recipe, const char *path, const char *root, Err *err);
void recipe_print(const Recipe *recipe, FILE *out);

/* Value of one key as text ("0.02"), for tables of a sweep; FAIL_USAGE
 * with the nearest key. */
Status recipe_get(const Recipe *recipe, const char *key, char *value, size_t size,
                  Err *err);

void recipe_help_keys(FILE *out); /* steady train --help-keys */
/* The same of a section (optim), a key (optim.lr) or the keys of a name (lr, or
 * learning-rate as other programs have it).  FAIL_USAGE: there are none, with near
 * ones. */
Status recipe_help_of(const char *name, FILE *out, Err *err);
void recipe_help_keys_markdown(FILE *out); /* docs/recipe-keys.md */

/* Built-in recipes: tools/recipes/NAME.ini, compiled in by the Makefile. */
size_t recipe_builtin_count(void);
const char *recipe_builtin_name(size_t i);
const char *recipe_builtin_text(const char *name); /* NULL: no such recipe */
/* The name that `name` is, capitals and _ aside; NULL: of none. */
const char *recipe_builtin_same(const char *name);
/* "; did you mean NAME?", or ";" where none is near. */
const char *recipe_builtin_hint(const char *name, char hint[NEAREST_HINT]);

#endif
