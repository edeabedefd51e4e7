#include "tools/command/ending.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/program/say.h"
#include "tools/program/shell.h"
#include "tools/run/checkpoint.h"
#include "tools/run/chosen.h"
#include "tools/run/rundir.h"

/* "top-1 12.50 %" as people read it. */
static void score_text(const EvalRow *row, double value, char *text, size_t size) {
    const MetricFacts *m = &metrics[metric_find(row->metric)];
    const char *percent = m->factor == 100 ? " %" : "";
    size_t length = strlen(m->label);
    if (*percent && length > 2 && !strcmp(m->label + length - 2, percent)) length -= 2;
    text_format(text, size, "%.*s %.4g%s", (int)length, m->label,
                m->factor * fmin(value, 1e9), percent);
}

/* "; best.safetensors: step 15 (top-1 38.89 %), chosen by loss", of the split that
 * chooses. */
static void file_text(const RunLog *run, const EvalRow *top, char text[CHOSEN_TEXT]) {
    Chosen file = chosen_checkpoint(run);
    char score[80] = "";
    bool scored = file.row && file.row->metric && isfinite(file.row->score);
    if (scored) score_text(file.row, file.row->score, score, sizeof score);
    *text = 0;
    if (!file.row || !strcmp(file.row->split, top->split))
        chosen_text(&file, top, score, text);
}

/* "score: test top-1 61.2 % at step 400; best 63 % at step 350" */
static void say_score(const RunLog *run, const EvalRow *last) {
    char now[80], before[80], best[160] = "", file[CHOSEN_TEXT];
    if (!last->metric || !isfinite(last->score)) return;
    const EvalRow *top = chosen_row(run, last);
    score_text(last, last->score, now, sizeof now);
    score_text(top, top->score, before, sizeof before);
    if (top->step < last->step && strcmp(now, before))
        text_format(best, sizeof best, "; best %s at step %.0f", before, top->step);
    file_text(run, top, file);
    say("score: %s %s at step %.0f%s%s", last->split, now, last->step, best, file);
}

/* Of the last evaluation, each split that it scored. */
static void say_scores(const RunLog *run) {
    size_t count = run->eval_count;
    bool split = run->data.split[SPLIT_VAL].count || run->data.split[SPLIT_TEST].count;
    if (!count && split) {
        say("score: none (the run ended before its first evaluation; to evaluate more "
            "often: train.eval_every=N)");
        return;
    }
    if (!count) {
        say("score: none (no split for evaluation; set data.val_fraction or give test "
            "data)");
        return;
    }
    double step = run->evals[count - 1].step;
    for (size_t i = 0; i < count; i++)
        if (run->evals[i].step == step) say_score(run, &run->evals[i]);
}

/* The first step of what the verdict calls a collapse or an open spike. */
static size_t broke_at(const RunLog *run, const Verdict *verdict) {
    size_t fell = verdict->collapsed ? runlog_lowest(run).fell_step : 0;
    size_t rose = verdict->spikes.open ? (size_t)verdict->spikes.worst.from + 1 : 0;
    return fell && rose ? MIN(fell, rose) : MAX(fell, rose);
}

void ending_open(Ending *ending, const char *dir) {
    Err why = ERR_NONE;
    *ending = (Ending){0};
    RunLog *run = runlog_open(dir, &why);
    if (!run) {
        say("steady: note: no verdict: %s", why.text);
        return;
    }
    ending->known = true;
    ending->verdict = runlog_verdict(run, false);
    ending->before = broke_at(run, &ending->verdict);
    char text[VERDICT_SENTENCE];
    verdict_sentence(&ending->verdict, text);
    say("verdict: %s. %s", ending->verdict.name, text);
    say_scores(run);
    runlog_free(run);
}

/* From where the run can be continued in another way: its newest checkpoint before that
 * step, or the best one. */
static void say_back(const Ending *ending, const char *dir) {
    char path[PATH_SIZE], from[24] = "best", word[SHELL_WORD];
    const char *what = ending->verdict.collapsed ? "collapse" : "rise of the loss";
    if (!ending->before) return;
    size_t step = checkpoint_newest(dir, ending->before), best = 0;
    rundir_path(path, dir, "checkpoints/best.safetensors");
    char *fact = checkpoint_fact(path, dir, "step");
    if (fact) best = strtoul(fact, NULL, 10);
    mem_free(fact);
    if (best >= ending->before || best <= step)
        text_format(from, sizeof from, "%zu", step);
    else step = best;
    if (step)
        say("or go back to step %zu, before the %s: steady train --resume %s "
            "--checkpoint %s optim.lr=VALUE",
            step, what, shell_word(dir, word), from);
    else
        say("no checkpoint from before the %s (step %zu) is left to go back to; to keep "
            "more: train.checkpoint_every=N train.keep=N",
            what, ending->before);
}

void ending_say_next(const Ending *ending, const char *dir, const char *input) {
    if (!ending->known) return;
    char word[SHELL_WORD];
    shell_word(dir, word);
    if (ending->verdict.kind == VERDICT_SHORT)
        say("next: train for more steps: steady train --resume %s train.steps=N", word);
    else if (ending->verdict.kind == VERDICT_NOT_LEARNED ||
             ending->verdict.kind == VERDICT_HARDLY)
        say("next: train longer (steady train --resume %s train.steps=N), on more "
            "data, or with another optim.lr",
            word);
    else if (ending->verdict.kind == VERDICT_FEW)
        say("next: evaluate more examples: a larger validation or test split, or a new "
            "run with a larger data.val_fraction");
    else if (ending->verdict.unfinished)
        say("next: %s To resume: steady train --resume %s train.steps=N",
            ending->verdict.advice, word);
    else if (*ending->verdict.advice) say("next: %s", ending->verdict.advice);
    else say("next: steady predict %s %s; steady probe %s", word, input, word);
    say_back(ending, dir);
}

Status ending_judge(Ending *ending, ExitPolicy policy, Err *err) {
    if (!ending->known || !ending->verdict.diverged || policy == EXIT_OK) return OK;
    ending->diverged = true;
    return err_set(err, FAIL_DIVERGED,
                   "the run %s: %s%s (to end with 0 in such cases: guard.exit=ok)",
                   ending->verdict.unfinished ? "counts as diverged" : "diverged",
                   ending->verdict.name,
                   ending->verdict.unfinished ? ", though it may only need more steps"
                                              : "");
}
