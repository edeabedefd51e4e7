/* set: texts as numbers in memory: a stream of tokens, or pairs of sentences.
 *
 *     Texts texts;
 *     if (texts_open(&texts, &config, pairs, &err)) return err.status;
 *     const TextSet *train = texts_set(&texts, SPLIT_TRAIN, &err);
 *     ids = textset_source(train, i, &count);
 *     texts_close(&texts);
 *
 * Language: characters of the whole file, or each line's tokens and </s>.  Pairs: both
 * sentences end with </s>.  val is val_path, or round(val_fraction n) of the training
 * text: its last tokens, or pairs drawn over all of it, for pairs may be sorted; the
 * draw is always the same.  test is test_path.  limit takes the first tokens, or
 * pairs drawn over all, of the training text, test_limit of the test. */
#ifndef STEADY_TEXT_SET_H
#define STEADY_TEXT_SET_H

#include "data/facts.h"
#include "data/text/tokenizer.h"

/* What was read, and what was left out. */
typedef struct TextReport {
    size_t lines, empty, too_long,
        ratio;                    /* pairs: of lines; the last three are left out */
    size_t tokens[2], unknown[2]; /* source (or text), target; </s> included */
    size_t longest[2];            /* sentences, </s> included */
} TextReport;

/* One side of the pairs. */
typedef struct TextSide {
    IdList ids;
    size_t *start; /* [count + 1] */
} TextSide;

typedef struct TextSet {
    bool pairs;
    size_t count;           /* pairs */
    const uint32_t *stream; /* language */
    size_t stream_count;
    TextReport report;
    DataFacts facts;             /* data/facts.h; count: tokens, or pairs */
    char first_unknown[2][1200]; /* "val.de:7: 'word'", of each side; "": none */
    TextSide side[2];
    IdList own;      /* the stream's memory */
    TextFile target; /* lines of the target as they are, */
    bool borrows;    /* which are those of the training set, */
    size_t *line;    /* [count] and the line of each pair */
} TextSet;

typedef struct Texts {
    const DataConfig *config;
    bool pairs;
    Tokenizer *tokenizer
        [2]; /* source (or text), target; one and the same where they are joint */
    TextSet *sets[3]; /* by Split; NULL: not open, or not there */
} Texts;

/* Tokenizers (built where no file is named) and all splits that are there.  Broken or
 * missing text is FAIL_DATA with file and line. */
Status texts_open(Texts *texts, const DataConfig *config, bool pairs, Err *err);
/* Tokenizers from a run's folder; splits are opened when they are asked for. */
Status texts_open_run(Texts *texts, const DataConfig *config, bool pairs,
                      const char *run_dir, Err *err);
void texts_close(Texts *texts);

/* FAIL_DATA: the folder holds tokenizers that are not these, so the numbers in its
 * checkpoints mean other tokens. */
Status texts_check_saved(const Texts *texts, const char *run_dir, Err *err);
Status texts_save(const Texts *texts, const char *run_dir, Err *err);

/* Does the configuration name such a split? */
bool texts_has(const Texts *texts, Split split);
/* Opened now where it was not; NULL: err says why. */
const TextSet *texts_set(Texts *texts, Split split, Err *err);

const uint32_t *textset_source(const TextSet *set, size_t i, size_t *count);
const uint32_t *textset_target(const TextSet *set, size_t i, size_t *count);
/* Share of <unk> among the tokens of the source (or the text), 0, or the target, 1. */
double textset_unknown(const TextSet *set, size_t side);
/* The target line of pair i as in the file. */
const char *textset_target_line(const TextSet *set, size_t i, size_t *length);

#endif
