/* collapse: what the guard of entropy says of a site that has fallen
 * (tools/train/parts.h).  Why it fell is read back from the run's own logs, which a
 * resume cuts to its checkpoint: a resumed run says the same, and a run without a
 * collapse keeps nothing for it. */
#include "tools/run/cause.h"
#include "tools/train/parts.h"

static double share_of(const Site *site) {
    return entropy_share(entropy_mean(site->entropy, site->heads), site->uniform);
}

static bool fell(const Trainer *t, size_t site) {
    double below = t->recipe->guard.entropy_below;
    return !t->warned[site] && entropy_fell(share_of(t->task->model->sites[site]), below);
}

bool trainer_collapses(const Trainer *t) {
    bool any = false;
    for (size_t i = 0; i < t->task->model->site_count; i++) any |= fell(t, i);
    return any && t->recipe->guard.collapse == COLLAPSE_STOP;
}

/* On rank 0, which alone has the logs and speaks.  *run is opened for the first site of a
 * step. */
static void find_cause(Trainer *t, const Site *site, size_t step, RunLog **run,
                       char text[CAUSE_TEXT]) {
    Err err = ERR_NONE;
    *text = 0;
    if (!ranks_lead(t->ranks)) return;
    if (!*run) *run = runlog_open(t->dir, &err);
    if (*run) cause_text(*run, site->name, step, text);
    else
        progress_say(&t->progress,
                     "steady: note: the cause could not be determined: "
                     "%s",
                     err.text);
}

static Status alarm_of(Trainer *t, const Site *site, size_t step, const char *cause,
                       Err *err) {
    const GuardConfig *g = &t->recipe->guard;
    const char *stop = *cause ? ". " : "";
    double share = share_of(site);
    char text[300];
    text_format(text, sizeof text,
                "entropy collapse: %s fell to %.1f%% of uniform attention's entropy",
                site->name, 100 * share);
    json_t *more = json_pack("{s:s, s:o, s:o}", "site", site->name, "share",
                             json_number(share), "uniform", json_number(site->uniform));
    if (*cause) json_object_set_new(more, "cause", json_text(cause));
    if (trainer_log_event(t, step, "alarm", text, more, err)) return err->status;
    if (g->collapse == COLLAPSE_STOP)
        return err_set(err, FAIL_COLLAPSED,
                       "%s at step %zu (guard.entropy_below = %g); try "
                       "model.reparam=sigma with model.norm=none, a lower optim.lr or "
                       "a longer warm-up%s%s",
                       text, step, g->entropy_below, stop, cause);
    progress_say(&t->progress, "warning: %s at step %zu%s%s", text, step, stop, cause);
    return OK;
}

Status trainer_guard_collapse(Trainer *t, size_t step, Err *err) {
    const Model *model = t->task->model;
    RunLog *run = NULL;
    for (size_t i = 0; i < model->site_count && !err->status; i++) {
        char cause[CAUSE_TEXT];
        if (!fell(t, i)) continue;
        find_cause(t, model->sites[i], step, &run, cause);
        t->warned[i] = !alarm_of(t, model->sites[i], step, cause, err);
    }
    runlog_free(run);
    return err->status;
}
