#include "tools/figure/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file/openfile.h"
#include "data/speech/wer.h"
#include "engine/core/sort.h"
#include "tools/figure/figures.h"
#include "tools/figure/layers.h"
#include "tools/program/textstream.h"
#include "tools/run/runlog.h"

enum { WORST_HEADS = 8, EVENTS_SHOWN = 200 };

static const char STYLE[] =
    ":root{--ink:#1c1f26;--soft:#5d6470;--line:#dfe2e8;--paper:#fff;--good:#1b7f4d;--bad:"
    "#b3261e}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#a0a7b4;--line:#363b46;"
    "--paper:#171a1f;--good:#5fd39a;--bad:#ff8a80}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:1000px;margin:2rem auto;padding:0 1rem}\n"
    "h1{margin-bottom:.2rem}h2{margin-top:2.2rem;border-bottom:1px solid var(--line)}\n"
    ".verdict{font-size:1.15rem;padding:.8rem 1rem;border-left:5px solid var(--good)}\n"
    ".verdict.bad{border-color:var(--bad)}.soft{color:var(--soft)}\n"
    "h1{font-size:1.7rem}h2{font-size:1.2rem}a{color:inherit}\n"
    "table{border-collapse:collapse}td,th{padding:.25rem .9rem .25rem 0;text-align:left;"
    "border-bottom:1px solid var(--line)}td.n,th.n{text-align:right;"
    "font-variant-numeric:tabular-nums}\n"
    "figure{margin:1rem 0}img{max-width:100%;height:auto}\n"
    "pre{overflow:auto;padding:.8rem;border:1px solid var(--line);font-size:.85rem}\n";

/* Text with the five letters that HTML gives a meaning written out. */
static void escaped(FILE *out, const char *text) {
    for (; *text; text++) {
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        case '\'': fputs("&#39;", out); break;
        default: fputc(*text, out);
        }
    }
}

/* ---- figures ---- */

typedef Chart *MakeChart(const RunLog *run, Theme theme);

static Chart *training_chart(const RunLog *run, Theme theme) {
    char rows[128];
    figure_rows_present(&run, 1, rows, sizeof rows);
    Err ignored = ERR_NONE;
    return figure_training(&run, 1, &(FigureOptions){.rows = rows, .theme = theme},
                           &ignored);
}

static const struct Figure {
    const char *heading, *caption;
    MakeChart *make;
} FIGURES[] = {
    {"Training",
     "Loss (each step pale, moving mean strong, evaluations dashed) and the entropy of "
     "attention: mean over a layer's heads, the deeper the lighter; band: range over "
     "heads, where layers are few.",
     training_chart},
    {"Entropy of every head",
     "At the last probe, as a share of what uniform attention has: 1 is uniform "
     "attention, 0 looks at a single key.",
     figure_entropy_heads},
    {"Entropy over time",
     "Mean over each layer's heads, as a share of what uniform attention has.",
     figure_entropy_layers},
    {"Weights", "Spectral norm of the weights that act, gamma, and the largest gradient.",
     figure_weights},
};

static void write_base64(FILE *out, const unsigned char *data, size_t size) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned three = (unsigned)data[i] << 16 |
                         (left > 1 ? (unsigned)data[i + 1] << 8 : 0) |
                         (left > 2 ? data[i + 2] : 0);
        fputc(letters[three >> 18], out);
        fputc(letters[three >> 12 & 63], out);
        fputc(left > 1 ? letters[three >> 6 & 63] : '=', out);
        fputc(left > 2 ? letters[three & 63] : '=', out);
    }
}

/* PNG rather than SVG: a run of many steps and layers has a hundred thousand points. */
static Status write_picture(FILE *out, const Chart *chart, const char *before,
                            const char *after, Err *err) {
    size_t size;
    char *png = chart_render(chart, ".png", &size, err);
    if (!png) return err->status;
    fprintf(out, "%sdata:image/png;base64,", before);
    write_base64(out, (const unsigned char *)png, size);
    fputs(after, out);
    mem_free(png);
    return OK;
}

