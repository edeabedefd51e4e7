/* Reading run folders, whole, half written and broken. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/run/rundir.h"
#include "tools/run/runlog.h"

static const char *const names[] = {"recipe.ini",  "task.json",  "train.jsonl",
                                    "probe.jsonl", "eval.jsonl", "data.json"};

typedef struct Folder {
    char dir[64];
} Folder;

static int set_up(void **state) {
    Folder *folder = mem_zalloc(sizeof *folder);
    strcpy(folder->dir, "/tmp/runlog-XXXXXX");
    *state = folder;
    return mkdtemp(folder->dir) ? 0 : -1;
}

static int tear_down(void **state) {
    Folder *folder = *state;
    char path[128];
    for (size_t i = 0; i < COUNT(names); i++) {
        text_format(path, sizeof path, "%s/%s", folder->dir, names[i]);
        unlink(path);
    }
    rmdir(folder->dir);
    mem_free(folder);
    return 0;
}

static void put(void **state, const char *name, const char *text) {
    const Folder *folder = *state;
    char path[128];
    text_format(path, sizeof path, "%s/%s", folder->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static RunLog *open_run(void **state) {
    Err err = ERR_NONE;
    RunLog *run = runlog_open(((Folder *)*state)->dir, &err);
    if (!run) fail_msg("%s", err.text);
    return run;
}

static void an_empty_folder_is_a_run_without_rows(void **state) {
    RunLog *run = open_run(state);
    Err err = ERR_NONE;
    assert_int_equal(run->train.count, 0);
    assert_int_equal(run->probe.count, 0);
    assert_int_equal(runlog_check_rows(run, &err), FAIL_DATA);
    assert_non_null(strstr(err.text, "no rows yet"));
    assert_int_equal(runlog_verdict(run, false).kind, VERDICT_SHORT);
    runlog_free(run);
}

static void a_missing_folder_is_a_usage_error(void **state) {
    (void)state;
    Err err = ERR_NONE;
    assert_null(runlog_open("/tmp/there-is-no-such-run", &err));
    assert_int_equal(err.status, FAIL_USAGE);
}

/* Root may read everything: somebody else looks. */
static void a_folder_that_may_not_be_read_is_named_as_that(void **state) {
    enum { SOMEBODY = 65534 };
    const char *dir = ((Folder *)*state)->dir;
    Err log = ERR_NONE, holds = ERR_NONE, saved = ERR_NONE;
    put(state, "recipe.ini", "");
    put(state, "train.jsonl", "{\"step\":1}\n");
    bool root = !geteuid();
    assert_int_equal(chmod(dir, 0), 0);
    if (root) assert_int_equal(seteuid(SOMEBODY), 0);
    RunLog *run = runlog_open(dir, &log);
    rundir_check_run(dir, &holds);
    checkpoint_check_folder(dir, &saved);
    if (root) assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(dir, 0700), 0);
    assert_null(run);
    const Err *errs[] = {&log, &holds, &saved};
    for (size_t i = 0; i < COUNT(errs); i++) {
        assert_int_equal(errs[i]->status, FAIL_DATA);
        assert_non_null(strstr(errs[i]->text, "Permission denied"));
    }
    assert_int_equal(rundir_check_run(dir, &holds), OK);
    assert_int_equal(checkpoint_check_folder(dir, &saved), OK);
}

static void facts_of_data_that_are_none_are_named(void **state) {
    static const char *const BROKEN[] = {"", "{", "[]", "{\"splits\":{\"train\":3}}"};
    for (size_t i = 0; i < COUNT(BROKEN); i++) {
        Err err = ERR_NONE;
        put(state, "data.json", BROKEN[i]);
        assert_null(runlog_open(((Folder *)*state)->dir, &err));
        assert_int_equal(err.status, FAIL_DATA);
        assert_non_null(strstr(err.text, "data.json"));
    }
}

