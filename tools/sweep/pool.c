#include "tools/sweep/pool.h"

#include <stdlib.h>
#include <string.h>

#include "data/file/textbuffer.h"
#include "engine/core/grow.h"
#include "tools/sweep/factor.h"
#include "tools/sweep/word.h"

/* ---- lists of values ---- */

/* The place of a text in the list, where it is put if it is new. */
static size_t list_place(PoolList *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->text[i], text)) return i;
    GROW(list->text, list->count, list->room, 1);
    list->text[list->count] = mem_strdup(text);
    return list->count++;
}

static void list_free(PoolList *list) {
    for (size_t i = 0; i < list->count; i++) mem_free(list->text[i]);
    mem_free(list->text);
    mem_free(list->title);
}

static size_t count_parts(const Factors *factors, FactorPart part) {
    size_t count = 0;
    for (size_t i = 0; i < factors->count; i++) count += factors->list[i].part == part;
    return count;
}

static size_t count_names(const char *names) {
    size_t count = 1;
    for (; *names; names++) count += *names == ',';
    return count;
}

/* "depth 18", or of linked keys "norm none, init_std 0.2"; without sections of keys. */
static void append_named(TextBuffer *text, const char *names, const char *value) {
    Word word = {.text = names, .keys.count = count_names(names)};
    char *copy = mem_strdup(names), *rest = copy, *name;
    Texts parts = {0};
    Err err = {0};
    bool apart = !word_parts(&word, value, &parts, &err);
    for (size_t i = 0; (name = strsep(&rest, ",")); i++) {
        const char *dot = strrchr(name, '.');
        text_append_format(text, "%s%s", i ? apart ? ", " : "," : "",
                           dot ? dot + 1 : name);
        if (apart) text_append_format(text, " %s", parts.text[i]);
    }
    if (!apart) text_append_format(text, " %s", value);
    texts_free(&parts);
    mem_free(copy);
}

/* Values of the list of one part as one text: "demo", or "demo, depth 18".  Cut short,
 * different ones would be equal. */
static void part_text(const Factors *factors, size_t cell, FactorPart part,
                      TextBuffer *text) {
    bool alone = count_parts(factors, part) == 1;
    for (size_t i = 0; i < factors->count; i++) {
        const Factor *factor = &factors->list[i];
        const char *value = factor->text[cell];
        if (factor->part != part || !*value) continue;
        if (text->length) text_append(text, ", ", 2);
        if (strchr(factor->key, '.') && !alone) append_named(text, factor->key, value);
        else text_append(text, value, strlen(value));
    }
}

static char *part_title(const Factors *factors, FactorPart part) {
    char text[400] = "";
    for (size_t i = 0; i < factors->count; i++) {
        size_t used = strlen(text);
        if (factors->list[i].part == part)
            snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "",
                     factors->list[i].key);
    }
    return mem_strdup(text);
}

static size_t place_in(PoolList *list, const Factors *factors, size_t cell,
                       FactorPart part) {
    TextBuffer text = {0};
    part_text(factors, cell, part, &text);
    size_t place = list_place(list, text.text ? text.text : "");
    text_free(&text);
    return place;
}

static void fill_pool(Pool *pool, const Factors *factors) {
    size_t at = 0;
    pool->count = factors->cell_count;
    pool->cells = mem_zalloc(pool->count * sizeof *pool->cells);
    for (size_t s = 0; s < factors->sweep_count; s++)
        for (size_t c = 0; c < factors->sweeps[s].cell_count; c++, at++)
            pool->cells[at] =
                (PoolCell){&factors->sweeps[s].cells[c],
                           place_in(&pool->methods, factors, at, PART_METHOD),
                           place_in(&pool->rests, factors, at, PART_REST),
                           place_in(&pool->rates, factors, at, PART_RATE),
                           place_in(&pool->seeds, factors, at, PART_SEED)};
    pool->along = part_title(factors, PART_ALONG);
    pool->methods.title = part_title(factors, PART_METHOD);
    pool->rests.title = part_title(factors, PART_REST);
    pool->rates.title = part_title(factors, PART_RATE);
    pool->seeds.title = part_title(factors, PART_SEED);
}

