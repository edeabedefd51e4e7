/* ending: what a run that has ended says on the terminal - verdict, score, report, what
 * to try next - and the exit code that follows from the verdict.
 *
 *     Ending ending;
 *     ending_open(&ending, dir);                  verdict and score, on stderr
 *     ...                                         the report is drawn
 *     ending_say_next(&ending, dir, "PICTURE");
 *     ending_judge(&ending, exit_policy, &err);   FAIL_DIVERGED where the verdict is */
#ifndef STEADY_ENDING_H
#define STEADY_ENDING_H

#include "tools/recipe/recipe.h"
#include "tools/run/verdict.h"

typedef struct Ending {
    bool known;    /* the logs could be read */
    bool diverged; /* ending_judge has said so */
    Verdict verdict;
    size_t before; /* step at which attention collapsed, or the loss rose and stayed
                    * high; 0: neither */
} Ending;

/* Reads the logs of a run and says what became of it; a note where they cannot be
 * read. */
void ending_open(Ending *ending, const char *dir);

/* What to try next; input: what `steady predict` takes of this kind of task. */
void ending_say_next(const Ending *ending, const char *dir, const char *input);

/* FAIL_DIVERGED with the verdict and the key that takes it back, where the run is judged
 * diverged and `policy` wants to say so. */
Status ending_judge(Ending *ending, ExitPolicy policy, Err *err);

#endif
