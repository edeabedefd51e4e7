/* data: examples in memory (data/given.h). */
#include <string.h>

#include "data/file/textbuffer.h"
#include "tools/library/model.h"

struct steady_data {
    Handle handle;
    GivenData given;
    char *text[3][2]; /* owned */
};

static void make_data(steady_data **data) { *data = mem_zalloc(sizeof **data); }

steady_status steady_data_new(steady_data **data, steady_error *error) {
    if (data) *data = NULL;
    THROUGH_DOOR(NULL, MISSING1(data), error, make_data(data));
}

void steady_data_free(steady_data *data) {
    for (size_t i = 0; data && i < 6; i++) mem_free(data->text[i / 2][i % 2]);
    mem_free(data);
}

static Status check_split(steady_split split, Err *err) {
    if (split >= STEADY_TRAIN && split <= STEADY_TEST) return OK;
    return err_set(err, FAIL_USAGE,
                   "split %d: STEADY_TRAIN, STEADY_VAL or STEADY_TEST is expected",
                   (int)split);
}

/* ---- pictures ---- */

Status check_pictures(const steady_pictures *p, Err *err) {
    size_t row, bytes;
    if (!p->pixels || !p->count || !p->height || !p->width)
        return err_set(err, FAIL_USAGE,
                       "pictures: %zu of %zu x %zu pixels: none may be 0 or NULL",
                       p->count, p->height, p->width);
    if (!p->channels || p->channels > CHANNELS_MAX)
        return err_set(err, FAIL_USAGE, "pictures: %zu channels: 1 to %d are expected",
                       p->channels, CHANNELS_MAX);
    if (!size_mul(p->height, p->width, &row) || !size_mul(row, p->channels, &row) ||
        row > (size_t)1 << 30 || !size_mul(row, p->count, &bytes))
        return err_set(err, FAIL_USAGE, "pictures: %zu of %zu x %zu pixels: too many",
                       p->count, p->height, p->width);
    return OK;
}

static Status check_labels(const steady_pictures *p, Err *err) {
    if (!p->labels)
        return err_set(err, FAIL_USAGE, "pictures: `labels` is NULL; each needs one");
    for (size_t i = 0; i < p->count; i++)
        if (p->labels[i] >= p->classes)
            return err_set(err, FAIL_DATA,
                           "picture %zu has label %u: there are %zu classes", i,
                           (unsigned)p->labels[i], p->classes);
    return OK;
}

static Status check_same(const GivenData *g, const steady_pictures *p, Err *err) {
    bool same = g->channels == p->channels && g->height == p->height &&
                g->width == p->width && g->classes == p->classes;
    if (same || !g->classes) return OK;
    return err_set(err, FAIL_USAGE,
                   "pictures of %zu x %zu x %zu and %zu classes, but another split has "
                   "%zu x %zu x %zu and %zu",
                   p->height, p->width, p->channels, p->classes, g->height, g->width,
                   g->channels, g->classes);
}

static Status add_pictures(steady_data *data, steady_split split,
                           const steady_pictures *p, Err *err) {
    GivenData *g = &data->given;
    if (check_split(split, err) || check_pictures(p, err) || check_labels(p, err) ||
        check_same(g, p, err))
        return err->status;
    if (g->pictures[split].count)
        return err_set(err, FAIL_USAGE, "this split has its pictures already");
    g->channels = p->channels, g->height = p->height, g->width = p->width;
    g->classes = p->classes;
    g->pictures[split].pixels = p->pixels;
    g->pictures[split].label = p->labels;
    g->pictures[split].count = p->count;
    return OK;
}

steady_status steady_data_pictures(steady_data *data, steady_split split,
                                   const steady_pictures *pictures, steady_error *error) {
    THROUGH_DOOR(NULL, MISSING2(data, pictures), error,
                 add_pictures(data, split, pictures, &door.err));
}

/* ---- texts ---- */

