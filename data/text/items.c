/* items: tokens of a line into a set, and pairs out of it (data/text/set.h). */
#include "data/file/utf8.h"
#include "data/text/set_parts.h"

/* ---- unknown tokens ---- */

typedef struct FirstUnknown {
    char text[80];
    bool found;
} FirstUnknown;

static void keep_first(void *context, const char *token, size_t length) {
    FirstUnknown *f = context;
    if (f->found) return;
    f->found = true;
    utf8_show(token, length, f->text, sizeof f->text);
}

/* The first <unk> of a side, with its line i, whose tokens are ids from `first` on. */
static void see_unknown(TextSet *set, const Tokenizer *t, size_t side,
                        const TextFile *file, size_t i, const IdList *ids, size_t first) {
    if (*set->first_unknown[side] || !tokenizer_has_specials(t)) return;
    for (size_t k = first; k < ids->count; k++) {
        if (ids->ids[k] != ID_UNK) continue;
        FirstUnknown unknown = {0};
        size_t length;
        const char *line = textfile_line(file, i, &length);
        tokenizer_unknown(t, line, length, keep_first, &unknown);
        text_format(set->first_unknown[side], sizeof set->first_unknown[side],
                    "%s:%zu: '%s'", file->path, i + 1, unknown.text);
        return;
    }
}

Status textset_encode(TextSet *set, const Texts *t, size_t side, const TextFile *file,
                      size_t i, IdList *ids, Err *err) {
    const Tokenizer *tokenizer = t->tokenizer[side];
    size_t length, before = ids->count;
    const char *line = textfile_line(file, i, &length);
    if (tokenizer_encode(tokenizer, line, length, ids, err))
        return err_wrap(err, "%s:%zu", file->path, i + 1), err->status;
    see_unknown(set, tokenizer, side, file, i, ids, before);
    return OK;
}

/* ---- pairs ---- */

const uint32_t *textset_source(const TextSet *set, size_t i, size_t *count) {
    const TextSide *s = &set->side[0];
    *count = s->start[i + 1] - s->start[i];
    return s->ids.ids + s->start[i];
}

const uint32_t *textset_target(const TextSet *set, size_t i, size_t *count) {
    const TextSide *s = &set->side[1];
    *count = s->start[i + 1] - s->start[i];
    return s->ids.ids + s->start[i];
}

const char *textset_target_line(const TextSet *set, size_t i, size_t *length) {
    return textfile_line(&set->target, set->line[i], length);
}
