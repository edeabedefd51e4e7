/* transfer_parts: what the files of transfer share (tools/task/transfer.h). */
#ifndef STEADY_TRANSFER_PARTS_H
#define STEADY_TRANSFER_PARTS_H

#include "data/file/safetensors.h"
#include "models/positions.h"
#include "tools/task/transfer.h"

typedef struct Transfer {
    Task *task;
    const char *path, *root, *meaning; /* of the file; NULL: it says nothing */
    Safetensors *file;
    bool averaged; /* weights are those of "ema/NAME" */
    bool *used;    /* [safetensors_count(file)] */
    bool *loaded;  /* [params->count] for model_start */
    size_t kept;   /* tensors */
    size_t folded; /* weights that took their scale in */
} Transfer;

/* ---- the file (transfer_file.c) ---- */

#define TRANSFER_AVERAGE "ema/" /* the average of a trained tensor begins so */

/* A line, on rank 0. */
void transfer_note(const Transfer *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The file's tensor of a parameter's name, or NULL; the average where that is asked for
 * and is of the name. */
const SafetensorsEntry *transfer_find(const Transfer *t, const char *name);
/* Marks it as used, too: the model has it or its equivalent. */
const SafetensorsEntry *transfer_take(Transfer *t, const char *name);

/* A fact of the file's meaning, up to its line's end; false: it does not say it. */
bool transfer_fact(const Transfer *t, const char *name, char *value, size_t size);

/* Reads it; FAIL_DATA where a number is not finite. */
Status transfer_read(const Transfer *t, const SafetensorsEntry *entry, real *values,
                     Err *err);

/* ---- reparametrised layers (transfer_layers.c) ---- */

/* Is the parameter gamma, u, v or g of a layer?  Then with which. */
const LinearLayer *transfer_layer_of(const Model *model, const Param *param);

/* W of the layer with its companions, or with the file's scale folded in. */
Status transfer_layer(Transfer *t, const LinearLayer *layer, Err *err);

/* ---- positions (transfer_positions.c) ---- */

/* Checks, reads, resamples and says it. */
Status transfer_positions(Transfer *t, Err *err);

/* "14x14"; false: it is not of this form. */
bool transfer_parse_grid(const char *text, Grid *grid);

#endif