static Status write_figure(FILE *out, const RunLog *run, const struct Figure *figure,
                           Err *err) {
    Chart *light = figure->make(run, THEME_LIGHT);
    if (!light) return OK;
    Chart *dark = figure->make(run, THEME_DARK);
    fprintf(out, "<h2>%s</h2><figure>\n", figure->heading);
    Status status =
        write_picture(out, dark,
                      "<picture><source media=\"(prefers-color-scheme:dark)\" srcset=\"",
                      "\">\n", err);
    if (!status) {
        fprintf(out, "<img alt=\"%s\" ", figure->caption);
        status = write_picture(out, light, "src=\"", "\"></picture>\n", err);
    }
    fprintf(out, "<figcaption class=soft>%s</figcaption></figure>\n", figure->caption);
    chart_free(light);
    chart_free(dark);
    return status;
}

static Status write_figures(FILE *out, const RunLog *run, Err *err) {
    Status status = OK;
    for (size_t i = 0; i < COUNT(FIGURES) && !status; i++)
        status = write_figure(out, run, &FIGURES[i], err);
    return status;
}

/* ---- tables ---- */

/* A number, or a dash where there is none. */
static void number(FILE *out, const char *format, double value) {
    if (!isfinite(value)) fputs("–", out);
    else fprintf(out, format, value);
}

static void fact(FILE *out, const char *what, const char *format, double value) {
    if (!isfinite(value)) return;
    fprintf(out, "<tr><th>%s<td class=n>", what);
    number(out, format, value);
    fputs("</tr>\n", out);
}

static void write_precision(FILE *out, const RunLog *run) {
    char precision[RUNLOG_PRECISION];
    runlog_precision(run, precision);
    if (*precision) fprintf(out, "<tr><th>products<td>%s</tr>\n", precision);
}

static double largest(const double *value, size_t count, double before) {
    for (size_t i = 0; i < count; i++)
        if (isfinite(value[i])) before = fmax(before, value[i]);
    return before;
}

/* Median of the logged rates: a pause for evaluation or a busy neighbour does not bend
 * it. */
static double usual_rate(const TrainLog *train) {
    double *sorted = mem_alloc(train->count * sizeof *sorted);
    size_t count = 0;
    for (size_t i = 0; i < train->count; i++)
        if (isfinite(train->items_per_s[i])) sorted[count++] = train->items_per_s[i];
    sort_numbers(sorted, count);
    double median = count ? sorted[count / 2] : NAN;
    mem_free(sorted);
    return median;
}

/* Does an item of items_per_s mean a token? */
static bool counts_tokens(const RunLog *run) {
    for (size_t m = 0; m < METRIC_COUNT; m++)
        if (metrics[m].of_tokens && runlog_scored(run, (Metric)m)) return true;
    return false;
}

/* Of an encoder-decoder, for each kind of attention. */
static void write_lowest(FILE *out, const RunLog *run) {
    fact(out, "lowest entropy of a layer (% of uniform attention's)", "%.1f",
         100 * runlog_lowest(run).share);
    for (size_t k = 0; k < KIND_PLAIN; k++) {
        char what[120];
        text_format(what, sizeof what, "lowest entropy, %s (%%)", layer_kinds[k].label);
        fact(out, what, "%.1f", 100 * layer_kind_lowest(run, (LayerKind)k).share);
    }
}

