/* A run folder whoever wrote it, and however little of it: reports, lists, states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "files.h"
#include "tools/figure/report.h"
#include "tools/program/say.h"
#include "tools/run/rundiff.h"
#include "tools/run/rundir.h"
#include "tools/run/runstate.h"
#include "tools/sweep/runlist.h"

static void put(void **state, const char *name, const char *text) {
    files_write(*state, name, text, strlen(text));
}

static RunLog *run_of(void **state) {
    Err err = ERR_NONE;
    RunLog *run = runlog_open(*state, &err);
    if (!run) fail_msg("%s", err.text);
    return run;
}

/* ---- recipe.ini ---- */

static void settings_are_those_that_training_read(void **state) {
    char text[2000], path[1000];
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = 0;
    text_format(text, sizeof text,
                "\xEF\xBB\xBF; first\n[data]\r\n  path = %s\nsource = idx # digits\n"
                "no setting\n[train]\nseed: 3 ; lucky\nsteps=1\nsteps = 2\n",
                path);
    put(state, "recipe.ini", text);
    RunLog *run = run_of(state);
    assert_string_equal(runlog_setting(run, "data.path"), path);
    assert_string_equal(runlog_setting(run, "data.source"), "idx");
    assert_string_equal(runlog_setting(run, "train.seed"), "3");
    assert_string_equal(runlog_setting(run, "train.steps"), "2");
    assert_null(runlog_setting(run, "train.no setting"));
    runlog_free(run);
}

/* ---- states ---- */

static RunStateKind kind_of(void **state) {
    RunLog *run = run_of(state);
    RunState s = runstate_of(run);
    runlog_free(run);
    return s.kind;
}

static void a_killed_run_is_finished_once_its_last_step_is_saved(void **state) {
    put(state, "recipe.ini", "[train]\nsteps = 60\nlog_every = 50\n");
    put(state, "train.jsonl", "{\"step\":50,\"loss\":1}\n");
    put(state, "run.json", "{\"sessions\":[{\"steps\":60,\"exit\":null}]}");
    files_folder(*state, "checkpoints");
    put(state, "checkpoints/step-00000040.safetensors", "x");
    assert_int_equal(kind_of(state), RUNSTATE_INTERRUPTED);
    put(state, "checkpoints/step-00000060.safetensors", "x");
    assert_int_equal(kind_of(state), RUNSTATE_FINISHED);
}

static void a_run_that_logged_nothing_has_not_finished(void **state) {
    put(state, "recipe.ini", "[train]\nsteps = 20\nlog_every = 50\n");
    assert_int_equal(kind_of(state), RUNSTATE_INTERRUPTED);
}

static void a_run_that_was_judged_took_the_steps_that_it_says(void **state) {
    put(state, "recipe.ini", "[train]\nsteps = 60\nlog_every = 50\n");
    put(state, "train.jsonl", "{\"step\":50,\"loss\":1}\n");
    put(state, "run.json", "{\"sessions\":[{\"steps\":60,\"step\":60,\"exit\":4}]}");
    assert_int_equal(kind_of(state), RUNSTATE_FINISHED);
    put(state, "run.json", "{\"sessions\":[{\"steps\":60,\"step\":55,\"exit\":4}]}");
    assert_int_equal(kind_of(state), RUNSTATE_FAILED);
}

/* ---- a folder whose name is long ---- */

