/* model: the models that `steady bench` knows by name (tools/bench/bench.h). */
#include <math.h>
#include <string.h>

#include "tools/bench/bench.h"
#include "tools/program/say.h"
#include "tools/program/start.h"
#include "tools/task/precision.h"

/* Model i of all kinds, in their order; NULL: there are no more. */
static const BenchModel *model_at(size_t i) {
    for (TaskKind task = 0; task < TASK_KINDS; task++) {
        const TaskBench *bench = task_bench(task);
        if (i < bench->count) return &bench->models[i];
        i -= bench->count;
    }
    return NULL;
}

const BenchModel *bench_model_find(const char *name) {
    const BenchModel *m;
    for (size_t i = 0; (m = model_at(i)); i++)
        if (!strcmp(name, m->name)) return m;
    return NULL;
}

const char *bench_model_name(size_t i) {
    const BenchModel *m = model_at(i);
    return m ? m->name : NULL;
}

const char bench_models_all[] = "vit-ti16,vit-s16,vit-b16,cifar-vit,gpt2-124m,"
                                "shakespeare-char,mt-6l,mt-18l,asr-12l";

/* Which models `all` is: the larger and the rarer ones are left out. */
static void print_all(FILE *out) {
    enum { MARGIN = 19, COLUMNS = 90 };
    size_t column = (size_t)fprintf(out, "  %-16s ", "all");
    for (const char *name = bench_models_all; *name;) {
        size_t length = strcspn(name, ",");
        bool last = !name[length];
        if (column > MARGIN && column + length + 2 > COLUMNS)
            column = (size_t)fprintf(out, "\n%*s", MARGIN, "") - 1;
        else if (column > MARGIN) column += (size_t)fprintf(out, " ");
        column += (size_t)fprintf(out, "%.*s%s", (int)length, name, last ? "\n" : ",");
        name += length + !last;
    }
}

void bench_model_list(FILE *out) {
    const BenchModel *m;
    for (size_t i = 0; (m = model_at(i)); i++) {
        const char *sides = task_examples(m->task) == EXAMPLES_PAIRS ? " a side" : "";
        fprintf(out, "  %-16s width %zu, depth %zu%s, %zu heads, batch %zu, ", m->name,
                m->width, m->depth, sides, m->heads, m->batch);
        task_bench(m->task)->print_size(out, m);
    }
    print_all(out);
}

static void fill_recipe(Recipe *r, const BenchModel *m) {
    *r = recipe_default();
    r->task = m->task;
    task_bench(m->task)->fill(r, m);
    r->model.width = m->width;
    r->model.depth = m->depth;
    r->model.heads = m->heads;
    r->optim.name = OPTIM_ADAMW;
    r->optim.lr = 1e-4;
    r->optim.weight_decay = 0.05;
    r->train.batch = m->batch;
    r->train.epochs = 0;
    r->train.steps = 1;
    r->probe.every = 0;
}

/* Once, and not for each model: most say the same. */
static void say_note(Bench *bench, const char *note) {
    if (*note && strcmp(note, bench->note)) say("%s", note);
    if (*note) text_format(bench->note, sizeof bench->note, "%s", note);
}

static Status set_precision(Bench *bench, BenchSubject *s, Err *err) {
    Units units = units_here();
    if (precision_check(&s->recipe, &units, bench->force, err)) return err->status;
    char note[PRECISION_NOTE] = "";
    PrecisionWay way = precision_way(&s->recipe, &units, note);
    say_note(bench, note);
    s->precision = recipe_precision(&s->recipe, &way);
    return OK;
}

Status bench_subject(Bench *bench, BenchSubject *s, const BenchModel *model, char **words,
                     size_t count, Err *err) {
    *s = (BenchSubject){.name = model->name};
    fill_recipe(&s->recipe, model);
    for (size_t i = 0; i < count; i++)
        if (recipe_set(&s->recipe, words[i], err)) return err->status;
    const Recipe *r = &s->recipe;
    if (recipe_check(&s->recipe, err)) return err->status;
    if (task_bench(model->task)->shape(s, model, err)) return err->status;
    s->batch = r->train.batch;
    s->rows = s->batch * s->tokens;
    s->hidden = (size_t)llround(r->model.mlp_ratio * (double)r->model.width);
    if (start_threads_checked(r->train.threads, err)) return err->status;
    s->threads = start_threads(r->train.threads);
    return set_precision(bench, s, err);
}
