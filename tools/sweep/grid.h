/* grid: from axes to cells.  For tools/sweep alone. */
#ifndef STEADY_SWEEP_GRID_H
#define STEADY_SWEEP_GRID_H

#include "tools/sweep/sweep.h"

/* Makes cells, their names and places from the axes. */
Status grid_make_cells(Sweep *sweep, Err *err);

/* A name that another cell below `cell` has, that is too long for a file or begins with
 * a dot ends in the cell's number. */
void grid_settle_name(Sweep *sweep, size_t cell);

#endif
