/* What stands in a recipe as a list of its own: augmentations of pictures and of
 * speech. */
#include "data/picture/augment.h"
#include "data/speech/set.h"
#include "test/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Err err = ERR_NONE;
    const char *text = fuzz_text(data, size, 500);
    bool speeds;
    SpecAugment masks;
    augment_free(augment_parse(text, &err));
    speech_augment_parse(text, &speeds, &masks, &err);
    return 0;
}