static void rows_come_back_as_numbers(void **state) {
    put(state, "train.jsonl",
        "{\"step\":1,\"epoch\":0.5,\"loss\":2.5,\"lr\":0.01,\"grad_norm\":1.25,"
        "\"items_per_s\":80,\"mfu\":null}\n"
        "{\"step\":2,\"epoch\":1,\"loss\":2.25,\"lr\":0.02,\"grad_norm\":1,\"mfu\":0.5}"
        "\n");
    RunLog *run = open_run(state);
    assert_int_equal(run->train.count, 2);
    assert_true(run->train.step[1] == 2 && run->train.loss[0] == 2.5);
    assert_true(run->train.lr[1] == 0.02 && run->train.grad_norm[0] == 1.25);
    assert_true(run->train.items_per_s[0] == 80 && isnan(run->train.items_per_s[1]));
    runlog_free(run);
}

static void the_event_of_a_bad_number_makes_a_run_non_finite(void **state) {
    put(state, "train.jsonl",
        "{\"step\":1,\"loss\":2}\n{\"step\":2,\"event\":\"non-finite\"}\n");
    RunLog *run = open_run(state);
    assert_int_equal(runlog_verdict(run, false).kind, VERDICT_NONFINITE);
    runlog_free(run);
}

static void a_null_loss_is_not_finite(void **state) {
    put(state, "train.jsonl", "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":null}\n");
    RunLog *run = open_run(state);
    assert_true(isnan(run->train.loss[1]));
    assert_int_equal(runlog_verdict(run, false).kind, VERDICT_NONFINITE);
    runlog_free(run);
}

static void a_row_that_is_being_written_is_left_out(void **state) {
    static const char whole[] = "{\"step\":1,\"loss\":2}\n{\"step\":2,\"loss\":1.5}";
    char text[sizeof whole];
    for (size_t length = 20; length < sizeof whole; length++) {
        snprintf(text, length + 1, "%s", whole);
        put(state, "train.jsonl", text);
        RunLog *run = open_run(state);
        assert_int_equal(run->train.count, length == sizeof whole - 1 ? 2 : 1);
        runlog_free(run);
    }
}

static void expect_note(void **state, size_t rows, size_t probes, const char *part) {
    RunLog *run = open_run(state);
    char note[600];
    runlog_note(run, note, sizeof note);
    assert_int_equal(run->train.count, rows);
    assert_int_equal(run->probe.count, probes);
    if (*part ? !strstr(note, part) : *note)
        fail_msg("said \"%s\", wanted \"%s\"", note, part);
    runlog_free(run);
}

static void a_line_that_is_no_row_is_counted_and_the_others_are_read(void **state) {
    put(state, "train.jsonl", "{\"step\":1,\"loss\":2}\n{\"step\":3,\"loss\":1}\n");
    expect_note(state, 2, 0, "");
    put(state, "train.jsonl",
        "{\"step\":1,\"loss\":2}\n{\"step\":2,\"lo\n{\"step\":3,\"loss\":1}\n");
    expect_note(state, 2, 0, "1 line of the logs is ignored (/tmp/");
    expect_note(state, 2, 0, "train.jsonl:2: ");
    put(state, "probe.jsonl", "\n{\"attention\":[]}\n[1,2]\n{\"step\":7}\n");
    expect_note(state, 2, 1, "3 lines of the logs are ignored (first: /tmp/");
    put(state, "probe.jsonl", "\xEF\xBB\xBF{\"step\":7}\n");
    expect_note(state, 2, 1, "1 line of the logs");
    put(state, "probe.jsonl", "\n{\"attention\":[]}\n{\"step\":7}\n");
    put(state, "train.jsonl", "");
    expect_note(state, 0, 1, "probe.jsonl:2: a row has no \"step\")");
}

static void rows_after_a_step_back_replace_the_older_ones(void **state) {
    put(state, "train.jsonl",
        "{\"step\":1,\"loss\":4}\n{\"step\":2,\"loss\":3}\n{\"step\":3,\"loss\":2}\n"
        "{\"step\":2,\"loss\":9}\n");
    RunLog *run = open_run(state);
    assert_int_equal(run->train.count, 2);
    assert_true(run->train.loss[1] == 9);
    runlog_free(run);
}

