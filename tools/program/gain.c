#include "tools/program/gain.h"

#include <math.h>

#include "engine/core/base.h"
#include "engine/kern/bf16_panel.h"

typedef struct Layer {
    size_t rows, in, out;
    real *x, *w, *y, *packed;
    bf16 *x16, *room;
} Layer;

static double seconds_in_real(const Layer *l) {
    double start = clock_now();
    panel_pack(l->packed, l->w, l->in, l->in, l->out, PANEL_TRANSPOSED);
    panel_product(&(PanelProduct){.m = l->rows,
                                  .n = l->out,
                                  .k = l->in,
                                  .alpha = 1,
                                  .a = {l->x, l->in, 1},
                                  .packed = l->packed,
                                  .c = l->y,
                                  .ldc = l->out});
    return clock_now() - start;
}

static double seconds_in_bf16(const Layer *l) {
    double start = clock_now();
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < l->rows; r++)
        bf16_round(l->x16 + r * l->in, l->x + r * l->in, l->in);
    bf16_panel_product(&(Bf16PanelProduct){.m = l->rows,
                                           .n = l->out,
                                           .k = l->in,
                                           .alpha = 1,
                                           .a = l->x16,
                                           .lda = l->in,
                                           .b = {.wide = l->w, .ld = l->in},
                                           .order = PANEL_TRANSPOSED,
                                           .room = l->room,
                                           .c = l->y,
                                           .ldc = l->out});
    return clock_now() - start;
}

double machine_bf16_gain(size_t rows, size_t in, size_t out) {
    enum { CALLS = 7 };
    Layer l = {.rows = rows, .in = in, .out = out};
    l.x = mem_alloc(rows * in * sizeof(real));
    l.w = mem_alloc(in * out * sizeof(real));
    l.y = mem_alloc(rows * out * sizeof(real));
    l.packed = mem_alloc(panel_size(in, out) * sizeof(real));
    l.x16 = mem_alloc(rows * in * sizeof(bf16));
    l.room = mem_alloc(bf16_panel_room(in, out) * sizeof(bf16));
    for (size_t i = 0; i < rows * in; i++) l.x[i] = (real)1 / (real)(1 + i % 7);
    for (size_t i = 0; i < in * out; i++) l.w[i] = (real)1 / (real)(1 + i % 11);
    double wide = INFINITY, narrow = INFINITY;
    for (size_t i = 0; i < CALLS; i++) {
        wide = fmin(wide, seconds_in_real(&l));
        narrow = fmin(narrow, seconds_in_bf16(&l));
    }
    mem_free(l.x);
    mem_free(l.w);
    mem_free(l.y);
    mem_free(l.packed);
    mem_free(l.x16);
    mem_free(l.room);
    return wide / narrow;
}
