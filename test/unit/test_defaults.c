/* The defaults of structs, for programs that fill them without a recipe, are
 * those of the key table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/speech/set.h"
#include "engine/optim/optim.h"
#include "models/beam.h"
#include "tools/recipe/keys.h"

/* Keys of the section whose value in `recipe` is another than the table's default. */
static size_t differing(const char *section, const Recipe *recipe) {
    static Recipe standard;
    static char ours[KEY_VALUE_MAX], theirs[KEY_VALUE_MAX];
    size_t count = 0, seen = 0;
    standard = recipe_default();
    for (const Key *key = keys; key < keys + keys_count; key++) {
        if (strcmp(key->section, section) || !key_is_stored(key)) continue;
        key_print(key, recipe, ours, sizeof ours);
        key_print(key, &standard, theirs, sizeof theirs);
        seen++;
        if (!strcmp(ours, theirs)) continue;
        print_error("%s.%s = %s in the struct, %s in the table\n", section, key->name,
                    ours, theirs);
        count++;
    }
    assert_true(seen > 8);
    return count;
}

static Recipe recipe;

static void models(void **state) {
    (void)state;
    recipe.model = model_config_default();
    assert_int_equal(differing("model", &recipe), 0);
}

static void optimizers(void **state) {
    (void)state;
    recipe.optim = optim_config_default();
    assert_int_equal(differing("optim", &recipe), 0);
}

static void data(void **state) {
    (void)state;
    recipe.data = data_config_default();
    assert_int_equal(differing("data", &recipe), 0);
}

/* These structs have names of their own for what keys say. */
static void speech_and_searches(void **state) {
    (void)state;
    Recipe standard = recipe_default();
    SpeechConfig speech = speech_config_default();
    BeamConfig beam = beam_config_default();
    assert_int_equal(speech.cache_bytes, standard.data.cache << 20);
    assert_int_equal(speech.synthetic_count, standard.data.synthetic_count);
    assert_int_equal(speech.on_error, standard.data.on_error);
    assert_int_equal(beam.beam, standard.train.beam);
    assert_int_equal(beam.max_length, standard.train.max_decode);
    assert_true(beam.length_penalty == standard.train.length_penalty);
}

int main(void) {
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(models),
        cmocka_unit_test(optimizers),
        cmocka_unit_test(data),
        cmocka_unit_test(speech_and_searches),
    };
    return cmocka_run_group_tests_name("defaults", cases, NULL, NULL);
}