static void probes_are_sites_by_heads_and_weights_by_measure(void **state) {
    put(state, "probe.jsonl",
        "{\"step\":1,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":[2,1],\"max_"
        "logit\":3,"
        "\"keys\":17},{\"site\":\"blocks.1.attn\",\"entropy\":[2.5,null],\"max_logit\":"
        "null,"
        "\"keys\":17}],\"weights\":[{\"name\":\"blocks.0.attn.qkv\",\"sigma\":1.5,"
        "\"gamma\":null,"
        "\"grad_inf\":0.1}],\"sharpness\":[7,6]}\n"
        "{\"step\":5,\"attention\":[{\"site\":\"blocks.0.attn\",\"entropy\":[0.1,0.1],"
        "\"max_logit\":30,\"keys\":17}],\"weights\":[],\"sharpness\":null}\n");
    RunLog *run = open_run(state);
    const ProbeLog *probe = &run->probe;
    assert_int_equal(probe->count, 2);
    assert_int_equal(probe->site_count, 2);
    assert_int_equal(probe->weight_count, 1);
    assert_string_equal(probe->sites[1].name, "blocks.1.attn");
    assert_true(probe->sites[0].entropy[1] == 1 && probe->sites[0].mean[0] == 1.5);
    assert_true(probe->sites[1].mean[0] == 2.5); /* the head that is known */
    assert_true(
        isnan(probe->sites[1].mean[1])); /* the site is missing in the second row */
    assert_true(probe->weights[0].value[WEIGHT_SIGMA][0] == 1.5 &&
                isnan(probe->weights[0].value[WEIGHT_GAMMA][0]));
    assert_true(isnan(probe->weights[0].value[WEIGHT_SIGMA][1]));
    assert_int_equal(probe->sharpness_count, 1);
    assert_true(probe->sharpness[0].raw[1] == 6 && isnan(probe->sharpness[0].raw[2]));
    EntropyLow low = runlog_lowest(run);
    assert_string_equal(low.fell_site, "blocks.0.attn");
    assert_int_equal(low.fell_step, 5);
    runlog_free(run);
}

static void a_warning_of_the_guard_counts_as_what_a_probe_sees(void **state) {
    put(state, "train.jsonl",
        "{\"step\":5,\"loss\":1}\n"
        "{\"step\":3,\"event\":\"alarm\",\"text\":\"x\",\"site\":\"a\",\"share\":0.07}\n"
        "{\"step\":4,\"event\":\"alarm\",\"text\":\"x\",\"site\":\"b\",\"share\":0.3}\n"
        "{\"step\":4,\"event\":\"alarm\",\"text\":\"x\",\"site\":5,\"share\":0.01}\n"
        "{\"step\":4,\"event\":\"skip\",\"text\":\"x\",\"site\":\"b\",\"share\":0.01}\n");
    put(state, "probe.jsonl",
        "{\"step\":1,\"attention\":[{\"site\":\"a\",\"entropy\":[2],\"keys\":17},"
        "{\"site\":\"b\",\"entropy\":[2],\"keys\":17}]}\n");
    RunLog *run = open_run(state);
    EntropyLow low = runlog_lowest(run);
    assert_true(low.fell_step == 3 && low.fell_between && low.probes == 1);
    assert_true(low.fell_uniform == log(17)); /* of the site's probes: an older log */
    assert_string_equal(low.fell_site, "a");
    assert_true(low.share == 0.07 && runlog_alarmed(run, "a") &&
                !runlog_alarmed(run, "b"));
    assert_true(runlog_verdict(run, false).collapsed);
    runlog_free(run);
}

static void few_examples_are_named_where_they_cannot_be_told_from_guessing(void **state) {
    char rows[2000] = "";
    for (int i = 1; i <= 20; i++)
        text_format(rows + strlen(rows), sizeof rows - strlen(rows),
                    "{\"step\":%d,\"loss\":%g}\n", i, 0.7 - 0.03 * i);
    put(state, "train.jsonl", rows);
    put(state, "task.json", "{\"chance\":0.693147181}\n");
    put(state, "eval.jsonl",
        "{\"step\":20,\"split\":\"val\",\"loss\":1,\"top1\":0.791666667,"
        "\"grade\":\"too few to judge\",\"count\":24}\n");
    RunLog *run = open_run(state);
    Verdict verdict = runlog_verdict(run, false);
    assert_int_equal(verdict.kind, VERDICT_FEW);
    assert_false(verdict.diverged);
    assert_non_null(strstr(verdict.summary, "; 24 examples of val are too few to tell "
                                            "79.17 % from guessing (50 %)."));
    runlog_free(run);
}

