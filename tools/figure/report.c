#include "tools/figure/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/openfile.h"
#include "tools/figure/figures.h"
#include "tools/figure/report_parts.h"
#include "tools/program/textstream.h"
#include "tools/run/chosen.h"
#include "tools/run/runstate.h"

/* ---- figures ---- */

static Chart *training_of_rows(const RunLog *run, const char *rows, Theme theme) {
    Err ignored = ERR_NONE;
    if (!run->train.count || !*rows) return NULL;
    return figure_training(&run, 1, &(FigureOptions){.rows = rows, .theme = theme},
                           &ignored);
}

/* The first one, which is to be seen without scrolling. */
static Chart *first_chart(const void *of, Theme theme) {
    const RunLog *run = of;
    return training_of_rows(run, run->probe.site_count ? "loss,entropy" : "loss", theme);
}

static Chart *training_chart(const void *of, Theme theme) {
    const RunLog *run = of;
    char rows[200];
    figure_rows_present(&run, 1, rows, sizeof rows);
    return training_of_rows(run, rows, theme);
}

static Chart *heads_chart(const void *of, Theme theme) {
    return figure_entropy_heads(of, theme);
}

static Chart *layers_chart(const void *of, Theme theme) {
    return figure_entropy_layers(of, theme);
}

static Chart *weights_chart(const void *of, Theme theme) {
    return figure_weights(of, theme);
}

static const struct Figure {
    const char *heading, *caption;
    PageChart *make;
} FIGURES[] = {
    {"All measurements",
     "All logged numbers against the optimizer step. Entropy: mean over the heads of a "
     "layer, deeper layers lighter; band: range over heads, if there are few layers. The "
     "layers are those of the figure above.",
     training_chart},
    {"Entropy of every head",
     "At the last probe, as a share of uniform attention's entropy. 1: uniform "
     "attention; 0: each query attends to a single key.",
     heads_chart},
    {"Entropy over time",
     "Mean over the heads of each layer, as a share of uniform attention's entropy.",
     layers_chart},
    {"Weights",
     "Spectral norm of the effective weights, gamma, and the largest "
     "gradient.",
     weights_chart},
};

static Status write_figures(FILE *out, const RunLog *run, Err *err) {
    if (!run->train.count) return OK;
    page_section(out, "figures", "Figures");
    for (size_t i = 0; i < COUNT(FIGURES); i++) {
        TextStream figure;
        if (textstream_open(&figure, err)) return err->status;
        Status status =
            page_figure(figure.file, FIGURES[i].make, run, NULL, FIGURES[i].caption, err);
        if (textstream_close(&figure, status ? NULL : err) || status) {
            free(figure.text);
            return err->status;
        }
        if (figure.size) fprintf(out, "<h3>%s</h3>\n", FIGURES[i].heading);
        fwrite(figure.text, 1, figure.size, out);
        free(figure.text);
    }
    page_section_end(out);
    return OK;
}

/* ---- the first screen ---- */

/* The last row with a score, of validation or of any split. */
static const EvalRow *last_row(const RunLog *run, bool validation) {
    for (size_t i = run->eval_count; i-- > 0;) {
        const EvalRow *row = &run->evals[i];
        bool fits = !validation || !strcmp(row->split, split_name(SPLIT_VAL));
        if (fits && row->metric && isfinite(row->score)) return row;
    }
    return NULL;
}

static void score_text(const EvalRow *row, char text[120]) {
    const MetricFacts *m = &metrics[metric_find(row->metric)];
    if (m->line) snprintf(text, 120, m->line, m->factor * row->score);
    else text_format(text, 120, "%s %.4g", m->label, m->factor * row->score);
}

/* "; best.safetensors: step 15 (top-1 38.89%), chosen by loss" */
static void write_file(FILE *out, const RunLog *run, const EvalRow *best) {
    Chosen file = chosen_checkpoint(run);
    char score[120] = "", text[CHOSEN_TEXT];
    if (file.row && file.row->metric && isfinite(file.row->score))
        score_text(file.row, score);
    chosen_text(&file, best, score, text);
    page_text(out, text);
}

/* "Best score: top-1 93.20 % (val, step 350; last top-1 92.80 %; chance 10; test top-1
 * 92.10 % at step 400)", by the split that chooses the best checkpoint. */
static void write_best(FILE *out, const RunLog *run) {
    const EvalRow *end = last_row(run, false), *last = last_row(run, true);
    char text[120];
    if (!end) return;
    if (!last) last = end;
    const EvalRow *best = chosen_row(run, last);
    const Metric metric = metric_find(best->metric);
    double guess = metric_guess(metric, run->guess_nll);
    score_text(best, text);
    fputs("<p class=score>Best score: <strong>", out);
    page_text(out, text);
    fputs("</strong> <span class=soft>(", out);
    page_text(out, best->split);
    fprintf(out, ", step %.0f", best->step);
    if (best != last) {
        score_text(last, text);
        fputs("; last ", out);
        page_text(out, text);
    }
    if (isfinite(guess))
        fprintf(out, "; chance %.4g%s", guess, metrics[metric].factor == 100 ? "%" : "");
    if (strcmp(end->split, last->split)) {
        score_text(end, text);
        fputs("; ", out);
        page_text(out, end->split);
        fputc(' ', out);
        page_text(out, text);
        fprintf(out, " at step %.0f", end->step);
    }
    write_file(out, run, best);
    fputs(")</span></p>\n", out);
}

