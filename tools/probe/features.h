/* features: what a frozen encoder makes of pictures, as rows of numbers with labels, for
 * probes of it (TaskOps.features).
 *
 *     Features f;
 *     if (features_of_split(run, SPLIT_TRAIN, &f, &err)) return err.status;
 *     f.x[i * f.width + d], f.label[i]
 *     features_free(&f);
 *
 * Pictures are as evaluation sees them, in the data's order; broken ones are left out
 * where data.on_error says so.  Not for: other tasks than those of pictures. */
#ifndef STEADY_FEATURES_H
#define STEADY_FEATURES_H

#include "data/picture/loader.h"
#include "tools/task/openrun.h"

typedef struct Features {
    size_t count, width; /* N pictures, D numbers each */
    size_t classes;      /* of the data; labels are below it */
    real *x;             /* [N, D] */
    size_t *label;       /* [N] */
    size_t skipped;      /* broken pictures that were left out */
} Features;

/* FAIL_USAGE where the run's task has none, or a word is for its loss alone.  A note says
 * that weights are random. */
Status features_check(const OpenRun *run, Err *err);

/* FAIL_DATA: an empty split; FAIL_DIVERGED: a feature that is not finite. */
Status features_of_split(OpenRun *run, Split split, Features *f, Err *err);
void features_free(Features *f); /* all zero is fine */

/* A safetensors file of `features` [N, D] and `label` [N], numbers as they are; metadata:
 * split, step, checkpoint, and class_names as a JSON array where they are known. */
Status features_save(const OpenRun *run, Split split, const Features *f, const char *path,
                     Err *err);

/* The rows of a batch of any kind, x [B, D], in pieces of train.batch pictures.
 * FAIL_DIVERGED names the item whose features are not finite. */
Status features_of_batch(OpenRun *run, const Batch *batch, Split split, real *x,
                         Err *err);

/* Mean and deviation of each feature, of the training split: what standardises those of
 * any. */
typedef struct FeatureScale {
    size_t width;
    real *mean, *factor; /* [D]; x becomes (x - mean) factor */
} FeatureScale;

/* factor = 1 / sqrt(variance + eps), eps = 1e-6 of the features' mean variance: an
 * affine-free batch norm over the whole split.  A constant feature becomes 0. */
FeatureScale feature_scale_of(const Features *f);
void feature_scale_apply(const FeatureScale *scale, real *x, size_t count);
void feature_scale_free(FeatureScale *scale); /* all zero is fine */

#endif
