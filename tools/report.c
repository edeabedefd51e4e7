#include "tools/report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/figures.h"
#include "tools/runlog.h"

enum { WORST_HEADS = 8 };

static const char STYLE[] =
    ":root{--ink:#1c1f26;--soft:#5d6470;--line:#dfe2e8;--paper:#fff;--good:#1b7f4d;--bad:#b3261e}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#a0a7b4;--line:#363b46;"
    "--paper:#16181d;--good:#5fd39a;--bad:#ff8a80}.light{display:none}}\n"
    "@media(prefers-color-scheme:light){.dark{display:none}}\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
    "max-width:1000px;margin:2rem auto;padding:0 1rem}\n"
    "h1{margin-bottom:.2rem}h2{margin-top:2.2rem;border-bottom:1px solid var(--line)}\n"
    ".verdict{font-size:1.15rem;padding:.8rem 1rem;border-left:5px solid var(--good)}\n"
    ".verdict.bad{border-color:var(--bad)}.soft{color:var(--soft)}\n"
    "table{border-collapse:collapse}td,th{padding:.25rem .9rem .25rem 0;text-align:left;"
    "border-bottom:1px solid var(--line)}td.n,th.n{text-align:right;"
    "font-variant-numeric:tabular-nums}\n"
    "figure{margin:1rem 0}svg{max-width:100%;height:auto}\n"
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
    return figure_training(&run, 1, &(FigureOptions){.rows = rows, .theme = theme}, &ignored);
}

static const struct Figure {
    const char *heading, *caption;
    MakeChart *make;
} FIGURES[] = {
    {"Training", "Loss (each step pale, moving mean strong) and the entropy of attention: mean "
                 "over a layer's heads, band from its lowest to its highest head.",
     training_chart},
    {"Entropy of every head", "At the last probe, as a share of ln(keys): 1 is uniform "
                              "attention, 0 looks at a single key.", figure_entropy_heads},
    {"Entropy over time", "Mean over each layer's heads, as a share of ln(keys).",
     figure_entropy_layers},
    {"Weights", "Spectral norm of the weights that act, gamma, and the largest gradient.",
     figure_weights},
};

static Status write_svg(FILE *out, const RunLog *run, const struct Figure *f, Theme theme,
                        Err *err) {
    Chart *chart = f->make(run, theme);
    if (!chart) return OK;
    size_t size;
    char *svg = chart_svg(chart, &size, err);
    chart_free(chart);
    if (!svg) return err->status;
    const char *start = strstr(svg, "<svg"); /* after the XML declaration */
    fprintf(out, "<div class=%s>%s</div>\n", theme == THEME_LIGHT ? "light" : "dark",
            start ? start : svg);
    mem_free(svg);
    return OK;
}

static Status write_figures(FILE *out, const RunLog *run, Err *err) {
    for (size_t i = 0; i < COUNT(FIGURES); i++) {
        Chart *there = FIGURES[i].make(run, THEME_LIGHT);
        if (!there) continue;
        chart_free(there);
        fprintf(out, "<h2>%s</h2><figure>\n", FIGURES[i].heading);
        if (write_svg(out, run, &FIGURES[i], THEME_LIGHT, err) ||
            write_svg(out, run, &FIGURES[i], THEME_DARK, err))
            return err->status;
        fprintf(out, "<figcaption class=soft>%s</figcaption></figure>\n", FIGURES[i].caption);
    }
    return OK;
}

/* ---- tables ---- */

