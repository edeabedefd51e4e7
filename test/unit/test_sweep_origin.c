/* Data, programs and machines of a sweep's runs (tools/sweep/origin.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "sweep_words.h"
#include "tools/sweep/origin.h"

/* ---- the same data? ---- */

static const SweepOrigin READ = {.keys = 7,
                                 .hash = {11, 0, 13},
                                 .count = {600, 0, 100},
                                 .version = "1.0",
                                 .real = "float",
                                 .machine = "A"};

static void end_all(Sweep *sweep) {
    for (size_t c = 0; c < sweep->cell_count; c++) {
        sweep->cells[c].exit = OK;
        sweep->cells[c].origin = READ;
    }
}

static void agree(const Sweep *sweeps, size_t count) {
    Err err = ERR_NONE;
    if (origin_check_data(sweeps, count, &err)) fail_msg("%s", err.text);
}

static void refuses(const Sweep *sweeps, size_t count, const char *part) {
    Err err = ERR_NONE;
    assert_int_equal(origin_check_data(sweeps, count, &err), FAIL_DATA);
    if (!strstr(err.text, part)) fail_msg("`%s` lacks `%s`", err.text, part);
}

static void seeds_on_other_examples_are_no_seeds(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo", "train.seed=1,2,3");
    SweepOrigin *last = &sweep.cells[2].origin;
    end_all(&sweep);
    agree(&sweep, 1);
    last->hash[SPLIT_TEST] = 14;
    refuses(
        &sweep, 1,
        "cells/train.seed=1 and /cells/train.seed=3 were trained on different data by "
        "the same keys: split test");
    sweep.cells[2].exit = SWEEP_OPEN;
    agree(&sweep, 1);
    sweep.cells[2].exit = FAIL_COLLAPSED;
    last->keys = 8; /* they ask for other data */
    agree(&sweep, 1);
    last->keys = 0; /* data.changed = allow, or nothing is known */
    agree(&sweep, 1);
    *last = READ;
    last->hash[SPLIT_TEST] = 0; /* generated */
    agree(&sweep, 1);
    last->count[SPLIT_TRAIN] = 601;
    refuses(&sweep, 1, "split train has 600 examples");
    sweep_close(&sweep);
}

/* A version may hash in another way, but counts as the others do. */
static void hashes_are_compared_within_a_version(void **state) {
    (void)state;
    Sweep sweeps[2];
    for (size_t s = 0; s < 2; s++) {
        OPEN(&sweeps[s], "demo", "train.seed=1,2");
        end_all(&sweeps[s]);
        text_format(sweeps[s].dir, sizeof sweeps[s].dir, "%s", s ? "b" : "a");
    }
    sweeps[1].cells[0].origin.hash[SPLIT_TRAIN] = 12;
    refuses(sweeps, 2, "a/cells/train.seed=1 and b/cells/train.seed=1 were");
    for (size_t c = 0; c < 2; c++) {
        text_format(sweeps[1].cells[c].origin.version, 8, "2.0");
        sweeps[1].cells[c].origin.hash[SPLIT_TRAIN] = 12;
    }
    agree(sweeps, 2);
    sweeps[1].cells[1].origin.hash[SPLIT_TRAIN] = 13;
    refuses(sweeps, 2, "b/cells/train.seed=1 and b/cells/train.seed=2 were");
    sweeps[1].cells[1].origin.count[SPLIT_TEST] = 1;
    refuses(sweeps, 2, "a/cells/train.seed=1 and b/cells/train.seed=2 were");
    sweep_close(&sweeps[0]);
    sweep_close(&sweeps[1]);
}

/* ---- the same weights? ---- */

static void begins_from(Sweep *sweep, size_t cell, uint64_t init, const char *crc) {
    sweep->cells[cell].origin.init = init;
    text_format(sweep->cells[cell].origin.init_crc, 9, "%s", crc);
}

static void seeds_of_other_weights_are_no_seeds(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo", "train.seed=1,2,3");
    end_all(&sweep);
    begins_from(&sweep, 0, 5, "00000001");
    begins_from(&sweep, 1, 0, "");
    begins_from(&sweep, 2, 5, "00000001");
    agree(&sweep, 1);
    begins_from(&sweep, 2, 5, "00000002");
    refuses(&sweep, 1,
            "/cells/train.seed=1 and /cells/train.seed=3 began from different weights by "
            "the same train.init: its file had CRC-32 00000001 and 00000002");
    begins_from(&sweep, 2, 6, "00000002"); /* another file */
    agree(&sweep, 1);
    begins_from(&sweep, 2, 5, ""); /* an older version does not say */
    agree(&sweep, 1);
    begins_from(&sweep, 2, 5, "00000002");
    sweep.cells[0].exit = SWEEP_OPEN;
    agree(&sweep, 1);
    sweep_close(&sweep);
}

/* ---- programs, machines ---- */

static void prints(const Sweep *sweeps, size_t count, const char *wanted) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    origin_print(sweeps, count, out);
    fclose(out);
    assert_string_equal(text, wanted);
    free(text);
}

static void runs_of_several_programs_are_said_to_be(void **state) {
    (void)state;
    Sweep sweep;
    OPEN(&sweep, "demo", "train.seed=1,2,3");
    end_all(&sweep);
    prints(&sweep, 1, "");
    *sweep.cells[1].origin.real = 0; /* older: it does not say */
    prints(&sweep, 1, "");
    text_format(sweep.cells[2].origin.real, 8, "double");
    text_format(sweep.cells[2].origin.machine, 8, "B");
    prints(&sweep, 1,
           "runs of 2 number types: float (1 run), double (1 run, first: train.seed=3)\n"
           "runs of 2 machines: A (2 runs), B (1 run, first: train.seed=3)\n");
    sweep.cells[2].exit = SWEEP_OPEN;
    prints(&sweep, 1, "");
    sweep_close(&sweep);
}

