/* Events of a run as thin lines over a panel: when a run was resumed with changes, rolled
 * back, warned of collapse, ... */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/core/text.h"
#include "tools/figure/parts.h"

/* Each kind differs from the others in colour, for every kind of sight, and without any
 * colour in dashes and mark (test_palette).  `told`: the legend has step and text of
 * each. */
typedef struct EventLook {
    const char *kind; /* NULL: any other */
    size_t colour;    /* of the palette, or WARNING, INK */
    bool dashed;
    Dash dash;
    Mark mark;
    bool told;
} EventLook;

enum { WARNING = 98, INK };

static const EventLook LOOKS[] = {
    {"resume", 0, true, DASH_EVEN, MARK_RING, true},
    {"intervene", 2, true, DASH_EVEN, MARK_SQUARE, true},
    {"plateau", 3, true, DASH_DOT_DOT, MARK_NONE, false},
    {"skip", 4, true, DASH_DOTS, MARK_NONE, false},
    {"alarm", WARNING, true, DASH_LONG, MARK_TRIANGLE, false},
    {"moved", 5, true, DASH_DOTS, MARK_DIAMOND, false},
    {"rollback", 7, true, DASH_DOT, MARK_DOT, false},
    {RUNLOG_NONFINITE, INK, false, DASH_EVEN, MARK_CROSS, false},
    {NULL, 6, true, DASH_EVEN, MARK_NONE, false},
};

static const EventLook *look_of(const char *kind) {
    size_t i = 0;
    while (LOOKS[i].kind && strcmp(LOOKS[i].kind, kind)) i++;
    return &LOOKS[i];
}

const char *figure_event_kind(size_t i) { return LOOKS[i].kind; }

Style figure_event_style(const Chart *chart, const char *kind) {
    const EventLook *look = look_of(kind);
    Style style = {.width = 0.9,
                   .alpha = 0.9,
                   .dashed = look->dashed,
                   .dash = look->dash,
                   .mark = look->mark};
    if (look->colour == WARNING) style.colour = chart_warning(chart);
    else if (look->colour == INK) style.colour = chart_ink(chart);
    else style.colour = chart_palette(chart, look->colour);
    return style;
}

const char *figure_event_word(const char *kind) {
    static const char *const WORDS[][2] = {{"alarm", "entropy alarm"},
                                           {"moved", "weight moved"},
                                           {"plateau", "learning rate reduced"},
                                           {"intervene", "recipe changed"},
                                           {"skip", "examples skipped"},
                                           {"rollback", "rolled back"},
                                           {RUNLOG_BRANCH, "from another run"}};
    for (size_t i = 0; i < COUNT(WORDS); i++)
        if (!strcmp(kind, WORDS[i][0])) return WORDS[i][1];
    return kind;
}

/* Steps that one line stands for: events of a kind that are closer look like one. */
static double grain(const RunLog *run) {
    double last = run->train.count ? run->train.step[run->train.count - 1] : 0;
    return last / 400;
}

enum { NAMED_MOST = 4, LABEL_SIZE = 96 };

/* Are there too many of its kind to say what each of them is? */
static bool are_many(const RunLog *run, const RunEvent *event) {
    size_t count = 0;
    for (size_t i = 0; i < run->event_count && count <= NAMED_MOST; i++)
        count += !strcmp(run->events[i].kind, event->kind);
    return count > NAMED_MOST;
}

/* "entropy alarm", "weight moved > 30 %" */
static void kind_label(const RunLog *run, const char *kind, char label[LABEL_SIZE]) {
    const char *word = figure_event_word(kind);
    const char *above = runlog_setting(run, "guard.update_above");
    double share = above ? strtod(above, NULL) : 0;
    utf8_show(word, strlen(word), label, LABEL_SIZE);
    if (!strcmp(kind, "moved") && share > 0 && share < 1e6)
        text_format(label, LABEL_SIZE, "%s > %.3g %%", word, 100 * share);
}

/* What an intervention or a resume changed and when, unless there are too many of them to
 * say so; else the kind. */
static void label_of(const RunLog *run, const RunEvent *event, char label[LABEL_SIZE]) {
    enum { AROUND = 32 }; /* the words around a text */
    bool resume = !strcmp(event->kind, "resume");
    const char *text = event->text;
    if (!look_of(event->kind)->told || !*text || are_many(run, event)) {
        kind_label(run, event->kind, label);
    } else if (resume && strlen(text) > LABEL_SIZE - AROUND) {
        text_format(label, LABEL_SIZE, "resume, step %.0f", event->step);
    } else {
        text_format(label, LABEL_SIZE, "%sstep %.0f: ", resume ? "resume, " : "",
                    event->step);
        size_t used = strlen(label);
        utf8_show(text, strlen(text), label + used, LABEL_SIZE - used);
    }
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
        panel_moment(panel, event->step, figure_event_style(chart, event->kind), label);
    }
}
