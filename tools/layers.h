/* layers: names of sites and weights taken apart, and the choice of layers for a figure.
 *
 *     LayerName part = layer_name("decoder.blocks.3.cross");   prefix "decoder.", block 3,
 *                                                              suffix "cross"               */
#ifndef STEADY_LAYERS_H
#define STEADY_LAYERS_H

#include "tools/chart.h"
#include "tools/runlog.h"

typedef struct LayerName {
    char prefix[40]; /* "", "encoder.", "decoder." */
    char suffix[80]; /* "attn", "cross", "attn.qkv"; the whole name without blocks */
    bool in_block;
    size_t block;
} LayerName;

LayerName layer_name(const char *name);
bool layer_same_kind(const LayerName *a,
                     const LayerName *b); /* prefix and suffix agree */

/* "blocks.0" for "blocks.0.attn": short, and still what the logs say. */
void layer_label(const char *site, char label[96]);

/* Names of sites that a figure shows. */
typedef struct LayerChoice {
    char (*names)[96];
    size_t count;
} LayerChoice;

/* Adds the sites of a run that `text` asks for: "all", or numbers, "first", "middle", "last",
 * "lowest", comma-separated; each kind of site has its own.  FAIL_USAGE: another word. */
Status layer_choose(LayerChoice *choice, const RunLog *run, const char *text, Err *err);
bool layer_chosen(const LayerChoice *choice, const char *site);
/* Colours: a hue for each kind of site, and 0 (the first) to 1 (the last) among the chosen
 * sites of a kind. */
Hue layer_hue(const ProbeLog *probe, size_t site);
double layer_shade(const LayerChoice *choice, const char *site);

void layer_choice_free(LayerChoice *choice);

#endif