/* What the largest logit is made of. */
static void write_site_numbers(FILE *out, const ProbeLog *probe) {
    static const SiteNumber NUMBERS[] = {SITE_INPUT, SITE_SIGMA2, SITE_LOGIT_BOUND};
    for (size_t k = 0; k < COUNT(NUMBERS); k++) {
        double most = NAN;
        for (size_t i = 0; i < probe->site_count; i++) {
            const double *values = probe->sites[i].value[NUMBERS[k]];
            if (values) most = largest(values, probe->count, most);
        }
        char what[120];
        text_format(what, sizeof what, "largest over sites: %s",
                    site_numbers[NUMBERS[k]].label);
        if (isfinite(most)) fact(out, what, "%.4g", most);
    }
}

/* Largest positive preconditioned eigenvalue, as a share of the threshold of its step. */
static double sharpest(const ProbeLog *probe) {
    double most = NAN;
    for (size_t i = 0; i < probe->sharpness_count; i++) {
        const SharpnessRow *row = &probe->sharpness[i];
        for (size_t k = 0; k < SHARPNESS_MOST; k++)
            most = fmax(most, row->preconditioned[k] / row->threshold);
    }
    return most;
}

static void write_numbers(FILE *out, const RunLog *run) {
    const TrainLog *train = &run->train;
    if (!train->count) return;
    Verdict verdict = runlog_verdict(run, false);
    double logit = NAN, sigma = NAN;
    for (size_t i = 0; i < run->probe.site_count; i++)
        logit = largest(run->probe.sites[i].max_logit, run->probe.count, logit);
    for (size_t i = 0; i < run->probe.weight_count; i++)
        sigma =
            largest(run->probe.weights[i].value[WEIGHT_SIGMA], run->probe.count, sigma);
    fputs("<h2>Numbers</h2><table>\n", out);
    fact(out, "steps", "%.0f", train->step[train->count - 1]);
    fact(out, "epochs", "%.2f", train->epoch[train->count - 1]);
    write_precision(out, run);
    fact(out, "loss, mean of the first steps", "%.4f", verdict.start);
    fact(out, "loss, mean of the last fifth", "%.4f", verdict.tail);
    fact(out, "chance-level loss", "%.4f", run->chance);
    if (verdict.spikes.count)
        fact(out, "largest spike of the loss", "%.4f", verdict.spikes.worst.depth);
    fact(out, "spread of the features, % of even ones", "%.1f", 100 * verdict.spread);
    fact(out, "deepest fall of the probe, points", "%.1f", 100 * verdict.probe.depth);
    write_lowest(out, run);
    fact(out, "largest attention logit", "%.4g", logit);
    write_site_numbers(out, &run->probe);
    fact(out, "largest spectral norm", "%.4g", sigma);
    fact(out, "largest gradient norm", "%.4g",
         largest(train->grad_norm, train->count, NAN));
    fact(out, "sharpness: the largest share of the optimizer's threshold", "%.3g",
         sharpest(&run->probe));
    fact(out,
         counts_tokens(run) ? "tokens a second (median)" : "examples a second (median)",
         "%.1f", usual_rate(train));
    fputs("</table>\n", out);
}

static void write_score_row(FILE *out, const RunLog *run, const EvalRow *row) {
    fputs("<tr><td>", out);
    escaped(out, row->split);
    fprintf(out, "<td class=n>%.0f<td class=n>", row->step);
    number(out, "%.4f", row->scores[METRIC_LOSS]);
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++) {
        Metric m = metric_shown(i);
        if (!runlog_scored(run, m)) continue;
        fputs("<td class=n>", out);
        number(out, "%.2f", metrics[m].factor * row->scores[m]);
    }
    fputs("</tr>\n", out);
}

/* A column for each score that there is. */
static void write_scores(FILE *out, const RunLog *run) {
    if (!run->eval_count) return;
    fputs("<h2>Scores</h2><table><tr><th>split<th class=n>step<th class=n>loss", out);
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++)
        if (runlog_scored(run, metric_shown(i)))
            fprintf(out, "<th class=n>%s", metrics[metric_shown(i)].label);
    fputs("</tr>\n", out);
    size_t first = run->eval_count > 12 ? run->eval_count - 12 : 0;
    for (size_t i = first; i < run->eval_count; i++)
        write_score_row(out, run, &run->evals[i]);
    fputs("</table>\n", out);
}

