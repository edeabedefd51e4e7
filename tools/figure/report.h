/* report: one HTML file that tells a run's story and opens offline.
 *
 * DIR/report.html holds the verdict in words, final numbers, scores, the figures (PNG
 * inside the page, in a light and a dark version that the reader's settings choose from),
 * the heads with the lowest entropy, and the recipe. */
#ifndef STEADY_REPORT_H
#define STEADY_REPORT_H

#include "engine/core/base.h"

/* `path`: where to; NULL: DIR/report.html.  `message`: what ended the run before its time
 * (a fault, the collapse guard); NULL: what run.json says. */
Status report_write(const char *run_dir, const char *path, const char *message, Err *err);

#endif
