/* The best checkpoint is chosen by scores that are numbers; others are noted once. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "small_trainer.h"
#include "tools/run/chosen.h"

static const char TINY[] = "[data]\nsource = glyphs\nsynthetic_count = 64\n"
                           "[model]\nwidth = 16\ndepth = 1\nheads = 2\npatch = 7\n"
                           "[train]\nsteps = 6\nbatch = 16\nthreads = 1\n"
                           "eval_every = 1\n[probe]\nevery = 0\n";

/* Scores of the evaluations, weights as trained and averaged in turn; and how many there
 * have been. */
static double wanted[12];
static size_t asked;

static Status evaluate(Task *task, Tape *tape, const ForwardMode *mode, Split split,
                       bool thorough, Score *score, Err *err) {
    const TaskOps *own = task_ops(task->recipe->task);
    if (own->evaluate(task, tape, mode, split, thorough, score, err)) return err->status;
    score->value[METRIC_TOP1] = wanted[asked++];
    score->value[METRIC_LOSS] = score->nll = 3 - 0.1 * (double)asked; /* falls */
    return OK;
}

/* Trains with these scores, messages into the file `said`; returns the best step. */
static size_t best_step(const char *root, const char *words, const double *scores,
                        size_t count) {
    char dir[300], said[300];
    Err err = ERR_NONE;
    Recipe recipe = small_trainer_recipe(TINY, words);
    Trainer t;
    memcpy(wanted, scores, count * sizeof *scores);
    asked = 0;
    text_format(dir, sizeof dir, "%s/run%s", root, words);
    text_format(said, sizeof said, "%s/said", root);
    int kept = silence_begin(said);
    if (trainer_open(&t, &recipe, NULL, dir, NULL, false, &err)) fail_msg("%s", err.text);
    TaskOps ops = *t.task->ops;
    ops.evaluate = evaluate;
    t.task->ops = &ops;
    Status status = trainer_run(&t, &err);
    size_t step = t.at.best_step;
    t.task->ops = task_ops(recipe.task);
    trainer_close(&t);
    silence_end(kept);
    if (status) fail_msg("%s", err.text);
    assert_int_equal(asked, count);
    return step;
}

static size_t times_said(const char *root, const char *part) {
    size_t size, times = 0;
    char *text = (char *)files_read(root, "said", &size);
    for (char *at = text; (at = strstr(at, part)); at++) times++;
    mem_free(text);
    return times;
}

static const char NOTE[] = "has no top1, the score of train.best";

static void a_score_that_is_no_number_is_never_the_best(void **state) {
    static const double SCORES[] = {NAN, 0.2, NAN, 0.6, 0.4, NAN};
    assert_int_equal(best_step(*state, "", SCORES, COUNT(SCORES)), 4);
    assert_int_equal(times_said(*state, NOTE), 1);
}

static void scores_that_are_numbers_need_no_note(void **state) {
    static const double SCORES[] = {0.1, 0.2, 0.6, 0.6, 0.4, 0.3};
    assert_int_equal(best_step(*state, "", SCORES, COUNT(SCORES)), 3);
    assert_int_equal(times_said(*state, NOTE), 0);
}

/* Of the weights as trained and of the averaged ones the better counts; one that is no
 * number does not hide the other. */
static void either_score_of_an_average_will_do(void **state) {
    static const double SCORES[] = {0.1, NAN, NAN, 0.3, 0.2, NAN,
                                    NAN, NAN, NAN, 0.2, 0.1, 0.2};
    assert_int_equal(best_step(*state, "train.ema=0.5", SCORES, COUNT(SCORES)), 2);
    assert_int_equal(times_said(*state, NOTE), 1);
}

/* What the folder of such a run says of its best score and its best checkpoint. */
static const EvalRow *look(const char *root, const char *words, RunLog **run,
                           Chosen *chosen) {
    Err err = ERR_NONE;
    char dir[300];
    text_format(dir, sizeof dir, "%s/run%s", root, words);
    *run = runlog_open(dir, &err);
    if (!*run) fail_msg("%s", err.text);
    *chosen = chosen_checkpoint(*run);
    return chosen_row(*run, &(*run)->evals[(*run)->eval_count - 1]);
}

static const double RISES_AND_FALLS[] = {0.1, 0.2, 0.6, 0.6, 0.4, 0.3};

static void another_score_may_choose_another_step(void **state) {
    RunLog *run;
    Chosen chosen;
    char text[CHOSEN_TEXT];
    assert_int_equal(best_step(*state, "train.best=loss", RISES_AND_FALLS, 6), 6);
    const EvalRow *top = look(*state, "train.best=loss", &run, &chosen);
    assert_int_equal(top->step, 3);
    assert_true(chosen.there && chosen.step == 6 && chosen.row->step == 6);
    chosen_text(&chosen, top, "", text);
    assert_string_equal(text, "; best.safetensors: step 6, chosen by loss");
    runlog_free(run);
}

static void a_smoothed_loss_is_named_as_it_chooses(void **state) {
    char text[SCORE_NAMES];
    (void)state;
    score_names(METRIC_LOSS, true, true, text);
    assert_string_equal(text, "loss or ema_loss without label smoothing");
    score_names(METRIC_TOP1, false, true, text);
    assert_string_equal(text, "top1");
}

static void the_first_of_equal_scores_is_the_best(void **state) {
    RunLog *run;
    Chosen chosen;
    char text[CHOSEN_TEXT];
    assert_int_equal(best_step(*state, "", RISES_AND_FALLS, 6), 3);
    const EvalRow *top = look(*state, "", &run, &chosen);
    assert_int_equal(top->step, 3);
    chosen_text(&chosen, top, "top-1 60 %", text);
    assert_string_equal(text, "");
    runlog_free(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(a_score_that_is_no_number_is_never_the_best),
        FOLDER_TEST(scores_that_are_numbers_need_no_note),
        FOLDER_TEST(either_score_of_an_average_will_do),
        FOLDER_TEST(another_score_may_choose_another_step),
        FOLDER_TEST(a_smoothed_loss_is_named_as_it_chooses),
        FOLDER_TEST(the_first_of_equal_scores_is_the_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
