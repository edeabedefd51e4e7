/* probe_sites: the rows of "attention" in probe.jsonl (tools/run/probe.h). */
#ifndef STEADY_PROBE_SITES_H
#define STEADY_PROBE_SITES_H

#include <jansson.h>

#include "models/layer.h"

/* A row for each site.  sigma [model->layer_count]: spectral norms of the effective
 * weights, NaN where they are not known.  A number that the step did not measure has no
 * key in the row. */
json_t *probe_sites(const Model *model, const double *sigma);

#endif