static void evaluations_carry_any_of_the_known_scores(void **state) {
    put(state, "eval.jsonl",
        "{\"step\":5,\"split\":\"val\",\"loss\":1,\"top1\":0.5}\n"
        "{\"step\":5,\"split\":\"test\",\"loss\":1,\"bleu\":27.5}\n"
        "{\"step\":5,\"split\":\"a-very-long-name-of-a-split\",\"loss\":null,\"wer\":"
        "null}\n"
        "{\"step\":6,\"loss\":2}\n");
    RunLog *run = open_run(state);
    assert_int_equal(run->eval_count, 4);
    assert_string_equal(run->evals[0].metric, "top1");
    assert_true(run->evals[1].score == 27.5);
    assert_true(isnan(run->evals[2].score));
    assert_null(run->evals[3].metric);
    runlog_free(run);
}

static void an_evaluation_of_a_translation_keeps_all_its_scores(void **state) {
    put(state, "eval.jsonl",
        "{\"step\":5,\"split\":\"val\",\"loss\":3,\"ppl\":20}\n"
        "{\"step\":9,\"split\":\"val\",\"loss\":2,\"ppl\":8,\"bleu_tokens\":31,"
        "\"bleu\":30}\n");
    RunLog *run = open_run(state);
    assert_string_equal(run->evals[0].metric, "ppl");
    assert_string_equal(run->evals[1].metric, "bleu");
    assert_true(run->evals[1].score == 30 && run->evals[1].scores[METRIC_PPL] == 8);
    assert_true(run->evals[1].scores[METRIC_BLEU_TOKENS] == 31);
    assert_true(isnan(run->evals[0].scores[METRIC_BLEU]));
    assert_true(isnan(run->evals[0].scores[METRIC_TOP1]));
    runlog_free(run);
}

static void numbers_of_sites_and_heads_are_there_where_a_row_has_them(void **state) {
    put(state, "probe.jsonl",
        "{\"step\":1,\"attention\":[{\"site\":\"a\",\"entropy\":[1,2],\"input\":5}]}\n"
        "{\"step\":2,\"attention\":[{\"site\":\"a\",\"entropy\":[1,2],\"bound\":[0.5,"
        "null],\"sec\":[0.25],\"rank\":[3],\"stable_rank\":7}]}\n");
    RunLog *run = open_run(state);
    const SiteLog *site = &run->probe.sites[0];
    assert_true(site->value[SITE_INPUT][0] == 5 && isnan(site->value[SITE_INPUT][1]));
    assert_null(site->value[SITE_SIGMA2]);
    assert_null(site->head[HEAD_PAIR]);
    assert_true(isnan(site->value[SITE_RANK][1]));       /* a list is no number, */
    assert_true(isnan(site->head[HEAD_STABLE_RANK][2])); /* and a number no list */
    const double *bound = site->head[HEAD_BOUND];
    assert_true(isnan(bound[0]) && isnan(bound[1]) && bound[2] == 0.5 && isnan(bound[3]));
    assert_true(site->head[HEAD_SEC][2] == 0.25 && isnan(site->head[HEAD_SEC][3]));
    runlog_free(run);
}

/* Under a causal mask row i sees i + 1 keys: 1.5 nats are all that 8 keys allow. */
static void
entropy_is_measured_against_uniform_attention_not_against_all_keys(void **state) {
    put(state, "probe.jsonl",
        "{\"step\":1,\"attention\":["
        "{\"site\":\"causal\",\"entropy\":[1.2],\"max_logit\":1,\"keys\":8,"
        "\"uniform\":1.5},"
        "{\"site\":\"old\",\"entropy\":[1.9],\"max_logit\":1,\"keys\":8},"
        "{\"site\":\"alone\",\"entropy\":[0],\"max_logit\":1,\"keys\":1,"
        "\"uniform\":0}]}\n");
    RunLog *run = open_run(state);
    assert_true(run->probe.sites[0].uniform[0] == 1.5);
    assert_true(run->probe.sites[1].uniform[0] == log(8));
    EntropyLow low = runlog_lowest(run);
    assert_string_equal(low.site, "causal");
    assert_true(fabs(low.share - 0.8) < 1e-12 && low.uniform == 1.5);
    runlog_free(run);
}

