/* sources: where examples come from, one a line: the words of data.source
 * and what each can do.
 *
 *     X(NAME, name, examples, traits)      SOURCE_NAME, the word, what an example of it is
 *
 *     if (!source_has(config.source, TRAIT_SYNTHETIC)) printf("%s\n", source_name(config.source));
 *
 * A room opens those of its list: data/picture/sources.h, data/text/sources.h and
 * data/speech/sources.h say what a source defines there.  The enum, the choices of the
 * key table, conditions of keys, the lists in messages and the rooms' tables all come
 * from here; a recipe's word becomes an enum once, and no other file compares names.
 * See docs/adding.md. */
#ifndef STEADY_SOURCES_H
#define STEADY_SOURCES_H

#include "engine/core/base.h"

/* What an example is: a picture, a piece of one text, a pair of sentences, a
 * recording. */
typedef enum {
    EXAMPLES_PICTURES,
    EXAMPLES_TEXT,
    EXAMPLES_PAIRS,
    EXAMPLES_SPEECH
} ExampleKind;

/* clang-format off */

/* What a source can do, a bit each; the words are those of conditions in
 * tools/recipe/keys.c. */
#define SOURCE_TRAITS(X)                                                                 \
    X(SYNTHETIC, synthetic) /* made by the program; the others need data.path */         \
    X(VAL, val)             /* it can have a val split that no key names or cuts off */  \
    X(TEST, test)           /* it can have a test split that no key names */             \
    X(FIXED, fixed)         /* its splits are given: no data.val_path, data.test_path */ \
    X(WHOLE, whole)         /* data.val_fraction cuts nothing off */                     \
    X(NAMED, named)         /* splits are folders or files that keys can name */         \
    X(DECODED, decoded)     /* PNG and JPEG files: data.channels, data.background */     \
    X(SKIPS, skips)         /* data.on_error = skip can leave broken items out */

#define PICTURE_SOURCES(X)                                                               \
    X(GLYPHS, glyphs, PICTURES, TRAIT_SYNTHETIC | TRAIT_TEST)                            \
    X(IDX,    idx,    PICTURES, TRAIT_TEST)                                              \
    X(CIFAR,  cifar,  PICTURES, TRAIT_TEST)                                              \
    X(FOLDER, folder, PICTURES, TRAIT_VAL | TRAIT_TEST | TRAIT_DECODED | TRAIT_SKIPS)

#define TEXT_SOURCES(X)                                                                  \
    X(TEXT,     text,     TEXT,  0)                                                      \
    X(PARALLEL, parallel, PAIRS, TRAIT_SKIPS)                                            \
    X(GRAMMAR,  grammar,  TEXT,  TRAIT_MADE | TRAIT_WHOLE)                               \
    X(NUMBERS,  numbers,  PAIRS, TRAIT_MADE | TRAIT_WHOLE)

#define SPEECH_SOURCES(X)                                                                \
    X(LIBRISPEECH, librispeech, SPEECH, TRAIT_LISTED)                                    \
    X(MANIFEST,    manifest,    SPEECH, TRAIT_LISTED)                                    \
    X(TONES,       tones,       SPEECH, TRAIT_MADE)

#define SOURCE_LIST(X) PICTURE_SOURCES(X) TEXT_SOURCES(X) SPEECH_SOURCES(X)
/* clang-format on */

#define SOURCE_ENUM(NAME, name, examples, traits) SOURCE_##NAME,
typedef enum { SOURCE_LIST(SOURCE_ENUM) SOURCES } Source;
#undef SOURCE_ENUM

#define TRAIT_PLACE(NAME, name) TRAIT_PLACE_##NAME,
#define TRAIT_BIT(NAME, name) TRAIT_##NAME = 1 << TRAIT_PLACE_##NAME,
enum { SOURCE_TRAITS(TRAIT_PLACE) TRAIT_COUNT };
enum {
    SOURCE_TRAITS(TRAIT_BIT)
    /* made by the program in all three splits */
    TRAIT_MADE = TRAIT_SYNTHETIC | TRAIT_VAL | TRAIT_TEST | TRAIT_FIXED,
    /* recordings in lists */
    TRAIT_LISTED = TRAIT_VAL | TRAIT_TEST | TRAIT_NAMED | TRAIT_SKIPS,
};
#undef TRAIT_PLACE
#undef TRAIT_BIT

extern const char *const source_names[]; /* by Source; ends with NULL */

const char *source_name(Source source);
ExampleKind source_examples(Source source);
bool source_has(Source source, unsigned traits); /* all of TRAIT_... */

const char *examples_name(ExampleKind kind); /* "pairs of sentences" */

/* TRAIT_... of its word, 0 where there is none. */
unsigned source_trait(const char *word, size_t length);

/* Some of the sources. */
typedef struct SourceChoice {
    unsigned examples; /* bits 1 << ExampleKind; 0: any */
    unsigned traits;   /* all of them */
} SourceChoice;

/* "glyphs, idx, cifar or folder", with `between` ", " and `last` " or ". */
void source_list(SourceChoice choice, const char *between, const char *last, char *text,
                 size_t size);

/* FAIL_USAGE where it has no examples of these kinds (bits), with a list
 * of those that have. */
Status source_check(Source source, unsigned examples, Err *err);

#endif
