/* Trains a small vision transformer on arrays: pictures of bars that lie or stand.
 *
 *     cc pictures.c $(pkg-config --cflags --libs steady) && ./a.out */
#include <steady.h>

#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 16, TRAIN = 512, TEST = 128 };

static const char RECIPE[] = "[task]\nkind = classify\n"
                             "[model]\nwidth = 32\ndepth = 2\nheads = 2\npatch = 4\n"
                             "[data]\nmean = 0.5\nstd = 0.5\n"
                             "[optim]\nlr = 0.01\n"
                             "[train]\nsteps = 80\nbatch = 32\n";

/* A bright bar on noise; label 0 lies, 1 stands. */
static void draw(uint8_t *pixels, uint32_t *label) {
    int stands = rand() % 2, at = rand() % SIDE;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            pixels[y * SIDE + x] =
                (uint8_t)(rand() % 128 + ((stands ? x : y) == at ? 127 : 0));
    *label = (uint32_t)stands;
}

static steady_pictures make(size_t count) {
    uint8_t *pixels = malloc(count * SIDE * SIDE);
    uint32_t *labels = malloc(count * sizeof *labels);
    if (!pixels || !labels) exit(STEADY_RUN);
    for (size_t i = 0; i < count; i++) draw(pixels + i * SIDE * SIDE, labels + i);
    steady_pictures made = {pixels, labels, count, SIDE, SIDE, 1, 2};
    return made;
}

int main(void) {
    steady_error error;
    steady_recipe *recipe = NULL;
    steady_data *data = NULL;
    steady_model *model = NULL;
    steady_step step;
    double top1 = 0;
    steady_pictures train = make(TRAIN), test = make(TEST);
    if (steady_recipe_parse(RECIPE, &recipe, &error) || steady_data_new(&data, &error) ||
        steady_data_pictures(data, STEADY_TRAIN, &train, &error) ||
        steady_data_pictures(data, STEADY_TEST, &test, &error) ||
        steady_model_new(recipe, data, NULL, &model, &error))
        goto end;
    while (steady_model_done(model) < steady_model_steps(model)) {
        if (steady_model_step(model, &step, &error)) goto end;
        if (step.number % 10 == 0)
            printf("step %3zu  loss %.4f\n", step.number, step.loss);
    }
    if (steady_model_evaluate(model, STEADY_TEST, &error) ||
        steady_model_score(model, "top1", &top1, &error))
        goto end;
    printf("%.1f %% of %d new pictures are right\n", 100 * top1, TEST);
end:
    if (error.status) fprintf(stderr, "%s\n", error.text);
    steady_model_free(model);
    steady_data_free(data);
    steady_recipe_free(recipe);
    free((void *)train.pixels), free((void *)train.labels);
    free((void *)test.pixels), free((void *)test.labels);
    return error.status;
}
