/* dataset: labelled images behind one table of functions, whatever file they come
 * from.
 *
 *     Dataset *set = dataset_open(&config, SPLIT_TRAIN, &err);      NULL: err says why
 *     Image image = {0};
 *     size_t label;
 *     if (dataset_get(set, i, &image, &label, &err)) ...
 *     image_free(&image); dataset_free(set);
 *
 * A reader (data/picture/idx.c, cifar.c, folder.c, glyphs.c) fills in a Dataset and knows
 * nothing of the others; data/picture/source.c holds the one list of them.  See
 * docs/adding.md. */
#ifndef STEADY_DATASET_H
#define STEADY_DATASET_H

#include "data/facts.h"

#define CHANNELS_MAX 4

typedef enum { SPLIT_TRAIN, SPLIT_VAL, SPLIT_TEST } Split;
typedef enum { ON_ERROR_STOP, ON_ERROR_SKIP } OnError;
typedef enum { DATA_REFUSE, DATA_ALLOW } DataChanged;
typedef enum { TOKENS_CHAR, TOKENS_WORD, TOKENS_BPE } TokenKind;
typedef enum { SPLIT_WORDS_NONE, SPLIT_WORDS_13A } WordSplit;

/* The recipe's [data] section, and what of [train] changes pixels. */
typedef struct DataConfig {
    char source[32]; /* a name of source_list() */
    char path[1024];
    double mean[CHANNELS_MAX]; /* pixels become (p/255 - mean)/std; one serves all */
    double std[CHANNELS_MAX];
    size_t mean_count, std_count;
    char augment[256]; /* see data/picture/augment.h; "none" */
    size_t repeat;     /* repeated augmentation: copies of an image an epoch */
    bool shuffle;
    double val_fraction; /* of the training split, cut off as split `val` */
    size_t image_size;   /* side after resizing; 0: as the files are (folder: as
                                 * the first training picture is) */
    size_t channels;     /* 1 or 3 for PNG and JPEG; 0: 3 */
    char background[32]; /* behind transparent pixels: see background_parse */
    size_t limit;        /* so many items of the training split; 0: all */
    /* idx: most labels in a row that nothing has, below one in use; 0: any */
    size_t label_gap;
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
    WordSplit word_split; /* then punctuation is parted from words, or not */
    size_t max_length;    /* tokens of a sentence, </s> apart */
    double max_ratio;     /* longer / shorter sentence of a pair, in tokens; 0: any */
    /* sentences beyond these are left out; else they are an error */
    bool drop_long;
    /* speech (data/speech/set.h) */
    /* names; "": the source's own */
    char train_split[256], val_split[256], test_split[256];
    size_t cache; /* features kept in memory, MB */
} DataConfig;

DataConfig data_config_default(void);

/* Bytes of one picture, interleaved: pixels[(y * width + x) * channels + c]. */
typedef struct Image {
    uint8_t *pixels;
    size_t height, width, channels;
    size_t capacity; /* bytes that pixels has room for; 0: pixels are borrowed */
} Image;

/* Sets the size, with room for its pixels (grown, never shrunk); contents are
 * undefined. */
void image_resize_buffer(Image *image, size_t height, size_t width, size_t channels);
void image_free(Image *image);

enum { DATASET_PATH = 2800 };
typedef struct Dataset Dataset;

struct Dataset {
    const char *source; /* "idx", ... */
    size_t count;       /* items in this split */
    size_t classes;     /* largest label + 1 over all splits, or class folders */
    size_t channels;
    size_t height, width; /* of every item; 0: items differ (folder) */
    char **class_names;   /* [classes], or NULL when classes are numbers */
    DataFacts facts;      /* what was left out or guessed (data/facts.h) */
    void *state;          /* the reader's own */
    /* Item i, 0 <= i < count, in its own size; image may be reused, and after a
     * failure holds nothing of use.  A bad item is FAIL_DATA with the file named.
     * Thread-safe. */
    Status (*get)(const Dataset *set, size_t i, Image *image, size_t *label, Err *err);
    /* What is known of item i without reading it.  Any may be NULL: it is not known. */
    size_t (*label)(const Dataset *set, size_t i);
    /* of its pixels; where they are in a file of its own, of that one's name and
     * length */
    uint64_t (*digest)(const Dataset *set, size_t i);
    /* of such a file */
    void (*path)(const Dataset *set, size_t i, char path[DATASET_PATH]);
    size_t (*bytes)(const Dataset *set, size_t i); /* its length */
    void (*free_state)(void *state);
};

/* Opens one split.  data.limit comes first: so many items of the training split, drawn from all
 * classes in their share (data/stratify.h); fewer than there are classes is FAIL_USAGE.  Then
 * SPLIT_VAL with val_fraction > 0 is cut off what is left: round(val_fraction * count) items, drawn
 * in the same way, so that each class keeps one for training.  Both draws are the same whatever
 * the seed and the threads; the items keep their order.  Without val_fraction a folder's val is
 * SPLIT_VAL where there is a test beside it (a val alone is SPLIT_TEST), and elsewhere SPLIT_VAL
 * is empty: count 0.  facts has count, hash (class names, labels, digests of the items that are
 * left) and what was left out.  A file that is missing, cut short, of the wrong kind or that
 * disagrees with its neighbour is FAIL_DATA (a bad key: FAIL_USAGE). */
Dataset *dataset_open(const DataConfig *config, Split split, Err *err);
Status dataset_get(const Dataset *set, size_t i, Image *image, size_t *label, Err *err);
void dataset_free(Dataset *set);

/* The names that data.source can take, comma-separated. */
const char *source_list(void);

/* What a picture file is, as far as its pixels do not show it. */
typedef struct PictureTraits {
    unsigned orientation; /* of its Exif data, 1-8; applied (data/picture/exif.h) */
    bool grey;            /* the file holds no colour */
    bool inks;            /* CMYK or YCCK, converted without a colour profile */
    bool clear;           /* a pixel is transparent, in part at least */
} PictureTraits;

typedef struct PictureReading {
    size_t channels;       /* 1 (grey) or 3 (RGB) */
    uint8_t background[3]; /* RGB behind what is transparent */
    PictureTraits *traits; /* to be filled; NULL: not wanted */
} PictureReading;

/* What data.channels and data.background say; a background that is none is black. */
PictureReading picture_reading(const DataConfig *config);

/* "black", "white", "grey" (128), one level 0-255, or three as R,G,B.  FAIL_USAGE. */
Status background_parse(const char *text, uint8_t rgb[3], Err *err);

/* Reads one picture file (PNG; JPEG where it is built in), told apart by content, as 8-bit pixels:
 * transparent ones are laid over the background, 16 bits are reduced, Exif orientation is applied,
 * CMYK becomes RGB (with the marker of Adobe the inks are inverted), gamma and colour profiles are
 * ignored.  FAIL_DATA: not such a file (other kinds are named), cut short, damaged, or more than
 * 2^28 pixels.  FAIL_RUN: a JPEG file in a program that was built without JPEG. */
Status image_read(const char *path, const PictureReading *how, Image *image, Err *err);

/* Does the file begin as a PNG or JPEG file does? */
bool image_is_picture(const char *path);

/* Writes 1 (grey) or 3 (RGB) channels.  A file that could not be written whole is
 * removed. */
Status image_write_png(const char *path, const Image *image, Err *err);

#endif
