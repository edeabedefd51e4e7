/* layers: names of sites and weights taken apart, and the choice of layers for a figure.
 *
 *     LayerName part = layer_name("decoder.blocks.3.cross");   prefix "decoder.", block 3,
 *                                                              suffix "cross"               */
#ifndef STEADY_LAYERS_H
#define STEADY_LAYERS_H

#include "tools/chart/chart.h"
#include "tools/run/runlog.h"

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

/* "blocks.3" for any site of a block, where a heading says of which kind. */
void layer_block_label(const char *site, char label[96]);

/* Kinds of attention.  An encoder-decoder has three, which figures and tables keep apart; what
 * has one kind alone is plain. */
typedef enum {
    KIND_ENCODER, /* "encoder.blocks.3.attn", and the weights of such a block */
    KIND_CROSS,   /* "decoder.blocks.3.cross" */
    KIND_DECODER, /* "decoder.blocks.3.attn" */
    KIND_PLAIN,   /* all others */
    KIND_COUNT
} LayerKind;

typedef struct LayerKindFacts {
    const char *key;   /* "cross"; plain: "" */
    const char *label; /* "cross attention" */
} LayerKindFacts;

extern const LayerKindFacts layer_kinds[KIND_COUNT];

/* Of a site or a weight. */
LayerKind layer_kind(const char *name);

/* How many sites of that kind a run has probes of. */
size_t layer_kind_count(const ProbeLog *probe, LayerKind kind);

/* As runlog_lowest, among the sites of one kind. */
EntropyLow layer_kind_lowest(const RunLog *run, LayerKind kind);

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

/* Chosen sites of that kind. */
size_t layer_chosen_count(const LayerChoice *choice, LayerKind kind);

/* Is the site one of the `most` that stand for all chosen of its kind in a legend?  The first and
 * the last do, the others lie evenly between them. */
bool layer_in_legend(const LayerChoice *choice, const char *site, size_t most);

void layer_choice_free(LayerChoice *choice);

#endif
