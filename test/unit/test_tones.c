/* Built-in speech. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/speech/tones.h"

enum { SEED = 5, UTTERANCES = 200 };

static void an_utterance_is_a_function_of_seed_split_and_number(void **state) {
    (void)state;
    Audio first = {0}, again = {0};
    for (size_t i = 0; i < 20; i++) {
        tones_audio(SEED, SPLIT_VAL, i, &first);
        tones_audio(SEED, SPLIT_VAL, i, &again);
        assert_int_equal(first.count, again.count);
        assert_int_equal(first.count, tones_length(SEED, SPLIT_VAL, i));
        assert_int_equal(first.rate, TONES_RATE);
        assert_memory_equal(first.samples, again.samples, first.count * sizeof(float));
    }
    audio_free(&first);
    audio_free(&again);
}

static void seeds_and_splits_have_other_voices(void **state) {
    (void)state;
    for (size_t i = 0; i < 20; i++) {
        Audio a = {0}, b = {0}, c = {0};
        tones_audio(SEED, SPLIT_TRAIN, i, &a);
        tones_audio(SEED, SPLIT_VAL, i, &b);
        tones_audio(SEED + 1, SPLIT_TRAIN, i, &c);
        size_t same[2] = {MIN(a.count, b.count), MIN(a.count, c.count)};
        assert_memory_not_equal(a.samples, b.samples, same[0] * sizeof(float));
        assert_memory_not_equal(a.samples, c.samples, same[1] * sizeof(float));
        audio_free(&a);
        audio_free(&b);
        audio_free(&c);
    }
}

static void words_are_digits_and_all_of_them_come(void **state) {
    (void)state;
    static const char *const WORDS[] = {"zero", "one", "two",   "three", "four",
                                        "five", "six", "seven", "eight", "nine"};
    size_t seen[COUNT(WORDS)] = {0}, lengths[TONES_WORDS_MOST + 1] = {0};
    TextBuffer text = {0};
    for (size_t i = 0; i < UTTERANCES; i++) {
        size_t words = 0;
        tones_text(SEED, SPLIT_TRAIN, i, &text);
        for (char *word = strtok(text.text, " "); word;
             word = strtok(NULL, " "), words++) {
            size_t k = 0;
            while (k < COUNT(WORDS) && strcmp(WORDS[k], word)) k++;
            assert_true(k < COUNT(WORDS));
            seen[k]++;
        }
        assert_in_range(words, 1, TONES_WORDS_MOST);
        lengths[words]++;
    }
    for (size_t k = 0; k < COUNT(WORDS); k++) assert_in_range(seen[k], 20, 90);
    for (size_t k = 1; k <= TONES_WORDS_MOST; k++) assert_in_range(lengths[k], 25, 80);
    text_free(&text);
}

static void samples_fit_any_format_and_words_are_louder_than_breath(void **state) {
    (void)state;
    Audio audio = {0};
    for (size_t i = 0; i < 20; i++) {
        double power[2] = {0};
        tones_audio(SEED, SPLIT_TEST, i, &audio);
        for (size_t n = 0; n < audio.count; n++)
            assert_true(fabs((double)audio.samples[n]) < 1);
        for (size_t n = 0; n < 400; n++) {
            power[0] += pow((double)audio.samples[n], 2);
            power[1] += pow((double)audio.samples[n + 1200], 2);
        }
        assert_true(power[1] > 10 * power[0]);
    }
    audio_free(&audio);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_utterance_is_a_function_of_seed_split_and_number),
        cmocka_unit_test(seeds_and_splits_have_other_voices),
        cmocka_unit_test(words_are_digits_and_all_of_them_come),
        cmocka_unit_test(samples_fit_any_format_and_words_are_louder_than_breath),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
