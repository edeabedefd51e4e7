/* Events of a run as thin lines over a panel: when a run was resumed with changes, rolled
 * back, warned of collapse, ... */
#include <math.h>
#include <string.h>

#include "tools/figure/parts.h"

enum { WARNING = 99 };

/* Palette colours, or WARNING; another kind has the ink of the axes.  `told`: the legend
 * has step and text of each. */
static const struct {
    const char *kind;
    size_t colour;
    bool told;
} kinds[] = {{"resume", 0, true},          {"intervene", 2, true},
             {"plateau", 3, false},        {"skip", 4, false},
             {"alarm", WARNING, false},    {"moved", WARNING, false},
             {"rollback", WARNING, false}, {RUNLOG_NONFINITE, WARNING, false}};

static Colour colour_of(const Chart *chart, const char *kind) {
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (strcmp(kinds[i].kind, kind)) continue;
        size_t colour = kinds[i].colour;
        return colour == WARNING ? chart_warning(chart) : chart_palette(chart, colour);
    }
    return chart_ink(chart);
}

/* Steps that one line stands for: events of a kind that are closer look like one. */
static double grain(const RunLog *run) {
    double last = run->train.count ? run->train.step[run->train.count - 1] : 0;
    return last / 400;
}

enum { NAMED_MOST = 4, LABEL_SIZE = 96 };

static bool is_told(const char *kind) {
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (!strcmp(kinds[i].kind, kind)) return kinds[i].told;
    return false;
}

/* What an intervention or a resume changed and when, unless there are too many of them to
 * say so or it does not fit; else the kind. */
static void label_of(const RunLog *run, const RunEvent *event, char label[LABEL_SIZE]) {
    enum { AROUND = 32 }; /* the words around a text */
    bool resume = !strcmp(event->kind, "resume");
    size_t count = 0;
    for (size_t i = 0; i < run->event_count; i++)
        count += !strcmp(run->events[i].kind, event->kind);
    if (!is_told(event->kind) || !*event->text || count > NAMED_MOST)
        text_format(label, LABEL_SIZE, "%s", event->kind);
    else if (resume && strlen(event->text) > LABEL_SIZE - AROUND)
        text_format(label, LABEL_SIZE, "resume, step %.0f", event->step);
    else
        text_format(label, LABEL_SIZE, "%sstep %.0f: %s", resume ? "resume, " : "",
                    event->step, event->text);
}

/* Several keys that change at one step are one line each in the legend. */
static bool looks_drawn(const RunLog *run, const RunEvent *drawn, const RunEvent *event) {
    char label[LABEL_SIZE], other[LABEL_SIZE];
    if (!drawn || strcmp(drawn->kind, event->kind)) return false;
    label_of(run, drawn, label);
    label_of(run, event, other);
    return fabs(event->step - drawn->step) < grain(run) && !strcmp(label, other);
}

void figure_events(const Chart *chart, Panel *panel, const RunLog *run, bool named) {
    const RunEvent *drawn = NULL;
    for (size_t i = 0; i < run->event_count; i++) {
        const RunEvent *event = &run->events[i];
        if (looks_drawn(run, drawn, event)) continue;
        char label[LABEL_SIZE] = "";
        if (named) label_of(run, event, label);
        drawn = event;
        panel_moment(panel, event->step, colour_of(chart, event->kind), label);
    }
}
