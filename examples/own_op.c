/* Writes an op: what the head reads is brought to one length, so that it
 * sees directions alone,
 *
 *     y = sqrt(n) x / |x|        dx = sqrt(n) / |x| (dy - y (y . dy) / n)
 *
 * over the n numbers of each row.  Its gradient is compared with differences
 * of the loss first.
 *
 *     cc own_op.c $(pkg-config --cflags --libs steady) -lm && ./a.out */
#include <steady.h>

#include <math.h>
#include <stdio.h>

static double dot(size_t n, const float *a, const float *b) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

static void forward(void *context, size_t rows, size_t n, const float *x, float *y) {
    (void)context;
    for (size_t r = 0; r < rows; r++, x += n, y += n) {
        double scale = sqrt((double)n / (dot(n, x, x) + 1e-12));
        for (size_t i = 0; i < n; i++) y[i] = (float)(scale * (double)x[i]);
    }
}

static void backward(void *context, size_t rows, size_t n, const float *x, const float *y,
                     const float *dy, float *dx) {
    (void)context;
    for (size_t r = 0; r < rows; r++, x += n, y += n, dy += n, dx += n) {
        double scale = sqrt((double)n / (dot(n, x, x) + 1e-12));
        double along = dot(n, y, dy) / (double)n;
        for (size_t i = 0; i < n; i++)
            dx[i] = (float)(scale * ((double)dy[i] - along * (double)y[i]));
    }
}

/* sum of dy . df/dx at one place, by differences, against backward: relative error. */
static double check(void) {
    float x[] = {0.5f, -1, 2, 0.25f}, dy[] = {1, -0.5f, 0.25f, 2}, y[4], dx[4], up[4],
          down[4];
    double worst = 0;
    forward(NULL, 1, 4, x, y);
    backward(NULL, 1, 4, x, y, dy, dx);
    for (int i = 0; i < 4; i++) {
        float kept = x[i], h = 1.0f / 256;
        x[i] = kept + h, forward(NULL, 1, 4, x, up);
        x[i] = kept - h, forward(NULL, 1, 4, x, down);
        x[i] = kept;
        double wanted = (dot(4, up, dy) - dot(4, down, dy)) / (2 * (double)h);
        worst = fmax(worst, fabs((double)dx[i] - wanted) / fmax(1, fabs(wanted)));
    }
    return worst;
}

int main(void) {
    steady_error error;
    steady_recipe *recipe = NULL;
    steady_model *model = NULL;
    steady_step step;
    steady_op op = {NULL, forward, backward};
    printf("gradient: relative error %.1e\n", check());
    if (!steady_recipe_open("demo-sigma", &recipe, &error) &&
        !steady_recipe_set(recipe, "model.depth", "2", &error) &&
        !steady_recipe_set(recipe, "train.steps", "30", &error) &&
        !steady_model_new(recipe, NULL, NULL, &model, &error))
        steady_model_set_op(model, &op, &error);
    while (!error.status && steady_model_done(model) < steady_model_steps(model))
        if (!steady_model_step(model, &step, &error) && step.number % 10 == 0)
            printf("step %3zu  loss %.4f\n", step.number, step.loss);
    if (error.status) fprintf(stderr, "%s\n", error.text);
    steady_model_free(model);
    steady_recipe_free(recipe);
    return error.status;
}
