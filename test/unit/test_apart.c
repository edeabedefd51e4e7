/* Work in a child process: what comes back, and what is made of a crash. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/program/apart.h"

static Status succeed(void *input, Err *err) {
    (void)err;
    *(int *)input = 5;
    return OK;
}

static Status refuse(void *input, Err *err) {
    return err_set(err, FAIL_DATA, "%s is no number", (const char *)input);
}

static Status crash(void *input, Err *err) {
    (void)err;
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(*(int *)input, SIG_DFL);
    raise(*(int *)input);
    return OK;
}

static Status run_out(void *input, Err *err) {
    (void)input, (void)err;
    _exit(FAIL_RUN);
}

static void the_status_and_its_text_come_back(void **state) {
    (void)state;
    int number = 4;
    Err err = ERR_NONE;
    assert_int_equal(apart_run(succeed, &number, &err), OK);
    assert_int_equal(number, 4); /* the child's memory is its own */
    assert_int_equal(apart_run(refuse, "seven", &err), FAIL_DATA);
    assert_string_equal(err.text, "seven is no number");
}

static void a_crash_is_a_failure(void **state) {
    (void)state;
    static const int SIGNALS[] = {SIGSEGV, SIGABRT, SIGKILL};
    for (size_t i = 0; i < COUNT(SIGNALS); i++) {
        int number = SIGNALS[i];
        Err err = ERR_NONE;
        assert_int_equal(apart_run(crash, &number, &err), FAIL_RUN);
        assert_non_null(strstr(err.text, strsignal(number)));
    }
    assert_int_equal(apart_run(run_out, NULL, NULL), FAIL_RUN);
}

static void ignored_children_do_not_matter(void **state) {
    (void)state;
    int number = 4;
    Err err = ERR_NONE;
    signal(SIGCHLD, SIG_IGN);
    assert_int_equal(apart_run(succeed, &number, &err), OK);
    assert_int_equal(apart_run(refuse, "seven", &err), FAIL_DATA);
    assert_int_equal(apart_run(run_out, NULL, &err), FAIL_RUN);
    signal(SIGCHLD, SIG_DFL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_status_and_its_text_come_back),
        cmocka_unit_test(a_crash_is_a_failure),
        cmocka_unit_test(ignored_children_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
