/* What a figure of several runs of a sweep calls them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/chart/parts.h"
#include "tools/figure/figures.h"

enum { RUNS = 2 };

typedef struct Folders {
    char dir[32], path[RUNS][400];
    RunLog *run[RUNS];
} Folders;

static void write_file(const char *folder, const char *name, const char *text) {
    char path[500];
    text_format(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void make_run(Folders *all, size_t r, const char *name, const char *recipe) {
    text_format(all->path[r], sizeof all->path[r], "%s/%s", all->dir, name);
    assert_int_equal(mkdir(all->path[r], 0700), 0);
    write_file(all->path[r], "recipe.ini", recipe);
    write_file(all->path[r], "train.jsonl",
               "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":1}\n");
    Err err = ERR_NONE;
    all->run[r] = runlog_open(all->path[r], &err);
    if (!all->run[r]) fail_msg("%s", err.text);
}

static void titles_are(const char *const name[RUNS], const char *const recipe[RUNS],
                       const char *const title[RUNS]) {
    Folders all = {.dir = "/tmp/titles-XXXXXX"};
    assert_non_null(mkdtemp(all.dir));
    for (size_t r = 0; r < RUNS; r++) make_run(&all, r, name[r], recipe[r]);
    Chart *chart = figure_training((const RunLog *const *)all.run, RUNS,
                                   &(FigureOptions){.rows = "loss"}, NULL);
    assert_non_null(chart);
    for (size_t r = 0; r < RUNS; r++)
        assert_string_equal(chart->column_title[r].heading, title[r]);
    chart_free(chart);
    for (size_t r = 0; r < RUNS; r++) {
        runlog_free(all.run[r]);
        char path[500];
        for (size_t f = 0; f < 2; f++) {
            text_format(path, sizeof path, "%s/%s", all.path[r],
                        f ? "recipe.ini" : "train.jsonl");
            unlink(path);
        }
        rmdir(all.path[r]);
    }
    rmdir(all.dir);
}

static void what_all_runs_have_and_what_stands_below_is_left_out(void **state) {
    (void)state;
    titles_are((const char *[]){"demo,optim.lr=0.02,train.seed=1",
                                "demo-sigma,optim.lr=0.04,train.seed=1"},
               (const char *[]){"[optim]\nlr = 0.02\n[train]\nseed = 1\n",
                                "[optim]\nlr = 0.04\n[train]\nseed = 1\n"},
               (const char *[]){"demo", "demo-sigma"});
}

static void a_value_with_commas_is_one_part(void **state) {
    (void)state;
    titles_are((const char *[]){"a,data.mean=0.1,0.2,0.3,optim.lr=1",
                                "b,data.mean=0.1,0.2,0.3,optim.lr=2"},
               (const char *[]){"[data]\nmean = 0.1,0.2,0.3\n[optim]\nlr = 1\n",
                                "[data]\nmean = 0.1,0.2,0.3\n[optim]\nlr = 2\n"},
               (const char *[]){"a", "b"});
}

static void names_of_which_nothing_would_be_left_stay_whole(void **state) {
    (void)state;
    titles_are((const char *[]){"optim.lr=1", "optim.lr=2"},
               (const char *[]){"[optim]\nlr = 1\n", "[optim]\nlr = 2\n"},
               (const char *[]){"optim.lr=1", "optim.lr=2"});
}

static void what_no_figure_shows_stays_in_the_name(void **state) {
    (void)state;
    titles_are((const char *[]){"a,probe.every=1", "a,probe.every=2"},
               (const char *[]){"[probe]\nevery = 1\n", "[probe]\nevery = 2\n"},
               (const char *[]){"a,probe.every=1", "a,probe.every=2"});
}

static void other_names_stay(void **state) {
    (void)state;
    titles_are((const char *[]){"my run, the first", "x=1"}, (const char *[]){"", ""},
               (const char *[]){"my run, the first", "x=1"});
}

/* As long as a folder's name can be, without an end that is cut. */
static void a_long_name_is_read_to_its_end(void **state) {
    (void)state;
    char name[RUNS][256], title[RUNS][256];
    for (int r = 0; r < RUNS; r++) {
        memset(name[r], 'n', sizeof name[r]);
        text_format(name[r] + 230, 26, ",optim.lr=%d", r + 1);
        text_format(title[r], sizeof title[r], "%.230s", name[r]);
    }
    titles_are((const char *[]){name[0], name[1]},
               (const char *[]){"[optim]\nlr = 1\n", "[optim]\nlr = 2\n"},
               (const char *[]){title[0], title[1]});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_all_runs_have_and_what_stands_below_is_left_out),
        cmocka_unit_test(a_value_with_commas_is_one_part),
        cmocka_unit_test(names_of_which_nothing_would_be_left_stay_whole),
        cmocka_unit_test(what_no_figure_shows_stays_in_the_name),
        cmocka_unit_test(other_names_stay),
        cmocka_unit_test(a_long_name_is_read_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
