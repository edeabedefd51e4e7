/* supply: does training wait for its batches, and would more threads that make them help?
 *
 *     Supply supply = supply_begin(recipe->data.threads, processors);
 *     threads = supply_see(&supply, clock_now(), waited, batch->seconds, line);
 *
 * Between windows of some seconds it decides: where training waited more than 2 % of the
 * time, so many threads are wanted that making batches takes nine tenths of what training
 * takes.  Batches do not depend on them. */
#ifndef STEADY_SUPPLY_H
#define STEADY_SUPPLY_H

#include "engine/core/base.h"

#define SUPPLY_WAIT 0.02 /* share of the time that training may wait */
enum { SUPPLY_TEXT = 200 };

typedef struct Supply {
    size_t threads; /* that make batches */
    size_t given;   /* by data.threads; 0: one, then as many as help */
    size_t most;    /* the threads of training: a fair share */
    bool said;      /* that they do not suffice */
    size_t batches; /* of the window; the first ones, from an empty ring, do not count */
    double began, waited, made;
} Supply;

Supply supply_begin(size_t given, size_t processors);

/* A batch came at `now`, after `waited` seconds, and took a thread `made` seconds to
 * make.  Returns how many threads are to make the next ones; where that changes, or where
 * no more would help, text is a line to say, else "". */
size_t supply_see(Supply *supply, double now, double waited, double made,
                  char text[SUPPLY_TEXT]);

#endif
