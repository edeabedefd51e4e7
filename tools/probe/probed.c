#include "tools/probe/probed.h"

#include <math.h>
#include <string.h>

#include "tools/run/verdict.h"

#define KEY(NUMBER, key) key,
static const char *const KEYS_OF_LAYER[] = {LAYER_NUMBER_LIST(KEY)};
static const char *const KEYS_OF_TENSOR[] = {TENSOR_NUMBER_LIST(KEY)};
#undef KEY

static double number(const json_t *value) {
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static double number_at(const json_t *row, const char *key) {
    return number(json_object_get(row, key));
}

static void read_numbers(const json_t *row, const char *const *keys, size_t count,
                         double *value) {
    for (size_t i = 0; i < count; i++) value[i] = number_at(row, keys[i]);
}

static const char *text_at(const json_t *row, const char *key) {
    return json_string_value(json_object_get(row, key));
}

static const char *name_at(const json_t *row, const char *key) {
    const char *name = text_at(row, key);
    return name ? name : "";
}

static double *heads_at(const json_t *row, const char *key, size_t heads) {
    const json_t *list = json_object_get(row, key);
    double *value = mem_alloc(MAX(heads, (size_t)1) * sizeof *value);
    for (size_t h = 0; h < heads; h++) value[h] = number(json_array_get(list, h));
    return value;
}

static void read_site(const json_t *row, ProbedSite *s) {
    s->name = name_at(row, "site");
    s->heads = json_array_size(json_object_get(row, "entropy"));
    s->entropy = heads_at(row, "entropy", s->heads);
    s->uniform = number_at(row, "uniform");
    s->keys = number_at(row, "keys");
    s->max_logit = number_at(row, "max_logit");
    for (size_t k = 0; k < SITE_NUMBERS; k++)
        s->value[k] = number_at(row, site_numbers[k].key);
    for (size_t k = 0; k < HEAD_NUMBERS; k++)
        s->head[k] = heads_at(row, head_numbers[k].key, s->heads);
}

static void read_tensor(const json_t *row, ProbedTensor *t) {
    const json_t *shape = json_object_get(row, "shape");
    t->name = name_at(row, "name");
    t->dims = MIN(json_array_size(shape), COUNT(t->shape));
    for (size_t i = 0; i < t->dims; i++)
        t->shape[i] = (size_t)json_integer_value(json_array_get(shape, i));
    read_numbers(row, KEYS_OF_TENSOR, TENSOR_NUMBERS, t->value);
}

/* "blocks.0.attn.qkv" of "blocks.0.attn.qkv.weight" */
static const ProbedLayer *layer_of(const Probed *p, const char *tensor) {
    static const char END[] = ".weight";
    size_t length = strlen(tensor), end = sizeof END - 1;
    if (length <= end || strcmp(tensor + length - end, END)) return NULL;
    for (size_t i = 0; i < p->layers; i++) {
        const char *name = p->layer[i].name;
        if (strlen(name) == length - end && !strncmp(name, tensor, length - end))
            return &p->layer[i];
    }
    return NULL;
}

static void *rows_of(const json_t *row, const char *key, size_t size, const json_t **list,
                     size_t *count) {
    *list = json_object_get(row, key);
    *count = json_array_size(*list);
    return mem_zalloc(MAX(*count, (size_t)1) * size);
}

Probed *probed_read(const json_t *row) {
    const json_t *list;
    Probed *p = mem_zalloc(sizeof *p);
    p->checkpoint = text_at(row, "checkpoint");
    p->split = text_at(row, "split");
    p->step = (size_t)json_integer_value(json_object_get(row, "step"));
    p->average = (size_t)json_integer_value(json_object_get(row, "average"));
    p->ema = json_is_true(json_object_get(row, "ema"));
    const json_t *fault = json_object_get(row, "fault");
    p->fault_op = text_at(fault, "op");
    p->fault_scope = name_at(fault, "scope");
    p->sample = (size_t)json_integer_value(json_object_get(row, "sample"));
    p->loss = number_at(row, "loss");
    p->grad_norm = number_at(row, "grad_norm");
    p->temperature = number_at(row, "temperature");
    p->site = rows_of(row, "attention", sizeof *p->site, &list, &p->sites);
    for (size_t i = 0; i < p->sites; i++) read_site(json_array_get(list, i), &p->site[i]);
    p->layer = rows_of(row, "weights", sizeof *p->layer, &list, &p->layers);
    for (size_t i = 0; i < p->layers; i++) {
        const json_t *one = json_array_get(list, i);
        p->layer[i].name = name_at(one, "name");
        read_numbers(one, KEYS_OF_LAYER, LAYER_NUMBERS, p->layer[i].value);
    }
    p->tensor = rows_of(row, "tensors", sizeof *p->tensor, &list, &p->tensors);
    for (size_t i = 0; i < p->tensors; i++) {
        read_tensor(json_array_get(list, i), &p->tensor[i]);
        p->tensor[i].layer = layer_of(p, p->tensor[i].name);
    }
    return p;
}

void probed_weights(const Probed *p, const char *of, char text[PROBED_WEIGHTS]) {
    const char *file = p->checkpoint;
    bool inside = file && !strncmp(file, of, strlen(of)) && strchr("/", file[strlen(of)]);
    char step[40] = "";
    if (p->step) text_format(step, sizeof step, ", step %zu", p->step);
    bool named = file && !(inside && p->step);
    text_format(text, PROBED_WEIGHTS, "%.1400s%s%.1400s%s%s", of, named ? ", " : "",
                named ? file : "", step, file ? "" : ", initial weights");
}

void probed_free(Probed *p) {
    if (!p) return;
    for (size_t i = 0; i < p->sites; i++) {
        mem_free(p->site[i].entropy);
        for (size_t k = 0; k < HEAD_NUMBERS; k++) mem_free(p->site[i].head[k]);
    }
    mem_free(p->site);
    mem_free(p->layer);
    mem_free(p->tensor);
    mem_free(p);
}

double probed_gap(const ProbedSite *site, size_t head) {
    return site->entropy[head] - site->head[HEAD_BOUND][head];
}

Spread spread_of(const double *x, size_t n) {
    Spread s = {NAN, NAN, NAN, 0};
    double sum = 0;
    size_t finite = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) continue;
        if (!(s.low <= x[i])) s.low = x[i], s.lowest = i;
        if (!(s.high >= x[i])) s.high = x[i];
        sum += x[i];
        finite++;
    }
    if (finite) s.mean = sum / (double)finite;
    return s;
}

double probed_share(const ProbedSite *site) {
    return entropy_share(spread_of(site->entropy, site->heads).mean, site->uniform);
}

double probed_least_gap(const ProbedSite *site) {
    double least = NAN;
    for (size_t h = 0; h < site->heads; h++) least = fmin(least, probed_gap(site, h));
    return least;
}
