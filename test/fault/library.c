/* A program of the library's for test/fault/library.sh: all that the door offers,
 * on one kind of task.
 *
 *     LD_PRELOAD=fault-allocations.so STEADY_FAULT=N fault-library pictures FOLDER
 *
 * Whatever allocation fails, it prints "end STATUS" and nothing else. */
#include <steady.h>

#include <stdio.h>
#include <string.h>

#define SMALL                                                                            \
    "[train]\nsteps = 3\nbatch = 4\nthreads = 1\nbeam = 2\nmax_decode = 4\n"             \
    "[model]\nwidth = 16\ndepth = 1\nheads = 2\nreparam = sigma\n"

static const struct {
    const char *name, *text;
} KINDS[] = {
    {"pictures", SMALL "patch = 7\n[data]\nimage_size = 28\nsynthetic_count = 16\n"
                       "augment = flip\n"},
    {"text", "[task]\nkind = language\n" SMALL "context = 16\n[data]\nsource = grammar\n"
             "synthetic_count = 60\ntokens = bpe\nbpe_merges = 20\n"},
    {"pairs",
     "[task]\nkind = translate\n" SMALL "context = 64\n[data]\nsource = numbers\n"
     "synthetic_count = 20\ntokens = word\n"},
    {"speech", "[task]\nkind = transcribe\n" SMALL "position = none\n[data]\n"
               "source = tones\nsynthetic_count = 8\n"},
};

static steady_status answer(steady_model *model, const char *kind, steady_error *error) {
    static uint8_t pixels[28 * 28];
    steady_pictures picture = {pixels, NULL, 1, 28, 28, 1, 10};
    steady_sampling sampling = {4, 1, 0, 0};
    float p[10];
    char *text = NULL;
    if (!strcmp(kind, "pictures")) steady_model_classify(model, &picture, p, 10, error);
    else if (!strcmp(kind, "text"))
        steady_model_continue(model, NULL, &sampling, &text, error);
    else if (!strcmp(kind, "pairs")) steady_model_translate(model, "12", &text, error);
    else error->status = STEADY_OK;
    steady_text_free(text);
    return error->status;
}

static steady_status use(steady_model *model, const char *kind, const char *path,
                         steady_error *error) {
    steady_site site;
    steady_weight weight;
    double loss;
    for (int i = 0; i < 2; i++)
        if (steady_model_step(model, NULL, error)) return error->status;
    if (steady_model_evaluate(model, STEADY_TEST, error) ||
        steady_model_score(model, "loss", &loss, error) ||
        steady_model_site(model, 0, &site, error) ||
        steady_model_weight(model, 0, &weight, error) ||
        steady_model_save(model, path, error) || steady_model_load(model, path, error) ||
        steady_model_resume(model, path, error) || steady_model_step(model, NULL, error))
        return error->status;
    return answer(model, kind, error);
}

int main(int argc, char **argv) {
    steady_error error = {STEADY_USAGE, ""};
    steady_recipe *recipe = NULL;
    steady_model *model = NULL;
    char path[500];
    for (size_t i = 0; argc > 2 && i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(argv[1], KINDS[i].name)) continue;
        snprintf(path, sizeof path, "%.450s/%s.safetensors", argv[2], argv[1]);
        if (!steady_recipe_parse(KINDS[i].text, &recipe, &error) &&
            !steady_model_new(recipe, NULL, NULL, &model, &error))
            use(model, argv[1], path, &error);
    }
    steady_model_free(model);
    steady_recipe_free(recipe);
    printf("end %d %s\n", (int)error.status, error.text);
    return 0;
}
