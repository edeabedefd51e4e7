/* key_value: values of keys as text, both ways (tools/recipe/keys.h). */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/program/nearest.h"
#include "tools/recipe/keys.h"

/* ---- what can be given ---- */

static void print_range(const Key *key, const char *kind, char *text, size_t size) {
    const char *above = key->above_min ? ">" : ">=";
    if (isfinite(key->max))
        text_format(text, size, "%s %s %g and %s %g", kind, above, key->min,
                    key->below_max ? "<" : "<=", key->max);
    else if (isfinite(key->min))
        text_format(text, size, "%s %s %g", kind, above, key->min);
    else text_format(text, size, "%s", kind);
}

static void print_names(const char *const *names, const char *between, char *text,
                        size_t size) {
    size_t used = 0;
    for (; *names; names++) {
        text_format(text + used, size - used, "%s%s", used ? between : "", *names);
        used += strlen(text + used);
    }
}

void key_wanted(const Key *key, char *text, size_t size) {
    char kind[80];
    switch (key->type) {
    case KEY_SIZE:
    case KEY_SEED:
        text_format(kind, sizeof kind, "%s%swhole number", key->unset ? key->unset : "",
                    key->unset ? " or " : "");
        print_range(key, kind, text, size);
        return;
    case KEY_REAL:
        text_format(kind, sizeof kind, "%s%snumber", key->unset ? key->unset : "",
                    key->unset ? " or " : "");
        print_range(key, kind, text, size);
        return;
    case KEY_REALS:
        text_format(kind, sizeof kind, "%zu to %zu %s", key->least, key->room,
                    key->whole ? "whole numbers" : "numbers");
        print_range(key, kind, text, size);
        return;
    case KEY_FLAG: text_format(text, size, "true | false"); return;
    case KEY_CHOICE:
        print_names(key->choices, key->between ? key->between : " | ", text, size);
        return;
    case KEY_TEXT: text_format(text, size, "text"); return;
    case KEY_MOMENT:
        text_format(text, size, "steps (100), epochs (10e) or never");
        return;
    }
}

static Status not_wanted(const Key *key, const char *text, Err *err) {
    char wanted[300];
    key_wanted(key, wanted, sizeof wanted);
    return err_set(err, FAIL_USAGE, "%s.%s = %.60s: expected %s", key->section, key->name,
                   *text ? text : "(nothing)", wanted);
}

/* ---- reading: each function fills in *value or says what was wanted ---- */

static bool in_range(const Key *key, double x) {
    bool low = key->above_min ? x > key->min : x >= key->min;
    bool high = key->below_max ? x < key->max : x <= key->max;
    return low && high;
}

static bool read_digits(const char *text, uint64_t *value) {
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return isdigit((unsigned char)*text) && !*end && !errno;
}

/* One number of any usual form, up to the end or a comma or a blank. */
static bool read_real(const char *text, double *value, const char **end) {
    char *stop;
    *value = strtod(text, &stop);
    *end = stop;
    return stop > text && !isspace((unsigned char)*text) && isfinite(*value);
}

static Status parse_digits(const Key *key, void *place, const char *text, Err *err) {
    uint64_t value;
    if (key->unset && strcmp(text, key->unset) == 0) value = 0;
    else if (!read_digits(text, &value) || !in_range(key, (double)value))
        return not_wanted(key, text, err);
    if (key->type == KEY_SEED) *(uint64_t *)place = value;
    else *(size_t *)place = value;
    return OK;
}

static Status parse_real(const Key *key, double *place, const char *text, Err *err) {
    double value;
    const char *end;
    if (key->unset && strcmp(text, key->unset) == 0) value = -1;
    else if (!read_real(text, &value, &end) || *end || !in_range(key, value))
        return not_wanted(key, text, err);
    *place = value;
    return OK;
}

static Status parse_reals(const Key *key, Recipe *recipe, const char *text, Err *err) {
    double values[64];
    size_t count = 0;
    const char *rest = text;
    CHECK(key->room <= COUNT(values), "%zu numbers of %s", key->room, key->name);
    while (*rest) {
        const char *end;
        if (count == key->room || !read_real(rest, &values[count], &end) ||
            !in_range(key, values[count]) || (*end && !strchr(", \t", *end)) ||
            (key->whole && values[count] != floor(values[count])))
            return not_wanted(key, text, err);
        count++;
        rest = end + strspn(end, " \t");
        if (*rest == ',') {
            rest += 1 + strspn(rest + 1, " \t");
            if (!*rest) return not_wanted(key, text, err);
        }
    }
    if (count < key->least) return not_wanted(key, text, err);
    memcpy((char *)recipe + key->offset, values, count * sizeof *values);
    *(size_t *)((char *)recipe + key->count_offset) = count;
    return OK;
}

static bool read_flag(const char *text, bool *value) {
    static const char *const words[] = {"false", "true", "no", "yes",
                                        "off",   "on",   "0",  "1"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp(text, words[i]) == 0) {
            *value = i % 2;
            return true;
        }
    return false;
}

static Status parse_flag(const Key *key, bool *place, const char *text, Err *err) {
    return read_flag(text, place) ? OK : not_wanted(key, text, err);
}

/* "qk_v" is "qk-v": names of choices are the same whichever of the two joins them. */
static bool same_choice(const char *a, const char *b) {
    for (; *a && *b; a++, b++)
        if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b)) return false;
    return *a == *b;
}

static bool is_later(const Key *key, const char *text) {
    for (const char *const *name = key->later; name && *name; name++)
        if (same_choice(text, *name)) return true;
    return false;
}

