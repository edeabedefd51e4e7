/* figure_parts: what the files of the figure share (tools/probe/figure.h): figure.c puts
 * panels together, figure_depth.c and figure_steps.c paint them, by the names of
 * figure_labels.c. */
#ifndef STEADY_PROBE_FIGURE_PARTS_H
#define STEADY_PROBE_FIGURE_PARTS_H

#include "tools/probe/figure.h"
#include "tools/run/layer.h"

/* One kind of attention in one panel. */
typedef struct Drawing {
    Probed *const *probed; /* [count], by step */
    size_t count;
    LayerKind kind;
    const Chart *chart;
    Panel *panel;
} Drawing;

/* Paints, or, without a panel, says whether there is something to paint. */
typedef bool PaintProbe(const Drawing *d);

typedef struct FigureRow {
    const char *label; /* of the y axis */
    bool log;
    PaintProbe *paint;
} FigureRow;

/* Room for what is before and behind the blocks. */
void figure_depth_range(const Drawing *d);

extern const FigureRow figure_depth_rows[], figure_step_rows[]; /* end: paint NULL */

/* Which kind of panel a tensor is in: that of its block, or, outside of blocks, the one
 * that its name begins with. */
LayerKind figure_kind(const Probed *p, const char *tensor);

/* What a legend calls tensors like this one: "qkv" of "blocks.0.attn.qkv.weight", "embed"
 * of "encoder.embed.weight".  Within a panel those of one name are of one kind. */
typedef struct FigureLabel {
    char text[100];
} FigureLabel;
FigureLabel figure_label(const char *tensor);

/* The same for one label in all panels. */
Colour figure_colour(const Drawing *d, const FigureLabel *label);

/* Is the tensor a weight of the drawing's kind, and are there none of its label before
 * it? */
bool figure_leads(const Drawing *d, size_t tensor);
/* Are both of the drawing's kind, weights, and of one label? */
bool figure_alike(const Drawing *d, size_t a, size_t b);

#endif
