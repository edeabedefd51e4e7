/* tones: which colours of a terminal a tone is.  A test looks at them as readers do who
 * cannot tell red from green, or blue from yellow. */
#ifndef STEADY_WATCH_TONES_H
#define STEADY_WATCH_TONES_H

#include "tools/watch/screen.h"

enum { TONE_DEFAULT = -1 }; /* the terminal's own colour */

typedef struct ToneColours {
    short ink, paper;             /* of xterm's 256 */
    short plain_ink, plain_paper; /* of the 8 that every terminal with colours has */
} ToneColours;

extern const ToneColours tones[TONE_COUNT];

/* Red, green and blue, 0 ... 1, of one of xterm's colours from 16 to 255. */
void tone_rgb(int colour, double rgb[3]);

#endif
