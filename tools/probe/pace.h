/* pace: a line on stderr now and then, of work that takes minutes.
 *
 *     Pace pace = pace_begin();
 *     ... pace_show(&pace, done, count, "features of train");
 *                              "features of train: 640 of 10000, 12 s left"
 *
 * The first comes after ten seconds, and none when all is done. */
#ifndef STEADY_PACE_H
#define STEADY_PACE_H

#include <stddef.h>

typedef struct Pace {
    double started, shown;
} Pace;

Pace pace_begin(void);
void pace_show(Pace *pace, size_t done, size_t count, const char *what);

#endif
