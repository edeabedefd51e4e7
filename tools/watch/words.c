#include "tools/watch/words.h"

#include <math.h>
#include <stdio.h>

#include "tools/program/progress.h"

void number_text(double value, char *text, size_t size) {
    double a = fabs(value);
    if (isnan(value)) snprintf(text, size, "-");
    else if (a >= 1e7 || (a < 1e-3 && a > 0)) snprintf(text, size, "%.2g", value);
    else if (a >= 1000) snprintf(text, size, "%.0f", value);
    else snprintf(text, size, "%.4g", value);
}

void eval_text(const WatchedEval *eval, char *text, size_t size) {
    Metric m = watched_metric(eval);
    const MetricFacts *facts = &metrics[m];
    if (facts->line && m != METRIC_LOSS) {
        char value[40];
        snprintf(value, sizeof value, facts->line, facts->factor * eval->scores[m]);
        snprintf(text, size, "%s", value);
    } else if (facts->label) {
        snprintf(text, size, "%s %.4g", facts->label, facts->factor * eval->scores[m]);
    } else {
        snprintf(text, size, "loss %.4f", eval->scores[METRIC_LOSS]);
    }
}

void state_text(const Watched *run, double now, char *text, size_t size, Tone *tone) {
    char age[32];
    *tone = TONE_SOFT;
    duration_text(watched_age(run, now), age, sizeof age);
    switch (watched_state(run, now)) {
    case STATE_WAITING: snprintf(text, size, "no row yet"); break;
    case STATE_RUNNING: snprintf(text, size, "running"); break;
    case STATE_FINISHED:
        snprintf(text, size, "finished");
        *tone = TONE_GOOD;
        break;
    case STATE_BROKEN:
        snprintf(text, size, "not finite");
        *tone = TONE_ALARM;
        break;
    case STATE_INTERRUPTED: snprintf(text, size, "interrupted"); break;
    case STATE_FAILED:
        snprintf(text, size, "failed");
        *tone = TONE_ALARM;
        break;
    case STATE_QUIET: snprintf(text, size, "no row for %s", age); break;
    case STATE_GONE:
        snprintf(text, size, "folder is gone");
        *tone = TONE_ALARM;
        break;
    }
}
