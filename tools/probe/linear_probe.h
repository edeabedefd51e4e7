/* linear_probe: how well a linear classifier on a frozen encoder's features of the
 * training split knows the pictures of another (`steady eval RUN --linear-probe`).
 *
 *     LinearProbe wish = linear_probe_default();
 *     json_t *row = linear_probe_row(&run, &wish, &err);      NULL: err says why
 *
 * Protocol of MoCo v3 (Chen et al. 2021; tools/probe/classifier.h).  With augment =
 * "none" the features are computed once, of the pictures as evaluation sees them; else
 * each picture is augmented and goes through the encoder in each epoch, as there. */
#ifndef STEADY_LINEAR_PROBE_H
#define STEADY_LINEAR_PROBE_H

#include <jansson.h>

#include "tools/probe/classifier.h"
#include "tools/task/openrun.h"

/* What is done to features before the classifier sees them. */
typedef enum { FEATURES_STANDARDISED, FEATURES_PLAIN } FeatureForm;
extern const char *const feature_forms[]; /* "standard", "none", NULL */

typedef struct LinearProbe {
    ClassifierPlan
        plan; /* batch 0: 1024, or all training pictures where they are fewer */
    const char *augment; /* of training pictures, as data.augment; "none" */
    FeatureForm form;
    Split split; /* that is scored */
    bool random; /* the same for the model with random weights */
} LinearProbe;

LinearProbe linear_probe_default(void);

/* Counts, scores and settings as one object; with `random` the run's weights are replaced
 * by random ones at the end.  FAIL_USAGE: a task without features, a batch that is larger
 * than the split; FAIL_DATA: training pictures of one class, an empty split;
 * FAIL_DIVERGED: features or the classifier's loss are not finite. */
json_t *linear_probe_row(OpenRun *run, const LinearProbe *wish, Err *err);

#endif
