/* What a run's rate counts, and when it will end. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "files.h"
#include "tools/task/task.h"
#include "tools/watch/view.h"

enum { START = 1700000000 };

/* Its last change was so many seconds behind START. */
static void date(const char *dir, const char *name, int seconds) {
    char path[PATH_SIZE];
    struct timespec times[2] = {{.tv_sec = START + seconds}, {.tv_sec = START + seconds}};
    rundir_path(path, dir, "%s", name);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* A run that began at START behind step 100, and took 100 seconds for 200 steps more. */
static Watched *run_of(const char *dir, const char *settings, const char *exit) {
    char text[400];
    snprintf(text, sizeof text, "[train]\nsteps = 1100\n%s", settings);
    files_write_text(dir, "recipe.ini", text);
    files_write_text(dir, "train.jsonl",
                     "{\"step\":200,\"loss\":2,\"items_per_s\":1000}\n"
                     "{\"step\":300,\"loss\":2,\"items_per_s\":1000}\n");
    snprintf(text, sizeof text,
             "{\"sessions\":[{\"step\":100,\"exit\":75},{\"from\":100,\"exit\":%s}]}",
             exit);
    files_write_text(dir, "run.json", text);
    date(dir, "run.json", 0);
    date(dir, "train.jsonl", 100);
    Err err = ERR_NONE;
    Watched *run = watched_open(dir, &err);
    if (!run) fail_msg("%s", err.text);
    watched_poll(run);
    return run;
}

static double left_with(const char *dir, const char *settings, const char *exit) {
    Watched *run = run_of(dir, settings, exit);
    double left = watched_left(run);
    watched_close(run);
    return left;
}

static void the_time_left_is_of_steps_not_of_tokens(void **state) {
    static const char TEXT[] = "batch = 16\n[task]\nkind = language\n",
                      PICTURES[] = "batch = 250\n[task]\nkind = classify\n";
    assert_true(left_with(*state, PICTURES, "null") == 200); /* 4 steps a second */
    assert_true(left_with(*state, TEXT, "null") == 400);     /* 2 steps a second */
    assert_true(left_with(*state, "batch_tokens = 500\n", "null") == 400);
    assert_true(left_with(*state, "batch_seconds = 60\n", "null") == 400);
    assert_true(isnan(left_with(*state, TEXT, "0"))); /* it does not train any more */
}

static void files_of_one_age_tell_no_pace(void **state) {
    Watched *run = run_of(*state, "batch = 16\n[task]\nkind = translate\n", "null");
    watched_close(run);
    date(*state, "train.jsonl", -1);
    run = watched_open(*state, NULL);
    watched_poll(run);
    assert_true(isnan(watched_left(run)));
    assert_int_equal(watched_state(run, START + 100), STATE_RUNNING);
    assert_int_equal(watched_state(run, START + 200), STATE_QUIET);
    watched_close(run);
}

/* 100 steps between rows, 2 a second. */
static void a_run_of_text_is_quiet_after_many_rows_without_one(void **state) {
    Watched *run = run_of(*state, "batch = 16\n[task]\nkind = language\n", "null");
    assert_int_equal(watched_state(run, START + 100 + 1400), STATE_RUNNING);
    assert_int_equal(watched_state(run, START + 100 + 1600), STATE_QUIET);
    watched_close(run);
}

static bool shows(Watched *run, size_t columns, const char *part) {
    View view = view_default();
    PanelScale scale = {NAN, NAN};
    Screen screen = screen_new(24, columns, true);
    panel_draw(&view, run, TONE_PLAIN, &scale, START, &screen, (Area){0, 0, 24, columns});
    bool found = false;
    for (size_t r = 0; r < screen.rows && !found; r++) {
        char *text = screen_row(&screen, r);
        found = !strncmp(text, part, strlen(part));
        mem_free(text);
    }
    screen_free(&screen);
    return found;
}

static void the_rate_counts_what_training_counts(void **state) {
    for (size_t k = 0; k < TASK_KINDS; k++) {
        char settings[100];
        snprintf(settings, sizeof settings, "batch = 16\n[task]\nkind = %s\n",
                 task_name((TaskKind)k));
        Watched *run = run_of(*state, settings, "null");
        bool tokens = !strcmp(task_ops((TaskKind)k)->unit, "tokens");
        assert_int_equal(runlog_counts_tokens(run->recipe), tokens);
        assert_true(shows(run, 80, tokens ? "tokens/s " : "examples/s "));
        assert_true(shows(run, 40, tokens ? "tok/s " : "ex/s "));
        watched_close(run);
    }
}

static void without_a_recipe_its_scores_say_what_the_rate_counts(void **state) {
    files_write_text(*state, "train.jsonl",
                     "{\"step\":9,\"loss\":2,\"items_per_s\":7}\n");
    for (int scored = 0; scored < 2; scored++) {
        if (scored) files_write_text(*state, "eval.jsonl", "{\"step\":9,\"ppl\":7}\n");
        Watched *run = watched_open(*state, NULL);
        RunLog *log = runlog_open(*state, NULL);
        watched_poll(run);
        assert_int_equal(runlog_counts_tokens(log), scored);
        assert_true(shows(run, 80, scored ? "tokens/s " : "examples/s "));
        runlog_free(log);
        watched_close(run);
    }
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(the_time_left_is_of_steps_not_of_tokens),
        FOLDER_TEST(files_of_one_age_tell_no_pace),
        FOLDER_TEST(a_run_of_text_is_quiet_after_many_rows_without_one),
        FOLDER_TEST(the_rate_counts_what_training_counts),
        FOLDER_TEST(without_a_recipe_its_scores_say_what_the_rate_counts),
    };
    return cmocka_run_group_tests_name("watch_pace", cases, NULL, NULL);
}
