/* agree: do all ranks train the same? (tools/train/trainer.h) */
#include <string.h>

#include "engine/dist/ranks.h"
#include "tools/recipe/change.h"
#include "tools/train/trainer.h"

/* Names of files: each machine may have its own folder for the same data. */
static const char *const FILES[] = {"data.path",         "data.val_path",
                                    "data.test_path",    "data.source_vocab",
                                    "data.target_vocab", "data.bpe_codes",
                                    "train.init"};

/* Takes the next line off *rest: a name, and behind its `=` the value; false: none. */
static bool next_line(const char **rest, size_t *name, const char **line,
                      size_t *length) {
    *line = *rest;
    *length = strcspn(*rest, "\n");
    *name = strcspn(*rest, "=\n");
    *rest += *length;
    *rest += **rest == '\n';
    return *length;
}

/* Names of the lines that may differ. */
static bool is_file(const char *line, size_t name) {
    for (size_t i = 0; i < COUNT(FILES); i++)
        if (strlen(FILES[i]) == name && !strncmp(FILES[i], line, name)) return true;
    return false;
}

/* The value of such a line in `text`; NULL: there is none. */
static const char *value_in(const char *text, const char *wanted, size_t wanted_name,
                            size_t *size) {
    const char *line;
    size_t name, length;
    while (next_line(&text, &name, &line, &length)) {
        if (name != wanted_name || strncmp(line, wanted, name)) continue;
        *size = length - MIN(name + 1, length);
        return line + MIN(name + 1, length);
    }
    return NULL;
}

/* How much of a value is printed, and, where it is none, a word instead. */
static int said(const char **value, size_t size) {
    if (!*value) *value = "not used", size = strlen(*value);
    if (!size) *value = "(empty)", size = strlen(*value);
    return (int)MIN(size, (size_t)200);
}

/* FAIL_USAGE for the first line of `text` that the others' text does not have so. */
static Status check_lines(const char *text, const char *mine, const char *lead,
                          Err *err) {
    const char *line;
    size_t name, length, here = 0, there = 0;
    while (next_line(&text, &name, &line, &length)) {
        const char *is = value_in(mine, line, name, &here);
        const char *first = value_in(lead, line, name, &there);
        bool same = is && first && here == there && !strncmp(is, first, here);
        if (same || is_file(line, name)) continue;
        int shown = said(&is, here), wanted = said(&first, there);
        return err_set(err, FAIL_USAGE,
                       "%.*s = %.*s, but on rank 0 %.*s; all ranks need the same words",
                       (int)name, line, shown, is, wanted, first);
    }
    return OK;
}

Status trainer_check_ranks(Ranks *ranks, const Recipe *recipe, const char *way,
                           Err *err) {
    if (!ranks) return OK;
    TextBuffer mine = {0};
    text_append_format(&mine, "steady train=%s\n", way);
    recipe_digest(recipe, &mine);
    size_t size = mine.length + 1;
    ranks_copy(ranks, &size, sizeof size);
    char *lead = mem_zalloc(size);
    if (ranks_lead(ranks)) memcpy(lead, mine.text, size);
    ranks_copy(ranks, lead, size);
    if (!check_lines(lead, mine.text, lead, err))
        check_lines(mine.text, mine.text, lead, err);
    mem_free(lead);
    text_free(&mine);
    return ranks_agree(ranks, err);
}
