#include "tools/program/launch.h"

#include <stdlib.h>
#include <time.h>

#include "tools/program/command.h"

/* Open MPI; MPICH, Intel MPI and srun --mpi=pmi2; srun --mpi=pmix, whose plain variables
 * stand in a batch script too, where nothing was launched. */
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

void launch_forget(void) {
    for (size_t i = 0; i < COUNT(LAUNCHERS); i++) unsetenv(LAUNCHERS[i].rank);
}

/* A launcher ends the others when the first one ends with a failure: let that one
 * speak. */
int launch_fail(const char *command, const Err *err) {
    if (launch_read().rank == 0) return command_fail(command, err);
    nanosleep(&(struct timespec){.tv_nsec = 300 * 1000 * 1000}, NULL);
    return (int)err->status;
}
