#include "tools/watch/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/watch/words.h"

enum { PANEL = 38, TABLE_MOST = 8, PLAY_SECONDS = 20 };

View view_default(void) { return (View){.at = INFINITY, .speed = 1}; }

/* ---- keys ---- */

static double last_step(const WatchList *list) {
    double last = 0;
    for (size_t i = 0; i < list->count; i++)
        last = fmax(last, watched_step(list->runs[i]));
    return last;
}

/* From the newest step a way back begins at the last one. */
static void move(View *view, const WatchList *list, double share) {
    double last = last_step(list), at = fmin(view->at, last) + share * last;
    view->playing = false;
    view->at = at >= last ? INFINITY : fmax(at, 0);
}

static void play(View *view, const WatchList *list) {
    if (!isfinite(view->at)) view->at = 0;
    view->playing = last_step(list) > 0 && !view->playing;
}

static void choose(View *view, const WatchList *list, long by) {
    long count = (long)list->count;
    if (count) view->selected = (size_t)(((long)view->selected + by + count) % count);
}

static void faster(View *view, double factor) {
    view->speed = fmin(fmax(view->speed * factor, 1.0 / 16), 16);
}

bool view_key(View *view, const WatchList *list, int key) {
    if (view->help && key != 'q') return view->help = false, true;
    switch (key) {
    case 'q':
    case 'Q': return false;
    case 'h':
    case '?': view->help = true; break;
    case 'e': view->map = MAP_ENTROPY; break;
    case 'l': view->map = MAP_LOGIT; break;
    case 's': view->map = MAP_SIGMA; break;
    case 'g': view->map = MAP_GAMMA; break;
    case 'm': view->map = (view->map + 1) % MAP_KINDS; break;
    case '1': view->alone = !view->alone; break;
    case '\t':
    case WATCH_DOWN: choose(view, list, 1); break;
    case WATCH_UP: choose(view, list, -1); break;
    case 'p':
    case ' ': play(view, list); break;
    case WATCH_LEFT: move(view, list, -0.01); break;
    case WATCH_RIGHT: move(view, list, 0.01); break;
    case WATCH_PAGE_UP: move(view, list, -0.1); break;
    case WATCH_PAGE_DOWN: move(view, list, 0.1); break;
    case WATCH_HOME: view->at = 0; break;
    case 'f':
    case WATCH_END: view->at = INFINITY, view->playing = false; break;
    case '+': faster(view, 2); break;
    case '-': faster(view, 0.5); break;
    default: break;
    }
    return true;
}

bool view_tick(View *view, const WatchList *list, double seconds) {
    double last = last_step(list);
    if (!view->playing) return false;
    view->at += last * view->speed * seconds / PLAY_SECONDS;
    if (view->at >= last) view->at = INFINITY, view->playing = false;
    return true;
}

/* ---- several runs ---- */

static Tone tone_of(const WatchList *list, size_t run) {
    return list->count < 2 ? TONE_BAR : (Tone)(TONE_RUN + run % TONE_RUNS);
}

/* One range for the losses of all, so that they compare. */
static PanelScale scale_of(const View *view, const WatchList *list) {
    PanelScale scale = {NAN, NAN};
    for (size_t i = 0; i < list->count; i++) {
        double low, high;
        if (!history_range(&list->runs[i]->history, POINT_LOSS, view->at, &low, &high))
            continue;
        scale.low = fmin(scale.low, low);
        scale.high = fmax(scale.high, high);
    }
    return scale;
}

static void draw_table_row(const View *view, const WatchList *list, size_t i,
                           size_t names, double now, Screen *screen, Area area,
                           size_t row) {
    Watched *run = list->runs[i];
    double step = fmin(view->at, watched_step(run));
    const Point *last = history_at(&run->history, step);
    const Point *probe = history_at(&run->probes, view->at);
    double share = probe ? probe->value[POINT_ENTROPY] : NAN;
    const WatchedEval *eval = watched_eval(run, view->at, "");
    char loss[24], state[60], score[60] = "-", low[24] = "-", done[24] = "";
    char fault[WATCHED_FAULT];
    Tone tone, name = tone_of(list, i);
    state_text(run, now, state, sizeof state, &tone);
    number_text(last ? last->value[POINT_LOSS] : NAN, loss, sizeof loss);
    if (eval) eval_text(eval, score, sizeof score);
    if (isfinite(share)) snprintf(low, sizeof low, "%.1f %%", 100 * share);
    if (isfinite(run->steps))
        snprintf(done, sizeof done, "%3.0f %%", 100 * step / run->steps);
    Area first = {area.row + row, area.column, 1, MIN(names, area.columns)};
    screen_print(screen, first, 0, 0, name, "%s%s", i == view->selected ? ">" : " ",
                 run->name);
    screen_print(screen, area, row, names + 1, TONE_PLAIN, "%7.0f %5s  %-8s", step, done,
                 loss);
    screen_print(screen, area, row, names + 25,
                 entropy_fell(share, COLLAPSE_SHARE) ? TONE_ALARM : TONE_PLAIN, "%-8s",
                 low);
    screen_print(screen, area, row, names + 34, TONE_PLAIN, "%-17.17s", score);
    size_t end = screen_print(screen, area, row, names + 52, tone, "%s", state);
    if (watched_missing(run, fault) || watched_unreadable(run, fault))
        screen_print(screen, area, row, end, TONE_ALARM, ", %s", fault);
    if (i == view->selected) screen_mark(screen, first, 0, true, false);
}

