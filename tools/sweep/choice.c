/* choice: which methods are compared, and with which: what is given, or the plan says, or
 * the folder has (tools/sweep/sweep.h). */
#include <string.h>

#include "tools/program/say.h"
#include "tools/run/rundir.h"
#include "tools/sweep/state.h"

static const char *text_in(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text && *text ? text : NULL;
}

static SweepChoice choice_in(const json_t *object) {
    return (SweepChoice){text_in(object, "method"), text_in(object, "baseline")};
}

static bool same_text(const char *a, const char *b) {
    return a && b ? !strcmp(a, b) : a == b;
}

/* A baseline is one of the methods that it was chosen among. */
SweepChoice sweep_choice(const Sweep *sweep) {
    const SweepChoice had[] = {choice_in(sweep->plan), choice_in(sweep->choice)};
    SweepChoice choice = {sweep->methods, sweep->base};
    for (size_t i = 0; i < COUNT(had) && !choice.method; i++)
        choice.method = had[i].method;
    for (size_t i = 0; i < COUNT(had) && !choice.base; i++)
        if (same_text(choice.method, had[i].method) && !sweep->lost_base[i])
            choice.base = had[i].base;
    return choice;
}

/* False as well where the method is at fault, which is refused where it is used. */
static bool lacks_base(const Sweep *sweep, const SweepChoice *had, Err *err) {
    SweepChoice any = {.method = had->method};
    Err why = ERR_NONE;
    return had->base && !sweep_check_choice(sweep, &any, &why) &&
           sweep_check_choice(sweep, had, err);
}

/* A grid grows by what makes other methods of it: by a recipe, by another key. */
void choice_settle(Sweep *sweep) {
    const SweepChoice had[] = {choice_in(sweep->plan), choice_in(sweep->choice)};
    static const char *const WHOSE[] = {"planned", "earlier"};
    for (size_t i = 0; i < COUNT(had); i++) {
        Err why = ERR_NONE;
        bool was_lost = sweep->lost_base[i],
             again = i && same_text(had[0].base, had[1].base);
        sweep->lost_base[i] = lacks_base(sweep, &had[i], &why);
        if (sweep->lost_base[i] && !was_lost && !again && !sweep->base &&
            same_text(sweep_choice(sweep).method, had[i].method))
            say("steady: note: %s: the %s baseline is dropped (%s); methods are compared "
                "with the first",
                sweep->dir, WHOSE[i], why.text);
    }
}

SweepChoice sweep_choice_across(Sweep *sweeps, size_t count, const SweepChoice *given) {
    if (count > 1) return *given;
    sweeps->methods = given->method;
    sweeps->base = given->base;
    return sweep_choice(sweeps);
}

json_t *choice_json(const Sweep *sweep) {
    SweepChoice choice = sweep_choice(sweep);
    return json_pack("{s:o*, s:o*}", "method",
                     choice.method ? json_text(choice.method) : NULL, "baseline",
                     choice.base ? json_text(choice.base) : NULL);
}

/* ---- changes ---- */

static void add_change(json_t *list, const char *option, const char *was,
                       const char *now) {
    char text[1000];
    if (same_text(was, now)) return;
    snprintf(text, sizeof text, "%s changed: %.400s -> %.400s", option,
             was ? was : "none", now ? now : "none");
    json_array_append_new(list, json_text(text));
}

void choice_compare(const Sweep *sweep, const json_t *had, json_t *list) {
    SweepChoice was = choice_in(had), now = sweep_choice(sweep);
    add_change(list, "--method", was.method, now.method);
    add_change(list, "--baseline", was.base, now.base);
}

/* Folders of earlier versions do not say what was compared. */
void sweep_print_choice(const Sweep *sweep, FILE *out) {
    json_t *list = json_array();
    const json_t *item;
    size_t i;
    if (json_is_object(sweep->choice) && !sweep->plan)
        choice_compare(sweep, sweep->choice, list);
    json_array_foreach(list, i, item)
        fprintf(out, "%s: %s\n", sweep->dir, json_string_value(item));
    json_decref(list);
}
