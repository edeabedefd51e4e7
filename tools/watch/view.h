/* view: what a screen shows of the runs, and what keys change of it.
 *
 *     View view = view_default();
 *     view_draw(&view, &list, now, &screen);
 *     if (!view_key(&view, &list, 'q')) return;          q: it ends
 *     view_tick(&view, &list, 0.1);                      playing goes on */
#ifndef STEADY_WATCH_VIEW_H
#define STEADY_WATCH_VIEW_H

#include "tools/watch/list.h"
#include "tools/watch/screen.h"

typedef enum { MAP_ENTROPY, MAP_LOGIT, MAP_SIGMA, MAP_GAMMA, MAP_KINDS } MapKind;

/* Keys that are no characters. */
enum {
    WATCH_LEFT = 0x10000,
    WATCH_RIGHT,
    WATCH_UP,
    WATCH_DOWN,
    WATCH_HOME,
    WATCH_END,
    WATCH_PAGE_UP,
    WATCH_PAGE_DOWN
};

typedef struct View {
    MapKind map;
    size_t selected; /* the first run that is shown whole */
    bool alone;      /* one run whole, however wide the screen is */
    bool help;
    double at; /* play back: the step that is shown; infinite: the newest */
    bool playing;
    double speed; /* a whole run in 20 / speed seconds */
} View;

View view_default(void);

/* False: the key ends the watch. */
bool view_key(View *view, const WatchList *list, int key);

/* Plays on by so many seconds; false: it does not play. */
bool view_tick(View *view, const WatchList *list, double seconds);

/* now: seconds of the clock on the wall. */
void view_draw(const View *view, const WatchList *list, double now, Screen *screen);

/* ---- parts, for view.c and watch.c ---- */

/* One run in an area (panel.c).  low, high: the range of losses of all runs. */
typedef struct PanelScale {
    double low, high;
} PanelScale;
void panel_draw(const View *view, Watched *run, Tone tone, const PanelScale *scale,
                double now, Screen *screen, Area area);

/* The map of a probe: from row 0 of the area on; returns the rows that it took. */
size_t map_draw(MapKind kind, const RunLog *probe, Screen *screen, Area area);
extern const char *const map_titles[MAP_KINDS];

#endif
