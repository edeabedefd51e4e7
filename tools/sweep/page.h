/* page: the sections of a sweep's report.html.  For tools/sweep alone. */
#ifndef STEADY_SWEEP_PAGE_H
#define STEADY_SWEEP_PAGE_H

#include "tools/figure/page.h"
#include "tools/sweep/sweep.h"

/* Name, how far it has come, and what became of its runs. */
void sweep_page_top(const Sweep *sweep, FILE *out);

/* The table of the runs; each name leads to the run's report, or its folder.  `links`:
 * what addresses begin with, "" for those relative to the sweep's folder. */
void sweep_page_runs(const Sweep *sweep, const char *links, FILE *out);

/* Statistics, the grid, definitions, and the page's end. */
void sweep_page_rest(const Sweep *sweep, const char *comparison, FILE *out);

#endif
