#include "tools/program/join.h"

#include <stdio.h>
#include <unistd.h>

#include "engine/core/machine.h"
#include "tools/program/launch.h"
#include "tools/program/start.h"

/* Open MPI binds two ranks to a core each, however many there are. */
static void note_idle(Ranks *ranks) {
    size_t here = ranks_sharing(ranks, 0), threads = machine_threads("").threads;
    double quota = machine_cpu_quota(""), all = (double)sysconf(_SC_NPROCESSORS_ONLN);
    if (quota > 0) all = MIN(all, quota);
    if (!ranks_lead(ranks) || (double)(2 * here * threads) >= all) return;
    fprintf(
        stderr,
        "steady: note: the launcher gave %zu ranks %zu of this machine's %.0f "
        "processors; for more: mpirun --bind-to none, or a --map-by (docs/scaling.md)\n",
        here, here * threads, all);
}

Status join_ranks(Ranks **ranks, Err *err) {
    Launch launch = launch_read();
    *ranks = NULL;
    if (launch.count == 1) return OK;
    *ranks = ranks_start(err);
    if (!*ranks) return err->status;
    start_share_processors(ranks_sharing(*ranks, machine_affinity_mark()));
    if (ranks_count(*ranks) > 1) return note_idle(*ranks), OK;
    ranks_finish(*ranks);
    *ranks = NULL;
    if (!launch.count) return OK;
    char library[100];
    ranks_library(library, sizeof library);
    return err_set(
        err, FAIL_USAGE,
        "the launcher started %zu processes, but they do not see each other; use the "
        "mpirun of the library that steady was built with (%s)",
        launch.count, library);
}