/* What differs between folders may be what is compared. */
static void weights_that_differ_between_sweeps_are_said(void **state) {
    (void)state;
    Sweep sweeps[2];
    for (size_t s = 0; s < 2; s++) {
        OPEN(&sweeps[s], "demo", "train.seed=1,2");
        end_all(&sweeps[s]);
        text_format(sweeps[s].dir, sizeof sweeps[s].dir, "%s", s ? "b" : "a");
        for (size_t c = 0; c < 2; c++) begins_from(&sweeps[s], c, 5, "00000001");
    }
    prints(sweeps, 2, "");
    for (size_t c = 0; c < 2; c++) begins_from(&sweeps[1], c, 5, "00000002");
    agree(sweeps, 2);
    prints(sweeps, 2,
           "different weights by the same train.init: a/cells/train.seed=1 began from "
           "CRC-32 00000001, b/cells/train.seed=1 from 00000002\n");
    sweep_close(&sweeps[0]);
    sweep_close(&sweeps[1]);
}

/* ---- what a run says ---- */

static void put(void **state, const char *name, const char *text) {
    char path[200];
    text_format(path, sizeof path, "cells/demo/%s", name);
    files_write(*state, path, text, strlen(text));
}

static SweepOrigin read(void **state, const char *recipe) {
    Sweep sweep;
    Err err = ERR_NONE;
    put(state, "recipe.ini", recipe);
    OPEN(&sweep, "demo");
    text_format(sweep.dir, sizeof sweep.dir, "%s", (const char *)*state);
    if (sweep_read_result(&sweep, 0, &err)) fail_msg("%s", err.text);
    SweepOrigin origin = sweep.cells[0].origin;
    sweep_close(&sweep);
    return origin;
}

static void only_keys_that_choose_examples_make_a_choice_of_data(void **state) {
    static const struct {
        const char *text;
        bool same;
    } cases[] = {
        {"[train]\nseed = 4\n", true},
        {"[optim]\nlr = 0.5\n", true},
        {"[data]\nthreads = 3\naugment = none\n", true},
        {"[data]\nlimit = 0\n", true}, /* the default, written out */
        {"[data]\nlimit = 10\n", false},
        {"[data]\nval_fraction = 0.2\n", false},
        {"[data]\npath = other\n", false},
    };
    put(state, "train.jsonl", "");
    uint64_t keys = read(state, "").keys;
    assert_true(keys != 0);
    for (size_t i = 0; i < COUNT(cases); i++)
        if ((read(state, cases[i].text).keys == keys) != cases[i].same)
            fail_msg("%s", cases[i].text);
    assert_true(read(state, "[data]\nchanged = allow\n").keys == 0);
    assert_true(read(state, "[data]\nof_another_version = 1\n").keys == 0);
}

static void a_run_says_which_program_trained_it(void **state) {
    Err err = ERR_NONE;
    char dir[600], *words[] = {"train"};
    put(state, "train.jsonl", "");
    assert_string_equal(read(state, "").version, "");
    put(state, "run.json", "{\"sessions\":[{\"version\":\"0.0.1\",\"exit\":null}]}");
    SweepOrigin old = read(state, "");
    assert_string_equal(old.version, "0.0.1");
    assert_string_equal(old.real, "");
    text_format(dir, sizeof dir, "%s/cells/demo", (const char *)*state);
    SessionStart start = {.argc = 1, .argv = words};
    if (session_begin(dir, &start, &err)) fail_msg("%s", err.text);
    put(state, "data.json",
        "{\"splits\":{\"train\":{\"count\":60,\"hash\":\"00000000000000ab\"}}}");
    SweepOrigin now = read(state, "");
    assert_string_equal(now.version, STEADY_VERSION);
    assert_string_equal(now.real, sizeof(real) == sizeof(float) ? "float" : "double");
    assert_true(now.count[SPLIT_TRAIN] == 60 && now.hash[SPLIT_TRAIN] == 0xab);
}

/* Of a run that was killed before its first checkpoint, and of one that was resumed. */
static void a_run_says_which_weights_it_began_from(void **state) {
    put(state, "train.jsonl", "");
    put(state, "run.json",
        "{\"sessions\":[{\"from\":0,\"init_crc32\":\"0000000a\",\"exit\":null},"
        "{\"from\":0,\"init_crc32\":\"0000000b\",\"exit\":75},{\"from\":9,\"exit\":0}]}");
    SweepOrigin origin = read(state, "[train]\ninit = pre\n");
    assert_string_equal(origin.init_crc, "0000000b");
    assert_true(origin.init && origin.init != read(state, "[train]\ninit = x\n").init);
    assert_true(read(state, "").init == 0);
    put(state, "run.json", "{\"sessions\":[{\"from\":0,\"exit\":0}]}");
    assert_string_equal(read(state, "[train]\ninit = pre\n").init_crc, "");
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(seeds_on_other_examples_are_no_seeds),
        cmocka_unit_test(hashes_are_compared_within_a_version),
        cmocka_unit_test(seeds_of_other_weights_are_no_seeds),
        cmocka_unit_test(weights_that_differ_between_sweeps_are_said),
        FOLDER_TEST(a_run_says_which_weights_it_began_from),
        cmocka_unit_test(runs_of_several_programs_are_said_to_be),
        FOLDER_TEST(only_keys_that_choose_examples_make_a_choice_of_data),
        FOLDER_TEST(a_run_says_which_program_trained_it),
    };
    return cmocka_run_group_tests_name("sweep_origin", cases, NULL, NULL);
}
