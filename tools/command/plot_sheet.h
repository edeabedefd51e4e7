/* plot_sheet: `steady plot --augment RECIPE [section.key=value ...] -o FILE`. */
#ifndef STEADY_PLOT_SHEET_H
#define STEADY_PLOT_SHEET_H

#include "tools/figure/augmented.h"

typedef struct PlotSheet {
    const char *recipe;
    const char *const *words; /* [count] section.key=value */
    size_t count;
    AugmentedOptions options; /* pictures, draws: 0: eight; the recipe has the seed */
    const char *output;
} PlotSheet;

/* FAIL_USAGE: a word that is no section.key=value, a recipe of other things than
 * pictures. */
Status plot_sheet(const PlotSheet *sheet, Err *err);

#endif
