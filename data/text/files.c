/* files: the sources text and parallel (data/text/sources.h): one file a split, or
 * two. */
#include "data/text/sources.h"
#include "data/where.h"

const char *texts_path(const DataConfig *c, Split split) {
    return split == SPLIT_TRAIN ? c->path
           : split == SPLIT_VAL ? c->val_path
                                : c->test_path;
}

static Status read_file(Split split, const char *path, const Wanted *wanted,
                        TextFile *file, Err *err) {
    if (where_check(where_key(split), path, wanted, err)) return err->status;
    return textfile_read(file, path, err);
}

/* In memory, or a file. */
static Status read_side(const DataConfig *c, Split split, size_t side, const char *path,
                        const Wanted *wanted, TextFile *file, Err *err) {
    if (!c->given) return read_file(split, path, wanted, file, err);
    TextBuffer text = {0};
    text_clear(&text);
    text_append(&text, c->given->text[split][side].bytes,
                c->given->text[split][side].length);
    textfile_of(file, &text, path);
    for (size_t i = 0; i < file->count; i++) {
        size_t length;
        const char *line = textfile_line(file, i, &length);
        if (textfile_check_line(file->path, i + 1, line, length, err)) return err->status;
    }
    return OK;
}

static Status read_text(const DataConfig *c, Split split, TextFile files[2], Err *err) {
    static const Wanted WANTED = {.kind = "file",
                                  .what = "your text",
                                  .form = "FILE",
                                  .more = "cat FOLDER/* >FILE joins several"};
    return read_side(c, split, 0, texts_path(c, split), &WANTED, &files[0], err);
}

const TextSource text_source = {read_text};

/* ---- pairs ---- */

/* Where one of the files lost a line, perhaps: the first lines of which one is empty or
 * far longer than the other. */
static size_t suspicious_line(const TextFile files[2]) {
    enum { LONG = 40, TIMES = 4 };
    size_t both = MIN(files[0].count, files[1].count), m, n;
    for (size_t i = 0; i < both; i++) {
        textfile_line(&files[0], i, &m);
        textfile_line(&files[1], i, &n);
        if (!m != !n || (MAX(m, n) >= LONG && MAX(m, n) > TIMES * MIN(m, n))) return i;
    }
    return both;
}

static Status check_lines(const TextFile files[2], Err *err) {
    if (files[0].count == files[1].count) return OK;
    size_t line = suspicious_line(files) + 1;
    bool seen = line <= MIN(files[0].count, files[1].count);
    return err_set(
        err, FAIL_DATA,
        "%s has %zu lines, but %s has %zu; line k of one must be the translation of "
        "line k of the other; %s line %zu",
        files[0].path, files[0].count, files[1].path, files[1].count,
        seen ? "their lengths first differ a lot in"
             : "the first line without a counterpart is",
        line);
}

static Status read_pairs(const DataConfig *c, Split split, TextFile files[2], Err *err) {
    char form[200];
    text_format(form, sizeof form, "START, of START.%.60s and START.%.60s",
                c->source_lang, c->target_lang);
    const Wanted wanted = {.kind = "file",
                           .what = "your pairs of sentences",
                           .form = form};
    for (size_t side = 0; side < 2; side++) {
        char name[1100];
        text_format(name, sizeof name, "%s.%s", texts_path(c, split),
                    side ? c->target_lang : c->source_lang);
        if (read_side(c, split, side, name, &wanted, &files[side], err))
            return err->status;
    }
    return check_lines(files, err);
}

const TextSource parallel_source = {read_pairs};
