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
          "Where examples come from; glyphs (pictures), grammar (text), numbers (pairs) and "
          "tones (speech) are made by the program and need no files.")},
    TEXT(FOR_ALL, data, path, "", NULL, "Folder or file of the data; glyphs have none.",
         WHEN(FROM_FILES)),
    REALS(FOR_VISION, data, mean, mean_count, 1, "0", ANY,
          "Pixels become (p/255 - mean)/std; one number for all channels, or one a "
          "channel."),
    REALS(FOR_VISION, data, std, std_count, 1, "1", ABOVE(0), "See data.mean."),
    TEXT(FOR_VISION | FOR_SPEECH, data, augment, "none", check_augment,
         "Changes of training images, comma-separated: random-resized-crop[:min[:max]], "
         "crop[:padding], flip, jitter[:b[:c[:s[:hue[:p]]]]], grey[:p], blur[:p[:min[:max]]], "
         "rand-augment[:m[:sd[:ops]]], erasing[:p]; of speech: speed (0.9, 1 or 1.1 times as fast), "
         "specaugment[:bands[:width[:spans[:width[:share]]]]], by "
         "itself 2 bands below 30 filters, 10 spans below 50 rows and a tenth of all."),
    SIZE(FOR_CLASSIFY, data, repeat, "1", WITHIN(1, COPIES_MAX),
         "Repeated augmentation: copies of an image in an epoch, each changed "
         "differently."),
    FLAG(FOR_ALL, data, shuffle, "true", "New order of the training examples each epoch."),
    REAL(FOR_ALL, data, val_fraction, "0", BELOW(0, 1),
         "Share of the training split that is held out for validation if none is given; of "
         "pictures drawn from all classes and of pairs of sentences from the whole text, the same "
         "whatever the seed; of a text its end.",
         WHEN("data.source != {whole} and data.val_path is empty "
              "and data.val_split is empty")),
    SIZE(FOR_VISION, data, image_size, "0", WITHIN(0, 16384),
         "Side that images are resized to, in pixels; 0: as the files are."),
    SIZE(FOR_VISION, data, channels, "0", WITHIN(0, 4),
         "Channels that PNG and JPEG files are read with, 1 (grey) or 3 (RGB); 0: 3.",
         WHEN("data.source = {decoded}")),
    TEXT(FOR_VISION, data, background, "black", check_background,
         "Colour that transparent pixels of PNG files are laid over: black, white, grey, a level "
         "0-255, or three levels as R,G,B; predict uses the run's.",
         WHEN("data.source = {decoded}")),
    SIZE(FOR_ALL, data, limit, "0", FROM(0),
         "Use only so many items of the training split; 0: all. Of pictures they are drawn from "
         "all classes, the same whatever the seed, before data.val_fraction; of pairs they "
         "are drawn, too; of speech evenly from the whole list, so that all speakers are among "
         "them; of a text they are the first."),
    SIZE(FOR_ALL, data, test_limit, "0", FROM(0),
         "Use only so many items of the test split, chosen as data.limit chooses them; 0: all."),
    SIZE(FOR_VISION, data, label_gap, "16", WITHIN(0, 255),
         "IDX: most labels in a row that no item has, below one that is in use; a longer gap is "
         "refused, for a stray 255 would make 256 classes. 0: any.",
         WHEN("data.source = idx")),
    SIZE(FOR_VISION, data, threads, "0", WITHIN(0, 64),
         "Threads that make batches ahead; 0: one, and more where training waits for them more "
         "than 2 % of the time, up to the threads of training. Batches are the same."),
    CHOICE(FOR_ALL, data, changed, "refuse", NAMES("refuse", "allow"), NULL,
           "What a resumed run does where its data are not those that it was trained on: end "
           "(exit 3), or say so and train on. Other counts, files, classes, lines or rows, or "
           "another order, are seen; of pictures in folders the names and lengths of files are "
           "compared."),
    CHOICE(FOR_ALL, data, on_error, "stop", NAMES("stop", "skip"), NULL,
           "What to do about a broken image, recording or transcript: end the run (exit 3), or "
           "leave it out and count it.",
         WHEN("data.source = {skips}")),
    SIZE(FOR_VISION, data, classes, "10", WITHIN(0, 10),
         "Glyphs: number of classes (0: 10); elsewhere it is found in the data.",
         WHEN("data.source = glyphs")),
    SIZE(FOR_ALL, data, synthetic_count, "10000", WITHIN(1, DRAWN_MAX),
         "Glyphs, grammar, numbers, tones: examples of an epoch; the test split has a fifth "
         "of that.",
         WHEN("data.source = {synthetic}")),
    CHOICE(FOR_TEXTS, data, tokens, "word", NAMES("char", "word", "bpe"), NULL,
           "What a token is: a character, a word between blanks, or a piece of a word "
           "(byte pair encoding compatible with subword-nmt)."),
    TEXT(FOR_PAIRS, data, source_lang, "", NULL, "Suffix of the source-language files, such as de.",
         WHEN("data.source = parallel")),
    TEXT(FOR_PAIRS, data, target_lang, "", NULL, "Suffix of the target-language files, such as en.",
         WHEN("data.source = parallel")),
    TEXT(FOR_TEXTS, data, source_vocab, "", NULL,
         "Dictionary of the source (or of a language model): a token and its count a "
         "line; empty: made from the training text."),
    TEXT(FOR_PAIRS, data, target_vocab, "", NULL, "Dictionary of the target.",
         WHEN("data.joint = false")),
    TEXT(FOR_TEXTS, data, bpe_codes, "", NULL,
         "File of merges (subword-nmt, #version: 0.2); empty: learned "
         "from the training text.",
         WHEN("data.tokens = bpe")),
    SIZE(FOR_TEXTS, data, bpe_merges, "8000", WITHIN(0, 1e7),
         "Maximum number of merges to learn.",
         WHEN("data.tokens = bpe and data.bpe_codes is empty")),
    SIZE(FOR_TEXTS, data, min_count, "1", WITHIN(1, 1e9),
         "Tokens that are rarer in the training text become <unk>.",
         WHEN(MIN_COUNT)),
    FLAG(FOR_PAIRS, data, joint, "false",
         "One dictionary, and one set of merges, for both languages."),
    FLAG(FOR_TEXTS, data, lowercase, "false", "Bring all letters to lower case first."),
    CHOICE(FOR_TEXTS, data, word_split, "none", NAMES("none", "13a"), NULL,
           "Separate punctuation from words before tokens are made, as sacreBLEU's 13a does."),
    SIZE(FOR_PAIRS, data, max_length, "1024", WITHIN(1, 1e6),
         "Longest sentence of a pair, in tokens."),
    REAL(FOR_PAIRS, data, max_ratio, "0", FROM(0),
         "Largest ratio of the lengths of a pair, in tokens; 0: any."),
    FLAG(FOR_PAIRS, data, drop_long, "false",
         "Leave out what max_length and max_ratio forbid, and count it; else it is an "
         "error (exit 3)."),
    TEXT(FOR_TEXTS | FOR_SPEECH, data, val_path, "", NULL,
         "Validation data, named like data.path; of speech a manifest, or a folder of "
         "speakers.",
         WHEN("data.source != {fixed}")),
    TEXT(FOR_TEXTS | FOR_SPEECH, data, test_path, "", NULL,
         "Test data, named like data.val_path.",
         WHEN("data.source != {fixed}")),
    TEXT(FOR_SPEECH, data, train_split, "", NULL,
         "Folders (librispeech) or manifests of data.path to train on, comma-separated, a * "
         "at the end for all that begin so; empty: train*.",
         WHEN("data.source = {named}")),
    TEXT(FOR_SPEECH, data, val_split, "", NULL,
         "The same for validation; empty: dev-clean, or of manifests dev* or val*, where "
         "they are there.",
         WHEN("data.source = {named} and data.val_path is empty")),
    TEXT(FOR_SPEECH, data, test_split, "", NULL,
         "The same for the test; empty: test-clean, or of manifests test*.",
         WHEN("data.source = {named} and data.test_path is empty")),
    SIZE(FOR_SPEECH, data, cache, "2048", WITHIN(0, 1e9),
         "Features that are kept in memory, MB; others are computed again each epoch."),
