#include "tools/watch/tones.h"

enum { BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE, NONE = TONE_DEFAULT };

/* Cells of the map: lightness grows from level to level for every kind of sight, and each
 * has its number besides.  Collapse is vermilion, far from all of them. */
#define HEAT(level, ink, paper, plain_ink, plain_paper)                                  \
    [TONE_HEAT + (level)] = {ink, paper, plain_ink, plain_paper}

const ToneColours tones[TONE_COUNT] = {
    [TONE_PLAIN] = {NONE, NONE, NONE, NONE},
    [TONE_SOFT] = {245, NONE, NONE, NONE},
    [TONE_ALARM] = {208, NONE, RED, NONE},
    [TONE_GOOD] = {36, NONE, CYAN, NONE},
    [TONE_BAR] = {32, NONE, BLUE, NONE},
    [TONE_FALL] = {16, 208, WHITE, RED},
    [TONE_RUN] = {32, NONE, BLUE, NONE},
    [TONE_RUN + 1] = {208, NONE, YELLOW, NONE},
    [TONE_RUN + 2] = {36, NONE, GREEN, NONE},
    [TONE_RUN + 3] = {225, NONE, MAGENTA, NONE},
    [TONE_RUN + 4] = {227, NONE, CYAN, NONE},
    [TONE_RUN + 5] = {242, NONE, NONE, NONE},
    HEAT(0, 255, 16, WHITE, BLACK),
    HEAT(1, 255, 17, WHITE, BLACK),
    HEAT(2, 255, 18, WHITE, BLUE),
    HEAT(3, 255, 238, WHITE, BLUE),
    HEAT(4, 255, 60, WHITE, BLUE),
    HEAT(5, 16, 243, BLACK, CYAN),
    HEAT(6, 16, 246, BLACK, CYAN),
    HEAT(7, 16, 180, BLACK, CYAN),
    HEAT(8, 16, 222, BLACK, WHITE),
    HEAT(9, 16, 229, BLACK, WHITE),
};

void tone_rgb(int colour, double rgb[3]) {
    static const double STEPS[] = {0, 95, 135, 175, 215, 255};
    int cube = colour - 16;
    int part[3] = {cube / 36, cube / 6 % 6, cube % 6};
    for (int i = 0; i < 3; i++)
        rgb[i] =
            colour >= 232 ? (8 + 10 * (colour - 232)) / 255.0 : STEPS[part[i]] / 255.0;
}
