/* Watches the attention entropies of a language model while it trains: a row for each ten
 * steps, each place of attention as a share of what uniform attention would have.  A
 * share that falls to nearly 0 is entropy collapse.
 *
 *     cc entropy.c $(pkg-config --cflags --libs steady) && ./a.out model.reparam=sigma */
#include <steady.h>

#include <stdio.h>
#include <string.h>

static const char RECIPE[] =
    "[task]\nkind = language\n"
    "[model]\nwidth = 32\ndepth = 3\nheads = 4\ncontext = 32\n"
    "[data]\nsource = grammar\ntokens = char\nsynthetic_count = 2000\n"
    "[optim]\nlr = 0.02\n"
    "[train]\nsteps = 60\nbatch = 8\n";

/* Mean over the heads, in 0 ... 1. */
static double share(const steady_site *site) {
    double sum = 0;
    for (size_t h = 0; h < site->heads; h++) sum += site->entropy[h];
    return site->uniform > 0 ? sum / (double)site->heads / site->uniform : 0;
}

static steady_status show(steady_model *model, const steady_step *step,
                          steady_error *error) {
    steady_site site;
    steady_weight weight;
    printf("step %3zu  loss %.4f  entropy", step->number, step->loss);
    for (size_t i = 0; i < steady_model_sites(model); i++) {
        if (steady_model_site(model, i, &site, error)) return error->status;
        printf(" %.3f", share(&site));
    }
    if (steady_model_weight(model, 0, &weight, error)) return error->status;
    printf("  %s: sigma %.3f gamma %.3f\n", weight.name, weight.sigma, weight.gamma);
    return STEADY_OK;
}

/* "model.reparam=sigma" */
static steady_status set(steady_recipe *recipe, const char *word, steady_error *error) {
    char key[100];
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    snprintf(key, sizeof key, "%.*s", (int)length, word);
    return steady_recipe_set(recipe, key, equals ? equals + 1 : "", error);
}

int main(int argc, char **argv) {
    steady_error error;
    steady_recipe *recipe = NULL;
    steady_model *model = NULL;
    steady_step step;
    steady_recipe_parse(RECIPE, &recipe, &error);
    for (int i = 1; i < argc && !error.status; i++) set(recipe, argv[i], &error);
    if (!error.status) steady_model_new(recipe, NULL, NULL, &model, &error);
    while (!error.status && steady_model_done(model) < steady_model_steps(model))
        if (!steady_model_step(model, &step, &error) && step.number % 10 == 0)
            show(model, &step, &error);
    if (error.status) fprintf(stderr, "%s\n", error.text);
    steady_model_free(model);
    steady_recipe_free(recipe);
    return error.status;
}