static void the_task_says_what_guessing_costs_a_text(void **state) {
    char rows[2000] = "";
    for (int i = 1; i <= 20; i++)
        text_format(rows + strlen(rows), sizeof rows - strlen(rows),
                    "{\"step\":%d,\"loss\":8.95}\n", i);
    put(state, "train.jsonl", rows);
    put(state, "task.json", "{\"kind\":\"translate\",\"chance\":8.98}\n");
    RunLog *run = open_run(state);
    assert_true(run->chance == 8.98);
    assert_int_equal(runlog_verdict(run, false).kind, VERDICT_AT_CHANCE);
    runlog_free(run);
    put(state, "task.json", "{\"classes\":\"ten\",\"chance\":null}\n");
    run = open_run(state);
    assert_true(isnan(run->chance));
    runlog_free(run);
}

static void settings_come_from_the_recipe_and_chance_from_the_task(void **state) {
    put(state, "recipe.ini",
        "[model]\nreparam = sigma ; a word\n[optim]\nlr = 0.02\nodd line\n");
    put(state, "task.json", "{\"classes\":10}\n");
    RunLog *run = open_run(state);
    assert_string_equal(runlog_setting(run, "model.reparam"), "sigma");
    assert_string_equal(runlog_setting(run, "optim.lr"), "0.02");
    assert_null(runlog_setting(run, "optim.none"));
    assert_true(fabs(run->chance - log(10)) < 1e-12);
    assert_true(strncmp(run->name, "runlog-", 7) == 0);
    runlog_free(run);
}

static void events_are_kept_apart_from_steps(void **state) {
    put(state, "train.jsonl",
        "{\"step\":1,\"event\":\"alarm\",\"text\":\"low <entropy>\"}\n"
        "{\"step\":1,\"loss\":3}\n{\"step\":2,\"loss\":2}\n"
        "{\"step\":2,\"event\":\"intervene\",\"key\":\"optim.lr\",\"from\":\"0.1\","
        "\"to\":2}\n"
        "{\"step\":2,\"event\":\"odd\",\"text\":[1]}\n"
        "{\"step\":3,\"loss\":1}\n");
    RunLog *run = open_run(state);
    assert_int_equal(run->train.count, 3);
    assert_true(run->train.loss[0] == 3 && run->train.loss[2] == 1);
    assert_int_equal(run->event_count, 3);
    assert_string_equal(run->events[0].kind, "alarm");
    assert_string_equal(run->events[0].text, "low <entropy>");
    assert_true(run->events[1].step == 2);
    assert_string_equal(run->events[1].text, "optim.lr changed from 0.1 to 2");
    assert_string_equal(run->events[2].text, "");
    runlog_free(run);
}

static void sharpness_is_kept_by_step_and_cuts_no_probe(void **state) {
    put(state, "probe.jsonl",
        "{\"step\":1,\"attention\":[],\"weights\":[]}\n"
        "{\"step\":9,\"attention\":[],\"weights\":[]}\n"
        "{\"step\":8,\"sharpness\":{\"raw\":[-7,3],\"preconditioned\":[5],"
        "\"threshold\":38,\"sample\":4}}\n"
        "{\"step\":4,\"sharpness\":{\"raw\":[2],\"preconditioned\":null}}\n"
        "{\"step\":6,\"sharpness\":null}\n"
        "{\"step\":8,\"sharpness\":{\"raw\":[-8],\"threshold\":38}}\n");
    RunLog *run = open_run(state);
    const ProbeLog *probe = &run->probe;
    assert_int_equal(probe->count, 2);
    assert_int_equal(probe->sharpness_count, 3);
    const SharpnessRow *row = probe->sharpness;
    assert_true(row[0].step == 4 && row[1].step == 6 && row[2].step == 8);
    assert_true(row[0].raw[0] == 2 && isnan(row[0].preconditioned[0]));
    assert_true(isnan(row[0].threshold) && isnan(row[1].raw[0]));
    assert_true(row[2].raw[0] == -8 && isnan(row[2].raw[1]) && row[2].threshold == 38);
    runlog_free(run);
}

