/* sources: what a source of texts defines (data/sources.h); for
 * data/text/set.c and nobody else.
 *
 *     static Status read(const DataConfig *config, Split split, TextFile files[2], Err *err) {
 *         return textfile_read(&files[0], texts_path(config, split), err);
 *     }
 *     const TextSource text_source = {read};
 */
#ifndef STEADY_TEXT_SOURCES_H
#define STEADY_TEXT_SOURCES_H

#include "data/config.h"
#include "data/file/textfile.h"

typedef struct TextSource {
    /* Fills in files[0], the text of a split that is there, and of pairs files[1],
     * the target, line by line; both are zeroed before, and freed by the caller
     * also after a failure. */
    Status (*read)(const DataConfig *config, Split split, TextFile files[2], Err *err);
} TextSource;

#define TEXT_SOURCE(NAME, name, examples, traits) extern const TextSource name##_source;
TEXT_SOURCES(TEXT_SOURCE)
#undef TEXT_SOURCE

/* What data.path, data.val_path or data.test_path says; "": nothing. */
const char *texts_path(const DataConfig *config, Split split);

/* Lines of a split that the program makes: data.synthetic_count to train on, and of the
 * others a fifth, at most 1000; they are drawn from SYNTHETIC_SEED. */
enum { SYNTHETIC_SEED = 1 };
size_t texts_synthetic_count(const DataConfig *config, Split split);

#endif
