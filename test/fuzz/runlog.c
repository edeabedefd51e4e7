/* The logs and facts of a run folder. */
#include "tools/run/runlog.h"
#include "test/fuzz/fuzz.h"
#include "tools/figure/layers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const NAMES[] = {"train.jsonl", "probe.jsonl", "eval.jsonl",
                                        "task.json",   "data.json",   "recipe.ini",
                                        NULL};
    Err err = ERR_NONE;
    fuzz_files(NAMES, data, size);
    RunLog *run = runlog_open(fuzz_folder(), &err);
    if (!run) return 0;
    runlog_verdict(run, false);
    runlog_free(run);
    return 0;
}