static void foreign_types_in_a_row_are_missing_numbers(void **state) {
    put(state, "train.jsonl",
        "{\"step\":1,\"loss\":\"low\",\"lr\":[1],\"grad_norm\":{}}\n");
    put(state, "probe.jsonl",
        "{\"step\":1,\"attention\":{\"site\":1},\"weights\":3,\"sharpness\":[]}\n"
        "{\"step\":2,\"attention\":[7,{\"site\":4},{\"site\":\"s\",\"entropy\":3}],"
        "\"weights\":[{\"name\":null}]}\n");
    RunLog *run = open_run(state);
    assert_true(isnan(run->train.loss[0]) && isnan(run->train.lr[0]));
    assert_int_equal(run->probe.count, 2);
    assert_int_equal(run->probe.weight_count, 0);
    runlog_free(run);
}

static void numbers_that_no_run_has_are_left_out(void **state) {
    put(state, "train.jsonl",
        "{\"step\":1e300,\"loss\":1}\n{\"step\":1,\"loss\":1e300}\n"
        "{\"step\":2,\"loss\":1e-320}\n");
    RunLog *run = open_run(state);
    assert_int_equal(run->train.count, 2);
    assert_int_equal(run->bad_rows, 1);
    assert_true(isnan(run->train.loss[0]) && run->train.loss[1] == 0);
    runlog_free(run);
}

static void names_take_no_more_memory_than_their_rows_have_room(void **state) {
    enum { SITES = 3000, ROWS = 20000, ROOM = 1 << 20 };
    char *text = mem_zalloc(ROOM), *at = text;
    at += sprintf(at, "{\"step\":1,\"attention\":[");
    for (size_t i = 0; i < SITES; i++)
        at +=
            sprintf(at, "%s{\"site\":\"blocks.%zu.a\",\"entropy\":[1]}", i ? "," : "", i);
    at += sprintf(at, "]}\n");
    for (size_t i = 2; i < ROWS; i++) at += sprintf(at, "{\"step\":%zu}\n", i);
    put(state, "probe.jsonl", text);
    mem_free(text);
    RunLog *run = open_run(state);
    char note[600];
    assert_int_equal(run->probe.count, ROWS - 1);
    assert_true(run->probe.site_count > 500 && run->probe.site_count < 1000);
    runlog_note(run, note, sizeof note);
    assert_non_null(strstr(note, "too many names"));
    runlog_free(run);
}

static void a_name_too_long_for_its_place_is_one_name(void **state) {
    char name[300], text[2000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    text_format(text, sizeof text,
                "{\"step\":1,\"attention\":[{\"site\":\"%s\",\"entropy\":[1]}]}\n"
                "{\"step\":2,\"attention\":[{\"site\":\"%s\",\"entropy\":[1]}]}\n",
                name, name);
    put(state, "probe.jsonl", text);
    RunLog *run = open_run(state);
    assert_int_equal(run->probe.site_count, 1);
    runlog_free(run);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(an_empty_folder_is_a_run_without_rows),
        CASE(numbers_that_no_run_has_are_left_out),
        CASE(names_take_no_more_memory_than_their_rows_have_room),
        CASE(a_name_too_long_for_its_place_is_one_name),
        CASE(a_folder_that_may_not_be_read_is_named_as_that),
        CASE(a_missing_folder_is_a_usage_error),
        CASE(facts_of_data_that_are_none_are_named),
        CASE(rows_come_back_as_numbers),
        CASE(the_event_of_a_bad_number_makes_a_run_non_finite),
        CASE(a_null_loss_is_not_finite),
        CASE(a_row_that_is_being_written_is_left_out),
        CASE(a_line_that_is_no_row_is_counted_and_the_others_are_read),
        CASE(rows_after_a_step_back_replace_the_older_ones),
        CASE(probes_are_sites_by_heads_and_weights_by_measure),
        CASE(numbers_of_sites_and_heads_are_there_where_a_row_has_them),
        CASE(a_warning_of_the_guard_counts_as_what_a_probe_sees),
        CASE(few_examples_are_named_where_they_cannot_be_told_from_guessing),
        CASE(evaluations_carry_any_of_the_known_scores),
        CASE(an_evaluation_of_a_translation_keeps_all_its_scores),
        CASE(entropy_is_measured_against_uniform_attention_not_against_all_keys),
        CASE(the_task_says_what_guessing_costs_a_text),
        CASE(settings_come_from_the_recipe_and_chance_from_the_task),
        CASE(events_are_kept_apart_from_steps),
        CASE(sharpness_is_kept_by_step_and_cuts_no_probe),
        CASE(foreign_types_in_a_row_are_missing_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
