/* checkpoint_facts: what a checkpoint holds besides tensors, as text in its metadata.
 * For checkpoint.c alone. */
#ifndef STEADY_CHECKPOINT_FACTS_H
#define STEADY_CHECKPOINT_FACTS_H

#include "tools/run/checkpoint.h"

void checkpoint_add_facts(SafetensorsWriter *writer, const CheckpointParts *parts,
                          const Progressed *progressed);

/* Fills *progressed, and what `parts` has of sites and skips.  FAIL_DATA, with the name
 * and the text, for what checkpoint_add_facts does not write; then nothing is changed. */
Status checkpoint_read_facts(const Safetensors *file, const char *path,
                             const CheckpointParts *parts, Progressed *progressed,
                             Err *err);

#endif
