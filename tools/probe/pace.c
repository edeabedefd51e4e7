#include "tools/probe/pace.h"

#include "engine/core/base.h"
#include "tools/program/progress.h"
#include "tools/program/say.h"

Pace pace_begin(void) {
    double now = clock_now();
    return (Pace){now, now};
}

void pace_show(Pace *pace, size_t done, size_t count, const char *what) {
    enum { SECONDS = 10 };
    char left[32];
    double now = clock_now();
    if (!done || done >= count || now - pace->shown < SECONDS) return;
    pace->shown = now;
    duration_text((now - pace->started) * (double)(count - done) / (double)done, left,
                  sizeof left);
    say("%s: %zu of %zu, %s left", what, done, count, left);
}
