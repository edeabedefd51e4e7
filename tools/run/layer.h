/* layer: names of sites and weights taken apart, and the kinds of
 * attention that they are of.
 *
 *     LayerName part = layer_name("decoder.blocks.3.cross");   prefix "decoder.", block 3,
 *                                                              suffix "cross"
 *     layer_kind("decoder.blocks.3.cross")                     KIND_CROSS */
#ifndef STEADY_RUN_LAYER_H
#define STEADY_RUN_LAYER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct LayerName {
    char prefix[40]; /* "", "encoder.", "decoder." */
    char suffix[80]; /* "attn", "cross", "attn.qkv"; the whole name without blocks */
    bool in_block;
    size_t block;
} LayerName;

LayerName layer_name(const char *name);

/* Prefix and suffix agree. */
bool layer_same_kind(const LayerName *a, const LayerName *b);

/* Kinds of attention.  An encoder-decoder has three, which figures and tables keep apart;
 * what has one kind alone is plain. */
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

#endif
