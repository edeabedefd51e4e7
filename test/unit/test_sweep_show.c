/* What a sweep says while its runs go on, where there is no terminal. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"
#include "sweep_words.h"
#include "tools/run/rundir.h"
#include "tools/sweep/show.h"

/* stderr goes to a file meanwhile. */
typedef struct Capture {
    int before, file;
} Capture;

static Capture capture(const char *dir) {
    char path[PATH_SIZE];
    rundir_path(path, dir, "err");
    fflush(stderr);
    Capture c = {dup(STDERR_FILENO), open(path, O_RDWR | O_CREAT | O_TRUNC, 0600)};
    assert_true(c.before >= 0 && c.file >= 0);
    dup2(c.file, STDERR_FILENO);
    return c;
}

static void release(Capture c, char *text, size_t size) {
    fflush(stderr);
    dup2(c.before, STDERR_FILENO);
    ssize_t got = pread(c.file, text, size - 1, 0);
    text[got > 0 ? got : 0] = 0;
    close(c.before);
    close(c.file);
}

static void put_row(const Sweep *sweep, size_t cell, size_t step) {
    char dir[PATH_SIZE], name[PATH_SIZE], row[80];
    sweep_cell_dir(sweep, cell, dir, sizeof dir);
    text_format(name, sizeof name, "%.3900s/train.jsonl", dir + strlen(sweep->dir) + 1);
    text_format(row, sizeof row, "{\"step\":%zu,\"loss\":1.5}\n", step);
    files_write(sweep->dir, name, row, strlen(row));
}

static void a_line_comes_after_half_a_minute_with_what_is_done_and_left(void **state) {
    Sweep sweep;
    SweepShow show;
    char text[2000];
    OPEN(&sweep, "demo", "optim.lr=0.01,0.02", "train.steps=100");
    text_format(sweep.dir, sizeof sweep.dir, "%s", (const char *)*state);
    put_row(&sweep, 0, 50); /* resumed: half of it is done */
    Capture c = capture(*state);
    show_start(&show, &sweep);
    assert_false(show.terminal);
    show_begun(&show, 0);
    show_running(&show); /* nothing yet */
    put_row(&sweep, 0, 75);
    show.started -= 100; /* as if 100 seconds had passed */
    show.shown -= 31;
    for (int i = 0; i < 20; i++) show_running(&show); /* one line */
    show.shown -= 20;
    show_running(&show); /* and none after 20 seconds */
    show_end(&show);
    release(c, text, sizeof text);
    /* a quarter of a run took 100 s, 1.25 are left */
    assert_string_equal(text, "0/2 done, 8:20 left | optim.lr=0.01 75 %, loss 1.500\n");
    sweep_close(&sweep);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(a_line_comes_after_half_a_minute_with_what_is_done_and_left),
    };
    return cmocka_run_group_tests_name("sweep_show", cases, NULL, NULL);
}
