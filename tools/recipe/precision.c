#include "tools/recipe/precision.h"

#include <string.h>

static const char BETWEEN[] = " \t,";

/* What can be kept, and where it is noted; `none` is nowhere. */
static const struct {
    const char *name;
    size_t place;
} KEPT[] = {
    {"none", 0},
    {"attention", offsetof(Precision, keep_attention)},
    {"reparam", offsetof(Precision, keep_reparam)},
};

static size_t find(const char *name, size_t length) {
    size_t i = 0;
    while (i < COUNT(KEPT) &&
           (strncmp(KEPT[i].name, name, length) || KEPT[i].name[length]))
        i++;
    return i;
}

/* Takes the next name off *rest; 0: there is none. */
static size_t next_name(const char **rest, const char **name) {
    *name = *rest + strspn(*rest, BETWEEN);
    size_t length = strcspn(*name, BETWEEN);
    *rest = *name + length;
    return length;
}

Status bf16_keep_check(const char *text, Err *err) {
    const char *rest = text, *name;
    size_t length, names = 0, nones = 0;
    for (; (length = next_name(&rest, &name)); names++) {
        size_t i = find(name, length);
        if (i == COUNT(KEPT))
            return err_set(err, FAIL_USAGE,
                           "train.bf16_keep: %.*s is unknown; expected none, or a list "
                           "of attention and reparam",
                           (int)MIN(length, (size_t)40), name);
        nones += i == 0;
    }
    if (!names)
        return err_set(
            err, FAIL_USAGE,
            "train.bf16_keep is empty; expected none, or a list of attention and "
            "reparam");
    if (!nones || names == 1) return OK;
    return err_set(err, FAIL_USAGE,
                   "train.bf16_keep = %.60s: none cannot be combined with other parts",
                   text);
}

static void read_kept(const char *rest, Precision *precision) {
    const char *name;
    for (size_t length; (length = next_name(&rest, &name));) {
        size_t i = find(name, length);
        if (i > 0 && i < COUNT(KEPT)) *(bool *)((char *)precision + KEPT[i].place) = true;
    }
}

Precision recipe_precision(const Recipe *recipe, const PrecisionWay *way) {
    Precision precision = {0};
    PrecisionChoice wanted = recipe->train.precision;
    bool half = wanted == TRAIN_BF16 || (wanted == TRAIN_AUTO && way->bf16);
    if (!half || way->off || sizeof(real) != sizeof(float)) return precision;
    precision.products = PRECISION_BF16;
    precision.plain = way->plain;
    read_kept(recipe->train.bf16_keep, &precision);
    return precision;
}

const char *precision_name(PrecisionKind kind) {
    return kind == PRECISION_BF16 ? "bf16" : "fp32";
}

void precision_text(const Precision *p, char text[PRECISION_TEXT]) {
    bool both = p->keep_attention && p->keep_reparam;
    if (p->products == PRECISION_FP32) text_format(text, PRECISION_TEXT, "fp32");
    else if (!p->keep_attention && !p->keep_reparam)
        text_format(text, PRECISION_TEXT, "bf16");
    else
        text_format(text, PRECISION_TEXT, "bf16, %s%s%s in fp32",
                    p->keep_attention ? "attention" : "", both ? " and " : "",
                    p->keep_reparam ? "reparametrised layers" : "");
}
