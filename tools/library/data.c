/* data: examples in memory (data/given.h). */
#include <string.h>

#include "data/file/textbuffer.h"
#include "tools/library/model.h"

struct steady_data {
    Handle handle;
    GivenData given;
    char *text[3][2]; /* owned */
    bool numbers;     /* some text is of steady_data_tokens */
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
                   "split %d: expected STEADY_TRAIN, STEADY_VAL or STEADY_TEST",
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
        return err_set(err, FAIL_USAGE, "pictures: %zu channels: expected 1 to %d",
                       p->channels, CHANNELS_MAX);
    if (!size_mul(p->height, p->width, &row) || !size_mul(row, p->channels, &row) ||
        row > (size_t)1 << 30 || !size_mul(row, p->count, &bytes))
        return err_set(err, FAIL_USAGE, "pictures: %zu of %zu x %zu pixels: too many",
                       p->count, p->height, p->width);
    return OK;
}

static Status check_labels(const steady_pictures *p, Err *err) {
    if (!p->labels)
        return err_set(
            err, FAIL_USAGE,
            "pictures: `labels` is NULL, but each picture needs a label; without "
            "labels (task.kind = contrastive): all 0, classes = 1");
    if (p->classes > UINT32_MAX)
        return err_set(err, FAIL_USAGE, "pictures: %zu classes: too many", p->classes);
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
        return err_set(err, FAIL_USAGE, "this split already has pictures");
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

static Status check_free(const steady_data *data, steady_split split, Err *err) {
    if (check_split(split, err) || !data->text[split][0]) return err->status;
    return err_set(err, FAIL_USAGE, "this split already has text");
}

static void set_side(steady_data *data, steady_split split, size_t side, char *text) {
    data->text[split][side] = text;
    data->given.text[split][side].bytes = text;
    data->given.text[split][side].length = strlen(text);
}

static Status add_text(steady_data *data, steady_split split, const char *text,
                       Err *err) {
    if (!check_free(data, split, err)) set_side(data, split, 0, mem_strdup(text));
    return err->status;
}

steady_status steady_data_text(steady_data *data, steady_split split, const char *text,
                               steady_error *error) {
    THROUGH_DOOR(NULL, MISSING2(data, text), error,
                 add_text(data, split, text, &door.err));
}

static Status add_tokens(steady_data *data, steady_split split, const uint32_t *ids,
                         size_t count, Err *err) {
    TextBuffer text = {0};
    if (!count) return err_set(err, FAIL_USAGE, "0 tokens: expected at least one");
    text_clear(&text);
    for (size_t i = 0; i < count; i++) {
        char word[16];
        text_format(word, sizeof word, "%s%u", i ? " " : "", (unsigned)ids[i]);
        text_append(&text, word, strlen(word));
    }
    text_append_byte(&text, '\n');
    if (!add_text(data, split, text.text, err)) data->numbers = true;
    text_free(&text);
    return err->status;
}

steady_status steady_data_tokens(steady_data *data, steady_split split,
                                 const uint32_t *ids, size_t count, steady_error *error) {
    THROUGH_DOOR(NULL, MISSING2(data, ids), error,
                 add_tokens(data, split, ids, count, &door.err));
}

/* Both sides or none, wherever memory ends. */
static Status add_pairs(steady_data *data, steady_split split, const char *source,
                        const char *target, Err *err) {
    if (check_free(data, split, err)) return err->status;
    char *both[] = {mem_strdup(source), mem_strdup(target)};
    for (size_t side = 0; side < 2; side++) set_side(data, split, side, both[side]);
    return OK;
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

static bool has_training(const GivenData *g, ExampleKind kind) {
    if (kind == EXAMPLES_PICTURES) return g->pictures[SPLIT_TRAIN].count > 0;
    return g->text[SPLIT_TRAIN][0].bytes &&
           (kind == EXAMPLES_PAIRS) == (g->text[SPLIT_TRAIN][1].bytes != NULL);
}

static Status check_given(const steady_data *data, const Recipe *recipe, Err *err) {
    static const char *const MAKERS[] = {[EXAMPLES_PICTURES] = "pictures",
                                         [EXAMPLES_TEXT] = "text",
                                         [EXAMPLES_PAIRS] = "pairs"};
    ExampleKind kind = task_examples(recipe->task);
    if (kind == EXAMPLES_SPEECH)
        return err_set(err, FAIL_USAGE,
                       "speech in memory is not supported; use data.source = manifest");
    if (!has_training(&data->given, kind))
        return err_set(err, FAIL_USAGE,
                       "the data have no training split for task.kind = %s; call "
                       "steady_data_%s",
                       task_name(recipe->task), MAKERS[kind]);
    /* as characters they would train a model of digits */
    if (kind != EXAMPLES_TEXT || !data->numbers || recipe->data.tokens == TOKENS_WORD)
        return OK;
    return err_set(err, FAIL_USAGE, "steady_data_tokens needs data.tokens = word");
}

Status data_use(const steady_data *data, Recipe *recipe, Err *err) {
    const GivenData *g = &data->given;
    ExampleKind kind = task_examples(recipe->task);
    DataConfig *to = &recipe->data;
    if (check_given(data, recipe, err)) return err->status;
    to->given = g;
    to->source = kind == EXAMPLES_PICTURES ? SOURCE_FOLDER
                 : kind == EXAMPLES_PAIRS  ? SOURCE_PARALLEL
                                           : SOURCE_TEXT;
    if (kind == EXAMPLES_PICTURES)
        text_format(to->path, sizeof to->path, "the picture set in memory");
    else name_texts(g, to);
    return OK;
}
