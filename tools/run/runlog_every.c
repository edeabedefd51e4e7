/* runlog_every: from one row of a log to the next (tools/run/runlog.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/recipe/intervene.h"
#include "tools/run/runlog.h"

/* Is the setting the key itself, or what an intervention makes of it? */
static bool sets(const Setting *setting, const char *key) {
    static const char SECTION[] = "intervene.";
    size_t length = sizeof SECTION - 1, group;
    if (!strcmp(setting->key, key)) return true;
    const Key *own = key_find(key);
    return own && !strncmp(setting->key, SECTION, length) &&
           intervene_find(setting->key + length, &group) == own;
}

double runlog_every(const RunLog *run, const char *key, bool *off) {
    double widest = 0;
    *off = !runlog_setting(run, key);
    for (size_t i = 0; i < run->setting_count; i++) {
        if (!sets(&run->settings[i], key)) continue;
        double every = strtod(run->settings[i].value, NULL);
        *off |= !(every > 0);
        widest = fmax(widest, every);
    }
    return widest;
}
