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

void moment_print(Moment moment, char text[MOMENT_TEXT]) {
    const char *unit = moment.unit == MOMENT_EPOCHS ? "e" : "";
    *text = 0;
    if (moment.unit == MOMENT_NEVER) text_format(text, MOMENT_TEXT, "never");
    if (moment.unit == MOMENT_STEPS) text_format(text, MOMENT_TEXT, "%.0f", moment.value);
    for (int digits = 1; digits <= 17 && moment.unit == MOMENT_EPOCHS; digits++) {
        text_format(text, MOMENT_TEXT, "%.*g%s", digits, moment.value, unit);
        if (strtod(text, NULL) == moment.value) return;
    }
}
