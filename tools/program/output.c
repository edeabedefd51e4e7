#include "tools/program/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/core/base.h"

static void *json_memory(size_t bytes) {
    void *memory = malloc(bytes);
    return memory ? memory : mem_alloc(bytes);
}

void output_begin(void) {
    int file;
    while ((file = open("/dev/null", O_RDONLY)) >= 0 && file <= STDERR_FILENO) continue;
    if (file >= 0) close(file);
    json_set_alloc_funcs(json_memory, free);
}

void output_json(json_t *row, size_t flags) {
    CHECK(row, "an object that jansson did not build");
    char *text = json_dumps(row, flags);
    CHECK(text, "an object that jansson does not print");
    json_decref(row);
    puts(text);
    free(text);
}

bool output_failed(void) { return ferror(stdout) != 0; }

/* Some file systems say only when a file is closed that there is no room for it.  stdio
 * does not keep the reason of an earlier failure: another write, behind what is cut
 * short already, has it. */
int output_end(const char *command, int code) {
    bool before = output_failed(), now = fflush(stdout) != 0;
    if (before && !now) now = write(STDOUT_FILENO, "\n", 1) < 0;
    int reason = errno;
    if (fclose(stdout) && !now) now = true, reason = errno;
    if (code || (!before && !now)) return code;
    fprintf(stderr, "steady %s: the output cannot be written%s%s\n", command,
            now ? ": " : "", now ? strerror(reason) : "");
    return FAIL_RUN;
}
