/* What a report, a comparison and the list of runs make of the files of a run folder. */
#include "tools/figure/report.h"
#include "test/fuzz/fuzz.h"
#include "tools/run/rundiff.h"
#include "tools/run/runstate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    /* no train.jsonl: figures would take all the time */
    static const char *const NAMES[] = {"run.json",    "answers.json",
                                        "eval.jsonl",  "task.json",
                                        "data.json",   "recipe.ini",
                                        "probe.jsonl", NULL};
    RunDiff diff;
    Err err = ERR_NONE;
    fuzz_files(NAMES, data, size);
    RunLog *run = runlog_open(fuzz_folder(), NULL);
    if (!run) return 0;
    runstate_of(run);
    rundiff(run, run, &(RunDiffOptions){.parts = RUNDIFF_ALL}, &diff);
    fuzz_expect(diff.equal);
    rundiff_free(&diff);
    runlog_free(run);
    report_write(fuzz_folder(), NULL, NULL, &err);
    return 0;
}
