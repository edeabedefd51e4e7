/* precision: train.precision and train.bf16_keep of a recipe as what a pass is run in
 * (engine/core/precision.h).
 *
 *     PrecisionWay way = {.bf16 = true};           what this process makes of `auto`
 *     mode.precision = recipe_precision(&recipe, &way);
 *
 * Not for: what the processor has (tools/program/units.h), or choosing
 * (tools/task/precision.h). */
#ifndef STEADY_RECIPE_PRECISION_H
#define STEADY_RECIPE_PRECISION_H

#include "engine/core/precision.h"
#include "tools/recipe/recipe.h"

/* What depends on the process; all zero: auto is fp32, bf16 takes the best kernels. */
typedef struct PrecisionWay {
    bool bf16;  /* train.precision = auto is bf16 here */
    bool off;   /* fp32, whatever the recipe says */
    bool plain; /* bf16 by plain loops */
} PrecisionWay;

/* The double build has no bf16: all zero. */
Precision recipe_precision(const Recipe *recipe, const PrecisionWay *way);

/* "attention, reparam"; blanks or commas between them.  FAIL_USAGE names the key. */
Status bf16_keep_check(const char *text, Err *err);

const char *precision_name(PrecisionKind kind); /* "fp32", "bf16" */

/* "fp32", "bf16", "bf16, attention in fp32": for people. */
enum { PRECISION_TEXT = 60 };
void precision_text(const Precision *precision, char text[PRECISION_TEXT]);

#endif
