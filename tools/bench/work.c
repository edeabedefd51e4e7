/* work: a model with a batch of noise, as its kind of task makes them
 * (tools/bench/bench.h). */
#include "tools/bench/bench.h"

void bench_work_make_batch(BenchWork *work, const BenchSubject *subject) {
    *work = (BenchWork){.subject = subject};
    task_bench(subject->recipe.task)->make_batch(work);
}

void bench_work_make_model(BenchWork *work) {
    work->model = task_bench(work->subject->recipe.task)->make_model(work);
}

void bench_work_release(BenchWork *w) {
    if (w->owner) task_bench(w->subject->recipe.task)->free_owner(w->owner);
    mem_free(w->pixels);
    mem_free(w->labels);
    mem_free(w->frames);
    mem_free(w->label_count);
    mem_free(w->ids);
    mem_free(w->input);
    mem_free(w->target);
}
