/* figure: what was probed as a picture: of one checkpoint by depth, of several by step.
 *
 *     Chart *chart = probe_figure(&p, 1, NULL, "runs/demo, step 400");
 *     if (chart_write(chart, "probe.png", NULL, &err)) ...
 *     chart_free(chart); */
#ifndef STEADY_PROBE_FIGURE_H
#define STEADY_PROBE_FIGURE_H

#include "tools/chart/chart.h"
#include "tools/probe/probed.h"
#include "tools/run/runlog.h"

/* A column for each kind of attention; rows: entropy of each head with its bound of
 * Theorem 3.1 (by step: sites, and the smallest gap), concentration of singular values,
 * ranks, gradient norms, spectral norms; those that there are numbers for.  By step
 * also the events of `run` (NULL: none). */
Chart *probe_figure(Probed *const *p, size_t count, const RunLog *run, const char *title);

#endif