/* Rates in ascending order, by insertion: there are few. */
static void sort_rates(Pool *pool) {
    size_t count = pool->rates.count, *place = mem_alloc(count * sizeof *place);
    char **text = mem_alloc(count * sizeof *text);
    pool->rate = mem_alloc(count * sizeof *pool->rate);
    for (size_t i = 0; i < count; i++) {
        double rate = strtod(pool->rates.text[i], NULL);
        size_t at = i;
        for (; at > 0 && pool->rate[at - 1] > rate; at--) {
            pool->rate[at] = pool->rate[at - 1];
            text[at] = text[at - 1];
        }
        pool->rate[at] = rate;
        text[at] = pool->rates.text[i];
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++)
            if (text[j] == pool->rates.text[i]) place[i] = j;
    for (size_t c = 0; c < pool->count; c++)
        pool->cells[c].rate = place[pool->cells[c].rate];
    mem_free(pool->rates.text);
    mem_free(place);
    pool->rates.text = text;
}

/* The one of all sweeps; where they differ, none. */
static const char *criterion_of(const Sweep *sweeps, size_t count) {
    const char *first = sweep_fail_text(&sweeps[0]);
    for (size_t s = 1; s < count; s++)
        if (strcmp(first, sweep_fail_text(&sweeps[s]))) return NULL;
    return *first ? first : NULL;
}

static int by_place(const void *a, const void *b) {
    const PoolCell *x = a, *y = b;
    const size_t one[] = {x->method, x->rest, x->rate, x->seed},
                 other[] = {y->method, y->rest, y->rate, y->seed};
    for (size_t i = 0; i < COUNT(one); i++)
        if (one[i] != other[i]) return one[i] < other[i] ? -1 : 1;
    return 0;
}

static bool same_score(const SweepResult *a, const SweepResult *b) {
    return !strcmp(a->metric, b->metric) && !strcmp(a->split, b->split);
}

/* Of the runs that say best what is scored. */
static SweepScored best_scored(const Pool *pool) {
    SweepScored best = SCORED_NOT;
    for (size_t c = 0; c < pool->count; c++)
        best = MAX(best, sweep_scored_as(pool->cells[c].cell));
    return best;
}

/* The score that most of them have, and of these the first: however many runs broke off
 * before their test split was evaluated, the others are not the odd ones. */
static void choose_like(Pool *pool, SweepScored scored) {
    const SweepResult **kind = NULL;
    size_t *runs = NULL, kinds = 0, room = 0, runs_room = 0, most = 0;
    pool->like = &pool->cells[0].cell->result;
    for (size_t c = 0; c < pool->count; c++) {
        const SweepResult *r = &pool->cells[c].cell->result;
        size_t k = 0;
        if (!r->metric || sweep_scored_as(pool->cells[c].cell) != scored) continue;
        while (k < kinds && !same_score(kind[k], r)) k++;
        if (k == kinds) {
            GROW(kind, kinds, room, 1);
            GROW(runs, kinds, runs_room, 1);
            kind[kinds] = r;
            runs[kinds++] = 0;
        }
        runs[k]++;
    }
    for (size_t k = 0; k < kinds; k++)
        if (runs[k] > most) pool->like = kind[k], most = runs[k];
    mem_free(kind);
    mem_free(runs);
}

static void choose_loss(Pool *pool) {
    SweepScored scored = best_scored(pool);
    pool->loss = LOSS_TRAIN;
    choose_like(pool, scored);
    for (size_t c = pool->count; c-- > 0;) {
        const SweepResult *r = &pool->cells[c].cell->result;
        if (r->nonfinite && scored > SCORED_BROKEN) continue;
        if (isfinite(r->val_loss)) pool->loss = LOSS_VAL;
        else if (isfinite(r->scores[METRIC_LOSS]) && pool->loss == LOSS_TRAIN)
            pool->loss = LOSS_SPLIT;
    }
}

static Status choose_base(Pool *pool, const char *base, Err *err) {
    char known[400] = "";
    for (size_t m = 0; m < pool->methods.count; m++) {
        size_t used = strlen(known);
        if (!base || !strcmp(pool->methods.text[m], base)) {
            pool->base = m;
            return OK;
        }
        snprintf(known + used, sizeof known - used, "%s%s", used ? "; " : "",
                 pool->methods.text[m]);
    }
    return err_set(err, FAIL_USAGE, "--baseline %s: no such method; expected one of %s",
                   base, known);
}

Status pool_open(Pool *pool, const Sweep *sweeps, size_t count, const SweepChoice *choice,
                 Err *err) {
    *pool = (Pool){.sweeps = sweeps, .sweep_count = count};
    Factors factors;
    Status status = factors_open(&factors, sweeps, count, choice->method, err);
    if (!status) {
        fill_pool(pool, &factors);
        sort_rates(pool);
        qsort(pool->cells, pool->count, sizeof *pool->cells, by_place);
        choose_loss(pool);
        pool->criterion = criterion_of(sweeps, count);
        status = choose_base(pool, choice->base, err);
    }
    factors_free(&factors);
    if (status) pool_close(pool);
    return status;
}

