/* openrun: a trained model out of a run folder, for eval, predict and export. */
#ifndef STEADY_OPENRUN_H
#define STEADY_OPENRUN_H

#include "tools/recipe/change.h"
#include "tools/run/checkpoint.h"
#include "tools/task/task.h"

typedef struct OpenRun {
    Recipe *recipe, *was; /* with the words; what the weights were trained by */
    Task *task;
    Tape *tape;
    Progressed at;
    /* of the weights: at.step, or what the file of train.init or an export says; 0: of
     * initial weights, or not known */
    size_t step;
    size_t average;        /* the mean of so many checkpoints; 0: one alone */
    char checkpoint[1400]; /* the file that was read */
    bool own;              /* it is a checkpoint of a run, not weights from elsewhere */
    const char *root;      /* the run folder where it is of the run; else NULL */
} OpenRun;

/* What the command line says of a run. */
typedef struct RunChoice {
    const char *dir;
    /* a step, "best", "average:N", a .safetensors file; NULL: the newest */
    const char *checkpoint;
    char **words; /* section.key=value */
    size_t word_count;
    bool ema;            /* the averaged weights */
    const char *command; /* "eval", for messages */
    /* start_threads_checked, asked before the model is built; NULL:
     * threads stay as they are */
    Status (*threads)(size_t threads, Err *err);
    /* sets task->way (tools/task/precision.h), and says what is worth it; NULL: fp32
     * where the recipe says auto */
    Status (*precision)(Task *task, const char *was, Err *err);
    unsigned use; /* what words it takes: USE_... of tools/recipe/keys.h */
} RunChoice;

/* with_data opens the recipe's data set; without it task.json is enough. */
Status run_open(OpenRun *run, const RunChoice *choice, bool with_data, Err *err);
void run_close(OpenRun *run);

/* The weights of run->checkpoint (run->own and run->root say what it is) into the model:
 * of another checkpoint of the run that is open, say.  model_freeze is the caller's. */
Status run_load(OpenRun *run, bool ema, Err *err);

/* Of weights from elsewhere: metadata that `steady export` wrote ("step", "score"); NULL:
 * it has none of this name.  The caller frees. */
char *run_export_fact(const OpenRun *run, const char *name);

/* "; runs/a has those of steps 80, 70, 60 and older"; "" of a run without any. */
enum { RUN_CHECKPOINTS = 800 };
void run_list_checkpoints(const char *dir, char text[RUN_CHECKPOINTS]);

/* What the file says of the step of its weights, if it is a checkpoint or an export of
 * this program; else 0. */
size_t run_step_of(const char *path, const char *root);

/* run->step for a row: null where there is a file that does not say it. */
json_t *run_step_json(const OpenRun *run);

/* The words once more, where by now it is known what they are for: FAIL_USAGE for one
 * that has no effect there (tools/recipe/change.h). */
Status run_check_words(const OpenRun *run, const char *command, unsigned use, Err *err);

/* Data that cannot be opened may be on another machine: a FAIL_DATA that names no key of
 * theirs gets one. */
Status run_advise_data(Err *err);

/* Sets task->way, by choice->precision; for run_open_recipe. */
Status run_choose_precision(OpenRun *run, const RunChoice *choice, Err *err);

/* Forward mode of evaluation: the temperature that the run ended with. */
ForwardMode run_mode(const OpenRun *run);

#endif
