/* set: recordings with their transcripts, checked before anything is trained.
 *
 *     SpeechConfig config = speech_config_default();
 *     strcpy(config.path, "LibriSpeech");
 *     SpeechSet *set = speechset_open(&config, SPLIT_TRAIN, &err);        NULL: err says why
 *     speechset_features(set, i, features, &err);       [set->item[i].frames, config.filters]
 *     speechset_free(set);
 *
 * Sources:
 *   librispeech  folders of `path`: FOLDER/speaker/chapter/ID.flac (or .wav) beside *.trans.txt with lines
 *                "ID TEXT"; any depth up to four folders
 *   manifest     files of `path`: a JSON object a line with audio_filepath, text and perhaps offset and
 *                duration (NeMo), or path, duration and text between tabs; paths are relative to the
 *                manifest's folder; offset and duration cut the recording
 *   tones        built in (data/speech/tones.h)
 * A split is a list of such names, separated by commas; a name that ends with * means
 * all that begin so, and a list with a slash in it holds paths of their own. */
#ifndef STEADY_SPEECH_SET_H
#define STEADY_SPEECH_SET_H

#include "data/config.h"
#include "data/facts.h"
#include "data/speech/audio.h"
#include "data/speech/logmel.h"
#include "data/speech/text.h"

/* Takes a line, as printf does. */
typedef void SpeechSay(const char *format, ...) __attribute__((format(printf, 1, 2)));

typedef struct SpeechConfig {
    Source source;
    char path[1024];
    char train[1100], val[1100], test[1100]; /* names of each split; "": there is none */
    /* share of the training names' utterances, evenly spread, that is the val split; 0:
     * it has names of its own */
    double val_fraction;
    size_t limit; /* so many utterances of the training split, evenly over all; 0: all */
    size_t test_limit;      /* the same of the test split */
    OnError on_error;       /* skip: what fails a check is left out and counted */
    size_t synthetic_count; /* tones: of the training split; the others have a fifth */
    size_t filters;         /* numbers in a row of features */
    size_t stride;          /* rows a label at most: CTC sees frames / stride of them */
    bool speeds;            /* training plays utterances at other speeds, too */
    /* recordings at other rates are treated as if resampled to this; 0: as they are */
    size_t heard;
    size_t cache_bytes; /* features kept in memory */
    /* names the faults that end the opening, all of them; NULL: nobody does */
    SpeechSay *faults;
} SpeechConfig;

/* librispeech, train* / dev-clean / test-clean, 80 filters, stride 3, a cache of 2
 * GiB. */
SpeechConfig speech_config_default(void);

/* Sets train, val and test to what a recipe says, else to what the source's folders
 * are called.  data.path may also be the training data themselves: a manifest, or a
 * folder of speakers. */
void speech_name_splits(SpeechConfig *config, const DataConfig *data);

typedef struct SpeechItem {
    char *path;       /* of the recording; tones: "tones-1", ... */
    char *text;       /* lower case, one blank between words */
    uint32_t *labels; /* [label_count], see text.h */
    size_t label_count;
    /* of the recording, from its manifest; or {0}: all of it */
    AudioSpan span;
    bool cut;             /* the manifest has an offset */
    size_t samples, rate; /* of the span */
    size_t whole;         /* samples of the recording */
    AudioTraits traits;
    size_t frames;     /* rows of features */
    size_t list, line; /* where the transcript is: set->list[list], from 1 */
} SpeechItem;

/* What a check can find. */
typedef enum {
    SPEECH_NO_AUDIO,   /* a transcript's line without a recording */
    SPEECH_NO_TEXT,    /* a recording without a line */
    SPEECH_EMPTY_TEXT, /* a line without words */
    SPEECH_UNKNOWN,    /* a character that has no label */
    SPEECH_BROKEN,     /* a recording that audio_check refuses */
    /* fewer than labels + repeated labels frames / stride: CTC cannot align it */
    SPEECH_TOO_SHORT,
    SPEECH_MALFORMED, /* a line that is no utterance: keys, types, JSON, columns, bytes */
    SPEECH_OUTSIDE,   /* an offset behind the end of the recording */
    SPEECH_FAULTS,
} SpeechFault;