void pool_close(Pool *pool) {
    list_free(&pool->methods);
    list_free(&pool->rests);
    list_free(&pool->rates);
    list_free(&pool->seeds);
    mem_free(pool->cells);
    mem_free(pool->rate);
    mem_free(pool->along);
    *pool = (Pool){.count = 0};
}

void pool_add_value(const PoolList *list, size_t at, char name[SWEEP_NAME]) {
    size_t used = strlen(name);
    const char *dot = strchr(list->title, ',') ? NULL : strrchr(list->title, '.');
    if (*list->text[at])
        snprintf(name + used, SWEEP_NAME - used, "%s%s%s%s", used ? ", " : "",
                 dot ? dot + 1 : "", dot ? " " : "", list->text[at]);
}

/* ---- cells ---- */

void pool_name(const Pool *pool, const SweepCell *cell, char name[POOL_NAME]) {
    text_format(name, POOL_NAME, "%s", cell->name);
    for (size_t s = 0; s < pool->sweep_count && pool->sweep_count > 1; s++)
        for (size_t c = 0; c < pool->sweeps[s].cell_count; c++)
            if (&pool->sweeps[s].cells[c] == cell)
                sweep_cell_dir(&pool->sweeps[s], c, name, POOL_NAME);
}

const SweepCell *pool_find(const Pool *pool, size_t method, size_t rest, size_t rate,
                           size_t seed) {
    PoolCell wanted = {NULL, method, rest, rate, seed};
    const PoolCell *found =
        bsearch(&wanted, pool->cells, pool->count, sizeof wanted, by_place);
    return found && sweep_has_ended(found->cell) ? found->cell : NULL;
}

SweepFate pool_fate(const Pool *pool, const SweepCell *cell) {
    if (pool->criterion) return cell->fate;
    return cell->result.diverged ? FATE_FAILED : FATE_PASSED;
}

static bool differ_in(const Pool *pool, bool text) {
    char first[SWEEP_DEFINITION] = "", other[SWEEP_DEFINITION] = "";
    for (size_t s = 0; s < pool->sweep_count; s++) {
        char *to = s ? other : first;
        if (text) text_format(to, sizeof first, "%s", sweep_fail_text(&pool->sweeps[s]));
        else sweep_fail_definition(&pool->sweeps[s], to, sizeof first);
        if (s && strcmp(first, other) != 0) return true;
    }
    return false;
}

void pool_print_criteria(const Pool *pool, const char *lead, FILE *out) {
    if (differ_in(pool, true)) {
        fprintf(out, "%sthe sweeps have different criteria of failure (", lead);
        for (size_t s = 0; s < pool->sweep_count; s++) {
            const char *text = sweep_fail_text(&pool->sweeps[s]);
            fprintf(out, "%s%s", s ? "; " : "", *text ? text : "none");
        }
        fprintf(out, "): here those fail that diverged; to judge all by one: --fail\n");
    } else if (pool->criterion && differ_in(pool, false)) {
        fprintf(out,
                "%seach sweep is judged by its own midpoint; to judge all by one: "
                "--fail '%s'\n",
                lead, pool->criterion);
    }
}

bool pool_same_split(const Pool *pool, const SweepCell *cell) {
    return !cell->result.metric || !strcmp(cell->result.split, pool->like->split);
}

double pool_final_loss(const Pool *pool, const SweepCell *cell) {
    const SweepResult *r = &cell->result;
    if (cell->result.nonfinite) return r->chance;
    switch (pool->loss) {
    case LOSS_VAL: return r->val_loss;
    case LOSS_SPLIT: return pool_same_split(pool, cell) ? r->scores[METRIC_LOSS] : NAN;
    case LOSS_TRAIN: return r->loss;
    }
    return NAN;
}

void pool_loss_name(const Pool *pool, char name[40]) {
    static const char *const names[] = {[LOSS_VAL] = "val", [LOSS_TRAIN] = "training"};
    text_format(name, 40, "%s loss",
                pool->loss == LOSS_SPLIT ? pool->like->split : names[pool->loss]);
}

double pool_score(const Pool *pool, const SweepCell *cell) {
    Metric metric = metric_find(pool->like->metric);
    if (metric == METRIC_COUNT) return NAN;
    if (cell->result.nonfinite) return metric_guess(metric, cell->result.guess_nll);
    if (!pool_same_split(pool, cell)) return NAN;
    bool same = !cell->result.metric || metric_find(cell->result.metric) == metric;
    return metrics[metric].factor *
           (same ? cell->result.score : cell->result.scores[metric]);
}