/* So many runs, the selected among them; returns the rows that it took. */
static size_t draw_table(const View *view, const WatchList *list, double now,
                         Screen *screen, Area area) {
    size_t rows = MIN(list->count, MIN((size_t)TABLE_MOST, area.rows / 3));
    size_t names = 12, first = 0;
    bool fit = !view->alone && list->count * PANEL <= area.columns + 1;
    if (list->count < 2 || rows < 2 || fit) return 0;
    for (size_t i = 0; i < list->count; i++)
        names = MAX(names, MIN(strlen(list->runs[i]->name) + 2, area.columns / 3));
    if (view->selected + 1 > rows) first = view->selected + 1 - rows;
    screen_print(screen, area, 0, 0, TONE_SOFT, " %zu runs%s", list->count,
                 list->left_out ? " (more not shown)" : "");
    screen_print(screen, area, 0, names + 1, TONE_SOFT,
                 "   step  done  loss     entropy  score             state");
    for (size_t r = 0; r < rows; r++)
        draw_table_row(view, list, first + r, names, now, screen, area, r + 1);
    return rows + 1;
}

static void draw_panels(const View *view, const WatchList *list, double now,
                        Screen *screen, Area area) {
    size_t fit = MAX((area.columns + 1) / PANEL, (size_t)1);
    size_t shown = view->alone ? 1 : MIN(list->count, fit);
    size_t first = MIN(view->selected, list->count - shown);
    if (view->alone) first = view->selected;
    PanelScale scale = scale_of(view, list);
    size_t width = (area.columns + 1) / shown;
    for (size_t i = 0; i < shown; i++) {
        Area part = {area.row, area.column + i * width, area.rows, width - 1};
        if (i + 1 == shown) part.columns = area.columns - i * width;
        panel_draw(view, list->runs[first + i], tone_of(list, first + i), &scale, now,
                   screen, part);
        for (size_t r = 0; r < area.rows && i; r++)
            screen_cell(screen, area, r, i * width - 1,
                        (Cell){.code = 0x2502, .tone = TONE_SOFT});
    }
}

/* ---- the rest ---- */

static const char *const HELP[] = {
    "q  Ctrl-C      quit; the run is not touched",
    "e l s g        map: entropy, largest logits, spectral norms, gains;  m: next map",
    "Tab  up  down  select a run;  1: show only this run, or all side by side",
    "space  p       play from the start; pause",
    "left right     1 % back or forward;  PgUp PgDn: 10 %",
    "Home  End      first step; newest step, then follow the run (also f)",
    "+  -           play faster, slower",
    "",
    "Entropy is in % of uniform attention's entropy; below 10 % attention",
    "has collapsed.  In narrow cells 7 means 70 to 80 %.  Joined cells show the",
    "lowest entropy, other maps the highest number.  !: a loss was not finite.",
};

static void draw_help(Screen *screen, Area area) {
    for (size_t i = 0; i < COUNT(HELP); i++)
        screen_print(screen, area, i + 1, 1, TONE_PLAIN, "%s", HELP[i]);
}

static void draw_foot(const View *view, const WatchList *list, Screen *screen) {
    Area foot = {screen->rows - 1, 0, 1, screen->columns};
    double last = last_step(list);
    size_t at = 0;
    if (isfinite(view->at))
        at = screen_print(screen, foot, 0, 0, TONE_BAR, "%s %.0f of %.0f (x%g)  ",
                          view->playing ? "playing" : "paused at", view->at, last,
                          view->speed);
    screen_print(screen, foot, 0, at, TONE_SOFT, "%s",
                 screen->columns - at >= 64
                     ? "q quit  ? help  e l s g map  space play  < > step  Tab run"
                     : "q quit  ? help");
}

void view_draw(const View *view, const WatchList *list, double now, Screen *screen) {
    Area all = {0, 0, screen->rows ? screen->rows - 1 : 0, screen->columns};
    screen_clear(screen);
    if (screen->rows < 5 || screen->columns < 24) {
        screen_print(screen, (Area){0, 0, screen->rows, screen->columns}, 0, 0,
                     TONE_PLAIN, "too small");
        return;
    }
    if (view->help) draw_help(screen, all);
    else if (!list->count)
        screen_print(screen, all, 0, 0, TONE_SOFT, "no run has begun yet");
    else {
        View now_view = *view;
        now_view.selected = MIN(view->selected, list->count - 1);
        size_t used = draw_table(&now_view, list, now, screen, all);
        all.row += used, all.rows -= used;
        draw_panels(&now_view, list, now, screen, all);
    }
    draw_foot(view, list, screen);
}