enum { SPEECH_NAMED_MOST = 100, SPEECH_RATES_MOST = 8, SPEECH_SCANNED = 200000000 };

/* Speeds (Ko et al. 2015): as recorded, 0.9 and 1.1 times as fast, pitch and all. */
enum { SPEECH_SPEEDS = 3 };

typedef struct SpeechReport {
    size_t listed; /* lines, and recordings without a line */
    size_t faults[SPEECH_FAULTS];
    size_t left_out;  /* their sum */
    TextBuffer named; /* a line each for the first SPEECH_NAMED_MOST */
} SpeechReport;

typedef struct SpeechSet {
    SpeechConfig config;
    SpeechItem *item; /* [count], in order of their names or lines */
    size_t count;
    double seconds; /* of all */
    SpeechReport report;
    DataFacts facts; /* data/facts.h; hash: of names, texts and lengths */
    char **list;     /* [lists] manifests and trans.txt files */
    size_t lists;
    size_t rate[SPEECH_RATES_MOST], rates; /* that occur */
    Split split;                           /* where the program makes them */
    struct SpeechStore *store;             /* tables, cached features */
} SpeechSet;

/* Reads lists and looks at each recording (audio_check): at all of it up to
 * SPEECH_SCANNED samples of a set, beyond that at every so many.  FAIL_DATA with file and
 * line: a list that is missing or of another kind; no utterance at all, or none with a
 * sound; with on_error = stop also any fault, after all were counted: the text names the
 * first and counts each kind, config->faults receives all. */
SpeechSet *speechset_open(const SpeechConfig *config, Split split, Err *err);
/* The same for names of the caller's ("dev-other"; tones: train, val, test). */
SpeechSet *speechset_open_names(const SpeechConfig *config, const char *names, Err *err);
void speechset_free(SpeechSet *set); /* NULL is fine */

/* How many utterances of `set` are in `other`, too (the same file name, samples and
 * text), and how many recordings are there with another text; the first of each. */
typedef struct SpeechShared {
    size_t same, first_same, reworded, first_reworded;
} SpeechShared;
SpeechShared speechset_shared(const SpeechSet *set, const SpeechSet *other);

/* Are there such folders or files? */
bool speech_has(const SpeechConfig *config, Split split);

/* Its path, and "@12.5" behind it for a piece that begins at 12.5 s. */
void speech_item_name(const SpeechItem *item, char *name, size_t size);

/* The faults by name, a line each; how many more there are. */
void speech_name_faults(const SpeechReport *report, SpeechSay *say);

/* "2 recordings without a transcript, 1 too short for its text"; "" without faults. */
void speech_fault_text(const SpeechReport *report, char *text, size_t size);

/* Normalised log-mel features of utterance i, from the cache or now.  Thread-safe.
 * FAIL_DATA: the recording is damaged in its middle, or another than at the check. */
Status speechset_features(SpeechSet *set, size_t i, real *features, Err *err);

/* The same at one of SPEECH_SPEEDS (0: as recorded; others where config.speeds), and how
 * many rows that are.  0 rows: at this speed CTC could not align the text. */
Status speechset_features_at(SpeechSet *set, size_t i, size_t speed, real *features,
                             Err *err);
size_t speechset_frames_at(const SpeechSet *set, size_t i, size_t speed);

/* data.augment of speech: "none", or "speed" and "specaugment..." (logmel.h)
 * with a comma between. */
Status speech_augment_parse(const char *list, bool *speeds, SpecAugment *masks, Err *err);
size_t speechset_cached(SpeechSet *set); /* bytes in the cache */

#endif
