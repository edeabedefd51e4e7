/* config: what the recipe's [data] section says of the data, whatever it is made of.
 *
 *     DataConfig config = data_config_default();
 *     text_format(config.path, sizeof config.path, "mnist");
 *
 * Each room of data/ reads what is its own: pictures (data/picture/dataset.h), texts
 * (data/text/set.h), speech (data/speech/set.h). */
#ifndef STEADY_DATA_CONFIG_H
#define STEADY_DATA_CONFIG_H

#include "data/given.h"
#include "data/sources.h"

#define CHANNELS_MAX 4

typedef enum { SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST } Split;
typedef enum { ON_ERROR_STOP, ON_ERROR_SKIP } OnError;
typedef enum { DATA_REFUSE, DATA_ALLOW } DataChanged;
typedef enum { TOKENS_CHAR, TOKENS_WORD, TOKENS_BPE } TokenKind;
typedef enum { SPLIT_WORDS_NONE, SPLIT_WORDS_13A } WordSplit;

/* The recipe's [data] section, and what of [train] changes pixels. */
typedef struct DataConfig {
    Source source;
    char path[1024];
    const GivenData *given;    /* no key: examples in memory instead; NULL: files */
    double mean[CHANNELS_MAX]; /* pixels become (p/255 - mean)/std; one serves all */
    double std[CHANNELS_MAX];
    size_t mean_count, std_count;
    char augment[256]; /* see data/picture/augment.h; "none" */
    size_t repeat;     /* repeated augmentation: copies of an image an epoch */
    bool shuffle;
    double val_fraction; /* of the training split, split `val`; < 0: auto */
    size_t image_size;   /* side after resizing; 0: as the files are (folder: as
                                 * the first training picture is) */
    size_t channels;     /* 1 or 3 for PNG and JPEG; 0: 3 */
    char background[32]; /* behind transparent pixels: see background_parse */
    size_t limit;        /* so many items of the training split; 0: all */
    size_t test_limit;   /* the same of the test split */
    /* idx: most labels in a row that nothing has, below one in use; 0: any */
    size_t label_gap;
    size_t threads; /* that make batches of pictures; 0: as many as training needs */
    OnError on_error;
    DataChanged changed;    /* of a run that is resumed */
    size_t classes;         /* glyphs: how many, 1-10 (0: 10); others: found */
    size_t synthetic_count; /* glyphs: images an epoch; the test split has a fifth */
    /* texts (data/text/set.h) */
    TokenKind tokens;
    char val_path[1024], test_path[1024];  /* splits of their own; "" none */
    char source_lang[32], target_lang[32]; /* pairs: endings of the files */
    /* dictionaries; "": made from the data */
    char source_vocab[1024], target_vocab[1024];
    char bpe_codes[1024]; /* "": learned from the training text */
    size_t bpe_merges;    /* how many, when learned */
    size_t min_count;     /* rarer words are <unk> */
    /* pairs: one dictionary and one set of codes for both languages */
    bool joint;
    bool lowercase;       /* first of all */
    WordSplit word_split; /* then punctuation is split from words, or not */
    size_t max_length;    /* tokens of a sentence, </s> apart */
    double max_ratio;     /* longer / shorter sentence of a pair, in tokens; 0: any */
    /* sentences beyond these are left out; else they are an error */
    bool drop_long;
    /* speech (data/speech/set.h) */
    /* names; "": the source's own */
    char train_split[256], val_split[256], test_split[256];
    size_t cache; /* features kept in memory, MB */
} DataConfig;

/* The defaults of the recipe's [data] section. */
DataConfig data_config_default(void);

#endif
