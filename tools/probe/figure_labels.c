/* figure_labels: which tensors a figure shows together, under which name and in which
 * colour (tools/probe/figure_parts.h). */
#include <stdio.h>
#include <string.h>

#include "tools/probe/figure_parts.h"

/* A weight matrix that lines are drawn of: no bias, gain or norm. */
static bool is_weight(const ProbedTensor *t) { return t->layer || t->dims > 1; }

LayerKind figure_kind(const Probed *p, const char *tensor) {
    if (layer_name(tensor).in_block) return layer_kind(tensor);
    if (!strncmp(tensor, "encoder.", 8)) return KIND_ENCODER;
    for (size_t i = 0; i < p->sites; i++)
        if (layer_kind(p->site[i].name) == KIND_DECODER) return KIND_DECODER;
    return KIND_PLAIN;
}

FigureLabel figure_label(const char *tensor) {
    static const char END[] = ".weight";
    FigureLabel label;
    size_t length = strlen(tensor), end = sizeof END - 1;
    if (length > end && !strcmp(tensor + length - end, END)) length -= end;
    const char *from = tensor;
    if (!strncmp(from, "encoder.", 8) || !strncmp(from, "decoder.", 8)) from += 8;
    if (layer_name(tensor).in_block)
        for (const char *at = tensor; at < tensor + length; at++)
            if (*at == '.') from = at + 1;
    text_format(label.text, sizeof label.text, "%.*s",
                (int)(length - (size_t)(from - tensor)), from);
    return label;
}

static bool same_label(const ProbedTensor *a, const ProbedTensor *b) {
    FigureLabel first = figure_label(a->name), second = figure_label(b->name);
    return !strcmp(first.text, second.text) &&
           layer_name(a->name).in_block == layer_name(b->name).in_block;
}

bool figure_alike(const Drawing *d, size_t a, size_t b) {
    const Probed *p = d->probed[0];
    const ProbedTensor *x = &p->tensor[a], *y = &p->tensor[b];
    return is_weight(x) && is_weight(y) && same_label(x, y) &&
           figure_kind(p, x->name) == d->kind && figure_kind(p, y->name) == d->kind;
}

bool figure_leads(const Drawing *d, size_t tensor) {
    if (!figure_alike(d, tensor, tensor)) return false;
    for (size_t i = 0; i < tensor; i++)
        if (figure_alike(d, i, tensor)) return false;
    return true;
}

/* By the place of the label among all that the model has. */
Colour figure_colour(const Drawing *d, const FigureLabel *label) {
    const Probed *p = d->probed[0];
    size_t place = 0;
    for (size_t i = 0; i < p->tensors; i++) {
        if (!is_weight(&p->tensor[i])) continue;
        FigureLabel own = figure_label(p->tensor[i].name);
        if (!strcmp(own.text, label->text)) break;
        size_t before = 0;
        while (before < i && !(is_weight(&p->tensor[before]) &&
                               same_label(&p->tensor[before], &p->tensor[i])))
            before++;
        place += before == i;
    }
    return chart_palette(d->chart, place);
}
