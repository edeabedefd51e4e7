/* grid: from axes to cells.  For tools/sweep alone. */
#ifndef STEADY_SWEEP_GRID_H
#define STEADY_SWEEP_GRID_H

#include "tools/sweep/sweep.h"

/* Makes cells, their names and places from the axes. */
Status grid_make_cells(Sweep *sweep, Err *err);

#endif
