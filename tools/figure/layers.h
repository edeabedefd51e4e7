/* layers: sites as figures show them - labels, colours, and the choice of layers.
 *
 *     LayerChoice choice = {0};
 *     layer_choose(&choice, run, "first,last,lowest", &err);
 *     if (layer_chosen(&choice, "blocks.0.attn")) ... layer_shade(&choice, "blocks.0.attn") ...
 *     layer_choice_free(&choice); */
#ifndef STEADY_LAYERS_H
#define STEADY_LAYERS_H

#include "tools/chart/chart.h"
#include "tools/run/layer.h"
#include "tools/run/runlog.h"

/* "blocks.0" for "blocks.0.attn": short, and still what the logs say. */
void layer_label(const char *site, char label[96]);

/* "blocks.3" for any site of a block, where a heading says of which kind. */
void layer_block_label(const char *site, char label[96]);

/* How many sites of that kind a run has probes of. */
size_t layer_kind_count(const ProbeLog *probe, LayerKind kind);

/* As runlog_lowest, among the sites of one kind. */
EntropyLow layer_kind_lowest(const RunLog *run, LayerKind kind);

/* Names of sites that a figure shows. */
typedef struct LayerChoice {
    char (*names)[96];
    size_t count, room;
} LayerChoice;

/* Adds the sites of a run that `text` asks for: "all", or numbers, "first",
 * "middle", "last", "lowest", "collapsed", comma-separated; each kind of site has its
 * own.  Of those that collapsed, at a probe or by the guard's warning, the first
 * LAYERS_FALLEN to do so.  FAIL_USAGE: another word. */
enum { LAYERS_FALLEN = 6 };
Status layer_choose(LayerChoice *choice, const RunLog *run, const char *text, Err *err);
bool layer_chosen(const LayerChoice *choice, const char *site);
/* Colours: a hue for each kind of site, and 0 (the first) to 1 (the last) among the
 * chosen sites of a kind. */
Hue layer_hue(const ProbeLog *probe, size_t site);
double layer_shade(const LayerChoice *choice, const char *site);

/* Chosen sites of that kind. */
size_t layer_chosen_count(const LayerChoice *choice, LayerKind kind);

/* Is the site one of the `most` that stand for all chosen of its kind in a legend?  The
 * first and the last do, the others lie evenly between them. */
bool layer_in_legend(const LayerChoice *choice, const char *site, size_t most);

void layer_choice_free(LayerChoice *choice);

#endif
