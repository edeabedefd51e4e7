#include "tools/recipe/moment.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool moment_read(const char *text, Moment *moment) {
    char *end;
    *moment = (Moment){0};
    if (!*text) return true;
    if (!strcmp(text, "never")) return moment->unit = MOMENT_NEVER, true;
    double value = strtod(text, &end);
    bool epochs = !strcmp(end, "e");
    if (end == text || isspace((unsigned char)*text) || (*end && !epochs)) return false;
    double most = epochs ? MOMENT_EPOCHS_MAX : MOMENT_STEPS_MAX;
    if (!(value >= 0 && value <= most) || (!epochs && value != floor(value)))
        return false;
    *moment = (Moment){value, epochs ? MOMENT_EPOCHS : MOMENT_STEPS};
    return true;
}

/* As few digits as read back as the same number; an exponent, whose e would stand beside
 * that of epochs, only where 20 places are too few. */
static void print_epochs(double value, char text[MOMENT_TEXT]) {
    for (int places = 0; places <= 20; places++) {
        text_format(text, MOMENT_TEXT, "%.*fe", places, value);
        if (strtod(text, NULL) == value) return;
    }
    text_format(text, MOMENT_TEXT, "%.17ge", value);
}

/* Far above the rounding of products and sums of epochs, far below what a user's epoch
 * with some decimals means. */
static double whole_step(double steps) {
    static const double ROUNDING = 1e-6;
    return fmax(ceil(steps - ROUNDING), 0);
}

size_t moment_step(double epochs, double steps) {
    return (size_t)whole_step(epochs * steps);
}

/* A row has nine digits.  Steps per epoch are whole, unless the batch changed. */
double moment_step_logged(double epochs, double step, double epoch) {
    double steps = step / epoch, nearest = round(steps);
    bool same = fabs(steps - nearest) <= 1e-8 * steps;
    return whole_step(epochs * (same ? nearest : steps));
}

void moment_print(Moment moment, char text[MOMENT_TEXT]) {
    *text = 0;
    if (moment.unit == MOMENT_NEVER) text_format(text, MOMENT_TEXT, "never");
    if (moment.unit == MOMENT_STEPS) text_format(text, MOMENT_TEXT, "%.0f", moment.value);
    if (moment.unit == MOMENT_EPOCHS) print_epochs(moment.value, text);
}
