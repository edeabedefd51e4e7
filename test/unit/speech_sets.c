#include "speech_sets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "files.h"
#include "sounds.h"

void speech_put(const char *root, const char *name, const char *text) {
    files_write(root, name, text, strlen(text));
}

SpeechConfig speech_config_of(const char *root, Source source) {
    SpeechConfig c = speech_config_default();
    c.source = source;
    text_format(c.path, sizeof c.path, "%s", root);
    return c;
}

SpeechSet *speech_must_open(const SpeechConfig *config, Split split) {
    Err err = ERR_NONE;
    SpeechSet *set = speechset_open(config, split, &err);
    if (!set) fail_msg("%s", err.text);
    return set;
}

void speech_refuse(const SpeechConfig *config, Split split, const char *part) {
    Err err = ERR_NONE;
    SpeechSet *set = speechset_open(config, split, &err);
    if (set) fail_msg("opened, though \"%s\" was to be noticed", part);
    if (!strstr(err.text, part)) fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    assert_int_equal(err.status, FAIL_DATA);
}

void speech_refuse_or_skip(SpeechConfig config, SpeechFault fault, size_t left,
                           const char *part) {
    config.on_error = ON_ERROR_STOP;
    speech_refuse(&config, SPLIT_TRAIN, part);
    config.on_error = ON_ERROR_SKIP;
    SpeechSet *set = speech_must_open(&config, SPLIT_TRAIN);
    assert_int_equal(set->count, left);
    assert_int_equal(set->report.left_out, 1);
    assert_int_equal(set->report.faults[fault], 1);
    assert_int_equal(set->report.listed, left + 1);
    if (!strstr(set->report.named.text, part)) fail_msg("%s", set->report.named.text);
    speechset_free(set);
}

SpeechConfig speech_folders(const char *root) {
    speech_put(root, CHAPTER ".trans.txt", "7-2-0000 ONE TWO\n7-2-0001 IT'S THREE\n");
    sound_flac(root, CHAPTER "-0000.flac", 16, 1);
    sound_wav(root, CHAPTER "-0001.wav", 8, 2, false);
    speech_put(root, "train-other/1/1/1-1.trans.txt", "1-1-0000 FOUR\n\n");
    sound_wav_of(root, "train-other/1/1/1-1-0000.wav", 1.5);
    speech_put(root, "dev-clean/3/1/3-1.trans.txt", "3-1-0000 FIVE\n");
    sound_flac(root, "dev-clean/3/1/3-1-0000.flac", 24, 1);
    speech_put(root, "train-readme.txt", "not a folder");
    return speech_config_of(root, SOURCE_LIBRISPEECH);
}

const char *speech_note_of(const SpeechSet *set, const char *start) {
    for (size_t i = 0; i < set->facts.notes; i++)
        if (!strncmp(set->facts.note[i].text, start, strlen(start)))
            return set->facts.note[i].text;
    return "";
}

void speech_expect_note(const SpeechSet *set, const char *start, const char *part) {
    if (!strstr(speech_note_of(set, start), part))
        fail_msg("\"%s\" is not in \"%s\"", part, speech_note_of(set, start));
}

SpeechConfig speech_manifest(const char *root, const char *text) {
    SpeechConfig config = speech_config_of(root, SOURCE_MANIFEST);
    speech_put(root, "train.txt", text);
    sound_wav(root, "a.wav", 16, 1, false);
    sound_flac(root, "sub/b.flac", 16, 1);
    return config;
}
