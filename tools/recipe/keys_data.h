/* keys_data: rows of [data], which tools/recipe/keys.c includes in its table. */
/* clang-format off */
    {.section = "data",
     .name = "source",
     .type = KEY_CHOICE,
     .offset = offsetof(Recipe, data.source),
     .standard = "glyphs",
     .choices = source_names,
     .between = ", ",
     REST(FOR_ALL,
          "Format of the data. glyphs (pictures), grammar (text), numbers (pairs) and "
          "tones (speech) are built-in synthetic data and need no files.")},
    TEXT(FOR_ALL, data, path, "", NULL, "Folder or file of the data.",
         WHEN(FROM_FILES)),
    REALS(FOR_VISION, data, mean, mean_count, 1, "0", ANY,
          "Per-channel mean of the normalisation (p/255 - mean)/std; one number is used "
          "for all channels."),
    REALS(FOR_VISION, data, std, std_count, 1, "1", ABOVE(0),
          "Per-channel standard deviation of the same normalisation; one number is used "
          "for all channels."),
    TEXT(FOR_VISION | FOR_SPEECH, data, augment, "none", check_augment,
         "Augmentation of training examples, comma-separated. Pictures: "
         "random-resized-crop[:min[:max]], crop[:padding], flip, "
         "jitter[:b[:c[:s[:hue[:p]]]]], grey[:p], blur[:p[:min[:max]]], "
         "rand-augment[:m[:sd[:ops]]], erasing[:p]. Speech: speed (0.9, 1 or 1.1 times as "
         "fast), specaugment[:bands[:width[:spans[:width[:share]]]]] (default: 2 masks of "
         "fewer than 30 filters, 10 of fewer than 50 rows and at most a tenth of the "
         "utterance)."),
    SIZE(FOR_CLASSIFY, data, repeat, "1", WITHIN(1, COPIES_MAX),
         "Repeated augmentation: copies of each image in an epoch, each augmented "
         "differently."),
    FLAG(FOR_ALL, data, shuffle, "true", "Shuffle the training examples each epoch."),
    AUTO(FOR_ALL, data, val_fraction, BELOW(0, 1),
         "Share of the training split held out for validation if none is given. Pictures "
         "are drawn from all classes, pairs of sentences from the whole text, the same for "
         "every seed; of a text it is the end. auto: 0.2 of class folders without splits, "
         "else 0.",
         WHEN("data.source != {whole} and data.val_path is empty "
              "and data.val_split is empty")),
    SIZE(FOR_VISION, data, image_size, "0", WITHIN(0, 16384),
         "Side length that images are resized to, in pixels; 0: no resizing."),
    SIZE(FOR_VISION, data, channels, "0", WITHIN(0, 4),
         "Channels of PNG and JPEG files, 1 (grey) or 3 (RGB); 0: 3.",
         WHEN("data.source = {decoded}")),
    TEXT(FOR_VISION, data, background, "black", check_background,
         "Background of transparent pixels of PNG files: black, white, grey, a level "
         "0-255, or three levels as R,G,B; predict uses the run's.",
         WHEN("data.source = {decoded}")),
    SIZE(FOR_ALL, data, limit, "0", FROM(0),
         "Number of training items to use; 0: all. Pictures are drawn from all classes, "
         "the same for every seed, before data.val_fraction; pairs are drawn, too; "
         "utterances are taken evenly from the whole list, so that all speakers are among "
         "them; of a text they are the first tokens."),
    SIZE(FOR_ALL, data, test_limit, "0", FROM(0),
         "Number of test items to use, chosen as data.limit chooses them; 0: all."),
    SIZE(FOR_VISION, data, label_gap, "16", WITHIN(0, 255),
         "IDX files: longest run of unused labels below one in use. A longer gap is "
         "refused, because a stray 255 would make 256 classes. 0: any.",
         WHEN("data.source = idx")),
    SIZE(FOR_VISION, data, threads, "0", WITHIN(0, 64),
         "Threads that prepare batches; 0: one, and more if training waits for them over 2 % "
         "of the time, up to the threads of training. Batches do not depend on it."),
    CHOICE(FOR_ALL, data, changed, "refuse", NAMES("refuse", "allow"), NULL,
           "Changed data at a resume: end (exit 3), or report it and train on. Changes are "
           "other counts, files, classes, lines or rows, or another order; of pictures in "
           "folders, names and lengths of files are compared."),
    CHOICE(FOR_ALL, data, on_error, "stop", NAMES("stop", "skip"), NULL,
           "Broken images, recordings and transcripts: end the run (exit 3), or leave them "
           "out and count them.",
         WHEN("data.source = {skips}")),
    SIZE(FOR_VISION, data, classes, "10", WITHIN(0, 10),
         "Glyphs: number of classes (0: 10); other sources find it in the data.",
         WHEN("data.source = glyphs")),
    SIZE(FOR_ALL, data, synthetic_count, "10000", WITHIN(1, DRAWN_MAX),
         "Glyphs, grammar, numbers, tones: training examples; the test split has a fifth "
         "of that.",
         WHEN("data.source = {synthetic}")),
    CHOICE(FOR_TEXTS, data, tokens, "word", NAMES("char", "word", "bpe"), NULL,
           "Tokens are characters, words between spaces, or pieces of words (byte pair "
           "encoding compatible with subword-nmt)."),
    TEXT(FOR_PAIRS, data, source_lang, "", NULL, "Suffix of the source-language files, such as de.",
         WHEN("data.source = parallel")),
    TEXT(FOR_PAIRS, data, target_lang, "", NULL, "Suffix of the target-language files, such as en.",
         WHEN("data.source = parallel")),
    TEXT(FOR_TEXTS, data, source_vocab, "", NULL,
         "Dictionary file of the source (or of a language model), a token and its count "
         "per line; empty: made from the training text."),
    TEXT(FOR_PAIRS, data, target_vocab, "", NULL,
         "Dictionary file of the target; empty: made from the training text.",
         WHEN("data.joint = false")),
    TEXT(FOR_TEXTS, data, bpe_codes, "", NULL,
         "File of merges (subword-nmt, #version: 0.2); empty: learned "
         "from the training text.",
         WHEN("data.tokens = bpe")),
    SIZE(FOR_TEXTS, data, bpe_merges, "8000", WITHIN(0, 1e7),
         "Maximum number of merges to learn.",
         WHEN("data.tokens = bpe and data.bpe_codes is empty")),
    SIZE(FOR_TEXTS, data, min_count, "1", WITHIN(1, 1e9),
         "Minimum count: rarer tokens of the training text become <unk>.",
         WHEN(MIN_COUNT)),
    FLAG(FOR_PAIRS, data, joint, "false",
         "Share one dictionary and one set of merges between both languages."),
    FLAG(FOR_TEXTS, data, lowercase, "false",
         "Convert all letters to lower case before tokens are made."),
    CHOICE(FOR_TEXTS, data, word_split, "none", NAMES("none", "13a"), NULL,
           "Separate punctuation from words before tokens are made, as sacreBLEU's 13a does."),
    SIZE(FOR_PAIRS, data, max_length, "1024", WITHIN(1, 1e6),
         "Maximum length of a sentence, in tokens."),
    REAL(FOR_PAIRS, data, max_ratio, "0", FROM(0),
         "Maximum ratio of the two lengths of a pair, in tokens; 0: any."),
    FLAG(FOR_PAIRS, data, drop_long, "false",
         "Leave out and count pairs beyond max_length or max_ratio; otherwise they are an "
         "error (exit 3)."),
    TEXT(FOR_TEXTS | FOR_SPEECH, data, val_path, "", NULL,
         "Validation data, named like data.path; for speech a manifest, or a folder of "
         "speakers.",
         WHEN("data.source != {fixed}")),
    TEXT(FOR_TEXTS | FOR_SPEECH, data, test_path, "", NULL,
         "Test data, named like data.val_path.",
         WHEN("data.source != {fixed}")),
    TEXT(FOR_SPEECH, data, train_split, "", NULL,
         "Folders (librispeech) or manifests in data.path to train on, comma-separated; a "
         "* at the end matches every name that begins so. Empty: train*.",
         WHEN("data.source = {named}")),
    TEXT(FOR_SPEECH, data, val_split, "", NULL,
         "Folders or manifests for validation, as in data.train_split; empty: dev-clean, "
         "or of manifests dev* or val*, if they exist.",
         WHEN("data.source = {named} and data.val_path is empty")),
    TEXT(FOR_SPEECH, data, test_split, "", NULL,
         "Folders or manifests of the test split, as in data.train_split; empty: "
         "test-clean, or of manifests test*.",
         WHEN("data.source = {named} and data.test_path is empty")),
    SIZE(FOR_SPEECH, data, cache, "2048", WITHIN(0, 1e9),
         "Memory for features, MB; features beyond it are computed again each epoch."),