typedef struct Head {
    const SiteLog *site;
    size_t head;
    double entropy, share;
} Head;

static int by_share(const void *a, const void *b) {
    double x = ((const Head *)a)->share, y = ((const Head *)b)->share;
    return (x > y) - (x < y);
}

/* Every head at the last probe, the lowest share of uniform's first; the caller frees. */
static Head *list_heads(const ProbeLog *probe, size_t *count) {
    *count = 0;
    for (size_t i = 0; i < probe->site_count; i++) *count += probe->sites[i].heads;
    Head *heads = mem_alloc(*count * sizeof *heads);
    size_t last = probe->count - 1, n = 0;
    for (size_t i = 0; i < probe->site_count; i++)
        for (size_t h = 0; h < probe->sites[i].heads; h++) {
            const SiteLog *site = &probe->sites[i];
            double entropy = site->entropy[last * site->heads + h];
            double share = entropy_share(entropy, site->uniform[last]);
            if (isfinite(share)) heads[n++] = (Head){site, h, entropy, share};
        }
    *count = n;
    qsort(heads, n, sizeof *heads, by_share);
    return heads;
}

static bool has_head_number(const ProbeLog *probe, size_t number) {
    for (size_t i = 0; i < probe->site_count; i++)
        if (probe->sites[i].head[number]) return true;
    return false;
}

/* Of the last row that has it. */
static double last_of_head(const ProbeLog *probe, const Head *head, size_t number) {
    const double *values = head->site->head[number];
    for (size_t p = probe->count; values && p-- > 0;) {
        double value = values[p * head->site->heads + head->head];
        if (isfinite(value)) return value;
    }
    return NAN;
}

static void write_head_numbers(FILE *out, const ProbeLog *probe, const Head *head) {
    for (size_t k = 0; k < HEAD_NUMBERS; k++) {
        if (!has_head_number(probe, k)) continue;
        fputs("<td class=n>", out);
        number(out, "%.4g", last_of_head(probe, head, k));
    }
}