static void a_name_too_long_for_its_files_is_refused(void **state) {
    Err err = ERR_NONE;
    char path[PATH_SIZE + 300];
    text_format(path, sizeof path, "%s", (char *)*state);
    while (strlen(path) + 20 < PATH_SIZE) {
        text_format(path + strlen(path), 200, "/%0100d", 7);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    assert_null(runlog_open(path, &err));
    assert_int_equal(err.status, FAIL_USAGE);
    assert_non_null(strstr(err.text, "too long"));
}

/* ---- rows that come again ---- */

static void of_rows_that_come_again_nothing_is_left(void **state) {
    put(state, "train.jsonl", "{\"step\":1,\"loss\":1}\n");
    put(state, "probe.jsonl",
        "{\"step\":1,\"attention\":[{\"site\":\"a\",\"entropy\":[1],\"rank\":2}],"
        "\"weights\":[{\"name\":\"w\",\"sigma\":3}]}\n{\"step\":1,\"attention\":[{"
        "\"site\":\"b\",\"entropy\":[1]}]}\n");
    put(state, "eval.jsonl",
        "{\"step\":1,\"split\":\"val\",\"top1\":0.1}\n"
        "{\"step\":2,\"split\":\"val\",\"top1\":0.9}\n"
        "{\"step\":2,\"split\":\"test\",\"top1\":0.8}\n"
        "{\"step\":2,\"split\":\"val\",\"top1\":0.2}\n");
    RunLog *run = run_of(state);
    assert_int_equal(run->probe.count, 1);
    assert_true(run->probe.sites[0].entropy[0] != 1);
    assert_true(run->probe.sites[0].value[SITE_RANK][0] != 2);
    assert_true(run->probe.weights[0].value[WEIGHT_SIGMA][0] != 3);
    assert_int_equal(run->eval_count, 3);
    assert_true(run->evals[0].score == 0.1 && run->evals[1].score == 0.8);
    assert_true(run->evals[2].score == 0.2);
    runlog_free(run);
}

/* ---- the report's first line ---- */

static char *page_of(void **state) {
    size_t size;
    Err err = ERR_NONE;
    if (report_write(*state, NULL, NULL, &err)) fail_msg("%s", err.text);
    return (char *)files_read(*state, "report.html", &size);
}

static void the_best_score_is_of_validation_and_a_lost_run_has_one(void **state) {
    put(state, "eval.jsonl",
        "{\"step\":5,\"split\":\"val\",\"top1\":0.9}\n"
        "{\"step\":9,\"split\":\"val\",\"top1\":0.8}\n"
        "{\"step\":9,\"split\":\"test\",\"top1\":0.7}\n");
    char *html = page_of(state);
    assert_non_null(strstr(html, "<strong>top-1 90.00%</strong> <span class=soft>(val, "
                                 "step 5; last top-1 80.00%; test top-1 70.00% at step "
                                 "9)"));
    mem_free(html);
    put(state, "eval.jsonl",
        "{\"step\":5,\"split\":\"test\",\"top1\":0.9}\n"
        "{\"step\":9,\"split\":\"test\",\"top1\":null}\n");
    html = page_of(state);
    assert_non_null(strstr(html, "<strong>top-1 90.00%</strong> <span class=soft>(test, "
                                 "step 5)"));
    mem_free(html);
}

static void what_no_page_can_hold_is_replaced(void **state) {
    put(state, "recipe.ini", "[train]\nname = \xff\x1b[31m<b>\xC2\x85\n");
    char *html = page_of(state);
    assert_non_null(strstr(html, "name = \xEF\xBF\xBD\xEF\xBF\xBD[31m&lt;b&gt;"
                                 "\xEF\xBF\xBD\n"));
    mem_free(html);
}

/* ---- the list ---- */

static char *list_of(void **state) {
    RunList list = {0};
    Err err = ERR_NONE;
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (runlist_of(*state, false, &list, &err)) fail_msg("%s", err.text);
    runlist_print(&list, out);
    fclose(out);
    runlist_free(&list);
    return text;
}

static void a_row_of_the_list_is_a_line_whatever_files_hold(void **state) {
    put(state, "a\n\x1b[31m/train.jsonl", "{\"step\":1,\"loss\":1}\n");
    put(state, "a\n\x1b[31m/recipe.ini", "[task]\nkind = \x1b[1m\n");
    put(state, "a\n\x1b[31m/eval.jsonl",
        "{\"step\":1,\"top1\":-1e300,\"split\":\"\\u001b\"}\n");
    put(state, "s/sweep.json",
        "{\"cells\":[{\"exit\":0,\"metric\":\"top1\",\"score\":1e300,\"split\":"
        "\"\\u001b[1m\"}]}");
    char *text = list_of(state);
    size_t lines = 0;
    for (char *c = text; *c; c++) lines += *c == '\n';
    assert_int_equal(lines, 3);
    assert_null(strchr(text, '\x1b'));
    free(text);
}

/* ---- figures ---- */

static void labels_of_any_length_are_drawn(void **state) {
    char rows[8000] = "", text[1500];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    text_format(rows, sizeof rows,
                "{\"step\":1,\"loss\":1}\n{\"step\":2,\"event\":\"%s\"}\n"
                "{\"step\":3,\"event\":\"intervene\",\"key\":\"data.augment\",\"from\":"
                "\"%s\",\"to\":\"\"}\n{\"step\":4,\"event\":\"intervene\",\"text\":"
                "\"%s\"}\n{\"step\":5,\"event\":\"resume\",\"text\":\"%s\"}\n"
                "{\"step\":9,\"loss\":1}\n",
                text, text, text, text);
    put(state, "train.jsonl", rows);
    text[90] = 0;
    text_format(rows, sizeof rows,
                "{\"step\":1,\"attention\":[{\"site\":\"%s\",\"entropy\":[-1e39],"
                "\"uniform\":1e-50,\"max_logit\":1}],\"weights\":[{\"name\":\"%s.qkv\","
                "\"sigma\":1},{\"name\":\"%s%s\",\"sigma\":1}]}\n",
                text, text, text, text);
    put(state, "probe.jsonl", rows);
    mem_free(page_of(state));
}

/* ---- anything at all ---- */

#define SITE(value)                                                                      \
    "{\"step\":1,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":[" value         \
    ",1],\"max_logit\":" value ",\"keys\":" value ",\"uniform\":" value                  \
    ",\"rank\":" value ",\"bound\":[" value "]}],\"weights\":[{\"name\":"                \
    "\"blocks.0.attn.qkv\",\"sigma\":" value ",\"gamma\":" value                         \
    ",\"update_ratio\":" value "}],\"sharpness\":{\"raw\":[" value                       \
    "],\"preconditioned\":[" value "],\"threshold\":" value "}}\n"
#define EVAL(step, value)                                                                \
    "{\"step\":" step ",\"split\":\"val\",\"loss\":" value ",\"top1\":" value            \
    ",\"probe_top1\":" value ",\"wer\":" value ",\"bleu\":" value ",\"count\":" value    \
    ",\"worst\":[{\"id\":\"x\",\"reference\":\"a\",\"hypothesis\":\"b\","                \
    "\"errors\":" value "}]}\n"
#define ROW(step, value)                                                                 \
    "{\"step\":" step ",\"epoch\":" value ",\"loss\":1,\"lr\":" value                    \
    ",\"grad_norm\":" value ",\"items_per_s\":" value ",\"feature_std\":" value "}\n"
#define CASE(value)                                                                      \
    {                                                                                    \
        "{\"step\":" value ",\"event\":\"skip\",\"count\":" value "}\n" ROW("1", "1")    \
            ROW("2", "2") ROW("3", value),                                               \
            SITE(value), EVAL("1", "0.9") EVAL("2", "0.1") EVAL("3", value),             \
            "{\"chance\":" value ",\"classes\":" value "}",                              \
            "{\"sessions\":[{\"from\":" value ",\"step\":" value ",\"steps\":" value     \
            ",\"seconds\":" value ",\"exit\":" value ",\"threads\":" value               \
            ",\"loss\":" value ",\"verdict\":" value ",\"started\":" value               \
            "},{\"exit\":0}]}",                                                          \
            "{\"step\":" value ",\"split\":" value ",\"note\":" value                    \
            ",\"confusion\":{\"classes\":[\"a\",\"b\"],\"counts\":[[" value              \
            ",1],[2," value "]]},\"texts\":[{\"title\":\"t\",\"rows\":[[\"a\"," value    \
            "]," value "]}," value                                                       \
            "],\"pictures\":[{\"label\":\"a\",\"class\":\"b\",\"share\":" value          \
            ",\"size\":[1,1,1],\"pixels\":\"00\"},{\"label\":\"a\",\"class\":\"b\","     \
            "\"share\":"                                                                 \
            "1,\"size\":[1," value ",1],\"pixels\":\"00\"}]}"                            \
    }

enum { FILES = 6, DRAWN = 2 }; /* so many cases behind the first are with figures */
static const char *const NAMES[FILES] = {"train.jsonl", "probe.jsonl", "eval.jsonl",
                                         "task.json",   "run.json",    "answers.json"};
static const char *const CASES[][FILES] = {CASE("1"),     CASE("1e308"), CASE("-1e308"),
                                           CASE("1e39"),  CASE("-1e39"), CASE("1e15"),
                                           CASE("1e-60"), CASE("-0.0"),  CASE("null"),
                                           CASE("\"x\""), CASE("true"),  CASE("[]"),
                                           CASE("{}"),    CASE("[[1]]")};

static void look_at(void **state) {
    Err err = ERR_NONE;
    RunLog *run = runlog_open(*state, &err);
    RunDiff diff;
    if (!run) return;
    runstate_of(run);
    runlog_verdict(run, false);
    rundiff(run, run, &(RunDiffOptions){.parts = RUNDIFF_ALL}, &diff);
    assert_true(diff.equal);
    rundiff_free(&diff);
    runlog_free(run);
    free(list_of(state));
}

static void numbers_of_any_size_and_kind_have_a_report(void **state) {
    put(state, "recipe.ini", "[train]\nsteps = 1e308\nepochs = 3\nlog_every = -1\n");
    for (size_t i = 0; i < COUNT(CASES); i++) {
        for (size_t k = 0; k < FILES; k++) put(state, NAMES[k], CASES[i][k]);
        look_at(state);
        if (!i || i > DRAWN) put(state, NAMES[0], "");
        mem_free(page_of(state));
    }
}

static void a_file_may_end_at_any_byte(void **state) {
    for (size_t k = 1; k < FILES; k++) put(state, NAMES[k], CASES[0][k]);
    for (size_t k = 0; k < FILES; k++) {
        for (size_t length = strlen(CASES[0][k]); length-- > 0;) {
            files_write(*state, NAMES[k], CASES[0][k], length);
            look_at(state);
            bool page = k > 1 && length % 5 == 0; /* without rows there are no figures */
            if (page) mem_free(page_of(state));
        }
        put(state, NAMES[k], k ? CASES[0][k] : "");
    }
}

static void any_byte_may_be_another(void **state) {
    for (size_t k = 1; k < FILES; k++) put(state, NAMES[k], CASES[0][k]);
    for (unsigned trial = 0; trial < 120; trial++) {
        size_t k = trial % FILES, size;
        uint8_t *bytes =
            files_damage((const uint8_t *)CASES[0][k], strlen(CASES[0][k]), trial, &size);
        files_write(*state, NAMES[k], bytes, size);
        mem_free(bytes);
        look_at(state);
        if (k) mem_free(page_of(state));
        put(state, NAMES[k], k ? CASES[0][k] : "");
    }
}

static void hear_nothing(void *context, const char *text) {
    (void)context;
    (void)text;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(settings_are_those_that_training_read),
        FOLDER_TEST(a_killed_run_is_finished_once_its_last_step_is_saved),
        FOLDER_TEST(a_run_that_logged_nothing_has_not_finished),
        FOLDER_TEST(a_run_that_was_judged_took_the_steps_that_it_says),
        FOLDER_TEST(a_name_too_long_for_its_files_is_refused),
        FOLDER_TEST(of_rows_that_come_again_nothing_is_left),
        FOLDER_TEST(the_best_score_is_of_validation_and_a_lost_run_has_one),
        FOLDER_TEST(what_no_page_can_hold_is_replaced),
        FOLDER_TEST(a_row_of_the_list_is_a_line_whatever_files_hold),
        FOLDER_TEST(labels_of_any_length_are_drawn),
        FOLDER_TEST(numbers_of_any_size_and_kind_have_a_report),
        FOLDER_TEST(a_file_may_end_at_any_byte),
        FOLDER_TEST(any_byte_may_be_another),
    };
    say_to((Listener){.hear = hear_nothing});
    return cmocka_run_group_tests(tests, NULL, NULL);
}
