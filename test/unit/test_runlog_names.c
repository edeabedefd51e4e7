/* Runs of many sites: how long they take to read, and what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "files.h"
#include "tools/figure/layers.h"
#include "tools/run/runlog.h"

enum { FEW = 500, TIMES = 32 };

/* Two rows of so many sites, with the kinds that a model has or with one each. */
static void put_names(const char *dir, size_t count, const char *site) {
    TextBuffer text = {0};
    for (size_t step = 1; step <= 2; step++) {
        char part[200];
        text_format(part, sizeof part, "{\"step\":%zu,\"attention\":[", step);
        text_append(&text, part, strlen(part));
        for (size_t i = 0; i < count; i++) {
            char name[100];
            snprintf(name, sizeof name, site, i);
            text_format(part, sizeof part, "%s{\"site\":\"%s\",\"entropy\":[1]}",
                        i ? "," : "", name);
            text_append(&text, part, strlen(part));
        }
        text_append(&text, "]}\n", 3);
    }
    files_write(dir, "probe.jsonl", text.text, text.length);
    text_free(&text);
}

static RunLog *open_run(const char *dir) {
    Err err = ERR_NONE;
    RunLog *run = runlog_open(dir, &err);
    if (!run) fail_msg("%s", err.text);
    return run;
}

static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Each name beside each other one would take up to the square of TIMES as long.  The
 * processor's time of the same program is the measure: sanitizers make it tenfold. */
static void expect_linear(const char *what, double few, double many) {
    if (!(many < 3 * TIMES * few))
        fail_msg("%s: %g s for %d names, %g s for %d", what, few, FEW, many, FEW * TIMES);
}

static double choose_layers(const char *dir, size_t count) {
    LayerChoice choice = {0};
    char middle[100];
    put_names(dir, count, "decoder.blocks.%zu.attn");
    double begin = processor_seconds();
    RunLog *run = open_run(dir);
    assert_int_equal(run->probe.site_count, count);
    assert_int_equal(layer_choose(&choice, run, "first,middle,last,lowest", NULL), OK);
    assert_int_equal(choice.count, 3);
    text_format(middle, sizeof middle, "decoder.blocks.%zu.attn", count / 2);
    assert_true(layer_chosen(&choice, middle));
    layer_choice_free(&choice);
    runlog_free(run);
    return processor_seconds() - begin;
}

static void layers_are_chosen_in_a_time_of_their_number(void **state) {
    double few = choose_layers(*state, FEW);
    expect_linear("layers", few, choose_layers(*state, (size_t)FEW * TIMES));
}

static double read_kinds(const char *dir, size_t count) {
    char note[600];
    put_names(dir, count, "b%zu");
    double begin = processor_seconds();
    RunLog *run = open_run(dir);
    runlog_note(run, note, sizeof note);
    assert_int_equal(run->probe.site_count, 200);
    assert_non_null(strstr(note, "too many names for its rows; b200 and later"));
    runlog_free(run);
    return processor_seconds() - begin;
}

static void of_too_many_kinds_of_names_the_first_are_kept(void **state) {
    double few = read_kinds(*state, FEW);
    expect_linear("kinds", few, read_kinds(*state, (size_t)FEW * TIMES));
}

int main(void) {
    const struct CMUnitTest cases[] = {
        FOLDER_TEST(layers_are_chosen_in_a_time_of_their_number),
        FOLDER_TEST(of_too_many_kinds_of_names_the_first_are_kept),
    };
    return cmocka_run_group_tests_name("runlog_names", cases, NULL, NULL);
}
