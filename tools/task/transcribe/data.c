/* data: what a recipe says of recordings, as their reader takes it
 * (tools/task/transcribe/transcribe.h). */
#include "tools/task/transcribe/transcribe.h"

SpeechConfig transcribe_config(const Recipe *recipe) {
    const DataConfig *d = &recipe->data;
    SpeechConfig c = speech_config_default();
    c.source = d->source;
    text_format(c.path, sizeof c.path, "%s", d->path);
    c.limit = d->limit;
    /* As with texts, a val split of its own wins. */
    c.val_fraction = *d->val_split || *d->val_path ? 0 : d->val_fraction;
    c.on_error = d->on_error;
    c.synthetic_count = d->synthetic_count;
    c.filters = SPEECH_FILTERS;
    c.stride = SPEECH_STRIDE;
    c.cache_bytes = d->cache << 20;
    SpecAugment masks; /* the batch's (batch_config) */
    speech_augment_parse(d->augment, &c.speeds, &masks, NULL);
    speech_name_splits(&c, d);
    return c;
}

bool transcribe_wants(const Recipe *recipe, const SpeechConfig *c, Split split) {
    const DataConfig *d = &recipe->data;
    bool named = split == SPLIT_VAL ? *d->val_split || *d->val_path || d->val_fraction > 0
                                    : *d->test_split || *d->test_path;
    return named || speech_has(c, split);
}