static void write_heads(FILE *out, const RunLog *run) {
    if (!run->probe.count || !run->probe.site_count) return;
    size_t count;
    Head *heads = list_heads(&run->probe, &count);
    fprintf(out,
            "<h2>Heads with the lowest entropy</h2><p class=soft>At step %.0f.</p><table>"
            "<tr><th>site<th class=n>head<th class=n>entropy (nats)<th class=n>share of "
            "uniform attention's",
            run->probe.step[run->probe.count - 1]);
    for (size_t k = 0; k < HEAD_NUMBERS; k++)
        if (has_head_number(&run->probe, k))
            fprintf(out, "<th class=n>%s", head_numbers[k].label);
    fputs("</tr>\n", out);
    for (size_t i = 0; i < MIN(count, (size_t)WORST_HEADS); i++) {
        fputs("<tr><td>", out);
        escaped(out, heads[i].site->name);
        fprintf(out, "<td class=n>%zu<td class=n>%.4f<td class=n>%.1f&nbsp;%%",
                heads[i].head, heads[i].entropy, 100 * heads[i].share);
        write_head_numbers(out, &run->probe, &heads[i]);
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
    mem_free(heads);
}

static void write_events(FILE *out, const RunLog *run) {
    if (!run->event_count) return;
    fputs("<h2>Events</h2><table><tr><th class=n>step<th>event<th>what happened</tr>\n",
          out);
    size_t shown = MIN(run->event_count, (size_t)EVENTS_SHOWN);
    for (size_t i = 0; i < shown; i++) {
        fprintf(out, "<tr><td class=n>%.0f<td>", run->events[i].step);
        escaped(out, run->events[i].kind);
        fputs("<td>", out);
        escaped(out, run->events[i].text);
        fputs("</tr>\n", out);
    }
    fputs("</table>\n", out);
    if (shown < run->event_count)
        fprintf(out, "<p class=soft>%zu more events are in train.jsonl.</p>\n",
                run->event_count - shown);
}

/* Aligning takes time and memory with the product of the lengths. */
enum { ALIGN_MOST = 4000 };

/* Reference and transcript one below the other, the worst first. */
static void write_worst(FILE *out, const RunLog *run) {
    size_t i;
    json_t *row;
    if (!json_array_size(run->worst)) return;
    fputs("<h2>Worst transcripts</h2><p class=soft>Of split ", out);
    escaped(out, run->worst_split);
    fputs(".</p><pre>", out);
    json_array_foreach(run->worst, i, row) {
        const char *id, *reference, *hypothesis;
        if (json_unpack(row, "{s:s, s:s, s:s}", "id", &id, "reference", &reference,
                        "hypothesis", &hypothesis))
            continue;
        TextBuffer text = {0};
        if (strlen(reference) > ALIGN_MOST || strlen(hypothesis) > ALIGN_MOST) continue;
        wer_align(reference, hypothesis, &text);
        fputs(i ? "\n" : "", out);
        escaped(out, id);
        fputc('\n', out);
        escaped(out, text.text);
        text_free(&text);
    }
    fputs("</pre>\n", out);
}

/* ---- the page ---- */

static void write_top(FILE *out, const RunLog *run, const char *message) {
    Verdict verdict = runlog_verdict(run, false);
    bool bad = verdict.diverged || verdict.collapsed || verdict.spikes.open || message;
    fputs("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
          "content=\"width=device-width\"><title>",
          out);
    escaped(out, run->name);
    fprintf(out, "</title><style>%s</style>\n<h1>", STYLE);
    escaped(out, run->name);
    fprintf(out, "</h1><p class=soft>steady %s</p>\n", STEADY_VERSION);
    if (message) {
        fputs("<p class=\"verdict bad\">", out);
        escaped(out, message);
        fputs("</p>\n", out);
    }
    fprintf(out, "<p class=\"verdict%s\">", bad ? " bad" : "");
    escaped(out, verdict.summary);
    if (*verdict.advice) fputc(' ', out);
    escaped(out, verdict.advice);
    escaped(out, verdict.data);
    fputs("</p>\n<details class=soft><summary>Verdict: ", out);
    escaped(out, verdict.name);
    fputs(". What the verdicts mean</summary><pre>", out);
    escaped(out, verdict_definition());
    fputs("</pre></details>\n", out);
}

static Status write_page(FILE *out, const RunLog *run, const char *message, Err *err) {
    write_top(out, run, message);
    char note[600];
    runlog_note(run, note, sizeof note);
    if (*note) {
        fputs("<p>", out);
        escaped(out, note);
        fputs(".</p>\n", out);
    }
    write_numbers(out, run);
    write_events(out, run);
    write_scores(out, run);
    if (run->train.count && write_figures(out, run, err)) return err->status;
    write_heads(out, run);
    write_worst(out, run);
    fputs("<h2>Recipe</h2><pre>", out);
    escaped(out, run->recipe);
    fputs("</pre></html>\n", out);
    return OK;
}

Status report_write(const char *run_dir, const char *message, Err *err) {
    RunLog *run = runlog_open(run_dir, err);
    if (!run) return err->status;
    runlog_say(run);
    char path[4200];
    TextStream page;
    Status status = textstream_open(&page, err);
    if (!status) {
        Status written = write_page(page.file, run, message, err);
        status = textstream_close(&page, written ? NULL : err);
        if (written) status = written;
    }
    text_format(path, sizeof path, "%s/report.html", run_dir);
    if (!status) status = openfile_save(path, run_dir, page.text, page.size, err);
    free(page.text);
    runlog_free(run);
    return status;
}
