#include "tools/task/supply.h"

#include <math.h>

enum { BATCHES_FIRST = 3, BATCHES_LEAST = 8 };
#define WINDOW_SECONDS 3.0
#define MARGIN 0.9 /* of the time of a step that making a batch may take */

Supply supply_begin(size_t given, size_t processors) {
    return (Supply){.threads = MAX(given, (size_t)1),
                    .given = given,
                    .most = MAX(processors, (size_t)1)};
}

static void open_window(Supply *s, double now) {
    s->batches = BATCHES_FIRST;
    s->began = now;
    s->waited = s->made = 0;
}

/* Threads by which a batch is made in MARGIN of what training does with one. */
static size_t threads_wanted(const Supply *s, double spent) {
    double training = spent - s->waited, wanted = s->made / (MARGIN * training);
    return training > 0 && wanted < 1000 ? MAX((size_t)ceil(wanted), s->threads + 1)
                                         : s->threads + 1;
}

static void decide(Supply *s, double spent, char text[SUPPLY_TEXT]) {
    double percent = 100 * s->waited / spent;
    size_t wanted = threads_wanted(s, spent);
    if (!s->given && s->threads < s->most) {
        s->threads = MIN(wanted, s->most);
        s->batches = 0;
        text_format(text, SUPPLY_TEXT,
                    "training waited for pictures %.0f %% of the time; from now on %zu "
                    "threads prepare them (data.threads)",
                    percent, s->threads);
        return;
    }
    s->said = true;
    if (wanted <= s->most)
        text_format(text, SUPPLY_TEXT,
                    "training waits for pictures %.0f %% of the time; to avoid this: "
                    "data.threads=%zu",
                    percent, wanted);
    else
        text_format(
            text, SUPPLY_TEXT,
            "training waits for pictures %.0f %% of the time: it would take %zu "
            "threads, but there are %zu; if processors are idle, set data.threads=N",
            percent, wanted, s->most);
}

size_t supply_see(Supply *s, double now, double waited, double made,
                  char text[SUPPLY_TEXT]) {
    *text = 0;
    if (s->said) return s->threads;
    if (++s->batches <= BATCHES_FIRST) {
        s->began = now;
        s->waited = s->made = 0;
        return s->threads;
    }
    s->waited += waited;
    s->made += made;
    double spent = now - s->began;
    if (s->batches < BATCHES_FIRST + BATCHES_LEAST || spent < WINDOW_SECONDS)
        return s->threads;
    if (s->waited > SUPPLY_WAIT * spent) decide(s, spent, text);
    if (s->batches) open_window(s, now);
    return s->threads;
}