static void write_scores(FILE *out, const RunLog *run) {
    if (!run->eval_count) return;
    fputs("<h2>Scores</h2><table><tr><th>split<th class=n>step<th class=n>loss<th class=n>"
          "score</tr>\n", out);
    size_t first = run->eval_count > 12 ? run->eval_count - 12 : 0;
    for (size_t i = first; i < run->eval_count; i++) {
        const EvalRow *row = &run->evals[i];
        fprintf(out, "<tr><td>%s<td class=n>%.0f<td class=n>%.4f<td class=n>", row->split,
                row->step, row->loss);
        bool share = row->metric && !strcmp(row->metric, "top1");
        if (share) fprintf(out, "%.2f&nbsp;%% top-1", 100 * row->score);
        else if (row->metric) fprintf(out, "%.2f %s", row->score, row->metric);
        fputs("</tr>\n", out);
    }
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

/* Every head at the last probe, the lowest share of ln(keys) first; the caller frees. */
static Head *list_heads(const ProbeLog *probe, size_t *count) {
    *count = 0;
    for (size_t i = 0; i < probe->site_count; i++) *count += probe->sites[i].heads;
    Head *heads = mem_alloc(*count * sizeof *heads);
    size_t last = probe->count - 1, n = 0;
    for (size_t i = 0; i < probe->site_count; i++)
        for (size_t h = 0; h < probe->sites[i].heads; h++) {
            const SiteLog *site = &probe->sites[i];
            double entropy = site->entropy[last * site->heads + h];
            double share = site->keys[last] > 1 ? entropy / log(site->keys[last]) : NAN;
            if (isfinite(share)) heads[n++] = (Head){site, h, entropy, share};
        }
    *count = n;
    qsort(heads, n, sizeof *heads, by_share);
    return heads;
}

static void write_heads(FILE *out, const RunLog *run) {
    if (!run->probe.count || !run->probe.site_count) return;
    size_t count;
    Head *heads = list_heads(&run->probe, &count);
    fprintf(out, "<h2>Heads with the lowest entropy</h2><p class=soft>At step %.0f.</p><table>"
                 "<tr><th>site<th class=n>head<th class=n>entropy (nats)<th class=n>share of "
                 "ln(keys)</tr>\n", run->probe.step[run->probe.count - 1]);
    for (size_t i = 0; i < MIN(count, (size_t)WORST_HEADS); i++) {
        fputs("<tr><td>", out);
        escaped(out, heads[i].site->name);
        fprintf(out, "<td class=n>%zu<td class=n>%.4f<td class=n>%.1f&nbsp;%%</tr>\n",
                heads[i].head, heads[i].entropy, 100 * heads[i].share);
    }
    fputs("</table>\n", out);
    mem_free(heads);
}

/* ---- the page ---- */

static void write_top(FILE *out, const RunLog *run, const char *message) {
    Verdict verdict = runlog_verdict(run);
    bool bad = verdict.diverged || verdict.collapsed || message;
    fputs("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
          "content=\"width=device-width\"><title>", out);
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
    fputs(" ", out);
    escaped(out, verdict.advice);
    fputs("</p>\n<p class=soft>", out);
    escaped(out, verdict_definition());
    fputs("</p>\n", out);
}

static Status write_page(FILE *out, const RunLog *run, const char *message, Err *err) {
    write_top(out, run, message);
    write_scores(out, run);
    if (run->train.count && write_figures(out, run, err)) return err->status;
    write_heads(out, run);
    fputs("<h2>Recipe</h2><pre>", out);
    escaped(out, run->recipe);
    fputs("</pre></html>\n", out);
    return OK;
}

Status report_write(const char *run_dir, const char *message, Err *err) {
    RunLog *run = runlog_open(run_dir, err);
    if (!run) return err->status;
    char path[4200];
    text_format(path, sizeof path, "%s/report.html", run_dir);
    FILE *out = fopen(path, "w");
    Status status = out ? write_page(out, run, message, err)
                        : err_set(err, FAIL_RUN, "%s: %s", path, strerror(errno));
    bool failed = out && ferror(out);
    if (out && (fclose(out) || failed) && !status)
        status = err_set(err, FAIL_RUN, "%s: cannot be written: %s", path, strerror(errno));
    runlog_free(run);
    return status;
}
