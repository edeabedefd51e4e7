/* panel: one run in a part of the screen (tools/watch/view.h). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/program/progress.h"
#include "tools/watch/view.h"
#include "tools/watch/words.h"

enum { WIDE = 62, TALL = 21, HIGH = 32, COLUMNS_MOST = 1000, VALUE = 9 };
enum { LABEL = 20, LABEL_BRIEF = 9 }; /* columns of the words before a value */

typedef struct Drawing {
    const View *view;
    Watched *run;
    Tone tone;
    const PanelScale *scale;
    double now;
    Screen *screen;
    Area area;
    size_t row; /* the next one that is free */
    bool wide;
} Drawing;

/* ---- lines ---- */

static size_t left_of(const Drawing *d) {
    return d->area.rows > d->row ? d->area.rows - d->row : 0;
}

static void draw_head(Drawing *d) {
    char state[60];
    Tone tone;
    state_text(d->run, d->now, state, sizeof state, &tone);
    bool replay = isfinite(d->view->at);
    if (replay) snprintf(state, sizeof state, "playback"), tone = TONE_BAR;
    size_t length = screen_width(state), room = d->area.columns;
    Area name = d->area;
    name.columns = room > length + 1 ? room - length - 1 : room;
    screen_print(d->screen, name, d->row, 0, d->tone, "%s", d->run->name);
    screen_mark(d->screen, name, d->row, true, false);
    if (room > length + 1)
        screen_print(d->screen, d->area, d->row, room - length, tone, "%s", state);
    d->row++;
}

static double step_of(const Drawing *d) {
    return fmin(d->view->at, watched_step(d->run));
}

/* "step 320/400  80 %  ████░░  0:12 left" */
static void draw_progress(Drawing *d) {
    char end[60] = "", left[32], epoch[40] = "";
    double step = step_of(d), steps = d->run->steps, seconds = watched_left(d->run);
    const Point *last = history_at(&d->run->history, step);
    if (last && isfinite(last->epoch) && d->wide)
        snprintf(epoch, sizeof epoch, "  epoch %.2f", last->epoch);
    size_t at;
    if (isfinite(steps))
        at = screen_print(d->screen, d->area, d->row, 0, TONE_PLAIN,
                          "step %.0f/%.0f  %.0f %%%s", step, steps, 100 * step / steps,
                          epoch);
    else
        at = screen_print(d->screen, d->area, d->row, 0, TONE_PLAIN, "step %.0f%s", step,
                          epoch);
    bool live = !isfinite(d->view->at) && watched_state(d->run, d->now) == STATE_RUNNING;
    if (live && isfinite(seconds)) {
        duration_text(seconds, left, sizeof left);
        snprintf(end, sizeof end, "%s left", left);
    }
    size_t length = strlen(end), room = d->area.columns;
    if (length && at + length + 2 <= room)
        screen_print(d->screen, d->area, d->row, room - length, TONE_PLAIN, "%s", end);
    if (length) length += 2;
    Area bar = d->area;
    bar.row += d->row, bar.rows = 1, bar.column += at + 2;
    if (isfinite(steps) && room > at + 2 + length + 4) {
        bar.columns = room - at - 2 - length;
        screen_bar(d->screen, bar, step / steps, TONE_BAR);
    }
    d->row++;
}

typedef struct SparkLine {
    const char *name, *brief;
    PointNumber number;
    double factor; /* of the value that is printed */
    const char *unit;
    size_t tall, high; /* rows in an area of so many */
} SparkLine;

static const SparkLine LINES[] = {
    {"training loss", "loss", POINT_LOSS, 1, "", 2, 4},
    {"learning rate", "lr", POINT_LR, 1, "", 1, 1},
    {"examples/s", "ex/s", POINT_RATE, 1, "", 1, 1},
    {"lowest site entropy", "site ent", POINT_ENTROPY, 100, " %", 1, 3},
    {"gradient norm", "grad", POINT_GRAD, 1, "", 1, 2},
};

/* What a line is called: of the rate by what it counts. */
static const char *name_of(const Drawing *d, const SparkLine *line) {
    if (line->number == POINT_RATE && watched_counts_tokens(d->run))
        return d->wide ? "tokens/s" : "tok/s";
    return d->wide ? line->name : line->brief;
}

static Tone tone_of(const Drawing *d, PointNumber number, double value) {
    if (number == POINT_ENTROPY && entropy_fell(value, COLLAPSE_SHARE)) return TONE_ALARM;
    return d->tone;
}

/* A line each, only where there is something to say. */
static void draw_faults(Drawing *d) {
    char text[WATCHED_FAULT];
    if (watched_unreadable(d->run, text))
        screen_print(d->screen, d->area, d->row++, 0, TONE_ALARM, "%s", text);
    if (watched_missing(d->run, text))
        screen_print(d->screen, d->area, d->row++, 0, TONE_ALARM, "%s", text);
}

