#include <math.h>

#include "tools/run/runlog_parts.h"

#define NUMBER_MOST 1e39 /* beyond all floats */
#define NUMBER_LEAST 1e-60

double *runlog_nans(size_t count) {
    double *array = mem_alloc(count * sizeof *array);
    for (size_t i = 0; i < count; i++) array[i] = NAN;
    return array;
}

double runlog_number_in(const json_t *value) {
    double x = json_is_number(value) ? json_number_value(value) : NAN;
    if (fabs(x) < NUMBER_LEAST) return 0;
    return fabs(x) <= NUMBER_MOST ? x : NAN;
}

double runlog_number(const json_t *row, const char *key) {
    return runlog_number_in(json_object_get(row, key));
}

const char *runlog_text(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    return json_is_string(value) ? json_string_value(value) : NULL;
}