static const char *full_name_of(const Key *key, const char *text) {
    for (const char *const *pair = key->aliases; pair && *pair; pair += 2)
        if (strcmp(text, pair[0]) == 0) return pair[1];
    return text;
}

/* A choice between none and one other thing is also a flag. */
static bool read_choice(const Key *key, const char *text, int *index) {
    text = full_name_of(key, text);
    for (*index = 0; key->choices[*index]; ++*index)
        if (same_choice(text, key->choices[*index])) return true;
    bool on;
    bool either = *index == 2 && strcmp(key->choices[0], "none") == 0;
    if (!either || !read_flag(text, &on)) return false;
    *index = on;
    return true;
}

static Status parse_choice(const Key *key, void *place, const char *text, Err *err) {
    int index;
    if (read_choice(key, text, &index)) {
        memcpy(place, &index, sizeof index);
        return OK;
    }
    char list[200], hint[NEAREST_HINT];
    print_names(key->choices, ", ", list, sizeof list);
    if (is_later(key, text))
        return err_set(err, FAIL_USAGE,
                       "%s.%s = %s is not built in yet; this version has: %s",
                       key->section, key->name, text, list);
    return err_set(err, FAIL_USAGE, "%s.%s = %.60s: choose one of %s%s", key->section,
                   key->name, *text ? text : "(nothing)", list,
                   nearest_hint(nearest_word(text, key->choices), hint));
}

/* An INI file cannot hold control characters, nor a `;` or `#` that starts a comment. */
static bool can_be_written(const char *text) {
    for (const char *c = text; *c; c++) {
        if (iscntrl((unsigned char)*c) && *c != '\t') return false;
        if (strchr(";#", *c) && (c == text || isspace((unsigned char)c[-1])))
            return false;
    }
    return true;
}

static Status parse_text(const Key *key, char *place, const char *text, Err *err) {
    if (strlen(text) >= key->room)
        return err_set(err, FAIL_USAGE,
                       "%s.%s has %zu characters; at most %zu are allowed", key->section,
                       key->name, strlen(text), key->room - 1);
    if (!can_be_written(text))
        return err_set(err, FAIL_USAGE,
                       "%s.%s = %.60s: a value cannot contain control characters, or "
                       "`;` or `#` at its start or after a space",
                       key->section, key->name, text);
    Status status = key->check ? key->check(text, err) : OK;
    if (status) return status;
    if (place) memcpy(place, text, strlen(text) + 1);
    return OK;
}

static Status parse_moment(const Key *key, Moment *place, const char *text, Err *err) {
    Moment moment;
    if (!moment_read(text, &moment)) return not_wanted(key, text, err);
    *place = moment;
    return OK;
}

Status key_parse(const Key *key, Recipe *recipe, const char *text, Err *err) {
    void *place = (char *)recipe + key->offset;
    switch (key->type) {
    case KEY_SIZE:
    case KEY_SEED: return parse_digits(key, place, text, err);
    case KEY_REAL: return parse_real(key, place, text, err);
    case KEY_REALS: return parse_reals(key, recipe, text, err);
    case KEY_FLAG: return parse_flag(key, place, text, err);
    case KEY_CHOICE: return parse_choice(key, place, text, err);
    case KEY_TEXT: return parse_text(key, key_is_stored(key) ? place : NULL, text, err);
    case KEY_MOMENT: return parse_moment(key, place, text, err);
    }
    return FAIL_USAGE;
}

/* ---- writing ---- */

/* The shortest digits that read back to the same bits; integers without an exponent. */
static void print_real(double x, char *text, size_t size) {
    if (x == floor(x) && fabs(x) < 1e15) {
        text_format(text, size, "%.0f", x);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        text_format(text, size, "%.*g", digits, x);
        if (strtod(text, NULL) == x) return;
    }
}

static void print_reals(const double *values, size_t count, char *text, size_t size) {
    *text = 0;
    for (size_t i = 0, used = 0; i < count; i++) {
        text_format(text + used, size - used, "%s", i ? ", " : "");
        used += strlen(text + used);
        print_real(values[i], text + used, size - used);
        used += strlen(text + used);
    }
}

static const char *choice_name(const Key *key, const void *place) {
    int index;
    memcpy(&index, place, sizeof index);
    return key->choices[index];
}

void key_print(const Key *key, const Recipe *recipe, char *text, size_t size) {
    const void *place = (const char *)recipe + key->offset;
    switch (key->type) {
    case KEY_SIZE:
        if (key->unset && !*(const size_t *)place)
            text_format(text, size, "%s", key->unset);
        else text_format(text, size, "%zu", *(const size_t *)place);
        return;
    case KEY_SEED: text_format(text, size, "%" PRIu64, *(const uint64_t *)place); return;
    case KEY_REAL:
        if (key->unset && *(const double *)place < 0)
            text_format(text, size, "%s", key->unset);
        else print_real(*(const double *)place, text, size);
        return;
    case KEY_REALS:
        print_reals(place, *(const size_t *)((const char *)recipe + key->count_offset),
                    text, size);
        return;
    case KEY_FLAG:
        text_format(text, size, "%s", *(const bool *)place ? "true" : "false");
        return;
    case KEY_CHOICE: text_format(text, size, "%s", choice_name(key, place)); return;
    case KEY_TEXT:
        text_format(text, size, "%s", key_is_stored(key) ? (const char *)place : "");
        return;
    case KEY_MOMENT: moment_print(*(const Moment *)place, text); return;
    }
}
