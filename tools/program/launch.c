#include "tools/program/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "engine/core/machine.h"
#include "tools/commands.h"
#include "tools/program/start.h"

/* Open MPI; MPICH, Intel MPI and srun --mpi=pmi2; srun --mpi=pmix, whose plain variables stand
 * in a batch script too, where nothing was launched. */
static const struct {
    const char *rank, *count;
} LAUNCHERS[] = {
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
    {"PMI_RANK", "PMI_SIZE"},
    {"PMIX_RANK", "SLURM_STEP_NUM_TASKS"},
};

Launch launch_read(void) {
    for (size_t i = 0; i < COUNT(LAUNCHERS); i++) {
        const char *rank = getenv(LAUNCHERS[i].rank), *count = getenv(LAUNCHERS[i].count);
        if (!rank) continue;
        return (Launch){strtoul(rank, NULL, 10), count ? strtoul(count, NULL, 10) : 0};
    }
    return (Launch){0, 1};
}

/* Open MPI binds two ranks to a core each, however many there are. */
static void note_idle(Ranks *ranks) {
    size_t here = ranks_sharing(ranks, 0), threads = machine_threads("").threads;
    double quota = machine_cpu_quota(""), all = (double)sysconf(_SC_NPROCESSORS_ONLN);
    if (quota > 0) all = MIN(all, quota);
    if (!ranks_lead(ranks) || (double)(2 * here * threads) >= all) return;
    fprintf(
        stderr,
        "steady: note: the launcher left %zu ranks %zu of this machine's %.0f "
        "processors; --bind-to none, or a --map-by, gives them more (docs/scaling.md)\n",
        here, here * threads, all);
}

Status launch_join(Ranks **ranks, Err *err) {
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
        "the launcher started %zu processes, but each sees itself alone: use the "
        "mpirun of the library that steady was built with (%s)",
        launch.count, library);
}

/* A launcher ends the others when the first one ends with a failure: let that one speak. */
int launch_fail(const char *command, const Err *err) {
    if (launch_read().rank == 0) return command_fail(command, err);
    nanosleep(&(struct timespec){.tv_nsec = 300 * 1000 * 1000}, NULL);
    return (int)err->status;
}