/* "loss     1.234    ▇▆▅▃▂", over so many rows. */
static void draw_spark(Drawing *d, const SparkLine *line, size_t rows) {
    static const Column NOTHING = {NAN, NAN, false};
    const History *h = line->number == POINT_ENTROPY ? &d->run->probes : &d->run->history;
    const Point *last = history_at(h, d->view->at);
    double low = 0, high = 1, value = last ? last->value[line->number] : NAN;
    size_t label = d->wide ? LABEL : LABEL_BRIEF, start = label + VALUE + 1;
    char text[40];
    number_text(line->factor * value, text, sizeof text);
    if (last && last->nonfinite && line->number == POINT_LOSS && isnan(value))
        snprintf(text, sizeof text, "not finite");
    screen_print(d->screen, d->area, d->row, 0, TONE_SOFT, "%s", name_of(d, line));
    screen_print(d->screen, d->area, d->row, label, tone_of(d, line->number, value),
                 "%s%s", text, isnan(value) ? "" : line->unit);
    bool any = history_range(h, line->number, d->view->at, &low, &high);
    if (line->number == POINT_LOSS && isfinite(d->scale->low))
        low = d->scale->low, high = d->scale->high;
    if (line->number == POINT_RATE) low = 0;
    if (line->number == POINT_ENTROPY) low = 0, high = 1;
    size_t count = d->area.columns > start ? d->area.columns - start : 0;
    count = MIN(count, (size_t)COLUMNS_MOST);
    if (any && count && d->run->history.count) {
        Column *columns = mem_array(count, sizeof *columns);
        for (size_t c = 0; c < count; c++) columns[c] = NOTHING;
        double from = fmin(d->run->history.points[0].step, h->points[0].step);
        double to = fmax(watched_step(d->run), h->points[h->count - 1].step);
        history_columns(h, line->number, from, to, d->view->at, columns, count);
        Area area = {d->area.row + d->row, d->area.column + start, rows, count};
        screen_spark(d->screen, area, columns, low, high, d->tone);
        mem_free(columns);
    }
    d->row += rows;
}

static void draw_eval(Drawing *d) {
    const WatchedEval *eval = watched_eval(d->run, d->view->at, "");
    char score[60];
    size_t at = screen_print(d->screen, d->area, d->row, 0, TONE_SOFT, "%s",
                             d->wide ? "evaluation" : "eval");
    at = MAX(at + 1, (size_t)(d->wide ? LABEL : LABEL_BRIEF));
    if (eval) {
        eval_text(eval, score, sizeof score);
        at = screen_print(d->screen, d->area, d->row, at, TONE_PLAIN, "%s  %s", score,
                          split_word(eval->split));
        if (watched_metric(eval) != METRIC_LOSS && isfinite(eval->scores[METRIC_LOSS]) &&
            d->wide)
            at = screen_print(d->screen, d->area, d->row, at, TONE_PLAIN, ", loss %.4f",
                              eval->scores[METRIC_LOSS]);
        screen_print(d->screen, d->area, d->row, at, TONE_SOFT, " at step %.0f",
                     eval->step);
    } else {
        screen_print(d->screen, d->area, d->row, at, TONE_SOFT, "none yet");
    }
    d->row++;
}

/* ---- map and events ---- */

static size_t events_until(const Watched *run, double step) {
    size_t count = 0;
    while (count < run->event_count && run->events[count].step <= step) count++;
    return count;
}

static bool is_alarm(const char *kind) {
    return !strcmp(kind, "alarm") || !strcmp(kind, "rollback") ||
           !strcmp(kind, "moved") || !strcmp(kind, RUNLOG_NONFINITE);
}

/* The newest last. */
static void draw_events(Drawing *d, size_t rows) {
    size_t count = events_until(d->run, d->view->at);
    for (size_t i = count - MIN(count, rows); i < count && left_of(d); i++, d->row++) {
        const WatchedEvent *e = &d->run->events[i];
        size_t at =
            screen_print(d->screen, d->area, d->row, 0, TONE_SOFT, "step %.0f ", e->step);
        at = screen_print(d->screen, d->area, d->row, at,
                          is_alarm(e->kind) ? TONE_ALARM : TONE_PLAIN, "%s", e->kind);
        screen_print(d->screen, d->area, d->row, at, TONE_PLAIN, "%s%s",
                     *e->text ? ": " : "", e->text);
    }
}

static void draw_map(Drawing *d, size_t rows) {
    const RunLog *probe = watched_probe(d->run, d->view->at);
    LowestHead low = watched_lowest_head(probe);
    const char *title = map_titles[d->view->map];
    bool entropy = d->view->map == MAP_ENTROPY;
    size_t at = screen_print(d->screen, d->area, d->row, 0, TONE_SOFT, "%s",
                             entropy && !d->wide ? "entropy %" : title);
    if (probe && d->wide)
        at = screen_print(d->screen, d->area, d->row, at, TONE_SOFT, " at step %.0f",
                          probe->probe.step[0]);
    if (entropy && low.site)
        screen_print(d->screen, d->area, d->row, at,
                     entropy_fell(low.share, COLLAPSE_SHARE) ? TONE_ALARM : TONE_SOFT,
                     d->wide ? "; lowest head %.1f %%: %s head %zu"
                             : ", head %.1f %s.%zu",
                     100 * low.share, low.site, low.head);
    d->row++;
    Area area = d->area;
    area.row += d->row, area.rows = rows - 1;
    d->row += map_draw(d->view->map, probe, d->screen, area);
}

void panel_draw(const View *view, Watched *run, Tone tone, const PanelScale *scale,
                double now, Screen *screen, Area area) {
    Drawing d = {view, run, tone, scale, now, screen, area, 0, area.columns >= WIDE};
    size_t events = MIN(events_until(run, view->at), MAX(area.rows / 6, (size_t)1));
    draw_head(&d);
    draw_progress(&d);
    draw_faults(&d);
    for (size_t i = 0; i < COUNT(LINES) && left_of(&d); i++) {
        if (LINES[i].number == POINT_GRAD && area.rows < TALL) continue;
        size_t rows = area.rows < TALL   ? 1
                      : area.rows < HIGH ? LINES[i].tall
                                         : LINES[i].high;
        draw_spark(&d, &LINES[i], rows);
    }
    if (left_of(&d)) draw_eval(&d);
    if (left_of(&d) > events + 3) draw_map(&d, left_of(&d) - events);
    draw_events(&d, MIN(left_of(&d), MAX(events, left_of(&d))));
}
