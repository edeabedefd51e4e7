/* What a row of train.jsonl says of the time that its steps took. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "small_trainer.h"
#include "tools/run/runlog.h"

enum { BATCH = 4, STEPS = 6 };

/* Each evaluation takes as long as many steps. */
static const char TEXT[] = "[data]\nsource = glyphs\nsynthetic_count = 64\n"
                           "[model]\nwidth = 16\ndepth = 1\nheads = 2\npatch = 7\n"
                           "[train]\nsteps = 6\nbatch = 4\nthreads = 1\n"
                           "eval_every = 1\ncheckpoint_every = 1\n";

static char folder[] = "/tmp/step-rows-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    char command[100];
    (void)state;
    text_format(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* Seconds of its steps and of everything else. */
static void train(const char *dir, size_t log_every, double *stepping, double *other) {
    Trainer t;
    Recipe recipe = small_trainer_recipe(TEXT, "");
    recipe.train.log_every = log_every;
    small_trainer_run(&t, &recipe, NULL, dir);
    *stepping = t.spent[0];
    *other = t.spent[1] + t.spent[2];
    trainer_close(&t);
}

/* The rates of all rows are those of the steps' seconds, not of the wall clock's. */
static void evaluations_and_checkpoints_take_nothing_from_the_speed(void **state) {
    (void)state;
    for (size_t every = 1; every <= 3; every++) {
        char dir[100];
        Err err = ERR_NONE;
        double stepping, other, seconds = 0;
        text_format(dir, sizeof dir, "%s/run%zu", folder, every);
        train(dir, every, &stepping, &other);
        RunLog *run = runlog_open(dir, &err);
        if (!run) fail_msg("%s", err.text);
        assert_int_equal(run->train.count, STEPS / every);
        for (size_t i = 0; i < run->train.count; i++)
            seconds += (double)(every * BATCH) / run->train.items_per_s[i];
        runlog_free(run);
        /* a step's seconds are read from the clock twice */
        bool right = seconds > 0.5 * stepping && seconds <= stepping * (1 + 1e-6);
        if (!right)
            fail_msg("%zu: %.4g s by the rows; steps took %.4g s, all else %.4g s", every,
                     seconds, stepping, other);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluations_and_checkpoints_take_nothing_from_the_speed),
    };
    return cmocka_run_group_tests_name("rows of steps", tests, make_folder,
                                       remove_folder);
}
