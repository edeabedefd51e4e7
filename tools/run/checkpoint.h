/* checkpoint: everything that a run needs to go on, in one safetensors file.
 *
 *   blocks.0.attn.qkv.weight ...    parameters and buffers under their own names
 *   optim.m/NAME, optim.v/NAME ...  the optimizer's slots
 *   ema/NAME                        averaged weights, where they are kept
 *   probe.u/LAYER                   singular vectors that the probes follow
 *   probe.space/LAYER               what is tracked beside them (may be missing)
 *   __metadata__                    step, best score, data offset, recipe, CRC-32
 *
 * Written whole or not at all (data/file/safetensors.h). */
#ifndef STEADY_CHECKPOINT_H
#define STEADY_CHECKPOINT_H

#include "data/file/safetensors.h"
#include "data/place.h"
#include "data/skips.h"
#include "engine/optim/ema.h"
#include "engine/optim/optim.h"
#include "engine/optim/plateau.h"
#include "models/layer.h"
#include "tools/recipe/intervene.h"
#include "tools/run/probe.h"

/* Where a run's batches began to be made in another way; all zero: never. */
typedef struct Anchor {
    size_t step;         /* behind this step */
    double epoch, share; /* of the run, as logged; of the data's epoch, 0 ... 1 */
    Place place;
} Anchor;

/* What the data of a split were (data/facts.h). */
typedef struct DataMark {
    bool there;
    size_t count;
    uint64_t hash; /* 0: not known */
} DataMark;

/* What is not a tensor. */
typedef struct Progressed {
    size_t epoch_steps; /* batches of a whole epoch; 0: an older checkpoint */
    size_t epoch_left;  /* of the epoch of anchor.place, from there on */
    Anchor anchor;
    DataMark data[3];   /* by split: train, val, test */
    size_t step;        /* optimizer steps taken */
    size_t data_offset; /* batches that a rollback has passed over */
    bool pending_eval;  /* stopped before the evaluation that was due at `step` */
    double best_score;  /* NaN: none yet */
    size_t best_step;
    double temperature; /* of attention, at `step` */
    Acted acted;        /* groups of [intervene] that act at `step` */
    Plateau plateau;    /* of schedule.name = plateau */
} Progressed;

/* The owners of tensors; optim, ema and prober may be NULL (evaluation). */
typedef struct CheckpointParts {
    Model *model;
    Optimizer *optim;
    const char *optimizer; /* its name, as the recipe has it */
    const char *best_by;   /* the score that best_score is of; NULL: not kept */
    const char *recipe;    /* recipe_digest of what led here; NULL: not kept */
    const char *meaning;   /* meaning_describe; NULL: not kept */
    const char *precision; /* of products, "bf16" or "fp32"; NULL: not kept */
    Ema *ema;
    bool *warned; /* [sites of the model] guard.collapse has warned; NULL: not kept */
    bool *moved;  /* [parameters] guard.update_above has warned; NULL: not kept */
    Skips *skips; /* broken training examples that were met; NULL: not kept */
    Prober *prober;
} CheckpointParts;

/* `root` of these: the run folder that the path begins with, or NULL
 * (data/file/openfile.h). */

Status checkpoint_save(const char *path, const char *root, const CheckpointParts *parts,
                       const Progressed *progressed, Err *err);

/* A tensor that is missing or misshapen is FAIL_DATA with names and shapes, and the model
 * is as it was.  A checkpoint of another optimizer is FAIL_USAGE. */
Status checkpoint_load(const char *path, const char *root, const CheckpointParts *parts,
                       Progressed *progressed, Err *err);

/* Metadata of a checkpoint, as text; NULL: it has none of this name, or cannot be
 * read.  The caller frees. */
char *checkpoint_fact(const char *path, const char *root, const char *name);

/* What its data were; false: it does not say so, or cannot be read. */
bool checkpoint_data(const char *path, const char *root, DataMark data[3]);

/* Was the file written by checkpoint_save (its metadata says so)? */
bool checkpoint_is_own(const char *path, const char *root);

/* train.init: tensors of the file win; companions of a reparametrisation may be missing
 * and are then made (model_start).  A trained parameter that is missing or misshapen is
 * FAIL_DATA, listing names and shapes. */
Status weights_load(const char *path, const char *root, Model *model, Err *err);

/* The same for a model that is not trained from there, or trained on as it is: weights
 * without their gains, as exported, act as they are (model_start_plain). */
Status weights_load_plain(const char *path, const char *root, Model *model, Err *err);

#endif
