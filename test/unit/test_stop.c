/* Signals, each case in a process of its own: what ends it, what asks it to end, and
 * when. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/core/base.h"
#include "tools/program/stop.h"

typedef void ChildBody(void);

typedef struct Child {
    pid_t pid;
    int words; /* what it says: its stderr, and 'r' when its handlers are there */
} Child;

static Child begin(ChildBody *body) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        body();
        _exit(0);
    }
    close(ends[1]);
    char ready;
    assert_int_equal(read(ends[0], &ready, 1), 1);
    return (Child){pid, ends[0]};
}

static void be_ready(void) {
    if (write(STDERR_FILENO, "r", 1) < 0) _exit(9);
}

/* "exit 75" or "signal 2", and what was said. */
static void expect_end(Child child, const char *wanted, const char *said) {
    char seen[40], text[1000] = "";
    size_t length = 0;
    ssize_t got;
    while (length + 1 < sizeof text &&
           (got = read(child.words, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = 0;
    close(child.words);
    int state;
    assert_int_equal(waitpid(child.pid, &state, 0), child.pid);
    if (WIFSIGNALED(state)) snprintf(seen, sizeof seen, "signal %d", WTERMSIG(state));
    else snprintf(seen, sizeof seen, "exit %d", WEXITSTATUS(state));
    assert_string_equal(seen, wanted);
    if (!strstr(text, said)) fail_msg("\"%s\" is not in \"%s\"", said, text);
}

/* ---- cases ---- */

static void wait_long(void) {
    for (int i = 0; i < 100; i++) usleep(100 * 1000);
}

static void ends_at_once(void) {
    stop_at_once("train");
    be_ready();
    wait_long();
}

static void before_there_is_anything_to_save_a_signal_ends_with_75(void **state) {
    (void)state;
    static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU};
    for (size_t i = 0; i < COUNT(SIGNALS); i++) {
        Child child = begin(ends_at_once);
        kill(child.pid, SIGNALS[i]);
        expect_end(child, "exit 75", "nothing was written\n");
    }
}

/* Saves for half a second after the first signal, as a run does. */
static void saves(void) {
    stop_listen("it is saved");
    be_ready();
    while (!stop_requested()) usleep(1000);
    for (int i = 0; i < 50; i++) usleep(10 * 1000);
    _exit(7);
}

static void no_second_signal_ends_a_process_that_saves(void **state) {
    (void)state;
    Child child = begin(saves);
    static const int SIGNALS[] = {SIGTERM, SIGTERM, SIGINT, SIGHUP,
                                  SIGINT,  SIGUSR1, SIGTERM};
    for (size_t i = 0; i < COUNT(SIGNALS); i++) {
        kill(child.pid, SIGNALS[i]);
        usleep(20 * 1000);
    }
    expect_end(child, "exit 7", "stopping: it is saved; Ctrl-C again after 3 s stops");
}

static void saves_for_ever(void) {
    stop_listen(NULL);
    be_ready();
    wait_long();
}

static void after_three_seconds_sigint_ends_it_and_sigterm_does_not(void **state) {
    (void)state;
    Child child = begin(saves_for_ever);
    kill(child.pid, SIGTERM);
    usleep(2500 * 1000);
    kill(child.pid, SIGINT); /* too early */
    usleep(700 * 1000);
    kill(child.pid, SIGTERM);
    usleep(20 * 1000);
    assert_int_equal(waitpid(child.pid, NULL, WNOHANG), 0);
    kill(child.pid, SIGINT);
    expect_end(child, "signal 2", "");
}

static void inherits_the_worst(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    stop_forget_inherited();
    pid_t grandchild = fork();
    if (!grandchild) _exit(5);
    int state = 0;
    if (waitpid(grandchild, &state, 0) != grandchild || WEXITSTATUS(state) != 5) _exit(8);
    stop_at_once("sweep");
    be_ready();
    wait_long();
}

static void blocked_and_ignored_signals_of_the_parent_are_forgotten(void **state) {
    (void)state;
    Child child = begin(inherits_the_worst);
    kill(child.pid, SIGTERM);
    expect_end(child, "exit 75", "steady sweep: interrupted");
    child = begin(inherits_the_worst);
    kill(child.pid, SIGPIPE);
    expect_end(child, "signal 13", "");
}

static void nohup(void) {
    signal(SIGHUP, SIG_IGN);
    saves();
}

static void nohup_is_respected(void **state) {
    (void)state;
    Child child = begin(nohup);
    kill(child.pid, SIGHUP);
    usleep(50 * 1000);
    assert_int_equal(waitpid(child.pid, NULL, WNOHANG), 0);
    kill(child.pid, SIGTERM);
    expect_end(child, "exit 7", "stopping");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(before_there_is_anything_to_save_a_signal_ends_with_75),
        cmocka_unit_test(no_second_signal_ends_a_process_that_saves),
        cmocka_unit_test(after_three_seconds_sigint_ends_it_and_sigterm_does_not),
        cmocka_unit_test(blocked_and_ignored_signals_of_the_parent_are_forgotten),
        cmocka_unit_test(nohup_is_respected),
    };
    return cmocka_run_group_tests_name("stop", cases, NULL, NULL);
}