static Status add_side(steady_data *data, steady_split split, size_t side,
                       const char *text, Err *err) {
    if (check_split(split, err)) return err->status;
    if (data->text[split][side])
        return err_set(err, FAIL_USAGE, "this split has its text already");
    data->text[split][side] = mem_strdup(text);
    data->given.text[split][side].bytes = data->text[split][side];
    data->given.text[split][side].length = strlen(text);
    return OK;
}

steady_status steady_data_text(steady_data *data, steady_split split, const char *text,
                               steady_error *error) {
    THROUGH_DOOR(NULL, MISSING2(data, text), error,
                 add_side(data, split, 0, text, &door.err));
}

static void add_tokens(steady_data *data, steady_split split, const uint32_t *ids,
                       size_t count, Err *err) {
    TextBuffer text = {0};
    text_clear(&text);
    for (size_t i = 0; i < count; i++) {
        char word[16];
        text_format(word, sizeof word, "%s%u", i ? " " : "", (unsigned)ids[i]);
        text_append(&text, word, strlen(word));
    }
    text_append_byte(&text, '\n');
    add_side(data, split, 0, text.text, err);
    text_free(&text);
}

steady_status steady_data_tokens(steady_data *data, steady_split split,
                                 const uint32_t *ids, size_t count, steady_error *error) {
    THROUGH_DOOR(NULL, MISSING2(data, ids), error,
                 add_tokens(data, split, ids, count, &door.err));
}

static void add_pairs(steady_data *data, steady_split split, const char *source,
                      const char *target, Err *err) {
    if (!add_side(data, split, 0, source, err)) add_side(data, split, 1, target, err);
}

steady_status steady_data_pairs(steady_data *data, steady_split split, const char *source,
                                const char *target, steady_error *error) {
    THROUGH_DOOR(NULL, MISSING3(data, source, target), error,
                 add_pairs(data, split, source, target, &door.err));
}

/* ---- use ---- */

/* Where a file's name would be. */
static void name_text(char *path, size_t size, const GivenData *g, Split split) {
    static const char *const NAMES[] = {"the training text", "the val text",
                                        "the test text"};
    text_format(path, size, "%s", g->text[split][0].bytes ? NAMES[split] : "");
}

static void name_texts(const GivenData *g, DataConfig *data) {
    name_text(data->path, sizeof data->path, g, SPLIT_TRAIN);
    name_text(data->val_path, sizeof data->val_path, g, SPLIT_VAL);
    name_text(data->test_path, sizeof data->test_path, g, SPLIT_TEST);
    if (*data->source_lang && *data->target_lang) return;
    text_format(data->source_lang, sizeof data->source_lang, "source");
    text_format(data->target_lang, sizeof data->target_lang, "target");
}

Status data_use(const steady_data *data, Recipe *recipe, Err *err) {
    const GivenData *g = &data->given;
    ExampleKind kind = task_examples(recipe->task);
    DataConfig *to = &recipe->data;
    bool pairs = kind == EXAMPLES_PAIRS;
    if (kind == EXAMPLES_SPEECH)
        return err_set(err, FAIL_USAGE,
                       "speech cannot be given in memory; see data.source = manifest");
    if (kind == EXAMPLES_PICTURES ? !g->pictures[SPLIT_TRAIN].count
                                  : !g->text[SPLIT_TRAIN][pairs].bytes)
        return err_set(err, FAIL_USAGE,
                       "the data have no training split for task.kind = %s: "
                       "steady_data_%s gives one",
                       task_name(recipe->task),
                       kind == EXAMPLES_PICTURES ? "pictures"
                       : pairs                   ? "pairs"
                                                 : "text");
    to->given = g;
    to->source = kind == EXAMPLES_PICTURES ? SOURCE_FOLDER
                 : pairs                   ? SOURCE_PARALLEL
                                           : SOURCE_TEXT;
    if (kind == EXAMPLES_PICTURES)
        text_format(to->path, sizeof to->path, "the pictures in memory");
    else name_texts(g, to);
    return OK;
}
