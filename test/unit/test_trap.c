/* Traps: memory that cannot be had and a broken CHECK come back where a trap is set,
 * from the thread that set it and from the loaders' threads; and what is said goes
 * where it was asked to. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "data/ring.h"
#include "engine/core/trap.h"
#include "tools/program/say.h"

/* More than any machine has. */
static const size_t MUCH = SIZE_MAX / 4;

static Status fall(Trap *trap, void (*work)(void)) {
    trap_set(trap);
    if (!setjmp(trap->place)) work();
    trap_end(trap);
    return trap->err.status;
}

static void want_much(void) { mem_free(mem_alloc(MUCH)); }
static void want_too_much(void) { mem_free(mem_array(MUCH, 16)); }
static void break_a_check(void) { CHECK(1 > 2, "one and %d", 2); }
static void do_nothing(void) {}

static void memory_that_cannot_be_had_comes_back(void **state) {
    (void)state;
    Trap trap;
    assert_int_equal(fall(&trap, want_much), FAIL_RUN);
    assert_non_null(strstr(trap.err.text, "out of memory"));
    assert_int_equal(fall(&trap, want_too_much), FAIL_RUN);
    assert_non_null(strstr(trap.err.text, "out of memory"));
    assert_false(trap_is_set());
}

static void a_check_comes_back_with_its_place_and_text(void **state) {
    (void)state;
    Trap trap;
    assert_int_equal(fall(&trap, break_a_check), FAIL_BUG);
    assert_non_null(strstr(trap.err.text, "test_trap.c"));
    assert_non_null(strstr(trap.err.text, "one and 2 (expected: 1 > 2)"));
}

static void work_that_does_not_fail_leaves_no_error(void **state) {
    (void)state;
    Trap trap;
    assert_int_equal(fall(&trap, do_nothing), OK);
}

static void fall_within(void) {
    Trap inner;
    assert_int_equal(fall(&inner, want_much), FAIL_RUN);
    break_a_check();
}

static void traps_nest(void **state) {
    (void)state;
    Trap trap;
    assert_int_equal(fall(&trap, fall_within), FAIL_BUG);
}

/* ---- loaders ---- */

static Status fill_second_with_much(void *owner, size_t thread, size_t n,
                                    const atomic_bool *stop, Err *err) {
    (void)owner, (void)thread, (void)stop, (void)err;
    if (n == 2) want_much();
    return OK;
}

static void a_loader_reports_the_batch_that_finds_no_memory(void **state) {
    (void)state;
    Err err = ERR_NONE;
    Trap trap;
    size_t n;
    trap_set(&trap);
    RingConfig config = {
        .fill = fill_second_with_much, .places = 2, .first = 1, .last = SIZE_MAX};
    Ring *ring = ring_start(&config, &err);
    trap_end(&trap);
    assert_non_null(ring);
    assert_int_equal(ring_next(ring, &n, &err), OK);
    assert_int_equal(n, 1);
    assert_int_equal(ring_next(ring, &n, &err), FAIL_RUN);
    assert_non_null(strstr(err.text, "out of memory"));
    ring_stop(ring);
}

static Status fill_nothing(void *owner, size_t thread, size_t n, const atomic_bool *stop,
                           Err *err) {
    (void)owner, (void)thread, (void)n, (void)stop, (void)err;
    return OK;
}

/* What a call that fell has lost: known here, so that it is no leak. */
static Ring *volatile lost;

static void start_and_fall(void) {
    RingConfig config = {.fill = fill_nothing, .places = 1, .first = 1, .last = SIZE_MAX};
    Err err;
    size_t n;
    lost = ring_start(&config, &err);
    assert_int_equal(ring_next(lost, &n, &err), OK);
    want_much(); /* nobody can stop it now */
}

/* Of this process; 0: not known. */
static int thread_count(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    while (folder && readdir(folder)) count++;
    if (folder) closedir(folder);
    return count;
}

/* The kernel wakes who joins a thread a moment before it takes the thread from the list.
 * Waits for at most five seconds. */
static int thread_count_when(int wanted) {
    int count = thread_count();
    for (int tries = 0; count != wanted && tries < 500; tries++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        count = thread_count();
    }
    return count;
}

static void threads_that_nobody_has_in_hand_end_with_the_trap(void **state) {
    (void)state;
    Trap trap;
    int before = thread_count();
    assert_int_equal(fall(&trap, start_and_fall), FAIL_RUN);
    assert_int_equal(thread_count_when(before), before);
}

static void end_counted(void *object) { ++*(int *)object; }

static void a_guard_stands_until_it_is_taken_away(void **state) {
    (void)state;
    int ended = 0;
    TrapGuard gone, stays;
    Trap trap;
    trap_set(&trap);
    trap_guard(&gone, end_counted, &ended);
    trap_guard(&stays, end_counted, &ended);
    trap_unguard(&gone);
    if (!setjmp(trap.place)) want_much();
    trap_end(&trap);
    assert_int_equal(ended, 1);
    trap_unguard(&stays); /* of no trap: nothing happens */
}

/* ---- what is said ---- */

static void keep_line(void *context, const char *line) { strncpy(context, line, 99); }

static void what_is_said_goes_to_the_listener(void **state) {
    (void)state;
    char line[100] = "";
    Listener before = say_to((Listener){keep_line, line});
    say("a name with \a%d", 7);
    assert_string_equal(line, "a name with \\x077");
    Listener mine = say_to(before);
    assert_ptr_equal(mine.context, line);
    assert_null(before.hear);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(memory_that_cannot_be_had_comes_back),
        cmocka_unit_test(a_check_comes_back_with_its_place_and_text),
        cmocka_unit_test(work_that_does_not_fail_leaves_no_error),
        cmocka_unit_test(traps_nest),
        cmocka_unit_test(a_loader_reports_the_batch_that_finds_no_memory),
        cmocka_unit_test(threads_that_nobody_has_in_hand_end_with_the_trap),
        cmocka_unit_test(a_guard_stands_until_it_is_taken_away),
        cmocka_unit_test(what_is_said_goes_to_the_listener),
    };
    return cmocka_run_group_tests_name("trap", cases, NULL, NULL);
}
