#include "tools/run/layer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/base.h"

LayerName layer_name(const char *name) {
    LayerName part = {0};
    const char *blocks = strstr(name, "blocks.");
    char *end = NULL;
    if (blocks && isdigit((unsigned char)blocks[7])) {
        part.block = strtoull(blocks + 7, &end, 10);
        part.in_block = *end == '.';
    }
    if (!part.in_block) {
        snprintf(part.suffix, sizeof part.suffix, "%s", name);
        return part;
    }
    snprintf(part.prefix, sizeof part.prefix, "%.*s", (int)MIN(blocks - name, 39), name);
    snprintf(part.suffix, sizeof part.suffix, "%s", end + 1);
    return part;
}

bool layer_same_kind(const LayerName *a, const LayerName *b) {
    return a->in_block == b->in_block && !strcmp(a->prefix, b->prefix) &&
           !strcmp(a->suffix, b->suffix);
}

const LayerKindFacts layer_kinds[KIND_COUNT] = {
    [KIND_ENCODER] = {"encoder", "encoder self-attention"},
    [KIND_CROSS] = {"cross", "cross attention"},
    [KIND_DECODER] = {"decoder", "decoder self-attention"},
    [KIND_PLAIN] = {"", "attention"},
};

LayerKind layer_kind(const char *name) {
    LayerName part = layer_name(name);
    if (!strcmp(part.prefix, "encoder.")) return KIND_ENCODER;
    if (strcmp(part.prefix, "decoder.")) return KIND_PLAIN;
    return strncmp(part.suffix, "cross", 5) ? KIND_DECODER : KIND_CROSS;
}
