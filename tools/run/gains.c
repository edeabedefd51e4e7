#include "tools/run/gains.h"

typedef struct Rescaled {
    size_t gains, gammas; /* with a gain made anew: gamma or g; gamma */
    size_t fixed;         /* without one */
} Rescaled;

static bool is_loaded(const Model *model, const bool *loaded, const Param *param) {
    const ParamSet *params = model->params;
    for (size_t i = 0; i < params->count; i++)
        if (params->list[i] == param) return loaded[i];
    return false;
}

static Rescaled rescaled_layers(const Model *model, const bool *loaded) {
    Rescaled found = {0};
    for (size_t i = 0; i < model->layer_count; i++) {
        const Reparam *r = model->layers[i]->reparam;
        if (!r || !is_loaded(model, loaded, r->w)) continue;
        const Param *gain = r->gamma ? r->gamma : r->g, *own = gain ? gain : r->u;
        if (is_loaded(model, loaded, own)) continue;
        found.gammas += r->gamma != NULL;
        if (gain) found.gains++;
        else found.fixed++;
    }
    return found;
}

size_t gains_describe(const Model *model, const bool *loaded,
                      char lines[GAINS_LINES][GAINS_LINE]) {
    Rescaled found = rescaled_layers(model, loaded);
    bool ones = found.gammas && model->config.gamma_init == GAMMA_ONE;
    size_t count = 0;
    if (found.gains && !ones)
        text_format(lines[count++], GAINS_LINE,
                    "gains of %zu layers initialised from their weights "
                    "(model.gamma_init)",
                    found.gains);
    if (found.gains && ones)
        text_format(lines[count++], GAINS_LINE,
                    "gains of %zu layers start at 1, whatever the spectral norms of "
                    "their weights; to keep the products of the file: "
                    "model.gamma_init = spectral",
                    found.gains);
    if (found.fixed)
        text_format(lines[count++], GAINS_LINE,
                    "%zu layers are divided by their spectral norms (model.reparam = "
                    "spectral): their products differ from the file's",
                    found.fixed);
    return count;
}
