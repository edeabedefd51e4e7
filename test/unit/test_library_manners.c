/* The library leaves its caller's process as it was: nothing is printed, no handler set;
 * environment, thread count and mode for small numbers stay; threads do not meet. */
#include <float.h>
#include <omp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "include/steady.h"

static const char RECIPE[] =
    "[train]\nsteps = 3\nbatch = 4\nthreads = 2\n[model]\nwidth = 16\n"
    "depth = 1\nheads = 2\npatch = 7\ncontext = 9\n[data]\n"
    "image_size = 28\nsynthetic_count = 20\n";

/* Losses of three steps, added up; every kind of call is made. */
static double train(void) {
    steady_recipe *recipe;
    steady_model *model;
    steady_step step;
    steady_weight weight;
    double sum = 0;
    if (steady_recipe_parse(RECIPE, &recipe, NULL)) return -1;
    if (steady_model_new(recipe, NULL, NULL, &model, NULL)) return -1;
    while (!steady_model_step(model, &step, NULL)) sum += step.loss;
    if (steady_model_evaluate(model, STEADY_TEST, NULL)) sum = -1;
    if (steady_model_weight(model, 0, &weight, NULL)) sum = -1;
    if (steady_model_load(model, "/no-such-file", NULL) != STEADY_DATA) sum = -1;
    steady_model_free(model);
    steady_recipe_free(recipe);
    return sum;
}

/* ---- output ---- */

/* What is written to both descriptors while it trains. */
static void nothing_is_printed(void **state) {
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout), fflush(stderr);
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    dup2(fileno(file), STDOUT_FILENO), dup2(fileno(file), STDERR_FILENO);
    double sum = train();
    fflush(stdout), fflush(stderr);
    dup2(out, STDOUT_FILENO), dup2(err, STDERR_FILENO);
    close(out), close(err);
    long bytes = lseek(fileno(file), 0, SEEK_END);
    fclose(file);
    assert_true(sum > 0);
    assert_int_equal(bytes, 0);
}

/* ---- the process ---- */

extern char **environ;

static size_t environment_bytes(void) {
    size_t bytes = 0;
    for (char **e = environ; *e; e++) bytes += strlen(*e);
    return bytes;
}

static void handlers_environment_and_threads_stay(void **state) {
    (void)state;
    struct sigaction before[32], after;
    size_t bytes = environment_bytes();
    omp_set_num_threads(3);
    for (int s = 1; s < 32; s++) sigaction(s, NULL, &before[s]);
    assert_true(train() > 0);
    for (int s = 1; s < 32; s++) {
        if (sigaction(s, NULL, &after)) continue;
        assert_true(after.sa_handler == before[s].sa_handler);
    }
    assert_int_equal(environment_bytes(), bytes);
    assert_int_equal(omp_get_max_threads(), 3);
}

/* The least normal number, halved: 0 where small numbers are flushed. */
static float small_number(void) {
    volatile float x = FLT_MIN;
    return x / 2;
}

static void small_numbers_are_the_callers_again(void **state) {
    (void)state;
    int flushed = 0;
    assert_true(small_number() > 0);
    assert_true(train() > 0);
    assert_true(small_number() > 0);
#pragma omp parallel num_threads(2) reduction(+ : flushed)
    flushed += small_number() == 0;
    assert_int_equal(flushed, 0);
}

/* ---- threads ---- */

static void *train_in_thread(void *sum) {
    *(double *)sum = train();
    return NULL;
}

static void models_of_two_threads_are_as_alone(void **state) {
    (void)state;
    double alone = train(), sums[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, train_in_thread, &sums[i]), 0);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    assert_true(alone > 0);
    assert_true(sums[0] == alone && sums[1] == alone);
}

static void the_version_is_the_headers(void **state) {
    (void)state;
    char text[40];
    snprintf(text, sizeof text, "%d.%d.%d", STEADY_VERSION_MAJOR, STEADY_VERSION_MINOR,
             STEADY_VERSION_PATCH);
    assert_string_equal(text, steady_version());
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(nothing_is_printed),
        cmocka_unit_test(handlers_environment_and_threads_stay),
        cmocka_unit_test(small_numbers_are_the_callers_again),
        cmocka_unit_test(models_of_two_threads_are_as_alone),
        cmocka_unit_test(the_version_is_the_headers),
    };
    return cmocka_run_group_tests_name("library_manners", cases, NULL, NULL);
}