/* What ended the run before its time. */
static void write_ending(FILE *out, const RunLog *run, const char *message) {
    RunState state = runstate_of(run);
    char text[1200] = "";
    if (message) text_format(text, sizeof text, "%.1000s", message);
    else if (state.kind == RUNSTATE_RUNNING)
        text_format(text, sizeof text, "This run is still training: step %zu of %zu.",
                    state.step, state.steps);
    else if (state.kind == RUNSTATE_INTERRUPTED || state.kind == RUNSTATE_FAILED)
        text_format(text, sizeof text, "%s at step %zu%s%s",
                    state.kind == RUNSTATE_FAILED ? "Failed" : "Interrupted", state.step,
                    *state.why ? ": " : "", state.why);
    if (!*text) return;
    fprintf(out, "<p class=\"verdict%s\">",
            state.kind == RUNSTATE_RUNNING && !message ? "" : " bad");
    page_text(out, text);
    fputs("</p>\n", out);
}

static void write_verdict(FILE *out, const RunLog *run, const char *message) {
    Verdict verdict = runlog_verdict(run, false);
    char text[VERDICT_SENTENCE];
    bool bad = verdict.diverged || verdict.collapsed || verdict.spikes.open || message;
    fprintf(out, "<p class=\"verdict%s\"><strong>Verdict: ", bad ? " bad" : "");
    page_text(out, verdict.name);
    fputs(".</strong> ", out);
    verdict_sentence(&verdict, text);
    page_text(out, text);
    if (*verdict.advice) fputc(' ', out);
    page_text(out, verdict.advice);
    fputs("</p>\n", out);
}

static void write_note(FILE *out, const RunLog *run) {
    char note[600];
    runlog_note(run, note, sizeof note);
    if (!*note) return;
    fputs("<p>", out);
    page_text(out, note);
    fputs(".</p>\n", out);
}

/* ---- the page ---- */

static void write_definitions(FILE *out) {
    page_section(out, "definitions", "Definitions");
    fputs("<p>Meaning of the verdicts; the first that applies is that of the run.</p>\n",
          out);
    page_paragraphs(out, verdict_definition());
    page_section_end(out);
}

/* A link to each heading of a section, in their order. */
static void write_contents(FILE *out, const char *sections) {
    static const char START[] = "<h2 id=\"";
    fputs("<nav aria-label=Contents><ul>\n", out);
    for (const char *at = sections; (at = strstr(at, START));) {
        at += sizeof START - 1;
        const char *heading = strchr(at, '>') + 1;
        fprintf(out, "<li><a href=\"#%.*s\">%.*s</a>\n", (int)strcspn(at, "\""), at,
                (int)strcspn(heading, "<"), heading);
    }
    fputs("</ul></nav>\n", out);
}

static Status write_sections(FILE *out, const RunLog *run, Err *err) {
    report_sessions(out, run);
    report_data(out, run);
    report_events(out, run);
    report_scores(out, run);
    report_answers(out, run);
    if (write_figures(out, run, err)) return err->status;
    report_numbers(out, run);
    report_heads(out, run);
    report_recipe(out, run);
    write_definitions(out);
    return OK;
}

static Status write_page(FILE *out, const RunLog *run, const char *message, Err *err) {
    static const char CAPTION[] =
        "Loss (each step pale, moving mean strong, evaluations dashed) and the entropy "
        "of attention (mean over a layer's heads; dashed: uniform attention). Of many "
        "layers the first, middle and last are drawn, the one with the lowest entropy, "
        "and the first six that collapsed.";
    TextStream rest;
    page_begin(out, run->name, "report of a run");
    write_ending(out, run, message);
    write_verdict(out, run, message);
    write_best(out, run);
    write_note(out, run);
    if (page_figure(out, first_chart, run, "Loss and entropy of attention over the steps",
                    CAPTION, err) ||
        textstream_open(&rest, err))
        return err->status;
    Status status = write_sections(rest.file, run, err);
    if (textstream_close(&rest, status ? NULL : err) || status) {
        free(rest.text);
        return err->status;
    }
    write_contents(out, rest.text);
    fwrite(rest.text, 1, rest.size, out);
    free(rest.text);
    page_end(out);
    return OK;
}

Status report_write(const char *run_dir, const char *path, const char *message,
                    Err *err) {
    RunLog *run = runlog_open(run_dir, err);
    if (!run) return err->status;
    runlog_say(run);
    char own[4200];
    TextStream page;
    Status status = textstream_open(&page, err);
    if (!status) {
        Status written = write_page(page.file, run, message, err);
        status = textstream_close(&page, written ? NULL : err);
        if (written) status = written;
    }
    text_format(own, sizeof own, "%s/report.html", run_dir);
    if (!status)
        status = openfile_save(path ? path : own, path ? NULL : run_dir, page.text,
                               page.size, err);
    free(page.text);
    runlog_free(run);
    return status;
}
