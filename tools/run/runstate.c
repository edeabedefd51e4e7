#include "tools/run/runstate.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "tools/recipe/moment.h"
#include "tools/run/rundir.h"

#define NAME(KIND, name) name,
const char *const runstate_names[RUNSTATE_KINDS] = {RUNSTATE_LIST(NAME)};

#define STEPS_MOST 1e12

/* A lock that is shared, and given back at once: a process that begins meanwhile tries
 * again (rundir_lock). */
bool runstate_in_use(const char *dir) {
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return false;
    bool taken = flock(folder, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
    close(folder);
    return taken;
}

static double setting(const RunLog *run, const char *key) {
    const char *text = runlog_setting(run, key);
    double x = text ? strtod(text, NULL) : 0;
    return x > 0 && x < STEPS_MOST ? x : 0;
}

/* Steps from one row of train.jsonl to the next, at most. */
static double log_every(const RunLog *run) {
    bool each; /* 0: every step has one */
    return fmax(runlog_every(run, "train.log_every", &each), 1);
}

static const Session *last_session(const RunLog *run) {
    return run->sessions.count ? &run->sessions.list[run->sessions.count - 1] : NULL;
}

/* By the last process, by train.steps, or by how far the epochs have come. */
static size_t steps_of(const RunLog *run) {
    const Session *last = last_session(run);
    const TrainLog *train = &run->train;
    double epochs = setting(run, "train.epochs"), steps = setting(run, "train.steps");
    if (last && last->steps) return last->steps;
    if (!(epochs > 0)) return (size_t)steps;
    double epoch = train->count ? train->epoch[train->count - 1] : NAN;
    double step = train->count ? train->step[train->count - 1] : 0;
    double all = epoch > 0 ? moment_step_logged(epochs, step, epoch) : 0;
    return all < STEPS_MOST ? (size_t)all : 0;
}

/* The event that ended it, if its loss or gradient was not finite. */
static const RunEvent *nonfinite(const RunLog *run) {
    const TrainLog *train = &run->train;
    double last = train->count ? train->step[train->count - 1] : 0;
    for (size_t i = run->event_count; i-- > 0;)
        if (!strcmp(run->events[i].kind, RUNLOG_NONFINITE) && run->events[i].step > last)
            return &run->events[i];
    return NULL;
}

static RunStateKind kind_of_exit(int code) {
    return code == OK                                         ? RUNSTATE_FINISHED
           : code == FAIL_INTERRUPTED || code == SESSION_OPEN ? RUNSTATE_INTERRUPTED
                                                              : RUNSTATE_FAILED;
}

/* The last step has a checkpoint.  Where there are none, its row says so, or the last one
 * that train.log_every asks for. */
static bool is_complete(const RunLog *run, const RunState *state) {
    size_t saved = checkpoint_newest(run->path, SIZE_MAX);
    if (!state->steps || !run->train.count) return false;
    if (saved) return saved >= state->steps;
    return (double)state->step + log_every(run) > (double)state->steps;
}

/* Took all its steps, whatever it learned: the verdict says that. */
static bool is_judged(const RunLog *run, const Session *last, const RunState *state) {
    if (!last || last->exit != FAIL_DIVERGED || nonfinite(run)) return false;
    return last->step ? state->steps && last->step >= state->steps
                      : is_complete(run, state);
}

bool runstate_lacks_rows(const RunLog *run, double logged) {
    const Session *last = last_session(run);
    bool told = last && last->exit != SESSION_OPEN && last->step;
    return told && (double)last->step >= logged + log_every(run);
}

static double last_logged(const RunLog *run) {
    double last = run->train.count ? run->train.step[run->train.count - 1] : 0;
    for (size_t i = 0; i < run->event_count; i++) last = fmax(last, run->events[i].step);
    return last;
}

RunState runstate_of(const RunLog *run) {
    const Session *last = last_session(run);
    const RunEvent *event = nonfinite(run);
    const TrainLog *train = &run->train;
    RunState state = {.kind = RUNSTATE_UNKNOWN, .steps = steps_of(run)};
    if (train->count) state.step = (size_t)train->step[train->count - 1];
    bool killed = last && last->exit == SESSION_OPEN;
    bool judged = is_judged(run, last, &state);
    if (runstate_in_use(run->path)) state.kind = RUNSTATE_RUNNING;
    else if (last && !killed && !judged) state.kind = kind_of_exit(last->exit);
    else if (event) state.kind = RUNSTATE_FAILED;
    else if (judged || is_complete(run, &state)) state.kind = RUNSTATE_FINISHED;
    else if (last || *run->recipe) state.kind = RUNSTATE_INTERRUPTED;
    if (last && last->step > state.step) state.step = last->step;
    state.logged = (size_t)last_logged(run);
    state.unlogged =
        state.kind != RUNSTATE_RUNNING && runstate_lacks_rows(run, (double)state.logged);
    if (state.kind == RUNSTATE_RUNNING || state.kind == RUNSTATE_FINISHED) return state;
    const char *why = last && last->message ? last->message
                      : killed              ? "the process was killed"
                      : event               ? event->text
                                            : "";
    text_format(state.why, sizeof state.why, "%.1000s", why);
    return state;
}
