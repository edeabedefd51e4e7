/* report_numbers: the numbers of a run's report (tools/figure/report.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/sort.h"
#include "tools/figure/layers.h"
#include "tools/figure/report_parts.h"

enum { WORST_HEADS = 8, SCORES_SHOWN = 12 };

void report_fact(FILE *out, const char *what, const char *format, double value) {
    if (!isfinite(value)) return;
    fprintf(out, "<tr><th scope=row>%s<td class=n>", what);
    fprintf(out, format, value);
    fputs("</tr>\n", out);
}

void report_fact_text(FILE *out, const char *what, const char *text) {
    if (!*text) return;
    fprintf(out, "<tr><th scope=row>%s<td>", what);
    page_text(out, text);
    fputs("</tr>\n", out);
}

static void write_precision(FILE *out, const RunLog *run) {
    char precision[RUNLOG_PRECISION];
    runlog_precision(run, precision);
    report_fact_text(out, "products", precision);
}

static double largest(const double *value, size_t count, double before) {
    for (size_t i = 0; i < count; i++)
        if (isfinite(value[i])) before = fmax(before, value[i]);
    return before;
}

/* Median of the logged rates: a busy neighbour does not bend it. */
static double usual_rate(const TrainLog *train) {
    double *sorted = mem_alloc(train->count * sizeof *sorted);
    size_t count = 0;
    for (size_t i = 0; i < train->count; i++)
        if (isfinite(train->items_per_s[i])) sorted[count++] = train->items_per_s[i];
    double median = sort_median(sorted, count);
    mem_free(sorted);
    return median;
}

/* Of an encoder-decoder, for each kind of attention. */
static void write_lowest(FILE *out, const RunLog *run) {
    report_fact(out, "lowest site entropy (% of uniform attention's)", "%.1f",
                100 * runlog_lowest(run).share);
    for (size_t k = 0; k < KIND_PLAIN; k++) {
        char what[120];
        text_format(what, sizeof what, "lowest site entropy, %s (%%)",
                    layer_kinds[k].label);
        report_fact(out, what, "%.1f", 100 * layer_kind_lowest(run, (LayerKind)k).share);
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
        if (isfinite(most)) report_fact(out, what, "%.4g", most);
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

void report_numbers(FILE *out, const RunLog *run) {
    const TrainLog *train = &run->train;
    if (!train->count) return;
    Verdict verdict = runlog_verdict(run, false);
    double logit = NAN, sigma = NAN;
    for (size_t i = 0; i < run->probe.site_count; i++)
        logit = largest(run->probe.sites[i].max_logit, run->probe.count, logit);
    for (size_t i = 0; i < run->probe.weight_count; i++)
        sigma =
            largest(run->probe.weights[i].value[WEIGHT_SIGMA], run->probe.count, sigma);
    page_section(out, "numbers", "Numbers");
    page_table_begin(out, "Whole run");
    report_fact(out, "steps", "%.0f", train->step[train->count - 1]);
    report_fact(out, "epochs", "%.2f", train->epoch[train->count - 1]);
    write_precision(out, run);
    report_fact(out, "mean loss of the first steps", "%.4f", verdict.start);
    report_fact(out, "mean loss of the last fifth of the steps", "%.4f", verdict.tail);
    report_fact(out, "chance-level loss", "%.4f", run->chance);
    if (verdict.spikes.count)
        report_fact(out, "largest spike of the loss", "%.4f", verdict.spikes.worst.depth);
    report_fact(out, "feature spread, % of evenly distributed features", "%.1f",
                100 * verdict.spread);
    report_fact(out, "largest drop of the online probe, points", "%.1f",
                100 * verdict.probe.depth);
    write_lowest(out, run);
    report_fact(out, "largest attention logit", "%.4g", logit);
    write_site_numbers(out, &run->probe);
    report_fact(out, "largest spectral norm", "%.4g", sigma);
    report_fact(out, "largest gradient norm", "%.4g",
                largest(train->grad_norm, train->count, NAN));
    report_fact(out, "largest sharpness, as a share of the optimizer's threshold", "%.3g",
                sharpest(&run->probe));
    report_fact(out,
                runlog_counts_tokens(run) ? "tokens per second (median)"
                                          : "examples per second (median)",
                "%.1f", usual_rate(train));
    page_table_end(out);
    page_section_end(out);
}

static void write_score_row(FILE *out, const RunLog *run, const EvalRow *row) {
    fputs("<tr><th scope=row>", out);
    page_text(out, row->split);
    fprintf(out, "<td class=n>%.0f<td class=n>", row->step);
    page_number(out, "%.4f", row->scores[METRIC_LOSS]);
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++) {
        Metric m = metric_shown(i);
        if (!runlog_scored(run, m)) continue;
        fputs("<td class=n>", out);
        page_number(out, "%.2f", metrics[m].factor * row->scores[m]);
    }
    fputs("</tr>\n", out);
}

/* A column for each score that there is. */
void report_scores(FILE *out, const RunLog *run) {
    if (!run->eval_count) return;
    size_t first = run->eval_count > SCORES_SHOWN ? run->eval_count - SCORES_SHOWN : 0;
    page_section(out, "scores", "Scores");
    page_table_begin(out, first ? "Last evaluations; all are in eval.jsonl"
                                : "All evaluations");
    fputs("<thead><tr><th scope=col>split<th scope=col class=n>step<th scope=col "
          "class=n>loss",
          out);
    for (size_t i = 0; metric_shown(i) < METRIC_COUNT; i++)
        if (runlog_scored(run, metric_shown(i)))
            fprintf(out, "<th scope=col class=n>%s", metrics[metric_shown(i)].label);
    fputs("</tr></thead>\n", out);
    for (size_t i = first; i < run->eval_count; i++)
        write_score_row(out, run, &run->evals[i]);
    page_table_end(out);
    page_section_end(out);
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
        page_number(out, "%.4g", last_of_head(probe, head, k));
    }
}

void report_heads(FILE *out, const RunLog *run) {
    if (!run->probe.count || !run->probe.site_count) return;
    size_t count;
    Head *heads = list_heads(&run->probe, &count);
    char caption[80];
    text_format(caption, sizeof caption, "At step %.0f",
                run->probe.step[run->probe.count - 1]);
    page_section(out, "heads", "Heads with the lowest entropy");
    page_table_begin(out, caption);
    fputs("<thead><tr><th scope=col>site<th scope=col class=n>head<th scope=col "
          "class=n>entropy (nats)<th scope=col class=n>share of uniform attention's",
          out);
    for (size_t k = 0; k < HEAD_NUMBERS; k++)
        if (has_head_number(&run->probe, k))
            fprintf(out, "<th scope=col class=n>%s", head_numbers[k].label);
    fputs("</tr></thead>\n", out);
    for (size_t i = 0; i < MIN(count, (size_t)WORST_HEADS); i++) {
        fputs("<tr><th scope=row>", out);
        page_text(out, heads[i].site->name);
        fprintf(out, "<td class=n>%zu<td class=n>%.4f<td class=n>%.1f&nbsp;%%",
                heads[i].head, heads[i].entropy, 100 * heads[i].share);
        write_head_numbers(out, &run->probe, &heads[i]);
        fputs("</tr>\n", out);
    }
    page_table_end(out);
    page_section_end(out);
    mem_free(heads);
}
